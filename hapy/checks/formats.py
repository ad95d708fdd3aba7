"""Log formats in checks: what they give goes to the server or into a message byte for byte, nothing is encoded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hapy.samples import formats
from hapy.samples.expression import compile_text
from hapy_config.model.expressions import FormatExpression, FormatText, LogFormat
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction
    from hapy.samples import CompileEnv


def compile_format(fmt: LogFormat, env: CompileEnv) -> Callable[[Transaction], bytes]:
    """The function that renders a format; what has no value is empty.

    Raises:
        CompileError: for an expression that does not run.
    """
    constant = fmt.constant
    if constant is not None:
        text = to_bytes(constant)
        return lambda _txn: text
    parts: list[bytes | Callable[[Transaction], bytes | None]] = []
    for item in fmt.items:
        if isinstance(item, FormatText):
            parts.append(to_bytes(item.text))
        elif isinstance(item, FormatExpression):
            parts.append(compile_text(item.expression, env))
        else:
            parts.append(formats.compile_format(LogFormat(fmt.text, (item,)), env))

    def render(txn: Transaction) -> bytes:
        return b"".join([part if isinstance(part, bytes) else (part(txn) or b"") for part in parts])

    return render

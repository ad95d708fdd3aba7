"""Log formats whose text goes on byte for byte, nothing encoded: in checks, variables and PROXY headers.

As in HAProxy an expression's value ends before its first zero byte.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hapy.samples import formats
from hapy.samples.expression import compile_text
from hapy.samples.formats.escapes import escape
from hapy_config.model.expressions import FormatExpression, FormatText, LogFormat
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction
    from hapy.samples.environment import CompileEnv


def compile_raw_format(fmt: LogFormat, env: CompileEnv) -> Callable[[Transaction], bytes]:
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
            read = compile_text(item.expression, env)
            parts.append(_flagged(read, item.flags) if item.flags & {"E", "Q"} else read)
        else:
            parts.append(formats.compile_format(LogFormat(fmt.text, (item,)), env))

    def render(txn: Transaction) -> bytes:
        return b"".join([part if isinstance(part, bytes) else _up_to_zero(part(txn)) for part in parts])

    return render


def _up_to_zero(text: bytes | None) -> bytes:
    return text.partition(b"\0")[0] if text else b""


def _flagged(read: Callable[[Transaction], bytes | None], flags: frozenset[str]) -> Callable[[Transaction], bytes]:
    def text(txn: Transaction) -> bytes:
        found = _up_to_zero(read(txn))
        if "E" in flags:
            found = escape(found)
        return b'"%b"' % found if "Q" in flags else found

    return text

"""Two listeners on one address: the kernel shares the connections out between them, or the start fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Diagnostic, Severity
from hapy_config.source import Span

if TYPE_CHECKING:
    from hapy_config.api import Result

CODE: Final = "duplicate-bind"


def check(result: Result) -> Iterator[Diagnostic]:
    """A finding for each address that a line before it has taken."""
    assert result.config is not None
    seen: dict[tuple[str, str, int, str | None], tuple[str, Span]] = {}
    for proxy in result.config.proxies:
        if proxy.disabled:
            continue
        for bind in proxy.binds:
            address = bind.address
            for port in address.ports:
                key = (address.family, address.host, port, bind.interface)
                taken = seen.get(key)
                if taken is None:
                    seen[key] = (proxy.name, bind.span)
                    continue
                name, span = taken
                yield Diagnostic(
                    CODE,
                    Severity.NOTICE,
                    bind.span,
                    f"'{proxy.name}' listens where '{name}' does already ({span.file}:{span.line})",
                    "connections go to either of them",
                )
                break

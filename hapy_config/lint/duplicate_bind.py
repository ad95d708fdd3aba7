"""Two listeners on one address: the kernel shares the connections out between them, or the start fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.source import Span


def check(view: View) -> Iterator[Finding]:
    """A finding for each address that a line before it has taken."""
    seen: dict[tuple[str, str, int, str | None], tuple[str, Span]] = {}
    for proxy in view.frontends:
        for bind in proxy.binds:
            address = bind.address
            for port in address.ports:
                key = (address.family, address.host, port, bind.interface)
                taken = seen.get(key)
                if taken is None:
                    seen[key] = (proxy.name, bind.span)
                    continue
                name, span = taken
                yield Finding(
                    bind.span,
                    f"'{proxy.name}' listens where '{name}' does already ({span.file}:{span.line})",
                    "connections go to either of them",
                )
                break


RULE = Rule(
    "duplicate-bind",
    Severity.NOTICE,
    """Two bind lines listen on one address. The kernel shares new connections out between them, so each proxy gets
    some of both kinds, or the start fails where ports can't be shared.""",
    "frontend a\n bind :80\nfrontend b\n bind :80\n",
    "frontend a\n bind :80\nfrontend b\n bind :81\n",
    check,
)

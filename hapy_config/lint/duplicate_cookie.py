"""One cookie value for two servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.model.server import Server


def check(view: View) -> Iterator[Finding]:
    """A finding for each server whose cookie value another one has."""
    for proxy in view.backends:
        if proxy.cookie is None:
            continue
        seen: dict[str, Server] = {}
        for server in proxy.servers:
            if server.cookie is None or server.backup:
                continue
            first = seen.setdefault(server.cookie, server)
            if first is not server and first.span != server.span:
                yield Finding(
                    server.span,
                    f"'{server.name}' has the cookie value of '{first.name}', so its clients are sent there",
                    "give each server its own value",
                )


RULE = Rule(
    "duplicate-cookie",
    Severity.WARNING,
    """Two servers have the same cookie value. A client that the second one got comes back with the value and is sent
    to the first one.""",
    "listen l\n bind :80\n cookie SRV insert\n server s1 10.0.0.1:80 cookie s\n server s2 10.0.0.2:80 cookie s\n",
    "listen l\n bind :80\n cookie SRV insert\n server s1 10.0.0.1:80 cookie s\n server s2 10.0.0.2:80 cookie t\n",
    check,
)

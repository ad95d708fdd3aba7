"""Checks that say nothing of HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each HTTP backend whose servers only need to accept a connection."""
    for proxy in view.backends:
        if proxy.mode != "http" or proxy.checks.kind or len(proxy.servers) < 2:
            continue
        checked = any(server.check for server in proxy.servers)
        if checked and not any("agent-check" in server.options for server in proxy.servers):
            yield Finding(
                proxy.span,
                f"servers of '{proxy.name}' count as up when they accept a connection, whatever they answer",
                "add 'option httpchk GET /health'",
            )


RULE = Rule(
    "connect-check",
    Severity.NOTICE,
    """Checks that only connect are passed by a server that answers each request with an error, or not at all. `option
    httpchk` asks for a page, and takes the server out when the answer is an error.""",
    "listen l\n bind :80\n server s1 10.0.0.1:80 check\n server s2 10.0.0.2:80 check\n",
    "listen l\n bind :80\n option httpchk GET /health\n server s1 10.0.0.1:80 check\n server s2 10.0.0.2:80 check\n",
    check,
)

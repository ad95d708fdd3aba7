"""A connection for each request, on both sides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each HTTP proxy that closes all its connections after a request."""
    for proxy in view.proxies:
        if proxy.mode == "http" and proxy.http_mode == "close":
            statement = view.statement(proxy, "option", "httpclose") or view.statement(proxy, "option", "forceclose")
            yield Finding(
                proxy.span if statement is None else statement.span(),
                "'option httpclose' opens a connection for each request, to the client and to the server",
                "take it out; 'option http-server-close' closes the server's side only",
            )


RULE = Rule(
    "no-keep-alive",
    Severity.NOTICE,
    """`option httpclose` ends client and server connections after each request, so each one waits for a handshake, or
    two with TLS. Old versions needed it to see every request; today's see them all.""",
    "listen l\n bind :80\n option httpclose\n",
    "listen l\n bind :80\n",
    check,
)

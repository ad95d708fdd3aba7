"""Clients bound to one server connection each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each backend where all of a client's requests go the way of its first one."""
    for proxy in view.backends:
        if proxy.mode != "http" or len(proxy.servers) < 2 or "prefer-last-server" not in proxy.options:
            continue
        if proxy.reuse == "never" and proxy.http_mode == "keep-alive" and proxy.cookie is None:
            yield Finding(
                view.place(proxy, "option", "prefer-last-server"),
                f"each client of '{proxy.name}' stays on one connection to one server while it keeps its own open",
                "take 'option prefer-last-server' out, or let connections be shared ('http-reuse safe')",
            )


RULE = Rule(
    "bound-connection",
    Severity.NOTICE,
    """`http-reuse never` gives each client a server connection of its own, and `option prefer-last-server` sends all
    its requests to the server that it leads to. Requests are no longer balanced: a proxy or crawler with many requests
    on one connection stays with one server, busy or not. Where servers keep state a cookie says so openly.""",
    "listen l\n bind :80\n http-reuse never\n option prefer-last-server\n server s1 10.0.0.1:80\n"
    " server s2 10.0.0.2:80\n",
    "listen l\n bind :80\n http-reuse safe\n server s1 10.0.0.1:80\n server s2 10.0.0.2:80\n",
    check,
)

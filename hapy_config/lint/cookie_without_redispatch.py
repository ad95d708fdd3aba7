"""Clients bound to a server that does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each backend with cookies that does not send clients elsewhere when their server is lost."""
    for proxy in view.backends:
        if proxy.cookie is None or proxy.redispatch or proxy.mode != "http":
            continue
        if len(proxy.servers) > 1 and any(server.cookie is not None for server in proxy.servers):
            yield Finding(
                view.place(proxy, "cookie"),
                f"a client of '{proxy.name}' whose server does not answer gets errors until checks find it down",
                "add 'option redispatch'",
            )


RULE = Rule(
    "cookie-without-redispatch",
    Severity.NOTICE,
    """A cookie binds clients to a server. When connections to it fail they are tried again there, until its health
    checks notice, if there are any. `option redispatch` sends the request to another server instead.""",
    "listen l\n bind :80\n cookie SRV insert\n server s1 10.0.0.1:80 cookie s1\n server s2 10.0.0.2:80 cookie s2\n",
    "listen l\n bind :80\n option redispatch\n cookie SRV insert\n"
    " server s1 10.0.0.1:80 cookie s1\n server s2 10.0.0.2:80 cookie s2\n",
    check,
)

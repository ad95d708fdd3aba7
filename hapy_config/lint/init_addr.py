"""A start that fails while a name is not known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.model.server import Server


def check(view: View) -> Iterator[Finding]:
    """A finding for each backend whose servers follow their names and whose start waits for none of them."""
    for proxy in view.backends:
        for server in proxy.servers:
            if server.fqdn is not None and server.resolvers is not None and _asks_for_one(server):
                yield Finding(
                    server.span,
                    f"the start fails while the system can't resolve '{server.fqdn}', though 'resolvers' would in time",
                    "add 'init-addr last,libc,none'",
                )
                break


def _asks_for_one(server: Server) -> bool:
    """Whether the start depends on an address; without any `init-addr` a server with resolvers starts without one."""
    return "init-addr" in server.options and all(method in ("last", "libc") for method in server.init_addr)


RULE = Rule(
    "init-addr",
    Severity.NOTICE,
    """With `resolvers` a server's name is looked up again and again. But where `init-addr` says no more than `last` or
    `libc`, the system must know the name at the start, or nothing starts at all: bad when a whole cluster comes up at
    once. With `init-addr last,libc,none`, or without any, the server is down until its name is known.""",
    "resolvers r\n nameserver n 10.0.0.53:53\nlisten l\n bind :80\n"
    " server s web.example:80 resolvers r init-addr libc\n",
    "resolvers r\n nameserver n 10.0.0.53:53\nlisten l\n bind :80\n"
    " server s web.example:80 resolvers r init-addr last,libc,none\n",
    check,
)

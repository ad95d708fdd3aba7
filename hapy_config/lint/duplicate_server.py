"""Two servers of a backend at one address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.model.server import Server


def check(view: View) -> Iterator[Finding]:
    """A finding for each server whose address one before it has, both in use."""
    for proxy in view.backends:
        if len(proxy.servers) < 2:
            continue
        seen: dict[tuple[object, ...], Server] = {}
        for server in proxy.servers:
            address = server.address
            # Slots of a template share a name; relative ports and addresses of the client's choice are filled in later.
            if server.disabled or server.service or address.unspecified or address.port_offset:
                continue
            key = (
                (address.family, address.host, address.port),
                (server.backup, server.send_proxy, server.options.get("port")),
                None if server.tls is None else (True, server.tls.sni),
            )
            first = seen.setdefault(key, server)
            if first is not server and first.span != server.span and first.resolvers is None:
                yield Finding(
                    server.span,
                    f"'{server.name}' has the address of '{first.name}' (line {first.span.line})",
                    "it gets two shares of the traffic, is checked twice, and 'maxconn' holds for each of the two",
                )


RULE = Rule(
    "duplicate-server",
    Severity.NOTICE,
    """Two servers of a backend have the same address: a mistake in copying, mostly. That server gets a double share of
    the traffic, is checked twice, and has twice the `maxconn` of either line. A share is what `weight` is for.""",
    "listen a\n bind :80\n server s1 10.0.0.1:80\n server s2 10.0.0.1:80\n",
    "listen a\n bind :80\n server s1 10.0.0.1:80\n server s2 10.0.0.2:80\n",
    check,
)

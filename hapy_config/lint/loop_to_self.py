"""A server that is this very proxy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.networks import is_local
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.model.proxy import Proxy
    from hapy_config.model.server import Bind


def check(view: View) -> Iterator[Finding]:
    """A finding for each server at the address of the frontend whose requests it gets."""
    listening: dict[int, list[tuple[Proxy, Bind]]] = {}
    for proxy in view.frontends:
        for bind in proxy.binds:
            if bind.address.port is not None and bind.address.port == bind.address.port_end:
                listening.setdefault(bind.address.port, []).append((proxy, bind))
    for proxy in view.backends:
        for server in proxy.servers:
            address = server.address
            heard = listening.get(address.port or 0)
            if not heard or address.family not in ("ipv4", "ipv6") or address.port_offset or not is_local(address):
                continue
            for front, bind in heard:
                always = front is proxy or front.default_backend == proxy.name
                if always and not front.use_backends and bind.address.host in ("", "0.0.0.0", "::", address.host):
                    yield Finding(
                        server.span,
                        f"'{server.name}' is the address that '{front.name}' listens on (line {bind.span.line}):"
                        " its requests go round in circles",
                        "write the server's own address or port",
                    )
                    break


RULE = Rule(
    "loop-to-self",
    Severity.WARNING,
    """The server's address is one that the frontend listens on whose requests go to it, so the proxy is its own
    client: one request takes all connections there are.""",
    "listen l\n bind :8080\n server s 127.0.0.1:8080\n",
    "listen l\n bind :8080\n server s 127.0.0.1:8081\n",
    check,
)

"""A web service that is balanced connection by connection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


_WEB: Final = frozenset({80, 8080})


def check(view: View) -> Iterator[Finding]:
    """A finding for each TCP frontend on a port for HTTP whose servers listen on such ports, too."""
    for proxy in view.frontends:
        if proxy.mode != "tcp" or not any(
            bind.address.port == bind.address.port_end and bind.address.port in _WEB for bind in proxy.binds
        ):
            continue
        backend = proxy if proxy.is_backend and proxy.servers else view.config.backend(proxy.default_backend or "")
        if backend is None or not backend.servers or any(server.send_proxy for server in backend.servers):
            continue
        if all(server.address.port in _WEB and server.tls is None for server in backend.servers):
            yield Finding(
                view.place(proxy, "mode"),
                f"'{proxy.name}' looks like HTTP in TCP mode: all requests of a client connection go to one server",
                "write 'mode http' to balance request by request, with logs, headers and shared connections",
            )


RULE = Rule(
    "http-in-tcp-mode",
    Severity.NOTICE,
    """Ports for HTTP are balanced in TCP mode, which knows connections and no requests: all that a client sends over
    one goes to one server, nothing is known of answers, servers don't learn the client's address, and no server
    connection is shared.""",
    "listen l\n mode tcp\n bind :80\n server s 10.0.0.1:80\n",
    "listen l\n mode http\n bind :80\n server s 10.0.0.1:80\n",
    check,
)

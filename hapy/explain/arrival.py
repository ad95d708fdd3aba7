"""How a request comes in: the client's connection, the listener, and the head as the proxy's own parser reads it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

from hapy.explain import values
from hapy.net.clock import now, wall
from hapy.proxy.transaction import Client
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.explain.asked import Asked
    from hapy.http.message import Header, Request
    from hapy_config.model.server import Bind

_CLIENT_PORT: Final = 50000


class Sink:
    """Takes what the parser makes of the request."""

    def __init__(self) -> None:
        self.head: Request | None = None
        self.body = b""
        self.complete = False

    def on_head(self, head: Request, /) -> None:
        """Keep the head."""
        self.head = head

    def on_data(self, data: bytes, /) -> None:
        """Add to the body."""
        self.body += data

    def on_end(self, _trailers: list[Header], /) -> None:
        """Note that all is there."""
        self.complete = True


def client(asked: Asked, bind: Bind) -> Client:
    """The client's connection, to the listener's own address."""
    place = bind.address
    host = place.host if place.family in ("ipv4", "ipv6") and place.host not in ("0.0.0.0", "::") else ""
    family = socket.AF_INET6 if ":" in asked.source else socket.AF_INET
    found = Client(
        asked.source.encode(),
        _CLIENT_PORT,
        (host or ("::1" if family == socket.AF_INET6 else "127.0.0.1")).encode(),
        asked.port if asked.port is not None and asked.port in place.ports else place.port or 0,
        family,
    )
    found.listener_name = to_bytes(bind.name) if bind.name else None
    found.listener_id = bind.number
    found.accepted = now()
    found.accepted_wall = wall()
    if bind.tls is not None:
        from hapy.explain.assumed import AssumedTls

        found.tls = AssumedTls(asked.host.encode() or None)
    return found


def listener(bind: Bind) -> str:
    """The address in words, and whether TLS is spoken there."""
    return values.address(bind.address) + (" (TLS)" if bind.tls is not None else "")

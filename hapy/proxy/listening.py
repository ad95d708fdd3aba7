"""What a bind line's connections have in common, and what is known of a connection the moment it is accepted."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from hapy.net.clock import now, wall
from hapy.proxy.transaction import Client
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.net.stream import Transport
    from hapy_config.model.server import Bind


class Listening:
    """One bind line as its connections see it.

    Attributes:
        greeted: its connections have been counted and screened before they are served.
        waited, unread: see `hapy.proxy.greeting.Met`.
    """

    __slots__ = ("bind", "family", "greeted", "label", "number", "unread", "waited")

    def __init__(self, bind: Bind) -> None:
        self.bind = bind
        self.greeted = self.waited = self.unread = False
        kind = bind.address.family
        self.family = {"ipv6": socket.AF_INET6, "unix": socket.AF_UNIX, "abns": socket.AF_UNIX}.get(
            kind, socket.AF_INET
        )
        self.label = to_bytes(bind.name) if bind.name else None
        self.number = bind.number

    def meet(self, transport: Transport) -> Client:
        """A connection that has just been accepted."""
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            source: bytes = peer[0].encode()
            client = Client(source, peer[1], None, 0, socket.AF_INET6 if b":" in source else socket.AF_INET, transport)
        elif self.family == socket.AF_UNIX:
            client = Client(b"unix", self.number, b"unix", self.number, socket.AF_UNIX, transport)
        else:  # reset before it could be looked at
            source = b"::" if self.family == socket.AF_INET6 else b"0.0.0.0"
            client = Client(source, 0, None, 0, self.family, transport)
        client.listener_name = self.label
        client.listener_id = self.number
        client.accepted = now()
        client.accepted_wall = wall()
        return client

"""What a bind line's connections have in common, and what is known of a connection the moment it is accepted."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from hapy.net.clock import now, wall
from hapy.proxy.transaction import Client

if TYPE_CHECKING:
    from hapy.net.stream import Transport
    from hapy_config.model.server import Bind


class _Accepted(Client):
    """A client whose destination is looked up only when somebody asks: most requests never do."""

    __slots__ = ("_transport",)

    def __init__(self, transport: Transport, listening: Listening) -> None:
        self._transport = transport
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self.source = source = peer[0].encode()
            self.source_port = peer[1]
            self.family = socket.AF_INET6 if b":" in source else socket.AF_INET
        elif listening.family == socket.AF_UNIX:
            self.source = b"unix"
            self.source_port = listening.number
            self.family = socket.AF_UNIX
            self.destination = b"unix"
            self.destination_port = listening.number
        else:  # reset before it could be looked at
            self.source = b"::" if listening.family == socket.AF_INET6 else b"0.0.0.0"
            self.source_port = 0
            self.family = listening.family
        self.listener_name = listening.label
        self.listener_id = listening.number
        self.accepted = now()
        self.accepted_wall = wall()
        self.handshake = 0.0
        self.requests = 0
        self.variables = None
        self.proxied = False
        self.preface = None
        self.tls = None
        self.error = ""

    def __getattr__(self, name: str) -> Any:
        if name in ("destination", "destination_port"):
            address = self._transport.get_extra_info("sockname")
            if not isinstance(address, tuple):
                address = ("", 0)
            self.destination = address[0].encode()
            self.destination_port = address[1]
            return getattr(self, name)
        if name == "fd":
            sock = self._transport.get_extra_info("socket")
            self.fd = -1 if sock is None else sock.fileno()
            return self.fd
        raise AttributeError(name)


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
        self.label = bind.name.encode() if bind.name else None
        self.number = bind.number

    def meet(self, transport: Transport) -> Client:
        """A connection that has just been accepted."""
        return _Accepted(transport, self)

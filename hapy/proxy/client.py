"""What is known of a client's connection, for as long as it lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hapy.net.stream import Transport
    from hapy.proxy.proxied import Preface


class Client:
    """One client connection.

    Attributes:
        source: the client's address as text (`b"192.0.2.1"`, `b"2001:db8::1"`, `b"unix"`), rules may rewrite it.
        source_port: its port, 0 for UNIX sockets (there it is the socket's number).
        destination: the address it connected to, as text.
        destination_port: the port it connected to.
        family: socket.AF_INET, AF_INET6 or AF_UNIX.
        listener_name: the bind's name, or None; listener_id: its id.
        accepted: when the connection was accepted; accepted_wall: the same in seconds since 1970.
        handshake: seconds that TLS and the PROXY header took.
        requests: requests begun on this connection so far.
        variables: the `sess.` variables, made on first use.
        fd: the socket's number.
        proxied: a PROXY header was received.
        preface: what the connection begins with and the values of its PROXY header, None without.
        error: why it failed before its first request, in HAProxy's words (section 8.2.5); empty while it has not.
        tls: the TLS layer's view of the connection, None for plain text.
    """

    __slots__ = (
        "_destination",
        "_destination_port",
        "_fd",
        "_transport",
        "accepted",
        "accepted_wall",
        "error",
        "family",
        "handshake",
        "listener_id",
        "listener_name",
        "preface",
        "proxied",
        "requests",
        "source",
        "source_port",
        "tls",
        "variables",
    )

    def __init__(
        self,
        source: bytes,
        source_port: int,
        destination: bytes | None,
        destination_port: int,
        family: int,
        transport: Transport | None = None,
    ) -> None:
        """All but the transport as above. Without a destination the transport is asked for it when somebody wants it.

        So it is for `fd`: most requests never do.
        """
        self.source = source
        self.source_port = source_port
        self._destination = destination
        self._destination_port = destination_port
        self._fd = -2
        self._transport = transport
        self.family = family
        self.listener_name: bytes | None = None
        self.listener_id = 0
        self.accepted = 0.0
        self.accepted_wall = 0.0
        self.handshake = 0.0
        self.requests = 0
        self.variables: dict[str, Any] | None = None
        self.proxied = False
        self.preface: Preface | None = None
        self.error = ""
        self.tls: Any = None

    @property
    def destination(self) -> bytes:
        """The address it connected to."""
        if self._destination is None:
            address: Any = None if self._transport is None else self._transport.get_extra_info("sockname")
            host, port = address[:2] if isinstance(address, tuple) else ("", 0)
            self.set_destination(host.encode(), port)
        assert self._destination is not None
        return self._destination

    @destination.setter
    def destination(self, address: bytes) -> None:
        self.set_destination(address, self.destination_port)

    @property
    def destination_port(self) -> int:
        """The port it connected to."""
        if self._destination is None:
            self.destination  # noqa: B018 - it looks both up
        return self._destination_port

    @destination_port.setter
    def destination_port(self, port: int) -> None:
        self.set_destination(self.destination, port)

    def set_destination(self, address: bytes, port: int) -> None:
        """Somebody knows better: the connection is that of another."""
        self._destination = address
        self._destination_port = port

    @property
    def fd(self) -> int:
        """The socket's number, -1 where it is gone or there was none."""
        if self._fd == -2:
            sock = None if self._transport is None else self._transport.get_extra_info("socket")
            self._fd = -1 if sock is None else sock.fileno()
        return self._fd

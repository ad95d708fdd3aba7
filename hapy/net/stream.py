"""The lean stream: a protocol on the event loop's transport, one object a connection.

Rules:
- Bytes arrive in `data_received`, and leave by `transport.write`, which never waits: who writes is stopped at his
  source. A stream that can't take more pauses the reading of its `feeder` and resumes it later.
- `close()` sends what is buffered, then FIN. `finish()` does so too, and then reads and drops what still comes for a
  short while, since closing a socket that has unread bytes would reset it and could destroy the answer on its way.
  `abort()` resets.
- A stream has one deadline (`hapy.net.clock`).
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Protocol, cast

from mypy_extensions import mypyc_attr

from hapy.net.clock import NEVER, Watched, now, unwatch, watch

_Socket = socket.socket

#: What a stream writes to; named here so that nothing above needs asyncio for it.
Transport = asyncio.Transport

#: Bytes that may wait in a transport before its feeder is paused, and at how many it goes on.
HIGH_WATER = 256 * 1024
LOW_WATER = 64 * 1024

#: How long `finish()` reads and drops what still comes, in seconds.
DRAIN_TIME = 2.0

_TCP_QUICKACK = 12
_TCP_REPAIR = 19

_RESET = struct.pack("ii", 1, 0)
_CORK = getattr(socket, "TCP_CORK", None)


class Receiver(Protocol):
    """What the event loop calls: `asyncio.Protocol` by its shape, not by descent, so that streams can be compiled."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""

    def eof_received(self) -> bool | None:
        """The peer has closed its side; true to keep ours open."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""

    def pause_writing(self) -> None:
        """The transport's buffer is above the mark."""

    def resume_writing(self) -> None:
        """The transport's buffer is below the mark."""


def cork(transport: asyncio.Transport) -> None:
    """Let what is written last leave in one packet with FIN, which must follow at once: without it, after 200 ms."""
    if _CORK is not None:
        sock = transport.get_extra_info("socket")
        if sock is not None:
            # uvloop's own stand-in makes such an object, too, and much else with it.
            bare = socket.SocketType(socket.AF_INET, socket.SOCK_STREAM, 0, sock.fileno())
            try:
                bare.setsockopt(socket.IPPROTO_TCP, _CORK, 1)
            except OSError:
                pass  # a UNIX socket, which has no packets
            finally:
                bare.detach()


def has_left(transport: asyncio.Transport) -> bool:
    """Whether all that the peer has sent has come and it has closed or reset the connection, as will be told soon."""
    sock = transport.get_extra_info("socket")
    if sock is None:
        return False
    bare = socket.SocketType(socket.AF_INET, socket.SOCK_STREAM, 0, sock.fileno())
    try:
        return not bare.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        bare.detach()


def silence(sock: _Socket | None) -> None:
    """Let the abort that follows tell the peer nothing: it sees neither FIN nor RST and goes on waiting.

    Where the system does not allow that (it takes CAP_NET_ADMIN), the reset is too short-lived to leave the local
    network.
    """
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    try:
        # What has come is acknowledged first: sent once more, the system would answer it with a reset.
        sock.setsockopt(socket.IPPROTO_TCP, _TCP_QUICKACK, 1)
        sock.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, 1)
    except OSError:
        if sock.family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 1)


class Layer(Protocol):
    """A layer below that can keep what is written for a moment."""

    def hold(self) -> None:
        """Let what is written from now on leave together with what comes after it, at the next turn at the latest."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Stream:
    """A connection; a `Receiver`, once `data_received` is written.

    Attributes:
        transport: the event loop's transport, None before the connection stands.
        deadline, looked_at, slot: see `hapy.net.clock.Watched`.
        feeder: the stream whose bytes are written here, paused while this one can't take more.
        layer: keeps what is written last for what closing adds; None where nothing is added.
        writable: False while the transport's buffer is above the mark.
        reading: whether bytes are taken from the socket.
        eof: the peer has closed its side.
        closed: the connection is gone, or is being closed.
    """

    __slots__ = (
        "closed",
        "deadline",
        "draining",
        "eof",
        "feeder",
        "layer",
        "looked_at",
        "reading",
        "slot",
        "transport",
        "writable",
    )

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.deadline = NEVER
        self.looked_at = NEVER
        self.slot: set[Watched] | None = None
        self.feeder: Stream | None = None
        self.layer: Layer | None = None
        self.writable = True
        self.reading = True
        self.eof = False
        self.closed = False
        self.draining = False

    # what subclasses say

    def on_open(self) -> None:
        """The connection stands."""

    def on_deadline(self) -> None:
        """The deadline has passed."""
        self.abort()

    def on_eof(self) -> None:
        """The peer has closed its side; ours stays open until it is closed."""
        self.close()

    def on_lost(self, error: Exception | None) -> None:
        """The connection is gone. Called once, also after `close` and `abort`."""

    def on_drained(self) -> None:
        """The transport's buffer has fallen below the mark again."""

    # deadlines

    def expire_after(self, seconds: float) -> None:
        """Set the deadline."""
        self.deadline = deadline = now() + seconds
        if deadline < self.looked_at:
            watch(self)

    # back-pressure

    def pause(self) -> None:
        """Stop taking bytes from the socket."""
        if self.reading and not self.closed:
            self.reading = False
            self.transport.pause_reading()

    def resume(self) -> None:
        """Take bytes from the socket again."""
        if not self.reading:
            self.reading = True
            if not self.closed and not self.eof:
                self.transport.resume_reading()

    def pause_writing(self) -> None:
        """Event loop: the transport's buffer is above the mark."""
        self.writable = False
        if self.feeder is not None:
            self.feeder.pause()

    def resume_writing(self) -> None:
        """Event loop: the transport's buffer is below the mark."""
        self.writable = True
        if self.feeder is not None:
            self.feeder.resume()
        self.on_drained()

    # closing

    def close(self) -> None:
        """Send what is buffered, then close."""
        if not self.closed:
            self.closed = True
            self.transport.close()

    def finish(self) -> None:
        """Send what is buffered, then FIN; read and drop for a short while what the peer still sends, then close."""
        if self.closed or self.draining:
            return
        self.draining = True
        if self.eof or not self.transport.can_write_eof():
            self.close()
            return
        self.feeder = None
        self.resume()
        self.transport.write_eof()
        self.expire_after(DRAIN_TIME)

    def shut_down(self) -> None:
        """Send what is buffered, then FIN; go on reading."""
        if not self.closed:
            self.transport.write_eof()

    def abort(self) -> None:
        """Reset the connection; what is buffered is lost."""
        if not self.closed:
            self.closed = True
            if (sock := self.socket) is not None and sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.transport.abort()

    def vanish(self) -> None:
        """Close without a word on the wire (see `silence`)."""
        if not self.closed:
            silence(self.socket)
            self.abort()

    @property
    def socket(self) -> _Socket | None:
        """The socket underneath, for options only; None when it is gone."""
        return cast("_Socket | None", self.transport.get_extra_info("socket"))

    # event loop

    def data_received(self, data: bytes) -> None:
        """Event loop: bytes have come."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Event loop: the connection stands."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(HIGH_WATER, LOW_WATER)
        self.on_open()

    def eof_received(self) -> bool:
        """Event loop: the peer has closed its side."""
        self.eof = True
        if self.draining:
            self.close()
        elif not self.closed:
            self.on_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Event loop: the connection is gone."""
        self.closed = True
        if self.slot is not None:
            unwatch(self)
        feeder = self.feeder
        if feeder is not None:
            self.feeder = None
            feeder.resume()
        self.on_lost(exc)

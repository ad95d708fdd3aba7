"""The socket of a health check: lean, and with the system's own words for what went wrong.

Rules:
- No transport underneath: a plain connection that is opened and reset costs a few system calls and one wake-up.
- The owner is told by one callback that something has happened, and looks at the attributes.
- Closing resets the connection, as HAProxy's checks do, unless `linger` asks for a clean end: nothing is left behind in
  TIME-WAIT on either side.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Protocol

from hapy.net.connect import Destination
from hapy.net.connect import _socket as open_socket
from hapy.net.sockets import Ends, end_of
from hapy.observe.counters import TLS

#: The switch for answers without delay, None where the system has none.
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
_OTHER_NAME = "Server presented an SSL certificate different from the expected one"
_RESET = struct.pack("ii", 1, 0)
_CHUNK = 16384
#: Bytes taken at once.
_MOST = 4 * _CHUNK


class Securing(Protocol):
    """How to speak TLS to a server, as `hapy.tls.outgoing.Outgoing` knows it."""

    def begin(self, name: bytes | None, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, /) -> ssl.SSLObject:
        """Start a handshake."""

    def accept(self, name: bytes | None, tls: ssl.SSLObject, /) -> str:
        """Look at the server's certificate; gives what is wrong, or an empty string."""

    def ended_by_name(self, tls: ssl.SSLObject, error: ssl.SSLError, /) -> bool:
        """Whether the handshake has ended since the server's certificate is for another name."""

    def fail(self) -> None:
        """The handshake came to nothing."""

    def keep(self, name: bytes | None, tls: ssl.SSLObject, /) -> bool:
        """Keep the session for the next connection."""


class Probe:
    """One connection of a check.

    Attributes:
        connected: it stands. secured: the TLS handshake is done.
        received: bytes that came and were not taken away. heard: how many came. sent: how many went out on the wire.
        eof: the server has closed its side. error: what went wrong, in the system's words; empty while nothing has.
        insecure: what went wrong was the handshake.
    """

    __slots__ = (
        "_incoming",
        "_linger",
        "_loop",
        "_name",
        "_outgoing",
        "_reading",
        "_securing",
        "_sock",
        "_tls",
        "_unsent",
        "_writing",
        "connected",
        "eof",
        "error",
        "heard",
        "insecure",
        "received",
        "secured",
        "sent",
        "wake",
    )

    def __init__(self, wake: Callable[[], None], *, linger: bool = False) -> None:
        self.wake = wake
        self._linger = linger
        self._loop = asyncio.get_running_loop()
        self._sock: socket.socket | None = None
        self._tls: ssl.SSLObject | None = None
        self._securing: Securing | None = None
        self._name: bytes | None = None
        self._unsent = bytearray()
        self._reading = False
        self._writing = False
        self.connected = False
        self.secured = False
        self.received = bytearray()
        self.heard = 0
        self.sent = 0
        self.eof = False
        self.error = ""
        self.insecure = False

    def connect(self, destination: Destination, *, unseen: bool = False) -> None:
        """Begin; `wake` is called when it stands or has failed, unless that is known at once.

        Args:
            destination: where to.
            unseen: nothing will be said or heard: the system puts off the answer that would complete the connection, so
                that a reset comes in its place and the server's program never sees it, as with HAProxy's checks.
        """
        try:
            self._sock = sock = open_socket(destination)
            if unseen and sock.family != socket.AF_UNIX and _QUICKACK is not None:
                sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 0)
            where = destination.host if destination.family == socket.AF_UNIX else (destination.host, destination.port)
            code = sock.connect_ex(where)
        except OSError as error:
            self.error = error.strerror or str(error)
            return
        if code == 0:
            self.connected = True
        elif code in (errno.EINPROGRESS, errno.EAGAIN):
            self._writing = True
            self._loop.add_writer(sock, self._on_connected)
        else:
            self.error = os.strerror(code)

    def _on_connected(self) -> None:
        sock = self._sock
        if sock is None:
            return
        self._loop.remove_writer(sock)
        self._writing = False
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self.error = os.strerror(code)
        else:
            self.connected = True
        self.wake()

    @property
    def ends(self) -> Ends:
        """(address as text, port) of this side and of the server's; empty addresses where there are none.

        UNIX sockets have none, nor has a connection that the server has reset already.
        """
        sock = self._sock
        if sock is None:
            return (b"", 0), (b"", 0)
        try:
            ours, theirs = sock.getsockname(), sock.getpeername()
        except OSError:
            return (b"", 0), (b"", 0)
        return end_of(ours), end_of(theirs)

    def secure(self, securing: Securing, name: bytes | None) -> None:
        """Begin the handshake on a connection that stands."""
        self._securing = securing
        self._name = name
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = securing.begin(name, self._incoming, self._outgoing)
        TLS.current += 1
        TLS.total += 1
        self.read()
        self._shake()

    def _shake(self) -> None:
        tls, securing = self._tls, self._securing
        assert tls is not None
        assert securing is not None
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            if self.eof or self.error:
                self._fail_handshake()
            return
        except ssl.SSLError as error:
            self._flush()
            self._fail_handshake()
            if securing.ended_by_name(tls, error):
                self.error = _OTHER_NAME
            return
        self._flush()
        if securing.accept(self._name, tls):
            self._fail_handshake()
            self.error = _OTHER_NAME
        else:
            self.secured = True
            self._decrypt()

    def _fail_handshake(self) -> None:
        if self._securing is not None:
            self._securing.fail()
        self.insecure = True
        self.error = "SSL handshake failure"

    def _decrypt(self) -> None:
        tls = self._tls
        assert tls is not None
        try:
            while piece := tls.read(_CHUNK):
                self.received += piece
                self.heard += len(piece)
            self.eof = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            if isinstance(error, ssl.SSLZeroReturnError):
                self.eof = True
            else:
                self.error = self.error or "Connection error"

    def send(self, data: bytes) -> None:
        """Send bytes; what does not go out at once follows by itself."""
        if self._tls is not None:
            try:
                self._tls.write(data)
            except ssl.SSLError:
                self.error = self.error or "Connection error"
                return
            self._flush()
        else:
            self._put(data)

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._put(self._outgoing.read())

    def _put(self, data: bytes) -> None:
        sock = self._sock
        if sock is None or self.error:
            return
        if self._unsent:
            self._unsent += data
            return
        try:
            sent = sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.error = error.strerror or str(error)
            return
        self.sent += sent
        if sent < len(data):
            self._unsent += data[sent:]
            self._writing = True
            self._loop.add_writer(sock, self._on_writable)

    def _on_writable(self) -> None:
        sock = self._sock
        if sock is None:
            return
        self._loop.remove_writer(sock)
        self._writing = False
        rest, self._unsent = bytes(self._unsent), bytearray()
        self._put(rest)
        if self.error:
            self.wake()

    def read(self) -> None:
        """Take what comes from now on."""
        if not self._reading and self._sock is not None:
            self._reading = True
            self._loop.add_reader(self._sock, self._on_readable)

    def _on_readable(self) -> None:
        sock = self._sock
        if sock is None:
            return
        data = bytearray()
        over = False
        # to the last byte: after an error condition the event loop may never call again
        while not over and len(data) < _MOST:
            try:
                piece = sock.recv(_CHUNK)
            except BlockingIOError:
                break
            except OSError as error:
                if not self.received and not data:  # bytes before a reset count as an answer that ends there
                    self.error = error.strerror or str(error)
                piece = b""
            over = not piece
            data += piece
        if over:
            self._loop.remove_reader(sock)
            self._reading = False
            if not self.error:
                self.eof = True
        if self._tls is None:
            self.received += data
            self.heard += len(data)
        else:
            self._incoming.write(data)
            if not self.secured:
                self._shake()
            else:
                self._decrypt()
        self.wake()

    def close(self) -> None:
        """End the connection. May be called more than once."""
        sock = self._sock
        if sock is None:
            return
        self._sock = None
        if self._tls is not None:
            TLS.ended()
            if self.secured and self._securing is not None:
                self._securing.keep(self._name, self._tls)
        if self._reading:
            self._loop.remove_reader(sock)
        if self._writing:
            self._loop.remove_writer(sock)
        if self.connected and not self._linger and sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        sock.close()

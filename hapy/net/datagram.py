"""Datagrams to and from one peer, on a connected socket: the system lets nothing from anybody else through.

A socket that has met an error (nobody listened at the peer) is given up: uvloop looks at such a one no longer, so that
what comes later would not be seen.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

#: Bytes of datagrams that may wait, of which the system gives what it allows.
_BUFFER = 1 << 20


class Datagrams:
    """A socket connected to one peer. `open` it on the event loop before anything is sent.

    Attributes:
        on_data: called with each datagram that comes.
        largest: bytes of a datagram that are looked at; what is longer is cut to one more.
    """

    __slots__ = ("_loop", "_peer", "_sock", "largest", "on_data")

    def __init__(self, family: int, peer: tuple[str, int], on_data: Callable[[bytes], None], largest: int) -> None:
        self._peer = (family, peer)
        self._sock: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.on_data = on_data
        self.largest = largest

    def open(self) -> None:
        """Make the socket, from a port that the system chooses.

        Raises:
            OSError: there is none to be had, or no way to the peer.
        """
        family, peer = self._peer
        sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            sock.connect(peer)
        except OSError:
            sock.close()
            raise
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock.fileno(), self._readable)

    def send(self, data: bytes) -> bool:
        """Send one datagram; whether the system took it. Opens a socket where none is left."""
        for _ in range(2):
            try:
                if self._sock is None:
                    self.open()
                    assert self._sock is not None
                self._sock.send(data)
            except OSError:  # which may tell what an earlier datagram met
                self.close()
                continue
            return True
        return False

    def close(self) -> None:
        """Give the socket back."""
        if self._sock is not None and self._loop is not None:
            self._loop.remove_reader(self._sock.fileno())
            self._sock.close()
            self._sock = None

    def _readable(self) -> None:
        sock = self._sock
        for _ in range(64):  # then others get their turn
            if sock is None or self._sock is not sock:
                return
            try:
                data = sock.recv(self.largest + 1)
            except BlockingIOError:
                return
            except OSError:  # an earlier datagram found nobody
                self.close()
                return
            self.on_data(data)

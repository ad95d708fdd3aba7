"""Taking connections from listening sockets, within limits.

Rules:
- A connection that a limit has no room for waits here, unread, until a slot is free: to its client that looks the
  same as waiting in the kernel's queue. When many wait, the listener stops taking more; the kernel holds the rest.
- A connection holds one slot of each of its listener's gates from its first byte to its end. Whoever serves it gives
  them back by calling `release`, once.
- Stopping never drops a connection that was already taken.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections import deque
from collections.abc import Callable
from typing import Any, cast

from hapy.net.clock import now

#: Makes the protocol that serves one connection; it must call the given function once, when the connection has ended.
ServeFactory = Callable[[Callable[[], None]], asyncio.Protocol]

#: Connections that may wait for a slot before the listener stops, and at how many it goes on.
_MANY_WAITING = 64
_FEW_WAITING = 16

#: A UNIX socket's path outlives its listener: it may already belong to the process that takes over.
_KEEP_PATH: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}


class Gate:
    """A limit on connections at once, shared by any number of listeners.

    Attributes:
        limit: the most connections, 0 for no limit.
        count: connections now.
        emptied: called when the last connection has ended, or None.
    """

    __slots__ = ("count", "emptied", "limit", "waiting")

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit
        self.count = 0
        self.emptied: Callable[[], object] | None = None
        self.waiting: deque[_Waiting] = deque()

    @property
    def full(self) -> bool:
        """Whether one more must wait."""
        return 0 < self.limit <= self.count

    def take(self) -> None:
        """Occupy one slot."""
        self.count += 1

    def give_back(self) -> None:
        """Free one slot and let who waits have it."""
        self.count -= 1
        if self.waiting:
            self.admit()
        if self.count == 0 and self.emptied is not None:
            self.emptied()

    def admit(self) -> None:
        """Serve those who wait, as far as there is room; call it after raising `limit`."""
        while self.waiting and not self.full:
            self.waiting.popleft().begin()


class RateGate(Gate):
    """A limit on new connections per second (`rate-limit sessions`, `maxconnrate`)."""

    __slots__ = ("_second", "_timer")

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self._second = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def full(self) -> bool:
        """Whether this second's connections are used up."""
        if self.limit == 0:
            return False
        moment = now()
        if moment - self._second >= 1.0:
            self._second = moment
            self.count = 0
        if self.count < self.limit:
            return False
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._second + 1.0 - moment, self._turn)
        return True

    def _turn(self) -> None:
        self._timer = None
        self.admit()

    def give_back(self) -> None:
        """Nothing: what has begun this second stays counted."""


class _Waiting(asyncio.Protocol):
    """A connection without a slot."""

    def __init__(self, listener: Listener, gate: Gate) -> None:
        self.listener = listener
        self.transport: asyncio.Transport | None = None
        gate.waiting.append(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Event loop: leave its bytes in the kernel."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.pause_reading()

    def begin(self) -> None:
        """A gate has room: take the slots, or wait at the next gate that is full."""
        listener = self.listener
        for gate in listener.gates:
            if gate.full:
                gate.waiting.append(self)
                return
        transport = self.transport
        if transport is None:  # its connection_made is still to come
            asyncio.get_running_loop().call_soon(self.begin)
            return
        listener.waited()
        if transport.is_closing():
            return
        protocol = listener.occupy()
        transport.set_protocol(protocol)
        transport.resume_reading()
        protocol.connection_made(transport)


class Listener:
    """One listening socket on the event loop.

    Attributes:
        sock: the socket. It stays open while paused, so that the kernel goes on queueing.
        gates: the limits that apply, the nearest first.
    """

    def __init__(self, sock: socket.socket, serve: ServeFactory, gates: tuple[Gate, ...] = (), *, backlog: int) -> None:
        self.sock = sock
        self.gates = gates
        self._serve = serve
        self._backlog = backlog
        self._server: asyncio.Server | None = None
        self._waiting = 0
        self._paused = False
        self._closed = False
        self._starting = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to take connections."""
        if self._server is not None or self._starting or self._closed:
            return
        self._starting = True
        loop = asyncio.get_running_loop()
        try:
            if self.sock.family == socket.AF_UNIX:
                self._server = await loop.create_unix_server(
                    self._accepted, sock=self.sock.dup(), backlog=self._backlog, **_KEEP_PATH
                )
            else:
                self._server = await loop.create_server(self._accepted, sock=self.sock.dup(), backlog=self._backlog)
        finally:
            self._starting = False
        if self._closed or self._paused:
            self._suspend()

    def pause(self) -> None:
        """Take no connection until `resume`; established ones go on."""
        self._paused = True
        self._suspend()

    async def resume(self) -> None:
        """Undo `pause`."""
        self._paused = False
        await self.start()

    def close(self) -> None:
        """Stop listening for good."""
        self._closed = True
        self._suspend()
        self.sock.close()

    def _suspend(self) -> None:
        # The server has its own duplicate of the socket: closing it leaves ours, and with it the kernel's queue.
        if self._server is not None:
            self._server.close()
            self._server = None

    def _accepted(self) -> asyncio.Protocol:
        for gate in self.gates:
            if gate.full:
                self._waiting += 1
                if self._waiting == _MANY_WAITING:
                    # Not from within the loop's own accept call, which still needs the server.
                    asyncio.get_running_loop().call_soon(self._suspend_if_crowded)
                return _Waiting(self, gate)
        return self.occupy()

    def occupy(self) -> asyncio.Protocol:
        """Take the slots and make what serves the connection."""
        for gate in self.gates:
            gate.take()
        return self._serve(self._release)

    def _release(self) -> None:
        for gate in self.gates:
            gate.give_back()

    def _suspend_if_crowded(self) -> None:
        if self._waiting >= _MANY_WAITING:
            self._suspend()

    def waited(self) -> None:
        """One that waited has got its turn."""
        self._waiting -= 1
        if self._waiting <= _FEW_WAITING and self._server is None and not self._paused and not self._closed:
            task = asyncio.get_running_loop().create_task(self.start())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

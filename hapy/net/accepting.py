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
from hapy.net.stream import Receiver
from hapy.observe.counters import TLS

#: Makes the protocol that serves one connection; it must call the given function once, when the connection has ended.
ServeFactory = Callable[[Callable[[], None]], Receiver]

#: Connections that may wait for a slot before the listener stops, and at how many it goes on.
_MANY_WAITING = 64
_FEW_WAITING = 16

#: Without uvloop: connections accepted before the loop does something else, and how long accepting rests when the
#: system has no descriptors left, in seconds.
_ACCEPTS_A_TURN = 64
_RETRY_AFTER = 0.1

#: A UNIX socket's path outlives its listener: it may already belong to the process that takes over.
_KEEP_PATH: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}


class Gate:
    """A limit on connections at once, shared by any number of listeners.

    Attributes:
        limit: the most connections, 0 for no limit, below 0 for none at all.
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
        return self.limit != 0 and self.limit <= self.count

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


class TlsGate(Gate):
    """A limit on TLS connections at once, those to servers included (`maxsslconn`)."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        if limit:
            TLS.freed = self.admit

    @property
    def full(self) -> bool:
        """Whether one more must wait. Those that were accepted just now count, too."""
        return self.limit != 0 and self.limit <= max(self.count, TLS.current)


class _Waiting(asyncio.Protocol):
    """A connection without a slot. What it sends before its reading stops is kept for who will serve it."""

    def __init__(self, listener: Listener, gate: Gate) -> None:
        self.listener = listener
        self.transport: asyncio.Transport | None = None
        self._early = b""
        self._ended = False
        self._held = False
        self._served = False
        gate.waiting.append(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Event loop: leave its bytes in the kernel."""
        self.transport = cast(asyncio.Transport, transport)
        # uvloop begins to read after this call, whatever is said in it.
        asyncio.get_running_loop().call_soon(self._hold)

    def _hold(self) -> None:
        if self.transport is not None and not self._served and not self.transport.is_closing():
            self._held = True
            self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        """Event loop: bytes came before reading stopped."""
        self._early += data

    def eof_received(self) -> bool:
        """Event loop: so did the end. The connection stays open."""
        self._ended = True
        return True

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
        self._served = True
        protocol = listener.occupy()
        transport.set_protocol(cast(asyncio.BaseProtocol, protocol))
        if self._held:
            transport.resume_reading()
        protocol.connection_made(transport)
        if self._early and not transport.is_closing():
            protocol.data_received(self._early)
        if self._ended and not transport.is_closing() and not protocol.eof_received():
            transport.close()


class Listener:
    """One listening socket on the event loop.

    Attributes:
        sock: the socket. It stays open while paused, so that the kernel goes on queueing.
        gates: the limits that apply, the nearest first.
        shared: somebody else listens to the same socket (`fd@`).
    """

    def __init__(
        self,
        sock: socket.socket,
        serve: ServeFactory,
        gates: tuple[Gate, ...] = (),
        *,
        backlog: int,
        shared: bool = False,
    ) -> None:
        self.sock = sock
        self._shared = shared
        self.gates = gates
        self._serve = serve
        self._backlog = backlog
        self._door: _UvloopDoor | _PlainDoor | None = None
        self._waiting = 0
        self._paused = False
        self._closed = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to take connections."""
        if self._door is not None or self._closed:
            return
        loop = asyncio.get_running_loop()
        kind = _UvloopDoor if type(loop).__module__.startswith("uvloop") else _PlainDoor
        self._door = kind(loop, self.sock, self._accepted)
        await self._door.open(self._backlog)

    def pause(self) -> None:
        """Stop listening until `resume`; established connections go on.

        A TCP port is then free for a process that could not bind it otherwise, unless the socket is `shared`.
        """
        if self._paused or self._closed:
            return
        self._paused = True
        self._suspend()
        if not self._shared and self.sock.family != socket.AF_UNIX:
            self.sock.shutdown(socket.SHUT_RD)

    async def resume(self) -> None:
        """Undo `pause`.

        Raises:
            OSError: another process listens to the port now.
        """
        if not self._paused or self._closed:
            return
        self.sock.listen(self._backlog)
        self._paused = False
        await self.start()

    def close(self) -> None:
        """Stop listening for good."""
        if not self._closed:
            self._closed = True
            self._suspend()
            self.sock.close()

    def _suspend(self) -> None:
        if self._door is not None:
            self._door.close()
            self._door = None

    def _accepted(self) -> Receiver:
        for gate in self.gates:
            if gate.full:
                self._waiting += 1
                if self._waiting == _MANY_WAITING:
                    # Not from within the loop's own accept call, which still needs the server.
                    asyncio.get_running_loop().call_soon(self._suspend_if_crowded)
                return _Waiting(self, gate)
        return self.occupy()

    def occupy(self) -> Receiver:
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
        if self._waiting <= _FEW_WAITING and self._door is None and not self._paused and not self._closed:
            task = asyncio.get_running_loop().create_task(self.start())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


class _UvloopDoor:
    """Accepting as uvloop does it, within libuv: much the cheapest way there."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, make: Callable[[], Receiver]) -> None:
        # A duplicate of its own: closing the server leaves ours, and with it the kernel's queue.
        self._sock = sock.dup()
        self._loop = loop
        self._make: Callable[[], Any] = make
        self._server: asyncio.Server | None = None
        self._closed = False

    async def open(self, backlog: int) -> None:
        """Begin."""
        if self._sock.family == socket.AF_UNIX:
            self._server = await self._loop.create_unix_server(
                self._make, sock=self._sock, backlog=backlog, **_KEEP_PATH
            )
        else:
            self._server = await self._loop.create_server(self._make, sock=self._sock, backlog=backlog)
        if self._closed:
            self._server.close()

    def close(self) -> None:
        """End."""
        self._closed = True
        if self._server is not None:
            self._server.close()


class _PlainDoor:
    """Accepting on asyncio's own loop, whose servers lose what they have just accepted when they are closed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, make: Callable[[], Receiver]) -> None:
        self._loop = loop
        self._sock = sock
        self._make: Callable[[], Any] = make
        self._tasks: set[asyncio.Task[Any]] = set()
        self._retry: asyncio.TimerHandle | None = None

    async def open(self, _backlog: int) -> None:
        """Begin."""
        self._watch()

    def close(self) -> None:
        """End."""
        if self._retry is not None:
            self._retry.cancel()
        self._loop.remove_reader(self._sock.fileno())

    def _watch(self) -> None:
        self._loop.add_reader(self._sock.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(_ACCEPTS_A_TURN):
            try:
                conn, _address = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                # Out of descriptors or memory: those who wait stay in the kernel's queue for a moment.
                self._loop.remove_reader(self._sock.fileno())
                self._retry = self._loop.call_later(_RETRY_AFTER, self._watch)
                return
            conn.setblocking(False)
            task = self._loop.create_task(self._loop.connect_accepted_socket(self._make, conn))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

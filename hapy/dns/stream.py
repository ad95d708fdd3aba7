"""DNS over TCP (RFC 1035 4.2.2, RFC 7766): questions pipelined on few connections, each message behind its length."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio

from hapy.net.clock import now
from hapy.net.connect import ConnectFailed
from hapy.net.stream import Stream

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

#: Questions under way on one connection. Idle connections end after so many seconds; so do attempts to connect.
PIPELINED = 4
IDLE = 5.0
#: Nothing more is asked on a connection this old: a name server with a process for each (dnsmasq) would
#: answer for ever what it knew when it was opened.
OLDEST = 5.0
CONNECT = 5.0
#: Nothing more is asked on a connection where nothing has come for so long though something is to come.
STALLED = 1.0

#: Questions that wait for a connection; what comes beyond is dropped, and asked again by its timer.
MOST_WAITING = 4096

Dial = Callable[[Callable[[], "DnsStream"]], Awaitable["DnsStream"]]


class DnsStream(Stream):
    """One connection to a name server.

    Attributes:
        asked: questions without an answer yet. opened, heard: when it was made, and when something came or the first of
            these questions was asked, on the clock of `hapy.net.clock`.
    """

    __slots__ = ("_buffer", "_owner", "asked", "heard", "opened")

    def __init__(self, owner: DnsStreams) -> None:
        super().__init__()
        self._owner = owner
        self._buffer = b""
        self.asked = 0
        self.opened = self.heard = now()

    @property
    def takes(self) -> bool:
        """Another question may go out on it."""
        moment = now()
        if self.closed or self.asked >= PIPELINED or moment - self.opened >= OLDEST:
            return False
        return not self.asked or moment - self.heard < STALLED

    def ask(self, question: bytes) -> None:
        """Send a question."""
        if not self.asked:
            self.heard = now()
            self.expire_after(IDLE)
        self.asked += 1
        self.transport.write(struct.pack("!H", len(question)) + question)

    def data_received(self, data: bytes) -> None:
        """Event loop: bytes have come."""
        self.heard = now()
        data = self._buffer + data
        while len(data) >= 2:
            size = struct.unpack_from("!H", data)[0]
            if len(data) < 2 + size:
                break
            message, data = data[2 : 2 + size], data[2 + size :]
            self.asked = max(self.asked - 1, 0)
            self.expire_after(IDLE)
            self._owner.on_data(message)
        self._buffer = data
        self._owner.go_on()

    def on_deadline(self) -> None:
        """Nothing has come for a while."""
        self.close()

    def on_lost(self, error: Exception | None) -> None:
        """The connection is gone; questions without an answer are asked again by their timers."""
        self._owner.lose(self)


class DnsStreams:
    """The connections to one name server.

    Attributes:
        on_data: called with each message that comes.
        on_failure: called when no connection could be made.
    """

    def __init__(self, dial: Dial, on_data: Callable[[bytes], None], on_failure: Callable[[], None], most: int) -> None:
        """Args:
        dial: opens a connection, or raises ConnectFailed.
        on_data: see the attributes.
        on_failure: see the attributes.
        most: connections at once, 0 for no limit.
        """
        self._dial = dial
        self.on_data = on_data
        self.on_failure = on_failure
        self._most = most
        self._open: list[DnsStream] = []
        self._opening = 0
        self._waiting: deque[bytes] = deque(maxlen=MOST_WAITING)
        self._group: TaskGroup | None = None

    def start(self, group: TaskGroup) -> None:
        """On the event loop, with the group that connecting runs in."""
        self._group = group

    def ask(self, question: bytes) -> None:
        """Send a question as soon as there is a connection for it."""
        self._waiting.append(question)
        self.go_on()

    def go_on(self) -> None:
        """Send what waits."""
        while self._waiting:
            stream = next((one for one in self._open if one.takes), None)
            if stream is None:
                break
            stream.ask(self._waiting.popleft())
        wanted = -(-len(self._waiting) // PIPELINED)
        while self._opening < wanted and (not self._most or self._fresh() + self._opening < self._most):
            assert self._group is not None
            self._opening += 1
            self._group.start_soon(self._connect)

    def close(self) -> None:
        """End all connections."""
        self._waiting.clear()
        for stream in tuple(self._open):
            stream.abort()

    def _fresh(self) -> int:
        return sum(1 for one in self._open if now() - one.opened < OLDEST)

    def lose(self, stream: DnsStream) -> None:
        """A connection is gone."""
        if stream in self._open:
            self._open.remove(stream)

    async def _connect(self) -> None:
        stream: DnsStream | None = None
        try:
            with anyio.move_on_after(CONNECT):
                stream = await self._dial(lambda: DnsStream(self))
        except ConnectFailed:
            stream = None
        finally:
            self._opening -= 1
        if stream is None or stream.closed:
            self._waiting.clear()
            self.on_failure()
            return
        self._open.append(stream)
        stream.expire_after(IDLE)
        self.go_on()

"""Requests that wait for a slot: on one server, or on a backend as a whole.

Rules:

- Lower priority class first (`set-priority-class`), then the earlier virtual time: that of entering, moved by
  `set-priority-offset` milliseconds. Equal ones in the order in which they came.
- A ticket leaves its queue in the step that gives it a slot; the waiting coroutine only learns of it later. Whoever
  stops waiting after that must give the slot back, which `Ticket.wait` does.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from hapy.proxy.server import Server

_sequence = count()


class NoServer(Exception):  # noqa: N818 - an answer to give (503, SC), not a defect
    """No server of the backend takes requests."""


class QueueTimeout(Exception):  # noqa: N818 - the same (503, sQ)
    """No slot came free within `timeout queue`."""


class QueueFull(Exception):  # noqa: N818 - the same (503, SQ)
    """`maxqueue` requests wait for the only server that may take this one."""


class QueueAborted(Exception):  # noqa: N818 - the same (CQ)
    """The client went while its request waited."""


class Ticket:
    """One waiting request.

    Attributes:
        queue: where it waits, None once it has left.
        server: the server whose slot it was given; None with `event` set means: choose again (its server went down).
        ahead: how many were served from the queue while it waited, which logs show as its position.
    """

    __slots__ = ("aborted", "ahead", "entered", "event", "key", "queue", "server")

    def __init__(self, queue: Queue, priority_class: int, virtual_time: float) -> None:
        self.queue: Queue | None = queue
        self.key = (priority_class, virtual_time, next(_sequence))
        self.entered = queue.served
        self.ahead = 0
        self.server: Server | None = None
        self.aborted = False
        self.event = anyio.Event()

    def __lt__(self, other: Ticket) -> bool:
        return self.key < other.key

    def abort(self) -> None:
        """The client went: `wait` raises `QueueAborted`. Without effect when a slot was given already."""
        if self.queue is not None:
            self.queue.remove(self)
            self.aborted = True
            self.event.set()

    def leave(self) -> None:
        """Called by its queue as it lets the ticket go."""
        if self.queue is not None:
            self.ahead = self.queue.served - self.entered
            self.queue = None

    async def wait(self, deadline: float | None, give_back: Callable[[Server], None]) -> Server | None:
        """Wait for a slot; None means that another server must be chosen.

        Args:
            deadline: on the clock of the event loop, in seconds; None waits for ever.
            give_back: called with the server when the wait was cancelled after a slot had been given.

        Raises:
            QueueTimeout: the deadline passed.
            QueueAborted: `abort` was called.
        """
        try:
            with anyio.move_on_at(float("inf") if deadline is None else deadline):
                await self.event.wait()
        except BaseException:
            if self.queue is not None:
                self.queue.remove(self)
            elif self.server is not None:
                give_back(self.server)
            raise
        if self.queue is not None:
            self.queue.remove(self)
            raise QueueTimeout
        if self.aborted:
            raise QueueAborted
        return self.server


class Queue:
    """Tickets in the order in which they will be served.

    Attributes:
        served: tickets given a slot so far.
        longest: the most tickets that waited at once.
    """

    __slots__ = ("_heap", "_length", "longest", "served")

    def __init__(self) -> None:
        self._heap: list[Ticket] = []
        self._length = 0
        self.served = 0
        self.longest = 0

    def __len__(self) -> int:
        return self._length

    def enter(self, now: float, priority_class: int = 0, offset: int = 0) -> Ticket:
        """Let a request wait. `now` in seconds; `offset` in ms, positive to wait behind later ones."""
        ticket = Ticket(self, priority_class, now + offset / 1000)
        heapq.heappush(self._heap, ticket)
        self._length += 1
        self.longest = max(self.longest, self._length)
        return ticket

    def head(self) -> Ticket | None:
        """The ticket to be served next, or None."""
        heap = self._heap
        while heap and heap[0].queue is not self:
            heapq.heappop(heap)
        return heap[0] if heap else None

    def remove(self, ticket: Ticket) -> None:
        """The ticket waits no longer; removing it twice is an error of the caller."""
        ticket.leave()
        self._length -= 1
        if len(self._heap) > 2 * self._length + 16:  # what was removed from the middle still lies in the heap
            self._heap = [waiting for waiting in self._heap if waiting.queue is self]
            heapq.heapify(self._heap)

    def give(self, ticket: Ticket, server: Server | None) -> None:
        """Take the ticket out: with a server's slot, or (None) to choose another server."""
        self.remove(ticket)
        if server is not None:
            self.served += 1
        ticket.server = server
        ticket.event.set()

    def dissolve(self) -> None:
        """All of its tickets must choose another server."""
        while (ticket := self.head()) is not None:
            self.give(ticket, None)

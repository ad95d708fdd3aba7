"""Requests that wait for a slot: on one server, or on a backend as a whole.

Rules:

- Lower priority class first (`set-priority-class`), then the earlier virtual time: that of entering, moved by
  `set-priority-offset` milliseconds. Equal ones in the order in which they came.
- A ticket leaves its queue in the step that gives it a slot; its request only learns of it later. Whoever stops
  waiting, for whatever reason, calls `forfeit`, which gives back a slot that was given meanwhile.
- The position that logs show counts the tickets served from the queue while one waited, itself included.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

from hapy.net.clock import now

if TYPE_CHECKING:
    from hapy.proxy.server import Server

_sequence = count()


class NoServer(Exception):  # noqa: N818 - an answer to give (503, SC), not a defect
    """No server of the backend takes requests."""


class QueueTimeout(Exception):  # noqa: N818 - the same (503, sQ)
    """No slot came free within `timeout queue`."""


class QueueFull(Exception):  # noqa: N818 - the same (503, SQ)
    """`maxqueue` requests wait for the only server that may take this one."""


class Ticket:
    """One waiting request.

    Attributes:
        queue: where it waits, None once it has left.
        server: the server whose slot it was given, or None: when it has left its queue without, another server must be
            chosen, for its own went down.
        position: for the log, once it has left.
        on_ready: called when it has left its queue, but by `forfeit`.
        on_leave: called when it has left, however.
    """

    __slots__ = ("entered", "key", "on_leave", "on_ready", "position", "queue", "server")

    def __init__(self, queue: Queue, priority_class: int, virtual_time: float) -> None:
        self.queue: Queue | None = queue
        self.key = (priority_class, virtual_time, next(_sequence))
        self.entered = queue.served
        self.position = 0
        self.server: Server | None = None
        self.on_ready: Callable[[], None] | None = None
        self.on_leave: Callable[[Ticket], None] | None = None

    def __lt__(self, other: Ticket) -> bool:
        return self.key < other.key

    @property
    def waiting(self) -> bool:
        """It is still in its queue."""
        return self.queue is not None

    def forfeit(self) -> None:
        """Stop waiting: leave the queue, or give the slot back that came too late. May be called more than once."""
        server, self.server = self.server, None
        if self.queue is not None:
            self.on_ready = None  # it may lie in the heap for a while, its request must not
            self.queue.remove(self)
        elif server is not None:
            server.backend.release(server)


class Queue:
    """Tickets in the order in which they will be served.

    Attributes:
        served: tickets given a slot so far.
    """

    __slots__ = ("_heap", "_length", "served")

    def __init__(self) -> None:
        self._heap: list[Ticket] = []
        self._length = 0
        self.served = 0

    def __len__(self) -> int:
        return self._length

    def enter(self, priority_class: int = 0, offset: int = 0) -> Ticket:
        """Let a request wait.

        Args:
            priority_class: lower ones are served first.
            offset: milliseconds, positive to wait behind requests that come that much later.
        """
        ticket = Ticket(self, priority_class, now() + offset / 1000)
        heapq.heappush(self._heap, ticket)
        self._length += 1
        return ticket

    def head(self) -> Ticket | None:
        """The ticket to be served next, or None."""
        heap = self._heap
        while heap and heap[0].queue is not self:
            heapq.heappop(heap)
        return heap[0] if heap else None

    def remove(self, ticket: Ticket) -> None:
        """Take out a ticket that waits here."""
        ticket.position = self.served - ticket.entered + 1
        ticket.queue = None
        self._length -= 1
        if not self._length:
            self._heap.clear()
        elif len(self._heap) > 2 * self._length + 16:  # what was removed from the middle still lies in the heap
            self._heap = [waiting for waiting in self._heap if waiting.queue is self]
            heapq.heapify(self._heap)
        on_leave, ticket.on_leave = ticket.on_leave, None
        if on_leave is not None:
            on_leave(ticket)

    def give(self, ticket: Ticket, server: Server | None) -> None:
        """Take the ticket out: with a server's slot, or (None) to choose another server."""
        self.remove(ticket)
        if server is not None:
            self.served += 1
        ticket.server = server
        on_ready, ticket.on_ready = ticket.on_ready, None
        if on_ready is not None:
            on_ready()

    def dissolve(self) -> None:
        """All of its tickets must choose another server."""
        while (ticket := self.head()) is not None:
            self.give(ticket, None)

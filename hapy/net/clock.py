"""Time: one clock for intervals, and deadlines that cost a float comparison each.

Rules:
- `now()` is monotonic seconds; every time in `hapy.proxy.transaction` is on it.
- A watched object carries its own `deadline`. Moving it later is a plain attribute assignment and touches nothing else;
  only a deadline earlier than the moment it is next looked at needs `watch()`.
- Objects are looked at in coarse slots of time, never one timer each. A deadline is never early and at most one slot
  late.
"""

from __future__ import annotations

import asyncio
from heapq import heappop, heappush
from math import ceil
from time import monotonic as now
from time import time as wall
from typing import Protocol

__all__ = ["NEVER", "Watched", "now", "unwatch", "wall", "watch"]

#: The deadline of something that never expires.
NEVER = float("inf")

#: (distance up to which it holds, width of a slot), both in seconds.
_WIDTHS = ((2.0, 1 / 256), (64.0, 1 / 32), (NEVER, 1.0))


class Watched(Protocol):
    """What `watch` accepts.

    Attributes:
        deadline: when `on_deadline` is due, NEVER for not at all. Set freely, then call `watch` if it is < `looked_at`.
        looked_at: the slot in which the object is looked at next; NEVER while unwatched. Initially NEVER.
        slot: that slot's set; None while unwatched. Initially None.
    """

    deadline: float
    looked_at: float
    slot: set[Watched] | None

    def on_deadline(self) -> None:
        """Called once after the deadline has passed; the object is unwatched by then."""


class _Wheel:
    """The slots of one event loop."""

    __slots__ = ("_due", "_slots", "_timer", "_timer_due", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._slots: dict[float, set[Watched]] = {}
        self._due: list[float] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = NEVER

    def watch(self, item: Watched) -> None:
        if item.slot is not None:
            item.slot.discard(item)
        distance = item.deadline - now()
        width = next(width for limit, width in _WIDTHS if distance <= limit)
        due = ceil(item.deadline / width) * width
        slot = self._slots.get(due)
        if slot is None:
            slot = self._slots[due] = set()
            heappush(self._due, due)
            if due < self._timer_due:
                self._arm(due)
        slot.add(item)
        item.slot = slot
        item.looked_at = due

    def _arm(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        self._timer = self.loop.call_later(max(due - now(), 0.0) + 0.0005, self._turn)

    def _turn(self) -> None:
        self._timer = None
        self._timer_due = NEVER
        moment = now()
        while self._due and self._due[0] <= moment:
            slot = self._slots.pop(heappop(self._due))
            for item in tuple(slot):
                if item.slot is not slot:
                    continue  # moved or closed by what another item's deadline did
                item.slot = None
                item.looked_at = NEVER
                if item.deadline <= moment:
                    item.deadline = NEVER
                    item.on_deadline()
                elif item.deadline < NEVER:
                    self.watch(item)
        if self._due:
            self._arm(self._due[0])


_wheel: _Wheel | None = None


def watch(item: Watched) -> None:
    """See to it that the item is looked at when its deadline passes.

    Must be called from within the event loop.
    """
    global _wheel
    wheel = _wheel
    if wheel is None or not wheel.loop.is_running():
        wheel = _wheel = _Wheel(asyncio.get_running_loop())
    wheel.watch(item)


def unwatch(item: Watched) -> None:
    """Forget the item: it is closed and must not be kept alive by its deadline."""
    item.deadline = NEVER
    if item.slot is not None:
        item.slot.discard(item)
        item.slot = None
        item.looked_at = NEVER

"""How many checks begin in one turn of the event loop.

Checks that have become due together (after the machine stood still, or with many servers and a short `inter`) would
hold up every request for as long as it takes to begin them all. So a few begin at once, and the others in the turns
that follow, with whatever else is ready in between.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from hapy.net.routine import later

if TYPE_CHECKING:
    from hapy.checks.check import Check

#: Checks that begin in one turn of the event loop.
AT_ONCE: Final = 4


class Pace:
    """Lets checks begin, in the order in which they become due."""

    __slots__ = ("_due", "_left", "_scheduled")

    def __init__(self) -> None:
        self._due: deque[Check] = deque()
        self._left = AT_ONCE
        self._scheduled = False

    def begin(self, check: Check) -> None:
        """Have a check begin, now or in one of the next turns."""
        if not self._scheduled:
            self._scheduled = True
            later(self._turn)
        if self._left > 0:
            self._left -= 1
            check.begin_now()
        else:
            self._due.append(check)

    def forget(self) -> None:
        """Nothing that waits begins any more."""
        self._due.clear()

    def _turn(self) -> None:
        due = self._due
        self._left = AT_ONCE
        self._scheduled = bool(due)
        if due:
            later(self._turn)
        while due and self._left > 0:
            self._left -= 1
            due.popleft().begin_now()

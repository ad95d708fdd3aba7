"""Something that happens once, at its moment to the millisecond; the slots of `hapy.net.clock` are too coarse for it.

Each alarm has a timer of the event loop's own, so this is for what happens rarely, not for each request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

#: The event loop may round down by as much.
_ROUNDED: Final = 0.0005


class Alarm:
    """Calls back once after it has been set; setting it anew takes the place of what was."""

    __slots__ = ("_callback", "_timer")

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float) -> None:
        """Call back after so many seconds. Must be called from within the event loop."""
        self.clear()
        self._timer = asyncio.get_running_loop().call_later(seconds + _ROUNDED, self._callback)

    def clear(self) -> None:
        """Don't call back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

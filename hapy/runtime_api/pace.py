"""How busy the process is: the part of the time without work, and the bytes sent in a second, for `show info`.

Nothing is measured until somebody asks: an answer is of the time since the last measurement, which was a second ago at
least, at first of all the time since the start.
"""

from __future__ import annotations

from time import process_time

from hapy.net.clock import now

_PERIOD = 1.0


class Pace:
    """What is measured.

    Attributes:
        idle: percentage of the time in which the process had nothing to do. rate: bytes sent in a second.
    """

    __slots__ = ("_bytes", "_cpu", "_moment", "idle", "rate")

    def __init__(self) -> None:
        self._moment, self._cpu, self._bytes = now(), process_time(), 0
        self.idle = 100
        self.rate = 0

    def look(self, sent: int) -> None:
        """Measure if it is time to.

        Args:
            sent: bytes sent so far.
        """
        moment, cpu = now(), process_time()
        passed = moment - self._moment
        if passed < _PERIOD:
            return
        self.idle = round(100 * max(0.0, 1 - (cpu - self._cpu) / passed))
        self.rate = round((sent - self._bytes) / passed)
        self._moment, self._cpu, self._bytes = moment, cpu, sent

"""The process's sockets, as the two fd ratios see them (`tune.pool-high-fd-ratio`, `tune.pool-low-fd-ratio`)."""

from __future__ import annotations


class FdBudget:
    """How many sockets are open, and from which number on idle connections are kept no more.

    Attributes:
        used: open sockets of this worker, those of clients and of HTTP servers. Who opens or closes one counts it here.
        high: from here on no connection is kept idle, and each new connection closes an idle one.
        low: from here on a pool keeps one idle connection, no more.
    """

    __slots__ = ("high", "low", "used")

    def __init__(self, limit: int, high_ratio: int = 25, low_ratio: int = 20) -> None:
        """Args:
        limit: the process's descriptors at most.
        high_ratio: `tune.pool-high-fd-ratio`, percent.
        low_ratio: `tune.pool-low-fd-ratio`, percent.
        """
        self.used = 0
        self.high = limit * high_ratio // 100
        self.low = limit * low_ratio // 100


def unlimited() -> FdBudget:
    """A budget that never runs out."""
    return FdBudget(1 << 40)

"""Bounded load (`hash-balance-factor`): no server serves much more than its share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hapy.proxy.server import Server


class LoadBound:
    """Who serves enough.

    With F percent, all servers together get ceil((requests in service + 1) * F/100) slots. These are laid out in the
    file's order over the servers' weights; a server has the whole slots that end on its stretch, at least one.
    """

    __slots__ = ("_factor", "_stretches", "_total")

    def __init__(self, factor: int) -> None:
        """`factor`: percent, 0 for no bound."""
        self._factor = factor
        self._stretches: dict[Server, tuple[int, int]] = {}
        self._total = 0

    def __bool__(self) -> bool:
        return self._factor > 0

    def update(self, servers: Sequence[Server]) -> None:
        """Servers came, went, or changed weight."""
        ends = list(accumulate((server.weight for server in servers), initial=0))
        self._total = ends[-1]
        self._stretches = dict(zip(servers, pairwise(ends), strict=True))

    def reached(self, server: Server) -> bool:
        """Whether the server serves as much as it may."""
        if not self._factor:
            return False
        slots = ((sum(other.current for other in server.backend.servers) + 1) * self._factor + 99) // 100
        start, end = self._stretches[server]
        return server.current >= max(1, end * slots // self._total - start * slots // self._total)

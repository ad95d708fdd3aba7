"""Bounded load (`hash-balance-factor`): no server serves much more than its share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hapy.proxy.server import Server


class LoadBound:
    """Who serves enough.

    With F percent, all servers together get ceil((requests in service + 1) * F/100) slots. These are laid out in the
    file's order over the servers' weights; a server has the whole slots that end on its stretch, at least one. As in
    HAProxy, stretches begin for ever where they began at start: only their lengths change later.
    """

    __slots__ = ("_factor", "_starts", "_total")

    def __init__(self, factor: int) -> None:
        """`factor`: percent, 0 for no bound."""
        self._factor = factor
        self._starts: dict[Server, int] = {}
        self._total = 0

    def __bool__(self) -> bool:
        return self._factor > 0

    def update(self, servers: Sequence[Server]) -> None:
        """Servers came, went, or changed weight."""
        ends = list(accumulate(server.weight for server in servers))
        self._total = ends[-1] if ends else 0
        if not self._starts:
            self._starts = {server: end - server.weight for server, end in zip(servers, ends, strict=True)}

    def reached(self, server: Server) -> bool:
        """Whether the server serves as much as it may."""
        if not self._factor:
            return False
        slots = ((sum(other.current for other in server.backend.servers) + 1) * self._factor + 99) // 100
        start = self._starts.get(server, 0)
        end = start + server.weight
        return server.current >= max(1, end * slots // self._total - start * slots // self._total)

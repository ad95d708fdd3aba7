"""`balance random(n)`: the least loaded of n servers drawn by weight."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from hapy.balance.base import Balancer
from hapy.balance.bounded import LoadBound

if TYPE_CHECKING:
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Transaction


class RandomDraws(Balancer):
    """Draws by weight. HAProxy draws points of its consistent ring: on average the same, but less even."""

    def __init__(self, draws: int = 2, factor: int = 0, number: Callable[[], float] = random.random) -> None:
        """Args:
        draws: servers drawn for each request.
        factor: `hash-balance-factor`, percent; 0 for none.
        number: gives numbers from 0 up to 1.
        """
        self._draws = draws
        self._bound = LoadBound(factor)
        self._number = number
        self._servers: Sequence[Server] = ()
        self._marks: list[int] = []

    def update(self, servers: Sequence[Server]) -> None:
        """Servers came, went, or changed weight."""
        self._servers = servers
        self._marks = list(accumulate(server.scaled for server in servers))
        self._bound.update(servers)

    def pick(self, txn: Transaction | None, avoid: Server | None) -> Server | None:  # noqa: ARG002 - plays no part
        """The best of the draws, or None when that one is full."""
        servers = self._servers
        marks = self._marks
        if not servers:
            return None
        total = marks[-1]
        best: Server | None = None
        for _ in range(self._draws):
            server = servers[bisect_right(marks, int(self._number() * total))]
            if server is avoid or self._bound.reached(server):
                server = self._another(server, avoid)
            if best is None or server.current * best.scaled < best.current * server.scaled:
                best = server
        return best if best is not None and best.has_room() else None

    def _another(self, server: Server, avoid: Server | None) -> Server:
        """In the place of a server that must not have been drawn: one of the rest, by weight as well."""
        others = [one for one in self._servers if one is not avoid and not self._bound.reached(one)]
        if not others:
            return server
        marks = list(accumulate(one.scaled for one in others))
        return others[bisect_right(marks, int(self._number() * marks[-1]))]

"""`balance static-rr`: round robin over a table made when servers come or go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hapy.balance.base import Balancer
from hapy.balance.servermap import ServerMap

if TYPE_CHECKING:
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Transaction


class StaticRoundRobin(Balancer):
    """Walks the table; full servers are stepped over."""

    one_table = True
    in_line = True

    def __init__(self) -> None:
        self._map = ServerMap()

    def update(self, servers: Sequence[Server]) -> None:
        """Make the table anew; the place in it stays."""
        self._map.update(servers)

    def pick(self, txn: Transaction | None, avoid: Server | None) -> Server | None:  # noqa: ARG002 - plays no part
        """The next in the table that has room."""
        return self._map.next(avoid)

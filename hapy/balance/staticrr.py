"""`balance static-rr`: round robin over a table made when servers come or go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hapy.balance.base import Balancer
from hapy.balance.servermap import server_map

if TYPE_CHECKING:
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Transaction


class StaticRoundRobin(Balancer):
    """Walks the table; full servers are stepped over."""

    def __init__(self) -> None:
        self._table: list[Server] = []
        self._index = 0

    def update(self, servers: Sequence[Server]) -> None:
        """Make the table anew; the place in it stays."""
        self._table = server_map(servers, servers[0].backend.servers) if servers else []

    def pick(self, txn: Transaction | None, avoid: Server | None) -> Server | None:  # noqa: ARG002 - plays no part
        """The next in the table that has room."""
        table = self._table
        size = len(table)
        index = self._index
        if index >= size:
            index = 0
        avoided = -1
        for place in (*range(index, size), *range(index)):
            server = table[place]
            if server.has_room():
                if server is not avoid:
                    self._index = place + 1
                    return server
                avoided = place
        if avoided < 0:
            return None
        self._index = avoided + 1
        return avoid

"""`balance first`: fill servers one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hapy.balance.base import Balancer

if TYPE_CHECKING:
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Transaction


class First(Balancer):
    """The server with the lowest id that has room; weights play no part."""

    in_line = True

    def __init__(self) -> None:
        self._servers: list[Server] = []

    def update(self, servers: Sequence[Server]) -> None:
        """Order them by id."""
        self._servers = sorted(servers, key=lambda server: server.model.number)

    def pick(self, txn: Transaction | None, avoid: Server | None) -> Server | None:  # noqa: ARG002 - plays no part
        """The first with room."""
        for server in self._servers:
            if server is not avoid and server.has_room():
                return server
        return avoid if avoid is not None and avoid in self._servers and avoid.has_room() else None

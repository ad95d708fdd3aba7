"""`balance roundrobin`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hapy.balance.base import Balancer

if TYPE_CHECKING:
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Transaction


class RoundRobin(Balancer):
    """Each server in turn."""

    def __init__(self) -> None:
        self._servers: Sequence[Server] = ()
        self._next = 0

    def update(self, servers: Sequence[Server]) -> None:
        """Start over."""
        self._servers = servers
        self._next = 0

    def pick(self, txn: Transaction | None, avoid: Server | None) -> Server | None:  # noqa: ARG002 - the request plays no part
        """The next one that has room."""
        servers = self._servers
        for _ in range(len(servers)):
            server = servers[self._next % len(servers)]
            self._next += 1
            if server is not avoid and server.has_room():
                return server
        return avoid if avoid is not None and avoid.has_room() else None

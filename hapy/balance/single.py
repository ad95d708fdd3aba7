"""The first backup server: without `option allbackups` it takes all requests once the others are gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hapy.balance.base import Balancer

if TYPE_CHECKING:
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Transaction


class FirstOnly(Balancer):
    """Always the first server. Requests wait for it, within its `maxqueue`, or with the backend, as many as come."""

    def __init__(self, *, waits_with_backend: bool = False) -> None:
        """Args:
        waits_with_backend: when the server is full, there is none.
        """
        self._server: Server | None = None
        self._waits_with_backend = waits_with_backend

    def update(self, servers: Sequence[Server]) -> None:
        """Servers came or went."""
        self._server = servers[0] if servers else None

    def pick(self, txn: Transaction | None, avoid: Server | None) -> Server | None:  # noqa: ARG002 - there is no choice
        """The first."""
        server = self._server
        if self._waits_with_backend and server is not None and not server.has_room():
            return None
        return server

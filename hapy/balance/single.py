"""The first backup server: without `option allbackups` it takes all requests once the others are gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hapy.balance.base import Balancer

if TYPE_CHECKING:
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Transaction


class FirstOnly(Balancer):
    """Always the first server, full or not: requests then wait for it."""

    def __init__(self) -> None:
        self._server: Server | None = None

    def update(self, servers: Sequence[Server]) -> None:
        """Servers came or went."""
        self._server = servers[0] if servers else None

    def pick(self, txn: Transaction | None, avoid: Server | None) -> Server | None:  # noqa: ARG002 - there is no choice
        """The first."""
        return self._server

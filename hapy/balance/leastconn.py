"""`balance leastconn`: the server with the least load for its weight, in HAProxy's order.

Rules, as observed on 2.6.12:

- A server's load is what it serves and what waits for it alone, plus one, divided by its weight; 0 when it is idle,
  whatever it weighs. The division is one of integers: nearly equal loads are equal.
- Of equally loaded servers the one whose load or weight changed longest ago comes first. The load is looked at when a
  slot is taken or freed; a request that comes to wait counts from then on.
- A full server is skipped, unless `maxqueue` lets requests wait for it: then it takes them until its queue is full.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from hapy.balance.base import Balancer

if TYPE_CHECKING:
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Transaction

_HEAVIEST = 256 * 16
_FEW = 16  # so many are compared faster than kept in order


class LeastConn(Balancer):
    """Servers ordered by load. Entries of the heap that a later one of the same server replaced don't count."""

    tracks_load = True

    def __init__(self) -> None:
        self._entries: dict[Server, tuple[int, int, Server]] = {}
        self._heap: list[tuple[int, int, Server]] = []
        self._weights: dict[Server, int] = {}
        self._sequence = 0
        self._few = True

    def update(self, servers: Sequence[Server]) -> None:
        """Servers came, went, or changed weight."""
        present = set(servers)
        self._few = len(servers) <= _FEW
        for server in [server for server in self._entries if server not in present]:
            del self._entries[server]
            del self._weights[server]
        for server in servers:
            if self._weights.get(server) != server.scaled:
                self._weights[server] = server.scaled
                self._enter(server, _key(server))
        self._rebuild()

    def _rebuild(self) -> None:
        self._heap = [] if self._few else sorted(self._entries.values())

    def pick(self, txn: Transaction | None, avoid: Server | None) -> Server | None:  # noqa: ARG002 - plays no part
        """The least loaded one that has room, or that may let the request wait."""
        entries = self._entries
        if not entries:
            return None
        server = min(entries.values())[2] if self._few else self._first()
        if server is not avoid and (not server.maxconn or server.has_room()):
            return server
        for _, _, server in sorted(entries.values(), key=_order):
            if server is not avoid and _takes(server):
                return server
        return avoid if avoid is not None and avoid in entries and _takes(avoid) else None

    def _first(self) -> Server:
        heap = self._heap
        while True:
            _, sequence, server = heap[0]
            known = self._entries.get(server)
            if known is not None and known[1] == sequence:
                return server
            heappop(heap)

    def load_changed(self, server: Server) -> None:
        """Put the server where it belongs now."""
        known = self._entries.get(server)
        if known is None:
            return
        key = _key(server)
        if known[0] != key:
            self._enter(server, key)

    def _enter(self, server: Server, key: int) -> None:
        self._sequence = sequence = self._sequence + 1
        self._entries[server] = entry = (key, sequence, server)
        if not self._few:
            heappush(self._heap, entry)
            if len(self._heap) > 4 * len(self._entries) + 64:
                self._rebuild()


def _key(server: Server) -> int:
    load = server.current + len(server.queue) if server.maxconn else server.current
    return (load + 1) * _HEAVIEST // server.scaled if load else 0


def _order(entry: tuple[int, int, Server]) -> tuple[int, int]:
    return entry[:2]


def _takes(server: Server) -> bool:
    return not server.maxconn or server.current + len(server.queue) < server.limit() + server.maxqueue

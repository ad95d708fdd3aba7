"""The static table of servers behind `static-rr` and `hash-type map-based`: each server as often as its weight says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from math import gcd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hapy.proxy.server import Server


def server_map(servers: Sequence[Server], every: Sequence[Server]) -> list[Server]:
    """The table, in HAProxy's order.

    For each place every server scores its weight; the place goes to the first with the highest score in whole multiples
    of the total, and costs it the total. Weights count in units of the greatest divisor that they have in common.

    Args:
        servers: those in use.
        every: all servers of the backend, whose weights are reduced together.
    """
    if not servers:
        return []
    unit = gcd(*(server.weight for server in every)) or 1
    weights = [server.weight // unit for server in servers]
    total = sum(weights)
    scores = [0] * len(servers)
    table: list[Server] = []
    for _ in range(total):
        best = -1
        highest = 0
        for index, weight in enumerate(weights):
            scores[index] = score = scores[index] + weight
            score = (score + total) // total
            if best < 0 or score > highest:
                highest = score
                best = index
        scores[best] -= total
        table.append(servers[best])
    return table


class ServerMap:
    """The table, looked up by hash, or walked in turn."""

    __slots__ = ("_index", "_table")

    def __init__(self) -> None:
        self._table: list[Server] = []
        self._index = 0

    def update(self, servers: Sequence[Server]) -> None:
        """Make the table anew; the place in it stays."""
        self._table = server_map(servers, servers[0].backend.servers) if servers else []

    def find(self, value: int, avoid: Server | None) -> Server | None:  # noqa: ARG002 - the table has one answer
        """The server that this hash stands for."""
        table = self._table
        return table[value % len(table)] if table else None

    def following(self, value: int) -> Iterator[Server]:
        """All entries, from the one that this hash stands for."""
        table = self._table
        index = value % len(table) if table else 0
        return chain(table[index:], table[:index])

    def next(self, avoid: Server | None) -> Server | None:
        """The next in the table that has room."""
        table = self._table
        size = len(table)
        index = self._index
        if index >= size:
            index = 0
        avoided = -1
        for place in chain(range(index, size), range(index)):
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

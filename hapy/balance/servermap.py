"""The static table of servers behind `static-rr` and `hash-type map-based`: each server as often as its weight says."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hapy.proxy.server import Server


def server_map(servers: Sequence[Server], every: Sequence[Server]) -> list[Server]:
    """The table, in HAProxy's order.

    For each place every server scores its weight; the place goes to the first with the highest score in whole multiples of
    the total, and costs it the total. Weights count in units of the greatest divisor that they have in common.

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

"""The ring behind `hash-type consistent` and `balance random`: many points for each server, the nearest one wins.

Rules, as observed on 2.6.12:

- A server has 16 points per unit of weight. Point n of it stands at avalanche(id * 4096 + n), so the points depend on
  nothing but the server's id.
- A hash goes to the nearest point, before or after it, around the ring.
- A server that has reached its load bound (`hash-balance-factor`) is passed over for the next point.
- Requests without a key go from point to point; when the server whose point came last goes, the
  next point that stays counts as the last.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from hapy.balance.bounded import LoadBound
from hapy.samples import hashes

if TYPE_CHECKING:
    from hapy.proxy.server import Server

_SCALE = 16
_POINTS = 256 * _SCALE  # the most that one server can have
_M32 = 0xFFFFFFFF


class Ring:
    """The points of the servers in use."""

    __slots__ = ("_bound", "_known", "_last", "_owners", "_points", "_servers", "_stale")

    def __init__(self, factor: int = 0) -> None:
        """`factor`: that of `hash-balance-factor`, percent; 0 for none."""
        self._bound = LoadBound(factor)
        self._servers: Sequence[Server] = ()
        self._points: list[int] = []
        self._owners: list[Server] = []
        self._known: dict[tuple[int, int], list[int]] = {}
        self._last = -1  # where the point stands that `next` gave last
        self._stale = False

    def update(self, servers: Sequence[Server]) -> None:
        """Servers came, went, changed weight or address."""
        self._servers = servers
        self._bound.update(servers)
        self._stale = True
        if self._last >= 0:
            self._build()  # the place moves on now, before other servers come

    def _build(self) -> None:
        """Set the points. Left until the first look: large weights have many."""
        self._stale = False
        known: dict[tuple[int, int], list[int]] = {}
        points: list[tuple[int, int]] = []
        for index, server in enumerate(self._servers):
            base = _base(server)
            count = server.scaled
            mine = self._known.get((base, count))
            if mine is None:
                mine = [hashes.avalanche((base + number) & _M32) for number in range(count)]
            known[base, count] = mine
            points += [(point, index) for point in mine]
        points.sort()
        self._known = known
        self._points = [point for point, _ in points]
        self._owners = [self._servers[index] for _, index in points]
        if self._last >= 0:
            place = bisect_left(self._points, self._last)
            self._last = self._points[place] if place < len(points) else -1

    def _nearest(self, value: int) -> int:
        points = self._points
        after = bisect_left(points, value)
        if after == len(points):
            after = 0
        if (points[after] - value) & _M32 < (value - points[after - 1]) & _M32:
            return after
        return after - 1 if after else len(points) - 1

    def find(self, value: int, avoid: Server | None) -> Server | None:
        """The server for a hash: the nearest that isn't to be avoided and isn't overloaded."""
        if self._stale:
            self._build()
        owners = self._owners
        if not owners:
            return None
        index = self._nearest(value)
        server = owners[index]
        if not self._bound and server is not avoid:
            return server
        for other in chain(owners[index:], owners[:index]):
            if other is not avoid and not self._bound.reached(other):
                return other
        return server

    def following(self, value: int) -> Iterator[Server]:
        """The owners of all points, from the one nearest to the hash."""
        if self._stale:
            self._build()
        index = self._nearest(value) if self._owners else 0
        return chain(self._owners[index:], self._owners[:index])

    def next(self, avoid: Server | None) -> Server | None:
        """The owner of the next point that has room, for requests without a key."""
        if self._stale:
            self._build()
        owners = self._owners
        size = len(owners)
        start = bisect_right(self._points, self._last)
        avoided = -1
        for place in chain(range(start, size), range(start)):
            server = owners[place]
            if server.has_room():
                if server is not avoid:
                    self._last = self._points[place]
                    return server
                if avoided < 0:
                    avoided = place
        if avoided < 0:
            return None
        self._last = self._points[avoided]
        return avoid


def _base(server: Server) -> int:
    """Where a server's points start from (`hash-key`)."""
    option = server.model.options.get("hash-key")
    kind = option[0] if option else "id"
    number = server.model.number
    address = server.address
    if kind == "id32":
        return number & _M32
    if kind == "guid" and (guid := server.model.options.get("guid")):
        return hashes.xxh32(guid[0].encode())
    if kind in {"addr", "addr-port"} and address.family in {"ipv4", "ipv6"}:
        packed = ipaddress.ip_address(address.host).packed
        if kind == "addr-port":
            packed += (address.port or 0).to_bytes(2, "big")
        return hashes.xxh32(packed)
    return number * _POINTS & _M32

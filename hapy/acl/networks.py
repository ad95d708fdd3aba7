"""Addresses and networks as ACLs and maps compare them (configuration manual, 7.1.6).

One dictionary per mask, finest first: a look-up costs one dictionary access per mask in use, however many
networks there are.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from typing import Generic, TypeVar

from hapy.samples.environment import CompileError
from hapy_config.grammar.patterns import Network, network

T = TypeVar("T")


def parse_network(text: str, *, resolve: bool) -> Network:
    """A pattern as a network; a host name stands for its first IPv4 address when names are allowed.

    Raises:
        CompileError: when it is neither an address nor a network.
    """
    found = network(text)
    if found is None and resolve:
        host, slash, mask = text.partition("/")
        try:
            answers = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            answers = []
        if answers:
            found = network(f"{answers[0][4][0]}{slash}{mask}")
    if found is None:
        raise CompileError(f"'{text}' is not a valid IPv4 or IPv6 address")
    return found


def embedded_ipv4(number: int) -> int | None:
    """The IPv4 address inside an IPv6 one: `::ffff:a.b.c.d`, `::a.b.c.d` or 6to4; None for the others."""
    high = number >> 32
    if high in (0xFFFF, 0):
        return number & 0xFFFFFFFF
    return number >> 80 & 0xFFFFFFFF if number >> 112 == 0x2002 else None


def _finest_first(tables: dict[int, dict[int, T]]) -> tuple[tuple[int, dict[int, T]], ...]:
    """The tables with their masks, those with the most bits first."""
    return tuple((mask, tables[mask]) for mask in sorted(tables, key=int.bit_count, reverse=True))


class AddressMap(Generic[T]):
    """Values by network; the finest network that holds an address wins, of equal ones the first."""

    __slots__ = ("_v4", "_v6")

    def __init__(self, entries: Iterable[tuple[str, T]], *, resolve: bool) -> None:
        """Args:
        entries: networks as written, and what belongs to them.
        resolve: whether a host name may stand for an IPv4 address.

        Raises:
            CompileError: for a key that is no address.
        """
        tables: dict[int, dict[int, dict[int, T]]] = {4: {}, 6: {}}
        for text, found in entries:
            key = parse_network(text, resolve=resolve)
            tables[key.version].setdefault(key.mask, {}).setdefault(key.address, found)
        self._v4 = _finest_first(tables[4])
        self._v6 = _finest_first(tables[6])

    def find(self, address: IPv4Address | IPv6Address) -> T | None:
        """What belongs to the finest network around an address, IPv4 inside IPv6 and the other way round included."""
        number = int(address)
        if address.version == 4:
            for mask, table in self._v4:
                found = table.get(number & mask)
                if found is not None:
                    return found
            if not self._v6:
                return None
            number |= 0xFFFF00000000
        for mask, table in self._v6:
            found = table.get(number & mask)
            if found is not None:
                return found
        if address.version == 6 and self._v4:
            inner = embedded_ipv4(number)
            if inner is not None:
                for mask, table in self._v4:
                    found = table.get(inner & mask)
                    if found is not None:
                        return found
        return None

"""Addresses and networks as ACLs and maps compare them (configuration manual, 7.1.6).

One dictionary per prefix length, finest first: a look-up costs one dictionary access per length in use, however many
networks there are.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from typing import Generic, TypeVar

from hapy.samples.environment import CompileError

T = TypeVar("T")


def _prefix_length(text: str, bits: int) -> int:
    """The length of a mask given in bits or, for IPv4, in dotted form.

    Raises:
        ValueError: when it is no mask.
    """
    if text.isdigit():
        length = int(text)
        if length > bits:
            raise ValueError(text)
        return length
    mask = int.from_bytes(socket.inet_aton(text), "big")
    length = mask.bit_count()
    if bits != 32 or mask != (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF:
        raise ValueError(text)
    return length


def parse_network(text: str, *, resolve: bool) -> tuple[int, int, int]:
    """A pattern as (version, prefix length, the network's leading bits). IPv4 may be abbreviated (`10.12/8`).

    Args:
        text: as written.
        resolve: whether a host name may stand for an IPv4 address.

    Raises:
        CompileError: when it is neither an address nor a network.
    """
    host, slash, mask = text.partition("/")
    try:
        if ":" in host:
            number, bits, version = int(IPv6Address(host)), 128, 6
        else:
            number, bits, version = int.from_bytes(_ipv4(host, resolve=resolve), "big"), 32, 4
        length = _prefix_length(mask, bits) if slash else bits
    except (OSError, ValueError):
        raise CompileError(f"'{text}' is not a valid IPv4 or IPv6 address") from None
    return version, length, number >> (bits - length)


def _ipv4(host: str, *, resolve: bool) -> bytes:
    if host and all(part.isdigit() for part in host.split(".")):
        return socket.inet_aton(host)
    if not resolve:
        raise ValueError(host)
    found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    return socket.inet_aton(str(found[0][4][0]))


def embedded_ipv4(number: int) -> int | None:
    """The IPv4 address inside an IPv6 one: `::ffff:a.b.c.d`, `::a.b.c.d` or 6to4; None for the others."""
    high = number >> 32
    if high in (0xFFFF, 0):
        return number & 0xFFFFFFFF
    return number >> 80 & 0xFFFFFFFF if number >> 112 == 0x2002 else None


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
            version, length, prefix = parse_network(text, resolve=resolve)
            tables[version].setdefault(length, {}).setdefault(prefix, found)
        self._v4 = tuple((32 - length, tables[4][length]) for length in sorted(tables[4], reverse=True))
        self._v6 = tuple((128 - length, tables[6][length]) for length in sorted(tables[6], reverse=True))

    def find(self, address: IPv4Address | IPv6Address) -> T | None:
        """What belongs to the finest network around an address, IPv4 inside IPv6 and the other way round included."""
        number = int(address)
        if address.version == 4:
            for shift, table in self._v4:
                found = table.get(number >> shift)
                if found is not None:
                    return found
            if not self._v6:
                return None
            number |= 0xFFFF00000000
        for shift, table in self._v6:
            found = table.get(number >> shift)
            if found is not None:
                return found
        if address.version == 6 and self._v4:
            inner = embedded_ipv4(number)
            if inner is not None:
                for shift, table in self._v4:
                    found = table.get(inner >> shift)
                    if found is not None:
                        return found
        return None

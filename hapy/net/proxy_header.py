"""PROXY protocol headers, versions 1 and 2: bytes in, addresses out, and back. Sans-IO.

The specification is HAProxy's `proxy-protocol.txt`. Headers of UNIX streams, `UNKNOWN` and `LOCAL` leave a connection
its own addresses. As in HAProxy 2.6 other protocols, and words behind `UNKNOWN`, are refused.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
#: The longest line of version 1.
_LONGEST: Final = 107
_LINE: Final = re.compile(rb"PROXY (TCP4|TCP6) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) (\d{1,5}) (\d{1,5})")
_TCP4: Final = 0x11
_TCP6: Final = 0x21
_UNIX: Final = 0x31

ALPN: Final = 0x01
AUTHORITY: Final = 0x02
CRC32C: Final = 0x03
UNIQUE_ID: Final = 0x05
TLS: Final = 0x20
TLS_VERSION: Final = 0x21
TLS_CN: Final = 0x22
TLS_CIPHER: Final = 0x23
TLS_SIGNATURE: Final = 0x24
TLS_KEY: Final = 0x25


class BadHeader(ValueError):  # noqa: N818 - says what it is
    """The bytes are no PROXY header; the message is HAProxy's for the log."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says.

    Attributes:
        size: its bytes.
        family: AF_INET, AF_INET6 or AF_UNIX; None where the connection keeps its own addresses.
        source, destination: addresses as text. source_port, destination_port: their ports.
    """

    size: int
    family: int | None = None
    source: bytes = b""
    source_port: int = 0
    destination: bytes = b""
    destination_port: int = 0


def read_header(data: bytes | bytearray) -> Header | None:
    """The header that the bytes begin with; None while more of it is to come.

    Raises:
        BadHeader: they begin with something else.
    """
    data = bytes(data)
    if data[:12] == SIGNATURE[: len(data)]:
        return _read_binary(data) if len(data) >= 16 else None
    if data[:6] != b"PROXY "[: len(data)]:
        raise BadHeader("Received something which does not look like a PROXY protocol header")
    line, end, _ = data[:_LONGEST].partition(b"\r\n")
    if line.startswith(b"PROXY UNKNOWN") and len(line) > 14:
        raise BadHeader("Received an unhandled protocol in the PROXY protocol header")
    if not end:
        if len(data) >= _LONGEST or b"\n" in line:
            raise BadHeader("Received an invalid PROXY protocol header")
        return None
    size = len(line) + 2
    if line == b"PROXY UNKNOWN":
        return Header(size)
    found = _LINE.fullmatch(line)
    if found is None:
        if line.startswith((b"PROXY TCP4 ", b"PROXY TCP6 ")):
            raise BadHeader("Received an invalid PROXY protocol header")
        raise BadHeader("Received an unhandled protocol in the PROXY protocol header")
    kind, source, destination, *ports = found.groups()
    family = socket.AF_INET if kind == b"TCP4" else socket.AF_INET6
    try:
        addresses = [socket.inet_ntop(family, socket.inet_pton(family, a.decode())) for a in (source, destination)]
    except OSError:
        raise BadHeader("Received an invalid PROXY protocol header") from None
    numbers = [int(port) for port in ports]
    if max(numbers) > 65535:
        raise BadHeader("Received an invalid PROXY protocol header")
    return Header(size, family, addresses[0].encode(), numbers[0], addresses[1].encode(), numbers[1])


def _read_binary(data: bytes) -> Header | None:
    command, kind = data[12], data[13]
    length = int.from_bytes(data[14:16], "big")
    size = 16 + length
    if command >> 4 != 2:
        raise BadHeader("Received something which does not look like a PROXY protocol header")
    if len(data) < size:
        return None
    if command & 15 == 0:
        return Header(size)
    if command & 15 != 1:
        raise BadHeader("Received an invalid PROXY protocol header")
    body = data[16:size]
    if kind in (_TCP4, _TCP6):
        width = 4 if kind == _TCP4 else 16
        if length < 2 * width + 4:
            raise BadHeader("Received an invalid PROXY protocol header")
        family = socket.AF_INET if kind == _TCP4 else socket.AF_INET6
        source = socket.inet_ntop(family, body[:width]).encode()
        destination = socket.inet_ntop(family, body[width : 2 * width]).encode()
        ports = body[2 * width :]
        return Header(
            size, family, source, int.from_bytes(ports[:2], "big"), destination, int.from_bytes(ports[2:4], "big")
        )
    if kind == _UNIX:
        return Header(size)
    raise BadHeader("Received an invalid PROXY protocol header")


def line(source: bytes, source_port: int, destination: bytes, destination_port: int) -> bytes:
    """A header of version 1. Addresses that are no pair of one IP family give `UNKNOWN`."""
    kind = _kind(source, destination)
    if kind is None:
        return b"PROXY UNKNOWN\r\n"
    name = b"TCP4" if kind == _TCP4 else b"TCP6"
    return b"PROXY %b %b %b %d %d\r\n" % (name, source, destination, source_port, destination_port)


def binary(
    source: bytes, source_port: int, destination: bytes, destination_port: int, values: Iterable[tuple[int, bytes]] = ()
) -> bytes:
    """A header of version 2 with type-length-values; a `CRC32C` among them is computed, whatever its value."""
    kind = _kind(source, destination)
    if kind is None:
        head, addresses = b"\x21\x00", b""
    else:
        addresses = ipaddress.ip_address(source.decode()).packed + ipaddress.ip_address(destination.decode()).packed
        addresses += source_port.to_bytes(2, "big") + destination_port.to_bytes(2, "big")
        head = bytes((0x21, kind))
    body = bytearray(addresses)
    place = None
    for number, value in values:
        if number == CRC32C:
            place = 16 + len(body) + 3
            value = bytes(4)  # noqa: PLW2901 - the checksum counts as zero in itself
        body += tlv(number, value)
    header = bytearray(SIGNATURE + head + len(body).to_bytes(2, "big") + body)
    if place is not None:
        from hapy.samples.hashes import crc32c

        header[place : place + 4] = crc32c(bytes(header)).to_bytes(4, "big")
    return bytes(header)


def tlv(number: int, value: bytes) -> bytes:
    """One type-length-value."""
    return bytes((number,)) + len(value).to_bytes(2, "big") + value


def _kind(source: bytes, destination: bytes) -> int | None:
    try:
        versions = {ipaddress.ip_address(address.decode()).version for address in (source, destination)}
    except ValueError:
        return None
    return {frozenset({4}): _TCP4, frozenset({6}): _TCP6}.get(frozenset(versions))

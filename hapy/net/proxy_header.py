"""PROXY protocol headers, versions 1 and 2: bytes in, addresses out, and back. Sans-IO.

The specification is HAProxy's `proxy-protocol.txt`. `UNKNOWN` and `LOCAL` leave a connection its own addresses. As in
HAProxy 2.6 every other protocol (UNIX streams among them), and words behind `UNKNOWN`, are refused; of the values in a
binary header the checksum must be right, a host name has at most 255 bytes and a unique id at most 128.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
#: The longest line of version 1.
_LONGEST: Final = 107
#: Bytes before HAProxy looks at a line's protocol, and bytes of a binary header before its addresses: less that is none
#: counts as truncated.
_SHORTEST_KIND: Final = 9
_BINARY_HEAD: Final = 16
_Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"
_LINE: Final = re.compile(rb"PROXY (TCP4|TCP6) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) (\d{1,5}) (\d{1,5})")
_TCP4: Final = 0x11
_TCP6: Final = 0x21
#: The most bytes behind the first 16 of a binary header.
_MOST: Final = 65535

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
NETNS: Final = 0x30

#: The longest values that are taken.
_LONGEST_AUTHORITY: Final = 255
_LONGEST_ID: Final = 128
#: What stands before the values within the value that tells of TLS: flags and the result of verification.
_TLS_HEAD: Final = 5

TRUNCATED: Final = "Truncated PROXY protocol header received"
_INVALID: Final = "Received an invalid PROXY protocol header"
_UNHANDLED: Final = "Received an unhandled protocol in the PROXY protocol header"
_STRANGE: Final = "Received something which does not look like a PROXY protocol header"


class BadHeader(ValueError):  # noqa: N818 - says what it is
    """The bytes are no PROXY header; the message is HAProxy's for the log.

    Attributes:
        header: the addresses, where they could be read before the fault.
    """

    def __init__(self, message: str, header: Header | None = None) -> None:
        super().__init__(message)
        self.header = header


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says.

    Attributes:
        size: its bytes.
        family: AF_INET, AF_INET6 or AF_UNIX; None where the connection keeps its own addresses.
        source, destination: addresses as text. source_port, destination_port: their ports.
        tail: the type-length-values of a binary header; see `values`.
    """

    size: int
    family: int | None = None
    source: bytes = b""
    source_port: int = 0
    destination: bytes = b""
    destination_port: int = 0
    tail: bytes = b""


def values(tail: bytes) -> Iterator[tuple[int, bytes]]:
    """The (type, value) pairs in a header's `tail`, in order.

    Raises:
        BadHeader: one of them is cut short.
    """
    place = 0
    while place < len(tail):
        end = place + 3 + int.from_bytes(tail[place + 1 : place + 3], "big")
        if place + 3 > len(tail) or end > len(tail):
            raise BadHeader(_INVALID)
        yield tail[place], tail[place + 3 : end]
        place = end


def found(tail: bytes, number: int) -> list[bytes]:
    """The values of one type in a checked `tail`, also of those inside the value that tells of TLS."""
    matching = []
    for kind, value in values(tail):
        if kind == number:
            matching.append(value)
        elif kind == TLS and TLS < number <= TLS_KEY:
            try:
                matching.extend(inner for sort, inner in values(value[_TLS_HEAD:]) if sort == number)
            except BadHeader:
                continue  # what stands inside a value is its sender's business
    return matching


def read_header(data: bytes | bytearray) -> Header | None:
    """The header that the bytes begin with; None while more of it is to come.

    Raises:
        BadHeader: they begin with something else.
    """
    data = bytes(data)
    if data[:12] == SIGNATURE[: len(data)]:
        return _read_binary(data) if len(data) >= _BINARY_HEAD else None
    if data[:6] != b"PROXY "[: len(data)]:
        raise BadHeader(_STRANGE if len(data) >= _BINARY_HEAD else TRUNCATED)
    line, end, _ = data[:_LONGEST].partition(b"\r\n")
    if line.startswith(b"PROXY UNKNOWN") and len(line) > 14:
        raise BadHeader(_UNHANDLED)
    if not end:
        if len(data) >= _LONGEST or b"\n" in line:
            raise BadHeader(_INVALID)
        kind = data[6:]
        if all(kind[: len(known)] != known[: len(kind)] for known in (b"TCP4 ", b"TCP6 ", b"UNKNOWN")):
            raise BadHeader(_UNHANDLED if len(data) >= _SHORTEST_KIND else TRUNCATED)
        return None
    size = len(line) + 2
    if line == b"PROXY UNKNOWN":
        return Header(size)
    match = _LINE.fullmatch(line)
    if match is None:
        if line.startswith((b"PROXY TCP4 ", b"PROXY TCP6 ")):
            raise BadHeader(_INVALID)
        raise BadHeader(_UNHANDLED)
    kind, source, destination, *ports = match.groups()
    family = socket.AF_INET if kind == b"TCP4" else socket.AF_INET6
    try:
        addresses = [socket.inet_ntop(family, socket.inet_pton(family, a.decode())) for a in (source, destination)]
    except OSError:
        raise BadHeader(_INVALID) from None
    numbers = [int(port) for port in ports]
    if max(numbers) > 65535:
        raise BadHeader(_INVALID)
    return Header(size, family, addresses[0].encode(), numbers[0], addresses[1].encode(), numbers[1])


def _read_binary(data: bytes) -> Header | None:
    command, kind = data[12], data[13]
    length = int.from_bytes(data[14:16], "big")
    size = 16 + length
    if command >> 4 != 2:
        raise BadHeader(_STRANGE)
    if len(data) < size:
        return None
    if command & 15 == 0:
        return Header(size)
    if command & 15 != 1:
        raise BadHeader(_INVALID)
    if kind not in (_TCP4, _TCP6):
        raise BadHeader(_INVALID)
    width, family = (4, socket.AF_INET) if kind == _TCP4 else (16, socket.AF_INET6)
    end = 2 * width + 4
    if length < end:
        raise BadHeader(_INVALID)
    body = data[16:size]
    source = socket.inet_ntop(family, body[:width]).encode()
    destination = socket.inet_ntop(family, body[width : 2 * width]).encode()
    ports = [int.from_bytes(body[place : place + 2], "big") for place in (end - 4, end - 2)]
    header = Header(size, family, source, ports[0], destination, ports[1], body[end:])
    if len(body) > end:
        _check_values(data[:size], 16 + end, header)
    return header


def _check_values(data: bytes, begin: int, header: Header) -> None:
    """Look at the values of a header.

    Raises:
        BadHeader: one is cut short or too long, or the checksum is wrong.
    """
    place = begin
    try:
        for number, value in values(header.tail):
            place += 3
            if number == CRC32C:
                from hapy.samples.hashes import crc32c

                if value != crc32c(data[:place] + bytes(4) + data[place + 4 :]).to_bytes(4, "big"):
                    raise BadHeader(_INVALID)
            elif (number == AUTHORITY and len(value) > _LONGEST_AUTHORITY) or (
                number == UNIQUE_ID and len(value) > _LONGEST_ID
            ):
                raise BadHeader(_INVALID)
            place += len(value)
    except BadHeader as fault:
        raise BadHeader(str(fault), header) from None


def line(source: bytes, source_port: int, destination: bytes, destination_port: int) -> bytes:
    """A header of version 1. Of an IPv4 and an IPv6 address the former is mapped; other pairs give `UNKNOWN`."""
    pair = _pair(source, destination)
    if pair is None:
        return b"PROXY UNKNOWN\r\n"
    name = b"TCP4" if pair[0].version == 4 else b"TCP6"
    texts = [socket.inet_ntop(_FAMILIES[one.version], one.packed).encode() for one in pair]
    return b"PROXY %b %b %b %d %d\r\n" % (name, texts[0], texts[1], source_port, destination_port)


def binary(
    source: bytes, source_port: int, destination: bytes, destination_port: int, values: Iterable[tuple[int, bytes]] = ()
) -> bytes:
    """A header of version 2 with type-length-values; a `CRC32C` among them is computed, whatever its value.

    Addresses that are no pair of IP addresses give `LOCAL`. A value for which the header has no room is left out.
    """
    pair = _pair(source, destination)
    if pair is None:
        head, body = b"\x20\x00", bytearray()
    else:
        head = bytes((0x21, _TCP4 if pair[0].version == 4 else _TCP6))
        ports = source_port.to_bytes(2, "big") + destination_port.to_bytes(2, "big")
        body = bytearray(pair[0].packed + pair[1].packed + ports)
    place = None
    for number, value in values:
        if len(body) + 3 + len(value) > _MOST:
            continue
        if number == CRC32C:
            place = 16 + len(body) + 3
            body += tlv(number, bytes(4))  # the checksum counts as zero in itself
        else:
            body += tlv(number, value)
    header = bytearray(SIGNATURE + head + len(body).to_bytes(2, "big") + body)
    if place is not None:
        from hapy.samples.hashes import crc32c

        header[place : place + 4] = crc32c(bytes(header)).to_bytes(4, "big")
    return bytes(header)


def tlv(number: int, value: bytes) -> bytes:
    """One type-length-value."""
    return bytes((number,)) + len(value).to_bytes(2, "big") + value


_FAMILIES: Final = {4: socket.AF_INET, 6: socket.AF_INET6}


def _pair(source: bytes, destination: bytes) -> tuple[_Address, _Address] | None:
    """Both addresses in one family, None where one of them is no IP address."""
    try:
        pair = (ipaddress.ip_address(source.decode()), ipaddress.ip_address(destination.decode()))
    except ValueError:
        return None
    return pair if pair[0].version == pair[1].version else (_mapped(pair[0]), _mapped(pair[1]))


def _mapped(address: _Address) -> _Address:
    return ipaddress.IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed) if address.version == 4 else address

"""NetScaler's "client IP insertion" headers: bytes in, addresses out. Sans-IO.

Before the client's own bytes NetScaler sends a magic number that both sides have agreed on (4 bytes), a length (4
bytes) and copies of the IP and TCP headers of the client's connection. In the older form they follow at once, and the
length is theirs. In the newer form (NetScaler 10.5 and later) a type (2 bytes, the first of them 0) and the length of
the copies (2 bytes) stand before them, and the first length counts all of it.
"""

from __future__ import annotations

import socket
from typing import Final

from hapy.net.proxy_header import BadHeader, Header

#: What the words of the log for faults are (manual, `fc_err_str`).
_MAGIC: Final = "Received an invalid NetScaler Client IP magic number"
_UNHANDLED: Final = "Received an unhandled protocol in the NetScaler Client IP header"

#: Bytes from which the form can be told.
_HEAD: Final = 12
_TCP: Final = 6
_TCP_HEADER: Final = 20


def read_header(data: bytes | bytearray, magic: int) -> Header | None:
    """The header that the bytes begin with; None while more of it is to come.

    Args:
        data: what has come.
        magic: the number agreed on.

    Raises:
        BadHeader: they begin with something else.
    """
    if len(data) < _HEAD:
        return None
    if int.from_bytes(data[:4], "big") != magic:
        raise BadHeader(_MAGIC)
    if data[8] & 0xD0 == 0x40:  # the version of an IP header: 4 or 6
        begin, length = 8, int.from_bytes(data[4:8], "big")
    elif data[8] == 0:
        begin, length = 12, int.from_bytes(data[10:12], "big")
    else:
        raise BadHeader(_UNHANDLED)
    if len(data) < begin + length:
        return None
    return _addresses(bytes(data[begin:]), begin + length)


def _addresses(packet: bytes, size: int) -> Header | None:
    """What the copies of the IP and TCP headers say. Their lengths may disagree with the length that was announced."""
    version = packet[0] >> 4 if packet else 0
    if version == 4:
        smallest, proto, width, place, family = 20, 9, 4, 12, socket.AF_INET
        behind = (packet[0] & 15) * 4
    elif version == 6:
        smallest, proto, width, place, family = 40, 6, 16, 8, socket.AF_INET6
        behind = smallest
    elif packet:
        raise BadHeader(_UNHANDLED)
    else:
        return None
    if len(packet) < max(smallest, behind) + _TCP_HEADER:
        return None
    if packet[proto] != _TCP:
        raise BadHeader(_UNHANDLED)
    source = socket.inet_ntop(family, packet[place : place + width]).encode()
    destination = socket.inet_ntop(family, packet[place + width : place + 2 * width]).encode()
    ports = [int.from_bytes(packet[at : at + 2], "big") for at in (behind, behind + 2)]
    return Header(size, family, source, ports[0], destination, ports[1])

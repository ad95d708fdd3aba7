"""Headers of the PROXY protocol and of NetScaler whose lengths, checksums or ends are not what they should be."""

from __future__ import annotations

import struct

from compat.harness import World
from compat.scenarios.proxied import NETSCALER, REQUEST, SIGNATURE, TCP, V4, V6, _ip4, _ip6, _newer, _older, _value

LISTEN = """
frontend fe
    bind "fd@${fe}" %s
    timeout client 200ms
    log-format "answered"
    error-log-format "%%ci %%[fc_err] %%[fc_err_str]"
    http-request return status 200 content-type text/plain lf-string "%%[src]:%%[src_port] %%[fc_pp_authority]"
    http-after-response set-header connection close
"""
UNIX = b"/a".ljust(108, b"\0") * 2


def _crc32c(data: bytes) -> bytes:
    """The checksum by its definition, bit for bit (RFC 9260, appendix A)."""
    rest = 0xFFFFFFFF
    for byte in data:
        rest ^= byte
        for _ in range(8):
            rest = rest >> 1 ^ (0x82F63B78 if rest & 1 else 0)
    return (rest ^ 0xFFFFFFFF).to_bytes(4, "big")


def _v2(command: int, kind: int, body: bytes, length: int | None = None) -> bytes:
    return SIGNATURE + bytes((command, kind)) + struct.pack(">H", len(body) if length is None else length) + body


def _ask(world: World, data: bytes) -> None:
    """What becomes of a connection that begins so: the answer, or else the line in the log."""
    before = len(world.syslog.traffic())
    client = world.client()
    port = client.sock.getsockname()[1]
    client.send(data)
    message = client.receive()
    client.seen = []
    client.close()
    world.syslog.wait(before + 1, 5)
    line = world.syslog.traffic()[before:]
    world.note(f"{message.status} {message.body!r}".replace(str(port), "port") if message else str(line))


def checksums(world: World) -> None:
    """CRC32C: right, wrong, in the other order of bytes, too short and too long, twice, in every family."""
    world.start(LISTEN % "accept-proxy")
    for command, kind, addresses in ((0x21, 0x11, V4), (0x21, 0x21, V6), (0x21, 0x31, UNIX), (0x20, 0x11, V4)):
        for before in (b"", _value(2, b"a.test")):
            place = 16 + len(addresses + before) + 3
            for size in (4, 3, 5, 0):
                whole = _v2(command, kind, addresses + before + _value(3, bytes(size)) + _value(4, b"more"))
                right = _crc32c(whole)
                for value in (right, right[::-1], bytes((right[0] ^ 1, *right[1:]))) if size == 4 else (bytes(size),):
                    _ask(world, whole[:place] + value + whole[place + size :] + REQUEST)
            twice = _v2(command, kind, addresses + before + _value(3, bytes(4)) * 2)
            _ask(world, twice[:place] + _crc32c(twice) + twice[place + 4 :] + REQUEST)


def announced_lengths(world: World) -> None:
    """Version 2: lengths shorter and longer than addresses and values, and at the edge of what a buffer holds."""
    world.start(LISTEN % "accept-proxy")
    for command in (0x21, 0x20):
        for kind, addresses in ((0x11, V4), (0x21, V6), (0x31, UNIX), (0x00, b""), (0x12, V4)):
            body = addresses + _value(2, b"a.test")
            near = {len(addresses) + more for more in (-1, 0, 1, 3, 8, 9, 10)} | {0, 1, len(body) + len(REQUEST)}
            for length in sorted(near | {16368, 16369, 65535}):
                if length >= 0:
                    _ask(world, _v2(command, kind, body, length) + REQUEST)


def netscaler_lengths(world: World) -> None:
    """`accept-netscaler-cip`: lengths that don't fit the copies of headers, in both forms; headers that are cut."""
    world.start(LISTEN % f"accept-netscaler-cip {NETSCALER}")
    for packet in (_ip4() + TCP, _ip6() + TCP):
        size = len(packet)
        headers = [
            _older(packet, length=length) for length in (0, 1, 19, 20, 39, size - 1, size, size + 1, 200, 2**32 - 1)
        ]
        for whole in (0, size, 2**32 - 1):
            lengths = (0, 20, size - 1, size, size + 1, 65535)
            headers += [struct.pack(">IIHH", NETSCALER, whole, 0, length) + packet for length in lengths]
        headers += [_older(bytes((packet[0] & 0xF0 | words,)) + packet[1:]) for words in (0, 1, 4, 6, 7)]
        for header in headers:
            _ask(world, header + REQUEST)
        for copies in (_older(packet), _newer(packet)):
            for cut in (1, 8, 11, 12, 13, size - 1):
                _ask(world, copies[:cut])


def netscaler_almost_whole(world: World) -> None:
    """Of a header the last bytes don't come."""
    world.start(LISTEN % f"accept-netscaler-cip {NETSCALER}")
    for packet in (_ip4() + TCP, _ip6() + TCP):
        for copies in (_older(packet), _newer(packet)):
            _ask(world, copies[:-1])


def netscaler_in_pieces(world: World) -> None:
    """The header comes in two segments, also one whose announced length ends within the copies."""
    world.start(LISTEN % f"accept-netscaler-cip {NETSCALER}")
    for packet in (_ip4() + TCP, _ip6() + TCP):
        for header in (_older(packet), _newer(packet), _older(packet, length=30)):
            client = world.client()
            client.send(header[:40])
            client.ending(0.05)
            client.send(header[40:] + REQUEST)
            message = client.receive()
            client.seen = []
            world.note(f"{message.status} {message.body!r}" if message else "no answer")
            client.close()

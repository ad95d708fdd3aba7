"""Headers before a client's own bytes, on both event loops: in drops, at once, with the end right behind, and not at all."""

from __future__ import annotations

import asyncio
import struct

import pytest

from hapy.samples.hashes import crc32c
from tests.hapy.proxy.test_live import LOOPS, Live, head, hello, live

HEADER = b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 2000\r\n"
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
SHOWN = "http-request return status 200 content-type text/plain lf-string '%[src]:%[src_port] %[fc_rcvd_proxy]'"


async def _answer(world: Live, *pieces: bytes, ended: bool = False) -> str:
    reader, writer = await world.ask()
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)
    if ended:
        writer.write_eof()
    await head(reader)
    return (await reader.read()).decode()


@pytest.mark.parametrize("kind", LOOPS)
@pytest.mark.parametrize("ended", [False, True])
def test_a_header_comes_in_any_pieces(kind: str, ended: bool) -> None:
    async def body(world: Live) -> None:
        await world.start(hello, bind="accept-proxy", front=SHOWN)
        whole = HEADER + REQUEST
        for cut in (1, 7, len(HEADER) - 1, len(HEADER), len(HEADER) + 3, len(whole)):
            assert await _answer(world, whole[:cut], whole[cut:], ended=ended) == "192.0.2.1:1000 1"
        assert await _answer(world, *(whole[place : place + 1] for place in range(len(whole)))) == "192.0.2.1:1000 1"

    live(kind, body)


@pytest.mark.parametrize("kind", LOOPS)
def test_rules_say_who_sends_a_header(kind: str) -> None:
    async def body(world: Live) -> None:
        rule = "tcp-request connection expect-proxy layer4 if { src 127.0.0.2 }"
        await world.start(hello, front=f"{rule}\n    {SHOWN}")
        assert (await _answer(world, REQUEST)).endswith(" 0")
        reader, writer = await asyncio.open_connection(*world.address, local_addr=("127.0.0.2", 0))
        world.stack.callback(writer.close)
        writer.write(HEADER + REQUEST)
        await head(reader)
        assert await reader.read() == b"192.0.2.1:1000 1"

    live(kind, body)


@pytest.mark.parametrize("kind", LOOPS)
def test_one_that_waits_for_its_turn_may_have_said_everything(kind: str) -> None:
    """A connection without a slot yet: header, request and end are all there when its turn comes."""

    async def body(world: Live) -> None:
        await world.start(hello, bind="accept-proxy", front=f"maxconn 1\n    {SHOWN}")
        first, holding = await world.ask()
        holding.write(HEADER)
        waiting = asyncio.ensure_future(_answer(world, HEADER + REQUEST, ended=True))
        while world.runtime.frontends["fe"].gate.count < 1:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        holding.close()
        assert await waiting == "192.0.2.1:1000 1"
        assert await first.read() == b""

    live(kind, body)


def _values(header: bytes) -> list[tuple[int, bytes]]:
    """The type-length-values behind the addresses of a version 2 header over IPv4; a checksum is looked at."""
    assert header[12:14] == b"\x21\x11"
    values, place = [], 28
    while place < len(header):
        kind, length = struct.unpack_from(">BH", header, place)
        value = header[place + 3 : place + 3 + length]
        if kind == 3:
            assert int.from_bytes(value, "big") == crc32c(header[: place + 3] + bytes(4) + header[place + 7 :])
            value = b"right"
        values.append((kind, value))
        place += 3 + length
    return values


@pytest.mark.parametrize("kind", LOOPS)
def test_values_of_ones_own_in_the_header_to_a_server(kind: str) -> None:
    """`set-proxy-v2-tlv-fmt`: formats by type, forwarded values, longer than a line of the log; one connection each."""
    heads: list[list[tuple[int, bytes]]] = []

    async def origin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begin = await reader.readexactly(16)
        heads.append(_values(begin + await reader.readexactly(int.from_bytes(begin[14:], "big"))))
        await hello(reader, writer)

    async def body(world: Live) -> None:
        server = (
            "send-proxy-v2 proxy-v2-options crc32c,ssl set-proxy-v2-tlv-fmt(0xE1) %[fc_pp_tlv(0xE1)] "
            "set-proxy-v2-tlv-fmt(227) '%[src] %[hdr(x)]' set-proxy-v2-tlv-fmt(2) %[hdr(x),bytes(0,0)] "
            "set-proxy-v2-tlv-fmt(0xE2) <%[fc_pp_tlv(0xE2)]>"
        )
        await world.start(origin, bind="accept-proxy", server=server, back="http-reuse always")
        sent = b"\xe1\x00\x03abc\xe1\x00\x03def\xe2\x00\x06a\n%\xff\0c"
        addresses = bytes((192, 0, 2, 1, 192, 0, 2, 2)) + struct.pack(">HH", 1000, 2000)
        reader, writer = await world.ask()
        writer.write(b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack(">H", 12 + len(sent)) + addresses + sent)
        long = b"x" * 3000
        for value in (b"one", b"one", long):
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nX: %b\r\n\r\n" % value)
            await head(reader)
            await reader.readexactly(5)
        made = [
            [(3, b"right"), (0xE1, b"abc"), (227, b"192.0.2.1 " + x), (2, b""), (0xE2, b"<a\n%\xff>"), (0x20, bytes(5))]
            for x in (b"one", long)
        ]
        assert heads == made

    live(kind, body)

"""Headers before a client's own bytes, on both event loops: in drops, at once, with the end right behind, and not at all."""

from __future__ import annotations

import asyncio

import pytest

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

"""Clients of one request: closed at once where nothing more can come from them, drained otherwise, gone without a trace."""

from __future__ import annotations

import gc
from contextlib import closing
from typing import Any

import anyio
import pytest

from benchmarks.request import LAST_REQUEST, REQUEST, RESPONSE, CountingTransport, World

#: What the client sends, and whether the connection is closed at once.
CASES = {
    "says close": (LAST_REQUEST, True),
    "HTTP/1.0": (REQUEST.replace(b"HTTP/1.1", b"HTTP/1.0"), True),
    "stays": (REQUEST, False),
    "says close and goes on": (LAST_REQUEST + b"GET /more", False),
    "says close after a body": (
        LAST_REQUEST.replace(b"GET ", b"POST ").replace(b"\r\nHost", b"\r\nContent-Length: 2\r\nHost") + b"ab",
        False,
    ),
}


def serve(world: World, raw: bytes) -> tuple[Any, CountingTransport]:
    transport = CountingTransport()
    client: Any = world.accept(world.release)
    client.connection_made(transport)
    client.data_received(raw)
    world.server.data_received(RESPONSE)
    world.check(transport)
    return client, transport


@pytest.mark.parametrize("name", CASES)
def test_closing(name: str) -> None:
    raw, at_once = CASES[name]

    async def run() -> None:
        with closing(World()) as world:
            client, transport = serve(world, raw)
            assert transport.closed is at_once
            client.connection_lost(None)

    anyio.run(run)


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_left_to_the_collector(name: str) -> None:
    raw, _ = CASES[name]

    async def run() -> int:
        with closing(World()) as world:
            client, _ = serve(world, raw)
            client.connection_lost(None)
            gc.collect()
            gc.disable()
            try:
                client, _ = serve(world, raw)
                client.connection_lost(None)
                assert world.ended == 2
                del client
                return gc.collect()
            finally:
                gc.enable()

    assert anyio.run(run) == 0

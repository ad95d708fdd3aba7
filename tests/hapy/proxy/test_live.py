"""The proxy on real sockets, on both event loops: what dialogues can't show (flow, ends of connections, limits)."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import resource
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import hapy_config
from hapy.net.accepting import Gate, Listener
from hapy.proxy.runtime import Runtime, build

LOOPS = ["asyncio", "uvloop"]

CONFIG = """
defaults
    mode http
    timeout client 10s
    timeout server 10s
    timeout connect 5s
frontend fe
    bind 127.0.0.1:8080 {bind}
    {front}
    default_backend be
backend be
    {back}
    server s1 127.0.0.1:{port} {server}
"""

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Live:
    """A running proxy in front of one origin, all on this event loop."""

    def __init__(self) -> None:
        self.connections = 0
        self.stack = contextlib.AsyncExitStack()
        self.address: Any = None
        self.gate = Gate()

    async def start(self, origin: Handler, **settings: str) -> None:
        async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            try:
                await origin(reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(counted, "127.0.0.1", 0)
        self.stack.callback(server.close)
        values = {"bind": "", "front": "", "back": "", "server": ""} | settings
        result = hapy_config.read_text(CONFIG.format(port=server.sockets[0].getsockname()[1], **values))
        assert result.config is not None, result.diagnostics
        self.runtime: Runtime = build(result.config)
        frontend = self.runtime.frontends["fe"]
        sock = socket.create_server(("127.0.0.1", 0), backlog=500)
        sock.setblocking(False)
        gates = (frontend.gate, self.gate) if frontend.gate.limit else (self.gate,)
        listener = Listener(sock, frontend.protocol(frontend.model.binds[0]), gates, backlog=500)
        await listener.start()
        self.stack.callback(listener.close)
        self.address = sock.getsockname()

    async def ask(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(*self.address, limit=1 << 20)
        self.stack.callback(writer.close)
        return reader, writer

    async def stop(self) -> None:
        for frontend in self.runtime.frontends.values():
            for connection in tuple(frontend.connections):
                connection.abort()
        for backend in self.runtime.backends.values():
            for server in backend.servers:
                server.pool.drop_idle()
        await self.stack.aclose()
        while self.gate.count:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)


def live(kind: str, body: Callable[[Live], Awaitable[None]]) -> None:
    async def main() -> None:
        world = Live()
        try:
            await asyncio.wait_for(body(world), 40)
        finally:
            await world.stop()

    if kind == "uvloop":
        uvloop = pytest.importorskip("uvloop")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())
    else:
        asyncio.run(main())


async def head(reader: asyncio.StreamReader) -> str:
    return (await reader.readuntil(b"\r\n\r\n")).decode().replace("\r\n", "\n")


async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.readuntil(b"\r\n\r\n"):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")


@pytest.mark.parametrize("kind", LOOPS)
def test_many_clients_share_few_server_connections(kind: str) -> None:
    async def body(world: Live) -> None:
        await world.start(hello, back="http-reuse always")

        async def one() -> None:
            for last in (False, False, True):
                reader, writer = await world.ask()
                close = b"Connection: close\r\n" if last else b""
                writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n%b\r\n" % close)
                assert ("connection: close" in await head(reader)) is last
                assert await reader.readexactly(5) == b"hello"
                if last:
                    assert await reader.read() == b""
                writer.close()

        for _ in range(5):
            await one()
        assert world.connections == 1
        await asyncio.gather(*[one() for _ in range(50)])
        assert world.connections < 60

    live(kind, body)


@pytest.mark.parametrize("kind", LOOPS)
@pytest.mark.parametrize("direction", ["down", "up"])
def test_a_large_body_arrives_whole_and_is_not_held_in_memory(kind: str, direction: str) -> None:
    size = 64 << 20
    block = bytes(range(256)) * 256

    async def send(writer: asyncio.StreamWriter) -> str:
        digest = hashlib.sha256()
        for _ in range(size // len(block)):
            writer.write(block)
            digest.update(block)
            await writer.drain()
        return digest.hexdigest()

    async def receive(reader: asyncio.StreamReader) -> str:
        digest = hashlib.sha256()
        left = size
        while left:
            data = await reader.read(min(left, 1 << 16))
            if not data:
                break
            left -= len(data)
            digest.update(data)
            if not left % 64:
                await asyncio.sleep(0)
        return digest.hexdigest()

    async def body(world: Live) -> None:
        sent: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def origin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            if direction == "down":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
                sent.set_result(await send(writer))
            else:
                sent.set_result(await receive(reader))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await reader.read()

        await world.start(origin)
        reader, writer = await world.ask()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if direction == "down":
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await head(reader)
            assert await receive(reader) == await sent
        else:
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
            digest = await send(writer)
            assert " 200 " in await head(reader)
            assert await sent == digest
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < 24 << 10  # KiB; everything (origin, client and sockets' buffers) is in this process

    live(kind, body)


@pytest.mark.parametrize("kind", LOOPS)
def test_a_client_s_reset_frees_everything(kind: str) -> None:
    async def body(world: Live) -> None:
        reached = asyncio.Event()
        gone = asyncio.Event()

        async def origin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            reached.set()
            await reader.read()
            gone.set()

        await world.start(origin)
        sock = socket.create_connection(world.address)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await reached.wait()
        await asyncio.get_running_loop().sock_recv(sock, 1000)
        sock.close()
        await gone.wait()
        backend = world.runtime.backends["be"]
        assert backend.servers[0].current == 0
        assert backend.current == 0
        while world.gate.count:
            await asyncio.sleep(0.001)

    live(kind, body)


@pytest.mark.parametrize("kind", LOOPS)
def test_maxconn_lets_the_next_client_in_when_one_has_gone(kind: str) -> None:
    async def body(world: Live) -> None:
        await world.start(hello, front="maxconn 1")
        first, first_writer = await world.ask()
        first_writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await head(first)
        second, second_writer = await world.ask()
        second_writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(head(second), 0.1)
        first_writer.close()
        assert " 200 " in await asyncio.wait_for(head(second), 10)

    live(kind, body)


@pytest.mark.parametrize("kind", LOOPS)
def test_the_client_sees_fin_and_no_reset_after_close(kind: str) -> None:
    async def body(world: Live) -> None:
        await world.start(hello)
        loop = asyncio.get_running_loop()
        sock = socket.create_connection(world.address)
        sock.setblocking(False)
        await loop.sock_sendall(
            sock, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + b"GET / HTTP/1.1\r\n" * 50
        )
        got = b""
        while data := await loop.sock_recv(sock, 65536):
            got += data
        assert got.endswith(b"hello")
        sock.close()

    live(kind, body)


@pytest.mark.parametrize("kind", LOOPS)
def test_the_socket_budget_counts_both_sides(kind: str) -> None:
    async def body(world: Live) -> None:
        await world.start(hello, back="http-reuse always")
        budget = world.runtime.budget
        clients = [await world.ask() for _ in range(3)]
        for reader, writer in clients:
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await head(reader)
            await reader.readexactly(5)
        assert world.connections == 1
        assert budget.used == 4
        for _, writer in clients:
            writer.close()
        while budget.used > 1:  # the idle server connection
            await asyncio.sleep(0.001)

    live(kind, body)

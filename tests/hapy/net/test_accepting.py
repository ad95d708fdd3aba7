from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from hapy.net.accepting import Gate, Listener, RateGate, TlsGate
from hapy.observe.counters import TLS

LOOPS = ["asyncio", "uvloop"]


def on_loop(kind: str, body: Callable[[], Awaitable[None]]) -> None:
    """Run a test body on one of the event loops."""

    async def main() -> None:
        await asyncio.wait_for(body(), 20)

    if kind == "uvloop":
        uvloop = pytest.importorskip("uvloop")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())
    else:
        asyncio.run(main())


class Echo(asyncio.Protocol):
    """Sends back what it gets, in upper case."""

    def __init__(self, release: Callable[[], None]) -> None:
        self.release = release

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data.upper())

    def connection_lost(self, exc: Exception | None) -> None:
        self.release()


async def listening(*gates: Gate, sock: socket.socket | None = None, shared: bool = False) -> tuple[Listener, Any]:
    if sock is None:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = free.getsockname()
        sock.bind(address)  # a port that was asked for is kept while paused, one that the kernel chose is not
    sock.listen(200)
    sock.setblocking(False)
    listener = Listener(sock, Echo, gates, backlog=200, shared=shared)
    await listener.start()
    return listener, sock.getsockname()


async def ask(address: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(address, tuple):
        reader, writer = await asyncio.open_connection(*address)
    else:
        reader, writer = await asyncio.open_unix_connection(address)
    writer.write(b"hello")
    return reader, writer


async def end(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def until_free(gate: Gate) -> None:
    """Wait for the last connection's end."""
    if gate.count:
        ended = asyncio.Event()
        gate.emptied = ended.set
        await ended.wait()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_over_the_limit_waits_and_is_served_later(loop: str) -> None:
    async def body() -> None:
        gate = Gate(2)
        listener, address = await listening(gate)
        first, second = await ask(address), await ask(address)
        assert await first[0].readexactly(5) == await second[0].readexactly(5) == b"HELLO"
        assert gate.full
        reader, writer = await ask(address)
        waiting = asyncio.ensure_future(reader.readexactly(5))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await end(first[1])
        assert await waiting == b"HELLO"
        assert gate.count == 2
        await end(writer)
        await end(second[1])
        listener.close()

    on_loop(loop, body)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_crowd_gets_through_a_narrow_gate(loop: str) -> None:
    async def body() -> None:
        gate, everything = Gate(3), Gate(1000)
        listener, address = await listening(gate, everything)
        most = 0

        async def client() -> None:
            nonlocal most
            reader, writer = await ask(address)
            assert await reader.readexactly(5) == b"HELLO"
            most = max(most, gate.count)
            await end(writer)

        await asyncio.gather(*(client() for _ in range(300)))
        await until_free(everything)
        assert gate.count == 0
        assert most <= 3
        listener.close()

    on_loop(loop, body)


@pytest.mark.parametrize("loop", LOOPS)
def test_two_listeners_share_a_gate(loop: str) -> None:
    async def body() -> None:
        shared = Gate(1)
        one, first = await listening(Gate(5), shared)
        other, second = await listening(Gate(5), shared)
        reader, writer = await ask(first)
        assert await reader.readexactly(5) == b"HELLO"
        late, late_writer = await ask(second)
        waiting = asyncio.ensure_future(late.readexactly(5))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await end(writer)
        assert await waiting == b"HELLO"
        await end(late_writer)
        one.close()
        other.close()

    on_loop(loop, body)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_paused_listener_leaves_its_port_to_others_and_keeps_its_connections(loop: str) -> None:
    async def body() -> None:
        listener, address = await listening(Gate())
        reader, writer = await ask(address)
        assert await reader.readexactly(5) == b"HELLO"
        listener.pause()
        with pytest.raises(ConnectionRefusedError):
            await ask(address)
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(address)
            other.listen()
        writer.write(b"more")
        assert await reader.readexactly(4) == b"MORE"
        await end(writer)
        await listener.resume()
        reader, writer = await ask(address)
        assert await reader.readexactly(5) == b"HELLO"
        await end(writer)
        listener.close()
        with pytest.raises(ConnectionRefusedError):
            await ask(address)

    on_loop(loop, body)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_paused_shared_socket_leaves_connections_to_the_kernel(loop: str) -> None:
    async def body() -> None:
        gate = Gate()
        listener, address = await listening(gate, shared=True)
        listener.pause()
        reader, writer = await ask(address)
        waiting = asyncio.ensure_future(reader.readexactly(5))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        assert gate.count == 0
        await listener.resume()
        assert await waiting == b"HELLO"
        await end(writer)
        listener.close()

    on_loop(loop, body)


@pytest.mark.parametrize("loop", LOOPS)
def test_closing_a_listener_leaves_its_connections(loop: str) -> None:
    async def body() -> None:
        gate = Gate(1)
        ended = asyncio.Event()
        gate.emptied = ended.set
        listener, address = await listening(gate)
        reader, writer = await ask(address)
        assert await reader.readexactly(5) == b"HELLO"
        late, late_writer = await ask(address)
        await asyncio.sleep(0.1)
        listener.close()
        writer.write(b"more")
        assert await reader.readexactly(4) == b"MORE"
        assert not ended.is_set()
        await end(writer)
        assert await late.readexactly(5) == b"HELLO"
        await end(late_writer)
        await ended.wait()

    on_loop(loop, body)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_rate_holds_back_what_exceeds_it(loop: str) -> None:
    async def body() -> None:
        gate = RateGate(2)
        listener, address = await listening(gate)
        started = asyncio.get_running_loop().time()
        clients = [await ask(address) for _ in range(5)]
        for reader, writer in clients:
            assert await reader.readexactly(5) == b"HELLO"
            await end(writer)
        assert asyncio.get_running_loop().time() - started >= 1.9
        listener.close()

    on_loop(loop, body)


@pytest.mark.parametrize("loop", LOOPS)
def test_tls_connections_to_servers_take_room_from_clients(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TLS, "current", 1)
    monkeypatch.setattr(TLS, "freed", None)

    async def body() -> None:
        gate = TlsGate(2)
        listener, address = await listening(gate)
        first = await ask(address)
        assert await first[0].readexactly(5) == b"HELLO"
        assert not gate.full
        TLS.current += 1  # as if it spoke TLS
        second = await ask(address)
        waiting = asyncio.ensure_future(second[0].readexactly(5))
        await asyncio.wait([waiting], timeout=0.1)
        assert not waiting.done()
        assert gate.full
        TLS.ended()  # a server's
        assert await waiting == b"HELLO"
        for _reader, writer in (first, second):
            await end(writer)
        listener.close()

    on_loop(loop, body)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_unix_sockets_path_outlives_its_listener(loop: str, tmp_path: Any) -> None:
    path = str(tmp_path / "s")

    async def body() -> None:
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(path)
        listener, address = await listening(Gate(), sock=sock)
        reader, writer = await ask(address)
        assert await reader.readexactly(5) == b"HELLO"
        await end(writer)
        listener.close()
        await asyncio.sleep(0)

    on_loop(loop, body)
    assert (tmp_path / "s").exists()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_leaves_while_waiting_costs_no_slot(loop: str) -> None:
    async def body() -> None:
        gate = Gate(1)
        listener, address = await listening(gate)
        first = await ask(address)
        assert await first[0].readexactly(5) == b"HELLO"
        _, gone = await ask(address)
        await asyncio.sleep(0.05)
        await end(gone)
        third, writer = await ask(address)
        waiting = asyncio.ensure_future(third.readexactly(5))
        await end(first[1])
        assert await waiting == b"HELLO"
        await end(writer)
        await until_free(gate)
        listener.close()

    on_loop(loop, body)

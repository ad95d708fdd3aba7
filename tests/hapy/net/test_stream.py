from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from hapy.net import stream as module
from hapy.net.connect import ConnectFailed, Destination, connect
from hapy.net.stream import Stream

LOOPS = ["asyncio", "uvloop"]


def on_loop(kind: str, body: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await asyncio.wait_for(body(), 20)

    if kind == "uvloop":
        uvloop = pytest.importorskip("uvloop")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())
    else:
        asyncio.run(main())


class Recorder(Stream):
    __slots__ = ("eof_seen", "got", "lost", "opened")

    def __init__(self) -> None:
        super().__init__()
        self.got = bytearray()
        loop = asyncio.get_running_loop()
        self.opened = loop.create_future()
        self.eof_seen = loop.create_future()
        self.lost = loop.create_future()

    def on_open(self) -> None:
        self.opened.set_result(None)

    def data_received(self, data: bytes) -> None:
        self.got += data

    def on_eof(self) -> None:
        self.eof_seen.set_result(None)

    def on_lost(self, error: Exception | None) -> None:
        self.lost.set_result(error)


async def accepted() -> tuple[Recorder, socket.socket]:
    """A stream made by accepting, and the plain socket at its other end."""
    loop = asyncio.get_running_loop()
    made: list[Recorder] = []

    def make() -> Any:
        made.append(Recorder())
        return made[0]

    server = await loop.create_server(make, "127.0.0.1", 0)
    sock = socket.socket()
    sock.setblocking(False)
    await loop.sock_connect(sock, server.sockets[0].getsockname())
    while not made:
        await asyncio.sleep(0)
    await made[0].opened
    server.close()
    return made[0], sock


async def ending(sock: socket.socket) -> tuple[bytes, str]:
    """What comes up to the end, and which end it is."""
    loop = asyncio.get_running_loop()
    got = b""
    while True:
        try:
            data = await loop.sock_recv(sock, 65536)
        except ConnectionResetError:
            return got, "reset"
        if not data:
            return got, "fin"
        got += data


@pytest.mark.parametrize("kind", LOOPS)
@pytest.mark.parametrize(("how", "end"), [("close", "fin"), ("finish", "fin"), ("abort", "reset")])
def test_ends(kind: str, how: str, end: str) -> None:
    async def body() -> None:
        stream, sock = await accepted()
        if how != "abort":
            stream.transport.write(b"bye")
        getattr(stream, how)()
        got, seen = await ending(sock)
        assert seen == end
        assert got == (b"" if how == "abort" else b"bye")
        sock.close()
        await stream.lost
        assert stream.closed

    on_loop(kind, body)


@pytest.mark.parametrize("kind", LOOPS)
def test_finish_drops_what_still_comes_and_resets_nothing(kind: str) -> None:
    async def body() -> None:
        stream, sock = await accepted()
        loop = asyncio.get_running_loop()
        stream.pause()
        await loop.sock_sendall(sock, b"x" * 100000)
        stream.transport.write(b"answer")
        stream.finish()
        assert (await ending(sock)) == (b"answer", "fin")
        await loop.sock_sendall(sock, b"more")
        sock.close()
        assert await stream.lost is None

    on_loop(kind, body)


@pytest.mark.parametrize("kind", LOOPS)
def test_finish_does_not_wait_for_ever(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAIN_TIME", 0.01)

    async def body() -> None:
        stream, sock = await accepted()
        stream.finish()
        await stream.lost
        sock.close()

    on_loop(kind, body)


@pytest.mark.parametrize("kind", LOOPS)
def test_half_close_leaves_the_other_direction(kind: str) -> None:
    async def body() -> None:
        stream, sock = await accepted()
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(sock, b"question")
        sock.shutdown(socket.SHUT_WR)
        await stream.eof_seen
        assert bytes(stream.got) == b"question"
        stream.transport.write(b"answer")
        stream.close()
        assert (await ending(sock)) == (b"answer", "fin")
        sock.close()

    on_loop(kind, body)


@pytest.mark.parametrize("kind", LOOPS)
def test_a_slow_reader_pauses_the_feeder(kind: str) -> None:
    async def body() -> None:
        slow, sock = await accepted()
        feeder, other = await accepted()
        slow.feeder = feeder
        total = 0
        while feeder.reading:
            slow.transport.write(b"x" * 65536)
            total += 65536
            await asyncio.sleep(0)
            assert total < 100_000_000
        assert not slow.writable
        loop = asyncio.get_running_loop()
        while total:
            total -= len(await loop.sock_recv(sock, min(total, 1 << 20)))
        while not feeder.reading:
            await asyncio.sleep(0)
        assert slow.writable
        for one in (slow, feeder):
            one.abort()
            with contextlib.suppress(OSError):
                await one.lost
        sock.close()
        other.close()

    on_loop(kind, body)


@pytest.mark.parametrize("kind", LOOPS)
def test_a_deadline_aborts(kind: str) -> None:
    async def body() -> None:
        stream, sock = await accepted()
        stream.expire_after(0.01)
        assert (await ending(sock)) == (b"", "reset")
        sock.close()

    on_loop(kind, body)


@pytest.mark.parametrize("kind", LOOPS)
def test_a_reset_is_told(kind: str) -> None:
    async def body() -> None:
        stream, sock = await accepted()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
        assert isinstance(await stream.lost, ConnectionResetError)

    on_loop(kind, body)


@pytest.mark.parametrize("kind", LOOPS)
@pytest.mark.parametrize("family", ["ipv4", "unix", "abstract", "source"])
def test_connecting(kind: str, family: str, tmp_path: Any) -> None:
    async def body() -> None:
        if family in ("ipv4", "source"):
            listener = socket.create_server(("127.0.0.1", 0))
            source = ("127.0.0.9", 0) if family == "source" else None
            destination = Destination(socket.AF_INET, "127.0.0.1", listener.getsockname()[1], source)
        else:
            name = f"\0hapy-{tmp_path}" if family == "abstract" else str(tmp_path / "s")
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(name)
            listener.listen()
            destination = Destination(socket.AF_UNIX, name)
        listener.setblocking(False)
        stream = await connect(destination, Recorder)
        peer, address = await asyncio.get_running_loop().sock_accept(listener)
        if family == "source":
            assert address[0] == "127.0.0.9"
        stream.transport.write(b"hello")
        stream.close()
        assert (await ending(peer)) == (b"hello", "fin")
        peer.close()
        listener.close()
        await stream.lost

    on_loop(kind, body)


@pytest.mark.parametrize("kind", LOOPS)
def test_connections_that_fail_say_why(kind: str, tmp_path: Any) -> None:
    async def body() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        for destination, why in (
            (Destination(socket.AF_INET, "127.0.0.1", port), "refused"),
            (Destination(socket.AF_UNIX, str(tmp_path / "nobody")), "refused"),
            (Destination(socket.AF_INET, "127.0.0.1", port, ("203.0.113.1", 0)), "source"),
        ):
            with pytest.raises(ConnectFailed) as failure:
                await connect(destination, Recorder)
            assert failure.value.kind == why

    on_loop(kind, body)

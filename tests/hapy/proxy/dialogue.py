"""Dialogues with the path of a request: clients and servers that only speak when the test lets them, no sockets, no time.

A test says what a client sends, looks at what reached the server, says what that answers, and looks at what the client
heard and at the log line. Deadlines don't run; `expires()` says that one has passed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import hapy_config
from hapy.net.connect import ConnectFailed
from hapy.proxy.runtime import Runtime, build
from hapy.proxy.server_connection import ServerConnection

PREAMBLE = """
global
    log 127.0.0.1:514 local0
defaults
    mode http
    log global
    option httplog
    timeout client 10s
    timeout server 10s
    timeout connect 5s
"""

PAIR = """
frontend fe
    bind 127.0.0.1:8080
    {front}
    default_backend be
backend be
    {back}
    server s1 127.0.0.1:8081 {server}
"""


def pair(*, front: str = "", back: str = "", server: str = "") -> str:
    """A frontend and a backend with one server."""
    return PAIR.format(front=front, back=back, server=server)


class Wire(asyncio.Transport):
    """A transport that keeps what is written, and how it was ended: `open`, `fin`, `closed` or `reset`."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = bytearray()
        self.state = "open"
        self.reading = True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("192.0.2.7", 40000), "sockname": ("192.0.2.1", 8080)}.get(name, default)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0  # the peer takes everything at once

    def write(self, data: Any) -> None:
        assert self.state == "open", "written after the end"
        self.sent += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.state = "fin"

    def is_closing(self) -> bool:
        return self.state in ("closed", "reset")

    def close(self) -> None:
        self.state = "closed"

    def abort(self) -> None:
        self.state = "reset"

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Peer:
    """One end of a wire, seen from outside."""

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol
        self.wire = Wire()
        protocol.connection_made(self.wire)

    def says(self, data: bytes | str) -> None:
        """Send bytes; text has its line ends made CRLF."""
        if isinstance(data, str):
            data = data.replace("\n", "\r\n").encode("latin-1")
        self.protocol.data_received(data)

    def heard(self) -> str:
        """What has come since this was last asked, with LF for CRLF."""
        data, self.wire.sent = bytes(self.wire.sent), bytearray()
        return data.decode("latin-1").replace("\r\n", "\n")

    def shuts(self) -> None:
        """FIN."""
        self.protocol.eof_received()

    def goes(self, error: Exception | None = None) -> None:
        """The connection is gone; with an error: reset."""
        self.protocol.connection_lost(error)

    def resets(self) -> None:
        """RST."""
        self.goes(ConnectionResetError())

    def expires(self) -> None:
        """Its deadline has passed."""
        self.protocol.on_deadline()

    @property
    def state(self) -> str:
        """How hapy has left the wire."""
        return self.wire.state


class Dialling:
    """A connector whose connections are peers of the test."""

    fixed = True

    def __init__(self, world: World, server: Any) -> None:
        self.world = world
        self.server = server
        self.parser = server.connector.parser

    async def dial(self, key: Any, txn: Any = None) -> ServerConnection:
        self.world.dials.append(self.server.model.name)
        if self.world.refusals:
            refusal = self.world.refusals.pop(0)
            if refusal is not None:
                raise ConnectFailed(refusal)
        if self.world.hold is not None:
            await self.world.hold
        connection = ServerConnection(self.server, key, self.parser)
        self.world.servers.append(Peer(connection))
        return connection


class World:
    """A running configuration.

    Attributes:
        servers: the connections that were opened, in order. dials: the names of the servers that were dialled.
        refusals: how the next connections fail, None for those that succeed. hold: a future that connecting waits for.
        log: the access log's lines without dates and ports.
    """

    def __init__(self, config: str) -> None:
        self.servers: list[Peer] = []
        self.dials: list[str] = []
        self.refusals: list[str | None] = []
        self.hold: asyncio.Future[None] | None = None
        self.log: list[str] = []
        self.released = 0
        result = hapy_config.read_text(PREAMBLE + config)
        assert result.config is not None, result.diagnostics
        self.runtime: Runtime = build(result.config)
        for frontend in self.runtime.frontends.values():
            frontend.logger.close()
            for sender in frontend.logger.senders:
                sender.transport = self._logged
        for backend in self.runtime.backends.values():
            for server in backend.servers:
                server.connector = Dialling(self, server)  # type: ignore[assignment]

    def _logged(self, data: bytes) -> None:
        line = data.decode("latin-1").rstrip("\n")
        line = re.sub(r"^.*?\]: ", "", line)
        line = re.sub(r"^\S+ \[[^]]*\] ", "", line)
        self.log.append(re.sub(r"(?<= )(\+?\d+|-1)(/(\+?\d+|-1)){2,4}(?= )", _masked, line, count=1))

    def _release(self) -> None:
        self.released += 1

    def client(self, frontend: str = "fe") -> Peer:
        """A client that has just connected."""
        running = self.runtime.frontends[frontend]
        return Peer(running.protocol(running.model.binds[0])(self._release))


def _masked(match: re.Match[str]) -> str:
    return "/".join(part if part == "-1" else "t" for part in match[0].split("/"))


def request(target: str = "/", *headers: str, method: str = "GET", version: str = "1.1") -> str:
    """A request without a body."""
    return "\n".join([f"{method} {target} HTTP/{version}", "host: a", *headers, "", ""])


def answer(body: str = "", *headers: str, status: str = "200 OK") -> str:
    """An answer with its length."""
    return "\n".join([f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers, "", ""]) + body


def converse(body: Callable[[], Awaitable[None]]) -> None:
    """Run a dialogue on an event loop."""
    asyncio.run(_bounded(body))


async def _bounded(body: Callable[[], Awaitable[None]]) -> None:
    await asyncio.wait_for(body(), 20)


async def settle() -> None:
    """Let the event loop do what is due."""
    for _ in range(3):
        await asyncio.sleep(0)

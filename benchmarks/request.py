"""`python -m benchmarks.request`: what Python itself costs a request, without a kernel below.

One process runs the typical configuration of `benchmarks.cpu` as it is compiled for service, with transports that
only count: a request goes in as bytes, its log line and the bytes for both sides come out. `--profile` adds the table
of the functions that the time goes to.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import pstats
import time
from collections.abc import Callable
from typing import Any

import hapy_config
from benchmarks.cpu import CONFIG, HEADERS
from hapy.net.clock import now
from hapy.proxy.runtime import Runtime, build
from hapy.proxy.server_connection import ServerConnection

REQUEST = "\r\n".join(["GET / HTTP/1.1", "Host: 127.0.0.1:8080", *HEADERS, "", ""]).encode()
LAST_REQUEST = REQUEST[:-2] + b"Connection: close\r\n\r\n"
RESPONSE = (
    b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Fri, 20 Nov 2026 12:00:00 GMT\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 12\r\nConnection: keep-alive\r\n\r\nHello world\n"
)


class CountingTransport(asyncio.Transport):
    """Takes everything at once and keeps the last write."""

    def __init__(self) -> None:
        super().__init__()
        self.last = b""
        self.closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """A peer on this machine; no socket."""
        return ("127.0.0.1", 40000) if name == "peername" else default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is buffered."""

    def write(self, data: bytes) -> None:  # type: ignore[override]
        """Take it."""
        self.last = data

    def can_write_eof(self) -> bool:
        """As TCP."""
        return True

    def write_eof(self) -> None:
        """Nothing follows."""

    def is_closing(self) -> bool:
        """As told."""
        return self.closed

    def close(self) -> None:
        """The connection ends."""
        self.closed = True

    abort = close


class World:
    """The runtime, one idle connection to its server, and how clients come and go."""

    def __init__(self) -> None:
        self.logged = b""
        result = hapy_config.read_text(CONFIG.format(syslog=514, port=8080, origin=8081, maxconn=2000, ssl=""))
        if result.config is None:
            raise SystemExit(f"the configuration is refused: {result.diagnostics}")
        self.runtime: Runtime = build(result.config)
        frontend = self.runtime.frontends["fe"]
        for sender in frontend.logger.senders:
            sender.transport = self._log
        self.accept: Any = frontend.protocol(frontend.model.binds[0])
        server = self.runtime.backends["app"].servers[0]
        self.server = ServerConnection(server, server.key, server.connector.parser)
        self.to_server = CountingTransport()
        self.server.connection_made(self.to_server)
        self.server.idle_since = now()
        server.pool.add_fresh(self.server)
        self.ended = 0

    def _log(self, line: bytes) -> None:
        self.logged = line

    def release(self) -> None:
        """A connection has ended."""
        self.ended += 1

    def close(self) -> None:
        """Give back what the loggers hold."""
        for frontend in self.runtime.frontends.values():
            frontend.logger.close()

    def check(self, to_client: CountingTransport) -> None:
        """Whether the last request went all the way."""
        if b"x-forwarded-for: 127.0.0.1" not in self.to_server.last or not to_client.last.endswith(b"Hello world\n"):
            raise SystemExit(f"not served: {self.to_server.last!r} {to_client.last!r}")
        if b" fe app/s1 " not in self.logged:
            raise SystemExit(f"not logged: {self.logged!r}")

    def keep_alive(self, count: int) -> None:
        """That many requests on one connection."""
        transport = CountingTransport()
        client: Any = self.accept(self.release)
        client.connection_made(transport)
        server = self.server
        for _ in range(count):
            client.data_received(REQUEST)
            server.data_received(RESPONSE)
        self.check(transport)
        client.connection_lost(None)

    def one_off(self, count: int) -> None:
        """That many connections of one request each."""
        server = self.server
        transport = CountingTransport()
        for _ in range(count):
            transport = CountingTransport()
            client: Any = self.accept(self.release)
            client.connection_made(transport)
            client.data_received(LAST_REQUEST)
            server.data_received(RESPONSE)
            client.eof_received()
            client.connection_lost(None)
        self.check(transport)


def best(run: Callable[[int], None], count: int, rounds: int) -> float:
    """Microseconds of CPU a turn: the best of several rounds, which other load disturbs least."""
    figures = []
    for _ in range(rounds):
        began = time.process_time()
        run(count)
        figures.append((time.process_time() - began) / count * 1e6)
    return min(figures)


async def measure(options: argparse.Namespace) -> None:
    """Run both cases on a loop, whose timers the deadlines need."""
    world = World()
    gc.collect()
    gc.freeze()
    for name, run in (("keep-alive", world.keep_alive), ("connection: close", world.one_off)):
        run(1000)
        print(f"{name:<20}{best(run, options.count, options.rounds):>8.2f} us")
        if options.profile:
            profile = cProfile.Profile()
            profile.runcall(run, options.count)
            pstats.Stats(profile).sort_stats("tottime").print_stats(options.lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.request", description=__doc__)
    parser.add_argument("--count", type=int, default=20000, help="requests a round (default 20000)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds, whose best is shown (default 7)")
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    parser.add_argument("--lines", type=int, default=45, help="functions shown by --profile (default 45)")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()

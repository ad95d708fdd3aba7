"""`python -m benchmarks.far [--tls 1.3|1.2] [--names]`: far servers, and what clients pay for connections to them.

Four servers stand behind a simulated round trip (see `benchmarks.distance`). Group 1: 80 keep-alive requests over 4
client connections. Group 2, right after: 15 one-off clients, each with `Connection: close`. Latency is shown in round
trips; with it, how many connections the proxy has made to the servers after each group. With `--tls` the servers speak
that version of TLS, and are verified (`ssl verify required sni str(api.test)`).

With `--names` the name asked for comes from the request's Host header (`sni req.hdr(host)`), over 20 host names of one
server. Group 1: the first request of each name. Group 2: 5 one-off clients for each name. In the middle the server
closes all its connections, as servers do that tire of idle ones; group 3 are one-off clients once the proxy has seen
that. With it, how many handshakes there were after each group, and how many of them took up an earlier session.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import pathlib
import ssl
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from typing import ClassVar

from benchmarks.distance import FAR, NEAR, Path, enter_namespace
from benchmarks.programs import free_port, need, proxy_command, running

CONFIG = """
global
    nbthread 1
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend fe
    bind 127.0.0.1:{port}
    default_backend far
backend far
    balance leastconn
    http-reuse always
    option http-keep-alive
    default-server pool-max-conn 12 pool-purge-delay 299s{warm}
{servers}
"""
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Origin(asyncio.Protocol):
    """Answers every request at once, and counts connections, and of those how many took up an earlier TLS session."""

    connections = 0
    resumed = 0
    open: ClassVar[set[asyncio.Transport]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cls = type(self)
        cls.connections += 1
        tls = transport.get_extra_info("ssl_object")
        cls.resumed += tls is not None and tls.session_reused
        self.transport = transport
        cls.open.add(transport)  # type: ignore[arg-type]
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            _, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            self.transport.write(ANSWER)  # type: ignore[attr-defined]

    def connection_lost(self, _: Exception | None) -> None:
        type(self).open.discard(self.transport)  # type: ignore[arg-type]


async def ask(port: int, count: int, *, close: bool, latencies: list[float], host: str = "far.test") -> None:
    """`count` requests on one client connection."""
    started = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(count):
        extra = b"Connection: close\r\n" if close else b""
        writer.write(b"GET / HTTP/1.1\r\nHost: " + host.encode() + b"\r\n" + extra + b"\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise SystemExit(f"the proxy answered {head!r}")
        await reader.readexactly(5)
        latencies.append(time.perf_counter() - started)
        started = time.perf_counter()
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


@contextlib.asynccontextmanager
async def far_servers(round_trip: float, tls: ssl.SSLContext | None) -> AsyncIterator[list[int]]:
    """Four servers at the end of the path; their ports."""
    Origin.connections = Origin.resumed = 0
    Origin.open.clear()
    loop = asyncio.get_running_loop()
    async with Path(round_trip):
        servers = [await loop.create_server(Origin, NEAR, 0, ssl=tls) for _ in range(4)]
        try:
            yield [server.sockets[0].getsockname()[1] for server in servers]
        finally:
            for server in servers:
                server.close()


def make_certificate(folder: pathlib.Path, version: str) -> ssl.SSLContext:
    """A certificate for `*.api.test` by an authority of our own, whose certificate is left as `ca.pem`."""
    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[f"TLSv{version.replace('.', '_')}"]
    authority.issue_cert("api.test", "*.api.test").configure_cert(context)
    return context


async def measure_names(program: str, folder: pathlib.Path, round_trip: float, tls: ssl.SSLContext) -> list[str]:
    """One program's row of the table, for a name taken from the request."""
    async with far_servers(round_trip, tls) as ports:
        port = free_port()
        config = folder / f"{program}.cfg"
        options = f"pool-max-conn 100 ssl verify required ca-file {folder}/ca.pem sni req.hdr(host)"
        config.write_text(CONFIG.format(port=port, warm="", servers=f"    server s {FAR}:{ports[0]} {options}"))
        names = [f"host{number}.api.test" for number in range(20)]
        row = [program]
        counts = []
        with contextlib.ExitStack() as stack:
            await asyncio.to_thread(stack.enter_context, running(proxy_command(program, config), port))
            for group, rounds in enumerate((1, 5, 5)):
                if group == 2:
                    for transport in list(Origin.open):
                        transport.close()
                    await asyncio.sleep(20 * round_trip)
                latencies: list[float] = []
                for _ in range(rounds):
                    for name in names:
                        await ask(port, 1, close=True, latencies=latencies, host=name)
                row.append(shown(latencies, round_trip))
                counts.append(f"{Origin.connections} ({Origin.resumed})")
            await asyncio.to_thread(stack.close)
    return [*row, " / ".join(counts)]


def shown(latencies: list[float], round_trip: float) -> str:
    """Median and 99th percentile in round trips."""
    ordered = sorted(latencies)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"{statistics.median(ordered) / round_trip:.2f} / {p99 / round_trip:.2f}"


async def measure(
    program: str, folder: pathlib.Path, round_trip: float, *, warm: bool, settle: float, tls: ssl.SSLContext | None
) -> list[str]:
    """One program's row of the table."""
    async with far_servers(round_trip, tls) as ports:
        port = free_port()
        config = folder / f"{program}.cfg"
        options = f" ssl verify required ca-file {folder}/ca.pem sni str(api.test)" if tls is not None else ""
        servers = "\n".join(f"    server s{n} {FAR}:{p}{options}" for n, p in enumerate(ports, 1))
        comment = "  # hapy: pool-min-conn 1" if warm else ""
        config.write_text(CONFIG.format(port=port, warm=comment, servers=servers))
        with contextlib.ExitStack() as stack:
            await asyncio.to_thread(stack.enter_context, running(proxy_command(program, config), port))
            await asyncio.sleep(settle)
            keep_alive: list[float] = []
            await asyncio.gather(*(ask(port, 20, close=False, latencies=keep_alive) for _ in range(4)))
            first = Origin.connections
            one_off: list[float] = []
            for _ in range(15):
                await ask(port, 1, close=True, latencies=one_off)
            second = Origin.connections
            await asyncio.to_thread(stack.close)
    row = [program + (" (pool-min-conn 1)" if warm else "")]
    row += [shown(latencies, round_trip) for latencies in (keep_alive, one_off)]
    row.append(f"{first} / {second}")
    return row


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.far", description=__doc__)
    parser.add_argument("--rtt", type=float, default=100, help="the round trip in ms (default 100)")
    parser.add_argument("--settle", type=float, default=0.5, help="seconds between start and the first request")
    parser.add_argument("--tls", nargs="?", const="1.3", choices=("1.2", "1.3"), help="the servers speak TLS")
    parser.add_argument("--names", action="store_true", help="20 names, taken from the requests")
    options = parser.parse_args()
    need("haproxy")
    enter_namespace("benchmarks.far")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        tls = make_certificate(folder, options.tls or "1.3") if options.tls or options.names else None
        if options.names:
            assert tls is not None
            found = [asyncio.run(measure_names(name, folder, options.rtt / 1000, tls)) for name in ("haproxy", "hapy")]
            print(f"latency in round trips of {options.rtt:g} ms\n")
            print(f"{'':<10}{'first p50/p99':>16}{'one-off p50/p99':>18}{'after closing':>16}  handshakes (resumed)")
            for label, first, one_off, later, counts in found:
                print(f"{label:<10}{first:>16}{one_off:>18}{later:>16}  {counts}")
            return
        rows = [
            asyncio.run(measure(program, folder, options.rtt / 1000, warm=warm, settle=options.settle, tls=tls))
            for program, warm in (("haproxy", False), ("hapy", False), ("hapy", True))
        ]
    print(f"latency in round trips of {options.rtt:g} ms\n")
    print(f"{'':<24}{'keep-alive p50/p99':>20}{'one-off p50/p99':>18}{'connections':>14}")
    for label, keep_alive, one_off, connections in rows:
        print(f"{label:<24}{keep_alive:>20}{one_off:>18}{connections:>14}")


if __name__ == "__main__":
    main()

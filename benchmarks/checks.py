"""`python -m benchmarks.checks [--servers 2000] [--inter 2] [--seconds 20]`: what checking many servers costs.

One backend with that many servers, all at one origin (a process of its own), each checked every `--inter` seconds:
first by a plain connection, then by `option httpchk`. Shown for haproxy and hapy: the share of a core that checking
takes, what one check costs, and how long requests of one keep-alive client take meanwhile, beside the same without
checks.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import pathlib
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from typing import cast

from benchmarks.programs import cpu_seconds, free_port, need, proxy_command, running

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
    default_backend served
backend served
    server one 127.0.0.1:{origin}
backend checked
{option}    default-server inter {inter}s
{servers}
"""
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#: Requests a second that the client makes.
PACE = 100


class Origin(asyncio.Protocol):
    """Answers every request at once; counts connections."""

    def __init__(self, count: multiprocessing.sharedctypes.Synchronized[int]) -> None:
        self._count = count

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Event loop: a connection."""
        self.transport = cast(asyncio.Transport, transport)
        with self._count.get_lock():
            self._count.value += 1

    def data_received(self, data: bytes) -> None:
        """Event loop: a request."""
        self.transport.write(ANSWER * data.count(b"\r\n\r\n"))


def _serve(sock: socket.socket, count: multiprocessing.sharedctypes.Synchronized[int]) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Origin(count), sock=sock, backlog=4096)
        await server.serve_forever()

    try:
        import uvloop

        uvloop.run(main())
    except ImportError:
        asyncio.run(main())


@contextlib.contextmanager
def origin() -> Iterator[tuple[int, multiprocessing.sharedctypes.Synchronized[int]]]:
    """The origin's port and its count of connections."""
    sock = socket.create_server(("127.0.0.1", 0), backlog=4096)
    count = multiprocessing.Value("i", 0)
    process = multiprocessing.Process(target=_serve, args=(sock, count), daemon=True)
    process.start()
    try:
        yield sock.getsockname()[1], count
    finally:
        process.terminate()
        process.join()
        sock.close()


def latencies(port: int, seconds: float) -> list[float]:
    """Milliseconds of requests at a steady pace on one connection."""
    found = []
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        end = time.monotonic() + seconds
        due = time.monotonic()
        while due < end:
            time.sleep(max(0.0, due - time.monotonic()))
            begun = time.perf_counter()
            sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            data = b""
            while not data.endswith(b"hello"):
                piece = sock.recv(4096)
                if not piece:
                    raise ConnectionError("the proxy closed the connection")
                data += piece
            found.append((time.perf_counter() - begun) * 1000)
            due += 1 / PACE
    return found


def measure(program: str, option: str, options: argparse.Namespace, *, check: bool) -> None:
    """One program under one kind of check: print what it took."""
    with origin() as (origin_port, count), tempfile.TemporaryDirectory() as folder:
        port = free_port()
        word = " check" if check else ""
        servers = "\n".join(f"    server s{n} 127.0.0.1:{origin_port}{word}" for n in range(options.servers))
        config = pathlib.Path(folder) / "checks.cfg"
        config.write_text(
            CONFIG.format(
                port=port,
                origin=origin_port,
                option=f"    {option}\n" if option and check else "",
                inter=options.inter,
                servers=servers,
            )
        )
        with running(proxy_command(program, config), port) as process:
            latencies(port, options.inter + 1)  # the first round lies behind
            before, begun, checked = cpu_seconds(process.pid), time.monotonic(), count.value
            times = latencies(port, options.seconds)
            passed = time.monotonic() - begun
            cpu = cpu_seconds(process.pid) - before
            checks = count.value - checked
    times.sort()
    name = f"{program:8} {option or 'connection' if check else 'no checks':14}"
    due = options.servers / options.inter * passed if check else 0.0  # a connection that is reset at once counts too
    each = f"{cpu * 1e6 / due:6.0f} us a check" if check else ""
    late = times[int(len(times) * 0.99)]
    print(
        f"{name} {checks / passed:7.0f} connections/s {cpu / passed * 100:6.1f} % of a core  request"
        f" {statistics.median(times):.2f} ms, 99th {late:.2f} ms, worst {times[-1]:.2f} ms {each}",
        flush=True,
    )


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checks", description=__doc__)
    parser.add_argument("--servers", type=int, default=2000)
    parser.add_argument("--inter", type=float, default=2)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    options.inter = int(options.inter)
    need("haproxy")
    for program in ("haproxy", "hapy"):
        measure(program, "", options, check=False)
        measure(program, "", options, check=True)
        measure(program, "option httpchk", options, check=True)


if __name__ == "__main__":
    main()

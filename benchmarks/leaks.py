"""Does a day's traffic leave anything behind? `python -m benchmarks.leaks [--connections N] [--seed N]`.

Opens and closes connections of every kind to one hapy (plain HTTP, TLS, TCP, PROXY headers), each ended by some
random means: FIN, RST, half-close, silence until a timeout, in the middle of a handshake, a head, a body, an answer, a
tunnel or a queue. Prints what hapy holds before and after: file descriptors, tasks, its own objects, resident memory.
The first part of the connections warms it up: what caches keep is no leak. The exit status is 1 when something stayed
behind.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import trustme

from benchmarks.programs import free_port, resident, wait_for_port

CONFIG = """
global
    maxconn 4000
defaults
    mode http
    timeout connect 500ms
    timeout client 1s
    timeout server 1s
    timeout queue 300ms
    timeout tunnel 1s
    timeout http-request 800ms
    retries 0
frontend plain
    bind 127.0.0.1:{plain}
    use_backend narrow if {{ path_beg /narrow }}
    use_backend nowhere if {{ path_beg /nowhere }}
    http-request return status 200 content-type text/plain string hello if {{ path_beg /own }}
    http-request deny if {{ path_beg /deny }}
    default_backend be
frontend secure
    bind 127.0.0.1:{secure} ssl crt {folder}/front.pem
    default_backend be
frontend proxied
    bind 127.0.0.1:{proxied} accept-proxy
    default_backend be
frontend bytes
    mode tcp
    bind 127.0.0.1:{bytes}
    default_backend echo
backend be
    server s1 127.0.0.1:{origin}
backend narrow
    server s1 127.0.0.1:{origin} maxconn 2
backend nowhere
    server s1 127.0.0.1:{closed}
backend echo
    mode tcp
    server s1 127.0.0.1:{echo}
"""
#: Makes hapy write its counts into the file that the environment names; no part of hapy itself.
COUNT = signal.SIGRTMIN + 5
_RESET = struct.pack("ii", 1, 0)
_BIG = b"x" * 300_000
#: Of how many parts the traffic is made: memory is looked at after each.
_PARTS = 10
#: Growth that is no leak: allocators keep some of what they once had.
ALLOWED_MEMORY = 8 << 20


# --- inside hapy ---


def serve(arguments: list[str]) -> int:
    """hapy, with a signal that counts."""
    import ctypes
    import gc
    from collections import Counter

    from hapy.cli import main

    trim = getattr(ctypes.CDLL(None), "malloc_trim", lambda _size: 0)

    def count(_number: int, _frame: object) -> None:
        gc.collect()
        trim(0)  # what the allocator keeps for later is no leak
        kinds = Counter(
            f"{type(one).__module__}.{type(one).__qualname__}"
            for one in gc.get_objects()
            if type(one).__module__.split(".")[0] in ("hapy", "uvloop", "ssl", "_ssl", "_asyncio", "asyncio")
        )
        tasks = len(asyncio.all_tasks(asyncio.get_running_loop()))
        target = Path(os.environ["HAPY_COUNTS"])
        partial = target.with_suffix(".new")
        partial.write_text(json.dumps({"tasks": tasks, "objects": kinds}))
        partial.rename(target)

    signal.signal(COUNT, count)
    return main(arguments)


@dataclass(frozen=True, slots=True)
class Counts:
    """What the process holds.

    Attributes:
        descriptors: open files. tasks: of the event loop. objects: instances by class. memory: resident bytes.
    """

    descriptors: int
    tasks: int
    objects: dict[str, int]
    memory: int


def look(process: subprocess.Popen[bytes], file: Path) -> Counts:
    """Ask the process."""
    file.unlink(missing_ok=True)
    process.send_signal(COUNT)
    deadline = time.monotonic() + 30
    while not file.exists():
        if time.monotonic() > deadline or process.poll() is not None:
            raise SystemExit("hapy does not answer")
        time.sleep(0.02)
    told = json.loads(file.read_text())
    descriptors = len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
    return Counts(descriptors, told["tasks"], told["objects"], resident(process.pid))


def settled(process: subprocess.Popen[bytes], file: Path, floor: Counts | None = None, seconds: float = 15) -> Counts:
    """What is left when timeouts have passed: no more than `floor`, or what does not change any more."""
    deadline = time.monotonic() + seconds
    before = look(process, file)
    calm = 0
    while time.monotonic() < deadline:
        time.sleep(1.0)
        now = look(process, file)
        if floor is not None and not left_behind(floor, now):
            return now
        calm = 0 if left_behind(before, now) or left_behind(now, before) else calm + 1
        if floor is None and calm == _CALM:
            return now
        before = now
    return before


def left_behind(before: Counts, after: Counts) -> list[str]:
    """What there is more of than before."""
    found = []
    if after.descriptors > before.descriptors + _IDLE:
        found.append(f"{after.descriptors - before.descriptors} file descriptors")
    if after.tasks > before.tasks:
        found.append(f"{after.tasks - before.tasks} tasks")
    for kind, count in after.objects.items():
        slack = _SLACK.get(kind) or _SLACK.get(kind.removeprefix("uvloop.loop."), 0)
        if count > before.objects.get(kind, 0) + slack:
            found.append(f"{count - before.objects.get(kind, 0)} of {kind}")
    return found


#: Seconds without a change: pools are purged every five.
_CALM = 6
#: Idle server connections come and go by what pools find needed; so do timers that are about to run.
_IDLE = 10
_SLACK = {
    **dict.fromkeys(
        ("hapy.proxy.server_connection.ServerConnection", "hapy.http.response_parser.ResponseParser"), _IDLE
    ),
    **dict.fromkeys(("uvloop.loop.TCPTransport", "uvloop.loop.PseudoSocket"), _IDLE),
    **dict.fromkeys(("hapy.pool.pool._Shelf", "hapy.pool.key.ConnectionKey"), _IDLE),
    **dict.fromkeys(("TimerHandle", "UVTimer", "Handle", "UVHandle"), 4),
}


# --- the origins ---


async def origin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An HTTP server whose manners the path decides on."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            path = head.split(b" ", 2)[1]
            if b"reset" in path:
                _reset(writer)
                return
            if b"silent" in path:
                await reader.read()
                break
            if b"upgrade" in path:
                writer.write(b"HTTP/1.1 101 Up\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\nhi")
                while data := await reader.read(1000):
                    writer.write(data)
                break
            if b"big" in path:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(_BIG))
                writer.write(_BIG[:100_000] if b"cut" in path else _BIG)
                if b"cut" in path:
                    break
            elif b"chunks" in path:
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n")
            elif b"junk" in path:
                writer.write(b"what is this\r\n\r\n")
                break
            else:
                if b"slow" in path:
                    await asyncio.sleep(0.05)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                if b"POST" in head[:4]:
                    await reader.read(100_000)
            await writer.drain()
    writer.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Gives back what it gets; some words make it end otherwise."""
    with contextlib.suppress(OSError, asyncio.CancelledError):
        while data := await reader.read(65536):
            if data.startswith(b"reset"):
                _reset(writer)
                return
            if data.startswith(b"bye"):
                break
            writer.write(data)
            await writer.drain()
    writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


# --- the clients ---


class Dialogue:
    """One client connection, and the random means at its disposal."""

    def __init__(self, ports: dict[str, int], tls: ssl.SSLContext, dice: random.Random) -> None:
        self.ports = ports
        self.tls = tls
        self.dice = dice

    async def open(self, name: str, *, tls: bool = False) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect from one of many addresses, so that ports do not run out."""
        local = (f"127.0.{self.dice.randrange(1, 200)}.{self.dice.randrange(1, 250)}", 0)
        options = {"ssl": self.tls, "server_hostname": "front.test"} if tls else {}
        return await asyncio.open_connection("127.0.0.1", self.ports[name], local_addr=local, **options)

    async def end(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Leave by one of the ways there are."""
        match self.dice.randrange(10):
            case 0 | 1 | 2 | 3:
                writer.close()
            case 4 | 5 | 6:
                _reset(writer)
            case 7 | 8:
                if writer.can_write_eof():
                    writer.write_eof()
                await _drain(reader)
                writer.close()
            case _:
                await _drain(reader)  # hapy has to end it
                writer.close()

    async def http(self, name: str, *, tls: bool = False, preface: bytes = b"") -> None:
        """An HTTP connection: some requests, cut anywhere."""
        dice = self.dice
        reader, writer = await self.open(name, tls=tls)
        writer.write(preface)
        for _ in range(dice.choice((0, 1, 1, 1, 2, 4))):
            path = dice.choice(PATHS)
            if dice.random() < 0.15:
                data = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n%b" % (path, b"b" * 1000)
            elif b"upgrade" in path:
                data = b"GET %b HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n" % path
            else:
                data = b"GET %b HTTP/1.1\r\nHost: a\r\nCookie: %d\r\n\r\n" % (path, dice.randrange(10**9))
            if dice.random() < 0.1:
                data *= 3  # pipelining
            if dice.random() < 0.2:
                writer.write(data[: dice.randrange(1, len(data))])
                break
            writer.write(data)
            if dice.random() < 0.15:
                break  # leave before there is an answer
            if not await reader.read(dice.choice((10, 65536, 400_000))):
                break
        await self.end(reader, writer)

    async def bytes(self) -> None:
        """A TCP session."""
        reader, writer = await self.open("bytes")
        for _ in range(self.dice.randrange(4)):
            word = self.dice.choice((b"x", b"y" * 50_000, b"reset", b"bye", b"z" * 400_000))
            writer.write(word)
            if self.dice.random() < 0.5 and not await reader.read(1000):
                break
        await self.end(reader, writer)

    async def half_a_handshake(self) -> None:
        """Some of a ClientHello, or something else, and no more."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.tls.wrap_bio(incoming, outgoing, server_hostname="front.test")
        with contextlib.suppress(ssl.SSLWantReadError):
            tls.do_handshake()
        hello = outgoing.read()
        reader, writer = await self.open("secure")
        match self.dice.randrange(4):
            case 0:
                writer.write(hello[: self.dice.randrange(1, len(hello))])
            case 1:
                writer.write(hello)
                await reader.read(1000)
            case 2:
                writer.write(self.dice.randbytes(100))
            case _:
                writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await self.end(reader, writer)

    async def one(self) -> None:
        """A connection of some kind."""
        number = self.dice.random()
        if number < 0.5:
            await self.http("plain")
        elif number < 0.65:
            await self.http("secure", tls=True)
        elif number < 0.72:
            await self.half_a_handshake()
        elif number < 0.82:
            header = b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 2000\r\n"
            await self.http("proxied", preface=header[: self.dice.choice((0, 5, 20, 100, 100, 100))])
        else:
            await self.bytes()


PATHS = (
    *(b"/", b"/", b"/", b"/own", b"/deny", b"/big", b"/bigcut", b"/chunks", b"/junk", b"/reset", b"/upgrade", b"/slow"),
    *(b"/narrow/slow", b"/narrow/slow", b"/nowhere", b"/silent"),
)


async def _drain(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(OSError):
        while await reader.read(65536):
            pass


async def traffic(dialogue: Dialogue, count: int, at_once: int) -> dict[str, int]:
    """`count` connections, `at_once` at a time; how they ended, by the name of the error or `fine`."""
    ends: dict[str, int] = {}
    left = count

    async def client() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            try:
                await asyncio.wait_for(dialogue.one(), 20)
                how = "fine"
            except (OSError, TimeoutError) as error:
                how = type(error).__name__
            ends[how] = ends.get(how, 0) + 1

    await asyncio.gather(*(client() for _ in range(at_once)))
    return ends


# --- all of it ---


@dataclass(frozen=True, slots=True)
class Findings:
    """What a run has found.

    Attributes:
        before, after: the counts. ends: how connections ended. seconds: how long it took.
        course: resident memory in bytes after each tenth of the connections.
    """

    before: Counts
    after: Counts
    ends: dict[str, int]
    seconds: float
    course: list[int]

    @property
    def leaks(self) -> list[str]:
        """What stayed behind."""
        found = left_behind(self.before, self.after)
        growth = self.after.memory - self.before.memory
        if growth > ALLOWED_MEMORY:
            found.append(f"{growth >> 20} MB of memory")
        return found


def _launch(config: Path, counts: Path) -> subprocess.Popen[bytes]:
    program = "import sys; from benchmarks.leaks import serve; sys.exit(serve(sys.argv[1:]))"
    command = [sys.executable, "-c", program, "-db", "-f", str(config)]
    return subprocess.Popen(command, env={**os.environ, "HAPY_COUNTS": str(counts)})


async def measure(connections: int, *, at_once: int = 60, seed: int = 1) -> Findings:
    """Start hapy and the origins, make the connections, count before and after."""
    names = ("plain", "secure", "proxied", "bytes", "origin", "echo", "closed")
    ports = {name: free_port() for name in names}
    servers: list[Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]] = [origin, echo]
    with tempfile.TemporaryDirectory() as folder:
        authority = trustme.CA()
        authority.issue_cert("front.test").private_key_and_cert_chain_pem.write_to_path(f"{folder}/front.pem")
        config = Path(folder) / "hapy.cfg"
        config.write_text(CONFIG.format(folder=folder, **ports))
        counts = Path(folder) / "counts"
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        authority.configure_trust(tls)
        async with contextlib.AsyncExitStack() as stack:
            for serving, name in zip(servers, ("origin", "echo"), strict=True):
                await stack.enter_async_context(await asyncio.start_server(serving, "127.0.0.1", ports[name]))
            process = _launch(config, counts)
            try:
                await asyncio.to_thread(wait_for_port, ports["plain"], process)
                dialogue = Dialogue(ports, tls, random.Random(seed))
                await traffic(dialogue, max(connections // 10, 300), at_once)
                before = await asyncio.to_thread(settled, process, counts)
                begun = time.monotonic()
                ends: dict[str, int] = {}
                course = []
                for part in range(_PARTS):
                    count = connections * (part + 1) // _PARTS - connections * part // _PARTS
                    for how, number in (await traffic(dialogue, count, at_once)).items():
                        ends[how] = ends.get(how, 0) + number
                    course.append(resident(process.pid))
                seconds = time.monotonic() - begun
                after = await asyncio.to_thread(settled, process, counts, before)
            finally:
                process.terminate()
                process.wait(10)
    return Findings(before, after, ends, seconds, course)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leaks", description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=5000, help="how many, after the warm-up (default 5000)")
    parser.add_argument("--at-once", type=int, default=60, help="how many at a time (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="of the dice (default 1)")
    options = parser.parse_args()
    found = asyncio.run(measure(options.connections, at_once=options.at_once, seed=options.seed))
    before, after = found.before, found.after
    rows = [("file descriptors", before.descriptors, after.descriptors), ("tasks", before.tasks, after.tasks)]
    rows.append(("resident memory, KB", before.memory >> 10, after.memory >> 10))
    rows.append(("objects", sum(before.objects.values()), sum(after.objects.values())))
    rows += [
        (f"  {kind}", before.objects.get(kind, 0), after.objects.get(kind, 0))
        for kind in sorted({*before.objects, *after.objects})
        if before.objects.get(kind, 0) != after.objects.get(kind, 0)
    ]
    print(f"{options.connections} connections in {found.seconds:.0f} s: {found.ends}")
    print(f"resident memory on the way, MB: {' '.join(str(size >> 20) for size in found.course)}")
    print(f"{'':48} {'before':>10} {'after':>10}")
    for name, first, last in rows:
        print(f"{name:48} {first:10} {last:10}")
    for leak in found.leaks:
        print(f"left behind: {leak}")
    return 1 if found.leaks else 0


if __name__ == "__main__":
    sys.exit(main())

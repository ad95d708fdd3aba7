"""`python -m benchmarks.churn [--seconds 20] [--seed 1]`: servers and DNS records come and go under load.

Ten origins, a name server, and clients that never pause: half keep their connections, half make one for each request.
Every few hundred milliseconds something happens: the name gets other addresses, an origin goes away with or without
its record being taken away first, another one comes; the name server refuses, fails, does not know the name, says
nothing, is slow, cuts its answers, or lies. What counts is how many requests were lost, of how many, by haproxy and by
hapy; and how long the slowest took.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import dns.message

from benchmarks.programs import HAPY, free_port, need, running
from compat.harness.dns import DnsServer

NAME = "churn.test"
CONFIG = """
global
    nbthread 1
defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 10s
    timeout queue 5s
    retries 4
    option redispatch 1
    retry-on conn-failure empty-response response-timeout
resolvers r
    nameserver n1 {dns}
    timeout resolve 100ms
    timeout retry 100ms
    resolve_retries 3
    accepted_payload_size 4096
    hold nx 5s
    hold refused 5s
    hold timeout 5s
    hold other 5s
    hold obsolete 300ms
frontend fe
    bind 127.0.0.1:{port}
    default_backend be
backend be
    balance leastconn
    http-reuse always
    default-server check inter 300ms fall 1 rise 1 maxconn 20
    server-template s 6 {name}:{origins} resolvers r init-addr none resolve-prefer ipv4
"""


class Site:
    """An origin on an address of its own."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.server: asyncio.Server | None = None
        self.writers: set[asyncio.StreamWriter] = set()
        self.served = 0

    async def open(self) -> None:
        """Begin to listen."""
        if self.server is None:
            self.server = await asyncio.start_server(self._serve, self.host, self.port, reuse_address=True)

    async def close(self) -> None:
        """Stop listening, finish what is under way, close what idles."""
        server, self.server = self.server, None
        if server is not None:
            server.close()
            for writer in tuple(self.writers):
                writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        idle = self.writers
        idle.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await reader.readuntil(b"\r\n\r\n"):
                idle.discard(writer)
                await asyncio.sleep(0.002)
                self.served += 1
                last = self.server is None
                close = b"connection: close\r\n" if last else b""
                writer.write(b"HTTP/1.1 200 OK\r\n" + close + b"content-length: 2\r\n\r\nok")
                if last:
                    break
                idle.add(writer)
        idle.discard(writer)
        writer.close()


@dataclass
class Outcome:
    """What the clients saw."""

    answers: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    events: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lost = ", ".join(f"{count} {what}" for what, count in self.lost.most_common()) or "none"
        return f"{self.answers} answers, lost: {lost}; slowest {self.slowest * 1000:.0f} ms"


class Client:
    """One that never pauses."""

    def __init__(self, port: int, outcome: Outcome, *, keeps: bool) -> None:
        self.port = port
        self.outcome = outcome
        self.keeps = keeps

    async def run(self, ends: Callable[[], bool]) -> None:
        """Ask until it ends."""
        pair: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        while not ends():
            began = time.monotonic()
            try:
                if pair is None:
                    pair = await asyncio.open_connection("127.0.0.1", self.port)
                what = await asyncio.wait_for(self._ask(*pair), 20)
            except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
                what = type(error).__name__
            self.outcome.slowest = max(self.outcome.slowest, time.monotonic() - began)
            if what == "200":
                self.outcome.answers += 1
            else:
                self.outcome.lost[what] += 1
            if pair is not None and (what != "200" or not self.keeps):
                pair[1].close()
                pair = None
            await asyncio.sleep(0.003)
        if pair is not None:
            pair[1].close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        writer.write(b"GET / HTTP/1.1\r\nhost: churn\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        status = head[9:12].decode()
        if status == "200":
            await reader.readexactly(2)
        return status


def _lie(query: dns.message.Message, answer: dns.message.Message) -> list[bytes]:
    """Forged answers, noise, and at last the honest one."""
    honest = answer.to_wire(want_shuffle=False)
    forged = bytearray(honest)
    forged[0] ^= 0x55
    return [bytes(forged), honest[:20], b"\xff" * 60, query.to_wire(), honest]


class Churn:
    """What happens."""

    def __init__(self, server: DnsServer, sites: list[Site], seed: int, outcome: Outcome) -> None:
        self.server = server
        self.sites = sites
        self.random = random.Random(seed)
        self.outcome = outcome
        self.up = list(sites[:6])

    def publish(self) -> None:
        """Some of those that are up have records, at least two."""
        chosen = self.random.sample(self.up, self.random.randint(2, min(6, len(self.up))))
        self.server.set(NAME, "A", *(site.host for site in chosen))

    async def step(self) -> None:
        """One event, and its end."""
        what = self.random.choice(
            ["records", "records", "records", "leave", "vanish", "come", "NXDOMAIN", "REFUSED", "SERVFAIL", "silence",
             "slow", "cut", "lies"]
        )  # fmt: skip
        self.outcome.events.append(what)
        server = self.server
        pause = self.random.uniform(0.1, 0.6)
        if what == "records":
            self.publish()
        elif what == "leave" and len(self.up) > 3:
            site = self.up.pop(self.random.randrange(len(self.up)))
            self.publish()
            await asyncio.sleep(1.0)
            await site.close()
        elif what == "vanish" and len(self.up) > 4:
            site = self.up.pop(self.random.randrange(len(self.up)))
            await site.close()
            await asyncio.sleep(pause)
            self.publish()
        elif what == "come":
            away = [site for site in self.sites if site not in self.up]
            if away:
                site = self.random.choice(away)
                await site.open()
                self.up.append(site)
                self.publish()
        elif what in ("NXDOMAIN", "REFUSED", "SERVFAIL"):
            server.rcode = what
            await asyncio.sleep(pause)
            server.rcode = None
        elif what == "silence":
            server.silent = True
            await asyncio.sleep(pause)
            server.silent = False
        elif what == "slow":
            server.delay = 0.08
            await asyncio.sleep(pause)
            server.delay = 0.0
        elif what == "cut":
            server.truncate = True
            await asyncio.sleep(pause)
            server.truncate = False
        elif what == "lies":
            server.lie = _lie
            await asyncio.sleep(pause)
            server.lie = None
        await asyncio.sleep(self.random.uniform(0.05, 0.3))


async def churn(port: int, server: DnsServer, origins: int, seconds: float, seed: int, clients: int = 12) -> Outcome:
    """Let it happen around a program that listens on `port`; what its clients saw."""
    outcome = Outcome()
    net = f"127.{200 + random.Random(time.time()).randrange(50)}.{port % 250}"
    sites = [Site(f"{net}.{number}", origins) for number in range(1, 11)]
    changes = Churn(server, sites, seed, outcome)
    for site in changes.up:
        await site.open()
    changes.publish()
    first = Client(port, Outcome(), keeps=False)
    deadline = time.monotonic() + 10
    while not first.outcome.answers and time.monotonic() < deadline:
        begun = time.monotonic()
        await first.run(lambda begun=begun: time.monotonic() > begun + 0.05)  # type: ignore[misc]
    ends = time.monotonic() + seconds
    over = lambda: time.monotonic() > ends  # noqa: E731
    tasks = [asyncio.create_task(Client(port, outcome, keeps=number % 2 == 0).run(over)) for number in range(clients)]
    while not over():
        await changes.step()
    await asyncio.gather(*tasks)
    for site in sites:
        await site.close()
    return outcome


def measure(command: list[str], seconds: float, seed: int) -> Outcome:
    """One program through it."""
    server = DnsServer()
    port, origins = free_port(), free_port()
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "churn.cfg"
            path.write_text(CONFIG.format(dns=server.address, port=port, name=NAME, origins=origins))
            with running([*command, "-db", "-f", str(path)], port):
                return asyncio.run(churn(port, server, origins, seconds, seed))
    finally:
        server.close()


def main() -> None:
    """Both programs, the same events."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    need("haproxy")
    for name, command in (("haproxy", [shutil.which("haproxy") or "haproxy"]), ("hapy", HAPY)):
        outcome = measure(command, options.seconds, options.seed)
        print(f"{name:8} {outcome} ({len(outcome.events)} events)", flush=True)


if __name__ == "__main__":
    main()

"""Every reuse reason, reached from outside: in a log format, in `show servers reuse` and in the output of `-d`."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from hapy.pool import ReuseReason
from tests.hapy.balance.referee import Origin, read_answer, request_bytes
from tests.ports import reserved_port

#: Backend: its lines, what its server has besides.
BACKENDS = {
    "always": ("http-reuse always", ""),
    "safe": ("http-reuse safe", ""),
    "never": ("http-reuse never", ""),
    "warm": ("http-reuse always", "# hapy: pool-min-conn 1"),
    "proxied": ("http-reuse always", "send-proxy"),
    "none_kept": ("http-reuse always", "pool-max-conn 0"),
    "one_kept": ("http-reuse always", "pool-max-conn 1"),
    "purged": ("http-reuse always", "pool-purge-delay 100ms"),
    "spent": ("http-reuse always", "max-reuse 1"),
    "retry": ("http-reuse always\n    retry-on empty-response", ""),
}
CONFIG = """
global
    log stdout format raw local0
    stats socket {root}/stats
defaults
    mode http
    timeout client 30s
    timeout server 30s
    timeout connect 5s
    default-server pool-purge-delay 60s
frontend fe
    bind 127.0.0.1:{port}
    log global
    option dontlognull
    log-format "log %b %[var(txn.hapy.reuse)]"
    use_backend %[path,field(-1,/)]
"""
PATIENCE = 20.0


class Stage:
    """hapy before the origin, and what is expected of it so far."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.origins = {name: Origin(f"{root}/{name}") for name in BACKENDS}
        self.port = reserved_port()
        text = CONFIG.format(root=root, port=self.port)
        for name, (lines, rest) in BACKENDS.items():
            text += f"backend {name}\n    {lines}\n    server s unix@{root}/{name} {rest}\n"
        (root / "cfg").write_text(text)
        self.output = root / "output"
        with self.output.open("w") as out:
            command = [sys.executable, "-m", "hapy", "-d", "-f", str(root / "cfg")]
            self.process = subprocess.Popen(command, stdout=out, stderr=out)
        self.clients: list[socket.socket] = []
        self.expected: list[tuple[str, str]] = []
        until(lambda: answers(self.port), self.output.read_text)

    def client(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port))
        sock.settimeout(PATIENCE)
        self.clients.append(sock)
        return sock

    def ask(self, sock: socket.socket, backend: str, reason: ReuseReason, what: str = "get") -> None:
        """One request and its answer, and the reason that it must have."""
        sock.sendall(request_bytes("GET", f"/{what}/{backend}", [], b""))
        assert read_answer(sock)
        self.expected.append((backend, reason.value))
        until(lambda: self.logged()[-1:] == self.expected[-1:], self.output.read_text)

    def logged(self) -> list[tuple[str, str]]:
        return re.findall(r"^log (\S+) (\S+)$", self.output.read_text(), re.MULTILINE)

    def shown_by_debug(self) -> list[tuple[str, str]]:
        return re.findall(r":(\w+)\.server\[[^]]*\]: s reuse=(\S+)$", self.output.read_text(), re.MULTILINE)

    def command(self, text: str) -> str:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(PATIENCE)
            sock.connect(f"{self.root}/stats")
            sock.sendall(text.encode() + b"\n")
            return b"".join(iter(lambda: sock.recv(65536), b"")).decode()

    def counted(self) -> Counter[tuple[str, str]]:
        """`show servers reuse`, the zeros left out."""
        head, *rows = self.command("show servers reuse").strip().splitlines()
        found: Counter[tuple[str, str]] = Counter()
        for row in rows:
            name, *numbers = row.split()
            for reason, number in zip(head.split()[2:], numbers, strict=True):
                found[name.removesuffix("/s"), reason] = int(number)
        return +found

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for sock in self.clients:
            sock.close()
        for origin in self.origins.values():
            origin.close()


def until(holds: Callable[[], bool], story: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, story()
        time.sleep(0.005)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    it = Stage(tmp_path)
    yield it
    it.close()


def test_every_reason_is_told_alike_everywhere(stage: Stage) -> None:
    reason = ReuseReason
    one, two = stage.client(), stage.client()

    stage.ask(one, "always", reason.NONE)
    stage.ask(one, "always", reason.HIT)
    stage.ask(one, "always", reason.HIT, "close")
    stage.ask(one, "always", reason.CLOSED)
    stage.origins["always"].hang_up()
    until(lambda: not stage.origins["always"].open, stage.output.read_text)
    until(lambda: idle(stage, "always") == 0, lambda: stage.command("show servers conn"))
    stage.ask(one, "always", reason.STALE)
    stage.ask(one, "always", reason.HIT, "ntlm")
    stage.ask(two, "always", reason.PRIVATE)
    stage.ask(one, "always", reason.OWN)

    stage.ask(one, "safe", reason.NONE)
    stage.ask(stage.client(), "safe", reason.FIRST)

    stage.ask(one, "never", reason.NEVER)
    stage.ask(one, "never", reason.OWN)
    stage.ask(two, "never", reason.NEVER)

    until(lambda: idle(stage, "warm") == 1, lambda: stage.command("show servers conn"))
    stage.ask(one, "warm", reason.WARM)

    stage.ask(one, "proxied", reason.NONE)
    stage.ask(two, "proxied", reason.KEY)

    stage.ask(one, "none_kept", reason.OFF)

    for number in range(3):
        stage.ask(one, "spent", (reason.NONE, reason.HIT, reason.SPENT)[number])

    stage.ask(one, "purged", reason.NONE)
    until(lambda: not stage.origins["purged"].open, stage.output.read_text)
    stage.ask(one, "purged", reason.PURGED)

    stage.ask(one, "retry", reason.RETRY, "drop")

    at_limit(stage)

    assert {word for _, word in stage.expected} == {word.value for word in ReuseReason}
    assert stage.logged() == stage.expected
    until(lambda: len(stage.shown_by_debug()) >= len(stage.expected), stage.output.read_text)
    assert stage.shown_by_debug() == stage.expected
    # The request that was repeated had two attempts, each counted.
    assert stage.counted() == Counter([*stage.expected, ("retry", "none")])


def at_limit(stage: Stage) -> None:
    """Two connections in use and one kept: the second of the next two requests finds none."""
    origin = stage.origins["one_kept"]
    socks = [stage.client(), stage.client()]
    for turn, reasons in enumerate((("none", "none"), ("hit", "limit"))):
        for number, sock in enumerate(socks):
            name = f"{turn}{number}"
            sock.sendall(request_bytes("GET", f"/hold/{name}/one_kept", [], b""))
            assert origin.arrived_at(f"{name}/one_kept") is not None
        for number, sock in enumerate(socks):
            origin.let_go(f"{turn}{number}/one_kept")
            assert read_answer(sock)
            stage.expected.append(("one_kept", reasons[number]))
            until(lambda: stage.logged() == stage.expected, stage.output.read_text)


def idle(stage: Stage, backend: str) -> int:
    """Idle connections of its server, as `show servers conn` tells."""
    head, row, *_ = stage.command(f"show servers conn {backend}").splitlines()
    return int(dict(zip(head.split()[1:], row.split(), strict=False))["idle_cur"])


def test_the_reason_is_the_request_s_own_though_others_ask_while_it_connects(tmp_path: Path) -> None:
    """One request waits for its handshake when another finds a connection: each is told its own reason."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("origin.test").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as origin, running(tmp_path, origin.getsockname()[1]) as port:
        origin.settimeout(PATIENCE)

        def ask() -> socket.socket:
            sock = socket.create_connection(("127.0.0.1", port))
            sock.sendall(request_bytes("GET", "/", [], b""))
            return sock

        def answer(conn: ssl.SSLSocket, client: socket.socket) -> bytes:
            while b"\r\n\r\n" not in conn.recv(65536):
                pass
            conn.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            told = re.search(rb"\r\nx-reuse: (\w+)", read_answer(client))
            assert told
            return told.group(1)

        first = ask()
        standing = context.wrap_socket(origin.accept()[0], server_side=True)
        waiting = ask()
        raw = origin.accept()[0]
        assert answer(standing, first) == b"none"
        later = ask()
        assert answer(standing, later) == b"hit"
        connected = context.wrap_socket(raw, server_side=True)
        assert answer(connected, waiting) == b"none"
        for sock in (first, waiting, later, standing, connected):
            sock.close()


@contextlib.contextmanager
def running(root: Path, server: int) -> Iterator[int]:
    """hapy before one TLS server, and the port of it."""
    port = reserved_port()
    (root / "cfg").write_text(
        "defaults\n mode http\n timeout client 30s\n timeout server 30s\n timeout connect 30s\n"
        f"listen l\n bind 127.0.0.1:{port}\n http-reuse always\n"
        " http-response set-header x-reuse %[var(txn.hapy.reuse)]\n"
        f" server s 127.0.0.1:{server} ssl verify none pool-purge-delay 60s\n"
    )
    with (root / "output").open("w") as out:
        process = subprocess.Popen([sys.executable, "-m", "hapy", "-f", str(root / "cfg")], stdout=out, stderr=out)
    try:
        until(lambda: answers(port), (root / "output").read_text)
        yield port
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False

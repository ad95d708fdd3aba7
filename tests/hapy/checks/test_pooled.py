"""`check-reuse-pool`, `init-state`: checks over connections of the pool, and how servers begin (manual 3.4, 5.2)."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from compat.harness import World
from compat.harness.targets import Target, read_head, saying, wait_until

CONFIG = """
backend b
    http-reuse aggressive
    option httpchk GET /check {version}
    default-server inter 100ms rise 1 fall 1
    server s {one} check {words}
frontend fe
    bind "fd@${fe}"
    http-request return status 200 content-type text/plain lf-string "%[nbsrv(b)]" if { path /state }
    default_backend b
"""


class Origin(Target):
    """Keeps connections; notes each request's connection and target."""

    def __init__(self) -> None:
        self.connections = 0
        self.seen: list[tuple[int, bytes, bytes]] = []
        self.status = b"200 OK"
        self.once = False
        super().__init__(self._answer)

    def _answer(self, _target: Target, sock: socket.socket) -> None:
        self.connections += 1
        number = self.connections
        while head := read_head(sock):
            first, _, fields = head.partition(b"\r\n")
            self.seen.append((number, first.split(b" ")[1], fields.lower()))
            sock.sendall(b"HTTP/1.1 %b\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\no" % self.status)
            sock.sendall(b"k")
            if self.once:
                return

    def checks(self) -> int:
        return sum(target == b"/check" for _, target, _ in self.seen)


@pytest.fixture
def world() -> Iterator[World]:
    found = World("hapy")
    yield found
    found.stop()


@contextlib.contextmanager
def _origin(world: World, words: str, version: str = "HTTP/1.1", *, silent: bool = False) -> Iterator[Origin]:
    origin = Origin()
    if silent:
        origin.behave = saying(b"")
    world.places = {"one": origin.address}
    world.start(CONFIG.replace("{words}", words).replace("{version}", version))
    try:
        yield origin
    finally:
        origin.stop()


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
def test_checks_and_requests_share_connections(world: World, version: str) -> None:
    with _origin(world, "check-reuse-pool init-state down", version) as origin:
        assert wait_until(lambda: world.once("/state") == "1")
        assert wait_until(lambda: origin.checks() >= 3)
        for _ in range(3):
            assert world.once("/request") == "ok"
        assert wait_until(lambda: origin.checks() >= 6)
        # one for checks and requests, at most one more for each time that a request met a check under way
        assert origin.connections <= 4
        by_connection: dict[int, set[bytes]] = {}
        for number, target, fields in origin.seen:
            by_connection.setdefault(number, set()).add(target)
            if target == b"/check":
                assert b"connection: close" not in fields
                assert (b"connection: keep-alive" in fields) is (version == "HTTP/1.0")
        assert {b"/check", b"/request"} in by_connection.values()


def test_without_the_word_each_check_has_its_own_connection(world: World) -> None:
    with _origin(world, "") as origin:
        assert wait_until(lambda: origin.checks() >= 4)
        assert origin.connections >= 4
        assert all(b"connection: close" in fields for _, _, fields in origin.seen)


def test_a_dead_idle_connection_proves_nothing(world: World) -> None:
    with _origin(world, "check-reuse-pool") as origin:
        origin.once = True  # keeps what it says it keeps for no second request
        assert wait_until(lambda: origin.checks() >= 5)
        assert not any("is DOWN" in line for line in world.syslog.lines)


def test_bad_answers_and_refused_connections_count(world: World) -> None:
    with _origin(world, "check-reuse-pool") as origin:
        assert wait_until(lambda: origin.checks() >= 2)
        origin.status = b"500 No"
        assert wait_until(lambda: any("Layer7 wrong status, code: 500" in line for line in world.syslog.lines))
        origin.status = b"200 OK"
        assert wait_until(lambda: any("is UP" in line for line in world.syslog.lines))
        origin.refuse()
        origin.once = True
        assert wait_until(lambda: any('problem, info: "Connection refused"' in line for line in world.syslog.lines))
        origin.accept_again()


@pytest.mark.parametrize(
    ("words", "begins"),
    [("down", "0"), ("fully-down rise 3", "0"), ("up", "1"), ("fully-up fall 3", "1"), ("none", "1")],
)
def test_servers_begin_as_told(world: World, words: str, begins: str) -> None:
    with _origin(world, f"inter 100s init-state {words}", silent=True):  # no check ends
        assert world.once("/state") == begins


def test_init_state_is_refused_beside_track() -> None:
    from hapy_config import read_text

    text = (
        "listen l\n  mode http\n  bind :1\n  server a 127.0.0.1:2 check\n  server b 127.0.0.1:3 track a init-state {}\n"
    )
    for word, wrong in (("down", True), ("none", False), ("sideways", True)):
        errors = [one.message for one in read_text(text.replace("{}", word)).diagnostics if "init-state" in one.message]
        assert bool(errors) is wrong, word

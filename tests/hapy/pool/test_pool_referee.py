"""How many server connections the real haproxy opens and keeps, and how many the pool does, told the same story."""

from __future__ import annotations

import random
import re
import socket
import sys
import time
from typing import Any

import pytest

from hapy.pool import Pool
from tests.hapy.balance.referee import Referee, read_answer, request_bytes
from tests.hapy.pool.fakes import Client, Connection

CASES: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "safe": ("safe", "", "", {}),
    "aggressive": ("aggressive", "", "", {}),
    "always": ("always", "", "", {}),
    "never": ("never", "", "", {}),
    "pool-max-conn 0": ("always", "pool-max-conn 0", "", {"max_idle": 0}),
    "pool-max-conn 1": ("always", "pool-max-conn 1", "", {"max_idle": 1}),
    "pool-max-conn 2": ("always", "pool-max-conn 2", "", {"max_idle": 2}),
    "pool-low-conn 2": ("always", "pool-low-conn 2", "", {"low": 2}),
    "safe pool-low-conn 3": ("safe", "pool-low-conn 3", "", {"low": 3}),
    "pool-purge-delay 0": ("always", "pool-purge-delay 0", "", {"purge_delay": 0}),
    "never pool-max-conn 0": ("never", "pool-max-conn 0", "", {"max_idle": 0}),
    "retry-on": (
        "safe",
        "",
        "retry-on conn-failure empty-response response-timeout",
        {"retries_lost_requests": True},
    ),
}


class Story:
    """Clients that come, ask, wait for slow answers and go; each told to both."""

    def __init__(self, seed: int, referee: Referee, pool: Pool) -> None:
        self.chance = random.Random(seed)
        self.referee = referee
        self.pool = pool
        self.made: list[Connection] = []
        self.clients: list[tuple[Client, socket.socket]] = []
        self.holding: dict[int, str] = {}
        self.told: list[str] = []

    def tell(self, steps: int) -> None:
        try:
            for step in range(steps):
                self._step(step)
                self._compare()
        finally:
            for _, sock in self.clients:
                sock.close()

    def _step(self, step: int) -> None:
        what = self.chance.random()
        free = [number for number in range(len(self.clients)) if self.clients[number][0].busy is None]
        if what < 0.68:
            if not free or self.chance.random() < 0.45:
                self.clients.append((Client(self.pool), self.referee.connect()))
                number = len(self.clients) - 1
            else:
                number = self.chance.choice(free)
            closing = self.chance.random() < 0.1
            hold = what >= 0.5
            self._ask(number, f"{step}" if hold else None, closing=closing and not hold)
        elif what < 0.86 and self.holding:
            number = self.chance.choice(list(self.holding))
            self.referee.origin.let_go(self.holding.pop(number))
            read_answer(self.clients[number][1])
            self.clients[number][0].end()
            self.told.append(f"answer {number}")
        elif free:
            number = self.chance.choice(free)
            client, sock = self.clients.pop(number)
            self.holding = {n - (n > number): name for n, name in self.holding.items()}
            sock.close()
            client.leave()
            self.told.append(f"leave {number}")

    def _ask(self, number: int, hold: str | None, *, closing: bool) -> None:
        client, sock = self.clients[number]
        before = self.referee.origin.connections
        conn = client.begin()
        opened = conn not in self.made
        if opened:
            self.made.append(conn)
        self.told.append(f"ask {number} hold={hold} closing={closing} opened={opened}")
        uri = f"/hold/{hold}" if hold is not None else "/close" if closing else "/"
        sock.sendall(request_bytes("GET", uri, [], b""))
        if hold is not None:
            self.holding[number] = hold
            assert self.referee.origin.arrived_at(hold) is not None
            assert (self.referee.origin.connections > before) is opened, self.told
        else:
            number_of_its = re.search(rb"x-conn: (\d+)", read_answer(sock))
            assert number_of_its
            assert (int(number_of_its.group(1)) > before) is opened, self.told
            client.end(closing=closing)

    def _compare(self) -> None:
        expected = sum(not conn.closed for conn in self.made)
        deadline = time.monotonic() + 5
        while len(self.referee.origin.open) != expected:
            assert time.monotonic() < deadline, (self.told, expected, self.pool)
            time.sleep(0.002)


def settings_of(name: str) -> tuple[str, str, str, dict[str, Any]]:
    reuse, server, backend, settings = CASES[name]
    if "purge-delay" not in server:
        server += " pool-purge-delay 60s"  # no purge while the story is told
    return reuse, server, f"http-reuse {reuse}\n    {backend}", settings


@pytest.mark.referee
@pytest.mark.parametrize("name", CASES)
def test_same_connections(haproxy: str, name: str) -> None:
    reuse, server, backend, settings = settings_of(name)
    for seed in range(3):
        with Referee(haproxy, backend, [("s1", server)]) as referee:
            Story(seed, referee, Pool(reuse, **settings)).tell(40)


@pytest.mark.parametrize("name", CASES)
def test_hapy_itself(name: str) -> None:
    reuse, server, backend, settings = settings_of(name)
    with Referee([sys.executable, "-m", "hapy"], backend, [("s1", server)], hapy=True) as referee:
        Story(7, referee, Pool(reuse, **settings)).tell(40)


def becomes(referee: Referee, standing: int, made: int) -> None:
    """Wait until so many connections stand, of so many made."""
    deadline = time.monotonic() + 10
    origin = referee.origin
    while (len(origin.open), origin.connections) != (standing, made):
        assert time.monotonic() < deadline, (origin.open, origin.connections)
        time.sleep(0.005)


def test_hapy_opens_connections_ahead() -> None:
    server = "pool-purge-delay 60s # hapy: pool-min-conn 2"
    with Referee([sys.executable, "-m", "hapy"], "http-reuse safe", [("s1", server)], hapy=True) as referee:
        becomes(referee, 2, 2)
        assert referee.get() == "s1"
        assert (referee.origin.connections, referee.origin.requests) == (2, 1)
        referee.origin.hang_up()
        becomes(referee, 2, 4)
        assert referee.get() == "s1"


def test_hapy_opens_nothing_unasked() -> None:
    """A near server sees a connection when there is a request for it, and no more than that."""
    with Referee([sys.executable, "-m", "hapy"], "http-reuse always", [("s1", "")], hapy=True) as referee:
        assert referee.origin.connections == 0
        assert [referee.get() for _ in range(3)] == ["s1"] * 3
        referee.origin.hang_up()
        becomes(referee, 0, 1)
        assert referee.get() == "s1"
        assert referee.origin.connections == 2

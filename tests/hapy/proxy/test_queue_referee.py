"""Requests that wait: which one gets the next slot and where, compared with the real haproxy."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from hapy.proxy.queue import NoServer, QueueFull, Ticket
from hapy.proxy.server import Server
from hapy_config.model.proxy import Balance
from tests.hapy.balance.mine import Mine, backend_model, server_words
from tests.hapy.balance.referee import Referee

pytestmark = pytest.mark.referee


class Crowd:
    """Requests that come in, wait, are served and end; the same ones on both sides."""

    def __init__(self, seed: int, mine: Mine, referee: Referee, *, priorities: bool, keys: int, changes: bool) -> None:
        self.chance = random.Random(seed)
        self.mine = mine
        self.backend = mine.backend
        self.referee = referee
        self.priorities = priorities
        self.keys = keys
        self.changes = changes
        self.serving: dict[str, Server] = {}
        self.waiting: dict[str, tuple[Any, Ticket]] = {}
        self.told: list[str] = []

    def tell(self, steps: int) -> None:
        for step in range(steps):
            what = self.chance.random()
            if what < 0.5:
                self._come(f"r{step}")
            elif what < 0.9 and self.serving:
                name = self.chance.choice(sorted(self.serving))
                self.told.append(f"{name} ends")
                self.referee.let_go(name)
                self.backend.release(self.serving.pop(name))
                self.backend.end()
            elif self.changes and not (self.waiting and self.backend.balancer.in_line):
                self._change()  # (haproxy lets requests wait on when backups take over, hapy's go to these)
            self._settle()
            self._compare()

    def _come(self, name: str) -> None:
        headers = []
        if self.keys:
            headers.append(("x-key", f"key{self.chance.randrange(self.keys)}"))
        txn = self.mine.transaction(headers=headers)
        if self.priorities:
            priority_class, offset = self.chance.randint(-2, 2), self.chance.choice([0, 0, 100000, -100000])
            headers += [("x-class", str(priority_class)), ("x-offset", str(offset))]
            txn.override().priority_class = priority_class
            txn.override().priority_offset = offset
        self.told.append(f"{name} comes with {headers}")
        self.backend.begin()
        self.referee.send(name, headers)
        self._assign(name, txn)
        time.sleep(0.002)  # virtual times have milliseconds

    def _assign(self, name: str, txn: Any) -> None:
        try:
            server = self.backend.assign(txn)
        except (NoServer, QueueFull):
            self.backend.end()
            self.told.append(f"{name} refused")
            return
        if server is not None:
            self.serving[name] = server
        else:
            self.waiting[name] = txn, self.backend.enqueue(txn, lambda: None)

    def _settle(self) -> None:
        """What the waiting requests do when they learn of their turn."""
        for name, (txn, ticket) in list(self.waiting.items()):
            if not ticket.waiting:
                del self.waiting[name]
                if ticket.server is not None:
                    self.serving[name] = ticket.server
                else:
                    self._assign(name, txn)

    def _change(self) -> None:
        server = self.chance.choice(self.backend.servers)
        state = "maint"
        if not self.waiting:
            # haproxy 2.6 forgets to count requests that it hands to a server coming up, and exceeds its maxconn: no
            # server comes up here while requests wait
            state = self.chance.choice(["maint", "ready"])
        self.told.append(f"{server.model.name} {state}")
        self.referee.command(f"set server be/{server.model.name} state {state}")
        server.set_admin_state(maintenance=state == "maint")

    def _compare(self) -> None:
        expected = {name: server.model.name for name, server in self.serving.items()}
        deadline = time.monotonic() + 2
        while self.referee.origin.in_service() != expected:
            if time.monotonic() > deadline:
                raise AssertionError((expected, self.referee.origin.in_service(), self.told))
            time.sleep(0.002)


REDISPATCH = {"redispatch": -1}

CASES: dict[str, tuple[Balance, str, list[dict[str, Any]], dict[str, Any]]] = {
    "one server": (Balance(), "balance roundrobin", [{"maxconn": 2}], {}),
    "roundrobin": (Balance(), "balance roundrobin", [{"maxconn": 2}, {"maxconn": 1}, {"maxconn": 1, "weight": 3}], {}),
    "leastconn": (Balance("leastconn"), "balance leastconn", [{"maxconn": 2}, {"maxconn": 1}], {}),
    "leastconn with maxqueue": (
        Balance("leastconn"),
        "balance leastconn",
        [{"maxconn": 2, "maxqueue": 1}, {"maxconn": 1, "maxqueue": 2}, {"maxconn": 1}],
        {},
    ),
    "by key": (
        Balance("hdr", "x-key"),
        "balance hdr(x-key)",
        [{"maxconn": 2, "maxqueue": 3}, {"maxconn": 1}, {"maxconn": 1, "maxqueue": 1}],
        {},
    ),
    "by key with redispatch": (
        Balance("hdr", "x-key"),
        "balance hdr(x-key)\n    option redispatch",
        [{"maxconn": 2, "maxqueue": 3}, {"maxconn": 1}, {"maxconn": 1, "maxqueue": 1}],
        REDISPATCH,
    ),
    "minconn": (
        Balance(),
        "balance roundrobin\n    fullconn 12",
        [{"minconn": 1, "maxconn": 6}, {"minconn": 2, "maxconn": 4}],
        {"fullconn": 12},
    ),
    "minconn alone or above maxconn": (
        Balance(),
        "balance roundrobin",
        [{"minconn": 2}, {"minconn": 2, "maxconn": 1}],
        {},
    ),
    "backup": (Balance(), "balance roundrobin", [{"maxconn": 1}, {"maxconn": 2, "backup": True}], {}),
    "backup alone": (Balance(), "balance roundrobin", [{"maxconn": 1, "maxqueue": 1, "backup": True}], {}),
    "backup alone with static-rr": (
        Balance("static-rr"),
        "balance static-rr",
        [{"maxconn": 1, "maxqueue": 1, "backup": True}],
        {},
    ),
    "perhaps without a key": (
        Balance("url_param", "k"),
        "balance url_param k",
        [{"maxconn": 1, "maxqueue": 1}],
        {},
    ),
    "backup alone with random": (
        Balance("random"),
        "balance random",
        [{"maxconn": 1, "maxqueue": 1, "backup": True}],
        {},
    ),
}


@pytest.mark.parametrize("changes", [False, True])
@pytest.mark.parametrize("priorities", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_same_turns(haproxy: str, name: str, priorities: bool, changes: bool) -> None:
    balance, words, options, settings = CASES[name]
    lines = [(f"s{number}", option) for number, option in enumerate(options, 1)]
    frontend = "http-request set-priority-class hdr(x-class)\n    http-request set-priority-offset hdr(x-offset)"
    for seed in range(2):
        mine = Mine(backend_model(balance, lines, **settings))
        servers = [(server, server_words(option)) for server, option in lines]
        with Referee(haproxy, words, servers, frontend=frontend if priorities else "", queue="60s") as referee:
            keys = 12 if balance.algorithm == "hdr" else 0
            Crowd(seed, mine, referee, priorities=priorities, keys=keys, changes=changes).tell(45)

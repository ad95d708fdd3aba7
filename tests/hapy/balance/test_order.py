"""The order of servers, compared with the real haproxy's while requests are held and servers come and go."""

from __future__ import annotations

import random
from typing import Any

import pytest

from hapy.pool import OwnConnections
from hapy.proxy.backend import Backend
from hapy_config.model.proxy import Balance
from tests.hapy.balance.mine import Mine, Story, backend_model, server_words
from tests.hapy.balance.referee import Referee
from tests.hapy.pool.fakes import Connection

pytestmark = pytest.mark.referee

CONSISTENT: dict[str, Any] = {"hash_type": "consistent", "hash_modifier": "avalanche"}


def servers(seed: int, *, maxconn: bool, heaviest: int = 12) -> list[tuple[str, dict[str, Any]]]:
    chance = random.Random(seed)
    lines = []
    for number in range(1, chance.randint(2, 5) + 1):
        options: dict[str, Any] = {"weight": chance.randint(1, heaviest)}
        if maxconn:
            options["maxconn"] = chance.randint(1, 3)
        lines.append((f"s{number}", options))
    return lines


@pytest.mark.parametrize("algorithm", ["roundrobin", "static-rr", "leastconn", "first"])
@pytest.mark.parametrize(("maxconn", "changes"), [(False, False), (True, False), (False, True), (True, True)])
def test_same_servers(haproxy: str, algorithm: str, maxconn: bool, changes: bool) -> None:
    for seed in range(3):
        lines = servers(seed, maxconn=maxconn)
        mine = Mine(backend_model(Balance(algorithm), lines))
        weights = changes and algorithm != "static-rr"
        with Referee(haproxy, f"balance {algorithm}", [(n, server_words(o)) for n, o in lines]) as referee:
            Story(seed, states=changes, weights=weights).tell(mine, referee)


@pytest.mark.parametrize(
    ("hash_type", "options", "maxconn"),
    [
        ("", {}, True),
        ("hash-type consistent", CONSISTENT, False),
        ("hash-type consistent\n    hash-balance-factor 120", {"hash_balance_factor": 120, **CONSISTENT}, False),
    ],
)
@pytest.mark.parametrize("keyless", [0.0, 0.3, 1.0])
def test_same_servers_by_key(
    haproxy: str, hash_type: str, options: dict[str, Any], maxconn: bool, keyless: float
) -> None:
    for seed in range(3):
        lines = servers(seed, maxconn=maxconn, heaviest=6)
        mine = Mine(backend_model(Balance("hdr", argument="x-key", **options), lines))
        words = f"balance hdr(x-key)\n    {hash_type}"
        with Referee(haproxy, words, [(n, server_words(o)) for n, o in lines]) as referee:
            Story(seed, keys=20, keyless=keyless, states=True).tell(mine, referee)


@pytest.mark.parametrize("weights", [(1, 1, 1), (20, 20, 15), (11, 17, 20), (256, 1), (7, 5, 3, 2), (1, 1, 1, 1, 5)])
@pytest.mark.parametrize("algorithm", ["roundrobin", "static-rr"])
def test_long_sequences(haproxy: str, algorithm: str, weights: tuple[int, ...]) -> None:
    """Over more than two of roundrobin's windows."""
    lines = [(f"s{number}", {"weight": weight}) for number, weight in enumerate(weights, 1)]
    mine = Mine(backend_model(Balance(algorithm), lines))
    count = min(2500, sum(weights) * 16 * 2 + 50)
    with Referee(haproxy, f"balance {algorithm}", [(n, server_words(o)) for n, o in lines]) as referee:
        assert [mine.get() for _ in range(count)] == [referee.get() for _ in range(count)]


@pytest.mark.parametrize(
    ("algorithm", "allbackups"),
    [
        *((algorithm, True) for algorithm in ("roundrobin", "static-rr", "leastconn", "first", "hdr(x-key)")),
        # haproxy 2.6's static-rr mixes backups without allbackups too, against its manual: not compared
        *((algorithm, False) for algorithm in ("roundrobin", "leastconn", "first", "hdr(x-key)")),
    ],
)
def test_backups(haproxy: str, algorithm: str, allbackups: bool) -> None:
    lines = [
        ("s1", {"weight": 2}),
        ("b1", {"weight": 3, "backup": True}),
        ("s2", {"weight": 1}),
        ("b2", {"weight": 2, "backup": True}),
        ("b3", {"weight": 1, "backup": True}),
    ]
    balance = Balance("hdr", argument="x-key") if algorithm.startswith("hdr") else Balance(algorithm)
    options = frozenset({"allbackups"}) if allbackups else frozenset()
    mine = Mine(backend_model(balance, lines, options=options))
    words = f"balance {algorithm}" + ("\n    option allbackups" if allbackups else "")
    for seed in range(3):
        with Referee(haproxy, words, [(n, server_words(o)) for n, o in lines]) as referee:
            mine = Mine(backend_model(balance, lines, options=options))
            for server in mine.backend.servers[0::2]:
                referee.command(f"set server be/{server.model.name} state maint")
                server.set_admin_state(maintenance=True)
            Story(seed, steps=70, keys=10, keyless=0.5, states=True).tell(mine, referee)


@pytest.mark.parametrize("dead", [("s1",), ("s2",), ("s1", "s3")])
@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize(
    ("words", "balance"),
    [
        ("roundrobin", Balance()),
        ("static-rr", Balance("static-rr")),
        ("leastconn", Balance("leastconn")),
        ("first", Balance("first")),
        ("hdr(x-key)", Balance("hdr", "x-key")),
        ("hdr(x-key)\n    hash-type consistent", Balance("hdr", "x-key", **CONSISTENT)),
    ],
)
def test_redispatch(haproxy: str, words: str, balance: Balance, keyed: bool, dead: tuple[str, ...]) -> None:
    """A server that can't be connected to is avoided by the next attempt."""
    lines = [("s1", {"weight": 3}), ("s2", {"weight": 1}), ("s3", {"weight": 2})]
    mine = Mine(backend_model(balance, lines, redispatch=1))
    settings = f"balance {words}\n    option redispatch 1\n    retries 3"
    with Referee(haproxy, settings, [(n, server_words(o)) for n, o in lines], dead=dead) as referee:
        for number in range(20):
            headers = [("x-key", str(number))] if keyed else []
            assert mine.get_from_the_living(dead, headers) == referee.get(headers=headers)


@pytest.mark.parametrize("algorithm", ["roundrobin", "static-rr", "leastconn", "first", "hdr(x-key)"])
def test_disabled_at_start(haproxy: str, algorithm: str) -> None:
    balance = Balance("hdr", argument="x-key") if algorithm.startswith("hdr") else Balance(algorithm)
    lines = [("s1", {"weight": 2}), ("s2", {"weight": 5, "disabled": True}), ("s3", {"weight": 3})]
    mine = Mine(backend_model(balance, lines))
    with Referee(haproxy, f"balance {algorithm}", [(n, server_words(o)) for n, o in lines]) as referee:
        for state in ("", "ready"):
            if state:
                referee.command("set server be/s2 state ready")
                mine.backend.by_name["s2"].set_admin_state(maintenance=False)
            for number in range(25):
                headers = [("x-key", str(number))] if number % 2 else []
                assert mine.get(headers=headers) == referee.get(headers=headers), (state, number)


@pytest.mark.parametrize("reuse", ["never", "safe"])
@pytest.mark.parametrize("longest", ["", "max-keep-alive-queue 0"])
@pytest.mark.parametrize("algorithm", ["roundrobin", "leastconn", "hdr(x-key)"])
def test_prefer_last_server(haproxy: str, algorithm: str, longest: str, reuse: str) -> None:
    """One client stays on one server if it has a connection of its own there, another's is taken by turns."""
    balance = Balance("hdr", argument="x-key") if algorithm.startswith("hdr") else Balance(algorithm)
    lines: list[tuple[str, dict[str, Any]]] = [("s1", {}), ("s2", {}), ("s3", {})]
    queue = {"max_keep_alive_queue": 0} if longest else {}
    model = backend_model(balance, lines, options=frozenset({"prefer-last-server"}), reuse=reuse, **queue)
    backend = Backend(model)
    words = f"balance {algorithm}\n    http-reuse {reuse}\n    option prefer-last-server\n    {longest}"
    with Referee(haproxy, words, [(n, server_words(o)) for n, o in lines]) as referee:
        clients = [(OwnConnections(), referee.connect()) for _ in range(2)]
        mine = Mine(model)
        for number in range(12):
            own, sock = clients[number % 2]
            server = backend.assign(mine.transaction(), own=own)
            assert server is not None
            first = number < 2
            conn = server.pool.acquire(server.key, first, own)
            if conn is None:
                server.pool.reserve()
                conn = Connection()
            conn.requests += 1
            server.pool.release(conn, own)
            backend.release(server)
            assert referee.get(client=sock) == server.model.name
        for _, sock in clients:
            sock.close()

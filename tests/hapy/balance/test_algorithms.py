"""What the real haproxy can't show: chance, newer keywords, large farms."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from hapy.balance.draws import RandomDraws
from hapy.proxy.backend import Backend
from hapy_config.model.addresses import Address
from hapy_config.model.proxy import Balance
from hapy_config.model.server import Server as ServerModel
from tests.hapy.balance.mine import Mine, backend_model

CONSISTENT: dict[str, Any] = {"hash_type": "consistent", "hash_modifier": "avalanche"}


def test_random_follows_the_weights() -> None:
    mine = Mine(backend_model(Balance("random", "1"), [("s1", {"weight": 1}), ("s2", {"weight": 3})]))
    mine.backend._main = mine.backend.balancer = RandomDraws(1, number=random.Random(1).random)
    mine.backend.balancer.update(mine.backend.active)
    counts = Counter(mine.get() for _ in range(4000))
    assert 0.7 < counts["s2"] / 4000 < 0.8


def test_random_takes_the_least_loaded_of_its_draws() -> None:
    numbers = iter([0.1, 0.9] * 10)
    mine = Mine(backend_model(Balance("random"), [("s1", {}), ("s2", {})]))
    mine.backend._main = mine.backend.balancer = RandomDraws(2, number=lambda: next(numbers))
    mine.backend.balancer.update(mine.backend.active)
    assert [mine.hold(name) for name in "abcd"] == ["s1", "s2", "s1", "s2"]


def test_random_lets_requests_wait_for_any_server_when_its_choice_is_full() -> None:
    numbers = iter([0.1] * 10)
    mine = Mine(backend_model(Balance("random"), [("s1", {"maxconn": 1}), ("s2", {"maxconn": 1})]))
    mine.backend._main = mine.backend.balancer = RandomDraws(1, number=lambda: next(numbers))
    mine.backend.balancer.update(mine.backend.active)
    assert mine.hold("a") == "s1"
    assert mine.get() == "503"


def test_random_avoids_the_server_that_failed() -> None:
    mine = Mine(backend_model(Balance("random"), [("s1", {}), ("s2", {}), ("s3", {})]))
    failed = mine.backend.servers[1]
    for _ in range(50):
        server = mine.backend.assign(mine.transaction(), avoid=failed)
        assert server is not None
        assert server is not failed
        mine.backend.release(server)


def test_random_draws_by_weight_in_the_place_of_the_server_that_failed() -> None:
    mine = Mine(backend_model(Balance("random"), [(f"s{weight}", {"weight": weight}) for weight in (250, 1, 249)]))
    mine.backend._main = mine.backend.balancer = RandomDraws(2, number=random.Random(1).random)
    mine.backend.balancer.update(mine.backend.active)
    failed = mine.backend.servers[0]
    seen: Counter[str] = Counter()
    for _ in range(1000):
        server = mine.backend.assign(mine.transaction(), avoid=failed)
        assert server is not None
        seen[server.model.name] += 1
        mine.backend.release(server)
    assert seen["s249"] > 900


def test_random_respects_the_load_bound() -> None:
    numbers = iter([0.1] * 20)
    mine = Mine(backend_model(Balance("random"), [("s1", {}), ("s2", {})]))
    mine.backend._main = mine.backend.balancer = RandomDraws(1, 120, lambda: next(numbers))
    mine.backend.balancer.update(mine.backend.active)
    assert Counter(mine.hold(str(number)) for number in range(10)) == {"s1": 6, "s2": 4}


def addressed(order: list[int], hash_key: str) -> Backend:
    """The same servers, in another order."""
    servers = tuple(
        ServerModel(
            name=f"s{number}",
            number=place,
            address=Address("ipv4", f"192.0.2.{number}", 80),
            options={"hash-key": (hash_key,)},
        )
        for place, number in enumerate(order, 1)
    )
    model = backend_model(Balance("hdr", "x-key", **CONSISTENT), [])
    import dataclasses

    return Backend(dataclasses.replace(model, servers=servers))


@pytest.mark.parametrize(("hash_key", "agree"), [("id", False), ("addr", True), ("addr-port", True)])
def test_hash_key_makes_the_order_of_servers_irrelevant(hash_key: str, agree: bool) -> None:
    choices = []
    for order in ([1, 2, 3, 4], [3, 1, 4, 2]):
        backend = addressed(order, hash_key)
        names = []
        for number in range(60):
            server = backend.assign(Mine(backend.model).transaction(headers=[("x-key", str(number))]))
            assert server is not None
            backend.release(server)
            names.append(server.model.name)
        choices.append(names)
    assert (choices[0] == choices[1]) is agree


@pytest.mark.parametrize("hash_type", [{}, CONSISTENT])
def test_hash_preserve_affinity(hash_type: dict[str, Any]) -> None:
    lines = [(f"s{number}", {"maxconn": 1, "maxqueue": 1}) for number in range(1, 5)]
    balance = Balance("hdr", "x-key", **hash_type)
    key = [("x-key", "same")]
    always = Mine(backend_model(balance, lines))
    assert always.hold("a", key) is not None
    assert always.hold("b", key) is None
    elsewhere = Mine(backend_model(balance, lines, settings=(("hash-preserve-affinity", "maxconn"),)))
    assert len({elsewhere.hold(name, key) for name in "abcd"}) == 4
    assert elsewhere.hold("e", key) is None
    when_queue_is_full = Mine(backend_model(balance, lines, settings=(("hash-preserve-affinity", "maxqueue"),)))
    first = when_queue_is_full.hold("a", key)
    txn = when_queue_is_full.transaction(headers=key)
    assert when_queue_is_full.backend.assign(txn) is None
    ticket = when_queue_is_full.backend.enqueue(txn, lambda: None)
    assert ticket.waiting
    assert when_queue_is_full.hold("b", key) not in (None, first)


def test_hash_function_none_takes_the_number_itself() -> None:
    mine = Mine(backend_model(Balance("hdr", "x-key", hash_function="none"), [("s1", {}), ("s2", {}), ("s3", {})]))
    assert [mine.get(headers=[("x-key", key)]) for key in ("0", "1", "2", "3", "31x", "x")] == [
        *("s1", "s2", "s3", "s1", "s2", "s1")
    ]


def test_leastconn_keeps_its_order_in_large_farms() -> None:
    """Beyond a few servers a heap keeps the order; it must be the same order."""
    chance = random.Random(4)
    lines = [(f"s{number}", {"weight": chance.randint(1, 4)}) for number in range(40)]
    mine = Mine(backend_model(Balance("leastconn"), lines))
    held: list[str] = []
    for step in range(3000):
        if held and chance.random() < 0.48:
            mine.let_go(held.pop(chance.randrange(len(held))))
            continue
        name = str(step)
        loads = {s: (s.current + 1) * 256 // s.weight if s.current else 0 for s in mine.backend.servers}
        server = mine.hold(name)
        held.append(name)
        assert server is not None
        assert loads[mine.backend.by_name[server]] == min(loads.values())


def test_roundrobin_is_even_whatever_the_window() -> None:
    lines = [(f"s{number}", {"weight": weight}) for number, weight in enumerate((256, 255, 1, 77, 13))]
    mine = Mine(backend_model(Balance(), lines))
    total = sum(options["weight"] for _, options in lines)
    counts = Counter(mine.get() for _ in range(total * 16))
    for name, options in lines:
        assert abs(counts[name] - options["weight"] * 16) <= 2


@pytest.mark.parametrize("algorithm", ["roundrobin", "static-rr", "leastconn", "first", "random", "source"])
def test_no_server(algorithm: str) -> None:
    mine = Mine(backend_model(Balance(algorithm), [("s1", {"disabled": True}), ("s2", {"weight": 0})]))
    assert mine.get() == "503"
    mine.backend.by_name["s1"].set_admin_state(maintenance=False)
    assert mine.get() == "s1"

"""Connections that differ by the name asked for: each name that is in use keeps one, and gets it back when it goes."""

from __future__ import annotations

import anyio
import pytest

from hapy.pool import ConnectionKey, Pool
from hapy.pool.keeper import Keeper
from hapy.pool.pool import _MOST_NAMES
from tests.hapy.pool.fakes import Client, Connection

pytestmark = pytest.mark.anyio


def keys(count: int) -> list[ConnectionKey]:
    return [ConnectionKey(0, name=b"%d.test" % number) for number in range(count)]


def pool(**settings: int) -> Pool:
    made = Pool("always", **settings)
    made.named = True
    made.distance.add(0.1)
    return made


def one_off(served: Pool, key: ConnectionKey) -> Connection:
    client = Client(served, key)
    conn = client.begin()
    client.end()
    return conn


def test_one_of_each_name_is_kept_though_one_at_a_time_is_needed() -> None:
    served = pool()
    first = [one_off(served, key) for key in keys(20)]
    assert [one_off(served, key) for key in keys(20)] == first


def test_without_names_only_what_is_needed_at_once_is_kept() -> None:
    served = Pool("always")
    first = [one_off(served, key) for key in keys(3)]
    assert [one_off(served, key) for key in keys(3)][1:] != first[1:]


def test_names_are_kept_within_the_limits() -> None:
    served = pool(max_idle=4)
    for key in keys(20):
        one_off(served, key)
    assert served.idle == 4
    many = pool()
    for key in keys(_MOST_NAMES + 50):
        one_off(many, key)
    assert many.idle <= _MOST_NAMES + 1


def test_names_that_nobody_asks_for_are_purged() -> None:
    served = pool()
    all_keys = keys(20)
    for key in all_keys:
        one_off(served, key)
    for _ in range(12):
        one_off(served, all_keys[0])
        served.purge()
    assert served.idle <= 2
    assert served.acquire(all_keys[0], True) is not None


async def test_a_name_gets_its_connection_back() -> None:
    served = pool()
    made: list[ConnectionKey] = []

    async def dial(key: ConnectionKey) -> Connection:
        await anyio.lowlevel.checkpoint()
        made.append(key)
        return Connection(key)

    keeper = Keeper()
    keeper.add(served, dial)
    async with anyio.create_task_group() as group:
        group.start_soon(keeper.run)
        idle = [one_off(served, key) for key in keys(5)]
        await anyio.wait_all_tasks_blocked()
        for conn in idle[:3]:
            conn.end()
        await anyio.wait_all_tasks_blocked()
        assert sorted(made) == keys(3)
        assert served.idle == 5
        fresh = served.acquire(keys(1)[0], True)
        assert isinstance(fresh, Connection)
        assert fresh.requests == 0
        group.cancel_scope.cancel()


async def test_what_ends_unused_is_not_opened_again() -> None:
    served = pool()
    made: list[Connection] = []

    async def dial(key: ConnectionKey) -> Connection:
        await anyio.lowlevel.checkpoint()
        made.append(Connection(key))
        return made[-1]

    keeper = Keeper()
    keeper.add(served, dial)
    async with anyio.create_task_group() as group:
        group.start_soon(keeper.run)
        one_off(served, keys(1)[0]).end()
        await anyio.wait_all_tasks_blocked()
        assert len(made) == 1
        made[0].end()
        await anyio.wait_all_tasks_blocked()
        assert len(made) == 1
        group.cancel_scope.cancel()

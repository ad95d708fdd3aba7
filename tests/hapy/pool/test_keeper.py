"""Purging and warming over time, with a clock of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import pytest

from hapy.net.connect import ConnectFailed
from hapy.pool import FdBudget, Pool
from hapy.pool.keeper import Keeper
from tests.hapy.pool.fakes import Client, Connection

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.moment = 1000.0

    def __call__(self) -> float:
        return self.moment


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("hapy.pool.keeper.now", clock)
    monkeypatch.setattr("hapy.pool.pool.now", clock)
    return clock


class Origin:
    """Where dials go."""

    def __init__(self, clock: Clock, distance: float) -> None:
        self.clock = clock
        self.distance = distance
        self.made: list[Connection] = []
        self.attempts = 0
        self.down = False

    async def dial(self) -> Connection:
        self.attempts += 1
        self.clock.moment += self.distance
        await anyio.lowlevel.checkpoint()
        if self.down:
            raise ConnectFailed("refused")
        self.made.append(Connection())
        return self.made[-1]

    @property
    def open(self) -> int:
        return sum(not conn.closed for conn in self.made)


class Kept:
    """A pool with its keeper at work."""

    def __init__(self, the_keeper: Keeper, clock: Clock, pool: Pool, origin: Origin) -> None:
        self.keeper = the_keeper
        self.clock = clock
        self.pool = pool
        self.origin = origin

    async def settle(self, seconds: float = 0.0) -> None:
        """Let time pass and everybody do what is due."""
        self.clock.moment += seconds
        self.keeper._wake.set()
        for _ in range(20):
            await anyio.wait_all_tasks_blocked()


@asynccontextmanager
async def kept(clock: Clock, pool: Pool, *, distance: float = 0.1, probe: bool = False) -> AsyncIterator[Kept]:
    origin = Origin(clock, distance)
    the_keeper = Keeper()
    the_keeper.add(pool, origin.dial, probe=probe)
    async with anyio.create_task_group() as group:
        group.start_soon(the_keeper.run)
        yield Kept(the_keeper, clock, pool, origin)
        group.cancel_scope.cancel()


async def test_the_configured_minimum_is_there_from_the_start(clock: Clock) -> None:
    async with kept(clock, Pool("safe", min_conn=3), distance=0.0) as it:
        await it.settle()
        assert (it.origin.open, it.pool.idle) == (3, 3)


async def test_never_more_than_maxconn(clock: Clock) -> None:
    pool = Pool("safe", min_conn=3)
    pool.most_used = 2
    async with kept(clock, pool, distance=0.0) as it:
        await it.settle()
        assert (it.origin.open, it.pool.idle) == (2, 2)


async def test_busy_connections_count(clock: Clock) -> None:
    async with kept(clock, Pool("always", min_conn=2)) as it:
        await it.settle()
        clients = [Client(it.pool) for _ in range(2)]
        for client in clients:
            client.begin()
        await it.settle()
        assert it.origin.attempts == 2
        clients[0].end(closing=True)
        await it.settle()
        assert (it.pool.used, it.pool.idle) == (1, 1)


async def test_lost_connections_are_replaced(clock: Clock) -> None:
    async with kept(clock, Pool("always", min_conn=2)) as it:
        await it.settle()
        clock.moment += 10  # a server that closes idle connections after a while
        it.origin.made[0].end()
        await it.settle()
        assert (it.origin.attempts, it.origin.open) == (3, 2)


@pytest.mark.parametrize(
    ("trouble", "most"), [(9, 10), (60, 28), (480, 46), (3600, 98)], ids=["seconds", "a minute", "minutes", "an hour"]
)
async def test_a_server_that_hangs_up_is_not_pestered(clock: Clock, trouble: float, most: int) -> None:
    async with kept(clock, Pool("always", min_conn=1), distance=0.0) as it:
        await it.settle()
        began = clock.moment
        while clock.moment < began + trouble:
            if it.pool.idle:
                it.origin.made[-1].end()
            await it.settle(0.25)
        assert most // 2 <= it.origin.attempts <= most


@pytest.mark.parametrize("away", [0.5, 3.0, 7.0, 30.0, 200.0, 4000.0])
async def test_the_wait_for_a_server_that_comes_back_is_short_beside_its_absence(clock: Clock, away: float) -> None:
    async with kept(clock, Pool("always", min_conn=1), distance=0.0) as it:
        it.origin.down = True
        began = clock.moment
        while clock.moment < began + away:
            await it.settle(0.25)
        it.origin.down = False
        while not it.pool.idle:
            await it.settle(0.25)
        assert clock.moment - began - away <= min(max(away / 8, 1.0), 60.0) + 0.5


async def test_several_that_end_young_together_are_one_failure(clock: Clock) -> None:
    async with kept(clock, Pool("safe", min_conn=4), distance=0.0) as it:
        await it.settle()
        clock.moment += 0.5
        for connection in list(it.origin.made):
            connection.end()
        await it.settle()
        assert it.origin.open == 0
        await it.settle(1.1)
        assert it.origin.open == 4


async def test_a_server_that_comes_back_is_warmed_at_once(clock: Clock) -> None:
    async with kept(clock, Pool("safe", min_conn=2), distance=0.0) as it:
        it.origin.down = True
        for _ in range(6):
            await it.settle(20)
        attempts = it.origin.attempts
        await it.settle()
        assert it.origin.attempts == attempts
        it.origin.down = False
        it.pool.restored()
        await it.settle()
        assert it.origin.open == 2


async def test_a_connection_for_a_request_shows_that_a_server_is_back(clock: Clock) -> None:
    async with kept(clock, Pool("safe", min_conn=2), distance=0.0) as it:
        it.origin.down = True
        for _ in range(6):
            await it.settle(20)
        it.origin.down = False
        Client(it.pool).begin()
        it.pool.connected(0.0)
        await it.settle()
        assert it.origin.open == 1


async def test_automatic_warming_waits_for_a_request(clock: Clock) -> None:
    async with kept(clock, Pool("always")) as it:
        await it.settle(60)
        assert it.origin.attempts == 0


async def test_automatic_warming_leaves_near_servers_alone(clock: Clock) -> None:
    async with kept(clock, Pool("always"), distance=0.001) as it:
        it.pool.connected(0.001)
        Client(it.pool).ask(closing=True)
        await it.settle()
        assert it.origin.attempts == 0


async def test_automatic_warming_restores_what_a_far_server_closed(clock: Clock) -> None:
    async with kept(clock, Pool("always")) as it:
        it.pool.connected(0.1)
        client = Client(it.pool)
        client.ask(closing=True)
        await it.settle()
        assert (it.origin.attempts, it.pool.idle) == (1, 1)
        assert client.ask() is it.origin.made[0]


async def test_automatic_warming_stops_when_unused(clock: Clock) -> None:
    async with kept(clock, Pool("always", purge_delay=300)) as it:
        it.pool.connected(0.1)
        Client(it.pool).ask(closing=True)
        await it.settle()
        clock.moment += 10
        it.origin.made[0].end()
        await it.settle()
        assert (it.origin.attempts, it.pool.idle) == (1, 0)
        Client(it.pool).ask(closing=True)
        await it.settle()
        assert it.origin.attempts == 2


async def test_the_probe_opens_one_and_purging_closes_it(clock: Clock) -> None:
    async with kept(clock, Pool("always", purge_delay=5), probe=True) as it:
        await it.settle()
        assert (it.origin.attempts, it.pool.idle) == (1, 1)
        assert it.pool.distance.seconds == pytest.approx(0.1)
        await it.settle(5.1)
        assert (it.origin.attempts, it.origin.open) == (1, 0)


@pytest.mark.parametrize(
    "pool",
    [
        Pool("never", min_conn=2),
        Pool("always", min_conn=0),
        Pool("always", min_conn=2, max_idle=0),
        Pool("always", min_conn=2, purge_delay=0),
        Pool("always", min_conn=2, budget=FdBudget(0)),
    ],
    ids=["never", "switched off", "pool-max-conn", "pool-purge-delay", "out of descriptors"],
)
async def test_no_warming(clock: Clock, pool: Pool) -> None:
    async with kept(clock, pool, probe=True) as it:
        await it.settle()
        assert it.origin.attempts == 0


async def test_warming_stays_within_pool_max_conn(clock: Clock) -> None:
    async with kept(clock, Pool("always", min_conn=5, max_idle=2)) as it:
        await it.settle()
        assert it.pool.idle == 2


async def test_failed_dials_are_tried_again_later(clock: Clock) -> None:
    async with kept(clock, Pool("always", min_conn=1), distance=0.0) as it:
        it.origin.down = True
        await it.settle()
        assert it.origin.attempts == 1
        await it.settle(1.01)
        assert it.origin.attempts == 2
        it.origin.down = False
        await it.settle(0.98)
        assert it.origin.attempts == 2
        await it.settle(0.03)
        assert (it.origin.attempts, it.pool.idle) == (3, 1)


async def test_a_pool_at_rest_is_left_alone(clock: Clock) -> None:
    async with kept(clock, Pool("always", purge_delay=5)) as it:
        Client(it.pool).ask()
        for _ in range(6):
            await it.settle(5.1)
        assert (it.pool.idle, it.pool.needed, it.pool.at_rest) == (0, 0, True)
        assert it.keeper._due == []
        Client(it.pool).ask()
        assert it.pool.idle == 1
        assert not it.pool.at_rest
        assert len(it.keeper._due) == 1

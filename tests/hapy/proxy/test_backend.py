"""Servers, slots and queues: what the comparison with haproxy leaves out."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from hapy.proxy.backend import Backend, NoServer, QueueFull, QueueTimeout, default_fullconn
from hapy.proxy.queue import Queue
from hapy_config.model.addresses import Address
from hapy_config.model.config import Config, Global
from hapy_config.model.proxy import Balance, Proxy
from hapy_config.model.rules import UseBackend
from tests.hapy.balance.mine import Mine, backend_model
from tests.hapy.pool.fakes import Connection


def backend(*options: dict[str, Any], **settings: Any) -> tuple[Backend, Mine]:
    lines = [(f"s{number}", option) for number, option in enumerate(options, 1)]
    mine = Mine(backend_model(settings.pop("balance", Balance()), lines, **settings))
    return mine.backend, mine


def test_slots_are_counted() -> None:
    be, mine = backend({"maxconn": 2})
    server = be.assign(mine.transaction())
    assert server is be.servers[0]
    assert (server.current, server.counters.lbtot, be.counters.lbtot) == (1, 1, 1)
    be.release(server)
    assert server.current == 0


def test_a_forced_server_is_waited_for() -> None:
    be, mine = backend({"maxconn": 1}, {})
    forced = be.by_name["s1"]
    assert be.assign(mine.transaction(), forced) is forced
    txn = mine.transaction()
    assert be.assign(txn, forced) is None
    ticket = be.enqueue(txn, lambda: None)
    assert (txn.server, forced.queued, be.queued) == (forced, 1, 0)
    be.release(forced)
    assert ticket.server is forced
    assert (txn.server_queue, txn.backend_queue, forced.current) == (1, 0, 1)


@pytest.mark.parametrize("redispatch", [None, -1])
def test_a_full_queue_breaks_persistence_where_redispatch_is_allowed(redispatch: int | None) -> None:
    be, mine = backend({"maxconn": 1, "maxqueue": 1}, {}, redispatch=redispatch)
    forced = be.by_name["s1"]
    for _ in range(2):
        txn = mine.transaction()
        if be.assign(txn, forced) is None:
            be.enqueue(txn, lambda: None)
    txn = mine.transaction()
    if redispatch is None:
        with pytest.raises(QueueFull):
            be.assign(txn, forced)
    else:
        assert be.assign(txn, forced) is be.by_name["s2"]
        assert txn.redispatched


def test_persistence_comes_before_balancing_but_not_after_a_failure() -> None:
    be, mine = backend({}, {})
    bound = be.by_name["s2"]
    be.persist = lambda txn: bound
    assert be.assign(mine.transaction()) is bound
    assert be.assign(mine.transaction(), avoid=bound) is be.by_name["s1"]


def test_a_full_queue_refuses_when_the_key_leaves_no_choice() -> None:
    be, mine = backend({"maxconn": 1, "maxqueue": 1}, {"maxconn": 1, "maxqueue": 1}, balance=Balance("source"))
    first = be.assign(mine.transaction())
    txn = mine.transaction()
    assert be.assign(txn) is None
    be.enqueue(txn, lambda: None)
    refused = mine.transaction()
    with pytest.raises(QueueFull):
        be.assign(refused)
    assert refused.server is first


def test_forfeiting_gives_back_what_came_too_late() -> None:
    be, mine = backend({"maxconn": 1})
    server = be.assign(mine.transaction())
    assert server is not None
    tickets = []
    for _ in range(3):
        txn = mine.transaction()
        assert be.assign(txn) is None
        tickets.append(be.enqueue(txn, lambda: None))
    assert (be.counters.qcur, be.counters.qmax) == (3, 3)
    tickets[1].forfeit()
    be.release(server)
    assert tickets[0].server is server
    tickets[0].forfeit()
    tickets[0].forfeit()
    assert tickets[2].server is server
    assert (server.current, be.counters.qcur) == (1, 0)


def test_tickets_call_when_ready() -> None:
    be, mine = backend({"maxconn": 1})
    server = be.assign(mine.transaction())
    assert server is not None
    called = []
    txn = mine.transaction()
    assert be.assign(txn) is None
    be.enqueue(txn, lambda: called.append(txn))
    assert called == []
    be.release(server)
    assert called == [txn]


def test_raising_maxconn_lets_requests_out() -> None:
    be, mine = backend({"maxconn": 1})
    tickets = []
    for _ in range(4):
        txn = mine.transaction()
        if be.assign(txn) is None:
            tickets.append(be.enqueue(txn, lambda: None))
    be.servers[0].set_limits(maxconn=3)
    assert [ticket.waiting for ticket in tickets] == [False, False, True]
    assert be.servers[0].limit() == 3
    be.servers[0].set_limits(maxqueue=5)
    assert be.servers[0].maxqueue == 5


def test_a_server_going_down_sends_its_queue_elsewhere_with_redispatch() -> None:
    for redispatch in (None, -1):
        be, mine = backend({"maxconn": 1}, {}, redispatch=redispatch)
        forced = be.by_name["s1"]
        be.assign(mine.transaction(), forced)
        txn = mine.transaction()
        be.assign(txn, forced)
        ticket = be.enqueue(txn, lambda: None)
        forced.set_operational(up=False)
        assert ticket.waiting is (redispatch is None)
        assert ticket.server is None


def test_backups_take_over_with_the_queue() -> None:
    be, mine = backend({"maxconn": 1}, {"backup": True})
    be.assign(mine.transaction())
    txn = mine.transaction()
    assert be.assign(txn) is None
    ticket = be.enqueue(txn, lambda: None)
    be.servers[0].set_operational(up=False)
    assert ticket.server is be.by_name["s2"]


def test_minconn_grows_with_the_load() -> None:
    be, _ = backend({"minconn": 2, "maxconn": 10}, fullconn=20)
    server = be.servers[0]
    limits = []
    for current in (0, 4, 6, 10, 19, 20, 30):
        be.current = current
        limits.append(server.limit())
    assert limits == [2, 2, 3, 5, 9, 10, 10]


def test_states() -> None:
    be, _ = backend({}, {"weight": 0}, {"disabled": True})
    one, two, three = be.servers
    assert [server.usable for server in be.servers] == [True, False, False]
    two.set_weight(4)
    three.set_admin_state(maintenance=False)
    one.set_admin_state(drain=True)
    assert be.active == (two, three)
    one.set_admin_state(drain=False)
    one.set_operational(up=False)
    assert be.active == (two, three)
    with pytest.raises(ValueError, match="between 0 and 256"):
        one.set_weight(257)


def test_moving_a_server_ends_its_idle_connections() -> None:
    be, _ = backend({})
    server = be.servers[0]
    conn = Connection(server.key)
    server.pool.reserve()
    conn.requests = 1
    server.pool.release(conn)
    server.set_address(server.address)
    assert not conn.closed
    server.set_address(Address("ipv4", "192.0.2.7", 80))
    assert conn.closed
    assert server.key.generation == server.generation == 1
    assert server.pool.acquire(server.key, False) is None


def test_maintenance_ends_idle_connections() -> None:
    be, _ = backend({})
    server = be.servers[0]
    conn = Connection(server.key)
    server.pool.add_fresh(conn)
    server.set_admin_state(maintenance=True)
    assert conn.closed


def test_reuse_reasons_are_counted_on_the_server() -> None:
    be, _ = backend({})
    server = be.servers[0]
    server.pool.acquire(server.key, True)
    server.pool.reserve()
    assert server.counters.reuse_reasons["none"] == 1


@pytest.mark.parametrize(
    ("retry_on", "any_connection"),
    [
        ({"conn-failure"}, False),
        ({"conn-failure", "empty-response"}, False),
        ({"conn-failure", "empty-response", "response-timeout"}, True),
        ({"conn-failure", "empty-response", "response-timeout", "503"}, True),
    ],
)
def test_retry_on_everything_reaches_the_pool(retry_on: set[str], any_connection: bool) -> None:
    be, _ = backend({}, retry_on=frozenset(retry_on))
    server = be.servers[0]
    conn = Connection(server.key)
    conn.requests = 1
    server.pool.reserve()
    server.pool.release(conn)
    assert (server.pool.acquire(server.key, True) is conn) is any_connection


def test_queue_order() -> None:
    queue = Queue()
    late = queue.enter(0, 1000)
    plain = queue.enter()
    urgent = queue.enter(-1, 5000)
    early = queue.enter(0, -1000)
    order = []
    while (ticket := queue.head()) is not None:
        order.append(ticket)
        queue.give(ticket, None)
    assert order == [urgent, early, plain, late]
    assert len(queue) == 0


def test_a_queue_forgets_those_who_left() -> None:
    queue = Queue()
    tickets = [queue.enter() for _ in range(100)]
    for ticket in tickets[:99]:
        ticket.forfeit()
    assert (len(queue), queue.head()) == (1, tickets[99])
    assert len(queue._heap) < 40


def test_default_fullconn() -> None:
    config = Config(
        global_=Global(maxconn=500),
        proxies=(
            Proxy("one", "frontend", maxconn=1000, default_backend="be"),
            Proxy("two", "frontend", use_backends=(UseBackend("be", None), UseBackend("other", None))),
            Proxy("three", "frontend", maxconn=70, default_backend="other"),
            Proxy("both", "listen", maxconn=40),
        ),
    )
    assert default_fullconn(config, "be") == 150
    assert default_fullconn(config, "other") == 57
    assert default_fullconn(config, "both") == 4
    assert default_fullconn(config, "unused") == 1


@pytest.mark.anyio
class TestWaiting:
    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    async def test_a_slot_comes_free(self) -> None:
        be, mine = backend({"maxconn": 1})
        server = be.assign(mine.transaction())
        assert server is not None
        got = []

        async def wait() -> None:
            got.append(await be.wait_for_server(mine.transaction(), None))

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            assert got == []
            be.release(server)
        assert got == [server]
        assert server.current == 1

    async def test_time_passes(self) -> None:
        be, mine = backend({"maxconn": 1})
        be.assign(mine.transaction())
        with pytest.raises(QueueTimeout):
            await be.wait_for_server(mine.transaction(), anyio.current_time())
        assert be.queued == 0

    async def test_cancelled(self) -> None:
        be, mine = backend({"maxconn": 1})
        server = be.assign(mine.transaction())
        assert server is not None
        async with anyio.create_task_group() as group:
            group.start_soon(be.wait_for_server, mine.transaction(), None)
            await anyio.wait_all_tasks_blocked()
            assert be.queued == 1
            group.cancel_scope.cancel()
        be.release(server)
        assert (server.current, be.queued) == (0, 0)

    async def test_its_server_goes_down(self) -> None:
        be, mine = backend({"maxconn": 1}, redispatch=-1, balance=Balance("source"))
        be.assign(mine.transaction())
        refused = []

        async def wait() -> None:
            try:
                await be.wait_for_server(mine.transaction(), None)
            except NoServer:
                refused.append(True)

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            be.servers[0].set_operational(up=False)
        assert refused == [True]

"""The pool's rules, one by one."""

from __future__ import annotations

import pytest

from hapy.pool import ConnectionKey, FdBudget, OwnConnections, Pool, ReuseReason
from tests.hapy.pool.fakes import KEY, Client, Connection


def fresh_in(pool: Pool, key: ConnectionKey = KEY) -> Connection:
    conn = Connection(key)
    assert pool.add_fresh(conn)
    return conn


def prepared(pool: Pool, what: str) -> Connection:
    """A pool with one idle connection that has carried none, one or two requests."""
    if what == "fresh":
        return fresh_in(pool)
    conn = Connection()
    conn.requests = {"once": 1, "proven": 2}[what]
    pool.used += 1
    assert pool.release(conn)
    return conn


@pytest.mark.parametrize(
    ("reuse", "first", "later"),
    [
        ("safe", {"fresh"}, {"fresh", "once", "proven"}),
        ("aggressive", {"fresh", "proven"}, {"fresh", "once", "proven"}),
        ("always", {"fresh", "once", "proven"}, {"fresh", "once", "proven"}),
    ],
)
@pytest.mark.parametrize("what", ["fresh", "once", "proven"])
def test_who_may_use_what(reuse: str, first: set[str], later: set[str], what: str) -> None:
    for is_first, allowed in ((True, first), (False, later)):
        pool = Pool(reuse)
        conn = prepared(pool, what)
        expected = conn if what in allowed else None
        assert pool.acquire(KEY, is_first) is expected
        if expected is None:
            assert pool.reason is ReuseReason.FIRST
        else:
            assert pool.reason is (ReuseReason.WARM if what == "fresh" else ReuseReason.HIT)
            assert pool.reason.reused


@pytest.mark.parametrize("reuse", ["safe", "aggressive"])
def test_a_request_that_cannot_be_repeated_gets_no_fresh_connection_first(reuse: str) -> None:
    pool = Pool(reuse)
    conn = fresh_in(pool)
    assert pool.acquire(KEY, True, repeatable=False) is None
    assert pool.reason is ReuseReason.FIRST
    assert pool.acquire(KEY, False, repeatable=False) is conn


@pytest.mark.parametrize(
    ("reuse", "first_request", "order"),
    [
        ("safe", False, ["once", "proven", "fresh"]),
        ("aggressive", True, ["proven", "fresh"]),
        ("always", True, ["proven", "once", "fresh"]),
        ("always", False, ["once", "proven", "fresh"]),
    ],
)
def test_search_order(reuse: str, first_request: bool, order: list[str]) -> None:
    pool = Pool(reuse, low=10)
    conns = {what: prepared(pool, what) for what in ("fresh", "once", "proven")}
    for what in order:
        assert pool.acquire(KEY, first_request) is conns[what]


def test_retry_on_everything_lets_first_requests_use_any() -> None:
    pool = Pool("safe", retries_lost_requests=True)
    conn = prepared(pool, "once")
    assert pool.acquire(KEY, True) is conn


def test_the_last_in_is_the_first_out() -> None:
    pool = Pool("always", low=10)
    conns = [prepared(pool, "once") for _ in range(3)]
    assert [pool.acquire(KEY, True) for _ in range(3)] == conns[::-1]


def test_keys_are_kept_apart() -> None:
    pool = Pool("always")
    Client(pool).ask()
    other = ConnectionKey(0, name=b"other.test")
    assert pool.acquire(other, False) is None
    assert pool.reason is ReuseReason.KEY
    assert pool.acquire(ConnectionKey(0), False) is not None


def test_never_shares_but_keeps_for_the_same_client() -> None:
    pool = Pool("never")
    one, two = Client(pool), Client(pool)
    mine = one.ask()
    assert two.ask() is not mine
    assert one.ask() is mine
    assert pool.counts[ReuseReason.OWN] == 1
    assert pool.counts[ReuseReason.NEVER] == 2
    one.leave()
    assert mine.closed
    assert pool.idle == 0


def test_private_connections_belong_to_their_client() -> None:
    pool = Pool("always")
    one, two = Client(pool), Client(pool)
    mine = one.begin()
    pool.claim(mine)
    one.end()
    assert two.begin() is not mine
    assert pool.reason is ReuseReason.PRIVATE
    assert one.ask() is mine


def test_private_connections_are_bounded() -> None:
    pool = Pool("never")
    own = OwnConnections(limit=2)
    conns = [Connection(ConnectionKey(0, name=b"%d" % number)) for number in range(3)]
    for conn in conns:
        pool.used += 1
        pool.release(conn, own)
    assert [conn.closed for conn in conns] == [False, False, True]
    assert len(own) == 2


def test_a_private_connection_that_ends_is_forgotten() -> None:
    pool = Pool("never")
    client = Client(pool)
    mine = client.ask()
    mine.end()
    assert mine.closed
    assert client.ask() is not mine


def test_a_private_connection_found_dead_is_passed_over() -> None:
    pool = Pool("never")
    client = Client(pool)
    mine = client.ask()
    mine.alive = False
    assert client.ask() is not mine
    assert mine.closed


def test_a_connection_that_ends_while_idle_is_never_handed_out() -> None:
    pool = Pool("always")
    conn = Client(pool).ask()
    conn.end()
    assert (pool.idle, conn.closed) == (0, True)
    assert pool.acquire(KEY, False) is None
    assert pool.reason is ReuseReason.STALE


def test_the_last_look_finds_the_dead() -> None:
    pool = Pool("always", low=10)
    older, newer = prepared(pool, "once"), prepared(pool, "once")
    newer.alive = False
    assert pool.acquire(KEY, False) is older
    assert (pool.idle, newer.closed) == (0, True)


def test_reasons_tell_what_became_of_the_last_connection() -> None:
    pool = Pool("always")
    client = Client(pool)
    client.ask()
    assert pool.reason is ReuseReason.NONE
    client.ask(closing=True)
    client.begin()
    assert pool.reason is ReuseReason.CLOSED
    Client(pool).begin()
    assert pool.reason is ReuseReason.NONE


@pytest.mark.parametrize("settings", [{"max_idle": 0}, {"purge_delay": 0}, {"max_reuse": 0}])
def test_settings_that_keep_nothing(settings: dict[str, int]) -> None:
    pool = Pool("always", **settings)  # type: ignore[arg-type]
    client = Client(pool)
    assert client.ask() is not client.ask()
    assert pool.reason is ReuseReason.OFF
    assert pool.idle == 0


def test_max_reuse_counts_requests_after_the_first() -> None:
    pool = Pool("always", max_reuse=2)
    client = Client(pool)
    conns = [client.ask() for _ in range(4)]
    assert conns[0] is conns[1] is conns[2]
    assert conns[3] is not conns[0]
    assert conns[0].closed
    assert pool.counts[ReuseReason.SPENT] == 1


def test_pool_max_conn() -> None:
    pool = Pool("always", max_idle=1)
    clients = [Client(pool) for _ in range(3)]
    conns = [client.begin() for client in clients]
    for client in clients:
        client.end()
    assert [conn.closed for conn in conns] == [False, True, True]
    assert pool.acquire(KEY, False) is conns[0]
    assert pool.acquire(KEY, False) is None
    assert pool.reason is ReuseReason.LIMIT


def test_one_shot_clients_under_safe_leave_one_connection() -> None:
    """The surplus is closed at once: only one was ever needed at a time."""
    pool = Pool("safe")
    conns = [Client(pool).ask() for _ in range(3)]
    assert [conn.closed for conn in conns] == [False, True, True]


def test_pool_low_conn_keeps_more_than_needed() -> None:
    pool = Pool("safe", low=2)
    conns = [Client(pool).ask() for _ in range(4)]
    assert [conn.closed for conn in conns] == [False, False, False, True]


def test_a_proven_connection_is_kept_beside_others_but_once() -> None:
    """Above what is needed; as counted at a haproxy 2.6 origin."""
    pool = Pool("safe")
    old, late, later = (Client(pool) for _ in range(3))
    proven = old.ask()
    assert proven is old.ask() is old.begin()
    once = late.ask()
    extra = later.begin()
    old.end()
    assert (once.closed, proven.closed, pool.idle) == (False, False, 2)
    later.end()
    assert (extra.closed, pool.idle) == (True, 2)


def test_what_was_needed_at_once_is_kept() -> None:
    pool = Pool("safe")
    clients = [Client(pool) for _ in range(4)]
    for client in clients:
        client.begin()
    for client in clients:
        client.end()
    assert pool.idle == 4


@pytest.mark.parametrize(
    ("count", "left"),
    [
        # as counted at a haproxy 2.6 origin after as many concurrent requests, purge after purge
        (1, [1, 1, 0]),
        (2, [2, 2, 0]),
        (4, [4, 4, 2, 0]),
        (7, [7, 7, 4, 1, 0]),
        (10, [10, 10, 6, 3, 1, 0]),
    ],
)
def test_purge_halves_the_excess(count: int, left: list[int]) -> None:
    pool = Pool("always")
    clients = [Client(pool) for _ in range(count)]
    for client in clients:
        client.begin()
    for client in clients:
        client.end()
    seen = []
    for _ in left:
        pool.purge()
        seen.append(pool.idle)
    assert seen == left


def test_purge_takes_the_oldest() -> None:
    pool = Pool("always", low=10)
    conns = [prepared(pool, "once") for _ in range(4)]
    pool.purge()
    assert [conn.closed for conn in conns] == [True, True, True, False]
    pool.acquire(KEY, False)
    assert pool.acquire(KEY, False) is None
    assert pool.reason is ReuseReason.PURGED


def test_purge_respects_the_configured_minimum() -> None:
    pool = Pool("always", min_conn=2)
    conns = [fresh_in(pool) for _ in range(4)]
    for _ in range(5):
        pool.purge()
    assert sum(not conn.closed for conn in conns) == 2


def test_beyond_the_low_ratio_one_connection_is_kept() -> None:
    budget = FdBudget(100)
    pool = Pool("always", budget=budget)
    clients = [Client(pool) for _ in range(3)]
    conns = [client.begin() for client in clients]
    budget.used = 20
    for client in clients:
        client.end()
    assert [conn.closed for conn in conns] == [False, True, True]


def test_beyond_the_high_ratio_none_is_kept_and_a_new_one_costs_an_idle_one() -> None:
    budget = FdBudget(100)
    pool = Pool("safe", budget=budget)
    kept = Client(pool).ask()
    budget.used = 25
    surplus = Client(pool).ask()
    assert kept.closed
    assert surplus.closed


def test_maintenance_and_moving_drop_what_is_idle() -> None:
    pool = Pool("always")
    client = Client(pool)
    idle = client.ask()
    pool.drop_idle()
    assert idle.closed
    busy = client.begin()
    pool.generation = 1
    client.end()
    assert busy.closed
    pool.enabled = False
    client.key = ConnectionKey(1)
    assert client.ask().closed


def test_a_repeated_request_has_its_own_reason() -> None:
    pool = Pool("always")
    pool.reserve(ReuseReason.RETRY)
    assert pool.reason is ReuseReason.RETRY
    pool.discard(None)
    assert pool.used == 0


def test_fresh_connections_nobody_wants_are_closed() -> None:
    pool = Pool("always", max_idle=1)
    fresh_in(pool)
    surplus = Connection()
    assert not pool.add_fresh(surplus)
    assert surplus.closed
    dead = Connection()
    dead.alive = False
    assert not Pool("always").add_fresh(dead)


def test_target() -> None:
    pool = Pool("always")
    clients = [Client(pool) for _ in range(8)]
    for client in clients:
        client.begin()
    assert pool.target == 0
    pool.connected(0.001)
    assert (pool.warms, pool.target) == (False, 0)
    pool.distance.seconds = 0.1
    assert (pool.warms, pool.target) == (True, 8)
    pool.min_conn = 12
    assert pool.target == 12
    pool.min_conn = 0
    assert (pool.warms, pool.target) == (False, 0)

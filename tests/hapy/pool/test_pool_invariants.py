"""Whatever happens in whatever order: what must always be true of a pool."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from hapy.pool import ConnectionKey, OwnConnections, Pool, ReuseReason
from tests.hapy.pool.fakes import Connection

KEYS = [ConnectionKey(0), ConnectionKey(0, name=b"a"), ConnectionKey(0, source=b"192.0.2.1")]


class PoolMachine(RuleBasedStateMachine):
    """A pool, its clients, its servers and its keeper."""

    busy = Bundle("busy")

    def __init__(self) -> None:
        super().__init__()
        self.pool = Pool("safe")
        self.all: list[Connection] = []
        self.out: dict[Connection, OwnConnections] = {}
        self.owns = [OwnConnections(limit=2) for _ in range(2)]
        self.requests = 0
        self.touched = False

    @precondition(lambda self: not self.touched)
    @rule(
        reuse=st.sampled_from(["never", "safe", "aggressive", "always"]),
        max_idle=st.sampled_from([-1, -1, 0, 1, 3]),
        low=st.integers(0, 2),
        max_reuse=st.sampled_from([-1, -1, 0, 1, 2]),
        min_conn=st.sampled_from([None, 0, 2]),
    )
    def configure(self, reuse: str, max_idle: int, low: int, max_reuse: int, min_conn: int | None) -> None:
        self.pool = Pool(reuse, max_idle=max_idle, low=low, max_reuse=max_reuse, min_conn=min_conn)

    @rule(
        target=busy,
        key=st.sampled_from(KEYS),
        first=st.booleans(),
        repeatable=st.booleans(),
        client=st.integers(0, 1),
        alive=st.booleans(),
    )
    def begin(self, key: ConnectionKey, first: bool, repeatable: bool, client: int, alive: bool) -> Connection:
        self.touched = True
        own = self.owns[client]
        if not alive and (idle := next((conn for conn in self.all if conn.holder is not None), None)) is not None:
            idle.alive = False  # the event loop hasn't noticed yet
        conn = self.pool.acquire(key, first, own, repeatable=repeatable)
        reason = self.pool.reason
        if conn is None:
            assert not reason.reused
            self.pool.reserve()
            conn = Connection(key)
            self.all.append(conn)
        else:
            assert isinstance(conn, Connection)
            assert reason.reused
            assert conn.is_alive()
            assert conn.key == key
            assert conn not in self.out
            assert (reason is ReuseReason.OWN) is (conn.private or self.pool.reuse == "never")
            if first and reason is ReuseReason.HIT:
                assert self.pool.reuse == "always" or conn.requests > 1
            if first and reason is ReuseReason.WARM and not repeatable:
                assert self.pool.reuse == "always"
        assert conn.holder is None
        conn.requests += 1
        self.requests += 1
        self.out[conn] = own
        return conn

    @rule(conn=consumes(busy), how=st.sampled_from(["release", "release", "private", "close"]))
    def end(self, conn: Connection, how: str) -> None:
        own = self.out.pop(conn)
        if how == "close":
            self.pool.discard(conn)
            assert conn.closed
            return
        if how == "private":
            self.pool.claim(conn)
        kept = self.pool.release(conn, own)
        assert kept is not conn.closed
        assert kept is (conn.holder is not None)

    @rule(key=st.sampled_from(KEYS))
    def warm(self, key: ConnectionKey) -> None:
        self.touched = True
        conn = Connection(key)
        self.all.append(conn)
        assert self.pool.add_fresh(conn) is not conn.closed

    @rule(choice=st.integers(0, 1000))
    def server_ends_an_idle_one(self, choice: int) -> None:
        idle = [conn for conn in self.all if conn.holder is not None]
        if idle:
            conn = idle[choice % len(idle)]
            conn.end()
            assert conn.closed
            assert conn.holder is None

    @rule(client=st.integers(0, 1))
    def client_leaves(self, client: int) -> None:
        self.owns[client].close()

    @rule()
    def purge(self) -> None:
        before = self.pool.idle
        assert self.pool.purge() == before - self.pool.idle

    @rule()
    def drop(self) -> None:
        self.pool.drop_idle()
        assert self.pool.idle == 0

    @invariant()
    def counts_are_right(self) -> None:
        held = [conn for conn in self.all if conn.holder is not None]
        own = sum(len(own) for own in self.owns)
        assert self.pool.idle == len(held) - own
        assert self.pool.used + self.pool.claimed == len(self.out)
        assert self.pool.claimed == sum(conn.private for conn in self.out)
        assert sum(self.pool.counts.values()) == self.requests

    @invariant()
    def every_connection_is_in_one_place(self) -> None:
        for conn in self.all:
            assert conn.closed + (conn in self.out) + (conn.holder is not None) == 1

    @invariant()
    def limits_hold(self) -> None:
        if self.pool.max_idle >= 0:
            assert self.pool.idle <= self.pool.max_idle


PoolMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestPool = PoolMachine.TestCase

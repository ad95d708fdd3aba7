"""Server connections without sockets."""

from __future__ import annotations

from hapy.pool import ConnectionKey, Holder, OwnConnections, Pool

KEY = ConnectionKey(0)


class Connection:
    """A `hapy.pool.PooledConnection` that tests kill at will."""

    def __init__(self, key: ConnectionKey = KEY) -> None:
        self.key = key
        self.requests = 0
        self.private = False
        self.holder: Holder | None = None
        self.alive = True
        self.closed = False

    def is_alive(self) -> bool:
        return self.alive and not self.closed

    def close(self) -> None:
        self.closed = True

    def end(self) -> None:
        """The server closes it while it idles."""
        self.alive = False
        assert self.holder is not None
        self.holder.evict(self)


class Client:
    """A client connection that sends requests one after another through a pool, as the path of a request does."""

    def __init__(self, pool: Pool, key: ConnectionKey = KEY) -> None:
        self.pool = pool
        self.key = key
        self.own = OwnConnections()
        self.first = True
        self.busy: Connection | None = None

    def begin(self, *, repeatable: bool = True) -> Connection:
        """Send a request."""
        conn = self.pool.acquire(self.key, self.first, self.own, repeatable=repeatable)
        self.first = False
        if conn is None:
            self.pool.reserve()
            conn = Connection(self.key)
        assert isinstance(conn, Connection)
        conn.requests += 1
        self.busy = conn
        return conn

    def end(self, *, closing: bool = False) -> None:
        """The answer is complete; `closing`: and ends the connection."""
        conn, self.busy = self.busy, None
        assert conn is not None
        if closing:
            self.pool.discard(conn)
        else:
            self.pool.release(conn, self.own)

    def ask(self, *, closing: bool = False, repeatable: bool = True) -> Connection:
        """A request and its answer."""
        conn = self.begin(repeatable=repeatable)
        self.end(closing=closing)
        return conn

    def leave(self) -> None:
        """The client closes."""
        self.own.close()

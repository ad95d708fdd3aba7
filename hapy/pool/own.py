"""Private connections: they belong to one client connection, and end with it."""

from __future__ import annotations

from hapy.pool.connection import PooledConnection
from hapy.pool.key import ConnectionKey

#: `max-session-srv-conns`: idle private connections kept for one client.
DEFAULT_LIMIT = 5


class OwnConnections:
    """The idle private connections of one client connection: made by NTLM or Negotiate, or by `http-reuse never`.

    The path of a request makes one per client connection and calls `close` when the client is gone.
    """

    __slots__ = ("_idle", "_order", "limit")

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self.limit = limit
        self._idle: dict[PooledConnection, object] | None = None
        self._order: dict[object, None] | None = None

    def __len__(self) -> int:
        return len(self._idle) if self._idle else 0

    def take(self, pool: object, key: ConnectionKey) -> PooledConnection | None:
        """Hand out the newest connection of that pool (that is: server) and key, or None."""
        idle = self._idle
        if not idle:
            return None
        for conn in reversed(idle):
            if idle[conn] is pool and conn.key == key:
                del idle[conn]
                conn.holder = None
                if conn.is_alive():
                    return conn
                conn.close()
                self._forget(pool)
                return self.take(pool, key)
        return None

    def keep(self, pool: object, conn: PooledConnection) -> bool:
        """Keep a connection until the client's next request; False (and closed) where it has enough of them."""
        idle = self._idle
        if idle is None:
            idle = self._idle = {}
            self._order = {}
        if len(idle) >= self.limit:
            conn.close()
            return False
        idle[conn] = pool
        conn.holder = self
        assert self._order is not None
        self._order.setdefault(pool)
        return True

    def evict(self, conn: PooledConnection) -> None:
        """The idle connection ended."""
        conn.holder = None
        if self._idle is not None and conn in self._idle:
            self._forget(self._idle.pop(conn))
        conn.close()

    def _forget(self, pool: object) -> None:
        """One of the pool's connections is gone; with the last one the pool loses its place."""
        if self._idle is not None and self._order is not None and pool not in self._idle.values():
            self._order.pop(pool, None)

    def pools(self) -> list[object]:
        """The pools (one per server) that have an idle connection here, in the order in which they first came."""
        if not self._idle or self._order is None:
            return []
        present = set(map(id, self._idle.values()))
        return [pool for pool in self._order if id(pool) in present]

    def close(self) -> None:
        """The client is gone: so are its connections."""
        idle, self._idle, self._order = self._idle, None, None
        for conn in idle or ():
            conn.holder = None
            conn.close()

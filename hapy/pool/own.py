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

    __slots__ = ("_idle", "limit")

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self.limit = limit
        self._idle: dict[PooledConnection, object] | None = None

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
                return self.take(pool, key)
        return None

    def keep(self, pool: object, conn: PooledConnection) -> bool:
        """Keep a connection until the client's next request; False (and closed) where it has enough of them."""
        idle = self._idle
        if idle is None:
            idle = self._idle = {}
        if len(idle) >= self.limit:
            conn.close()
            return False
        idle[conn] = pool
        conn.holder = self
        return True

    def evict(self, conn: PooledConnection) -> None:
        """The idle connection ended."""
        conn.holder = None
        if self._idle is not None:
            self._idle.pop(conn, None)
        conn.close()

    def pools(self) -> list[object]:
        """The pools (one per server) that have a connection here, the one last used first."""
        return list(reversed(self._idle.values())) if self._idle else []

    def close(self) -> None:
        """The client is gone: so are its connections."""
        idle, self._idle = self._idle, None
        for conn in idle or ():
            conn.holder = None
            conn.close()

"""What the pool needs to know of a server connection, and nothing more."""

from __future__ import annotations

from typing import Protocol

from hapy.pool.key import ConnectionKey


class Holder(Protocol):
    """Who keeps an idle connection: a server's pool, or the private ones of a client."""

    def evict(self, conn: PooledConnection) -> None:
        """The idle connection ended, or said something unasked: forget and close it."""


class PooledConnection(Protocol):
    """A connection to a server.

    Attributes:
        key: its identity.
        requests: how many request heads were sent on it; counted by who sends them.
        private: it belongs to one client (`Pool.claim` sets it: under `http-reuse never`, and when connection-bound
            authentication shows up; never unset).
        holder: None while it is in use; while it idles, who keeps it. Whoever sees an idle connection end (FIN, RST,
            bytes that nobody asked for) calls `conn.holder.evict(conn)`.
    """

    key: ConnectionKey
    requests: int
    private: bool
    holder: Holder | None

    def is_alive(self) -> bool:
        """A last look before it is handed out: false when it has ended or bytes wait on it. Must not block."""

    def close(self) -> None:
        """Close it by FIN. May be called more than once. Must not call back into the holder."""

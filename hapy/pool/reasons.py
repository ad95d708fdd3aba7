"""Why a request did or did not go out on a connection that stood already: one closed list, one word each."""

from __future__ import annotations

import enum


class ReuseReason(enum.StrEnum):
    """The reason, as logs, counters and `show` commands print it.

    The first three mean that the connection stood; all others that a new one was opened, and why.
    """

    HIT = "hit"  # an idle shared connection
    WARM = "warm"  # one opened ahead that no request had used yet
    OWN = "own"  # a private connection that belongs to this client
    NONE = "none"  # no connection idle: a cold start, or all of them busy
    FIRST = "first"  # idle ones stood by, but the client's first request must not use them
    KEY = "key"  # idle ones stood by, but to another name, address, source or with another PROXY header
    NEVER = "never"  # http-reuse never
    OFF = "off"  # the server keeps no connections: pool-max-conn 0, pool-purge-delay 0, max-reuse 0
    PRIVATE = "private"  # the last one had become a client's own (NTLM, Negotiate)
    LIMIT = "limit"  # the last one was closed when it came back: more idle than the limits allow
    PURGED = "purged"  # the last one was closed as not needed for a while
    STALE = "stale"  # the server had closed the last idle one
    CLOSED = "closed"  # the last answer ended its connection
    SPENT = "spent"  # the last one had carried its max-reuse requests
    RETRY = "retry"  # the request is repeated after a failure, on purpose on a new connection

    @property
    def reused(self) -> bool:
        """Whether the connection stood already."""
        return self in _REUSED


_REUSED = frozenset({ReuseReason.HIT, ReuseReason.WARM, ReuseReason.OWN})

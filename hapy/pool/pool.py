"""The pool of one server's connections: who may go out on which idle one, and which of them are kept.

Life of a server connection, and who moves it on:

    state    | event                                                  | next    | by
    ---------+--------------------------------------------------------+---------+-----------------------------
    (none)   | a request finds no idle connection: reserve()          | opening | path of the request
    (none)   | more will be needed soon: dial ahead                   | warming | keeper (hapy/pool/keeper.py)
    opening  | it stands                                              | busy    | path of the request
    opening  | it could not be opened: discard(None)                  | (none)  | path of the request
    warming  | it stands: add_fresh()                                 | fresh   | keeper
    busy     | answer complete, both sides let it live: release()     | once    | pool, 1 request carried
    busy     | the same, 2 requests carried or more                   | proven  | pool
    busy     | the same, but it is private                            | own     | pool, for the client
    busy     | the same, but more are idle than the limits allow      | closed  | pool
    busy     | error, abort, close by either side: discard(conn)      | closed  | path of the request
    fresh    | acquire()                                              | busy    | pool
    once     | acquire()                                              | busy    | pool
    proven   | acquire()                                              | busy    | pool
    own      | acquire() by the same client                           | busy    | pool
    own      | the client goes                                        | closed  | path of the request
    fresh, once, proven | the server closes or speaks: evict()        | closed  | the connection itself
    fresh, once, proven | not needed lately: purge()                  | closed  | keeper
    fresh, once, proven | maintenance, another address: drop_idle()   | closed  | Server

Rules:

- All of this happens in synchronous sections of one thread: a connection leaves the pool in the step that hands it out.
- The last one in is the first one out; a purge takes the oldest. Each step costs the same however many are idle.
- Which idle connections a request may use, in order (`once` is HAProxy's "idle" list, `proven` its "safe" list):

      http-reuse   | a client's first request                | later requests
      never        | -                                       | - (but the client's own)
      safe         | fresh (*)                               | once, proven, fresh
      aggressive   | proven, fresh (*)                       | once, proven, fresh
      always       | proven, once, fresh                     | once, proven, fresh

  The "later" column holds for first requests too when `retry-on` has all of conn-failure, empty-response and
  response-timeout: then hapy itself can repeat what a dead connection swallowed.
- (*) A fresh connection has been opened ahead and never carried a request. HAProxy has none of these. For a first
  request it stands in for the new connection that HAProxy would open, which is right only as long as it fails no
  differently. It can: the server may have closed it for being idle, and the FIN may cross the request on the wire. The
  server then never read the request, but nobody can tell that from a server that read it and died. So a first request
  gets a fresh connection under `safe` and `aggressive` only if it can be repeated on a new one without harm (idempotent
  method and its body at hand: `repeatable`); a POST pays for its own handshake, as it does with HAProxy.
- A connection is kept when it comes back only if (all of): it is not private; `pool-purge-delay` is not 0; the server
  isn't in maintenance; fewer than `pool-max-conn` are idle; open sockets are below the high ratio; and none is idle
  yet (no proven one, if it is proven), or open sockets are below the low ratio and busy + idle is at most what is
  needed + `pool-low-conn`.
- What is needed: the most busy at once since the last purge, or the estimate carried over from before, whichever is
  more. A purge closes half of what exceeds it (rounded up, and one more: HAProxy's share of a thread), then carries the
  estimate over: halfway to the new peak when that is lower. It is the excess that is halved, not the idle connections
  as the manual has it.
- Where connections differ by the name that is asked for (`sni` from the request), one connection of each name that was
  asked for during the last two purge periods counts as needed too, for 256 names at most.
- `max-reuse` is kept. HAProxy 2.6 keeps it towards HTTP/2 servers only; its manual promises no more.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

from hapy.net.clock import now
from hapy.pool.budget import FdBudget, unlimited
from hapy.pool.distance import Distance
from hapy.pool.reasons import ReuseReason

if TYPE_CHECKING:
    from hapy.pool.connection import PooledConnection
    from hapy.pool.key import ConnectionKey
    from hapy.pool.own import OwnConnections

_Stack = dict["PooledConnection", float]  # and when it was opened, where that matters


#: Names of one server that are kept ready beyond what demand at any one moment needs; a client can make up more.
_MOST_NAMES = 256
#: Purges after which a name that nobody asks for is no longer kept ready.
_REMEMBERED = 2

_NO_COUNTS: dict[str, int] = dict.fromkeys(ReuseReason, 0)


class _Shelf:
    """The idle connections of one key, and the order in which a request tries its three stacks."""

    __slots__ = ("asked", "first", "first_unrepeatable", "fresh", "later", "lost", "once", "pool", "proven")

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        #: Purges for which this key counts as needed; only where keys differ by name.
        self.asked = 0
        self.fresh: _Stack = {}
        self.once: _Stack = {}
        self.proven: _Stack = {}
        #: Why the last connection of this key went away, until a request has told it as its reason.
        self.lost = ReuseReason.NONE
        self.later: tuple[_Stack, ...] = (self.once, self.proven, self.fresh)
        if pool.reuse == "safe":
            self.first: tuple[_Stack, ...] = (self.fresh,)
            self.first_unrepeatable: tuple[_Stack, ...] = ()
        elif pool.reuse == "aggressive":
            self.first = (self.proven, self.fresh)
            self.first_unrepeatable = (self.proven,)
        else:
            self.first = self.first_unrepeatable = (self.proven, self.once, self.fresh)

    def __len__(self) -> int:
        return len(self.fresh) + len(self.once) + len(self.proven)

    def evict(self, conn: PooledConnection) -> None:
        """The idle connection ended, or said something unasked."""
        pool = self.pool
        for stack in self.later:
            if conn in stack:
                opened = stack.pop(conn)
                pool.lose(self, conn, ReuseReason.STALE)
                if stack is self.fresh and pool.on_unused is not None:
                    self.asked = 0
                    pool.bare.pop(conn.key, None)
                    pool.on_unused(now() - opened)
                pool.tell_shortage()
                return


class Pool:
    """The connections of one server.

    Attributes:
        reason: why the last `acquire` found or did not find a connection.
        counts: how often each reason was given.
        idle: connections kept. used: those that carry a request or are being opened, but for private ones, which are no
            demand for shared ones. claimed: private ones that carry a request. warming: those being dialled.
        most_used: the server's `maxconn`, beyond which nothing is opened ahead; 0 for none.
        max_used: the most used at once since the last purge. needed: the estimate carried over.
        enabled: False in maintenance: nothing is kept. generation: of the server's address; others are not kept.
        distance: how far the server is.
        repeats_lost_requests: what a dead connection swallows is sent again, so that first requests may take any.
        asked: a request came since an idle connection last proved superfluous.
        named: connections differ by the name that is asked for (`sni` from the request), and by nothing else.
        bare: names that were asked for lately and whose last connection went away, where `named`.
        at_rest: nothing is kept, and nothing has to be purged.
        on_kept: called when a connection is kept after a rest. on_shortage: when connections went that may have to be
            replaced ahead of need. on_unused: with its age in seconds, when one that was opened ahead ended unused.
            on_restored: when the server can be reached again, set while attempts to reach it are put off. All
            four are set by the keeper.
    """

    __slots__ = (
        "_shelves",
        "asked",
        "at_rest",
        "bare",
        "budget",
        "claimed",
        "counts",
        "distance",
        "enabled",
        "generation",
        "idle",
        "low",
        "max_idle",
        "max_reuse",
        "max_used",
        "min_conn",
        "most_used",
        "named",
        "needed",
        "on_kept",
        "on_restored",
        "on_shortage",
        "on_unused",
        "purge_delay",
        "reason",
        "repeats_lost_requests",
        "reuse",
        "used",
        "warming",
    )

    def __init__(
        self,
        reuse: str = "safe",
        *,
        max_idle: int = -1,
        low: int = 0,
        purge_delay: float = 5.0,
        max_reuse: int = -1,
        min_conn: int | None = None,
        retries_lost_requests: bool = False,
        budget: FdBudget | None = None,
    ) -> None:
        """Args:
        reuse: never, safe, aggressive or always.
        max_idle: `pool-max-conn`, -1 for no limit.
        low: `pool-low-conn`.
        purge_delay: `pool-purge-delay` in seconds.
        max_reuse: `max-reuse`, -1 for no limit.
        min_conn: connections to keep ready, None for the automatic mode.
        retries_lost_requests: `retry-on` has all of conn-failure, empty-response and response-timeout.
        budget: the process's sockets.
        """
        self.reuse = reuse
        self.max_idle = max_idle
        self.low = low
        self.purge_delay = purge_delay
        self.max_reuse = max_reuse
        self.min_conn = min_conn
        self.budget = budget if budget is not None else unlimited()
        self.repeats_lost_requests = retries_lost_requests
        self._shelves: dict[ConnectionKey, _Shelf] = {}
        self.counts = _NO_COUNTS.copy()
        self.reason = ReuseReason.NONE
        self.enabled = True
        self.generation = 0
        self.idle = 0
        self.used = 0
        self.claimed = 0
        self.warming = 0
        self.max_used = 0
        self.most_used = 0
        self.needed = 0
        self.distance = Distance()
        self.asked = False
        self.named = False
        self.bare: dict[ConnectionKey, None] = {}
        self.at_rest = True
        self.on_kept: Callable[[], None] | None = None
        self.on_shortage: Callable[[], None] | None = None
        self.on_restored: Callable[[], None] | None = None
        self.on_unused: Callable[[float], None] | None = None

    def __repr__(self) -> str:
        return f"<Pool {self.reuse}: {self.used} busy, {self.idle} idle, {self.warming} warming, needs {self.needed}>"

    @property
    def proven(self) -> int:
        """Idle connections that have carried two requests or more (HAProxy's safe ones)."""
        return sum(len(shelf.proven) for shelf in self._shelves.values())

    # --- the path of a request ---

    def acquire(
        self, key: ConnectionKey, first_request: bool, own: OwnConnections | None = None, *, repeatable: bool = True
    ) -> PooledConnection | None:
        """Hand out an idle connection, or None; `reason` says why.

        Args:
            key: what the connection must match.
            first_request: it is the first request of its client connection (HTTP/2 requests never are).
            own: the client's private connections.
            repeatable: the request may be sent again on a new connection, should this one turn out dead.
        """
        if own is not None and own and (conn := own.take(self, key)) is not None:
            self.reason = ReuseReason.OWN
            self.counts[ReuseReason.OWN] += 1
            self.asked = True
            self.claimed += 1
            return conn
        shelf = self._shelves.get(key)
        if shelf is None:
            self._miss(None)
            return None
        if not first_request or self.repeats_lost_requests:
            stacks = shelf.later
        else:
            stacks = shelf.first if repeatable else shelf.first_unrepeatable
        for stack in stacks:
            while stack:
                conn = stack.popitem()[0]
                if conn.is_alive():
                    self.idle -= 1
                    conn.holder = None
                    self._use(ReuseReason.HIT if conn.requests else ReuseReason.WARM)
                    return conn
                self.lose(shelf, conn, ReuseReason.STALE)
        self._miss(shelf)
        return None

    def _use(self, reason: ReuseReason) -> None:
        self.reason = reason
        self.counts[reason] += 1
        self.asked = True
        self.used = used = self.used + 1
        if used > self.max_used:
            self.max_used = used
            if used > self.needed:
                self.needed = used
                self.tell_shortage()

    def _miss(self, shelf: _Shelf | None) -> None:
        if self.reuse == "never":
            self.reason = ReuseReason.NEVER
        elif self.keeps_none:
            self.reason = ReuseReason.OFF
        elif shelf is None or not len(shelf):
            lost = ReuseReason.NONE
            if shelf is not None:
                lost, shelf.lost = shelf.lost, lost
            self.reason = ReuseReason.KEY if lost is ReuseReason.NONE and self.idle else lost
        else:
            self.reason = ReuseReason.FIRST

    def reserve(self, reason: ReuseReason | None = None) -> None:
        """A new connection is about to be opened for a request, after `acquire` found none or on purpose.

        Args:
            reason: why, where `acquire` was not asked (a repeated request).
        """
        self._use(self.reason if reason is None else reason)
        if self.budget.used >= self.budget.high and self.idle:
            self._close_oldest(1, ReuseReason.LIMIT)

    def release(self, conn: PooledConnection, own: OwnConnections | None = None) -> bool:
        """The answer is complete and both sides let the connection live. Keeps or closes it; True when kept.

        Args:
            conn: it must be idle in every sense: nothing unsent, nothing unread.
            own: its client's private connections, for a private one; without it such a connection is closed.
        """
        if self.reuse == "never":
            self.claim(conn)
        if conn.private:
            self.claimed -= 1
            self._lost(conn.key, ReuseReason.PRIVATE)
            if own is not None and self.enabled and not self._spent(conn) and own.keep(self, conn):
                return True
            conn.close()
            return False
        lost = self._unwanted(conn)
        self.used -= 1
        if lost is not None:
            self._lost(conn.key, lost)
            conn.close()
            if lost is ReuseReason.SPENT:
                self.tell_shortage()
            return False
        shelf = self._shelves.get(conn.key)
        if shelf is None:
            shelf = self._shelves[conn.key] = _Shelf(self)
        if self.named:
            shelf.asked = _REMEMBERED
            self.bare.pop(conn.key, None)
        conn.holder = shelf
        (shelf.proven if conn.requests > 1 else shelf.once)[conn] = 0.0
        self.idle += 1
        if self.at_rest:
            self._leave_rest()
        return True

    def claim(self, conn: PooledConnection) -> None:
        """A connection in use belongs to its client from now on."""
        if not conn.private:
            conn.private = True
            self.used -= 1
            self.claimed += 1

    def _leave_rest(self) -> None:
        self.at_rest = False
        if self.on_kept is not None:
            self.on_kept()

    def discard(self, conn: PooledConnection | None) -> None:
        """A connection that was in use is no more, or (None) could not be opened. Closes it."""
        if conn is not None and conn.private:
            self.claimed -= 1
        else:
            self.used -= 1
        if conn is not None:
            self._lost(conn.key, ReuseReason.CLOSED)
            conn.close()
        self.tell_shortage()

    def checked(self) -> None:
        """A check opens a connection of its own. To HAProxy that is demand as well: one more may be needed."""
        self.max_used = max(self.max_used, self.used + 1)
        self.needed = max(self.needed, self.used + 1)

    # --- limits ---

    @property
    def keeps_none(self) -> bool:
        """By its settings the server keeps no idle connection."""
        return not self.purge_delay or not self.max_idle or not self.max_reuse

    def _spent(self, conn: PooledConnection) -> bool:
        return 0 <= self.max_reuse < conn.requests

    def _unwanted(self, conn: PooledConnection) -> ReuseReason | None:
        """Why a connection that comes back is not kept, or None. It still counts as used here."""
        if not self.enabled or self.keeps_none or conn.key.generation != self.generation:
            return ReuseReason.OFF
        if 0 <= self.max_reuse < conn.requests:
            return ReuseReason.SPENT
        idle = self.idle
        used_fds = self.budget.used
        if used_fds >= self.budget.high or 0 <= self.max_idle <= idle:
            return ReuseReason.LIMIT
        if idle:
            used = self.used
            total = used + idle - self.low
            wanted = self.wanted + (1 if self.named and conn.key not in self._shelves else 0)
            surplus = used_fds >= self.budget.low or (total > used and total > wanted)
            if surplus and (conn.requests < 2 or self.proven):
                return ReuseReason.LIMIT
        return None

    @property
    def wanted(self) -> int:
        """Connections, busy and idle, that recent demand or the configured minimum asks for: one a name, at least."""
        wanted = max(self.needed, self.min_conn or 0)
        return max(wanted, min(len(self._shelves), _MOST_NAMES)) if self.named else wanted

    @property
    def warms(self) -> bool:
        """Connections are opened ahead: the file asks for it, or the server is far."""
        return bool(self.min_conn) or (self.min_conn is None and self.distance.far)

    @property
    def target(self) -> int:
        """Connections, busy and idle, that warming sees to."""
        automatic = 0
        if self.min_conn != 0 and self.asked and self.distance.far:
            automatic = self.needed
        target = max(automatic, self.min_conn or 0)
        return min(target, self.most_used) if self.most_used else target

    def connected(self, seconds: float) -> None:
        """Opening a connection took that long."""
        self.distance.add(seconds)
        if self.on_restored is not None:
            self.restored()

    def _lost(self, key: ConnectionKey, reason: ReuseReason) -> None:
        shelf = self._shelves.get(key)
        if shelf is None:
            shelf = self._shelves[key] = _Shelf(self)
        shelf.lost = reason
        if self.named and not len(shelf):
            self._bared(shelf, key)

    def _bared(self, shelf: _Shelf, key: ConnectionKey) -> None:
        """A name's last connection is gone: remember it, where it was asked for lately."""
        if shelf.lost is ReuseReason.CLOSED:
            shelf.asked = _REMEMBERED
        elif shelf.lost is not ReuseReason.STALE:
            return
        if shelf.asked and len(self.bare) < _MOST_NAMES and not self._is_old(key):
            self.bare[key] = None

    def next_bare(self) -> ConnectionKey | None:
        """A name to open a connection for ahead of need, taken off the list; None for none."""
        while self.bare:
            key = next(iter(self.bare))
            del self.bare[key]
            shelf = self._shelves.get(key)
            if not self._is_old(key) and (shelf is None or not len(shelf)):
                return key
        return None

    def _is_old(self, key: ConnectionKey) -> bool:
        return key.generation != self.generation

    def lose(self, shelf: _Shelf, conn: PooledConnection, reason: ReuseReason) -> None:
        """Close an idle connection that its stack has let go of already."""
        self.idle -= 1
        shelf.lost = reason
        conn.holder = None
        conn.close()
        if self.named and not len(shelf):
            self._bared(shelf, conn.key)

    def tell_shortage(self) -> None:
        """Wake the keeper where connections may have to be made ahead."""
        if self.on_shortage is not None:
            self.on_shortage()

    def restored(self) -> None:
        """The server can be reached again, as far as is known: attempts that failed before say nothing any more."""
        if self.on_restored is not None:
            forgive, self.on_restored = self.on_restored, None
            forgive()
        self.tell_shortage()

    # --- keeping ---

    def purge(self) -> int:
        """Every `pool-purge-delay`: close half of the excess, carry the estimate over. Returns how many it closed."""
        wanted = self.wanted
        if self.named:
            names = sum(1 for shelf in self._shelves.values() if shelf.asked)
            wanted = max(self.needed, self.min_conn or 0, min(names, _MOST_NAMES))
        # Before the rest is closed: a request that comes soon is told that its connection was purged.
        for key in [key for key, shelf in self._shelves.items() if not len(shelf)]:
            del self._shelves[key]
        excess = self.used + self.idle - max(self.max_used, wanted)
        closed = 0
        if excess > 0:
            count = (excess + 1) // 2 + 1
            closed = self._close_oldest(min(count, excess) if self.warms else count, ReuseReason.PURGED)
        self.needed = max((self.needed + self.max_used) // 2, self.max_used)
        self.max_used = self.used
        if self.named:
            for shelf in self._shelves.values():
                shelf.asked = max(shelf.asked - 1, 0)
            for key in [key for key, shelf in self._shelves.items() if not len(shelf)]:
                del self._shelves[key]  # names that nobody asks for must not count as wanted
        return closed

    def _close_oldest(self, count: int, reason: ReuseReason) -> int:
        closed = 0
        shelves = list(self._shelves.values())
        if self.named:
            shelves.sort(key=lambda shelf: shelf.asked)
        for shelf in shelves:
            for stack in (shelf.fresh, shelf.once, shelf.proven):
                for conn in list(islice(stack, count - closed)):
                    del stack[conn]
                    self.lose(shelf, conn, reason)
                    closed += 1
                if closed >= count:
                    return closed
        return closed

    def drop_idle(self) -> None:
        """Close all idle connections: maintenance, another address, shutdown."""
        self._close_oldest(self.idle, ReuseReason.PURGED)

    def add_fresh(self, conn: PooledConnection) -> bool:
        """A connection dialled ahead stands. Kept unless nobody wants it any more; True when kept."""
        if (
            self.reuse == "never"
            or not self.enabled
            or self.keeps_none
            or 0 <= self.max_idle <= self.idle
            or self._is_old(conn.key)
            or not conn.is_alive()
        ):
            conn.close()
            return False
        shelf = self._shelves.get(conn.key)
        if shelf is None:
            shelf = self._shelves[conn.key] = _Shelf(self)
        conn.holder = shelf
        shelf.fresh[conn] = now()
        self.idle += 1
        if self.at_rest:
            self._leave_rest()
        return True

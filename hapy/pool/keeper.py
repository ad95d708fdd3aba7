"""What happens to pools between requests: purging what is not needed, and opening ahead what will be.

Rules:

- A pool is purged every `pool-purge-delay`, counted from the first connection that it keeps. A pool that is empty and
  needs nothing is left alone.
- Warming fills a pool up to its target (busy and idle connections together), within `pool-max-conn` and `maxconn` and
  below the low fd ratio, one connection at a time per server and a few at once in all. The target is

    `# hapy: pool-min-conn N`   at least N, at all times, from the start; 0: no warming at all
    automatic                   what recent demand needs and no more: what came back above that would not be kept

- Automatic warming is for servers that are far (hapy/pool/distance.py). What a near server would gain is not worth a
  connection that its owner did not expect. Nor is it begun before there was a request, but for one connection at the
  start, and that only where the operator asked for reuse (`http-reuse aggressive` or `always`) and the server's address
  isn't one of this machine; it also tells how far the server is.
- Where connections differ by the name that is asked for (`sni` from the request), each name that was asked for lately
  and whose last connection went away gets a new one, all of them at once.
- A connection that was opened ahead and ends unused shows that more of them aren't needed: automatic warming then stops
  until the next request. If it ended within YOUNG seconds, or can't be opened at all, the next attempt waits: an eighth
  of the time since the trouble began, but a second at least and a minute at most. So a server that restarted is warm
  again soon, and one that stays away is asked rarely. That ends when a request gets a connection, or the server comes
  up.
"""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable
from itertools import count
from typing import TYPE_CHECKING

import anyio

from hapy.net.clock import now
from hapy.net.connect import ConnectFailed

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from hapy.pool.connection import PooledConnection
    from hapy.pool.key import ConnectionKey
    from hapy.pool.pool import Pool

#: Opens a connection for the pool, or raises ConnectFailed. The key is for servers whose connections differ by name.
Dial = Callable[..., Awaitable["PooledConnection"]]

#: Shorter than this a connection has failed rather than ended.
YOUNG = 1.0

_SHORTEST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_SHARE_OF_TROUBLE = 8
_AT_ONCE = 16  # dials under way in all
_DIAL_TIMEOUT = 5.0


class _Kept:
    """A pool and its warming.

    Attributes:
        dial: None where connections of this server can't be opened ahead.
        probe: open one at the start.
        dialling: an attempt is under way. look_due, purge_due: it stands in the keeper's list for that.
        not_before: no attempt before this moment.
        trouble: since when attempts have failed; None if the last one did not.
    """

    __slots__ = ("dial", "dialling", "look_due", "not_before", "pool", "probe", "purge_due", "timeout", "trouble")

    def __init__(self, pool: Pool, dial: Dial | None, timeout: float, probe: bool) -> None:
        self.pool = pool
        self.dial = dial
        self.timeout = timeout
        self.probe = probe
        self.dialling = False
        self.purge_due = False
        self.look_due = False
        self.not_before = 0.0
        self.trouble: float | None = None


class Keeper:
    """Keeps all pools of a worker. Add them, then `run` it as a task."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, _Kept, bool]] = []  # a heap: when, (a number), whose, whether it is a purge
        self._sequence = count()
        self._wake = anyio.Event()
        self._slots = anyio.Semaphore(_AT_ONCE)
        self._group: TaskGroup | None = None

    def add(self, pool: Pool, dial: Dial | None = None, *, timeout: float | None = None, probe: bool = False) -> None:
        """Look after a pool.

        Args:
            pool: the pool.
            dial: opens a connection for it; None if connections differ from request to request.
            timeout: `timeout connect` in seconds.
            probe: in automatic mode, open one connection at the start.
        """
        kept = _Kept(pool, dial, timeout or _DIAL_TIMEOUT, probe)
        pool.on_kept = lambda: self._schedule_purge(kept)
        if dial is not None and pool.min_conn != 0:
            pool.on_shortage = lambda: self._look(kept)
            if (pool.min_conn or probe) and not pool.named:
                self._at(0.0, kept)

    async def run(self) -> None:
        """Until cancelled."""
        async with anyio.create_task_group() as group:
            self._group = group
            try:
                while True:
                    self._work()
                    self._wake = anyio.Event()
                    rest = self._due[0][0] - now() if self._due else float("inf")
                    with anyio.move_on_after(max(rest, 0.0)):
                        await self._wake.wait()
            finally:
                self._group = None

    def _work(self) -> None:
        moment = now()
        while self._due and self._due[0][0] <= moment:
            _, _, kept, purge = heapq.heappop(self._due)
            if purge:
                self._purge(kept)
            else:
                kept.look_due = False
                self._look(kept)

    def _at(self, moment: float, kept: _Kept, *, purge: bool = False) -> None:
        heapq.heappush(self._due, (moment, next(self._sequence), kept, purge))
        if self._due[0][2] is kept:
            self._wake.set()

    # --- purging ---

    def _schedule_purge(self, kept: _Kept) -> None:
        if not kept.purge_due and kept.pool.purge_delay:
            kept.purge_due = True
            self._at(now() + kept.pool.purge_delay, kept, purge=True)

    def _purge(self, kept: _Kept) -> None:
        pool = kept.pool
        pool.purge()
        kept.purge_due = False
        if pool.idle or pool.needed or pool.max_used:
            self._schedule_purge(kept)
        else:
            pool.at_rest = True

    # --- warming ---

    def _look(self, kept: _Kept) -> None:
        """Open a connection if the pool is short of one."""
        if kept.dialling or kept.dial is None or not self._short(kept):
            return
        if kept.not_before > now() or self._group is None:
            if not kept.look_due:
                kept.look_due = True
                self._at(kept.not_before, kept)
            return
        if kept.pool.named:
            self._look_for_names(kept, self._group)
            return
        kept.dialling = True
        self._group.start_soon(self._dial, kept, None)

    def _look_for_names(self, kept: _Kept, group: TaskGroup) -> None:
        """Open a connection for each name that has lost its last one, within the limits."""
        pool = kept.pool
        while not 0 <= pool.max_idle <= pool.idle + pool.warming:
            key = pool.next_bare()
            if key is None:
                return
            pool.warming += 1
            group.start_soon(self._dial, kept, key)

    def _short(self, kept: _Kept) -> bool:
        pool = kept.pool
        if pool.keeps_none or not pool.enabled or pool.reuse == "never" or pool.budget.used >= pool.budget.low:
            return False
        if 0 <= pool.max_idle <= pool.idle:
            return False
        if pool.named:
            return bool(pool.bare) and pool.warms
        target = 1 if kept.probe else pool.target
        return pool.used + pool.idle < target

    async def _dial(self, kept: _Kept, key: ConnectionKey | None) -> None:
        assert kept.dial is not None
        pool = kept.pool
        if key is None:
            pool.warming += 1
        try:
            async with self._slots:
                began = now()
                with anyio.fail_after(kept.timeout):
                    conn = await (kept.dial() if key is None else kept.dial(key))
            pool.connected(now() - began)
        except (ConnectFailed, TimeoutError):
            kept.probe = False
            self._put_off(kept)
            pool.on_restored = lambda: self._forgive(kept)
            if not pool.min_conn:
                pool.asked = False
        else:
            kept.probe = False
            pool.on_unused = lambda age: self._ended_unused(kept, age)
            if not pool.add_fresh(conn):
                self._put_off(kept)
        finally:
            pool.warming -= 1
            kept.dialling = False
        self._look(kept)

    def _ended_unused(self, kept: _Kept, age: float) -> None:
        """A connection opened ahead ended before any request used it."""
        if not kept.pool.min_conn:
            kept.pool.asked = False
        if age < YOUNG:
            self._put_off(kept)
        else:
            kept.trouble = None

    def _forgive(self, kept: _Kept) -> None:
        kept.not_before = 0.0
        kept.trouble = None

    def _put_off(self, kept: _Kept) -> None:
        moment = now()
        if kept.not_before > moment:
            return  # several that end together are one failure
        if kept.trouble is None:
            kept.trouble = moment
        pause = (moment - kept.trouble) / _SHARE_OF_TROUBLE
        kept.not_before = moment + min(max(pause, _SHORTEST_PAUSE), _LONGEST_PAUSE)

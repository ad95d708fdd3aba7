"""One backend as it runs: its servers, who of them takes the next request, and the requests that wait.

The path of a request uses it like this (all but the wait are plain calls):

    backend.begin()                                     the request enters the backend
    server = backend.assign(txn, forced, avoid, own)    a server, with one of its slots taken
    if server is None:
        ticket = backend.enqueue(txn, on_ready)         wait until on_ready is called, then look at ticket.server
    …
    backend.release(server)                             the slot is free again: at the end, and before a redispatch
    backend.end()                                       the request leaves the backend
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import anyio

from hapy.balance.choose import make_balancer
from hapy.balance.single import FirstOnly
from hapy.net.clock import now
from hapy.observe.counters import BackendCounters
from hapy.pool import FdBudget, OwnConnections
from hapy.pool.keeper import Keeper
from hapy.proxy.queue import NoServer, Queue, QueueFull, QueueTimeout, Ticket
from hapy.proxy.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.persist.values import CookieValues
    from hapy.pool.key import ConnectionKey
    from hapy.proxy.server_connection import ServerConnection
    from hapy.proxy.state import Audience
    from hapy.proxy.transaction import Transaction
    from hapy.samples import CompileEnv
    from hapy_config.model.config import Config
    from hapy_config.model.proxy import Proxy

__all__ = ["Backend", "NoServer", "QueueFull", "QueueTimeout", "default_fullconn"]


class Backend:
    """The running counterpart of a backend (or of a listen's backend half).

    Attributes:
        model: what the file says. label: the name in bytes.
        servers: all of them, in the file's order. by_name: the same.
        active: those that requests go to now: usable ones that aren't backups, or else backups.
        balancer: picks among these.
        queue: requests that any of them may take. current: requests in this backend, waiting ones too.
        fullconn: the load at which servers get their whole maxconn.
        audience: who is told of changes, None for nobody. last_change: when its last server went, or the first came.
        persist: asked first with the request: a server that it is bound to, or None (RDP cookies, stick tables).
        cookie_values: which server has which cookie, None where no cookie ties clients to servers.
    """

    active: tuple[Server, ...]

    def __init__(self, model: Proxy, env: CompileEnv | None = None, budget: FdBudget | None = None) -> None:
        """Args:
        model: the backend.
        env: for the sample expressions of `balance hash`; and whose configuration gives the default of `fullconn`.
        budget: the process's sockets.
        """
        self.model = model
        self.label = model.name.encode()
        self.current = 0
        self.queue = Queue()
        self.fullconn = model.fullconn or (default_fullconn(env.config, model.name) if env is not None else 1)
        self.servers: tuple[Server, ...] = tuple(Server(server, self, budget) for server in model.servers)
        self.by_name = {server.model.name: server for server in self.servers}
        self.counters = BackendCounters()
        self.persist: Callable[[Transaction], Server | None] | None = None
        self.cookie_values: CookieValues | None = None
        self._all_backups = "allbackups" in model.options
        self._main = make_balancer(model, env)
        if self._main.one_table:
            self._spare = self._main
        elif self._all_backups:
            self._spare = make_balancer(model, env)
        else:
            self._spare = FirstOnly(waits_with_backend=model.balance.algorithm == "random")
        self.balancer = self._main
        self._tracks_load = self._main.tracks_load
        self._redispatches = model.redispatch is not None and "persist" not in model.options
        self._wait_for: Server | None = None
        self.audience: Audience | None = None
        self.last_change = now()
        self._update()
        self.works = bool(self.active)
        if not self.works and any(
            server.unresolved and server.model.weight and not server.model.disabled for server in self.servers
        ):
            self.counters.chkdown = 1  # as if it had worked until its servers had no address

    def __repr__(self) -> str:
        return f"<Backend {self.model.name}: {self.current} requests, {len(self.queue)} queued>"

    @property
    def queued(self) -> int:
        """Requests waiting for any of the servers."""
        return len(self.queue)

    def begin(self) -> None:
        """A request enters."""
        self.current += 1

    def end(self) -> None:
        """It leaves."""
        self.current -= 1

    # --- choosing ---

    def assign(
        self,
        txn: Transaction,
        forced: Server | None = None,
        avoid: Server | None = None,
        own: OwnConnections | None = None,
        *,
        bound: bool = False,
    ) -> Server | None:
        """Choose a server and take one of its slots. None: the request must wait (call `enqueue` at once).

        Args:
            txn: the request.
            forced: the server that `use-server` named.
            avoid: the server that has just failed this request.
            own: the client's private connections, whose server `option prefer-last-server` (and connection-bound
                authentication) prefers; None where neither applies.
            bound: it is connection-bound authentication: the request rather waits for that server than go elsewhere,
                whatever `max-keep-alive-queue` says.

        Raises:
            NoServer: none takes requests.
            QueueFull: the server it is bound to has `maxqueue` requests waiting, and no other may be taken.
        """
        full = avoid
        if forced is None and self.persist is not None and avoid is None:
            forced = self.persist(txn)
        if forced is not None and forced is not avoid:
            if forced.has_room():
                return self._take(forced)
            if not forced.queue_is_full():
                self._wait_for = forced
                return None
            if self.model.redispatch is None or (txn.tie is not None and txn.tie.forced):
                txn.server = forced
                raise QueueFull
            txn.redispatched = True
            if txn.cookie_in == "V":
                txn.cookie_in = "D"
            forced.counters.wredis += 1
            self.counters.wredis += 1
            full = forced
        if own is not None and own and avoid is None and not self._main.keyed:
            last = self._last(own, bound=bound)
            if last is not None:
                if last.has_room():
                    return self._take(last)
                self._wait_for = last
                return None
        in_line = self._main.in_line and len(self.queue) and self.active
        server = None if in_line else self.balancer.pick(txn, full)  # not the one whose queue was full
        if server is None:
            if not self.active:
                raise NoServer
            self._wait_for = None
            return None
        if server is not avoid:
            server.counters.lbtot += 1
            self.counters.lbtot += 1
        if server.has_room():
            return self._take(server)
        if server.queue_is_full():
            txn.server = server
            raise QueueFull
        self._wait_for = server
        return None

    def _last(self, own: OwnConnections, *, bound: bool) -> Server | None:
        """The first server that the client still has a connection to, unless too many wait for it."""
        longest = self.model.max_keep_alive_queue
        for pool in own.pools():
            for server in self.servers:
                if (
                    server.pool is pool
                    and server.usable
                    and (bound or longest < 0 or server.has_room() or len(server.queue) < longest)
                ):
                    return server
        return None

    def _take(self, server: Server) -> Server:
        server.current += 1
        if self._tracks_load:
            self._load_changed(server)
        return server

    def _load_changed(self, server: Server) -> None:
        (self._spare if server.model.backup else self._main).load_changed(server)

    def release(self, server: Server) -> None:
        """Free a slot; whoever waits longest for it gets it."""
        self.vacate(server)
        self.offer(server)

    def vacate(self, server: Server) -> None:
        """Free a slot, and give it to nobody yet: call `offer` before anything else happens."""
        server.current -= 1
        if self._tracks_load:
            self._load_changed(server)

    def offer(self, server: Server, *, after: int = 0) -> None:
        """Give a server's free slots to those who wait.

        Args:
            server: the server.
            after: 1 if that comes of a request that has left the server just now: to a limit that grows with the
                load it still belongs to it, as in HAProxy; one that had no slot there (refused, tired of waiting)
                does not.
        """
        if server.maxconn and (len(server.queue) or len(self.queue)):
            self.current += after
            self.serve_queues(server)
            self.current -= after

    # --- waiting ---

    def enqueue(self, txn: Transaction, on_ready: Callable[[], None]) -> Ticket:
        """A place in the queue, right after `assign` gave None and before anything else happens.

        `txn.server` is the server it waits for from then on, or None where any will do; the position in the queue is
        counted in the transaction as the ticket leaves.

        Args:
            txn: the request.
            on_ready: called when the ticket has a server, or must ask `assign` again (see `Ticket`).
        """
        server = self._wait_for
        queue = self.queue if server is None else server.queue
        counters = self.counters if server is None else server.counters
        rules = txn.overrides
        ticket = queue.enter(rules.priority_class, rules.priority_offset) if rules is not None else queue.enter()
        ticket.on_ready = on_ready
        txn.server = server
        counters.qcur += 1
        counters.qmax = max(counters.qmax, counters.qcur)

        def leave(ticket: Ticket) -> None:
            counters.qcur -= 1
            if server is None:
                txn.backend_queue += ticket.position
            else:
                txn.server_queue += ticket.position

        ticket.on_leave = leave
        return ticket

    def count_failure(self, server: Server | None) -> None:
        """A request has found no connection to that server, or has waited too long for it or (None) for any."""
        self.counters.econ += 1
        if server is not None:
            server.counters.econ += 1

    async def wait_for_server(
        self,
        txn: Transaction,
        deadline: float | None,
        forced: Server | None = None,
        avoid: Server | None = None,
        own: OwnConnections | None = None,
    ) -> Server:
        """The whole wait, for callers that are tasks: `assign`, then as often as it takes `enqueue`.

        Args:
            txn: the request.
            deadline: when `timeout queue` ends, on the clock of the event loop; None never.
            forced: as for `assign`.
            avoid: as for `assign`.
            own: as for `assign`.

        Raises:
            QueueTimeout: no slot came free in time.
            NoServer, QueueFull: as `assign`.
        """
        while True:
            server = self.assign(txn, forced, avoid, own)
            if server is not None:
                return server
            ready = anyio.Event()
            ticket = self.enqueue(txn, ready.set)
            try:
                with anyio.move_on_at(float("inf") if deadline is None else deadline):
                    await ready.wait()
            except BaseException:
                ticket.forfeit()
                raise
            if ticket.waiting:
                ticket.forfeit()
                raise QueueTimeout
            if ticket.server is not None:
                return ticket.server

    def serve_queues(self, server: Server) -> None:
        """Give the server's free slots to those who wait: for it, or (if requests go to it now) for any server."""
        if not len(server.queue) and not len(self.queue):
            return
        takes_any = server in self.active
        while not server.maxconn or server.current < server.limit():
            own = server.queue.head()
            shared = self.queue.head() if takes_any else None
            if own is not None and (shared is None or own < shared):
                queue, ticket = server.queue, own
            elif shared is not None:
                queue, ticket = self.queue, shared
            else:
                return
            server.current += 1
            queue.give(ticket, server)
            if self._tracks_load:
                self._load_changed(server)

    # --- pools ---

    def keep_pools(self, keeper: Keeper) -> None:
        """Have the pools purged and warmed."""
        model = self.model
        connect = model.timeouts.connect
        asks_for_reuse = model.reuse in {"aggressive", "always"} and model.http_mode == "keep-alive"
        for server in self.servers:
            dial = None
            connector = server.connector
            if model.mode == "http" and model.reuse != "never" and (connector.fixed or connector.named):
                server.pool.named = connector.named
                dial = partial(_dial, server)
            keeper.add(
                server.pool,
                dial,
                timeout=connect / 1000 if connect else None,
                probe=asks_for_reuse and not server.model.backup and not server.pool.distance.local,
            )

    # --- changes ---

    def server_changed(self, server: Server) -> int:
        """State or weight of a server changed: who waits may go out now, or elsewhere.

        Requests that wait for a server that is down stay there unless `option redispatch` lets them go elsewhere; those
        that wait for any server go on waiting when there is none. Those that wait for a server that has no address any
        more always go elsewhere.

        Returns:
            How many stopped waiting because of it.
        """
        before = len(server.queue) + len(self.queue)
        self._update()
        if server.unresolved or (self._redispatches and not server.in_service):
            server.queue.dissolve()
        self.serve_queues(server)
        if len(self.queue):
            for other in self.active:  # backups may have taken over
                self.serve_queues(other)
        return max(0, before - len(server.queue) - len(self.queue))

    def available(self) -> tuple[int, int]:
        """The servers that take new traffic: those that are no backups, and the backups."""
        active = sum(1 for server in self.servers if server.usable and not server.model.backup)
        return active, sum(1 for server in self.servers if server.usable and server.model.backup)

    def tell_availability(self) -> None:
        """Note that the last server has gone, or that there is one again: after what is said of the server itself."""
        works = bool(self.active)
        if works is self.works:
            return
        self.works = works
        moment = now()
        if works:
            self.counters.downtime += moment - self.last_change
        else:
            self.counters.chkdown += 1
        self.last_change = moment
        if not works and self.audience is not None:
            self.audience.exhausted(self)

    def downtime(self) -> float:
        """Seconds without a server so far."""
        return self.counters.downtime + (0.0 if self.works else now() - self.last_change)

    def _update(self) -> None:
        active = tuple(server for server in self.servers if server.usable and not server.model.backup)
        backups = tuple(server for server in self.servers if server.usable and server.model.backup)
        if active:
            self.active = active
            self.balancer = self._main
        else:
            self.active = backups if self._all_backups else backups[:1]
            self.balancer = self._spare
        if self._spare is self._main:
            self._main.update(self.active)
        else:
            self._main.update(active)
            self._spare.update(backups)


async def _dial(server: Server, key: ConnectionKey | None = None) -> ServerConnection:
    return await server.connector.dial(server.key if key is None else key)


def default_fullconn(config: Config, name: str, maxconn: int = 0) -> int:
    """`fullconn` where the file has none: a tenth of the maxconns of all frontends that may branch to the backend.

    Args:
        config: all that there is.
        name: the backend's.
        maxconn: the process's, where the file does not say.
    """
    return max(1, _client_limits(config, maxconn)[name] // 10)


_counted: tuple[Config, int, Counter[str]] | None = None


def _client_limits(config: Config, maxconn: int) -> Counter[str]:
    """For each backend the maxconns of all frontends that may branch to it, summed up once for a configuration."""
    global _counted
    if _counted is None or _counted[0] is not config or _counted[1] != maxconn:
        limits: Counter[str] = Counter()
        for proxy in config.proxies:
            if not proxy.is_frontend:
                continue
            targets = {use.target for use in proxy.use_backends if isinstance(use.target, str)}
            if proxy.default_backend is not None:
                targets.add(proxy.default_backend)
            if proxy.is_backend:
                targets.add(proxy.name)
            for target in targets:
                limits[target] += proxy.maxconn or config.global_.maxconn or maxconn
        _counted = config, maxconn, limits
    return _counted[2]

"""One server as it runs: its state, its slots, its queue and its pool.

State changes only through the methods here; health checks, the Runtime API, DNS and agents use the same ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.observe.counters import ServerCounters
from hapy.pool import ConnectionKey, FdBudget, Pool
from hapy.pool.distance import Distance, is_local
from hapy.proxy.queue import Queue

if TYPE_CHECKING:
    from hapy.dns.servers import ServerUser
    from hapy.proxy.backend import Backend
    from hapy.proxy.connector import Connector
    from hapy_config.model.addresses import Address
    from hapy_config.model.server import Server as ServerModel

#: `retry-on` with all of these lets first requests use any idle connection.
_LOST_REQUESTS = frozenset({"conn-failure", "empty-response", "response-timeout"})
_ALL_RETRYABLE = "all-retryable-errors"


class Server:
    """The running counterpart of a `server` line.

    Attributes:
        model: what the file says. label: the name in bytes. backend: where it belongs.
        address: where it is now. generation: counts the addresses it has had. key: of a plain connection to it.
        weight: 0 to 256, as configured or set since.
        up: its checks (or none) say that it works. maintenance, drain: the operator's word.
        unresolved: it has no address (HAProxy's RMAINT): its name has none, or not yet. `address` is then the last one.
        usable: it takes new traffic: up, resolved, not in maintenance, not drained, weight above 0.
        fqdn: the host name that gives it its address, or None. resolving: how it lives by that, None where nothing
            looks names up while hapy runs.
        current: requests (TCP: connections) that hold one of its slots.
        maxconn, minconn, maxqueue: the limits now, 0 for none.
        queue: requests that wait for this server and no other.
        pool: its idle connections.
        counters: what statistics print.
        connector: opens connections to it; set once by who builds the runtime.
    """

    connector: Connector

    __slots__ = (
        "address",
        "backend",
        "connector",
        "counters",
        "current",
        "drain",
        "fqdn",
        "generation",
        "key",
        "label",
        "maintenance",
        "maxconn",
        "maxqueue",
        "minconn",
        "model",
        "pool",
        "queue",
        "resolving",
        "unresolved",
        "up",
        "usable",
        "weight",
    )

    def __init__(self, model: ServerModel, backend: Backend, budget: FdBudget | None = None) -> None:
        self.model = model
        self.backend = backend
        self.label = model.name.encode()
        self.address = model.address
        self.generation = 0
        self.key = ConnectionKey(0)
        self.weight = model.weight
        self.up = True
        self.maintenance = model.disabled
        self.drain = False
        self.fqdn = model.fqdn
        self.resolving: ServerUser | None = None
        self.unresolved = model.address.family == "name"
        self.usable = not (model.disabled or self.unresolved) and model.weight > 0
        self.current = 0
        self.maxconn = model.maxconn
        self.minconn = min(model.minconn or model.maxconn, model.maxconn)
        self.maxqueue = model.maxqueue
        self.queue = Queue()
        retry_on = backend.model.retry_on
        self.pool = Pool(
            backend.model.reuse,
            max_idle=model.pool_max_conn,
            low=model.pool_low_conn,
            purge_delay=model.pool_purge_delay / 1000,
            max_reuse=model.max_reuse,
            min_conn=model.pool.min_conn,
            retries_lost_requests=_ALL_RETRYABLE in retry_on or retry_on >= _LOST_REQUESTS,
            budget=budget,
        )
        self.pool.enabled = not (model.disabled or self.unresolved)
        self.pool.distance.local = is_local(model.address)
        self.counters = ServerCounters()
        self.counters.reuse_reasons = self.pool.counts

    def __repr__(self) -> str:
        return f"<Server {self.backend.model.name}/{self.model.name} {self.current} in use, {len(self.queue)} queued>"

    @property
    def queued(self) -> int:
        """Requests waiting for this server and no other."""
        return len(self.queue)

    # --- slots ---

    def limit(self) -> int:
        """Slots at this moment: `maxconn`, or less while the backend is far from `fullconn`; 0 for no limit."""
        maxconn = self.maxconn
        if self.minconn >= maxconn or self.backend.current >= self.backend.fullconn:
            return maxconn
        return max(self.minconn, self.backend.current * maxconn // self.backend.fullconn)

    def has_room(self) -> bool:
        """A request may go out to it now: nobody waits for it and a slot is free."""
        return not self.maxconn or (not len(self.queue) and self.current < self.limit())

    def queue_is_full(self) -> bool:
        """`maxqueue` requests wait already."""
        return 0 < self.maxqueue <= len(self.queue)

    # --- state ---

    def set_weight(self, weight: int) -> None:
        """Change the weight, 0 to 256; 0 takes no new traffic but what is bound to this server."""
        if not 0 <= weight <= 256:
            raise ValueError(f"weight must be between 0 and 256, not {weight}")
        if weight != self.weight:
            self.weight = weight
            self._changed()

    def set_limits(self, *, maxconn: int | None = None, maxqueue: int | None = None) -> None:
        """Change `maxconn` (and with it a `minconn` that is no ramp) or `maxqueue`; requests that now fit go out."""
        if maxqueue is not None:
            self.maxqueue = maxqueue
        if maxconn is not None:
            if self.minconn == self.maxconn:
                self.minconn = maxconn
            self.maxconn = maxconn
            self.minconn = min(self.minconn, maxconn)
            self.backend.serve_queues(self)

    def set_operational(self, up: bool) -> None:
        """What checks found."""
        if up != self.up:
            self.up = up
            self._changed()

    def set_admin_state(self, *, maintenance: bool | None = None, drain: bool | None = None) -> None:
        """What the operator wants; None leaves that part as it is. Maintenance drops idle connections."""
        if maintenance is not None:
            self.maintenance = maintenance
            self._settle_pool()
        if drain is not None:
            self.drain = drain
        self._changed()

    def set_address(self, address: Address) -> None:
        """Move the server. Idle connections to the old address close; busy ones finish and are not kept."""
        if address == self.address:
            return
        self.address = address
        self.generation += 1
        self.key = ConnectionKey(self.generation)
        self.pool.generation = self.generation
        self.pool.distance = Distance(local=is_local(address))
        self.pool.drop_idle()
        if self.pool.enabled:
            self.pool.tell_shortage()

    def set_resolved(self, address: Address | None, cause: str = "") -> None:
        """What its name resolves to now; None takes it out of service until it resolves again.

        Args:
            address: where it is.
            cause: what the log line says of the reason, with the space that it begins with.
        """
        if address is not None:
            self.set_address(address)
        if self.unresolved is (address is None):
            return
        waiting, worked = len(self.queue), bool(self.backend.active)
        self.unresolved = address is None
        self._settle_pool()
        self._changed()
        title = f"{'Backup ' if self.model.backup else ''}Server {self.backend.model.name}/{self.model.name}"
        if address is None:
            if self.maintenance:
                return
            left = sum(1 for one in self.backend.servers if one.usable and not one.model.backup)
            spare = sum(1 for one in self.backend.servers if one.usable and one.model.backup)
            self.say(
                "alert",
                f"{title} is going DOWN for maintenance{cause}. {left} active and {spare} backup servers left."
                f"{' Running on backup.' if spare and not left else ''} {self.current} sessions active,"
                f" {waiting - len(self.queue)} requeued, {len(self.queue)} remaining in queue.",
            )
            if worked and not self.backend.active:
                self.say("emerg", f"backend {self.backend.model.name} has no server available!")
        elif self.maintenance:
            self.say("notice", f"{title} ('{self.fqdn}') resolves again but remains in maintenance.")
        else:
            self.say("notice", f"{title} ('{self.fqdn}') is UP/READY (resolves again).")

    def say(self, level: str, text: str) -> None:
        """Tell what has become of the server, in the section's log and on standard error."""
        self.backend.tell(level, text)

    @property
    def in_service(self) -> bool:
        """It works and may be used by what is bound to it, though maybe not by new traffic."""
        return self.up and not self.maintenance and not self.unresolved

    def _settle_pool(self) -> None:
        """Nothing is kept for a server that nobody may use."""
        self.pool.enabled = not (self.maintenance or self.unresolved)
        if self.pool.enabled:
            self.pool.tell_shortage()
        else:
            self.pool.drop_idle()

    def _changed(self) -> None:
        self.usable = self.in_service and not self.drain and self.weight > 0
        self.backend.server_changed(self)

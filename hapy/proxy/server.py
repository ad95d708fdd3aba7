"""One server as it runs: its state, its slots, its queue and its pool.

State changes only through the methods here; health checks, the Runtime API, DNS and agents use the same ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.net.clock import now
from hapy.observe.counters import ServerCounters
from hapy.pool import ConnectionKey, FdBudget, Pool
from hapy.pool.distance import Distance, is_local
from hapy.proxy import state as tell
from hapy.proxy.queue import Queue
from hapy.proxy.state import DRAIN, MAINTENANCE, Admin, State
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.checks.check import Check
    from hapy.checks.observe import Observer
    from hapy.dns.servers import ServerUser
    from hapy.proxy.backend import Backend
    from hapy.proxy.connector import Connector
    from hapy.proxy.slowstart import Ramp
    from hapy.tls.outgoing import Outgoing
    from hapy_config.model.addresses import Address
    from hapy_config.model.server import Server as ServerModel

#: `retry-on` with all of these lets first requests use any idle connection.
_LOST_REQUESTS = frozenset({"conn-failure", "empty-response", "response-timeout"})
_ALL_RETRYABLE = "all-retryable-errors"

#: Nothing but a weight of 0 may keep traffic from a server in these states.
_WORKING = (State.RUNNING, State.STARTING)

#: The whole weight, in the steps of `slowstart`.
_FULL = 16


class Server:
    """The running counterpart of a `server` line.

    Attributes:
        model: what the file says. label: the name in bytes. backend: where it belongs.
        address: where it is now. generation: counts the addresses it has had. key: of a plain connection to it.
        weight: 0 to 256, as configured or set since. shown: the same, but in maintenance what it
            was before. ramp: sixteenths of it in effect, below 16 during `slowstart`.
        scaled: weight times ramp.
        state: what its checks found, RUNNING without any. admin: who keeps it from working.
        up: the state isn't STOPPED. maintenance, drain: whether `admin` says so.
        usable: it takes new traffic: up and not stopping, not in maintenance, not drained, weight above 0.
        bare_health: what states say of its health when it has no check: its `rise` at first, 0 once it was in
            maintenance or down (but for its agent or a server that it tracks), the most there is where somebody has
            said that it works.
        check, agent: its health check and its agent's, None without. observer: is told of traffic (`observe`), or None.
        tracked: the server whose state it takes over. trackers: those that take over this one's.
        last_change: when it last went up or down, or was drained or no longer, on the clock of `hapy.net.clock`.
        warming: what leads it through `slowstart`, None before the first time.
        unresolved: its name has no address, or not yet (RMAINT); `address` is then the last one.
        fqdn: the host name that gives it its address, or None. resolving: how it lives by that, None where nothing
            looks names up while hapy runs.
        redir: what clients' GETs and HEADs are sent to instead, their path follows it; None to serve them.
        current: requests (TCP: connections) that hold one of its slots. leaving: one of them is about to give it back.
        maxconn, minconn, maxqueue: the limits now, 0 for none.
        queue: requests that wait for this server and no other.
        pool: its idle connections.
        counters: what statistics print.
        connector: opens connections to it; set once by who builds the runtime.
    """

    connector: Connector

    __slots__ = (
        "address",
        "admin",
        "agent",
        "backend",
        "bare_health",
        "check",
        "connector",
        "counters",
        "current",
        "drain",
        "fqdn",
        "generation",
        "key",
        "label",
        "last_change",
        "leaving",
        "maintenance",
        "maxconn",
        "maxqueue",
        "minconn",
        "model",
        "observer",
        "pool",
        "queue",
        "ramp",
        "redir",
        "resolving",
        "scaled",
        "shown",
        "state",
        "tracked",
        "trackers",
        "up",
        "usable",
        "warming",
        "weight",
    )

    def __init__(self, model: ServerModel, backend: Backend, budget: FdBudget | None = None) -> None:
        self.model = model
        self.backend = backend
        self.label = model.name.encode()
        self.redir = None if model.redir is None else to_bytes(model.redir)
        self.address = model.address
        self.generation = 0
        self.key = ConnectionKey(0)
        self.weight = self.shown = model.weight
        self.ramp = _FULL
        self.scaled = model.weight * _FULL
        missing = model.disabled or model.address.family == "name"
        self.state = State.STOPPED if missing else State.RUNNING
        self.admin = Admin.FMAINT | Admin.CMAINT if model.disabled else Admin.NONE
        if model.address.family == "name":
            self.admin |= Admin.RMAINT
        self.up = self.state is not State.STOPPED
        self.maintenance = missing
        self.usable = self.up and model.weight > 0
        self.drain = False
        self.bare_health = 0 if missing else model.rise
        self.fqdn = model.fqdn
        self.resolving: ServerUser | None = None
        self.check: Check | None = None
        self.agent: Check | None = None
        self.observer: Observer | None = None
        self.tracked: Server | None = None
        self.trackers: list[Server] = []
        self.last_change = now()
        self.warming: Ramp | None = None
        self.leaving = False
        self.current = 0
        self.maxconn = max(model.maxconn, model.minconn)  # a `minconn` that is alone or the higher one is the limit
        self.minconn = model.minconn or self.maxconn
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
        self.pool.enabled = not missing
        self.pool.most_used = self.maxconn
        self.pool.distance.local = is_local(model.address)
        self.counters = ServerCounters()
        self.counters.chkdown = int(missing and not model.disabled)  # without an address it goes down at the start
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
        if self.minconn < maxconn and self.backend.current < self.backend.fullconn:
            maxconn = max(self.minconn, self.backend.current * maxconn // self.backend.fullconn)
        if self.state is State.STARTING:
            maxconn = max(1, maxconn * self.throttle() // 100)
        return maxconn

    def has_room(self) -> bool:
        """A request may go out to it now: nobody waits for it and a slot is free."""
        return not self.maxconn or (not len(self.queue) and self.current < self.limit())

    def queue_is_full(self) -> bool:
        """`maxqueue` requests wait already."""
        return 0 < self.maxqueue <= len(self.queue)

    # --- state ---

    @property
    def sessions(self) -> int:
        """Sessions (HTTP: requests) that have this server, those that wait for it not counted."""
        return self.current - self.leaving

    def count_retry(self) -> None:
        """A session that has failed here is tried here again: that is another one, as HAProxy counts."""
        counters = self.counters
        counters.stot += 1
        counters.rate.add(now())
        counters.wretr += 1
        self.backend.counters.wretr += 1

    def count_move(self, left: Server) -> None:
        """A session has come that another server had before, or this one itself where there was no better."""
        if left is self:
            self.counters.wretr += 1
            self.backend.counters.wretr += 1
        else:
            left.counters.wredis += 1
            self.backend.counters.wredis += 1

    def set_weight(self, weight: int) -> None:
        """Change the weight, 0 to 256; 0 takes no new traffic but what is bound to this server."""
        if not 0 <= weight <= 256:
            raise ValueError(f"weight must be between 0 and 256, not {weight}")
        if weight != self.weight:
            self.weight = weight
            if not self.maintenance:
                self.shown = weight
            self._changed()
            self.backend.tell_availability()

    def set_limits(self, *, maxconn: int | None = None, maxqueue: int | None = None) -> None:
        """Change `maxconn` (and with it a `minconn` that is no ramp) or `maxqueue`; requests that now fit go out."""
        if maxqueue is not None:
            self.maxqueue = maxqueue
        if maxconn is not None:
            if self.minconn == self.maxconn:
                self.minconn = maxconn
            self.maxconn = self.pool.most_used = maxconn
            self.minconn = min(self.minconn, maxconn)
            self.backend.serve_queues(self)

    def set_operational(self, up: bool, cause: str = "") -> None:
        """It works, or it does not; see `set_state`."""
        self.set_state(State.RUNNING if up else State.STOPPED, cause)

    def begin_as(self, state: State) -> None:
        """The state to start with, which is no news to anybody."""
        self.state = state
        self.up = state is not State.STOPPED
        self.pool.enabled = self.up and not self.maintenance
        self._changed()
        self.backend.works = bool(self.backend.active)

    def begin_in(self, flag: Admin) -> None:
        """The maintenance to start with, as `begin_as`; so do those who track it, unless it was in one already."""
        self.admin |= flag
        if self.maintenance:
            return
        self.maintenance = True
        self.bare_health = 0
        self.pool.enabled = False
        self.counters.chkdown += 1
        worked = self.backend.works
        self.begin_as(State.STOPPED)
        self.backend.counters.chkdown += worked and not self.backend.works
        for tracker in self.trackers:
            tracker.begin_in(Admin.IMAINT)

    def set_state(self, state: State, cause: str = "") -> None:
        """What checks (or somebody in their place) found. In maintenance nothing changes.

        Args:
            state: RUNNING becomes STARTING where `slowstart` applies.
            cause: what the log line says of the reason, with the comma or space that it begins with.
        """
        if self.maintenance or state == self.state or (state is State.RUNNING and self.state is State.STARTING):
            return
        was = self.state in _WORKING and not self.drain
        if state is State.STOPPED and self.agent is None and self.tracked is None:
            self.bare_health = 0
        self._turn(state)
        requeued = self._changed()
        level = "alert" if was and state is State.STOPPED else "notice"
        self.say(level, tell.operational(self, cause, requeued))
        if self.drain:
            self.say("notice", tell.remains_in_drain(self))
        self._react()
        for tracker in self.trackers:
            tracker.set_state(state)

    def set_admin_state(self, *, maintenance: bool | None = None, drain: bool | None = None, cause: str = "") -> None:
        """What the operator wants; None leaves that part as it is."""
        if maintenance is not None:
            self.set_admin(Admin.FMAINT, maintenance, cause)
        if drain is not None:
            self.set_admin(Admin.FDRAIN, drain, cause)

    def set_admin(self, flag: Admin, on: bool, cause: str = "") -> None:
        """Somebody takes the server out of service, or no longer does.

        Args:
            flag: who, and how far: one of `Admin`.
            on: whether it is taken out.
            cause: what the log line says of the reason, with the space that it begins with: ` (No IP for server)`.
        """
        if bool(self.admin & flag) is on:
            return
        self.admin = self.admin | flag if on else self.admin & ~flag
        if flag & MAINTENANCE:
            self._maintenance_changed(flag, cause)
        elif flag & DRAIN:
            self._drain_changed(flag, cause)

    def _maintenance_changed(self, flag: Admin, cause: str) -> None:
        before, self.maintenance = self.maintenance, bool(self.admin & MAINTENANCE)
        if before == self.maintenance:
            if not self.admin & flag:
                self.say("notice", tell.remains_in_maintenance(self, flag))
            return
        was = self.state in _WORKING and not self.drain
        was_down = self.state is State.STOPPED
        self.pool.enabled = not self.maintenance
        inherited = bool(flag & Admin.IMAINT)
        if self.maintenance:
            if not was_down:
                self.bare_health = 0
            self._turn(State.STOPPED)
            requeued = self._changed()
            text = tell.entered_maintenance(self, cause, requeued, inherited=inherited, was_down=was_down)
            self.say("alert" if was else "notice", text)
        else:
            self.shown = self.weight
            self._turn(self._state_to_return_to())
            self._changed()
            self.say("notice", tell.left_maintenance(self, flag))
            if self.drain:
                self.say("notice", tell.remains_in_drain(self))
        self._react()
        for tracker in self.trackers:
            tracker.set_admin(Admin.IMAINT, self.maintenance)

    def _state_to_return_to(self) -> State:
        """After maintenance a server counts as up at once, unless its agent or the tracked server says otherwise."""
        if self.tracked is not None:
            return self.tracked.state if self.agent is None or self.agent.healthy else State.STOPPED
        if self.check is not None:
            self.check.forgive()
            if self.check.first is State.STOPPED:
                return State.STOPPED
        return State.RUNNING if self.agent is None or self.agent.healthy else State.STOPPED

    def _drain_changed(self, flag: Admin, cause: str) -> None:
        before, self.drain = self.drain, bool(self.admin & DRAIN)
        entered = self.drain and not before
        if self.drain != before and not self.maintenance:  # counts as a change of its own, for `slowstart` too
            moment = now()
            if not self.up:
                self.counters.downtime += moment - self.last_change
            self.last_change = moment
        requeued = self._changed()
        if not self.maintenance and (entered or not self.admin & flag):
            self.say("notice", tell.drain_changed(self, flag, cause, requeued, entered=entered))
        self.backend.tell_availability()
        for tracker in self.trackers:
            tracker.set_admin(Admin.IDRAIN, self.drain)

    def _turn(self, state: State) -> None:
        """Enter a state, and count."""
        moment = now()
        counters = self.counters
        if self.state is State.STOPPED and state is not State.STOPPED:
            counters.downtime += moment - self.last_change
        elif state is State.STOPPED and self.state is not State.STOPPED:
            counters.chkdown += 1
        if state is State.RUNNING and self.state is State.STOPPED and self.model.slowstart:
            state = State.STARTING
        self.last_change = moment
        self.state = state
        self.up = state is not State.STOPPED
        self.pool.enabled = self.up and not self.maintenance
        if not self.up:
            self.pool.drop_idle()
        elif self.pool.enabled:
            self.pool.restored()
        self.ramp = _FULL
        if state is State.STARTING:
            from hapy.proxy.slowstart import begin

            begin(self)

    def _react(self) -> None:
        """What the server's options ask for when it went up or down."""
        self.backend.tell_availability()
        audience = self.backend.audience
        options = self.model.options
        if audience is None or not options:
            return
        if not self.up and "on-marked-down" in options:
            audience.shut_sessions(self, "D")
        elif self.usable and "on-marked-up" in options and not self.model.backup:
            for server in self.backend.servers:
                if server.model.backup:
                    audience.shut_sessions(server, "U")

    def throttle(self) -> int:
        """How far `slowstart` has come, in percent."""
        if self.state is not State.STARTING:
            return 100
        return min(100, max(1, int((now() - self.last_change) * 100_000 / self.model.slowstart)))

    def set_ramp(self, ramp: int) -> None:
        """Have so many sixteenths of the weight in effect; all of them end `slowstart`, which is told."""
        self.ramp = ramp
        ends = ramp >= _FULL and self.state is State.STARTING
        if ends:
            self._turn(State.RUNNING)
        requeued = self._changed()
        if ends:
            self.say("notice", tell.operational(self, "", requeued))
        if self.drain:
            self.say("notice", tell.remains_in_drain(self))

    def downtime(self) -> float:
        """Seconds that it was down so far."""
        return self.counters.downtime + (0.0 if self.up else now() - self.last_change)

    def set_address(self, address: Address) -> None:
        """Move the server. Idle connections to the old address close; busy ones finish and are not kept."""
        if address == self.address:
            return
        self.address = address
        self.pool.distance = Distance(local=is_local(address))
        self._connect_anew()
        if self.pool.enabled:
            self.pool.restored()
        if self.backend.cookie_values is not None:
            self.backend.cookie_values.refresh()

    def set_tls(self, tls: Outgoing | None) -> None:
        """Have new connections speak TLS, or none. Idle ones close, as after a move."""
        if tls is not self.connector.tls:
            self.connector.tls = tls
            self._connect_anew()

    def _connect_anew(self) -> None:
        """Connections to come have nothing in common with those before."""
        self.generation += 1
        self.key = ConnectionKey(self.generation)
        self.pool.generation = self.generation
        connector = getattr(self, "connector", None)  # while the runtime is built there is none yet
        if connector is not None:
            connector.refit()
            self.pool.named = connector.named
        self.pool.drop_idle()

    @property
    def unresolved(self) -> bool:
        """Its name has no address, or not yet."""
        return bool(self.admin & Admin.RMAINT)

    @property
    def in_service(self) -> bool:
        """It works and may be used by what is bound to it, though maybe not by new traffic."""
        return self.up and not self.maintenance

    def set_resolved(self, address: Address | None, cause: str = "") -> None:
        """What its name resolves to now; None takes it out of service until it resolves again.

        Args:
            address: where it is.
            cause: what the log line says of the reason, with the space that it begins with.
        """
        if address is not None:
            self.set_address(address)
        self.set_admin(Admin.RMAINT, address is None, cause)

    def say(self, level: str, text: str) -> None:
        """Tell what has become of the server, in the section's log and on standard error."""
        if self.backend.audience is not None:
            self.backend.audience.server(self, level, text)

    def _changed(self) -> int:
        """Have the backend take note; gives the requests that left or took a place because of it."""
        self.scaled = self.weight * self.ramp
        self.usable = self.in_service and self.state is not State.STOPPING and not self.drain and self.weight > 0
        return self.backend.server_changed(self)

"""One server's check: its timing, its run, what it makes of results.

Rules (manual, sections 4.2 and 5.2, and HAProxy 2.6 seen at work):

- Checks of one server never overlap: the next one is due one interval after the end of the last one. It begins to the
  millisecond then: what came late each time would move the checks of several servers against one another.
- Health counts from 0 to rise + fall - 1 and is good from `rise` on. A success adds one, and from `rise` on everything;
  a failure takes one away, and below `rise` everything. A server starts at `rise`: its first failure brings it down.
- The interval is `inter` with everything in order, `downinter` with nothing, `fastinter` between the two.
- A result is told of when the state follows it; with `option log-health-checks` whenever status or health change.
- An agent's failures to answer count for nothing.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from hapy.checks.pace import Pace
from hapy.checks.result import MOST_INFO, Ended, Result, Status, TimeUp, shown
from hapy.net.alarm import Alarm
from hapy.net.clock import NEVER, Watched, now, watch
from hapy.net.routine import Routine, pause
from hapy.observe.process import Process
from hapy.proxy.state import State

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any, Protocol

    from hapy.checks.target import Place
    from hapy.net.probe import Probe
    from hapy.proxy.server import Server

    class Plan(Protocol):
        """What a check does, as `hapy.checks.plan.Plan`, `hapy.checks.agent.Agent` and others do it."""

        @property
        def speaks_http(self) -> bool:
            """It asks by HTTP."""

        def run(self, check: Check) -> Coroutine[Any, Any, None]:
            """Do it; ends by `Ended`."""


class Check(Routine):
    """A health check, or an agent's.

    Attributes:
        server: whose it is. agent: it asks an agent.
        plan: what it does. inter, fastinter, downinter: seconds between checks.
        connect_timeout: seconds for the connection alone, None for the whole time.
        answer_timeout: seconds for the rest, None where both together have `inter`.
        rise, fall: see the rules. health: 0 to rise + fall - 1.
        status, code, info: of the last result. duration: seconds that it took, -1.0 before the first.
        finished: when it ended, on the clock of `hapy.net.clock`.
        pooled: it uses the server's pool (`check-reuse-pool`).
        first, first_health: what the server begins with, and comes back with from maintenance (`init-state`).
        place: where it connects to, None for a check that is none of ours.
        pace: says when a check that is due may begin.
        paused: no check begins (`disable health`). log_all: see the rules.
        spread: how far intervals may be off, 0 to 0.5.
        probe: its connection, None between checks. process: where checks are counted.
        step_status: the status of a time-out, as far as the check has got. where: what is said of the place.
        due: when the next check begins, on the clock of `hapy.net.clock`; NEVER without one.
        deadline, looked_at, slot: see `hapy.net.clock.Watched`; of the check that runs.
    """

    __slots__ = (
        "_alarm",
        "agent",
        "answer_timeout",
        "code",
        "connect_timeout",
        "deadline",
        "downinter",
        "due",
        "duration",
        "fall",
        "fastinter",
        "finished",
        "first",
        "first_health",
        "health",
        "info",
        "inter",
        "log_all",
        "looked_at",
        "pace",
        "paused",
        "place",
        "plan",
        "pooled",
        "probe",
        "process",
        "rise",
        "server",
        "slot",
        "spread",
        "started",
        "status",
        "step_status",
        "where",
    )

    def __init__(self, server: Server, plan: Plan, *, inter: float, rise: int, fall: int, agent: bool = False) -> None:
        super().__init__()
        self.server = server
        self.plan = plan
        self.agent = agent
        self.inter = self.fastinter = self.downinter = inter
        self.rise = rise
        self.fall = fall
        self.health = rise
        self.spread = 0.0
        self.connect_timeout: float | None = None
        self.answer_timeout: float | None = None
        self.log_all = "log-health-checks" in server.backend.model.options
        self.status = Status.INI
        self.code = 0
        self.info = ""
        self.duration = -1.0
        self.started = 0.0
        self.finished = 0.0
        self.pace = Pace()
        self.paused = False
        self.place: Place | None = None
        self.pooled = False
        self.first = State.RUNNING
        self.first_health = rise
        self.probe: Probe | None = None
        self.process = Process()
        self.step_status = Status.L4TOUT
        self.where = ""
        self._alarm = Alarm(self._begin_due)
        self.due = NEVER
        self.deadline = NEVER
        self.looked_at = NEVER
        self.slot: set[Watched] | None = None

    # health

    @property
    def most(self) -> int:
        """The health of a server that is entirely in order."""
        return self.rise + self.fall - 1

    @property
    def healthy(self) -> bool:
        """As far as this check knows, the server works."""
        return self.health >= self.rise

    @property
    def interval(self) -> float:
        """Seconds to the next check."""
        if self.health == self.most:
            return self.inter
        return self.downinter if self.health == 0 else self.fastinter

    def forgive(self) -> None:
        """The server comes back from maintenance: it begins again, and what was found last is still told.

        A check that is switched off (`disable health`) has no health.
        """
        self.health = 0 if self.paused else self.first_health

    def force(self, *, up: bool) -> None:
        """Somebody says what the result is: `set server … health`, `set server … agent`."""
        self.health = self.most if up else 0

    # timing

    def begin_after(self, seconds: float) -> None:
        """Have the next check begin then."""
        self.due = now() + seconds
        self._alarm.set(seconds)

    def hurry(self) -> None:
        """Have the next check begin after `fastinter` at the latest, unless one is running."""
        if not self.running and self.due > now() + self.fastinter:
            self.begin_after(self.fastinter)

    def on_deadline(self) -> None:
        """The check that runs has taken too long."""
        if self.running:
            self.interrupt(TimeUp())

    def _begin_due(self) -> None:
        if self.running:
            return
        if self.paused or (self.server.maintenance and not self.agent):
            self._rest()
        else:
            self.pace.begin(self)

    def begin_now(self) -> None:
        """Begin, unless somebody has begun it meanwhile."""
        if self.running:
            return
        self.started = now()
        self.step_status = Status.L4TOUT
        self.where = ""
        self._limit(self.connect_timeout if self.connect_timeout is not None else self.inter)
        self.begin(self._run())

    def _limit(self, seconds: float) -> None:
        self.deadline = now() + seconds
        if self.deadline < self.looked_at:
            watch(self)

    def connection_stands(self) -> None:
        """What is left of the check has `timeout check`, if there is one."""
        if self.answer_timeout is not None:
            self._limit(self.answer_timeout)

    def _rest(self) -> None:
        self.deadline = NEVER
        seconds = self.interval
        if self.spread:
            seconds += seconds * random.uniform(-self.spread, self.spread)  # noqa: S311 - nobody gains by guessing it
        self.begin_after(max(seconds, 0.001))

    # the run

    async def _run(self) -> None:
        self.process.checking += 1
        try:
            await self.plan.run(self)
            result = Result(Status.CHECKED)
        except Ended as ended:
            result = ended.result
            self._doubt_address()
        except TimeUp:
            result = Result(self.step_status, 0, self.where)
            self._doubt_address()
        finally:
            self.process.checking -= 1
            if not self.pooled:
                self.drop()
        if not self.server.maintenance or self.agent:
            self.conclude(result, now() - self.started)
        self._rest()  # for as long as the new health asks for
        self.drop()  # a server that is up now keeps the connection

    def _doubt_address(self) -> None:
        """Where no connection came about the server's name may have another address by now."""
        if self.server.resolving is not None and self.probe is not None and not self.probe.connected:
            self.server.resolving.doubt()

    def on_failure(self, error: BaseException) -> None:
        """A defect must not end the checking."""
        super().on_failure(error)
        self.drop()
        self._rest()

    def use(self, probe: Probe) -> None:
        """Have a connection of its own."""
        self.probe = probe
        self.server.pool.checked()

    def drop(self) -> None:
        """Close the connection."""
        probe, self.probe = self.probe, None
        if probe is None:
            return
        probe.close()
        if not self.pooled:
            self.process.bytes_out += probe.sent
            if self.plan.speaks_http:
                self.server.backend.counters.http_heard += probe.heard

    async def wait(self) -> None:
        """Wait for news of the connection."""
        await pause()

    def stop(self) -> None:
        """No more checks; one that runs comes to nothing."""
        self.paused = True
        self.due = self.deadline = NEVER
        self._alarm.clear()
        self.drop()

    # what comes of it

    def conclude(self, result: Result, duration: float, *, fatal: bool = False) -> None:
        """Note a result and have the server follow it; a fatal failure leaves nothing of its health."""
        before = self.status, self.health
        status = result.status
        self.status, self.code, self.info = status, result.code, result.info[:MOST_INFO]
        self.duration = duration
        self.finished = now()
        if status.passed:
            self.health += self.health < self.most
            if self.health >= self.rise:
                self.health = self.most
        elif status.failed and (not self.agent or status is Status.L7STS):
            if self.server.up:
                self.server.counters.chkfail += not self.agent
            self.health = self.health - 1 if self.health > self.rise and not fatal else 0
        if status is Status.CHECKED or status is Status.UNK:
            return
        changed = before != (status, self.health)
        if self.log_all and changed:
            self._tell(result.aside[:MOST_INFO] or self.info)
        self._follow(status)

    def _follow(self, status: Status) -> None:
        server = self.server
        if status is Status.L7OKC:
            if self.healthy and server.state in (State.RUNNING, State.STARTING):
                server.set_state(State.STOPPING, self._reason())
        elif status.passed:
            other = server.check if self.agent else server.agent
            led_down = server.tracked is not None and server.tracked.state is State.STOPPED
            if self.healthy and (other is None or other.paused or other.healthy) and not led_down:
                server.set_state(State.RUNNING, self._reason())
        elif not self.health:
            server.set_state(State.STOPPED, self._reason())

    # words

    def _reason(self) -> str:
        """What the server's line says of the reason; with `log-health-checks` the check's own line has said it, and a
        server that tracks another names that one.
        """
        return "" if self.log_all or self.server.tracked is not None else self._described(self.info)

    def _described(self, info: str) -> str:
        text = f", reason: {self.status.value}"
        if self.status.reports_code:
            text += f", code: {self.code}"
        if info:
            text += f', info: "{shown(info)}"'
        if self.status is not Status.HANA:
            text += f", check duration: {int(self.duration * 1000)}ms"
        return text

    def describe(self) -> str:
        """Its health in words: `2/3 UP`."""
        if self.healthy:
            state = "UP" if self.server.weight else "DRAIN"
            return f"{self.health - self.rise + 1}/{self.fall} {state}"
        return f"{self.health}/{self.rise} DOWN"

    def _tell(self, info: str) -> None:
        server = self.server
        kind = "Agent" if self.agent else "Health"
        outcome = "failed"
        if self.status.passed:
            outcome = "conditionally succeeded" if self.status is Status.L7OKC else "succeeded"
        backup = "backup " if server.model.backup else ""
        name = f"{server.backend.model.name}/{server.model.name}"
        text = f"{kind} check for {backup}server {name} {outcome}{self._described(info)}, status: {self.describe()}."
        audience = server.backend.audience
        if audience is not None:
            audience.server(server, "notice", text)

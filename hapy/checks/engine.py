"""All checks of one process: made with the runtime, begun on the event loop, spread over time.

Spread as HAProxy 2.6 spreads them (seen at work; the manual's `max-spread-checks` gives the idea): of N checks and
agents, in the order of the file, the i-th begins i/N of its own interval after the start, or of the shortest interval
where that is longer, but of no more than `max-spread-checks`. Intervals under a second don't count for the shortest.
Later checks follow from when the one before ended, off by up to `spread-checks` percent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from hapy.checks.check import Check
from hapy.checks.pace import Pace
from hapy.checks.plan import StepPlan
from hapy.checks.target import agent_place, health_place
from hapy.proxy.state import State
from hapy_config.build.arguments import milliseconds
from hapy_config.grammar.units import leading_integer

if TYPE_CHECKING:
    from hapy.checks.check import Plan
    from hapy.proxy.backend import Backend
    from hapy.proxy.runtime import Runtime
    from hapy.proxy.server import Server

Options = Mapping[str, tuple[str, ...]]

_INTER: Final = 2000

#: Seconds: shorter intervals don't count for the shortest one, which first checks are spread over.
_COUNTED: Final = 1.0


class Engine:
    """The checks of one runtime.

    Attributes:
        checks: all of them, in the order of the file.
    """

    def __init__(self, runtime: Runtime) -> None:
        """Raises:
        CompileError: for a step that does not run.
        """
        self._runtime = runtime
        self.checks: list[Check] = []
        self._pace = Pace()
        settings = {words[0]: words for words in runtime.config.global_.settings}
        self._spread = min(runtime.config.global_.spread_checks, 50) / 100
        most = settings.get("max-spread-checks")
        self._most_spread = milliseconds(most[1])[0] / 1000 if most is not None and len(most) > 1 else None
        for backend in runtime.backends.values():
            self._add(backend)

    def _add(self, backend: Backend) -> None:
        plan: Plan | None = None
        for server in backend.servers:
            options = server.model.options
            if server.model.check and server.model.track is None:
                if plan is None:
                    plan = self._plan(backend)
                self._add_health(server, plan)
            if "agent-check" in options and "agent-port" in options:
                self._add_agent(server)

    def _plan(self, backend: Backend) -> Plan:
        from hapy.checks.kinds import plan_of

        return plan_of(backend, self._runtime)

    def _add_health(self, server: Server, plan: Plan) -> None:
        options = server.model.options
        inter = _milliseconds(options, "inter", _INTER)
        check = Check(
            server,
            plan,
            inter=inter / 1000,
            rise=server.model.rise,
            fall=server.model.fall,
        )
        check.fastinter = _milliseconds(options, "fastinter", inter) / 1000
        check.downinter = _milliseconds(options, "downinter", inter) / 1000
        check.place = health_place(server, self._runtime.env(server.backend.model))
        self._finish(check)
        server.check = check
        if isinstance(plan, StepPlan) and plan.shares and "check-reuse-pool" in options:
            from hapy.checks.pooled import shares_pool

            check.pooled = shares_pool(server)
        _set_out(server)
        if "observe" in options and options["observe"][0] != "none":
            from hapy.checks.observe import Observer

            server.observer = Observer(check)

    def _add_agent(self, server: Server) -> None:
        from hapy.checks.agent import Agent

        options = server.model.options
        plan = Agent(options.get("agent-send", ("",))[0])
        inter = _milliseconds(options, "agent-inter", _INTER) / 1000
        check = Check(server, plan, inter=inter, rise=1, fall=1, agent=True)
        check.place = agent_place(server, self._runtime.env(server.backend.model))
        self._finish(check)
        server.agent = check

    def _finish(self, check: Check) -> None:
        timeouts = check.server.backend.model.timeouts
        if timeouts.check:
            check.answer_timeout = timeouts.check / 1000
            check.connect_timeout = min(check.inter, timeouts.connect / 1000 if timeouts.connect else check.inter)
        check.spread = self._spread
        check.pace = self._pace
        check.process = self._runtime.process
        self.checks.append(check)

    def start(self) -> None:
        """Begin: on the event loop."""
        if not self.checks:
            return
        for check, wait in zip(
            self.checks, first_waits([check.interval for check in self.checks], self._most_spread), strict=True
        ):
            check.begin_after(wait)

    def stop(self) -> None:
        """End: no more checks."""
        self._pace.forget()
        for check in self.checks:
            check.stop()


def first_waits(intervals: Sequence[float], most: float | None) -> list[float]:
    """Seconds until each check begins for the first time; see the module's rules.

    Args:
        intervals: seconds between checks, in the order of the file.
        most: `max-spread-checks` in seconds; None or 0 for no limit.
    """
    shortest = min((one for one in intervals if one >= _COUNTED), default=0.0)
    spans = (max(one, shortest) for one in intervals)
    return [(min(span, most) if most else span) * place / len(intervals) for place, span in enumerate(spans)]


def _set_out(server: Server) -> None:
    """Have a server begin in the state that `init-state` asks for (3.4, section 5.2)."""
    assert server.check is not None
    wanted = server.model.options.get("init-state", ("up",))[0]
    check = server.check
    if wanted == "fully-up":
        check.first_health = check.most
    elif wanted in ("down", "fully-down"):
        check.first_health = check.rise - 1 if wanted == "down" else 0
        check.first = State.STOPPED
        if server.up:
            server.begin_as(State.STOPPED)
    check.health = check.first_health


def _count(options: Options, name: str, usual: int) -> int:
    found = options.get(name)
    return leading_integer(found[0]) if found else usual


def _milliseconds(options: Options, name: str, usual: int) -> int:
    return max(_count(options, name, usual), 1)

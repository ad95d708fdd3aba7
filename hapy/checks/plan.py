"""What one backend's checks do, compiled once: steps over a connection (manual, `tcp-check` and `http-check`).

A plan is shared by the backend's servers; what differs between them (address, TLS, PROXY header) is a `Target`, what
belongs to one run a `Run`. Steps are coroutines that go on when the connection has news, and raise `Ended` to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from hapy.checks.context import transaction
from hapy.checks.result import Ended, Status
from hapy.net.probe import Probe

if TYPE_CHECKING:
    from hapy.checks.check import Check
    from hapy.checks.pooled import PooledProbe
    from hapy.net.connect import Destination
    from hapy.net.probe import Securing
    from hapy.proxy.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Target:
    """Where a check connects to, and how.

    Attributes:
        destination: address and port. securing: TLS, None for none. name: the name to ask for.
        header: gives the PROXY header, None for none. linger: close cleanly.
    """

    destination: Destination
    securing: Securing | None = None
    name: bytes | None = None
    header: Callable[[Probe], bytes] | None = None
    linger: bool = False


class Step(Protocol):
    """One step.

    Attributes:
        title: what it is, for the place that a failure names: `connect port 80`.
        comment: what a failure reports with it.
    """

    @property
    def title(self) -> str:
        """See above."""

    @property
    def comment(self) -> str:
        """See above."""

    def run(self, run: Run) -> Coroutine[Any, Any, None]:
        """Do it."""


class Run:
    """One run of a plan.

    Attributes:
        check: whose. plan: which. number: the step, counted from 1; 0 for the connection that no step asked for.
        step: the step itself, or None. received: bytes of the answer so far, as far as steps have not left them behind.
        eof: the server has closed its side. acted: something was sent or expected on a connection.
        secured: some connection spoke TLS.
        borrowed: the connection of the server's pool that it uses, None with one of its own.
    """

    __slots__ = (
        "_txn",
        "acted",
        "borrowed",
        "check",
        "comment",
        "connected",
        "extra",
        "number",
        "plan",
        "secured",
        "step",
    )

    def __init__(self, check: Check, plan: StepPlan) -> None:
        self.check = check
        self.plan = plan
        self.number = 0
        self.step: Step | None = None
        self.comment = ""
        self.acted = False
        self.secured = False
        self.connected = False
        self.extra: Any = None
        self.borrowed: PooledProbe | None = None
        self._txn: Transaction | None = None

    @property
    def txn(self) -> Transaction:
        """What expressions look at, made on first use."""
        if self._txn is None:
            self._txn = transaction(self.check)
        return self._txn

    @property
    def probe(self) -> Probe:
        """The connection."""
        probe = self.check.probe
        assert probe is not None
        return probe

    # words

    def at(self) -> str:
        """The place of a failure, as `option tcp-check` tells it; nothing with other kinds of checks."""
        if not self.plan.tells_place:
            return ""
        if self.step is None:
            return " at initial connection step of tcp-check"
        comment = f" comment: '{self.remark}'" if self.remark else ""
        return f" at step {self.number} of tcp-check ({self.step.title}){comment}"

    @property
    def remark(self) -> str:
        """The comment of this step, or the one that holds for it."""
        return (self.step.comment if self.step is not None else "") or self.comment

    # connections

    async def connect(self, target: Target) -> None:
        """Open a connection, in place of the one before.

        Raises:
            Ended: there is none.
        """
        check = self.check
        check.drop()
        check.step_status = Status.L4TOUT
        check.where = self.at()
        probe = Probe(check.wake, linger=target.linger)
        check.use(probe)
        if self.plan.speaks_http:
            check.server.backend.counters.http_checks += 1
        unseen = self.plan.unseen and target.header is None and target.securing is None and not target.linger
        probe.connect(target.destination, unseen=unseen)
        while not probe.connected:
            if probe.error:
                raise Ended(Status.L4CON, probe.error + self.at())
            await check.wait()
        check.connection_stands()
        if self._txn is not None:
            self._txn.server_ends = probe.ends
        if target.header is not None:
            probe.send(target.header(probe))
        if target.securing is not None:
            check.step_status = Status.L6TOUT
            probe.secure(target.securing, target.name)
            while not probe.secured:
                if probe.error:
                    raise Ended(Status.L6RSP, probe.error + self.at())
                await check.wait()
            self.secured = True
        check.step_status = Status.L7TOUT
        self.connected = True

    async def borrow(self, *, new: bool) -> None:
        """Use a connection as requests use it, from the pool or (always, if `new`) opened for it.

        Raises:
            Ended: there is none.
        """
        from hapy.checks.pooled import PooledProbe

        check = self.check
        check.step_status = Status.L4TOUT
        self.borrowed = probe = PooledProbe(check.wake, check.server)
        check.probe = cast("Probe", probe)
        await probe.open(new=new)
        if probe.error:
            raise Ended(Status.L6RSP if probe.insecure else Status.L4CON, probe.error)
        check.connection_stands()
        check.step_status = Status.L7TOUT
        self.secured = probe.secured
        self.connected = True

    async def more(self) -> None:
        """Wait for bytes, or for the end.

        Raises:
            Ended: the connection is lost.
        """
        probe = self.probe
        probe.read()
        await self.check.wait()
        if probe.error:
            raise Ended(Status.SOCKERR, probe.error + self.at())

    def send(self, data: bytes) -> None:
        """Send bytes.

        Raises:
            Ended: the connection is lost.
        """
        self.acted = True
        self.probe.send(data)
        if self.probe.error:
            raise Ended(Status.SOCKERR, self.probe.error + self.at())


#: Titles of steps behind which a comment still holds: a comment is about the step behind it, or about all that expect.
_LEAVE_COMMENT: Final = ("comment", "expect")

#: Gives the target of a server; the arguments are the run's.
Targets = Callable[[Run], Target]


class StepPlan:
    """Steps one after another.

    Attributes:
        connects: whether the steps do that themselves; else a connection is opened before the first of them.
        tells_place: failures name the step (`option tcp-check`).
        done: how a check ends that came to the last step, None for the usual.
        shares: it makes one HTTP request, which any connection to the server can carry.
        unseen: nothing is said or heard: that the server's system answers is all.
        speaks_http: see `hapy.checks.check.Plan`.
    """

    __slots__ = ("connects", "done", "shares", "speaks_http", "steps", "targets", "tells_place", "unseen")

    def __init__(
        self,
        steps: Sequence[Step],
        targets: Targets,
        *,
        connects: bool = False,
        tells_place: bool = False,
        done: Ended | None = None,
        shares: bool = False,
        unseen: bool = False,
        speaks_http: bool = False,
    ) -> None:
        self.steps = tuple(steps)
        self.targets = targets
        self.connects = connects
        self.tells_place = tells_place
        self.done = done
        self.shares = shares
        self.unseen = unseen
        self.speaks_http = speaks_http

    async def run(self, check: Check) -> None:
        """See `hapy.checks.check.Plan`."""
        check.process.checks += 1
        run = Run(check, self)
        if check.pooled:
            await run.borrow(new=False)
            try:
                await self._do(run)
            except Ended:
                if run.borrowed is None or not run.borrowed.stale:
                    raise
                check.drop()
            run = Run(check, self)
            await run.borrow(new=True)
        elif not self.connects:
            await run.connect(self.targets(run))
        await self._do(run)

    async def _do(self, run: Run) -> None:
        check = run.check
        for number, step in enumerate(self.steps, 1):
            run.number = number
            run.step = step
            check.where = run.at()
            await step.run(run)
            if not step.title.startswith(_LEAVE_COMMENT):
                run.comment = ""
        if run.acted:
            if self.done is not None:
                raise self.done
            raise Ended(Status.L7OK, "(tcp-check)" if self.tells_place else "")
        info = "(tcp-check)" if self.tells_place and self.connects else ""
        raise Ended(Status.L6OK if run.secured else Status.L4OK, info)

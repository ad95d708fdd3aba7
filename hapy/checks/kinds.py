"""The kinds of checks: from what `option …` and its rules say to a plan (configuration manual, 4.2)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hapy.checks.plan import Run, Step, StepPlan, Target
from hapy.checks.steps import Comment, Connect, Expect, Send, SetVar
from hapy.checks.target import for_step, places
from hapy_config.model.checks import (
    CheckComment,
    CheckConnect,
    CheckExpect,
    CheckRequest,
    CheckSend,
    CheckSetVar,
    CheckStep,
)

if TYPE_CHECKING:
    from hapy.checks.check import Plan
    from hapy.proxy.backend import Backend
    from hapy.proxy.runtime import Runtime
    from hapy.samples import CompileEnv
    from hapy_config.model.checks import Checks


def plan_of(backend: Backend, runtime: Runtime) -> Plan:
    """What the checks of a backend's servers do.

    Raises:
        CompileError: for a step that does not run.
    """
    checks = backend.model.checks
    env = runtime.env(backend.model)
    bufsize = runtime.process.bufsize
    if checks.kind == "httpchk":
        return _http(checks, env, bufsize)
    if checks.kind == "tcp-check":
        return _tcp(checks, env, bufsize)
    if checks.kind == "external-check":
        from hapy.checks.external import External

        return External(backend)
    if checks.kind:
        from hapy.checks import protocols

        return protocols.plan_of(checks)
    return StepPlan((), places, unseen=True)


def _connect_target(run: Run, model: CheckConnect) -> Target:
    place = run.check.place
    assert place is not None
    return for_step(place, model)


def _tcp(checks: Checks, env: CompileEnv, bufsize: int) -> StepPlan:
    expects = [step for step in checks.steps if isinstance(step, CheckExpect)]
    steps: list[Step] = []
    for model in checks.steps:
        if isinstance(model, CheckExpect):
            steps.append(Expect(model, env, last=model is expects[-1] and _ends(checks, model), bufsize=bufsize))
        elif isinstance(model, CheckSend):
            steps.append(Send(model, env))
        else:
            steps.append(_common(model, env))
    talks = any(isinstance(model, CheckExpect | CheckSend) for model in checks.steps)
    return StepPlan(steps, places, connects=_connects(checks), tells_place=True, unseen=not talks)


def _ends(checks: Checks, model: CheckExpect) -> bool:
    """Nothing but words comes behind this step."""
    after = checks.steps[checks.steps.index(model) + 1 :]
    return all(isinstance(step, CheckComment | CheckSetVar) for step in after)


def _connects(checks: Checks) -> bool:
    return any(isinstance(step, CheckConnect) for step in checks.steps)


def _http(checks: Checks, env: CompileEnv, bufsize: int) -> StepPlan:
    from hapy.checks.http import USUAL, HttpExpect, SendRequest
    from hapy.http.codec import Limits

    limits = Limits(bufsize=bufsize)
    models = list(_with_expectations(checks.steps, USUAL))
    last = max((index for index, model in enumerate(models) if isinstance(model, CheckExpect)), default=-1)
    steps: list[Step] = []
    for index, model in enumerate(models):
        if isinstance(model, CheckRequest):
            steps.append(SendRequest(model, env, limits, state=checks.send_state))
        elif isinstance(model, CheckExpect):
            expect = partial(HttpExpect, model, env, disable_on_404=checks.disable_on_404)
            steps.append(expect(last=index == last))
        else:
            steps.append(_common(model, env))
    shares = not _connects(checks) and sum(isinstance(model, CheckRequest) for model in models) == 1
    return StepPlan(steps, places, connects=_connects(checks), shares=shares, speaks_http=True)


def _with_expectations(steps: tuple[CheckStep, ...], usual: CheckExpect) -> list[CheckStep]:
    """The last request expects a 2xx or 3xx answer where nothing else is expected of it."""
    found = list(steps)
    sent = max((index for index, step in enumerate(found) if isinstance(step, CheckRequest)), default=-1)
    if sent >= 0 and not any(isinstance(step, CheckExpect) for step in found[sent:]):
        found.append(usual)
    return found


def _common(model: CheckStep, env: CompileEnv) -> Step:
    """A step that every kind of rules has."""
    if isinstance(model, CheckConnect):
        return Connect(model, env, _connect_target)
    if isinstance(model, CheckSetVar):
        return SetVar(model, env)
    assert isinstance(model, CheckComment)
    return Comment(model)

"""The rules of a walk, one at a time so that each can be told, and the ends that they make of it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final, NoReturn

from hapy.acl import compile_condition
from hapy.explain.changes import Snapshot
from hapy.explain.findings import Answer, Step
from hapy.explain.telling import Ended, Telling
from hapy.http.serialize import response_head
from hapy.rules import compile_ruleset
from hapy.rules.field_names import field_names
from hapy.rules.outcomes import ALLOW, INTERNAL_ERROR, Deferred, Reply, Tarpit
from hapy.rules.redirects import compile_redirect

if TYPE_CHECKING:
    from hapy.http.message import Response
    from hapy.proxy.backend import Backend
    from hapy.rules.outcomes import Outcome
    from hapy.samples.environment import CompileEnv
    from hapy_config.model.proxy import Proxy
    from hapy_config.model.rules import Rule

#: Actions whose outcome lies in the network.
_ASKS_THE_NETWORK: Final = frozenset({"do-resolve*"})


class RuleSteps(Telling):
    """What rules of all kinds do with a request, and the answers that no server gives."""

    def rules(self, ruleset: str, model: Proxy) -> Outcome | None:
        """Walk a section's rules of one kind."""
        running = self.running(model)
        runs = {rule.span: rule for rule in running.rules.get(ruleset, ())}
        env = self.runtime.env(running)
        strict: Rule | None = None
        outcome: Outcome | None = None
        for written in model.rules.get(ruleset, ()):
            rule = runs.get(written.span)
            if rule is None:
                self.tell(written.span, None, env, applied=None, effects=("not run by hapy: passed over",))
                continue
            if rule.action == "strict-mode":
                strict = rule
                self.tell(rule.span, None, env, applied=True, effects=())
                continue
            outcome = self._rule(rule, env, strict)
            if outcome is not None:
                break
        self.stage(f"{ruleset} of {model.kind} {model.name}")
        return outcome

    def _rule(self, rule: Rule, env: CompileEnv, strict: Rule | None) -> Outcome | None:
        txn = self.txn
        applied = rule.condition is None or compile_condition(rule.condition, env)(txn)
        tests = self.tests(rule.span, rule.condition, env)
        effects: list[str] = []
        outcome: Outcome | None = None
        if applied and rule.action in _ASKS_THE_NETWORK:
            effects.append("would ask a name server; the walk goes on without its answer")
        elif applied:
            compiled = compile_ruleset((rule,) if strict is None else (strict, rule), env)
            assert compiled is not None
            before = Snapshot(txn)
            if compiled.is_async:
                txn.body_waiter = _at_hand
                outcome, waits = _drive(compiled.run_async(txn))
                if waits:
                    effects.append("would wait here; the walk goes on")
            else:
                outcome = compiled.run(txn)
            effects += before.changes()
            if outcome is not None:
                effects.append(_decision(outcome))
        self.steps.append(self.step(rule.span, tests, applied, effects))
        return outcome

    def statistics(self, model: Proxy) -> None:
        """The statistics page, which is asked for behind the rules; its figures are those of a proxy that runs."""
        running = self.running(model)
        if running.stats is None:
            return
        from hapy.stats import answers
        from hapy.stats.page import Page

        outcome = Page(running, running.stats, self.runtime).answer(self.txn)
        if outcome is None:
            return
        page = f"the statistics page of {model.kind} {model.name} ({running.stats.uri})"
        if isinstance(outcome, Reply) and outcome.status == 200:
            self.answer(200, answers.fresh(self.txn, b"text/html", ""), f"{page} answers")
        if isinstance(outcome, Deferred):
            self.answer(303, answers.fresh(self.txn, b"text/plain", ""), f"{page} takes the form")
        self.conclude(outcome, f"{page} asks for a password or refuses")

    def redirects(self, model: Proxy) -> None:
        """The look at header names of a section, and its `redirect` lines."""
        running = self.running(model)
        env = self.runtime.env(running)
        look = field_names(running, env)
        if look is not None:
            before = Snapshot(self.txn)
            refused = look(self.txn)
            name = f"option http-restrict-req-hdr-names of {model.kind} {model.name}"
            effects = tuple(before.changes()) if refused is None else (_decision(refused),)
            if effects:
                self.steps.append(Step(name, applied=True, effects=effects))
            if refused is not None:
                self.conclude(refused, "the option refuses a header name")
        for redirect in running.redirects:
            applied = redirect.condition is None or compile_condition(redirect.condition, env)(self.txn)
            outcome = compile_redirect(redirect, env)(self.txn) if applied else None
            effects = () if outcome is None else (_decision(outcome),)
            self.tell(redirect.span, redirect.condition, env, applied=applied, effects=effects)
            if outcome is not None:
                self.stage(f"redirect of {model.kind} {model.name}")
                self.conclude(outcome, "a redirect answers")
        self.stage(f"redirect of {model.kind} {model.name}")

    def branch(self) -> Backend | None:
        """The backend: `use_backend` lines, then `default_backend`."""
        model = self.frontend.model
        env = self.runtime.env(model)
        for choose, use in zip(self.runtime.branches(self.frontend), model.use_backends, strict=True):
            applied = use.condition is None or compile_condition(use.condition, env)(self.txn)
            backend = choose(self.txn)
            effects: tuple[str, ...] = ()
            if applied:
                effects = (f"to backend {backend.model.name}",) if backend else ("names no backend: passed over",)
            self.tell(use.span, use.condition, env, applied=applied, effects=effects)
            if backend is not None:
                self.stage("choice of a backend")
                return backend
        name = model.default_backend or (model.name if model.is_backend else None)
        backend = self.runtime.backends.get(name) if name is not None else None
        if backend is not None:
            what = f"default_backend {name}" if model.default_backend else f"the servers of listen {name}"
            self.steps.append(Step(what, applied=True, effects=(f"to backend {name}",)))
        self.stage("choice of a backend")
        return backend

    # endings

    def settle(self, outcome: Outcome | None) -> None:
        """End the walk if a ruleset ended in more than `allow`."""
        if outcome is not None and outcome is not ALLOW:
            self.conclude(outcome, "a rule decides")

    def conclude(self, outcome: Outcome, reason: str) -> NoReturn:
        """End the walk as an outcome says."""
        if isinstance(outcome, Tarpit):
            reason = "a rule holds the client (tarpit), then answers"
            outcome = outcome.reply
        if isinstance(outcome, Reply):
            self.answer(outcome.status, outcome.build(self.txn), reason)
        if outcome is INTERNAL_ERROR:
            self.answer_with(500, "a rule could not do its work")
        self.closed(f"a rule ends the connection ({outcome.name})")

    def answer_with(self, status: int, reason: str) -> NoReturn:
        """End the walk with the page of a status."""
        self.answer(status, self.runtime.pages.build(self.txn, status), reason)

    def answer(self, status: int, built: tuple[Response, bytes] | None, reason: str) -> NoReturn:
        """An answer that no server gives: http-after-response rules see it, then the client does."""
        if built is None:
            self.closed(f"{reason}, and its page is empty: the connection is closed")
        assert built is not None
        response, body = built
        txn = self.txn
        txn.response = response
        txn.status = status
        backend = txn.backend
        sections = [self.original]
        if self.found.backend is not None and backend is not self.frontend and self.found.backend != self.original.name:
            sections.insert(0, self.walker.config.backend(self.found.backend) or self.original)
        for section in sections:
            if (outcome := self.rules("http-after-response", section)) is not None and outcome is not ALLOW:
                break
        if response.body >= 0:
            response.body = len(body)
        version = txn.request.version if txn.request is not None else 11
        stays = response.keep_alive and txn.request is not None and txn.request.keep_alive and not self.frontend.closes
        head = response_head(response, version, close=not stays, cases=self.frontend.name_cases)
        self.found.outcome = "answer"
        self.found.reason = reason
        self.found.answer = Answer(status, head, body)
        raise Ended

    def closed(self, reason: str) -> NoReturn:
        """End the walk without an answer."""
        self.found.outcome = "closed"
        self.found.reason = reason
        raise Ended


async def _at_hand(_milliseconds: int, _at_least: int) -> None:
    """The whole body was there from the start."""


def _drive(coroutine: Coroutine[Any, Any, Outcome | None]) -> tuple[Outcome | None, bool]:
    """Run a ruleset as far as it goes without waiting; its outcome, and whether it would have waited."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value, False
    coroutine.close()
    return None, True


def _decision(outcome: Outcome) -> str:
    if outcome is ALLOW:
        return "the rules after it are passed over"
    if isinstance(outcome, Tarpit):
        return f"holds the client, then answers {outcome.reply.status}"
    if isinstance(outcome, Reply):
        return f"answers {outcome.status}"
    return f"ends here ({outcome.name})"

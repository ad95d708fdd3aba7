"""What a walk has seen so far: the steps, the stages they make, and the tests of each condition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hapy.acl.conditions import compile_acl
from hapy.explain import values
from hapy.explain.arrival import client, listener
from hapy.explain.findings import Stage, Step, Test, Walk
from hapy.net.clock import now
from hapy.proxy.transaction import Transaction
from hapy.samples.environment import CompileEnv, CompileError
from hapy.samples.expression import compile_expression

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hapy.explain.asked import Asked
    from hapy.explain.walk import Walker
    from hapy.proxy.frontend import Frontend
    from hapy.proxy.runtime import Runtime
    from hapy_config.model.expressions import AclExpression, Condition, Term
    from hapy_config.model.proxy import Proxy
    from hapy_config.model.server import Bind
    from hapy_config.source import Span

_PATTERNS_SHOWN: Final = 4
#: Samples that tell nothing by their value.
_CONSTANTS: Final = frozenset({"always_true", "always_false"})


class Ended(Exception):  # noqa: N818  no error: the walk is over
    """The request goes no further."""


class Telling:
    """One walk: the transaction and what has been told of it."""

    def __init__(self, walker: Walker, asked: Asked, runtime: Runtime, frontend: Frontend, bind: Bind) -> None:
        self.walker = walker
        self.asked = asked
        self.runtime = runtime
        self.frontend, self.bind = frontend, bind
        self.original = walker.config.frontend(frontend.model.name) or frontend.model
        self.client = client(asked, bind)
        self.txn = Transaction(self.client, frontend, now())
        self.mode = self.original.mode
        self.found = Walk(frontend=frontend.model.name, listener=listener(bind), mode=self.original.mode)
        self.steps: list[Step] = []

    def running(self, model: Proxy) -> Proxy:
        """A section as it runs here: without what hapy does not run."""
        return self.frontend.model if model is self.original else self.runtime.backends[model.name].model

    def tell(
        self, span: Span, condition: Condition | None, env: CompileEnv, *, applied: bool | None, effects: Sequence[str]
    ) -> None:
        """Add the step of a line."""
        self.steps.append(self.step(span, self.tests(span, condition, env), applied, effects))

    def step(self, span: Span, tests: tuple[Test, ...], applied: bool | None, effects: Sequence[str]) -> Step:
        """The step of a line, with what its tests saw."""
        return Step(self.walker.line(span), applied, tests, tuple(effects), span)

    def stage(self, title: str) -> None:
        """Close a stage: the steps since the last one, if any."""
        if self.steps:
            self.found.stages.append(Stage(title, tuple(self.steps)))
            self.steps = []

    def tests(self, span: Span, condition: Condition | None, env: CompileEnv) -> tuple[Test, ...]:
        """The tests of a condition, named as they are written: what runs may lack what hapy does not run."""
        if condition is None:
            return ()
        written = self.walker.conditions.get(span, condition)
        terms = dict.fromkeys(
            pair
            for pairs in zip(condition.alternatives, written.alternatives, strict=True)
            for pair in zip(*pairs, strict=True)
        )
        return tuple(self._test(term, original, env) for term, original in terms)

    def _test(self, term: Term, written: Term, env: CompileEnv) -> Test:
        seen: dict[str, str] = {}
        holds = False
        for expression in term.expressions:
            holds = holds or compile_acl(expression, env)(self.txn)
            try:
                value = compile_expression(expression.criterion, env)(self.txn)
            except CompileError:  # some ACL keywords have no value of their own
                continue
            if expression.criterion.text.lower() not in _CONSTANTS:
                seen[expression.criterion.text] = values.value(value)
        for expression in written.expressions:
            if expression not in term.expressions:
                seen[expression.criterion.text] = "not run by hapy"
        name = written.name or (_braces(written.expressions[0]) if written.expressions else "")
        return Test(f"!{name}" if term.negated else name, tuple(seen.items()), holds is not term.negated)


def _braces(expression: AclExpression) -> str:
    """An anonymous ACL as one would write it."""
    words = [expression.criterion.text]
    words += ["-i"] * expression.ignore_case
    words += [word for name in expression.files for word in ("-f", name)]
    words += expression.patterns[:_PATTERNS_SHOWN]
    words += ["…"] * (len(expression.patterns) > _PATTERNS_SHOWN)
    return f"{{ {' '.join(words)} }}"

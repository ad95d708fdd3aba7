"""Content rules: like any others, but a rule may find that it can't decide yet (configuration manual, `tcp-request
content`).

A rule whose condition depends on bytes that have not come is asked again with all rules before it, once more is there.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, cast

from hapy.acl.conditions import compile_staged
from hapy.rules.compile import load_actions, remembering
from hapy.rules.outcomes import WAIT, Outcome
from hapy.rules.registry import ACTIONS, Action, Arguments, AsyncAction
from hapy.samples.environment import CompileEnv, CompileError
from hapy_config.keywords.fetches import find_fetch
from hapy_config.model.expressions import FormatExpression

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction
    from hapy_config.model.expressions import Condition
    from hapy_config.model.proxy import Proxy
    from hapy_config.model.rules import Rule

#: Actions that end a list of rules and look at nothing themselves.
_ENDS = ("accept", "reject")

#: What a condition on more than the connection reads; the end of the wait for contents is internal state.
_BYTES = re.compile("buffer|HTTP|internal")

#: True, False, or None: it can't be told yet.
Staged = Callable[["Transaction"], bool | None]


class ContentRules:
    """A compiled list of content rules.

    Attributes:
        looks_at_heads: one of them has a condition on an HTTP message.
        looks_at_bytes: what comes may change which of them decides.
    """

    __slots__ = ("_steps", "looks_at_bytes", "looks_at_heads")

    def __init__(
        self,
        steps: Sequence[tuple[Staged | None, Action | AsyncAction, bool]],
        *,
        looks_at_heads: bool,
        looks_at_bytes: bool,
    ) -> None:
        self._steps = tuple(steps)
        self.looks_at_heads = looks_at_heads
        self.looks_at_bytes = looks_at_bytes

    async def walk(self, txn: Transaction) -> Outcome | None:
        """Walk the rules over what is there; WAIT when one of them needs more."""
        content = txn.inspection
        assert content is not None
        for test, act, waits in self._steps:
            if test is not None:
                holds = test(txn)
                if holds is None:
                    return WAIT
                if not holds:
                    continue
            content.undecided = False
            outcome = act(txn)
            if waits:
                outcome = await cast(Awaitable[Outcome | None], outcome)
            if outcome is not None:
                return cast(Outcome, outcome)
        return None


#: For those who look without them.
NO_RULES: Final = ContentRules((), looks_at_heads=False, looks_at_bytes=True)


def compile_content(rules: Sequence[Rule], env: CompileEnv) -> ContentRules | None:
    """The compiled rules, or None where there are none.

    Raises:
        CompileError: for an action that does not run or an argument that it can't take, with the rule's place.
    """
    if not rules:
        return None
    load_actions()
    steps: list[tuple[Staged | None, Action | AsyncAction, bool]] = []
    for rule in rules:
        scope = env.for_response() if "response" in rule.ruleset else env
        entry = ACTIONS.get((rule.ruleset, rule.action))
        if entry is None:
            raise CompileError(f"action '{rule.ruleset} {rule.word}' is not run by hapy", rule.span)
        build, waits = entry
        try:
            test = compile_staged(rule.condition, scope) if rule.condition is not None else None
            act = build(Arguments(rule, scope, strict=True))
        except CompileError as error:
            raise CompileError(error.message, rule.span) from error
        if not waits:
            act = remembering(cast(Action, act), rule)
        steps.append((test, act, waits))
    return ContentRules(
        steps,
        looks_at_heads=any("HTTP" in reads for rule in rules for reads in _what_it_reads(rule)),
        looks_at_bytes=_looks_at_bytes(rules),
    )


def _what_it_reads(rule: Rule) -> Iterator[str]:
    """What the condition of a rule looks at, in HAProxy's words."""
    return _what_is_read(rule.condition)


def _what_is_read(condition: Condition | None) -> Iterator[str]:
    if condition is not None:
        for terms in condition.alternatives:
            for term in terms:
                for expression in term.expressions:
                    entry = find_fetch(expression.criterion.fetch.name)
                    yield entry.reads if entry is not None else ""


def chosen_by_bytes(model: Proxy) -> bool:
    """Whether `use_backend` or `use-server` lines of a section look at what a client sends."""
    uses = [(use.condition, use.target) for use in model.use_backends]
    uses += [(use.condition, use.target) for use in model.use_servers]
    for condition, target in uses:
        reads = list(_what_is_read(condition))
        for item in () if isinstance(target, str) else target.items:
            if isinstance(item, FormatExpression):
                entry = find_fetch(item.expression.fetch.name)
                reads.append(entry.reads if entry is not None else "")
        if any(map(_BYTES.search, reads)):
            return True
    return False


def _looks_at_bytes(rules: Sequence[Rule]) -> bool:
    """False when rules decide by the connection alone."""
    for rule in rules:
        if rule.action not in _ENDS or any(map(_BYTES.search, _what_it_reads(rule))):
            return True
        if rule.condition is None:
            return False
    return False

"""Content rules: like any others, but a rule may find that it can't decide yet (configuration manual, `tcp-request
content`).

A rule whose condition depends on bytes that have not come is asked again with all rules before it, once more is there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, cast

from hapy.acl.conditions import compile_staged, reads_http
from hapy.rules.compile import load_actions, remembering
from hapy.rules.outcomes import WAIT, Outcome
from hapy.rules.registry import ACTIONS, Action, Arguments, AsyncAction
from hapy.samples.environment import CompileEnv, CompileError

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction
    from hapy_config.model.rules import Rule

#: True, False, or None: it can't be told yet.
Staged = Callable[["Transaction"], bool | None]


class ContentRules:
    """A compiled list of content rules.

    Attributes:
        looks_at_heads: one of them has a condition on an HTTP message.
    """

    __slots__ = ("_steps", "looks_at_heads")

    def __init__(
        self, steps: Sequence[tuple[Staged | None, Action | AsyncAction, bool]], *, looks_at_heads: bool = False
    ) -> None:
        self._steps = tuple(steps)
        self.looks_at_heads = looks_at_heads

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
    return ContentRules(steps, looks_at_heads=any(_on_heads(rule) for rule in rules))


def _on_heads(rule: Rule) -> bool:
    """Whether a rule has a condition on an HTTP message."""
    return rule.condition is not None and any(
        reads_http(expression.criterion.fetch.name)
        for terms in rule.condition.alternatives
        for term in terms
        for expression in term.expressions
    )

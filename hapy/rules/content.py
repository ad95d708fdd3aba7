"""Content rules: like any others, but a rule may find that it can't decide yet (configuration manual, `tcp-request
content`).

A rule whose condition depends on bytes that have not come is asked again with all rules before it, once more is there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, cast

from hapy.acl.conditions import compile_staged
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
        conditional: one of them has a condition.
    """

    __slots__ = ("_steps", "conditional")

    def __init__(self, steps: Sequence[tuple[Staged | None, Action | AsyncAction, bool]]) -> None:
        self._steps = tuple(steps)
        self.conditional = any(test is not None for test, _, _ in steps)

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
    return ContentRules(steps)

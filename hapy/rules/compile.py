"""A rule list compiled: a tuple of (condition, action) pairs walked in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from mypy_extensions import mypyc_attr

from hapy.acl import compile_condition
from hapy.rules.outcomes import WAIT, Outcome
from hapy.rules.registry import ACTIONS, Action, Arguments, AsyncAction
from hapy.samples.environment import CompileEnv, CompileError
from hapy_config.grammar.conditions import when_answered

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction
    from hapy_config.model.rules import Rule

#: A compiled condition, `unless` included.
Predicate = Callable[["Transaction"], bool]
_Step = tuple[Predicate | None, Action]


@mypyc_attr(allow_interpreted_subclasses=True)
class Ruleset:
    """A compiled rule list.

    Attributes:
        run: walks the rules; only when `is_async` is False.
        is_async: a rule among them may wait: use `run_async`.
    """

    __slots__ = ("_steps", "is_async", "run")

    def __init__(self, steps: Sequence[tuple[Predicate | None, Action | AsyncAction, bool]]) -> None:
        self._steps = tuple(steps)
        self.is_async = any(waits for _, _, waits in steps)
        self.run: Action = _walker(tuple((predicate, cast(Action, act)) for predicate, act, _ in steps))

    async def run_async(self, txn: Transaction) -> Outcome | None:
        """Walk the rules, waiting where one does."""
        for predicate, act, waits in self._steps:
            if predicate is None or predicate(txn):
                outcome = act(txn)
                if waits:
                    outcome = await cast(Awaitable[Outcome | None], outcome)
                if outcome is not None:
                    return cast(Outcome, outcome)
        return None

    def after(self, act: Action) -> Ruleset:
        """The same rules with something done before them."""
        return Ruleset([(None, act, False), *self._steps])


def preceded(act: Action, rules: Ruleset | None) -> Ruleset:
    """Something to do, and then rules, if there are any."""
    return rules.after(act) if rules is not None else Ruleset([(None, act, False)])


def _walker(steps: tuple[_Step, ...]) -> Action:
    """The loop over the rules, without one where there is a single rule."""
    if len(steps) == 1:
        test, act = steps[0]
        if test is None:
            return act
        predicate = test

        def single(txn: Transaction) -> Outcome | None:
            return act(txn) if predicate(txn) else None

        return single

    def walk(txn: Transaction) -> Outcome | None:
        for test, act in steps:
            if test is None or test(txn):
                outcome = act(txn)
                if outcome is not None:
                    return outcome
        return None

    return walk


def load_actions() -> None:
    """Import the modules that register actions, once."""
    import hapy.rules.actions  # noqa: F401


def registered() -> Mapping[str, frozenset[str]]:
    """The actions that run, by ruleset."""
    load_actions()
    found: dict[str, set[str]] = {"http-request": {"strict-mode"}}
    for ruleset, name in ACTIONS:
        found.setdefault(ruleset, set()).add(name)
    for ruleset in ("http-request", "http-response", "http-after-response"):
        found[ruleset].add("strict-mode")
    return {ruleset: frozenset(names) for ruleset, names in found.items()}


def remembering(act: Action, rule: Rule) -> Action:
    """An action whose outcomes leave the rule's place for `last_rule_file` and `last_rule_line`."""
    place = (rule.span.file, rule.span.line)

    def final(txn: Transaction) -> Outcome | None:
        outcome = act(txn)
        if outcome is not None and outcome is not WAIT:
            txn.override().last_rule = place
        return outcome

    return final


#: Actions that may end a ruleset.
_FINAL = frozenset(
    {
        *("accept", "allow", "auth", "close", "deny", "redirect", "reject", "return", "silent-drop", "switch-mode"),
        "tarpit",
    },
)


def compile_ruleset(rules: Sequence[Rule], env: CompileEnv) -> Ruleset | None:
    """The compiled rules, or None where there are none.

    Raises:
        CompileError: for an action that does not run or an argument that it can't take, with the rule's place.
    """
    if not rules:
        return None
    load_actions()
    steps: list[tuple[Predicate | None, Action | AsyncAction, bool]] = []
    strict = True
    for index, rule in enumerate(rules):
        if rule.action == "strict-mode":
            strict = bool(rule.arguments["switch"])
            continue
        scope = env.for_response() if "response" in rule.ruleset else env
        entry = ACTIONS.get((rule.ruleset, rule.action))
        if entry is None:
            raise CompileError(f"action '{rule.ruleset} {rule.word}' is not run by hapy", rule.span)
        build, waits = entry
        try:
            condition = rule.condition
            if condition is not None and rule.ruleset in ("http-response", "http-after-response"):
                condition = when_answered(condition)
            predicate = compile_condition(condition, scope) if condition is not None else None
            act = build(Arguments(rule, scope, strict=strict, before=rules[index - 1] if index else None))
        except CompileError as error:
            raise CompileError(error.message, rule.span) from error
        if rule.action in _FINAL and rule.ruleset not in ("tcp-request connection", "tcp-request session"):
            act = remembering(cast(Action, act), rule)
        steps.append((predicate, act, waits))
    return Ruleset(steps) if steps else None

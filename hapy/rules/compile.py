"""A rule list compiled: a tuple of (condition, action) pairs walked in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from hapy.acl import compile_condition
from hapy.rules.outcomes import Outcome
from hapy.samples.environment import CompileEnv, CompileError

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction
    from hapy_config.model.rules import Rule

#: A compiled action: does its work; an outcome ends the ruleset, None lets the next rule run.
Action = Callable[["Transaction"], Outcome | None]
AsyncAction = Callable[["Transaction"], Awaitable[Outcome | None]]
#: A compiled condition, `unless` included.
Predicate = Callable[["Transaction"], bool]
#: Makes an action from a rule.
Builder = Callable[["Rule", CompileEnv], "Action | AsyncAction"]


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
        self.run: Callable[[Transaction], Outcome | None] = _walker(
            tuple((predicate, action) for predicate, action, _ in steps)  # type: ignore[misc]
        )

    async def run_async(self, txn: Transaction) -> Outcome | None:
        """Walk the rules, waiting where one does."""
        for predicate, action, waits in self._steps:
            if predicate is None or predicate(txn):
                result = action(txn)
                outcome = await result if waits else result  # type: ignore[misc]
                if outcome is not None:
                    return outcome  # type: ignore[return-value]
        return None


def _walker(steps: tuple[tuple[Predicate | None, Action], ...]) -> Action:
    """The loop over the rules, without one where there is a single rule."""
    if len(steps) == 1:
        predicate, action = steps[0]
        if predicate is None:
            return action
        test = predicate

        def single(txn: Transaction) -> Outcome | None:
            return action(txn) if test(txn) else None

        return single

    def walk(txn: Transaction) -> Outcome | None:
        for predicate, action in steps:
            if predicate is None or predicate(txn):
                outcome = action(txn)
                if outcome is not None:
                    return outcome
        return None

    return walk


ACTIONS: Final[dict[tuple[str, str], tuple[Builder, bool]]] = {}


def registered() -> Mapping[str, frozenset[str]]:
    """The actions that run, by ruleset."""
    _load()
    found: dict[str, set[str]] = {}
    for ruleset, name in ACTIONS:
        found.setdefault(ruleset, set()).add(name)
    return {ruleset: frozenset(names) for ruleset, names in found.items()}


def _load() -> None:
    """Import the modules that register actions, once."""
    import hapy.rules.actions  # noqa: F401


def compile_ruleset(rules: Sequence[Rule], env: CompileEnv) -> Ruleset | None:
    """The compiled rules, or None where there are none.

    Raises:
        CompileError: for an action that does not run or an argument that it can't take, with the rule's place.
    """
    if not rules:
        return None
    if not ACTIONS:
        _load()
    steps = []
    for rule in rules:
        scope = env.for_response() if "response" in rule.ruleset else env
        entry = ACTIONS.get((rule.ruleset, rule.action))
        if entry is None:
            raise CompileError(f"action '{rule.ruleset} {rule.word}' is not run by hapy", rule.span)
        build, waits = entry
        try:
            predicate = compile_condition(rule.condition, scope) if rule.condition is not None else None
            steps.append((predicate, build(rule, scope), waits))
        except CompileError as error:
            raise CompileError(error.message, rule.span) from error
    return Ruleset(steps)

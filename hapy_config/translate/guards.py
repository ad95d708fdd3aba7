"""Rules that keep clients out, where they can't go over as they are: the door stays shut rather than open.

What can't be looked at is taken for what it most likely says of a stranger:

- a rule that asks for a password refuses all requests that it might ask;
- another one refuses as if no test that can't be made held, so that a list of those who may come in knows nobody, and
  a list of those who may not keeps nobody out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from hapy_config.model.expressions import AclExpression
from hapy_config.model.rules import HttpReply, Rule
from hapy_config.translate.flow import (
    FALSE,
    TRUE,
    Every,
    Formula,
    Not,
    Some,
    Test,
    Untranslatable,
    acl_test,
    simplified,
)

#: Actions that keep clients out.
GUARDS: Final = frozenset({"deny", "auth", "tarpit", "reject", "silent-drop"})


def refusal(rule: Rule) -> int:
    """The status for whom such a rule refuses."""
    reply = rule.arguments.get("reply")
    given = reply.status if isinstance(reply, HttpReply) else None
    return given if given is not None and 400 <= given < 600 else 403


def kept_out(rule: Rule, scope: Formula, ask: Callable[[Test], object]) -> Formula:
    """Whom the other proxy has to refuse in place of a rule that it can't have; FALSE for nobody.

    Args:
        rule: one of any action.
        scope: what must hold for the rule to be reached.
        ask: raises `Untranslatable` for a test that the other proxy can't make.
    """
    if rule.action not in GUARDS or rule.ruleset in ("http-response", "http-after-response", "tcp-response content"):
        return FALSE
    condition = rule.condition
    if condition is None:
        return scope
    cases = []
    for terms in condition.alternatives:
        tests = []
        for term in terms:
            # Unknown tests of `auth` are taken so that it asks; others for not true.
            unknown = TRUE if rule.action == "auth" and term.negated == condition.unless else FALSE
            found = Some(tuple(_made(one, unknown, ask) for one in term.expressions))
            tests.append(Not(found) if term.negated else found)
        cases.append(Every(tuple(tests)))
    whole = Some(tuple(cases))
    return simplified(Every((scope, Not(whole) if condition.unless else whole)))


def _made(acl: AclExpression, unknown: Formula, ask: Callable[[Test], object]) -> Formula:
    """A test, or what it is taken for where it can't be made."""
    try:
        found = acl_test(acl)
        for one in tests_of(found):
            ask(one)
    except Untranslatable:
        return unknown
    return found


def tests_of(whole: Formula) -> Iterator[Test]:
    """The tests that a condition is made of."""
    if isinstance(whole, Test):
        yield whole
    else:
        for one in (whole.part,) if isinstance(whole, Not) else whole.parts:
            yield from tests_of(one)

"""Rules that keep clients out, where they can't go over as they are: the door stays shut rather than open.

What can't be looked at is taken for what it most likely says of a stranger:

- a rule that asks for a password refuses all requests that it might ask;
- another one refuses as if no test that can't be made held, so that a list of those who may come in knows nobody, and
  a list of those who may not keeps nobody out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hapy_config.model.expressions import AclExpression
from hapy_config.model.proxy import Proxy
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
    formula,
    simplified,
)

if TYPE_CHECKING:
    from hapy_config.translate.ledger import Ledger

#: Actions that keep clients out.
GUARDS: Final = frozenset({"deny", "auth", "tarpit", "reject", "silent-drop"})

#: The rules about connections in their order.
_CONNECTIONS: Final = (
    "tcp-request connection",
    "tcp-request session",
    "tcp-request content",
    "tcp-response content",
)


@dataclass(frozen=True, slots=True)
class Doors:
    """Who is refused before anything was read of a connection.

    Attributes:
        denied: the clients.
        plain: the rule that refuses all that speak no TLS, None where they are let in.
        guarded: a rule above it lets some of them in.
    """

    denied: Formula
    plain: Rule | None = None
    guarded: bool = False


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


def doors(ledger: Ledger, proxy: Proxy, ask: Callable[[Test], object]) -> Doors:
    """Whom the rules about connections of a proxy in mode tcp refuse.

    Args:
        ledger: is told of every rule.
        proxy: has the rules.
        ask: raises `Untranslatable` for a test that the other proxy can't make of a connection.
    """
    denied: list[Formula] = []
    plain, guarded = None, False
    for ruleset in _CONNECTIONS:
        guard: Formula = TRUE
        greeting = False
        for rule in proxy.rules.get(ruleset, ()):
            try:
                whole = formula(rule.condition)
                for one in tests_of(whole):
                    ask(one)
                if rule.action == "accept" and whole == TRUE and rule.condition is not None:
                    greeting = True  # the test was one for the greeting of TLS
                elif rule.action == "accept":
                    guard = simplified(Every((guard, Not(whole))))
                elif rule.action not in ("reject", "silent-drop"):
                    raise Untranslatable(f"{ledger.target} has nothing like it")
                elif whole == TRUE and greeting:
                    plain, guarded = rule, guard != TRUE
                else:
                    denied.append(Every((guard, whole)))
                ledger.done(rule.span)
            except Untranslatable as reason:
                refused = kept_out(rule, guard, ask)
                denied.append(refused)
                ledger.left_out(rule, reason, refused=refused != FALSE)
    return Doors(simplified(Some(tuple(denied))), plain, guarded)

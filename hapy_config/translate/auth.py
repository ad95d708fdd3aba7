"""Passwords asked for by rules: which users a condition names, and what else it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hapy_config.model.config import Config, User
from hapy_config.model.expressions import AclExpression, Condition, Term
from hapy_config.translate.flow import Every, Formula, Not, Some, Subject, Test, Untranslatable, acl_test, simplified
from hapy_config.translate.guards import tests_of

#: Fetches that look at names and passwords.
AUTH_FETCHES: Final = frozenset({"http_auth", "http_auth_group"})


def expressions_of(condition: Condition | None) -> Iterator[AclExpression]:
    """The single tests of a condition."""
    for terms in condition.alternatives if condition is not None else ():
        for term in terms:
            yield from term.expressions


def auth_condition(condition: Condition | None, config: Config) -> tuple[str, tuple[User, ...], Formula]:
    """What `unless { http_auth(list) }` or `if … !{ http_auth_group(list) group }` says.

    Args:
        condition: of a rule that asks for passwords.
        config: has the lists of users.

    Returns:
        A name for the users that pass, these, and the other terms' formula.

    Raises:
        Untranslatable: the condition is of another form.
    """
    other = Untranslatable("passwords can be asked for only where one list of users has to be passed")
    if condition is None:
        raise other
    asked: dict[Test, AclExpression] = {}
    alternatives = tuple(Every(tuple(_term(term, asked) for term in terms)) for terms in condition.alternatives)
    whole = simplified(Not(Some(alternatives)) if condition.unless else Some(alternatives))
    parts = whole.parts if isinstance(whole, Every) else (whole,)
    missing = [one for one in parts if isinstance(one, Not) and one.part in asked]
    rest = tuple(one for one in parts if one not in missing)
    if len(missing) != 1 or any(one in asked for part in rest for one in tests_of(part)):
        raise other
    found = missing[0].part
    assert isinstance(found, Test)
    acl = asked[found]
    call = acl.criterion.fetch
    users = config.userlists.get(call.args[0]) if len(call.args) == 1 else None
    if users is None or acl.files:
        raise Untranslatable(f"there are no users for '{acl.criterion.text}'")
    groups = None if call.name == "http_auth" else frozenset(acl.patterns)
    passing = tuple(user for user in users.users.values() if groups is None or user.groups & groups)
    return "-".join((users.name, *sorted(groups or ()))), passing, simplified(Every(rest))


def _term(term: Term, asked: dict[Test, AclExpression]) -> Formula:
    """A term, what looks at passwords in it as tests of their own, which are noted."""
    found: list[Formula] = []
    for acl in term.expressions:
        if acl.criterion.fetch.name in AUTH_FETCHES:
            test = Test(Subject("password", acl.criterion.text), "exact", acl.patterns)
            asked[test] = acl
            found.append(test)
        else:
            found.append(acl_test(acl, term.name))
    return Not(Some(tuple(found))) if term.negated else Some(tuple(found))

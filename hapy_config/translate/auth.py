"""Passwords asked for by rules: which users a condition names, and what else it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hapy_config.model.config import Config, User
from hapy_config.model.expressions import AclExpression, Condition
from hapy_config.translate.flow import Formula, Untranslatable, formula

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
    if condition is None or len(condition.alternatives) != 1:
        raise other
    terms = condition.alternatives[0]
    asking = [term for term in terms if any(one.criterion.fetch.name in AUTH_FETCHES for one in term.expressions)]
    if len(asking) != 1 or len(asking[0].expressions) != 1 or asking[0].negated == condition.unless:
        raise other
    acl = asking[0].expressions[0]
    call = acl.criterion.fetch
    users = config.userlists.get(call.args[0]) if len(call.args) == 1 else None
    if users is None or acl.files:
        raise Untranslatable(f"there are no users for '{acl.criterion.text}'")
    rest = tuple(term for term in terms if term is not asking[0])
    if rest and condition.unless:
        raise other
    groups = None if call.name == "http_auth" else frozenset(acl.patterns)
    passing = tuple(user for user in users.users.values() if groups is None or user.groups & groups)
    name = "-".join((users.name, *sorted(groups or ())))
    return name, passing, formula(Condition((rest,)) if rest else None)

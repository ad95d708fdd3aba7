"""Passwords asked for by rules: which list of users a condition names, and what else it says."""

from __future__ import annotations

from hapy_config.model.expressions import Condition
from hapy_config.translate.flow import Formula, Untranslatable, formula


def auth_condition(condition: Condition | None) -> tuple[str, Formula]:
    """The userlist of `unless { http_auth(list) }` or `if … !{ http_auth(list) }`, and the other terms' formula.

    Raises:
        Untranslatable: the condition is of another form.
    """
    other = Untranslatable("passwords can be asked for only where one list of users has to be passed")
    if condition is None or len(condition.alternatives) != 1:
        raise other
    terms = condition.alternatives[0]
    asking = [
        term
        for term in terms
        if any(one.criterion.fetch.name in ("http_auth", "http_auth_group") for one in term.expressions)
    ]
    if len(asking) != 1 or len(asking[0].expressions) != 1 or asking[0].negated == condition.unless:
        raise other
    call = asking[0].expressions[0].criterion.fetch
    if call.name != "http_auth" or len(call.args) != 1:
        raise Untranslatable("groups of users have no counterpart")
    rest = tuple(term for term in terms if term is not asking[0])
    if rest and condition.unless:
        raise other
    return call.args[0], formula(Condition((rest,)) if rest else None)

"""A condition that always holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.logic import exclusive, literal
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each condition one of whose alternatives always applies."""
    for proxy in view.proxies:
        for condition, span in view.conditions(proxy):
            if len(condition.alternatives) < 2:
                continue
            single = [terms[0] for terms in condition.alternatives if len(terms) == 1]
            literals = {literal(term) for term in single}
            if len({key for key, _ in literals}) < len(literals):
                yield Finding(
                    span, "the condition always holds: a test or its opposite", "leave the condition out, or mend it"
                )
                continue
            pair = next(exclusive(term for term in single if term.negated), None)
            if pair is not None:
                names = " or ".join(f"not '{term.name or term.expressions[0].criterion.text}'" for term in pair)
                yield Finding(
                    span,
                    f"the condition always holds: {names}, and the two never hold together",
                    "to ask for neither of them take the 'or' out",
                )


RULE = Rule(
    "always-true-condition",
    Severity.WARNING,
    """One of the alternatives always holds. Mostly two negated tests are joined by `or`: whatever the host name is, it
    is not one of the two. "Neither of them" is written without `or`.""",
    "frontend a\n bind :80\n acl x hdr(host) -i x.example\n acl y hdr(host) -i y.example\n"
    " http-request deny if !x or !y\n",
    "frontend a\n bind :80\n acl x hdr(host) -i x.example\n acl y hdr(host) -i y.example\n"
    " http-request deny if !x !y\n",
    check,
)

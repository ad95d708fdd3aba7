"""ACLs side by side that never hold together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.logic import exclusive
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each condition with two tests that exclude each other."""
    for proxy in view.proxies:
        for condition, span in view.conditions(proxy):
            for terms in condition.alternatives:
                if len(terms) < 2:
                    continue
                pair = next(exclusive(term for term in terms if not term.negated), None)
                if pair is not None:
                    names = " and ".join(f"'{term.name or term.expressions[0].criterion.text}'" for term in pair)
                    yield Finding(
                        span,
                        f"{names} never hold together: they compare one value with different patterns",
                        "write 'or' between them if one is enough",
                    )


RULE = Rule(
    "exclusive-acls",
    Severity.WARNING,
    """Two tests side by side must both hold, and these compare one value, a host name say, with patterns that exclude
    each other. The condition never holds. `or` belongs between them, or both patterns into one ACL.""",
    "frontend a\n bind :80\n acl x hdr(host) -i x.example\n acl y hdr(host) -i y.example\n http-request deny if x y\n",
    "frontend a\n bind :80\n acl x hdr(host) -i x.example\n acl y hdr(host) -i y.example\n"
    " http-request deny if x or y\n",
    check,
)

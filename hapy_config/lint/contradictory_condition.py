"""A test and its opposite in one condition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.logic import literal
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each line that asks for something and for its opposite at once."""
    for proxy in view.proxies:
        for condition, span in view.conditions(proxy):
            for terms in condition.alternatives:
                if len(terms) < 2:
                    continue
                literals = {literal(term) for term in terms}
                if len({key for key, _ in literals}) == len(literals):
                    continue
                twice = next(term for term in terms if (literal(term)[0], not term.negated) in literals)
                what = f"'{twice.name}'" if twice.name else f"'{{ {twice.expressions[0].criterion.text} … }}'"
                yield Finding(
                    span,
                    f"the condition asks for {what} and for its opposite at once, which never holds",
                    "write 'or' between tests of which one is enough",
                )


RULE = Rule(
    "contradictory-condition",
    Severity.WARNING,
    """Tests side by side must all hold. A test and its opposite never do, so the line has no effect (with `unless`:
    always has). Where one of the two is enough, `or` belongs between them.""",
    "frontend a\n bind :80\n acl local src 10.0.0.0/8\n http-request deny if local !local\n",
    "frontend a\n bind :80\n acl local src 10.0.0.0/8\n http-request deny if !local\n",
    check,
)

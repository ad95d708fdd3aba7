"""An alternative that adds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.logic import literal
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each condition with a part that another part makes needless."""
    for proxy in view.proxies:
        for condition, span in view.conditions(proxy):
            if any(len({literal(term) for term in terms}) < len(terms) for terms in condition.alternatives):
                yield Finding(span, "a test stands twice side by side", "once is enough")
                continue
            if len(condition.alternatives) < 2:
                continue
            seen = {literal(terms[0]) for terms in condition.alternatives if len(terms) == 1}
            singles = sum(1 for terms in condition.alternatives if len(terms) == 1)
            longer = any(
                len(terms) > 1 and any(literal(term) in seen for term in terms) for terms in condition.alternatives
            )
            if len(seen) < singles or longer:
                yield Finding(
                    span,
                    "an alternative adds nothing: another one holds wherever it does",
                    "'and' binds closer than 'or': 'a or a b' is the same as 'a'",
                )


RULE = Rule(
    "redundant-condition",
    Severity.NOTICE,
    """A part of the condition changes nothing, since another part holds wherever it does; something else was meant,
    perhaps. Tests side by side are joined more closely than by `or`: `a or b c` is a, or b and c.""",
    "frontend a\n bind :80\n acl x path_beg /x\n acl y method POST\n http-request deny if x or x y\n",
    "frontend a\n bind :80\n acl x path_beg /x\n acl y method POST\n http-request deny if x y\n",
    check,
)

"""A rule behind one that always ends the rule set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.finals import is_final
from hapy_config.lint.logic import alternatives
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.source import Span


def check(view: View) -> Iterator[Finding]:
    """A finding for the first rule of each set that never runs."""
    for proxy in view.proxies:
        for ruleset, rules in view.own_rules(proxy):
            end: Span | None = None
            for rule in rules:
                if end is not None:
                    yield Finding(
                        rule.span,
                        f"this '{ruleset}' rule never runs: the one on line {end.line} ends the set for all",
                        "move it up, or give the other one a condition",
                    )
                    break
                if is_final(rule) and frozenset() in (alternatives(rule.condition) or ()):
                    end = rule.span


RULE = Rule(
    "unreachable-rule",
    Severity.WARNING,
    """A rule without a condition accepts, denies, redirects or answers, which ends the rules of its set; none behind
    it runs. A deny behind an allow protects nothing. Move the rule up, or give the other one a condition.""",
    "frontend a\n bind :80\n http-request allow\n http-request deny if { path /admin }\n",
    "frontend a\n bind :80\n http-request deny if { path /admin }\n http-request allow\n",
    check,
)

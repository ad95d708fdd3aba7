"""A rule behind one that always ends the rule set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.build.rules import ENDING
from hapy_config.diagnostics import Severity
from hapy_config.lint.finals import is_final
from hapy_config.lint.logic import always
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.model.rules import Rule as Action


def check(view: View) -> Iterator[Finding]:
    """A finding for the first rule of each set that never runs."""
    for proxy in view.proxies:
        for ruleset, rules in view.own_rules(proxy):
            end: Action | None = None
            for rule in rules:
                if end is not None:
                    if not _is_warned_of(end):
                        yield Finding(
                            rule.span,
                            f"this '{ruleset}' rule never runs: the one on line {end.span.line} ends the set for all",
                            "move it up, or give the other one a condition",
                        )
                    break
                if is_final(rule) and always(rule.condition):
                    end = rule


def _is_warned_of(rule: Action) -> bool:
    """Whether HAProxy itself warns of what stands behind it."""
    return rule.condition is None and rule.ruleset.startswith("http-") and rule.action in ENDING


RULE = Rule(
    "unreachable-rule",
    Severity.WARNING,
    """A rule that always accepts or rejects ends the rules of its set; none behind it runs. A reject behind an accept
    protects nothing. Move the rule up, or give the other one a condition. Where HAProxy itself warns of it, that is
    `rule-after-final`.""",
    "frontend a\n bind :80\n tcp-request connection accept\n tcp-request connection reject if { src 192.0.2.0/24 }\n",
    "frontend a\n bind :80\n tcp-request connection reject if { src 192.0.2.0/24 }\n tcp-request connection accept\n",
    check,
)

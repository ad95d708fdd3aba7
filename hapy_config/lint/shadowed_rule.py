"""A rule whose condition an earlier rule has already ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.finals import changes_nothing, is_final
from hapy_config.lint.logic import Taken, alternatives, is_restless
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each rule that runs only where one before it has ended the set."""
    for proxy in view.proxies:
        for ruleset, rules in view.own_rules(proxy):
            if len(rules) < 2 or ruleset.endswith("content"):  # those wait for contents, and look again
                continue
            taken = Taken(view.varying)
            for rule in rules:
                if taken.is_empty and not is_final(rule):  # nearly all rules of most files
                    continue
                wanted = None if is_restless(rule.condition) else alternatives(rule.condition)
                if wanted is not None and taken.has(rule.condition, wanted):
                    yield Finding(
                        rule.span,
                        f"this '{ruleset}' rule never runs: an earlier one takes all that its condition lets through",
                        "move it up, or change one of the two conditions",
                    )
                elif is_final(rule) and wanted is not None:
                    taken.add(rule.condition, wanted)
                elif not is_final(rule) and not changes_nothing(rule):
                    taken = Taken(view.varying)


RULE = Rule(
    "shadowed-rule",
    Severity.WARNING,
    """The rule's condition holds only where the condition of an earlier rule holds too, and that one denies, redirects
    or answers: there is nothing left for this one.""",
    "frontend a\n bind :80\n acl old path_beg /old\n acl post method POST\n"
    " http-request redirect location / if old\n http-request deny if old post\n",
    "frontend a\n bind :80\n acl old path_beg /old\n acl post method POST\n"
    " http-request deny if old post\n http-request redirect location / if old\n",
    check,
)

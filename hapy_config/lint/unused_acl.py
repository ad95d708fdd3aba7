"""An ACL that no condition names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.api import Result
    from hapy_config.syntax import Section, Statement


def check(result: Result) -> Iterator[Finding]:
    """A finding for the first line of each ACL that its section never uses."""
    for section in result.document.sections:
        yield from _section(section)


def _section(section: Section) -> Iterator[Finding]:
    declared: dict[str, Statement] = {}
    used: set[str] = set()
    for statement in section.statements:
        words = statement.words
        if words[0] == "acl" and len(words) > 1:
            declared.setdefault(words[1], statement)
            continue
        for index, word in enumerate(words):
            if word in ("if", "unless"):
                used.update(name.lstrip("!") for name in words[index + 1 :])
                break
    for name, statement in declared.items():
        if name not in used:
            yield Finding(statement.span(1), f"no condition in this section uses the ACL '{name}'")


RULE = Rule(
    "unused-acl",
    Severity.NOTICE,
    """No condition of the section names the ACL: it is left over, or misspelt where it was meant.""",
    "frontend a\n bind :80\n acl local src 10.0.0.0/8\n",
    "frontend a\n bind :80\n acl local src 10.0.0.0/8\n http-request deny unless local\n",
    check,
)

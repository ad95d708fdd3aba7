"""An ACL that no condition names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.syntax import Section, Statement


def check(view: View) -> Iterator[Finding]:
    """A finding for each line of an ACL that its section never uses."""
    declared: dict[int, tuple[Section, dict[str, list[Statement]]]] = {}
    for section, statement in view.lines("acl"):
        if len(statement.words) > 1:
            names = declared.setdefault(id(section), (section, {}))[1]
            names.setdefault(statement.words[1], []).append(statement)
    for section, names in declared.values():
        used = _used(section)
        for name, statements in names.items():
            if name in used:
                continue
            for statement in statements:
                yield Finding(
                    statement.span(1),
                    f"no condition in this section uses the ACL '{name}'",
                    "remove it, or use it",
                    view.removal(statement),
                )


def _used(section: Section) -> set[str]:
    used: set[str] = set()
    for statement in section.statements:
        words = statement.words
        if words[0] == "acl":
            continue
        for index, word in enumerate(words):
            if word in ("if", "unless"):
                used.update(name.lstrip("!") for name in words[index + 1 :])
                break
    return used


RULE = Rule(
    "unused-acl",
    Severity.NOTICE,
    """No condition of the section names the ACL: it is left over, or misspelt where it was meant. `--fix` takes the
    line away.""",
    "frontend a\n bind :80\n acl local src 10.0.0.0/8\n",
    "frontend a\n bind :80\n acl local src 10.0.0.0/8\n http-request deny unless local\n",
    check,
)

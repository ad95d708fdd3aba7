"""An ACL that no condition names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from hapy_config.api import Result
    from hapy_config.syntax import Section, Statement

CODE: Final = "unused-acl"


def check(result: Result) -> Iterator[Diagnostic]:
    """A finding for the first line of each ACL that its section never uses."""
    for section in result.document.sections:
        yield from _section(section)


def _section(section: Section) -> Iterator[Diagnostic]:
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
            yield Diagnostic(
                CODE, Severity.NOTICE, statement.span(1), f"no condition in this section uses the ACL '{name}'"
            )

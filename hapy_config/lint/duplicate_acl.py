"""An ACL line that stands twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.syntax import Statement


def check(view: View) -> Iterator[Finding]:
    """A finding for each ACL line that repeats an earlier one of its section."""
    seen: dict[tuple[int, tuple[str, ...]], Statement] = {}
    for section, statement in view.lines("acl"):
        first = seen.setdefault((id(section), tuple(statement.words)), statement)
        if first is not statement:
            yield Finding(
                statement.span(),
                f"the line repeats line {first.line}, word for word",
                "remove it",
                view.removal(statement),
            )


RULE = Rule(
    "duplicate-acl",
    Severity.NOTICE,
    """Lines of one ACL add up, so a line that repeats another one of its section adds nothing; perhaps one of the two
    was to be changed after it was copied. `--fix` takes it away.""",
    "frontend a\n bind :80\n acl x path /x\n acl x path /x\n http-request deny if x\n",
    "frontend a\n bind :80\n acl x path /x\n acl x path /y\n http-request deny if x\n",
    check,
)

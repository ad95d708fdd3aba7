"""A process that stays in root's group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for a `user` without a group."""
    settings = view.config.global_
    statement = view.globals_("user") or view.globals_("uid")
    if statement is None or not (settings.user or settings.uid):
        return
    if settings.group is None and settings.gid is None and settings.user != "root":
        yield Finding(
            statement.span(),
            "the process changes its user and keeps root's group",
            "add 'group', too",
        )


RULE = Rule(
    "user-without-group",
    Severity.NOTICE,
    """`user` changes the user that the process runs as, and only that: its group remains the one it was started with,
    root's mostly, whose files it may then read.""",
    "global\n user nobody\n",
    "global\n user nobody\n group nogroup\n",
    check,
)

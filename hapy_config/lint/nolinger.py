"""Answers that are cut off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each `option nolinger` that concerns clients."""
    for section, statement in view.lines("option", "nolinger"):
        if section.kind in ("frontend", "listen", "defaults"):
            yield Finding(
                statement.span(),
                "connections are reset as soon as the last byte is sent, which may take the end of answers away",
                "take it out; many connections in TIME_WAIT do no harm",
            )


RULE = Rule(
    "nolinger",
    Severity.NOTICE,
    """`option nolinger` resets connections instead of closing them. What is still on its way to the client is lost
    then, so answers end early now and then, over slow lines most of all.""",
    "listen l\n bind :80\n option nolinger\n",
    "listen l\n bind :80\n",
    check,
)

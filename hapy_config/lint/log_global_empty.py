"""Logs to targets that nobody named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each `log global` where the global section has no log line."""
    if view.config.global_.log:
        return
    for section, statement in view.lines("log", "global"):
        if section.kind in ("defaults", "frontend", "backend", "listen"):
            yield Finding(
                statement.span(),
                "'log global' logs nowhere: the global section has no 'log' line",
                "add 'log stdout format raw local0' or 'log /dev/log local0' to the global section",
            )


RULE = Rule(
    "log-global-empty",
    Severity.WARNING,
    """`log global` takes the targets from the global section, which has none: nothing is logged.""",
    "listen l\n bind :80\n log global\n",
    "global\n log /dev/log local0\nlisten l\n bind :80\n log global\n",
    check,
)

"""A use_backend that comes too late."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.logic import always
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.source import Span


def check(view: View) -> Iterator[Finding]:
    """A finding for the first line behind a use_backend that always applies."""
    for proxy in view.frontends:
        end: Span | None = None
        for rule in proxy.use_backends:
            if end is not None:
                yield Finding(
                    rule.span,
                    f"this 'use_backend' never applies: the one on line {end.line} takes all",
                    "move it up, or give the other one a condition",
                )
                break
            # A name that is made of the request may be no backend's: then the next rule is looked at.
            if isinstance(rule.target, str) and always(rule.condition):
                end = rule.span
        else:
            statement = view.statement(proxy, "default_backend") if end is not None else None
            if end is not None and statement is not None and statement.line > proxy.span.line:
                yield Finding(
                    statement.span(),
                    f"'default_backend' never applies: the 'use_backend' on line {end.line} takes all",
                    "give one of the two a condition, or remove it",
                )


RULE = Rule(
    "unreachable-use-backend",
    Severity.WARNING,
    """A `use_backend` without a condition takes all that comes to it: no later `use_backend`, and no
    `default_backend`, ever applies.""",
    "frontend a\n bind :80\n use_backend b\n use_backend c if { path /c }\nbackend b\nbackend c\n",
    "frontend a\n bind :80\n use_backend c if { path /c }\n default_backend b\nbackend b\nbackend c\n",
    check,
)

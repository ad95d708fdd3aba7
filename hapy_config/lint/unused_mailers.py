"""Mailers that nobody sends through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule
from hapy_config.lint.sections import unused

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each mailers section that nothing names."""
    yield from unused(view, "mailers", "'email-alert mailers NAME' in a proxy uses it")


RULE = Rule(
    "unused-mailers",
    Severity.NOTICE,
    """No proxy sends its alerts through the section. `email-alert mailers NAME`, with `from` and `to`, does.""",
    "mailers m\n mailer x 10.0.0.25:25\nlisten l\n bind :80\n",
    "mailers m\n mailer x 10.0.0.25:25\nlisten l\n bind :80\n email-alert mailers m\n"
    " email-alert from a@example.org\n email-alert to b@example.org\n",
    check,
)

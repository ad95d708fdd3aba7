"""A FastCGI application that no backend uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule
from hapy_config.lint.sections import unused

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each fcgi-app that nothing names."""
    yield from unused(view, "fcgi-app", "'use-fcgi-app NAME' in a backend uses it")


RULE = Rule(
    "unused-fcgi-app",
    Severity.NOTICE,
    """No backend uses the application. `use-fcgi-app NAME` does, beside servers with `proto fcgi`.""",
    "fcgi-app a\n docroot /srv\n",
    "fcgi-app a\n docroot /srv\nbackend b\n use-fcgi-app a\n server s 10.0.0.1:9000 proto fcgi\n",
    check,
)

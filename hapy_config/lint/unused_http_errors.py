"""An http-errors section that no proxy uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule
from hapy_config.lint.sections import unused

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each http-errors section that nothing names."""
    yield from unused(view, "http-errors", "'errorfiles NAME' in a proxy uses it")


RULE = Rule(
    "unused-http-errors",
    Severity.NOTICE,
    """No proxy and no rule names the section, so none of its pages is ever sent. `errorfiles NAME` in a proxy or a
    defaults section uses it.""",
    "http-errors e\n errorfile 503 /dev/null\nlisten l\n bind :80\n",
    "http-errors e\n errorfile 503 /dev/null\nlisten l\n bind :80\n errorfiles e\n",
    check,
)

"""A userlist that no rule asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule
from hapy_config.lint.sections import unused

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each userlist that nothing names."""
    yield from unused(view, "userlist", "'http-request auth' with http_auth() asks for its passwords")


RULE = Rule(
    "unused-userlist",
    Severity.NOTICE,
    """No rule names the userlist, so nobody has to log in with it. Either the rule is missing that was to ask, or the
    passwords need not lie here.""",
    "userlist u\n user a password $5$x$y\nlisten l\n bind :80\n",
    "userlist u\n user a password $5$x$y\nlisten l\n bind :80\n http-request auth unless { http_auth(u) }\n",
    check,
)

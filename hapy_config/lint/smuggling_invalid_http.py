"""Invalid HTTP is passed on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


_OPTIONS: Final = (
    "accept-invalid-http-request", "accept-unsafe-violations-in-http-request",
    "accept-invalid-http-response", "accept-unsafe-violations-in-http-response",
)  # fmt: skip


def check(view: View) -> Iterator[Finding]:
    """A finding for each option that lets invalid messages pass."""
    for option in _OPTIONS:
        for _, statement in view.lines("option", option):
            yield Finding(
                statement.span(),
                f"'{option}' passes messages on that servers may cut in other places than this proxy does",
                "mend the program that sends them; 'show errors' on the stats socket shows what is wrong",
            )


RULE = Rule(
    "smuggling-invalid-http",
    Severity.WARNING,
    """The option lets invalid messages through. Where two programs read one message differently, a second request can
    be hidden in the first one (request smuggling), past all rules here. It is meant for the days until a broken
    program is mended.""",
    "listen l\n bind :80\n option accept-invalid-http-request\n",
    "listen l\n bind :80\n",
    check,
)

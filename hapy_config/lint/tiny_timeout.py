"""Timeouts that were meant to be seconds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


_LONG: Final = frozenset({"client", "server", "connect", "http-request", "http-keep-alive", "queue", "tunnel", "check"})
_LEAST: Final = 100


def check(view: View) -> Iterator[Finding]:
    """A finding for each timeout below 100 ms that is written without a unit."""
    for _, statement in view.lines("timeout"):
        words = statement.words
        if len(words) > 2 and words[1] in _LONG and words[2].isdecimal() and 0 < int(words[2]) < _LEAST:
            yield Finding(
                statement.span(2),
                f"'timeout {words[1]} {words[2]}' is {words[2]} milliseconds",
                f"write '{words[2]}s' for seconds, '{words[2]}ms' if it is meant so",
            )


RULE = Rule(
    "tiny-timeout",
    Severity.WARNING,
    """A time without a unit counts in milliseconds. A timeout of a few of them breaks off nearly every connection;
    seconds were meant. Write the unit.""",
    "listen l\n bind :80\n timeout client 30\n",
    "listen l\n bind :80\n timeout client 30s\n",
    check,
)

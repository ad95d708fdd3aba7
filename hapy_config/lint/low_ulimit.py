"""Fewer file descriptors than connections need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for a `ulimit-n` that `maxconn` does not fit into."""
    settings = view.config.global_
    statement = view.globals_("ulimit-n")
    if statement is None or not settings.ulimit_n or not settings.maxconn:
        return
    if settings.ulimit_n < 2 * settings.maxconn:
        yield Finding(
            statement.span(),
            f"{settings.maxconn} connections take twice as many descriptors, and there are to be {settings.ulimit_n}",
            "take the line out: the number is worked out from 'maxconn'",
        )


RULE = Rule(
    "low-ulimit",
    Severity.WARNING,
    """Each connection that is passed on takes two file descriptors, one to the client and one to the server.
    `ulimit-n` allows fewer than `maxconn` needs. Without the line HAProxy works the number out.""",
    "global\n maxconn 10000\n ulimit-n 10000\n",
    "global\n maxconn 10000\n",
    check,
)

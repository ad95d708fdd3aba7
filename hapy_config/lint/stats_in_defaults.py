"""A statistics page in every proxy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each defaults section that turns the page on."""
    users: dict[int, int] = {}
    for parent in view.origins.values():
        users[id(parent)] = users.get(id(parent), 0) + 1
    for words in (("stats", "enable"), ("stats", "uri")):
        for section, statement in view.lines(*words):
            if section.kind == "defaults" and users.get(id(section), 0) > 1:
                yield Finding(
                    statement.span(),
                    "every HTTP proxy that takes from this section has the statistics page, on its public address too",
                    "write it in a frontend or listen section of its own",
                )


RULE = Rule(
    "stats-in-defaults",
    Severity.NOTICE,
    """The statistics page is turned on in a defaults section, so each HTTP proxy that takes from it answers with it,
    those for the public included. It belongs in a section of its own, on a private address.""",
    "defaults\n mode http\n stats enable\nfrontend a\n bind :80\nfrontend b\n bind :81\n",
    "defaults\n mode http\nfrontend a\n bind :80\nfrontend b\n bind 127.0.0.1:81\n stats enable\n",
    check,
)

"""A defaults section that no proxy takes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each defaults section without users."""
    used = {id(section) for section in view.origins.values()}
    for section in view.document.sections:
        if section.kind == "defaults" and id(section) not in used and section.statements:
            yield Finding(
                section.header.span(),
                "no proxy takes from this defaults section",
                "a proxy takes from the last one before it, or from the one that its 'from' names",
            )


RULE = Rule(
    "unused-defaults",
    Severity.NOTICE,
    """A proxy takes its settings from the last defaults section before it, or from the one that `from` names. None
    does from this one, so its timeouts and options hold nowhere: it stands too late in the file, or another one
    follows at once.""",
    "listen l\n bind :80\ndefaults\n timeout client 9s\n",
    "defaults\n timeout client 9s\nlisten l\n bind :80\n",
    check,
    alone=True,
)

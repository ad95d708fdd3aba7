"""A stick table that nothing fills."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.syntax import Section


_FILLING: Final = re.compile(r"track-sc|\bsrc_|\bsc\d?_|in_table|table_")


def check(view: View) -> Iterator[Finding]:
    """A finding for each proxy with a stick table that no rule of any proxy uses."""
    tables = [(section, statement) for section, statement in view.lines("stick-table") if section.name]
    if not tables:
        return
    named = view.mentions(section.name for section, _ in tables)
    users: dict[str, int] = {}
    for proxy in view.frontends:
        targets = {proxy.default_backend, *(rule.target for rule in proxy.use_backends)}
        for target in targets:
            if isinstance(target, str):
                users[target] = users.get(target, 0) + 1
    for section, statement in tables:
        if named[section.name] > 1 + users.get(section.name, 0) or _fills(section):
            continue
        yield Finding(
            statement.span(0),
            f"nothing is stored in the table of '{section.name}'",
            "'stick on' keeps clients at their servers, 'track-sc0' counts",
        )


def _fills(section: Section) -> bool:
    for statement in section.statements:
        words = statement.words
        if words[0] in ("stick", "acl") or any(_FILLING.search(word) for word in words):
            return True
    return False


RULE = Rule(
    "unused-stick-table",
    Severity.NOTICE,
    """No `stick` rule and no tracking rule stores anything in the table, so it holds nobody to a server and counts
    nothing.""",
    "listen l\n bind :80\n stick-table type ip size 1m expire 1h\n server s 10.0.0.1:80\n",
    "listen l\n bind :80\n stick-table type ip size 1m expire 1h\n stick on src\n server s 10.0.0.1:80\n",
    check,
)

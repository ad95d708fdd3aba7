"""Peers that have nothing to tell each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule
from hapy_config.lint.sections import unused

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each peers section without a table of its own that nothing names."""
    with_tables = {id(section) for section, _ in view.lines("table")}
    tables = {section.name for section in view.document.sections if id(section) in with_tables}
    for found in unused(view, "peers", "'stick-table … peers NAME' shares a table with them"):
        if not any(found.message.endswith(f"'{name}'") for name in tables):
            yield found


RULE = Rule(
    "unused-peers",
    Severity.NOTICE,
    """No stick table names the peers section, so the peers connect and have nothing to share: what one of them learns
    is not known to the others, nor after a reload. `peers NAME` on the stick-table line shares it.""",
    "peers p\n peer hapy 10.0.0.1:1024\nlisten l\n bind :80\n stick-table type ip size 1k\n stick on src\n"
    " server s 10.0.0.2:80\n",
    "peers p\n peer hapy 10.0.0.1:1024\nlisten l\n bind :80\n stick-table type ip size 1k peers p\n stick on src\n"
    " server s 10.0.0.2:80\n",
    check,
)

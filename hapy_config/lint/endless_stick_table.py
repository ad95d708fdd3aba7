"""A stick table whose entries never go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each stick table without `expire`."""
    for _, statement in view.lines("stick-table"):
        if "expire" not in statement.words:
            full = (
                "a full table takes no more" if "nopurge" in statement.words else "only a full table lets old ones go"
            )
            yield Finding(statement.span(), f"entries of this table never expire: {full}", "add 'expire', such as 30m")


RULE = Rule(
    "endless-stick-table",
    Severity.NOTICE,
    """Without `expire` an entry stays until the table is full, whoever it was for. Clients stay bound to servers for
    ever, counts of long ago stand beside those of today, and with `nopurge` new clients are no longer counted.""",
    "listen l\n bind :80\n stick-table type ip size 1m\n stick on src\n server s 10.0.0.1:80\n",
    "listen l\n bind :80\n stick-table type ip size 1m expire 30m\n stick on src\n server s 10.0.0.1:80\n",
    check,
)

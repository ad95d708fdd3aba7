"""Passwords that can be read in the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each password that stands in the file as it is, of userlists and of statistics pages."""
    for section, statement in view.lines("user"):
        if section.kind != "userlist" or "insecure-password" not in statement.words[2:-1]:
            continue
        if "$" in statement.raw:  # it comes from the environment
            continue
        index = statement.words.index("insecure-password", 2)
        yield Finding(
            statement.span(index, index + 1),
            f"the password of '{statement.words[1]}' can be read in the file",
            "write 'password' and a hash of it ('mkpasswd -m sha-256'), or take it from the environment",
        )
    for _, statement in view.lines("stats", "auth"):
        if len(statement.words) > 2 and "$" not in statement.raw:
            yield Finding(
                statement.span(2),
                f"the password of '{statement.words[2].partition(':')[0]}' can be read in the file",
                "take it from the environment, or ask a userlist: 'stats http-request auth unless { http_auth(LIST) }'",
            )


RULE = Rule(
    "clear-password",
    Severity.NOTICE,
    """Whoever can read the file, or a copy in version control, knows the password. `password` takes a hash of it, as
    `mkpasswd -m sha-256` makes them; `"${NAME}"` takes it from the environment.""",
    "userlist u\n user a insecure-password kT9hRw2q\nlisten l\n bind :80\n http-request auth unless { http_auth(u) }\n",
    "userlist u\n user a password $5$Kr1mpt$x\nlisten l\n bind :80\n http-request auth unless { http_auth(u) }\n",
    check,
)

"""Passwords that everybody tries first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.syntax import Statement


_KNOWN: Final = frozenset(
    {
        "", "123", "1234", "12345", "123456", "12345678", "admin", "administrator", "change_me", "changeme", "default",
        "guest", "haproxy", "letmein", "pass", "passwd", "password", "qwerty", "root", "secret", "stats", "test",
        "user",
    }
)  # fmt: skip


def check(view: View) -> Iterator[Finding]:
    """A finding for each password that is among the first that anybody would try."""
    for _, statement in view.lines("stats", "auth"):
        if len(statement.words) > 2:
            user, _, password = statement.words[2].partition(":")
            if password.lower() in _KNOWN or password == user:
                yield _finding(statement, 2, user)
    for _, statement in view.lines("user"):
        words = statement.words
        if "insecure-password" in words[2:-1]:
            index = words.index("insecure-password", 2) + 1
            if words[index].lower() in _KNOWN or words[index] == words[1]:
                yield _finding(statement, index, words[1])


def _finding(statement: Statement, index: int, user: str) -> Finding:
    return Finding(
        statement.span(index), f"the password of '{user}' is among the first that anybody tries", "choose another one"
    )


RULE = Rule(
    "default-password",
    Severity.WARNING,
    """The password is one of those that come with examples, or the user's own name. Whoever finds the page gets in
    with the first guesses.""",
    "listen stats\n bind :8404\n stats enable\n stats auth admin:admin\n",
    'listen stats\n bind :8404\n stats enable\n stats auth "admin:${STATS_PASSWORD-kT9hRw2q}"\n',
    check,
)

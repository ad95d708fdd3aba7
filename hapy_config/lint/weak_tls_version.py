"""Versions of TLS that are broken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.syntax import Statement


_WEAK: Final = frozenset({"SSLv3", "TLSv1.0", "TLSv1.1"})
_FORCE: Final = frozenset({"force-sslv3", "force-tlsv10", "force-tlsv11"})


def check(view: View) -> Iterator[Finding]:
    """A finding for each line that lets versions before TLS 1.2 in."""
    lines = ("bind", "server", "default-server", "server-template", "ssl-default-bind-options")
    for word in (*lines, "ssl-default-server-options"):
        for _, statement in view.lines(word):
            words = statement.words
            for index, option in enumerate(words):
                if option in _FORCE:
                    yield _finding(statement, index, index, option)
                elif option in ("ssl-min-ver", "ssl-max-ver") and _WEAK.intersection(words[index + 1 : index + 2]):
                    yield _finding(statement, index, index + 1, words[index + 1])


def _finding(statement: Statement, first: int, last: int, what: str) -> Finding:
    return Finding(
        statement.span(first, last),
        f"'{what}' allows a version of TLS that is broken and out of use",
        "write 'ssl-min-ver TLSv1.2', or leave it out: that is the default",
    )


RULE = Rule(
    "weak-tls-version",
    Severity.WARNING,
    """SSL 3, TLS 1.0 and TLS 1.1 can be attacked and were given up by all browsers in 2020. HAProxy's default is TLS
    1.2 and later; the line lowers it. Old machines that know nothing else should have a bind line of their own.""",
    "frontend f\n bind :443 ssl crt /x.pem ssl-min-ver TLSv1.0\n",
    "frontend f\n bind :443 ssl crt /x.pem ssl-min-ver TLSv1.2\n",
    check,
)

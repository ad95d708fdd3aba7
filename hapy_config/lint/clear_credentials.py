"""Credentials for servers that can be read in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "x-api-key", "x-auth-token"})

_AUTHORIZATION: Final = re.compile(r"\nauthorization: *\S", re.IGNORECASE)
#: How Redis and mail servers are given a password.
_LOGIN: Final = re.compile(r"(?:AUTH|PASS) +\S", re.IGNORECASE)


def check(view: View) -> Iterator[Finding]:
    """A finding for each header with credentials whose value stands in the file."""
    for words in (("http-request", "set-header"), ("http-request", "add-header")):
        for _, statement in view.lines(*words):
            parts = statement.words
            if len(parts) > 3 and parts[2].lower() in _HEADERS and "%[" not in parts[3] and "$" not in statement.raw:
                yield Finding(
                    statement.span(3),
                    f"the credentials in '{parts[2]}' can be read in the file",
                    'take them from the environment, such as "Bearer ${API_TOKEN}"',
                )
    for words in (("http-check", "send"), ("tcp-check", "send"), ("option", "httpchk")):
        for _, statement in view.lines(*words):
            found = _in_check(statement.words)
            if found and "$" not in statement.raw:
                yield Finding(
                    statement.span(found),
                    "the credentials of the health check can be read in the file",
                    'take them from the environment, such as "${CHECK_LOGIN}"',
                )


def _in_check(words: list[str]) -> int:
    """The place of the word with credentials in a line of a health check; 0 without any."""
    for index, word in enumerate(words[2:], 2):
        if words[index - 2] == "hdr" and words[index - 1].lower() in _HEADERS and "%[" not in word:
            return index
        if words[1] == "httpchk" and _AUTHORIZATION.search(word):
            return index
        if words[0] == "tcp-check" and _LOGIN.match(word):
            return index
    return 0


RULE = Rule(
    "clear-credentials",
    Severity.NOTICE,
    """A rule gives servers a token or password that stands in the file. Whoever reads the file, or its copy in version
    control, has it. `"${NAME}"` takes it from the environment.""",
    'listen l\n bind :80\n http-request set-header Authorization "Basic dTpw"\n',
    'listen l\n bind :80\n http-request set-header Authorization "Basic ${API_LOGIN-none}"\n',
    check,
)

"""Ciphers that are broken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.syntax import Statement


_WEAK: Final = re.compile(
    r"(?:^|[-+_])(?:RC4|RC2|DES|3DES|IDEA|SEED|MD5|NULL|EXP|EXPORT|EXPORT40|EXPORT56|aNULL|eNULL|ADH|AECDH|LOW|CBC3)(?:$|[-+_])"
)
_LINES: Final = ("bind", "server", "default-server", "server-template")


def check(view: View) -> Iterator[Finding]:
    """A finding for each list of ciphers that has weak ones."""
    for word in ("ssl-default-bind-ciphers", "ssl-default-server-ciphers"):
        for _, statement in view.lines(word):
            if len(statement.words) > 1:
                yield from _look(statement, 1)
    for word in _LINES:
        for _, statement in view.lines(word):
            if "ciphers" in statement.words[:-1]:
                yield from _look(statement, statement.words.index("ciphers") + 1)


def _look(statement: Statement, index: int) -> Iterator[Finding]:
    parts = re.split(r"[:, ]", statement.words[index])
    banned = {part[1:] for part in parts if part[:1] in ("!", "-")}
    for part in parts:
        if part[:1] in ("!", "-", "@"):
            continue
        weak = _WEAK.search(part.lstrip("+")) if not part.startswith("+") else None
        if weak is not None and not _is_banned(part, banned):
            yield Finding(
                statement.span(index),
                f"the list has '{part}', which is broken",
                "take a list from Mozilla's generator, or leave the line out",
            )
            return


def _is_banned(part: str, banned: set[str]) -> bool:
    if part in banned:
        return True
    names = set(part.split("-"))
    if "CBC3" in names or "DES" in names:
        return bool(banned & {"3DES", "DES"})
    return bool(names & banned)


RULE = Rule(
    "weak-ciphers",
    Severity.WARNING,
    """The list of ciphers has some that can be broken (RC4, DES and 3DES, export ciphers, MD5) or that prove nobody's
    identity (NULL, anonymous ones). Clients that ask for them get them.""",
    "frontend f\n bind :443 ssl crt /x.pem ciphers ECDHE-RSA-AES128-GCM-SHA256:RC4-SHA\n",
    "frontend f\n bind :443 ssl crt /x.pem ciphers ECDHE-RSA-AES128-GCM-SHA256:!RC4\n",
    check,
)

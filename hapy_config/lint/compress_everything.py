"""Compression of what is compressed already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.syntax import Section


def check(view: View) -> Iterator[Finding]:
    """A finding for each `compression algo` without types."""
    for section, statement in view.lines("compression", "algo"):
        typed = False
        one: Section | None = section
        seen: set[int] = set()
        while one is not None and id(one) not in seen and not typed:
            seen.add(id(one))
            typed = any(words.words[:2] == ["compression", "type"] for words in one.statements)
            one = view.origins.get(id(one))
        if not typed and section.kind != "defaults":
            yield Finding(
                statement.span(),
                "answers of all types are compressed, pictures and archives too",
                "add 'compression type text/html text/plain text/css application/javascript application/json'",
            )


RULE = Rule(
    "compress-everything",
    Severity.NOTICE,
    """Without `compression type` answers of every type are compressed. Pictures, films and archives don't get smaller,
    and cost time and processor. Name the types that are text.""",
    "listen l\n bind :80\n compression algo gzip\n",
    "listen l\n bind :80\n compression algo gzip\n compression type text/html text/css application/json\n",
    check,
)

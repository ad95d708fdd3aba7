"""A cache that no rule uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each cache that is not both filled and asked."""
    sections = [section for section in view.document.sections if section.kind == "cache" and section.name]
    if not sections:
        return
    doing: dict[str, set[str]] = {}
    for ruleset in ("http-request", "http-response"):
        for _, statement in view.lines(ruleset):
            if statement.words[1:2] in (["cache-use"], ["cache-store"]) and len(statement.words) > 2:
                doing.setdefault(statement.words[2], set()).add(statement.words[1])
    for section in sections:
        missing = {"cache-use", "cache-store"} - doing.get(section.name, set())
        if missing:
            rules = {"cache-use": "http-request cache-use", "cache-store": "http-response cache-store"}
            names = " and no ".join(f"'{rules[name]} {section.name}'" for name in sorted(missing))
            yield Finding(section.header.span(), f"the cache '{section.name}' has no {names}", "it serves nothing")


RULE = Rule(
    "unused-cache",
    Severity.WARNING,
    """A cache answers nothing unless one rule stores into it (`http-response cache-store`) and another one looks into
    it (`http-request cache-use`). One of them is missing.""",
    "cache c\n total-max-size 4\nlisten l\n bind :80\n http-request cache-use c\n",
    "cache c\n total-max-size 4\nlisten l\n bind :80\n http-request cache-use c\n http-response cache-store c\n",
    check,
)

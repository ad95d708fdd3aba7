"""Words that later versions warn of or refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.keywords import table
from hapy_config.keywords.spec import TARGET, Keyword
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.source import Span


_RULESETS: Final = ("http-request", "http-response", "http-after-response", "tcp-request", "tcp-response")
_LINES: Final = ("bind", "server", "default-server")


def check(view: View) -> Iterator[Finding]:
    """A finding for each statement that a later version of HAProxy no longer likes."""
    for family in ("globals", "proxies", "options"):
        for keyword in _ageing(family):
            words = ("option", keyword.name) if family == "options" else tuple(keyword.name.split())
            for section, statement in view.lines(*words):
                if (section.kind == "global") == (family == "globals"):
                    yield _finding(statement.span(0, len(words) - 1), keyword)
    actions = {keyword.name: keyword for keyword in _ageing("actions")}
    for ruleset in _RULESETS if actions else ():
        for _, statement in view.lines(ruleset):
            for index, word in enumerate(statement.words[1:3], start=1):
                if word in actions:
                    yield _finding(statement.span(index), actions[word])
    sections = {keyword.name: keyword for keyword in _ageing("sections")}
    for section in view.document.sections:
        if section.kind in sections:
            yield _finding(section.header.span(), sections[section.kind])


def _ageing(family: str) -> list[Keyword]:
    """What this version takes in silence and a later one does not."""
    return [
        keyword
        for keyword in table(family)
        if keyword.known_in(TARGET)
        and (keyword.deprecated or keyword.removed)
        and (keyword.deprecated is None or keyword.deprecated > TARGET)
    ]


def _finding(span: Span, keyword: Keyword) -> Finding:
    said = []
    if keyword.deprecated is not None:
        said.append(f"HAProxy {keyword.deprecated[0]}.{keyword.deprecated[1]} warns of '{keyword.name}'")
    if keyword.removed is not None:
        name = "it" if said else f"'{keyword.name}'"
        said.append(f"{'' if said else 'HAProxy '}{keyword.removed[0]}.{keyword.removed[1]} refuses {name}")
    return Finding(span, ", ".join(said), f"the later word is {keyword.instead}" if keyword.instead else "")


RULE = Rule(
    "removed-later",
    Severity.NOTICE,
    """The version that is checked for takes the word, and a later one warns of it or refuses it. The hint says what to
    write there; `hapy migrate` rewrites what it can.""",
    "backend b\n dispatch 10.0.0.1:80\n",
    "backend b\n server s 10.0.0.1:80\n",
    check,
)

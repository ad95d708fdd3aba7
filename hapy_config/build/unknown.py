"""Words that HAProxy 2.6 does not know where they stand: misspelt, from another section, too new, or gone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hapy_config.alike import nearest
from hapy_config.build.refused import Refused, version_note
from hapy_config.keywords import table
from hapy_config.keywords.sections import CONTEXTS
from hapy_config.keywords.spec import TARGET, Context, Table
from hapy_config.syntax import Statement

if TYPE_CHECKING:
    from hapy_config.build.context import Build

#: Families whose statements may have been put into the wrong section.
_STATEMENTS = ("globals", "proxies", "resolvers", "userlist", "peers", "mailers", "cache", "ring", "log-forward")


def unknown_statement(build: Build, family: str, kind: str, statement: Statement) -> Refused:
    """The refusal of a statement whose first words mean nothing in that kind of section."""
    words = statement.words
    word = words[0]
    own = table(family)
    found = own.find(words)
    message = f"unknown keyword '{word}' in '{kind}' section"
    if found is not None:
        keyword = found[0]
        if keyword.since > TARGET:
            return Refused(message, 0, code="newer-keyword", hint=version_note(keyword.since, None))
        if keyword.removed is not None and keyword.removed <= TARGET:
            instead = f"; use {keyword.instead}" if keyword.instead else ""
            return Refused(
                message, 0, code="removed-keyword", hint=f"{version_note(keyword.since, keyword.removed)}{instead}"
            )
        if keyword.needs:
            return Refused(
                message, 0, code="unknown-keyword", hint=f"HAProxy has it where it was built with {keyword.needs}"
            )
        return Refused(message, 0, code="wrong-section", hint=f"it may stand in: {_sections(keyword.where)}")
    second = words[1] if len(words) > 1 else ""
    following = [entry.name.split()[1] for entry in own if entry.name.startswith(f"{word} ")]
    if second and following:
        return Refused(message, 1, code="unknown-keyword", hint=build.nearest(second, following))
    elsewhere = Context(0)
    for name in _STATEMENTS:
        for entry in table(name):
            if entry.name == word or entry.name.startswith(f"{word} "):
                elsewhere |= entry.where
    if elsewhere:
        return Refused(message, 0, code="wrong-section", hint=f"it may stand in: {_sections(elsewhere)}")
    near = _nearest(word, own, CONTEXTS[kind])
    if near is None:
        return Refused(message, 0, code="unknown-keyword")
    return Refused(
        f"{message}; did you mean '{near}' maybe ?",
        0,
        code="unknown-keyword",
        hint=f"did you mean '{near}'?",
        suggestion=near,
    )


def _sections(where: Context) -> str:
    return ", ".join(kind for kind, context in CONTEXTS.items() if where & context) or "no section"


def _nearest(word: str, own: Table, context: Context) -> str | None:
    """The nearest first word of a statement that may stand there."""
    names = {entry.name.partition(" ")[0] for entry in own if entry.where & context and entry.known_in(TARGET)}
    if own is table("proxies"):
        names.add("option")
    return nearest(word, sorted(names)) or None


def unknown_action(build: Build, ruleset: str, word: str, known: Iterable[str], index: int = 1) -> Refused:
    """The refusal of an action that the ruleset does not have."""
    names = [name.replace("*", "(*)") for name in sorted(known)]
    listed = ", ".join(f"'{name}'" for name in names)
    message = f"'{ruleset}' expects {listed}, but got '{word}'."
    if not word:
        return Refused(message, index, code="missing-argument")
    entry = table("actions").get(word.partition("(")[0]) or table("actions").get(word.partition("(")[0] + "*")
    if entry is not None and not entry.known_in(TARGET):
        code = "newer-keyword" if entry.since > TARGET else "removed-keyword"
        return Refused(message, index, code=code, hint=version_note(entry.since, entry.removed))
    near = nearest(word.partition("(")[0], (name.rstrip("(*)") for name in names))
    hint = f"did you mean '{near}'?" if near else ""
    return Refused(message, index, code="unknown-action", hint=hint)

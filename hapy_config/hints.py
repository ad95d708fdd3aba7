"""Hints for findings that came without one: the word that was perhaps meant, of those the message or the file names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hapy_config.alike import nearest
from hapy_config.diagnostics import Diagnostic, Severity
from hapy_config.grammar.checks import SCOPES

if TYPE_CHECKING:
    from hapy_config.syntax import Document

_QUOTED: Final = re.compile(r"'([^'\s]+)'")
_VARIABLE: Final = re.compile(r"invalid variable name '([^'.]+)\.")
#: What the file's author asked to be told.
_DIRECTIVES: Final = frozenset({"alert-directive", "notice-directive", "warning-directive", "diag-directive"})
_TIME: Final = "write a number with us, ms, s, m, h or d behind it; alone it is milliseconds"
#: What to do about findings of which no word tells more.
_USUAL: Final = {
    "bad-address": "write ADDRESS:PORT, as in 192.0.2.1:80 or :80",
    "duplicate-name": "give it a name of its own",
    "ignored-here": "remove the line, or move it where it works",
    "incomplete-peers": "name this process as one of the peers: 'localpeer' in the global section, or -L",
    "late-tracking": "write 'tcp-request session' instead of 'tcp-request content'",
    "missing-fork": "add 'insecure-fork-wanted' to the global section",
    "missing-timeouts": "set the timeouts here, or for all sections in 'defaults'",
    "missing-state-file": "add 'server-state-file' to the global section",
    "needs-http": "write 'mode http' in the section, or remove what needs it",
    "needs-tcp": "ask for what HTTP gives, or write 'mode tcp' in the section",
    "no-bind": "add a 'bind' line",
    "no-inspect-delay": "add 'tcp-request inspect-delay 5s' above it",
    "no-log": "add 'log global' here and a 'log' line to the global section",
    "no-pattern": "add what is to match, or '-m found' to ask whether it is there",
    "outside-section": "write the header of its section above it: global, defaults, frontend, backend or listen",
    "rule-order": "move the line up, to where it runs",
    "tfo-without-retry": "add 'retry-on conn-failure empty-response response-timeout'",
    "unknown-backend": "add a backend of that name, or name one that is there",
    "unknown-defaults": "add a defaults section of that name, or name one that is there",
    "unknown-reference": "add what it names, or name one that is there",
    "unknown-section": "add a section of that name, or name one that is there",
    "unknown-server": "name a server that is there",
    "unknown-table": "name a proxy or peers section that has a stick-table",
    "unmatched-quote": "close the quote, or write a backslash before it",
    "wrong-section": "move the line to a section that takes it",
}
#: The same where a part of the message tells.
_TOLD: Final = (
    ("no such ACL", "declare it in this section, as in 'acl NAME path_beg /x'"),
    ("unexpected extra argument", "remove it"),
    ("cannot handle unexpected argument", "remove it"),
    ("expected ')'", "close the parenthesis"),
    ("inter' argument", _TIME),
    ("invalid port", "a port is a number from 1 to 65535"),
    ("integer value (in milliseconds)", _TIME),
)
_PROXY_KINDS: Final = ("frontend", "backend", "listen")


class Hints:
    """Makes hints for the findings of one document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._lines = {source.name: source.lines for source in document.sources}
        self._names: dict[str, tuple[str, ...]] | None = None

    def hinted(self, found: Diagnostic) -> Diagnostic:
        """The finding, with a hint where one can be given, and placed on the word that the hint is for."""
        hinted = self._hinted(found)
        return self._narrowed(hinted) if hinted.hint.startswith("did you mean") else hinted

    def _narrowed(self, found: Diagnostic) -> Diagnostic:
        """The finding on the one word of its place that the message names."""
        text = self._word(found)
        for word in reversed(_QUOTED.findall(found.message)):
            name = word.partition("(")[0]
            if f"'{name}'" in found.hint or not name:
                continue
            places = list(re.finditer(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", text))
            if len(places) == 1:
                span = found.span
                column = span.column + places[0].start()
                return replace(found, span=replace(span, column=column, end=column + len(name)))
        return found

    def _hinted(self, found: Diagnostic) -> Diagnostic:
        if found.hint or found.severity not in (Severity.ERROR, Severity.WARNING):
            return found
        if found.environment:
            near = _near_file(found.message)
            return replace(found, hint=f"did you mean '{near}'?") if near else found
        near = self._nearest(found)
        if near:
            return replace(found, hint=f"did you mean '{near}'?")
        told = next((hint for part, hint in _TOLD if part in found.message), "")
        if usual := told or _USUAL.get(found.code):
            return replace(found, hint=usual)
        if found.span.line and found.code not in _DIRECTIVES:
            return replace(found, hint=f"hapy check --explain {found.code}")
        return found

    def _nearest(self, found: Diagnostic) -> str:
        word = self._word(found)
        match found.code:
            case "unknown-keyword" | "outside-section":
                from hapy_config.keywords import table
                from hapy_config.keywords.spec import TARGET

                return _near(word, [entry.name for entry in table("sections") if entry.known_in(TARGET)])
            case "bad-track" if "required proxy" in found.message:
                return _near_quoted(found.message, self._names_of("section"))
            case "unknown-server" | "bad-track":
                return _near_quoted(found.message, self._names_of("server"))
            case "unknown-reference" | "unknown-table" | "unknown-backend" | "unknown-section" | "unknown-defaults":
                return _near_quoted(found.message, self._names_of("section"))
            case "bad-format":
                from hapy_config.keywords.log_aliases import ALIASES

                name = found.message.partition("no such format variable '")[2].partition("'")[0]
                return _near(name, ALIASES)
            case "bad-argument" if (scoped := _VARIABLE.search(found.message)) is not None:
                return _near(scoped[1], SCOPES)
            case "bad-argument" | "missing-argument":
                choices = [one for one in _QUOTED.findall(found.message) if one != word]
                return _near(word, choices)
        return ""

    def _word(self, found: Diagnostic) -> str:
        lines = self._lines.get(found.span.file, ())
        if not 1 <= found.span.line <= len(lines):
            return ""
        return lines[found.span.line - 1][found.span.column - 1 : found.span.end - 1]

    def _names_of(self, kind: str) -> tuple[str, ...]:
        if self._names is None:
            sections = tuple(section.name for section in self._document.sections if section.name)
            servers = tuple(
                statement.words[1]
                for section in self._document.sections
                if section.kind in _PROXY_KINDS
                for statement in section.statements
                if statement.words[0] == "server" and len(statement.words) > 1
            )
            self._names = {"section": tuple(dict.fromkeys(sections)), "server": tuple(dict.fromkeys(servers))}
        return self._names[kind]


def _near_file(message: str) -> str:
    """The file beside the one that a message says is missing which is most like it."""
    for word in _QUOTED.findall(message):
        path = Path(word)
        try:
            if (
                path.parent.is_dir()
                and not path.exists()
                and (near := _near(path.name, [one.name for one in path.parent.iterdir()]))
            ):
                return str(path.with_name(near))
        except (OSError, ValueError):  # a name that can't be one
            continue
    return ""


def _near(word: str, known: Iterable[str]) -> str:
    return nearest(word, known)


def _near_quoted(message: str, known: Iterable[str]) -> str:
    """What is most like the first quoted word of a message that nothing is called by."""
    names = tuple(known)
    for word in _QUOTED.findall(message):
        name = word.rpartition("/")[2]
        if name not in names:
            near = _near(name, names)
            if near:
                return near
    return ""

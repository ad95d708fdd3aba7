"""Files of patterns and maps (`-f`, `map(file)`): HAProxy reads them at start and refuses what does not fit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from hapy_config.grammar.errors import GrammarError
from hapy_config.grammar.patterns import check

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.model.expressions import Call

#: Ways of matching that take any text.
_ANY_TEXT: Final = frozenset({"found", "bool", "str", "beg", "sub", "dir", "dom", "end"})
_MATCHES: Final = {"regm": "reg", "": "str"}


def entries(content: bytes) -> list[tuple[int, str]]:
    """The lines that count, with their numbers: no comments, no blank ones; blanks at an end are part of a pattern."""
    found: list[tuple[int, str]] = []
    for number, line in enumerate(content.decode("utf-8", "surrogateescape").split("\n"), 1):
        text = line.rstrip("\r").lstrip(" \t")
        if text and not line.startswith("#"):
            found.append((number, text))
    return found


def pattern_file_fault(build: Build, name: str, match: str, *, ignore_case: bool = False, as_map: bool = False) -> str:
    """Why a file of patterns can't be used, or an empty string."""
    key = (name, match, ignore_case, as_map)
    known = build.pattern_files.get(key)
    if known is None:
        known = build.pattern_files[key] = _fault(build, name, match, ignore_case=ignore_case, as_map=as_map)
    return known or _other_columns(build, name, as_map=as_map)


def _other_columns(build: Build, name: str, *, as_map: bool) -> str:
    """What is said of a file that is read as a map here and as a list of patterns elsewhere, or the other way round."""
    if build.pattern_columns.setdefault(name, as_map) == as_map:
        return ""
    this, that = ("two", "one") if as_map else ("one", "two")
    return f'The file "{name}" is already used as {that} column file and cannot be used by as {this} column file.'


def _fault(build: Build, name: str, match: str, *, ignore_case: bool, as_map: bool) -> str:
    path = build.files.path(name)
    if not name or not os.access(path, os.R_OK):
        return f"failed to open pattern file <{name}>"
    try:
        content = build.files.read(name)
    except OSError as error:
        return f"error encountered while reading  <{name}> : {error.strerror}"
    if match in _ANY_TEXT:
        return ""
    for number, text in entries(content):
        pattern = text.split()[0] if as_map else text
        try:
            check(match, [pattern], ignore_case=ignore_case, resolve=build.resolve)
        except GrammarError as error:
            if "supported" not in error.message or "operator" in error.message:
                return f"{error.message} at line {number} of file '{name}'"
    return ""


def map_fault(build: Build, call: Call) -> str:
    """Why the file that a `map…` converter names can't be used, or an empty string."""
    name = call.args[0] if call.args else ""
    build.acl_ids.add(-1)  # maps count among the tests to which no id is given
    if call.name.endswith("_ip") and call.name != "map_ip" and len(call.args) > 1 and not _fits(call.args[1], "ip"):
        return f"map: cannot parse default ip <{call.args[1]}>."
    key = (name, call.name, False, True)
    known = build.pattern_files.get(key)
    if known is None:
        known = build.pattern_files[key] = _map_fault(build, call.name, name)
    return known or _other_columns(build, name, as_map=True)


def _map_fault(build: Build, converter: str, name: str) -> str:
    parts = converter.split("_")[1:]
    match = parts[0] if parts else ""
    match = _MATCHES.get(match, match)
    value = parts[1] if len(parts) > 1 else ""
    fault = pattern_file_fault(build, name, match, as_map=True)
    if fault or not value:
        return fault
    for number, text in entries(build.files.read(name)):
        words = text.rstrip(" \t").split(None, 1)
        given = words[1] if len(words) > 1 else ""
        if not _fits(given, value):
            return f"unable to parse '{given}' at line {number} of file '{name}'"
    return ""


def _fits(text: str, kind: str) -> bool:
    if kind == "int":
        return text.lstrip("-").isdecimal()
    if kind == "ip":
        try:
            check("ip", [text], numeric_only=True)
        except GrammarError:
            return False
    return True

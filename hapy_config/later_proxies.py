"""What HAProxy versions behind 2.6 say of lines in proxies that the tables know by their first words only.

As `later`, of which it is a part: verdicts are those that 2.8, 3.0 and 3.2 gave when they were tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from hapy_config.build.arguments import milliseconds, size
from hapy_config.diagnostics import Diagnostic, Severity
from hapy_config.keywords.spec import Version
from hapy_config.syntax import Section, Statement

_BANDWIDTH_SINCE: Final[Version] = (2, 7)
_RETRIES_SINCE: Final[Version] = (3, 2)
_LOG_BACKENDS_SINCE: Final[Version] = (3, 0)
_KINDS: Final = {"frontend": "frontend", "backend": "backend", "listen": "proxy"}
_LIMITS: Final = ("bwlim-in", "bwlim-out")
_COUNTING: Final = re.compile(r"(?<=,)(table_(?:inc|clr)_gpc[01]?)(?![\w])(?:\(([^)]*)\))?")
_SIZES: Final = ("limit", "default-limit", "min-size")
_SHARED: Final = frozenset({"limit", "key", "table"})
_OF_STREAMS: Final = frozenset({"default-limit", "default-period"})


def findings(sections: Sequence[Section], version: Version) -> Iterator[Diagnostic]:
    """All that the version says of such lines."""
    if version < _BANDWIDTH_SINCE:
        return
    tables = {
        section.name: statement
        for section in sections
        for statement in section.statements
        if statement.words[0] == "stick-table"
    }
    base = next(
        (
            one.words[1]
            for section in sections
            for one in section.statements
            if one.words[0] == "crt-base" and one.words[1:]
        ),
        "",
    )
    for section in sections:
        if section.kind not in _KINDS:
            continue
        yield from _bandwidth(section, tables)
        if version >= _LOG_BACKENDS_SINCE and ["mode", "log"] not in [one.words for one in section.statements]:
            yield from _log_algorithms(section)
        if version >= _RETRIES_SINCE:
            yield from _counters(section, tables)
            yield from _certificates(section.statements, base)
            if section.kind == "frontend":
                yield from _retries(section.statements)


def stand_in(words: Sequence[str], version: Version) -> list[str] | None:
    """A line that 2.6 reads in the place of one that it does not, or None."""
    if version < _LOG_BACKENDS_SINCE or len(words) < 2:
        return None
    if words[0] == "log" and words[1].startswith("backend@"):
        return [words[0], "127.0.0.1:514", *words[2:]]  # whether there is such a backend -c does not say
    if words[0] == "balance" and (words[1] == "sticky" or (words[1] == "log-hash" and len(words) > 2)):
        return ["balance", "roundrobin"]
    return None


def _log_algorithms(section: Section) -> Iterator[Diagnostic]:
    """What only backends of mode log can use."""
    for statement in section.statements:
        if statement.words[:2] == ["balance", "log-hash"] and len(statement.words) > 2:
            message = (
                f"Unusable balance algorithm for {_KINDS[section.kind]} '{section.name}' (needs 'mode log'). Falling"
                " back to round robin."
            )
            yield Diagnostic("ignored-argument", Severity.WARNING, statement.span(), message, "use 'balance hash'")


def _bandwidth(section: Section, tables: Mapping[str, Statement]) -> Iterator[Diagnostic]:
    """Filters that limit bandwidth, and the rules that name them."""
    names: set[str] = set()
    for statement in section.statements:
        words = statement.words
        if words[0] != "filter" or words[1:2] not in (["bwlim-in"], ["bwlim-out"]):
            continue
        name = words[2] if len(words) > 2 else ""
        if fault := _options(words) or (
            f"bwlim filter '{name}' already declared for proxy '{section.name}'." * (name in names)
        ):
            yield Diagnostic("bad-argument", Severity.ERROR, statement.span(), f"'filter' : {fault}")
        elif fault := _table(section, words, tables):
            yield Diagnostic("unknown-table", Severity.ERROR, statement.span(), f"Proxy {section.name} : {fault}")
        names.add(name)
    if names:
        return  # with another one there HAProxy does not look
    for statement in section.statements:
        words = statement.words
        if "set-bandwidth-limit" in words[1:3] and words[0] in (
            "http-request",
            "http-response",
            "tcp-request",
            "tcp-response",
        ):
            place = words.index("set-bandwidth-limit")
            name = words[place + 1] if len(words) > place + 1 else ""
            message = (
                f"Proxy '{section.name}': unable to find bwlim filter '{name}' referenced by set-bandwidth-limit rule."
            )
            hint = f"declare it in this section: filter bwlim-in {name or 'NAME'} …, or bwlim-out"
            yield Diagnostic("unknown-filter", Severity.ERROR, statement.span(), message, hint)


def _options(words: Sequence[str]) -> str:
    """What is wrong with the words of such a filter, or nothing."""
    kind = words[1]
    if len(words) < 3:
        return f"'{kind}' : a name is expected as first argument"
    given: set[str] = set()
    for index in range(3, len(words), 2):
        option = words[index]
        if option not in (*_SIZES, "default-period", "key", "table"):
            return f"unknown keyword '{option}'."
        if index + 1 == len(words):
            return f"'{kind}' : the value is missing for '{option}' option"
        value = words[index + 1]
        try:
            if option in _SIZES:
                size(value)
            elif option == "default-period":
                milliseconds(value)
        except ValueError as error:
            return f"'{kind}' : invalid value for option '{option}' ({error})"
        given.add(option)
    if given & _SHARED and given & _OF_STREAMS:
        return f"'{kind}' : cannot mix per-stream and shared parameter"
    needed = ("key", "limit") if given & _SHARED else ("default-period", "default-limit")
    missing = next((one for one in needed if one not in given), "")
    return f"'{kind}' : <{missing}> option is missing" if missing else ""


def _table(section: Section, words: Sequence[str], tables: Mapping[str, Statement]) -> str:
    """What is wrong with the table that a filter counts in, or nothing."""
    if "key" not in words[3::2]:
        return ""
    name = words[words.index("table", 3) + 1] if "table" in words[3::2] else section.name
    if name not in tables:
        return f"unable to find table '{name}' referenced by bwlim filter '{words[2]}'"
    stored = "bytes_in_rate" if words[1] == "bwlim-in" else "bytes_out_rate"
    if not any(stored in word for word in tables[name].words):
        return (
            f"stick-table '{name}' uses a data type incompatible with bwlim filter '{words[2]}'. It must be '{stored}'"
        )
    return ""


def _counters(section: Section, tables: Mapping[str, Statement]) -> Iterator[Diagnostic]:
    """Converters that count in a table: the section's own where they name none."""
    for statement in section.statements:
        for index, word in enumerate(statement.words):
            for call in _COUNTING.finditer(word):
                name = (call[2] or "").rpartition(",")[2] or section.name
                if name not in tables:
                    message = f"unable to find table '{name}' referenced in arg 1 of conversion keyword '{call[1]}'."
                    hint = "write a stick-table here, or name the section that has one"
                    yield Diagnostic("unknown-table", Severity.ERROR, statement.span(index), message, hint)


def _retries(statements: Iterable[Statement]) -> Iterator[Diagnostic]:
    """How often a connection is tried again is a backend's matter."""
    for statement in statements:
        if statement.words[:2] == ["http-request", "set-retries"] or statement.words[:3] == [
            "tcp-request",
            "content",
            "set-retries",
        ]:
            message = "'set-retries' only available in backend or listen section."
            yield Diagnostic("wrong-section", Severity.ERROR, statement.span(), message, "move it to the backend")


def _certificates(statements: Iterable[Statement], base: str) -> Iterator[Diagnostic]:
    """`ssl-f-use`: it needs a certificate, and that a file."""
    for statement in statements:
        words = statement.words
        if words[0] != "ssl-f-use":
            continue
        if "crt" not in words[1:-1]:
            message = "Trying to load a certificate but no 'crt' keyword specified."
            yield Diagnostic("missing-argument", Severity.ERROR, statement.span(), message, "write crt FILE")
            continue
        place = words.index("crt", 1) + 1
        if "@" not in words[place] and not Path(base, words[place]).exists():
            message = f"unable to stat SSL certificate from file '{words[place]}' : No such file or directory."
            yield Diagnostic("missing-file", Severity.ERROR, statement.span(place), message, environment=True)

"""hapy's structured comments: `# hapy: pool-min-conn 4` on the line concerned, or on the line above.

That line is a server's, a default-server's, or the header of a section with servers, whose servers all take it.

They are checked as strictly as keywords: an unknown name or a bad value is an error. `# hapy: ignore CODE` is no
setting: it is for whoever shows findings (`hapy_config.suppress`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from hapy_config.model.server import HapyPool
from hapy_config.source import Source, Span

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.syntax import Statement

_COMMENT: Final = re.compile(r"#[ \t]*hapy:(.*)")
_WORD: Final = re.compile(r"\S+")
_NAMES: Final = ("pool-min-conn",)


def find_comments(source: Source, *, ignores: bool = False) -> dict[int, re.Match[str]]:
    """The structured comments of a file by line number: settings, or those that speak of findings (`ignore CODE`)."""
    if "hapy:" not in source.text:
        return {}
    found: dict[int, re.Match[str]] = {}
    for number, line in enumerate(source.lines, 1):
        if "hapy:" in line:
            match = _COMMENT.search(line, _comment_start(line))
            if match is not None and ignores == (match[1].split()[:1] == ["ignore"]):
                found[number] = match
    return found


def _comment_start(line: str) -> int:
    """Where the comment of a line begins: its first `#` outside of quotes and escapes."""
    quote = ""
    index = 0
    while index < len(line):
        character = line[index]
        if quote:
            if character == "\\" and quote == '"':
                index += 1
            elif character == quote:
                quote = ""
        elif character in "'\"":
            quote = character
        elif character == "\\":
            index += 1
        elif character == "#":
            return index
        index += 1
    return len(line)


def pool_settings(build: Build, statement: Statement) -> HapyPool | None:
    """The settings that a comment gives to the statement; None where there is none."""
    comments = build.comments
    if not comments:
        return None
    own = comments.get(statement.source.name)
    if not own:
        return None
    line = statement.line
    match = own.get(line)
    if match is None:
        line -= 1
        match = own.get(line)
        if match is None or statement.source.lines[line - 1].split("#")[0].strip():
            return None
    build.used_comments.add((statement.source.name, line))
    return _parse(build, match, Span(statement.source.name, line))


def _parse(build: Build, match: re.Match[str], where: Span) -> HapyPool | None:
    words = [(word[0], word.start() + match.start(1)) for word in _WORD.finditer(match[1])]
    if not words:
        build.error("bad-comment", _span(where, "hapy:", match.start()), "a '# hapy:' comment without a setting")
        return None
    values: dict[str, int | None] = {}
    index = 0
    while index < len(words):
        name, column = words[index]
        reader = _READERS.get(name)
        if reader is None:
            build.error(
                "unknown-comment",
                _span(where, name, column),
                f"unknown setting '{name}' in a '# hapy:' comment",
                build.nearest(name, _NAMES) or f"known: {', '.join(_NAMES)}",
            )
            return None
        if index + 1 >= len(words):
            build.error("missing-argument", _span(where, name, column), f"'{name}' expects a value")
            return None
        text, column = words[index + 1]
        value, fault = reader(text)
        if fault:
            build.error("bad-argument", _span(where, text, column), f"'{name}' {fault} (got '{text}')")
            return None
        values[name] = value
        index += 2
    return HapyPool(min_conn=values.get("pool-min-conn"))


def _span(where: Span, text: str, column: int) -> Span:
    return Span(where.file, where.line, column + 1, column + 1 + len(text))


def _min_conn(text: str) -> tuple[int | None, str]:
    if text == "auto":
        return None, ""
    if not (text.isascii() and text.isdecimal()) or int(text) > 1_000_000:
        return None, "expects a number of connections, or 'auto'"
    return int(text), ""


_READERS: Final[dict[str, Callable[[str], tuple[int | None, str]]]] = {"pool-min-conn": _min_conn}


def report_unused(build: Build) -> None:
    """A structured comment that belongs to no line it could speak of is an error, as a misplaced keyword is."""
    for name, own in build.comments.items():
        for line, match in own.items():
            if (name, line) not in build.used_comments:
                build.error(
                    "misplaced-comment",
                    Span(name, line, match.start() + 1, match.end() + 1),
                    "a '# hapy:' comment that belongs to no server, default-server, backend or listen line",
                    "put it on that line, or on the line above",
                )

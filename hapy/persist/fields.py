"""Cookies in header fields as HAProxy sees them: finding them by name, replacing their values, taking them out.

A `Cookie` field holds cookies parted by `;` or `,`; double quotes protect both. A name may hold blanks; one with a `$`
is an attribute of the cookie before it. Everything that is not asked for stays byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

#: Names end at these delimiters, in a field of several cookies and in one that sets one.
_NAME, _SET_NAME = (
    re.compile(rb"(?:[^=DD \t]|[ \t]+(?=[^=DD \t]))*".replace(b"DD", delimiters)) for delimiters in (b";,", b";")
)
_VALUE: Final = re.compile(rb'(?:"(?:[^"\\]|\\.)*(?:"|\\?$)|[^";,])*', re.DOTALL)
_BLANKS: Final = b" \t"


@dataclass(slots=True)
class Part:
    """One cookie of a field.

    Attributes:
        start: where it begins, behind the delimiter before it. end: where its own delimiter stands, or the field's end.
        name: its name. value: its value without blanks around it, None where there is no `=`.
        value_start, value_end: where the value stands.
        name_end: where its name ends.
    """

    start: int
    end: int
    name: bytes
    name_end: int
    value: bytes | None
    value_start: int
    value_end: int


def parts(line: bytes, names: re.Pattern[bytes] = _NAME) -> Iterator[Part]:
    """The cookies of a field, in order."""
    position, length = 0, len(line)
    while position < length:
        start = position
        while position < length and line[position] in _BLANKS:
            position += 1
        match = names.match(line, position)
        assert match is not None
        name_end = position = match.end()
        while position < length and line[position] in _BLANKS:
            position += 1
        value = None
        value_start = value_end = name_end
        if position < length and line[position] == 0x3D:
            position += 1
            while position < length and line[position] in _BLANKS:
                position += 1
            value_start = position
            value_end = position = _value_end(line, position)
            while value_end > value_start and line[value_end - 1] in _BLANKS:
                value_end -= 1
            value = line[value_start:value_end]
        else:
            position = _value_end(line, position)
        yield Part(start, position, match[0], name_end, value, value_start, value_end)
        position += 1


def _value_end(line: bytes, position: int) -> int:
    match = _VALUE.match(line, position)
    assert match is not None
    return match.end()


def without(line: bytes, unwanted: list[Part]) -> bytes:
    """A field without some of its cookies, in order; those that follow one another go together.

    They go with the blanks and the delimiter before them; their own delimiter stays, with one blank behind it. At the
    field's beginning their own delimiter goes as well; at its end blanks before them stay.
    """
    moved = 0
    for start, end in _stretches(unwanted):
        size = len(line)
        begin, stop = start + moved, end + moved
        rest = line[stop + 1 :].lstrip(_BLANKS)
        if stop == size:
            line = line[: max(begin - 1, 0)]
        elif begin <= 1:
            line = rest
        else:
            line = line[: begin - 1].rstrip(_BLANKS) + line[stop : stop + 1] + b" " + rest
        moved += len(line) - size
    return line


def _stretches(unwanted: list[Part]) -> Iterator[tuple[int, int]]:
    start = end = -1
    for part in unwanted:
        if part.start != end + 1 or start < 0:
            if start >= 0:
                yield start, end
            start = part.start
        end = part.end
    if start >= 0:
        yield start, end


def tightened(line: bytes, changes: list[tuple[int, int]], moved: list[Part]) -> bytes:
    """A field in which each range between a name and its value is a bare `=`.

    Args:
        line: the field.
        changes: where each range begins and ends, in order.
        moved: cookies of the field whose places follow.
    """
    for start, end in reversed(changes):
        line = line[:start] + b"=" + line[end:]
        for part in moved:
            if part.start >= end:
                part.start -= end - start - 1
                part.end -= end - start - 1
    return line


def first_with(line: bytes, beginning: bytes) -> tuple[bytes, bytes | None]:
    """A `Cookie` field without blanks around its `=`, and its first `name=value` of that beginning, or None."""
    return _first(line, (part for part in parts(line) if not part.name.startswith(b"$")), beginning)


def _first(line: bytes, cookies: Iterable[Part], beginning: bytes) -> tuple[bytes, bytes | None]:
    """The line without blanks around the `=` of these parts of it, and the first `name=value` of that beginning."""
    found: bytes | None = None
    changes: list[tuple[int, int]] = []
    for part in cookies:
        if part.value is None:
            continue
        if part.value_start > part.name_end + 1:
            changes.append((part.name_end, part.value_start))
        pair = part.name + b"=" + part.value
        if found is None and pair.startswith(beginning):
            found = pair
    return (tightened(line, changes, []) if changes else line), found


def settings(key: bytes, line: bytes) -> list[Part]:
    """The cookies that a `Set-Cookie` field sets: one, or in a `Set-Cookie2` several, parted by commas."""
    if key == b"set-cookie":
        return list(islice(parts(line, _SET_NAME), 1))
    found: list[Part] = []
    begins = True
    for part in parts(line):
        if begins:
            found.append(part)
        begins = line[part.end : part.end + 1] == b","
    return found


def first_set(key: bytes, line: bytes, beginning: bytes) -> tuple[bytes, bytes | None]:
    """A field that sets cookies without blanks around their `=`, and the first `name=value` of that beginning."""
    return _first(line, settings(key, line), beginning)

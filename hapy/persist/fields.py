"""Cookies in header fields as HAProxy sees them: finding them by name, replacing their values, taking them out.

A `Cookie` field holds cookies parted by `;` or `,`; double quotes protect both. A name with a `$` is an attribute of
the cookie before it. Everything that is not asked for stays byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_NAME: Final = re.compile(rb"[^=;, \t]*")
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


def parts(line: bytes) -> Iterator[Part]:
    """The cookies of a field, in order."""
    position, length = 0, len(line)
    while position < length:
        start = position
        while position < length and line[position] in _BLANKS:
            position += 1
        match = _NAME.match(line, position)
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
            position = _value_end(line, position)
            value_end = position
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

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
    """A field without some of its cookies, in order: each goes with the blanks and the delimiter before it.

    Its own delimiter stays, with one blank behind it.
    """
    moved, behind, place = 0, -1, 0
    for part in unwanted:
        start = place if part.start == behind else part.start + moved
        end = part.end + moved
        rest = line[end + 1 :].lstrip(_BLANKS)
        if start == 0:
            head = b""
        else:
            head = line[: start - 1].rstrip(_BLANKS) + line[end : end + 1]
            rest = rest and b" " + rest
        behind, place = part.end + 1, len(head)
        moved += len(head) + len(rest) - len(line)
        line = head + rest
    return line


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

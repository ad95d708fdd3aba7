r"""One value of a JSON text found by its path, without building the rest.

As lenient as HAProxy: what stands behind the value is not looked at, of equal names the first counts, numbers come out
with six significant digits, and a string with an escape beyond `\u00ff` has no value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from hapy.samples.environment import CompileError
from hapy.samples.types import Result
from hapy_config.words import to_bytes

_STEP: Final = re.compile(r"\.((?:\\.|[^.\[\\])*)|\[([^\]]*)(\]?)")
_INDEX: Final = re.compile(r"\+?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?")
_BLANK: Final = re.compile(rb"[ \t\r\n]*")
_STRING: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_NUMBER: Final = re.compile(rb"-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")
_SCALAR: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|true|false|null', re.DOTALL)
_NESTING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
_ESCAPE: Final = re.compile(rb"\\(?:u00([0-9a-fA-F]{2})|(.))", re.DOTALL)
_ESCAPED: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b'"': b'"', b"\\": b"\\"}
_INTEGER: Final = re.compile(rb"-?\d+")

#: More elements than any text has.
_MOST: Final = 2**31

#: The largest integer that a JSON number holds exactly.
INTEGER_LIMIT: Final = 2**53 - 1


def parse_path(path: str) -> tuple[bytes | int, ...] | None:
    r"""The steps of `$.name.other[0]`; `\.` is a dot in a name, which may have a `]`, too.

    None for a text that is no such path: nothing is found by it.
    """
    if not path.startswith("$"):
        return None
    steps: list[bytes | int] = []
    position = 1
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            return None
        name, index = match[1], match[2]
        if name is not None:
            steps.append(to_bytes(re.sub(r"\\(.)", r"\1", name)))
        elif (place := _place(index, closed=bool(match[3]))) is not None:
            steps.append(place)
        else:
            return None
        position = match.end()
    return tuple(steps)


def _place(index: str, *, closed: bool) -> int | None:
    """The number of an element, None for what finds none.

    The first one is any single character but 1 to 9, or nothing, and may lack its `]`; others are what a decimal number
    at the beginning is, cut to an integer.
    """
    number = _INDEX.match(index)
    place = int(min(float(number[0]), _MOST)) if number else 0
    if place == 0:
        return 0 if len(index) <= 1 else None
    return place if closed else None


def _blank(text: bytes, position: int) -> int:
    match = _BLANK.match(text, position)
    return match.end() if match else position


def _skip(text: bytes, position: int) -> int:
    """Where the value at a position ends, -1 when it doesn't."""
    if text[position : position + 1] not in (b"{", b"["):
        match = _SCALAR.match(text, position)
        return match.end() if match else -1
    depth = 0
    for match in _NESTING.finditer(text, position):
        if match[0] in (b"{", b"["):
            depth += 1
        elif match[0] in (b"}", b"]"):
            depth -= 1
            if depth == 0:
                return match.end()
    return -1


def _member(text: bytes, position: int, name: bytes) -> int:
    """Where the value of that name begins in the object at a position, -1 when there is none."""
    if text[position : position + 1] != b"{":
        return -1
    position = _blank(text, position + 1)
    while match := _STRING.match(text, position):
        position = _blank(text, match.end())
        if text[position : position + 1] != b":":
            return -1
        position = _blank(text, position + 1)
        if match[1] == name:
            return position
        position = _next(text, position)
        if position < 0:
            return -1
    return -1


def _element(text: bytes, position: int, index: int) -> int:
    """Where that element begins in the array at a position, -1 when there is none."""
    if text[position : position + 1] != b"[":
        return -1
    position = _blank(text, position + 1)
    for _ in range(index):
        position = _next(text, position)
        if position < 0:
            return -1
    return position


def _next(text: bytes, position: int) -> int:
    """The value after the one at a position, -1 when that is the last."""
    position = _skip(text, position)
    if position < 0:
        return -1
    position = _blank(text, position)
    return _blank(text, position + 1) if text[position : position + 1] == b"," else -1


def query(path: str, output: str) -> Callable[[bytes], Result]:
    """The callable that finds the path's value in a JSON text; None where there is none.

    Args:
        path: as `parse_path` takes it.
        output: empty, or `int` to have an integer of a number.

    Raises:
        CompileError: for an unknown output type.
    """
    if output not in ("", "int"):
        raise CompileError(f"json_query: output type {output!r} is not 'int'")
    steps = parse_path(path)
    if steps is None:
        return lambda text: None
    as_integer = output == "int"

    def find(text: bytes) -> Result:
        position = _blank(text, 0)
        for step in steps:
            position = _element(text, position, step) if isinstance(step, int) else _member(text, position, step)
            if position < 0:
                return None
        return _value(text, position, as_integer=as_integer)

    return find


def _value(text: bytes, position: int, *, as_integer: bool) -> Result:
    match = _STRING.match(text, position)
    if match is not None:
        return _unescape(match[1])
    match = _NUMBER.match(text, position)
    if match is not None:
        return _integer(match[0]) if as_integer else b"%g" % float(match[0])
    if text.startswith(b"true", position):
        return True
    return False if text.startswith(b"false", position) else None


def _integer(number: bytes) -> int | None:
    """The digits that a number begins with, None beyond what JSON holds exactly."""
    match = _INTEGER.match(number)
    value = int(match[0]) if match else 0
    return value if abs(value) <= INTEGER_LIMIT else None


def _unescape(text: bytes) -> bytes | None:
    """A string's bytes, None for an escape that is not known."""
    if b"\\" not in text:
        return text
    parts: list[bytes] = []
    position = 0
    for match in _ESCAPE.finditer(text):
        plain = bytes.fromhex(match[1].decode()) if match[1] is not None else _ESCAPED.get(match[2])
        if plain is None:
            return None
        parts += (text[position : match.start()], plain)
        position = match.end()
    parts.append(text[position:])
    return b"".join(parts)

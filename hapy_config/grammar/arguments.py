r"""What stands in parentheses after a fetch or converter: cutting, quoting and types (manual, sections 2.2 and 7.3).

Inside the parentheses quotes and backslashes work once more, on what the line's own quoting left over. `\#`, `\$` and
`\xNN` are no escapes at this level.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from hapy_config.grammar.errors import GrammarError

_SIMPLE: Final = re.compile(r"""\(([^"'\\(),]*)\)""")
_PART: Final = re.compile(
    r"""(?P<end>[,)])|'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)\""""
    r"""|\\(?P<escape>[\\"'nrt ])|(?P<text>[^,)'"\\]+|\\)""",
    re.DOTALL,
)
_DOUBLE_ESCAPE: Final = re.compile(r"""\\([\\"'nrt ])""")
_CONTROL: Final = {"n": "\n", "r": "\r", "t": "\t"}
_INTEGER: Final = re.compile(r"[+-]?[0-9]+\Z")
_MASK_LENGTH: Final = re.compile(r"\s*\+?[0-9]+\Z")
_FIELD_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]+)*\Z")
_DELAY: Final = re.compile(r"[0-9]+(us|ms|s|m|h|d)?\Z")
_SIGNED_64: Final = (-(2**63), 2**63 - 1)


def integer(text: str) -> int:
    """A sample's integer: 64 bits, signed; what lies outside becomes the nearest bound.

    Raises:
        ValueError: when it isn't one.
    """
    if _INTEGER.match(text) is None:
        raise ValueError(text)
    return min(max(int(text), _SIGNED_64[0]), _SIGNED_64[1])


def cut(text: str, position: int) -> tuple[tuple[str, ...], int, tuple[int, ...]]:
    """Cut the argument list whose `(` stands at `position`.

    Returns:
        The arguments with quotes and escapes resolved, the position after the `)` (0 when the list does not end), and
        where each argument begins.
    """
    simple = _SIMPLE.match(text, position)
    if simple is not None:
        return (simple[1],), simple.end(), (simple.start(1),)
    position += 1
    values: list[str] = []
    starts: list[int] = [position]
    parts: list[str] = []
    while True:
        match = _PART.match(text, position)
        if match is None:
            values.append("".join(parts))
            return tuple(values), 0, tuple(starts)
        position = match.end()
        kind = match.lastgroup
        if kind == "end":
            values.append("".join(parts))
            if match["end"] == ")":
                return tuple(values), position, tuple(starts)
            parts = []
            starts.append(position)
        elif kind == "double":
            parts.append(_DOUBLE_ESCAPE.sub(lambda found: _CONTROL.get(found[1], found[1]), match["double"]))
        elif kind == "escape":
            parts.append(_CONTROL.get(match["escape"], match["escape"]))
        else:
            parts.append(match[kind or 0])


def check(
    values: tuple[str, ...],
    types: tuple[str, ...],
    required: int,
    starts: tuple[int, ...],
    text: str,
    end: int,
) -> None:
    """Check arguments against their types and number.

    Args:
        values: the arguments; none at all is the same as one empty one.
        types: the parameter types.
        required: how many must be given.
        starts: where each argument begins in `text`.
        text: the whole expression, for messages.
        end: the position after the list's `)`, or after the name when there is no list.

    Raises:
        GrammarError: in HAProxy's words. `GrammarError.word` holds the 1-based number of the argument.
    """
    values = values or ("",)
    for number, (kind, value) in enumerate(zip(types, values, strict=False), 1):
        place = starts[number - 1] if starts else end
        if value == "":
            if number <= required and kind not in _MAY_BE_EMPTY:
                raise GrammarError(f"expected type '{kind}' at position {number}, but got nothing", place, number)
            if kind not in _MAY_BE_EMPTY and number < len(values):
                place = starts[number] - 1
                raise GrammarError(f"expected ')' before '{text[place:]}'", place, min(number, 2))
        elif not valid(kind, value):
            raise GrammarError(f"failed to parse '{value}' as type '{kind}' at position {number}", place, number)
    given = len(values)
    quoted_nothing = bool(starts) and not types and text[starts[0] : starts[0] + 1] != ")"
    if given > len(types) and (types or values != ("",) or quoted_nothing):
        place = starts[len(types)] - (1 if types else 0)
        raise GrammarError(
            f"expected ')' before '{text[place:]}'", place, len(types) if len(types) > 1 else len(types) + 1
        )
    if given < required:
        kind = types[given]
        raise GrammarError(f"missing arguments (got {given}/{required}), type '{kind}' expected", end, given + 1)


#: Types of which an empty word is a value, or stands for something (the current backend, the proxy's own table).
_MAY_BE_EMPTY: Final = frozenset({"string", "table", "backend", "frontend", "server", "user list", "regex"})


def valid(kind: str, value: str) -> bool:
    """Whether a value that isn't empty has the type."""
    if kind in _FREE:
        return True
    if kind == "integer":
        return _INTEGER.match(value) is not None
    if kind == "Protocol buffers field number":
        return _FIELD_NUMBER.match(value) is not None
    if kind == "delay":
        return _DELAY.match(value) is not None
    if kind.endswith("mask") and _MASK_LENGTH.match(value) is not None:
        return int(value) <= (32 if kind == "IPv4 mask" else 128)
    try:
        if kind.startswith("IPv4"):
            ipaddress.IPv4Address(value)
        else:
            ipaddress.IPv6Address(value)
    except ValueError:
        return False
    return True


_FREE: Final = frozenset({"string", "table", "backend", "frontend", "server", "user list", "regex", "ring"})

"""Numbers with units (configuration manual, section 2.5): times, sizes, integers, percentages.

The limits are those of HAProxy 2.6: times fit 31 bits of milliseconds, sizes and integers 32 bits.
"""

from __future__ import annotations

import re
from typing import Final

from hapy_config.grammar.errors import GrammarError

_TIME: Final = re.compile(r"([0-9]*)(us|ms|[smhd])?")
_LEADING: Final = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)")
_SIZE: Final = re.compile(r"([0-9]+)([kKmMgG]?)\Z")
_INTEGER: Final = re.compile(r"[+-]?[0-9]+\Z")

#: Microseconds in each unit.
_MICROSECONDS: Final = {
    "us": 1,
    "ms": 1000,
    "s": 1000000,
    "m": 60 * 1000000,
    "h": 3600 * 1000000,
    "d": 86400 * 1000000,
}
_FACTORS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}

_LONGEST: Final = 2**63 - 1


def wrapped(digits: str) -> int:
    """Decimal digits as C reads them into an `int` by way of a `long`: what is too long is cut to 32 bits."""
    value = min(int(digits[:30] or "0"), _LONGEST) & 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


#: The longest time: about 24.85 days.
MAX_TIME: Final = 2**31 - 1
MAX_SIZE: Final = 2**32 - 1


def parse_time(text: str, default_unit: str = "ms", *, name: str = "") -> int:
    """A time in milliseconds, rounded up.

    HAProxy reads a unit's first letter (`us` apart) and lets anything follow it: `5min` is five minutes.

    Args:
        text: digits and perhaps a unit.
        default_unit: the unit of a bare number.
        name: the keyword that it is for, in messages.

    Raises:
        GrammarError: for a character that is no unit, no number at all, or a time that is too long.
    """
    match = _TIME.match(text)
    assert match is not None
    digits, unit = match[1], match[2]
    if not digits or (unit is None and match.end() < len(text)):
        place = match.end(1)
        where = f"'{name or text}'"
        raise GrammarError(f"unexpected character '{text[place : place + 1]}' in {where}", place)
    milliseconds = (int(digits) * _MICROSECONDS[unit or default_unit] + 999) // 1000
    if milliseconds > MAX_TIME:
        to = f" to '{name}'" if name else ""
        raise GrammarError(f"timer overflow in argument '{text}'{to} (maximum value is 2147483647 ms or ~24.8 days)")
    return milliseconds


def parse_size(text: str) -> int:
    """A size in bytes; `k`, `m` and `g` are powers of 1024.

    Raises:
        GrammarError: for anything else, or more than 32 bits.
    """
    match = _SIZE.match(text)
    if match is None:
        bad = re.match(r"[0-9]*[kKmMgG]?", text)
        assert bad is not None
        raise GrammarError(f"unexpected character '{text[bad.end() : bad.end() + 1]}' in size '{text}'", bad.end())
    size = int(match[1]) * _FACTORS[match[2].lower()]
    if size > MAX_SIZE:
        raise GrammarError(f"size overflow in '{text}' (at most {MAX_SIZE} bytes)")
    return size


def parse_integer(text: str, minimum: int | None = None, maximum: int | None = None) -> int:
    """A whole number.

    Raises:
        GrammarError: for anything else, or one outside of the bounds.
    """
    if _INTEGER.match(text) is None:
        raise GrammarError(f"'{text}' is not an integer")
    value = int(text)
    if (minimum is not None and value < minimum) or (maximum is not None and value > maximum):
        low = "" if minimum is None else str(minimum)
        high = "" if maximum is None else str(maximum)
        raise GrammarError(f"'{text}' is not in the range [{low}..{high}]")
    return value


def leading_integer(text: str) -> int:
    """What C's `atol` makes of a word, as many of HAProxy's keywords read theirs: `5x` is 5, `x` is 0."""
    match = _LEADING.match(text)
    return int(match[1]) if match is not None else 0


def parse_percentage(text: str, maximum: int = 100) -> int:
    """A number of percent, with or without `%`.

    Raises:
        GrammarError: for anything else, or more than `maximum`.
    """
    try:
        return parse_integer(text.removesuffix("%"), 0, maximum)
    except GrammarError:
        raise GrammarError(f"'{text}' is not a percentage between 0 and {maximum}") from None

"""Whole numbers as C's `atol` and an `int` make them of text, which is how HAProxy reads most of its own."""

from __future__ import annotations

import re
from typing import Final

_LEADING: Final = re.compile(r"[ \t\n\v\f\r]*([+-]?)0*([0-9]*)")
_LONGEST: Final = 2**63 - 1


def is_number(text: str) -> bool:
    """Whether these are decimal digits, and the ones of ASCII: other digits are letters to HAProxy."""
    return text.isascii() and text.isdecimal()


def wrapped(digits: str) -> int:
    """Decimal digits as C reads them into an `int` by way of a `long`: what is too long is cut to 32 bits."""
    return _as_int(min(int(digits[:30] or "0"), _LONGEST))


def leading_long(text: str) -> int:
    """What C's `atol` makes of a word: the digits it begins with (`5x` is 5, `x` is 0), at most 63 bits of them."""
    match = _LEADING.match(text)
    assert match is not None
    value = int(match[2][:30] or "0")
    return -min(value, _LONGEST + 1) if match[1] == "-" else min(value, _LONGEST)


def leading_integer(text: str) -> int:
    """The same, put into an `int`, as most of HAProxy's keywords do: 4294967297 is 1, and 2147483648 is negative."""
    return _as_int(leading_long(text))


def _as_int(value: int) -> int:
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value

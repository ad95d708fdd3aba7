"""Arguments of one statement: how many there may be, and the numbers, times and sizes among them.

Numbers that HAProxy reads with C's `atol` are taken as it takes them (`leading_integer`), and the reader is told so at
DIAG level.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from hapy_config.build.refused import Refused

#: What no name of a proxy, a server or a section may have in it.
BAD_NAME: Final = re.compile(r"[^A-Za-z0-9_.:-]")
_TIME: Final = re.compile(r"([0-9]*)(.*)", re.DOTALL)
_IN_MICROSECONDS: Final = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}
_UNITS: Final = {"u": "us", "m": "m", "s": "s", "h": "h", "d": "d"}
MAX_TIMER: Final = 2_147_483_647
#: HAProxy counts times in 64 bits; of what is longer the bits in front are lost.
_LONGEST: Final = 2**64 - 1


def at_most(words: Sequence[str], count: int, name: str | None = None, first: int = 0) -> None:
    """Refuse more than `count` arguments after the keyword at `first`.

    Raises:
        Refused: at the first word too many.
    """
    extra = words[first + count + 1] if len(words) > first + count + 1 else ""
    if extra:
        raise Refused(f"'{name or words[first]}' cannot handle unexpected argument '{extra}'.", first + count + 1)


class TimeError(ValueError):
    """A time that can't be read.

    Attributes:
        character: the offending character, or empty when the time is too long.
    """

    def __init__(self, character: str) -> None:
        super().__init__(character)
        self.character = character


def milliseconds(text: str, *, unit: str = "ms") -> tuple[int, str]:
    """A time in ms, rounded up as HAProxy rounds (1 us is 1 ms).

    Args:
        text: digits and an optional unit (us, ms, s, m, h, d).
        unit: the unit of a bare number, which HAProxy also counts in: 31 bits of it are the longest time.

    Returns:
        The time, and the first character behind the unit where there is one: HAProxy 2.6 warns of it and goes on.

    Raises:
        TimeError: for what is no time, or one that is too long.
    """
    match = _TIME.fullmatch(text)
    assert match is not None
    digits, rest = match[1], match[2]
    behind = ""
    counted = unit
    if rest:
        if rest[:2] in ("us", "ms"):
            unit, behind = rest[:2], rest[2:3]
        elif digits and rest[0] in "smhd":
            unit, behind = rest[0], rest[1:2]
        else:
            raise TimeError(rest[0])
        if not digits:
            raise TimeError(rest[0])
    value, size, step = int(digits or "0") & _LONGEST, _IN_MICROSECONDS[unit], _IN_MICROSECONDS[counted]
    exact = (value * (size // step) & _LONGEST) * step if size > step else value * size
    if exact > MAX_TIMER * step or (value and not exact):
        raise TimeError("")
    return -(-exact // 1000), behind


TIME_SUFFIX: Final = (
    "unexpected character '{}' after the timer value '{}', only (us=microseconds,ms=milliseconds,s=seconds,m=minutes,"
    "h=hours,d=days) are supported. This will be reported as an error in next versions."
)
TIME_HINT: Final = "a time is a whole number with an optional unit: us, ms, s, m, h or d (5s, 1500ms)"


def time_message(error: TimeError, text: str, what: str) -> str:
    """The sentence for a time that could not be read; `what` is how it names the argument."""
    if not error.character:
        return f"timer overflow in argument '{text}' to {what} (maximum value is {MAX_TIMER} ms or ~24.8 days)"
    return f"unexpected character '{error.character}' in argument to {what}."


def size(text: str) -> int:
    """Bytes with an optional k, m or g: 32 bits of them at most.

    Raises:
        ValueError: with the offending character as its text.
    """
    match = _TIME.fullmatch(text)
    assert match is not None
    digits, rest = match[1], match[2]
    if not digits:
        raise ValueError(rest[:1])
    if not rest:
        if int(digits[:30]) >> 32:
            raise ValueError(digits[-1])
        return int(digits)
    factor = {"k": 10, "m": 20, "g": 30}.get(rest[0].lower())
    if factor is None:
        raise ValueError(rest[0])
    if len(rest) > 1:
        raise ValueError(rest[1])
    if int(digits[:30]) << factor >> 32:
        raise ValueError(rest)
    return int(digits) << factor

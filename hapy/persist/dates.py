"""The dates in cookies of `maxidle` and `maxlife`: five characters of base 64 that count four seconds each."""

from __future__ import annotations

from typing import Final

_DIGITS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_VALUES: Final = {digit: value for value, digit in enumerate(_DIGITS)}
_LENGTH: Final = 5
#: Seconds that one count stands for.
STEP: Final = 4


def encode(seconds: int) -> bytes:
    """A date, rounded up to the next step."""
    count = (seconds + STEP - 1) // STEP
    return bytes(_DIGITS[count >> shift & 63] for shift in (24, 18, 12, 6, 0))


def decode(text: bytes) -> int:
    """The date that a text begins with, in seconds; 0 where it is none."""
    if len(text) < _LENGTH:
        return 0
    count = 0
    for digit in text[:_LENGTH]:
        value = _VALUES.get(digit)
        if value is None:
            return 0
        count = count << 6 | value
    return count * STEP

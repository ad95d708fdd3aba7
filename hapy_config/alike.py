"""Which known word a misspelt one was perhaps meant to be.

Letters that changed places cost less than letters that are wrong, a `-` for a `_` next to nothing, and a word cut short
or drawn out at its end (`interval` for `inter`, `static` for `static_servers`) less than letters within. A third of the
letters may be wrong; nothing is better than a silly suggestion.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

_SWAPPED: Final = 0.7
_OTHER_MARK: Final = 0.25
_MARK: Final = 0.5
_AT_THE_END: Final = 0.6
_MARKS: Final = frozenset("-_.")
_SHARE: Final = 0.34
#: A first part of so many letters is enough to know a longer word by.
_BEGINNING: Final = 4


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word most like a misspelt one, or an empty string when none is like it (or it is known)."""
    return _nearest(word, tuple(dict.fromkeys(known))) if word else ""


@lru_cache(maxsize=256)
def _nearest(word: str, known: tuple[str, ...]) -> str:
    best, least = "", (float("inf"), True, 0)
    for name in known:
        if name == word:
            return ""
        bound = _bound(word, name)
        cost = _distance(word, name, min(bound, least[0]))
        rank = (cost, name[:1] != word[:1], abs(len(name) - len(word)))
        if cost <= bound and rank < least:
            best, least = name, rank
    return best


def _bound(word: str, name: str) -> float:
    longest = max(len(word), len(name))
    return max(_SHARE * longest, 1.0 if longest > 2 else 0.0)


def _distance(one: str, other: str, bound: float) -> float:
    """How much it takes to make one word of the other; any number above `bound` where it takes more than that."""
    short, long = sorted((one, other), key=len)
    if short and long.startswith(short):
        missing = len(long) - len(short)
        if len(short) >= _BEGINNING and one is short and long[len(short)] in _MARKS:
            return min(missing * _AT_THE_END, 0.3 * len(long))
        return missing * _AT_THE_END
    if (len(long) - len(short)) * _MARK > bound:
        return bound + 1
    before: list[float] = []
    row = _borders(other)
    for index, letter in enumerate(one, 1):
        previous, row = row, [row[0] + _cost(letter)]
        for column, wanted in enumerate(other, 1):
            if letter == wanted:
                least = previous[column - 1]
            else:
                marks = letter in _MARKS and wanted in _MARKS
                same = letter.lower() == wanted.lower()
                least = previous[column - 1] + (_OTHER_MARK if marks or same else 1)
            least = min(least, previous[column] + _cost(letter), row[column - 1] + _cost(wanted))
            if index > 1 and column > 1 and letter == other[column - 2] and one[index - 2] == wanted:
                least = min(least, before[column - 2] + _SWAPPED)
            row.append(least)
        if min(row) > bound:
            return bound + 1
        before = previous
    return row[-1]


def _borders(word: str) -> list[float]:
    row = [0.0]
    for letter in word:
        row.append(row[-1] + _cost(letter))
    return row


def _cost(letter: str) -> float:
    """What a letter too much or too few costs."""
    return _MARK if letter in _MARKS else 1

"""Options of bind and server lines, read one after the other: a fault in one does not hide those behind it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from hapy_config.build.refused import Refused

if TYPE_CHECKING:
    from hapy_config.build.context import Build


class OptionWords(Protocol):
    """What both lines have in common: their words, and where reading stands."""

    build: Build
    words: list[str]
    position: int


AnyWords = TypeVar("AnyWords", bound=OptionWords)


def read_all(words: AnyWords, known: Iterable[str], read: Callable[[AnyWords], None]) -> None:
    """Read options to the end of the line.

    Args:
        words: stands at the first option.
        known: the names of options.
        read: reads the option at the position.
    """
    while words.position < len(words.words):
        begin = words.position
        try:
            read(words)
        except Refused as refusal:
            words.build.fault(refusal)
            if refusal.word == begin:
                words.position = _next(words.words, begin + 1, list(known))
            else:  # its value is wrong, and behind us
                words.position = max(words.position, (refusal.word or begin) + 1)


def _next(words: Sequence[str], index: int, known: list[str]) -> int:
    """Where the next option begins: how many values an unknown one takes nobody knows."""
    while index < len(words):
        name = words[index].partition("(")[0]
        if name in known or difflib.get_close_matches(name, known, n=1, cutoff=0.8):
            break
        index += 1
    return index

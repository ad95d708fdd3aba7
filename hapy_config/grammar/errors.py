"""What every parser of this package raises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


class GrammarError(ValueError):
    """An argument that can't be read.

    Attributes:
        message: the reason in HAProxy's words, without a final full stop.
        offset: the 0-based position in the word (or text) that it speaks of.
        word: for parsers that are handed a list of words: the index in that list; else 0.
        others: further errors that the same parse found.
    """

    def __init__(self, message: str, offset: int = 0, word: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.word = word
        self.others: tuple[GrammarError, ...] = ()

    def __iter__(self) -> Iterator[GrammarError]:
        """This error and the others."""
        yield self
        yield from self.others

    def at(self, word: int) -> GrammarError:
        """The same errors in another word of a list."""
        moved = GrammarError(self.message, self.offset, word)
        moved.others = tuple(other.at(word) for other in self.others)
        return moved


def raise_first(errors: Sequence[GrammarError]) -> None:
    """Raise the first of what a parse found, with the others in it; nothing where nothing was found."""
    if errors:
        first = errors[0]
        first.others = tuple(errors[1:])
        raise first

"""Where reading stands in a line whose words are taken from left to right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy_config.build.arguments import TimeError, milliseconds
from hapy_config.build.refused import Refused

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.syntax import Statement


class LineWords:
    """The words of a line, of which those before `position` are read.

    Attributes:
        position: the index of the next word.
    """

    __slots__ = ("build", "position", "statement", "words")

    def __init__(self, build: Build, statement: Statement, words: list[str], position: int) -> None:
        self.build = build
        self.statement = statement
        self.words = words
        self.position = position

    def peek(self, ahead: int = 0) -> str:
        """The next word, empty at the end."""
        index = self.position + ahead
        return self.words[index] if index < len(self.words) else ""

    def take(self, missing: str) -> str:
        """The next word; a missing or empty one is refused with `missing`."""
        word = self.peek()
        if not word:
            raise self.refuse(missing, code="missing-argument")
        self.position += 1
        return word

    def lax(self) -> str:
        """The next word, which may be missing or empty; what stands behind an empty one counts."""
        if self.position >= len(self.words):
            self.words = self.build.read_on(self.words)
        word = self.peek()
        self.position += 1
        return word

    def refuse(self, message: str, place: int | None = None, *, code: str = "bad-argument", hint: str = "") -> Refused:
        """The refusal of the word at `place`, or of the next one, in the form that such lines have in HAProxy."""
        raise NotImplementedError


def tcp_user_timeout(words: LineWords) -> str:
    """The argument of `tcp-ut`, which bind and server lines have: a time, checked.

    Raises:
        Refused: there is none.
    """
    text = words.take("'tcp-ut' : missing TCP User Timeout value")
    try:
        milliseconds(text)
    except TimeError:
        raise words.refuse("'tcp-ut' : expects a positive delay in milliseconds", words.position - 1) from None
    return text

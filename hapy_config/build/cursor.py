"""A cursor over a statement's words, for what is read from left to right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hapy_config.build.arguments import TIME_HINT, TimeError, size
from hapy_config.build.expressions import check_regex, expression_words, log_format
from hapy_config.build.linewords import LineWords
from hapy_config.build.refused import Refused
from hapy_config.grammar.expressions import expression_end
from hapy_config.keywords.samples import Place
from hapy_config.model.expressions import Call, LogFormat, SampleExpression
from hapy_config.syntax import Statement

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.build.draft import Draft

#: Stands in the place of an expression that is refused: the line is read on, and no model is made.
NO_EXPRESSION: Final = SampleExpression("", Call("always_true", ()))


class Words(LineWords):
    """Where reading stands in a statement.

    Attributes:
        start: the index of the first argument.
        action_word: the action as written.
        places: where expressions in it are evaluated.
        response: whether it is about an answer.
    """

    __slots__ = (
        "action_word",
        "draft",
        "places",
        "prefix",
        "response",
        "start",
    )

    def __init__(
        self,
        build: Build,
        draft: Draft,
        statement: Statement,
        words: list[str],
        position: int,
        prefix: str,
        places: Place,
        *,
        response: bool = False,
    ) -> None:
        super().__init__(build, statement, words, position)
        self.draft = draft
        self.start = position
        self.action_word = words[position - 1] if 0 < position <= len(words) else ""
        self.prefix = prefix
        self.places = places
        self.response = response

    def exactly(self, count: int, missing: str) -> list[str]:
        """The next `count` words, none of them empty."""
        found = self.words[self.position : self.position + count]
        if len(found) < count or not all(found):
            raise self.refuse(missing, code="missing-argument")
        self.position += count
        return found

    def refuse(self, message: str, place: int | None = None, *, code: str = "bad-argument", hint: str = "") -> Refused:
        """The refusal, in the form that HAProxy gives to all that a rule's arguments can be wrong in."""
        return Refused(f"{self.prefix}{message}.", self.position if place is None else place, code=code, hint=hint)

    def fault(self, message: str, place: int | None = None, *, code: str = "bad-argument", hint: str = "") -> None:
        """Note what `refuse` refuses, where reading can go on."""
        self.build.fault(self.refuse(message, place, code=code, hint=hint))

    def format(self, text: str, place: int) -> LogFormat:
        """A log format string at `place`; what is wrong in it is noted."""
        try:
            return log_format(self.build, self.draft, self.statement, text, place, self.places, self.prefix)
        except Refused as refusal:
            self.build.fault(refusal)
            return LogFormat(text, ())

    def expression(self, instead: str = "") -> SampleExpression:
        """The expression that begins at the next word; what is wrong with it is noted, or `instead` is."""
        start = self.position
        try:
            parsed, self.position = expression_words(
                self.build, self.draft, self.statement, self.words, start, self.places, self.prefix
            )
        except Refused as refusal:
            if start >= len(self.words):
                raise
            self.build.fault(self.refuse(instead, start) if instead else refusal)
            self.position = expression_end(self.words, start)
            return NO_EXPRESSION
        return parsed

    def regex(self, text: str, place: int) -> None:
        """Note what is no regular expression."""
        with self.build.noting():
            check_regex(self.build, self.statement, text, place, self.prefix)

    def time(self, place: int, what: str, *, short: bool = False) -> int:
        """The time in ms at `place`; what is none is noted."""
        try:
            return self.build.time(self.statement, self.words, place, what)
        except Refused as refusal:
            message = refusal.message.removesuffix(".").replace("in argument to ", "in ")
            if short:
                message = message.removesuffix(" in ")
            self.fault(message, place, hint=TIME_HINT)
            return 0

    def size(self, place: int) -> int:
        """The number of bytes at `place`; what is none is noted."""
        try:
            return size(self.words[place])
        except (ValueError, TimeError) as error:
            self.fault(f"unexpected character '{error}' in argument to 'at-least'", place)
            return 0

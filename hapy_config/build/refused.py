"""How a handler says no."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hapy_config.diagnostics import Diagnostic, Fix, Severity
from hapy_config.keywords.spec import TARGET, Version
from hapy_config.keywords.values import Value, values_in
from hapy_config.syntax import Statement


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault of the program
    """A statement that HAProxy refuses; whoever dispatched the statement turns it into a diagnostic.

    Attributes:
        message: the reason.
        word: the index of the word concerned, None for the whole statement.
        code: the diagnostic's code.
        hint: what to do about it.
        environment: whether it speaks of this machine rather than of the text.
        suggestion: what to put in the word's place, or None.
        others: further faults of the same line.
    """

    def __init__(
        self,
        message: str,
        word: int | None = None,
        *,
        code: str = "bad-argument",
        hint: str = "",
        environment: bool = False,
        suggestion: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.word = word
        self.code = code
        self.hint = hint
        self.environment = environment
        self.suggestion = suggestion
        self.others: list[Refused] = []

    def __iter__(self) -> Iterator[Refused]:
        """This refusal and the others."""
        yield self
        yield from self.others

    def diagnostic(self, statement: Statement, shift: int = 0) -> Diagnostic:
        """The finding, placed in `statement`; `shift` words (`no`) were taken off its front."""
        span = statement.span(None if self.word is None else self.word + shift)
        newer = self._newer(statement.words[shift:])
        if newer is not None:
            note = version_note(newer.since, None)
            return Diagnostic("newer-keyword", Severity.ERROR, span, self.message, note, None, self.environment)
        fix = None if self.suggestion is None else Fix(span, self.suggestion)
        return Diagnostic(self.code, Severity.ERROR, span, self.message, self.hint, fix, self.environment)

    def _newer(self, words: Sequence[str]) -> Value | None:
        """The word that a newer HAProxy would have taken."""
        if self.code != "bad-argument" or self.word is None or not words:
            return None
        found = (one.value for one in values_in(words) if one.index == self.word and one.value.since > TARGET)
        return next(found, None)


def version_note(since: Version, removed: Version | None) -> str:
    """Why HAProxy 2.6 does not know a word that another version does."""
    if since > TARGET:
        return f"HAProxy knows it since version {since[0]}.{since[1]}; hapy follows 2.6"
    if removed is not None:
        return f"HAProxy dropped it in version {removed[0]}.{removed[1]}"
    return ""


def first_of(refusals: Sequence[Refused]) -> Refused:
    """The first of several refusals of one line, with the others in it."""
    first = refusals[0]
    first.others = [*first.others, *(one for refusal in refusals[1:] for one in refusal)]
    return first

"""How a handler says no."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hapy_config.diagnostics import Diagnostic, Fix, Severity
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
        fix = None if self.suggestion is None else Fix(span, self.suggestion)
        return Diagnostic(self.code, Severity.ERROR, span, self.message, self.hint, fix, self.environment)


def first_of(refusals: Sequence[Refused]) -> Refused:
    """The first of several refusals of one line, with the others in it."""
    first = refusals[0]
    first.others = [*first.others, *(one for refusal in refusals[1:] for one in refusal)]
    return first

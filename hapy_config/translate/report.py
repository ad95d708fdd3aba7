"""What a translation gives: texts, and what there is to say of them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from hapy_config.source import Span


class Loss(enum.IntEnum):
    """How faithful a part of a translation is."""

    NONE = 0  # it does the same; said since it looks different
    NEAR = 1  # it does nearly the same: the note says what differs
    LOST = 2  # it has no counterpart, or none that could be chosen without a person


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to know.

    Attributes:
        span: the line it is about.
        loss: how much of it went over.
        text: what was done, or what a person must decide.
    """

    span: Span
    loss: Loss
    text: str


@dataclass(frozen=True, slots=True)
class Translation:
    """The outcome.

    Attributes:
        files: texts by file name, in the order to be read.
        notes: in the order of the lines.
        counts: of the source's statements: those that went over without a word, then by `Loss` those of which there
            is something to say; empty where they were not counted.
        always: what the other program does otherwise whatever a configuration says.
    """

    files: Mapping[str, str]
    notes: tuple[Note, ...] = field(default=())
    counts: tuple[int, ...] = ()
    always: tuple[str, ...] = ()

    @property
    def worst(self) -> Loss:
        """The greatest loss among the notes."""
        return max((note.loss for note in self.notes), default=Loss.NONE)

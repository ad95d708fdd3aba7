"""What becomes of a line that a newer version no longer takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hapy_config.translate.lines import Line
from hapy_config.translate.report import Loss


@dataclass(frozen=True, slots=True)
class Replace:
    """The line becomes `text`, its indentation and comment kept; further lines follow it.

    Attributes:
        text: the line's new words. more: lines below it.
        note: what else to know, empty for nothing.
        first_of: it must run before all others of this ruleset, as the old line did.
        last_of: it must run behind all others of this ruleset that were there before.
        behind: the place of a line that it must run behind, too; -1 for none.
    """

    text: str
    more: tuple[str, ...] = ()
    note: str = ""
    first_of: str = ""
    last_of: str = ""
    behind: int = -1


@dataclass(frozen=True, slots=True)
class Remove:
    """The line goes; its comment stays. why: what became of what it did. loss: how much of that went."""

    why: str
    loss: Loss = Loss.NONE


@dataclass(frozen=True, slots=True)
class Decide:
    """The line stays, and a person must decide. what: what about."""

    what: str


Edit = Replace | Remove | Decide
#: Gives what becomes of a line: one edit, or none to leave it alone.
Rewriter = Callable[[Line], Iterator[Edit]]

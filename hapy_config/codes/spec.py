"""The words that the catalogue of codes is written in."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from textwrap import dedent
from typing import Final

#: What stands before an example when it is tried, unless the example says that it stands alone.
BASE: Final = "defaults\n mode http\n timeout client 10s\n timeout server 10s\n timeout connect 5s\n"


class Kind(enum.Enum):
    """What a code's findings do to the verdict."""

    ERROR = "error"  # HAProxy refuses the file
    WARNING = "warning"  # HAProxy takes it and warns
    ENVIRONMENT = "environment"  # it speaks of this machine: fatal only with --environment
    ADVICE = "advice"  # HAProxy says nothing; a linter's finding or a note
    NOT_RUN = "not run"  # HAProxy runs it and hapy does not


@dataclass(frozen=True, slots=True)
class Code:
    """One code and what is to be said about it.

    Attributes:
        name: the code, as findings show it and `--select` and `--ignore` take it. It never changes its meaning.
        kind: what most findings of the code are.
        about: what is wrong and why, and what to do; a paragraph of plain text.
        bad: an example that has it. Empty where an example needs more than a text (a build of HAProxy, a lost file).
        good: the same mended.
        alone: the examples are whole files; the others stand behind a `defaults` section with mode and timeouts.
    """

    name: str
    kind: Kind
    about: str
    bad: str = ""
    good: str = ""
    alone: bool = False

    def example(self, text: str) -> str:
        """An example as a file that can be read."""
        return text if self.alone else BASE + text


def code(kind: Kind, name: str, about: str, bad: str = "", good: str = "", *, alone: bool = False) -> Code:
    """A code whose texts are written with the indentation of the source around them."""
    return Code(name, kind, " ".join(about.split()), dedent(bad).lstrip("\n"), dedent(good).lstrip("\n"), alone)

"""Sections and statements: the lossless shape of a configuration.

A `Statement` is one non-empty line. It keeps the line itself, so that comments and layout survive a rewrite, and
works out columns only when somebody asks: 100,000 lines are read far more often than they are complained about.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hapy_config.source import Source, Span
from hapy_config.words import plain_columns


class Statement:
    """One line with at least one word.

    Attributes:
        source: the file it stands in.
        line: its 1-based line number there.
        words: the words after quotes, escapes and variables were resolved.
    """

    __slots__ = ("_columns", "line", "source", "words")

    def __init__(
        self,
        source: Source,
        line: int,
        words: list[str],
        columns: list[tuple[int, int]] | None = None,
    ) -> None:
        self.source = source
        self.line = line
        self.words = words
        self._columns = columns

    @property
    def raw(self) -> str:
        """The line as it stands in the file."""
        return self.source.lines[self.line - 1]

    def span(self, first: int | None = None, last: int | None = None) -> Span:
        """The place of a word, of a run of words (`last` included), or of the whole statement.

        An index past the end gives the place just after the last word: where a missing argument should stand.
        """
        columns = self._columns
        if columns is None:
            raw = self.raw
            if first is None:  # the common case, without looking for each word
                begin = len(raw) - len(raw.lstrip(" \t\r"))
                return Span(self.source.name, self.line, begin + 1, len(raw.rstrip(" \t\r")) + 1)
            columns = self._columns = plain_columns(raw)
        if first is None:
            return Span(self.source.name, self.line, columns[0][0], columns[-1][1])
        if first >= len(columns):
            return Span(self.source.name, self.line, columns[-1][1], columns[-1][1])
        stop = first if last is None else min(last, len(columns) - 1)
        return Span(self.source.name, self.line, columns[first][0], columns[stop][1])

    def __repr__(self) -> str:
        return f"<{self.source.name}:{self.line} {' '.join(self.words)}>"


@dataclass(slots=True)
class Section:
    """A section header and the statements under it.

    Attributes:
        kind: the header's first word (`global`, `backend`, …).
        name: the header's second word, or empty.
        header: the header line itself.
        statements: the section's lines in order; comments and blank lines stay in the source.
    """

    kind: str
    name: str
    header: Statement
    statements: list[Statement] = field(default_factory=list)


@dataclass(slots=True)
class Document:
    """All files of one configuration in the order HAProxy reads them.

    Attributes:
        sources: the files.
        sections: every active section, in order; the end of a file ends the section in it, as in HAProxy.
        unset: where a variable that is not set was replaced by nothing: the file, the line, the variable.
    """

    sources: list[Source] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    unset: list[tuple[str, int, str]] = field(default_factory=list)

"""Where things stand: source files and spans in them."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """One configuration file as read.

    Attributes:
        name: the path as the user wrote it, or `-` for standard input; it is what messages show.
        lines: the text cut at line feeds, without them. A carriage return before the line feed stays: HAProxy takes it
            for white space, and a rewrite must give it back.
        ends_with_newline: False when the last line has no line feed, which HAProxy refuses as a truncated file.
    """

    name: str
    lines: tuple[str, ...]
    ends_with_newline: bool = True

    @classmethod
    def from_text(cls, name: str, text: str) -> Source:
        """Cut `text` into lines."""
        complete = text.endswith("\n") or not text
        lines = text.split("\n")
        if complete:
            lines.pop()
        return cls(name, tuple(lines), complete)

    @property
    def text(self) -> str:
        """The file's text, byte for byte what was read."""
        return "\n".join(self.lines) + ("\n" if self.ends_with_newline and self.lines else "")

    def ended_alike(self, text: str) -> str:
        """`text` with this file's line ends: CRLF where its first line has it."""
        return re.sub(r"\r*\n", "\r\n", text) if self.lines and self.lines[0].endswith("\r") else text


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one line.

    Attributes:
        file: the source's name.
        line: 1-based line number.
        column: 1-based column of the first character.
        end: 1-based column just after the last character; never before `column`.
    """

    file: str
    line: int
    column: int = 1
    end: int = 1

    def __str__(self) -> str:
        """`file:line:column`, as editors and compilers write it."""
        return f"{self.file}:{self.line}:{self.column}"


#: For findings that belong to no place in a file (command line, environment).
NOWHERE = Span("", 0)

r"""One configuration line to words, as HAProxy cuts it (configuration manual, sections 2.2 and 2.3).

Rules:
- Unquoted space, tab, vertical tab and form feed part words. An unquoted `#` ends the line, also in the middle of a
  word, and so does a carriage return just after a word; after a blank it is one more blank.
- `\` takes the next character's meaning away; `\n`, `\r`, `\t` and `\xNN` are characters; before any other
  character the backslash stays (a tab or, outside of double quotes, a `$` included). A word ends at `\x00`.
- Single quotes keep everything. Double quotes keep blanks, `#` and single quotes, and let `\"`, `\\`, `\$` and
  `$NAME`, `${NAME}`, `${NAME-default}`, `${NAME[*]}` through.
- There is no continuation over lines: a `\` at the very end of a line stands for nothing but itself.

Two ways lead to the same words: most lines hold no special character and are cut by `str.split`; the others go through
one compiled regular expression.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

# Files are read as UTF-8 with `surrogateescape`: bytes that are no text become lone surrogates and come out again as
# the same bytes.


def to_bytes(word: str) -> bytes:
    """A word's bytes as they stood in the file; for everything that goes on the wire."""
    return word.encode("utf-8", "surrogateescape")


#: Gives a variable's value, or None where it is not set.
Lookup = Callable[[str], str | None]

# A quote, an escape, a comment or a variable; a blank that only Python takes for one; a carriage return not at the end.
_SPECIAL: Final = re.compile(r"""["'\\#$]|[^\S \t\r\v\f]|\r(?!\Z)""")
_PLAIN: Final = re.compile(r"[^ \t\r\v\f]+")

_UNQUOTED: Final = re.compile(
    r"""(?P<blank>[ \t\v\f][ \t\v\f\r]*)|(?P<end>[\#\r])|(?P<dquote>")|(?P<squote>')"""
    r"""|\\x(?P<hex>[0-9a-fA-F]{2})|(?P<badhex>\\x)|\\(?P<escape>[ \#\\'"nrt])|(?P<text>[^ \t\r\v\f\#"'\\]+|\\)""",
)
_QUOTED: Final = re.compile(
    r"""(?P<end>")|(?P<variable>\$)"""
    r"""|\\x(?P<hex>[0-9a-fA-F]{2})|(?P<badhex>\\x)|\\(?P<escape>[ \#\\'"nrt$])|(?P<text>[^"$\\\r]+|\\)""",
)
_NAME: Final = re.compile(r"\.?[A-Za-z_0-9]*")
#: Variables that the reader itself knows; the only names that may begin with a dot.
PSEUDO_VARIABLES: Final = frozenset({".FILE", ".LINE", ".SECTION"})
_LIST_BLANKS: Final = re.compile(r"[ \t\n\v\f\r]+")
_CONTROL: Final = {"n": "\n", "r": "\r", "t": "\t"}


class WordError(ValueError):
    """A line that can't be cut into words.

    Attributes:
        message: the reason, in HAProxy's words.
        column: the 1-based column it speaks of.
    """

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.column = column


def is_plain(line: str) -> bool:
    """Whether `line.split()` gives the words: no quote, escape, comment or variable in it."""
    return _SPECIAL.search(line) is None


def plain_columns(line: str) -> list[tuple[int, int]]:
    """The (start, end) columns, 1-based and end-exclusive, of each word of a plain line."""
    return [(m.start() + 1, m.end() + 1) for m in _PLAIN.finditer(line)]


def split(line: str, lookup: Lookup, *, comments: bool = True) -> tuple[list[str], list[tuple[int, int]]]:
    r"""Cut a line into words.

    Args:
        line: the line without its line feed.
        lookup: resolves environment and pseudo variables (`.FILE`, `.LINE`, `.SECTION`).
        comments: whether an unquoted `#` ends the line; it does not on the command line, where `\#` is no escape.

    Returns:
        The words, and for each its (start, end) columns in `line`, 1-based and end-exclusive. Words that come from one
        `${NAME[*]}` share a place.

    Raises:
        WordError: for an unmatched quote or brace, a bad hexadecimal escape or a bad variable name.
    """
    if is_plain(line):
        return line.split(), plain_columns(line)
    return _Splitter(line, lookup, comments=comments).run()


class _Splitter:
    """State of one line's cutting: the words so far and the word being put together."""

    __slots__ = ("columns", "comments", "line", "lookup", "open", "parts", "start", "words")

    def __init__(self, line: str, lookup: Lookup, *, comments: bool) -> None:
        self.line = line
        self.comments = comments
        self.lookup = lookup
        self.words: list[str] = []
        self.columns: list[tuple[int, int]] = []
        self.parts: list[str] = []
        self.start = 0
        self.open = False  # a word has begun, perhaps an empty quoted one

    def run(self) -> tuple[list[str], list[tuple[int, int]]]:
        line, position = self.line, 0
        while position < len(line):
            match = _UNQUOTED.match(line, position)
            assert match is not None
            kind = match.lastgroup
            if kind == "blank":
                self._finish(position)
                position = match.end()
                continue
            if kind == "end" and (self.comments or line[position] == "\r"):
                if line[position] == "#" or self.open or self.words:
                    break
                position = match.end()
                continue
            if not self.open:
                self.open, self.start = True, position
            if kind == "dquote":
                position = self._double_quoted(match.end())
            elif kind == "squote":
                end = line.find("'", match.end())
                if end < 0 or "\r" in line[position:end]:
                    raise WordError("unmatched quote", position + 1)
                self.parts.append(line[match.end() : end])
                position = end + 1
            else:
                self._plain_part(match)
                position = match.end()
        self._finish(position)
        return self.words, self.columns

    def _plain_part(self, match: re.Match[str]) -> None:
        """Append a run of text, an escape or a hexadecimal character."""
        kind = match.lastgroup
        if kind == "badhex":
            raise WordError("truncated or invalid hexadecimal sequence", match.start() + 1)
        value = match[kind or 0]
        if kind == "hex":
            code = int(value, 16)
            value = chr(code if code < 0x80 else 0xDC00 + code)
        elif kind == "escape":
            value = match[0] if value == "#" and not self.comments else _CONTROL.get(value, value)
        self.parts.append(value)

    def _double_quoted(self, position: int) -> int:
        """Read on from just after a `"`; return the position after the closing one."""
        line, opened = self.line, position
        while True:
            match = _QUOTED.match(line, position)
            if match is None:
                raise WordError("unmatched quote", opened)
            if match.lastgroup == "end":
                return match.end()
            if match.lastgroup == "variable":
                position = self._variable(match.end())
            else:
                self._plain_part(match)
                position = match.end()

    def _variable(self, position: int) -> int:
        """Expand the variable whose name begins at `position`, just after `$`."""
        line = self.line
        braced = line[position : position + 1] == "{"
        begin = position + 1 if braced else position
        name = _NAME.match(line, begin)
        assert name is not None
        if not name[0] or name[0][0].isdigit() or (name[0][0] == "." and name[0] not in PSEUDO_VARIABLES):
            raise WordError("forbidden first char in environment variable name", begin + 1)
        position = name.end()
        value = self.lookup(name[0])
        if not braced:
            self.parts.append(value or "")
            return position
        listed = line.startswith("[*]", position)
        if listed:
            position += 3
        elif line.startswith("[", position):
            raise WordError("truncated or invalid word expansion sequence", position + 1)
        if line[position : position + 1] == "-":
            end = line.find("}", position)
            if end < 0:
                raise WordError("unmatched brace in environment variable name", begin)
            if value is None:
                value = line[position + 1 : end]
            position = end
        if line[position : position + 1] != "}":
            raise WordError("unmatched brace in environment variable name", begin)
        position += 1
        if listed and value is not None:
            self._several(_LIST_BLANKS.split(value), position)
        else:
            self.parts.append(value or "")
        return position

    def _several(self, values: list[str], position: int) -> None:
        """Lay the values of `${NAME[*]}` out as words of their own, the first and last joined to what stands around.

        Blanks at the value's start or end part words too, so one of these values may be empty.
        """
        for index, value in enumerate(values):
            self.parts.append(value)
            if index + 1 < len(values):
                start = self.start
                self._finish(position)
                self.open, self.start = True, start

    def _finish(self, position: int) -> None:
        if self.open:
            self.words.append("".join(self.parts).partition("\0")[0])
            self.columns.append((self.start + 1, position + 1))
            self.parts = []
            self.open = False

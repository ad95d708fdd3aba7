"""A configuration's layout: the same words, comments and meaning, laid out in one way.

Rules:
- Section headers and the comments just above them begin at the margin; what belongs to a section is indented. So are
  its comments, but for those that stand at the margin and apart, with the next section below.
- One space parts two words, two spaces a comment from what it follows. Words keep their quotes, escapes and variables.
- One blank line before each section, never two anywhere, none at the start or the end. Lines end with a line feed, the
  last one too (HAProxy refuses a file that lacks it).
- Directives (`.if`, `.else`, …) begin at the margin, as a preprocessor's do.
- A line that can't be cut into words stays as it is. Where a file asks for its own line numbers (`${.LINE}`), no line
  is added or taken away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from hapy_config.keywords.sections import CONTEXTS
from hapy_config.words import WordError, split

DEFAULT_INDENT: Final = "    "

#: Before a comment that stands behind words.
_GAP: Final = "  "
#: A carriage return with more behind it: HAProxy stops reading there, so what follows is no comment and no word.
_INNER_RETURN: Final = re.compile(r"\r(?!\Z)")
_BLANKS: Final = " \t\r\v\f"


@dataclass(frozen=True, slots=True)
class _Line:
    """One line in parts.

    Attributes:
        words: the words as they are written. comment: from its `#` on, empty without one.
        verbatim: the line when it must not be touched, else None.
        margin: the line began at the margin.
    """

    words: tuple[str, ...] = ()
    comment: str = ""
    verbatim: str | None = None
    margin: bool = False

    @property
    def blank(self) -> bool:
        """Whether there is nothing in it."""
        return not self.words and not self.comment and self.verbatim is None

    @property
    def alone(self) -> bool:
        """Whether it is a comment and nothing else."""
        return bool(self.comment) and not self.words

    @property
    def header(self) -> bool:
        """Whether it begins a section."""
        return bool(self.words) and self.words[0] in CONTEXTS

    @property
    def directive(self) -> bool:
        """Whether it speaks to the reader of the file (`.if`)."""
        return bool(self.words) and self.words[0].startswith(".")


def format_text(text: str, indent: str = DEFAULT_INDENT) -> str:
    """Lay a configuration out.

    Args:
        text: a whole file.
        indent: what stands before a line that belongs to a section.

    Returns:
        The same configuration; formatting it again changes nothing.
    """
    lines = [_read(line) for line in text.split("\n")]
    if lines and lines[-1].blank:
        lines.pop()
    if ".LINE" not in text:
        lines = _space(lines)
    out: list[str] = []
    inside = False
    for index, line in enumerate(lines):
        inside = inside or line.header
        deep = inside and not line.header and not line.directive
        if deep and line.alone and _introduces(lines, index):
            deep = False
        out.append(_write(line, indent if deep else ""))
    return "".join(f"{line}\n" for line in out)


def _read(line: str) -> _Line:
    if _INNER_RETURN.search(line) or "\0" in line:
        return _Line(verbatim=line)
    try:
        read, columns = split(line, _any_value)
    except WordError:
        return _Line(verbatim=line)
    words = tuple(line[start - 1 : end - 1] for start, end in dict.fromkeys(columns))
    rest = line[columns[-1][1] - 1 :] if columns else line
    comment = rest.strip(_BLANKS)
    if comment and not comment.startswith("#"):
        return _Line(verbatim=line)
    if split(" ".join(words) + (f"{_GAP}{comment}" if words else ""), _any_value)[0] != read:
        return _Line(verbatim=line)  # `\` before a blank that is no space
    return _Line(words, comment, margin=not line[:1].isspace())


def _any_value(_name: str) -> str:
    """Stands for a variable's value: only the places of words matter."""
    return "x"


def _introduces(lines: list[_Line], index: int) -> bool:
    """Whether the comment at `index` speaks of the section below: it stands on its header, or apart at the margin."""
    apart = lines[index].margin and _stands_apart(lines, index)
    behind = False  # a directive: the comments there are others
    for line in lines[index + 1 :]:
        if line.blank:
            if not apart:
                return False
        elif line.alone:
            apart = apart and (line.margin or behind)
        elif not line.directive:
            return line.header
        else:
            behind = True
    return apart


def _stands_apart(lines: list[_Line], index: int) -> bool:
    """Whether nothing but comments stands between the line and the blank line, or the beginning, above it."""
    for line in reversed(lines[:index]):
        if not line.alone:
            return line.blank
    return True


def _space(lines: list[_Line]) -> list[_Line]:
    """Blank lines where they help to read, and only there."""
    out: list[_Line] = []
    for line in lines:
        if line.blank:
            if out and not out[-1].blank:
                out.append(line)
            continue
        if line.header:
            _part(out)
        out.append(line)
    while out and out[-1].blank:
        out.pop()
    return out


def _part(out: list[_Line]) -> None:
    """Have one blank line before the section that comes now: above its comments and the directive that it stands in."""
    place = len(out)
    while place and (out[place - 1].alone or (out[place - 1].directive and out[place - 1].words[0] == ".if")):
        place -= 1
    if place and not out[place - 1].blank and out[place - 1].words[:1] not in ((".else",), (".elif",)):
        out.insert(place, _Line())


def _write(line: _Line, indent: str) -> str:
    if line.verbatim is not None:
        return line.verbatim
    if not line.words:
        return indent + line.comment if line.comment else ""
    text = indent + " ".join(line.words)
    return f"{text}{_GAP}{line.comment}" if line.comment else text

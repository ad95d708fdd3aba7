"""Lines to be rewritten: their words as written and as read, their indentation and comment; and words to be written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from hapy_config.keywords.sections import CONTEXTS
from hapy_config.source import Source, Span
from hapy_config.words import WordError, split

_BLANKS: Final = " \t\r\v\f"
_PLAIN: Final = re.compile(r"""[^\s"'\\#$]+""")

# A variable keeps its place among a word's characters between these two; no configuration holds them.
_VARIABLE: Final = re.compile("\ue000([^\ue001]*)\ue001")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a section.

    Attributes:
        source, number: where it stands; the number counts from 1.
        place: its number among the lines of all files, from 0. part: the number of its section, from 1.
        section: the kind of section; name: its name.
        words: as HAProxy reads them, variables kept apart. raw: the same as written, quotes and all.
        indent: the blanks before it. comment: what stands behind it, from its `#` on, or empty.
    """

    source: Source
    number: int
    place: int
    part: int
    section: str
    name: str
    words: tuple[str, ...]
    raw: tuple[str, ...]
    indent: str
    comment: str

    @property
    def span(self) -> Span:
        """The whole line's place."""
        text = self.source.lines[self.number - 1]
        begin = len(self.indent) + 1
        return Span(self.source.name, self.number, begin, max(begin, len(text.rstrip(_BLANKS)) + 1))

    def tail(self, first: int) -> str:
        """The words from `first` on as written, a blank before each."""
        return "".join(f" {word}" for word in self.raw[first:])


def read_lines(*sources: Source) -> Iterator[Line]:
    """Every line of files that has words, section headers included, lines in `.if` blocks too."""
    before = part = 0
    for source in sources:
        kind = name = ""
        for number, text in enumerate(source.lines, 1):
            try:
                words, columns = split(text, lambda variable: f"\ue000{variable}\ue001")
            except WordError:
                continue
            if not words:
                continue
            if words[0] in CONTEXTS:
                kind = words[0]
                name = words[1] if len(words) > 1 else ""
                part += 1
            places = list(dict.fromkeys(columns))
            raw = tuple(text[start - 1 : end - 1] for start, end in places)
            if len(raw) != len(words):
                continue  # one variable that stands for several words: such a line is not looked into
            rest = text[places[-1][1] - 1 :].strip(_BLANKS)
            yield Line(
                source,
                number,
                before + number - 1,
                part,
                kind,
                name,
                tuple(words),
                raw,
                text[: len(text) - len(text.lstrip(" \t"))],
                rest if rest.startswith("#") else "",
            )
        before += len(source.lines)


def write(word: str) -> str:
    """A word as it must be written to be read as `word`."""
    if _VARIABLE.search(word):
        escaped = re.sub(r'(["\\$])', r"\\\1", word)
        return '"' + _VARIABLE.sub(lambda match: "${" + match[1] + "}", escaped) + '"'
    if _PLAIN.fullmatch(word):
        return word
    if "'" not in word:
        return f"'{word}'"
    return '"' + re.sub(r'(["\\$])', r"\\\1", word) + '"'


def literal(text: str) -> str:
    """Text as it stands in a log format."""
    return text.replace("%", "%%")


def joined(words: Sequence[str]) -> str:
    """A line of words, each written as it must be."""
    return " ".join(map(write, words))


def pattern(text: str) -> str:
    """A pattern of an ACL as one word; one that could be taken for an option has `--` before it."""
    return f"-- {write(text)}" if text.startswith("-") else write(text)

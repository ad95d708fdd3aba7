"""`# hapy: ignore CODE[,CODE]`: findings that the author of a file has seen and accepted.

At the end of a line it speaks of that line, on a line of its own of the next one that holds something. A code may be a
prefix (`unknown` for all that begin so). Behind the codes a reason may stand (`ignore verify-none on the same host`). A
misspelt code is a warning, one that silences nothing an advice (but where it was not looked for: behind an error, or on
a machine that has what another one lacks).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from hapy_config.build.comments import find_comments
from hapy_config.codes import catalogue, matching, nearest
from hapy_config.codes.spec import Kind
from hapy_config.diagnostics import Diagnostic, Severity
from hapy_config.source import Source, Span

_IGNORE = re.compile(r"[ \t]*ignore(?![\w-])[ \t:]*(.*)")
_CODE = re.compile(r"[^\s,]+")


@dataclass(frozen=True, slots=True)
class Ignored:
    """Findings told apart.

    Attributes:
        kept: what is to be shown, with what is to be said of the comments themselves.
        silenced: the rest.
    """

    kept: tuple[Diagnostic, ...]
    silenced: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class _Comment:
    """One code of one comment: its place, the line it speaks of, and the codes it covers."""

    span: Span
    line: int
    word: str
    codes: frozenset[str]


def without_ignored(
    findings: Iterable[Diagnostic], sources: Sequence[Source], sought: Collection[Kind] = tuple(Kind)
) -> Ignored:
    """Take out what the comments in the files silence.

    Args:
        findings: all there are.
        sources: the files.
        sought: what was looked for in full: only of comments about these can be said that they silence nothing.
    """
    comments = [comment for source in sources for comment in _comments(source)]
    if not comments:
        return Ignored(tuple(findings), ())
    by_line: dict[tuple[str, int], list[_Comment]] = {}
    for comment in comments:
        by_line.setdefault((comment.span.file, comment.line), []).append(comment)
    kept: list[Diagnostic] = []
    silenced: list[Diagnostic] = []
    used: set[_Comment] = set()
    for found in findings:
        own = by_line.get((found.span.file, found.span.line), ())
        matched = [comment for comment in own if found.code in comment.codes]
        used.update(matched)
        (silenced if matched else kept).append(found)
    kept += (_about(comment) for comment in comments if comment not in used and _is_idle(comment, sought))
    return Ignored(tuple(kept), tuple(silenced))


def _comments(source: Source) -> list[_Comment]:
    found: list[_Comment] = []
    for number, match in find_comments(source, ignores=True).items():
        parsed = _IGNORE.fullmatch(match[1].rstrip())
        if parsed is None:
            continue
        own = bool(source.lines[number - 1][: match.start()].strip())
        line = number if own else _next_line(source, number)
        base = match.start(1) + parsed.start(1)
        words = [(word[0], base + word.start()) for word in _codes(parsed[1])]
        for word, column in words or [("", match.start())]:
            span = Span(source.name, number, column + 1, column + 1 + max(len(word), 1))
            found.append(_Comment(span, line, word, frozenset(matching(word)) if word else frozenset()))
    return found


def _codes(text: str) -> Iterator[re.Match[str]]:
    """The words that are codes, or misspelt ones; what follows without a comma and looks like none is a reason."""
    end = 0
    for word in _CODE.finditer(text):
        listed = end == 0 or "," in text[end : word.start()]
        if not listed and "-" not in word[0].strip("-") and not matching(word[0]):
            return
        end = word.end()
        yield word


def _next_line(source: Source, number: int) -> int:
    """The line that a comment on a line of its own speaks of."""
    for index in range(number, len(source.lines)):
        text = source.lines[index].strip()
        if text and not text.startswith("#"):
            return index + 1
    return number


def _is_idle(comment: _Comment, sought: Collection[Kind]) -> bool:
    """Whether a comment that silenced nothing had something to silence, had it been there."""
    known = catalogue()
    return not comment.codes or any(known[code].kind in sought for code in comment.codes)


def _about(comment: _Comment) -> Diagnostic:
    """What is wrong with a comment that silences nothing."""
    if comment.codes:
        message = f"nothing on line {comment.line} has the code '{comment.word}'"
        return Diagnostic("unused-ignore", Severity.NOTICE, comment.span, message, "remove it")
    if not comment.word:
        message, hint = "'ignore' names no code", "write the code that stands in brackets behind the finding"
    else:
        near = nearest(comment.word)
        message = f"there is no code '{comment.word}'"
        hint = f"did you mean '{near}'?" if near else "'hapy check --codes' lists them"
    return Diagnostic("unknown-code", Severity.WARNING, comment.span, message, hint)

"""Edits that mend findings without changing what a configuration means, and how they are put into the text.

Only what is safe is here: HAProxy refuses the line as it is, or takes no notice of it, and the edit is what its own
message asks for. Whoever applies edits reads the result again and leaves out those that did not help (`mend`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Diagnostic, Fix, Severity
from hapy_config.source import Source, Span

if TYPE_CHECKING:
    from hapy_config.api import Result

#: Words that HAProxy knew and what stands for them today, with the same arguments.
_RENAMED: Final = {
    "clitimeout": "timeout client",
    "contimeout": "timeout connect",
    "srvtimeout": "timeout server",
    "redisp": "option redispatch",
    "redispatch": "option redispatch",
    "block": "http-request deny",
}
#: Statements that did something once and may go.
_GONE: Final = (("nbproc",), ("option", "http-tunnel"), ("option", "http-use-htx"), ("grace",))
_FORCECLOSE: Final = ("option", "forceclose")

_DID_YOU_MEAN: Final = re.compile(r"did you mean '([^']+)'\?")
_TIME: Final = re.compile(r"\d+(?:us|ms|s|m|h|d)?")
#: How alike a misspelt word and the one it is replaced by must be.
_ALIKE: Final = 0.8
_ROUNDS: Final = 5

#: Here the author's own names are compared: another server may be like this one and not be meant.
_NAMED: Final = frozenset(
    {
        "bad-track", "unknown-backend", "unknown-capture", "unknown-defaults", "unknown-engine", "unknown-member",
        "unknown-reference", "unknown-section", "unknown-server", "unknown-table",
    }
)  # fmt: skip


def fix_of(found: Diagnostic, source: Source) -> Fix | None:
    """The edit that mends a finding, or None where none is safe."""
    span = found.span
    if found.environment or not 1 <= span.line <= len(source.lines):
        return None
    if found.fix is not None:
        return found.fix
    line = source.lines[span.line - 1]
    if found.code == "missing-newline":
        return Fix(span, "\n")
    word = line[span.column - 1 : span.end - 1]
    near = _DID_YOU_MEAN.fullmatch(found.hint)
    if near is not None and (found.code in _NAMED or "no such ACL" in found.message):
        return None
    if near is not None:
        alike = difflib.SequenceMatcher(None, word, near[1]).ratio() >= _ALIKE
        return Fix(span, near[1]) if alike and word else None
    match found.code:
        case "removed-keyword":
            return _removed(found, line)
        case "deprecated" if line.split()[0] == "bind-process":
            return _whole_line(found, line)
        case "ignored-here":
            return _without_effect(found, line, word)
        case "duplicate" if found.severity is Severity.ERROR:  # an alert that HAProxy goes on after
            return _without_effect(found, line, word)
        case "time-suffix" if (time := _TIME.match(word)) is not None:
            return Fix(span, time[0])
        case "old-listen-address":
            return _listen_address(found, line)
    return None


def _removed(found: Diagnostic, line: str) -> Fix | None:
    words = tuple(line.split())
    if words[0] in _RENAMED:
        begin = line.index(words[0])
        return Fix(Span(found.span.file, found.span.line, begin + 1, begin + 1 + len(words[0])), _RENAMED[words[0]])
    if words[:2] == _FORCECLOSE:
        begin = line.index("forceclose")
        return Fix(Span(found.span.file, found.span.line, begin + 1, begin + 1 + len("forceclose")), "httpclose")
    if any(words[: len(gone)] == gone for gone in _GONE):
        return _whole_line(found, line)
    return None


def _whole_line(found: Diagnostic, line: str) -> Fix:
    """Take a statement away, and its line where nothing else is on it."""
    code = line.partition("#")[0].rstrip()
    return Fix(Span(found.span.file, found.span.line, 1, len(code) + 1), "")


def _without_effect(found: Diagnostic, line: str, word: str) -> Fix | None:
    """A line that HAProxy says it ignores."""
    is_whole = word.strip() == line.partition("#")[0].strip()
    return _whole_line(found, line) if is_whole and '"' not in line and "'" not in line else None


def _listen_address(found: Diagnostic, line: str) -> Fix | None:
    """`listen NAME ADDRESS …` to a header and a bind line."""
    if "#" in line or '"' in line or "'" in line:
        return None
    begin = found.span.column - 1
    head = line[:begin].rstrip()
    rest = line[begin:].rstrip()
    return Fix(Span(found.span.file, found.span.line, len(head) + 1, len(line) + 1), f"\n    bind {rest}")


def edited(source: Source, fixes: Iterable[Fix]) -> Source:
    """A source with edits made; of two that overlap the first is made."""
    lines: list[str | None] = list(source.lines)
    complete = source.ends_with_newline
    last: tuple[int, int] | None = None
    for fix in sorted(set(fixes), key=lambda one: (one.span.line, one.span.column), reverse=True):
        span = fix.span
        if last is not None and (span.line, span.end) > last:
            continue
        last = (span.line, span.column)
        if fix.text == "\n" and span.line == len(source.lines):
            complete = True
            continue
        line = lines[span.line - 1] or ""
        text = line[: span.column - 1] + fix.text + line[span.end - 1 :]
        lines[span.line - 1] = None if not fix.text and not text.strip() else text
    text = "\n".join(line for line in lines if line is not None)
    return Source.from_text(source.name, text + ("\n" if complete and text else ""))


def mend(
    result: Result, select: Callable[[Result], list[Diagnostic]], read: Callable[[Sequence[Source]], Result]
) -> dict[str, Source]:
    """Make all safe edits, and those that only then become possible.

    Args:
        result: the configuration as it is.
        select: gives the findings of a configuration that are to be mended.
        read: reads a configuration whose sources are in memory.

    Returns:
        The sources that changed, by name. No edit is among them that left its place wrong or brought more errors.
    """
    mending = _Mending(list(result.document.sources), read, _errors(result))
    for _ in range(_ROUNDS):
        edits: list[Fix] = []
        by_name = {source.name: source for source in mending.sources}
        for found in select(result):
            source = by_name.get(found.span.file)
            fix = fix_of(found, source) if source is not None else None
            if fix is not None and fix not in edits:
                edits.append(fix)
        edits.sort(key=lambda one: one.span, reverse=True)  # from the end, so that places stay right
        outcome = mending.make(edits)
        if outcome is None:
            break
        result = outcome
    old = {source.name: source.text for source in mending.before}
    return {source.name: source for source in mending.sources if source.text != old[source.name]}


class _Mending:
    """Sources on their way to better ones."""

    def __init__(self, sources: list[Source], read: Callable[[Sequence[Source]], Result], errors: int) -> None:
        self.before = sources
        self.sources = sources
        self._read = read
        self._errors = errors

    def make(self, edits: list[Fix]) -> Result | None:
        """Make those edits that help; None when none does."""
        if not edits:
            return None
        trial = [edited(source, (fix for fix in edits if fix.span.file == source.name)) for source in self.sources]
        if [source.text for source in trial] == [source.text for source in self.sources]:
            return None
        outcome = self._read(trial)
        if _errors(outcome) <= self._errors and not _still_wrong(edits, self.sources, outcome):
            self.sources, self._errors = trial, _errors(outcome)
            return outcome
        if len(edits) == 1:
            return None
        half = len(edits) // 2
        first = self.make(edits[:half])
        return self.make(edits[half:]) or first


def _still_wrong(edits: list[Fix], before: list[Source], outcome: Result) -> bool:
    """Whether an error stands where an edit was made."""
    wrong = {(found.span.file, found.span.line, found.span.column) for found in outcome.diagnostics if found.refuses}
    for source in before:
        shift = 0
        for fix in sorted((one for one in edits if one.span.file == source.name), key=lambda one: one.span):
            span = fix.span
            if (source.name, span.line + shift, span.column) in wrong:
                return True
            line = source.lines[span.line - 1]
            if not fix.text and not (line[: span.column - 1] + line[span.end - 1 :]).strip():
                shift -= 1
            elif fix.text != "\n":
                shift += fix.text.count("\n")
    return False


def _errors(result: Result) -> int:
    return sum(1 for found in result.diagnostics if found.refuses and not found.environment)

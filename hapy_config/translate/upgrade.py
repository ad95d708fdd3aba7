"""Old HAProxy configurations for a newer HAProxy: what has changed is rewritten line by line, everything else stays.

Layout and comments are kept. What can't be rewritten without knowing what was meant is left as it is and listed; so is
what the target version still refuses in the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hapy_config.api import read_config
from hapy_config.diagnostics import Severity
from hapy_config.keywords.spec import Version
from hapy_config.source import Source, Span
from hapy_config.translate.edits import Decide, Edit, Remove, Replace
from hapy_config.translate.lines import Line, read_lines
from hapy_config.translate.newer_words import step_back
from hapy_config.translate.old_order import in_order
from hapy_config.translate.old_rules import REWRITERS as RULES
from hapy_config.translate.old_settings import REWRITERS as SETTINGS
from hapy_config.translate.old_settings import several_processes, thread_of_process
from hapy_config.translate.report import Loss, Note, Translation

#: Since when the rules are there that the `reqrep` family becomes.
_RULES_SINCE: Final[Version] = (2, 1)
#: Since when there is one process.
_THREADS_SINCE: Final[Version] = (2, 5)
_PROXIES: Final = frozenset({"frontend", "backend", "listen", "defaults"})
_LISTENERS: Final = frozenset({"frontend", "listen"})
_DEFAULT_INDENT: Final = "    "


@dataclass(slots=True)
class _File:
    """A file being rewritten: for each of its lines what stands there now, and notes."""

    source: Source
    lines: list[list[str]]
    notes: list[Note] = field(default_factory=list)

    def text(self) -> str:
        """The new text; its last line ends."""
        return "".join(f"{line}\n" for lines in self.lines for line in lines)


def upgrade(sources: Sequence[Source], version: Version) -> Translation:
    """Rewrite a configuration for a HAProxy version.

    Args:
        sources: its files, in HAProxy's order.
        version: the version that shall take it.

    Returns:
        The new files. Notes with `Loss.LOST` are what a person must decide; those of the target's own verdict on the
        result have places in the new text.
    """
    files = [_rewrite(source, version) for source in sources]
    texts = {file.source.name: file.text() for file in files}
    notes = [note for file in files for note in file.notes]
    told = {(note.span.file, note.span.line) for note in notes if note.loss is Loss.LOST}
    for finding in _verdict(texts, version):
        origin = _origin(files, finding.span)
        if (origin.file, origin.line) not in told:
            notes.append(Note(origin, Loss.LOST, finding.text))
    return Translation(texts, tuple(notes))


def _verdict(texts: Mapping[str, str], version: Version) -> Iterator[Note]:
    """What the target refuses in the new files, but for what only this machine lacks."""

    def read(path: str) -> bytes:
        return texts[path].encode("utf-8", "surrogateescape")

    result = read_config(list(texts), read=read, target=version, assume_machine=True)
    for finding in result.diagnostics:
        if finding.severity is Severity.ERROR and not finding.environment:
            yield Note(finding.span, Loss.LOST, finding.message)


def _origin(files: Sequence[_File], span: Span) -> Span:
    """The place in the old file of a line of the new one."""
    for file in files:
        if file.source.name == span.file:
            last = 0
            for number, lines in enumerate(file.lines, 1):
                last += len(lines)
                if span.line <= last:
                    return Span(span.file, number)
    return span


def _rewrite(source: Source, version: Version) -> _File:
    file = _File(source, [[line] for line in source.lines])
    found = list(read_lines(source))
    late: list[tuple[Line, Replace]] = []
    for index, line in enumerate(found):
        if line.section in _PROXIES and line.words[0] == line.section:
            _header(file, line, found[index + 1 :])
            continue
        for edit in _edits(line, version, found):
            if isinstance(edit, Replace) and edit.behind:
                late.append((line, edit))
            else:
                _apply(file, line, edit, found)
    for line, edit in late:  # what they stand behind is where it will stay
        _apply(file, line, edit, found)
    if not source.ends_with_newline and source.lines:
        span = Span(source.name, len(source.lines), 1, len(source.lines[-1]) + 1)
        file.notes.append(Note(span, Loss.NONE, "the last line ends with a line feed now"))
    return file


def _edits(line: Line, version: Version, found: Sequence[Line]) -> Iterator[Edit]:
    first = line.words[0]
    if line.section in _PROXIES and first in RULES and version >= _RULES_SINCE:
        for edit in RULES[first](line):
            yield in_order(line, edit, found)
        return
    if line.words[:2] == ("cpu-map", "1") and version >= _THREADS_SINCE and any(map(several_processes, found)):
        yield thread_of_process(line)
        return
    if first in SETTINGS and version >= SETTINGS[first][0]:
        edits = list(SETTINGS[first][1](line))
        if edits:
            yield from edits
            return
    yield from step_back(line, version)


def _apply(file: _File, line: Line, edit: Edit, found: Sequence[Line]) -> None:
    comment = f"  {line.comment}" if line.comment else ""
    if isinstance(edit, Decide):
        file.notes.append(Note(line.span, Loss.LOST, edit.what))
    elif isinstance(edit, Remove):
        file.lines[line.number - 1] = [f"{line.indent}{line.comment}"] if line.comment else []
        file.notes.append(Note(line.span, Loss.NONE, f"'{' '.join(line.raw)}' is gone: {edit.why}"))
    else:
        new = [f"{line.indent}{edit.text}{comment}", *(f"{line.indent}{text}" for text in edit.more)]
        place, last = _place(line, edit, found), _last(line, edit, found)
        if place is not None:  # before the rules that it always ran before
            file.lines[line.number - 1] = []
            others = file.lines[place.number - 1]
            file.lines[place.number - 1] = [*others[:-1], *new, *others[-1:]]
        elif last is not None:
            file.lines[line.number - 1] = []
            file.lines[last.number - 1].extend(new)
        else:
            file.lines[line.number - 1] = new
        note = f"{edit.note}" if edit.note else "the same in today's words"
        file.notes.append(Note(line.span, Loss.NEAR if edit.note else Loss.NONE, f"becomes '{edit.text}': {note}"))


def _place(line: Line, edit: Replace, found: Sequence[Line]) -> Line | None:
    """The first rule of the same section and kind, where the new line must stand before it."""
    if not edit.first_of:
        return None
    for other in found:
        if other.number >= line.number:
            return None
        if (other.section, other.name) == (line.section, line.name) and other.words[0] == edit.first_of:
            return other
    return None


def _last(line: Line, edit: Replace, found: Sequence[Line]) -> Line | None:
    """The last rule below of the same section and kind, where the new line must stand behind it."""
    if not edit.last_of:
        return None
    below = [
        other
        for other in found
        if other.number > line.number
        and (other.section, other.name) == (line.section, line.name)
        and (other.words[0] == edit.last_of or other.number == edit.behind)
    ]
    return below[-1] if below else None


def _header(file: _File, line: Line, after: Sequence[Line]) -> None:
    """`listen NAME ADDRESS`: the address moves to a bind line."""
    if line.section not in _LISTENERS or len(line.words) < 3 or line.words[2] == "from":
        return
    indent = next(
        (other.indent for other in after[:1] if other.section == line.section and other.indent), _DEFAULT_INDENT
    )
    comment = f"  {line.comment}" if line.comment else ""
    file.lines[line.number - 1] = [
        f"{line.indent}{line.raw[0]} {line.raw[1]}{comment}",
        f"{indent}bind {' '.join(line.raw[2:])}",
    ]
    file.notes.append(Note(line.span, Loss.NONE, "the address stands on a bind line now"))

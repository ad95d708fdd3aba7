"""Old HAProxy configurations for a newer HAProxy: what has changed is rewritten line by line, everything else stays.

Layout and comments are kept. What can't be rewritten without knowing what was meant is left as it is and listed; so is
what the target version still refuses in the result.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from hapy_config.api import read_config
from hapy_config.keywords.proxies_removed import FIRST_NAMES
from hapy_config.keywords.spec import Version
from hapy_config.source import Source, Span
from hapy_config.targets import release
from hapy_config.translate import old_monitor
from hapy_config.translate.edits import Decide, Edit, Remove, Replace
from hapy_config.translate.lines import Line, read_lines
from hapy_config.translate.newer_words import step_back
from hapy_config.translate.old_defaults import changed_defaults
from hapy_config.translate.old_monitor import Guard, guards, is_old
from hapy_config.translate.old_order import in_order
from hapy_config.translate.old_rules import REWRITERS as RULES
from hapy_config.translate.old_settings import REWRITERS as SETTINGS
from hapy_config.translate.old_settings import misplaced, several_processes, thread_of_process
from hapy_config.translate.report import Loss, Note, Translation

#: Since when the rules are there that the `reqrep` family becomes.
_RULES_SINCE: Final[Version] = (2, 1)
#: Since when there is no `monitor-net`.
_MONITOR_NET_UNTIL: Final[Version] = (2, 3)
#: Since when there is one process.
_THREADS_SINCE: Final[Version] = (2, 5)
#: Since when `option http_proxy` is gone.
_NO_HTTP_PROXY_SINCE: Final[Version] = (2, 5)
#: Since when options that a section cannot use are refused.
_SIDES_MATTER: Final[Version] = (3, 2)
_PROXIES: Final = frozenset({"frontend", "backend", "listen", "defaults"})
_LISTENERS: Final = frozenset({"frontend", "listen"})
_DEFAULT_INDENT: Final = "    "


@dataclass(slots=True)
class _Work:
    """Files being rewritten.

    Attributes:
        found: what they hold. parts: the same by section.
        lines: for each of their lines, through all files, what stands there now.
    """

    sources: Sequence[Source]
    found: Sequence[Line]
    parts: Mapping[int, Sequence[Line]]
    lines: list[list[str]]
    notes: list[Note] = field(default_factory=list)

    def texts(self) -> dict[str, str]:
        """The new texts; their last lines end, all as the first one does."""
        lines = iter(self.lines)
        return {
            source.name: source.ended_alike(
                "".join(f"{line}\n" for now in itertools.islice(lines, len(source.lines)) for line in now)
            )
            for source in self.sources
        }


def upgrade(sources: Sequence[Source], version: Version) -> Translation:
    """Rewrite a configuration for a HAProxy version.

    Args:
        sources: its files, in HAProxy's order.
        version: the version that shall take it.

    Returns:
        The new files. Notes with `Loss.LOST` are what a person must decide; those of the target's own verdict on the
        result have places in the new text.
    """
    found = [_later_named(line) for line in read_lines(*sources)]
    parts: dict[int, list[Line]] = {}
    for line in found:
        parts.setdefault(line.part, []).append(line)
    work = _Work(sources, found, parts, [[line] for source in sources for line in source.lines])
    _rewrite(work, version)
    texts = work.texts()
    if version >= _RULES_SINCE:
        work.notes.extend(changed_defaults(found, version))
    names = [source.name for source in sources]
    notes = sorted(work.notes, key=lambda note: (names.index(note.span.file), note.span.line))
    told = {(note.span.file, note.span.line) for note in notes if note.loss is Loss.LOST}
    for finding in _verdict(texts, version):
        origin = _origin(work, finding.span)
        if (origin.file, origin.line) not in told:
            notes.append(Note(origin, Loss.LOST, finding.text))
    return Translation(texts, tuple(notes))


def _later_named(line: Line) -> Line:
    """A rule of the first versions under the name that it got."""
    name = FIRST_NAMES.get(line.words[0])
    return line if name is None else replace(line, words=(name, *line.words[1:]))


def _verdict(texts: Mapping[str, str], version: Version) -> Iterator[Note]:
    """What the target refuses in the new files, but for what only this machine lacks."""

    def read(path: str) -> bytes:
        return texts[path].encode("utf-8", "surrogateescape")

    result = read_config(list(texts), read=read, target=version, version=release(version), assume_machine=True)
    for finding in result.diagnostics:
        if finding.refuses and not finding.environment:
            yield Note(finding.span, Loss.LOST, finding.message)


def _origin(work: _Work, span: Span) -> Span:
    """The place in the old file of a line of the new one."""
    lines = iter(work.lines)
    for source in work.sources:
        last = 0
        for number, now in enumerate(itertools.islice(lines, len(source.lines)), 1):
            last += len(now)
            if source.name == span.file and span.line <= last:
                return Span(span.file, number)
    return span


def _rewrite(work: _Work, version: Version) -> None:
    found = work.found
    behind: list[tuple[Line, Replace]] = []
    first: list[tuple[Line, Replace]] = []
    for line, after in itertools.zip_longest(found, found[1:]):
        if line.section in _PROXIES and line.words[0] == line.section:
            _header(work, line, after)
            continue
        for edit in _edits(line, version, work):
            if isinstance(edit, Replace) and edit.first_of:
                first.append((line, edit))
            elif isinstance(edit, Replace) and edit.behind >= 0:
                behind.append((line, edit))
            else:
                _apply(work, line, edit)
    for line, edit in (*behind, *reversed(first)):  # what they stand behind, or before, is where it will stay
        _apply(work, line, edit)
    if version >= _MONITOR_NET_UNTIL:
        for guard in guards(work.parts):
            _put_first(work, guard)
    for source in work.sources:
        if not source.ends_with_newline and source.lines:
            span = Span(source.name, len(source.lines), 1, len(source.lines[-1]) + 1)
            work.notes.append(Note(span, Loss.NONE, "the last line ends with a line feed now"))


def _first(work: _Work, ruleset: str, places: range) -> tuple[int, int] | None:
    """Where the first rule of a kind stands now: its place, and its number there."""
    words = ruleset.split()
    for place in places:
        for index, text in enumerate(work.lines[place]):
            if text.split()[: len(words)] == words:
                return place, index
    return None


def _put_first(work: _Work, guard: Guard) -> None:
    """Write rules before all of their kind in a section."""
    lines = work.parts[guard.part]
    first = _first(work, guard.ruleset, range(lines[0].place, lines[-1].place + 1))
    if first is None and not guard.needed:
        return
    indent = next((line.indent for line in lines[1:] if line.indent), _DEFAULT_INDENT)
    if first is None:
        binds = [line.place for line in lines if line.words[0] == "bind"]
        own = [line.place for line in lines if line.place == guard.origin]
        place = (*own, *binds[-1:], lines[0].place)[0]
        first = place, len(work.lines[place])
    work.lines[first[0]][first[1] : first[1]] = [f"{indent}{rule}" for rule in guard.rules]


def _edits(line: Line, version: Version, work: _Work) -> Iterator[Edit]:
    first = line.words[0]
    if line.section in _PROXIES and first in RULES and version >= _RULES_SINCE:
        for edit in RULES[first](line):
            yield in_order(line, edit, work.found)
        return
    if version >= _MONITOR_NET_UNTIL and (is_old(line) or line.words[:2] == ("monitor", "fail")):
        yield from old_monitor.edits(line, work.parts)
        return
    if line.words[:2] == ("cpu-map", "1") and version >= _THREADS_SINCE and any(map(several_processes, work.found)):
        yield thread_of_process(line)
        return
    if version >= _SIDES_MATTER and misplaced(line):
        yield Remove(f"it does nothing in a {line.section}")
        return
    if version < _NO_HTTP_PROXY_SINCE and line.words[:2] == ("option", "http_proxy"):
        return
    if first in SETTINGS and version >= SETTINGS[first][0]:
        edits = list(SETTINGS[first][1](line))
        if edits:
            yield from edits
            return
    yield from step_back(line, version)


def _apply(work: _Work, line: Line, edit: Edit) -> None:
    comment = f"  {line.comment}" if line.comment else ""
    if isinstance(edit, Decide):
        work.notes.append(Note(line.span, Loss.LOST, edit.what))
    elif isinstance(edit, Remove):
        work.lines[line.place] = [f"{line.indent}{line.comment}"] if line.comment else []
        work.notes.append(Note(line.span, edit.loss, f"'{' '.join(line.raw)}' is gone: {edit.why}"))
    else:
        new = [f"{line.indent}{edit.text}{comment}", *(f"{line.indent}{text}" for text in edit.more)]
        first = (
            _first(work, edit.first_of, range(work.parts[line.part][0].place, line.place)) if edit.first_of else None
        )
        last = _last(line, edit, work.parts[line.part])
        if first is not None:  # before the rules that it always ran before
            work.lines[line.place] = []
            work.lines[first[0]][first[1] : first[1]] = new
        elif last is not None:
            work.lines[line.place] = []
            work.lines[last.place].extend(new)
        else:
            work.lines[line.place] = new
        note = f"{edit.note}" if edit.note else "the same in today's words"
        work.notes.append(Note(line.span, Loss.NEAR if edit.note else Loss.NONE, f"becomes '{edit.text}': {note}"))


def _last(line: Line, edit: Replace, section: Sequence[Line]) -> Line | None:
    """The last rule below of the same section and kind, where the new line must stand behind it."""
    if not edit.last_of:
        return None
    below = [
        other
        for other in section
        if other.place > line.place and (other.words[0] == edit.last_of or other.place == edit.behind)
    ]
    return below[-1] if below else None


def _header(work: _Work, line: Line, after: Line | None) -> None:
    """`listen NAME ADDRESS`: the address moves to a bind line."""
    if line.section not in _LISTENERS or len(line.words) < 3 or line.words[2] == "from":
        return
    indent = (after.indent if after is not None and after.part == line.part else "") or _DEFAULT_INDENT
    comment = f"  {line.comment}" if line.comment else ""
    work.lines[line.place] = [
        f"{line.indent}{line.raw[0]} {line.raw[1]}{comment}",
        f"{indent}bind {' '.join(line.raw[2:])}",
    ]
    work.notes.append(Note(line.span, Loss.NONE, "the address stands on a bind line now"))

"""The findings of a configuration as they are told: their kind, what was left out, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hapy_config import Diagnostic, Severity
from hapy_config.codes import matching
from hapy_config.codes.spec import Kind
from hapy_config.fixes import fix_of
from hapy_config.hints import Hints
from hapy_config.suppress import without_ignored

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hapy_config import Result
    from hapy_config.diagnostics import Fix
    from hapy_config.source import Source

#: Exit statuses, HAProxy's own.
VALID: Final = 0
REFUSED: Final = 1
NOTHING_LISTENS: Final = 2
BAD_USAGE: Final = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Attributes:
        select: codes or prefixes; only these are told. Empty: all.
        ignore: codes or prefixes that are not told.
        environment: what this machine lacks counts as an error.
        strict: warnings count as errors.
        lint: advice on what is valid.
        not_run: what hapy does not run.
        quiet: errors alone.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    environment: bool = False
    strict: bool = False
    lint: bool = True
    not_run: bool = True
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding, its kind, and the edit that mends it."""

    kind: Kind
    found: Diagnostic
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """All there is to tell.

    Attributes:
        entries: the findings in the order of the files and lines.
        sources: the files by name.
        silenced: how many findings `--ignore`, `--select` and comments took out.
        refusals: how many of those are errors: HAProxy refuses the files.
        status: the exit status.
        has_listener: whether anything would listen.
        target: the HAProxy version whose verdict it is, as `2.6`.
    """

    entries: tuple[Entry, ...]
    sources: dict[str, Source]
    silenced: int
    refusals: int
    status: int
    has_listener: bool
    target: str

    def count(self, *kinds: Kind) -> int:
        """How many findings are of these kinds."""
        return sum(1 for entry in self.entries if entry.kind in kinds)

    @property
    def stopping(self) -> int:
        """How many of the things that hapy does not run stop its start."""
        return sum(1 for one in self.entries if one.kind is Kind.NOT_RUN and one.found.severity is Severity.ERROR)


def report(result: Result, wanted: Wanted, target: str) -> Report:
    """Gather what a configuration's findings come to."""
    sources = {source.name: source for source in result.document.sources}
    advice: Iterable[Diagnostic] = ()
    if wanted.lint:
        from hapy_config.lint import lint

        advice = lint(result)
    hints = Hints(result.document)
    gathered: list[tuple[Kind, Diagnostic]] = [(_kind(one, wanted), hints.hinted(one)) for one in result.diagnostics]
    gathered += ((Kind.ADVICE, one) for one in advice)
    if wanted.not_run:
        gathered += ((Kind.NOT_RUN, one) for one in result.not_run if one.severity is not Severity.NOTICE)
    gathered += ((Kind.ERROR, one) for one in _zero_warning(result))
    kinds = {id(found): kind for kind, found in gathered}
    ignored = without_ignored((found for _, found in gathered), result.document.sources, _sought(result, wanted))
    selected, left_out = _chosen(ignored.kept, wanted)
    entries = [_entry(kinds.get(id(found)) or _kind(found, wanted), found, sources) for found in selected]
    order = {name: index for index, name in enumerate(sources)}
    entries.sort(key=lambda one: _place(one, order))
    failing = {Kind.ERROR, Kind.WARNING} if wanted.strict else {Kind.ERROR}
    if any(entry.kind in failing for entry in entries):
        status = REFUSED
    else:
        status = VALID if result.has_listener else NOTHING_LISTENS
    if wanted.quiet:
        entries = [entry for entry in entries if entry.kind is Kind.ERROR]
    silenced = len(ignored.silenced) + left_out
    refusals = sum(kind is Kind.ERROR for kind, _ in gathered) - sum(
        kinds.get(id(found)) is Kind.ERROR for found in selected
    )
    return Report(tuple(entries), sources, silenced, refusals, status, result.has_listener, target)


def _sought(result: Result, wanted: Wanted) -> set[Kind]:
    """What was looked for in full. What a machine lacks depends on the machine."""
    if result.config is None:
        return set()
    sought = {Kind.ERROR, Kind.WARNING}
    return sought | ({Kind.ADVICE} if wanted.lint else set()) | ({Kind.NOT_RUN} if wanted.not_run else set())


def _zero_warning(result: Result) -> Iterable[Diagnostic]:
    """The refusal of a file that asks for it: `zero-warning` in its global section, and warnings."""
    if not any(found.severity is Severity.WARNING for found in result.diagnostics):
        return
    for section in result.document.sections:
        for statement in section.statements if section.kind == "global" else ():
            if statement.words[0] == "zero-warning":
                message = "Some warnings were found and 'zero-warning' is set"
                hint = "mend what is warned of, or take this line out"
                yield Diagnostic("zero-warning", Severity.ERROR, statement.span(0), message, hint)
                return


def _entry(kind: Kind, found: Diagnostic, sources: dict[str, Source]) -> Entry:
    source = sources.get(found.span.file)
    return Entry(kind, found, fix_of(found, source) if source is not None else None)


def _kind(found: Diagnostic, wanted: Wanted) -> Kind:
    # A configuration file that can't be opened is no matter of where it will run.
    if found.environment and found.span.line:
        refuses = found.refuses and wanted.environment
        return Kind.ERROR if refuses else Kind.ENVIRONMENT
    if found.severity is Severity.ERROR:
        return Kind.ERROR if found.fatal else Kind.WARNING
    return Kind.WARNING if found.severity is Severity.WARNING else Kind.ADVICE


def _place(entry: Entry, order: dict[str, int]) -> tuple[int, int, int]:
    span = entry.found.span
    return order.get(span.file, len(order)), span.line, span.column


def _chosen(findings: Sequence[Diagnostic], wanted: Wanted) -> tuple[list[Diagnostic], int]:
    """What `--select` and `--ignore` leave, and how many they take out."""
    if not wanted.select and not wanted.ignore:
        return list(findings), 0
    select = {code for word in wanted.select for code in matching(word)}
    ignore = {code for word in wanted.ignore for code in matching(word)}
    kept = [one for one in findings if (not wanted.select or one.code in select) and one.code not in ignore]
    return kept, len(findings) - len(kept)

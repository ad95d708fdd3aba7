"""Stories and walks on a terminal: wrapped to its width (80 columns at most), coloured only there."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.text import Text

from hapy.explain.values import text

if TYPE_CHECKING:
    from hapy.explain.findings import Stage, Step, Walk
    from hapy.explain.story import Chapter

_WIDEST: Final = 80
_INDENT: Final = 2
_LABEL: Final = 20

#: Before a rule: it was met, it was not, it is not run.
_MARKS: Final = {True: ("✓", "green"), False: ("·", "dim"), None: ("!", "magenta")}


def _console() -> Console:
    width = min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST)
    return Console(width=max(width, 40), highlight=False, markup=False, emoji=False, soft_wrap=False)


def print_story(chapters: Sequence[Chapter]) -> None:
    """Print what a configuration does."""
    console = _console()
    for number, chapter in enumerate(chapters):
        if number:
            console.print()
        title = Text(chapter.title, "bold")
        if chapter.place:
            title.append(f"  {chapter.place}", "not bold dim")
        console.print(title)
        for label, sentences in chapter.paragraphs:
            _paragraph(console, label, sentences)


def _paragraph(console: Console, label: str, sentences: Iterable[str]) -> None:
    """A label in the left column, its sentences in the right one."""
    left = f"{'':{_INDENT}}{label:<{_LABEL}}"
    for sentence in sentences:
        _hanging(console, Text(left, "cyan"), Text(sentence))
        left = " " * len(left)


def _hanging(console: Console, left: Text, right: Text) -> None:
    """Text beside what stands left of it, its further lines under its first."""
    room = console.width - left.cell_len
    for line in right.wrap(console, room) or [Text()]:
        row = left.copy()
        row.append_text(line)
        row.rstrip()
        console.print(row, no_wrap=True, crop=False, overflow="ignore")
        left = Text(" " * left.cell_len)


def print_walk(walk: Walk) -> None:
    """Print what became of a request."""
    console = _console()
    _paragraph(console, "comes in by", [f"frontend {walk.frontend}, {walk.listener}, mode {walk.mode}"])
    for stage in walk.stages:
        console.print()
        _stage(console, stage)
    console.print()
    if walk.backend is not None:
        _paragraph(console, "backend", [walk.backend])
    if walk.candidates:
        _paragraph(console, "servers", [_candidates(walk)])
    if walk.outcome == "server":
        _server(console, walk)
    else:
        _paragraph(console, "outcome", [_sentence(walk.reason)])
        if walk.answer is not None:
            _block(console, "answer", walk.answer.head, walk.answer.body)
    if walk.variables:
        _paragraph(console, "variables", [f"{name} = {value}" for name, value in walk.variables.items()])


def _candidates(walk: Walk) -> str:
    return ", ".join(f"{one.name} ({one.address})" for one in walk.candidates)


def _server(console: Console, walk: Walk) -> None:
    _paragraph(console, "server", [f"{walk.server}: {walk.how}"])
    if walk.request:
        _block(console, "the server gets", walk.request, b"")
    _paragraph(console, "pool key", [f"{name}: {value}" for name, value in walk.key])
    _paragraph(console, "shared connection?", walk.sharing)
    if walk.later:
        _paragraph(console, "its answer meets", walk.later)


def _stage(console: Console, stage: Stage) -> None:
    console.print(Text(f"{'':{_INDENT}}{stage.title}", "bold"))
    for step in stage.steps:
        _step(console, step)


def _step(console: Console, step: Step) -> None:
    mark, style = _MARKS[step.applied]
    left = Text(f"{step.span.line or '':>6} ", "dim")
    left.append(f"{mark} ", style)
    _hanging(console, left, Text(step.line, "" if step.applied else "dim"))
    for test in step.tests:
        seen = ", ".join(f"{name} = {value}" for name, value in test.seen)
        line = Text(f"{test.name} is ", "dim")
        line.append("true" if test.holds else "false", "green" if test.holds else "red")
        if seen:
            line.append(f": {seen}", "dim")
        _hanging(console, Text(" " * 11), line)
    for effect in step.effects:
        _hanging(console, Text("         → ", "yellow"), Text(effect, "yellow"))


def _block(console: Console, label: str, head: bytes, body: bytes) -> None:
    """A message, line by line."""
    lines = text(head).rstrip("\r\n").split("\r\n")
    if body:
        shown = text(body)
        lines += ["", *shown.splitlines()[:_BODY_LINES]]
    _paragraph(console, label, lines)


_BODY_LINES: Final = 10


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."

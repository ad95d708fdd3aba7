"""The report for people: 80 columns, colours on a terminal."""

from __future__ import annotations

import bisect
import os
import shutil
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final, TextIO

from hapy.report.findings import REFUSED
from hapy.report.message import one_line
from hapy_config import Severity
from hapy_config.codes.spec import Kind

if TYPE_CHECKING:
    from hapy.report.findings import Entry, Report

WIDTH: Final = 80
_WIDEST: Final = 120

#: What each kind is called, and the colour it is shown in.
_TITLES: Final = {
    Kind.ERROR: ("error", "bold red"),
    Kind.WARNING: ("warning", "bold yellow"),
    Kind.ENVIRONMENT: ("environment", "bold blue"),
    Kind.ADVICE: ("advice", "bold cyan"),
    Kind.NOT_RUN: ("not run", "bold magenta"),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of output: text in a style."""

    text: str
    style: str = ""


Line = list[Piece]


def width_of(stream: TextIO) -> int:
    """How many columns to write to a stream: the terminal's, within bounds, else 80."""
    if not stream.isatty() and "COLUMNS" not in os.environ:
        return WIDTH
    return max(40, min(shutil.get_terminal_size((WIDTH, 24)).columns, _WIDEST))


def lines(report: Report, width: int = WIDTH, *, summed: bool = True) -> Iterator[Line]:
    """The report line by line, with the verdict at the end or without."""
    more = Counter(_same(entry) for entry in report.entries if entry.kind is Kind.NOT_RUN)
    for entry in report.entries:
        if entry.kind is not Kind.NOT_RUN:
            yield from _finding(entry, report, width)
        elif count := more.pop(_same(entry), 0):
            yield from _finding(entry, report, width, count - 1)
    if summed:
        (whole,) = summary(report)
        for part in textwrap.wrap(whole.text, width, subsequent_indent="    ", break_on_hyphens=False):
            yield [Piece(part, whole.style)]


def _same(entry: Entry) -> tuple[str, str]:
    """What is told once, however often it stands in the files."""
    return entry.found.code, entry.found.message


def _finding(entry: Entry, report: Report, width: int, more: int = 0) -> Iterator[Line]:
    found = entry.found
    span = found.span
    title, style = _TITLES[entry.kind]
    if entry.kind is Kind.ADVICE and found.severity is Severity.WARNING:
        title, style = "risk", "bold yellow"
    where = f"{span.file}:{span.line}:{span.column}: " if span.line else f"{span.file}: " if span.file else ""
    head = f"{where}{title}: "
    message = f"{one_line(found.message)} [{found.code}]"
    wrapped = textwrap.wrap(
        message,
        width - _columns(message)[-1] + len(message),  # some letters take two columns
        initial_indent=" " * len(head),
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    for number, text in enumerate(wrapped):
        code = f"[{found.code}]"
        dim = [Piece(code, "dim")] if text.endswith(code) and number == len(wrapped) - 1 else []
        body = text.removesuffix(code) if dim else text
        if number:
            yield [Piece(body), *dim]
        else:
            yield [Piece(where, "bold"), Piece(f"{title}: ", style), Piece(body.strip(" ") + " " * bool(dim)), *dim]
    yield from _source_line(entry, report, style, width)
    if more:
        yield [Piece(f"      = and {more} more {'time' if more == 1 else 'times'}", "dim")]
    if found.hint:
        mended = " (--fix does)" if entry.fix is not None else ""
        yield from _hint(f"{found.hint}{mended}", width)
    elif entry.fix is not None:
        yield from _hint("--fix mends it", width)


def _hint(text: str, width: int) -> Iterator[Line]:
    room = width - 8
    fits = len(text) <= room and text.isprintable()
    parts = (text,) if fits else textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)
    for number, part in enumerate(parts):
        yield [Piece("      = " if not number else "        ", "dim"), Piece(part, "green")]


def _source_line(entry: Entry, report: Report, style: str, width: int) -> Iterator[Line]:
    """The line as it stands in the file, and the place marked below it."""
    span = entry.found.span
    source = report.sources.get(span.file)
    if source is None or not 1 <= span.line <= len(source.lines):
        return
    text = source.lines[span.line - 1].rstrip("\r")
    shown, lead, mark = _window(text, max(span.column, 1) - 1, max(span.end - span.column, 1), width - 8)
    yield [Piece(f"{span.line:5} | ", "dim"), Piece(shown)]
    yield [Piece("      | ", "dim"), Piece(lead), Piece("^" * mark, style)]


def _window(text: str, begin: int, length: int, width: int) -> tuple[str, str, int]:
    """A long line cut to what surrounds the place; the text, the blanks before the mark, and the mark's length.

    Columns are those of a terminal: some letters take two, some none.
    """
    if not text.isprintable():
        text = "".join(one if one.isprintable() else " " if one == "\t" else "·" for one in text)
    columns = _columns(text)
    begin = min(begin, len(text))
    start, stop, left = 0, len(text), 0
    shown = text
    if columns[-1] > width:
        start = bisect.bisect_left(columns, max(0, min(columns[begin] - 20, columns[-1] - width)))
        stop = bisect.bisect_right(columns, columns[start] + width) - 1
        shown = text[start:stop]
        if start:
            shown = f"…{shown[1:]}"
            left = columns[start + 1] - 1
        if stop < len(text):
            shown = f"{shown[:-1]}…"
    end = max(begin, min(begin + length, stop))
    return shown, " " * (columns[begin] - left), max(1, columns[end] - columns[begin])


def _columns(text: str) -> Sequence[int]:
    """The column that each character begins at, and the one behind the last."""
    if text.isascii():
        return range(len(text) + 1)
    from rich.cells import get_character_cell_size

    return (0, *accumulate(map(get_character_cell_size, text)))


def summary(report: Report) -> Line:
    """The last line: the verdict and the numbers."""
    counted = (
        (report.count(Kind.ERROR), "error", "errors"),
        (report.count(Kind.WARNING), "warning", "warnings"),
        (report.count(Kind.ADVICE), "piece of advice", "pieces of advice"),
        (report.count(Kind.ENVIRONMENT), "thing missing here", "things missing here"),
    )
    counts = ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in counted if count)
    refused = report.status == REFUSED
    text = f"{'refused' if refused else 'valid'}{': ' if counts else ''}{counts}"
    if not refused and not report.has_listener:
        text += "; nothing listens"
    stopping = report.stopping
    if stopping and not refused:
        text += f"; {stopping} not run by hapy (starts with --lenient)"
    if report.silenced:
        text += f"; {report.silenced} ignored"
    if report.refusals and not refused:
        text += f", {report.refusals} of them {'an error' if report.refusals == 1 else 'errors'} to HAProxy"
    return [Piece(text, "bold red" if refused else "bold green")]


def printable(text: str) -> str:
    """Text with bytes that are no UTF-8 made visible."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def write(report_lines: Iterable[Line], stream: TextIO) -> None:
    """Print, in colours where a person reads, or where `FORCE_COLOR` asks for them; `NO_COLOR` turns them off."""
    forced = bool(os.environ.get("FORCE_COLOR"))
    if os.environ.get("NO_COLOR") or not (forced or stream.isatty()):
        stream.writelines(
            f"{printable(''.join([piece.text for piece in pieces])).rstrip()}\n" for pieces in report_lines
        )
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False, soft_wrap=True, force_terminal=forced or None)
    for pieces in report_lines:
        text = Text()
        for piece in pieces:
            text.append(printable(piece.text), piece.style)
        console.print(text)

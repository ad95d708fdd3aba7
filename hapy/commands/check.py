"""`hapy check FILE…`: every problem of a configuration at once, each with its place, its reason and what to do.

The verdict is HAProxy's: 0 when it would accept the files (warnings or not), 1 when it would refuse them. What hapy
knows and does not run is told apart and does not change the verdict.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TextIO

from hapy import features
from hapy_config import Severity, read_config

if TYPE_CHECKING:
    from hapy_config import Diagnostic, Result

#: What each level is called, and the colour it is shown in.
_LEVELS: Final = {
    Severity.ERROR: ("error", "bold red"),
    Severity.WARNING: ("warning", "bold yellow"),
    Severity.NOTICE: ("note", "bold cyan"),
    Severity.DIAG: ("note", "bold cyan"),
}
_NOT_RUN: Final = ("not run", "bold magenta")


@dataclass(frozen=True, slots=True)
class _Line:
    """A piece of output: text in a style."""

    text: str
    style: str = ""


def main(words: list[str]) -> int:
    """Run the command; gives the exit status."""
    options = _parser().parse_args(words)
    result = read_config(
        options.files,
        env={**os.environ, **_local_peer(options.local_peer)},
        features=features.have(),
        ssl_library=features.ssl_library(),
        local_peer=options.local_peer,
        lookup=_resolves if options.names else None,
    )
    report = _Report(result, with_lint=not options.no_lint, with_not_run=not options.haproxy)
    _print(report.lines(quiet=options.quiet), sys.stdout)
    return 1 if report.errors or (options.strict and report.warnings) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hapy check",
        description="Report every mistake in a configuration, with its place and a fix.",
        epilog="The exit status is 0 when HAProxy would take the files, 1 when it would refuse them, 2 for bad usage.",
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a file, a directory of *.cfg files, or - (standard input)"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors")
    parser.add_argument("-L", dest="local_peer", metavar="NAME", help="this process's name among peers")
    parser.add_argument("--strict", action="store_true", help="warnings too make the command fail")
    parser.add_argument("--names", action="store_true", help="look host names up, as a start would")
    parser.add_argument("--haproxy", action="store_true", help="leave out what hapy knows and does not run")
    parser.add_argument("--no-lint", action="store_true", help="leave out advice on what is valid")
    return parser


def _local_peer(name: str | None) -> dict[str, str]:
    return {} if name is None else {"HAPROXY_LOCALPEER": name}


def _resolves(name: str, family: str) -> bool:
    """Whether the system knows an address of that name."""
    import socket

    families = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
    try:
        return bool(socket.getaddrinfo(name, None, families.get(family, socket.AF_UNSPEC), socket.SOCK_STREAM))
    except (OSError, UnicodeError):
        return False


class _Report:
    """What is printed of a result."""

    def __init__(self, result: Result, *, with_lint: bool, with_not_run: bool) -> None:
        self.result = result
        self.sources = {source.name: source for source in result.document.sources}
        self.findings = list(result.diagnostics)
        if with_lint:
            from hapy_config.lint import lint

            self.findings.extend(lint(result))
        self.not_run = list(result.not_run) if with_not_run else []
        self.errors = sum(1 for found in self.findings if found.severity is Severity.ERROR)
        self.warnings = sum(1 for found in self.findings if found.severity is Severity.WARNING)

    def lines(self, *, quiet: bool) -> Iterator[list[_Line]]:
        """The output, line by line, each line in pieces."""
        order = {name: index for index, name in enumerate(self.sources)}

        def place(found: Diagnostic) -> tuple[int, int, int]:
            return order.get(found.span.file, len(order)), found.span.line, found.span.column

        for found in sorted(self.findings, key=place):
            if not quiet or found.severity is Severity.ERROR:
                yield from self._finding(found, *_LEVELS[found.severity])
        if not quiet:
            for found in sorted(self.not_run, key=place):
                if found.severity is Severity.ERROR:
                    yield from self._finding(found, *_NOT_RUN)
            yield self._summary()

    def _finding(self, found: Diagnostic, title: str, style: str) -> Iterator[list[_Line]]:
        span = found.span
        where = f"{span.file}:{span.line}:{span.column}: " if span.line else f"{span.file}: " if span.file else ""
        first, *more = found.message.split("\n")
        machine = " (on this machine)" if found.environment else ""
        yield [
            _Line(where, "bold"),
            _Line(f"{title}: ", style),
            _Line(f"{first.rstrip('. ')}{machine} "),
            _Line(f"[{found.code}]", "dim"),
        ]
        for line in more:
            if text := line.strip(" |"):
                yield [_Line(f"        {text}")]
        yield from self._source_line(found, style)
        if found.hint and not ("did you mean" in found.message and found.hint.startswith("did you mean")):
            yield [_Line("      = ", "dim"), _Line(found.hint, "green")]

    def _source_line(self, found: Diagnostic, style: str) -> Iterator[list[_Line]]:
        """The line as it stands in the file, and the place marked below it."""
        span = found.span
        source = self.sources.get(span.file)
        if source is None or not 1 <= span.line <= len(source.lines):
            return
        text = source.lines[span.line - 1].rstrip("\r")
        begin = max(span.column, 1) - 1
        length = max(span.end - span.column, 1)
        shown, lead, mark = _window(text, begin, length)
        yield [_Line(f"{span.line:5} | ", "dim"), _Line(shown)]
        yield [_Line("      | ", "dim"), _Line(lead), _Line("^" * mark, style)]

    def _summary(self) -> list[_Line]:
        stopping = sum(1 for found in self.not_run if found.severity is Severity.ERROR)
        counts = [
            f"{count} {word}{'' if count == 1 else 's'}"
            for count, word in ((self.errors, "error"), (self.warnings, "warning"))
            if count
        ]
        verdict = "refused" if self.errors else "valid"
        text = f"{verdict}{': ' if counts else ''}{', '.join(counts)}"
        if not self.errors and not self.result.has_listener:
            text += "; nothing listens"
        if stopping and not self.errors:
            words = "1 thing that hapy does" if stopping == 1 else f"{stopping} things that hapy does"
            text += f"; {words} not run (it starts with --lenient)"
        return [_Line(text, "bold red" if self.errors else "bold green")]


_WIDTH: Final = 110


def _window(text: str, begin: int, length: int) -> tuple[str, str, int]:
    """A long line cut to what surrounds the place; the text, the blanks before the mark, and the mark's length."""
    start = 0
    if len(text) > _WIDTH:
        start = max(0, min(begin - 20, len(text) - _WIDTH))
        cut = text[start : start + _WIDTH]
        text = ("…" if start else "") + cut + ("…" if start + _WIDTH < start + len(text) - start else "")
        begin = begin - start + (1 if start else 0)
    lead = "".join("\t" if character == "\t" else " " for character in text[:begin]).ljust(begin)
    shown = "".join(character if character.isprintable() or character == "\t" else "·" for character in text)
    return shown, lead, max(1, min(length, len(shown) - begin if begin < len(shown) else 1))


def _print(lines: Iterable[list[_Line]], stream: TextIO) -> None:
    """Print, in colours where a person reads."""
    if not stream.isatty():
        for pieces in lines:
            text = "".join(piece.text for piece in pieces).rstrip()
            print(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"), file=stream)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False, soft_wrap=True)
    for pieces in lines:
        text_line = Text()
        for piece in pieces:
            text_line.append(piece.text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"), piece.style)
        console.print(text_line)

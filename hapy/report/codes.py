"""`hapy check --explain CODE` and `--codes`: the catalogue of codes for people."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator

from hapy.report.text import Line, Piece, width_of, write
from hapy_config.codes import catalogue, matching, nearest
from hapy_config.codes.spec import Code

_UNKNOWN = 3


def listed() -> int:
    """Print all codes with the first sentence about each."""
    width = width_of(sys.stdout)
    lines: list[Line] = []
    for code in catalogue().values():
        first = code.about.partition(". ")[0].rstrip(".")
        lines.append([Piece(code.name, "bold"), Piece(f" ({code.kind.value})", "dim")])
        lines += (
            [Piece(part)] for part in textwrap.wrap(first, width, initial_indent="    ", subsequent_indent="    ")
        )
    write(lines, sys.stdout)
    return 0


def explained(name: str) -> int:
    """Print what a code means, or all codes of a prefix."""
    names = matching(name)
    if not names:
        near = nearest(name)
        print(f"hapy check: there is no code '{name}'{f', did you mean {near!r}?' if near else ''}", file=sys.stderr)
        return _UNKNOWN
    known = catalogue()
    lines: list[Line] = []
    for one in [name] if name in known else names:
        if lines:
            lines.append([Piece("")])
        lines += _about(known[one], width_of(sys.stdout))
    write(lines, sys.stdout)
    return 0


def _about(code: Code, width: int) -> Iterator[Line]:
    yield [Piece(code.name, "bold"), Piece(f" ({code.kind.value})", "dim")]
    yield [Piece("")]
    for line in textwrap.wrap(code.about, width, break_on_hyphens=False):
        yield [Piece(line)]
    for title, text, style in (("It has it:", code.bad, "red"), ("Mended:", code.good, "green")):
        if text:
            yield [Piece("")]
            yield [Piece(title)]
            for line in textwrap.indent(text.rstrip("\n").replace("\0", "␀"), "    ").split("\n"):
                yield [Piece(line, style)]

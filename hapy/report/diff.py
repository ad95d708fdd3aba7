"""Changes to files as a unified diff."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from hapy.report.text import Line, Piece, write

if TYPE_CHECKING:
    from hapy_config.source import Source

_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def write_diff(before: Sequence[Source], after: Mapping[str, Source], stream: TextIO) -> None:
    """Print what changes, file by file, in a form that `patch` takes."""
    lines: list[Line] = []
    for source in before:
        changed = after.get(source.name)
        if changed is None:
            continue
        old, new = _lines(source), _lines(changed)
        for line in difflib.unified_diff(old, new, source.name, changed.name, lineterm=""):
            style = "bold" if line.startswith(("---", "+++")) else _STYLES.get(line[:1], "")
            lines += ([Piece(part, style)] for part in line.split("\n"))
    write(lines, stream)


def _lines(source: Source) -> list[str]:
    r"""A file's lines; the last one says where it has no line feed."""
    lines = list(source.lines)
    if lines and not source.ends_with_newline:
        lines[-1] += "\n\\ No newline at end of file"
    return lines

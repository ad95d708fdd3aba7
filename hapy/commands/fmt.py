"""`hapy fmt FILE…`: lay configurations out in one way, meaning and comments untouched.

What is about to be written is read again first: unless every line still gives the same words, the file stays as it is.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path
from typing import Final

from hapy_config.diagnostics import Diagnostics
from hapy_config.layout import DEFAULT_INDENT, format_text
from hapy_config.loader import STDIN, expand_paths, read_file
from hapy_config.words import WordError, split

#: Exit statuses.
FINE: Final = 0
CHANGED: Final = 1
FAILED: Final = 2


def main(words: list[str]) -> int:
    """Run the command; gives the exit status."""
    options = _parser().parse_args(words)
    indent = "\t" if options.tabs else " " * options.indent
    found = Diagnostics()
    paths = expand_paths(options.files, found)
    status = FINE
    for finding in found:
        print(f"hapy fmt: {finding.message}", file=sys.stderr)
        status = FAILED
    changed = 0
    for path in paths:
        try:
            before = read_file(path).decode("utf-8", "surrogateescape")
        except OSError as error:
            print(f"hapy fmt: cannot read {path}: {error.strerror}", file=sys.stderr)
            status = FAILED
            continue
        after = format_text(before, indent)
        if not same_words(before, after):
            print(f"hapy fmt: {path} is left as it is: laid out anew it would not read the same", file=sys.stderr)
            status = FAILED
            continue
        if after != before:
            changed += 1
        if not _deliver(path, before, after, options):
            status = FAILED
    if options.check and changed:
        print(f"{changed} of {len(paths)} file{'s' * (len(paths) != 1)} would change", file=sys.stderr)
        return status or CHANGED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hapy fmt",
        description="Lay configurations out in one way; their meaning and comments stay.",
        epilog="Files are rewritten in place; standard input (-) is answered on standard output. The exit status is 0, "
        "1 when --check finds a file that would change, 2 when a file could not be read or written.",
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a file, a directory of *.cfg files, or - (standard input)"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file would change")
    parser.add_argument("--diff", action="store_true", help="write nothing; show what would change")
    style = parser.add_mutually_exclusive_group()
    style.add_argument(
        "--indent", type=_width, default=len(DEFAULT_INDENT), metavar="N", help="spaces before a line (4)"
    )
    style.add_argument("--tabs", action="store_true", help="a tab instead of spaces")
    return parser


def _width(word: str) -> int:
    if not word.isdecimal() or int(word) > 16:
        raise argparse.ArgumentTypeError("a number from 0 to 16 is needed")
    return int(word)


def same_words(before: str, after: str) -> bool:
    """Whether two texts give the same words in the same order of lines."""
    return _readings(before) == _readings(after)


def _readings(text: str) -> list[list[str] | str]:
    """The words of each line that has some; the line itself where it can't be cut."""
    readings: list[list[str] | str] = []
    for line in text.split("\n"):
        try:
            words = split(line, lambda name: f"${name}")[0]
        except WordError:
            readings.append(line)
        else:
            if words:
                readings.append(words)
    return readings


def _deliver(path: str, before: str, after: str, options: argparse.Namespace) -> bool:
    """Show or write the outcome; False where that failed."""
    if options.diff:
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), path, path, lineterm="")
        for line in lines:
            print(line.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
        return True
    if options.check:
        if before != after:
            print(f"{path} would change")
        return True
    if path == STDIN:
        sys.stdout.flush()
        sys.stdout.buffer.write(after.encode("utf-8", "surrogateescape"))
        return True
    if before == after:
        return True
    try:
        Path(path).write_bytes(after.encode("utf-8", "surrogateescape"))
    except OSError as error:
        print(f"hapy fmt: cannot write {path}: {error.strerror}", file=sys.stderr)
        return False
    print(f"{path} laid out")
    return True

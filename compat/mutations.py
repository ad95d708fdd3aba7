"""`python -m compat.mutations [COUNT] [SEED]`: damaged configurations, judged by HAProxy and by hapy.

Each case is a configuration that HAProxy takes (from the corpus of real ones and from `examples/`) with one thing done to
it: a word dropped, doubled, misspelt or moved, a line lost, a section cut, … `CHANGES` lists them. The cases follow from the
seed alone. Both programs see the same file in the same folder on the same machine, so what they say of the machine
(a certificate that is not there) counts, too.

Printed are the share of equal verdicts and every case where they differ. `--haproxy` and `--target` compare with the program of
another version. `--lines` compares one thing more: of the files
that both refuse, whether the first line HAProxy complains of is among hapy's.
"""

from __future__ import annotations

import argparse
import random
import re
import socket
import string
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import chdir
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from compat.corpus_differences import FEATURES, corpus
from hapy.report.findings import Wanted, report
from hapy_config import Severity, read_config
from hapy_config.codes.spec import Kind
from hapy_config.keywords.spec import TARGET, Version
from hapy_config.preprocess import VERSION
from hapy_config.targets import parse_version

HAPROXY: Final = "/usr/sbin/haproxy"
EXAMPLES: Final = Path(__file__).parents[1] / "examples" / "haproxy_cfgs"

_SECTIONS: Final = frozenset(
    {
        "global", "defaults", "frontend", "backend", "listen", "peers", "resolvers", "mailers", "userlist", "cache",
        "ring", "http-errors", "log-forward", "program", "fcgi-app",
    }
)  # fmt: skip
_ALERT: Final = re.compile(r"\[ALERT\].*?\[([^\]\s]+):(\d+)\]")

Lines = list[str]
Change = Callable[[random.Random, Lines], bool]


@dataclass(frozen=True, slots=True)
class Case:
    """One damaged configuration.

    Attributes:
        number: its place in the order that the seed gives.
        origin: the file it was made from.
        change: the name of what was done.
        text: the result.
    """

    number: int
    origin: Path
    change: str
    text: str


class BrokenProgramError(Exception):
    """HAProxy itself gives no verdict."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a program says: whether it refuses the file, its first complaint, and the lines it complains of."""

    refused: bool
    reason: str = ""
    lines: tuple[int, ...] = ()


def _statements(lines: Lines) -> list[int]:
    return [index for index, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")]


def _one(chance: random.Random, lines: Lines, least: int = 1) -> tuple[int, list[str]] | None:
    """A line with that many words, and its words with the blanks before each."""
    fitting = [index for index in _statements(lines) if len(lines[index].split()) >= least]
    if not fitting:
        return None
    index = chance.choice(fitting)
    return index, re.findall(r"\s*\S+", lines[index])


def _drop_word(chance: random.Random, lines: Lines) -> bool:
    found = _one(chance, lines)
    if found is None:
        return False
    index, words = found
    words.pop(chance.randrange(len(words)))
    lines[index] = "".join(words)
    return True


def _double_word(chance: random.Random, lines: Lines) -> bool:
    found = _one(chance, lines)
    if found is None:
        return False
    index, words = found
    place = chance.randrange(len(words))
    words.insert(place, " " + words[place].strip())
    lines[index] = "".join(words)
    return True


def _misspell(chance: random.Random, lines: Lines) -> bool:
    found = _one(chance, lines)
    if found is None:
        return False
    index, words = found
    place = chance.randrange(len(words))
    lead = words[place][: len(words[place]) - len(words[place].lstrip())]
    word = words[place].strip()
    at = chance.randrange(len(word))
    kind = chance.randrange(5)
    if kind == 0 and len(word) > 1:
        word = word[:at] + word[at + 1 :]
    elif kind == 1 and at + 1 < len(word):
        word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    elif kind == 2:
        word = word[:at] + chance.choice(string.ascii_lowercase) + word[at:]
    elif kind == 3:
        word = word[:at] + chance.choice(string.ascii_lowercase + string.digits) + word[at + 1 :]
    else:
        word = word[:at] + word[at] + word[at:]
    words[place] = lead + word
    lines[index] = "".join(words)
    return True


def _move_word(chance: random.Random, lines: Lines) -> bool:
    found = _one(chance, lines, 2)
    if found is None:
        return False
    index, words = found
    word = words.pop(chance.randrange(len(words)))
    words.insert(chance.randrange(len(words) + 1), " " + word.strip())
    lines[index] = "".join(words)
    return True


def _word_elsewhere(chance: random.Random, lines: Lines) -> bool:
    one, other = _one(chance, lines), _one(chance, lines)
    if one is None or other is None:
        return False
    word = chance.choice(one[1]).strip()
    index, words = other
    words.insert(chance.randrange(len(words) + 1), " " + word)
    lines[index] = "".join(words)
    return True


def _other_word(chance: random.Random, lines: Lines) -> bool:
    one, other = _one(chance, lines), _one(chance, lines)
    if one is None or other is None:
        return False
    index, words = other
    words[chance.randrange(len(words))] = " " + chance.choice(one[1]).strip()
    lines[index] = "".join(words)
    return True


def _drop_line(chance: random.Random, lines: Lines) -> bool:
    places = _statements(lines)
    if not places:
        return False
    del lines[chance.choice(places)]
    return True


def _double_line(chance: random.Random, lines: Lines) -> bool:
    places = _statements(lines)
    if not places:
        return False
    index = chance.choice(places)
    lines.insert(index, lines[index])
    return True


def _move_line(chance: random.Random, lines: Lines) -> bool:
    places = _statements(lines)
    if len(places) < 2:
        return False
    line = lines.pop(chance.choice(places))
    lines.insert(chance.randrange(len(lines) + 1), line)
    return True


def _join_lines(chance: random.Random, lines: Lines) -> bool:
    places = _statements(lines)
    if len(places) < 2:
        return False
    place = chance.randrange(len(places) - 1)
    lines[places[place]] += " " + lines.pop(places[place + 1]).strip()
    return True


def _headers(lines: Lines) -> list[int]:
    return [index for index in _statements(lines) if lines[index].split()[0] in _SECTIONS]


def _section(chance: random.Random, lines: Lines) -> tuple[int, int] | None:
    headers = _headers(lines)
    if not headers:
        return None
    place = chance.randrange(len(headers))
    return headers[place], headers[place + 1] if place + 1 < len(headers) else len(lines)


def _cut_section(chance: random.Random, lines: Lines) -> bool:
    found = _section(chance, lines)
    if found is None:
        return False
    del lines[found[0] : found[1]]
    return True


def _cut_header(chance: random.Random, lines: Lines) -> bool:
    headers = _headers(lines)
    if not headers:
        return False
    del lines[chance.choice(headers)]
    return True


def _double_section(chance: random.Random, lines: Lines) -> bool:
    found = _section(chance, lines)
    if found is None:
        return False
    lines[found[1] : found[1]] = lines[found[0] : found[1]]
    return True


def _move_section(chance: random.Random, lines: Lines) -> bool:
    found = _section(chance, lines)
    if found is None:
        return False
    piece = lines[found[0] : found[1]]
    del lines[found[0] : found[1]]
    place = chance.choice([*_headers(lines), len(lines)])
    lines[place:place] = piece
    return True


def _other_kind(chance: random.Random, lines: Lines) -> bool:
    headers = _headers(lines)
    if not headers:
        return False
    index = chance.choice(headers)
    words = lines[index].split()
    words[0] = chance.choice(("frontend", "backend", "listen", "defaults", "global"))
    lines[index] = " ".join(words)
    return True


def _put(chance: random.Random, lines: Lines, pattern: str, new: Callable[[re.Match[str]], str]) -> bool:
    """Something else in the place of one of the texts that a pattern finds."""
    found = [(i, m) for i in _statements(lines) for m in re.finditer(pattern, lines[i])]
    if not found:
        return False
    index, match = chance.choice(found)
    lines[index] = lines[index][: match.start()] + new(match) + lines[index][match.end() :]
    return True


def _number(chance: random.Random, lines: Lines) -> bool:
    others = ("0", "-1", "99999999", "4294967296", "1x", "1.5", "", "65536", "ms", "07")
    return _put(chance, lines, r"\d+", lambda _: chance.choice(others))


def _edge_number(chance: random.Random, lines: Lines) -> bool:
    return _put(chance, lines, r"\d+", lambda _: chance.choice(_EDGES))


def _odd_unit(chance: random.Random, lines: Lines) -> bool:
    number = r"(?<![\w.:])(\d+)(us|ms|s|m|h|d|k|K|M|G|g)?(?![\w.:/])"
    return _put(chance, lines, number, lambda match: match[1] + chance.choice(_UNITS))


def _quotes(chance: random.Random, lines: Lines) -> bool:
    """Quotes lost, of another kind, or put around a word, whole or half."""
    marks = [(i, at) for i in _statements(lines) for at, mark in enumerate(lines[i]) if mark in "\"'\\"]
    if marks and chance.random() < 0.6:
        index, at = chance.choice(marks)
        lines[index] = lines[index][:at] + chance.choice(("", "", '"', "'", "\\", '""')) + lines[index][at + 1 :]
        return True
    found = _one(chance, lines)
    if found is None:
        return False
    index, words = found
    place = chance.randrange(len(words))
    word = words[place].strip()
    lead = words[place][: len(words[place]) - len(word)]
    forms = (
        f'"{word}"',
        f"'{word}'",
        f'"{word}',
        f"\\{word}",
        f"{word}\\",
        f'"{word} "',
        f"${word}",
        f'"${{{word}}}"',
        '""',
    )
    words[place] = lead + chance.choice(forms)
    lines[index] = "".join(words)
    return True


def _arguments(chance: random.Random, lines: Lines) -> bool:
    """What stands in parentheses: an argument lost, added, moved or emptied, or a parenthesis lost."""

    def other(match: re.Match[str]) -> str:
        parts = match[1].split(",")
        some = chance.choice(("1", "-1", "x", "txn.v", "", "a b", "ms", "0x5", "99999999999"))
        shuffled = chance.sample(parts, len(parts))
        forms = (parts[1:], [*parts, some], shuffled, [""], [some, *parts[1:]])
        return chance.choice(("", "(" + match[1], *("(" + ",".join(form) + ")" for form in forms)))

    return _put(chance, lines, r"\(([^()]*)\)", other)


def _words_elsewhere(chance: random.Random, lines: Lines) -> bool:
    """A keyword with its arguments moved or copied into another line."""
    found = _one(chance, lines, 3)
    if found is None:
        return False
    index, words = found
    begin = chance.randrange(1, len(words))
    piece = words[begin : begin + chance.randint(1, 3)]
    target = chance.choice(_statements(lines))
    other = re.findall(r"\s*\S+", lines[target])
    place = chance.randrange(1, len(other) + 1)
    if target != index and chance.random() < 0.5:
        lines[index] = "".join(words[:begin] + words[begin + len(piece) :])
    lines[target] = "".join(other[:place] + [" " + word.strip() for word in piece] + other[place:])
    return True


def _stray_character(chance: random.Random, lines: Lines) -> bool:
    places = _statements(lines)
    if not places:
        return False
    index = chance.choice(places)
    at = chance.randrange(len(lines[index]) + 1)
    lines[index] = lines[index][:at] + chance.choice("\"'\\#$ {}()[],;:=!%&|<>*/@\t") + lines[index][at:]
    return True


def _case_of_a_word(chance: random.Random, lines: Lines) -> bool:
    found = _one(chance, lines)
    if found is None:
        return False
    index, words = found
    place = chance.randrange(len(words))
    words[place] = words[place].swapcase()
    lines[index] = "".join(words)
    return True


def _cut_off(chance: random.Random, lines: Lines) -> bool:
    if len(lines) < 2:
        return False
    del lines[chance.randrange(1, len(lines)) :]
    return True


_EDGES: Final = (
    "-1", "0", "1", "255", "256", "32768", "65535", "65536", "2147483647", "2147483648", "4294967295", "4294967297",
    "9223372036854775807", "9223372036854775808", "18446744073709551616", "1e3", "0x10", "+5", "010", "1.5", "1:2", "1%",
)  # fmt: skip
_UNITS: Final = ("us", "ms", "s", "m", "h", "d", "w", "k", "K", "M", "G", "kb", "S", "1s", "m30s", " s", ".5s", "%", "")

#: What can be done to a file, by the name it is reported under; the often made mistakes stand more than once.
CHANGES: Final[tuple[tuple[str, Change], ...]] = (
    *(
        pair
        for pair in (
            ("a word dropped", _drop_word),
            ("a word misspelt", _misspell),
            ("a word moved", _move_word),
            ("a word doubled", _double_word),
        )
        for _ in range(3)
    ),
    ("a word put in from elsewhere", _word_elsewhere),
    ("a word replaced", _other_word),
    ("a line lost", _drop_line),
    ("a line doubled", _double_line),
    ("a line moved", _move_line),
    ("a line moved", _move_line),
    ("two lines joined", _join_lines),
    ("a section cut", _cut_section),
    ("a section doubled", _double_section),
    ("a section moved", _move_section),
    ("a header lost", _cut_header),
    ("a section of another kind", _other_kind),
    ("another number", _number),
    ("a number at an edge", _edge_number),
    ("an odd unit", _odd_unit),
    ("quotes", _quotes),
    ("other arguments", _arguments),
    ("words moved elsewhere", _words_elsewhere),
    ("a stray character", _stray_character),
    ("capitals", _case_of_a_word),
    ("the rest cut off", _cut_off),
)


def origins(program: str = HAPROXY) -> list[Path]:
    """The files to damage: those of the corpus and the examples that HAProxy takes as they are here."""
    folder = corpus()
    files = sorted(folder.glob("*.cfg")) if folder is not None else []
    return [
        path for path in (*files, *sorted(EXAMPLES.glob("*.cfg"))) if not by_haproxy(path, path.parent, program).refused
    ]


def cases(count: int, seed: int, files: list[Path]) -> Iterator[Case]:
    """That many damaged configurations."""
    chance = random.Random(seed)
    number = 0
    while number < count:
        origin = chance.choice(files)
        name, change = chance.choice(CHANGES)
        before = origin.read_bytes().decode("utf-8", "surrogateescape")
        lines = before.split("\n")
        if change(chance, lines) and (text := "\n".join(lines)) != before:
            yield Case(number, origin, name, text)
            number += 1


def by_haproxy(path: Path, folder: Path, program: str = HAPROXY) -> Verdict:
    """What `haproxy -c` says; exit status 2 is a valid file without a listener.

    Raises:
        BrokenProgramError: it crashes over the file, or goes on for ever, as some versions do.
    """
    try:
        done = subprocess.run(
            [program, "-c", "-f", str(path)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=60,
        )
    except subprocess.TimeoutExpired:
        raise BrokenProgramError("does not end") from None
    if done.returncode < 0:
        raise BrokenProgramError(f"ends by signal {-done.returncode}")
    if done.returncode in (0, 2):
        return Verdict(refused=False)
    shown = done.stderr.decode("utf-8", "replace")
    alerts = [line for line in shown.splitlines() if line.startswith("[ALERT]")]
    reason = alerts[0].partition(" : ")[2] if alerts else f"exit status {done.returncode}"
    lines = tuple(int(match[2]) for match in map(_ALERT.search, alerts) if match and match[1] == str(path))
    return Verdict(refused=True, reason=reason, lines=lines)


@cache
def _exists(name: str, family: str) -> bool:
    families = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
    try:
        return bool(socket.getaddrinfo(name, None, families.get(family, socket.AF_UNSPEC), socket.SOCK_STREAM))
    except (OSError, UnicodeError):
        return False


def by_hapy(path: Path, folder: Path, target: Version = TARGET) -> Verdict:
    """What `hapy check --environment` says of the same file."""
    shown = f"{target[0]}.{target[1]}"
    version = VERSION if target == TARGET else f"{shown}.0"
    with chdir(folder):
        result = read_config(
            [str(path)], features=FEATURES, version=version, lookup=_exists, target=target, assume_machine=True
        )
    told = report(result, Wanted(environment=True, lint=False, not_run=False), shown)
    errors = [entry.found for entry in told.entries if entry.kind is Kind.ERROR]
    lines = tuple(found.span.line for found in result.diagnostics if found.severity is Severity.ERROR)
    reason = f"{errors[0].message} [{errors[0].code}] line {errors[0].span.line}" if errors else ""
    return Verdict(told.status == 1, reason, lines)


def _shown(case: Case, theirs: Verdict, ours: Verdict) -> str:
    before = case.origin.read_bytes().decode("utf-8", "surrogateescape").split("\n")
    after = case.text.split("\n")
    changed = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), len(after) - 1)
    line = after[changed] if changed < len(after) else ""
    text = (
        f"{case.number} {case.origin.name} ({case.change}), line {changed + 1}: {line.strip()}\n"
        f"    haproxy: {theirs.reason or 'takes it'}\n    hapy:    {ours.reason or 'takes it'}"
    )
    return text.encode("utf-8", "replace").decode("utf-8")


def main() -> int:
    """Judge the cases; the exit status is 1 below the share that `--least` asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m compat.mutations", description="Compare verdicts on damaged files."
    )
    parser.add_argument("count", nargs="?", type=int, default=1000)
    parser.add_argument("seed", nargs="?", type=int, default=1)
    parser.add_argument("--lines", action="store_true", help="show refusals of other lines than HAProxy's, too")
    parser.add_argument("--keep", metavar="FOLDER", help="leave the files that are judged differently there")
    parser.add_argument("--least", type=float, default=0.97, help="the share of equal verdicts that is enough")
    parser.add_argument("--haproxy", metavar="PROGRAM", default=HAPROXY, help="another program (default %(default)s)")
    parser.add_argument("--target", type=parse_version, default=TARGET, help="that program's version (default 2.6)")
    options = parser.parse_args()
    files = origins(options.haproxy)
    same = both = same_line = 0
    judged = options.count
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "case.cfg"
        for case in cases(options.count, options.seed, files):
            path.write_bytes(case.text.encode("utf-8", "surrogateescape"))
            folder = case.origin.parent
            ours = by_hapy(path, folder, options.target)
            try:
                theirs = by_haproxy(path, folder, options.haproxy)
            except BrokenProgramError as failure:
                print(_shown(case, Verdict(refused=True, reason=f"{failure}: not counted"), ours), flush=True)
                judged -= 1
                continue
            same += theirs.refused == ours.refused
            named = not theirs.lines or theirs.lines[0] in ours.lines
            both += theirs.refused and ours.refused
            same_line += theirs.refused and ours.refused and named
            if theirs.refused != ours.refused or (options.lines and theirs.refused and not named):
                print(_shown(case, theirs, ours), flush=True)
                if options.keep:
                    (Path(options.keep) / f"{options.seed}-{case.number}.cfg").write_bytes(path.read_bytes())
    print(
        f"{same} of {judged} verdicts are the same ({len(files)} files, seed {options.seed});"
        f" of {both} refused by both, {same_line} for the line HAProxy names first"
    )
    return 0 if same >= options.least * judged else 1


if __name__ == "__main__":
    sys.exit(main())

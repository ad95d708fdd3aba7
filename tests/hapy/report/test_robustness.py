"""No input, however broken, ends in a traceback, in any form of the report and for any version."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hapy.report import text
from hapy.report.findings import Wanted, report
from hapy.report.machine import as_github, as_json, as_sarif
from hapy_config import Result, read_config
from hapy_config.codes import catalogue
from hapy_config.fixes import mend
from hapy_config.keywords import FAMILIES, table
from hapy_config.keywords.spec import Version
from hapy_config.source import Source
from hapy_config.targets import VERSIONS

EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "haproxy_cfgs").glob("*.cfg"))

#: Words of the language, and what stands between and around them.
WORDS = sorted(
    {word for family in FAMILIES for entry in table(family) for word in entry.name.rstrip("*").split()}
    | {"if", "unless", "{", "}", "!", "or", "||", "from", "%[", "]", "(", ")", ",", "-m", "-f", "-i", "--", "''", '""'}
    | {
        "0",
        "-1",
        "65536",
        "5s",
        "1k",
        "10.0.0.1:80",
        "*:80",
        "[::1]:80",
        "/x",
        "a",
        "b",
        "$X",
        '"$X"',
        '"${X}"',
        "\\",
        "#",
    }
    | {"# hapy: ignore bad", "# hapy: ignore", "# hapy: pool-min-conn 4", ".if", ".else", ".endif", "s1", "%ci", "src"}
)

line = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
lines = st.lists(line, max_size=25).map("\n".join)
damaged = st.tuples(
    st.sampled_from(EXAMPLES),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), st.binary(max_size=6)), max_size=6),
)
target = st.sampled_from(VERSIONS)

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def tell(content: bytes, version: Version) -> None:
    """Read, tell in every form, mend, and read again."""

    def read(sources: dict[str, bytes]) -> Result:
        return read_config(
            list(sources), env={}, read=sources.__getitem__, lookup=lambda name, family: len(name) % 2 == 0,
            target=version, assume_machine=True,
        )  # fmt: skip

    def read_again(sources: list[Source]) -> Result:
        return read({source.name: source.text.encode("utf-8", "surrogateescape") for source in sources})

    result = read({"x.cfg": content})
    for wanted in (Wanted(), Wanted(environment=True, strict=True, select=("bad",), ignore=("unknown",))):
        found = report(result, wanted, "2.6")
        for one in text.lines(found):
            text.printable("".join(piece.text for piece in one)).encode()
        for make in (as_json, as_sarif, as_github):
            make(found).encode()
    mended = mend(result, lambda one: [entry.found for entry in report(one, Wanted(), "").entries], read_again)
    errors = sum(one.refuses and not one.environment for one in result.diagnostics)
    after = read_again([mended.get(source.name, source) for source in result.document.sources])
    assert sum(one.refuses and not one.environment for one in after.diagnostics) <= errors


@FEW
@given(lines, target)
def test_words(content: str, version: Version) -> None:
    tell(content.encode("utf-8", "surrogateescape"), version)


@FEW
@given(st.binary(max_size=300), target)
def test_bytes(content: bytes, version: Version) -> None:
    tell(content, version)


@FEW
@given(damaged, target)
def test_damaged_files(what: tuple[Path, list[tuple[float, int, bytes]]], version: Version) -> None:
    path, edits = what
    content = path.read_bytes()
    for where, cut, put in edits:
        at = int(where * len(content))
        content = content[:at] + put + content[at + cut :]
    tell(content, version)


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_documented_examples(name: str) -> None:
    code = catalogue()[name]
    tell(code.example(code.bad).encode("utf-8", "surrogateescape"), (2, 6))

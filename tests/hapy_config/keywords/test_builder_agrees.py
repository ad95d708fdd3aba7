"""hapy's own builder takes the good example lines of the tables and refuses the bad ones, as the real haproxy does."""

from __future__ import annotations

import pytest

from hapy_config import read_text
from hapy_config.keywords import table
from tests.hapy_config.keywords.test_tables import TRIED, examples

#: Findings about other lines that a single line can't have beside it.
REFERENCES = frozenset(
    {
        "unknown-backend",
        "unknown-table",
        "unknown-member",
        "unknown-group",
        "unknown-user",
        "unknown-section",
        "missing-file",
    }
)


def refusals(text: str, line: int, ignoring: frozenset[str] = frozenset()) -> list[str]:
    found = read_text(text, env={}).diagnostics
    return [
        f"{finding.code}: {finding.message}"
        for finding in found
        if finding.severity.name == "ERROR" and finding.span.line == line and finding.code not in ignoring | {"not-run"}
    ]


@pytest.mark.parametrize("family", TRIED)
def test_good_examples_are_taken(family: str) -> None:
    wrong = []
    for header, lines in examples(family, "ok").items():
        wrong += [(header, line, said) for line in lines if (said := refusals(f"{header}\n{line}\n", 2, REFERENCES))]
    assert wrong == []


@pytest.mark.parametrize("family", TRIED)
def test_bad_examples_are_refused(family: str) -> None:
    wrong = []
    for header, lines in examples(family, "bad").items():
        wrong += [(header, line) for line in lines if not refusals(f"{header}\n{line}\n", 2)]
    assert wrong == []


def test_section_headers() -> None:
    for entry in table("sections"):
        for line in entry.ok:
            assert not refusals(f"{line}\n", 1), line
        for line in entry.bad:
            assert refusals(f"{line}\n", 1), line

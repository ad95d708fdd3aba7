"""Real-world configurations: hapy's verdict is HAProxy's, and where it is not, the list in compat/ says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.corpus_differences import LIST, Judged, corpus, differences, judge


@pytest.fixture(scope="module")
def folder() -> Path:
    found = corpus()
    if found is None:
        pytest.skip("no corpus of real configurations (HAPY_CORPUS or ../shared/corpus)")
    return found


@pytest.fixture(scope="module")
def verdicts(folder: Path) -> list[Judged]:
    return list(judge(folder))


def share(verdicts: list[Judged]) -> float:
    return sum(1 for judged in verdicts if not judged.cause) / len(verdicts)


def test_verdicts_on_deployed_files(verdicts: list[Judged]) -> None:
    assert share([judged for judged in verdicts if judged.core]) >= 0.98


def test_verdicts_on_all_files(verdicts: list[Judged]) -> None:
    assert share(verdicts) >= 0.98


def test_the_list_of_differences_is_up_to_date(folder: Path) -> None:
    assert LIST.read_text(encoding="utf-8") == differences(folder)

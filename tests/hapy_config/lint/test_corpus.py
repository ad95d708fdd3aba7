"""Advice on real configurations: no rule is so loud that it can't be about a mistake."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from compat.corpus_differences import corpus
from hapy_config import read_config
from hapy_config.lint import lint


def test_no_rule_fires_on_a_third_of_deployed_files() -> None:
    folder = corpus()
    if folder is None:
        pytest.skip("no corpus of real configurations (HAPY_CORPUS or ../shared/corpus)")
    files = 0
    fired: Counter[str] = Counter()
    for line in (folder / "index.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if not entry["core"] or entry["rc"]:
            continue
        result = read_config([str(folder / f"{entry['id']}.cfg")], env={}, assume_machine=True)
        if result.config is not None:
            files += 1
            fired.update({found.code for found in lint(result)})
    assert files
    assert {code for code, count in fired.items() if 3 * count > files} == set()

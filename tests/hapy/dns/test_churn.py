"""The churn benchmark, for a few seconds: servers and records come and go, and no request is lost."""

from __future__ import annotations

import pytest

from benchmarks.churn import measure
from benchmarks.programs import HAPY


@pytest.mark.timeout(120)
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_request_is_lost() -> None:
    outcome = measure(HAPY, 5.0, seed=3)
    assert not outcome.lost, f"{outcome} after {outcome.events}"
    assert outcome.answers > 200

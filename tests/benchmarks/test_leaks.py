"""A thousand connections, ended by random means, leave nothing behind."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.leaks import measure


@pytest.mark.timeout(120)
def test_nothing_stays_behind() -> None:
    found = asyncio.run(measure(1000, at_once=40, seed=7))
    assert found.ends.get("fine", 0) > 800, found.ends
    assert not found.leaks, (found.leaks, found.before, found.after)

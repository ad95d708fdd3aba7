"""When servers are checked for the first time: laid over time as HAProxy 2.6.12 was seen to do it."""

from __future__ import annotations

import pytest

from hapy.checks.engine import first_waits

#: Groups of (how many, seconds between their checks), `max-spread-checks` in seconds, and the milliseconds after the
#: first check at which HAProxy's others reached an origin.
SEEN = [
    ([(4, 2.0)], None, [0, 500, 1000, 1500]),
    ([(5, 5.0), (5, 0.5)], None, [0, 500, 1000, 1500, 2000, 2500, 3000, 3500, 4000, 4500]),
    ([(5, 0.999), (5, 5.0)], None, [0, 500, 1000, 1500, 2000, 2500, 3000, 3500, 4000, 4500]),
    ([(5, 1.0), (5, 5.0)], None, [0, 100, 200, 300, 400, 2500, 3000, 3500, 4000, 4500]),
    ([(2, 0.9), (2, 2.0), (2, 4.0)], None, [0, 333, 667, 1000, 2667, 3333]),
    ([(2, 0.3), (2, 2.0), (2, 4.0)], 1.0, [0, 167, 333, 500, 667, 833]),
    ([(2, 0.3), (2, 2.0), (2, 4.0)], 3.0, [0, 333, 667, 1000, 2000, 2500]),
    ([(3, 0.3)], None, [0, 100, 200]),
    ([(3, 0.3)], 0.0, [0, 100, 200]),
]


@pytest.mark.parametrize(("groups", "most", "seen"), SEEN)
def test_first_checks(groups: list[tuple[int, float]], most: float | None, seen: list[int]) -> None:
    intervals = [seconds for count, seconds in groups for _ in range(count)]
    assert [round(wait * 1000) for wait in first_waits(intervals, most)] == seen

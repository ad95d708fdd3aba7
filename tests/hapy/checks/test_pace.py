"""Checks that are due together begin a few at a time, and requests get their turn in between."""

from __future__ import annotations

from itertools import pairwise

import anyio
import pytest

from hapy.checks.pace import AT_ONCE, Pace
from hapy.net.routine import later


class _Due:
    def __init__(self, begun: list[int], number: int) -> None:
        self._begun = begun
        self._number = number

    def begin_now(self) -> None:
        self._begun.append(self._number)


async def _turns(pace: Pace, begun: list[int], count: int) -> list[int]:
    """How many have begun by the end of each turn of the event loop."""
    seen: list[int] = []
    done = anyio.Event()

    def look() -> None:
        seen.append(len(begun))
        if len(seen) < count:
            later(look)
        else:
            done.set()

    later(look)
    await done.wait()
    return seen


@pytest.mark.anyio
async def test_a_few_begin_in_each_turn_and_in_order() -> None:
    pace, begun = Pace(), []
    for number in range(3 * AT_ONCE + 1):
        pace.begin(_Due(begun, number))  # type: ignore[arg-type]
    assert begun == list(range(AT_ONCE))
    seen = await _turns(pace, begun, 6)
    assert all(after - before <= AT_ONCE for before, after in pairwise(seen))
    assert begun == list(range(3 * AT_ONCE + 1))
    pace.begin(_Due(begun, 99))  # type: ignore[arg-type]
    assert begun[-1] == 99


@pytest.mark.anyio
async def test_what_waits_is_forgotten_at_the_end() -> None:
    pace, begun = Pace(), []
    for number in range(2 * AT_ONCE):
        pace.begin(_Due(begun, number))  # type: ignore[arg-type]
    pace.forget()
    await _turns(pace, begun, 4)
    assert begun == list(range(AT_ONCE))

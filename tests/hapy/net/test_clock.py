from __future__ import annotations

import asyncio

import pytest

from hapy.net import clock
from hapy.net.clock import NEVER, Watched, now, unwatch, watch


class Item:
    def __init__(self, after: float) -> None:
        self.deadline = now() + after
        self.looked_at = NEVER
        self.slot: set[Watched] | None = None
        self.fired = asyncio.Event()
        self.calls = 0

    def on_deadline(self) -> None:
        self.calls += 1
        self.fired.set()


@pytest.fixture
def fake_time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that only the test moves; timers of the loop are kept and called by hand."""
    moment = [1000.0]
    monkeypatch.setattr(clock, "now", lambda: moment[0])
    return moment


class Loop:
    """What the wheel asks of an event loop."""

    def __init__(self) -> None:
        self.timers: list[tuple[float, object]] = []

    def is_running(self) -> bool:
        return True

    def call_later(self, delay: float, callback: object) -> Loop:
        self.timers.append((delay, callback))
        return self

    def cancel(self) -> None:
        self.timers.pop()


def turn_all(wheel: clock._Wheel, moment: list[float], to: float) -> None:
    """Let time pass up to `to`, with the wheel's timer running in between."""
    while wheel._due and wheel._due[0] <= to:
        moment[0] = wheel._due[0]
        wheel._turn()
    moment[0] = to


def make(fake_time: list[float], after: float) -> Item:
    item = Item(0)
    item.deadline = fake_time[0] + after
    return item


def test_a_deadline_is_never_early_and_at_most_a_slot_late(fake_time: list[float]) -> None:
    for after, width in ((0.001, 1 / 256), (1.0, 1 / 256), (10.0, 1 / 32), (500.0, 1.0)):
        wheel = clock._Wheel(Loop())  # type: ignore[arg-type]
        item = make(fake_time, after)
        due = item.deadline
        wheel.watch(item)
        turn_all(wheel, fake_time, due - 0.0005)
        assert item.calls == 0
        turn_all(wheel, fake_time, due + width)
        assert item.calls == 1
        assert item.slot is None
        assert item.looked_at == NEVER


def test_moving_a_deadline_later_takes_an_assignment(fake_time: list[float]) -> None:
    wheel = clock._Wheel(Loop())  # type: ignore[arg-type]
    item = make(fake_time, 1.0)
    wheel.watch(item)
    item.deadline += 5
    turn_all(wheel, fake_time, fake_time[0] + 2)
    assert item.calls == 0
    turn_all(wheel, fake_time, fake_time[0] + 5)
    assert item.calls == 1


def test_a_deadline_taken_back_lets_the_item_go(fake_time: list[float]) -> None:
    wheel = clock._Wheel(Loop())  # type: ignore[arg-type]
    item = make(fake_time, 1.0)
    wheel.watch(item)
    item.deadline = NEVER
    turn_all(wheel, fake_time, fake_time[0] + 2)
    assert item.calls == 0
    assert item.slot is None


def test_an_earlier_deadline_is_watched_anew(fake_time: list[float]) -> None:
    wheel = clock._Wheel(Loop())  # type: ignore[arg-type]
    item = make(fake_time, 100.0)
    wheel.watch(item)
    item.deadline = fake_time[0] + 1
    assert item.deadline < item.looked_at
    wheel.watch(item)
    turn_all(wheel, fake_time, fake_time[0] + 1.1)
    assert item.calls == 1
    turn_all(wheel, fake_time, fake_time[0] + 200)
    assert item.calls == 1


def test_one_item_s_deadline_may_end_another(fake_time: list[float]) -> None:
    wheel = clock._Wheel(Loop())  # type: ignore[arg-type]
    items = [make(fake_time, 1.0) for _ in range(2)]

    def end_the_other(mine: Item, other: Item) -> None:
        mine.calls += 1
        unwatch(other)

    items[0].on_deadline = lambda: end_the_other(items[0], items[1])  # type: ignore[method-assign]
    items[1].on_deadline = lambda: end_the_other(items[1], items[0])  # type: ignore[method-assign]
    for item in items:
        wheel.watch(item)
    turn_all(wheel, fake_time, fake_time[0] + 2)
    assert sorted(item.calls for item in items) == [0, 1]


def test_an_unwatched_item_is_forgotten(fake_time: list[float]) -> None:
    wheel = clock._Wheel(Loop())  # type: ignore[arg-type]
    item = make(fake_time, 1.0)
    wheel.watch(item)
    slot = item.slot
    unwatch(item)
    assert slot is not None
    assert item not in slot
    turn_all(wheel, fake_time, fake_time[0] + 2)
    assert item.calls == 0


def test_each_event_loop_has_its_own_wheel() -> None:
    async def body() -> None:
        item = Item(0.001)
        watch(item)
        await asyncio.wait_for(item.fired.wait(), 10)

    for _ in range(2):
        asyncio.run(body())

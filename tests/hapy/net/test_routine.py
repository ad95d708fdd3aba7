from __future__ import annotations

import asyncio
from typing import Any

import anyio
import pytest

from hapy.net.routine import Routine, in_task, later, pause


class Recorder(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []
        self.failure: BaseException | None = None

    def on_failure(self, error: BaseException) -> None:
        self.failure = error


def test_it_runs_at_once_up_to_its_first_wait_and_goes_on_when_woken() -> None:
    routine = Recorder()

    async def body() -> None:
        routine.seen.append("begun")
        routine.seen.append(await pause())
        routine.seen.append(await pause())

    routine.begin(body())
    assert routine.seen == ["begun"]
    routine.wake(1)
    assert routine.seen == ["begun", 1]
    assert routine.running
    routine.wake(2)
    assert routine.seen == ["begun", 1, 2]
    assert not routine.running
    routine.wake(3)
    assert routine.seen == ["begun", 1, 2]


def test_an_interruption_is_raised_where_it_waits() -> None:
    routine = Recorder()

    async def body() -> None:
        try:
            await pause()
        except ValueError as error:
            routine.seen.append(str(error))
        await pause()

    routine.begin(body())
    routine.interrupt(ValueError("out"))
    assert routine.seen == ["out"]
    routine.wake()
    routine.interrupt(ValueError("nobody waits"))
    assert routine.failure is None


def test_an_error_that_nobody_foresaw_is_told() -> None:
    routine = Recorder()

    async def body() -> None:
        await pause()
        raise KeyError("x")

    routine.begin(body())
    routine.wake()
    assert isinstance(routine.failure, KeyError)
    assert not routine.running


def test_it_awaits_futures_of_the_loop() -> None:
    async def main() -> None:
        routine = Recorder()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[str] = loop.create_future()
        done = loop.create_future()

        async def body() -> None:
            routine.seen.append(await future)
            done.set_result(None)

        routine.begin(body())
        routine.wake("too early")
        assert routine.seen == []
        future.set_result("x")
        await asyncio.wait_for(done, 10)
        assert routine.seen == ["x"]

    asyncio.run(main())


def test_an_interrupted_wait_for_a_future_lets_it_go() -> None:
    async def main() -> None:
        routine = Recorder()
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def body() -> None:
            try:
                await future
            except TimeoutError:
                routine.seen.append("late")
            await pause()

        routine.begin(body())
        routine.interrupt(TimeoutError())
        assert routine.seen == ["late"]
        future.set_result("x")
        await asyncio.sleep(0)
        assert routine.running
        routine.wake()

    asyncio.run(main())


@pytest.mark.parametrize("interrupted", [False, True])
def test_anything_written_for_a_task(interrupted: bool) -> None:
    async def main() -> None:
        routine = Recorder()
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        event = anyio.Event()

        async def slow(word: str) -> str:
            try:
                await event.wait()
            except BaseException:
                routine.seen.append("cancelled")
                raise
            return word

        async def body() -> None:
            try:
                routine.seen.append(await in_task(slow, "word"))
            except TimeoutError:
                routine.seen.append("late")
            finally:
                done.set_result(None)

        routine.begin(body())
        await asyncio.sleep(0)
        if interrupted:
            routine.interrupt(TimeoutError())
        else:
            event.set()
        await asyncio.wait_for(done, 10)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert routine.seen == (["late", "cancelled"] if interrupted else ["word"])

    asyncio.run(main())


def test_later_is_not_now() -> None:
    async def main() -> None:
        seen: list[int] = []
        later(lambda: seen.append(1))
        assert seen == []
        await asyncio.sleep(0)
        assert seen == [1]

    asyncio.run(main())

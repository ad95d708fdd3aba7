"""A coroutine that protocol callbacks drive directly: no task, no future, no trip through the event loop for each wait.

Rules:
- The coroutine waits with `await pause()`; `wake(value)` goes on with it at once, inside the callback that calls it.
- It may also await futures of the event loop, and through `in_task` anything written for a task (all of AnyIO).
- `interrupt(error)` raises in it wherever it waits. Neither is queued: a routine that isn't waiting ignores them, so
  its caller keeps what has happened as state that the routine looks at before it waits.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from mypy_extensions import mypyc_attr

from hapy.net.pause import pause

__all__ = ["Promise", "Routine", "in_task", "later", "pause"]

T = TypeVar("T")


async def in_task(function: Callable[..., Awaitable[T]], *args: Any) -> T:
    """Await what needs a task around it, as AnyIO's primitives do. Cancelled when the routine is interrupted."""

    async def body() -> T:
        return await function(*args)

    task = asyncio.get_running_loop().create_task(body())
    try:
        return await task
    except BaseException:
        task.cancel()
        raise


@mypyc_attr(allow_interpreted_subclasses=True)
class Routine:
    """Drives one coroutine at a time. A base class, so that a wait costs no object of its own."""

    __slots__ = ("_awaited", "_coroutine", "_waiting")

    def __init__(self) -> None:
        self._coroutine: Coroutine[Any, Any, None] | None = None
        self._awaited: asyncio.Future[Any] | None = None
        self._waiting = False

    @property
    def running(self) -> bool:
        """Whether the coroutine has not ended."""
        return self._coroutine is not None

    def begin(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run the coroutine up to its first wait."""
        self._coroutine = coroutine
        self._step(coroutine.send, None)

    def wake(self, value: Any = None) -> None:
        """Go on after `pause()`; nothing happens when the routine doesn't wait there."""
        if self._waiting:
            self._waiting = False
            self._step(self._coroutine.send, value)  # type: ignore[union-attr]

    def interrupt(self, error: BaseException) -> None:
        """Raise in the coroutine where it waits, for whatever it waits."""
        awaited = self._awaited
        if awaited is not None:
            awaited.remove_done_callback(self._future_done)
            awaited.add_done_callback(_noticed)
            self._awaited = None
        elif not self._waiting:
            return
        self._waiting = False
        self._step(self._coroutine.throw, error)  # type: ignore[union-attr]

    def on_failure(self, error: BaseException) -> None:
        """The coroutine ended by an error that nobody foresaw."""
        traceback.print_exception(error, file=sys.stderr)

    def _step(self, resume: Callable[[Any], Any], value: Any) -> None:
        try:
            yielded = resume(value)
        except StopIteration:
            self._coroutine = None
        except Exception as error:  # noqa: BLE001 - one exchange's failure must not stop the others
            self._coroutine = None
            self.on_failure(error)
        else:
            if yielded is None:
                self._waiting = True
            else:
                yielded._asyncio_future_blocking = False
                self._awaited = yielded
                yielded.add_done_callback(self._future_done)

    def _future_done(self, _future: asyncio.Future[Any]) -> None:
        self._awaited = None
        coroutine = self._coroutine
        if coroutine is not None:
            self._step(coroutine.send, None)


def _noticed(future: asyncio.Future[Any]) -> None:
    """What becomes of a future that nobody awaits any more is of no interest."""
    if not future.cancelled():
        future.exception()


class Promise:
    """Something that one routine (or task) waits for and somebody else gives."""

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def keep(self, value: Any = None) -> None:
        """Give it; only the first counts."""
        if not self._future.done():
            self._future.set_result(value)

    async def wait(self, seconds: float | None = None) -> Any:
        """Wait for it, or for so many seconds, after which it is None."""
        if seconds is None:
            return await self._future
        timer = asyncio.get_running_loop().call_later(seconds, self.keep)
        try:
            return await self._future
        finally:
            timer.cancel()


def later(callback: Callable[[], None]) -> None:
    """Call back when the event loop has done with what it is at."""
    asyncio.get_running_loop().call_soon(callback)

"""The wait of a routine (`hapy.net.routine`). On its own, for it stays as it is where that is compiled.

(A generator that mypyc compiles can't be awaited by code that isn't.)
"""

from __future__ import annotations

import types
from collections.abc import Generator
from typing import Any


@types.coroutine
def pause() -> Generator[None, Any, Any]:
    """Wait for the routine's `wake`; gives its value."""
    return (yield)

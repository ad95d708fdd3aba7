"""What all tests share, those of `compat/` too: where the referee's programs are."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """A command that a test calls freezes the collector or turns it off: what tests drop would stay open for ever."""
    yield
    if gc.get_freeze_count():
        gc.unfreeze()
    gc.enable()


@pytest.fixture(scope="session")
def haproxy() -> str:
    """The real haproxy's path; skips where it is not installed."""
    path = shutil.which("haproxy")
    if path is None:
        pytest.skip("haproxy is not installed (Debian package haproxy)")
    return path

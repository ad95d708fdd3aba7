"""What all tests share: where the referee's programs are."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture(scope="session")
def haproxy() -> str:
    """The real haproxy's path; skips where it is not installed."""
    path = shutil.which("haproxy")
    if path is None:
        pytest.skip("haproxy is not installed (Debian package haproxy)")
    return path

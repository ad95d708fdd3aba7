"""Reading small configurations."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hapy_config import Config, Result, Severity, read_text

DEFAULTS = """\
defaults
 mode http
 timeout client 5s
 timeout server 5s
 timeout connect 5s
"""

Read = Callable[[str], Config]
Errors = Callable[[str], list[str]]


def result_of(text: str) -> Result:
    return read_text(DEFAULTS + text, "t.cfg", env={"HOME": "/root"}, local_peer="me")


def errors_of(text: str) -> list[str]:
    """The errors' messages."""
    return [found.message for found in result_of(text).diagnostics if found.severity is Severity.ERROR and found.fatal]


@pytest.fixture
def read() -> Read:
    def run(text: str) -> Config:
        result = result_of(text)
        assert result.config is not None, [found.message for found in result.diagnostics]
        return result.config

    return run


@pytest.fixture
def errors() -> Errors:
    return errors_of

"""Messages on one line."""

from __future__ import annotations

import pytest

from hapy.report.message import one_line

_MANY = "'a', 'b', 'c', 'd', 'e', 'f' and 'g'"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (f"'x' expects {_MANY}.", "'x' expects one of 7 words"),
        (f"balance only supports {_MANY} options.", "balance only supports one of 7 options"),
        ("'x' expects 'a' or 'b' options.", "'x' expects 'a' or 'b' options"),
        ("error detected while reading : a\n  | b", "while reading: a b"),
    ],
)
def test_one_line(message: str, shown: str) -> None:
    assert one_line(message) == shown

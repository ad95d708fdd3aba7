"""A ring that nothing is written to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule
from hapy_config.lint.sections import unused

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each ring that nothing names."""
    yield from unused(view, "ring", "'log ring@NAME …' writes to it")


RULE = Rule(
    "unused-ring",
    Severity.NOTICE,
    """No log line writes to the ring, so its servers get nothing. `log ring@NAME FACILITY` does.""",
    "ring r\n size 16384\nlisten l\n bind :80\n",
    "ring r\n size 16384\nlisten l\n bind :80\n log ring@r local0\n",
    check,
)

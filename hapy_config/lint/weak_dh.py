"""Diffie-Hellman with short numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


_SHORT: Final = 2048


def check(view: View) -> Iterator[Finding]:
    """A finding for a size of DH parameters below 2048 bits."""
    for _, statement in view.lines("tune.ssl.default-dh-param"):
        words = statement.words
        if len(words) > 1 and words[1].isdecimal() and int(words[1]) < _SHORT:
            yield Finding(statement.span(1), f"{words[1]} bits are too few", "write 2048, or leave the line out")


RULE = Rule(
    "weak-dh",
    Severity.WARNING,
    """Diffie-Hellman parameters of 1024 bits are within reach of big attackers, and clients refuse them. HAProxy takes
    2048 by itself.""",
    "global\n tune.ssl.default-dh-param 1024\n",
    "global\n tune.ssl.default-dh-param 2048\n",
    check,
)

"""A misspelt `stdout` is the name of a host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.alike import nearest
from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


_STREAMS: Final = ("stdout", "stderr")


def check(view: View) -> Iterator[Finding]:
    """A finding for each log line whose target is nearly the name of a stream."""
    for _, statement in view.lines("log"):
        target = statement.words[1] if len(statement.words) > 1 else ""
        meant = nearest(target, _STREAMS) if target.isalpha() and target not in _STREAMS else ""
        if meant:
            yield Finding(
                statement.span(1),
                f"'{target}' is taken for the name of a host",
                f"write '{meant}' if the stream is meant",
            )


RULE = Rule(
    "log-target-name",
    Severity.WARNING,
    """`log` sends to a host of this name, and where nobody has the name HAProxy does not start. It looks like one of
    the two streams that `log` knows, `stdout` and `stderr`.""",
    "global\n log stdot format raw local0\n",
    "global\n log stdout format raw local0\n",
    check,
)

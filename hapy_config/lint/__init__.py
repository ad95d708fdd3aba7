"""What HAProxy accepts and its author would want to know: one rule, one file.

A rule is a module with a `CODE` and a function `check(config)` that yields findings at DIAG or NOTICE level; `RULES`
lists them. Rules look at the model and, for places, at the spans in it; none reads files or changes anything. What
HAProxy itself refuses or warns of belongs into `build`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.lint import duplicate_bind, unused_acl, unused_backend, weak_reuse

if TYPE_CHECKING:
    from hapy_config.api import Result
    from hapy_config.diagnostics import Diagnostic

RULES: Final = (duplicate_bind, unused_acl, unused_backend, weak_reuse)


def lint(result: Result) -> Iterator[Diagnostic]:
    """All findings of all rules; none for a configuration that was refused."""
    if result.config is None:
        return
    for rule in RULES:
        yield from rule.check(result)

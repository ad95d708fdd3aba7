"""What a rule is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Diagnostic, Fix, Severity

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.source import Span


@dataclass(frozen=True, slots=True)
class Finding:
    """One place that a rule has something to say of; see `Diagnostic`."""

    span: Span
    message: str
    hint: str = ""
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        code: what findings show, and `--select`, `--ignore` and `--explain` take; it never changes.
        severity: NOTICE for advice, WARNING for what endangers the service or those who use it.
        about: what is wrong and why, and what to do; a paragraph of plain text, its line breaks are none.
        bad: an example that has it; it stands behind a `defaults` section with mode and timeouts.
        good: the same, mended.
        check: looks at a configuration that HAProxy would take.
        alone: the examples are whole files, with nothing in front.
    """

    code: str
    severity: Severity
    about: str
    bad: str
    good: str
    check: Callable[[View], Iterator[Finding]]
    alone: bool = False

    def findings(self, view: View) -> Iterator[Diagnostic]:
        """The rule's findings about a configuration: one a place, whoever inherits the line that it is about."""
        told: set[Span] = set()
        for found in self.check(view):
            if found.span not in told:
                told.add(found.span)
                yield Diagnostic(self.code, self.severity, found.span, found.message, found.hint, found.fix)

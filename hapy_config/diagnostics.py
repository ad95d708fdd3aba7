"""What is found in a file: one dataclass, one collector, and HAProxy's way of printing them."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hapy_config.source import Span


class Severity(enum.IntEnum):
    """How bad a finding is. HAProxy prints ERROR as `[ALERT]`, WARNING as `[WARNING]`, NOTICE as `[NOTICE]`."""

    DIAG = 0  # shown only with -dD
    NOTICE = 1
    WARNING = 2
    ERROR = 3


@dataclass(frozen=True, slots=True)
class Fix:
    """A replacement that mends a finding: put `text` where `span` is."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    Attributes:
        code: short, stable, lower-case words joined by `-` (`unknown-keyword`); `hapy check --explain` documents each.
        severity: ERROR means the file is refused.
        span: the place; `NOWHERE` when it belongs to none.
        message: the reason in one sentence, without a final full stop, naming the words concerned.
        hint: what to do about it, or empty.
        fix: an edit that is safe to apply, or None.
        environment: True when the finding speaks of this machine (a missing file, an unknown user), not of the text.
        fatal: False for the few alerts that HAProxy prints and goes on after; only errors that are fatal refuse a file.
    """

    code: str
    severity: Severity
    span: Span
    message: str
    hint: str = ""
    fix: Fix | None = None
    environment: bool = False
    fatal: bool = True

    @property
    def refuses(self) -> bool:
        """Whether HAProxy refuses a configuration for it."""
        return self.severity is Severity.ERROR and self.fatal


@dataclass(slots=True)
class Diagnostics:
    """Collects findings in the order they are found; the first never hides the next."""

    found: list[Diagnostic] = field(default_factory=list)

    def error(self, code: str, span: Span, message: str, hint: str = "", fix: Fix | None = None) -> None:
        """Note something HAProxy refuses."""
        self.found.append(Diagnostic(code, Severity.ERROR, span, message, hint, fix))

    def warning(self, code: str, span: Span, message: str, hint: str = "", fix: Fix | None = None) -> None:
        """Note something HAProxy warns of."""
        self.found.append(Diagnostic(code, Severity.WARNING, span, message, hint, fix))

    def notice(self, code: str, span: Span, message: str, hint: str = "") -> None:
        """Note something worth saying that is no fault."""
        self.found.append(Diagnostic(code, Severity.NOTICE, span, message, hint))

    def diag(self, code: str, span: Span, message: str, hint: str = "") -> None:
        """Note something that only `-dD` shows."""
        self.found.append(Diagnostic(code, Severity.DIAG, span, message, hint))

    def environment(self, code: str, span: Span, message: str, hint: str = "") -> None:
        """Note an error that lies in this machine's state rather than in the text."""
        self.found.append(Diagnostic(code, Severity.ERROR, span, message, hint, environment=True))

    def extend(self, more: Iterable[Diagnostic]) -> None:
        """Append findings made elsewhere."""
        self.found.extend(more)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    @property
    def has_errors(self) -> bool:
        """Whether the configuration is refused."""
        return any(found.refuses for found in self.found)

"""What hapy says on standard error, in HAProxy's form: `[NOTICE]   (pid) : …`, `[WARNING]  (pid) : …` and so on.

Rules:
- Before the first warning or alert of a start come two notices with the program's version and path.
- Quiet silences everything; exit codes speak then.
- Messages are flushed at once, and a closed or full standard error is no reason to fail.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from hapy.version import HAPROXY_VERSION, __version__
from hapy_config.diagnostics import Diagnostic, Severity

_LABELS = {
    Severity.DIAG: "[DIAG]    ",
    Severity.NOTICE: "[NOTICE]  ",
    Severity.WARNING: "[WARNING] ",
    Severity.ERROR: "[ALERT]   ",
}


class Messages:
    """The messages of one process.

    Attributes:
        quiet: say nothing at all.
        show_diagnostics: `-dD`.
        warned: whether there was a warning, shown or not.
    """

    def __init__(self, *, quiet: bool = False, show_diagnostics: bool = False) -> None:
        self.quiet = quiet
        self.show_diagnostics = show_diagnostics
        self.warned = False
        self._introduced = False

    def serving(self) -> None:
        """The start is over: what comes now speaks for itself."""
        self._introduced = True

    def notice(self, text: str) -> None:
        """Say what is no fault."""
        self._say(Severity.NOTICE, text)

    def warning(self, text: str) -> None:
        """Say what is suspicious."""
        self.warned = True
        self._introduce()
        self._say(Severity.WARNING, text)

    def alert(self, text: str) -> None:
        """Say what stops the start, or should have been noticed at once."""
        self._introduce()
        self._say(Severity.ERROR, text)

    def diagnostic(self, text: str) -> None:
        """Say what only matters when somebody looks for it (`-dD`)."""
        if self.show_diagnostics:
            self._introduce()
            self._say(Severity.DIAG, text)

    def write(self, text: str) -> None:
        """Write lines as they are."""
        if self.quiet:
            return
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except (OSError, ValueError):
            self.quiet = True

    def tell(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Say what was found in the configuration."""
        for found in diagnostics:
            text = describe(found)
            match found.severity:
                case Severity.ERROR:
                    self.alert(text)
                case Severity.WARNING:
                    self.warning(text)
                case Severity.NOTICE:
                    self.notice(text)
                case Severity.DIAG:
                    self.diagnostic(text)

    def _introduce(self) -> None:
        if not self._introduced:
            self._introduced = True
            self._say(Severity.NOTICE, f"haproxy version is {HAPROXY_VERSION} (hapy {__version__})")
            self._say(Severity.NOTICE, f"path to executable is {os.path.realpath(sys.argv[0])}")

    def _say(self, severity: Severity, text: str) -> None:
        self.write(f"{_LABELS[severity]} ({os.getpid()}) : {text}\n")


#: What is found while lines are cut into words and blocks; HAProxy leaves no blank before the colon there.
_OF_READING = frozenset(
    {
        *("alert-directive", "bad-block", "bad-condition", "bad-escape", "bad-variable", "diag-directive"),
        *("notice-directive", "unknown-directive", "unmatched-brace", "unmatched-quote", "warning-directive"),
    }
)


def describe(found: Diagnostic) -> str:
    """One finding as HAProxy words its place: `config : parsing [FILE:LINE] : REASON`."""
    if found.code in _OF_READING:
        return f"config : parsing [{found.span.file}:{found.span.line}]: {found.message}."
    place = f"parsing [{found.span.file}:{found.span.line}] : " if found.span.line else ""
    told = "did you mean" in found.message and found.hint.startswith("did you mean")
    hint = f" ({found.hint})" if found.hint and not told else ""
    return f"config : {place}{found.message}{hint}"

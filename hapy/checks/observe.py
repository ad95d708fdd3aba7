"""`observe`: the outcome of real traffic counts as checks do (configuration manual, 5.2).

Errors in a row are counted; any success in between forgets them. With the `error-limit`th of them `on-error` decides:

- fastinter: the next check comes soon.
- fail-check: as a check that failed; the next one comes soon.
- sudden-death: as a check that failed, after which the next failure is the last.
- mark-down: the server is down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hapy.checks.result import Result, Status
from hapy_config.grammar.units import leading_integer

if TYPE_CHECKING:
    from hapy.checks.check import Check

_LIMIT: Final = 10

#: Names of errors, as HAProxy words them.
CONNECTION_FAILED: Final = "L4 unsuccessful connection"
WRONG_STATUS: Final = "Wrong http response"
BAD_HEAD: Final = "Invalid http response (headers)"
READ_ERROR: Final = "Read error (http)"
CLOSED: Final = "Close from server (http)"
READ_TIMEOUT: Final = "Read timeout (http)"

#: By the `failure` of a server connection; any other one is a read error.
_FAILURES: Final = {"timeout": READ_TIMEOUT, "bad": BAD_HEAD, "eof": CLOSED}


class Observer:
    """What traffic tells of one server.

    Attributes:
        layer7: answers are looked at, not only connections.
    """

    __slots__ = ("_check", "_errors", "_limit", "_reaction", "layer7")

    def __init__(self, check: Check) -> None:
        options = check.server.model.options
        self._check = check
        self.layer7 = options["observe"][0] == "layer7"
        self._limit = leading_integer(options.get("error-limit", (str(_LIMIT),))[0])
        self._reaction = options.get("on-error", ("fail-check",))[0]
        self._errors = 0

    def connected(self) -> None:
        """A connection came about."""
        if not self.layer7:
            self._errors = 0

    def not_connected(self) -> None:
        """One did not."""
        if not self.layer7:
            self._failed(CONNECTION_FAILED)

    def answered(self, status: int) -> None:
        """An answer's head has come."""
        if not self.layer7:
            return
        if status < 100 or (status >= 500 and status not in (501, 505)):
            self._failed(WRONG_STATUS)
        else:
            self._errors = 0

    def not_answered(self, failure: str) -> None:
        """No good answer came, for what the server connection's `failure` says."""
        if self.layer7:
            server = self._check.server
            server.leaving = failure != "bad"  # the request has let go of the server by then
            self._failed(_FAILURES.get(failure, READ_ERROR))
            server.leaving = False

    def _failed(self, why: str) -> None:
        check = self._check
        server = check.server
        if server.maintenance or not server.up:
            return
        self._errors += 1
        if self._errors < self._limit:
            return
        server.counters.hanafail += 1
        if self._reaction == "sudden-death":
            check.health = min(check.health, check.rise + 1)
        if self._reaction != "fastinter":
            info = f"Detected {self._errors} consecutive errors, last one was: {why}"
            check.conclude(Result(Status.HANA, 0, info), 0.0, fatal=self._reaction == "mark-down")
        self._errors = 0
        check.hurry()

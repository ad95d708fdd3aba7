"""Results of checks, in HAProxy's terms (management manual, 9.1: `check_status`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

#: What is kept of a result's text, in bytes.
MOST_INFO = 127

_PLAIN: Final = re.compile(r"[ !#-;=?-~]*")


class Status(Enum):
    """What came of a check. The value is what people read."""

    UNK = "Unknown"
    INI = "Initializing"
    CHECKED = "No status change"
    HANA = "Health analyze"
    SOCKERR = "Socket error"
    L4OK = "Layer4 check passed"
    L4TOUT = "Layer4 timeout"
    L4CON = "Layer4 connection problem"
    L6OK = "Layer6 check passed"
    L6TOUT = "Layer6 timeout"
    L6RSP = "Layer6 invalid response"
    L7TOUT = "Layer7 timeout"
    L7RSP = "Layer7 invalid response"
    L7OK = "Layer7 check passed"
    L7OKC = "Layer7 check conditionally passed"
    L7STS = "Layer7 wrong status"
    PROCERR = "External check error"
    PROCTOUT = "External check timeout"
    PROCOK = "External check passed"

    @property
    def passed(self) -> bool:
        """It counts for the server."""
        return self in _PASSED

    @property
    def failed(self) -> bool:
        """It counts against it."""
        return self not in _PASSED and self not in _NEITHER

    @property
    def reports_code(self) -> bool:
        """The code that came with it is shown."""
        return self in _WITH_CODE


_PASSED = frozenset({Status.L4OK, Status.L6OK, Status.L7OK, Status.L7OKC, Status.PROCOK})
_NEITHER = frozenset({Status.UNK, Status.INI, Status.CHECKED})
_WITH_CODE = frozenset({Status.L7OK, Status.L7OKC, Status.L7STS, Status.PROCERR, Status.PROCTOUT, Status.PROCOK})


@dataclass(frozen=True, slots=True)
class Result:
    """The end of one check.

    Attributes:
        code: the number that came (an HTTP status, an exit status), or 0.
        info: more about it; its bytes decoded with surrogate escapes.
        aside: what `option log-health-checks` tells in its place: of a success HAProxy does not keep all it has told.
    """

    status: Status
    code: int = 0
    info: str = ""
    aside: str = ""


class Ended(Exception):  # noqa: N818 - the way out of a check's steps, not a defect
    """A step has decided on the whole check."""

    def __init__(self, status: Status, info: str = "", code: int = 0, *, aside: str = "") -> None:
        super().__init__(info)
        self.result = Result(status, code, info, aside)


class TimeUp(Exception):  # noqa: N818 - the same
    """The check took too long."""


def decoded(data: bytes) -> str:
    """Bytes of a server as text, for an information."""
    return data.decode("utf-8", "surrogateescape")


def shown(text: str) -> str:
    """An information as logs show it: quotes, angle brackets and what is not printable ASCII in angle brackets."""
    if _PLAIN.fullmatch(text):
        return text
    data = text.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"<>' else f"<{byte:02X}>" for byte in data)

"""How a request can fail on its way: what the client is told, and which letters the log gets (section 8.5)."""

from __future__ import annotations


class Failed(Exception):  # noqa: N818 - an answer to give, not a defect
    """The request is answered with an error, or not at all.

    Attributes:
        status: the status to answer, 0 for none: the client's connection is closed without a word.
        cause, phase: the two letters of the termination state.
        silent: no log line and no counter of failures (a reused connection broke under a request that can't be
            repeated; to the client it looks like a keep-alive connection that ended, which it must expect).
    """

    def __init__(self, status: int, cause: str, phase: str, *, silent: bool = False) -> None:
        super().__init__(f"{status} {cause}{phase}")
        self.status = status
        self.cause = cause
        self.phase = phase
        self.silent = silent


#: Letters of sessions that were ended from outside: the server went down, better servers came up, an operator.
KILLED = frozenset("DUK")


def letter(failure: str) -> str:
    """The first letter of the termination state for a server connection's failure."""
    if failure == "timeout":
        return "s"
    return failure if failure in KILLED else "S"


class Killed(Failed):
    """The session is ended from outside while it waits for something else than a server's answer.

    Attributes:
        cause: see `KILLED`.
    """

    def __init__(self, cause: str, phase: str = "-") -> None:
        super().__init__(0, cause, phase)


class Lost(Exception):  # noqa: N818 - perhaps the request is sent again
    """The server gave no answer.

    Attributes:
        event: `empty-response`, `junk-response`, `response-timeout` or a status, as `retry-on` names them.
    """

    def __init__(self, event: str) -> None:
        super().__init__(event)
        self.event = event


class Redirected(Exception):  # noqa: N818 - an answer to give, not a defect
    """The client is sent to the server (`redir`).

    Attributes:
        location: where it finds what it asked for.
    """

    def __init__(self, location: bytes) -> None:
        super().__init__(location)
        self.location = location

"""What a ruleset can decide. A rule that decides nothing gives None and the next one runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hapy.http.message import Response
    from hapy.proxy.exchange import Exchange
    from hapy.proxy.transaction import Transaction

#: Builds an answer: its head and its body. A raw answer (errorfile) that is empty gives None: close without a word.
Builder = Callable[["Transaction"], "tuple[Response, bytes] | None"]


class Outcome:
    """A decision that ends a ruleset."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.name}>"


#: Stop this ruleset, go on with the request.
ALLOW: Final = Outcome("allow")
#: Close without a word (`PR`, status -1). As for SILENT_DROP, the log shows no request time: `request_done` is put back
#: to -1.
REJECT: Final = Outcome("reject")
#: End a TCP session after what has been passed on (`tcp-response content close`).
CLOSE: Final = Outcome("close")
#: Forget the connection without telling the client.
SILENT_DROP: Final = Outcome("silent-drop")
#: Content inspection can't decide yet: wait for more bytes, or for the delay to pass, and begin again.
WAIT: Final = Outcome("wait")
#: The client speaks HTTP from here on (`tcp-request content switch-mode http`).
SWITCH: Final = Outcome("switch-mode http")
#: The same with `proto h2`, which hapy does not speak.
SWITCH_H2: Final = Outcome("switch-mode http proto h2")
#: A rewrite failed or something inside did: answer 500, `PR` for requests and `PH` for answers.
INTERNAL_ERROR: Final = Outcome("internal-error")


@dataclass(frozen=True, slots=True)
class Reply(Outcome):
    """Answer the client now.

    Attributes:
        kind: deny, return, redirect, auth or stats: what the counters count.
        status: the answer's status (for the log).
        cause: first letter of the termination state. phase: the second.
        build: makes the answer. PATH then runs the http-after-response rules over it.
    """

    name: str
    kind: str
    status: int
    cause: str
    phase: str
    build: Builder


@dataclass(frozen=True, slots=True)
class Tarpit(Outcome):
    """Hold the client for `timeout tarpit` (else `timeout connect`), then send the reply (`PT`).

    In the log the time held counts as queue time: `request_done` goes back to -1, `queue_done` is the end of the wait.
    """

    name: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class Deferred(Outcome):
    """Something waits for more of the request, and then decides on the reply."""

    name: str
    decide: Callable[[Exchange], Awaitable[Reply]]

"""What content inspection knows of the bytes it looks at (configuration manual, `tcp-request content`).

A fetch that finds too little while more may come calls `undecided`: the rule that asked can then wait for the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hapy.http.message import Request, Response
    from hapy.proxy.transaction import Transaction

#: What HAProxy keeps beside names and values for the first line of a message, and for the end of its head.
_FIRST_LINE = 20
_END_OF_HEAD = 1


class Content:
    """The state of one inspection.

    Attributes:
        raw: what is looked at are bytes as they come (`mode tcp`), not an HTTP message.
        final: no more will be waited for: what is there decides.
        ended: final is so since the peer has sent its FIN: captures wait even then, as in HAProxy.
        undecided: a fetch has found too little; reset by who asks.
        head_pending: raw bytes that may become an HTTP request's head, once more have come.
        answer: bytes from the server as far as they have come.
        waited: more was waited for.
    """

    __slots__ = ("answer", "ended", "final", "head_pending", "raw", "undecided", "waited")

    def __init__(self, *, raw: bool, final: bool) -> None:
        self.raw = raw
        self.final = final
        self.ended = False
        self.undecided = False
        self.head_pending = False
        self.answer = b""
        self.waited = False


def undecided(txn: Transaction) -> None:
    """Say that more bytes could change what was just found."""
    content = txn.inspection
    if content is not None and (content.ended or not content.final):
        content.undecided = True


def sent(txn: Transaction) -> bytes | None:
    """What the client has sent so far; None in HTTP, where there are messages instead."""
    content = txn.inspection
    if content is not None:
        return (txn.body or b"") if content.raw else None
    return None if txn.request is not None else txn.body


def answered(txn: Transaction) -> bytes | None:
    """What the server has sent so far; None in HTTP, and outside of inspections."""
    content = txn.inspection
    return content.answer if content is not None and content.raw else None


def message_size(message: Request | Response, body: bytes | None) -> int:
    """The length of an HTTP message as HAProxy holds it: names and values without what stands between them."""
    size = _FIRST_LINE + len("HTTP/1.1") + _END_OF_HEAD + len(body or b"")
    for name, value in message.headers:
        size += len(name) + len(value)
    return size

"""Connection, Transfer-Encoding, Content-Length and Upgrade fields as HAProxy 2.6 reads and repairs them.

HAProxy takes `close` and `keep-alive` out of Connection fields and leaves the other options where they stand; a field
left empty goes. It writes its own `connection` field, if any, behind all others. `keep-alive` and `proxy-connection`
fields pass untouched.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hapy.http.interface import BadMessage
from hapy.http.message import CHUNKED

if TYPE_CHECKING:
    from hapy.http.message import Header

#: The greatest content-length taken. (HAProxy 2.6 wraps around at 2^64; a length that means two things to two readers
#: is a smuggler's tool, so hapy refuses it.)
_GREATEST: Final = (1 << 63) - 1

_LENGTH: Final = re.compile(rb"[0-9]+(?:[ \t]*,[ \t]*[0-9]+)*")


class ConnectionOptions:
    """What the Connection fields of one message say together.

    Attributes:
        close: `close` was among them; keep_alive: `keep-alive` was; upgrade: `upgrade` was.
    """

    __slots__ = ("close", "keep_alive", "upgrade")

    def __init__(self) -> None:
        self.close = False
        self.keep_alive = False
        self.upgrade = False

    def take(self, value: bytes) -> bytes:
        """Reads one field's value; returns what HAProxy leaves of it."""
        kept: list[bytes] = []
        changed = False
        for part in value.split(b","):
            option = part.strip(b" \t").lower()
            if option == b"close":
                self.close = changed = True
            elif option == b"keep-alive":
                self.keep_alive = changed = True
            else:
                if option == b"upgrade":
                    self.upgrade = True
                kept.append(part)
        return b",".join(kept).strip(b" \t") if changed else value


def content_length(value: bytes, status: int) -> int:
    """A Content-Length field's value: a number, or the same number several times (RFC 9110 section 8.6).

    Raises:
        BadMessage: not a number, numbers that differ, or one that is too large.
    """
    if value.isdigit() and len(value) < 19:
        return int(value)
    if not _LENGTH.fullmatch(value):
        raise BadMessage(status, "invalid content-length")
    lengths = {int(part) for part in value.split(b",")}
    if len(lengths) != 1:
        raise BadMessage(status, "conflicting content-length values")
    length = lengths.pop()
    if length > _GREATEST:
        raise BadMessage(status, "content-length too large")
    return length


def transfer_encoding(values: list[bytes], bad: int, unsupported: int) -> int:
    """What the Transfer-Encoding fields make of the body: CHUNKED, or they are refused.

    Args:
        values: one a field, in order.
        bad: status for lists that don't end with `chunked` or name it twice.
        unsupported: status for codings in front of `chunked`.

    Raises:
        BadMessage: see above.
    """
    codings = [part.strip(b" \t").lower() for part in b",".join(values).split(b",")]
    while codings and not codings[-1]:
        codings.pop()
    if not codings or codings[-1] != b"chunked" or b"chunked" in codings[:-1]:
        raise BadMessage(bad, "transfer-encoding does not end with chunked")
    if len(codings) > 1:
        raise BadMessage(unsupported, "unsupported transfer coding")
    return CHUNKED


def without_connection_options(headers: list[Header], options: ConnectionOptions) -> list[Header]:
    """The fields with `close` and `keep-alive` taken out of Connection; fills `options`."""
    kept: list[Header] = []
    for field in headers:
        if field[0] == b"connection":
            value = options.take(field[1])
            if not value:
                continue
            if value is not field[1]:
                kept.append((b"connection", value))
                continue
        kept.append(field)
    return kept

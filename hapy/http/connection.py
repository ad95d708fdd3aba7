"""Connection, Transfer-Encoding, Content-Length and TE fields as HAProxy 2.6 reads and repairs them.

HAProxy takes `close` and `keep-alive` out of Connection fields and leaves the other options where they stand; a field
left empty goes. It writes its own `connection` field, if any, behind all others. `keep-alive` and `proxy-connection`
fields pass untouched.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hapy.http.interface import BadMessage

if TYPE_CHECKING:
    from hapy.http.message import Header

#: The greatest content-length taken. (HAProxy 2.6 wraps around at 2^64; a length that means two things to two readers
#: is a smuggler's tool, so hapy refuses it.)
_GREATEST: Final = (1 << 63) - 1

_LENGTH: Final = re.compile(rb"[0-9]+(?:[ \t]*,[ \t]*[0-9]+)*")
#: A TE value that asks for trailers, the way HAProxy looks for it: case matters, what stands before it doesn't.
_TRAILERS: Final = re.compile(rb"trailers(?:,|\Z)")


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
                # Behind a removed option HAProxy takes away the blanks around the others.
                kept.append(part.strip(b" \t") if changed else part)
        if changed:
            return b",".join(kept).strip(b" \t").rstrip(b", \t")
        return value.rstrip(b", \t") if value[-1:] == b"," else value


def content_length(value: bytes, status: int) -> int:
    """A Content-Length field's value: a number, or the same number several times (RFC 9110 section 8.6).

    Raises:
        BadMessage: not a number, numbers that differ, or one that is too large.
    """
    if value.isdigit() and len(value) < 19:
        return int(value)
    if not _LENGTH.fullmatch(value):
        raise BadMessage(status, "invalid content-length")
    numbers = {part.strip(b" \t").lstrip(b"0") or b"0" for part in value.split(b",")}
    if len(numbers) != 1:
        raise BadMessage(status, "conflicting content-length values")
    number = numbers.pop()
    if len(number) > 19 or int(number) > _GREATEST:
        raise BadMessage(status, "content-length too large")
    return int(number)


def is_chunked(values: list[bytes], bad: int, unsupported: int) -> bool:
    """Whether the body is chunked by what the Transfer-Encoding fields say: it is, or they are all empty.

    Args:
        values: one a field, in order.
        bad: status for a coding other than `chunked`, or `chunked` twice.
        unsupported: status for `chunked` behind other codings.

    Raises:
        BadMessage: see above.
    """
    chunked = other = False
    for value in values:
        if not value:
            continue
        # One comma at the end is overlooked, an empty element elsewhere isn't.
        codings = value.split(b",")
        if len(codings) > 1 and not codings[-1].strip(b" \t"):
            codings.pop()
        for coding in codings:
            if chunked:
                raise BadMessage(bad, "chunked is not the last transfer coding")
            if coding.strip(b" \t").lower() == b"chunked":
                chunked = True
            else:
                other = True
    if other:
        raise BadMessage(unsupported if chunked else bad, "unsupported transfer coding")
    return chunked


def forwarded_te(value: bytes) -> bytes | None:
    """What HAProxy passes on of a TE field's value: `trailers`, or None for nothing."""
    return b"trailers" if _TRAILERS.search(value) else None


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


def check_trailers(trailers: list[Header], status: int) -> None:
    """HAProxy's checks of framing and Host fields in trailers; they pass on, as nobody acts upon them there.

    Raises:
        BadMessage: invalid or conflicting values.
    """
    lengths = {content_length(value, status) for name, value in trailers if name == b"content-length"}
    hosts = {value.lower() for name, value in trailers if name == b"host"}
    is_chunked([value for name, value in trailers if name == b"transfer-encoding"], status, status)
    if len(lengths) > 1 or len(hosts) > 1:
        raise BadMessage(status, "conflicting trailers")


def has_token(values: list[bytes], token: bytes) -> bool:
    """Whether one of the comma-separated values is `token` (lower case)."""
    return any(part.strip(b" \t").lower() == token for value in values for part in value.split(b","))

"""Field lines: one `name: value` line to a header, and the slow, exact reader of a whole head.

Two ways in. `FIELDS[line]` is the fast one, for a line known to have been ended by CRLF: it remembers short lines,
because clients and servers repeat themselves (`accept-encoding: gzip, deflate, br`), and raises `OddLine` for anything
that is not plainly sound. `read_lines` then has the final word: it takes a head apart the way HAProxy does.

What HAProxy 2.6 takes (seen on the wire):

- a line ends with LF, a CR right before it is dropped; a CR anywhere else refuses the message
- a name is a token; blanks before the colon refuse the message, as does an empty name
- a value may hold any byte but CR and LF, NUL and 8-bit bytes included; blanks around it are dropped
- a line that begins with a blank continues the one before (obs-fold); each byte of the line end becomes a blank
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hapy.http.interface import BadMessage

if TYPE_CHECKING:
    from hapy.http.message import Header

#: RFC 9110 section 5.6.2.
TOKEN_BYTES: Final = b"!#$%&'*+-.0123456789^_`ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz|~"

#: Lines longer than this are not remembered, nor are those of names whose values are secrets or never come again.
_LONGEST_KEPT: Final = 160
_NEVER_KEPT: Final = frozenset(
    {
        b"authorization",
        b"cookie",
        b"etag",
        b"if-modified-since",
        b"if-none-match",
        b"proxy-authorization",
        b"set-cookie",
        b"traceparent",
        b"x-api-key",
        b"x-request-id",
    },
)
_MOST_KEPT: Final = 2048


class OddLine(ValueError):  # noqa: N818  never seen outside this package
    """A line that the fast reader leaves to the slow one."""


class _Fields(dict[bytes, "Header"]):
    """Field line to header; forgets all when it has grown too large, so that no peer can make it grow."""

    __slots__ = ()

    def __missing__(self, line: bytes) -> Header:
        name, colon, value = line.partition(b":")
        if not colon or not name or name.translate(None, TOKEN_BYTES) or b"\n" in line or b"\r" in line:
            raise OddLine
        field = (name.lower(), value.strip(b" \t"))
        if len(line) <= _LONGEST_KEPT and field[0] not in _NEVER_KEPT:
            if len(self) >= _MOST_KEPT:
                self.clear()
            self[line] = field
        return field


FIELDS: Final = _Fields()

_CR_OR_LF: Final = re.compile(rb"[\r\n]")


def read_line(buffer: bytes, start: int, status: int) -> tuple[bytes, int] | None:
    """The line at `start` without its end and where the next begins; None while its LF has not come.

    Raises:
        BadMessage: a CR that no LF follows.
    """
    match = _CR_OR_LF.search(buffer, start)
    if match is None:
        return None
    at = match.start()
    if buffer[at] == 0x0A:
        return buffer[start:at], at + 1
    if at + 1 == len(buffer):
        return None
    if buffer[at + 1] != 0x0A:
        raise BadMessage(status, "CR without LF")
    return buffer[start:at], at + 2


def read_fields(
    buffer: bytes,
    start: int,
    status: int,
    name_bytes: bytes | None,
    limit: int,
) -> tuple[list[Header], int] | None:
    """The field lines at `start` up to the empty line, and where the body begins; None while they are incomplete.

    Args:
        buffer: what has come.
        start: where the first field line begins.
        status: what a BadMessage carries.
        name_bytes: the bytes allowed in names, None for any.
        limit: fields must be fewer than this (`tune.http.maxhdr` counts one more than fits).

    Raises:
        BadMessage: the lines are unsound.
    """
    headers: list[Header] = []
    while True:
        found = read_line(buffer, start, status)
        if found is None:
            _check_partial(buffer, start, status, name_bytes)
            return None
        line, after = found
        if not line:
            return headers, after
        # Whether the next line continues this one shows in its first byte.
        while True:
            if after >= len(buffer):
                return None
            if buffer[after] not in b" \t":
                break
            found = read_line(buffer, after, status)
            if found is None:
                return None
            line += b" " * (2 if buffer[after - 2] == 0x0D else 1) + found[0]
            after = found[1]
        name, colon, value = line.partition(b":")
        if not name or not colon or (name_bytes is not None and name.translate(None, name_bytes)):
            raise BadMessage(status, "invalid field name" if colon else "field line without a colon")
        headers.append((name.lower(), value.strip(b" \t")))
        if len(headers) >= limit:
            raise BadMessage(status, "too many fields")
        start = after


def counts_as_11(version: bytes) -> bool:
    """Whether HAProxy takes an odd version word for HTTP/1.1: it looks only where `HTTP/1.1` has its digits."""
    return len(version) == 8 and (version[5:6] > b"1" or (version[5:6] == b"1" and version[7:] >= b"1"))


def _check_partial(buffer: bytes, start: int, status: int, name_bytes: bytes | None) -> None:
    """Refuses an unfinished line as soon as its name can't be one."""
    name, colon, _ = buffer[start:].partition(b":")
    if (colon and not name) or (name_bytes is not None and name.rstrip(b"\r").translate(None, name_bytes)):
        raise BadMessage(status, "invalid field name")

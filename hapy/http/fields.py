"""Field lines: one `name: value` line to a header, and the slow, exact reader of a whole head.

Two ways in. `plain_fields` is the fast one, for lines that CRLF has ended; it gives up on anything that is not plainly
sound. `read_line` and `read_fields` then have the final word: they take a head apart the way HAProxy does.

What HAProxy 2.6 takes (seen on the wire):

- a line ends with LF, a CR right before it is dropped; a CR anywhere else refuses the message
- a name is a token; blanks before the colon refuse the message, as does an empty name
- a value may hold any byte but CR and LF, NUL and 8-bit bytes included; blanks around it are dropped
- a line that begins with a blank continues the one before (obs-fold); each byte of the line end becomes a blank
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from hapy.http.interface import BadMessage

if TYPE_CHECKING:
    from hapy.http.message import Header

#: RFC 9110 section 5.6.2.
TOKEN_BYTES: Final = b"!#$%&'*+-.0123456789^_`ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz|~"

_NAME_BYTES: Final = TOKEN_BYTES.translate(None, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")

#: Names whose lines come again and again, from one client or from many, and hold no secrets.
_REPEATED: Final = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"accept-ranges",
        b"access-control-allow-origin",
        b"age",
        b"alt-svc",
        b"cache-control",
        b"connection",
        b"content-encoding",
        b"content-language",
        b"content-length",
        b"content-type",
        b"date",
        b"dnt",
        b"etag",
        b"expires",
        b"host",
        b"keep-alive",
        b"last-modified",
        b"origin",
        b"pragma",
        b"priority",
        b"referrer-policy",
        b"sec-ch-ua",
        b"sec-ch-ua-mobile",
        b"sec-ch-ua-platform",
        b"sec-fetch-dest",
        b"sec-fetch-mode",
        b"sec-fetch-site",
        b"sec-fetch-user",
        b"server",
        b"strict-transport-security",
        b"te",
        b"transfer-encoding",
        b"upgrade-insecure-requests",
        b"user-agent",
        b"vary",
        b"via",
        b"x-content-type-options",
        b"x-forwarded-proto",
        b"x-frame-options",
        b"x-powered-by",
        b"x-xss-protection",
    },
)
#: HAProxy's limit for the name of a field.
LONGEST_NAME: Final = 255

_LONGEST_KEPT: Final = 200
_MOST_KEPT: Final = 1024

#: Sound field lines of those names to headers. Forgets all when it has grown too large: no peer can make it grow.
_known: Final[dict[bytes, Header]] = {}


def plain_fields(lines: list[bytes]) -> list[Header] | None:
    """The headers of field lines that stood between CRLFs; None when any of them is not plainly sound.

    Lines that were seen before cost a dictionary look-up. The others are taken apart one by one and checked together.
    """
    fields: list[Header | None] = [*map(_known.get, lines)]
    if all(fields):
        return cast("list[Header]", fields)
    news: list[bytes] = []
    taken: list[Header] = []
    for at, field in enumerate(fields):
        if field is None:
            line = lines[at]
            name, colon, value = line.partition(b":")
            if not colon:
                return None
            fields[at] = new = (name.lower(), value.strip(b" \t"))
            news.append(line)
            taken.append(new)
    text = b"".join(news)
    names = [new[0] for new in taken]
    if max(map(len, names)) > LONGEST_NAME:
        return None
    if b"\n" in text or b"\r" in text or b"" in names or b"".join(names).translate(None, _NAME_BYTES):
        return None
    for line, new in zip(news, taken, strict=True):
        if new[0] in _REPEATED and len(line) <= _LONGEST_KEPT:
            if len(_known) >= _MOST_KEPT:
                _known.clear()
            _known[line] = new
    return cast("list[Header]", fields)


_MOST_SEEN: Final = 4096
_seen: Final[set[int]] = set()


def seen_before(block: bytes) -> bool:
    """Whether this block of field lines has come before, as far as memory goes: what comes but once is not kept."""
    key = hash(block)
    if key in _seen:
        return True
    if len(_seen) >= _MOST_SEEN:
        _seen.clear()
    _seen.add(key)
    return False


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


#: What `Connection` says to this side alone.
_NOTED: Final = frozenset({b"", b"close", b"keep-alive"})


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
        limit: fields must be fewer than this (`tune.http.maxhdr` counts one more than fits); `Connection` fields that
            say nothing but `close` and `keep-alive` don't count.

    Raises:
        BadMessage: the lines are unsound.
    """
    headers: list[Header] = []
    while True:
        found = read_line(buffer, start, status)
        if found is None:
            check_partial(buffer, start, status, name_bytes)
            return None
        line, after = found
        if not line:
            return headers, after
        name, colon, value = line.partition(b":")
        if not name or not colon or (name_bytes is not None and name.translate(None, name_bytes)):
            raise BadMessage(status, "invalid field name" if colon else "field line without a colon")
        # Whether the next line continues this one shows in its first byte.
        while True:
            if after >= len(buffer):
                return None
            if buffer[after] not in b" \t":
                break
            found = read_line(buffer, after, status)
            if found is None:
                return None
            value += b" " * (2 if buffer[after - 2] == 0x0D else 1) + found[0]
            after = found[1]
        name, value = name.lower(), value.strip(b" \t")
        headers.append((name, value))
        if name == b"connection" and all(each.strip().lower() in _NOTED for each in value.split(b",")):
            limit += 1
        if len(headers) >= limit:
            raise BadMessage(status, "too many fields")
        start = after


def has_long_name(headers: list[Header]) -> bool:
    """Whether the name of a field is longer than HAProxy keeps."""
    return any(len(name) > LONGEST_NAME for name, _value in headers)


def counts_as_11(version: bytes) -> bool:
    """Whether HAProxy takes an odd version word for HTTP/1.1: it looks only where `HTTP/1.1` has its digits."""
    return len(version) == 8 and (version[5:6] > b"1" or (version[5:6] == b"1" and version[7:] >= b"1"))


def check_partial(buffer: bytes, start: int, status: int, name_bytes: bytes | None) -> None:
    """Refuses an unfinished line as soon as its name can't be one."""
    name, colon, _ = buffer[start:].partition(b":")
    if (colon and not name) or (name_bytes is not None and name.rstrip(b"\r").translate(None, name_bytes)):
        raise BadMessage(status, "invalid field name")

"""Heads and chunks to bytes, in HAProxy's wire form.

What HAProxy 2.6 writes (seen on the wire):

- `name: value` in the order of the list, names in lower case, `name: ` for an empty value
- its own `connection` field behind all others. In an HTTP/1.1 message: `close` when the connection ends with it, else
  `keep-alive` if the peer speaks an older version, else none. In an older message: `keep-alive` when the connection
  stays, else none. None at all beside an `upgrade` option, in 1xx and in CONNECT's tunnels
- 1xx and 204 lose Content-Length and Transfer-Encoding; 304 and answers to HEAD keep them
- a response keeps the server's version, a request the client's: a 1.0 client gets HTTP/1.1 answers, chunked ones too
- chunks are cut anew, sizes in capitals, extensions dropped, trailers passed on
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from hapy.http.connection import has_token
from hapy.http.message import CHUNKED, TUNNEL

if TYPE_CHECKING:
    from hapy.http.message import Header, Request, Response

_END: Final = b"\r\n\r\n"
_CLOSE: Final = b"\r\nconnection: close\r\n\r\n"
_KEEP_ALIVE: Final = b"\r\nconnection: keep-alive\r\n\r\n"
#: By version; all others are written as HTTP/1.1.
_REQUEST_VERSION: Final = {number: b" HTTP/%d.%d" % divmod(number, 10) for number in range(12)}
_STATUS_LINE: Final = {number: b"HTTP/%d.%d" % divmod(number, 10) + b" %d %b" for number in range(12)}

_LENGTHS: Final = (b"content-length", b"transfer-encoding")

_field_line: Final = b": ".join

#: What ends a chunked body without trailers.
LAST_CHUNK: Final = b"0\r\n\r\n"

#: `h1-case-adjust`: lower-case names to how they are to be written.
NameCases = Mapping[bytes, bytes]


def request_head(request: Request, *, close: bool, cases: NameCases | None = None, last: Header | None = None) -> bytes:
    """The bytes of a request's head for a server.

    Args:
        request: the head, after all rules.
        close: the server connection is for this request only.
        cases: the `h1-case-adjust` map when `option h1-case-adjust-bogus-server` is on.
        last: a field that follows all others, `connection` too.
    """
    fields = request.headers if cases is None else adjusted(request.headers, cases)
    lines = [
        request.method + b" " + request.target + _REQUEST_VERSION.get(request.version, b" HTTP/1.1"),
        *map(_field_line, fields),
    ]
    end = _END
    if close:
        if request.version >= 11 and not _upgrades(request.headers):
            end = _CLOSE
    elif request.version < 11 and request.body != CHUNKED and not _upgrades(request.headers):
        end = _KEEP_ALIVE
    if cases is not None and end is not _END:
        end = _adjusted_end(end, cases)
    if last is not None:
        end = end[:-2] + _field_line(last if cases is None else adjusted([last], cases)[0]) + _END
    return b"\r\n".join(lines) + end


def response_head(response: Response, client_version: int, *, close: bool, cases: NameCases | None = None) -> bytes:
    """The bytes of a response's head for a client.

    Args:
        response: the head, after all rules; an informational one too.
        client_version: of the request it answers.
        close: the client connection ends with this response.
        cases: the `h1-case-adjust` map when `option h1-case-adjust-bogus-client` is on.
    """
    fields = response.headers
    status = response.status
    if status < 200 or status == 204:
        fields = [field for field in fields if field[0] not in _LENGTHS]
    if cases is not None:
        fields = adjusted(fields, cases)
    line = _STATUS_LINE.get(response.version, _STATUS_LINE[11]) % (status, response.reason)
    lines = [line, *map(_field_line, fields)]
    end = _END
    if response.version >= 11:
        if (close or client_version < 11) and status >= 200 and not _goes_through(response):
            end = _CLOSE if close else _KEEP_ALIVE
    elif not close and status >= 200 and not _goes_through(response):
        end = _KEEP_ALIVE
    if cases is not None and end is not _END:
        end = _adjusted_end(end, cases)
    return b"\r\n".join(lines) + end


def _goes_through(response: Response) -> bool:
    return response.body == TUNNEL or _upgrades(response.headers)


def _upgrades(headers: list[Header]) -> bool:
    options = [value for name, value in headers if name == b"connection"]
    return bool(options) and has_token(options, b"upgrade")


def adjusted(headers: list[Header], cases: NameCases) -> list[Header]:
    """The fields with their names written as `h1-case-adjust` says."""
    return [(cases.get(name, name), value) for name, value in headers]


def _adjusted_end(end: bytes, cases: NameCases) -> bytes:
    return end.replace(b"connection", cases.get(b"connection", b"connection"), 1)


def chunk(data: bytes) -> bytes:
    """One chunk around `data`, which isn't empty."""
    return b"%X\r\n%b\r\n" % (len(data), data)


def last_chunk(trailers: list[Header], cases: NameCases | None = None) -> bytes:
    """What ends a chunked body."""
    if not trailers:
        return LAST_CHUNK
    fields = trailers if cases is None else adjusted(trailers, cases)
    return b"0\r\n" + b"".join([b"%b: %b\r\n" % field for field in fields]) + b"\r\n"

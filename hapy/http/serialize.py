"""Heads and chunks to bytes, in HAProxy's wire form.

HAProxy writes `name: value` in the order of the list, lower-case names, and its own `connection` field behind all
others. Every message goes out as HTTP/1.1 but requests of older clients, which keep their version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hapy.http.message import CHUNKED

if TYPE_CHECKING:
    from hapy.http.message import Header, Request, Response

_END: Final = b"\r\n"
_CLOSE: Final = b"connection: close\r\n\r\n"
_KEEP_ALIVE: Final = b"connection: keep-alive\r\n\r\n"
_REQUEST_VERSION: Final = {9: b" HTTP/0.9", 10: b" HTTP/1.0", 11: b" HTTP/1.1", 20: b" HTTP/1.1"}

#: What ends a chunked body without trailers.
LAST_CHUNK: Final = b"0\r\n\r\n"


def request_head(request: Request, *, close: bool) -> bytes:
    """The bytes of a request's head for a server.

    Args:
        request: the head, after all rules.
        close: the server connection is for this request only.
    """
    version = request.version
    lines = [request.method + b" " + request.target + _REQUEST_VERSION[version]]
    lines += [b"%b: %b" % field for field in request.headers]
    if close:
        lines.append(_CLOSE if version >= 11 else _END)
    elif version < 11 and request.body != CHUNKED:
        lines.append(_KEEP_ALIVE)
    else:
        lines.append(_END)
    return b"\r\n".join(lines)


def response_head(response: Response, client_version: int, *, close: bool) -> bytes:
    """The bytes of a response's head for a client.

    Args:
        response: the head, after all rules.
        client_version: of the request it answers.
        close: the client connection ends with this response.
    """
    lines = [b"HTTP/1.1 %d %b" % (response.status, response.reason)]
    lines += [b"%b: %b" % field for field in response.headers]
    if close:
        lines.append(_CLOSE)
    elif client_version < 11:
        lines.append(_KEEP_ALIVE)
    else:
        lines.append(_END)
    return b"\r\n".join(lines)


def chunk(data: bytes) -> bytes:
    """One chunk around `data`, which isn't empty."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def last_chunk(trailers: list[Header]) -> bytes:
    """What ends a chunked body."""
    if not trailers:
        return LAST_CHUNK
    return b"0\r\n" + b"".join([b"%b: %b\r\n" % field for field in trailers]) + b"\r\n"

"""Answers that hapy gives itself: HAProxy 2.6's built-in error pages, `errorfile`, `errorloc`, `return`, redirects.

What HAProxy does (seen on the wire):

- pages of the request path come as heads in the usual form, `content-length` first; those of the connection level
  (400, 408, 422: nothing was understood yet) are fixed bytes, with capitals, whatever `errorfile` says, but nothing is
  sent where the errorfile is empty
- the pages of 400 and 408 end the client connection, all others leave it
- an errorfile is parsed at start and written like any response, its version kept; `Connection: close` in it or a
  missing content-length ends the client connection, HTTP/1.0 does not
- an empty errorfile (`/dev/null`) answers nothing and closes
- reason phrases of `http-request return` differ from those of the pages and of redirects
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hapy.http.connection import ConnectionOptions, without_connection_options
from hapy.http.fields import read_fields, read_line
from hapy.http.interface import BadMessage, Limits
from hapy.http.message import UNTIL_CLOSE, Header, Response, first_value
from hapy.http.response_parser import ResponseParser
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hapy_config.model.proxy import ErrorPage


@dataclass(frozen=True, slots=True)
class Page:
    """An answer made ahead.

    Attributes:
        status: its code; reason: the phrase.
        headers: fields in order, without `connection`.
        body: its bytes.
        version: 9, 10 or 11.
        keep_alive: it doesn't say `Connection: close`. The client connection stays after it if it has a length, too.
    """

    status: int
    reason: bytes
    headers: tuple[Header, ...]
    body: bytes = b""
    version: int = 11
    keep_alive: bool = True

    def build(self, method: bytes = b"GET", extra: Iterable[Header] = ()) -> tuple[Response, bytes]:
        """A fresh head that rules may change, and the body to send behind it: none for HEAD.

        Args:
            method: the request's.
            extra: fields to put behind the page's own (`www-authenticate`).
        """
        headers = [*self.headers, *extra]
        body = b"" if method == b"HEAD" else self.body
        ends_by_close = self.status >= 200 and self.status not in (204, 304) and first_value(headers, _LENGTH) is None
        response = Response(self.status, self.reason, headers, len(body), self.version, self.keep_alive)
        if ends_by_close:
            response.body = UNTIL_CLOSE
        return response, body


_LENGTH: Final = b"content-length"

#: Reason phrases of `http-request return`, `deny … hdr` and the like.
REASONS: Final[Mapping[int, bytes]] = {
    200: b"OK",
    201: b"Created",
    202: b"Accepted",
    203: b"Non-Authoritative Information",
    204: b"No Content",
    205: b"Reset Content",
    206: b"Partial Content",
    207: b"Multi-Status",
    210: b"Content Different",
    226: b"IM Used",
    300: b"Multiple Choices",
    301: b"Moved Permanently",
    302: b"Moved Temporarily",
    303: b"See Other",
    304: b"Not Modified",
    305: b"Use Proxy",
    307: b"Temporary Redirect",
    308: b"Permanent Redirect",
    310: b"Too many Redirects",
    400: b"Bad Request",
    401: b"Unauthorized",
    402: b"Payment Required",
    403: b"Forbidden",
    404: b"Not Found",
    405: b"Method Not Allowed",
    406: b"Not Acceptable",
    407: b"Proxy Authentication Required",
    408: b"Request Time-out",
    409: b"Conflict",
    410: b"Gone",
    411: b"Length Required",
    412: b"Precondition Failed",
    413: b"Request Entity Too Large",
    414: b"Request-URI Too Long",
    415: b"Unsupported Media Type",
    416: b"Requested range unsatisfiable",
    417: b"Expectation failed",
    418: b"I'm a teapot",
    421: b"Misdirected Request",
    422: b"Unprocessable Content",
    423: b"Locked",
    424: b"Method failure",
    425: b"Too Early",
    426: b"Upgrade Required",
    428: b"Precondition Required",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
    449: b"Retry With",
    450: b"Blocked by Windows Parental Controls",
    451: b"Unavailable For Legal Reasons",
    456: b"Unrecoverable Error",
    499: b"client has closed connection",
    500: b"Internal Server Error",
    501: b"Not Implemented",
    502: b"Bad Gateway or Proxy Error",
    503: b"Service Unavailable",
    504: b"Gateway Time-out",
    505: b"HTTP Version not supported",
    506: b"Variant also negotiate",
    507: b"Insufficient storage",
    508: b"Loop detected",
    509: b"Bandwidth Limit Exceeded",
    510: b"Not extended",
    511: b"Network authentication required",
    520: b"Web server is returning an unknown error",
}
_BY_CLASS: Final = (b"Other", b"Informational", b"Success", b"Redirection", b"Client Error", b"Server Error")


def reason(status: int) -> bytes:
    """The phrase that HAProxy gives a status of `http-request return` and its kin."""
    return REASONS.get(status) or _BY_CLASS[status // 100 if status < 600 else 0]


#: Status to reason phrase and the text below the headline. 400 and 408 end the connection.
_TEXTS: Final[Mapping[int, tuple[bytes, bytes]]] = {
    200: (b"OK", b"Service ready."),
    400: (b"Bad request", b"Your browser sent an invalid request."),
    401: (b"Unauthorized", b"You need a valid user and password to access this content."),
    403: (b"Forbidden", b"Request forbidden by administrative rules."),
    404: (b"Not Found", b"The resource could not be found."),
    405: (
        b"Method Not Allowed",
        b"A request was made of a resource using a request method not supported by that resource",
    ),
    407: (b"Unauthorized", b"You need a valid user and password to access this content."),
    408: (b"Request Time-out", b"Your browser didn't send a complete request in time."),
    410: (b"Gone", b"The resource is no longer available and will not be available again."),
    413: (b"Payload Too Large", b"The request entity exceeds the maximum allowed."),
    421: (b"Misdirected Request", b"Request sent to a non-authoritative server."),
    422: (b"Unprocessable Content", b"The server cannot process the contained instructions."),
    425: (b"Too Early", b"Your browser sent early data."),
    429: (b"Too Many Requests", b"You have sent too many requests in a given amount of time."),
    500: (b"Internal Server Error", b"An internal server error occurred."),
    501: (
        b"Not Implemented",
        b".The server does not support the functionality required to fulfill the request.",
    ),
    502: (b"Bad Gateway", b"The server returned an invalid or incomplete response."),
    503: (b"Service Unavailable", b"No server is available to handle this request."),
    504: (b"Gateway Time-out", b"The server didn't respond in time."),
}
_CLOSING: Final = frozenset({400, 408})


def _builtin(status: int) -> Page:
    phrase, text = _TEXTS[status]
    body = b"<html><body><h1>%d %b</h1>\n%b\n</body></html>\n" % (status, phrase, text)
    headers = (
        (_LENGTH, b"%d" % len(body)),
        (b"cache-control", b"no-cache"),
        (b"content-type", b"text/html"),
    )
    return Page(status, phrase, headers, body, keep_alive=status not in _CLOSING)


#: The built-in pages by status. 200 answers `monitor-uri`.
BUILTIN: Final[Mapping[int, Page]] = {status: _builtin(status) for status in _TEXTS}


def connection_error(status: int) -> bytes:
    """The fixed bytes for an error found before a request was understood; its connection ends after them."""
    page = BUILTIN[status]
    close = b"Connection: close\r\n" if status in _CLOSING else b""
    return b"HTTP/1.1 %d %b\r\nContent-length: %d\r\nCache-Control: no-cache\r\n%bContent-Type: text/html\r\n\r\n%b" % (
        status,
        page.reason,
        len(page.body),
        close,
        page.body,
    )


class _Keep:
    """A sink that keeps the one response it is told."""

    def __init__(self) -> None:
        self.head: Response | None = None
        self.parts: list[bytes] = []
        self.ended = False

    def on_head(self, head: Response, /) -> None:
        self.head = head

    def on_informational(self, head: Response, /) -> None:
        raise BadMessage(0, f"an error page can't have status {head.status}")

    def on_data(self, data: bytes, /) -> None:
        self.parts.append(data)

    def on_end(self, _trailers: list[Header], /) -> None:
        self.ended = True


def parse_errorfile(raw: bytes) -> Page | None:
    """The page of an `errorfile`'s bytes; None for an empty file: nothing is sent, the connection is closed.

    Raises:
        ValueError: it isn't a whole response; the text says why.
    """
    if not raw:
        return None
    sink = _Keep()
    # The file may fill a buffer up; the head's own limits are those of a buffer that is all its own.
    parser = ResponseParser(Limits(bufsize=max(len(raw), 16384) + 1024, maxrewrite=0), sink)
    try:
        parser.feed(raw)
        head = sink.head
        if head is None:
            raise ValueError("the head is incomplete")
        if head.body < UNTIL_CLOSE or first_value(head.headers, b"transfer-encoding") is not None:
            raise ValueError("a chunked body or a tunnel can't be an error page")
        if head.body >= 0 and (not sink.ended or parser.pending):
            raise ValueError("the body's size differs from its content-length")
    except BadMessage as error:
        raise ValueError(error.reason) from None
    keep_alive = not _says_close(raw)
    return Page(head.status, head.reason, tuple(head.headers), b"".join(sink.parts), head.version, keep_alive)


def _says_close(raw: bytes) -> bool:
    """Whether a sound response has `Connection: close`: unlike a server's, an error page's version doesn't matter."""
    line = read_line(raw, 0, 502)
    while line is not None and not line[0]:
        line = read_line(raw, line[1], 502)
    fields = None if line is None else read_fields(raw, line[1], 502, None, len(raw))
    options = ConnectionOptions()
    if fields is not None:
        without_connection_options(fields[0], options)
    return options.close


def location_page(code: int, url: bytes) -> Page:
    """The answer of `errorloc`, `errorloc302` (code 302) and `errorloc303` (303)."""
    headers = ((b"cache-control", b"no-cache"), (_LENGTH, b"0"), (b"location", url))
    return Page(code, _REDIRECT_REASONS[code], headers)


_REDIRECT_REASONS: Final[Mapping[int, bytes]] = {
    301: b"Moved Permanently",
    302: b"Found",
    303: b"See Other",
    307: b"Temporary Redirect",
    308: b"Permanent Redirect",
}


def redirect_page(code: int, url: bytes, cookie: bytes | None = None) -> Page:
    """The answer of `redirect` and `http-request redirect`.

    Args:
        code: 301, 302, 303, 307 or 308.
        url: where to.
        cookie: the Set-Cookie value of `set-cookie` and `clear-cookie`, or None.
    """
    headers: list[Header] = [(_LENGTH, b"0"), (b"location", url)]
    if code in (302, 303, 307):
        headers.append((b"cache-control", b"no-cache"))
    if cookie is not None:
        headers.append((b"set-cookie", cookie))
    return Page(code, _REDIRECT_REASONS[code], tuple(headers))


def server_redirect_page(url: bytes) -> Page:
    """The answer of a server with `redir`: to this URL."""
    return Page(302, _REDIRECT_REASONS[302], ((b"cache-control", b"no-cache"), (_LENGTH, b"0"), (b"location", url)))


def reply_page(status: int, headers: Iterable[Header], content_type: bytes | None = None, body: bytes = b"") -> Page:
    """The answer of `http-request return`, `deny … hdr`, `http-error` with a body or headers of their own.

    Args:
        status: its code.
        headers: the `hdr` fields, names in lower case.
        content_type: of the body, None without one.
        body: its bytes.
    """
    fields = list(headers)
    if status >= 200:
        fields.append((_LENGTH, b"%d" % len(body)))
    if content_type is not None and body:
        fields.append((b"content-type", content_type))
    return Page(status, reason(status), tuple(fields), body if status not in (204, 304) else b"")


def configured_page(page: ErrorPage) -> Page | None:
    """The page of an `errorfile` or `errorloc`; None where the errorfile is empty.

    Raises:
        ValueError: the errorfile isn't a whole response, or the page is an `http-error` reply, whose formats only the
            rules can render (see `reply_page`).
    """
    if page.location is not None:
        return location_page(page.location_code, to_bytes(page.location))
    if page.raw is not None:
        return parse_errorfile(page.raw)
    raise ValueError(f"the reply for {page.status} is not an errorfile")

"""The codec with heads read by httptools (llhttp).

A head must please both: llhttp, which takes no bare LF, obs-fold, control bytes or repeated lengths, and the rules that
HAProxy adds to it. Bodies are framed by the parsers that this builds upon, since llhttp runs on into the next message.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import httptools

from hapy.http.framing import STATUS_SIZE, VERSION_SIZE
from hapy.http.request_parser import RequestParser
from hapy.http.response_parser import ResponseParser

if TYPE_CHECKING:
    from hapy.http.message import Header


class _Head:
    """What httptools tells of a head."""

    def __init__(self) -> None:
        self.target = b""
        self.reason = b""
        self.headers: list[Header] = []
        self.complete = False

    def on_url(self, part: bytes) -> None:
        self.target += part

    def on_status(self, part: bytes) -> None:
        self.reason += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        self.complete = True


class HttptoolsRequestParser(RequestParser):
    """Parses the requests of one client connection; see `hapy.http.interface.Parser`."""

    __slots__ = ()

    def _feed_head(self, buffer: bytes) -> None:
        buffer = self._skip_blank_lines(buffer)
        text, blank, rest = buffer.partition(b"\r\n\r\n")
        if not blank:
            self._wait_for_more(buffer)
            return
        head = _Head()
        parser = httptools.HttpRequestParser(head)
        try:
            with suppress(httptools.HttpParserUpgrade):
                parser.feed_data(text + blank)
        except httptools.HttpParserError as error:
            raise self._bad(str(error)) from None
        method, target, version = self._request_line(text.partition(b"\r\n")[0])
        if not head.complete or (parser.get_method(), head.target) != (method, target):
            raise self._bad("two readings of the request line")
        if len(head.headers) >= self._max_headers:
            raise self._bad("too many fields")
        request = self._frame(method, target, version, head.headers, version >= 11)
        self._check_size(len(text) + 4, len(method) + len(target) + VERSION_SIZE, request.headers)
        self.pending = b""
        self._begin(request, rest)


class HttptoolsResponseParser(ResponseParser):
    """Parses the responses of one server connection; see `hapy.http.interface.Parser`."""

    __slots__ = ()

    def _next_head(self, buffer: bytes) -> bytes | None:
        buffer = self._skip_blank_lines(buffer)
        text, blank, rest = buffer.partition(b"\r\n\r\n")
        if not blank:
            self._wait_for_more(buffer)
            return None
        head = _Head()
        parser = httptools.HttpResponseParser(head)
        try:
            with suppress(httptools.HttpParserUpgrade):
                parser.feed_data(text + blank)
        except httptools.HttpParserError as error:
            raise self._bad(str(error)) from None
        version, status, reason = self._status_line(text.partition(b"\r\n")[0])
        if not head.complete or (parser.get_status_code(), head.reason) != (status, reason):
            raise self._bad("two readings of the status line")
        if len(head.headers) >= self._max_headers:
            raise self._bad("too many fields")
        response = self._frame(version, status, reason, head.headers, version >= 11)
        self._check_size(len(text) + 4, len(reason) + VERSION_SIZE + STATUS_SIZE, response.headers)
        return self._begin(response, rest)

"""Response heads. The fast path takes the plain ones line by line; anything odd goes to the exact reader."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hapy.http.connection import ConnectionOptions, content_length, transfer_encoding, without_connection_options
from hapy.http.fields import FIELDS, TOKEN_BYTES, read_fields, read_line
from hapy.http.framing import MessageParser
from hapy.http.interface import BadMessage, Limits, ResponseSink
from hapy.http.message import CHUNKED, TUNNEL, UNTIL_CLOSE, Response

if TYPE_CHECKING:
    from hapy.http.message import Header

_SPECIAL: Final = frozenset({b"connection", b"content-length", b"transfer-encoding", b"upgrade"})
_STATUS_LINE: Final = re.compile(rb"HTTP/([0-9])\.([0-9])[ \t]+([0-9]{3})(?:[ \t]+([^\r\n]*))?")


class _StatusLines(dict[bytes, tuple[int, int, bytes]]):
    """Status line to version, status and reason phrase."""

    __slots__ = ()

    def __missing__(self, line: bytes) -> tuple[int, int, bytes]:
        match = _STATUS_LINE.fullmatch(line)
        if match is None:
            raise KeyError
        major, minor, status, reason = match.groups()
        parsed = (min(int(major + minor), 11), int(status), reason or b"")
        if len(self) < 256 and len(line) < 64:
            self[line] = parsed
        return parsed


_STATUS_LINES: Final = _StatusLines()


class ResponseParser(MessageParser):
    """Parses the responses of one server connection; see `hapy.http.codec.Parser`."""

    __slots__ = ("_method", "_on_head", "_on_informational")

    _status = 502

    def __init__(self, limits: Limits, sink: ResponseSink) -> None:
        super().__init__(limits, sink.on_data, sink.on_end)
        self._on_head = sink.on_head
        self._on_informational = sink.on_informational
        self._method = b"GET"

    def expect(self, method: bytes) -> None:
        """Says which method the coming response answers; call it for each request, before anything is fed."""
        self._method = method

    def _feed_head(self, buffer: bytes) -> None:
        end = buffer.find(b"\r\n\r\n")
        if end > 0:
            lines = buffer[:end].split(b"\r\n")
            try:
                version, status, reason = _STATUS_LINES[lines[0]]
                del lines[0]
                headers = [FIELDS[line] for line in lines]
            except (ValueError, KeyError):
                pass
            else:
                if len(headers) <= self._limits.max_headers:
                    self._complete(version, status, reason, headers, buffer[end + 4 :])
                    return
        self._read_head(buffer)

    def _read_head(self, buffer: bytes) -> None:
        """The exact reader."""
        self.pending = buffer
        if not buffer:
            return
        found = read_line(buffer, 0, 502)
        if found is None:
            fields = None
        else:
            try:
                version, status, reason = _STATUS_LINES[found[0]]
            except KeyError:
                raise BadMessage(502, "invalid status line") from None
            fields = read_fields(buffer, found[1], 502, TOKEN_BYTES, self._limits.max_headers)
            if fields is not None:
                self._complete(version, status, reason, fields[0], buffer[fields[1] :])
                return
        if not b"HTTP/".startswith(buffer[:5]) or len(buffer) >= self._limits.bufsize - self._limits.maxrewrite:
            raise BadMessage(502, "invalid response head")

    def _complete(self, version: int, status: int, reason: bytes, headers: list[Header], rest: bytes) -> None:
        length = -1
        keep_alive = version >= 11
        encodings: list[bytes] = []
        options = None
        for field in [field for field in headers if field[0] in _SPECIAL]:
            name, value = field
            if name == b"content-length":
                number = int(value) if value.isdigit() and len(value) < 19 else content_length(value, 502)
                if length < 0:
                    length = number
                    if b"," in value:
                        headers = [item if item is not field else (name, value.partition(b",")[0]) for item in headers]
                elif length != number:
                    raise BadMessage(502, "conflicting content-length fields")
                else:
                    headers.remove(field)
            elif name == b"transfer-encoding":
                encodings.append(value)
            elif name == b"connection" and options is None:
                options = ConnectionOptions()
                headers = without_connection_options(headers, options)
                keep_alive = (keep_alive or options.keep_alive) and not options.close
        if encodings:
            transfer_encoding(encodings, 502, 502)
            if length >= 0:
                headers = [field for field in headers if field[0] != b"content-length"]
                keep_alive = False
            length = CHUNKED
        if status < 200:
            if status != 101:
                self.pending = b""
                self._on_informational(Response(status, reason, headers, 0, version=version))
                if rest:
                    self._feed_head(rest)
                return
            body = TUNNEL
        elif self._method == b"CONNECT" and status < 300:
            body = TUNNEL
        elif self._method == b"HEAD" or status in (204, 304):
            body = 0
        elif length == -1 and not encodings:
            body = UNTIL_CLOSE
        else:
            body = length
        self._on_head(
            Response(status, reason, headers, body, version=version, keep_alive=keep_alive and body != UNTIL_CLOSE)
        )
        self._begin_body(body, rest)

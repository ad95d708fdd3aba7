"""Request heads. The fast path takes the plain ones line by line; anything odd goes to the exact reader.

What HAProxy 2.6 takes (seen on the wire):

- blank lines (CRLF or LF) before a request are skipped
- method, target and version are parted by blanks, one or more; nothing may follow the version
- the version is HTTP/DIGIT.DIGIT; one above 1.1 counts as 1.1, and HTTP/0.9's request line without version is refused
- a target begins with `/`, is `*`, an absolute URI or, for CONNECT, `host:port`; no byte outside `!` to `~`, no `#`
- equal Host fields collapse to the first, different ones are refused, as is an authority in the target that differs
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hapy.http.connection import ConnectionOptions, content_length, transfer_encoding, without_connection_options
from hapy.http.fields import FIELDS, TOKEN_BYTES, read_fields, read_line
from hapy.http.framing import MessageParser
from hapy.http.interface import BadMessage, Limits, RequestSink
from hapy.http.message import CHUNKED, Request

if TYPE_CHECKING:
    from hapy.http.message import Header

_VERSIONS: Final = {b"HTTP/1.1": 11, b"HTTP/1.0": 10}
_METHODS: Final = frozenset(
    {b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE"},
)
_TARGET_BYTES: Final = bytes(byte for byte in range(0x21, 0x7F) if byte != 0x23)
#: Fields that framing, connection handling or the checks below must see.
_SPECIAL: Final = frozenset(
    {b"connection", b"content-length", b"expect", b"host", b"te", b"transfer-encoding", b"upgrade"},
)
_KEEP_ALIVE: Final = frozenset({b"keep-alive", b"Keep-Alive"})

_REQUEST_LINE: Final = re.compile(
    rb"([!#$%&'*+\-.0-9^_`A-Za-z|~]+)[ \t]+([!-~]+)[ \t]+HTTP/([0-9])\.([0-9])",
)
_TARGET: Final = re.compile(rb"[!\"$-~]+")
_ABSOLUTE: Final = re.compile(rb"([A-Za-z][A-Za-z0-9+.\-]*)://([^/?#]*)(.*)", re.DOTALL)


class RequestParser(MessageParser):
    """Parses the requests of one client connection; see `hapy.http.codec.Parser`."""

    __slots__ = ("_on_head",)

    def __init__(self, limits: Limits, sink: RequestSink) -> None:
        super().__init__(limits, sink.on_data, sink.on_end)
        self._on_head = sink.on_head

    def _feed_head(self, buffer: bytes) -> None:
        end = buffer.find(b"\r\n\r\n")
        if end > 0:
            lines = buffer[:end].split(b"\r\n")
            try:
                method, target, version = lines[0].split(b" ")
                number = _VERSIONS[version]
                if method in _METHODS and target[0] == 0x2F and not target.translate(None, _TARGET_BYTES):
                    del lines[0]
                    headers = [FIELDS[line] for line in lines]
                    if len(headers) <= self._limits.max_headers and end < self._largest_head:
                        self._complete(method, target, number, headers, buffer[end + 4 :])
                        return
            except (ValueError, KeyError, IndexError):
                pass
        self._read_head(buffer)

    @property
    def _largest_head(self) -> int:
        return self._limits.bufsize - self._limits.maxrewrite

    def _read_head(self, buffer: bytes) -> None:
        """The exact reader."""
        at = 0
        while buffer.startswith((b"\r\n", b"\n"), at):
            at += 2 if buffer[at] == 0x0D else 1
        if at:
            buffer = buffer[at:]
        self.pending = buffer
        if not buffer or buffer == b"\r":
            return
        found = read_line(buffer, 0, 400)
        line = buffer if found is None else found[0]
        match = _REQUEST_LINE.fullmatch(line)
        if found is None:
            if (
                line.rstrip(b"\r").partition(b" ")[0].partition(b"\t")[0].translate(None, TOKEN_BYTES)
                or line[0] in b" \t"
            ):
                raise BadMessage(400, "invalid method")
            fields = None
        elif match is None:
            raise BadMessage(400, "invalid request line")
        else:
            fields = read_fields(buffer, found[1], 400, TOKEN_BYTES, self._limits.max_headers)
        if fields is None:
            if len(buffer) >= self._largest_head:
                raise BadMessage(400, "request head too large")
            return
        assert match is not None
        method, target, major, minor = match.groups()
        if not _TARGET.fullmatch(target):
            raise BadMessage(400, "invalid target")
        self._complete(method, target, min(int(major + minor), 11), fields[0], buffer[fields[1] :])

    def _complete(self, method: bytes, target: bytes, version: int, headers: list[Header], rest: bytes) -> None:
        special = [field for field in headers if field[0] in _SPECIAL]
        body = 0
        keep_alive = version >= 11
        upgrade = None
        expect = False
        host = None
        plain = True
        for field in special:
            name, value = field
            if name == b"host":
                if host is not None:
                    plain = False
                host = value
            elif name == b"connection":
                if value in _KEEP_ALIVE:
                    headers.remove(field)
                    keep_alive = True
                else:
                    plain = False
            else:
                plain = False
        if not plain or target[0] != 0x2F:
            head = self._frame(method, target, version, headers)
        else:
            head = Request(
                method, target, version, headers, body, keep_alive=keep_alive, upgrade=upgrade, expect_continue=expect
            )
        self._on_head(head)
        self._begin_body(head.body if head.body > 0 or head.body == CHUNKED else 0, rest)

    def _frame(self, method: bytes, target: bytes, version: int, headers: list[Header]) -> Request:
        options = ConnectionOptions()
        headers = without_connection_options(headers, options)
        lengths: list[int] = []
        encodings: list[bytes] = []
        hosts: list[bytes] = []
        protocols: list[bytes] = []
        expect = False
        kept: list[Header] = []
        for field in headers:
            name, value = field
            if name == b"content-length":
                length = content_length(value, 400)
                if lengths:
                    if lengths[0] != length:
                        raise BadMessage(400, "conflicting content-length fields")
                    continue
                lengths.append(length)
                if b"," in value:
                    kept.append((name, value.partition(b",")[0].rstrip(b" \t")))
                    continue
            elif name == b"transfer-encoding":
                encodings.append(value)
            elif name == b"host":
                if hosts:
                    if hosts[0].lower() != value.lower():
                        raise BadMessage(400, "different host fields")
                    continue
                hosts.append(value)
            elif name == b"upgrade":
                protocols.append(value)
            elif name == b"expect" and value.lower() == b"100-continue":
                expect = True
            kept.append(field)
        headers = kept
        body = lengths[0] if lengths else 0
        keep_alive = (version >= 11 or options.keep_alive) and not options.close
        if encodings:
            body = transfer_encoding(encodings, 400, 422)
            if lengths:
                headers = [field for field in headers if field[0] != b"content-length"]
            if lengths or version < 11:
                keep_alive = False
        upgrade = b", ".join(protocols) if protocols and options.upgrade else None
        return Request(
            method, target, version, headers, body, keep_alive=keep_alive, upgrade=upgrade, expect_continue=expect
        )

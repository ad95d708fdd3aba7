"""Request heads. The fast path takes the plain ones line by line; anything odd goes to the exact reader.

What HAProxy 2.6 takes (seen on the wire):

- blank lines (CRLF or LF) before a request are skipped
- method, target and version are parted by blanks, one or more; nothing may follow the version
- the version is HTTP/DIGIT.DIGIT; one above 1.1 is served as 1.1. A request line without version is refused
- a target holds bytes from `!` to `~` but `#`; `hapy.http.target` has the rest (DEL is now taken, now refused
  by HAProxy; hapy refuses it)
- equal Host fields collapse to the first, different ones are refused
- a body length given twice alike is taken once; with Transfer-Encoding it is dropped, and the client connection ends
  after the answer, as it does with Transfer-Encoding in HTTP/1.0
- HTTP/1.0 requests with GET, HEAD or DELETE may have no body (413) unless `h1-accept-payload-with-any-method` is set
- of TE only `trailers` goes on; an upgrade asked for in a request with a body is taken out of it
- PRI, the word that HTTP/2 connections begin with, is no method
- a websocket upgrade needs its 24-byte key
- `tcp-request content` rules, which only look at what goes on as bytes, take any word of capitals, digits, dots and
  slashes as a version (as HTTP/1.0), `GET /` without one, any coding, PRI, and websockets without a key
- `option accept-invalid-http-request` takes 8-bit bytes and `#` in targets, any byte in names, any word as a version
  (as HTTP/1.0) and `GET /` without one
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mypy_extensions import mypyc_attr

from hapy.http.connection import (
    ConnectionOptions,
    content_length,
    forwarded_te,
    has_token,
    is_chunked,
    without_connection_options,
)
from hapy.http.fields import TOKEN_BYTES, counts_as_11, plain_fields, read_fields, read_line, seen_before
from hapy.http.framing import DONE, VERSION_SIZE, MessageParser
from hapy.http.interface import BadMessage, Limits, RequestSink
from hapy.http.message import CHUNKED, CREDENTIALS, TUNNEL, Request
from hapy.http.target import check_target

if TYPE_CHECKING:
    from hapy.http.message import Header

_VERSIONS: Final = {b"HTTP/1.1": 11, b"HTTP/1.0": 10}
_METHODS: Final = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE"})
_TARGET_BYTES: Final = bytes(byte for byte in range(0x21, 0x7F) if byte != 0x23)
#: Fields that `_frame` must see; Host and a plain `Connection: keep-alive` are seen to before.
_FRAMING: Final = frozenset(
    {b"connection", b"content-length", b"expect", b"host", b"te", b"transfer-encoding", b"upgrade"},
)
_NO_PAYLOAD: Final = frozenset({b"GET", b"HEAD", b"DELETE"})
_NO_VERSION: Final = -1
_KEEP_ALIVE: Final = frozenset({b"keep-alive", b"Keep-Alive"})

#: Field blocks of HTTP/1.1 requests as they came, to what they mean: clients send the same one again and again. That
#: depends on nothing but the block as long as the method is a usual one and the target a path. Number of lines, fields
#: that go on, body, keep_alive, upgrade, expect_continue, plain_size. Forgets all when it has grown too large.
_blocks: Final[dict[bytes, tuple[int, list[Header], int, bool, bytes | None, bool, int]]] = {}
_MOST_BLOCKS: Final = 512
_LONGEST_BLOCK: Final = 2048

_METHOD: Final = rb"([!#$%&'*+\-.0-9^_`A-Za-z|~]+)"
_REQUEST_LINE: Final = re.compile(_METHOD + rb'[ \t]+([!"$-~]+)[ \t]+HTTP/([0-9])\.([0-9])')
_LENIENT_LINE: Final = re.compile(_METHOD + rb"[ \t]+([!-~\x80-\xff]+)[ \t]+([A-Z0-9./]+)")
_ANY_VERSION_LINE: Final = re.compile(_METHOD + rb'[ \t]+([!"$-~]+)[ \t]+([A-Z0-9./]+)')
_HTTP09_LINE: Final = re.compile(rb"(GET)[ \t]+([!-~\x80-\xff]+)[ \t]*")
#: Unfinished request lines that may yet become sound ones.
_BEGUN: Final = re.compile(_METHOD + rb'(?:[ \t]+(?:[!"$-~]+(?:[ \t]+[A-Z0-9./]*)?)?)?\r?')
_LENIENT_BEGUN: Final = re.compile(_METHOD + rb"(?:[ \t]+(?:[!-~\x80-\xff]+(?:[ \t]+[A-Z0-9./]*)?)?)?\r?")


@mypyc_attr(allow_interpreted_subclasses=True)
class RequestParser(MessageParser):
    """Parses the requests of one client connection; see `hapy.http.interface.Parser`."""

    __slots__ = ("_on_head",)

    def __init__(self, limits: Limits, sink: RequestSink) -> None:
        super().__init__(limits, sink.on_data, sink.on_end)
        self._on_head = sink.on_head

    def _feed_head(self, buffer: bytes) -> None:
        head, blank, rest = buffer.partition(b"\r\n\r\n")
        if blank and len(head) < self._safe_size:
            line, _, block = head.partition(b"\r\n")
            try:
                method, target, version = line.split(b" ")
                number = _VERSIONS[version]
                sound = method in _METHODS and target[0] == 0x2F and not target.translate(None, _TARGET_BYTES)
            except (ValueError, KeyError, IndexError):
                sound = False
            if sound:
                request = self._plain(method, target, number, block)
                if request is not None:
                    self.pending = b""
                    self._begin(request, rest)
                    return
        self._read_head(buffer)

    def _plain(self, method: bytes, target: bytes, version: int, block: bytes) -> Request | None:
        """A request of a usual method with a path as its target, of which nothing else is left to be checked."""
        known = _blocks.get(block) if version == 11 else None
        if known is not None:
            count, headers, body, keep_alive, upgrade, expect, size = known
            if count < self._max_headers:
                return Request(method, target, 11, headers.copy(), body, keep_alive, upgrade, expect, size)
        lines = block.split(b"\r\n") if block else []
        count = len(lines)
        fields = plain_fields(lines) if count < self._max_headers else None
        if fields is None:
            return None
        request = self._settle(method, target, version, fields)
        if version == 11 and len(block) <= _LONGEST_BLOCK and seen_before(block) and not self._limits.looking:
            if len(_blocks) >= _MOST_BLOCKS:
                _blocks.clear()
            kept = request.headers.copy()
            size = -1 if any(name in CREDENTIALS for name, _ in kept) else sum([len(a) + len(b) for a, b in kept])
            expect = request.expect_continue
            _blocks[block] = count, kept, request.body, request.keep_alive, request.upgrade, expect, size
        return request

    def _settle(self, method: bytes, target: bytes, version: int, headers: list[Header]) -> Request:
        """Settles the plain cases itself: no body, one Host, nothing or `keep-alive` in Connection."""
        keep_alive = version >= 11
        host = False
        for field in [field for field in headers if field[0] in _FRAMING]:
            if not host and field[0] == b"host":
                host = True
            elif field[0] == b"connection" and field[1] in _KEEP_ALIVE:
                headers.remove(field)
                keep_alive = True
            else:
                return self._frame(method, target, version, headers, keep_alive)
        return Request(method, target, version, headers, 0, keep_alive)

    def _begin(self, head: Request, rest: bytes) -> None:
        self._on_head(head)
        body = head.body
        if body in (0, TUNNEL):
            self._state = DONE
            self.pending = rest
            self._on_end([])
        else:
            self._begin_body(body, rest)

    def _read_head(self, buffer: bytes) -> None:
        """The exact reader: HAProxy's rules, one by one."""
        limits = self._limits
        buffer = self._skip_blank_lines(buffer)
        self.pending = buffer
        if not buffer or buffer == b"\r":
            return
        found = read_line(buffer, 0, 400)
        if found is None:
            begun = _LENIENT_BEGUN if limits.accept_invalid else _BEGUN
            if not begun.fullmatch(buffer):
                raise self._bad("invalid request line")
            fields = None
        else:
            method, target, version = self._request_line(found[0])
            if version == _NO_VERSION:
                self.pending = b""
                self._begin(Request(method, target, 10, [], 0, keep_alive=False), buffer[found[1] :])
                return
            allowed = None if limits.accept_invalid else TOKEN_BYTES
            fields = read_fields(buffer, found[1], 400, allowed, limits.max_headers)
        if fields is None:
            self._wait_for_more(buffer)
            return
        headers, end = fields
        head = self._frame(method, target, version, headers, keep_alive=version >= 11)
        self._check_size(end, len(method) + len(target) + VERSION_SIZE, head.headers)
        if method == b"PRI" and not limits.looking:
            raise BadMessage(400, "the preface of HTTP/2", read=head)
        self.pending = b""
        self._begin(head, buffer[end:])

    def _request_line(self, line: bytes) -> tuple[bytes, bytes, int]:
        match = _REQUEST_LINE.fullmatch(line)
        if match is not None:
            method, target, major, minor = match.groups()
            return method, target, int(major + minor)
        lenient = self._limits.accept_invalid
        if lenient or self._limits.looking:
            match = (_LENIENT_LINE if lenient else _ANY_VERSION_LINE).fullmatch(line)
            if match is not None:
                return match[1], match[2], 11 if counts_as_11(match[3]) else 10
            match = _HTTP09_LINE.fullmatch(line)
            if match is not None and (lenient or not match[2].translate(None, _TARGET_BYTES)):
                return match[1], match[2], _NO_VERSION
        raise self._bad("invalid request line")

    def _frame(self, method: bytes, target: bytes, version: int, headers: list[Header], keep_alive: bool) -> Request:
        """Body length, connection options and the checks across fields."""
        lenient = self._limits.accept_invalid
        options = ConnectionOptions()
        lengths: list[int] = []
        encodings: list[bytes] = []
        protocols: list[bytes] = []
        host: bytes | None = None
        expect = False
        kept: list[Header] = []
        for field in without_connection_options(headers, options):
            name, value = field
            if name not in _FRAMING:
                pass
            elif name == b"host":
                if host is not None:
                    if host.lower() != value.lower():
                        raise self._bad("different host fields")
                    continue
                host = value
            elif name == b"content-length":
                length = content_length(value, 400)
                if lengths:
                    if lengths[0] != length:
                        raise self._bad("conflicting content-length fields")
                    continue
                lengths.append(length)
                if b"," in value:
                    kept.append((name, value.rpartition(b",")[2].lstrip(b" \t")))
                    continue
            elif name == b"transfer-encoding":
                encodings.append(value)
            elif name == b"upgrade":
                protocols.append(value)
            elif name == b"te":
                te = forwarded_te(value)
                if te is not None:
                    kept.append((name, te))
                continue
            elif name == b"expect":
                expect = expect or value[:12].lower() == b"100-continue"
            kept.append(field)
        headers = kept
        keep_alive = (keep_alive or options.keep_alive) and not options.close
        body = lengths[0] if lengths else 0
        size = -1
        unsupported: BadMessage | None = None
        if encodings:
            try:
                if not is_chunked(encodings, 400, 422):
                    raise self._bad("empty transfer-encoding")
            except BadMessage as error:
                if error.status == 400:
                    raise
                unsupported = error  # what else is wrong comes first
            body = CHUNKED
            if lengths:
                headers = [field for field in headers if field[0] != b"content-length"]
            if lengths or version < 11:
                keep_alive = False
        if target[0] != 0x2F or method == b"CONNECT":
            target, new_host = check_target(method, target, host, lenient=lenient)
            if new_host is not host and new_host is not None:
                headers = [field if field[0] != b"host" else (b"host", new_host) for field in headers]
        looking = self._limits.looking
        if version < 11 and body and method in _NO_PAYLOAD and not (self._limits.any_payload or looking):
            raise BadMessage(413, "payload of a method that has none in HTTP/1.0")
        if method == b"CONNECT":
            body = TUNNEL
            if lengths:  # it is not passed on, but counts
                if not any(name in CREDENTIALS for name, _ in headers):
                    size = sum([len(name) + len(value) for name, value in headers])
                headers = [field for field in headers if field[0] != b"content-length"]
        has_body = body not in (0, TUNNEL)
        upgrade = b"" if options.upgrade and not has_body else None
        if protocols and options.upgrade:
            if has_body:
                headers = [field for field in headers if field[0] != b"upgrade"]
            else:
                upgrade = b", ".join(protocols)
                if has_token(protocols, b"websocket") and not (looking or _has_websocket_key(headers)):
                    raise self._bad("websocket upgrade without a key")
        if unsupported is not None and not looking:
            raise unsupported
        return Request(method, target, version, headers, body, keep_alive, upgrade, expect, size)


def _has_websocket_key(headers: list[Header]) -> bool:
    return any(name == b"sec-websocket-key" and len(value) == 24 for name, value in headers)

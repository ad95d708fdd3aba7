"""Response heads. The fast path takes the plain ones line by line; anything odd goes to the exact reader.

What HAProxy 2.6 takes (seen on the wire):

- the status line's parts are parted by blanks, one or more; the reason phrase may be missing and hold any byte but CR
  and LF; blank lines before it are skipped
- versions above 1.1 are served as 1.1; older ones go on to the client as they are
- conflicting or invalid lengths and any transfer coding but one `chunked` refuse the response; Content-Length beside
  Transfer-Encoding is dropped, an empty Transfer-Encoding alone makes the body end with the connection
- 1xx and 204 have no body whatever their fields say, nor have 304 and answers to HEAD
- 101 needs `Connection: upgrade`, a request that asked for it and, for websocket, a Sec-WebSocket-Accept
- `option accept-invalid-http-response` takes any byte in names and any word as a version (as HTTP/1.0)

Not followed: HAProxy also takes status codes of other than three digits and below 100, and any four letters, digits,
dots or slashes for `HTTP`; hapy refuses. Of an answer other than 101 with `upgrade: websocket` HAProxy makes one with
a Sec-WebSocket-Accept.
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
from hapy.http.framing import DONE, FIXED, STATUS_SIZE, VERSION_SIZE, MessageParser
from hapy.http.interface import BadMessage, Limits, ResponseSink
from hapy.http.message import CHUNKED, TUNNEL, UNTIL_CLOSE, Response

if TYPE_CHECKING:
    from hapy.http.message import Header

#: Fields that `_frame` must see; one plain Content-Length and `Connection: keep-alive` are seen to before.
_FRAMING: Final = frozenset({b"connection", b"content-length", b"te", b"transfer-encoding"})
_OWN_RULES: Final = frozenset({b"HEAD", b"CONNECT"})
_KEEP_ALIVE: Final = frozenset({b"keep-alive", b"Keep-Alive"})
_STATUS_LINE: Final = re.compile(rb"HTTP/([0-9])\.([0-9])[ \t]+([1-9][0-9]{2})(?:[ \t]+([^\r\n]*))?")
_LENIENT_LINE: Final = re.compile(rb"([A-Z0-9./]+)[ \t]+([1-9][0-9]{2})(?:[ \t]+([^\r\n]*))?")
_BEGUN: Final = re.compile(rb"(?:[A-Z0-9./]+(?:[ \t]+[0-9]*(?:[ \t][^\r\n]*)?)?)?\r?")


class _StatusLines(dict[bytes, tuple[int, int, bytes]]):
    """Status line to version, status and reason phrase; remembers the first few hundred."""

    __slots__ = ()

    def __missing__(self, line: bytes) -> tuple[int, int, bytes]:
        match = _STATUS_LINE.fullmatch(line)
        if match is None:
            raise KeyError
        major, minor, status, reason = match.groups()
        parsed = (int(major + minor), int(status), reason or b"")
        if len(self) < 256 and len(line) < 64:
            self[line] = parsed
        return parsed


_STATUS_LINES: Final = _StatusLines()


#: Field blocks as they came, to what they mean in a final answer that has a body: number of lines, fields that go on,
#: content-length, whether `keep-alive` was said. Forgets all when it has grown too large.
_blocks: Final[dict[bytes, tuple[int, list[Header], int, bool]]] = {}
_MOST_BLOCKS: Final = 256
_LONGEST_BLOCK: Final = 1024


def _plain_length(fields: list[Header]) -> tuple[int, bool, list[Header]] | None:
    """Content-length, `keep-alive` and the fields that go on, where there is one plain length and no other framing."""
    length = -1
    keep_alive = False
    kept = fields
    for field in [field for field in fields if field[0] in _FRAMING]:
        name, value = field
        if name == b"content-length" and length < 0 and value.isdigit() and len(value) < 19:
            length = int(value)
        elif name == b"connection" and value in _KEEP_ALIVE:
            kept = [one for one in kept if one[0] != b"connection"]
            keep_alive = True
        else:
            return None
    return None if length < 0 else (length, keep_alive, kept)


@mypyc_attr(allow_interpreted_subclasses=True)
class ResponseParser(MessageParser):
    """Parses the responses of one server connection; see `hapy.http.interface.Parser`."""

    __slots__ = ("_method", "_on_head", "_on_informational", "_upgrade")

    _status = 502

    def __init__(self, limits: Limits, sink: ResponseSink) -> None:
        super().__init__(limits, sink.on_data, sink.on_end)
        self._on_head = sink.on_head
        self._on_informational = sink.on_informational
        self._method = b"GET"
        self._upgrade = True

    def expect(self, method: bytes, upgrade: bool = True) -> None:
        """Says what the coming response answers; to be called for each request, before anything is fed.

        Args:
            method: the request's method as it was sent.
            upgrade: whether the request asked for an upgrade; when not, a 101 is refused.
        """
        self._method = method
        self._upgrade = upgrade

    def _feed_head(self, buffer: bytes) -> None:
        # Many 1xx heads may come at once: a loop, no recursion.
        more: bytes | None = buffer
        while more is not None:
            more = self._next_head(more)

    def _next_head(self, buffer: bytes) -> bytes | None:
        """Reads one head; what follows it if that was an informational one, else None."""
        head, blank, rest = buffer.partition(b"\r\n\r\n")
        if blank and len(head) < self._safe_size:
            line, _, block = head.partition(b"\r\n")
            try:
                version, status, reason = _STATUS_LINES[line]
            except KeyError:
                return self._read_head(buffer)
            plain = status >= 200 and status not in (204, 304) and self._method not in _OWN_RULES
            known = _blocks.get(block) if plain else None
            if known is not None and known[0] < self._max_headers:
                _, headers, length, keep_alive = known
                return self._tell(
                    Response(status, reason, headers.copy(), length, version, keep_alive or version >= 11), rest
                )
            lines = block.split(b"\r\n") if block else []
            count = len(lines)
            fields = plain_fields(lines) if count < self._max_headers else None
            if fields is not None:
                found = _plain_length(fields) if plain else None
                if found is None:
                    return self._begin(self._frame(version, status, reason, fields, version >= 11), rest)
                length, keep_alive, headers = found
                if len(block) <= _LONGEST_BLOCK and seen_before(block):
                    if len(_blocks) >= _MOST_BLOCKS:
                        _blocks.clear()
                    _blocks[block] = (count, headers.copy(), length, keep_alive)
                return self._tell(Response(status, reason, headers, length, version, keep_alive or version >= 11), rest)
        return self._read_head(buffer)

    def _tell(self, head: Response, rest: bytes) -> bytes | None:
        """A final head whose body has a known length, and what has come of that."""
        length = head.body
        have = len(rest)
        self._on_head(head)
        if have < length:
            self._state = FIXED
            self._left = length - have
            self.pending = b""
            if have:
                self._on_data(rest)
            return None
        self._state = DONE
        if have > length:
            self.pending = rest[length:]
            rest = rest[:length]
        else:
            self.pending = b""
        if length:
            self._on_data(rest)
        self._on_end([])
        return None

    def _begin(self, head: Response, rest: bytes) -> bytes | None:
        self.pending = b""
        if head.status < 200 and head.status != 101:
            self._on_informational(head)
            return rest
        self._on_head(head)
        self._begin_body(head.body, rest)
        return None

    def _read_head(self, buffer: bytes) -> bytes | None:
        """The exact reader: HAProxy's rules, one by one."""
        limits = self._limits
        buffer = self._skip_blank_lines(buffer)
        self.pending = buffer
        if not buffer or buffer == b"\r":
            return None
        found = read_line(buffer, 0, 502)
        if found is None:
            if not _BEGUN.fullmatch(buffer):
                raise self._bad("invalid status line")
            fields = None
        else:
            version, status, reason = self._status_line(found[0])
            allowed = None if limits.accept_invalid else TOKEN_BYTES
            fields = read_fields(buffer, found[1], 502, allowed, limits.max_headers)
        if fields is None:
            self._wait_for_more(buffer)
            return None
        headers, end = fields
        head = self._frame(version, status, reason, headers, version >= 11)
        self._check_size(end, len(reason) + VERSION_SIZE + STATUS_SIZE, head.headers)
        return self._begin(head, buffer[end:])

    def _status_line(self, line: bytes) -> tuple[int, int, bytes]:
        try:
            return _STATUS_LINES[line]
        except KeyError:
            match = _LENIENT_LINE.fullmatch(line) if self._limits.accept_invalid else None
            if match is None:
                raise self._bad("invalid status line") from None
            return 11 if counts_as_11(match[1]) else 10, int(match[2]), match[3] or b""

    def _frame(self, version: int, status: int, reason: bytes, headers: list[Header], keep_alive: bool) -> Response:
        """Body length, connection options and the checks across fields."""
        options = ConnectionOptions()
        length = -1
        encodings: list[bytes] = []
        kept: list[Header] = []
        for field in without_connection_options(headers, options):
            name, value = field
            if name == b"content-length":
                number = content_length(value, 502)
                if length >= 0:
                    if length != number:
                        raise self._bad("conflicting content-length fields")
                    continue
                length = number
                if b"," in value:
                    kept.append((name, value.rpartition(b",")[2].lstrip(b" \t")))
                    continue
            elif name == b"transfer-encoding":
                encodings.append(value)
            elif name == b"te":
                te = forwarded_te(value)
                if te is not None:
                    kept.append((name, te))
                continue
            kept.append(field)
        headers = kept
        keep_alive = (keep_alive or options.keep_alive) and not options.close
        body = length if length >= 0 else UNTIL_CLOSE
        if encodings:
            body = CHUNKED if is_chunked(encodings, 502, 502) else UNTIL_CLOSE
            if length >= 0:
                headers = [field for field in headers if field[0] != b"content-length"]
                keep_alive = False
            if version < 11:
                keep_alive = False
        if status < 200 or status == 204:
            body = 0
        if status == 101:
            self._check_upgrade(reason, headers, options)
            body = TUNNEL
        elif self._method == b"CONNECT" and 200 <= status < 300:
            body = TUNNEL
        elif self._method == b"HEAD" or status == 304:
            body = 0
        return Response(status, reason, headers, body, version, keep_alive and body != UNTIL_CLOSE)

    def _check_upgrade(self, reason: bytes, headers: list[Header], options: ConnectionOptions) -> None:
        protocols = [value for name, value in headers if name == b"upgrade"]
        keyed = not has_token(protocols, b"websocket") or any(name == b"sec-websocket-accept" for name, _ in headers)
        if options.upgrade and not keyed:
            raise BadMessage(502, "websocket upgrade without accept key")
        if not options.upgrade or not self._upgrade:
            refused = Response(101, reason, headers)
            raise BadMessage(502, "101 that was not asked for", late=True, refused=refused)

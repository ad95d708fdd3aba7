"""What the two parsers share: where a message's body ends, chunked decoding, pipelined bytes.

Chunked bodies as HAProxy 2.6 takes them: sizes of any number of leading zeros and 13 significant hex digits at most,
blanks after the size, extensions dropped, line ends CRLF or bare LF; trailers are passed on. (In trailers HAProxy 2.6
now takes, now refuses names that are no tokens; hapy refuses them.)
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from mypy_extensions import mypyc_attr

from hapy.http.connection import check_trailers
from hapy.http.fields import TOKEN_BYTES, check_partial, has_long_name, read_fields
from hapy.http.interface import BadMessage, Limits
from hapy.http.message import CHUNKED, TUNNEL, UNTIL_CLOSE

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.http.message import Header

# States: what the next byte fed is.
HEAD: Final = 0
FIXED: Final = 1  # `_left` bytes of body to come
CHUNK_SIZE: Final = 2
CHUNK_DATA: Final = 3  # `_left` bytes of this chunk to come
CHUNK_END: Final = 4
TRAILERS: Final = 5
RAW: Final = 6  # all that comes, until the peer closes
DONE: Final = 7  # the next message's: waits for resume()
FAILED: Final = 8

_SIZE_LINE: Final = re.compile(rb"0*([0-9A-Fa-f]{0,13})(?<=[0-9A-Fa-f])[ \t]*(?:;[^\r\n]*)?\r?\n")
_SIZE_LINE_BEGUN: Final = re.compile(rb"(?:0*[0-9A-Fa-f]{0,13}(?<=[0-9A-Fa-f])[ \t]*(?:;[^\r\n]*)?\r?)?")

# How HAProxy counts a head: bytes of names, values and start line, plus these; the sum must fit in
# tune.bufsize - tune.maxrewrite (found by bisection).
FIELD_OVERHEAD: Final = 8
HEAD_OVERHEAD: Final = 85
#: Of a buffer, what neither the line of a chunk's size nor trailers may take.
LINE_OVERHEAD: Final = 64
VERSION_SIZE: Final = 8
STATUS_SIZE: Final = 3
#: A head's raw size for whose sake none can be too large is smaller than that by this much, and by 4 a field.
_RAW_OVERHEAD: Final = 83

_STRAY_CR: Final = re.compile(rb"\r(?!\n|\Z)")


@mypyc_attr(allow_interpreted_subclasses=True)
class MessageParser(ABC):
    """A parser of one direction; subclasses read the heads and give the sink's callbacks.

    Attributes:
        pending: see `hapy.http.interface.Parser`.
    """

    __slots__ = ("_left", "_limits", "_max_headers", "_on_data", "_on_end", "_room", "_safe_size", "_state", "pending")

    #: What a BadMessage for the body carries.
    _status: int = 400

    def __init__(
        self,
        limits: Limits,
        on_data: Callable[[bytes], None],
        on_end: Callable[[list[Header]], None],
    ) -> None:
        self._limits = limits
        self._max_headers = limits.max_headers
        self._room = limits.bufsize - limits.maxrewrite
        # Heads of fewer bytes needn't be measured.
        self._safe_size = self._room - _RAW_OVERHEAD - 4 * limits.max_headers
        self._on_data = on_data
        self._on_end = on_end
        self._state = HEAD
        self._left = 0
        self.pending = b""

    @property
    def idle(self) -> bool:
        """Whether nothing of the next message has come yet."""
        return self._state == HEAD and not self.pending

    def feed(self, data: bytes) -> None:
        """Takes what arrived; see `hapy.http.interface.Parser`."""
        try:
            if self._state == HEAD:
                pending = self.pending
                if not pending:
                    self._feed_head(data)
                elif not self._grow(pending + data, len(pending)):
                    self._feed_head(pending + data)
            else:
                self._feed_body(data)
        except BadMessage:
            self._state = FAILED
            raise

    @abstractmethod
    def _feed_head(self, buffer: bytes) -> None:
        """Reads a head from `buffer`, tells it and begins the body, or keeps all in `pending`."""

    def _grow(self, buffer: bytes, old: int) -> bool:
        """Settles bytes that end no line but such as continue the one before, so that no drip of them makes much work.

        Args:
            buffer: a head, or trailers, as far as they have come.
            old: bytes of it that were there before.

        Returns:
            False where all of it must be read anew.
        """
        start = at = buffer.rfind(b"\n", 0, old) + 1
        if not start:
            return False
        while (end := buffer.find(b"\n", max(at, old))) >= 0:
            if buffer[at] not in b" \t" or buffer.find(b"\n") == at - 1:
                return False
            at = end + 1
        if _STRAY_CR.search(buffer, start):
            raise self._bad("CR without LF")
        begun = self._state == HEAD and buffer.find(b"\n") == at - 1  # behind a start line nothing can be continued
        if at < len(buffer) and (begun or buffer[at] not in b" \t"):
            check_partial(buffer, at, self._status, None if self._limits.accept_invalid else TOKEN_BYTES)
        self._wait_for_more(buffer)
        return True

    def resume(self) -> None:
        """Goes on to the next message; see `hapy.http.interface.Parser`."""
        if self._state != DONE:
            raise RuntimeError("resume() before the end of the message")
        self._state = HEAD
        buffer = self.pending
        if buffer:
            self.pending = b""
            try:
                self._feed_head(buffer)
            except BadMessage:
                self._state = FAILED
                raise

    def start_tunnel(self) -> None:
        """Hands all further bytes on as they are; see `hapy.http.interface.Parser`."""
        self._state = RAW
        buffer = self.pending
        if buffer:
            self.pending = b""
            self._on_data(buffer)

    def feed_eof(self) -> None:
        """The peer has closed; see `hapy.http.interface.Parser`."""
        state = self._state
        if state == RAW:
            self._state = DONE
            self._on_end([])
        elif state == HEAD and self.pending:
            self._state = FAILED
            raise self._bad("closed within the head")
        elif FIXED <= state <= TRAILERS:
            self._state = FAILED
            raise BadMessage(0, "closed within the body")

    def _skip_blank_lines(self, buffer: bytes) -> bytes:
        """What is left of a head's bytes without the blank lines in front of it."""
        at = 0
        while buffer.startswith((b"\r\n", b"\n"), at):
            at += 2 if buffer[at] == 0x0D else 1
        if at >= self._limits.bufsize:
            raise self._bad("too many blank lines")
        return buffer[at:] if at else buffer

    def _check_size(self, raw_size: int, start_size: int, headers: list[Header]) -> None:
        """Refuses a head that HAProxy's buffer wouldn't hold.

        Args:
            raw_size: as received.
            start_size: of the start line's parts without the blanks.
            headers: the fields that go on.
        """
        size = HEAD_OVERHEAD + start_size
        size += sum([len(name) + len(value) + FIELD_OVERHEAD for name, value in headers])
        if has_long_name(headers):
            raise BadMessage(self._status, "field name too long", late=True)
        if raw_size > self._limits.bufsize or size > self._room:
            raise BadMessage(self._status, "head too large", late=True)

    def _wait_for_more(self, buffer: bytes) -> None:
        """Keeps an unfinished head."""
        self.pending = buffer
        if len(buffer) >= self._limits.bufsize:
            raise self._bad("head too large")

    def _bad(self, reason: str) -> BadMessage:
        return BadMessage(self._status, reason)

    def _begin_body(self, body: int, rest: bytes) -> None:
        """After the head's event: `rest` is what has come behind it."""
        if body > 0:
            self._state = FIXED
            self._left = body
        elif body == 0:
            self._state = DONE
            self.pending = rest
            self._on_end([])
            return
        elif body == CHUNKED:
            self._state = CHUNK_SIZE
        elif body in (UNTIL_CLOSE, TUNNEL):
            self._state = RAW
        self.pending = b""
        if rest:
            self._feed_body(rest)

    def _feed_body(self, data: bytes) -> None:
        state = self._state
        if state == FIXED:
            left = self._left - len(data)
            if left > 0:
                self._left = left
                self._on_data(data)
                return
            self._state = DONE
            if left < 0:
                self.pending = data[left:]
                data = data[:left]
            self._on_data(data)
            self._on_end([])
        elif state == RAW:
            self._on_data(data)
        elif state == DONE:
            self.pending += data
        elif state == FAILED:
            raise self._bad("fed after a failure")
        elif state != TRAILERS or not self.pending or not self._grow(self.pending + data, len(self.pending)):
            self._feed_chunks(self.pending + data if self.pending else data)

    def _feed_chunks(self, buffer: bytes) -> None:
        """Decodes as far as `buffer` goes, then tells the data of all its chunks at once."""
        self.pending = b""
        parts: list[bytes] = []
        trailers = self._decode(buffer, parts)
        if parts:
            self._on_data(parts[0] if len(parts) == 1 else b"".join(parts))
        if trailers is not None:
            self._state = DONE
            self._on_end(trailers)

    def _decode(self, buffer: bytes, parts: list[bytes]) -> list[Header] | None:
        """Moves chunk data to `parts` and leftovers to `pending`; the trailers when the body is complete."""
        at = 0
        end = len(buffer)
        state = self._state
        while True:
            if state == CHUNK_SIZE:
                line = _SIZE_LINE.match(buffer, at)
                if line is None:
                    self._keep(CHUNK_SIZE, buffer, at, _SIZE_LINE_BEGUN)
                    return None
                if line.end() - at > self._limits.bufsize - LINE_OVERHEAD:
                    raise self._bad("chunk extension too large")
                at = line.end()
                size = int(line[1] or b"0", 16)
                if not size:
                    state = TRAILERS
                    continue
                self._left = size
                state = CHUNK_DATA
            if state == CHUNK_DATA:
                have = end - at
                if have < self._left:
                    if have:
                        parts.append(buffer[at:])
                        self._left -= have
                    self._state = CHUNK_DATA
                    return None
                parts.append(buffer[at : at + self._left])
                at += self._left
                state = CHUNK_END
            if state == CHUNK_END:
                if buffer.startswith(b"\r\n", at):
                    at += 2
                elif buffer.startswith(b"\n", at):
                    at += 1
                else:
                    self._keep(CHUNK_END, buffer, at, _CR_AT_MOST)
                    return None
                state = CHUNK_SIZE
                continue
            return self._read_trailers(buffer, at)

    def _keep(self, state: int, buffer: bytes, at: int, begun: re.Pattern[bytes]) -> None:
        """Waits for the rest of a line, if what has come may yet become one."""
        if not begun.fullmatch(buffer, at) or len(buffer) - at > self._limits.bufsize:
            raise self._bad("invalid chunk")
        self._state = state
        self.pending = buffer[at:]

    def _read_trailers(self, buffer: bytes, at: int) -> list[Header] | None:
        found = read_fields(buffer, at, self._status, TOKEN_BYTES, self._limits.max_headers)
        if found is None:
            if len(buffer) - at > self._limits.bufsize:
                raise self._bad("trailers too large")
            self._state = TRAILERS
            self.pending = buffer[at:]
            return None
        trailers, end = found
        if trailers:
            if end - at > self._limits.bufsize - LINE_OVERHEAD or has_long_name(trailers):
                raise self._bad("trailers too large")
            check_trailers(trailers, self._status)
        self.pending = buffer[end:]
        return trailers


_CR_AT_MOST: Final = re.compile(rb"\r?")

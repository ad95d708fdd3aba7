"""The codec on h11: heads, chunks and message ends by h11's own state machine, HAProxy's rules behind it.

The strict reference: a message must please both h11, which insists on Host, on sound field values and on lengths that
agree, and the rules that HAProxy adds. It costs about ten times what the hot path's parsers do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h11

from hapy.http.connection import check_trailers
from hapy.http.framing import DONE, FAILED, STATUS_SIZE, VERSION_SIZE, MessageParser
from hapy.http.interface import BadMessage, Limits, RequestSink, ResponseSink
from hapy.http.message import CHUNKED, TUNNEL, UNTIL_CLOSE
from hapy.http.request_parser import RequestParser
from hapy.http.response_parser import ResponseParser

if TYPE_CHECKING:
    from hapy.http.message import Header

#: A state beside those of `hapy.http.framing`: h11 frames the body.
_BODY = 20


class _H11Body(MessageParser):
    """Feeds a message's body to h11."""

    __slots__ = ()

    _connection: h11.Connection

    def _feed_body(self, data: bytes) -> None:
        if self._state != _BODY:
            super()._feed_body(data)
            return
        self._connection.receive_data(data)
        self._pump()

    def feed_eof(self) -> None:
        """The peer has closed; see `hapy.http.interface.Parser`."""
        if self._state == _BODY:
            self._state = FAILED
            raise BadMessage(0, "closed within the body")
        super().feed_eof()

    def _pump(self) -> None:
        """Tells what h11 makes of the bytes it has, up to the end of the message."""
        self._state = _BODY
        while True:
            event = self._next_event()
            if isinstance(event, h11.Data):
                self._on_data(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                trailers = _fields(event)
                check_trailers(trailers, self._status)
                self._state = DONE
                self.pending = self._connection.trailing_data[0]
                self._on_end(trailers)
                return
            else:
                return

    def _is_whole(self, buffer: bytes) -> bool:
        """Whether the head is complete. Continued lines, which h11 joins in its own way, are refused."""
        head, blank, _ = buffer.partition(b"\r\n\r\n")
        if b"\n " in head or b"\n\t" in head:
            raise self._bad("obs-fold")
        return bool(blank)

    def _next_event(self) -> Any:
        try:
            return self._connection.next_event()
        except h11.RemoteProtocolError as error:
            raise self._bad(str(error)) from None


def _fields(event: h11.Request | h11.InformationalResponse | h11.Response | h11.EndOfMessage) -> list[Header]:
    return [(bytes(name), bytes(value)) for name, value in event.headers]


class H11RequestParser(_H11Body, RequestParser):
    """Parses the requests of one client connection; see `hapy.http.interface.Parser`."""

    __slots__ = ("_connection",)

    def __init__(self, limits: Limits, sink: RequestSink) -> None:
        super().__init__(limits, sink)
        self._connection = h11.Connection(h11.SERVER, limits.bufsize)

    def _feed_head(self, buffer: bytes) -> None:
        buffer = self._skip_blank_lines(buffer)
        if not self._is_whole(buffer):
            self._wait_for_more(buffer)
            return
        self._connection = h11.Connection(h11.SERVER, self._limits.bufsize)
        self._connection.receive_data(buffer)
        event = self._next_event()
        if not isinstance(event, h11.Request) or len(event.headers) >= self._max_headers:
            raise self._bad("invalid request head")
        method, target, version = self._request_line(buffer.partition(b"\r\n")[0])
        request = self._frame(method, target, version, _fields(event), version >= 11)
        if request.body == CHUNKED and version < 11:
            raise self._bad("transfer-encoding in HTTP/1.0")
        self._check_size(0, len(method) + len(target) + VERSION_SIZE, request.headers)
        self.pending = b""
        if request.body == TUNNEL:
            self._begin(request, self._connection.trailing_data[0])
            return
        self._on_head(request)
        self._pump()


class H11ResponseParser(_H11Body, ResponseParser):
    """Parses the responses of one server connection; see `hapy.http.interface.Parser`."""

    __slots__ = ("_connection",)

    def __init__(self, limits: Limits, sink: ResponseSink) -> None:
        super().__init__(limits, sink)
        self._connection = h11.Connection(h11.CLIENT, limits.bufsize)

    def _next_head(self, buffer: bytes) -> bytes | None:
        buffer = self._skip_blank_lines(buffer)
        if not self._is_whole(buffer):
            self._wait_for_more(buffer)
            return None
        self._connection = connection = h11.Connection(h11.CLIENT, self._limits.bufsize)
        asked = [(b"host", b"x")]
        if self._upgrade:
            asked += [(b"connection", b"upgrade"), (b"upgrade", b"x")]
        connection.send(h11.Request(method=self._method, target=b"/", headers=asked))
        connection.send(h11.EndOfMessage())
        connection.receive_data(buffer)
        event = self._next_event()
        if not isinstance(event, h11.Response | h11.InformationalResponse) or len(event.headers) >= self._max_headers:
            raise self._bad("invalid response head")
        version, status, reason = self._status_line(buffer.partition(b"\r\n")[0])
        response = self._frame(version, status, reason, _fields(event), version >= 11)
        if response.body == CHUNKED and version < 11:
            raise self._bad("transfer-encoding in HTTP/1.0")
        self._check_size(0, len(reason) + VERSION_SIZE + STATUS_SIZE, response.headers)
        if isinstance(event, h11.InformationalResponse) or response.body in (TUNNEL, UNTIL_CLOSE):
            return self._begin(response, connection.trailing_data[0])
        self.pending = b""
        self._on_head(response)
        self._pump()
        return None

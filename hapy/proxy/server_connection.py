"""A connection to a server: HTTP/1 answers in, whatever the exchange writes out.

Rules:
- It belongs to one exchange at a time. While it idles (`exchange` is None) reading stays armed, so that FIN, RST or
  bytes that nobody asked for evict it at once.
- What the parser tells is kept here (`response`, `pieces`, `ended`, `failure`); once the bytes at hand are parsed, the
  exchange is told that there is news.
"""

from __future__ import annotations

from select import POLLIN, poll
from typing import TYPE_CHECKING, Protocol

from hapy.http.codec import BadMessage
from hapy.http.connection import has_token
from hapy.http.message import CHUNKED
from hapy.net.clock import NEVER, now
from hapy.net.stream import Stream
from hapy.proxy.sizes import RESPONSE_HEAD, fields_size, head_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.http.codec import ResponseSink
    from hapy.http.message import Header, Request, Response
    from hapy.http.response_parser import ResponseParser
    from hapy.net.sockets import Ends
    from hapy.pool import ConnectionKey, Holder
    from hapy.proxy.server import Server
    from hapy.tls.session import TlsSession

    ParserFactory = Callable[[ResponseSink], ResponseParser]


class Asker(Protocol):
    """Whose request a connection carries: an exchange, or a check."""

    @property
    def txn(self) -> Timed:
        """What `response_done` is set of when the answer's head is complete."""

    def on_server_news(self, connection: ServerConnection) -> None:
        """Something has come, or the connection has ended."""

    def on_server_drained(self, connection: ServerConnection) -> None:
        """More of the request may be written."""

    def on_server_resumed(self, connection: ServerConnection) -> None:
        """More of the answer is taken."""


class Timed(Protocol):
    """What keeps the moment of an answer.

    Attributes:
        response_done: its head was complete.
    """

    response_done: float


#: Idle for less than this many seconds, a connection is taken without a look at its socket: the event loop has just
#: looked itself.
FRESH = 0.05


class ServerConnection(Stream):
    """One connection to a server; a `hapy.pool.PooledConnection`.

    Attributes:
        server: whose it is.
        key, requests, private, holder: see `hapy.pool.PooledConnection`.
        exchange: whose request it carries, None while idle.
        response: the final answer's head, once it has come.
        informational: 1xx heads not yet passed on.
        pieces: the answer's body as far as it has come and was not passed on.
        ended: the answer is complete; trailers: what its chunked body ended with.
        failure: why no (complete) answer can come any more: `bad` (no HTTP), `eof`, `reset`, `timeout`, or
            a letter when it was ended from outside; else empty.
        received: whether anything has come since the request was sent.
        size: bytes of the answer, as HAProxy counts them: names and values of its fields without what stands between.
        final: the request in progress is its last.
        tls: what is known of its TLS layer, None for plain text.
        ends: see `Transaction.server_ends`.
        idle_since: when it was last put aside.
    """

    __slots__ = (
        "ended",
        "ends",
        "exchange",
        "failure",
        "final",
        "holder",
        "idle_since",
        "informational",
        "key",
        "parser",
        "pieces",
        "private",
        "received",
        "requests",
        "response",
        "server",
        "size",
        "tls",
        "trailers",
    )

    def __init__(self, server: Server, key: ConnectionKey, make_parser: ParserFactory) -> None:
        super().__init__()
        self.server = server
        self.key = key
        self.requests = 0
        self.private = False
        self.tls: TlsSession | None = None
        self.ends: Ends | None = None
        self.holder: Holder | None = None
        self.exchange: Asker | None = None
        self.response: Response | None = None
        self.informational: list[Response] | None = None
        self.pieces: list[bytes] = []
        self.ended = False
        self.trailers: list[Header] = []
        self.failure = ""
        self.final = False
        self.received = False
        self.size = 0
        self.idle_since = 0.0
        self.parser = make_parser(self)

    # what the path of a request does

    def begin(self, exchange: Asker, request: Request, *, final: bool) -> None:
        """The next request on this connection is the exchange's."""
        self.final = final
        self.exchange = exchange
        self.requests += 1
        self.response = None
        self.ended = False
        self.received = False
        self.size = 0
        self.failure = ""
        self.parser.expect(request.method, request.upgrade is not None)

    def rest(self) -> None:
        """The answer is complete: ready for the next request."""
        self.exchange = None
        self.feeder = None
        self.deadline = NEVER
        self.response = None
        if self.pieces:
            self.pieces = []  # of an answer that was not passed on
        self.idle_since = now()
        self.parser.resume()

    @property
    def reusable(self) -> bool:
        """Whether nothing speaks against another request: sound, complete, silent and empty-handed."""
        return (
            self.ended
            and not self.final
            and self.response is not None
            and self.response.keep_alive
            and not self.closed
            and not self.eof
            and not self.failure
            and not self.parser.pending
            and self.writable
            and self.reading
        )

    def is_alive(self) -> bool:
        """A last look before it is handed out."""
        if self.closed or self.eof:
            return False
        if now() - self.idle_since < FRESH:
            return True
        sock = self.transport.get_extra_info("socket")
        if sock is None:
            return True
        look = poll()
        look.register(sock.fileno(), POLLIN)
        return not look.poll(0)

    def is_broken(self) -> bool:
        """Whether nothing can be written any more: reset, or closed."""
        if self.closed or self.transport.is_closing() or (sock := self.socket) is None:
            return True
        look = poll()
        look.register(sock.fileno(), 0)
        return bool(look.poll(0))

    # what the parser tells

    def on_head(self, head: Response, /) -> None:
        """The final head is complete."""
        self.response = head
        exchange = self.exchange
        if exchange is not None:
            exchange.txn.response_done = now()
        size = RESPONSE_HEAD + len(head.reason)
        for name, value in head.headers:
            size += len(name) + len(value)
        self.size += size

    def on_informational(self, head: Response, /) -> None:
        """A 1xx head."""
        if self.informational is None:
            self.informational = []
        self.informational.append(head)
        self.size += head_size(head)

    def on_data(self, data: bytes, /) -> None:
        """Bytes of the body."""
        self.pieces.append(data)
        self.size += len(data)

    def on_end(self, trailers: list[Header], /) -> None:
        """The answer is complete."""
        self.ended = True
        self.trailers = trailers
        if self.response is not None and self.response.body == CHUNKED:
            self.size += 1 + fields_size(trailers)

    # what the event loop tells

    def data_received(self, data: bytes) -> None:
        """Bytes of the answer."""
        exchange = self.exchange
        if exchange is None:
            self._evict()
            return
        self.received = True
        try:
            self.parser.feed(data)
        except BadMessage as error:
            self.failure = "bad"
            hints, refused = self.informational, error.refused
            if refused is not None and not (hints is not None and _is_websocket(refused)):
                behind = data.partition(b" 101 ")[2].partition(b"\r\n\r\n")[2]
                self.size += head_size(refused) + len(behind)  # as much of it as came with the head
            elif hints is not None and (refused is not None or not error.late):
                self.size -= sum(map(head_size, hints))
                self.informational = None
        exchange.on_server_news(self)

    def on_eof(self) -> None:
        """The server has closed its side."""
        exchange = self.exchange
        if exchange is None:
            self._evict()
            return
        try:
            self.parser.feed_eof()
        except BadMessage:
            self.failure = "eof"
        if not self.ended and not self.failure:
            self.failure = "eof"
        exchange.on_server_news(self)

    def on_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        exchange = self.exchange
        if exchange is None:
            self._evict()
        else:
            if not self.ended and not self.failure:
                self.failure = "reset" if error is not None else "eof"
            exchange.on_server_news(self)
        self.server.pool.budget.used -= 1

    def on_deadline(self) -> None:
        """`timeout server` has passed without a byte."""
        exchange = self.exchange
        if exchange is not None:
            self.failure = "timeout"
            exchange.on_server_news(self)

    def on_open(self) -> None:
        """The connection stands."""
        self.server.pool.budget.used += 1

    def pause(self) -> None:
        """The client takes no more for now: its server isn't late meanwhile."""
        super().pause()
        if self.writable:
            self.deadline = NEVER

    def resume(self) -> None:
        """The client takes bytes again: the server has all its time to send some."""
        exchange = self.exchange
        if not self.reading and exchange is not None and not self.ended:
            exchange.on_server_resumed(self)
        super().resume()

    def on_drained(self) -> None:
        """More of the request may be written."""
        if self.exchange is not None:
            self.exchange.on_server_drained(self)

    def kill(self, code: str) -> None:
        """End the request in progress from outside; the log says so with this letter (`hapy.proxy.failures.KILLED`)."""
        exchange = self.exchange
        if exchange is not None and not self.failure:
            self.failure = code
            exchange.on_server_news(self)

    def _evict(self) -> None:
        holder = self.holder
        if holder is not None:
            holder.evict(self)
        else:
            self.close()


def _is_websocket(head: Response) -> bool:
    """Whether a 101 is that of a WebSocket. Behind a 1xx HAProxy takes it for no answer at all: neither goes out."""
    return has_token([value for name, value in head.headers if name == b"upgrade"], b"websocket")

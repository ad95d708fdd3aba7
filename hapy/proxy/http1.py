"""HTTP/1 client connections: requests in, one exchange after another, answers out.

Rules:
- Idle, a connection holds no exchange, no transaction and no coroutine.
- A pipelined request waits in the parser until the answer before it is complete; meanwhile reading pauses.
- Until a head is complete only this module deals with the connection: what goes wrong then (bad request, timeout, the
  client leaves) is answered with HAProxy's fixed bytes, past all rules (`_refuse`).
- After an answer with `connection: close` the client sees FIN at once, and what it still sends is read and dropped for
  a moment, so that no reset takes the answer away from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.http.codec import BadMessage, request_parser
from hapy.http.message import CHUNKED, CREDENTIALS, TUNNEL, UNTIL_CLOSE, first_value
from hapy.http.serialize import chunk, last_chunk, response_head
from hapy.net.clock import NEVER, now, wall, watch
from hapy.net.routine import later
from hapy.net.stream import cork, has_left
from hapy.proxy.exchange import ClientStream, Exchange
from hapy.proxy.failures import Killed
from hapy.proxy.path import serve
from hapy.proxy.private import is_bound
from hapy.proxy.sizes import REQUEST_HEAD, fields_size
from hapy.proxy.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.http.message import Header, Request, Response
    from hapy.proxy.frontend import Frontend
    from hapy.proxy.greeting import Met
    from hapy.proxy.listening import Listening
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Client


#: Bytes count as coming with the connection when they come within as many seconds.
_AT_ONCE = 0.005


class ClientConnection(ClientStream):
    """One HTTP/1 connection from a client.

    Attributes:
        frontend: where it came in. listening: through which bind.
        client: its addresses and the like.
        own, bound: see `hapy.proxy.exchange.ClientStream`.
        exchange: the request in progress, None while idle or while a head is coming in.
        txn: of the request whose head is coming in.
        started: when the wait for the next request began.
        last: the next answer is the last.
        head_deadline: when the head that is coming in must be complete; its time runs from its first byte.
    """

    __slots__ = (
        "_release",
        "client",
        "exchange",
        "frontend",
        "head_deadline",
        "last",
        "listening",
        "parser",
        "started",
        "txn",
    )

    #: What `end` takes away, for the compiler.
    __deletable__ = ("parser",)

    client: Client

    def __init__(self, frontend: Frontend, listening: Listening | Met, release: Callable[[], None]) -> None:
        super().__init__()
        self.frontend = frontend
        self.listening = listening
        self._release: Callable[[], None] | None = release
        self.exchange: Http1Exchange | None = None
        self.txn: Transaction | None = None
        self.started = 0.0
        self.head_deadline = NEVER
        self.last = frontend.stopping
        self.parser = request_parser(frontend.limits, self)

    # the connection

    def on_open(self) -> None:
        """Accepted."""
        self.client = client = self.listening.meet(self.transport)
        self.started = client.accepted
        frontend = self.frontend
        if not frontend.admit(self, client):
            return
        self.expire_after(min(frontend.head_timeout, frontend.client_timeout))

    def on_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        exchange = self.exchange
        if exchange is not None:
            if exchange.client_failure in ("", "eof"):
                exchange.client_failure = "reset" if error is not None else "eof"
            exchange.on_client_news()
            return  # it ends with its exchange
        if not self.draining:
            self._cut_short()
        self.end()

    def finish(self) -> None:
        """Send what is buffered, then FIN. To everybody else the connection is gone."""
        super().finish()
        self.end()

    def dismiss(self) -> None:
        """Send what is buffered, then close: the client has said that it asks for nothing more, so nothing can come."""
        self.draining = True
        self.close()
        self.end()

    def end(self) -> None:
        """Give back what the connection holds. May be called more than once."""
        if self._release is not None:
            release, self._release = self._release, None
            if self.own is not None:
                self.own.close()
            self.frontend.on_disconnection(self)
            del self.parser  # it refers to this connection: without the cycle both go at once
            release()

    def on_eof(self) -> None:
        """The client has closed its side."""
        exchange = self.exchange
        if exchange is not None:
            exchange.client_failure = exchange.client_failure or "eof"
            exchange.on_client_news()
        else:
            self._cut_short()

    def _cut_short(self) -> None:
        """The client has left without a request, or in the middle of a head."""
        if self.txn is None and (self.client.requests or self.frontend.ignore_probes):
            self.close()
        else:
            self._refuse(400, "C")

    def on_deadline(self) -> None:
        """The client has been silent for too long."""
        exchange = self.exchange
        if self.draining:
            self.close()
        elif exchange is not None:
            exchange.client_failure = exchange.client_failure or "timeout"
            exchange.on_client_news()
        elif self.txn is None and (self.client.requests or self.frontend.ignore_probes):
            self.close()
        else:
            self._refuse(408, "c")

    def pause_writing(self) -> None:
        """Event loop: the client takes no more for now."""
        super().pause_writing()
        self.expire_after(self.frontend.client_timeout)

    def on_drained(self) -> None:
        """The client takes bytes again."""
        exchange = self.exchange
        if exchange is not None:
            if exchange.request_sent:
                self.deadline = NEVER
            exchange.on_client_drained()

    def stop(self) -> None:
        """The frontend stops: an idle connection that has had its answer is closed, any other at its next answer."""
        self.last = True
        if self.frontend.lets_idle_wait:
            return
        if self.exchange is None and self.txn is None and self.client.requests and not self.draining:
            self.finish()

    def end_session(self, server: Server | None, code: str) -> None:
        """End the request in progress if that server (None: any) has it, or is being connected to.

        See `hapy.proxy.failures.KILLED` for the letter.
        """
        exchange = self.exchange
        if exchange is None:
            return
        carrier = exchange.server
        if carrier is not None:
            if server is None or carrier.server is server:
                carrier.kill(code)
        elif exchange.slot_held and (server is None or exchange.txn.server is server):
            exchange.interrupt(Killed(code))

    def kill(self) -> None:
        """End the request in progress, whatever it waits for."""
        exchange = self.exchange
        if exchange is None:
            return
        if exchange.server is not None and not exchange.complete:
            exchange.server.kill("K")
        else:
            exchange.interrupt(Killed("K", "D" if exchange.answering else "-" if exchange.slot_held else "R"))

    # requests

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        exchange = self.exchange
        if exchange is not None:
            self._body_received(exchange, data)
            return
        if self.draining:
            return
        txn = self.txn
        if txn is None:
            txn = self.txn = Transaction(self.client, self.frontend, self.started)
            txn.idle_done = now()
            txn.request_wall = wall()
        try:
            self.parser.feed(data)
        except BadMessage as error:
            left = error.read is None and len(data) < self.frontend.buffer_size and self._left_with_it()
            self._refuse(error.status or 400, "C" if left else "P", read=error.read)
            return
        self._begin()

    def _begin(self) -> None:
        """Start the exchange whose head is complete, or wait for the rest of a head."""
        exchange = self.exchange
        if exchange is not None:
            self.deadline = NEVER
            if not exchange.request_ended:
                self.expire_after(self.frontend.client_timeout)
                if self._left_with_it():
                    exchange.client_failure = "eof"
            exchange.begin(serve(exchange))
            return
        frontend = self.frontend
        if self.head_deadline == NEVER and frontend.head_timeout != NEVER:
            self.head_deadline = now() + frontend.head_timeout
        self.deadline = NEVER
        self.expire_after(min(self.head_deadline - now(), frontend.client_timeout))

    def _left_with_it(self) -> bool:
        """Whether the client has left with the bytes that came last.

        What comes with the connection itself HAProxy reads before it can know of the client's close.
        """
        client = self.client
        return (client.requests > 1 or now() - client.accepted > _AT_ONCE) and has_left(self.transport)

    def _body_received(self, exchange: Http1Exchange, data: bytes) -> None:
        if exchange.request_ended and not exchange.tunnel:
            self.parser.feed(data)  # the next request's, kept there
            if len(self.parser.pending) >= self.frontend.buffer_size:
                self.pause()
            return
        try:
            self.parser.feed(data)
        except BadMessage:
            exchange.client_failure = "bad"
        if not exchange.request_ended:
            self.expire_after(self.frontend.client_timeout)
        exchange.on_client_news()

    def _refuse(self, status: int, cause: str, *, read: Request | None = None) -> None:
        """Answer what never became a request, log it, close."""
        begun = self.txn or (self.exchange.txn if self.exchange is not None else None)
        txn = Transaction(self.client, self.frontend, self.started)
        if begun is not None:
            txn.idle_done = begun.idle_done
            txn.request_wall = begun.request_wall
        self.txn = self.exchange = None
        self.deadline = NEVER
        if read is not None:
            txn.bytes_in = fields_size(read.headers) + REQUEST_HEAD + len(read.method) + len(read.target)
        data = self.frontend.refuse(txn, status, cause, read=read is not None)
        if not self.closed:
            self.transport.write(data)
            self.finish()

    def next_request(self, moment: float) -> None:
        """The exchange is over and the connection stays: wait for the next request, or begin with one that has come."""
        self.exchange = None
        self.feeder = None
        self.started = moment
        self.head_deadline = NEVER
        parser = self.parser
        if parser.pending or self.eof or not self.reading:
            self.resume()
            later(self._go_on)
            return
        parser.resume()
        self.deadline = deadline = moment + self.frontend.idle_timeout
        if deadline < self.looked_at:
            watch(self)
        if self.last:
            self.stop()

    def _go_on(self) -> None:
        """The next request may be here already."""
        if self.closed or self.draining:
            return
        txn = self.txn = Transaction(self.client, self.frontend, self.started)
        txn.idle_done = now()
        txn.request_wall = wall()
        came = bool(self.parser.pending)
        try:
            self.parser.resume()
        except BadMessage as error:
            self._refuse(error.status or 400, "P", read=error.read)
            return
        if not came:
            self.txn = None
            if self.eof:
                self.close()
            else:
                self.deadline = NEVER
                self.expire_after(self.frontend.idle_timeout)
        elif self.exchange is None and self.eof:
            self._cut_short()
        else:
            self._begin()
            exchange = self.exchange
            if exchange is not None and self.eof:
                exchange.client_failure = exchange.client_failure or "eof"
                exchange.on_client_news()

    # what the parser tells

    def on_head(self, head: Request, /) -> None:
        """A request's head is complete."""
        txn = self.txn
        assert txn is not None
        self.txn = None
        client = self.client
        client.requests += 1
        txn.request_done = now()
        txn.request = head
        txn.method = method = head.method
        txn.uri = target = head.target
        txn.version = head.version
        size = head.plain_size
        bound = False
        if size < 0:
            size = fields_size(head.headers)
            bound = any(name in CREDENTIALS and is_bound(value) for name, value in head.headers)
        txn.bytes_in = size + REQUEST_HEAD + len(method) + len(target)
        self.exchange = exchange = Http1Exchange(
            txn, head, self.frontend, self, first=client.requests == 1, bound=bound
        )
        exchange.connection = self

    def on_data(self, data: bytes, /) -> None:
        """Bytes of its body."""
        exchange = self.exchange
        assert exchange is not None
        exchange.pieces.append(data)
        exchange.size += len(data)
        exchange.txn.bytes_in += len(data)

    def on_end(self, trailers: list[Header], /) -> None:
        """It is complete."""
        exchange = self.exchange
        assert exchange is not None
        exchange.request_ended = True
        exchange.request_trailers = trailers
        if exchange.request.body == CHUNKED:
            exchange.txn.bytes_in += 1 + fields_size(trailers)


class Http1Exchange(Exchange):
    """An exchange on an HTTP/1 connection.

    Attributes:
        connection: the client's, which is its `stream`, too.
        keep_alive: the connection stays after the answer. chunked: the answer's body goes out in chunks.
        bodiless: the client has asked for a head alone, whatever rules made of its method.
    """

    __slots__ = ("bodiless", "chunked", "connection", "keep_alive")

    connection: ClientConnection
    keep_alive: bool
    chunked: bool
    bodiless: bool

    def send(self, response: Response | None, data: bytes, *, ended: bool, trailers: list[Header], stay: bool) -> None:
        """Send a part of an answer, in one write."""
        stream = self.connection
        if response is not None:
            body = response.body
            request = self.request
            frontend = self.frontend
            self.keep_alive = keep = (
                stay and request.keep_alive and body != UNTIL_CLOSE and not frontend.closes and not stream.last
            )
            if keep and response.version < 11 and _has_encoding(response):
                self.keep_alive = keep = False  # there is no such field in HTTP/1.0
            self.bodiless = False
            if request.method is not self.txn.method:
                keep = self._heed_changed_method()
            close = not keep and body != TUNNEL
            head = response_head(response, request.version, close=close, cases=frontend.name_cases)
            self.chunked = body == CHUNKED
        else:
            head = b""
        if self.bodiless:
            data = b""
        elif self.chunked:
            data = (chunk(data) if data else b"") + (last_chunk(trailers, self.frontend.name_cases) if ended else b"")
        data = head + data
        if data and not stream.closed:
            if ended and not self.keep_alive:  # closing follows at once
                if stream.layer is not None:
                    stream.layer.hold()
                elif self.request_ended:
                    cork(stream.transport)
            stream.transport.write(data)

    def _heed_changed_method(self) -> bool:
        """Rules have changed the method: what the client asked for decides whether it gets a body.

        Returns:
            Whether its connection stays.
        """
        self.bodiless = self.txn.method == b"HEAD"
        if not self.bodiless and self.request.method == b"HEAD":
            self.keep_alive = False  # it waits for a body that isn't there
        return self.keep_alive

    def send_informational(self, response: Response) -> None:
        """Send a 1xx head."""
        if not self.connection.closed:
            self.connection.transport.write(
                response_head(response, self.request.version, close=False, cases=self.frontend.name_cases)
            )

    def send_raw(self, data: bytes) -> None:
        """Send bytes through a tunnel."""
        if data and not self.connection.closed:
            self.connection.transport.write(data)

    def open_tunnel(self) -> None:
        """From now on the client's bytes come as they are."""
        self.tunnel = True
        self.connection.parser.start_tunnel()

    def leave(self, *, abort: bool) -> None:
        """Go on with the connection as the answer said."""
        stream = self.connection
        if stream.closed:
            stream.exchange = None
            stream.end()
        elif (
            abort
            or not self.complete
            or not self.keep_alive
            or not self.request_ended
            or self.client_failure in ("bad", "timeout")
        ):
            stream.exchange = None
            stream.deadline = NEVER
            request = self.request
            if not (request.keep_alive or request.body or abort or self.client_failure or stream.parser.pending):
                stream.dismiss()
            else:
                stream.finish()
        else:
            stream.next_request(self.txn.finished)


def _has_encoding(response: Response) -> bool:
    """Whether the answer goes out with a Transfer-Encoding."""
    return response.status != 204 and first_value(response.headers, b"transfer-encoding") is not None

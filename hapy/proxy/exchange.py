"""One request and its answer, whatever HTTP version the client speaks.

Rules:
- The path of a request (`hapy.proxy.path`) is this routine's coroutine. Client and server connections never call into
  it; they leave what has happened here and wake it: it looks at the state, not at events.
- The request's body: the client's connection appends to `pieces`; as soon as a server connection takes it, everything
  goes straight on inside the event loop's callback. The answer's body flows the same way in the other direction. The
  coroutine wakes at the head, at the end and on failure, never for a piece of a body.
- A version of HTTP says how an answer goes out (`send`) and what follows it (`leave`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.http.message import CHUNKED, Response
from hapy.http.serialize import chunk, last_chunk
from hapy.net.clock import NEVER, Watched, now, watch
from hapy.net.routine import Routine
from hapy.net.stream import Stream

if TYPE_CHECKING:
    from hapy.http.message import Header, Request
    from hapy.pool import OwnConnections
    from hapy.proxy.frontend import Frontend
    from hapy.proxy.route import Route
    from hapy.proxy.server_connection import ServerConnection
    from hapy.proxy.transaction import Transaction


#: How long a connection may still take, in seconds, when its client has closed its side. A close that comes with the
#: request itself is not seen before a near server has accepted.
LEAVING_TIME = 0.05


class DeadlinePassed(Exception):  # noqa: N818 - raised into waits for which it is the expected end
    """The exchange's own deadline (connect, tarpit, the pause before a retry, a body to wait for) has passed."""


class ClientGone(Exception):  # noqa: N818 - the same
    """The client has left, and `abortonclose` or the state of its request makes that the end."""


class ClientStream(Stream):
    """What every HTTP version's client connection has.

    Attributes:
        own: the client's private server connections, None while it has none.
        bound: connection-bound authentication was seen: the next request prefers the same server.
    """

    __slots__ = ("bound", "own")

    def __init__(self) -> None:
        super().__init__()
        self.own: OwnConnections | None = None
        self.bound = False


class Exchange(Routine):
    """A request in progress.

    Attributes:
        txn: what is known of it. request: its head.
        frontend: where it came in. route: what frontend and backend say together.
        stream: the client's connection.
        first: it is the first request of its client connection.
        bound: its credentials are those of a connection (NTLM, Negotiate).
        pieces, size: the request's body as far as it has come and was not sent on.
        request_ended: the request is complete; request_trailers: what its chunked body ended with.
        request_sent: all of it has gone to the server.
        replay: the body as it was sent, where it was complete by then and may have to be sent again; else None.
        client_failure: why no more can come from the client or go to it: `eof` (it closed its side), `reset`,
            `timeout`, `bad` (its body broke the protocol); else empty.
        server: the server connection that carries the request, None before and after.
        slot_held: a slot of `txn.server` is taken. entered: the backend counts this request.
        sending: the request's head has gone out, the body follows by itself.
        answering: the answer's final head has gone to the client, the body follows by itself.
        complete: the last byte of the answer has gone out.
        asks_close: the server is asked to close its connection after the answer: rules say so.
        tunnel: bytes go both ways as they are.
        logged: its log line is written.
        client_timeout, server_timeout: seconds of silence; the latter is the route's unless a rule has set another, the
            former counts in tunnels only.
        deadline, looked_at, slot: see `hapy.net.clock.Watched`; for waits that are no stream's.
    """

    __slots__ = (
        "answering",
        "asks_close",
        "bound",
        "client_failure",
        "client_timeout",
        "complete",
        "deadline",
        "entered",
        "first",
        "frontend",
        "logged",
        "looked_at",
        "pieces",
        "replay",
        "request",
        "request_ended",
        "request_sent",
        "request_trailers",
        "route",
        "sending",
        "server",
        "server_timeout",
        "size",
        "slot",
        "slot_held",
        "stream",
        "tunnel",
        "txn",
    )

    def __init__(
        self, txn: Transaction, request: Request, frontend: Frontend, stream: ClientStream, *, first: bool, bound: bool
    ) -> None:
        self._coroutine = None
        self._awaited = None
        self._waiting = False
        self.txn = txn
        self.request = request
        self.frontend = frontend
        self.route: Route = frontend.route
        self.stream = stream
        self.first = first
        self.bound = bound
        self.pieces: list[bytes] = []
        self.size = 0
        self.request_ended = False
        self.request_sent = False
        self.request_trailers: list[Header] = []
        self.replay: bytes | None = None
        self.client_failure = ""
        self.server: ServerConnection | None = None
        self.slot_held = False
        self.entered = False
        self.sending = False
        self.answering = False
        self.asks_close = False
        self.complete = False
        self.tunnel = False
        self.logged = False
        self.client_timeout = NEVER
        self.server_timeout = NEVER
        self.deadline = NEVER
        self.looked_at = NEVER
        self.slot: set[Watched] | None = None

    # what a version of HTTP says

    def send(self, response: Response | None, data: bytes, *, ended: bool, trailers: list[Header], stay: bool) -> None:
        """Send a part of an answer: its head (or None), bytes of its body, its end.

        Args:
            response: the head.
            data: bytes of the body.
            ended: they are the last.
            trailers: fields behind a chunked body.
            stay: with the head: the client's connection may go on after this answer, as far as the answer is concerned.
        """
        raise NotImplementedError

    def send_informational(self, response: Response) -> None:
        """Send a 1xx head."""
        raise NotImplementedError

    def send_raw(self, data: bytes) -> None:
        """Send bytes through a tunnel."""
        raise NotImplementedError

    def open_tunnel(self) -> None:
        """From now on the client's bytes come as they are."""
        raise NotImplementedError

    def leave(self, *, abort: bool) -> None:
        """The exchange is over: go on with the connection as the answer said.

        Args:
            abort: the answer is incomplete; the client must notice.
        """
        raise NotImplementedError

    # what connections tell

    def on_client_news(self) -> None:
        """Bytes of the body, its end, or the client's failure have come."""
        if self.sending:
            if self.pieces or (self.request_ended and not self.request_sent):
                self.forward_request(now())
        elif self.size >= self.frontend.buffer_size and not self.request_ended:
            self.stream.pause()
        if self._waiting:
            self.wake()
        elif self.client_failure and self._awaited is not None and self.client_matters():
            if self.client_failure == "eof":
                self.expire_after(min(LEAVING_TIME, max(self.deadline - now(), 0.0)))
            else:
                self.interrupt(ClientGone())

    def on_server_news(self, server: ServerConnection) -> None:
        """Bytes of the answer, its end, or the server's failure have come."""
        if not self.answering:
            self.wake()
        elif server is self.server:
            if not self.complete and (server.pieces or server.ended):
                self.forward_answer()
            if self.complete or server.failure or server.closed or self.stream.closed:
                self.wake()

    def on_client_drained(self) -> None:
        """The client takes bytes again."""
        if self.complete or self.tunnel:
            self.wake()

    def on_server_drained(self, server: ServerConnection) -> None:
        """The server takes bytes again."""
        if self.sending and server is self.server:
            server.expire_after(self.server_timeout)

    def on_server_resumed(self, server: ServerConnection) -> None:
        """The server is listened to again: it has all its time to send something."""
        if self.tunnel:
            self.refresh()
        elif server is self.server:
            server.expire_after(self.server_timeout)

    def client_matters(self) -> bool:
        """Whether the client's failure ends the exchange while no server has it: its silence does not."""
        return self.client_failure != "timeout" and (self.route.abort_on_close or not self.request_ended)

    # bodies

    def forward_request(self, moment: float, head: bytes = b"") -> None:
        """Send the request's head (the first time) and what has come of its body to the server, in one write."""
        server = self.server
        assert server is not None
        data = head
        if self.pieces or not self.request_ended or self.request.body:
            data = self._request_part(server, head)
        elif head:
            self.replay = b""
            self.request_sent = True
        if data and not server.closed:
            server.transport.write(data)
        if self.tunnel:
            self.refresh()
        else:
            server.deadline = deadline = moment + self.server_timeout
            if deadline < server.looked_at:
                watch(server)

    def _request_part(self, server: ServerConnection, head: bytes) -> bytes:
        """The bytes of a request with a body, as far as it has come."""
        server.feeder = self.stream
        pieces = self.pieces
        body = b""
        if pieces:
            body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            self.pieces = []
            self.size = 0
            if not self.stream.reading and server.writable:
                self.stream.resume()
        if head and self.request_ended:
            self.replay = body
        chunked = self.request.body == CHUNKED and not self.tunnel
        data = chunk(body) if chunked and body else body
        if self.request_ended and not self.request_sent:
            self.request_sent = True
            self.stream.deadline = NEVER
            if chunked:
                data += last_chunk(self.request_trailers, self.route.name_cases)
        return head + data

    def begin_answer(self, response: Response, *, stay: bool) -> None:
        """Pass the answer's head on, and what has come of its body; the rest follows by itself."""
        server = self.server
        assert server is not None
        self.answering = True
        if not server.ended:
            self.stream.feeder = server
        self.forward_answer(response, stay=stay)

    def forward_answer(self, response: Response | None = None, *, stay: bool = True) -> None:
        """Send the answer's head (the first time) and what has come of its body to the client, in one write."""
        server = self.server
        assert server is not None
        pieces = server.pieces
        if not pieces:
            data = b""
        else:
            data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            server.pieces = []
        ended = server.ended
        if ended:
            self.complete = True
            server.deadline = NEVER
        else:
            server.expire_after(self.server_timeout)
        if self.tunnel:
            self.send_raw(data)
            self.refresh()
        else:
            self.send(response, data, ended=ended, trailers=server.trailers, stay=stay)

    def send_early_hints(self, headers: list[Header]) -> None:
        """Send a 103 answer that rules have put together."""
        self.send_informational(Response(103, b"Early Hints", headers))

    # deadlines

    def refresh(self) -> None:
        """Start both sides' timeouts anew: of two that run together the shorter, of equal ones the client's."""
        server = self.server
        if server is None:
            return
        self.stream.deadline = server.deadline = NEVER
        if self.client_timeout <= self.server_timeout:
            self.stream.expire_after(self.client_timeout)
        else:
            server.expire_after(self.server_timeout)

    def expire_after(self, seconds: float) -> None:
        """Set the exchange's own deadline; it raises `DeadlinePassed` where the coroutine waits."""
        self.deadline = deadline = now() + seconds
        if deadline < self.looked_at:
            watch(self)

    def on_deadline(self) -> None:
        """The deadline has passed."""
        gone = self.client_failure and self._awaited is not None and self.client_matters()
        self.interrupt(ClientGone() if gone else DeadlinePassed())

    def on_failure(self, error: BaseException) -> None:
        """The path of the request broke: a defect. Say so, and let nothing of it stand."""
        super().on_failure(error)
        self.frontend.runtime.give_up(self)

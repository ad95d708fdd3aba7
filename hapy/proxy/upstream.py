"""To a server and back: choosing it, a connection to it, sending the request, the head of the answer, and trying again.

Rules (seen on the wire of HAProxy 2.6, and section "retries" of its manual):
- `retries` counts attempts after the first, whatever they are for.
- A connection that fails is tried again on the same server after a second (or `timeout connect` where that is less;
  after a timeout at once), unless `option redispatch` sends the request elsewhere, which happens at once.
- An answer that never comes is asked for again only if `retry-on` names that failure and the whole request was there
  when it was first sent. `option redispatch` says where, as for connections; it happens at once. After a status that
  `retry-on` names, the connection that brought it may carry the next attempt.
- When a connection that had been used before ends without a byte, the server had closed it meanwhile. hapy then sends
  the request again on a new connection when that is safe: its method is idempotent (RFC 9110 section 9.2.2) and its
  body is at hand. This costs no retry; it is not done where `retry-on none` or `disable-l7-retry` says so.
- Where nothing helps, a request that is not the first of its client's connection is not answered: that connection is
  closed without a word, as HAProxy does, for the client to repeat it as it must be able to.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from hapy.http.message import TUNNEL, first_value
from hapy.http.serialize import request_head
from hapy.net.clock import NEVER, now
from hapy.net.connect import OWN_FAULTS, ConnectFailed
from hapy.net.routine import later, pause
from hapy.pool import ReuseReason
from hapy.proxy.backend import NoServer, QueueFull
from hapy.proxy.exchange import ClientGone, DeadlinePassed, Exchange
from hapy.proxy.failures import KILLED, Failed, Killed, Lost, Redirected
from hapy.proxy.reframing import Misframed, reframe_request
from hapy.proxy.sizes import head_size

if TYPE_CHECKING:
    from hapy.http.message import Response
    from hapy.pool import ConnectionKey
    from hapy.proxy.server import Server
    from hapy.proxy.server_connection import ServerConnection

#: Methods whose repetition does no harm.
IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"})

#: The pause before a failed connection is tried again on the same server, in seconds.
RETRY_PAUSE = 1.0


async def fetch(exchange: Exchange) -> Response:
    """Send the request to a server, as often as it takes; gives the head of the final answer.

    Raises:
        Failed: there is none.
        Redirected: the server chosen is one that clients are sent to.
    """
    route = exchange.route
    txn = exchange.txn
    forced = route.use_server(txn) if route.use_server is not None else None
    repeatable = exchange.request_ended and exchange.request.method in IDEMPOTENT
    server: Server | None = None
    avoid: Server | None = None
    fresh = False
    while True:
        if server is None:
            server = _assign(exchange, forced, avoid)
            if server is None:
                server, avoid = await _queue(exchange, forced, avoid)
            route.hold_slot(exchange, server, avoid)
            if server.redir is not None:
                _send_away(exchange, server.redir)
        connector = server.connector
        key = server.key if connector.fixed else connector.key(txn)
        connection = None if fresh else _reuse(exchange, server, key, repeatable=repeatable)
        if connection is None:
            try:
                connection = await _connect(exchange, server, key, fresh=fresh)
            except ConnectFailed as failure:
                txn.server_tls = failure.tls
                server = await _after_refusal(exchange, server, failure, bound=server is forced)
                if server is None:
                    avoid, forced = txn.server, None
                continue
        left = exchange.client_failure == "eof"
        txn.connect_done = moment = now()
        txn.server_tls = connection.tls
        txn.server_ends = connection.ends
        try:
            _send(exchange, connection, moment)
            while (response := connection.response) is None:
                if connection.failure or exchange.client_failure:
                    _look(exchange, connection, left=left)
                await pause()
                if connection.informational is not None:
                    _pass_on_informational(exchange, connection)
            bad = connection.failure == "bad"  # its body began with something else than a chunk
            if route.retry_statuses and not bad and _may_ask_again(exchange, str(response.status)):
                raise Lost(str(response.status))
            if server.observer is not None:
                server.observer.answered(response.status)
            if bad:
                raise Lost("junk-response")
            if route.answer_inspection is None:
                server.counters.answered(response.status)
            return response  # noqa: TRY300 - what follows is the other end of an attempt
        except Lost as lost:
            again = _give_up_attempt(exchange, connection, lost.event, repeatable=repeatable)
            fresh = not lost.event.isdigit()
            if not again:
                continue
            if route.redispatches(txn.retries, txn, bound=server is forced):
                fresh, avoid, forced = False, server, None
                _leave_server(exchange, server)
                server = None
            else:
                server.count_retry()


def _send_away(exchange: Exchange, prefix: bytes) -> None:
    """The server has `redir`: its clients are to ask it themselves.

    Raises:
        Redirected: for a GET or a HEAD of a path; anything else goes to the server as usual.
    """
    request = exchange.request
    if request.method in (b"GET", b"HEAD"):
        from hapy.samples.targets import path_and_query

        path = path_and_query(request.target)
        if path is not None:
            raise Redirected(prefix + path)


def _assign(exchange: Exchange, forced: Server | None, avoid: Server | None) -> Server | None:
    """A server with one of its slots taken, or None: the request must wait for one.

    Raises:
        Failed: none takes it.
    """
    route = exchange.route
    stream = exchange.stream
    backend = route.backend
    assert backend is not None
    own = stream.own if route.prefer_last or stream.bound else None
    try:
        return backend.assign(exchange.txn, forced, avoid, own, bound=stream.bound)
    except NoServer:
        raise Failed(503, "S", "C") from None
    except QueueFull:
        backend.count_failure(exchange.txn.server)
        raise Failed(503, "S", "Q") from None


def _reuse(exchange: Exchange, server: Server, key: ConnectionKey, *, repeatable: bool) -> ServerConnection | None:
    """An idle connection for the request, or None."""
    found = server.pool.acquire(key, exchange.first, exchange.stream.own, repeatable=repeatable)
    if found is not None:
        exchange.txn.reused = True
        exchange.txn.reuse_reason = server.pool.reason
        server.counters.reuse += 1
        server.backend.counters.reuse += 1
    return cast("ServerConnection | None", found)


async def _connect(exchange: Exchange, server: Server, key: ConnectionKey, *, fresh: bool) -> ServerConnection:
    """A new connection for the request.

    Args:
        exchange: the request.
        server: where to.
        key: what the connection is for.
        fresh: an attempt has failed: this one must not use what others have opened.

    Raises:
        ConnectFailed: there is none.
        Failed: the client has gone.
    """
    pool = server.pool
    pool.reserve(ReuseReason.RETRY if fresh else None)
    exchange.txn.reused = False
    exchange.txn.reuse_reason = pool.reason  # now: others ask the pool while this one waits
    began = now()
    server.counters.connect += 1
    server.backend.counters.connect += 1
    try:
        connection = await _open(exchange, server, key)
    except ConnectFailed:
        pool.discard(None)
        raise
    pool.connected(now() - began)
    if pool.reuse == "never":
        pool.claim(connection)
    if server.observer is not None:
        server.observer.connected()
    return connection


def _give_up_attempt(exchange: Exchange, connection: ServerConnection, event: str, *, repeatable: bool) -> bool:
    """The server gave no answer, or one to be asked for again: get ready for another attempt.

    Returns:
        Whether it is one of the retries, rather than the repetition of what a dead connection swallowed.

    Raises:
        Failed: there must be none.
    """
    txn = exchange.txn
    server = connection.server
    again = _may_ask_again(exchange, event)
    bad = connection.failure == "bad"
    if server.observer is not None and connection.response is None and (not again or bad):
        if bad and connection.size:  # a head that was refused: a 101, whose status is none of the bad ones
            server.observer.answered(101)
        server.observer.not_answered(connection.failure)
    if again and event.isdigit():
        exchange.route.part(exchange, connection)
    else:
        exchange.server = None
        exchange.sending = False
        server.pool.discard(connection)
    txn.response_done = -1.0
    if again:
        txn.retries += 1
        server.counters.wretr += 1
        server.backend.counters.wretr += 1
    elif (
        event != "empty-response"
        or connection.received
        or not (txn.reused and repeatable and exchange.replay is not None and _may_repeat(exchange))
    ):
        raise _failure(exchange, connection, event) from None
    if exchange.replay:
        exchange.pieces = [exchange.replay]
        exchange.size = len(exchange.replay)
    exchange.request_sent = False
    return again


def _leave_server(exchange: Exchange, server: Server) -> None:
    """The next attempt goes to another server: this one's slot is for others."""
    exchange.route.free_slot(exchange)
    server.backend.offer(server)
    if exchange.txn.tie is not None:
        exchange.txn.tie.direct = None


def _send(exchange: Exchange, connection: ServerConnection, moment: float) -> None:
    """Send the request, as far as it has come, on the connection; the rest of it follows by itself."""
    route = exchange.route
    request = exchange.request
    if route.asks_close is not None and route.asks_close(request):
        exchange.asks_close = True
    if route.reframes:
        _reframe(exchange)
    if request.body == TUNNEL and first_value(request.headers, b"transfer-encoding") is not None:
        exchange.asks_close = True
    asks_close = exchange.asks_close
    exchange.server = connection
    connection.begin(exchange, request, final=route.close_server or asks_close)
    last = None
    if route.name_header is not None:
        name = route.name_header
        request.headers = [field for field in request.headers if field[0] != name]
        last = (name, connection.server.label)
    exchange.sending = True
    head = request_head(request, close=route.tell_close or asks_close, cases=route.name_cases, last=last)
    exchange.forward_request(moment, head)


def _reframe(exchange: Exchange) -> None:
    """Rules may have changed what the request's head says of its body."""
    try:
        if reframe_request(exchange.request, exchange.size if exchange.request_ended else -1):
            exchange.asks_close = True
    except Misframed:
        raise Lost("misframed") from None


def _pass_on_informational(exchange: Exchange, connection: ServerConnection) -> None:
    """Send the 1xx heads that have come to the client."""
    counters = connection.server.counters
    for head in connection.informational or ():
        counters.hrsp_1xx += 1
        exchange.send_informational(head)
        size = head_size(head)
        exchange.txn.bytes_out += size
        connection.size -= size
    connection.informational = None


def _look(exchange: Exchange, connection: ServerConnection, *, left: bool) -> None:
    """Something failed before the answer's head was complete: whether that ends the wait.

    Args:
        exchange: the request.
        connection: what carries it.
        left: the client had closed its side before the connection stood.
    """
    failure = connection.failure
    if failure == "timeout":
        if connection.transport.get_write_buffer_size():
            raise Failed(0, "s", "D")  # it does not even take the request
        raise Lost("response-timeout")
    if failure in KILLED:
        raise Failed(502, failure, "H") if exchange.request_ended else Failed(0, failure, "-")
    if failure == "bad":
        raise Lost("junk-response")
    if failure == "reset" and not exchange.request_ended:
        raise Failed(0, "S", "D")
    if failure:
        raise Lost("empty-response")
    gone = exchange.client_failure
    if gone == "bad":
        raise Failed(400, "P", "H")
    if gone == "timeout":
        if exchange.server_timeout == NEVER:
            raise Failed(0, "c", "D")
        exchange.client_failure = ""  # the server's timeout decides
    elif not exchange.request_ended or (gone == "reset" and exchange.route.abort_on_reset):
        raise Failed(0, "C", "L" if left and not exchange.request_ended else "D")
    elif exchange.route.abort_on_close:
        raise Failed(400, "C", "H")


def _may_ask_again(exchange: Exchange, event: str) -> bool:
    """Whether `retry-on` and the request let it be sent again after this."""
    overrides = exchange.txn.overrides
    return (
        exchange.txn.retries < exchange.route.retries
        and event in exchange.route.retry_events
        and exchange.replay is not None
        and len(exchange.replay) <= exchange.frontend.buffer_size
        and not (overrides is not None and overrides.no_l7_retry)
    )


def _may_repeat(exchange: Exchange) -> bool:
    """Whether nobody has said that requests must not be sent twice."""
    overrides = exchange.txn.overrides
    return bool(exchange.route.retry_events) and not (overrides is not None and overrides.no_l7_retry)


def _failure(exchange: Exchange, connection: ServerConnection, event: str) -> Failed:
    """What the client is told when the server gave no answer."""
    counters, together = connection.server.counters, connection.server.backend.counters
    if event == "misframed":
        return Failed(500, "I", "H")
    if event == "response-timeout":
        counters.eresp += 1
        together.eresp += 1
        return Failed(504, "s", "H")
    if connection.failure == "reset":  # HAProxy counts a reset by itself, whatever comes of it
        counters.eresp += 1
        together.eresp += 1
    if connection.failure != "bad" and not exchange.first:
        if connection.failure == "reset":
            counters.srv_abrt += 1
            together.srv_abrt += 1
        return Failed(0, "S", "H", silent=True)
    if connection.failure == "bad" and connection.response is None:
        exchange.txn.bytes_out += connection.size  # a 101 that was refused
    counters.eresp += 1
    together.eresp += 1
    return Failed(502, "P" if connection.failure == "bad" else "S", "H")


async def _queue(exchange: Exchange, forced: Server | None, avoid: Server | None) -> tuple[Server, Server | None]:
    """Wait for a slot; gives the server, and the one that the request was meant for before.

    Raises:
        Failed: it took too long, the client has gone, or no server takes the request.
    """
    route = exchange.route
    backend = route.backend
    txn = exchange.txn
    assert backend is not None
    if route.queue_timeout != NEVER:
        exchange.expire_after(route.queue_timeout)
    try:
        while True:
            ticket = backend.enqueue(txn, partial(later, exchange.wake))
            try:
                while ticket.waiting:
                    if exchange.client_failure and exchange.client_matters():
                        raise ClientGone
                    await pause()
            except BaseException:
                ticket.forfeit()
                raise
            if ticket.server is not None:
                return ticket.server, avoid
            avoid = txn.server or avoid
            if txn.tie is None or not txn.tie.forced:
                forced = None  # it has left the queue because the server it waited for is down
            server = _assign(exchange, forced, avoid)
            if server is not None:
                return server, avoid
    except DeadlinePassed:
        txn.queue_done = now()
        backend.count_failure(txn.server)
        raise Failed(503, "s", "Q") from None
    except ClientGone:
        txn.queue_done = now()
        raise Failed(0, "C", "Q") from None
    except Killed as killed:
        txn.queue_done = now()
        raise Failed(503, killed.cause, "Q") from None
    finally:
        exchange.deadline = NEVER


async def _open(exchange: Exchange, server: Server, key: ConnectionKey) -> ServerConnection:
    """A new connection, within `timeout connect`.

    Raises:
        ConnectFailed: there is none.
        Failed: the client has gone.
    """
    if exchange.client_failure and exchange.client_matters():
        server.pool.discard(None)
        raise Failed(0, "C", "C")
    if exchange.route.connect_timeout != NEVER:
        exchange.expire_after(exchange.route.connect_timeout)
    try:
        return await server.connector.dial(key, exchange.txn)
    except DeadlinePassed:
        raise ConnectFailed("timeout") from None
    except ClientGone:
        server.pool.discard(None)
        raise Failed(0, "C", "C") from None
    except Killed:
        server.pool.discard(None)
        raise
    finally:
        exchange.deadline = NEVER


async def _after_refusal(
    exchange: Exchange, server: Server, failure: ConnectFailed, *, bound: bool = False
) -> Server | None:
    """A connection failed: wait as long as is due, and say where to try again: None for another server.

    Raises:
        Failed: no further attempt is left.
    """
    route = exchange.route
    backend = route.backend
    assert backend is not None
    txn = exchange.txn
    if server.observer is not None:
        server.observer.not_connected()
    own_fault = failure.kind in OWN_FAULTS
    if own_fault:
        exchange.frontend.runtime.events.no_source(backend, failure.kind)
    attempt = txn.retries + 1
    if attempt > route.retries or not route.retries_connections:
        backend.count_failure(server)
        cause = {"timeout": "s", "resources": "R"}.get(failure.kind, "S")
        raise Failed(503, cause, "C")
    txn.retries = attempt
    if route.redispatches(attempt, txn, bound=bound) or (server.unresolved and backend.active):
        _leave_server(exchange, server)
        return None
    if failure.kind != "timeout" and not own_fault:
        exchange.expire_after(min(RETRY_PAUSE, route.connect_timeout))
        try:
            while not (exchange.client_failure and exchange.client_matters()):
                await pause()
        except DeadlinePassed:
            server.count_retry()
            return server
        exchange.deadline = NEVER
        raise Failed(0, "C", "C")
    server.count_retry()
    return server

"""From TCP to HTTP on the same connection: `switch-mode http`, or an HTTP backend behind a TCP frontend (section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from hapy.net.clock import NEVER, now, wall
from hapy.proxy.failures import Failed
from hapy.proxy.greeting import Met
from hapy.proxy.http1 import ClientConnection
from hapy.proxy.path import serve
from hapy.proxy.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.http.message import Request
    from hapy.proxy.frontend import Frontend
    from hapy.proxy.route import Route
    from hapy.proxy.tcp import TcpSession


class UpgradedConnection(ClientConnection):
    """An HTTP connection that began as a TCP session.

    Attributes:
        route: where its first request goes, None where that is still to be chosen.
    """

    __slots__ = ("_began", "route")

    def __init__(
        self, frontend: Frontend, met: Met, release: Callable[[], None], began: Transaction, route: Route | None
    ) -> None:
        super().__init__(frontend, met, release)
        self._began: Transaction | None = began
        self.route = route

    def on_open(self) -> None:
        """It goes on: the connection was counted and screened when it was accepted."""
        began = self._began
        assert began is not None
        frontend = self.frontend
        self.client = client = began.client
        self.started = client.accepted
        self.txn = txn = Transaction(client, frontend, client.accepted)
        txn.variables = began.variables
        txn.request_captures = began.request_captures
        txn.log_level = began.log_level
        txn.source, txn.source_port = began.source, began.source_port
        txn.destination, txn.destination_port = began.destination, began.destination_port
        txn.inspection = began.inspection
        if txn.inspection is not None:
            txn.inspection.raw = False
        txn.idle_done = began.idle_done
        txn.request_wall = wall()
        if frontend.head_timeout != NEVER:
            self.head_deadline = now() + frontend.head_timeout
        self.expire_after(min(frontend.head_timeout, frontend.client_timeout))

    def choose(self, txn: Transaction) -> Route:
        """The route of a request.

        Raises:
            Failed: it leads to a TCP backend.
        """
        route, self.route = self.route, None
        if route is None:
            route = self.frontend.choose(txn)
        backend = route.backend
        if backend is not None and backend.model.mode != "http":
            txn.backend = backend
            txn.request_done = -1.0
            raise Failed(0, "I", "R")
        return route

    def _begin(self) -> None:
        exchange = self.exchange
        if exchange is None:
            super()._begin()
            return
        self._began = None
        self.deadline = NEVER
        if not exchange.request_ended:
            self.expire_after(self.frontend.client_timeout)
        exchange.begin(serve(exchange, self.choose))

    def _refuse(self, status: int, cause: str, *, read: Request | None = None) -> None:
        """Answer what never became a request; the first time it is still the TCP session that is refused."""
        began = self._began
        if began is not None:
            if cause != "P" and self.txn is not None and not (began.bytes_in or self.parser.pending):
                self.txn.idle_done = -1.0  # nothing has come: no line, with `option dontlognull`
            cause = "P"
            self.frontend.counters.ereq += read is None  # the session counts, too, as in HAProxy
            if self.route is not None:
                count_unheard(self.route, left=True)
        super()._refuse(status, cause, read=read)


def count_unheard(route: Route, *, left: bool) -> None:
    """A TCP session was to reach an HTTP backend, which counts it though no request came of it.

    Args:
        route: leads there.
        left: it counts as broken off by its client, whatever was wrong.
    """
    backend = route.backend
    assert backend is not None
    counters = backend.counters
    counters.rate.add(now())
    counters.stot += 1
    counters.smax = max(counters.smax, counters.scur + 1)
    counters.cli_abrt += left


def switch_to_http(session: TcpSession, route: Route | None) -> None:
    """Hand a session's client connection over to HTTP, with what has been read of it.

    Args:
        session: the session; nothing of it goes on.
        route: where its first request goes, None where that is still to be chosen.
    """
    side, frontend = session.client, session.frontend
    data = b"".join(side.held)
    side.held.clear()
    transport = side.transport
    release = side.hand_over()
    connection = UpgradedConnection(frontend, Met(side.listening, side.client), release, session.txn, route)
    frontend.connections.discard(side)
    frontend.connections.add(connection)
    transport.set_protocol(cast(Any, connection))
    connection.reading = side.reading
    connection.connection_made(transport)
    if side.eof:
        connection.eof = True
    if data and not connection.closed:
        connection.data_received(data)
    connection.resume()
    if side.eof and not connection.closed:
        connection.on_eof()

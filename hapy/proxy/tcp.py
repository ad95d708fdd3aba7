"""`mode tcp`: one client connection, one server connection, bytes both ways.

Rules:
- Bytes go from side to side as `hapy.proxy.side` tells.
- A half-close is passed on, and the other direction goes on: `timeout client-fin` and `server-fin` bound it from then
  on.
- Each side has its own inactivity timeout, moved by bytes in either direction on that side; `timeout tunnel` takes the
  place of both once the server's connection stands. It counts while something is due from that side: not after its FIN,
  nor while the other side takes no more.
- A side that sends nothing for so long is taken to have sent its FIN: the other one gets that, and may go on sending. A
  side that does not take what it was sent is closed, and what it sends has no way any more.
- A client that has sent nothing ends the session by its FIN or its silence while it waits for a server. What it has
  sent goes to one first, unless `option abortonclose` says otherwise.
- The session ends, and is logged, when both sides are gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.net.clock import NEVER, Watched, now, unwatch, wall, watch
from hapy.net.connect import OWN_FAULTS, ConnectFailed
from hapy.net.routine import Routine, later, pause
from hapy.net.sockets import ends
from hapy.proxy.exchange import LEAVING_TIME
from hapy.proxy.failures import Failed, Killed
from hapy.proxy.queue import NoServer, QueueFull
from hapy.proxy.side import ServerSide, Side
from hapy.proxy.transaction import Transaction
from hapy.rules.outcomes import CLOSE, REJECT, SILENT_DROP, SWITCH, SWITCH_H2

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.proxy.frontend import Frontend
    from hapy.proxy.greeting import Met
    from hapy.proxy.inspection import Inspection
    from hapy.proxy.listening import Listening
    from hapy.proxy.route import Route
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Client


def forget(txn: Transaction) -> None:
    """The choices are made: what was seen of the contents is not kept for the length of the session."""
    txn.body = txn.request = None
    txn.method = txn.uri = b""


#: Pause before a server that refused is asked again, in seconds.
RETRY_PAUSE = 1.0


class ClientSide(Side):
    """The connection from the client; made for each one that is accepted."""

    __slots__ = ("_release", "client", "frontend", "listening")

    client: Client

    def __init__(self, frontend: Frontend, listening: Listening | Met, release: Callable[[], None]) -> None:
        super().__init__()
        self.frontend = frontend
        self.listening = listening
        self._release = release

    def on_open(self) -> None:
        """Accepted."""
        self.client = self.listening.meet(self.transport)
        self.session = TcpSession(self)
        self.session.start()

    def hand_over(self) -> Callable[[], None]:
        """The connection goes on in other hands: gives what releases its slot."""
        release, self._release = self._release, _nothing
        unwatch(self)
        self.closed = True
        return release

    def on_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        super().on_lost(error)
        self._release()

    def stop(self) -> None:
        """The frontend stops: a session ends in its own time."""

    def end_session(self, server: Server | None, code: str) -> None:
        """End the session if that server (None: any) has it; see `hapy.proxy.failures.KILLED` for the letter."""
        session = self.session
        if session.server is not None and (server is None or session.txn.server is server):
            if session.txn.term_cause == "-":
                session.txn.term_cause = code
            session.server.close()
            self.close()
        elif session.connecting and server is not None and session.txn.server is server:
            session.interrupt(Killed(code, "C"))

    def kill(self) -> None:
        """End the session, whatever it waits for."""
        if self.session.server is not None:
            self.end_session(None, "K")
        else:
            self.session.interrupt(Killed("K", "C" if self.session.holds is not None else "R"))


def _nothing() -> None:
    """What is left to release of a connection that was handed over."""


class TcpSession(Routine):
    """One session: choosing a server and connecting is its coroutine, the rest happens in callbacks.

    Attributes:
        txn: what is known of it; `request` and `response` stay None.
        client, server: its sides.
        broken: how the server's connection ended while its bytes were looked at.
        connecting: a server is being connected to.
        early: bytes that had come from both sides when `timeout tunnel` began.
        inspecting: the side whose bytes content rules look at, None when they look at none.
        logged: its log line is written.
        deadline, looked_at, slot: see `hapy.net.clock.Watched`; for connecting and waiting.
    """

    __slots__ = (
        "broken",
        "client",
        "connecting",
        "deadline",
        "done",
        "early",
        "entered",
        "frontend",
        "holds",
        "inspecting",
        "logged",
        "looked_at",
        "route",
        "server",
        "slot",
        "txn",
    )

    def __init__(self, client: ClientSide) -> None:
        super().__init__()
        self.client = client
        self.frontend = client.frontend
        self.server: ServerSide | None = None
        self.route: Route = self.frontend.route
        self.inspecting: Side | None = None
        self.logged = False
        self.broken: Exception | None = None
        self.holds: Server | None = None
        self.done = False
        self.connecting = False
        self.entered = False
        self.early = 0
        self.deadline = NEVER
        self.looked_at = NEVER
        self.slot: set[Watched] | None = None
        self.txn = txn = Transaction(client.client, self.frontend, client.client.accepted)
        txn.status = 0  # there is none: not one that has not come
        txn.idle_done = txn.request_done = client.client.accepted
        txn.request_wall = wall()

    def start(self) -> None:
        """Begin, unless the frontend's connection rules turn the client away."""
        if self.frontend.admit(self.client, self.client.client):
            process = self.frontend.process
            self.txn.number = process.requests
            process.requests += 1
            if self.frontend.told is not None and self.frontend.keep_request is not None:
                self.frontend.keep_request(self.txn)  # `-d` shows the session from its start
            self.client.timeout = self.frontend.client_timeout
            self.client.linked = "independent-streams" not in self.frontend.model.options
            self.client.nolinger = "nolinger" in self.frontend.model.options
            self.client.expire_after(self.client.timeout)
            self.begin(self._run())

    # the coroutine

    async def _run(self) -> None:
        frontend, txn = self.frontend, self.txn
        try:
            if frontend.inspection is not None and await self._inspect(frontend.inspection):
                self._switch(None)
                return
            route = self.route = frontend.choose(txn)
            txn.backend = route.backend or frontend
            if route.backend is None:
                raise Failed(0, "S", "C")
            if route.backend.model.mode == "http":
                if self.client.closed or (self.client.eof and not self.client.held):
                    self._leave_unseen()
                else:
                    self._switch(route)
                return
            route.backend.begin()
            route.counters.open()
            route.counters.rate.add(now())
            self.entered = True
            if route.inspection is not None:
                await self._inspect(route.inspection)
            if self.client.late or self.client.closed:
                raise Failed(0, "c" if self.client.late else "C", "R")
            if txn.inspection is None:
                txn.body = self.client.peek(frontend.buffer_size)  # what `balance rdp-cookie` looks at
            await self._reach(route)
            if route.answer_inspection is not None:
                await self._inspect_answer(route.answer_inspection)
        except Failed as failure:
            if txn.term_cause == "-":
                txn.term_cause, txn.term_phase = failure.cause, failure.phase
            server = self.server
            if server is not None and server.nolinger:
                server.abort()
            elif server is not None:
                server.cut()
            self.client.finish()
            self._end()

    async def _inspect(self, inspection: Inspection) -> bool:
        """Apply a section's `tcp-request content` rules; whether they switch to HTTP.

        Raises:
            Failed: they refuse the session, or the client has gone meanwhile.
        """
        from hapy.proxy.inspection import inspect_bytes

        outcome = await inspect_bytes(self, self.client, inspection)
        client = self.client.client
        if outcome in (SILENT_DROP, REJECT, SWITCH_H2):
            self.txn.bytes_in = min(self.txn.bytes_in, inspection.limit)  # what rules have seen: HAProxy reads no more
        if outcome is SILENT_DROP:
            self.frontend.count_denied(client, self.route.backend)
            self.frontend.drop(self.client)
            raise Failed(0, "P", "R")
        if outcome is REJECT:
            self.frontend.count_denied(client)  # HAProxy does not count it as the backend's
        if outcome is REJECT or outcome is SWITCH_H2:
            raise Failed(0, "P", "R")
        return outcome is SWITCH and not self.client.closed

    async def _inspect_answer(self, inspection: Inspection) -> None:
        """Apply the backend's `tcp-response content` rules, then let the server's bytes pass.

        Raises:
            Failed: they refuse what the server sends.
        """
        from hapy.proxy.inspection import inspect_bytes

        server = self.server
        assert server is not None
        outcome = await inspect_bytes(self, server, inspection)
        if self.done:
            return
        if not inspection.delay and outcome in (SILENT_DROP, REJECT, CLOSE):  # before anything is read from it
            server.held.clear()
            self.txn.bytes_out = 0
        client, backend = self.client.client, self.route.backend
        assert backend is not None
        if outcome is SILENT_DROP:
            self.frontend.count_denied(client, backend)
            self.frontend.drop(self.client)
            raise Failed(0, "P", "R")
        if outcome is REJECT:
            self.frontend.count_denied_answer(client, backend, self.txn.server)
            raise Failed(0, "P", "D")
        server.let_go()
        if self.route.tunnel_timeout != NEVER and not (self.client.eof or server.eof):
            self._start_timeouts()
        if outcome is CLOSE:
            if inspection.delay:
                server.abort()
            else:
                server.cut()
            self.client.finish()
            self._end()
        elif server.closed:
            self.lost(server, self.broken)
        elif server.late:
            self.expired(server)
        elif server.eof:
            self.half_closed(server)

    def _leave_unseen(self) -> None:
        """The client has left before it had said a word to an HTTP backend: no line tells of it."""
        self.frontend.counters.ereq += self.client.closed
        self.logged = True
        self.client.finish()
        self._end()

    def _switch(self, route: Route | None) -> None:
        """The client speaks HTTP from here on; the route is what has been chosen already."""
        from hapy.proxy.upgrade import switch_to_http

        self.done = True
        switch_to_http(self, route)

    def on_failure(self, error: BaseException) -> None:
        """The coroutine ended by an error that nobody foresaw: the session ends, others go on."""
        super().on_failure(error)
        self.client.abort()
        self._end()

    async def _reach(self, route: Route) -> None:
        """Connect to a server, with retries and redispatches.

        Raises:
            Failed: there is no connection.
        """
        txn = self.txn
        avoid: Server | None = None
        forced = route.use_server(txn) if route.use_server is not None else None
        tries = 0
        while True:
            server = self.holds
            if server is None:
                server, avoid = await self._slot(route, forced, avoid)
                self.holds = txn.server = server
                txn.queue_done = now()
                server.counters.open()
                server.counters.rate.add(txn.queue_done)
                server.counters.lastsess = server.backend.counters.lastsess = txn.queue_done
                if avoid is not None:
                    server.count_move(avoid)
                    txn.redispatched |= server is not avoid
            try:
                await self._connect(route, server)
            except ConnectFailed as error:
                self.txn.server_tls = error.tls
                if server.observer is not None:
                    server.observer.not_connected()
                own_fault = error.kind in OWN_FAULTS
                at_once = own_fault or error.kind == "timeout"
                if own_fault:
                    self.frontend.runtime.events.no_source(server.backend, error.kind)
                if self.client.closed:
                    raise self._left("C") from error
                if tries >= route.retries:
                    server.backend.count_failure(server)
                    cause = "s" if error.kind == "timeout" else "S"
                    raise Failed(0, cause, "C") from error
            else:
                return
            tries += 1
            txn.retries += 1
            homeless = server.unresolved and route.backend and route.backend.active
            if homeless or route.redispatches(tries, txn, bound=server is forced):
                self._release()
                server.backend.offer(server)
                avoid, forced = server, None
                continue
            if not at_once:
                await self._rest(min(RETRY_PAUSE, route.connect_timeout))
            server.count_retry()

    async def _slot(self, route: Route, forced: Server | None, avoid: Server | None) -> tuple[Server, Server | None]:
        """A server, and the one that the session was meant for before.

        Raises:
            Failed: none takes it.
        """
        backend = route.backend
        assert backend is not None
        try:
            server = backend.assign(self.txn, forced, avoid)
            if server is None:
                return await self._queue(route, forced, avoid)
        except NoServer as error:
            raise Failed(0, "S", "C") from error
        except QueueFull as error:
            backend.count_failure(self.txn.server)
            raise Failed(0, "S", "Q") from error
        return server, avoid

    async def _queue(self, route: Route, forced: Server | None, avoid: Server | None) -> tuple[Server, Server | None]:
        backend = route.backend
        assert backend is not None
        parked = True

        def go_on() -> None:
            if parked:  # else something else has woken it, and it has moved on
                self.wake()

        if route.queue_timeout != NEVER:
            self.expire_after(route.queue_timeout)
        try:
            while True:
                ticket = backend.enqueue(self.txn, lambda: later(go_on))
                try:
                    while ticket.waiting:
                        await pause()
                except BaseException:
                    ticket.forfeit()
                    raise
                if ticket.server is not None:
                    return ticket.server, avoid
                avoid = self.txn.server or avoid
                server = backend.assign(self.txn, forced, avoid)
                if server is not None:
                    return server, avoid
        except ConnectFailed as error:  # the deadline, or the client went
            if self.client.closed:
                if not self.client.late:
                    self.txn.queue_done = now()
                raise self._left("Q") from error
            self.txn.queue_done = now()
            backend.count_failure(self.txn.server)
            raise Failed(0, "s", "Q") from error
        except Killed as killed:
            self.txn.queue_done = now()
            raise Failed(0, killed.cause, "Q") from None
        finally:
            parked = False
            self.deadline = NEVER

    async def _connect(self, route: Route, server: Server) -> None:
        self.expire_after(route.connect_timeout)
        server.counters.connect += 1
        server.backend.counters.connect += 1
        self.connecting = True
        try:
            await server.connector.dial_raw(self._server_side, self.txn)
        finally:
            self.connecting = False
            self.deadline = NEVER
        if server.observer is not None:
            server.observer.connected()

    def _server_side(self, preface: bytes) -> ServerSide:
        side = ServerSide(preface)
        side.session = self
        return side

    async def _rest(self, seconds: float) -> None:
        self.expire_after(seconds)
        try:
            await pause()
        except ConnectFailed as error:
            if self.client.closed:
                self.txn.server_ends = None
                raise self._left("C") from error

    def _left(self, phase: str) -> Failed:
        """The session ends before a server has it, since nothing comes from its client any more."""
        if self.client.late:
            return Failed(0, "c", phase)
        return Failed(0, "C", phase if self.client.eof else "D")

    # deadlines

    def expire_after(self, seconds: float) -> None:
        """Bound the coroutine's next wait."""
        self.deadline = deadline = now() + seconds
        if deadline < self.looked_at:
            watch(self)

    def on_deadline(self) -> None:
        """Connecting, the pause between two attempts or the wait for contents took its time."""
        if self.connecting and self.client.eof and not self.client.closed and self._is_left:
            self.client.close()
            return
        self.interrupt(ConnectFailed("timeout"))

    # the two sides

    def join(self, server: ServerSide) -> None:
        """The server connection stands: from here on bytes flow by themselves."""
        self.server = server
        self.deadline = NEVER
        txn = self.txn
        txn.connect_done = txn.response_done = now()
        client = self.client
        client.other, server.other = server, client
        client.feeder, server.feeder = server, client
        server.timeout = self.route.server_timeout
        server.linked = "independent-streams" not in self.route.model.options
        server.nolinger = "nolinger" in self.route.model.options
        if client.closed:
            server.abort()
            return
        server.holding = self.route.answer_inspection is not None
        self._start_timeouts()
        forget(txn)
        client.let_go()
        if client.eof:
            self.half_closed(client)
        if self.frontend.logger.as_soon:
            if self.frontend.process.shows_ends:
                txn.server_ends = ends(server.transport)
            self._log()

    def _start_timeouts(self) -> None:
        """Bytes flow, or content rules look at the server's first: only then `timeout tunnel` takes no part yet."""
        client, server = self.client, self.server
        assert server is not None
        tunnel = self.route.tunnel_timeout
        if tunnel != NEVER and not server.holding:
            self.early = self.txn.bytes_in + self.txn.bytes_out
            client.timeout = server.timeout = tunnel
            client.expire_after(tunnel)
        elif client.held or client.deadline == NEVER:
            client.expire_after(client.timeout)  # else its time runs on: it has sent nothing
        server.expire_after(server.timeout)

    def more(self, side: Side) -> None:
        """Bytes have come that can't be passed on yet."""
        if side.draining:
            side.held.clear()
            return
        if sum(map(len, side.held)) >= self.frontend.buffer_size:
            side.pause()
        if self.inspecting is side:
            side.expire_after(side.timeout)
            self.wake()

    def passed(self, side: Side, count: int) -> None:
        """Bytes have come from one side."""
        if side is self.client:
            self.txn.bytes_in += count
        else:
            self.txn.bytes_out += count

    def half_closed(self, side: Side) -> None:
        """One side has sent its FIN."""
        other = side.other
        if self.inspecting is side:
            side.deadline = NEVER
            self.wake()
            return
        if other is None:
            if self._is_left:
                if self.connecting:
                    self.expire_after(min(LEAVING_TIME, max(self.deadline - now(), 0.0)))
                else:
                    side.close()
            return
        limit = self.route.server_fin_timeout if side is self.client else self.route.client_fin_timeout
        if limit != NEVER:
            other.timeout = limit
            other.expire_after(limit)
        if side.shut and side.ceased and side is not self.client:
            side.abort()  # a server that has had its FIN, and says nothing
        elif side.shut:
            side.close()

    @property
    def _is_left(self) -> bool:
        """Whether the client's FIN ends the session while no server has it."""
        return not self.client.held or "abortonclose" in self.route.model.options

    def expired(self, side: Side) -> None:
        """A side was silent, or took nothing of what it was sent, for too long."""
        other = side.other
        if self.inspecting is side:
            side.late = True
            self.interrupt(ConnectFailed("timeout"))
            return
        if other is None:
            if not side.held:  # else what it has sent is for a server first
                side.late = True
                side.close()
            return
        if other.deadline <= now() and (other is self.client) is not self.client.pending:
            other.deadline = NEVER
            self.expired(other)  # of both at once: the client was late to send, or the server to take
        if self.done or not side.due:
            return
        if self.txn.term_cause == "-":
            self.txn.term_cause = "c" if side is self.client else "s"
            self.txn.term_phase = "D"
        if self._unused:
            self.client.leave()
            self.server.abort()  # type: ignore[union-attr] # both were late at once
            self._end()
            return
        if side.pending:
            side.drop()
        else:
            side.cease()

    @property
    def _unused(self) -> bool:
        """Whether `timeout tunnel` counts, and nothing at all has come from either side since it began."""
        client, server, txn = self.client, self.server, self.txn
        if self.route.tunnel_timeout == NEVER or server is None or server.holding:
            return False
        return not (client.eof or server.eof) and txn.bytes_in + txn.bytes_out == self.early

    def lost(self, side: Side, error: Exception | None) -> None:
        """A connection is gone."""
        other = side.other
        if self.inspecting is side:
            self.broken = error
            self.interrupt(ConnectFailed("refused", "the server has gone"))
            return
        if error is not None and self.txn.term_cause == "-":
            self.txn.term_cause = "C" if side is self.client else "S"
            self.txn.term_phase = "D"
        if other is None:
            self.interrupt(ConnectFailed("refused", "the client has gone"))
            return
        if error is None:
            other.conclude()
            if other.closed and other.pending:
                return  # its end is the session's
        elif side is self.client and not other.eof:
            other.abort()
        else:
            other.finish()
        self._end()

    # the end

    def _log(self) -> None:
        """`option logasap`: the line is written when the connection to the server stands."""
        self.logged = True
        txn = self.txn
        txn.finished = now()
        came, txn.bytes_in = txn.bytes_in, 0  # what has come so far counts from here on, as in HAProxy
        self.frontend.logger.log_transaction(txn)
        txn.bytes_in = came
        txn.finished = -1.0

    def _release(self) -> Server | None:
        """Free the server's slot; who gets it is to be given `Backend.offer` of what this returns."""
        server = self.holds
        if server is not None:
            self.holds = None
            server.counters.scur -= 1
            server.counters.bin += self.txn.bytes_in
            server.counters.bout += self.txn.bytes_out
            server.backend.vacate(server)
        return server

    def _end(self) -> None:
        if self.done:
            return
        self.done = True
        if self.inspecting is not None:
            self.interrupt(ConnectFailed("refused", "the session is over"))
        txn = self.txn
        txn.finished = now()
        self._release()
        server = txn.server
        if self.entered and self.route.backend is not None:
            self.route.leave(txn)
        self.frontend.finish_session(txn, logged=self.logged)
        if server is not None:
            server.backend.offer(server, after=1)  # after the log line, in which nobody else has the slot yet
        self.frontend.on_disconnection(self.client)

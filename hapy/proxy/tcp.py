"""`mode tcp`: one client connection, one server connection, bytes both ways.

A session is one object: what it does is here, how it comes by a server in `tcp_connect`, what happens while bytes flow
in `tcp_flow`, and its two connections are in `side`. Choosing a server and connecting is a coroutine, the rest happens
in callbacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.net.clock import NEVER, now, unwatch
from hapy.proxy.failures import Failed, Killed
from hapy.proxy.side import Side
from hapy.proxy.tcp_connect import Connecting
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


class TcpSession(Connecting):
    """One session, from its client's first byte on."""

    __slots__ = ()

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
                    self._leave_unseen(route)
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

    def _leave_unseen(self, route: Route) -> None:
        """The client has left before it had said a word to an HTTP backend: no line tells of it."""
        from hapy.proxy.upgrade import count_unheard

        count_unheard(route, left=False)
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

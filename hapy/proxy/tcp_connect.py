"""How a session of `mode tcp` comes by a server: balance, queue, connecting, retries and redispatches.

A client that has sent nothing ends the session by its FIN or its silence while it waits for a server. What it has sent
goes to one first, unless `option abortonclose` says otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.net.clock import NEVER, now
from hapy.net.connect import OWN_FAULTS, ConnectFailed
from hapy.net.routine import later, pause
from hapy.proxy.failures import Failed, Killed
from hapy.proxy.queue import NoServer, QueueFull
from hapy.proxy.side import ServerSide
from hapy.proxy.tcp_flow import Flow

if TYPE_CHECKING:
    from hapy.proxy.route import Route
    from hapy.proxy.server import Server


#: Pause before a server that refused is asked again, in seconds.
RETRY_PAUSE = 1.0


class Connecting(Flow):
    """One session: its way to a server."""

    __slots__ = ()

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

"""A session of `mode tcp` whose bytes flow: what its two sides tell of, and how it ends.

Rules:
- A half-close is passed on, and the other direction goes on: `timeout client-fin` and `server-fin` bound it from then
  on.
- Each side has its own inactivity timeout, moved by bytes in either direction on that side; `timeout tunnel` takes the
  place of both once the server's connection stands. It counts while something is due from that side: not after its FIN,
  nor while the other side takes no more.
- A side that sends nothing for so long is taken to have sent its FIN: the other one gets that, and may go on sending. A
  side that does not take what it was sent is closed, and what it sends has no way any more.
- The session ends, and is logged, when both sides are gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.net.clock import NEVER, Watched, now, wall, watch
from hapy.net.connect import ConnectFailed
from hapy.net.routine import Routine
from hapy.net.sockets import ends
from hapy.proxy.exchange import LEAVING_TIME
from hapy.proxy.transaction import Transaction

if TYPE_CHECKING:
    from hapy.proxy.route import Route
    from hapy.proxy.server import Server
    from hapy.proxy.side import ServerSide, Side
    from hapy.proxy.tcp import ClientSide


def forget(txn: Transaction) -> None:
    """The choices are made: what was seen of the contents is not kept for the length of the session."""
    txn.body = txn.request = None
    txn.method = txn.uri = b""


class Flow(Routine):
    """One session: its callbacks.

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
        elif side is self.client and (other.ceased or not other.eof):
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
        came = txn.bytes_in
        if not self.frontend.continuous:
            txn.bytes_in = 0  # what has come so far counts from here on, as in HAProxy
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

"""`check-reuse-pool`: an HTTP check over a connection of the server's pool (configuration manual 3.4, section 5.2).

Rules:
- A check takes any idle connection, since it can be made again; without one it opens one as requests do.
- Its answer read to the end, the connection goes back to the pool, whatever the check made of the answer. A body that
  is still on its way when the check has decided is read and dropped for a short while.
- An idle connection that dies before it has answered proves nothing: the check is made again over a new one.
- Only what requests connect to can be checked so: a check with an address, TLS or steps of its own has a connection of
  its own, and so has one of a server whose connections differ from request to request.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, Final, cast

from hapy.http.message import Request
from hapy.net.connect import ConnectFailed
from hapy.proxy.server_connection import ServerConnection

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.checks.http import Answer
    from hapy.proxy.server import Server

#: Seconds that the rest of an answer may take when the check has decided.
_REST: Final = 1.0
#: Bytes of it.
_MOST: Final = 65536

#: Options of a server line that give checks a connection of their own.
_OWN: Final = frozenset(
    {"addr", "port", "check-alpn", "check-proto", "check-send-proxy", "check-sni", "check-ssl", "no-check-ssl"}
)


def shares_pool(server: Server) -> bool:
    """Whether the options of a server let its HTTP checks use its pool."""
    model = server.backend.model
    if model.mode != "http" or model.reuse == "never" or not server.connector.fixed:
        return False
    options = server.model.options
    return "check-reuse-pool" in options and _OWN.isdisjoint(options)


class _Head:
    """What stands in the place of a transaction: only its times are written."""

    __slots__ = ("response_done",)

    response_done: float


class PooledProbe:
    """A connection of the pool in a check's hands; to steps a `hapy.net.probe.Probe`, to the connection an exchange.

    Attributes:
        connected, secured, received, eof, error, insecure: as of a `Probe`; what comes goes to the answer by itself.
        reused: the connection has carried requests before.
        txn: written to by the connection.
    """

    __slots__ = (
        "_answer",
        "_connection",
        "_decided",
        "_rest",
        "_server",
        "connected",
        "eof",
        "error",
        "insecure",
        "received",
        "reused",
        "secured",
        "txn",
        "wake",
    )

    def __init__(self, wake: Callable[[], None], server: Server) -> None:
        self.wake = wake
        self._server = server
        self._connection: ServerConnection | None = None
        self._answer: Answer | None = None
        self._decided = False
        self._rest = 0
        self.txn = _Head()
        self.connected = False
        self.secured = False
        self.received = bytearray()
        self.eof = False
        self.error = ""
        self.insecure = False
        self.reused = False

    async def open(self, *, new: bool) -> None:
        """Take a connection, or open one; `error` says why there is none."""
        server = self._server
        pool, key = server.pool, server.key
        found = None if new else pool.acquire(key, first_request=False)
        if found is not None:
            self._connection = cast(ServerConnection, found)
            self.reused = True
        else:
            pool.reserve()
            try:
                self._connection = await server.connector.dial(key)
            except ConnectFailed as failure:
                self.insecure = failure.kind == "handshake"
                self.error = "SSL handshake failure" if self.insecure else _words(failure)
            finally:
                if self._connection is None:  # interrupted, too
                    pool.discard(None)
            if self._connection is None:
                return
        self.connected = True
        self.secured = server.connector.tls is not None

    @property
    def stale(self) -> bool:
        """It was an idle one, and ended before it has answered."""
        connection = self._connection
        return self.reused and connection is not None and self.eof and not connection.received

    @property
    def ends(self) -> tuple[tuple[bytes, int], tuple[bytes, int]]:
        """See `Probe.ends`."""
        connection = self._connection
        sock = connection.socket if connection is not None else None
        if sock is None:
            return (b"", 0), (b"", 0)
        try:
            names = sock.getsockname(), sock.getpeername()
        except OSError:
            return (b"", 0), (b"", 0)
        ours, theirs = ((name[0].encode(), name[1]) if isinstance(name, tuple) else (b"", 0) for name in names)
        return ours, theirs

    def ask(self, answer: Answer, method: bytes, data: bytes) -> None:
        """Send a request; what comes is put into the answer."""
        connection = self._connection
        assert connection is not None
        self._answer = answer
        request = Request(method, b"/", 11, [])
        connection.begin(self, request, final=False)
        if connection.closed:
            self.eof = True
            return
        connection.transport.write(data)

    def read(self) -> None:
        """See `Probe.read`: connections of the pool are read all the time."""

    def on_server_news(self, connection: ServerConnection) -> None:
        """The connection tells: more of the answer, its end, or that of the connection."""
        if self._decided:
            self._skip(connection)
            return
        answer = self._answer
        if answer is None:
            return
        heads = connection.informational or []
        answer.head = answer.head or (heads[0] if heads else connection.response)
        for piece in connection.pieces:
            answer.body += piece
        connection.pieces.clear()
        answer.ended = answer.ended or connection.ended
        failure = connection.failure
        if failure == "bad":
            answer.bad = True
        elif failure:
            self.eof = answer.ended = True
            if failure == "reset" and not connection.received and not self.reused:
                self.error = os.strerror(errno.ECONNRESET)
        self.wake()

    def on_server_drained(self, connection: ServerConnection) -> None:
        """More of the request could be written: all of it has been."""

    def on_server_resumed(self, connection: ServerConnection) -> None:
        """Its answer is always taken."""

    def close(self) -> None:
        """The check has decided: back to the pool with the connection, if it is sound."""
        connection = self._connection
        if connection is None or self._decided:
            return
        self._decided = True
        lost = connection.failure or connection.closed
        if connection.response is not None and not connection.ended and not lost:
            connection.expire_after(_REST)
            self._skip(connection)
        else:
            self._give_back(connection)

    def _skip(self, connection: ServerConnection) -> None:
        """Drop what comes; at the end of the answer the connection is free."""
        self._rest += sum(map(len, connection.pieces))
        connection.pieces.clear()
        if connection.ended or connection.failure or self._rest > _MOST:
            self._give_back(connection)

    def _give_back(self, connection: ServerConnection) -> None:
        self._connection = None
        pool = self._server.pool
        if connection.reusable:
            connection.rest()
            pool.release(connection)
        else:
            connection.exchange = None
            pool.discard(connection)


def _words(failure: ConnectFailed) -> str:
    """Why there is no connection, in the system's words."""
    cause: Any = failure.__cause__
    number = getattr(cause, "errno", None)
    return os.strerror(number) if number else str(failure)

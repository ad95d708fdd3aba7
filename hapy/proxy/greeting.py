"""What comes before a client's own first byte: TLS. The connection's rules see it before, its sessions after.

A greeting receives the accepted connection, and hands it to the protocol that serves it when all of this is done. Until
then it answers for the connection: its slot, its deadline, and the log line when nothing comes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.net.clock import NEVER, now
from hapy.net.tls import Below, Upper
from hapy.net.tls_server import ServerLink
from hapy.observe.counters import TLS
from hapy.proxy.transaction import Transaction

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from hapy.proxy.frontend import Frontend
    from hapy.proxy.listening import Listening
    from hapy.proxy.transaction import Client
    from hapy.tls.binding import Binding
    from hapy.tls.hello import ClientHello
    from hapy.tls.session import TlsSession
    from hapy_config.model.server import Bind

    #: Makes what serves a connection: HTTP or plain bytes.
    Make = Callable[["Frontend", "Met", Callable[[], None]], Upper]

#: The words of the log for handshakes that came to nothing (manual, section 8.2.5 and `fc_err_str`).
_WORDS = {
    "eof": "Connection closed during SSL handshake",
    "timeout": "Timeout during SSL handshake",
}
_FAILURE = "SSL handshake failure"


class Met:
    """A connection that was met before: stands where its serving protocol asks the bind line about it.

    Attributes:
        greeted: it has been counted and screened.
        waited: something came before its own protocol.
        unread: bytes of the client are at hand that its protocol has not seen yet.
    """

    __slots__ = ("bind", "client", "greeted", "unread", "waited")

    def __init__(
        self, listening: Listening | Met, client: Client, *, waited: bool = True, unread: bool = False
    ) -> None:
        self.bind: Bind = listening.bind
        self.client = client
        self.greeted = True
        self.waited = waited
        self.unread = unread

    def meet(self, _transport: Below) -> Client:
        """Its client."""
        return self.client


class Greeting(ServerLink):
    """A client's connection while its TLS handshake goes on."""

    __slots__ = ("_binding", "_make", "_release", "client", "draining", "frontend", "listening")

    client: Client

    def __init__(
        self, frontend: Frontend, listening: Listening | Met, binding: Binding, make: Make, release: Callable[[], None]
    ) -> None:
        super().__init__()
        self.frontend = frontend
        self.listening = listening
        self.draining = False
        self._binding = binding
        if binding.records is not None:
            self.limit_records(binding.records)
        self._make = make
        self._release = release

    def opened(self) -> None:
        """Accepted."""
        self.client = self.listening.meet(self.raw)
        TLS.accepted.add(self.client.accepted)
        if self.listening.greeted or self.frontend.screen(self.client, self.raw):
            if self.frontend.client_timeout != NEVER:
                self.expire_after(self.frontend.client_timeout)
        else:
            self._failed = True
            self.abort()
            self._release()

    def choose(self, hello: ClientHello) -> tuple[ssl.SSLContext, bytes, bool] | None:
        """The certificate for this client."""
        served = self._binding.choose(hello)
        return None if served is None else (served.context, served.certificate.der, served.watched)

    def context(self) -> ssl.SSLContext | None:
        """The context of the first certificate."""
        default = self._binding.default
        return None if default is None else default.context

    def greeted(self, session: TlsSession) -> Upper | None:
        """The handshake is done: on to the protocol."""
        client = self.client
        client.tls = session
        moment = now()
        client.handshake = moment - client.accepted
        counters = self.frontend.counters
        TLS.frontend_sess += 1
        if session.resumed:
            counters.ssl_reused_sess += 1
            TLS.frontend_reused += 1
        else:
            counters.ssl_sess += 1
            TLS.frontend_keys.add(moment)
        return self._make(self.frontend, Met(self.listening, client), self._release)

    def fail(self, why: str, *, silent: bool) -> None:
        """It came to nothing: log it."""
        frontend = self.frontend
        if not silent:
            frontend.counters.ssl_failed_handshake += 1
        try:
            if not (silent and frontend.dont_log_null):
                client = self.client
                client.tls = self.session
                txn = Transaction(client, frontend, client.accepted)
                frontend.logger.log_error(txn, self._words(why))
        finally:
            self._release()

    def _words(self, why: str) -> str:
        errors = self.errors
        if why == "CERTIFICATE_VERIFY_FAILED" and errors is not None:
            if errors.leaf and not errors.refused:
                return "SSL client certificate not trusted"
            if errors.authority:
                return "SSL client CA chain cannot be verified"
        if self.hello is not None and why == "eof":
            return _FAILURE
        return _WORDS.get(why, _FAILURE)

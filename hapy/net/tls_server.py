"""TLS with a client: our side is the server. The ClientHello decides on the certificate, before the library sees it."""

from __future__ import annotations

import ssl
from typing import Final

from mypy_extensions import mypyc_attr

from hapy.net.stream import Receiver
from hapy.net.tls import Link
from hapy.tls import inside, openssl
from hapy.tls.hello import ClientHello, NotTls, frame_hello
from hapy.tls.session import TlsSession

_UNRECOGNIZED_NAME: Final = b"\x15\x03\x03\x00\x02\x02\x70"
_HANDSHAKE_FAILURE: Final = b"\x15\x03\x03\x00\x02\x02\x28"


@mypyc_attr(allow_interpreted_subclasses=True)
class ServerLink(Link):
    """Our side is the server: the ClientHello decides on the certificate."""

    __slots__ = ("_early", "_own", "hello")

    def __init__(self) -> None:
        super().__init__()
        self.hello: ClientHello | None = None
        self._early = b""
        self._own = b""

    # what subclasses say

    def choose(self, hello: ClientHello) -> tuple[ssl.SSLContext, bytes, bool] | None:
        """The context for this client, our certificate, and whether verification errors are noted; None: nothing.

        Raises:
            NotTls: the hello is broken. NoCertificate: none can be made for its name.
        """
        raise NotImplementedError

    def context(self) -> ssl.SSLContext | None:
        """The context of a client that hasn't come to choosing one, None without any."""
        raise NotImplementedError

    def greeted(self, session: TlsSession) -> Receiver | None:
        """The handshake is done: who takes the connection, None to close it."""
        raise NotImplementedError

    def fail(self, why: str, *, silent: bool) -> None:
        """It came to nothing; `silent` when not a byte had come."""
        raise NotImplementedError

    # the handshake

    def data_received(self, data: bytes) -> None:
        """Event loop: records."""
        if self.hello is None and not self._failed:
            self._read_hello(self._early + data if self._early else data)
        else:
            super().data_received(data)

    def _begin(self, context: ssl.SSLContext) -> None:
        """Begin as the server: what `SSLContext.wrap_bio` does, without its detours."""
        inner = context._wrap_bio(self._incoming, self._outgoing, True)  # type: ignore[attr-defined]
        tls = ssl.SSLObject.__new__(ssl.SSLObject)
        tls._sslobj = inner  # type: ignore[attr-defined]
        self.begin(tls)

    def _read_hello(self, early: bytes) -> None:
        try:
            hello = frame_hello(early)
            if hello is None:
                self._early = early
                return
            chosen = self.choose(hello)
        except NotTls:
            self._early = early
            self._ask_library()
            self.give_up("no TLS")
            return
        except inside.NoCertificate as without:
            self._turn_away(hello, without.error, _HANDSHAKE_FAILURE)
            return
        if chosen is None:
            self._turn_away(hello, inside.refusal("CALLBACK_FAILED"), _UNRECOGNIZED_NAME)
            return
        self.hello = hello
        self._early = b""
        context, self._own, watched = chosen
        if watched:
            self.errors = openssl.begin_verification()
        self._begin(context)
        super().data_received(early)

    def _turn_away(self, hello: ClientHello | None, error: ssl.SSLError, alert: bytes) -> None:
        """There is no certificate for this client."""
        self.hello = hello
        self._early = b""
        self.error = error
        self._outgoing.write(alert)
        self.give_up("unrecognized name")

    def established(self) -> Receiver | None:
        """The handshake is done."""
        assert self.tls is not None
        self.session = TlsSession(self.tls, self.hello, self._own, self.errors)
        return self.greeted(self.session)

    def failed(self, why: str) -> None:
        """The handshake came to nothing."""
        if self.tls is None:
            self._ask_library()
        if self.tls is not None:
            hello = self.hello if self.hello is not None and self.hello.sound else None
            self.session = TlsSession(self.tls, hello, self._own, self.errors, self.error, done=False)
        self.fail(why, silent=self.hello is None and not self._early)

    def _ask_library(self) -> None:
        """Learn what the library says against bytes that are no ClientHello; its alert is for the client."""
        context = self.context()
        if context is None:
            return
        self._begin(context)
        if self._early:
            self._incoming.write(self._early)
            try:
                self._inner.do_handshake()
            except ssl.SSLWantReadError:
                self._outgoing.read()  # no answer for those who are turned away
            except ssl.SSLError as error:
                self.error = error

"""TLS with a server: our side is the client, which offers a session and looks at the certificate it is shown."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Final, Protocol, TypeVar, cast

from hapy.net.connect import ConnectFailed, Destination, connect
from hapy.net.records import RecordSizes
from hapy.net.sockets import Ends, ends
from hapy.net.stream import Receiver, Stream
from hapy.net.tls import Link
from hapy.tls import inside, openssl
from hapy.tls.session import TlsSession

S = TypeVar("S", bound=Stream)


class Asking(Protocol):
    """How to speak to a server, as `hapy.tls.outgoing.Outgoing` knows it.

    Attributes:
        records: how much a record holds, None for as much as it may.
    """

    records: RecordSizes | None

    def begin(self, name: bytes | None, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, /) -> ssl.SSLObject:
        """Start a handshake."""

    def accept(self, name: bytes | None, tls: ssl.SSLObject, /) -> str:
        """Look at the server's certificate; gives what is wrong, or an empty string."""

    def fail(self) -> None:
        """It came to nothing."""

    def keep(self, name: bytes | None, tls: ssl.SSLObject, /) -> bool:
        """Keep the session for the next connection; False while it can't be had."""


#: How often a connection is asked for its session: with TLS 1.3 it comes with the first bytes, if ever.
_LOOKS: Final = 3


class ClientLink(Link):
    """Our side is the client.

    Attributes:
        done: set when the handshake has succeeded, or failed by ConnectFailed.
    """

    __slots__ = ("_ask", "_looks", "_make", "_name", "_preface", "done", "stream")

    def __init__(self, ask: Asking, name: bytes | None, make: Callable[[], Stream], preface: bytes = b"") -> None:
        super().__init__()
        self._ask = ask
        if ask.records is not None:
            self.limit_records(ask.records)
        self._name = name
        self._make = make
        self._preface = preface
        self._looks = _LOOKS
        self.stream: Stream | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def opened(self) -> None:
        """The connection stands: begin."""
        if self._preface:
            self.raw.write(self._preface)
        self.begin(self._ask.begin(self._name, self._incoming, self._outgoing))
        self.errors = openssl.begin_verification()
        self.shake()

    def established(self) -> Receiver | None:
        """The handshake is done: look at the server's certificate."""
        assert self.tls is not None
        self.session = TlsSession(self.tls, None, b"", self.errors)
        fault = self._ask.accept(self._name, self.tls)
        if fault:
            self.error = inside.refusal("CERTIFICATE_VERIFY_FAILED")
            self.failed(fault)
            return None
        self.stream = self._make()
        if not self.done.done():
            self.done.set_result(None)
        return self.stream

    def deliver(self) -> None:
        """Hand on what came; a session to take up next time comes with the first of it."""
        super().deliver()
        if self._looks and self.tls is not None:
            self._looks = 0 if self._ask.keep(self._name, self.tls) else self._looks - 1

    def failed(self, why: str) -> None:
        """The handshake came to nothing."""
        if not self.done.done():
            self._ask.fail()
            session = None
            if self.tls is not None:
                session = TlsSession(self.tls, None, b"", self.errors, self.error, done=False, fault=why)
            self.done.set_exception(ConnectFailed("handshake", why, session))


async def connect_tls(
    destination: Destination,
    ask: Asking,
    name: bytes | None,
    factory: Callable[[], S],
    preface: bytes = b"",
    tell: Callable[[Ends], object] | None = None,
) -> tuple[S, TlsSession]:
    """Connect and shake hands; gives the stream that `factory` made, and what is known of its TLS layer.

    Args:
        destination: where to connect to.
        ask: settings and sessions.
        name: the name to ask for, None for none.
        factory: makes the stream.
        preface: sent before the handshake, in plain text (a PROXY header).
        tell: see `hapy.net.connect.connect`; failed handshakes are told of, too.

    Raises:
        ConnectFailed: there is no connection.
    """
    link = await connect(destination, lambda: ClientLink(ask, name, factory, preface), tell)
    try:
        await link.done
    except BaseException:
        if tell is not None:
            tell(ends(link.raw))
        link.done.cancel()
        link.abort()
        raise
    assert link.session is not None
    return cast(S, link.stream), link.session

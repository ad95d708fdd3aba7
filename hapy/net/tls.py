"""TLS between a transport and a stream: a protocol below, a transport above.

Rules:
- The TLS library works on memory only; the event loop's transport underneath carries the records. So a connection holds
  no buffers while it idles, the ClientHello can be read before a certificate is chosen, and a session can be offered.
- The stream above is told of the connection when the handshake is done. A handshake has a deadline of its own.
- `close_notify` is the end of a direction, just as FIN is: ours precedes our FIN, the peer's counts as its FIN.
- Renegotiation is off, so writing never waits for reading.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, cast

from hapy.net.clock import NEVER, Watched, now, unwatch, watch
from hapy.net.connect import ConnectFailed, Destination, connect
from hapy.net.stream import Stream
from hapy.observe.counters import TLS
from hapy.tls import inside, openssl
from hapy.tls.hello import ClientHello, NotTls, frame_hello
from hapy.tls.session import TlsSession

if TYPE_CHECKING:
    from hapy.net.stream import Receiver

S = TypeVar("S", bound=Stream)

#: What stands above and below a link.
Upper: TypeAlias = "Receiver"
Below = asyncio.Transport

#: Plain bytes taken from the TLS library at once; a record holds no more.
_RECORD = 16384
#: Plain bytes handed on at once.
_BATCH = 65536
_UNRECOGNIZED_NAME = b"\x15\x03\x03\x00\x02\x02\x70"


class Link(asyncio.Transport, asyncio.Protocol):
    """One TLS connection, either side.

    Attributes:
        raw: the event loop's transport.
        tls: the TLS library's object, None until the ClientHello has been read.
        session: what is known of the TLS layer, once the handshake is done.
        upper: what the connection is for; None until the handshake is done.
        error: the TLS library's complaint that ended the handshake.
        deadline, looked_at, slot: see `hapy.net.clock.Watched`; for the handshake.
    """

    __slots__ = (
        "_closing",
        "_counted",
        "_ended",
        "_failed",
        "_incoming",
        "_outgoing",
        "_paused",
        "_shut",
        "deadline",
        "error",
        "errors",
        "looked_at",
        "raw",
        "session",
        "slot",
        "tls",
        "upper",
    )

    raw: asyncio.Transport

    def __init__(self) -> None:
        super().__init__()
        self.tls: ssl.SSLObject | None = None
        self.session: TlsSession | None = None
        self.upper: Receiver | None = None
        self.error: ssl.SSLError | None = None
        self.errors: openssl.VerifyErrors | None = None
        self.deadline = NEVER
        self.looked_at = NEVER
        self.slot: set[Watched] | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._paused = False
        self._closing = False
        self._counted = False
        self._ended = False
        self._shut = False
        self._failed = False

    # what the two sides say

    def opened(self) -> None:
        """The connection stands."""

    def established(self) -> Receiver | None:
        """The handshake is done: who takes the connection, None to close it."""
        raise NotImplementedError

    def failed(self, why: str) -> None:
        """The handshake came to nothing: `eof`, `reset`, `timeout`, or the TLS library's reason."""
        raise NotImplementedError

    # the handshake

    def expire_after(self, seconds: float) -> None:
        """Bound the handshake."""
        self.deadline = deadline = now() + seconds
        if deadline < self.looked_at:
            watch(self)

    def on_deadline(self) -> None:
        """The handshake takes too long."""
        self.give_up("timeout")

    def give_up(self, why: str) -> None:
        """End a handshake that came to nothing."""
        if self._failed or self.upper is not None:
            return
        self._failed = True
        self._closing = True
        self._flush()
        self.raw.close()
        self.failed(why)

    def shake(self) -> None:
        """A step of the handshake."""
        tls = self.tls
        assert tls is not None
        if self.errors is not None:
            openssl.go_on_verifying(self.errors)
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return
        except ssl.SSLError as error:
            self.error = error
            self.give_up(error.reason or "tls")
            return
        self._flush()
        self.deadline = NEVER
        unwatch(self)
        TLS.current += 1
        TLS.total += 1
        self._counted = True
        upper = self.established()
        if upper is None:
            self.upper = _NOBODY
            self.close()
            return
        self.upper = upper
        upper.connection_made(self)
        if self._incoming.pending or tls.pending():
            self.deliver()

    def _flush(self) -> None:
        if self._outgoing.pending and not self.raw.is_closing():
            self.raw.write(self._outgoing.read())

    # from below

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Event loop: the connection stands."""
        self.raw = cast(asyncio.Transport, transport)
        self.opened()

    def data_received(self, data: bytes) -> None:
        """Event loop: records."""
        self._incoming.write(data)
        if self.upper is None:
            if not self._failed:
                self.shake()
        elif not self._paused and not self._closing:
            self.deliver()

    def deliver(self) -> None:
        """Hand on what the records at hand hold."""
        tls, incoming, upper = self.tls, self._incoming, self.upper
        assert tls is not None
        assert upper is not None
        while not self._paused and not self._closing and not self._ended:
            pieces: list[bytes] = []
            size = 0
            ended = False
            try:
                while size < _BATCH:
                    piece = tls.read(min(incoming.pending, _RECORD) or _RECORD)  # never more plain bytes than records
                    if not piece:
                        ended = True
                        break
                    pieces.append(piece)
                    size += len(piece)
                    if not incoming.pending and not tls.pending():
                        break
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLZeroReturnError:
                ended = True
            except ssl.SSLError as error:
                if self.session is not None:
                    self.session.error = error
                self._flush()
                self.abort()
                return
            if self._outgoing.pending:
                self._flush()  # an answer to a key update
            if pieces:
                upper.data_received(pieces[0] if len(pieces) == 1 else b"".join(pieces))
            if ended:
                self._end()
                return
            if not incoming.pending and not tls.pending():
                return
            if not pieces:
                return  # a record that is not complete

    def _end(self) -> None:
        """The peer has ended its direction."""
        if not self._ended and self.upper is not None:
            self._ended = True
            if not self._closing and not self.upper.eof_received():
                self.close()

    def eof_received(self) -> bool:
        """Event loop: FIN."""
        if self.upper is None:
            self.give_up("eof")
        elif not self._paused:
            self._end()
        else:
            self._incoming.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Event loop: the connection is gone."""
        self._closing = True
        unwatch(self)
        if self._counted:
            self._counted = False
            TLS.current -= 1
        if self.upper is not None:
            self.upper.connection_lost(exc)
        elif not self._failed:
            self._failed = True
            self.failed("eof" if exc is None else "reset")

    def pause_writing(self) -> None:
        """Event loop: the transport's buffer is above the mark."""
        if self.upper is not None:
            self.upper.pause_writing()

    def resume_writing(self) -> None:
        """Event loop: the transport's buffer is below the mark."""
        if self.upper is not None:
            self.upper.resume_writing()

    # from above

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the transport underneath knows."""
        return self.raw.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Another protocol takes the plain bytes from here on."""
        self.upper = cast("Receiver", protocol)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Marks of the transport underneath."""
        self.raw.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        """Bytes that wait in the transport underneath."""
        return self.raw.get_write_buffer_size()

    def is_closing(self) -> bool:
        """Whether it is closing."""
        return self._closing or self.raw.is_closing()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes."""
        tls = self.tls
        if self._shut or self._closing or not data:
            return
        assert tls is not None
        try:
            sent = tls.write(data)
            if sent < len(data):
                view = memoryview(data)
                while sent < len(data):
                    sent += tls.write(view[sent:])
        except ssl.SSLError:
            self.abort()
            return
        if not self.raw.is_closing():
            self.raw.write(self._outgoing.read())

    def can_write_eof(self) -> bool:
        """TLS can end one direction alone."""
        return True

    def write_eof(self) -> None:
        """`close_notify`, then FIN; reading goes on."""
        if not self._shut and not self._closing:
            self._say_end()
            if not self.raw.is_closing():
                self.raw.write_eof()

    def _say_end(self) -> None:
        self._shut = True
        if self.tls is not None and self.session is not None:
            with contextlib.suppress(ssl.SSLError):  # the peer's own end has not come yet
                self.tls.unwrap()
            self._flush()

    def pause_reading(self) -> None:
        """Take no more from the socket."""
        if not self._paused:
            self._paused = True
            self.raw.pause_reading()

    def resume_reading(self) -> None:
        """Go on reading."""
        if self._paused:
            self._paused = False
            if self._incoming.pending or (self.tls is not None and self.tls.pending()):
                asyncio.get_running_loop().call_soon(self._go_on)
            elif not self.raw.is_closing():
                self.raw.resume_reading()

    def _go_on(self) -> None:
        if self._paused or self._closing:
            return
        self.deliver()
        if not self._paused and not self.raw.is_closing():
            self.raw.resume_reading()

    def close(self) -> None:
        """Send what is buffered and `close_notify`, then close."""
        if not self._closing:
            if not self._shut:
                self._say_end()
            self._closing = True
            self.raw.close()

    def abort(self) -> None:
        """Close at once; what is buffered is lost."""
        self._closing = True
        self.raw.abort()


_NOBODY = asyncio.Protocol()


class Meeting(Protocol):
    """Who receives a client, as `hapy.proxy.greeting.Greeting` does."""

    def choose(self, hello: ClientHello) -> tuple[ssl.SSLContext, bytes, bool] | None:
        """The context for this client, our certificate, and whether verification errors are noted; None: nothing."""

    def context(self) -> ssl.SSLContext | None:
        """The context of a client that hasn't come to choosing one, None without any."""

    def begin(self, session: TlsSession) -> Receiver | None:
        """The handshake is done."""

    def fail(self, why: str, *, silent: bool) -> None:
        """It came to nothing; `silent` when not a byte had come."""


class ServerLink(Link):
    """Our side is the server: the ClientHello decides on the certificate."""

    __slots__ = ("_early", "_own", "hello", "meeting")

    def __init__(self, meeting: Meeting) -> None:
        super().__init__()
        self.meeting = meeting
        self.hello: ClientHello | None = None
        self._early = b""
        self._own = b""

    def data_received(self, data: bytes) -> None:
        """Event loop: records."""
        if self.hello is None and not self._failed:
            self._read_hello(self._early + data if self._early else data)
        else:
            super().data_received(data)

    def _read_hello(self, early: bytes) -> None:
        try:
            hello = frame_hello(early)
            if hello is None:
                self._early = early
                return
            chosen = self.meeting.choose(hello)
        except NotTls:
            self._early = early
            self._ask_library()
            self.give_up("no TLS")
            return
        self.hello = hello
        self._early = b""
        if chosen is None:
            self.error = inside.refusal("CALLBACK_FAILED")
            self._outgoing.write(_UNRECOGNIZED_NAME)
            self.give_up("unrecognized name")
            return
        context, self._own, watched = chosen
        if watched:
            self.errors = openssl.begin_verification()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        super().data_received(early)

    def established(self) -> Receiver | None:
        """The handshake is done."""
        assert self.tls is not None
        self.session = TlsSession(self.tls, self.hello, self._own, self.errors)
        return self.meeting.begin(self.session)

    def failed(self, why: str) -> None:
        """The handshake came to nothing."""
        if self.tls is None:
            self._ask_library()
        if self.tls is not None:
            hello = self.hello if self.hello is not None and self.hello.sound else None
            self.session = TlsSession(self.tls, hello, self._own, self.errors, self.error, done=False)
        self.meeting.fail(why, silent=self.hello is None and not self._early)

    def _ask_library(self) -> None:
        """Learn what the library says against bytes that are no ClientHello; its alert is for the client."""
        context = self.meeting.context()
        if context is None:
            return
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        if self._early:
            self._incoming.write(self._early)
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self._outgoing.read()  # no answer for those who are turned away
            except ssl.SSLError as error:
                self.error = error


class Asking(Protocol):
    """How to speak to a server, as `hapy.tls.outgoing.Outgoing` knows it."""

    def begin(self, name: bytes | None, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, /) -> ssl.SSLObject:
        """Start a handshake."""

    def accept(self, name: bytes | None, tls: ssl.SSLObject, /) -> str:
        """Look at the server's certificate; gives what is wrong, or an empty string."""

    def fail(self) -> None:
        """It came to nothing."""

    def keep(self, name: bytes | None, tls: ssl.SSLObject, /) -> bool:
        """Keep the session for the next connection; False while it can't be had."""


#: How often a connection is asked for its session: with TLS 1.3 it comes with the first bytes, if ever.
_LOOKS = 3


class ClientLink(Link):
    """Our side is the client.

    Attributes:
        done: set when the handshake has succeeded, or failed by ConnectFailed.
    """

    __slots__ = ("_ask", "_looks", "_make", "_name", "_preface", "done", "stream")

    def __init__(self, ask: Asking, name: bytes | None, make: Callable[[], Stream], preface: bytes = b"") -> None:
        super().__init__()
        self._ask = ask
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
        self.tls = self._ask.begin(self._name, self._incoming, self._outgoing)
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
) -> tuple[S, TlsSession]:
    """Connect and shake hands; gives the stream that `factory` made, and what is known of its TLS layer.

    Args:
        destination: where to connect to.
        ask: settings and sessions.
        name: the name to ask for, None for none.
        factory: makes the stream.
        preface: sent before the handshake, in plain text (a PROXY header).

    Raises:
        ConnectFailed: there is no connection.
    """
    link = await connect(destination, lambda: ClientLink(ask, name, factory, preface))
    try:
        await link.done
    except BaseException:
        link.done.cancel()
        link.abort()
        raise
    assert link.session is not None
    return cast(S, link.stream), link.session

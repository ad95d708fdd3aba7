"""TLS between a transport and a stream: a protocol below, a transport above.

Rules:
- The TLS library works on memory only; the event loop's transport underneath carries the records. So the ClientHello
  can be read before a certificate is chosen, and a session can be offered.
- The library's memory grows to the most that was ever in it and stays so: it is given no more than a record or two at
  once, however much is at hand.
- The stream above is told of the connection when the handshake is done. A handshake has a deadline of its own.
- `close_notify` is the end of a direction, just as FIN is: ours precedes our FIN, the peer's counts as its FIN.
- Renegotiation is off, so writing never waits for reading.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, Final, TypeAlias, cast

from mypy_extensions import mypyc_attr

from hapy.net.clock import NEVER, Watched, now, unwatch, watch
from hapy.net.records import LARGEST, RecordSizes, Sizer
from hapy.net.stream import Receiver, Stream, cork
from hapy.observe.counters import TLS
from hapy.tls import inside, openssl
from hapy.tls.session import TlsSession

#: What stands above and below a link.
Upper: TypeAlias = Receiver
Below = asyncio.Transport

#: Plain bytes handed on at once.
_BATCH: Final = 65536
#: Bytes of records that the TLS library is given at once.
_STEP: Final = 32768


@mypyc_attr(allow_interpreted_subclasses=True)
class Link:
    """One TLS connection, either side: a `Receiver` for the transport below, an `asyncio.Transport` for the one above.

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
        "_finned",
        "_held",
        "_incoming",
        "_inner",
        "_most",
        "_outgoing",
        "_paused",
        "_place",
        "_rest",
        "_shut",
        "_sizer",
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
        self.tls: ssl.SSLObject | None = None
        self.session: TlsSession | None = None
        self.upper: Receiver | None = None
        self.error: ssl.SSLError | None = None
        self.errors: openssl.VerifyErrors | None = None
        self.deadline = NEVER
        self.looked_at = NEVER
        self.slot: set[Watched] | None = None
        self._inner: Any = None  # what the library's object wraps, without its detours
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._rest = b""  # of what has come, from `_place` on
        self._place = 0
        self._paused = False
        self._closing = False
        self._counted = False
        self._ended = False
        self._shut = False
        self._failed = False
        self._finned = False  # FIN has come, and what came before it was not handed on yet
        self._held = False
        self._most = LARGEST  # plain bytes that go out as one record, whatever went before
        self._sizer: Sizer | None = None

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

    def begin(self, tls: ssl.SSLObject) -> None:
        """The TLS library has its object."""
        self.tls = tls
        self._inner = tls._sslobj  # type: ignore[attr-defined]

    def limit_records(self, sizes: RecordSizes) -> None:
        """Its records have sizes of their own."""
        self._sizer = Sizer(sizes)
        self._most = 0

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
        if self.errors is not None:
            openssl.go_on_verifying(self.errors)
        while True:
            try:
                self._inner.do_handshake()
                break
            except ssl.SSLWantReadError:
                if not self._feed():
                    self._flush()
                    return
            except ssl.SSLError as error:
                self.error = error
                self.give_up(inside.reason(error) or "tls")
                return
        if not self._incoming.pending or self._inner.version() != "TLSv1.3":
            self._flush()  # else the peer speaks already: all that is left are tickets, which go with our answer
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
        if isinstance(upper, Stream):
            upper.layer = self
        upper.connection_made(cast(asyncio.Transport, self))
        if self._unread():
            self.deliver()

    def _unread(self) -> bool:
        """Whether anything that has come was not handed on yet."""
        return bool(
            self._rest or self._finned or self._incoming.pending or (self.tls is not None and self._inner.pending())
        )

    def _feed(self) -> bool:
        """Give the TLS library more of what has come; whether there was more."""
        rest = self._rest
        if not rest:
            return False
        place = self._place
        following = place + _STEP
        if following < len(rest):
            self._incoming.write(memoryview(rest)[place:following])
            self._place = following
        else:
            self._incoming.write(memoryview(rest)[place:])
            self._rest = b""
            self._place = 0
        return True

    def _flush(self) -> None:
        self._held = False
        if self._outgoing.pending and not self.raw.is_closing():
            self.raw.write(self._outgoing.read())

    # from below

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Event loop: the connection stands."""
        self.raw = cast(asyncio.Transport, transport)
        self.opened()

    def data_received(self, data: bytes) -> None:
        """Event loop: records."""
        if len(data) <= _STEP and not self._rest:
            self._incoming.write(data)
        else:
            self._rest = self._rest[self._place :] + data if self._rest else data
            self._place = 0
            if not self._incoming.pending:
                self._feed()
        if self.upper is None:
            if not self._failed:
                self.shake()
        elif not self._paused and not self._closing:
            self.deliver()

    def deliver(self) -> None:
        """Hand on what the records at hand hold."""
        tls, incoming, upper = self._inner, self._incoming, self.upper
        assert upper is not None
        unsaid = self._outgoing.pending
        while not self._paused and not self._closing and not self._ended:
            pieces: list[bytes] = []
            size = 0
            ended = False
            while size < _BATCH:
                try:
                    piece: bytes = tls.read(min(incoming.pending, LARGEST) or LARGEST)  # never more than records hold
                except ssl.SSLWantReadError:
                    if self._feed():
                        continue
                    break
                except ssl.SSLZeroReturnError:
                    ended = True
                    break
                except ssl.SSLError as error:
                    if pieces:  # what came before counts
                        upper.data_received(b"".join(pieces))
                    self._break_off(error)
                    return
                if not piece:
                    ended = True
                    break
                pieces.append(piece)
                size += len(piece)
                if not incoming.pending and not tls.pending() and not self._feed():
                    break
            if self._outgoing.pending > unsaid:
                self._flush()  # an answer to a key update
                unsaid = 0
            if pieces:
                if self._sizer is not None and self._sizer.by_message:
                    self._sizer.begin()
                upper.data_received(pieces[0] if len(pieces) == 1 else b"".join(pieces))
            if ended:
                self._end()
                return
            if not pieces or not self._unread():  # all is handed on, or a record is not complete
                if self._finned and not self._paused:
                    self._end()
                return

    def _break_off(self, error: ssl.SSLError) -> None:
        """What has come is not TLS, or was tampered with: say so, and end as if the connection had been reset."""
        if self.session is not None:
            self.session.error = error
        self._closing = True
        asyncio.get_running_loop().call_soon(self._lose, error)
        if self.raw.get_write_buffer_size():
            self.raw.abort()  # the alert would have to wait for what the peer takes
        else:
            self._flush()
            self.raw.close()

    def _lose(self, error: ssl.SSLError) -> None:
        upper = self.upper
        if upper is not None:
            self.upper = _NOBODY
            upper.connection_lost(error)

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
            self._finned = True
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Event loop: the connection is gone."""
        self._closing = True
        unwatch(self)
        if self._counted:
            self._counted = False
            TLS.ended()
        upper = self.upper
        if upper is not None:
            self.upper = _NOBODY  # no cycle is left of them: both go at once
            upper.connection_lost(exc)
        elif not self._failed:
            self._failed = True
            self.failed("eof" if exc is None else "reset")

    def pause_writing(self) -> None:
        """Event loop: the transport's buffer is above the mark."""
        if self.upper is not None:
            self.upper.pause_writing()

    def resume_writing(self) -> None:
        """Event loop: the transport's buffer is below the mark."""
        if self._sizer is not None:
            self._sizer.moment = now()  # it was the peer that took its time
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
        if self._shut or self._closing or not data:
            return
        if len(data) > self._most:
            self._write_long(data)
            return
        try:
            self._inner.write(data)
        except ssl.SSLError:
            self.abort()
            return
        if not self._held and not self.raw.is_closing():
            self.raw.write(self._outgoing.read())

    def _write_long(self, data: bytes | bytearray | memoryview) -> None:
        """Send more than a record holds: one after the other through the library, all at once through the socket."""
        write, read = self._inner.write, self._outgoing.read
        view = memoryview(data)
        length = len(view)
        sizes = None if self._sizer is None else self._sizer.cut(length, now())
        records: list[bytes] = []
        place = index = 0
        try:
            while place < length:
                following = place + (LARGEST if sizes is None else sizes[index])
                write(view[place:following])
                records.append(read())
                place = following
                index += 1
        except ssl.SSLError:
            self.abort()
            return
        self._held = False
        if not self.raw.is_closing():
            self.raw.writelines(records)

    def hold(self) -> None:
        """Let what is written from now on leave together with `close_notify`, or with the next turn of the loop."""
        if not self._held:
            self._held = True
            asyncio.get_running_loop().call_soon(self._let_go)

    def _let_go(self) -> None:
        if self._held:
            self._flush()

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
        if self.session is not None:
            try:  # noqa: SIM105 - it is not compiled
                self._inner.shutdown()
            except ssl.SSLError:
                pass  # the peer's own end has not come yet
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
            if self._unread():
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
                cork(self.raw)
                self._say_end()
            self._closing = True
            self.raw.close()

    def abort(self) -> None:
        """Close at once; what is buffered is lost, but for the alert of a connection that was broken off."""
        self._closing = True
        if self.upper is not _NOBODY:
            self.raw.abort()


_NOBODY: Final = asyncio.Protocol()

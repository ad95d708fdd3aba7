"""A TLS connection between a transport and a stream, both of them played here."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

import pytest
import trustme

from hapy.net.stream import Stream
from hapy.net.tls_server import ServerLink
from hapy.tls.hello import ClientHello
from hapy.tls.session import TlsSession

BODY = bytes(range(256)) * 4000


class Below:
    """A transport that keeps what is written, one entry a write."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False
        self.ended = False
        self.reading = True
        self.reset = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def writelines(self, pieces: list[bytes]) -> None:
        self.written.append(b"".join(pieces))
        self.longest = max(map(len, pieces))

    def set_write_buffer_limits(self, high: int, low: int) -> None:
        pass

    def get_extra_info(self, name: str, default: object = None) -> object:
        return default

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.reset = True


class Above(Stream):
    """A stream that keeps what comes, and may pause after each piece."""

    def __init__(self, *, pausing: bool = False) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.ended = False
        self.lost = False
        self.pausing = pausing

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)
        if self.pausing:
            self.pause()

    def on_eof(self) -> None:
        self.ended = True

    def on_lost(self, error: Exception | None) -> None:
        self.lost = True


class Served(ServerLink):
    """The server's side."""

    def __init__(self, context: ssl.SSLContext, above: Above) -> None:
        super().__init__()
        self._context = context
        self.above = above
        self.why = ""

    def choose(self, hello: ClientHello) -> tuple[ssl.SSLContext, bytes, bool] | None:
        return self._context, b"", False

    def context(self) -> ssl.SSLContext | None:
        return self._context

    def greeted(self, session: TlsSession) -> Above:
        return self.above

    def fail(self, why: str, *, silent: bool) -> None:
        self.why = why


class Pair:
    """A client of Python's `ssl`, a link, and the transport between."""

    def __init__(self, *, pausing: bool = False, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> None:
        authority = trustme.CA()
        ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("a.test").configure_cert(ours)
        theirs = ssl.create_default_context()
        theirs.maximum_version = version
        authority.configure_trust(theirs)
        self.above = Above(pausing=pausing)
        self.below = Below()
        self.link = Served(ours, self.above)
        self.link.connection_made(self.below)  # type: ignore[arg-type]
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = theirs.wrap_bio(self._in, self._out, server_hostname="a.test")

    def shake(self, *, early: bytes = b"") -> None:
        """Shake hands; the client's last words of it come with `early` in one piece."""
        for _ in range(2):
            try:
                self.client.do_handshake()
            except ssl.SSLWantReadError:
                self.link.data_received(self._out.read())
                self._in.write(self.taken())
        self.client.do_handshake()
        self.link.data_received(self._out.read() + (self.sealed(early) if early else b""))

    def taken(self) -> bytes:
        """What was written since the last time."""
        written = b"".join(self.below.written)
        self.below.written.clear()
        return written

    def sealed(self, data: bytes) -> bytes:
        """The client's records of some bytes."""
        for place in range(0, len(data), 16384):
            self.client.write(data[place : place + 16384])
        return self._out.read()

    def ended(self) -> bytes:
        """The client's `close_notify`."""
        with pytest.raises(ssl.SSLWantReadError):
            self.client.unwrap()
        return self._out.read()

    def read(self) -> tuple[bytes, bool]:
        """What the client has got, and whether that was all."""
        self._in.write(self.taken())
        got = b""
        while True:
            try:
                piece = self.client.read(65536)
            except ssl.SSLWantReadError:
                return got, False
            except ssl.SSLZeroReturnError:
                return got, True
            if not piece:
                return got, True
            got += piece


def run(act: Callable[[], object]) -> None:
    """Let something happen within an event loop, and what it leaves for the next turn."""

    async def main() -> None:
        act()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(main())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=str)
def test_long_writes_pass_the_library_record_by_record(version: ssl.TLSVersion) -> None:
    def act() -> None:
        pair = Pair(version=version)
        pair.shake()
        pair.read()
        pair.link.write(BODY)
        assert len(pair.below.written) == 1
        assert pair.below.longest < 17000
        assert pair.read() == (BODY, False)

    run(act)


@pytest.mark.parametrize("early", [False, True], ids=["later", "with the handshake"])
@pytest.mark.parametrize("size", [1000, 32768, 65536, 300001])
def test_long_reads_arrive_whole(*, early: bool, size: int) -> None:
    def act() -> None:
        pair = Pair()
        pair.shake(early=BODY if early else b"")
        if not early:
            records = pair.sealed(BODY)
            for place in range(0, len(records), size):
                pair.link.data_received(records[place : place + size])
        assert b"".join(pair.above.pieces) == BODY
        pair.link.data_received(pair.ended())
        assert pair.above.ended

    run(act)


@pytest.mark.parametrize("fin", [b"", b"notify"], ids=["FIN alone", "close_notify"])
def test_what_came_before_the_end_outlives_pauses(fin: bytes) -> None:
    async def main() -> None:
        pair = Pair(pausing=True)
        pair.shake()
        pair.link.data_received(pair.sealed(BODY))
        assert len(pair.above.pieces) == 1
        assert not pair.below.reading
        if fin:
            pair.link.data_received(pair.ended())
        pair.link.eof_received()
        while not pair.above.ended:
            pair.above.resume()
            await asyncio.sleep(0)
        assert b"".join(pair.above.pieces) == BODY
        assert not pair.below.reset

    asyncio.run(main())


def test_the_last_words_leave_with_close_notify() -> None:
    def act() -> None:
        pair = Pair()
        pair.shake()
        pair.read()
        layer = pair.above.layer
        assert layer is not None
        layer.hold()
        pair.link.write(b"last")
        assert pair.below.written == []
        pair.link.close()
        assert len(pair.below.written) == 1
        assert pair.below.closed
        assert pair.read() == (b"last", True)

    run(act)


def test_held_words_leave_with_the_next_turn() -> None:
    pair = Pair()

    def act() -> None:
        pair.shake()
        pair.read()
        pair.link.hold()
        pair.link.write(b"not the last")
        assert pair.below.written == []

    run(act)
    assert pair.read() == (b"not the last", False)
    pair.link.write(b"more")
    assert pair.read() == (b"more", False)


def test_close_notify_instead_of_a_handshake_is_a_failure() -> None:
    def act() -> None:
        pair = Pair()
        with pytest.raises(ssl.SSLWantReadError):
            pair.client.do_handshake()
        pair.link.data_received(pair._out.read())
        pair.link.data_received(b"\x15\x03\x03\x00\x02\x01\x00")
        assert pair.link.why
        assert pair.below.closed

    run(act)


def test_a_lost_connection_lets_go_of_its_stream() -> None:
    def act() -> None:
        pair = Pair()
        pair.shake()
        pair.link.connection_lost(None)
        assert pair.above.lost
        assert pair.link.upper is not pair.above

    run(act)


def test_tickets_leave_with_the_answer_to_who_speaks_already() -> None:
    def act() -> None:
        pair = Pair()
        pair.shake(early=b"request")
        assert pair.above.pieces == [b"request"]
        assert pair.below.written == []
        pair.link.write(b"answer")
        assert pair.read() == (b"answer", False)
        assert pair.client.session is not None
        assert pair.client.session.has_ticket

    run(act)


def test_tickets_leave_at_once_for_who_is_silent() -> None:
    def act() -> None:
        pair = Pair()
        pair.shake()
        assert len(pair.below.written) == 1

    run(act)

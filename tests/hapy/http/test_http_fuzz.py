"""Generated, mutated and cut messages: nothing but BadMessage escapes, cutting changes nothing, codecs agree."""

from __future__ import annotations

from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from hapy.http.codec import BadMessage, Limits, Parser, request_parser, response_parser
from hapy.http.errors import parse_errorfile
from hapy.http.message import TUNNEL, UNTIL_CLOSE, Request, Response
from hapy.http.serialize import chunk, last_chunk, request_head, response_head
from tests.hapy.http.http_referee import CODECS, Sink

# Sound parts, and the oddities that a wild message may hold.
END = b"\r\n"
ODD_ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\n", b"\r", b"\r\r\n", b"\r\n "])
ODD_BLANKS = st.sampled_from([b" ", b" ", b"  ", b"\t", b""])
COLONS = st.sampled_from([b": ", b":", b":  ", b":\t"])
ODD_COLONS = st.sampled_from([b": ", b" :", b""])
FIELDS = st.sampled_from(
    [
        (b"Connection", b"close"), (b"connection", b"keep-alive"), (b"Connection", b"Keep-Alive, foo"), (b"Connection", b"Upgrade"),
        (b"Upgrade", b"h2c"), (b"Upgrade", b"websocket"), (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
        (b"Sec-WebSocket-Accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), (b"TE", b"trailers"), (b"TE", b"gzip, trailers"),
        (b"Expect", b"100-continue"), (b"Keep-Alive", b"timeout=5"), (b"Accept", b"*/*"), (b"X-Y_z", b""), (b"X", b" a\tb "),
        (b"Cookie", b"a=b; c=d"), (b"X-Obs", b"\xe9"), (b"Proxy-Connection", b"close"), (b"Content-Type", b"a/b"),
    ],
)  # fmt: skip
ODD_FIELDS = st.tuples(
    st.sampled_from(
        [b"Host", b"Content-Length", b"content-length", b"Transfer-Encoding", b"Connection", b"Upgrade", b"X(", b"", b"X ", b"\xe9"],
    ),
    st.one_of(
        st.sampled_from(
            [b"a", b"a:80", b"3", b"0", b"3, 3", b"03", b"4", b"-1", b"chunked", b"Chunked", b"gzip, chunked", b"websocket", b"",
             b"a\0b", b"99999999999999999999"],
        ),
        st.binary(max_size=8),
    ),
)  # fmt: skip
TARGETS = st.sampled_from(
    [
        (b"/", b"a"),
        (b"/a?b=c", b"a"),
        (b"*", b"a"),
        (b"http://a/x", b"a"),
        (b"http://a:80/", b"a"),
        (b"https://b:443", b"b:443"),
    ]
)
ODD_TARGETS = st.tuples(
    st.sampled_from([b"a:443", b"a", b"//x", b"/\xe9", b"/#", b"", b"http://u@a:8080/", b"http://b", b"/ x"]),
    st.sampled_from([b"a", b"b", b"a:443", b""]),
)
METHODS = st.sampled_from([b"GET", b"POST", b"HEAD", b"OPTIONS", b"PUT", b"PROPFIND"])
ODD_METHODS = st.sampled_from([b"CONNECT", b"get", b"G(T", b""])
VERSIONS = st.sampled_from([b"HTTP/1.1"] * 6 + [b"HTTP/1.0"])
ODD_VERSIONS = st.sampled_from([b"HTTP/0.9", b"HTTP/2.0", b"HTTP/1", b"http/1.1", b""])
STATUSES = st.sampled_from([b"200", b"204", b"304", b"404", b"599", b"100", b"103"])
ODD_STATUSES = st.sampled_from([b"101", b"099", b"20", b"2000", b"2x0"])
REASONS = st.sampled_from([b" OK", b" Not Found", b" "])
ODD_REASONS = st.sampled_from([b"", b"  x y ", b" \xe9", b" a\0b"])
ODD_SIZES = st.sampled_from([b"0", b"1", b"3", b"03", b"3 ", b"ffffffffffffff", b"g", b""])


class Maker:
    """Draws the parts of a message; a wild one takes an oddity now and then."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.wild = draw(st.booleans())

    def pick(self, sound: st.SearchStrategy, odd: st.SearchStrategy):
        if self.wild and self.draw(st.integers(0, 7)) == 0:
            return self.draw(odd)
        return self.draw(sound)

    def end(self) -> bytes:
        return self.pick(st.just(END), ODD_ENDS)

    def blank(self) -> bytes:
        return self.pick(st.just(b" "), ODD_BLANKS)

    def fields(self, most: int) -> bytes:
        lines = []
        for _ in range(self.draw(st.integers(0, most))):
            name, value = self.pick(FIELDS, ODD_FIELDS)
            lines.append(name + self.pick(COLONS, ODD_COLONS) + value + self.end())
        return b"".join(lines)

    def body(self) -> tuple[bytes, bytes]:
        """The fields that frame it, and its bytes."""
        data = self.draw(st.lists(st.binary(min_size=1, max_size=20), max_size=3))
        match self.draw(st.integers(0, 3)):
            case 0:
                return b"", b""
            case 1:
                whole = b"".join(data)
                return b"Content-Length: %d" % len(whole) + self.end(), whole
            case _:
                parts = []
                for part in data:
                    extension = self.draw(st.sampled_from([b"", b"", b";a=b", b" "]))
                    size = self.pick(st.just(b"%x" % len(part)), ODD_SIZES)
                    parts.append(size + extension + self.end() + part + self.end())
                last = b"0" + self.end() + self.fields(2) + self.end()
                return b"Transfer-Encoding: chunked" + self.end(), b"".join(parts) + last


@st.composite
def whole_requests(draw: st.DrawFn) -> bytes:
    make = Maker(draw)
    target, host = make.pick(TARGETS, ODD_TARGETS)
    line = make.pick(METHODS, ODD_METHODS) + make.blank() + target + make.blank() + make.pick(VERSIONS, ODD_VERSIONS)
    front = make.pick(st.sampled_from([b"", b"", b"\r\n"]), st.sampled_from([b"\n", b"\r", b" "]))
    framing, body = make.body()
    head = line + make.end() + b"Host: " + host + make.end() + make.fields(3) + framing + make.fields(2)
    return front + head + make.end() + body


@st.composite
def whole_responses(draw: st.DrawFn) -> bytes:
    make = Maker(draw)
    line = (
        make.pick(VERSIONS, ODD_VERSIONS)
        + make.blank()
        + make.pick(STATUSES, ODD_STATUSES)
        + make.pick(REASONS, ODD_REASONS)
    )
    framing, body = make.body()
    first = line + make.end() + make.fields(3) + framing + make.fields(2) + make.end() + body
    if draw(st.integers(0, 3)) == 0:
        first = b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + first
    return first


@st.composite
def mutated(draw: st.DrawFn, messages: st.SearchStrategy[bytes]) -> bytes:
    raw = bytearray(draw(messages))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        at = draw(st.integers(0, len(raw)))
        match draw(st.integers(0, 2)):
            case 0:
                raw[at : at + draw(st.integers(0, 3))] = b""
            case 1:
                raw[at:at] = draw(st.binary(min_size=1, max_size=3))
            case _:
                raw[at : at + 1] = draw(st.sampled_from([b"\r", b"\n", b":", b" ", b"0", b"\0"]))
    return bytes(raw)


@st.composite
def cut(draw: st.DrawFn, messages: st.SearchStrategy[bytes]) -> tuple[bytes, list[bytes]]:
    raw = draw(messages)
    places = sorted(draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    return raw, [raw[a:b] for a, b in zip([0, *places], [*places, len(raw)], strict=True)]


REQUESTS = mutated(whole_requests())
RESPONSES = mutated(whole_responses())
LENIENT = st.booleans()


def drive(parser: Parser, sink: Sink, pieces: list[bytes], eof: bool = False) -> tuple[str, object]:
    """All messages of the pieces, and how it ended."""
    seen = 0
    try:
        for piece in pieces:
            if piece:
                parser.feed(piece)
            while sink.ends > seen:
                seen = sink.ends
                head = sink.heads[-1]
                if head.body != TUNNEL:
                    parser.resume()
        if eof:
            parser.feed_eof()
    except BadMessage as error:
        return "bad", error.status
    return "fine", parser.pending


def requests_of(codec: str, pieces: list[bytes], lenient: bool = False) -> tuple[Sink, tuple[str, object]]:
    sink = Sink()
    return sink, drive(request_parser(Limits(accept_invalid=lenient), sink, codec), sink, pieces)


def responses_of(
    codec: str, pieces: list[bytes], method: bytes, lenient: bool = False
) -> tuple[Sink, tuple[str, object]]:
    sink = Sink()
    parser = response_parser(Limits(accept_invalid=lenient), sink, codec)
    parser.expect(method)
    return sink, drive(parser, sink, pieces, eof=True)


def same_but_for_cutting(whole: tuple[Sink, tuple[str, object]], pieces: tuple[Sink, tuple[str, object]]) -> None:
    assert whole[1] == pieces[1]
    told, told_in_pieces = whole[0].events, pieces[0].events
    if whole[1][0] == "bad":
        # Data in front of the fault is told only when it came in an earlier piece.
        assert told == told_in_pieces[: len(told)]
        assert len(whole[0].heads) == len(pieces[0].heads)
    else:
        assert told == told_in_pieces


@settings(max_examples=300, deadline=None)
@given(cut(REQUESTS), LENIENT)
def test_cutting_requests_changes_nothing(message: tuple[bytes, list[bytes]], lenient: bool) -> None:
    raw, pieces = message
    same_but_for_cutting(requests_of("exact", [raw], lenient), requests_of("exact", pieces, lenient))


@settings(max_examples=300, deadline=None)
@given(cut(RESPONSES), st.sampled_from([b"GET", b"HEAD", b"CONNECT"]), LENIENT)
def test_cutting_responses_changes_nothing(message: tuple[bytes, list[bytes]], method: bytes, lenient: bool) -> None:
    raw, pieces = message
    same_but_for_cutting(responses_of("exact", [raw], method, lenient), responses_of("exact", pieces, method, lenient))


@settings(max_examples=200, deadline=None)
@given(cut(REQUESTS))
def test_codecs_agree_on_what_they_take(message: tuple[bytes, list[bytes]]) -> None:
    raw, pieces = message
    taken = []
    for codec in CODECS:
        sink, (how, left) = requests_of(codec, pieces)
        if how == "fine" and not left:
            taken.append(plain(sink, raw))
    assert all(other == taken[0] for other in taken)


@settings(max_examples=200, deadline=None)
@given(cut(RESPONSES), st.sampled_from([b"GET", b"HEAD"]))
def test_codecs_agree_on_what_responses_they_take(message: tuple[bytes, list[bytes]], method: bytes) -> None:
    raw, pieces = message
    taken = []
    for codec in CODECS:
        sink, (how, left) = responses_of(codec, pieces, method)
        if how == "fine" and not left:
            taken.append(plain(sink, raw))
    assert all(other == taken[0] for other in taken)


def plain(sink: Sink, raw: bytes) -> list[object]:
    """The events, without what h11 rewrites: transfer codings' case, blanks of continued lines in trailers."""
    folded = b"\n " in raw or b"\n\t" in raw

    def value(name: bytes, text: bytes) -> bytes:
        if name == b"transfer-encoding":
            text = text.lower()
        return b" ".join(text.split()) if folded else text

    def fields(part: object) -> object:
        if not isinstance(part, tuple):
            return part
        return tuple((item[0], value(*item)) if isinstance(item, tuple) else item for item in part)

    return [
        (kind, tuple(fields(part) for part in cast("tuple[object, ...]", what)) if kind != "data" else what)
        if kind != "end"
        else (kind, fields(what))
        for kind, what in sink.events
    ]


@settings(max_examples=300, deadline=None)
@given(REQUESTS, st.binary(min_size=1, max_size=10))
def test_nothing_behind_a_message_is_read(raw: bytes, behind: bytes) -> None:
    first = Sink()
    parser = request_parser(Limits(), first)
    try:
        parser.feed(raw)
    except BadMessage:
        return
    if not first.ends:
        return
    message = raw[: len(raw) - len(parser.pending)]
    second = Sink()
    parser = request_parser(Limits(), second)
    parser.feed(message + behind)
    assert second.events == first.events
    assert parser.pending == behind


@settings(max_examples=300, deadline=None)
@given(REQUESTS)
def test_what_goes_on_is_read_the_same_again(raw: bytes) -> None:
    """The next hop sees one message with the same fields and the same body: nothing can be smuggled through."""
    sink = Sink()
    parser = request_parser(Limits(), sink)
    try:
        parser.feed(raw)
    except BadMessage:
        return
    if not sink.ends:
        return
    head = cast("Request", sink.heads[0])
    wire = request_head(head, close=False)
    wire += (chunk(sink.data) if sink.data else b"") + last_chunk(sink.trailers) if head.body == -1 else sink.data
    again = Sink()
    parser = request_parser(Limits(), again)
    parser.feed(wire)
    assert parser.pending == b""
    assert again.ends == 1
    repeated = cast("Request", again.heads[0])
    assert (repeated.method, repeated.target, repeated.body) == (head.method, head.target, head.body)
    assert repeated.headers == head.headers
    assert (again.data, again.trailers) == (sink.data, sink.trailers)


LENGTHS = (b"content-length", b"transfer-encoding")


@settings(max_examples=300, deadline=None)
@given(RESPONSES, st.sampled_from([b"GET", b"HEAD"]))
def test_what_comes_back_is_read_the_same_again(raw: bytes, method: bytes) -> None:
    sink, (how, _) = responses_of("exact", [raw], method)
    if how == "bad" or not sink.heads:
        return
    head = cast("Response", sink.heads[0])
    data = next((what for kind, what in sink.events if kind == "data"), b"")
    trailers = next((list(what) for kind, what in sink.events if kind == "end"), [])
    close = head.body == UNTIL_CLOSE
    wire = response_head(head, 11, close=close)
    wire += (chunk(data) if data else b"") + last_chunk(trailers) if head.body == -1 else data
    again, (how, _) = responses_of("exact", [wire], method)
    assert how == "fine"
    repeated = cast("Response", again.heads[0])
    assert (repeated.status, repeated.reason, repeated.body) == (head.status, head.reason, head.body)
    bodiless = head.status < 200 or head.status == 204
    assert repeated.headers == [field for field in head.headers if not (bodiless and field[0] in LENGTHS)]
    assert next((what for kind, what in again.events if kind == "data"), b"") == data


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=6), LENIENT)
def test_any_bytes(pieces: list[bytes], lenient: bool) -> None:
    for codec in CODECS:
        requests_of(codec, pieces, lenient)
        responses_of(codec, [b"HTTP/1.1 200 OK\r\n", *pieces], b"GET", lenient)


@settings(max_examples=200, deadline=None)
@given(RESPONSES)
def test_any_errorfile(raw: bytes) -> None:
    try:
        page = parse_errorfile(raw)
    except ValueError:
        return
    assert (page is None) == (raw == b"")

"""All implementations of the codec: what they share, and that they agree on the referee's table."""

from __future__ import annotations

from typing import cast

import pytest

from hapy.http.codec import BadMessage, Limits, Parser, RequestParser, request_parser, response_parser
from hapy.http.message import CHUNKED, TUNNEL, UNTIL_CLOSE, Request, Response
from tests.hapy.http.http_cases import REQUESTS, RESPONSES
from tests.hapy.http.http_referee import CODECS, Sink, describe

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"
CHUNKED_POST = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

each_codec = pytest.mark.parametrize("codec", CODECS)


def requests(codec: str, limits: Limits | None = None) -> tuple[Sink, RequestParser]:
    sink = Sink()
    return sink, request_parser(limits or Limits(), sink, codec)


def outcome(sink: Sink, parser: Parser, raw: bytes, eof: bool = False) -> tuple[list[object], bytes] | None:
    """The events and what is left over; None where the message was refused or is not complete."""
    try:
        parser.feed(raw)
        if eof:
            parser.feed_eof()
    except BadMessage:
        return None
    events = [("head", canonical(event[1])) if event[0] == "head" else event for event in sink.events]
    return (events, parser.pending) if sink.ends else None


def canonical(head: object) -> object:
    """A head without what h11 rewrites: the case of the transfer coding."""
    return tuple(
        tuple((name, value.lower() if name == b"transfer-encoding" else value) for name, value in part)
        if isinstance(part, tuple)
        else part
        for part in cast("tuple[object, ...]", head)
    )


@pytest.mark.parametrize("strict", CODECS[1:])
@pytest.mark.parametrize("name", [name for name in REQUESTS if name != "trailers fold"])
def test_codecs_agree_on_requests(name: str, strict: str) -> None:
    exact = outcome(*requests("exact"), REQUESTS[name])
    other = outcome(*requests(strict), REQUESTS[name])
    assert exact is None or other is None or exact == other


@pytest.mark.parametrize("strict", CODECS[1:])
@pytest.mark.parametrize("name", RESPONSES)
def test_codecs_agree_on_responses(name: str, strict: str) -> None:
    request, answer, closed = RESPONSES[name]
    outcomes = []
    for codec in ("exact", strict):
        sink = Sink()
        parser = response_parser(Limits(), sink, codec)
        parser.expect(request.partition(b" ")[0])
        outcomes.append(outcome(sink, parser, answer, closed))
    assert None in outcomes or outcomes[0] == outcomes[1]


def test_the_strict_codecs_take_most_of_what_is_sound() -> None:
    for codec in CODECS[1:]:
        taken = sum(outcome(*requests(codec), raw) is not None for raw in REQUESTS.values())
        assert taken > 100, codec


# the flow of messages


@each_codec
def test_pipelined_requests_wait_for_resume(codec: str) -> None:
    sink, parser = requests(codec)
    parser.feed(POST + b"abc" + CHUNKED_POST + b"2\r\nde\r\n0\r\n\r\n" + GET)
    assert len(sink.heads) == 1
    assert sink.data == b"abc"
    parser.resume()
    assert (len(sink.heads), sink.data, sink.ends) == (2, b"abcde", 2)
    assert parser.pending == GET
    parser.resume()
    assert (len(sink.heads), sink.ends, parser.pending) == (3, 3, b"")
    parser.resume()
    assert parser.idle


@each_codec
def test_bytes_behind_a_message_are_kept(codec: str) -> None:
    sink, parser = requests(codec)
    parser.feed(GET)
    parser.feed(b"GET /2 HT")
    parser.feed(b"TP/1.1\r\nHost: a\r\n\r\n")
    assert len(sink.heads) == 1
    parser.resume()
    assert cast("Request", sink.heads[1]).target == b"/2"


@each_codec
def test_idle_until_something_of_a_message_has_come(codec: str) -> None:
    _, parser = requests(codec)
    assert parser.idle
    parser.feed(b"\r\n")
    assert parser.idle
    parser.feed(b"G")
    assert not parser.idle
    parser.feed(GET[1:])
    assert not parser.idle


@each_codec
def test_byte_by_byte(codec: str) -> None:
    raw = CHUNKED_POST + b"3;x\r\nabc\r\n1\r\nd\r\n0\r\nX: 1\r\n\r\n"
    sink, parser = requests(codec)
    for at in range(len(raw)):
        assert sink.ends == 0
        parser.feed(raw[at : at + 1])
    assert (sink.data, sink.ends, sink.trailers) == (b"abcd", 1, [(b"x", b"1")])


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"G", b"("),
        (b"GET / HTTP/1.1\r\n", b" "),
        (b"GET / HTTP/1.1\r\nX", b" "),
        (b"GET / HTTP/1.1\r\n", b":"),
        (b"GET / HTTP/1.1\r\nX: a\r", b"b"),
        (b"GET / HTTP/1.1\r\nX: a\r\n b\r", b"c"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 16360, b"aaaaa"),
    ],
)
def test_a_drop_that_spoils_a_head_is_refused_at_once(head: bytes, drop: bytes) -> None:
    _, parser = requests("exact")
    parser.feed(head)
    with pytest.raises(BadMessage):
        parser.feed(drop)


@pytest.mark.parametrize("drop", [b"T", b" /", b" / HTTP/1.1\r"])
def test_a_drop_that_does_not_spoil_a_head_is_kept(drop: bytes) -> None:
    _, parser = requests("exact")
    parser.feed(b"GET")
    parser.feed(drop)
    parser.pending = b"GET / HTTP/1.1\r\nX: a\r\n"
    parser.feed(b" continued \r")
    assert not parser.idle


@each_codec
def test_resume_before_the_end_is_a_mistake(codec: str) -> None:
    _, parser = requests(codec)
    parser.feed(POST)
    with pytest.raises(RuntimeError):
        parser.resume()


@each_codec
def test_a_failed_parser_stays_failed(codec: str) -> None:
    _, parser = requests(codec)
    for data in (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", GET):
        with pytest.raises(BadMessage) as failure:
            parser.feed(data)
        assert failure.value.status == 400


@each_codec
@pytest.mark.parametrize(
    ("raw", "status"),
    [(b"GET / HT", 400), (POST, 0), (POST + b"a", 0), (CHUNKED_POST + b"3\r\nab", 0), (CHUNKED_POST + b"0\r\n", 0)],
)
def test_requests_cut_short(codec: str, raw: bytes, status: int) -> None:
    _, parser = requests(codec)
    parser.feed(raw)
    with pytest.raises(BadMessage) as failure:
        parser.feed_eof()
    assert failure.value.status == status


@each_codec
def test_an_end_between_requests_is_fine(codec: str) -> None:
    sink, parser = requests(codec)
    parser.feed_eof()
    parser.feed(GET)
    parser.feed_eof()
    parser.resume()
    parser.feed_eof()
    assert sink.ends == 1


@each_codec
def test_connect_keeps_what_follows_until_it_is_answered(codec: str) -> None:
    sink, parser = requests(codec)
    parser.feed(b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\nraw")
    head = cast("Request", sink.heads[0])
    assert (head.body, head.headers, sink.data, parser.pending) == (TUNNEL, [(b"host", b"a")], b"", b"raw")
    parser.start_tunnel()
    parser.feed(b"GET")
    assert sink.data == b"rawGET"
    parser.feed_eof()
    assert sink.ends == 2


@each_codec
def test_an_upgrade_turns_into_a_tunnel(codec: str) -> None:
    sink, parser = requests(codec)
    parser.feed(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\nraw")
    head = cast("Request", sink.heads[0])
    assert (head.body, head.upgrade, sink.ends) == (0, b"foo", 1)
    parser.start_tunnel()
    assert sink.data == b"raw"


@each_codec
def test_expectation_and_limits_of_a_head(codec: str) -> None:
    sink, parser = requests(codec, Limits(bufsize=1024, maxrewrite=128))
    parser.feed(b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n")
    assert cast("Request", sink.heads[0]).expect_continue
    parser.feed(b"x")
    parser.resume()
    with pytest.raises(BadMessage):
        parser.feed(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 900 + b"\r\n\r\n")


# responses


def responses(codec: str, method: bytes = b"GET", upgrade: bool = True) -> tuple[Sink, Parser]:
    sink = Sink()
    parser = response_parser(Limits(), sink, codec)
    parser.expect(method, upgrade)
    return sink, parser


@each_codec
def test_informational_heads_come_before_the_final_one(codec: str) -> None:
    sink, parser = responses(codec)
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    parser.feed(b"HTTP/1.1 100 Continue\r\n\r\n" + early)
    parser.feed(early[:9])
    parser.feed(early[9:] + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert [head.status for head in sink.informational] == [100, 103, 103]
    assert (sink.data, sink.ends) == (b"ok", 1)


def test_a_flood_of_informational_heads_needs_no_stack() -> None:
    sink, parser = responses("exact")
    parser.feed(b"HTTP/1.1 102 Processing\r\n\r\n" * 5000 + b"HTTP/1.1 204 No Content\r\n\r\n")
    assert (len(sink.informational), sink.ends) == (5000, 1)


@each_codec
def test_a_body_that_the_end_of_the_connection_ends(codec: str) -> None:
    sink, parser = responses(codec)
    parser.feed(b"HTTP/1.1 200 OK\r\n\r\nab")
    parser.feed(b"c")
    head = cast("Response", sink.heads[0])
    assert (head.body, head.keep_alive, sink.ends) == (UNTIL_CLOSE, False, 0)
    parser.feed_eof()
    assert (sink.data, sink.ends) == (b"abc", 1)


@each_codec
def test_a_switch_of_protocols(codec: str) -> None:
    raw = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nraw"
    sink, parser = responses(codec)
    parser.feed(raw)
    assert cast("Response", sink.heads[0]).body == TUNNEL
    parser.feed(b"more")
    assert sink.data == b"rawmore"
    _, parser = responses(codec, upgrade=False)
    with pytest.raises(BadMessage) as failure:
        parser.feed(raw)
    assert failure.value.status == 502


@each_codec
def test_a_websocket_upgrade_needs_its_accept_key(codec: str) -> None:
    raw = b"HTTP/1.1 101 SP\r\nConnection: upgrade\r\nUpgrade: websocket\r\n%b\r\n"
    _, parser = responses(codec)
    with pytest.raises(BadMessage):
        parser.feed(raw % b"")
    sink, parser = responses(codec)
    parser.feed(raw % b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")
    assert sink.heads


@each_codec
def test_the_method_decides_on_the_body(codec: str) -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
    bodies = {}
    for method in (b"GET", b"HEAD", b"CONNECT"):
        sink, parser = responses(codec, method)
        parser.feed(raw)
        bodies[method] = cast("Response", sink.heads[0]).body, sink.data, parser.pending
    assert bodies == {b"GET": (3, b"abc", b""), b"HEAD": (0, b"", b"abc"), b"CONNECT": (TUNNEL, b"abc", b"")}


@each_codec
def test_a_connection_used_for_several_answers(codec: str) -> None:
    sink, parser = responses(codec)
    parser.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n")
    parser.resume()
    assert parser.idle
    parser.expect(b"HEAD")
    parser.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    parser.resume()
    parser.expect(b"GET")
    parser.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb")
    assert (sink.data, sink.ends) == (b"ab", 3)
    assert cast("Response", sink.heads[0]).body == CHUNKED


@each_codec
@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"HTTP/1.1 200", 502),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", 0),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", 0),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP", 502),
    ],
)
def test_responses_cut_short(codec: str, raw: bytes, status: int) -> None:
    _, parser = responses(codec)
    parser.feed(raw)
    with pytest.raises(BadMessage) as failure:
        parser.feed_eof()
    assert failure.value.status == status


@pytest.mark.parametrize("line", [b"HTTP/1.1 099 X", b"HTTP/1.1 20 X", b"HTTP/1.1 2000 X", b"RTSP/1.0 200 OK"])
@each_codec
def test_status_lines_that_haproxy_takes_and_hapy_does_not(codec: str, line: bytes) -> None:
    _, parser = responses(codec)
    with pytest.raises(BadMessage):
        parser.feed(line + b"\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("name", [b"X y", b"X(", b"X\xe9", b"X\x01", b"X "])
@each_codec
def test_names_in_trailers_are_tokens(codec: str, name: bytes) -> None:
    """HAProxy 2.6 takes them now, refuses them then."""
    _, parser = requests(codec)
    with pytest.raises(BadMessage):
        parser.feed(CHUNKED_POST + b"1\r\na\r\n0\r\n" + name + b": 1\r\n\r\n")


def test_a_first_trailer_that_begins_with_a_blank_is_refused() -> None:
    """HAProxy takes it or not, whatever its memory holds before it."""
    _, parser = requests("exact")
    with pytest.raises(BadMessage):
        parser.feed(CHUNKED_POST + b"0\r\n X: y\r\n\r\n")


def test_remembered_lines_do_not_make_messages_share_state() -> None:
    sink, parser = requests("exact")
    raw = b"GET / HTTP/1.1\r\nHost: a\r\nAccept: b\r\n\r\n"
    parser.feed(raw)
    before = describe(sink.heads[0])
    sink.heads[0].headers.append((b"x", b"y"))
    parser.resume()
    parser.feed(raw)
    assert describe(sink.heads[1]) == before


def test_the_memory_for_lines_and_blocks_is_bounded() -> None:
    from hapy.http import fields, request_parser, response_parser

    for number in range(5000):
        for _ in range(3):
            _, parser = requests("exact")
            parser.feed(b"GET / HTTP/1.1\r\nHost: %d\r\nX-%d: 1\r\n\r\n" % (number, number))
            _, answers = responses("exact")
            answers.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: %d\r\n\r\n" % number)
    assert 0 < len(fields._known) <= 1024
    assert 0 < len(fields._seen) <= 4096
    assert 0 < len(request_parser._blocks) <= 512
    assert 0 < len(response_parser._blocks) <= 256


@pytest.mark.parametrize(
    "fields",
    [
        b"",
        b"Host: a\r\n",
        b"Host: a\r\nConnection: keep-alive\r\n",
        b"Host: a\r\nConnection: close\r\n",
        b"Host: a\r\nContent-Length: 3\r\n",
        b"Host: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n",
        b"Host: a\r\nConnection: upgrade\r\nUpgrade: foo\r\n",
        b"Host: a\r\nHost: a\r\nTE: gzip, trailers\r\n",
    ],
)
def test_what_is_remembered_is_told_as_the_first_time(fields: bytes) -> None:
    """Also by parsers with other limits, and whatever rules have done to the head before."""
    body = b"3\r\nabc\r\n0\r\n\r\n" if b"chunked" in fields else b"abc" if b"Length" in fields else b""
    told = []
    for _ in range(4):
        sink, parser = requests("exact")
        parser.feed(b"POST / HTTP/1.1\r\n" + fields + b"\r\n" + body)
        told.append(list(sink.events))
        sink.heads[0].headers.append((b"added", b"by a rule"))
    assert all(other == told[0] for other in told)
    _, small = requests("exact", Limits(max_headers=1))
    if fields:
        with pytest.raises(BadMessage):
            small.feed(b"POST / HTTP/1.1\r\n" + fields + b"\r\n")


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 3\r\n",
        b"Connection: keep-alive\r\nContent-Length: 3\r\n",
        b"Connection: close\r\nContent-Length: 3\r\n",
    ],
)
def test_what_is_remembered_of_answers(fields: bytes) -> None:
    told: dict[tuple[bytes, bytes], list[object]] = {}
    for _ in range(4):
        for version in (b"1.0", b"1.1"):
            for method in (b"GET", b"HEAD"):
                sink, parser = responses("exact", method)
                parser.feed(
                    b"HTTP/" + version + b" 200 OK\r\n" + fields + b"\r\n" + (b"abc" if method == b"GET" else b"")
                )
                assert told.setdefault((version, method), list(sink.events)) == sink.events
                sink.heads[0].headers.clear()
    assert len({str(events) for events in told.values()}) == 4


@pytest.mark.parametrize("step", [1, 2, 3, 7])
@pytest.mark.parametrize("before", [b"GET / HTTP/1.1\r\nHost: a\r\n", CHUNKED_POST + b"1\r\na\r\n0\r\n"])
def test_thousands_of_continuation_lines_in_small_pieces(before: bytes, step: int) -> None:
    raw = before + b"X: a\r\n" + b" b\n" * 4500 + b"\tc\r\n\r\n"
    sink, parser = requests("exact")
    for at in range(0, len(raw), step):  # were each piece to be looked at with all that came before, it took minutes
        parser.feed(raw[at : at + step])
    whole, at_once = requests("exact")
    at_once.feed(raw)
    assert sink.events == whole.events
    assert sink.ends


def test_the_http2_preface_is_refused_as_a_request() -> None:
    _, parser = requests("exact")
    with pytest.raises(BadMessage) as refused:
        parser.feed(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert refused.value.status == 400
    assert refused.value.read

"""The wire form of heads and chunks; beside the real haproxy where its choice isn't in the referee's table."""

from __future__ import annotations

import pytest

from hapy.http.message import CHUNKED, Request, Response
from hapy.http.serialize import adjusted, chunk, last_chunk, request_head, response_head
from tests.hapy.http.http_referee import Referee, read_request, read_response

CASES = {b"host": b"Host", b"x-foo": b"X-FOO", b"content-length": b"Content-Length", b"connection": b"Connection"}


@pytest.mark.parametrize(
    ("version", "body", "headers", "close", "end"),
    [
        (11, 0, [], False, b""),
        (11, 0, [], True, b"connection: close\r\n"),
        (10, 0, [], False, b"connection: keep-alive\r\n"),
        (10, 0, [], True, b""),
        (10, CHUNKED, [], False, b""),
        (20, 0, [], True, b"connection: close\r\n"),
        (11, 0, [(b"connection", b"foo")], True, b"connection: foo\r\nconnection: close\r\n"),
        (11, 0, [(b"connection", b"x, Upgrade")], True, b"connection: x, Upgrade\r\n"),
        (10, 0, [(b"connection", b"upgrade")], False, b"connection: upgrade\r\n"),
    ],
)
def test_connection_of_requests(
    version: int, body: int, headers: list[tuple[bytes, bytes]], close: bool, end: bytes
) -> None:
    head = request_head(Request(b"GET", b"/x", version, headers, body), close=close)
    written = {10: b"1.0", 11: b"1.1", 20: b"1.1"}[version]
    assert head == b"GET /x HTTP/" + written + b"\r\n" + end + b"\r\n"


@pytest.mark.parametrize(
    ("version", "client", "status", "close", "end"),
    [
        (11, 11, 200, False, b""),
        (11, 11, 200, True, b"connection: close\r\n"),
        (11, 10, 200, False, b"connection: keep-alive\r\n"),
        (11, 10, 200, True, b"connection: close\r\n"),
        (10, 11, 200, False, b"connection: keep-alive\r\n"),
        (10, 11, 200, True, b""),
        (11, 10, 100, False, b""),
        (11, 11, 103, True, b""),
        (10, 10, 100, False, b""),
    ],
)
def test_connection_of_responses(version: int, client: int, status: int, close: bool, end: bytes) -> None:
    head = response_head(Response(status, b"R", [(b"a", b"")], version=version), client, close=close)
    assert head == b"HTTP/1.%d %d R\r\na: \r\n" % (version - 10, status) + end + b"\r\n"


def test_chunks() -> None:
    assert chunk(b"a" * 26) == b"1A\r\n" + b"a" * 26 + b"\r\n"
    assert last_chunk([]) == b"0\r\n\r\n"
    assert last_chunk([(b"x", b"1"), (b"y", b"")]) == b"0\r\nx: 1\r\ny: \r\n\r\n"
    assert last_chunk([(b"x-foo", b"1")], CASES) == b"0\r\nX-FOO: 1\r\n\r\n"


def test_adjusting_leaves_the_head_alone() -> None:
    headers = [(b"host", b"a"), (b"b", b"c")]
    assert adjusted(headers, CASES) == [(b"Host", b"a"), (b"b", b"c")]
    assert headers[0] == (b"host", b"a")


@pytest.mark.referee
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_case_adjusting(haproxy: str, version: bytes) -> None:
    lines = "\n".join(f"  h1-case-adjust {name.decode()} {written.decode()}" for name, written in CASES.items())
    running = Referee(
        haproxy,
        frontend="  option h1-case-adjust-bogus-client",
        backend="  option h1-case-adjust-bogus-server",
        settings=lines,
    )
    try:
        raw = b"GET / HTTP/" + version + b"\r\nHOST: a\r\nX-foo: 1\r\nX-Bar: 2\r\n\r\n"
        answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nX-foo: 1\r\nX-Bar: 2\r\n\r\nok"
        (request,) = read_request(raw)[0].heads
        (response,) = read_response(b"GET", answer, closed=False)[0].heads
        assert isinstance(request, Request)
        assert isinstance(response, Response)
        wanted = response_head(response, request.version, close=not request.keep_alive, cases=CASES) + b"ok"
        wanted_origin = request_head(request, close=False, cases=CASES)
        assert running.ask(raw, wanted, wanted_origin, answer=answer) == (wanted, not request.keep_alive, wanted_origin)
    finally:
        running.close()


@pytest.mark.referee
@pytest.mark.parametrize("option", ["httpclose", "http-server-close"])
@pytest.mark.parametrize("fields", [b"", b"Connection: upgrade\r\n", b"Connection: foo\r\n", b"Connection: close\r\n"])
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_closing_modes(haproxy: str, option: str, fields: bytes, version: bytes) -> None:
    running = Referee(haproxy, defaults=f"  option {option}")
    try:
        raw = b"GET / HTTP/" + version + b"\r\nHost: a\r\n" + fields + b"\r\n"
        (request,) = read_request(raw)[0].heads
        (response,) = read_response(b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", closed=False)[0].heads
        assert isinstance(request, Request)
        assert isinstance(response, Response)
        close = option == "httpclose" or not request.keep_alive
        wanted = response_head(response, request.version, close=close) + b"ok"
        wanted_origin = request_head(request, close=True)
        assert running.ask(raw, wanted, wanted_origin) == (wanted, close, wanted_origin)
    finally:
        running.close()


@pytest.mark.referee
@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade\r\nUpgrade: foo\r\n\r\nraw",
            b"HTTP/1.1 101 SP\r\nContent-Length: 3\r\nConnection: Upgrade, close\r\nUpgrade: foo\r\n\r\nwar",
        ),
        (
            b"GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\nraw",
            b"HTTP/1.0 101 SP\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\nwar",
        ),
        (
            b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nContent-Length: 5\r\n\r\nraw",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nwar",
        ),
        (b"CONNECT A:80 HTTP/1.1\r\nHost: a\r\n\r\nraw", b"HTTP/1.1 299 OK\r\nTransfer-Encoding: chunked\r\n\r\nwar"),
    ],
)
def test_tunnels(haproxy: str, raw: bytes, answer: bytes) -> None:
    running = Referee(haproxy)
    try:
        (request,) = read_request(raw)[0].heads
        assert isinstance(request, Request)
        sink, error = read_response(request.method, answer, closed=False, upgrade=True)
        assert error is None
        (response,) = sink.heads
        assert isinstance(response, Response)
        wanted = response_head(response, request.version, close=False) + b"war"
        wanted_origin = request_head(request, close=False) + b"raw"
        assert running.ask(raw, wanted, wanted_origin, answer=answer) == (wanted, False, wanted_origin)
    finally:
        running.close()

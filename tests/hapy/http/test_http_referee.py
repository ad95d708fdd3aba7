"""The codec against the real haproxy: the same bytes taken or refused, with the same status, and the same bytes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hapy.http.codec import Limits
from hapy.http.errors import BUILTIN, connection_error
from hapy.http.interface import BadMessage
from hapy.http.message import Request
from hapy.http.serialize import response_head
from tests.hapy.http.http_cases import LENIENT_REQUESTS, LENIENT_RESPONSES, REQUESTS, RESPONSES, STRICTER_REQUESTS
from tests.hapy.http.http_referee import (
    OK,
    Referee,
    Sink,
    forwarded_request,
    forwarded_response,
    read_request,
    read_response,
)

pytestmark = pytest.mark.referee


@pytest.fixture(scope="module")
def referee(haproxy: str) -> Iterator[Referee]:
    running = Referee(haproxy)
    yield running
    running.close()


@pytest.fixture(scope="module")
def lenient(haproxy: str) -> Iterator[Referee]:
    running = Referee(
        haproxy,
        frontend="  option accept-invalid-http-request",
        backend="  option accept-invalid-http-response",
    )
    yield running
    running.close()


def same_request(referee: Referee, raw: bytes, sink: Sink, error: BadMessage | None) -> None:
    if error is not None:
        wanted = connection_error(error.status)
        got, ended, origin = referee.ask(raw, wanted)
        assert (got, ended) == (wanted, True)
        assert origin == b""
        return
    (request,) = sink.heads
    assert isinstance(request, Request)
    answer, _ = read_response(request.method, OK, closed=False)
    wanted, closes = forwarded_response(answer, request)
    wanted_origin = forwarded_request(sink)
    got, ended, origin = referee.ask(raw, wanted, wanted_origin)
    assert origin == wanted_origin
    assert (got, ended) == (wanted, closes)


@pytest.mark.parametrize("name", REQUESTS)
def test_request(referee: Referee, name: str) -> None:
    raw = REQUESTS[name]
    same_request(referee, raw, *read_request(raw))


@pytest.mark.parametrize("name", LENIENT_REQUESTS)
def test_lenient_request(lenient: Referee, name: str) -> None:
    raw = LENIENT_REQUESTS[name]
    same_request(lenient, raw, *read_request(raw, Limits(accept_invalid=True)))


@pytest.mark.parametrize("name", STRICTER_REQUESTS)
def test_hapy_refuses_what_haproxy_takes(referee: Referee, name: str) -> None:
    raw = STRICTER_REQUESTS[name]
    _, error = read_request(raw)
    assert error is not None
    assert error.status == 400
    wanted = response_head(read_response(b"GET", OK, closed=False)[0].heads[0], 11, close=False) + b"ok"
    got, _, _ = referee.ask(raw, wanted)
    assert got == wanted


def same_response(referee: Referee, raw: bytes, answer: bytes, closed: bool, limits: Limits | None = None) -> None:
    (request,) = read_request(raw)[0].heads
    assert isinstance(request, Request)
    sink, error = read_response(request.method, answer, closed, limits)
    if error is not None or not sink.heads:
        assert error is None or error.status == 502
        page, body = BUILTIN[502].build(request.method)
        wanted, closes = (
            response_head(page, request.version, close=not request.keep_alive) + body,
            not request.keep_alive,
        )
    else:
        wanted, closes = forwarded_response(sink, request)
    got, ended, _ = referee.ask(raw, wanted, answer=answer, close_after=closed)
    assert (got, ended) == (wanted, closes)


@pytest.mark.parametrize("name", RESPONSES)
def test_response(referee: Referee, name: str) -> None:
    same_response(referee, *RESPONSES[name])


@pytest.mark.parametrize("name", LENIENT_RESPONSES)
def test_lenient_response(lenient: Referee, name: str) -> None:
    same_response(lenient, REQUESTS["plain"], LENIENT_RESPONSES[name], False, Limits(accept_invalid=True))

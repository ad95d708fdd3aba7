"""Field blocks that were seen before: looked up, they mean what they meant when they were read."""

from __future__ import annotations

import pytest

from hapy.http.codec import BadMessage, Limits, request_parser, response_parser
from hapy.http.message import CHUNKED
from tests.hapy.http.http_referee import Sink, describe

BLOCKS = (
    b"",
    b"Host: a\r\nX-Mine: 1\r\n",
    b"Host: a\r\nConnection: keep-alive\r\n",
    b"Host: a\r\nConnection: close, x\r\n",
    b"Host: a\r\nContent-Length: 2\r\n",
    b"Host: a\r\nTransfer-Encoding: chunked\r\n",
    b"Host: a\r\nAuthorization: Basic eDp5\r\n",
    b"Host: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n",
)


def head_of(raw: bytes, limits: Limits | None = None) -> object:
    sink = Sink()
    request_parser(limits or Limits(), sink).feed(raw)
    return next(value for kind, value in sink.events if kind == "head")


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
def test_the_same_every_time(block: bytes, version: bytes) -> None:
    raw = b"POST /x " + version + b"\r\n" + block + b"\r\n"
    assert len({head_of(raw) for _ in range(4)}) == 1


def test_versions_do_not_mix() -> None:
    block = b"Host: versions\r\nTransfer-Encoding: chunked\r\n\r\n"
    for _ in range(3):
        for version, stays in ((b"1.1", True), (b"1.0", False)):
            sink = Sink()
            request_parser(Limits(), sink).feed(b"POST / HTTP/" + version + b"\r\n" + block)
            assert (sink.heads[0].keep_alive, sink.heads[0].body) == (stays, CHUNKED)


def test_what_rules_do_to_one_request_stays_there() -> None:
    raw = b"GET / HTTP/1.1\r\nHost: rules\r\nX-One: 1\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nX-Rules: 1\r\nContent-Length: 0\r\n\r\n"
    seen = set()
    for _ in range(4):
        asked, answered = Sink(), Sink()
        request_parser(Limits(), asked).feed(raw)
        response_parser(Limits(), answered).feed(answer)
        seen.add((describe(asked.heads[0]), describe(answered.heads[0])))
        asked.heads[0].headers.append((b"x-more", b"1"))
        answered.heads[0].headers.clear()
    assert len(seen) == 1


def test_each_frontend_has_its_own_limit() -> None:
    raw = b"GET / HTTP/1.1\r\nHost: limits\r\nX-One: 1\r\nX-Two: 2\r\n\r\n"
    for _ in range(3):
        head_of(raw)
        with pytest.raises(BadMessage):
            head_of(raw, Limits(max_headers=3))


def test_sizes_are_told_of_heads_without_credentials() -> None:
    plain = b"GET / HTTP/1.1\r\nHost: sizes\r\nConnection: keep-alive\r\n\r\n"
    secret = b"GET / HTTP/1.1\r\nHost: sizes\r\nAuthorization: NTLM x\r\n\r\n"
    for raw, sizes in ((plain, {-1, len(b"hostsizes")}), (secret, {-1})):
        found = set()
        for _ in range(4):
            sink = Sink()
            request_parser(Limits(), sink).feed(raw)
            found.add(sink.heads[0].plain_size)
        assert found == sizes

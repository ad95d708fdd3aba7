"""The answers hapy gives itself, byte for byte beside the real haproxy's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hapy.http import errors
from hapy.http.errors import BUILTIN, Page, configured_page, connection_error, location_page, redirect_page, reply_page
from hapy.http.message import UNTIL_CLOSE
from hapy.http.serialize import response_head
from hapy_config.model.proxy import ErrorPage
from tests.hapy.http.http_referee import Referee

DENIABLE = (200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 421, 422, 425, 429, 500, 501, 502, 503, 504)
RETURNED = (*range(200, 600),)
REDIRECTS = (301, 302, 303, 307, 308)
ERRORFILES = {
    "10": b"HTTP/1.0 404 Nope Here\r\nServer: X\r\nCache-Control: no-cache\r\nConnection: close\r\n\r\nerr page\n",
    "lf": b"HTTP/1.1 404 Nope Here\nX-Foo: X\nContent-Length: 9\n\nerr page\n",
    "nothing": b"HTTP/1.1 404 Other\r\n\r\nabc",
    "no-body": b"HTTP/1.1 503 Other\r\nX-Foo: X\r\n\r\n",
    "close": b"HTTP/1.1 403 F\r\nConnection: close\r\nContent-Length: 2\r\nX: 1\r\n\r\nab",
    "10-length": b"HTTP/1.0 403 F\r\nContent-Length: 2\r\n\r\nab",
    "10-keep": b"HTTP/1.0 403 F\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nab",
    "200": b"HTTP/1.1 200 F\r\nContent-Length: 2\r\n\r\nab",
    "204": b"HTTP/1.1 204 F\r\n\r\n",
    "foreign": b"HTTP/1.1 403 F\r\nSet-Cookie: A\r\nConnection: foo, close\r\nKeep-Alive: x\r\nContent-Length: 0\r\n\r\n",
    "lengths": b"HTTP/1.1 403 F\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
    "fold": b"HTTP/1.1 403 F\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nab",
    "large": b"HTTP/1.1 403 F\r\nContent-Length: 16200\r\n\r\n" + b"a" * 16200,
    "leading": b"\r\nHTTP/1.1 403 F\r\nX: 1\r\n\r\nab",
    "20": b"HTTP/2.0 403 F\r\nX: 1\r\n\r\nab",
    "no-reason": b"HTTP/1.1 403\r\nContent-Length: 0\r\n\r\n",
}
METHODS = {"get": b"GET / HTTP/1.1\r\n", "head": b"HEAD / HTTP/1.1\r\n", "1.0": b"GET / HTTP/1.0\r\n"}


@pytest.fixture(scope="module")
def referee(haproxy: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Referee]:
    directory = tmp_path_factory.mktemp("errorfiles")
    rules = [f"http-request deny deny_status {status} if {{ path /deny/{status} }}" for status in DENIABLE]
    rules += [f"http-request return status {status} if {{ path /return/{status} }}" for status in RETURNED]
    rules += [f"http-request redirect location /x code {code} if {{ path /redirect/{code} }}" for code in REDIRECTS]
    rules.append("http-request redirect location /x set-cookie A=b if { path /cookie }")
    rules.append("http-request redirect location /x clear-cookie A= if { path /clear }")
    rules.append(
        'http-request return status 404 content-type text/plain string "hi" hdr X-A b hdr Foo-BAR c if { path /string }'
    )
    rules.append("http-request deny deny_status 403 hdr X-B c if { path /deny-with-field }")
    rules.append("http-request auth if { path /auth }")
    for name, raw in ERRORFILES.items():
        path = Path(directory / name)
        path.write_bytes(raw)
        rules.append(f"http-request return status 404 errorfile {path} if {{ path /file/{name} }}")
    rules.append("monitor-uri /monitor")
    running = Referee(haproxy, frontend="\n".join(f"  {rule}" for rule in rules))
    yield running
    running.close()


def check(
    referee: Referee, path: str, page: Page, method: str = "get", extra: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    raw = METHODS[method].replace(b"/ ", path.encode() + b" ") + b"Host: a\r\n\r\n"
    old = method == "1.0"
    head, body = page.build(b"HEAD" if method == "head" else b"GET", extra)
    close = old or not head.keep_alive or head.body == UNTIL_CLOSE
    wanted = response_head(head, 10 if old else 11, close=close) + body
    got, ended, _ = referee.ask(raw, wanted)
    assert (got, ended) == (wanted, close)


@pytest.mark.referee
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", DENIABLE)
def test_built_in_page(referee: Referee, status: int, method: str) -> None:
    check(referee, f"/deny/{status}", BUILTIN[status], method)


@pytest.mark.referee
def test_every_reason_phrase(referee: Referee) -> None:
    for status in RETURNED:
        head, _ = reply_page(status, ()).build()
        wanted = response_head(head, 11, close=True)
        got, _, _ = referee.ask(b"GET /return/%d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % status)
        assert got == wanted


@pytest.mark.referee
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("code", REDIRECTS)
def test_redirect(referee: Referee, code: int, method: str) -> None:
    check(referee, f"/redirect/{code}", redirect_page(code, b"/x"), method)


@pytest.mark.referee
def test_redirect_with_cookies(referee: Referee) -> None:
    check(referee, "/cookie", redirect_page(302, b"/x", b"A=b; path=/;"))
    check(referee, "/clear", redirect_page(302, b"/x", b"A=; path=/; Max-Age=0;"))


@pytest.mark.referee
@pytest.mark.parametrize("method", METHODS)
def test_replies(referee: Referee, method: str) -> None:
    check(referee, "/string", reply_page(404, [(b"x-a", b"b"), (b"foo-bar", b"c")], b"text/plain", b"hi"), method)
    check(referee, "/deny-with-field", reply_page(403, [(b"x-b", b"c")]), method)
    check(referee, "/monitor", BUILTIN[200], method)
    check(referee, "/auth", BUILTIN[401], method, ((b"www-authenticate", b'Basic realm="f"'),))


@pytest.mark.referee
def test_error_locations(haproxy: str) -> None:
    rules = ["errorloc 410 http://loc/", "errorloc303 413 http://loc303/"]
    rules += [f"http-request deny deny_status {status} if {{ path /{status} }}" for status in (404, 410, 413)]
    running = Referee(haproxy, frontend="\n".join(f"  {rule}" for rule in rules))
    try:
        for method in METHODS:
            check(running, "/404", BUILTIN[404], method)
            check(running, "/410", location_page(302, b"http://loc/"), method)
            check(running, "/413", location_page(303, b"http://loc303/"), method)
    finally:
        running.close()


@pytest.mark.referee
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ERRORFILES)
def test_errorfile(referee: Referee, name: str, method: str) -> None:
    page = configured_page(ErrorPage(404, raw=ERRORFILES[name]))
    assert page is not None
    check(referee, f"/file/{name}", page, method)


@pytest.mark.referee
def test_connection_errors(referee: Referee) -> None:
    cases = {
        400: b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        422: b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    }
    for status, raw in cases.items():
        wanted = connection_error(status)
        assert referee.ask(raw, wanted)[:2] == (wanted, True)


@pytest.mark.referee
def test_request_timeout(haproxy: str) -> None:
    running = Referee(haproxy, defaults="  timeout http-request 50ms")
    try:
        wanted = connection_error(408)
        assert running.ask(b"GET", wanted)[:2] == (wanted, True)
    finally:
        running.close()


def test_an_empty_errorfile_answers_nothing() -> None:
    assert errors.parse_errorfile(b"") is None


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"hello", "status line"),
        (b"HTTP/1.1 403 F\r\nX: 1\r\n", "incomplete"),
        (b"HTTP/1.1 403 F\r\nX: 1", "incomplete"),
        (b"HTTP/1.1 403 F\r\nContent-Length: 5\r\n\r\nab", "size differs"),
        (b"HTTP/1.1 403 F\r\nContent-Length: 1\r\n\r\nab", "size differs"),
        (b"HTTP/1.1 403 F\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "chunked"),
        (b"HTTP/1.1 100 F\r\n\r\n", "status 100"),
        (b"HTTP/1.1 304 F\r\nContent-Length: 2\r\n\r\nab", "size differs"),
        (b"HTTP/1.1 403\r\nX(: 1\r\nContent-Length: 0\r\n\r\n", "field name"),
    ],
)
def test_what_is_no_errorfile(raw: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        errors.parse_errorfile(raw)


def test_a_built_head_is_the_callers_own() -> None:
    head, _ = BUILTIN[503].build()
    head.headers.clear()
    assert BUILTIN[503].build()[0].headers

"""Where replayed requests come from."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy.explain.asked import RequestError
from hapy.verify.requests import from_har, from_lines, from_log
from hapy_config.model.proxy import Capture


def test_lines() -> None:
    found = list(from_lines("# comment\nGET http://a/x\n\nPOST /y\n"))
    assert [one.head for one in found] == [
        b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /y HTTP/1.1\r\n\r\n",
    ]
    with pytest.raises(RequestError, match="line 2"):
        list(from_lines("/\na b c\n"))


def test_har() -> None:
    entry = {
        "request": {
            "method": "POST",
            "url": "https://shop.example/a?b=c#d",
            "headers": [
                {"name": ":authority", "value": "shop.example"},
                {"name": "Cookie", "value": "x=y"},
                {"name": "Content-Length", "value": "99"},
            ],
            "postData": {"text": "hi"},
        }
    }
    (found,) = from_har(json.dumps({"log": {"entries": [entry]}}))
    assert found.raw == (b"POST /a?b=c HTTP/1.1\r\nHost: shop.example\r\nCookie: x=y\r\nContent-Length: 2\r\n\r\nhi")


def test_what_browsers_note_of_other_schemes_is_passed_over() -> None:
    entries = [{"request": {"method": "GET", "url": url}} for url in ("data:,x", "wss://a/x", "http://a/x")]
    (found,) = from_har(json.dumps({"log": {"entries": entries}}))
    assert found.head.startswith(b"GET /x ")
    with pytest.raises(RequestError, match="entry 1: "):
        list(from_har(json.dumps({"log": {"entries": [{"request": {"method": "G T", "url": "http://a/"}}]}})))


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"log": {"entries": [{}]}}', '{"log": {"entries": [{"request": 1}]}}']
)
def test_what_is_no_har_file(content: str) -> None:
    with pytest.raises(RequestError):
        list(from_har(content))


LOG = """\
Nov 20 10:00:00 lb haproxy[1]: 198.51.100.7:41234 [20/Nov/2026:10:00:00.000] fe be/s1 0/0/0/1/1 200 53 - - ---- 1/1/0/0/0 0/0 "GET /a?b HTTP/1.1"
Nov 20 10:00:01 lb haproxy[1]: Proxy fe started.
203.0.113.9 - - [20/Nov/2026:10:00:00 +0000] "POST /form HTTP/1.0" 200 12 "http://ref/" "curl/8"
198.51.100.7:41234 [20/Nov/2026:10:00:00.000] fe fe/<NOSRV> -1/-1/-1/-1/0 400 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"
"""


def test_log() -> None:
    assert [name for _, name in from_log(LOG)] == ["fe", ""]
    ((one, name),) = from_log('10.0.0.1:2 [date] web~ be/s 0/0 "GET /x HTTP/2.0"')
    assert (one.head.split(b"\r\n")[0], name) == (b"GET /x HTTP/1.1", "web")
    assert [one.head for one, _ in from_log(LOG)] == [
        b"GET /a?b HTTP/1.1\r\nHost: verify.invalid\r\n\r\n",
        b"POST /form HTTP/1.0\r\nReferer: http://ref/\r\nUser-Agent: curl/8\r\n\r\n",
    ]


@given(st.text(alphabet='GETPOS /:"HTP1.0[]x\n#{}'))
def test_anything(content: str) -> None:
    list(from_log(content))
    for read in (from_lines, from_har):
        with suppress(RequestError):
            list(read(content))


def test_captured_headers_get_their_names() -> None:
    captures = {"fe": [Capture("request", "Host", 20), Capture("request", "", 9), Capture("request", "X-A", 3)]}
    line = '10.0.0.1:2 [date] fe be/s 0/0 {a.example|made|abc} {answer} "GET /x HTTP/1.1"'
    ((one, name),) = from_log(line, captures)
    assert (name, one.head) == ("fe", b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n")
    ((other, _),) = from_log(line.replace("fe be", "else be"), captures)
    assert b"verify.invalid" in other.head


def test_what_is_not_sent_is_counted() -> None:
    left_out: list[int] = []
    list(from_log('x "GET /x HTTP/1.1"\n\n"<BADREQ>"\n', {}, left_out))
    assert left_out == [3]
    left_out.clear()
    form = {"method": "POST", "url": "http://a/", "postData": {"params": [{"name": "a", "value": "b c"}]}}
    content = json.dumps({"log": {"entries": [{"request": {"url": "wss://a/"}}, {"request": form}]}})
    (one,) = from_har(content, left_out)
    assert left_out == [1]
    assert one.body == b"a=b+c"


def test_a_har_file_with_an_entry_that_is_no_request() -> None:
    whole = '{"log": {"entries": [{"request": {"method": "GET", "url": "http://a/", "headers": []}}, %s]}}'
    for entry in ("5", "{}", '{"request": 5}', '{"request": {"method": "GET"}}'):
        with pytest.raises(RequestError, match="entry 2 has no method"):
            list(from_har(whole % entry))
    with pytest.raises(RequestError, match="no HAR file"):
        list(from_har('{"log": {"entries": {"request": 5}}}'))

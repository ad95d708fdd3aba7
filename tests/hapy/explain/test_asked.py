"""What a person types, as a request."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy.explain.asked import RequestError, asked


def test_url() -> None:
    found = asked("GET https://shop.example/cart?x=1")
    assert (found.tls, found.host, found.port) == (True, "shop.example", 443)
    assert found.head == b"GET /cart?x=1 HTTP/1.1\r\nHost: shop.example\r\n\r\n"


def test_short_forms() -> None:
    assert asked("/cart").head == b"GET /cart HTTP/1.1\r\n\r\n"
    assert asked("shop.example").head == b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"
    assert asked("HEAD shop.example:81/x HTTP/1.0").head == b"HEAD /x HTTP/1.0\r\nHost: shop.example:81\r\n\r\n"
    assert asked("shop.example:81").port == 81
    assert asked("/").port is None


def test_the_target_stays_as_it_is_typed() -> None:
    for text, target in (("//a/b?", "//a/b?"), ("http://a//b/../c?#x", "//b/../c?"), ("a?x=/", "/?x=/"), ("*", "*")):
        assert asked(text).head.split()[1].decode() == target


def test_headers_and_body() -> None:
    found = asked("POST http://a/", headers=["host: b", "X: y"], body="é")
    assert found.raw == b"POST / HTTP/1.1\r\nhost: b\r\nX: y\r\nContent-Length: 2\r\n\r\n\xc3\xa9"


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("", {}),
        ("GET / HTTP/3.0", {}),
        ("GET a b c", {}),
        ("GET ftp://a/", {}),
        ("GET http://a:x/", {}),
        ("GET http://[::1/", {}),
        ("POST", {}),
        ("GET HTTP/1.0", {}),
        ("/", {"headers": ["nothing"]}),
        ("/", {"source": "here"}),
    ],
)
def test_what_is_no_request(text: str, options: dict[str, object]) -> None:
    with pytest.raises(RequestError):
        asked(text, **options)  # type: ignore[arg-type]


@given(st.text(), st.lists(st.text(), max_size=2))
def test_anything(text: str, headers: list[str]) -> None:
    with suppress(RequestError):
        assert asked(text, headers=headers).raw.endswith(b"\r\n\r\n")

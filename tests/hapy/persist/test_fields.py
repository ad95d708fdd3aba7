"""Cookies in header fields, and the dates in them."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy.persist.caching import is_cacheable
from hapy.persist.dates import STEP, decode, encode
from hapy.persist.fields import parts, tightened, without
from hapy.persist.rdp import address_of, by_rdp_cookie
from hapy.proxy.backend import Backend
from hapy_config.model.proxy import Proxy
from tests.hapy.rules_world import environment, transaction


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"a=1; b=2", [(b"a", b"1"), (b"b", b"2")]),
        (b"a = 1 ;b", [(b"a", b"1"), (b"b", None)]),
        (b'a="x;y,z", b="q\\"r"', [(b"a", b'"x;y,z"'), (b"b", b'"q\\"r"')]),
        (b'a="never ends; b=2', [(b"a", b'"never ends; b=2')]),
        (b";;a=;", [(b"", None), (b"", None), (b"a", b"")]),
        (b"", []),
    ],
)
def test_parts(line: bytes, found: list[tuple[bytes, bytes | None]]) -> None:
    """Delimiters, blanks, quotes."""
    assert [(part.name, part.value) for part in parts(line)] == found


@pytest.mark.parametrize(
    ("line", "left"),
    [
        (b"S=1", b""),
        (b"S=1; a=2", b"a=2"),
        (b"a=1; S=1; b=2", b"a=1; b=2"),
        (b"a=1,  S=1,b=2", b"a=1, b=2"),
        (b"a=1; S=1", b"a=1"),
        (b";;S=1;;", b";; ;"),
        (b"S=1; S=2; a=1; S=3", b"a=1"),
        (b"a=1 ; S=1 ; b=2", b"a=1; b=2"),
        (b"a=1, S=2, b=2, S=3;", b"a=1, b=2; "),
        (b"a;;S=1;;S=2;; = b", b"a;;; ; = b"),
    ],
)
def test_taking_cookies_out(line: bytes, left: bytes) -> None:
    """What is left of the delimiters."""
    assert without(line, [part for part in parts(line) if part.name == b"S"]) == left


@given(st.binary(max_size=60))
def test_any_bytes(line: bytes) -> None:
    """Parts lie in the field, one behind the other, and nothing breaks over them."""
    found = list(parts(line))
    assert all(0 <= part.start <= part.value_start <= part.value_end <= part.end <= len(line) for part in found)
    assert all(first.end < second.start + 1 for first, second in pairwise(found))
    changes = [(part.name_end, part.value_start) for part in found if part.value is not None]
    without(tightened(line, changes, found), found)


@given(st.integers(1_000_000_000, 4_000_000_000))
def test_dates(moment: int) -> None:
    """A date comes back rounded up to the next step."""
    assert 0 <= decode(encode(moment)) - moment < STEP


@pytest.mark.parametrize("text", [b"", b"abcd", b"a!bcd", b"-----"])
def test_no_dates(text: bytes) -> None:
    """What is no date counts as none."""
    assert decode(text) == 0


def test_routing_tokens() -> None:
    """Decimal numbers whose bytes are in network order."""
    assert address_of(b"3640205228.15629.0000") == ("172.31.249.216", 3389)
    for token in (b"", b"1.2", b"99999999999.1.0", b"4294967296.1.0", b"1.65536.0", b"x.y.z"):
        assert address_of(token) is None


def test_any_name_of_a_routing_token() -> None:
    """`persist rdp-cookie(x,10.0.0.0)`: what stands in the parentheses is a name."""
    model = Proxy("f", "listen", mode="tcp", rdp_cookie="x,10.0.0.0")
    env = environment(model)
    choose = by_rdp_cookie(cast("Backend", SimpleNamespace(model=model, servers=())), env)
    assert choose(transaction(b"GET / HTTP/1.1\r\n\r\n", env)) is None


def test_caching() -> None:
    """The last word of Cache-Control counts."""
    assert is_cacheable(b"GET", 200, [(b"etag", b"x")])
    assert not is_cacheable(b"GET", 200, [])
    assert not is_cacheable(b"GET", 200, [(b"etag", b"x"), (b"cache-control", b"public, private")])
    assert is_cacheable(b"PUT", 500, [(b"cache-control", b"public, max-age=1")])

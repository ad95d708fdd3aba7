"""No input makes a traceback, and what is refused is always explained."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hapy_config import Severity, read_text

SECTIONS = (
    "global", "defaults", "defaults d", "frontend f", "backend b", "listen l", "peers p", "resolvers r", "userlist u",
    "mailers m", "cache c", "http-errors e", "ring r", "log-forward g", "program p", "fcgi-app a", "crt-store", "traces",
)  # fmt: skip
LINES = [
    line for line in Path(__file__).with_name("lines.txt").read_text(encoding="utf-8").splitlines() if line[:1] != "#"
]
WORDS = sorted({word for line in LINES for word in line.split()})

word = st.one_of(
    st.sampled_from(WORDS), st.text(max_size=8), st.sampled_from(['""', "''", "\\", "#", "%[", "${X}", "{", "}"])
)
line = st.one_of(
    st.sampled_from(LINES),
    st.sampled_from(SECTIONS),
    st.lists(word, min_size=1, max_size=6).map(" ".join),
    st.tuples(st.sampled_from(LINES), st.lists(word, max_size=3)).map(lambda pair: " ".join((pair[0], *pair[1]))),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(line, max_size=12))
def test_any_text(lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    result = read_text(text, env={})
    errors = [found for found in result.diagnostics if found.severity is Severity.ERROR and found.fatal]
    assert (result.config is None) == bool(errors)
    count = text.count("\n")
    for found in (*result.diagnostics, *result.not_run):
        assert found.message
        assert found.code
        assert 0 <= found.span.line <= count
        assert found.span.column <= found.span.end


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SECTIONS), st.lists(st.sampled_from(LINES), min_size=1, max_size=8))
def test_lines_in_any_section(section: str, lines: list[str]) -> None:
    text = "\n ".join([section, *(line.replace("\\n", "\n ") for line in lines)]) + "\n"
    result = read_text(text, env={})
    assert (result.config is None) == result.diagnostics.has_errors


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    read_text("listen l\n bind :1\n " + content.decode("utf-8", "surrogateescape") + "\n", env={})


@pytest.mark.parametrize(
    "line",
    [
        "global\n default-path origin {}",
        "global\n ca-base {}",
        "global\n lua-load {}",
        "global\n issuers-chain-path {}",
        "global\n ssl-dh-param-file {}",
        "listen l\n bind :1 ssl crt {}",
        "listen l\n bind :1 ssl crt-list {}",
        "listen l\n bind :1 ssl crt /x ca-file {} crl-file {}",
        "listen l\n bind :1 namespace {}",
        "backend b\n server s 10.0.0.1:1 ssl crt {} ca-file {}",
        "backend b\n errorfile 503 {}",
        "backend b\n errorfiles {}",
        "backend b\n acl a src -f {}",
        "backend b\n http-request set-header a %[src,map({})]",
        "backend b\n filter spoe engine e config {}",
    ],
)
@pytest.mark.parametrize("name", ["/" + "a" * 3000, "a" * 300, "/" + "b/" * 4000, "\x01"])
def test_names_that_no_file_can_have(line: str, name: str) -> None:
    read_text(line.format(name, name) + "\n", env={}, assume_machine=True)

"""Cases: how files of them are read, and how walks are judged."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy.commands.test import main
from hapy.explain.cases import CasesError, judge, read_cases
from hapy.explain.walk import Walker
from hapy_config import read_text

CONFIG = """\
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend f
    bind :80
    http-request deny deny_status 429 if { path /slow }
    http-request set-var(txn.who) src
    http-request set-header X-A b
    default_backend b
backend b
    server s1 192.0.2.1:80
    server s2 192.0.2.2:80 backup
"""


@pytest.fixture(scope="module")
def walker() -> Walker:
    return Walker(read_text(CONFIG, env={}))


def failures(walker: Walker, expected: str, request: str = "GET http://a/", more: str = "") -> tuple[str, ...]:
    (case,) = read_cases(f"- request: {request}\n  expect: {expected}\n{more}")
    return judge(case, walker).failures


@pytest.mark.parametrize(
    ("expected", "request_", "more"),
    [
        ("{backend: b, server: s1, outcome: server, frontend: f}", "GET http://a/", ""),
        ("{server: [s0, s1]}", "GET http://a/", ""),
        ("{server: s2}", "GET http://a/", "  down: [b/s1]\n"),
        ("{status: 503, backend: b}", "GET http://a/", "  down: [b/s1, b/s2]\n"),
        ("{status: 429, body: Too Many, answer-headers: {content-type: text/html}}", "GET http://a/slow", ""),
        (
            '{path: /x, pathq: "/x?y=z", query: y=z, method: PUT, headers: {x-a: b, X-B: null}}',
            "PUT http://a/x?y=z",
            "",
        ),
        ("{path: /x, pathq: /x, url: /x, query: null}", "GET http://a/x", ""),
        ("{variables: {txn.who: 198.51.100.9, txn.no: null}, shares: true}", "GET http://a/", "  src: 198.51.100.9\n"),
    ],
)
def test_as_expected(walker: Walker, expected: str, request_: str, more: str) -> None:
    assert failures(walker, expected, request_, more) == ()


@pytest.mark.parametrize(
    ("expected", "failure"),
    [
        ("{backend: c}", "backend is b, expected c"),
        ("{server: [x, y]}", "server is s1, expected x or y"),
        ("{status: 403}", "status is nothing, expected 403"),
        ("{path: /y}", "path is /, expected /y"),
        ("{headers: {X-A: c}}", "headers: X-A is b, expected c"),
        ("{headers: {X-A: null}}", "headers: X-A is b, expected to be absent"),
        ("{headers: {X-Z: c}}", "headers: X-Z is absent, expected c"),
        ("{body: x}", "there is no answer with a body, expected 'x' in it"),
        ("{variables: {txn.who: 192.0.2.9}}", "variables: txn.who is 192.0.2.1, expected 192.0.2.9"),
        ("{variables: {txn.who: null}}", "variables: txn.who is 192.0.2.1, expected to be unset"),
        ("{shares: false}", "shares is True, expected False"),
        ("{outcome: closed}", "outcome is server, expected closed"),
    ],
)
def test_otherwise(walker: Walker, expected: str, failure: str) -> None:
    assert failures(walker, expected) == (failure,)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", "not YAML"),
        ("", "a list of cases is needed"),
        ("x: y", "unknown key 'x'"),
        ("- request: /", r"case 1 \(/\): 'request' and 'expect' are needed"),
        ("- {request: /, expects: {}}", "unknown key 'expects'"),
        ("- {request: /, expect: {outcome: maybe}}", "'outcome' must be server or answer or closed"),
        ("- {request: /, expect: {shares: 'yes'}}", "'shares' must be true or false"),
        ("- {request: /, expect: {status: [200, two]}}", "the status 'two' is no number"),
        ("- {request: /, expect: {}}", "'expect' must say what to look at"),
        ("- {request: /, expect: {backendd: b}}", "nothing called 'backendd'"),
        ("- {request: /, expect: {headers: x}}", "'headers' must be a mapping"),
        ("- {request: /, expect: {backend: b}, headers: 5}", "'headers' must be a mapping or a list"),
        ("- {request: a b c, expect: {backend: b}}", "is no request"),
        ("- {request: /, expect: {backend: b}, down: x}", "'down' must be a list"),
        ("- {request: /, expect: {backend: b}, why: x}", "unknown key 'why'"),
    ],
)
def test_bad_files(content: str, message: str) -> None:
    with pytest.raises(CasesError, match=message):
        read_cases(content)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("- request: /\n  expect: {backend: b}\n- request: /\n", 3),
        ("cases:\n\n  - request: /\n    expect: {backendd: b}\n", 3),
        ("- request: /\n  expect:\n    backend: b\n    backend: c\n", 4),
        ("- request: /\n  expect: [b\n", 3),
        ("- request: '/\n", 2),
        ("- a\n\tb: c\n", 2),
        ("- request: /\n  src: 2001-02-30\n", 1),
        ("- request: /\n  expect: {a: &x [*y]}\n", 2),
        ("\x00", 1),
    ],
)
def test_faults_are_told_with_their_line(content: str, line: int) -> None:
    with pytest.raises(CasesError) as told:
        read_cases(content)
    assert told.value.line == line
    assert "\n" not in str(told.value)


@given(st.text(alphabet="-: \nrequestxpcb{}[]/1", max_size=60))
def test_any_file(content: str) -> None:
    with suppress(CasesError):
        assert read_cases(content)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, cases = tmp_path / "a.cfg", tmp_path / "a.yaml"
    config.write_text(CONFIG)
    cases.write_text("- {name: fine, request: 'http://a/', expect: {backend: b}}\n")
    assert main([str(config), str(cases)]) == 0
    assert capsys.readouterr().out == "1 passed\n"
    cases.write_text(cases.read_text() + "- {name: wrong, request: 'http://a/', expect: {backend: c}}\n")
    assert main(["-v", "-f", str(config), str(cases)]) == 1
    out = capsys.readouterr().out
    assert "ok    fine" in out
    assert "FAIL  wrong" in out
    assert "1 passed, 1 failed" in out
    assert main([str(config)]) == 2
    assert main([str(config), str(tmp_path / "none")]) == 2
    config.write_text("frontend\n")
    assert main([str(config), str(cases)]) == 2


def test_the_examples_cases() -> None:
    folder = Path(__file__).parents[3] / "examples" / "haproxy_cfgs"
    found = sorted(folder.glob("*.cases.yaml"))
    assert found
    for path in found:
        assert main([str(path).removesuffix(".cases.yaml") + ".cfg", str(path)]) == 0, path


def test_variables_of_the_file(tmp_path: Path) -> None:
    config = tmp_path / "a.cfg"
    config.write_text(
        "global\n setenv HAPY_TENANT shop\ndefaults\n mode http\n timeout connect 1s\n timeout client 1s\n"
        " timeout server 1s\nfrontend f\n bind :80\n http-request redirect location /%[env(HAPY_TENANT)]\n"
    )
    cases = tmp_path / "cases.yaml"
    cases.write_text("- {request: /, expect: {answer-headers: {Location: /shop}}}\n")
    assert main([str(config), str(cases)]) == 0
    assert "HAPY_TENANT" not in os.environ

"""Unknown, known but not run, and newer than 2.6 are three answers."""

from __future__ import annotations

import pytest

from hapy_config import Severity, read_text
from tests.hapy_config.build.conftest import result_of


def codes(text: str) -> dict[str, str]:
    return {found.code: found.hint for found in result_of(text).diagnostics if found.severity is Severity.ERROR}


def test_unknown_has_a_suggestion() -> None:
    assert codes("frontend f\n bindd :1\n") == {"unknown-keyword": "did you mean 'bind'?"}


def test_newer_names_its_version() -> None:
    found = codes("backend b\n hash-preserve-affinity always\n")
    assert list(found) == ["newer-keyword"]
    assert "3.2" in found["newer-keyword"]


def test_newer_actions_and_server_options_too() -> None:
    assert list(codes("frontend f\n bind :1\n http-request pause 5\n")) == ["newer-keyword"]
    assert list(codes("backend b\n server s 10.0.0.1:80 guid x\n")) == ["newer-keyword"]


def test_removed_says_what_to_write() -> None:
    assert "timeout client" in codes("frontend f\n bind :1\n clitimeout 5\n")["removed-keyword"]


def test_another_section_is_named() -> None:
    assert "global" in codes("frontend f\n bind :1\n nbthread 4\n")["wrong-section"]


def test_what_does_not_run_refuses_nothing() -> None:
    result = result_of("frontend f\n bind :1\n filter compression\n compression algo gzip\n")
    assert result.config is not None
    assert {found.code for found in result.not_run} == {"not-run"}
    assert all(found.severity is Severity.ERROR for found in result.not_run)


def test_harmless_ones_are_notices() -> None:
    result = read_text("global\n tune.maxaccept 5\n", env={})
    assert [(found.code, found.severity) for found in result.not_run] == [("harmless", Severity.NOTICE)]


def test_regular_expressions_only_haproxy_can_run() -> None:
    result = result_of("frontend f\n bind :1\n acl a path_reg ^(a|(?R)b)\n http-request deny if a\n")
    assert result.config is not None
    assert [found.code for found in result.not_run] == ["not-run"]


@pytest.mark.parametrize(("protocol", "told"), [("h1", False), ("h2", True), ("fcgi", True)])
def test_protocols_that_are_spoken(protocol: str, told: bool) -> None:
    text = f"backend b\n mode http\n server s 127.0.0.1:2 proto {protocol}\n"
    found = [one for one in read_text(text).not_run if f"'proto {protocol}'" in one.message]
    assert bool(found) == told


def test_a_check_over_another_protocol_is_told() -> None:
    result = result_of(
        "listen l\n bind :1\n option httpchk\n http-check connect proto h2\n http-check send uri /\n server s :1\n"
    )
    assert [(found.severity, found.message) for found in result.not_run] == [
        (Severity.ERROR, "'proto h2' of a check is not run by hapy: only HTTP/1 is spoken")
    ]


@pytest.mark.parametrize(("mode", "told"), [("http", 3), ("tcp", 0)])
def test_http2_is_offered_where_bytes_pass_as_they_are(mode: str, told: int) -> None:
    text = (
        "listen b\n bind :1 ssl crt a.pem alpn h2,http/1.1\n server s 127.0.0.1:2 ssl verify none alpn h2\n"
        f" server t 127.0.0.1:2 check check-ssl verify none check-alpn h2\n server u 127.0.0.1:2 npn h2\n mode {mode}\n"
    )
    found = [one for one in read_text(text, env={}).not_run if "'h2' is not offered" in one.message]
    assert len(found) == told


def test_numbers_of_tune_are_read_as_c_reads_them() -> None:
    result = read_text("global\n tune.maxrewrite x1024\n tune.rcvbuf.client 5k\n tune.bufsize 32768\n", env={})
    assert result.config is not None
    assert {name: result.config.global_.tune[name] for name in ("maxrewrite", "rcvbuf.client", "bufsize")} == {
        "maxrewrite": 0,
        "rcvbuf.client": 5,
        "bufsize": 32768,
    }


@pytest.mark.parametrize(("text", "seconds"), [("300", 300), ("5m", 300), ("1500ms", 2), ("1d", 86400)])
def test_times_of_tune_have_units(text: str, seconds: int) -> None:
    """A time has the unit that the manual names, whatever the line writes it in."""
    result = read_text(f"global\n tune.ssl.lifetime {text}\n tune.idletimer 2s\n", env={})
    assert result.config is not None
    assert result.config.global_.tune["ssl.lifetime"] == seconds
    assert result.config.global_.tune["idletimer"] == 2000

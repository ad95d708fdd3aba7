"""What sections take over from defaults."""

from __future__ import annotations

import pytest

from hapy_config import read_text
from tests.hapy_config.build.conftest import Errors, Read


def test_values_are_inherited_and_overridden(read: Read) -> None:
    config = read("frontend f\n bind :80\nlisten l\n mode tcp\n bind :81\n timeout client 7s\n")
    f, both = config.proxies
    assert (f.mode, f.timeouts.client) == ("http", 5000)
    assert (both.mode, both.timeouts.client, both.timeouts.server) == ("tcp", 7000, 5000)


def test_a_later_anonymous_section_starts_afresh(read: Read) -> None:
    config = read("frontend f\n bind :80\ndefaults\n timeout client 1s\nfrontend g\n bind :81\n")
    f, g = config.proxies
    assert (f.mode, g.mode) == ("http", "tcp")
    assert g.timeouts.server is None


def test_from_names_the_section(read: Read) -> None:
    config = read(
        "defaults a\n mode http\n retries 7\ndefaults b from a\n timeout client 1s\n"
        "backend x from a\nbackend y from b\n"
    )
    x, y = config.proxies
    assert (x.retries, x.timeouts.client) == (7, None)
    assert (y.retries, y.timeouts.client) == (7, 1000)


def test_each_side_takes_its_own(read: Read) -> None:
    config = read("defaults d\n mode http\n maxconn 10\n retries 9\nfrontend f from d\n bind :80\nbackend b from d\n")
    f, b = config.proxies
    assert (f.maxconn, f.retries) == (10, 3)
    assert (b.maxconn, b.retries) == (None, 9)


def test_no_option_takes_back(read: Read) -> None:
    config = read(
        "defaults d\n mode http\n option abortonclose\n option httpclose\n"
        "backend a from d\nbackend b from d\n no option abortonclose\n no option httpclose\n"
    )
    a, b = config.proxies
    assert "abortonclose" in a.options
    assert a.http_mode == "close"
    assert "abortonclose" not in b.options
    assert b.http_mode == "keep-alive"


def test_rules_of_a_named_section_run_first(read: Read) -> None:
    config = read(
        "defaults d\n mode http\n acl here path /d\n http-request deny if here\n"
        "frontend f from d\n bind :80\n http-request allow\n"
    )
    rules = config.proxies[0].rules["http-request"]
    assert [rule.action for rule in rules] == ["deny", "allow"]


def test_default_server_adds_up(read: Read) -> None:
    config = read(
        "defaults d\n mode http\n default-server inter 2s maxconn 4\n"
        "backend b from d\n server a 10.0.0.1:80\n default-server maxconn 9\n server c 10.0.0.1:80 maxconn 1\n"
    )
    a, c = config.proxies[0].servers
    assert (a.maxconn, a.options["inter"]) == (4, ("2000",))
    assert (c.maxconn, c.options["inter"]) == (1, ("2000",))


def test_disabled_is_inherited_and_enabled_undoes_it(read: Read) -> None:
    config = read(
        "defaults d\n mode http\n disabled\nbackend a from d\nbackend b from d\n enabled\nlisten l\n bind :1\n"
    )
    assert [proxy.disabled for proxy in config.proxies] == [True, False, True]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("frontend f from nowhere\n bind :80\n", "not found"),
        ("defaults a\ndefaults a\nfrontend f from a\n bind :80\n", "ambiguous"),
        ("defaults\n http-request deny\n", "anonymous"),
        ("defaults a\n redirect location /\n", "not allowed"),
        ("defaults a\n mode http\n http-request deny\nlisten l from a\n bind :80\n", "listen section cannot inherit"),
        (
            "defaults a\n mode http\n http-request deny\nfrontend f from a\n bind :80\nbackend b from a\n",
            "cannot inherit from the same",
        ),
        ("defaults a\n mode http\n http-request deny\ndefaults b from a\n", "defining TCP/HTTP rules"),
        (
            "defaults a\n mode http\n acl x path /\nfrontend f from a\n bind :80\n http-request deny if x\n",
            "no such ACL",
        ),
    ],
)
def test_refused(errors: Errors, text: str, part: str) -> None:
    assert any(part in message for message in errors(text))


def test_mixed_use_is_an_alert_that_refuses_nothing() -> None:
    text = "defaults a\n mode http\n timeout client 1s\nfrontend f from a\n bind :80\nfrontend g\n bind :81\n"
    result = read_text(text, env={})
    assert result.config is not None
    assert [found.code for found in result.diagnostics] == ["mixed-defaults"]
    assert not result.diagnostics.found[0].fatal


@pytest.mark.parametrize("header", ['defaults from ""', 'defaults from "" x', "defaults from"])
def test_from_may_be_a_name(read: Read, header: str) -> None:
    config = read(f"{header}\n mode http\n retries 7\nbackend b from from\n")
    assert config.proxies[0].retries == 7

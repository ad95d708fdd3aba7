from __future__ import annotations

import pytest

from hapy import overrides
from hapy.options import parse
from hapy_config import read_text
from hapy_config.model.config import Config

TEXT = """
global
{settings}
defaults
    timeout client 1s
    timeout connect 1s
    timeout server 1s
frontend one
    bind :80
frontend two
    bind :81
    maxconn 7
    bind /one.sock
    bind /two.sock mode 600 uid 5
backend b
    server s 127.0.0.1:80
    server t 127.0.0.1:80 ssl verify required ca-file @system-ca
"""


def applied(words: str, settings: str = "") -> tuple[Config, Config]:
    config = read_text(TEXT.format(settings=settings)).config
    assert config is not None
    return config, overrides.apply(config, parse(words.split()))


def test_nothing_asked_nothing_changed() -> None:
    before, after = applied("-f x")
    assert after is before


def test_the_default_limit_of_frontends() -> None:
    _, after = applied("-N 3")
    assert [proxy.maxconn for proxy in after.proxies] == [3, 7, None]


def test_unresolved_servers_are_ignored() -> None:
    _, after = applied("-dr")
    assert after.proxies[2].servers[0].init_addr == ("last", "libc", "none")


def test_no_server_is_verified() -> None:
    _, after = applied("-dV")
    tls = after.proxies[2].servers[1].tls
    assert tls is not None
    assert tls.verify == "none"


def test_unix_bind_gives_what_a_bind_line_leaves_out() -> None:
    _, after = applied("", "    unix-bind prefix /run mode 660 uid 3 gid 4")
    one, two = after.proxies[1].binds[1:]
    assert (one.address.host, one.mode, one.uid, one.gid) == ("/run/one.sock", 0o660, "3", "4")
    assert (two.address.host, two.mode, two.uid, two.gid) == ("/run/two.sock", 0o600, "5", "4")
    assert after.proxies[0].binds[0].address.host == ""


@pytest.mark.parametrize("words", ["-dr", "-dV", "-N 5"])
def test_the_rest_stays(words: str) -> None:
    before, after = applied(words)
    assert [proxy.name for proxy in after.proxies] == [proxy.name for proxy in before.proxies]
    assert after.global_ == before.global_

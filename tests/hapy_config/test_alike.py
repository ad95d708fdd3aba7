"""What is suggested for misspelt words, and that nothing silly is."""

from __future__ import annotations

from pathlib import Path

import pytest

from hapy_config import read_text
from hapy_config.alike import nearest
from hapy_config.hints import Hints

_HEAD = """\
defaults
 mode http
 timeout client 5s
 timeout server 5s
 timeout connect 5s
resolvers dns
 nameserver n 127.0.0.1:53
userlist admins
 group ops users alice
 user alice insecure-password x
backend app_servers
 server app1 127.0.0.1:80
frontend web
 bind 127.0.0.1:7999
 default_backend app_servers
"""


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("scr", ("str", "src"), "src"),
        ("hrd", ("thread", "hdr"), "hdr"),
        ("accept_proxy", ("accept-proxy", "acl"), "accept-proxy"),
        ("interval", ("inter", "interface"), "inter"),
        ("static", ("static_servers", "status"), "status"),
        ("static", ("static_servers", "other"), "static_servers"),
        ("clients", ("client", "client-fin"), "client"),
        ("localhost", ("LOCALHOST",), "LOCALHOST"),
        ("url", ("uri",), "uri"),
        ("foo", ("frontend", "for", "deny"), "for"),
        ("proxy_pass", ("http-reuse", "acl", "option"), ""),
        ("ip", ("if", "on"), ""),
        ("known", ("known", "knows"), ""),
        ("", ("a",), ""),
    ],
)
def test_nearest(word: str, known: tuple[str, ...], meant: str) -> None:
    assert nearest(word, known) == meant


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        (" acl x path_bge /x", "path_beg"),
        (" acl x hrd(host) x", "hdr"),
        (" acl x path -m regex /x", "reg"),
        (" acl x urlp_ret(a) x", "urlp_reg"),
        (" http-request deny if localhost", "LOCALHOST"),
        (" http-request set-var(tx.a) src", "txn"),
        (" http-request set-header X %[scr]", "src"),
        (" optoin httplog", "option"),
        (" mode htpp", "http"),
        (" compression algo gzipp", "gzip"),
        (" capture reqest header X len 5", "request"),
        (" capture request headr X len 5", "header"),
        (" log globl", "global"),
        (" bind :81 ssl crt x ssl-min-ver TLS1.2", "TLSv1.2"),
        (" email-alert mailer x", "mailers"),
        (" filter trace hexdmp", "hexdump"),
        ("default", "defaults"),
        ("backend b\n stick on src tabel b", "table"),
        ("backend b\n server a 1.1.1.1:80 track app_server/app1", "app_servers"),
        ("backend b\n http-check expect stats 200", "status"),
        ("backend b\n tcp-check expect sting x", "string"),
        ("resolvers r\n timeout retr 1s", "retry"),
        ("resolvers r\n hold vaild 1s", "valid"),
        ("mailers m\n timeout mial 1s", "mail"),
        ("userlist u\n group ops\n user a insecure-password x groups op", "ops"),
    ],
)
def test_suggestions(line: str, meant: str) -> None:
    result = read_text(f"{_HEAD}{line}\n", "t.cfg", env={}, assume_machine=True)
    hints = Hints(result.document)
    assert f"did you mean '{meant}'?" in [hints.hinted(found).hint for found in result.diagnostics]


@pytest.mark.parametrize(
    "line",
    [
        *(" location /", " server_name x", " option gzip", " bind :81 tls", " acl x header a", " filter gzip"),
        *(" http-request rewrite /x", " use_backend nothing", "upstream x", "backend b\n balance ip_hash"),
    ],
)
def test_words_of_other_programs(line: str) -> None:
    result = read_text(f"{_HEAD}{line}\n", "t.cfg", env={}, assume_machine=True)
    hints = Hints(result.document)
    assert not [hint for found in result.diagnostics if "did you mean" in (hint := hints.hinted(found).hint)]


def test_words_of_several_sections() -> None:
    result = read_text("global\n timeout 5s\n", "t.cfg", env={})
    assert [found.hint for found in result.diagnostics] == [
        "it may stand in: defaults, frontend, listen, backend, resolvers, mailers, ring, log-forward"
    ]


def test_a_file_that_is_not_there_is_compared_with_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "sorry.http").write_bytes(b"HTTP/1.0 503 x\r\n\r\n")
    missing = tmp_path / "sory.http"
    result = read_text(f"backend b\n errorfile 503 {missing}\n", env={})
    hints = Hints(result.document)
    found = [hints.hinted(one).hint for one in result.diagnostics if one.code == "missing-file"]
    assert found == [f"did you mean '{tmp_path / 'sorry.http'}'?"]

"""nginx.conf to haproxy.cfg."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy_config.api import read_text
from hapy_config.source import Source
from hapy_config.translate.from_nginx import from_nginx
from hapy_config.translate.report import Loss

SITE = r"""
user www; # a comment; with a semicolon
events { worker_connections 512; }
http {
  map $http_x_app $pool { default up; blue up2; ~^gr up; }
  upstream up { least_conn; server 127.0.0.1:9001 weight=3; server 127.0.0.1:9002 backup max_fails=2 fail_timeout=5s; }
  upstream up2 { server 127.0.0.1:9003; }
  gzip on;
  server {
    listen 127.0.0.1:8080 default_server; server_name a.example;
    location ~* \.(jpg|png)$ { return 200 "a # b {\"x\"}\n"; }
    location ~ "^/a{2,3}" { return 404; }
    if ($http_x = "evil") { return 403; }
    rewrite ^/old/(.*)$ https://new.example/$1 permanent;
    location / { proxy_pass http://up; proxy_set_header A "${remote_addr}c"; proxy_set_header Host $host; }
    location /api/ { proxy_pass http://127.0.0.1:9004/v1/; proxy_read_timeout 5m; }
    location = /exact { allow 10.0.0.0/8; deny all; proxy_pass https://up2; }
    location /map { proxy_pass http://$pool; }
    location /php { fastcgi_pass 127.0.0.1:9000; }
  }
  server { listen 127.0.0.1:8080; server_name other.example *.wild.example; return 301 https://$host$request_uri; }
}
stream {
  map $ssl_preread_server_name $to { a.example 127.0.0.1:9443; default up3; }
  upstream up3 { hash $remote_addr consistent; server 127.0.0.1:9444; server 127.0.0.1:9445; }
  server { listen 127.0.0.1:8443; ssl_preread on; proxy_pass $to; }
}
"""


def translated(text: str) -> tuple[str, dict[int, Loss]]:
    outcome = from_nginx([Source.from_text("nginx.conf", text)])
    return outcome.files["haproxy.cfg"], {note.span.line: note.loss for note in outcome.notes}


def test_locations_are_asked_in_nginxs_order() -> None:
    text, lost = translated(SITE)
    uses = [line.split(" if ")[-1].strip() for line in text.splitlines() if line.strip().startswith("use_backend")]
    paths = [use for use in uses if "path" in use]
    assert paths[0] == "{ var(txn.ngx_path) -m str /exact }"
    assert paths[1:3] == [
        r"{ var(txn.ngx_path) -m reg -i '\.(jpg|png)$' }",
        "{ var(txn.ngx_path) -m reg ^/a{2,3} }",
    ]
    assert paths[3] == "{ var(txn.ngx_path) -m beg /api/ }"
    assert lost[19] is Loss.LOST  # fastcgi_pass
    result = read_text(text, assume_machine=True)
    assert result.config is not None
    assert result.config.backend("a.example_api") is not None


@pytest.mark.referee
def test_haproxy_takes_the_result(tmp_path: Path) -> None:
    program = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if program is None:
        pytest.skip("haproxy is not installed")
    (tmp_path / "haproxy.cfg").write_text(translated(SITE)[0])
    done = subprocess.run(
        [program, "-c", "-f", str(tmp_path / "haproxy.cfg")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_haproxy_would_refuse_is_told() -> None:
    outcome = from_nginx(
        [Source.from_text("nginx.conf", "http { server { listen 80; location / { proxy_pass http://127.; } } }")]
    )
    assert any("of the result is refused" in note.text for note in outcome.notes if note.loss is Loss.LOST)


@pytest.mark.parametrize("text", ["http {", "a", "http { server { listen 80 } }", "}", 'x "'])
def test_what_is_not_the_language_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"nginx\.conf:1"):
        translated(text)


_WORDS = ["http", "{", "}", ";", "server", "location", "/x", "proxy_pass", "http://a", "return", "404", "$x", "listen", "80",
          "map", "upstream", "if", "($x", "=", "y)", "rewrite", "^", "set", "~", '"q"', "include", "allow", "hash", "add_header"]  # fmt: skip


@given(st.lists(st.sampled_from(_WORDS), max_size=25))
def test_no_input_is_too_odd(words: list[str]) -> None:
    for text in (" ".join(words), f"http {{ server {{ {' '.join(words)} ; }} }}"):
        with contextlib.suppress(ValueError):
            translated(text)


@pytest.mark.parametrize(
    ("listen", "bind"),
    [("80", "bind :80"), ("[::]:80", "bind [::]:80 v6only"), ("[::]:80 ipv6only=off", "bind [::]:80 v4v6")],
)
def test_listeners_take_the_families_that_nginx_takes(listen: str, bind: str) -> None:
    text = f"events {{}}\nhttp {{ server {{ listen {listen}; return 200; }} }}"
    written = from_nginx([Source.from_text("nginx.conf", text)])
    assert f"    {bind}\n" in dict(written.files)["haproxy.cfg"]


_NAMES = "option http-restrict-req-hdr-names delete"
_UPGRADE = "http-request del-header Upgrade"


@pytest.mark.parametrize(
    ("said", "kept", "left_out"),
    [
        ("", (_NAMES, _UPGRADE), ()),
        ("underscores_in_headers on;", (_UPGRADE,), (_NAMES,)),
        ("ignore_invalid_headers off;", (_UPGRADE,), (_NAMES,)),
        ("proxy_set_header Upgrade $http_upgrade;", (_NAMES,), (_UPGRADE,)),
    ],
)
def test_headers_that_nginx_drops_do_not_go_on(said: str, kept: tuple[str, ...], left_out: tuple[str, ...]) -> None:
    text = f"events {{}}\nhttp {{ {said} server {{ listen 80; location / {{ proxy_pass http://127.0.0.1:81; }} }} }}"
    written = dict(from_nginx([Source.from_text("nginx.conf", text)]).files)["haproxy.cfg"]
    assert all(line in written for line in kept)
    assert not any(line in written for line in left_out)


def test_what_differs_of_paths_and_of_addresses_sent_on_to_is_told() -> None:
    text = (
        "events {}\nhttp { server { listen 80; add_header X-A b;\n location /a/ { proxy_pass http://127.0.0.1:81;\n"
        " proxy_set_header X-U $uri; proxy_set_header X-R $request_uri; } } }"
    )
    told = [(note.span.line, note.text) for note in from_nginx([Source.from_text("nginx.conf", text)]).notes]
    bare = "the answer that leads from /a on has none of the headers of add_header"
    assert (3, bare) in told
    assert (4, "X-U has the path as it came, not decoded") in told
    assert not any("X-R" in one for _, one in told)


def test_settings_that_nothing_takes_are_no_loss() -> None:
    _, lost = translated("""http {
        proxy_set_header X-A 1;
        auth_basic_user_file /users;
        server { listen 80; return 204; location / { proxy_pass http://127.0.0.1:1; proxy_set_header X-B 1; } }
        server { listen 81; location / { return 200; } }
        server { listen 82; location / { proxy_pass http://127.0.0.1:1; proxy_set_header X-C 1; } }
    }""")
    assert Loss.LOST not in lost.values()
    assert lost[4] is Loss.NONE  # its location is never reached


@pytest.mark.parametrize(
    ("servers", "said", "wanted"),
    [
        ("server 127.0.0.1:1;", "", ["retries 0"]),
        ("server 127.0.0.1:1; server 127.0.0.1:2 down;", "proxy_next_upstream http_503;", ["retries 0"]),
        ("server 127.0.0.1:1; server 127.0.0.1:2;", "proxy_next_upstream off;", ["retries 0"]),
        (
            "server 127.0.0.1:1; server 127.0.0.1:2; server 127.0.0.1:3;",
            "proxy_next_upstream_tries 2; proxy_next_upstream http_403 http_503;",
            ["retries 1", "retry-on 403 503", "http-request disable-l7-retry if { method POST LOCK PATCH }"],
        ),
        (
            "server 127.0.0.1:1; server 127.0.0.1:2;",
            "proxy_next_upstream error non_idempotent;",
            ["retries 1", "retry-on conn-failure empty-response"],
        ),
    ],
)
def test_each_server_is_tried_once(servers: str, said: str, wanted: list[str]) -> None:
    text, _ = translated(
        f"http {{ upstream u {{ {servers} }} server {{ listen 80; {said} location / {{ proxy_pass http://u; }} }} }}"
    )
    lines = [line.strip() for line in text.splitlines()]
    assert [line for line in lines if line.startswith(("retries", "retry-on")) or "l7-retry" in line] == wanted

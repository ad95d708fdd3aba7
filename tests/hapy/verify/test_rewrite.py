"""Configurations that touch nothing outside."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from compat.corpus_differences import corpus
from hapy.verify.rewrite import Private, make_private
from hapy_config import read_text
from hapy_config.source import Source

CONFIG = """\
global
    log /dev/log local0 info
    chroot /var/lib/haproxy
    user haproxy
    stats socket /run/haproxy.sock level admin
    maxconn 100
defaults
    mode http
    log global
    default-server inter 5s maxconn 7 ssl verify none
    timeout connect 1s
    timeout client 1s
    timeout server 1s
frontend fe
    bind :80 name plain
    bind :443 ssl crt /etc/ssl/x.pem alpn h2,http/1.1 name tls   # here
    default_backend be
backend be
    server s1 app.example:443 check port 81 weight 3 sni str(x) resolvers dns
    server-template t 2 _x._tcp.example check cookie c
resolvers dns
    nameserver a 192.0.2.1:53
peers p
    peer other 192.0.2.2:1024
"""


def private(text: str = CONFIG) -> Private:
    return make_private([Source.from_text("a.cfg", text)], lambda _b, _s: "127.0.0.1:9", "127.0.0.1:514")


def test_what_reaches_outside() -> None:
    found = private()
    lines = [line.strip() for line in found.texts["a.cfg"].splitlines()]
    assert len(lines) == len(CONFIG.splitlines())
    assert lines[1] == "log 127.0.0.1:514 local0 info"
    assert lines[2:5] == ["# chroot /var/lib/haproxy", "# user haproxy", "# stats socket /run/haproxy.sock level admin"]
    assert lines[9] == "default-server maxconn 7"
    assert lines[14:16] == [
        'bind "fd@${hapy_verify_15_fe}" name plain',
        'bind "fd@${hapy_verify_16_fe}" name tls ssl crt own.pem',
    ]
    assert lines[18] == "server s1 127.0.0.1:9 weight 3"
    assert lines[19] == "server-template t 2 127.0.0.1:9 cookie c"
    assert lines[23] == "disabled"
    assert found.listeners == {"fe": ["hapy_verify_15_fe", "hapy_verify_16_fe"]}
    assert found.servers == [("be", "s1"), ("be", "t")]
    assert "health checks are left out: all servers are up" in found.left_out
    assert found.encrypted == {"hapy_verify_16_fe"}
    assert any("one certificate of our own" in told for told in found.left_out)


def test_real_files_stay_valid() -> None:
    folder = corpus()
    if folder is None:
        pytest.skip("no corpus of real configurations (HAPY_CORPUS or ../shared/corpus)")
    checked = 0
    listener = socket.socket()
    for path in sorted(folder.glob("*.cfg"))[::8]:
        text = Path(path).read_bytes().decode("utf-8", "surrogateescape")
        before = read_text(text, env={}, assume_machine=True)
        if before.config is None:
            continue
        found = private(text)
        names = {name: str(listener.fileno()) for names in found.listeners.values() for name in names}
        after = read_text(found.texts["a.cfg"], env=names, assume_machine=True)
        assert after.config is not None, (path, [finding for finding in after.diagnostics if finding.severity == 3])
        assert len(after.config.proxies) == len(before.config.proxies)
        checked += 1
    listener.close()
    assert checked > 20

"""`hapy verify`: both programs with the same requests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from hapy.commands.verify import main
from hapy.verify.stubs import MARK, Stub

CONFIG = """\
defaults
    mode http
    timeout connect 2s
    timeout client 5s
    timeout server 5s
frontend web
    bind :8080
    option forwardfor
    http-request deny if { path_beg /no }
    http-request set-header X-Path %[path,upper]
    use_backend two if { req.hdr(x-to) two }
    default_backend one
backend one
    balance roundrobin
    server a 192.0.2.1:80
    server b 192.0.2.2:80
backend two
    http-response set-header X-Two %[res.hdr(server)]
    server c 192.0.2.3:443 ssl verify none
frontend tcp
    mode tcp
    bind :9
    default_backend raw
backend raw
    mode tcp
    server r 192.0.2.4:9
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "a.cfg"
    path.write_text(CONFIG)
    return path


@pytest.mark.referee
def test_alike(haproxy: str, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    requests = tmp_path / "requests"
    requests.write_text(
        "GET http://a:8080/x\nPOST http://a:8080/y\nHEAD http://a:8080/z\nGET http://a:8080/no HTTP/1.0\n"
    )
    arguments = ["--requests", str(requests), "--request", "http://a:8080/", "--header", "X-To: two"]
    assert main([str(config), "--against", haproxy, *arguments]) == 0
    out = capsys.readouterr().out
    assert "5 of 5 requests alike" in out
    assert "TLS to servers is left out" in out


@pytest.fixture
def other(haproxy: str, tmp_path: Path) -> str:
    """A haproxy that differs: a variable of its own."""
    path = tmp_path / "other"
    path.write_text(f'#!/bin/sh\nHAPY_WHO=theirs exec {haproxy} "$@"\n')
    path.chmod(0o755)
    return str(path)


_WHO = "global\n    presetenv HAPY_WHO ours\n"


@pytest.mark.referee
def test_different(other: str, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(_WHO + CONFIG.replace("X-Path %[path,upper]", "X-Path %[env(HAPY_WHO)]"))
    assert main([str(config), "--against", other]) == 1
    out = capsys.readouterr().out
    assert "server gets: -x-path: theirs" in out
    assert "server gets: +x-path: ours" in out
    assert "0 of 1 requests alike" in out


@pytest.mark.referee
def test_what_is_never_the_same(haproxy: str, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fields that one program itself gives another value each time are no differences."""
    lines = (
        "    http-response set-header X-Any %[rand(1000000000)]\n    unique-id-format %{+X}o\\ %ci:%cp_%Ts_%rt:%pid\n"
    )
    config.write_text(CONFIG.replace("    option forwardfor\n", f"{lines}    unique-id-header X-Id\n"))
    assert main([str(config), "--against", haproxy]) == 0
    out = capsys.readouterr().out
    assert "note: the field x-any differs each time\n" in out
    assert "note: the field x-id differs each time\n" in out
    assert "1 of 1 requests alike" in out


@pytest.mark.referee
def test_what_cannot_be_run(haproxy: str, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(config), "--against", haproxy, "--request", "a b c"]) == 2
    assert main([str(config), "--against", haproxy, "--frontend", "x", "--request", "/"]) == 2
    assert main([str(config), "--against", "no-such-program"]) == 2
    config.write_text("frontend f\n nonsense\n")
    assert main([str(config), "--against", haproxy]) == 2
    assert "nonsense" in capsys.readouterr().err


@pytest.mark.referee
def test_a_log_tells_its_frontends(
    haproxy: str, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(CONFIG + "frontend other\n bind :8081\n default_backend two\n")
    log = tmp_path / "log"
    line = 'lb haproxy[1]: 192.0.2.1:2 [20/Nov/2026:10:00:00.000] {} b/s 0/0/0/1/1 200 5 - - ---- 1/1/0/0/0 0/0 "GET /x HTTP/1.1"\n'
    log.write_text(line.format("web") + "started\n" + line.format("other~"))
    assert main([str(config), "--against", haproxy, "--log", str(log)]) == 0
    assert "2 of 2 requests alike" in capsys.readouterr().out
    log.write_text("nothing of the kind\n")
    assert main([str(config), "--against", haproxy, "--log", str(log)]) == 2
    assert main([str(config), "--against", haproxy, "--log", str(tmp_path / "missing")]) == 2
    err = capsys.readouterr().err
    assert "holds no request" in err
    assert "cannot read" in err


@pytest.mark.referee
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_was_used_goes_when_it_is_interrupted(
    haproxy: str, config: Path, tmp_path: Path, number: signal.Signals
) -> None:
    requests = tmp_path / "requests"
    requests.write_text("GET http://a:8080/x\n" * 20000)
    used = tmp_path / "used"
    used.mkdir()
    command = [sys.executable, "-m", "hapy", "verify", str(config), "--against", haproxy, "--requests", str(requests)]
    environment = {**os.environ, "TMPDIR": str(used)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        while not list(used.glob("hapy-verify-*/output")):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == (130 if number == signal.SIGINT else 128 + number)
    assert err == b""
    assert list(used.iterdir()) == []
    for folder in Path("/proc").glob("[0-9]*"):  # no program of it is left
        with suppress(OSError):
            assert str(used).encode() not in (folder / "cmdline").read_bytes()


@pytest.mark.referee
def test_peers_and_statistics(haproxy: str, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    peers = "peers others\n peer far 192.0.2.9:1\n table seen type ip size 1k\n"
    table = "    stick-table type ip size 1k peers others\n    http-request track-sc0 src table others/seen\n"
    page = "listen page\n bind :81\n stats enable\n stats uri /\n"
    config.write_text(CONFIG.replace("frontend web\n", f"{peers}frontend web\n{table}") + page)
    assert main([str(config), "--against", haproxy]) == 0
    out = capsys.readouterr().out
    assert "peers are left out" in out
    assert "of statistics pages the status alone is compared" in out
    assert "2 of 2 requests alike" in out


@pytest.mark.referee
def test_long_differences_are_cut(other: str, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many = "".join(f"    http-response add-header X-{number} %[env(HAPY_WHO)]\n" for number in range(60))
    config.write_text(_WHO + CONFIG.replace("    option forwardfor\n", many))
    assert main([str(config), "--against", other]) == 1
    assert "lines more" in capsys.readouterr().out


@pytest.mark.referee
def test_lines_that_do_not_count(haproxy: str, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    block = ".if streq(a,b)\n    bind 127.0.0.1:1\n.else\n    bind :8080\n.endif\n"
    config.write_text(CONFIG.replace("    bind :8080\n", block))
    assert main([str(config), "--against", haproxy]) == 0
    assert "1 of 1 requests alike" in capsys.readouterr().out


@pytest.mark.referee
def test_the_scheme_tells_the_frontend(
    haproxy: str, other: str, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate = trustme.CA().issue_cert("a.example")
    pem = tmp_path / "own.pem"
    pem.write_bytes(certificate.private_key_pem.bytes() + certificate.cert_chain_pems[0].bytes())
    mark = "    http-response add-header X-Who %[env(HAPY_WHO)]\n"
    second = f"frontend safe\n    bind :8443 ssl crt {pem}\n{mark}    default_backend one\n"
    config.write_text(_WHO + CONFIG + second)
    requests = ["--request", "http://a.example/", "--request", "https://a.example/"]
    assert main([str(config), "--against", haproxy, *requests]) == 0
    assert "2 of 2 requests alike" in capsys.readouterr().out
    assert main([str(config), "--against", other, *requests]) == 1
    out = capsys.readouterr().out
    assert "(frontend safe)" in out
    assert "(frontend web)" not in out


@pytest.mark.referee
def test_tcp_and_proxy_headers(haproxy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Frontends of mode tcp pass the same requests; a PROXY header is a part of what a server gets."""
    path = tmp_path / "tcp.cfg"
    path.write_text(
        CONFIG.replace("192.0.2.4:9", "192.0.2.4:9 send-proxy").replace("192.0.2.3:443", "192.0.2.3:443 send-proxy-v2")
    )
    assert (
        main([str(path), "--request", "GET http://a:9/", "--request", "GET http://a:8080/", "--header", "X-To: two"])
        == 0
    )
    assert "2 of 2 requests alike" in capsys.readouterr().out


def test_stub_takes_proxy_headers() -> None:
    stub = Stub("b/s")
    try:
        host, port = stub.address.split(":")
        for mark, preface in ((b"1", b"PROXY TCP4 192.0.2.1 192.0.2.2 3 4\r\n"), (b"2", b"")):
            with socket.create_connection((host, int(port)), timeout=10) as sock:
                sock.sendall(
                    preface + b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s: %s\r\n\r\n" % (MARK, mark)
                )
                assert sock.recv(65536).startswith(b"HTTP/1.1 200")
        assert stub.heads[b"1"][1] == b"(PROXY header): 192.0.2.1 to 192.0.2.2"
        assert stub.heads[b"2"][1] == b"host: a"
    finally:
        stub.close()


@pytest.mark.referee
def test_what_is_not_run_is_told(haproxy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sticky.cfg"
    path.write_text(
        CONFIG.replace(
            "    balance roundrobin\n", "    balance roundrobin\n    stick-table type ip size 1k\n    stick on src\n"
        )
    )
    assert main([str(path), *(word for _ in range(2) for word in ("--request", "GET http://a:8080/"))]) == 1
    out = capsys.readouterr().out
    assert f"note: {path}:16:5: 'stick on' is not run by hapy" in out
    assert "server: haproxy one/a, hapy one/b" in out


@pytest.mark.referee
def test_checks_and_exporters(haproxy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Checks that need what a private run does not have; numbers that each program gives of itself."""
    path = tmp_path / "checks.cfg"
    path.write_text(
        "global\n    external-check\n    insecure-fork-wanted\n"
        + CONFIG.replace(
            "    default_backend one\n",
            "    http-request use-service prometheus-exporter if { path /metrics }\n    default_backend one\n",
        )
        + "backend three\n    option external-check\n    external-check command /bin/true\n    server x 192.0.2.5:80 check\n"
        + "backend four\n    option tcp-check\n    tcp-check connect ssl\n    server y 192.0.2.5:80 check verify none\n"
    )
    assert main([str(path), "--request", "GET http://a:8080/", "--request", "GET http://a:8080/metrics"]) == 0
    assert "2 of 2 requests alike" in capsys.readouterr().out


TLS = """\
defaults
    mode http
    timeout connect 2s
    timeout client 5s
    timeout server 5s
frontend web
    bind :8080
    bind :8443 ssl crt /nowhere/own.pem verify optional ca-file /nowhere/ca.pem alpn h2
    http-request redirect scheme https unless { ssl_fc }
    http-request set-header X-Name %[ssl_fc_sni]
    http-response set-header X-Proto https
    default_backend b
backend b
    server s 192.0.2.1:80
"""


def test_clients_speak_tls(haproxy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tls.cfg"
    path.write_text(TLS)
    log = tmp_path / "log"
    log.write_text(
        '1.2.3.4:5 [06/Feb/2024:12:14:14.655] web~ b/s 0/0/0/1/1 200 9 - - ---- 1/1/0/0/0 0/0 "GET /l HTTP/1.1"\n'
    )
    asked = [f"{scheme}://{host}/" for scheme in ("http", "https") for host in ("a.example", "[::1]")]
    words = [word for one in asked for word in ("--request", one)]
    assert main([str(path), "--against", haproxy, *words, "--log", str(log)]) == 0
    said = capsys.readouterr().out
    assert "5 of 5 requests alike; server connections: haproxy 3, hapy 3" in said
    assert "note: bind lines have one certificate of our own" in said
    assert max(map(len, said.splitlines())) <= 80
    altered = tmp_path / "altered"
    altered.write_text(
        f'#!/bin/sh\nfor f; do [ -f "$f" ] && sed -i s/X-Proto/X-Other/ "$f"; done\nexec {haproxy} "$@"\n'
    )
    altered.chmod(0o755)
    assert main([str(path), "--against", str(altered), *words]) == 1
    said = capsys.readouterr().out
    assert said.count("answer: -x-other: https") == said.count("answer: +x-proto: https") == 2
    assert "2 of 4 requests alike" in said

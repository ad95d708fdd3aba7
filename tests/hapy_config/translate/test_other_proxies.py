"""haproxy.cfg for nginx, Caddy and Envoy: every statement is accounted for, and the real programs answer alike."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from hapy_config.api import read_text
from hapy_config.syntax import Document
from hapy_config.translate.caddy import to_caddy
from hapy_config.translate.envoy import to_envoy
from hapy_config.translate.nginx import to_nginx
from hapy_config.translate.report import Loss, Translation

EXAMPLES = sorted((Path(__file__).parents[3] / "examples/haproxy_cfgs").glob("*.cfg"))
TARGETS = {"nginx": to_nginx, "caddy": to_caddy, "envoy": to_envoy}

SCENARIO = """
defaults
    mode http
    timeout connect 2s
    timeout client 10s
    timeout server 10s

frontend web
    bind 127.0.0.1:{port}
    option forwardfor
    monitor-uri /alive
    acl api path_beg /api/ /rest/
    acl host_b hdr(host) -i b.example
    acl local src 127.0.0.0/8
    http-request deny deny_status 405 if METH_DELETE
    http-request deny if {{ path_beg /private }} !local
    http-request deny deny_status 404 if {{ path_end -i .php }} or {{ hdr(x-bad) -m found }}
    http-request return status 200 content-type text/plain string "robots {{}} \\$here\\n" if {{ path /robots.txt }}
    http-request redirect prefix https://new.example code 301 if {{ path_beg /old/ }}
    http-request redirect location /elsewhere code 303 if {{ path /here }}
    http-request set-header X-Proto plain
    http-request set-header X-Kind api if api
    http-request del-header X-Secret
    http-request replace-path /rest/(.*) /api/\\1 if {{ path_beg /rest/ }}
    http-response set-header X-Answered yes
    http-response del-header X-Origin-Only
    use_backend api if api METH_GET
    use_backend b if host_b !{{ method POST }}
    default_backend pages

backend api
    http-request deny deny_status 403 if {{ path /api/closed }}
    http-request set-header X-Backend api
    server one 127.0.0.1:{one}
backend b
    server two 127.0.0.1:{two}
backend pages
    server three 127.0.0.1:{three}
"""
REQUESTS: list[tuple[str, str, dict[str, str]]] = [
    ("GET", "/", {}),
    ("GET", "/api/users?x=1&y=%20", {}),
    ("GET", "/API/users", {}),
    ("POST", "/api/users", {}),
    ("DELETE", "/api/users", {}),
    ("GET", "/x.PHP", {}),
    ("GET", "/x", {"X-Bad": "1"}),
    ("GET", "/private/a", {"X-Secret": "s"}),
    ("GET", "/robots.txt", {}),
    ("GET", "/robots.txt.bak", {}),
    ("GET", "/old/page?q=2", {}),
    ("GET", "/here", {}),
    ("GET", "/rest/a/b", {}),
    ("GET", "/api/closed", {}),
    ("GET", "/alive", {}),
    ("GET", "/page", {"Host": "B.example"}),
    ("POST", "/page", {"Host": "b.example"}),
]


def translated(name: str, text: str) -> tuple[Translation, Document]:
    result = read_text(text, "haproxy.cfg", assume_machine=True)
    assert result.config is not None, [one.message for one in result.diagnostics]
    return TARGETS[name](result.config, result.document), result.document


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_statement_of_an_example_is_accounted_for(path: Path, target: str) -> None:
    outcome, document = translated(target, path.read_text())
    lines = {
        (one.source.name, one.line) for section in document.sections for one in (section.header, *section.statements)
    }
    assert sum(outcome.counts) == len(lines)
    assert {(note.span.file, note.span.line) for note in outcome.notes} <= lines
    again, _ = translated(target, path.read_text())
    assert again == outcome


@pytest.mark.parametrize("target", TARGETS)
def test_what_has_no_counterpart_is_named_with_its_line(target: str) -> None:
    text = (
        "frontend f\n mode http\n bind :80\n stick-table type ip size 1k store conn_cur\n http-request track-sc0 src\n"
        " http-request deny if { sc0_conn_cur gt 5 }\n use_backend b if { nbsrv(b) gt 1 }\n default_backend b\n"
        "backend b\n mode http\n server s 10.0.0.1:80\n"
    )
    outcome, _ = translated(target, text)
    lost = {note.span.line for note in outcome.notes if note.loss is Loss.LOST}
    assert {4, 5, 6, 7} <= lost


def test_envoy_gets_routes_in_order_and_clusters_of_all_servers() -> None:
    text = SCENARIO.format(port=80, one=1, two=2, three=3)
    rewrite = next(line for line in text.splitlines() if "replace-path" in line)
    outcome, _ = translated("envoy", text.replace(rewrite, ""))
    whole = yaml.safe_load(outcome.files["envoy.yaml"])["static_resources"]
    assert [one["name"] for one in whole["clusters"]] == ["api", "b", "pages"]
    manager = whole["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    routes = manager["route_config"]["virtual_hosts"][0]["routes"]
    assert all("match" in one and {"route", "redirect", "direct_response"} & set(one) for one in routes)
    assert routes[-1]["match"]["prefix"] == "/"
    assert routes[-1]["route"]["cluster"] == "pages"
    assert [one["direct_response"]["status"] for one in routes if "direct_response" in one][:2] == [200, 405]


def test_envoy_messages_are_of_its_schema() -> None:
    pytest.importorskip(
        "envoy_data_plane", reason="the classes of Envoy's messages (envoy-data-plane) are not installed"
    )
    from importlib import import_module

    from envoy_data_plane.envoy.config.bootstrap.v3 import Bootstrap

    def bare(node: object) -> object:
        if isinstance(node, dict):
            return {key: bare(value) for key, value in node.items() if key != "typed_config"}
        return [bare(one) for one in node] if isinstance(node, list) else node

    def typed(node: object) -> Iterator[dict[str, object]]:
        if isinstance(node, dict):
            if "@type" in node:
                yield node
            node = list(node.values())
        if isinstance(node, list):
            for one in node:
                yield from typed(one)

    for text in (SCENARIO.format(port=80, one=1, two=2, three=3), *(path.read_text() for path in EXAMPLES)):
        whole = yaml.safe_load(translated("envoy", text)[0].files["envoy.yaml"])
        Bootstrap.from_dict(bare(whole))
        for node in typed(whole):
            module, _, name = str(node["@type"]).removeprefix("type.googleapis.com/").rpartition(".")
            found = vars(import_module(f"envoy_data_plane.{module}"))
            kind = next(value for key, value in found.items() if key.lower() == name.lower())
            kind.from_dict(bare({key: value for key, value in node.items() if key != "@type"}))
    with pytest.raises((KeyError, ValueError)):
        Bootstrap.from_dict({"static_resources": {"listners": []}})


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # HAProxy resets idle connections


class _Origin(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        told = {
            name: self.headers.get(name) for name in ("X-Proto", "X-Kind", "X-Backend", "X-Secret", "X-Forwarded-For")
        }
        told["host"] = (self.headers.get("Host") or "").partition(":")[0]
        body = json.dumps([self.server.name, self.command, self.path, told]).encode()  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Origin-Only", "1")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_words: object) -> None:
        pass


@contextmanager
def origins() -> Iterator[dict[str, int]]:
    servers = {}
    for name in ("one", "two", "three"):
        server = _Server(("127.0.0.1", 0), _Origin)
        server.name = name  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers[name] = server
    try:
        yield {name: server.server_address[1] for name, server in servers.items()}
    finally:
        for server in servers.values():
            server.shutdown()
            server.server_close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def ask(port: int) -> list[object]:
    """What a client sees for each request."""
    transcript: list[object] = []
    for method, path, headers in REQUESTS:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request(method, path, headers={"Host": "a.example", **headers})
        answer = connection.getresponse()
        body = answer.read().decode()
        own = answer.headers.get("Content-Type", "").startswith("text/html") and answer.status != 200
        location = answer.headers.get("Location")
        seen = [answer.headers.get(name) for name in ("X-Answered", "X-Origin-Only")]
        transcript.append((method, path, answer.status, location, *seen, "" if own or location else body))
        connection.close()
    return transcript


@contextmanager
def running(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    assert process.stderr is not None
                    process.kill()
                    pytest.fail(f"{command[0]} does not start: {process.stderr.read().decode()[-2000:]}")
                time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.mark.referee
@pytest.mark.parametrize("target", ["nginx", "caddy"])
def test_the_real_program_answers_as_haproxy(target: str, tmp_path: Path) -> None:
    programs = {
        name: shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin:/sbin:/bin") for name in ("haproxy", target)
    }
    for name, place in programs.items():
        if place is None:
            pytest.skip(f"{name} is not installed")
    with origins() as ports:
        own, other = free_port(), free_port()
        (tmp_path / "haproxy.cfg").write_text(SCENARIO.format(port=own, **ports))
        with running([str(programs["haproxy"]), "-db", "-f", str(tmp_path / "haproxy.cfg")], own):
            expected = ask(own)
        outcome, _ = translated(target, SCENARIO.format(port=other, **ports))
        assert outcome.worst < Loss.LOST, outcome.notes
        for name, text in outcome.files.items():
            (tmp_path / name).write_text(text)
        if target == "nginx":
            extra = f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;"
            command = [str(programs["nginx"]), "-c", str(tmp_path / "nginx.conf"), "-g", extra]
        else:
            command = [str(programs["caddy"]), "run", "--config", str(tmp_path / "Caddyfile"), "--adapter", "caddyfile"]
        with running(command, other):
            found = ask(other)
    assert found == expected

"""The backend of `examples/haproxy_cfgs/far_api.cfg` as it stands there, against a real name server and TLS origins.

Addresses come, go, change and flap while requests run: none of them is lost, and the connections follow the addresses.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import pytest

from compat.harness.certificates import authority, certificate
from tests.ports import reserved_port

EXAMPLE = Path(__file__).parents[3] / "examples" / "haproxy_cfgs" / "far_api.cfg"
NAME = "test-api.domain.net"
#: Addresses of this machine that no other test uses.
NET = f"127.{100 + os.getpid() % 100}.{os.getpid() // 100 % 250}"


class Site(ThreadingHTTPServer):
    """A TLS origin on an address of its own."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host: str, port: int, context: ssl.SSLContext) -> None:
        self.context = context
        self.connections = 0
        self.served = 0
        self.lock = threading.Lock()
        super().__init__((host, port), Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients may leave."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def setup(self) -> None:
        self.request = self.server.context.wrap_socket(self.request, server_side=True, do_handshake_on_connect=False)
        try:
            self.request.do_handshake()
        except (OSError, ValueError):
            self.request.close()
            raise
        with self.server.lock:
            self.server.connections += 1
        super().setup()

    def finish(self) -> None:
        with self.server.lock:
            self.server.connections -= 1
        try:
            super().finish()
        except OSError:
            pass
        finally:
            self.request.close()

    def do_GET(self) -> None:
        time.sleep(0.002)
        body = self.server.server_address[0].encode()
        with self.server.lock:
            self.server.served += 1
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nobody reads it."""


class Names:
    """dnsmasq with one hosts file."""

    def __init__(self, program: str, folder: Path) -> None:
        self.file = folder / "hosts"
        self.file.write_text("")
        self.port = reserved_port()
        self.process = subprocess.Popen(
            [
                program, "--keep-in-foreground", f"--port={self.port}", "--listen-address=127.0.0.1", "--bind-interfaces",
                "--no-resolv", "--no-hosts", f"--addn-hosts={self.file}", "--local-ttl=0", "--conf-file=/dev/null",
                "--pid-file=", "--user=", "--local=/domain.net/",
            ]
        )  # fmt: skip
        until(self._answers)  # before that a SIGHUP ends it

    def _answers(self) -> bool:
        try:
            dns.query.udp(dns.message.make_query(NAME, "A"), "127.0.0.1", timeout=0.2, port=self.port)
        except (dns.exception.Timeout, OSError):
            return False
        return True

    def set(self, *hosts: str) -> None:
        """The name's addresses from now on."""
        self.file.write_text("".join(f"{host} {NAME}\n" for host in hosts))
        self.process.send_signal(signal.SIGHUP)


class Load:
    """Clients whose every request is the first on a connection of its own, and some that keep theirs."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run, args=(number < 4,), daemon=True) for number in range(6)]

    def _run(self, once: bool) -> None:
        connection: http.client.HTTPConnection | None = None
        while not self.stopping.is_set():
            try:
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                connection.request("GET", "/")
                answer = connection.getresponse()
                body = answer.read().decode()
                with self.lock:
                    if answer.status == 200:
                        self.answers[body] += 1
                    else:
                        self.failures.append(f"{answer.status}")
            except (OSError, http.client.HTTPException) as error:
                if connection is not None:
                    connection.close()
                    connection = None
                with self.lock:
                    self.failures.append(repr(error))
            if once and connection is not None:
                connection.close()
                connection = None
            time.sleep(0.005)
        if connection is not None:
            connection.close()

    def seen(self) -> set[str]:
        """Who answers now: forgets what was before, and waits for some answers."""
        with self.lock:
            self.answers.clear()
        until(lambda: self.answers.total() >= 40)
        with self.lock:
            return set(self.answers)


def until(reached: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(0.02)


@pytest.fixture
def names(tmp_path: Path) -> Iterator[Names]:
    program = shutil.which("dnsmasq") or shutil.which("dnsmasq", path="/usr/sbin")
    if program is None:
        pytest.skip("dnsmasq is not installed (Debian package dnsmasq-base)")
    found = Names(program, tmp_path)
    yield found
    found.process.terminate()
    found.process.wait()


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[dict[str, Site]]:
    pem = tmp_path / "site.pem"
    pem.write_bytes(certificate(NAME))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    authority("ca").cert_pem.write_to_path(tmp_path / "ca.pem")
    hosts = [f"{NET}.{number}" for number in range(1, 6)]
    found: dict[str, Site] = {}
    port = 443
    for host in hosts:
        try:
            found[host] = Site(host, port, context)
        except PermissionError:
            pytest.skip("port 443 is not ours to listen on")
    yield found
    for site in found.values():
        site.shutdown()
        site.server_close()


def _configuration(names: Names, folder: Path, descriptor: int) -> str:
    """The example: with the test's name server, authority and listener, and asked for more often."""
    text = EXAMPLE.read_text()
    text = re.sub(r"nameserver dns1 \S+", f"nameserver dns1 127.0.0.1:{names.port}", text)
    text = text.replace("timeout resolve 1s", "timeout resolve 100ms").replace(
        "hold obsolete 5s", "hold obsolete 300ms"
    )
    text = text.replace("/etc/ssl/certs/DigiCert_Global_Root_CA.pem", str(folder / "ca.pem"))
    return re.sub(r"bind 127.0.0.1:8080", f"bind fd@{descriptor}", text)


@pytest.mark.timeout(120)
# Python's TLS sockets are left open when the peer has gone before the handshake.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_request_is_lost_while_addresses_come_and_go(names: Names, sites: dict[str, Site], tmp_path: Path) -> None:
    one, two, three, four, five = sites
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    port = listener.getsockname()[1]
    path = tmp_path / "far_api.cfg"
    path.write_text(_configuration(names, tmp_path, listener.fileno()))
    names.set(one, two)
    errors = (tmp_path / "stderr").open("wb")
    hapy = subprocess.Popen(
        [sys.executable, "-m", "hapy", "-db", "-f", path], pass_fds=[listener.fileno()], stderr=errors
    )
    load = Load(port)
    try:
        until(lambda: b"200" in _ask(port))
        for thread in load.threads:
            thread.start()
        until(lambda: load.seen() == {one, two})

        names.set(one, two, three, four)
        until(lambda: load.seen() == {one, two, three, four})

        names.set(three, four, five)
        until(lambda: load.seen() == {three, four, five})
        until(lambda: sites[one].connections == sites[two].connections == 0)

        names.set()  # a flap: the name does not exist for a while
        time.sleep(0.5)
        assert load.seen() == {three, four, five}
        names.set(five)
        until(lambda: load.seen() == {five})
        until(lambda: not any(sites[host].connections for host in (one, two, three, four)))

        os.kill(names.process.pid, signal.SIGSTOP)  # a name server that says nothing
        time.sleep(0.5)
        assert load.seen() == {five}
        os.kill(names.process.pid, signal.SIGCONT)

        names.set(one, five)
        until(lambda: load.seen() == {one, five})
        load.stopping.set()
        for thread in load.threads:
            thread.join(20)
        assert load.failures == []
        assert hapy.poll() is None
        assert sum(site.connections for site in sites.values()) <= 2 * 13  # pool-max-conn 12, and a check
    finally:
        load.stopping.set()
        hapy.terminate()
        hapy.wait(10)
        listener.close()
        errors.close()
    told = (tmp_path / "stderr").read_text()
    assert "Traceback" not in told
    assert "changed its IP from (none) to" in told
    assert "(No IP for server )" in told


def _ask(port: int) -> bytes:
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as client:
            client.settimeout(5)
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return client.recv(1000)
    except OSError:
        return b""

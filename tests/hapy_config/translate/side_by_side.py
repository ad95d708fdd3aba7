"""Proxies side by side: stub servers that tell what they got, programs run on ports of their own, and what clients see."""

from __future__ import annotations

import functools
import http.client
import json
import os
import shutil
import socket
import socketserver
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import trustme

from hapy_config.api import read_text
from hapy_config.syntax import Document
from hapy_config.translate.caddy import to_caddy
from hapy_config.translate.envoy import to_envoy
from hapy_config.translate.nginx import to_nginx
from hapy_config.translate.report import Translation
from tests.ports import reserved_port

TARGETS = {"nginx": to_nginx, "caddy": to_caddy, "envoy": to_envoy}
_PLACES = f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/usr/local/bin:/usr/local/sbin:/sbin:/bin"
#: A listening socket in the kernel's tables.
_LISTEN = "0A"
#: What Envoy says of itself.
_OWN_PAGES = ("RBAC:", "upstream connect error", "no healthy upstream", "upstream request timeout")
#: What each program adds or leaves to its own taste on the way to a server.
_OWN_REQUEST_HEADERS = frozenset({"connection", "accept-encoding", "content-length", "transfer-encoding"})


@dataclass(frozen=True)
class Ask:
    """A request, and what of its answer is compared."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    tls: str = ""  # the name that is asked for; empty for plain text
    port: str = "port"
    seen: tuple[str, ...] = ()  # response headers
    source: str = "127.0.0.1"
    times: int = 1  # sent so often; then only which servers answered how often is compared
    evenly: bool = True  # False: which answered at all


def translated(name: str, text: str) -> tuple[Translation, Document]:
    """A configuration for another proxy."""
    result = read_text(text, "haproxy.cfg", assume_machine=True)
    assert result.config is not None, [one.message for one in result.diagnostics]
    return TARGETS[name](result.config, result.document), result.document


def program(name: str) -> str:
    """A program's path; skips where it is not installed."""
    found = shutil.which(name, path=_PLACES)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64
    name = ""
    context: ssl.SSLContext | None = None

    def finish_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        if self.context is None:
            super().finish_request(request, client_address)  # type: ignore[arg-type]
            return
        request.getpeername()  # raises where the client has gone; `wrap_socket` would leave its socket open then
        with self.context.wrap_socket(request, server_side=True) as encrypted:
            super().finish_request(encrypted, client_address)  # type: ignore[arg-type]

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # HAProxy resets idle connections


class _UnixServer(_Server):
    address_family = socket.AF_UNIX


class Origin(BaseHTTPRequestHandler):
    """Tells what it got; paths with a meaning are `/wait`, `/close`, `/status/…`."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer goes out whole: Caddy now and then cuts one to a POST off between head and body
    proxied = ""

    def handle(self) -> None:
        if self.server.name.startswith("proxied"):  # type: ignore[attr-defined]
            self.proxied = self.rfile.readline().decode("latin-1")
            if not self.proxied.startswith("PROXY "):
                return
        super().handle()

    def do_GET(self) -> None:
        headers = {
            name.lower(): ", ".join(self.headers.get_all(name) or ()).replace(",", ", ").replace(",  ", ", ")
            for name in sorted(self.headers, key=str.lower)
            if name.lower() not in _OWN_REQUEST_HEADERS
        }
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size).decode()
                self.rfile.readline()
            self.rfile.readline()
        if self.path.startswith("/close"):
            self.close_connection = True
            return
        if self.path.startswith("/wait"):
            threading.Event().wait(5)
        if self.headers.get("Upgrade"):
            self._upgraded()
            return
        if self.path == "/status/204":
            self.send_response(204)
            self.end_headers()
            return
        status = int(self.path.split("/")[2]) if self.path.startswith("/status/") else 200
        proxied = self.proxied.split()[:2]
        target = self.requestline.split()[1]  # `path` has no `//` at its beginning
        told = json.dumps([self.server.name, self.command, target, headers, body, *proxied]).encode()  # type: ignore[attr-defined]
        self.send_response(status)
        if self.close_connection:  # nginx speaks HTTP/1.0 by default, and would send another request
            self.send_header("Connection", "close")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.send_header("X-Origin-Only", "1")
        self.send_header("X-Both", "origin")
        self.send_header("Set-Cookie", "app=1; Path=/")
        if status in (301, 302):
            self.send_header("Location", "http://inside.example/next")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(told)

    do_POST = do_PUT = do_DELETE = do_OPTIONS = do_HEAD = do_PATCH = do_GET  # noqa: N815

    def _upgraded(self) -> None:
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", "websocket")
        self.send_header("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")  # of the one key that tests send
        self.end_headers()
        self.wfile.flush()
        line = self.rfile.readline()
        self.wfile.write(b"echo " + line)
        self.close_connection = True

    def log_message(self, *_words: object) -> None:
        pass


@dataclass
class Place:
    """A folder with certificates, and the addresses of the stub servers by name."""

    folder: Path
    authority: trustme.CA
    names: dict[str, object]


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    """Stub servers: `one` to `four` speak plain HTTP, `secure` TLS, `proxied` wants a PROXY header, `unix` has a path.

    Nobody listens at `dead`.
    """
    authority = trustme.CA()
    own = authority.issue_cert("a.example", "*.wild.example", "127.0.0.1")
    (folder / "own.pem").write_bytes(own.private_key_pem.bytes() + b"".join(one.bytes() for one in own.cert_chain_pems))
    (folder / "own.pem").chmod(0o644)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    other = trustme.CA()
    other.cert_pem.write_to_path(str(folder / "other-ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("server.example", "127.0.0.1").configure_cert(context)
    names: dict[str, object] = {"folder": folder}
    (folder / "origin.sock").unlink(missing_ok=True)
    with ExitStack() as stack:
        for name in ("one", "two", "three", "four", "secure", "proxied", "unix"):
            at: object = str(folder / "origin.sock") if name == "unix" else ("127.0.0.1", 0)
            server = (_UnixServer if name == "unix" else _Server)(at, Origin)  # type: ignore[arg-type]
            server.name = name
            server.context = context if name == "secure" else None
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            names[name] = at if name == "unix" else server.server_address[1]
        dead = stack.enter_context(socket.socket())
        dead.bind(("127.0.0.1", 0))  # kept, so that nobody else listens there; it refuses
        names["dead"] = dead.getsockname()[1]
        (folder / "origin.sock").chmod(0o666)
        folder.chmod(0o755)
        yield Place(folder, authority, names)


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses."""
    return [reserved_port() for _ in range(count)]


class PortTakenError(Exception):
    """A port that was free is somebody's by now: other tests run, and clients have ports, too."""


def with_other_ports(test: Callable[..., None]) -> Callable[..., None]:
    """The test once more where a port was taken meanwhile."""

    @functools.wraps(test)
    def again(*args: object, **named: object) -> None:
        for _ in range(4):
            try:
                return test(*args, **named)
            except PortTakenError:
                continue
        return test(*args, **named)

    return again


@contextmanager
def running(command: list[str], ports: list[int]) -> Iterator[None]:
    """A program, while it listens."""
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=told)
        try:
            deadline = time.monotonic() + 40
            for port in ports:
                while not _listens(process.pid, port):
                    if process.poll() is not None or time.monotonic() > deadline:
                        told.seek(0)
                        said = told.read().decode()
                        if "address already in use" in said.lower():
                            raise PortTakenError(said[-500:])
                        pytest.fail(f"{command[0]} does not start: {said[-3000:]}")
                    time.sleep(0.02)
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def _listens(pid: int, port: int) -> bool:
    """Whether a program, or a child of its, listens at a port: somebody else's socket there would answer in its place."""
    listening = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                listening.add(f"socket:[{fields[9]}]")
    return bool(listening) and any(not listening.isdisjoint(_descriptors(one)) for one in _family(pid))


def _family(pid: int) -> Iterator[int]:
    """A process and its children."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in children.read_text().split():
                yield from _family(int(child))


def _descriptors(pid: int) -> Iterator[str]:
    """What a process has open; nothing of one that has gone."""
    with suppress(OSError):
        for one in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                yield str(one.readlink())


def start_command(name: str, files: Mapping[str, str], folder: Path) -> list[str]:
    """How a program is started with a configuration, which is written."""
    folder.mkdir(exist_ok=True)
    for file, text in files.items():
        (folder / file).write_text(text)
    path = program(name)
    if name == "haproxy":
        return [path, "-db", "-f", str(folder / "haproxy.cfg")]
    if name == "hapy":
        return [path, "-db", "-f", str(folder / "haproxy.cfg")]
    if name == "nginx":
        extra = (
            f"daemon off; pid {folder}/pid; error_log {folder}/error.log; {'user root;' if os.geteuid() == 0 else ''}"
        )
        return [path, "-c", str(folder / "nginx.conf"), "-g", extra]
    if name == "caddy":
        return [path, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    # Two threads, and no base id shared with an Envoy beside it.
    return [path, "-c", str(folder / "envoy.yaml"), "-l", "error", "--use-dynamic-base-id", "--concurrency", "1"]


def answer(one: Ask, ports: Mapping[str, int], ca: str) -> object:
    """What a client sees of a request."""
    if one.times > 1:
        return _shares(one, ports, ca)
    return _once(one, ports, ca)


def _shares(one: Ask, ports: Mapping[str, int], ca: str) -> object:
    answers = [_once(one, ports, ca) for _ in range(one.times)]
    names = [found[-1][0] if isinstance(found[-1], list) else found[0] for found in answers]
    return sorted((str(name), names.count(name) if one.evenly else 0) for name in set(names))


def _once(one: Ask, ports: Mapping[str, int], ca: str) -> list[object]:
    headers = {"Host": "a.example", "User-Agent": "test", "Accept-Encoding": "identity", **one.headers}
    with ExitStack() as stack:
        try:
            raw = socket.create_connection(("127.0.0.1", ports[one.port]), 10, source_address=(one.source, 0))
            stack.callback(raw.close)
            raw.settimeout(15)
            if one.tls:
                context = ssl.create_default_context(cafile=ca)
                context.check_hostname = one.tls != "-"
                raw = context.wrap_socket(raw, server_hostname=None if one.tls == "-" else one.tls)
                stack.callback(raw.close)
            connection = http.client.HTTPConnection("127.0.0.1", ports[one.port])
            stack.callback(connection.close)
            connection.sock = raw
            connection.request(one.method, one.path, one.body or None, headers)
            if headers.get("Upgrade"):
                return _upgrade(raw)
            found = connection.getresponse()
            stack.callback(found.close)
            body = found.read()
        except ssl.SSLCertVerificationError:
            return ["certificate"]
        except (ConnectionError, http.client.RemoteDisconnected, ssl.SSLError):
            return ["closed"]
    return _seen(one, found, body)


def _seen(one: Ask, found: http.client.HTTPResponse, body: bytes) -> list[object]:
    encoding = found.headers.get("Content-Encoding")
    if encoding == "gzip":
        body = zlib.decompress(body, 31)
    kind = (found.headers.get("Content-Type") or "").partition(";")[0]
    seen = [(name, ", ".join(found.headers.get_all(name) or ())) for name in one.seen]
    location = found.headers.get("Location")
    text: object = body.decode()
    if kind == "application/json" and body:
        text = json.loads(body)
    elif (kind == "text/html" and found.status != 200) or location or str(text).startswith(_OWN_PAGES):
        text = ""  # pages of the programs' own
    return [found.status, location, encoding, seen, text]


def _upgrade(raw: socket.socket) -> list[object]:
    with raw.makefile("rwb") as stream:
        status = stream.readline().split()[1]
        while stream.readline().strip():
            pass
        stream.write(b"over it\n")
        stream.flush()
        return [status, stream.readline()]

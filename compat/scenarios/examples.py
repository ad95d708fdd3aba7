"""Every file of `examples/haproxy_cfgs` runs in both programs and answers the same.

Most are asked what their own `Try:` lines ask; `SPECIAL` has what is said to those that need more than plain requests.
"""

from __future__ import annotations

import functools
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from compat.harness import Client, Connection, World
from compat.harness.world import Scenario
from examples.guide import FOLDER, header

_KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
_SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


def _on_private_ports(world: World, text: str) -> tuple[str, str]:
    """The text with its fixed ports replaced, and the name of the listener that clients use."""
    ports = re.findall(r"bind 127\.0\.0\.1:(\d+)", text)
    for port in ports:
        world.listeners[f"p{port}"] = socket.create_server(("127.0.0.1", 0), backlog=128)
    text = re.sub(r"bind 127\.0\.0\.1:(\d+)", r'bind "fd@${p\1}"', text)

    def server(match: re.Match[str]) -> str:
        listener = world.listeners.get(f"p{match[1]}")
        return f"127.0.0.1:{listener.getsockname()[1]}" if listener else "127.0.0.1:1"

    return re.sub(r"127\.0\.0\.1:(\d+)", server, text), f"p{ports[0]}"


@functools.cache
def _prepared(commands: str) -> dict[str, bytes]:
    """The files that an example's `First:` commands make, by their names below /tmp; made once a run."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["bash", "-ec", commands.replace("/tmp/", f"{folder}/")], check=True, capture_output=True, timeout=60
        )
        return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def _start(world: World, name: str, change: Callable[[str], str] = str) -> str:
    """Start an example, with its files in the scenario's folder; gives the listener that clients use."""
    path = FOLDER / f"{name}.cfg"
    for file, data in _prepared(header(path).first).items() if header(path).first else ():
        target = world.dir / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    text, listener = _on_private_ports(world, change(path.read_text()).replace("/tmp/", "{dir}/"))
    world.start(text, bare=True)
    return listener


def _asked_as_told(path: Path) -> Scenario:
    targets = [
        target for target in re.findall(r"http://127\.0\.0\.1:\d+(/[^\s;]*)", path.read_text()) if "-c 50" not in target
    ] or ["/"]

    def scenario(world: World) -> None:
        """The example's own requests, on one connection and one by one."""
        listener = _start(world, path.stem)
        client = world.client(listener)
        for target in targets:
            message = client.get(target, "X-User: alice")
            if message is None or message.header("connection") == "close":
                client = world.client(listener)
        for target in targets:
            world.once(target, "Connection: close", "X-User: bob", listener=listener)
        for client in world.clients:
            client.seen = [re.sub(r"request [0-9a-f-]{36}", "request UUID", line) for line in client.seen]

    return scenario


def _command(world: World, line: str) -> None:
    """A command to the stats socket, which may not stand yet."""
    path = str(world.dir / "hapy.sock")
    deadline = time.monotonic() + 10
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(5)
                sock.connect(path)
                sock.sendall(line.encode() + b"\n")
                answer = b"".join(iter(lambda: sock.recv(4096), b""))
            break
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    world.note(f"{line}: {answer.decode().strip()}")


def _tls_termination(world: World) -> None:
    """Certificates by name, the first one for others, the redirect of plain HTTP."""
    _start(world, "tls_termination")
    for name in ("shop.test", "api.test", "other.test", None):
        client = world.tls_client(name, listener="p8443")
        client.get("/")
        client.get("/again")
    world.once("/plain?x=1", "Connection: close", listener="p8080")


def _tls_passthrough(world: World) -> None:
    """The server by name, and what is no TLS."""
    listener = _start(world, "tls_passthrough")
    for name in ("shop.test", "api.test", "API.test", None):
        world.tls_client(name, listener=listener).get("/")
    plain = world.client(listener)
    plain.send("GET / HTTP/1.1\nHost: shop.test\n\n")
    plain.expect_end()


def _tls_to_servers(world: World) -> None:
    """Requests over TLS to a server that proves its name."""
    listener = _start(world, "tls_to_servers")
    client = world.client(listener)
    client.get("/")
    client.get("/again")


def _tls_to_servers_refused(world: World) -> None:
    """The server's certificate carries another name."""
    listener = _start(world, "tls_to_servers", lambda text: text.replace("str(shop", "str(store"))
    world.once("/", listener=listener)


def _client_certificates(world: World) -> None:
    """Clients with a certificate, without one, and where it matters."""
    listener = _start(world, "client_certificates")
    for crt in ("", "certs/shop.test.pem"):
        for target in ("/", "/account"):
            world.tls_client("shop.test", listener=listener, crt=crt).get(target, "X-Client-Name: forged")


def _health_checks(world: World) -> None:
    """The server that is ill gets no requests."""
    listener = _start(world, "health_checks")
    deadline = time.monotonic() + 15
    bodies: set[bytes] = set()
    while bodies != {b"s1\n"} and time.monotonic() < deadline:
        client = Client(world.listeners[listener].getsockname())
        bodies = {message.body for message in (client.get(), client.get(), client.get()) if message}
        client.close()
        time.sleep(0.05)
    client = world.client(listener)
    for target in ("/", "/", "/", "/ready"):
        client.get(target)


def _sticky_sessions(world: World) -> None:
    """A first visit, further ones, and cookies that name nobody."""
    listener = _start(world, "sticky_sessions")
    client = world.client(listener)
    client.get("/")
    for value in ("a", "b", "b", "nobody", ""):
        client.get("/", f"Cookie: theme=dark; SRV={value}")


def _proxy_protocol(world: World) -> None:
    """The inner proxy sees the client's address."""
    listener = _start(world, "proxy_protocol")
    for source in ("127.0.0.5", "127.0.0.6"):
        client = Client(world.listeners[listener].getsockname(), source)
        world.clients.append(client)
        client.get("/")
        client.get("/again")


def _websockets(world: World) -> None:
    """A page, and a WebSocket whose server echoes."""

    def echo(connection: Connection) -> None:
        connection.read()
        connection.write(_SWITCH)
        while data := connection.reader.exactly(5):
            connection.write(data.upper())
        connection.close()

    def with_real_server(text: str) -> str:
        return text[: text.index("frontend origin2")].replace("127.0.0.1:9002", "{live}")

    world.origin("live", echo)
    listener = _start(world, "websockets", with_real_server)
    world.client(listener).get("/chat")
    client = world.client(listener)
    client.get("/chat", "Connection: Upgrade", "Upgrade: websocket", _KEY)
    for words in (b"hello", b"again"):
        client.send(words)
        client.seen.append(repr(client.reader.exactly(5)))
    client.shutdown()
    client.expect_end()


def _maintenance(world: World) -> None:
    """Open, closed, open again; the team sees the site all the time."""
    listener = _start(world, "maintenance")
    for command in ("", "disable server app/s1", "enable server app/s1"):
        if command:
            _command(world, command)
        client = world.client(listener)
        client.get("/")
        client.get("/", "X-Team: yes")


def _blue_green(world: World) -> None:
    """Weights before and after the shift, and testers who choose."""
    listener = _start(world, "blue_green")
    client = world.client(listener)
    for command in ("", "set weight app/green 50; set weight app/blue 50", "set weight app/blue 0"):
        if command:
            _command(world, command)
        for _ in range(4):
            client.get("/")
        client.get("/", "Cookie: version=new")


def _statistics(world: World) -> None:
    """The page asks who comes; what it says as CSV, and a counter for a monitoring system."""
    _start(world, "statistics")
    world.once("/", "Connection: close", listener="p8080")
    world.once("/stats", "Connection: close", listener="p8404")
    shown = Client(world.listeners["p8404"].getsockname())
    page = shown.get("/stats;csv", "Authorization: Basic b3BzOmdyZXktb3dsLTI3", "Connection: close")
    for line in page.body.decode().splitlines() if page else ():
        columns = line.split(",")
        world.note(" ".join([*columns[:2], columns[17] if len(columns) > 17 else ""]))
    shown.close()
    shown = Client(world.listeners["p8404"].getsockname())
    numbers = shown.get("/metrics", "Connection: close")
    for line in numbers.body.decode().splitlines() if numbers else ():
        if line.startswith("haproxy_frontend_http_requests_total"):
            world.note(line)
    shown.close()


#: What more than plain requests can show.
SPECIAL: dict[str, Scenario] = {
    "tls_termination": _tls_termination,
    "tls_passthrough": _tls_passthrough,
    "tls_to_servers": _tls_to_servers,
    "client_certificates": _client_certificates,
    "health_checks": _health_checks,
    "sticky_sessions": _sticky_sessions,
    "proxy_protocol": _proxy_protocol,
    "websockets": _websockets,
    "maintenance": _maintenance,
    "blue_green": _blue_green,
    "statistics": _statistics,
}

FAMILY = {path.stem: SPECIAL.get(path.stem) or _asked_as_told(path) for path in sorted(FOLDER.glob("*.cfg"))}
FAMILY["tls_to_servers_refused"] = _tls_to_servers_refused

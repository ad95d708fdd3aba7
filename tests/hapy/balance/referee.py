"""The real haproxy in front of one origin that can hold its answers, to see which server gets which request."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Container, Iterable, Sequence
from pathlib import Path
from typing import Self


class Origin:
    """Answers 200 at once, or for `/hold/N` when `let_go(N)` is called; closes after `/close`, asks for NTLM at `/ntlm`.

    `/drop` is answered when it is asked a second time; the first time the connection is closed.

    Attributes:
        connections: accepted so far; an answer's `x-conn` tells the number of its own. open: those that still are.
        requests: received so far.
    """

    def __init__(self, path: str) -> None:
        self.connections = 0
        self.requests = 0
        self.open: set[int] = set()
        self._dropped = False
        self._conns: dict[int, socket.socket] = {}
        self._held: dict[str, threading.Event] = {}
        self._arrived: dict[str, threading.Event] = {}
        self._at: dict[str, str] = {}
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(path)
        self._socket.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                conn, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self.open.add(self.connections)
            self._conns[self.connections] = conn
            threading.Thread(target=self._serve, args=(conn, self.connections), daemon=True).start()

    def _serve(self, conn: socket.socket, number: int) -> None:
        try:
            self._answer(conn, number)
        finally:
            self.open.discard(number)
            self._conns.pop(number, None)

    def hang_up(self) -> None:
        """Close every connection, as a server does that was idle for long."""
        for conn in list(self._conns.values()):
            with contextlib.suppress(OSError):
                conn.shutdown(socket.SHUT_RDWR)

    def _answer(self, conn: socket.socket, number: int) -> None:
        data = b""
        with conn, contextlib.suppress(OSError):
            while True:
                while b"\r\n\r\n" not in data:
                    more = conn.recv(65536)
                    if not more:
                        return
                    data += more
                head, _, data = data.partition(b"\r\n\r\n")
                length = re.search(rb"\r\ncontent-length: (\d+)", head)
                body = int(length.group(1)) if length else 0
                while len(data) < body:
                    data += conn.recv(65536)
                data = data[body:]
                self.requests += 1
                if b" /drop" in head and not self._dropped:
                    self._dropped = True
                    return
                held = re.match(rb"\S+ /hold/(\S+)", head)
                if held:
                    name = held.group(1).decode()
                    event = self._held.setdefault(name, threading.Event())
                    server = re.search(rb"\r\nx-name: (\S+)", head)
                    self._at[name] = server.group(1).decode() if server else ""
                    self._arrived.setdefault(name, threading.Event()).set()
                    event.wait(30)
                closing = b" /close" in head
                extra = b"connection: close\r\n" if closing else b""
                status = b"200 OK"
                if b" /ntlm" in head:
                    status = b"401 Unauthorized\r\nwww-authenticate: NTLM"
                conn.sendall(b"HTTP/1.1 %s\r\n%sx-conn: %d\r\ncontent-length: 0\r\n\r\n" % (status, extra, number))
                if closing:
                    return

    def arrived_at(self, name: str) -> str | None:
        """The server that a held request was sent to, None if it does not come."""
        self._arrived.setdefault(name, threading.Event()).wait(5)
        return self._at.get(name)

    def in_service(self) -> dict[str, str]:
        """Held requests that were sent to a server and not yet answered, and that server."""
        return {name: server for name, server in self._at.items() if not self._held[name].is_set()}

    def let_go(self, name: str) -> None:
        self._held.setdefault(name, threading.Event()).set()

    def close(self) -> None:
        for event in self._held.values():
            event.set()
        self._socket.close()


class Referee:
    """haproxy with one backend; every answer tells which of its servers gave it.

    Nobody listens where the servers in `dead` are. With `hapy`, the program is hapy: it is asked nothing but requests, and
    told no client addresses.
    """

    def __init__(
        self,
        program: str | Sequence[str],
        backend: str,
        servers: Iterable[tuple[str, str]],
        *,
        frontend: str = "",
        defaults: str = "",
        global_: str = "",
        mode: str = "http",
        queue: str = "20ms",
        dead: Container[str] = (),
        hapy: bool = False,
    ) -> None:
        self._hapy = hapy
        self._directory = tempfile.TemporaryDirectory()
        root = self.root = Path(self._directory.name)
        self.origin = Origin(f"{root}/origin")
        lines = "\n".join(
            f"    server {name} unix@{root}/{'nobody' if name in dead else 'origin'} {rest}" for name, rest in servers
        )
        (root / "haproxy.cfg").write_text(
            f"""
global
    nbthread 1
    {"" if hapy else f"stats socket {root}/stats level admin"}
    {global_}
defaults
    mode {mode}
    timeout client 30s
    timeout server 30s
    timeout connect 5s
    timeout queue {queue}
    {defaults}
frontend fe
    bind unix@{root}/front {"" if hapy else "accept-proxy"}
    http-response set-header x-server %s
    {frontend}
    default_backend be
backend be
    http-send-name-header x-name
    {backend}
{lines}
"""
        )
        self._log = (root / "stderr").open("w")
        self._process = subprocess.Popen(
            [*([program] if isinstance(program, str) else program), "-f", str(root / "haproxy.cfg"), "-db"],
            stdout=subprocess.DEVNULL,
            stderr=self._log,
        )
        self._clients: dict[str, socket.socket] = {}
        self._holding: dict[str, socket.socket] = {}
        deadline = time.monotonic() + 10
        while not self._clients:
            with contextlib.suppress(OSError):
                self._clients["192.0.2.1"] = self.connect()
            if self._process.poll() is not None or time.monotonic() > deadline:
                problem = (root / "stderr").read_text()
                self.__exit__()
                raise RuntimeError(problem)
            time.sleep(0.01)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self._process.kill()
        self._process.wait()
        for client in (*self._clients.values(), *self._holding.values()):
            client.close()
        self.origin.close()
        self._log.close()
        self._directory.cleanup()

    def connect(self, source: str = "192.0.2.1") -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(f"{self.root}/front")
        except OSError:
            client.close()
            raise
        if self._hapy:
            return client
        family, destination = ("TCP6", "::1") if ":" in source else ("TCP4", "127.0.0.1")
        client.sendall(f"PROXY {family} {source} {destination} 1000 80\r\n".encode())
        return client

    def get(
        self,
        uri: str = "/",
        headers: Sequence[tuple[str, str]] = (),
        *,
        source: str = "192.0.2.1",
        method: str = "GET",
        body: bytes = b"",
        client: socket.socket | None = None,
    ) -> str:
        """The server's name, or the status of an answer that no server gave."""
        if client is None:
            client = self._clients.get(source)
            if client is None:
                client = self._clients[source] = self.connect(source)
        client.sendall(request_bytes(method, uri, headers, body))
        answer = read_answer(client)
        if b"\r\nx-server: <NOSRV>" in answer or b"x-server" not in answer:
            self._clients.pop(source, client).close()
            return answer.split(b" ")[1].decode()
        found = re.search(rb"\r\nx-server: (\S+)", answer)
        assert found
        return found.group(1).decode()

    def send(self, name: str, headers: Sequence[tuple[str, str]] = ()) -> None:
        """Send a request that the origin, should it get it, answers only when `let_go(name)` is called."""
        client = self._holding[name] = self.connect()
        client.sendall(request_bytes("GET", f"/hold/{name}", [("connection", "close"), *headers], b""))
        self.command("show info")

    def hold(self, name: str, headers: Sequence[tuple[str, str]] = ()) -> str | None:
        """Send a request that the origin answers only when `let_go(name)` is called; the server's name."""
        self.send(name, headers)
        return self.origin.arrived_at(name)

    def let_go(self, name: str) -> str:
        """Let a held request finish; the server's name."""
        client = self._holding.pop(name)
        self.origin.let_go(name)
        answer = read_answer(client)
        while client.recv(1000):
            pass
        client.close()
        self.command("show info")
        found = re.search(rb"\r\nx-server: (\S+)", answer)
        assert found
        return found.group(1).decode()

    def command(self, text: str) -> str:
        """One command of the Runtime API."""
        if self._hapy:
            return ""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(f"{self.root}/stats")
            sock.sendall(text.encode() + b"\n")
            answer = b""
            while more := sock.recv(65536):
                answer += more
        return answer.decode()


def request_bytes(method: str, uri: str, headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
    fields = [("host", "example.test"), *headers]
    if body:
        fields.append(("content-length", str(len(body))))
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"{method} {uri} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body


def read_answer(client: socket.socket) -> bytes:
    answer = b""
    while b"\r\n\r\n" not in answer:
        more = client.recv(65536)
        if not more:
            return answer
        answer += more
    head, _, rest = answer.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: (\d+)", head)
    missing = int(length.group(1)) - len(rest) if length else 0
    while missing > 0:
        more = client.recv(65536)
        if not more:
            break
        missing -= len(more)
    return head

"""What the tests of samples, ACLs, rules and logs share: a transaction out of raw bytes, and the real haproxy to compare with.

`Referee` writes one configuration whose frontends answer with `http-request return … lf-file`, so that hundreds of formats
are rendered by a few requests.
"""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Self

from hapy.http.message import Request, Response
from hapy.observe.counters import BackendCounters, FrontendCounters
from hapy.observe.process import Process
from hapy.proxy.transaction import Client, Transaction
from hapy.samples import CompileEnv
from hapy_config.model.config import Config, User, Userlist
from hapy_config.model.proxy import Proxy

USERS = Userlist("u", {"u": User("u", "p", encrypted=False, groups=frozenset({"g"}))})


def environment(model: Proxy | None = None, **settings: object) -> CompileEnv:
    """Surroundings with one listen section `f`."""
    proxy = model or Proxy("f", "listen", mode="http", **settings)
    return CompileEnv(Config(proxies=(proxy,), userlists={"u": USERS}), proxy, Process(), {}, {})


def parse_head(raw: bytes) -> tuple[list[bytes], list[tuple[bytes, bytes]], bytes]:
    """First line's words, fields, body."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    fields = [(name.lower(), value.strip(b" \t")) for name, _, value in (line.partition(b":") for line in lines)]
    return first.split(b" ", 2), fields, body


def transaction(raw: bytes, env: CompileEnv, response: bytes | None = None) -> Transaction:
    """A transaction as it stands when rules run."""
    client = Client(b"127.0.0.1", 40000, b"127.0.0.1", 8080, socket.AF_INET)
    client.requests = 1
    frontend = SimpleNamespace(
        model=env.proxy, label=env.proxy.name.encode(), counters=FrontendCounters(), unique_id=None
    )
    txn = Transaction(client, frontend, 100.0)  # type: ignore[arg-type]
    txn.backend = SimpleNamespace(  # type: ignore[assignment]
        model=env.proxy, label=env.proxy.name.encode(), counters=BackendCounters(), servers=(), current=0, queued=0
    )
    words, fields, body = parse_head(raw)
    version = int(words[2][5:].replace(b".", b""))
    request = Request(words[0], words[1], version, fields, len(body))
    txn.request, txn.method, txn.uri, txn.version, txn.body = request, words[0], words[1], version, body
    if response is not None:
        words, fields, body = parse_head(response)
        txn.response = Response(int(words[1]), words[2], fields, len(body))
    return txn


class Listeners:
    """Listening sockets that haproxy inherits: no other program can come between choosing a port and binding it.

    Attributes:
        ports: their ports. binds: what a bind line says for each.
    """

    def __init__(self, count: int) -> None:
        self.sockets = [socket.create_server(("127.0.0.1", 0), backlog=64) for _ in range(count)]
        self.ports = [one.getsockname()[1] for one in self.sockets]
        self.binds = [f"fd@{one.fileno()}" for one in self.sockets]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self.sockets:
            one.close()


class Referee:
    """One run of the real haproxy."""

    def __init__(self, haproxy: str, folder: Path, configuration: str, listeners: Listeners) -> None:
        path = folder / "haproxy.cfg"
        path.write_text(configuration)
        inherited = [one.fileno() for one in listeners.sockets]
        checked = subprocess.run(
            [haproxy, "-c", "-f", str(path)], capture_output=True, text=True, check=False, pass_fds=inherited
        )
        assert checked.returncode == 0, checked.stderr
        self.process = subprocess.Popen(
            [haproxy, "-db", "-f", str(path)], stderr=subprocess.DEVNULL, pass_fds=inherited
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def connect(self, port: int) -> socket.socket:
        """A connection; haproxy takes it as soon as it has started."""
        return socket.create_connection(("127.0.0.1", port), timeout=20)

    def ask(self, port: int, request: bytes) -> bytes:
        """Send one request; everything that comes back up to the end of the answer."""
        with self.connect(port) as client:
            client.sendall(request)
            return read_answer(client)


def read_answer(client: socket.socket, *, head_only: bool = False) -> bytes:
    """One whole answer with a content-length, or what comes until the end; for HEAD its head."""
    data = b""
    while True:
        piece = client.recv(65536)
        data += piece
        head, end, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        complete = head_only or (length and len(body) >= int(length[1])) or b" 204 " in head[:20]
        if not piece or (end and complete):
            return data


def rendered(haproxy: str, folder: Path, formats: Sequence[str], requests: Sequence[bytes]) -> list[list[bytes]]:
    """What haproxy makes of each format for each request.

    Set before: `txn.cmp` and `txn.cc` to abc, `txn.key` to a2V5, `txn.five` to the integer 5.
    """
    chunks = [formats[start : start + 40] for start in range(0, len(formats), 40)]
    listeners = Listeners(len(chunks))
    text = (
        "userlist u\n group g users u\n user u insecure-password p\nglobal\n tune.bufsize 65536\ndefaults\n mode http\n"
    )
    text += " timeout client 5s\n timeout server 5s\n timeout connect 1s\n option http-buffer-request\n"
    for number, (chunk, bind) in enumerate(zip(chunks, listeners.binds, strict=True)):
        file = folder / f"formats-{number}"
        file.write_bytes(b"".join(b"<%d>%b</%d>" % (i, _bytes(fmt), i) for i, fmt in enumerate(chunk)))
        name = "f" if number == 0 else f"f{number}"
        text += f"listen {name}\n bind {bind}\n http-request set-var(txn.cmp) str(abc)\n"
        text += " http-request set-var(txn.key) str(a2V5)\n http-request set-var(txn.cc) str(abc)\n"
        text += " http-request set-var(txn.five) int(5)\n"
        text += f" http-request return content-type text/plain lf-file {file}\n"
    with listeners, Referee(haproxy, folder, text, listeners) as referee:
        return [
            [
                re.search(rb"<%d>(.*?)</%d>" % (i, i), answer, re.DOTALL)[1]  # type: ignore[index]
                for chunk, port in zip(chunks, listeners.ports, strict=True)
                for answer in [referee.ask(port, request)]
                for i in range(len(chunk))
            ]
            for request in requests
        ]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")

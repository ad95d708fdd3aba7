"""What health checks are pointed at: raw servers whose behaviour may change, and what a program says of them."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable

from compat.harness.world import World

Behaviour = Callable[["Target", socket.socket], None]


class Target:
    """A server of raw connections, each in a thread of its own.

    Attributes:
        behave: what is done with a connection; may be replaced at any time.
        heard: what `hear` was told, in order. met: connections so far.

    Args:
        listener: a socket that listens already; by default one at 127.0.0.1 and a port that the system gives.
    """

    def __init__(self, behave: Behaviour, listener: socket.socket | None = None) -> None:
        self.behave = behave
        self.heard: list[bytes] = []
        self.met = 0
        self.sock = listener or socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self.sock.getsockname()[1]
        self._listen()

    @property
    def address(self) -> str:
        """`127.0.0.1:port`."""
        return f"127.0.0.1:{self.port}"

    def _listen(self) -> None:
        threading.Thread(target=self._accept, args=(self.sock,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            self.met += 1
            sock.settimeout(10)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            self.behave(self, sock)
        sock.close()

    def refuse(self) -> None:
        """Refuse connections from now on."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def accept_again(self) -> None:
        """Undo `refuse`."""
        self.sock = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self._listen()

    stop = refuse


def read_head(sock: socket.socket) -> bytes:
    """Bytes up to an empty line, or whatever comes before the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(4096)
        if not piece:
            break
        data += piece
    return data


def http(status: str, body: bytes = b"hello", headers: str = "") -> Behaviour:
    """Answers every request so, and keeps it."""

    def behave(target: Target, sock: socket.socket) -> None:
        head = read_head(sock)
        if not head:
            return
        length = re.search(rb"content-length: (\d+)", head)
        missing = int(length[1]) - len(head.partition(b"\r\n\r\n")[2]) if length else 0
        while missing > 0:
            piece = sock.recv(4096)
            head += piece
            missing -= len(piece) or missing
        target.heard.append(head)
        fields = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        sock.sendall(fields.encode("latin-1") + body)
        sock.recv(1)

    return behave


def saying(greeting: bytes, *answers: bytes, close: bool = False) -> Behaviour:
    """Says something, then answers what comes piece by piece; then waits for the end, or closes."""

    def behave(target: Target, sock: socket.socket) -> None:
        if greeting:
            sock.sendall(greeting)
        for answer in answers:
            target.heard.append(sock.recv(4096))
            sock.sendall(answer)
        if close:
            sock.shutdown(socket.SHUT_WR)
        while piece := sock.recv(4096):
            target.heard.append(piece)

    return behave


def closing(_target: Target, sock: socket.socket) -> None:
    """Closes at once."""
    sock.shutdown(socket.SHUT_WR)
    sock.recv(4096)


def resetting(_target: Target, sock: socket.socket) -> None:
    """Resets once something has come."""
    sock.recv(4096)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def make_silent(_target: Target, sock: socket.socket) -> None:
    """Says nothing, and waits for the end."""
    while sock.recv(4096):
        pass


def said_of_servers(world: World) -> list[str]:
    """The log lines about checks, servers and backends, masked."""
    found = []
    for line in world.syslog.lines:
        text = re.sub(r"^<(\d+)>\w{3} [ \d]\d \d\d:\d\d:\d\d (\S+ )??\S+?\[\d+\]: ", r"<\1> ", line)
        if re.match(r"<\d+> (Health check|Agent check|Server|Backup Server|backend|proxy) ", text):
            text = re.sub(r"check duration: \d+ms", "check duration: N", text)
            found.append(re.sub(r"connect port \d+", "connect port N", text))
    return found


def wait_until(test: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Look again and again until it holds."""
    deadline = time.monotonic() + seconds
    while not test():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def ended(world: World) -> bool:
    """Whether the program has gone."""
    return world.process is None or world.process.poll() is not None


def wait_for_line(world: World, *patterns: str, seconds: float = 20.0) -> None:
    """Wait until a line about servers matches each pattern.

    Raises:
        AssertionError: it does not come.
    """

    def there() -> bool:
        lines = said_of_servers(world)
        return all(any(re.search(pattern, line) for line in lines) for pattern in patterns)

    if not wait_until(there, seconds):
        raise AssertionError(f"no line for {patterns}")


def first_words(world: World, servers: Iterable[str]) -> None:
    """Wait until every server (`backend/server`) was spoken of, then note the first line about each."""
    wanted = list(servers)

    def lines_by_server() -> dict[str, str]:
        found: dict[str, str] = {}
        for line in said_of_servers(world):
            match = re.search(r"(?:Health|Agent) check for (?:backup )?server (\S+) ", line)
            if match is not None:
                found.setdefault(match[1], line)
        return found

    wait_until(lambda: all(server in lines_by_server() for server in wanted) or ended(world))
    assert not ended(world), "the program did not start"
    seen = lines_by_server()
    for server in wanted:
        world.note(seen.get(server, f"nothing of {server}"))

"""The real haproxy between a raw client and a raw origin, and the same bytes through hapy's codec."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from hapy.http.codec import IMPLEMENTATIONS, BadMessage, Limits, request_parser, response_parser
from hapy.http.message import CHUNKED, Header, Request, Response
from hapy.http.serialize import chunk, last_chunk, request_head, response_head

PATIENCE = 4.0
#: The codecs whose libraries are there.
CODECS = [name for name in IMPLEMENTATIONS if name == "exact" or find_spec(name)]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Sink:
    """Keeps what a parser tells, in order."""

    def __init__(self) -> None:
        self.heads: list[Request | Response] = []
        self.informational: list[Response] = []
        self.data = b""
        self.ends = 0
        self.trailers: list[Header] = []
        self.events: list[tuple[str, object]] = []

    def on_head(self, head) -> None:
        self.heads.append(head)
        self._note("head", describe(head))

    def on_informational(self, head) -> None:
        self.informational.append(head)
        self._note("informational", describe(head))

    def on_data(self, data: bytes) -> None:
        assert data
        self.data += data
        if self.events and self.events[-1][0] == "data":
            self.events[-1] = ("data", self.events[-1][1] + data)
        else:
            self._note("data", data)

    def on_end(self, trailers: list[Header]) -> None:
        self.ends += 1
        self.trailers = trailers
        self._note("end", tuple(trailers))

    def _note(self, kind: str, value: object) -> None:
        self.events.append((kind, value))


def describe(head: Request | Response) -> tuple[object, ...]:
    """All that a head says, but for what the codec has merely counted on the way."""
    kind = type(head)
    fields = [name for name in dir(kind) if not name.startswith("_") and name != "plain_size"]
    return tuple(tuple(value) if isinstance(value := getattr(head, name), list) else value for name in fields)


def read_request(raw: bytes, limits: Limits | None = None) -> tuple[Sink, BadMessage | None]:
    sink = Sink()
    parser = request_parser(limits or Limits(), sink)
    try:
        parser.feed(raw)
    except BadMessage as error:
        return sink, error
    return sink, None


def forwarded_request(sink: Sink) -> bytes:
    """What goes to the server for the one request that the sink has."""
    (head,) = sink.heads
    assert isinstance(head, Request)
    out = request_head(head, close=False)
    if head.body == CHUNKED:
        return out + (chunk(sink.data) if sink.data else b"") + last_chunk(sink.trailers)
    return out + sink.data


def read_response(
    method: bytes,
    raw: bytes,
    closed: bool,
    limits: Limits | None = None,
    upgrade: bool = False,
) -> tuple[Sink, BadMessage | None]:
    sink = Sink()
    parser = response_parser(limits or Limits(), sink)
    parser.expect(method, upgrade)
    try:
        parser.feed(raw)
        if closed:
            parser.feed_eof()
    except BadMessage as error:
        return sink, error
    return sink, None


def forwarded_response(sink: Sink, request: Request) -> tuple[bytes, bool]:
    """What goes to the client, and whether the connection ends."""
    out = b"".join([response_head(head, request.version, close=False) for head in sink.informational])
    (head,) = sink.heads
    assert isinstance(head, Response)
    close = not request.keep_alive or head.body == -2
    out += response_head(head, request.version, close=close)
    if head.body == CHUNKED:
        out += (chunk(sink.data) if sink.data else b"") + last_chunk(sink.trailers)
    else:
        out += sink.data
    return out, close


class Origin:
    """Answers each request head with `answer`, and keeps what each connection has brought."""

    def __init__(self) -> None:
        self.answer = OK
        self.close_after = False
        self.received: list[bytearray] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                connection.settimeout(PATIENCE)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        kept = bytearray()
        self.received.append(kept)
        answered = False
        with connection, suppress(OSError):
            while data := connection.recv(65536):
                kept += data
                if not answered and b"\r\n\r\n" in kept:
                    answered = True
                    connection.sendall(self.answer)
                    if self.close_after:
                        connection.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.listener.close()


class Referee:
    """A running haproxy with one frontend and one server: the origin."""

    def __init__(
        self, program: str, frontend: str = "", backend: str = "", defaults: str = "", settings: str = ""
    ) -> None:
        self.origin = Origin()
        self.directory = tempfile.TemporaryDirectory()
        path = Path(self.directory.name) / "client"
        self.address = str(path)
        server = f"  default_backend b\nbackend b\n{backend}\n  server s 127.0.0.1:{self.origin.port}\n"
        config = Path(self.directory.name) / "haproxy.cfg"
        config.write_text(
            f"global\n{settings}\ndefaults\n  mode http\n  timeout client 5s\n  timeout server 5s\n  timeout connect 5s\n{defaults}\n"
            f"frontend f\n  bind {self.address}\n{frontend}\n{server}",
            encoding="utf-8",
        )
        self.process = subprocess.Popen([program, "-db", "-f", str(config)], stderr=subprocess.PIPE)
        deadline = time.monotonic() + PATIENCE
        while True:
            with socket.socket(socket.AF_UNIX) as probe:
                try:
                    probe.connect(self.address)
                    break
                except OSError:
                    if self.process.poll() is not None or time.monotonic() > deadline:
                        raise
            time.sleep(0.01)

    def close(self) -> None:
        self.process.terminate()
        self.process.communicate()
        self.origin.close()
        self.directory.cleanup()

    def ask(
        self,
        raw: bytes,
        wanted: bytes = b"",
        wanted_origin: bytes = b"",
        *,
        answer: bytes = OK,
        close_after: bool = False,
    ) -> tuple[bytes, bool, bytes]:
        """What the client got, whether its connection was ended, and what the origin got.

        Reads until the connection ends or `wanted` has come whole, so that no case waits for a timeout of haproxy's.
        """
        origin = self.origin
        origin.answer = answer
        origin.close_after = close_after
        origin.received = []
        got = b""
        ended = False
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(self.address)
            with suppress(BrokenPipeError):
                client.sendall(raw)
            with suppress(ConnectionResetError, TimeoutError):
                while not (wanted and got == wanted):
                    data = client.recv(65536)
                    if not data:
                        ended = True
                        break
                    got += data
            if not ended:
                # An end that follows the answer follows at once; a connection that stays costs this wait.
                client.settimeout(0.05)
                with suppress(TimeoutError):
                    try:
                        ended = client.recv(1) == b""
                    except ConnectionResetError:
                        ended = True
            deadline = time.monotonic() + PATIENCE
            while sum(map(len, origin.received)) < len(wanted_origin) and time.monotonic() < deadline:
                time.sleep(0.002)
        return got, ended, b"".join(bytes(kept) for kept in origin.received)

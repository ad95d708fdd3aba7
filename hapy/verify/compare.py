"""Both programs side by side: the same requests through each, and what differs."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Container, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import h11

from hapy.explain.asked import Asked
from hapy.explain.values import text
from hapy.verify.certificate import own_certificate, trusting
from hapy.verify.rewrite import Private, make_private
from hapy.verify.stubs import MARK, Stub
from hapy_config.source import Source

#: Seconds that a program may take to listen, and that an answer may take.
_START: Final = 10.0
_ANSWER: Final = 15.0
#: How the numbers of a Prometheus exporter begin, which each program gives of itself.
_EXPORTED: Final = "# HELP haproxy_"

#: What is made anew each time: dates as HTTP writes them, UUIDs.
_MADE_ANEW: Final = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"
    r"|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
)


#: A host by its name, as TLS clients ask for it.
_NAME: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_.-]{1,253}")


class CannotRunError(Exception):
    """A program does not start; the message says why, in its own words."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of one request.

    Attributes:
        answer: the answer's lines: status line, fields in order, an empty one, the body; or one that says how the
            connection ended.
        server: who got it, empty for nobody. received: the head's lines there, an empty one, the body.
    """

    answer: tuple[str, ...]
    server: str
    received: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A request that the two programs did not treat alike."""

    asked: Asked
    frontend: str
    theirs: Seen
    ours: Seen


@dataclass(frozen=True, slots=True)
class Outcome:
    """The whole comparison; `connections` are how many each program opened to servers (haproxy's, hapy's)."""

    compared: int
    differences: tuple[Difference, ...]
    left_out: tuple[str, ...]
    connections: tuple[int, int]


def verify(
    sources: Sequence[Source],
    requests: Sequence[tuple[str, Asked]],
    *,
    haproxy: str = "haproxy",
    own_pages: Container[int] = (),
    counts: Container[tuple[str, int]] | None = None,
) -> Outcome:
    """Replay requests through both programs.

    Args:
        sources: the configuration's files.
        requests: (frontend, request) pairs, in order; each comes on a connection of its own.
        haproxy: the other program.
        counts: by file and line the statements outside of `.if` blocks that don't count; None for all.
        own_pages: the numbers of those whose answers, but for their status, are a program's own to make.

    Raises:
        CannotRunError: one of the programs does not take the configuration.
    """

    def shown(seen: Seen, number: int) -> Seen:
        own = number in own_pages or any(line.startswith(_EXPORTED) for line in seen.answer)
        return replace(seen, answer=seen.answer[:1]) if own else seen

    seen: list[list[Seen]] = []
    opened: list[int] = []
    with _Stage(sources, counts) as stage:

        def run(command: list[str]) -> list[Seen]:
            with _Program(command, stage) as program:
                found = [shown(program.ask(*pair, number), number) for number, pair in enumerate(requests)]
            opened.append(stage.reset())
            return found

        seen = [run([haproxy]), run([sys.executable, "-m", "hapy", "--lenient"])]
        left_out = stage.private.left_out
        if seen[0] != seen[1]:  # what haproxy itself does otherwise the next time is no difference
            for number, again in enumerate(run([haproxy])):
                unsteady = _unsteady(seen[0][number], again)
                left_out += [f"{one} differs each time" for one in unsteady.told if seen[0][number] != seen[1][number]]
                seen[0][number], seen[1][number] = (unsteady.without(side[number]) for side in seen)
    differences = [
        Difference(request, frontend, theirs, ours)
        for (frontend, request), theirs, ours in zip(requests, *seen, strict=True)
        if theirs != ours
    ]
    return Outcome(len(requests), tuple(differences), tuple(dict.fromkeys(left_out)), (opened[0], opened[1]))


@dataclass(frozen=True, slots=True)
class _Unsteady:
    """What of a request is not the same twice in one program: header fields, bodies, the server."""

    answer: frozenset[str]
    received: frozenset[str]
    server: bool

    @property
    def told(self) -> Iterator[str]:
        """In words."""
        for name in sorted(self.answer | self.received):
            yield f"the field {name}" if name else "a body"
        if self.server:
            yield "the server"

    def without(self, seen: Seen) -> Seen:
        """What is left to compare."""
        return Seen(
            _but(seen.answer, self.answer), "" if self.server else seen.server, _but(seen.received, self.received)
        )


def _unsteady(one: Seen, other: Seen) -> _Unsteady:
    return _Unsteady(_names(one.answer, other.answer), _names(one.received, other.received), one.server != other.server)


def _names(one: tuple[str, ...], other: tuple[str, ...]) -> frozenset[str]:
    """The fields that differ, by name; an empty one for the body."""
    parts, others = _parted(one), _parted(other)
    return frozenset(name for name in parts.keys() | others.keys() if parts.get(name) != others.get(name))


def _but(lines: tuple[str, ...], names: frozenset[str]) -> tuple[str, ...]:
    """The lines, in their order, but for those of some fields."""
    return tuple(line for name, line in _named(lines) if name not in names)


def _parted(lines: tuple[str, ...]) -> dict[str, list[str]]:
    """Lines by the name of their field."""
    found: dict[str, list[str]] = {}
    for name, line in _named(lines):
        found.setdefault(name, []).append(line)
    return found


def _named(lines: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each line with the name of its field: a blank for the first line, nothing for those of the body."""
    body = False
    for number, line in enumerate(lines):
        body = body or not line
        yield "" if body else " " if number == 0 else line.partition(":")[0].lower(), line


class _Stage:
    """What both programs use, one after the other: the private configuration, listening sockets, stubs."""

    def __init__(self, sources: Sequence[Source], counts: Container[tuple[str, int]] | None) -> None:
        self.stubs: dict[str, Stub] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="hapy-verify-")
        self.path = Path(self._folder.name)
        self._syslog = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._syslog.bind(("127.0.0.1", 0))
        syslog = f"127.0.0.1:{self._syslog.getsockname()[1]}"
        certificate = self.path / "own.pem"
        self.private: Private = make_private(sources, self._stub, syslog, counts, str(certificate))
        if self.private.encrypted:
            certificate.write_bytes(own_certificate())
        self.names = [name for names in self.private.listeners.values() for name in names]
        self.sockets = {
            name: socket.create_server(("127.0.0.1", 0), backlog=128) for name in (*self.names, *self.private.spare)
        }

    def _stub(self, backend: str, server: str) -> str:
        name = f"{backend}/{server}"
        if name not in self.stubs:
            self.stubs[name] = Stub(name)
        return self.stubs[name].address

    def reset(self) -> int:
        """Forget what the stubs have seen; gives how many connections they had."""
        opened = sum(stub.connections for stub in self.stubs.values())
        for stub in self.stubs.values():
            stub.connections = 0
            stub.heads.clear()
        return opened

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stub in self.stubs.values():
            stub.close()
        for sock in self.sockets.values():
            sock.close()
        self._syslog.close()
        self._folder.cleanup()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Signals wait meanwhile: one that came while a process starts would leave it to nobody."""
    caught: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda came, _frame: caught.append(came)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if caught:
            signal.raise_signal(caught[0])


class _Program:
    """One program on the stage."""

    def __init__(self, command: list[str], stage: _Stage) -> None:
        self.command = command
        self.stage = stage
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        stage = self.stage
        environment = dict(os.environ)
        for name, sock in stage.sockets.items():
            os.set_inheritable(sock.fileno(), True)
            environment[name] = str(sock.fileno())
        arguments = []
        for number, content in enumerate(stage.private.texts.values()):
            path = stage.path / f"{number}.cfg"
            path.write_bytes(content.encode("utf-8", "surrogateescape"))
            arguments += ["-f", str(path)]
        output = stage.path / "output"
        with output.open("wb") as stream, _undisturbed():
            self._process = subprocess.Popen(  # noqa: S603  the program that was asked for, on a file of our own
                [*self.command, "-db", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment,
                pass_fds=[sock.fileno() for sock in stage.sockets.values()],
            )
        self._await(output)

    def _await(self, output: Path) -> None:
        """Wait until it serves: a connection to each listener is accepted by it, or it has ended."""
        deadline = time.monotonic() + _START
        for name in self.stage.names:
            if not self._noticed(self.stage.sockets[name].getsockname(), deadline, output):
                raise CannotRunError(f"{self.command[0]} does not serve")

    def _noticed(self, address: tuple[str, int], deadline: float, output: Path) -> bool:
        """Whether bytes that are no HTTP are noticed: the kernel alone would take the connection and say nothing.

        It is one connection only, since a server may get it, and the next ones would then get another.
        """
        assert self._process is not None
        with socket.create_connection(address, timeout=1.0) as probe:
            with suppress(OSError):  # reset: somebody is there
                probe.sendall(b"\r\n\r\nGET\r\n\r\n")
                probe.shutdown(socket.SHUT_WR)
            probe.settimeout(0.05)
            while time.monotonic() < deadline:
                if self._process.poll() is not None:
                    said = output.read_text(errors="replace")
                    errors = [line for line in said.splitlines() if "[ALERT]" in line] or said.splitlines()
                    raise CannotRunError("\n".join((f"{self.command[0]} does not start", *errors[:10])))
                try:
                    probe.recv(1)
                except TimeoutError:
                    continue
                except OSError:
                    pass
                return True
        return False

    def ask(self, frontend: str, request: Asked, number: int) -> Seen:
        """Send one request and gather what became of it."""
        mark = b"%d" % number
        private = self.stage.private
        names = private.listeners[frontend]
        name = next((one for one in names if (one in private.encrypted) == request.tls), names[0])
        encrypted = name in private.encrypted
        line, _, rest = request.head.partition(b"\r\n")
        data = line + b"\r\n" + MARK + b": " + mark + b"\r\n" + rest + request.body
        answer = _converse(self.stage.sockets[name].getsockname(), data, line.split(b" ")[0], request, tls=encrypted)
        for stub in self.stage.stubs.values():
            if mark in stub.heads:
                return Seen(answer, stub.name, tuple(map(_shown, stub.heads[mark])))
        return Seen(answer, "", ())

    def close(self) -> None:
        """End it and everything around it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def _converse(address: tuple[str, int], data: bytes, method: bytes, request: Asked, *, tls: bool) -> tuple[str, ...]:
    """Send bytes, read one answer."""
    try:
        bound = (request.source, 0) if request.source.startswith("127.") else None
        with ExitStack() as stack:
            sock = stack.enter_context(socket.create_connection(address, timeout=_ANSWER, source_address=bound))
            if tls:
                asked = request.host if _NAME.fullmatch(request.host) else None
                sock = stack.enter_context(trusting().wrap_socket(sock, server_hostname=asked))
            sock.sendall(data)
            return _read_answer(sock, method)
    except TimeoutError:
        return ("no answer in time",)
    except OSError as error:
        return (f"the connection ended: {type(error).__name__}",)


def _read_answer(sock: socket.socket, method: bytes) -> tuple[str, ...]:
    connection = h11.Connection(h11.CLIENT)
    try:  # tells the reader which answers have no body
        connection.send(h11.Request(method=method, target=b"/", headers=[(b"host", b"x")]))
        connection.send(h11.EndOfMessage())
    except h11.LocalProtocolError:
        connection = h11.Connection(h11.CLIENT)
        connection.send(h11.Request(method=b"GET", target=b"/", headers=[(b"host", b"x")]))
        connection.send(h11.EndOfMessage())
    lines: list[str] = []
    body = b""
    try:
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(sock.recv(65536))
            elif isinstance(event, h11.Response | h11.InformationalResponse):
                lines.append(f"HTTP/{text(event.http_version)} {event.status_code} {text(event.reason)}")
                lines += [_field(name, value) for name, value in event.headers]
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            else:
                break
    except h11.ProtocolError as error:
        lines.append("closed without an answer" if not lines else f"broken answer: {error}")
    return (*lines, "", *text(body).splitlines())


def _field(name: bytes, value: bytes) -> str:
    return _shown(name + b": " + value)


def _shown(line: bytes) -> str:
    """A line of a head, without what is made anew each time."""
    return _MADE_ANEW.sub("…", text(line))

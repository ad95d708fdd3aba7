"""`python -m compat.nginx_runs --seed N --count K`: random nginx configurations, in nginx and, migrated, in HAProxy.

Each configuration of `compat.nginx_random` runs in nginx and, as `hapy migrate` writes it, in HAProxy (and now and then in
hapy), with the same stub servers, and gets the same odd requests. Status, headers and bodies of answers are compared, and
what the servers got. Each difference must be told by the report: by a note on a line that takes part, which is what is left
when lines without effect on the difference are left out; or by one of the notes about the whole (`GENERAL`), which excuse
only what they speak of. Whatever is not told is printed as UNTOLD, with the lines that are left, the request and both sides.
"""

from __future__ import annotations

import argparse
import copy
import random
import re
import socket
import socketserver
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes

import pytest

from compat.nginx_random import Node, Random, Request, requests
from hapy_config.source import Source
from hapy_config.translate.from_nginx import from_nginx
from hapy_config.translate.report import Loss, Note
from tests.hapy_config.translate.side_by_side import PortTakenError, free_ports, running, start_command

_USERS: Final = "ann:{PLAIN}secret\n"
_STUBS: Final = ("one", "two", "three", "four")
#: Headers of answers that each program writes to its own taste, whatever is configured.
_OWN_ANSWER: Final = frozenset({"server", "date", "connection", "keep-alive", "transfer-encoding", "content-length"})
#: Those of its own pages.
_OWN_PAGE: Final = frozenset({"content-type", "cache-control"})
_OWN_REQUEST: Final = frozenset({"connection", "content-length", "transfer-encoding", "x-req", "accept-encoding"})
_PAGE: Final = re.compile(rb"^\s*(<html>|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same.

    Attributes:
        kind: what.
        nginx: nginx's side. other: the other program's.
    """

    kind: str
    nginx: object
    other: object


@dataclass
class Stubs:
    """Servers that write down what they get, by the number of the request."""

    names: dict[str, object] = field(default_factory=dict)
    got: dict[str, list[tuple[object, ...]]] = field(default_factory=dict)


def _headers(lines: Sequence[bytes]) -> list[tuple[str, str]]:
    split = (line.decode("latin-1").partition(":") for line in lines)
    return [(name.strip().lower(), value.strip()) for name, _, value in split]


def _read_message(stream: object) -> tuple[bytes, list[tuple[str, str]], bytes] | None:
    readline = stream.readline  # type: ignore[attr-defined]
    first = readline().strip()
    if not first:
        return None
    lines = []
    while line := readline().strip(b"\r\n"):
        lines.append(line)
    headers = _headers(lines)
    named = dict(headers)
    if named.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(readline().split(b";")[0] or b"0", 16):
            body += stream.read(size)  # type: ignore[attr-defined]
            readline()
        readline()
    else:
        body = stream.read(int(named.get("content-length") or 0))  # type: ignore[attr-defined]
    return first, headers, body


@contextmanager
def stubs(folder: Path) -> Iterator[Stubs]:
    """Stub servers that listen at all addresses; nobody listens at `dead`."""
    made = Stubs({"folder": folder})

    def serve(name: str) -> type[socketserver.StreamRequestHandler]:
        class Stub(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with suppress(ValueError, OSError):
                    message = _read_message(self.rfile)
                    if message is not None:
                        self._answer(*message)

            def _answer(self, first: bytes, headers: list[tuple[str, str]], body: bytes) -> None:
                named = dict(headers)
                method, _, target = first.decode("latin-1").rpartition(" ")[0].partition(" ")
                kept = sorted(one for one in headers if one[0] not in _OWN_REQUEST)
                made.got.setdefault(named.get("x-req", ""), []).append((name, method, target, tuple(kept), body))
                wanted = named.get("x-want", "200").format(**made.names)
                status, _, header = wanted.partition(" ")
                bare = status in ("204", "304")
                text = b"" if bare else f"from {name}\n".encode()
                lines = [f"HTTP/1.1 {status} Told", "Connection: close", "X-Both: stub", "X-Stub-Only: 1"]
                lines += [header.replace("=", ": ", 1)] if header else []
                lines += [] if bare else [f"Content-Length: {len(text)}", "Content-Type: text/x-stub"]
                head = "\r\n".join((*lines, "", "")).encode("latin-1")
                self.wfile.write(head + (b"" if method == "HEAD" else text))

        return Stub

    with ExitStack() as stack:
        for name in _STUBS:
            server = socketserver.ThreadingTCPServer(("0.0.0.0", 0), serve(name), bind_and_activate=False)
            server.allow_reuse_address, server.daemon_threads, server.request_queue_size = True, True, 64
            server.server_bind()
            server.server_activate()
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            made.names[name] = server.server_address[1]
        dead = stack.enter_context(socket.socket())
        dead.bind(("127.0.0.1", 0))
        made.names["dead"] = dead.getsockname()[1]
        yield made


def text_of(http: Node) -> tuple[str, dict[int, Node]]:
    """The configuration, and the nodes by line."""
    fixed = (
        'events { worker_connections 64; } http { access_log off; proxy_set_header Connection "";'
        " auth_basic_user_file {folder}/users; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;"
        " fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;"
    )
    lines = [fixed]
    at: dict[int, Node] = {}

    def write(node: Node, depth: int) -> None:
        lines.append(" " * depth + node.words + (";" if node.block is None else " {"))
        at[len(lines)] = node
        for one in node.block or ():
            write(one, depth + 1)
        if node.block is not None:
            lines.append(" " * depth + "}")

    for one in http.block or ():
        write(one, 1)
    return "\n".join((*lines, "}", "")), at


def _filled(text: str, names: Mapping[str, object]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: str(names.get(match[1], match[0])), text)


def _sent(one: Request, number: int) -> bytes:
    lines = [f"{one.method} {one.target} {one.version}", *(f"{name}: {value}" for name, value in one.headers)]
    lines += [f"X-Req: {number}", *(["Connection: close"] if one.version != "HTTP/1.0" else [])]
    body = one.body.encode()
    if one.chunked:
        lines.append("Transfer-Encoding: chunked")
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    elif body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + body


def _answer(one: Request, number: int, ports: Mapping[str, int]) -> dict[str, object]:
    """What a client sees, by what it is."""
    data = b""
    with (
        suppress(OSError),
        socket.create_connection(("127.0.0.1", ports[one.port]), 10, (one.source, 0)) as raw,
    ):
        raw.settimeout(4)
        raw.sendall(_sent(one, number))
        while more := raw.recv(65536):
            data += more
    while re.match(rb"HTTP/1\.1 1\d\d ", data):
        data = data.partition(b"\r\n\r\n")[2]
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    if not first.startswith(b"HTTP/"):
        return {"status": "closed"}
    headers = _headers(lines)
    if dict(headers).get("transfer-encoding") == "chunked":
        whole = b""
        while body:
            size, _, body = body.partition(b"\r\n")
            whole += body[: int(size, 16)]
            body = body[int(size, 16) + 2 :]
        body = whole
    own = "x-stub-only" not in dict(headers) and _PAGE.match(body) is not None
    seen: dict[str, object] = {"status": first.split()[1].decode(), "body": "own page" if own else body}
    for name, value in headers:
        if name == "expires":
            seen["answer expires"] = _in_minutes(value)
            continue
        if name not in _OWN_ANSWER and not (own and name in _OWN_PAGE):
            seen[f"answer {name}"] = (*seen.get(f"answer {name}", ()), value)  # type: ignore[misc]
    return seen


def _in_minutes(value: str) -> str:
    """A date as what it is from now on."""
    try:
        return f"in {(parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds() / 60:.0f} minutes"
    except ValueError:
        return value


def _alerts(text: str) -> str:
    """What HAProxy says is wrong; all that was said where it says nothing of the kind."""
    return "\n".join(line for line in text.splitlines() if "ALERT" in line) or text


def _differences(mine: Mapping[str, object], theirs: Mapping[str, object]) -> list[Difference]:
    kinds = dict.fromkeys((*mine, *theirs))
    return [Difference(kind, mine.get(kind), theirs.get(kind)) for kind in kinds if mine.get(kind) != theirs.get(kind)]


class Side:
    """One program with one configuration.

    Args:
        name: the program. text: the nginx configuration. stubs: the servers. folder: to write in.
    """

    def __init__(self, name: str, text: str, servers: Stubs, folder: Path) -> None:
        self._name, self._servers, self._folder = name, servers, folder
        port, other = free_ports(2)
        self.ports = {"port": port, "other": other}
        text = _filled(text, {**servers.names, **self.ports})
        self._files: Mapping[str, str] = {"nginx.conf": text}
        self.notes: tuple[Note, ...] = ()
        self.result = ""
        if name != "nginx":
            outcome = from_nginx([Source.from_text("nginx.conf", text)])
            self._files, self.notes = outcome.files, outcome.notes
            self.result = outcome.files["haproxy.cfg"]
        self._used = [number for number in self.ports.values() if f":{number}" in text]

    def answers(self, asked: Sequence[Request]) -> list[dict[str, object]]:
        """What it does with requests."""
        self._servers.got.clear()
        known = {str(port): word for word, port in self.ports.items()}
        known.update({str(port): word for word, port in self._servers.names.items() if isinstance(port, int)})
        found = []
        with running(start_command(self._name, self._files, self._folder / self._name), self._used):
            for number, one in enumerate(asked):
                seen = _answer(one, number, self.ports)
                got = self._servers.got.get(str(number), [])
                seen["tries"] = len(got)
                if got:
                    server, method, target, headers, body = got[-1]
                    seen |= {"server": server, "got method": method, "got target": target, "got body": body}
                    for name, value in headers:  # type: ignore[attr-defined]
                        if name != "x-want":
                            seen[f"got {name}"] = (*seen.get(f"got {name}", ()), value)  # type: ignore[misc]
                found.append({kind: _plain(value, known) for kind, value in seen.items()})
        return found


def _plain(value: object, known: Mapping[str, str]) -> object:
    """A value with names for ports."""
    if isinstance(value, tuple):
        return tuple(_plain(one, known) for one in value)
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        return value
    return re.sub(r"\b\d{4,5}\b", lambda match: known.get(match[0], match[0]), value)


def _same_path(one: Difference, asked: Request) -> bool:
    """Whether targets differ by how the path is written alone."""
    del asked

    def decoded(text: object) -> bytes:
        path, _, query = str(text).partition("?")
        path = re.sub("/(?:[.]?/)+", "/", unquote_to_bytes(path).decode("latin-1"))
        query = re.sub("%[0-9a-f]{2}", lambda match: match[0].upper(), query)  # a part of the path may stand in it
        return f"{path}?{query}".encode()

    return decoded(one.nginx) == decoded(one.other)


def _climbs(one: Difference, asked: Request) -> bool:
    """Whether HAProxy alone refuses a path with `..`."""
    del one
    return re.search(rb"(^|/)\.\.?(/|$)", unquote_to_bytes(asked.target.partition("?")[0])) is not None


_Excuse = Callable[[Difference, Request], bool]
#: Notes about the whole, and what they excuse.
GENERAL: Final[tuple[tuple[str, _Excuse], ...]] = (
    ("answers with 503, nginx with 502", lambda one, _: (one.kind, one.nginx, one.other) == ("status", "502", "503")),
    ("paths are compared decoded, and go on as they came", lambda one, asked: _climbs(one, asked) or (one.kind == "got target" and _same_path(one, asked))),
    ("a body of more than 1 MB is refused", lambda *_: False),
    ("bodies that do not tell their length are not limited", lambda one, asked: asked.chunked and one.nginx == "413"),
)  # fmt: skip

#: The same without a note of their own: the report tells of them for all configurations (`from_nginx.always`).
ALWAYS: Final[tuple[_Excuse, ...]] = (
    lambda one, asked: (one.kind, one.nginx) == ("status", "400") and _climbs(one, asked),
    lambda one, asked: one.kind == "answer content-type" and re.search(r"\.(html|gif|jpg)(\?|$)", asked.target, re.IGNORECASE) is not None,
)  # fmt: skip

#: Headers of which there may be several; others of a name make nginx refuse a request.
_MANY: Final = ("X-A", "X-B", "Cookie", "X-Forwarded-For", "X-Own", "X-Real-IP", "X-Forwarded-Proto", "Accept-Encoding")
#: What a program does whatever its configuration says; the report tells of it (`from_nginx.always`).
PROGRAMS: Final[tuple[Callable[[Request], bool], ...]] = (
    lambda asked: re.search(r"[^!-~]|#", asked.target) is not None,  # HAProxy refuses those signs
    lambda asked: asked.target.startswith("http"),  # HAProxy wants the same host twice
    lambda asked: any(
        one not in _MANY and many > 1 for one, many in Counter(name for name, _ in asked.headers).items()
    ),
    lambda asked: asked.version not in ("HTTP/1.1", "HTTP/1.0"),
    lambda asked: any(len(value) > 8000 for _, value in asked.headers),  # nginx reads no longer lines
    lambda asked: asked.version == "HTTP/1.0" and "Host" not in dict(asked.headers),  # nginx takes a name of its own
    lambda asked: asked.version == "HTTP/1.0" and asked.chunked,  # nginx answers 400
    lambda asked: any("x-accel-redirect" in value for _, value in asked.headers),
    lambda asked: re.fullmatch(r"[A-Z_-]+", asked.method) is None,  # nginx knows no such methods
)


class Run:
    """Compares.

    Args:
        servers: the stubs. folder: to write in. program: what runs the migrated configuration.
    """

    def __init__(self, servers: Stubs, folder: Path, program: str) -> None:
        self._servers, self._folder, self._program = servers, folder, program
        self.seen: Counter[str] = Counter()
        self.why = ""
        self.told: Counter[str] = Counter()
        self._known: set[tuple[str, str]] = set()

    def both(self, http: Node, asked: Sequence[Request]) -> tuple[list[list[Difference]], Side] | None:
        """The differences of each request, and the migrated side; None where nginx does not take the configuration."""
        for _ in range(3):
            text, _at = text_of(http)
            try:
                mine = Side("nginx", text, self._servers, self._folder).answers(asked)
                side = Side(self._program, text, self._servers, self._folder)
            except PortTakenError:
                continue
            except pytest.fail.Exception as error:
                self.why = str(error)
                return None
            try:
                theirs = side.answers(asked)
            except PortTakenError:
                continue
            except pytest.fail.Exception as error:
                told = any("of the result is refused" in note.text for note in side.notes)
                self.seen["refused, as told" if told else "refused"] += 1
                print(f"{self._program} does not start: {_alerts(str(error))}", file=sys.stderr, flush=True)
                theirs = [{"status": f"does not start: {error}"[:600]} for _ in asked] if not told else mine
            return [_differences(one, other) for one, other in zip(mine, theirs, strict=True)], side
        return None

    def untold(self, http: Node, asked: Sequence[Request]) -> Iterator[str]:
        """What is not told, as text."""
        found = self._taken(http, asked)
        if found is None:
            self.seen["not for nginx"] += 1
            print(self.why[-300:], file=sys.stderr)
            return
        differences, side = found
        self.seen["files"] += 1
        self.seen["requests"] += len(asked)
        told = _told(http, side.notes)
        many = sum(map(self._counts, differences, asked))
        if told and many:  # what is left without the lines that notes speak of has another reason
            self.seen["requests that differ"] += many
            http = copy.deepcopy(http)
            nodes = [node for node, _ in http.walk()]
            _leave_out(http, [nodes[index] for index in told])
            found = self._taken(http, asked)
            if found is None:
                self.seen["not for nginx without those lines"] += 1
                return
            differences, side = found
            many -= sum(map(self._counts, differences, asked))
            self.seen["told"] += max(many, 0)
        done: set[tuple[str, object]] = set()
        for one, each in zip(asked, differences, strict=True):
            if not each:
                continue
            if any(excuse(one) for excuse in PROGRAMS):
                self.seen["by the programs"] += 1
                continue
            self.seen["requests that differ"] += not told
            left = [other for other in each if not _general(other, one, side.notes)]
            first = min(left, key=_rank, default=None)
            mark = (first.kind, f"{first.nginx} {first.other}") if first is not None else ("", "")
            if first is None or mark in done or mark in self._known or len(done) >= 3:
                continue
            done.add(mark)
            yield from self._shrunk(http, one, first)

    def _is_told(self, http: Node, side: Side) -> None:
        """Count it, and the notes that speak of the lines."""
        self.seen["told"] += 1
        at = text_of(http)[1]
        lines = (note for note in side.notes if note.loss is not Loss.NONE and not _is_general(note))
        self.told.update({note.text for note in lines if note.span.line in at})

    def _counts(self, differences: Sequence[Difference], asked: Request) -> bool:
        return bool(differences) and not any(excuse(asked) for excuse in PROGRAMS)

    def _taken(self, http: Node, asked: Sequence[Request]) -> tuple[list[list[Difference]], Side] | None:
        """The differences, without the lines that nginx does not take."""
        for _ in range(30):
            found = self.both(http, asked)
            if found is not None or not self._mended(http):
                return found
        return None

    def _mended(self, http: Node) -> bool:
        """Leave the line out that nginx does not take; False where it names none."""
        match = re.search(r"nginx\.conf:(\d+)", self.why)
        wrong = text_of(http)[1].get(int(match[1])) if match is not None else None
        if wrong is None and match is not None:  # the end of a block
            wrong = next(
                (node for line, node in sorted(text_of(http)[1].items(), reverse=True) if line < int(match[1])), None
            )
        for node, beside in http.walk():
            if node is wrong:
                beside.remove(node)
                return True
        return False

    def _shrunk(self, http: Node, one: Request, difference: Difference) -> Iterator[str]:
        def differs(candidate: Node) -> Side | None:
            found = self.both(candidate, [one])
            if found is None:
                return None
            same = any(
                (each.kind, each.nginx, each.other) == (difference.kind, difference.nginx, difference.other)
                for each in found[0][0]
            )
            return found[1] if same else None

        least = copy.deepcopy(http)
        side = differs(least)
        if side is None:
            self.seen["not again"] += 1  # it takes the requests before it
            text, _ = text_of(http)
            yield f"UNTOLD after others: {one}\n  {difference}\n"
            return
        changed = 2
        while changed:
            changed -= 1
            for node, beside in _by_size(least):
                if not _reachable(least, node):
                    continue
                place = beside.index(node)
                beside.remove(node)
                smaller = differs(least)
                if smaller is None:
                    beside.insert(place, node)
                else:
                    side = smaller
        text, at = text_of(least)
        if any(note.loss is not Loss.NONE and note.span.line in at and not _is_general(note) for note in side.notes):
            self._is_told(least, side)
            return
        if _general(difference, one, side.notes):
            self.seen["told"] += 1
            return
        self.seen["UNTOLD"] += 1
        self._known.add((difference.kind, f"{difference.nginx} {difference.other}"))
        notes = "".join(f"  # {note.span.line}: {note.text}\n" for note in side.notes if note.loss is not Loss.NONE)
        shown = "\n".join(text.splitlines()[1:-1])
        yield f"UNTOLD {one}\n  {difference.kind}: nginx {difference.nginx!r}, {self._program} {difference.other!r}\n{shown}\n{notes}"


def _by_size(root: Node) -> list[tuple[Node, list[Node]]]:
    """All nodes, the largest first."""
    return sorted(root.walk(), key=lambda each: -sum(1 for _ in each[0].walk()))


def _told(http: Node, notes: Sequence[Note]) -> list[int]:
    """The numbers of the lines that notes tell of, but of those that hold others together."""
    places = {id(node): line for line, node in text_of(http)[1].items()}
    lines = {note.span.line for note in notes if note.loss is not Loss.NONE and not _is_general(note)}
    structure = ("server", "location", "proxy_pass", "listen", "server_name", "upstream")
    nodes = [node for node, _ in http.walk()]
    return [
        index
        for index, node in enumerate(nodes)
        if places[id(node)] in lines and node.words.split()[0] not in structure
    ]


def _leave_out(http: Node, nodes: Sequence[Node]) -> None:
    for wrong in nodes:
        for node, beside in list(http.walk()):
            if node is wrong and _reachable(http, node):
                beside.remove(node)
                break


def _reachable(root: Node, wanted: Node) -> bool:
    return any(node is wanted for node, _ in root.walk())


def _rank(one: Difference) -> int:
    order = ("status", "server", "got target", "answer location", "body", "got method")
    return order.index(one.kind) if one.kind in order else len(order) + (one.kind == "tries")


def _is_general(note: Note) -> bool:
    return any(text in note.text for text, _ in GENERAL)


def _general(one: Difference, asked: Request, notes: Sequence[Note]) -> bool:
    return any(excuse(one, asked) for excuse in ALWAYS) or any(
        text in note.text and excuse(one, asked) for note in notes for text, excuse in GENERAL
    )


def main(arguments: Sequence[str]) -> int:
    """Run the command; gives the exit status: 0 when everything is told."""
    parser = argparse.ArgumentParser(prog="python -m compat.nginx_runs", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=20, help="how many configurations")
    parser.add_argument("--told", action="store_true", help="say at the end which notes were needed, and how often")
    parser.add_argument("--requests", type=int, default=40, help="for each")
    parser.add_argument("--program", choices=("haproxy", "hapy"), default="haproxy", help="runs what is migrated")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "users").write_text(_USERS)
        (folder / "users").chmod(0o644)
        with stubs(folder) as servers, suppress(KeyboardInterrupt):  # what was counted is said
            run = Run(servers, folder, given.program)
            for seed in range(given.seed, given.seed + given.count):
                for text in untold_of(run, seed, given.requests):
                    print(f"seed {seed}: {text}", flush=True)
    for text, count in run.told.most_common() if given.told else ():
        print(f"{count:5} {text}")
    print(", ".join(f"{name}: {count}" for name, count in sorted(run.seen.items())))
    return 1 if run.seen["UNTOLD"] or run.seen["not again"] else 0


def untold_of(run: Run, seed: int, count: int) -> Iterator[str]:
    """What is not told of one configuration."""
    dice = random.Random(seed)
    http = Random(dice).http()
    return run.untold(http, requests(dice, http, count))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

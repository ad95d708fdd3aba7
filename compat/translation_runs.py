"""`python -m compat.translation_runs --to nginx|caddy|envoy [--seed N] [--count K] [--asks R] [--told] [--other-notes] [--config FILE]`.

Random configurations (`compat.random_configurations`), run in HAProxy and, translated, in another program, with the same
odd requests and the same stub servers. What clients get and what servers get is compared. The rule: **what is not told does
not differ**. So the lines that the report names as NEAR or LOST are taken out, again and again until it names none, and
what still differs then is UNTOLD: it is printed with the smallest configuration that shows it, and the request.

- `--seed N --count K`: configurations N … N+K-1; each depends on its seed alone.
- `--asks R`: requests for each.
- `--told`: also print what differs before lines are taken out, each kind once with the fewest lines, and the notes on
  these; to be read by a person, who sees whether the notes speak of it.
- `--other-notes`: of differences in headers alone, also print those that stay when only the lines are left whose notes are
  NEAR and name none of these headers: maybe a note about something else covers them. A person judges.
- `--config FILE`: this file (one that was printed, or with `@PORT0@`, `@one@` … as in `compat.random_configurations`) instead of random ones.

What a program does whatever its configuration says (`_ALWAYS`), and notes about lines that can't be taken out (listeners,
servers, names of sections; `_STRUCTURE`) stand here with the requests that they are about. Headers are compared by their
lower-case names and joined values. Which server of a backend answers is not compared. The exit status is 1 where something
is untold, 2 where the program is missing.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import socket
import socketserver
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Final

from compat.random_configurations import FILES, Grammar, Request, request
from hapy_config.api import read_text
from hapy_config.diagnostics import Severity
from hapy_config.translate.report import Loss, Note
from tests.hapy_config.translate.side_by_side import (
    TARGETS,
    PortTakenError,
    free_ports,
    running,
    start_command,
    translated,
)

_BACKENDS: Final = {"one": "b1", "two": "b1", "three": "b2", "four": "b2"}
#: Headers of answers that each program sets to its own taste, and of requests.
_OWN_ANSWERS: Final = frozenset({"connection", "keep-alive", "content-length", "transfer-encoding"})
_OWN_REQUESTS: Final = frozenset({"connection", "content-length", "transfer-encoding"})
#: These a program adds to what it answers itself.
_OF_SERVERS: Final = frozenset({"date", "server"})
_ANSWERS: Final = {
    "404": "HTTP/1.1 404 Not Found",
    "302": "HTTP/1.1 302 Found\r\nLocation: http://inside.example/next",
    "204": "HTTP/1.1 204 No Content",
    "304": "HTTP/1.1 304 Not Modified",
    "500": "HTTP/1.1 500 Internal Server Error",
    "503": "HTTP/1.1 503 Service Unavailable",
    "401": 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="a"',
    "201": "HTTP/1.1 201 Created\r\nLocation: /made",
    "old": "HTTP/1.0 200 OK",
    "plain": "HTTP/1.1 200 OK",
    "empty": "HTTP/1.1 200 OK\r\nX-Empty:",
}
#: The date that stubs tell.
_DATE: Final = "Thu, 01 Jan 2026 00:00:00 GMT"
_FIELDS: Final = (
    f"Content-Type: text/plain\r\nServer: stub\r\nDate: {_DATE}\r\nX-Multi: one\r\nX-Multi: two, three\r\n"
    'X-One: one\r\nSet-Cookie: app=1; Path=/\r\nSet-Cookie: SID=2; path=/; Secure\r\nETag: "e1"\r\nCache-Control: max-age=5\r\n'
    "Via: 1.1 stub\r\nConnection: close\r\n"
)
#: Headers whose lines some programs join.
_KNOWN: Final = frozenset(
    {"origin", "via", "server", "user-agent", "accept", "referer", "authorization", "cache-control"}
)
#: Lines that can't be taken out.
_FIXED: Final = (
    "global",
    "defaults",
    "frontend",
    "backend",
    "userlist",
    "bind",
    "server",
    "mode",
    "timeout",
    "default_backend",
)

#: By target: what it does whatever its configuration says; requests, or answers of HAProxy and of it, that fit differ.
_ALWAYS: Final[Mapping[str, Sequence[tuple[str, re.Pattern[str]]]]] = {
    "nginx": (
        ("paths that climb above the root", re.compile(r"(?i)^\S+ (http://[^/ ]*)?(/+(\.|%2e)?)*/(\.|%2e){2}")),
        ("a % without two hexadecimal digits", re.compile(r"(?i)^[^?\r]*?%(?![0-9a-f]{2})")),
        ("an empty Host", re.compile(r"(?m)^Host:[ \r]*$")),
        ("bodies in HTTP/1.0", re.compile(r"^(GET|HEAD|DELETE) \S+ HTTP/1\.0\r(?s:.*)Content-Length: [1-9]")),
        ("methods in small letters", re.compile(r"^[a-z]+ ")),
    ),
    # What its report begins with.
    "caddy": (
        ("the host, and the path alone, of an absolute URI", re.compile(r"(?i)^\S+ https?://")),
        ("400 to a % without two digits", re.compile(r"(?i)^[^?\r]*?%(?![0-9a-f]{2})")),
        ("always a Host", re.compile(r"(?i)\A(?![\s\S]*^Host:[ ]*[^\s])|\ACONNECT |\AOPTIONS \* ", re.MULTILINE)),
        ("signs in paths are encoded", re.compile(r"^\S+ [^?\s]*[\"<>\\^`{|}\x80-\xff]")),
        ("headers between neighbours", re.compile(r"(?im)^(Keep-Alive|Proxy-.*|Trailer|TE|Upgrade|User-Agent: *\r$)")),
        (
            "bodies in HTTP/1.0",
            re.compile(r"(?im)^(GET|HEAD|DELETE) \S+ HTTP/1\.0\r[\s\S]*^Content-Length: *[1-9]"),
        ),
        ("a lone ?", re.compile(r"^\S+ \S*\? ")),
        ("letters of UTF-8", re.compile(r"[\x80-\xff]")),
        ("several User-Agent", re.compile(r"(?im)^User-Agent:[\s\S]*^User-Agent:")),
        ("what Connection names", re.compile(r"(?im)^Connection:(?!\s*(close|keep-alive)\s*$)")),
        ("no Content-Type with 304", re.compile(r"(?im)^X-Want: 304")),
        ("no empty X-Forwarded-…", re.compile(r"(?im)^X-Forwarded-(For|Proto|Host): *\r$")),
    ),
    "envoy": (
        ("HTTP/1.1 without a Host", re.compile(r"(?is)\A[^\r]* HTTP/1\.1\r\n(?!(.*\n)?Host:)")),
        ("a host where HTTP/1.0 has none", re.compile(r"(?is)\A[^\r]* HTTP/1\.0\r\n(?!(.*\n)?Host:)")),
        ("a path for a whole URL", re.compile(r"\A\S+ http://")),
        ("'OPTIONS *'", re.compile(r"\A\S+ \* ")),
        ("upgrades other than to websocket", re.compile(r"(?im)^Upgrade: (?!websocket)")),
        ("no Referer that is no URL", re.compile(r"(?im)^Referer: (?!https?://)")),
        ("no Keep-Alive and Proxy-Connection", re.compile(r"(?im)^(Keep-Alive|Proxy-Connection):")),
        (
            "bodies of HTTP/1.0 with any method",
            re.compile(r"\A(GET|HEAD|DELETE)[^\r]* HTTP/1\.0\r\n(?s:.*)Content-Length: [1-9]"),
        ),
        (
            "several lines of known headers joined",
            re.compile(r"(?ims)^(origin|user-agent|via|accept|referer|authorization|x-forwarded-[a-z]+):.*^\1:"),
        ),
    ),
}
#: By target: request headers that it takes for its own connection whatever its configuration says.
_TAKEN: Final[Mapping[str, frozenset[str]]] = {"nginx": frozenset({"te", "keep-alive", "expect"})}
#: Targets that see the path alone of a request for http://host/path, and what of a configuration looks at all of it.
_BY_PATH: Final = frozenset({"nginx", "envoy"})
_WHOLE: Final = re.compile(r"\burl|%HU|HTTP_URL_ABS|capture\.req\.uri|set-uri|replace-uri")
#: By target: notes on lines that can't be taken out, and the requests that they are about.
_STRUCTURE: Final[Mapping[str, Sequence[tuple[re.Pattern[str], re.Pattern[str]]]]] = {}


class _Stub(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64
    name = ""
    got: list[list[object]]

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # programs reset connections


class _Handler(socketserver.StreamRequestHandler):
    """Notes what it got; the header X-Want names an answer of `_ANSWERS`."""

    timeout = 8

    def handle(self) -> None:
        with suppress(OSError, ValueError):
            line = self.rfile.readline().decode("latin-1").rstrip("\r\n")
            headers: list[tuple[str, str]] = []
            while text := self.rfile.readline().decode("latin-1").rstrip("\r\n"):
                name, _, value = text.partition(":")
                headers.append((name.lower(), value.strip()))
            if not line:
                return
            body = self._body(dict(headers))
            server: _Stub = self.server  # type: ignore[assignment]
            method, _, rest = line.partition(" ")
            joined: dict[str, str] = {}
            for name, value in sorted(headers, key=lambda pair: pair[0]):
                if name not in _OWN_REQUESTS:
                    joined[name] = f"{joined[name]}, {value}" if name in joined else value
            for name, value in joined.items():
                if name.startswith("x-forwarded-") or name in _KNOWN:
                    joined[name] = re.sub(r",(?=\S)", ", ", value)
            server.got.append([_BACKENDS[server.name], method, rest.rpartition(" ")[0], joined, body.decode("latin-1")])
            self.wfile.write(self._answer(method, dict(headers).get("x-want", "plain")))

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(headers.get("content-length") or 0))

    @staticmethod
    def _answer(method: str, want: str) -> bytes:
        body = b"the body of an answer\n"
        head = _ANSWERS.get(want, _ANSWERS["plain"]) + "\r\n" + _FIELDS
        if want == "chunked":
            head += "Transfer-Encoding: chunked\r\n"
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        elif want not in ("204", "304", "old"):
            head += f"Content-Length: {len(body)}\r\n"
        if method == "HEAD" or want in ("204", "304"):
            body = b""
        return head.encode() + b"\r\n" + body


@dataclass(slots=True)
class Bench:
    """Stub servers, a folder, and the ports of the programs.

    Attributes:
        target: the other program.
        folder: where configurations are written.
        got: what servers got since it was emptied.
        places: ports of the stubs by name.
        ports: of listeners, by program.
        printed: how often differences of a kind were.
    """

    target: str
    folder: Path
    got: list[list[object]]
    places: Mapping[str, int]
    ports: Mapping[str, list[int]]
    printed: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def text(self, lines: Sequence[str], name: str) -> str:
        """Lines as the configuration of a program."""
        text = "".join(line if line.split()[0] in _FIXED[:5] else f"    {line}" for line in _ended(lines))
        for word, port in self.places.items():
            text = text.replace(f"@{word}@", str(port))
        for number, port in enumerate(self.ports[name]):
            text = text.replace(f"@PORT{number}@", str(port))
        return text.replace("@FOLDER@", str(self.folder))

    def notes(self, lines: Sequence[str]) -> list[Note]:
        """What the report says of a loss."""
        outcome, _ = translated(self.target, self.text(lines, self.target))
        return [note for note in outcome.notes if note.loss is not Loss.NONE]

    def answers(self, name: str, lines: Sequence[str], asks: Sequence[Request]) -> list[list[object]]:
        """What becomes of requests in a program.

        Raises:
            DoesNotStartError: it does not take the configuration.
        """
        text = self.text(lines, name)
        files: Mapping[str, str] = {"haproxy.cfg": text} if name == "haproxy" else translated(name, text)[0].files
        used = [port for number, port in enumerate(self.ports[name]) if f"@PORT{number}@" in "\n".join(lines)]
        try:
            with running(start_command(name, files, self.folder / name), used):
                return [self._asked(name, one) for one in asks]
        except PortTakenError:
            raise
        except BaseException as error:  # what `pytest.fail` raises is no Exception
            if isinstance(error, KeyboardInterrupt):
                raise
            raise DoesNotStartError(str(error)) from None

    def _asked(self, name: str, one: Request) -> list[object]:
        self.got.clear()
        seen = _exchange(self.ports[name][one.listener], one)
        got = json.loads(json.dumps(self.got))
        if self.target == "caddy":  # whatever rules do, it passes no empty User-Agent on
            for each in got:
                each[3] = {header: value for header, value in each[3].items() if (header, value) != ("user-agent", "")}
        if len(seen) > 1 and seen[1].get("date") != _DATE:  # type: ignore[attr-defined]
            seen[1].pop("date", None)  # type: ignore[attr-defined]
        for header in seen[1].keys() & _KNOWN if len(seen) > 1 else ():  # type: ignore[attr-defined]
            seen[1][header] = re.sub(r",(?=\S)", ", ", seen[1][header])  # type: ignore[index]
        if not got and len(seen) > 1:
            for header in _OF_SERVERS:
                seen[1].pop(header, None)  # type: ignore[attr-defined]
        for each in got:
            if self.target in _BY_PATH:
                each[2] = re.sub("^http://[^/?]*", "", each[2])
            for header in _TAKEN.get(self.target, ()):
                each[3].pop(header, None)
        text = json.dumps([seen, got])
        for number, port in enumerate(self.ports[name]):
            text = text.replace(str(port), f"PORT{number}")
        result: list[object] = json.loads(text)
        return result


class DoesNotStartError(Exception):
    """A program does not take a configuration."""


def _ended(lines: Sequence[str]) -> Iterator[str]:
    return (f"{line}\n" for line in lines)


def _exchange(port: int, one: Request) -> list[object]:
    """Status, headers and body of an answer; or one word."""
    method = one.raw.split(b" ", 1)[0].decode()
    try:
        with socket.create_connection(("127.0.0.1", port), 5, source_address=(one.source, 0)) as connection:
            connection.settimeout(7)
            connection.sendall(one.raw)
            with HTTPResponse(connection, method=method) as answer:
                answer.begin()
                body = answer.read()
    except (ConnectionError, HTTPException, ValueError):
        return ["closed"]
    except TimeoutError:
        return ["waits"]
    headers: dict[str, str] = {}
    for name, value in sorted(answer.headers.items(), key=lambda pair: pair[0].lower()):
        key = name.lower()
        if key not in _OWN_ANSWERS:
            headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    kind = headers.get("content-type", "")
    own = kind.startswith("text/html") or (answer.status >= 400 and not body.startswith(b"the body"))
    if own and not kind.startswith("text/plain"):
        headers.pop("content-type", None)
        body = b"(a page of its own)" if body and answer.status >= 400 else b""
    if not body:
        headers.pop("content-type", None)  # of nothing
    if "gzip" in headers.get("content-encoding", ""):
        body = b"(gzip)"
    return [answer.status, headers, body.decode("latin-1")]


@contextmanager
def bench(target: str, folder: Path) -> Iterator[Bench]:
    """Stub servers while they run."""
    for name, text in FILES.items():
        (folder / name).write_text(text, newline="")
    folder.chmod(0o755)
    got: list[list[object]] = []
    places: dict[str, int] = {}
    with ExitStack() as stack:
        for name in _BACKENDS:
            server = _Stub(("127.0.0.1", 0), _Handler)
            server.name, server.got = name, got
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            places[name] = server.server_address[1]
        yield Bench(target, folder, got, places, {"haproxy": free_ports(2), target: free_ports(2)})


def repaired(at: Bench, lines: Sequence[str]) -> list[str] | None:
    """Lines without those that are refused; None where nothing runs then."""
    found = list(lines)
    for _ in range(30):
        result = read_text(at.text(found, "haproxy"), "haproxy.cfg", assume_machine=True)
        bad = {
            one.span.line - 1 for one in result.diagnostics if one.severity is Severity.ERROR and one.span is not None
        }
        if not bad:
            return found if result.config is not None else None
        if any(found[number].split()[0] in _FIXED for number in bad if number < len(found)):
            return None
        found = [line for number, line in enumerate(found) if number not in bad]
    return None


def _spoken(at: Bench, lines: Sequence[str]) -> list[int]:
    """The numbers (from 0) of lines with notes that can be taken out."""
    return sorted(
        {note.span.line - 1 for note in at.notes(lines) if lines[note.span.line - 1].split()[0] not in _FIXED}
    )


def silent(at: Bench, lines: Sequence[str]) -> list[str] | None:
    """Lines without those that the report speaks of."""
    found: list[str] | None = list(lines)
    while found is not None and (spoken := _spoken(at, found)):
        found = repaired(at, [line for number, line in enumerate(found) if number not in spoken])
    return found


def other_notes(at: Bench, lines: Sequence[str], found: Sequence[tuple[Request, object, object]]) -> None:
    """Print differences in headers that stay where no note names the header."""
    for one, a, b in found:
        what = _what(a, b)
        headers = {name.lower() for name in re.findall(r"\.([\w-]+)", " ".join(what))}
        if at.printed["other", *what] or any("." not in path for path in what):
            continue
        at.printed["other", *what] += 1
        kept = list(lines)
        while gone := _naming(at, kept, headers):
            fewer = repaired(at, [line for number, line in enumerate(kept) if number not in gone])
            if fewer is None:
                break
            kept = fewer
        if not gone and _still(at, kept, one, what, told=True):
            _print(at, "told by a note about something else?", smallest(at, kept, one, what, told=True), one, a, b)


def _naming(at: Bench, lines: Sequence[str], headers: set[str]) -> set[int]:
    """The numbers of lines that can be taken out, with notes that are LOST or name one of some headers."""
    return {
        note.span.line - 1
        for note in at.notes(lines)
        if lines[note.span.line - 1].split()[0] not in _FIXED
        and (note.loss is Loss.LOST or any(name in note.text.lower() for name in headers))
    }


def differing(at: Bench, lines: Sequence[str], asks: Sequence[Request]) -> list[tuple[Request, object, object]]:
    """Requests with what HAProxy and the other made of them, where that is not the same."""
    theirs = at.answers("haproxy", lines, asks)
    mine = at.answers(at.target, lines, asks)
    found = [(one, a, b) for one, a, b in zip(asks, theirs, mine, strict=True) if a != b]
    return [each for each in found if not _known(at, lines, each[0])]


def _known(at: Bench, lines: Sequence[str], one: Request) -> bool:
    """Whether a difference is one that stands in the lists above."""
    text = one.raw.decode("latin-1")
    if any(pattern.search(text) for _, pattern in _ALWAYS.get(at.target, ())):
        return True
    if at.target in _BY_PATH and b" http://" in one.raw.split(b"\r", 1)[0] and _WHOLE.search("\n".join(lines)):
        return True
    emptied = "X-Want: empty" in text and any("X-Empty" in line for line in lines)
    if at.target == "nginx" and (_changed(lines) & _odd_headers(text) or _low(text, lines) or emptied):
        return True
    about = [(note, pattern) for note, pattern in _STRUCTURE.get(at.target, ()) if pattern.search(text)]
    return bool(about) and any(note.search(said.text) for said in at.notes(lines) for note, _ in about)


def _changed(lines: Sequence[str]) -> set[str]:
    """Request headers that rules change."""
    text = "\n".join(line for line in lines if not line.startswith(("http-response", "http-after-response")))
    found = re.findall(r"(?:(?:set|add|del|replace)-(?:header|value)|unique-id-header|forwardfor.* header) (\S+)", text)
    return {name.lower() for name in found}


def _low(text: str, lines: Sequence[str]) -> bool:
    """Whether a request has X_A for an X-A that lines name."""
    found = re.findall(r"(?m)^(\w*_\w*):", text.partition("\r\n\r\n")[0])
    named = "\n".join(lines).lower()
    return any(name.lower().replace("_", "-") in named or name.lower() in named for name in found)


def _odd_headers(text: str) -> set[str]:
    """Headers of a request that stand there several times or are empty."""
    found = re.findall(r"(?m)^([^\s:]+):[ ]*(.*?)\r$", text.partition("\r\n\r\n")[0] + "\r")
    names = Counter(name.lower() for name, _ in found)
    return {name.lower() for name, value in found if not value or names[name.lower()] > 1}


def _walk(theirs: object, mine: object, path: str = "") -> Iterator[tuple[str, object, object]]:
    """The parts of two outcomes that differ, by where they stand."""
    if isinstance(theirs, dict) and isinstance(mine, dict):
        for name in sorted(theirs.keys() | mine.keys()):
            yield from _walk(theirs.get(name), mine.get(name), f"{path}.{name}")
    elif isinstance(theirs, list) and isinstance(mine, list) and len(theirs) == len(mine):
        for number, (one, other) in enumerate(zip(theirs, mine, strict=True)):
            yield from _walk(one, other, f"{path}[{number}]")
    elif theirs != mine:
        yield path, theirs, mine


def _what(theirs: object, mine: object) -> tuple[str, ...]:
    """Which parts of two outcomes differ; of numbers also how."""
    return tuple(
        path + (f"={one}/{other}" if isinstance(one, int) and isinstance(other, int) else "")
        for path, one, other in _walk(theirs, mine)
    )


def smallest(at: Bench, lines: Sequence[str], one: Request, what: tuple[str, ...], *, told: bool = False) -> list[str]:
    """The fewest lines that still differ in the same way; untold, unless `told`."""
    found = list(lines)
    size = max(len(found) // 3, 1)
    while size:
        number = len(found) - size
        while number >= 0:
            fewer = repaired(at, found[:number] + found[number + size :])
            if fewer is not None and len(fewer) < len(found) and _still(at, fewer, one, what, told=told):
                found = fewer
            number = min(number - size, len(found) - size)
        size //= 2
    return found


def _fewer_headers(at: Bench, lines: Sequence[str], one: Request, what: tuple[str, ...]) -> Request:
    """The request without the headers that make no difference."""
    head, _, body = one.raw.partition(b"\r\n\r\n")
    found = head.split(b"\r\n")
    for line in found[1:]:
        fewer = [each for each in found if each is not line]
        shorter = Request(b"\r\n".join(fewer) + b"\r\n\r\n" + body, one.listener, one.source)
        if not line.lower().startswith((b"content-length", b"transfer-", b"connection")) and _still(
            at, lines, shorter, what
        ):
            found, one = fewer, shorter
    return one


def _still(at: Bench, lines: Sequence[str], one: Request, what: tuple[str, ...], *, told: bool = False) -> bool:
    if f"@PORT{one.listener}@" not in "\n".join(lines):
        return False
    try:
        if not told and _spoken(at, lines):
            return False
        found = differing(at, lines, [one])
    except DoesNotStartError:
        return False
    return bool(found) and _what(found[0][1], found[0][2]) == what


def _print(at: Bench, title: str, lines: Sequence[str], one: Request, theirs: object, mine: object) -> None:
    print(f"\n==== {title}: {', '.join(_what(theirs, mine))}")
    print(at.text(lines, "haproxy").rstrip())
    print(f"---- {one.raw!r} from {one.source} to listener {one.listener}")
    shown = len(json.dumps([theirs, mine])) < 300
    parts = list(_walk(theirs, mine))
    if any(path == "[0][0]" for path, _, _ in parts):  # all headers differ then
        parts = [each for each in parts if not each[0].startswith("[0][1].")]
    for path, a, b in parts if not shown else [("all", theirs, mine)]:
        print(f"  {path}\n    haproxy: {json.dumps(a)}\n    {at.target}: {json.dumps(b)}")
    for note in at.notes(lines):
        print(f"  note: {note.span.line} {note.loss.name}: {note.text}")
    sys.stdout.flush()


def _taken(at: Bench, lines: Sequence[str]) -> bool:
    """Whether HAProxy takes a configuration."""
    try:
        at.answers("haproxy", lines, [])
    except DoesNotStartError:
        return False
    return True


def _run(
    at: Bench,
    title: str,
    given: Sequence[str],
    asks: Sequence[Request],
    seen: Counter[str],
    *,
    told: bool,
    others: bool,
) -> None:
    """One configuration; prints what is untold and counts."""
    lines = repaired(at, given)
    if lines is None:
        seen["not valid"] += 1
        return
    if not _taken(at, lines):
        seen["refused by HAProxy"] += 1
        return
    seen["files"] += 1
    seen["requests"] += len(asks)
    try:
        first = differing(at, lines, asks)
    except DoesNotStartError as error:
        seen["REFUSED BY THE TARGET"] += 1
        print(f"\n==== {title}: the target does not start: {error}\n{at.text(lines, at.target)}")
        return
    if told:
        for one, a, b in first:
            what = _what(a, b)
            if not at.printed[what]:
                at.printed[what] += 1
                _print(at, f"{title} told?", smallest(at, lines, one, what, told=True), one, a, b)
    if others:
        other_notes(at, lines, first)
    bare = silent(at, lines)
    if bare is None:
        seen["nothing is left without the lines told"] += 1
        return
    seen["lines that are not told"] += len(bare)
    seen["lines"] += len(lines)
    rest = differing(at, bare, asks) if bare != lines else first
    seen["differences told"] += max(len(first) - len(rest), 0)
    ways: set[tuple[str, ...]] = set()
    for one, a, b in rest:
        seen["DIFFERENCES UNTOLD"] += 1
        what = _what(a, b)
        if what not in ways and at.printed[what] < 3:
            ways.add(what)
            at.printed[what] += 1
            small = smallest(at, bare, one, what)
            one = _fewer_headers(at, small, one, what)  # noqa: PLW2901
            again = differing(at, small, [one])
            _, a, b = again[0] if again else (one, a, b)  # noqa: PLW2901 - as it is with the fewest lines
            _print(at, f"UNTOLD {title}{'' if again else ' (not every time)'}", small, one, a, b)


def main(arguments: list[str]) -> int:
    """Run the command; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m compat.translation_runs")
    parser.add_argument("--to", choices=tuple(TARGETS), required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--asks", type=int, default=60)
    parser.add_argument("--told", action="store_true")
    parser.add_argument("--other-notes", action="store_true")
    parser.add_argument("--config", type=Path)
    options = parser.parse_args(arguments)
    places = f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/usr/local/bin:/usr/local/sbin:/sbin:/bin"
    for name in ("haproxy", options.to):
        if shutil.which(name, path=places) is None:
            print(f"{name} is not installed", file=sys.stderr)
            return 2
    seen: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, bench(options.to, Path(folder)) as at:
        for seed in range(options.seed, options.seed + options.count):
            lines = Grammar(seed).lines()
            if options.config is not None:
                lines = [one.strip() for one in options.config.read_text().splitlines() if one.strip()]
            dice = random.Random(seed + 1_000_000)
            listeners = sum(line.startswith("bind ") for line in lines)
            asks = [request(dice, listeners) for _ in range(options.asks)]
            _run(at, f"seed {seed}", lines, asks, seen, told=options.told, others=options.other_notes)
    print(", ".join(f"{name}: {count}" for name, count in sorted(seen.items())))
    return 1 if seen["DIFFERENCES UNTOLD"] or seen["REFUSED BY THE TARGET"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

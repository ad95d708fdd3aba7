"""Requests and sessions that end before their time: by an operator, with their server, for a client that doesn't read."""

from __future__ import annotations

import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

from compat.harness import Client, Connection, Origin, World
from compat.harness.targets import wait_until
from compat.harness.world import Scenario

_GLOBAL = "    stats socket {dir}/admin.sock level admin\n"
_GET = "GET /{path} HTTP/1.1\nHost: a\n{cookie}\n"
#: Its body never comes to its end.
_POST = "POST /{path} HTTP/1.1\nHost: a\nContent-Length: 100\n{cookie}\nabc"
_UPGRADE = "GET /upgrade HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: odd\n{cookie}\n"
#: More than kernels and proxies keep for a client that doesn't read.
_MUCH = 8_000_000


def _serve(connection: Connection) -> None:
    """An answer that stays away or breaks off, as the path wishes; the client's own end ends it."""
    message = connection.read()
    path = message.head.split(b" ")[1] if message else b""
    if path == b"/half":
        connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nX-A: b\r\n\r\nabc")
    elif path == b"/upgrade":
        connection.write(b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: odd\r\n\r\nabc")
    elif path == b"/chunk":
        connection.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    elif path == b"/bad":
        connection.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        time.sleep(0.1)  # the proxy has seen that much, and waits for more
        connection.write(b"nothing of the kind\r\n")
    elif path == b"/hints":
        connection.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
    if path != b"/hints":
        connection.reader.to_end()


def _mute(connection: Connection) -> None:
    connection.reader.to_end()


def _blind(connection: Connection) -> None:
    """Reads nothing."""
    connection.ended.wait(5)


@contextmanager
def _deaf(world: World) -> Iterator[None]:
    """`{deaf}` never answers an attempt to connect: its queue of connections is full."""
    with ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(3):
            filler = held.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(address)
        world.places["deaf"] = f"{address[0]}:{address[1]}"
        yield


def _ask(world: World, text: str) -> str:
    """One command of the stats socket."""
    path = world.dir / "admin.sock"
    wait_until(path.exists)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(str(path))
        sock.sendall(text.encode() + b"\n")
        answer = b""
        while data := sock.recv(65536):
            answer += data
    return answer.decode()


def _start(world: World, sections: dict[str, tuple[str, str]]) -> None:
    """A frontend with a backend of its own for each name: its own lines, and the backend's."""
    parts = []
    for name, (front, back) in sections.items():
        mode = "tcp" if name.startswith("tcp") else "http"
        parts += [f"frontend {name}", f"mode {mode}", f"option {mode}log", f'bind "fd@${{{name}}}"', *front.split("; ")]
        parts += [f"default_backend {name}-be", f"backend {name}-be", f"mode {mode}", *back.split("; ")]
    world.start("\n".join(parts), global_=_GLOBAL)


def _begun(world: World, name: str) -> str:
    """The session's name, once the frontend has one."""
    found: list[str] = []

    def look() -> bool:
        found[:] = re.findall(rf"^(0x\w+):.* fe={name} ", _ask(world, "show sess"), re.MULTILINE)
        return bool(found)

    wait_until(look)
    return found[0]


def _killed(front: str, back: str, request: str, end: Callable[[World, str], None], *, seen: bytes = b"") -> Scenario:
    """One request in HTTP without a cookie, with one that a server knows, and in both an end from outside."""

    def scenario(world: World) -> None:
        """What the client gets and the log says."""
        origin = world.origin("s1", _serve)
        sections = {"plain": (front, back), "tied": (front, f"cookie C insert indirect; {back} cookie c1")}
        with _deaf(world):
            _start(world, sections)
            for number, name in enumerate(sections, 1):
                client = world.client(name)
                client.send(request.replace("{cookie}", "Cookie: C=c1\n" if name == "tied" else ""))
                if seen:
                    _expect(client, seen)
                elif not front and "{s1}" in back:
                    origin.wait_for(partial(_is_read, origin, number))
                end(world, name)
                client.expect_end()
                world.logs(number)
        world.forget_origins()

    return scenario


def _is_read(origin: Origin, number: int) -> bool:
    """Whether so many requests have come, each on a connection of its own."""
    return sum(bool(connection.requests) for connection in origin.connections) >= number


def _expect(client: Client, data: bytes) -> None:
    """Wait until so much has come, without taking it."""
    client.sock.settimeout(5)
    wait_until(lambda: data in client.sock.recv(4096, socket.MSG_PEEK))


def _by_operator(world: World, name: str) -> None:
    _ask(world, f"shutdown session {_begun(world, name)}")


def _by_server(world: World, name: str) -> None:
    _begun(world, name)
    _ask(world, f"shutdown sessions server {name}-be/s1")


def _with_server(world: World, name: str) -> None:
    _begun(world, name)
    _ask(world, f"set server {name}-be/s1 state maint")


def _get(path: str) -> str:
    return _GET.replace("{path}", path)


_SERVER = "server s1 {s1} on-marked-down shutdown-sessions"
_DEAF = "retries 0; server s1 {deaf} on-marked-down shutdown-sessions"
_ENDS = {"session": _by_operator, "server": _by_server, "maint": _with_server}

FAMILY: dict[str, Scenario] = {}
for _name, _end in _ENDS.items():
    FAMILY[f"in_the_answer_{_name}"] = _killed("", _SERVER, _get("half"), _end, seen=b"abc")
    FAMILY[f"in_a_tunnel_{_name}"] = _killed("", _SERVER, _UPGRADE, _end, seen=b"abc")
    FAMILY[f"before_the_answer_{_name}"] = _killed("", _SERVER, _get("silent"), _end)
for _name in ("session", "maint"):
    FAMILY[f"while_connecting_{_name}"] = _killed("", _DEAF, _get(""), _ENDS[_name])
FAMILY["in_a_tarpit"] = _killed("timeout tarpit 1s; http-request tarpit", _SERVER, _get(""), _by_operator)


def stopped_while_connecting(world: World) -> None:
    """The end of `hard-stop-after` finds a request that no server has yet."""
    with _deaf(world):
        world.start(
            'frontend fe\n    bind "fd@${fe}"\n    option httplog\n    default_backend be\n'
            "backend be\n    retries 0\n    server s1 {deaf}\n",
            global_="    hard-stop-after 300ms\n" + _GLOBAL,
        )
        client = world.client()
        client.send(_get("").replace("{cookie}", ""))
        _begun(world, "fe")
        world.signal(signal.SIGUSR1)
        client.expect_end()
        world.syslog.wait(1)
        world.note(str([line.partition(" fe ")[2].split()[2:7:4] for line in world.syslog.lines if " fe be/" in line]))


def sessions_of_bytes(world: World) -> None:
    """The same in TCP."""
    world.origin("s1", _mute)
    ends = {"tcp1": _by_operator, "tcp2": _by_operator, "tcp3": _with_server}
    with _deaf(world):
        backs = {
            "tcp1": "server s1 {s1}",
            "tcp2": "timeout connect 1s; retries 0; server s1 {deaf}",
            "tcp3": "server s1 {s1} on-marked-down shutdown-sessions",
        }
        _start(world, {name: ("", back) for name, back in backs.items()})
        for number, (name, end) in enumerate(ends.items(), 1):
            client = world.client(name)
            client.send("abc")
            end(world, name)
            client.expect_end()
            world.logs(number)
    world.forget_origins()


def letters_of_the_impatient(world: World) -> None:
    """Clients that leave or fall silent while their body is waited for: cookies and `use-server` are looked at or not."""
    world.origin("s1", _serve)
    waits = {
        "option": ("", "option http-buffer-request"),
        "both": ("option http-buffer-request", ""),
        "rule": ("", "http-request wait-for-body time 5s"),
        "frontrule": ("http-request wait-for-body time 5s", ""),
        "used": ("", "http-request wait-for-body time 5s; use-server s1 if TRUE"),
        "rejected": ("", "tcp-request content reject"),
    }
    sections = {}
    for name, (front, back) in waits.items():
        sections[name] = (
            f"timeout client 700ms; {front}",
            f"cookie C insert indirect; {back}; server s1 {{s1}} cookie c1",
        )
    _start(world, sections)
    number = 0
    for name in waits:
        for cookie in ("", "Cookie: C=c1\n", "Cookie: C=no\n"):
            for leaves in (True, False):
                client = world.client(name)
                client.send(_POST.replace("{path}", "").replace("{cookie}", cookie))
                if leaves:
                    time.sleep(0.05)  # a FIN that comes with the request is another story
                    client.shutdown()
                client.expect_end()
                number += 1
                world.logs(number)
    world.forget_origins()


def early_lines(world: World) -> None:
    """`logasap` counts an answer's head as rules have left it, what came with it, and nothing of the request.

    But with `contstats`: that much of the request as has come.
    """
    world.origin("s1", _serve)
    rules = {
        "plain": "",
        "cookie": "cookie C insert indirect nocache",
        "set": "http-response set-header a bcdefgh",
        "del": "http-response del-header content-length",
        "after": "http-after-response set-header a bcdefgh",
        "counted": "",
    }
    forms = dict.fromkeys(rules, 'option logasap; log-format "%B %U %ts 0"')
    forms["counted"] += "; option contstats"
    _start(world, {name: (forms[name], f"{rule}; server s1 {{s1}} cookie c1") for name, rule in rules.items()})
    number = 0
    for name in rules:
        for request in (_get("half"), _get("chunk"), _UPGRADE):
            client = world.client(name)
            client.send(request.replace("{cookie}", ""))
            number += 1
            world.logs(number)
    world.forget_clients()
    world.forget_origins()


def answers_that_turn_bad(world: World) -> None:
    """`http-response wait-for-body`: what comes meanwhile is no chunk."""
    world.origin("s1", _serve)
    _start(world, {"fe": ("", "http-response wait-for-body time 5s; server s1 {s1}")})
    client = world.client()
    client.send(_get("bad").replace("{cookie}", ""))
    client.receive()
    world.logs(1)
    world.forget_origins()


def clients_that_take_nothing(world: World) -> None:
    """As long as a client takes nothing, its server isn't late; with `abortonclose` a FIN ends what can't be sent."""

    def much(connection: Connection) -> None:
        connection.reader.until(b"\r\n\r\n")
        connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % _MUCH + bytes(_MUCH))
        connection.reader.to_end()

    world.origin("s1", much)
    back = "timeout server 300ms; server s1 {s1}"
    _start(world, {"fe": ("", back), "abort": ("", f"option abortonclose; {back}")})
    for number, name in enumerate(("fe", "abort"), 1):
        client = world.client(name)
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.send(_get("").replace("{cookie}", ""))
        time.sleep(0.8)
        if name == "abort":
            client.shutdown()
        taken = 0
        client.sock.settimeout(5)
        while taken < _MUCH and (data := client.sock.recv(65536)):
            taken += len(data)
        world.note(f"{name}: {'all' if taken >= _MUCH else 'cut'}")
        world.forget_clients()
        world.syslog.wait(number)
    world.note(" ".join(re.findall(r" (\S+) \d+/\d+/\d+/\d+/\d+ \d+/\d+ ", " ".join(world.syslog.lines))))
    world.forget_origins()


def servers_that_take_nothing(world: World) -> None:
    """A server that does not even take the request when its time is up: no answer."""
    world.origin("s1", _blind)
    _start(world, {"fe": ("", "timeout server 300ms; server s1 {s1}")})
    client = world.client()
    client.send(f"POST / HTTP/1.1\nHost: a\nContent-Length: {_MUCH}\n\n")
    client.sock.settimeout(0.5)
    with suppress(OSError):
        client.sock.sendall(bytes(_MUCH))
    client.sock.settimeout(5)
    try:
        world.note(str(client.sock.recv(100)))
    except ConnectionResetError:
        world.note("nothing")
    world.forget_clients()
    world.syslog.wait(1)
    world.note(" ".join(re.findall(r" (-?\d+) \d+ - - (\S+) ", world.syslog.lines[0])[0]))
    world.forget_origins()


def hints_before_nothing(world: World) -> None:
    """A server that sends early hints and then leaves, with `retry-on empty-response`."""
    world.origin("s1", _serve)
    _start(world, {"fe": ("", "retry-on empty-response; retries 1; server s1 {s1}")})
    client = world.client()
    client.send(_get("hints").replace("{cookie}", ""))
    client.receive()
    client.receive()
    client.ending()
    world.logs(1)
    world.forget_origins()

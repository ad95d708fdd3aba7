"""Termination states (section 8.5 of the manual) and what logs know of requests that ended early."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from functools import partial

from compat.harness import Client, Connection, Origin, World

#: All of a line but times: letters, status, sizes, attempts, names, both ends of the server's connection.
_FORMAT = "%tsc %ST %B %U %Tw/%Tc/%Tr/%Ta/%Tt 0 %ac/%fc/%bc/%sc/%rc %sq/%bq %b/%s %bi:%bp %si:%sp %HM"

_GET = "GET / HTTP/1.1\nHost: a\n\n"
#: A request whose body stops in the middle.
_POST = "POST / HTTP/1.1\nHost: a\nContent-Length: 100\n\nabc"


def _start(world: World, back: str, front: str = "", *, name: str = "fe") -> None:
    """The last of them, and the program."""
    _add(world, back, front, name=name)
    world.start(world.places.pop("sections"))


def _add(world: World, back: str, front: str = "", *, name: str = "fe") -> None:
    """One more frontend with a backend of its own; `_start` follows."""
    form = _FORMAT if "mode tcp" not in front else "%ts %ST %B %U %Tw/%Tc/%Tt 0 %rc %b/%s %bi:%bp %si:%sp"
    lines = [
        *(f"frontend {name}", f'bind "fd@${{{name}}}"', "log-format " + form.replace(" ", "\\ ")),
        *(*front.splitlines(), f"default_backend {name}-be", f"backend {name}-be", *back.splitlines()),
    ]
    world.places["sections"] = world.places.get("sections", "") + "\n".join(lines) + "\n"


def _dead(world: World) -> None:
    """`{dead}` refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        world.places["dead"] = f"127.0.0.1:{sock.getsockname()[1]}"


def _silent(connection: Connection) -> None:
    connection.reader.until(b"\r\n\r\n")
    connection.reader.to_end()


def _half(connection: Connection) -> None:
    connection.read()
    connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
    connection.reader.to_end()


def _ask(client: Client) -> None:
    client.get("/")


def _await_end(client: Client) -> None:
    client.expect_end()


def _in_turn(world: World, steps: dict[str, Callable[[Client], None]]) -> None:
    """One client a frontend, each when the line of the one before is there."""
    for number, (name, step) in enumerate(steps.items(), 1):
        client = world.client(name)
        step(client)
        world.logs(number)


def refused_connections(world: World) -> None:
    """The ends of connections that servers refused, and of a UNIX socket's that isn't there, in HTTP and in TCP."""
    _dead(world)
    _add(world, "server s {dead}\nretries 0")
    _add(world, "server s {dir}/none.sock\nretries 0", name="unix")
    _start(world, "mode tcp\nserver s {dead}\nretries 0", "mode tcp", name="tcp")
    _in_turn(
        world,
        {
            "fe": _ask,
            "unix": _ask,
            "tcp": _await_end,
        },
    )


def no_free_port(world: World) -> None:
    """`source` with one port that another connection has: at once, and the log says why."""
    origin = world.origin("s1", _silent)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        world.places["port"] = str(sock.getsockname()[1])
    _start(world, "server s {s1} source 127.0.0.1:{port}-{port}\nretries 2\ntimeout server 5s")
    first = world.client()
    first.send(_GET)
    origin.wait_for(lambda: bool(origin.connections))
    second = world.client()
    second.send(_GET)
    second.receive()
    world.logs(4)


def _free_run(length: int) -> int:
    """The first of so many ports in a row that are free, out of the way of those that the system gives."""
    first = 0
    while not first:
        first = random.randrange(20000, 30000)
        try:
            for port in range(first, first + length):
                with socket.socket() as sock:
                    sock.bind(("127.0.0.1", port))
        except OSError:
            first = 0
    return first


def ports_in_a_range(world: World) -> None:
    """`source` with a range: each connection has a port of its own, until there is none."""
    origin = world.origin("s1", _silent)
    first = _free_run(3)
    world.places["range"] = f"{first}-{first + 2}"
    _start(world, "server s {s1} source 127.0.0.1:{range}\nretries 0\ntimeout server 5s")
    for number in range(1, 4):
        world.client().send(_GET)
        origin.wait_for(partial(_has_met, origin, number))
    world.client().get("/")
    world.logs(2)
    world.note(str(sorted(connection.sock.getpeername()[1] - first for connection in origin.connections)))


def _has_met(origin: Origin, number: int) -> bool:
    return len(origin.connections) >= number


def cut_bodies(world: World) -> None:
    """A client ends in the middle of a body: while a rule or an option waits for it; a rule that answers meanwhile."""
    world.origin("s1", _silent)
    wait = "http-request wait-for-body time 5s"
    _add(world, "server s {s1}", wait)
    _add(world, "server s {s1}", "option http-buffer-request", name="buffer")
    _add(world, f"{wait}\nserver s {{s1}}", name="back")
    _add(world, "server s {s1}", f"{wait}\nhttp-request deny", name="denied")
    _start(world, "server s {s1}", "http-request tarpit\ntimeout tarpit 500ms", name="tarpit")

    def leave(client: Client) -> None:
        client.send(_POST)
        client.ending(0.2)
        client.shutdown()
        client.receive()
        client.expect_end()

    _in_turn(world, dict.fromkeys(("fe", "buffer", "back", "denied", "tarpit"), leave))


def reset_while_a_request_comes(world: World) -> None:
    """A server that resets before it has the whole request: its client is told nothing."""

    def script(connection: Connection) -> None:
        connection.reader.until(b"\r\n\r\n")
        connection.reader.exactly(3)
        connection.reset()

    world.origin("s1", script)
    _start(world, "server s {s1}")
    client = world.client()
    client.send(_POST)
    client.receive()
    client.expect_end()
    world.logs(1)


def reset_before_the_answers_end(world: World) -> None:
    """A client's reset shows with what is next sent to it, else the server's timeout ends the answer."""
    world.origin("s1", _half)
    _start(world, "server s {s1}\ntimeout server 700ms")
    client = world.client()
    client.send(_GET)
    client.reader.until(b"abc")
    client.reset()
    world.clients.remove(client)
    world.logs(1)


def refused_answers(world: World) -> None:
    """What `%B` counts of answers that rules keep from the client, of a 101 that nobody asked for, of a CONNECT."""

    def script(connection: Connection) -> None:
        while (message := connection.read()) is not None:
            if b"upgrade" in message.head:
                connection.write(b"HTTP/1.1 101 Sw\r\nConnection: upgrade\r\nUpgrade: w\r\n\r\n")
            elif message.head.startswith(b"CONNECT"):
                connection.reply(b"no", "403 Forbidden")
            else:
                connection.reply(300000 * b"x", headers=("X-A: b", "X-C: d"))

    world.origin("s1", script)
    _add(world, "http-response deny\nserver s {s1}")
    _add(world, "http-response return status 200\nserver s {s1}", name="other")
    _add(world, "tcp-response content reject\nserver s {s1}", name="rejected")
    _add(world, "server s {s1}", name="plain")
    _start(world, "server s {s1}", "option http-server-close", name="asked")

    def upgrade(client: Client) -> None:
        client.get("/upgrade")

    def connect(client: Client) -> None:
        client.send("CONNECT a:1 HTTP/1.1\nHost: a:1\nContent-Length: 5\n\n")
        client.receive()

    _in_turn(
        world,
        {
            **dict.fromkeys(("fe", "other", "rejected"), _ask),
            "plain": upgrade,
            "asked": connect,
        },
    )


def full_queues(world: World) -> None:
    """A cookie's server whose queue is full: 503, or another server where `option redispatch` lets it."""
    world.origin("s1", _silent)
    world.origin("s2")
    servers = "cookie S insert\nserver s1 {s1} cookie 1 maxconn 1 maxqueue 1\nserver s2 {s2} cookie 2\ntimeout queue 1s"
    _add(world, f"{servers}\ntimeout server 2s")
    _start(world, f"option redispatch\n{servers}\ntimeout server 2s", name="again")
    for number, name in enumerate(("fe", "again"), 1):
        first, second = world.client(name), world.client(name)
        first.send(_GET.replace("\n\n", "\nCookie: S=1\n\n"))
        first.ending(0.2)
        second.send(_GET.replace("\n\n", "\nCookie: S=1\n\n"))
        second.ending(0.2)
        world.client(name).get("/", "Cookie: S=1")
        world.logs(3 * number - 2)
        second.receive()
        first.receive()
        world.logs(3 * number)


def lines_without_a_format(world: World) -> None:
    """A frontend without a log format tells of each request when its head is there, in TCP of each connection."""
    world.start(
        'frontend fe\n bind "fd@${fe}"\n http-request set-log-level silent if { path /silent }\n'
        ' http-request deny\nfrontend raw\n mode tcp\n bind "fd@${raw}"\n tcp-request connection reject if FALSE\n'
    )
    client = world.client()
    client.get("/")
    client.send((_GET * 2).replace(" / ", " /silent "))
    client.receive()
    client.receive()
    world.logs(3)
    for head in ("BAD\n\n", "GET / HT"):
        client = world.client()
        client.send(head)
        client.shutdown()
        client.expect_end()
    world.client("raw").close()
    world.logs(4)

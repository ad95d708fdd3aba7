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
                connection.write(b"HTTP/1.1 101 Sw\r\nConnection: upgrade\r\nUpgrade: w\r\n\r\nbytes behind it")
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


def full_queue_of_the_chosen(world: World) -> None:
    """Another server than the one whose queue was full, though the balancing would choose that one, too."""
    world.origin("s1", _silent)
    world.origin("s2")
    _start(
        world,
        "option redispatch\nbalance url_param k\nhash-type consistent\ncookie S insert\ntimeout queue 1s\ntimeout server 2s\n"
        "server s1 {s1} cookie 1 maxconn 1 maxqueue 1 weight 100\nserver s2 {s2} cookie 2 weight 1",
    )
    first, second = world.client(), world.client()
    for client in (first, second):
        client.send(_GET.replace("\n\n", "\nCookie: S=1\n\n"))
        client.ending(0.2)
    for number in range(3):
        world.client().get(f"/?k={number}", "Cookie: S=1")
        world.logs(number + 1)
    second.receive()
    first.receive()
    world.logs(5)


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


def last_words(world: World) -> None:
    """A client closes with a bad request, or with one whose body is not complete: it is the client who ended it."""
    origin = world.origin("s1")
    _start(world, "server s {s1}")
    world.client().get("/")  # it runs: what comes next is not taken with its connection
    bad = ("B A D\n\n", "GET / HTTP/1.1\nHost: a\nHost: b\n\n", "POST / HTTP/1.1\nContent-Length: x\n\n", _POST)
    count = 1
    for words in (*bad, "GET / HTTP/1.0\nContent-Length: 1\n\n", "GET / HTTP/1.1\nA: " + 20000 * "b"):
        for before in ("", _GET, words[:3]):
            client = world.client()
            if before == _GET:
                client.get("/")
                count += 1
            elif before:
                client.send(before)
            client.ending(0.1)
            client.send_last(words[len(before) :] if before != _GET else words)
            client.expect_end()
            count += 1
            world.logs(count)
    world.note(str(len(origin.connections)))


def last_words_that_are_two_requests(world: World) -> None:
    """A client closes with two requests: one has sent both, and may read both answers."""
    world.origin("s1")
    _start(world, "server s {s1}")
    world.client().get("/")
    client = world.client()
    client.ending(0.1)
    client.send_last(_GET * 2)
    client.receive()
    client.receive()
    world.logs(2)


def sessions_that_wait(world: World) -> None:
    """In TCP a client that has sent nothing ends its session by a FIN or by silence, in a queue and between attempts."""

    def hold(connection: Connection) -> None:
        connection.reader.to_end()

    _dead(world)
    world.origin("s1", hold)
    back = "mode tcp\ntimeout queue 5s\nretries 1\nserver s {s1} maxconn 1"
    _add(world, back, "mode tcp", name="fe")
    _add(world, back + "\noption abortonclose", "mode tcp", name="abort")
    _add(world, "mode tcp\nretries 2\nserver s {dead}", "mode tcp", name="dead")
    _start(world, "mode tcp\nretries 2\nserver s {dead}", "mode tcp\ntimeout client 300ms", name="latedead")
    holders = [world.client(name) for name in ("fe", "abort")]
    for holder in holders:
        holder.send(b"x")
        holder.ending(0.1)
    count = 0
    for name, words, leaves in (
        ("fe", b"", True),
        ("abort", b"", True),
        ("abort", b"y", True),
        ("dead", b"", True),
        ("dead", b"y", True),
        ("latedead", b"", False),
        ("latedead", b"y", False),
    ):
        client = world.client(name)
        client.send(words)
        client.ending(0.1)
        if leaves:
            client.shutdown()
        client.expect_end()
        count += 1
        world.logs(count)
    client = world.client("fe")
    client.send(b"y")
    client.shutdown()
    client.ending(0.2)
    holders[0].shutdown()
    client.expect_end()
    world.logs(count + 2)


def silence_through_an_inspection(world: World) -> None:
    """The time that a TCP client may be silent does not begin anew with the connection to its server."""
    delay = "tcp-request inspect-delay 400ms\ntcp-request content accept if { req.len gt 100 }"
    world.origin("s1", lambda connection: connection.reader.to_end())
    back = "mode tcp\ntimeout server 900ms\nserver s {s1}"
    _add(world, back, f"mode tcp\ntimeout client 800ms\n{delay}")
    _start(world, back, f"mode tcp\ntimeout client 800ms\n{delay}", name="words")
    world.client().expect_end()
    world.logs(1)
    client = world.client("words")
    client.send(b"x")
    client.expect_end()
    world.logs(2)


def status_of_sessions(world: World) -> None:
    """What `%ST` has for a TCP session whose section has conditions on HTTP messages."""
    world.origin("s1", b"HTTP/1.1 200 OK\r\n\r\n")
    rules = "tcp-request inspect-delay 500ms\ntcp-request content accept if HTTP"
    _start(world, "mode tcp\nserver s {s1}", f"mode tcp\n{rules}")
    client = world.client()
    client.send(_GET)
    client.receive()
    client.expect_end()
    world.logs(1)

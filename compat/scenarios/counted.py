"""What the statistics count of requests and connections that rules deny, that break off, or that fail halfway."""

from __future__ import annotations

import csv
import io
import time

from compat.harness import Client, Connection, World
from compat.harness.targets import wait_until
from compat.scenarios.states_told import GLOBAL, ask, await_socket

_COLUMNS = (
    *("smax", "stot", "dreq", "dresp", "ereq", "econ", "eresp", "wretr", "dcon", "dses", "conn_tot", "req_tot"),
    *("hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other", "cli_abrt", "srv_abrt"),
    *("connect", "reuse"),
)
_UNFINISHED = "POST /unfinished HTTP/1.1\nHost: a\nContent-Length: 10\n\nabc"


def _script(connection: Connection) -> None:
    while (message := connection.read()) is not None:
        if b"/hints" in message.head:
            connection.write(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n")
        if b"/fails" in message.head:
            connection.reply(status="503 No")
        elif b"/ends" in message.head:
            return
        elif b"/resets" in message.head:
            connection.reset()
            return
        else:
            connection.reply(b"x")


def _start(world: World, front: str = "", back: str = "", *, mode: str = "http") -> None:
    world.origin("s1", _script)
    world.start(
        f'frontend fe\n mode {mode}\n bind "fd@${{fe}}"\n option socket-stats\n {front}\n default_backend be\n'
        f"backend be\n mode {mode}\n retries 0\n {back}\n server s1 {{s1}}\n",
        global_=GLOBAL,
    )
    await_socket(world)


def _note_counts(world: World, title: str) -> None:
    """What clients saw, and what the rows of the frontend, its socket, the server and the backend tell afterwards."""
    for client in world.clients:
        world.note(f"{title}: {client.seen}")
    world.forget_clients()
    rows: list[dict[str, str]] = []

    def idle() -> bool:
        rows[:] = csv.DictReader(io.StringIO(ask(world, "show stat").removeprefix("# ")))
        return not any(int(row["scur"] or 0) for row in rows)

    wait_until(idle)
    for row in rows:
        counts = " ".join(f"{name}={row[name]}" for name in _COLUMNS if row[name] not in ("", "0"))
        world.note(f"{title}: {row['svname']}: {counts}")


def _anew(world: World) -> None:
    """The next program counts from the beginning."""
    world.stop_program()
    world.forget_origins()


def _silent(client: Client) -> None:
    """Note whether the client hears anything of its connection's end."""
    client.sock.settimeout(0.3)
    try:
        data = client.sock.recv(1000)
    except TimeoutError:
        client.seen.append("silence")
    except OSError as error:
        client.seen.append(type(error).__name__)
    else:
        client.seen.append(f"heard {data!r}")


def denied_by_rules(world: World) -> None:
    """Requests and answers that rules of either section deny, hold, reject or drop."""
    for rule in ("deny", "tarpit", "reject", "silent-drop"):
        for section in ("front", "back"):
            _start(world, **{section: f"http-request {rule} if {{ path / }}\n timeout tarpit 100ms"})
            client = world.client()
            client.get("/other")
            client.send("GET / HTTP/1.1\nHost: a\n\n")
            client.receive() if rule in ("deny", "tarpit") else _silent(client)
            _note_counts(world, f"{rule}, {section}")
            _anew(world)
    for section in ("front", "back"):
        for rule in ("deny", "return status 404", "redirect location /x", "set-status 500"):
            _start(world, **{section: f"http-response {rule}"})
            world.once("/")
            _note_counts(world, f"{rule}, {section}")
            _anew(world)


def denied_by_content(world: World) -> None:
    """The same for rules on contents, in both modes."""
    for mode in ("http", "tcp"):
        for rule, section in (
            ("tcp-request content reject", "front"),
            ("tcp-request content reject", "back"),
            ("tcp-request content silent-drop", "front"),
            ("tcp-request content silent-drop", "back"),
            ("tcp-response content reject", "back"),
            ("tcp-response content silent-drop", "back"),
        ):
            _start(world, **{section: rule}, mode=mode)
            client = world.client()
            client.send("GET / HTTP/1.1\nHost: a\n\n")
            _silent(client)
            _note_counts(world, f"{mode}, {section}, {rule}")
            _anew(world)


def denied_connections(world: World) -> None:
    """Connections that are rejected are reset; of those that are dropped their clients hear nothing."""
    for mode in ("http", "tcp"):
        for layer in ("connection", "session"):
            for rule in ("reject", "silent-drop"):
                _start(world, f"tcp-request {layer} {rule} if {{ src 127.0.0.2 }}", mode=mode)
                world.client().get("/")
                _silent(world.client(source="127.0.0.2"))  # which says nothing: a system answers what comes too late
                _note_counts(world, f"{mode}, {layer}, {rule}")
                _anew(world)


def requests_cut_short(world: World) -> None:
    """The client leaves in the middle of its request's body, which a server has begun to read, or rules wait for."""
    for front, back in (
        ("", ""),
        ("", "option http-buffer-request"),
        ("http-request wait-for-body time 5s", ""),
        ("", "http-request wait-for-body time 5s"),
    ):
        _start(world, front, back)
        client = world.client()
        client.send(_UNFINISHED)
        if not front and not back:
            connections = world.origins["s1"].connections
            wait_until(lambda: bool(connections))  # noqa: B023 - called at once
        time.sleep(0.1)
        _note_counts(world, f"{front}{back} cut")
        _anew(world)


def bodies_too_slow(world: World) -> None:
    """A body does not come in the time that a rule gives it, or in that of the client."""
    for front, back in (
        ("http-request wait-for-body time 200ms", ""),
        ("", "http-request wait-for-body time 200ms"),
        ("timeout client 200ms", "http-request wait-for-body time 5s"),
        ("timeout client 200ms\n http-request wait-for-body time 5s", ""),
    ):
        _start(world, front, back)
        client = world.client()
        client.send(_UNFINISHED)
        client.receive()
        client.expect_end()
        _note_counts(world, f"{front}{back} slow")
        _anew(world)


def answers_that_fail(world: World) -> None:
    """Servers that say more than one answer, none, or something that is asked for again; on new and on used connections."""
    for targets in (("/hints", "/hints"), ("/ends",), ("/resets",), ("/1", "/ends"), ("/1", "/resets"), ("/fails",)):
        _start(world, back="retry-on 503 conn-failure\n retries 2")
        client = world.client()
        for target in targets:
            client.get(target, method="POST")
        _note_counts(world, " ".join(targets))
        _anew(world)


def continuously(world: World) -> None:
    """`option contstats`: bytes of sessions that go on count, every five seconds at least; without it at their end."""

    def script(connection: Connection) -> None:
        connection.reader.exactly(1)
        connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        connection.reader.to_end()
        connection.close()

    modes = {"http": "GET / HTTP/1.1\nHost: a\n\n", "tcp": "hello"}
    world.origin("s1", script)
    sections = [
        f'listen {mode}{number}\n mode {mode}\n bind "fd@${{{mode}{number}}}"\n option socket-stats\n {option}\n'
        " server s1 {s1}\n"
        for mode in modes
        for number, option in enumerate(("", "option contstats"))
    ]
    world.start("".join(sections), global_=GLOBAL)
    await_socket(world)
    clients = [(world.client(f"{mode}{number}"), modes[mode]) for mode in modes for number in (0, 1)]
    for client, request in clients:
        client.send(request)
        while b"abc" not in client.reader.buffer and client.reader.fill():
            pass
    rows: list[dict[str, str]] = []

    def counted() -> bool:
        rows[:] = csv.DictReader(io.StringIO(ask(world, "show stat").removeprefix("# ")))
        return all(int(row["bout"]) for row in rows if row["pxname"].endswith("1"))

    wait_until(counted, 15)
    for row in rows:
        world.note(f"{row['pxname']}/{row['svname']}: {row['bin']} {row['bout']}")
    world.forget_clients()
    world.forget_origins()


def unheard(world: World) -> None:
    """TCP connections to an HTTP backend of which no request came: the backend counts them, as broken off."""
    begins = {
        "bad": b"junk\r\n\r\n",
        "half": b"GET / HT",
        "fields": b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
    }
    world.start(
        "".join(
            f'frontend f{name}\n mode tcp\n bind "fd@${{f{name}}}"\n default_backend {name}\n'
            f"backend {name}\n mode http\n server s1 127.0.0.1:1\n"
            for name in begins
        ),
        global_=GLOBAL,
    )
    await_socket(world)
    for name, begin in begins.items():
        client = world.client(f"f{name}")
        client.send(begin)
        client.shutdown()
        client.receive()
        client.close()
        _note_counts(world, name)

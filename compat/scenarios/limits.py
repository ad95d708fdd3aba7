"""Limits: what `minconn`, `maxqueue`, `rate-limit`, `tune.*` and the hash load factor let through."""

from __future__ import annotations

import re
import threading
from contextlib import suppress

from compat.harness import Connection, World
from compat.scenarios.timing import _start


def _holding(world: World, name: str = "s1") -> threading.Event:
    release = threading.Event()

    def script(connection: Connection) -> None:
        while connection.read() is not None:
            release.wait(8)
            connection.reply(b"done")

    world.origin(name, script)
    return release


def dynamic_maxconn(world: World) -> None:
    """Between `minconn` and `maxconn` a server's limit grows with the backend's load, up to `fullconn`."""
    release = _holding(world)
    _start(world, back="fullconn 10", server="minconn 1 maxconn 5")
    origin = world.origins["s1"]
    clients = []
    for number in range(1, 13):
        client = world.client()
        client.send(f"GET /{number} HTTP/1.1\nHost: a\n\n")
        clients.append(client)
        origin.wait_for(lambda: bool(origin.order))
        seen = 0
        while len(origin.order) > seen:  # until no further one comes
            seen = len(origin.order)
            origin.wait_for(lambda seen=seen: len(origin.order) > seen, 0.15)
        world.note(f"{number} requests: {len(origin.order)} at the server")
    release.set()
    for client in clients:
        client.receive()
    world.forget_origins()


def dynamic_maxconn_when_requests_end(world: World) -> None:
    """The limit that a slot is given away under still counts the request that gives it back."""
    ends = [threading.Event() for _ in range(10)]

    def script(connection: Connection) -> None:
        while (message := connection.read()) is not None:
            ends[int(message.head.split()[1][1:])].wait(10)
            connection.reply(b"x")

    origin = world.origin("s1", script)
    _start(world, back="fullconn 10", server="minconn 2 maxconn 5")
    clients = []
    for number in range(10):
        client = world.client()
        client.send(f"GET /{number} HTTP/1.1\nHost: a\n\n")
        clients.append(client)
        origin.wait_for(lambda: bool(origin.order))
        client.ending(0.1)
    for number, client in enumerate(clients):
        ends[number].set()
        client.receive()
        seen = 0
        while len(origin.order) > seen:  # until no further one comes
            seen = len(origin.order)
            origin.wait_for(lambda seen=seen: len(origin.order) > seen, 0.15)
        world.note(f"{number + 1} ended: {len(origin.order)} were at the server")
    world.forget_origins()


def dynamic_maxconn_when_waiting_ends(world: World) -> None:
    """A request that gives up waiting lets others out, where the limit has grown since they came."""
    release = _holding(world)
    world.start(
        "frontend fe\n bind fd@${fe}\n option abortonclose\n default_backend be\n"
        "backend be\n fullconn 6\n balance uri\n server s1 {s1} maxconn 3 minconn 1\n server s2 {s1} disabled\n"
    )
    origin = world.origins["s1"]
    clients = []
    for number in range(8):
        client = world.client()
        client.send(f"GET /{number} HTTP/1.1\nHost: a\n\n")
        clients.append(client)
        origin.wait_for(lambda: bool(origin.order))
        client.ending(0.1)
    world.note(f"{len(origin.order)} at the server")
    clients[4].close()
    origin.wait_for(lambda: len(origin.order) > 2)
    origin.wait_for(lambda: len(origin.order) > 3, 0.2)
    world.note(f"{len(origin.order)} at the server")
    release.set()
    world.forget_clients()
    world.forget_origins()


def dynamic_maxconn_when_one_is_refused(world: World) -> None:
    """What a request refused for a full queue, or one that gives up waiting, leaves of a limit that grows."""
    release = _holding(world)
    origin = world.origins["s1"]
    for others, queue, gives_up in ((0, 1, False), (1, 1, False), (2, 1, False), (1, 2, True), (2, 2, True)):
        world.start(
            "frontend fe\n bind fd@${fe}\n option abortonclose\n default_backend be\n"
            "backend be\n fullconn 6\n balance uri\n use-server s2 if { path /other }\n"
            f" server s1 {{s1}} maxconn 3 minconn 1 maxqueue {queue}\n server s2 {{s1}} weight 0\n"
        )
        before = len(origin.order)
        clients = []
        for path in ["/"] * (1 + queue) + ["/other"] * others:
            client = world.client()
            client.send(f"GET {path} HTTP/1.1\nHost: a\n\n")
            clients.append(client)
            origin.wait_for(lambda before=before: len(origin.order) > before)
            client.ending(0.1)
        if gives_up:
            clients[1].close()
        else:
            client = world.client()
            client.send("GET / HTTP/1.1\nHost: a\n\n")
            client.receive()
        origin.wait_for(lambda before=before, others=others: len(origin.order) - before > 1 + others, 0.3)
        case = "gives up" if gives_up else "refused"
        world.note(f"{others} others, {case}: {len(origin.order) - before} at the servers")
        world.stop_program()
        world.forget_clients()
    release.set()
    world.forget_origins()


def minconn_alone(world: World) -> None:
    """A `minconn` without `maxconn`, or above it, is the limit."""
    release = _holding(world)
    origin = world.origins["s1"]
    for server in ("minconn 2", "minconn 2 maxconn 1"):
        world.start(f"frontend fe\n bind fd@${{fe}}\n default_backend be\nbackend be\n server s1 {{s1}} {server}\n")
        before = len(origin.order)
        clients = [world.client() for _ in range(4)]
        for client in clients:
            client.send("GET / HTTP/1.1\nHost: a\n\n")
        origin.wait_for(lambda before=before: len(origin.order) > before + 1)
        origin.wait_for(lambda before=before: len(origin.order) > before + 2, 0.3)
        world.note(f"{server}: {len(origin.order) - before} at the server")
        world.stop_program()
    release.set()
    world.forget_clients()
    world.forget_origins()


def only_backup_is_full(world: World) -> None:
    """The only backup server's `maxqueue` counts under most algorithms; others let all requests wait for the backend."""
    release = _holding(world)
    origin = world.origins["s1"]
    for algorithm in ("roundrobin", "static-rr", "leastconn", "first", "random", "source", "url_param k"):
        world.start(
            "frontend fe\n bind fd@${fe}\n default_backend be\nbackend be\n"
            f" balance {algorithm}\n server s1 {{s1}} maxconn 1 maxqueue 1 backup\n"
        )
        before = len(origin.order)
        for _ in range(3):
            client = world.client()
            client.send("GET / HTTP/1.1\nHost: a\n\n")
            origin.wait_for(lambda before=before: len(origin.order) > before)
            world.note(f"{algorithm}: {client.ending(0.2)}")
        world.stop_program()
        world.forget_clients()
    release.set()
    world.forget_origins()


def queue_is_full(world: World) -> None:
    """`maxqueue`: a request that would wait longer goes to another server; where a cookie-less balance forces it, 503."""
    release = _holding(world)
    _holding(world, "s2").set()
    world.start("""
frontend fe
    bind "fd@${fe}"
    option httplog
    default_backend be
backend be
    balance source
    server s1 {s1} maxconn 1 maxqueue 1
""")
    origin = world.origins["s1"]
    first, second, third = world.client(), world.client(), world.client()
    first.send("GET /1 HTTP/1.1\nHost: a\n\n")
    origin.wait_for(lambda: bool(origin.order))
    second.send("GET /2 HTTP/1.1\nHost: a\n\n")
    second.ending(0.2)
    third.get("/3")
    third.ending(0.1)
    world.logs(1)
    release.set()
    first.receive()
    second.receive()
    world.logs(3)


def rate_limit(world: World) -> None:
    """`rate-limit sessions`: the third connection of a second waits for the next one."""
    world.origin("s1", b"ok")
    _start(world, front="rate-limit sessions 2")
    clients = [world.client() for _ in range(3)]
    for client in clients[:2]:
        client.get("/")
    clients[2].send("GET / HTTP/1.1\nHost: a\n\n")
    clients[2].ending(0.2)
    clients[2].receive()


def bounded_loads(world: World) -> None:
    """`hash-balance-factor`: a server that holds too many requests passes its keys on."""
    releases = [_holding(world, f"s{number}") for number in range(1, 5)]
    world.start("""
frontend fe
    bind "fd@${fe}"
    option httplog
    default_backend be
backend be
    balance url_param id
    hash-type consistent
    hash-balance-factor 125
    server s1 {s1}
    server s2 {s2}
    server s3 {s3}
    server s4 {s4}
""")
    row = []
    for number in range(16):
        client = world.client()
        before = {name: len(origin.order) for name, origin in world.origins.items()}
        client.send(f"GET /?id={number % 3} HTTP/1.1\nHost: a\n\n")

        def reached(before: dict[str, int] = before) -> list[str]:
            return [name for name, origin in world.origins.items() if len(origin.order) > before[name]]

        any_origin = world.origins["s1"]
        any_origin.wait_for(lambda reached=reached: bool(reached()))
        row += reached()
    world.note(" ".join(row))
    for release in releases:
        release.set()
    for client in world.clients:
        client.receive()
    world.forget_origins()


def buffers(world: World) -> None:
    """`tune.bufsize`, `tune.maxrewrite` and `tune.http.maxhdr` limit heads both ways; `tune.http.logurilen` the log."""

    def script(connection: Connection) -> None:
        while (message := connection.read()) is not None:
            size = int(message.head.split(b" ")[1].rpartition(b"/")[2] or b"0")
            connection.reply(b"ok", headers=("X-Fill: " + "y" * size,) if size < 10000 else ("X: 1",) * (size - 10000))

    world.origin("s1", script)
    tune = "    tune.bufsize 8192\n    tune.maxrewrite 1024\n    tune.http.maxhdr 20\n    tune.http.logurilen 64"
    world.start(
        'frontend fe\n    bind "fd@${fe}"\n    option httplog\n    default_backend be\nbackend be\n    server s1 {s1}\n',
        global_=tune,
    )
    cases: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("/0", ("X: " + "x" * 6500,)),
        ("/0", ("X: " + "x" * 7500,)),
        ("/0", ("X: 1",) * 18),
        ("/0", ("X: 1",) * 20),
        ("/6500", ()),
        ("/8000", ()),
        ("/10010", ()),
        ("/10025", ()),
        ("/" + "u" * 100 + "/0", ()),
    )
    for number, (target, headers) in enumerate(cases, 1):
        client = world.client()
        message = client.get(target, *headers)
        client.seen = [f"{target[:8]} {message.status if message else 'none'}"]
        client.ending(0.1)
        client.close()
        world.logs(number)
    world.forget_origins()


_CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"


def _chunks(room: int) -> dict[str, bytes]:
    """What may come behind a first chunk: at the limits of a buffer with that room, and one byte above them."""
    return {
        "extension": b"3;" + b"e" * (room - 4) + b"\r\nabc\r\n0\r\n\r\n",
        "extension+1": b"3;" + b"e" * (room - 3) + b"\r\nabc\r\n0\r\n\r\n",
        "last extension": b"0;" + b"e" * (room - 4) + b"\r\n\r\n",
        "last extension+1": b"0;" + b"e" * (room - 3) + b"\r\n\r\n",
        "trailers": b"0\r\nT: " + b"t" * (room - 7) + b"\r\n\r\n",
        "trailers+1": b"0\r\nT: " + b"t" * (room - 6) + b"\r\n\r\n",
        "name": b"0\r\n" + b"n" * 255 + b": a\r\n\r\n",
        "name+1": b"0\r\n" + b"n" * 256 + b": a\r\n\r\n",
    }


def chunks_and_names(world: World) -> None:
    """The longest names of fields, lines of chunk sizes and trailers, both ways, and what is one byte longer."""
    shown = _chunks(4096 - 64)
    said = {f"/{number}": data for number, data in enumerate(shown.values())}

    def script(connection: Connection) -> None:
        while (message := connection.read()) is not None:
            path = message.head.split(b" ")[1].decode()
            if path in said:
                connection.write(b"HTTP/1.1 200 OK\r\n" + _CHUNKED)
                connection.ended.wait(0.1)  # so that the answer's head has gone out
                connection.write(said[path])
                connection.close()
                return
            long = int(path.removeprefix("/name"))
            connection.reply(b"ok", headers=("n" * long + ": a",) if long else ())

    world.origin("s1", script)
    tune = "    tune.bufsize 4096\n    tune.maxrewrite 200"
    world.start(
        'frontend fe\n    bind "fd@${fe}"\n    option httplog\n    default_backend be\nbackend be\n    server s1 {s1}\n',
        global_=tune,
    )
    number = 0
    for what, data in shown.items():
        client = world.client()
        client.send(b"POST /name0 HTTP/1.1\r\nHost: a\r\n" + _CHUNKED)
        client.sock.settimeout(0.1)
        with suppress(TimeoutError):
            client.sock.recv(1)  # nothing comes yet
        client.sock.settimeout(5)
        client.send(data)
        message = client.receive()
        world.note(f"request, {what}: {message.status if message else 'none'}")
        number += 1
        world.syslog.wait(number)
    for what, path in zip(shown, said, strict=True):
        client = world.client()
        message = client.get(path)
        world.note(f"answer, {what}: {message.framing if message else 'none'}")
        number += 1
        world.syslog.wait(number)
    for target, names in (("/name255", 255), ("/name256", 255), ("/name0", 256)):
        client = world.client()
        message = client.get(target, "n" * names + ": a")
        world.note(f"{names} {target}: {message.status if message else 'none'}")
        number += 1
        world.syslog.wait(number)
    world.forget_clients()
    world.forget_origins()
    ends = re.findall(r" (-?\d+) \d+ - - (\S+) ", " ".join(world.syslog.traffic()))
    world.note(" ".join(f"{status} {letters}" for status, letters in ends))

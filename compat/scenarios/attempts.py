"""What statistics count where one request makes several attempts: at connections, on other servers, after answers."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable

from compat.harness import Connection, World
from compat.harness.targets import wait_until
from compat.scenarios.states_told import GLOBAL, ask, await_socket

Scenario = Callable[[World], None]

_COLUMNS = ("stot", "lbtot", "econ", "eresp", "wretr", "wredis", "connect", "reuse", "smax")

#: By name: lines of a backend that fails in one way or other. `dead` refuses, `live` answers.
_BACKENDS = {
    "refused": "retries 3; timeout connect 30ms; server a {dead}",
    "refused0": "retries 0; server a {dead}",
    "unlisted": "retries 3; timeout connect 30ms; retry-on none; server a {dead}",
    "moved": "retries 3; option redispatch 1; server a {dead}; server b {live}",
    "moved_late": "retries 3; option redispatch; timeout connect 30ms; server a {dead}; server b {live}",
    "moved_twice": "retries 3; option redispatch 1; server a {dead}; server b {dead}; server c {live}",
    "all_dead": "retries 3; option redispatch 1; server a {dead}; server b {dead}",
    "only_one": "retries 3; option redispatch 1; timeout connect 30ms; server a {dead}",
    "only_one_late": "retries 3; option redispatch; timeout connect 30ms; server a {dead}",
    "only_mute": "retries 3; option redispatch 1; retry-on empty-response; server a {mute}",
    "mute_late": "retries 3; option redispatch; retry-on empty-response; server a {mute}; server b {live}",
    "sticks": "retries 3; option redispatch 2; timeout connect 30ms; balance uri; server a {dead}; server b {dead}",
    "reused": "server a {live}",
    "silent": "retries 2; retry-on empty-response; server a {mute}",
    "silent_moved": "retries 3; option redispatch 1; retry-on empty-response; server a {mute}; server b {live}",
    "busy": "retries 2; retry-on 503; server a {busy}",
    "busy_moved": "retries 2; retry-on 503; option redispatch 1; server a {busy}; server b {live}",
    "cookie": "retries 3; option redispatch 1; cookie C insert; server b {live} cookie b; server a {dead} cookie a",
    "bytes": "mode tcp; retries 3; timeout connect 30ms; server a {dead}",
    "bytes_moved": "mode tcp; retries 3; option redispatch 1; server a {dead}; server b {live}",
}


def _rows(world: World, name: str) -> list[dict[str, str]]:
    rows = csv.DictReader(io.StringIO(ask(world, "show stat -1 6 -1").removeprefix("# ")))
    return [row for row in rows if row["pxname"] == name]


def _idle(world: World, name: str) -> bool:
    return all(row["scur"] == "0" for row in _rows(world, name))


def _served(world: World, name: str) -> int:
    return sum(int(row["scur"]) for row in _rows(world, name) if row["svname"] != "BACKEND")


def _note(world: World, name: str) -> None:
    for row in _rows(world, name):
        shown = " ".join(f"{column}={row[column]}" for column in _COLUMNS if row[column] not in ("", "0"))
        world.note(f"{name}/{row['svname']}: {shown}")


def _mute(connection: Connection) -> None:
    connection.read()


def _busy(connection: Connection) -> None:
    while connection.read() is not None:
        connection.reply(b"bad", status="503 Busy")


def _counted(reuse: str) -> Scenario:
    def scenario(world: World) -> None:
        """Each attempt at a server is a session of it; where it goes is redispatched or retried."""
        world.origin("live")
        world.origin("mute", _mute)
        world.origin("busy", _busy)
        world.places["dead"] = "127.0.0.1:1"
        parts = []
        for name, lines in _BACKENDS.items():
            mode = "tcp" if "mode tcp" in lines else "http"
            parts += [f'frontend fe-{name}\n    mode {mode}\n    bind "fd@${{{name}}}"\n    default_backend {name}']
            parts += [f"backend {name}\n    http-reuse {reuse}", *(f"    {line}" for line in lines.split("; "))]
        world.start("\n".join(parts), global_=GLOBAL)
        await_socket(world)
        for name in _BACKENDS:
            for _ in range(2):
                client = world.client(name)
                client.get("/", "Cookie: C=a")
                if name == "reused":
                    client.get("/")
                client.close()
                wait_until(lambda name=name: _idle(world, name))
            _note(world, name)
        world.forget_clients()
        world.forget_origins()

    return scenario


counted = _counted("safe")
counted_sharing = _counted("always")


#: Weights of four servers; those with `!` refuse.
_WEIGHTS = ("256! 256! 1 1", "1! 256 256 1!", "1! 1! 1 1", "256! 79! 1 1", "1 256! 1 256!", "1! 1 1 1")


def among_busy(world: World) -> None:
    """Where a request goes that meets servers that refuse, while the living ones serve others: by algorithm and weight."""
    released = threading.Event()

    def holding(connection: Connection) -> None:
        while (request := connection.read()) is not None:
            if request.start.startswith("GET /held"):
                released.wait(30)
            connection.reply(b"ok")

    live = world.origin("live", holding)
    world.places["dead"] = "127.0.0.1:1"
    parts: list[str] = []
    names: dict[str, str] = {}
    for algorithm in ("leastconn", "roundrobin", "static-rr"):
        for number, weights in enumerate(_WEIGHTS):
            name = f"{algorithm}{number}".replace("-", "")
            names[name] = f"{algorithm} {weights}"
            parts += [f'frontend fe-{name}\n    bind "fd@${{{name}}}"\n    default_backend {name}\nbackend {name}']
            parts += [f"    balance {algorithm}\n    retries 3\n    option redispatch 1\n    http-reuse always"]
            for place, weight in enumerate(weights.split()):
                address = "{dead}" if "!" in weight else "{live}"
                parts.append(f"    server s{place} {address} weight {weight.rstrip('!')}")
                parts.append(f"    use-server s{place} if {{ path /held{place} }}")
    world.start("\n".join(parts), global_=GLOBAL)
    await_socket(world)
    for name, told in names.items():
        held = [place for place, weight in enumerate(told.split()[1:]) if "!" not in weight]
        for place in held:
            seen = len(live.order)
            world.client(name).send(f"GET /held{place} HTTP/1.1\nHost: a\n\n")
            live.wait_for(lambda seen=seen: len(live.order) > seen)
        answers = []
        for _ in range(10):
            client = world.client(name)
            answer = client.get("/")
            answers.append(str(answer.status) if answer else "-")
            client.close()
        world.note(f"{told}: {' '.join(answers)}")
        wait_until(lambda name=name, held=held: _served(world, name) == len(held))
        _note(world, name)
    released.set()
    world.forget_clients()
    world.forget_origins()

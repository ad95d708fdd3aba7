"""How many idle connections a server's pool keeps, and how they are purged when nobody needs them any more.

Requests that are under way at once leave as many connections behind; then nothing comes, or little. Only counts are
compared: which of several connections that fit carries a request is told in no manual.
"""

from __future__ import annotations

import threading
import time

from compat.harness import Connection, World
from compat.scenarios.states_told import GLOBAL, ask, await_socket


class _Burst:
    """Holds the answers of requests until so many are under way."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(1)

    def script(self, connection: Connection) -> None:
        while connection.read() is not None:
            self.barrier.wait(10)
            connection.reply(b"x")


def _start(world: World, server: str, *, mode: str = "always", global_: str = "") -> _Burst:
    burst = _Burst()
    world.origin("s1", burst.script)
    world.start(
        f'frontend fe\n bind "fd@${{fe}}"\n default_backend be\n'
        f"backend be\n http-reuse {mode}\n server s1 {{s1}} {server}\n",
        global_=global_,
    )
    return burst


def _at_once(world: World, burst: _Burst, count: int) -> None:
    """So many requests at the same time, of clients that stay."""
    burst.barrier = threading.Barrier(count)
    while len(world.clients) < count:
        world.client()
    for client in world.clients[:count]:
        client.send("GET / HTTP/1.1\nHost: a\n\n")
    for client in world.clients[:count]:
        client.receive()


def _standing(world: World) -> int:
    """How many server connections stand."""
    return sum(not connection.ended.is_set() for connection in world.origins["s1"].connections)


def _settled(world: World) -> int:
    """How many server connections stand, once that has not changed for a moment."""
    count, since = _standing(world), time.monotonic()
    while time.monotonic() < since + 0.15:
        time.sleep(0.005)
        if (now := _standing(world)) != count:
            count, since = now, time.monotonic()
    return count


def _note_purges(world: World) -> None:
    """How many stand after each purge, until none is left."""
    counts = [_settled(world)]
    deadline = time.monotonic() + 15
    while counts[-1] and time.monotonic() < deadline:
        if (count := _settled(world)) != counts[-1]:
            counts.append(count)
    world.note(f"standing: {counts}")


def _note(world: World) -> None:
    """How many stand, of how many made."""
    world.note(f"standing: {_settled(world)} of {len(world.origins['s1'].connections)}")


def purged_by_halves(world: World) -> None:
    """Half of the excess goes with each purge, and one more, once the demand is forgotten."""
    burst = _start(world, "pool-purge-delay 500ms")
    for count in (1, 2, 7, 10):
        _at_once(world, burst, count)
        _note_purges(world)
    world.forget_origins()


def purged_under_safe(world: World) -> None:
    """The same under `http-reuse safe`."""
    burst = _start(world, "pool-purge-delay 500ms", mode="safe")
    _at_once(world, burst, 8)
    _note_purges(world)
    world.forget_origins()


def private_ones_stay(world: World) -> None:
    """A purge leaves private connections alone, however long they idle."""
    burst = _start(world, "pool-purge-delay 200ms", mode="never")
    _at_once(world, burst, 4)
    time.sleep(1.2)
    _note(world)
    world.forget_origins()


def room_for_three(world: World) -> None:
    """`pool-max-conn 3`: of ten that come back three are kept."""
    burst = _start(world, "pool-max-conn 3 pool-purge-delay 60s")
    _at_once(world, burst, 10)
    _note(world)
    _at_once(world, burst, 3)
    _note(world)
    _at_once(world, burst, 5)
    _note(world)
    world.forget_origins()


def room_for_one(world: World) -> None:
    """`pool-max-conn 1`, and `pool-low-conn` makes no more room."""
    burst = _start(world, "pool-max-conn 1 pool-low-conn 4 pool-purge-delay 60s")
    for count in (4, 2, 1):
        _at_once(world, burst, count)
        _note(world)
    world.forget_origins()


def room_without_end(world: World) -> None:
    """`pool-max-conn -1` is no limit."""
    burst = _start(world, "pool-max-conn -1 pool-purge-delay 60s")
    _at_once(world, burst, 12)
    _note(world)
    world.forget_origins()


def purged_down_to_the_room(world: World) -> None:
    """What `pool-max-conn` has left is purged as all else."""
    burst = _start(world, "pool-max-conn 3 pool-purge-delay 500ms")
    _at_once(world, burst, 6)
    _note_purges(world)
    world.forget_origins()


def one_after_another(world: World) -> None:
    """Clients that come one by one need one connection: `safe` opens more, and `pool-low-conn` keeps some of them."""
    for mode, low in (("safe", 0), ("safe", 1), ("safe", 3), ("always", 3)):
        _start(world, f"pool-low-conn {low} pool-purge-delay 60s", mode=mode)
        for number in range(6):
            world.once(f"/{number}")
        _note(world)
        world.stop_program()
        world.forget_origins()
        world.forget_clients()


def low_conn_and_purges(world: World) -> None:
    """What `pool-low-conn` has kept, a purge closes all the same."""
    burst = _start(world, "pool-low-conn 3 pool-purge-delay 500ms", mode="safe")
    _at_once(world, burst, 5)
    _note_purges(world)
    world.forget_origins()


def safe_ones_beside_others(world: World) -> None:
    """Above what is needed an idle connection stays beside none, a safe one beside idle ones, but beside no safe one."""
    answers = [threading.Event() for _ in range(4)]

    def script(connection: Connection) -> None:
        while (message := connection.read()) is not None:
            held = message.head.split()[1].removeprefix(b"/")
            if held.isdigit():
                answers[int(held)].wait(10)
            connection.reply(b"x")

    origin = world.origin("s1", script)
    world.start(
        'frontend fe\n bind "fd@${fe}"\n default_backend be\n'
        "backend be\n http-reuse safe\n server s1 {s1} pool-purge-delay 60s\n"
    )
    held = [world.client() for _ in range(4)]

    def hold(number: int) -> None:
        held[number].send(f"GET /{number} HTTP/1.1\nHost: a\n\n")
        origin.wait_for(lambda: any(b"/%d " % number in message.head for _, message in origin.order))

    def let_go(number: int) -> None:
        answers[number].set()
        held[number].receive()
        _note(world)

    for safe in (0, 1):
        held[safe].get("/a")
        held[safe].get("/b")
        hold(safe)
    world.once("/c")
    for number in (2, 3):
        hold(number)
        _note(world)
    for number in (0, 1, 2, 3):
        let_go(number)
    world.forget_origins()


def limits_told(world: World) -> None:
    """`show servers conn`: a server that keeps nothing idle has no column for threads."""
    world.start(
        "backend be\n server none 127.0.0.1:1 pool-max-conn 0\n server one 127.0.0.1:1 pool-max-conn 1\n"
        " server any 127.0.0.1:1 pool-max-conn -1 pool-purge-delay 0\n server few 127.0.0.1:1 max-reuse 0\n",
        global_=GLOBAL,
    )
    await_socket(world)
    for line in ask(world, "show servers conn be").split("\n"):
        world.note(line)


def private_ones_told(world: World) -> None:
    """`show servers conn`: private connections are no demand for shared ones, nor counted as used."""
    held = threading.Event()

    def script(connection: Connection) -> None:
        while (message := connection.read()) is not None:
            if b"/held" in message.head:
                held.wait(10)
            if b"/ntlm" in message.head:
                connection.reply(b"who", "401 Unauthorized", ("WWW-Authenticate: NTLM",))
            else:
                connection.reply(b"x")

    origin = world.origin("s1", script)
    world.start(
        "".join(
            f'frontend {mode}\n bind "fd@${{{mode}}}"\n default_backend {mode}-be\n'
            f"backend {mode}-be\n http-reuse {mode}\n server s1 {{s1}}\n"
            for mode in ("never", "always")
        ),
        global_=GLOBAL,
    )
    await_socket(world)
    for mode in ("never", "always"):
        clients = [world.client(mode) for _ in range(3)]
        for client in clients:
            client.get("/ntlm")
        for client in clients[:2]:
            before = len(origin.order)
            client.send("GET /held HTTP/1.1\nHost: a\n\n")
            origin.wait_for(lambda before=before: len(origin.order) > before)
        for line in ask(world, f"show servers conn {mode}-be").split("\n")[1:]:
            world.note(" ".join(line.split()[5:]))
        held.set()
        for client in clients[:2]:
            client.receive()
        held.clear()

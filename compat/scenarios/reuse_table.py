"""Which idle connection a request may take: each mode of `http-reuse`, each kind of idle connection, each kind of request.

A connection that has carried one request is idle, one that has carried more is safe, one that belongs to its client is
private. In each scenario one idle connection at most fits, so that nothing depends on the order in which they are tried.
"""

from __future__ import annotations

import gc
import threading

from compat.harness import Client, Connection, World

_MODES = ("never", "safe", "aggressive", "always")


def _script(connection: Connection) -> None:
    while (message := connection.read()) is not None:
        head = message.head
        if b"/ntlm" in head:
            connection.reply(b"who", "401 Unauthorized", ("WWW-Authenticate: NTLM",))
        elif b"/proxied" in head:
            connection.reply(b"who", "407 No", ("Proxy-Authenticate: Negotiate",))
        elif b"/list" in head:
            connection.reply(b"who", "401 Unauthorized", ("WWW-Authenticate: Basic realm=x, Negotiate",))
        elif b"/basic" in head:
            connection.reply(b"who", "401 Unauthorized", ("WWW-Authenticate: Basic realm=x",))
        elif b"/close" in head:
            connection.reply(b"bye", headers=("Connection: close",))
            return
        elif b"/old" in head:
            connection.write(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold")
            return
        else:
            connection.reply(b"x")


def _start(world: World, *, back: str = "", server: str = "", defaults: str = "", global_: str = "") -> None:
    """A frontend and a backend for each mode."""
    world.origin("s1", _script)
    config = ""
    for mode in _MODES:
        config += (
            f'frontend {mode}\n bind "fd@${{{mode}}}"\n default_backend {mode}-be\n'
            f"backend {mode}-be\n http-reuse {mode}\n {back}\n server s1 {{s1}} {server}\n"
        )
    world.start(config, defaults=defaults, global_=global_)


def _later(client: Client, target: str) -> None:
    client.get(target)
    client.get(target + "/again")


def _table(world: World, prepare: tuple[str, ...], *, leaves: bool = False) -> None:
    """One client leaves an idle connection behind; two others come, with a first and a later request."""
    for mode in _MODES:
        owner = world.client(mode)
        for target in prepare:
            owner.get(f"{target}/{mode}")
        if leaves:
            owner.close()
            world.clients.remove(owner)
            world.client(mode).ending(0.1)
        first = world.client(mode)
        first.get(f"/{mode}/first")
        first.close()
        _later(world.client(mode), f"/{mode}/later")
        if not leaves:
            owner.get(f"/{mode}/owner")


def idle_one(world: World) -> None:
    """The idle connection has carried one request."""
    _start(world)
    _table(world, ("/1",))


def idle_one_of_the_gone(world: World) -> None:
    """The same, and its client has gone."""
    _start(world)
    _table(world, ("/1",), leaves=True)


def safe_one(world: World) -> None:
    """The idle connection has carried two requests."""
    _start(world)
    _table(world, ("/1", "/2"))


def safe_one_of_the_gone(world: World) -> None:
    """The same, and its client has gone."""
    _start(world)
    _table(world, ("/1", "/2"), leaves=True)


def private_ones(world: World) -> None:
    """The idle connection is private, for a challenge of each kind; or not, for Basic."""
    _start(world)
    for challenge in ("/ntlm", "/proxied", "/list", "/basic"):
        _table(world, (challenge, "/2"))


def private_ones_of_the_gone(world: World) -> None:
    """A private connection ends with its client."""
    _start(world)
    _table(world, ("/ntlm", "/2"), leaves=True)


def closed_by_the_server(world: World) -> None:
    """The server has closed the connection with its answer, or speaks HTTP/1.0: nothing is idle."""
    _start(world)
    for target in ("/close", "/old"):
        _table(world, (target,))


def first_requests_with_retries(world: World) -> None:
    """With all three of the events of `retry-on` that a dead connection can cause, a first request counts as a later one."""
    _start(world, back="retry-on conn-failure empty-response response-timeout")
    _table(world, ("/1",))
    _table(world, ("/1", "/2"))


def first_requests_with_fewer_retries(world: World) -> None:
    """With two of them it does not."""
    _start(world, back="retry-on conn-failure empty-response")
    _table(world, ("/1",))


def modes_that_close(world: World) -> None:
    """`option http-server-close`: nothing is idle; with `http-pretend-keepalive` nothing is, either."""
    _start(world, back="option http-server-close")
    _table(world, ("/1", "/2"))


def modes_that_pretend(world: World) -> None:
    """`option http-pretend-keepalive` beside it: the server is not told, and nothing is idle all the same."""
    _start(world, back="option http-server-close\n option http-pretend-keepalive")
    _table(world, ("/1", "/2"))


def requests_that_close(world: World) -> None:
    """Clients that close with their request, or speak HTTP/1.0, leave what they found."""
    _start(world)
    for mode in _MODES:
        for number in range(3):
            client = world.client(mode)
            client.get(f"/{mode}/{number}", "Connection: close")
            client.expect_end()
        for number in range(3):
            client = world.client(mode)
            client.get(f"/{mode}/10/{number}", version="1.0")
            client.expect_end()


def no_room(world: World) -> None:
    """`pool-max-conn 0`: nothing is idle, but private connections are."""
    _start(world, server="pool-max-conn 0")
    _table(world, ("/1", "/2"))
    _table(world, ("/ntlm",))


def no_delay(world: World) -> None:
    """`pool-purge-delay 0`: the same."""
    _start(world, server="pool-purge-delay 0")
    _table(world, ("/1", "/2"))
    _table(world, ("/ntlm",))


def too_many_descriptors(world: World) -> None:
    """Above `tune.pool-high-fd-ratio` nothing is kept idle."""
    gc.collect()  # HAProxy takes no descriptor above its limit, and those that it inherits have their numbers from here
    _start(world, global_=" maxconn 100\n tune.pool-high-fd-ratio 1\n tune.pool-low-fd-ratio 1")
    _table(world, ("/1", "/2"))


def many_descriptors(world: World) -> None:
    """Above `tune.pool-low-fd-ratio` only one is, even with `pool-low-conn`."""
    gc.collect()  # see above
    _start(
        world, server="pool-low-conn 5", global_=" maxconn 100\n tune.pool-high-fd-ratio 100\n tune.pool-low-fd-ratio 1"
    )
    _table(world, ("/1", "/2"))


def names(world: World) -> None:
    """Another address (`http-request set-dst`) has connections of its own."""
    world.origin("s1", _script)
    world.origin("s2", _script)
    ports = [origin.address.rpartition(":")[2] for origin in world.origins.values()]
    config = (
        'frontend fe\n bind "fd@${fe}"\n http-request set-dst-port int(%s) if { path_beg /one }\n'
        " http-request set-dst-port int(%s) if { path_beg /two }\n http-request set-dst ipv4(127.0.0.1)\n"
        " default_backend be\nbackend be\n http-reuse always\n server s 0.0.0.0:0\n"
    )
    world.start(config.replace("ipv4(127.0.0.1)", "str(127.0.0.1),ipmask(32)") % tuple(ports))
    for target in ("/one/1", "/two/1", "/one/2", "/two/2"):
        world.client().get(target)


def the_latest(world: World) -> None:
    """Of several that fit, hapy takes the one that was used last."""
    both = threading.Barrier(2, timeout=5)

    def script(connection: Connection) -> None:
        while (message := connection.read()) is not None:
            if b"/both" in message.head:
                both.wait()
            connection.reply(b"x")

    world.origin("s1", script)
    world.start(
        'frontend fe\n bind "fd@${fe}"\n default_backend be\n'
        "backend be\n http-reuse always\n server s1 {s1} pool-low-conn 5\n"
    )
    clients = [world.client(), world.client()]
    for _ in range(2):
        for client in clients:
            client.send("GET /both HTTP/1.1\nHost: a\n\n")
        for client in clients:
            client.receive()
    connections = world.origins["s1"].connections
    served = []
    for number in range(4):
        clients[0].get(f"/{number}")
        served.append(
            next(i for i, found in enumerate(connections) if found.requests[-1].head.split()[1] == b"/%d" % number)
        )
    world.note("one connection" if len(set(served)) == 1 else "more")

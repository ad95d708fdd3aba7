"""Which request goes on which server connection, and what `Connection: close` does to whom."""

from __future__ import annotations

from compat.harness import Connection, World

POOL = """
frontend fe
    bind "fd@${fe}"
    default_backend be
backend be
    http-reuse %s
    server s1 {s1}
"""


def client_close_stays_with_the_client(world: World) -> None:
    """A client's `Connection: close` is answered with a close and FIN; the server connection serves the next client."""
    world.origin("s1")
    world.start(POOL % "always")
    client = world.client()
    client.get("/1", "Connection: close")
    client.expect_end()
    world.once("/2", "Connection: close")
    world.once("/3")


def server_close_stays_with_the_server(world: World) -> None:
    """A server's `Connection: close` does not end the client's connection."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.reply(b"bye", headers=("Connection: close",))

    world.origin("s1", script)
    world.start(POOL % "always")
    client = world.client()
    client.get("/1")
    client.get("/2")
    client.ending()


def http10_client(world: World) -> None:
    """An HTTP/1.0 client gets its close, the server sees HTTP/1.1 and is kept."""
    world.origin("s1")
    world.start(POOL % "always")
    client = world.client()
    client.get("/1", version="1.0")
    client.expect_end()
    world.once("/2")


def never_binds_client_and_server(world: World) -> None:
    """`http-reuse never`: each client connection has its own server connection, kept over its requests."""
    world.origin("s1")
    world.start(POOL % "never")
    first, second = world.client(), world.client()
    first.get("/a1")
    second.get("/b1")
    first.get("/a2")
    second.get("/b2")


def safe_first_request(world: World) -> None:
    """`http-reuse safe`: a client's first request gets a connection of its own, later ones share."""
    world.origin("s1")
    world.start(POOL % "safe")
    for target in ("/1", "/2"):
        client = world.client()
        client.get(target)
        client.get(target + "again")

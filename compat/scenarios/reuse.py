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
    """An HTTP/1.0 client gets its close; the server, told to keep alive, is kept for the next client."""
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


def _shots(world: World, mode: str, server: str = "", count: int = 4, back: str = "") -> None:
    world.origin("s1")
    config = POOL % mode
    world.start(config.replace("{s1}", "{s1} " + server) + "    " + back)
    for number in range(count):
        world.once(f"/{number}", "Connection: close")


def one_shots_always(world: World) -> None:
    """One-off clients under `always` share one connection."""
    _shots(world, "always")


def one_shots_aggressive(world: World) -> None:
    """Under `aggressive` only a connection that was reused before takes a first request."""
    _shots(world, "aggressive")


def one_shots_safe(world: World) -> None:
    """Under `safe` each first request has a connection of its own."""
    _shots(world, "safe")


def one_shots_safe_with_retries(world: World) -> None:
    """The three retry-on events make first requests reusable: a rule the manual leaves out."""
    _shots(world, "safe", back="retry-on conn-failure empty-response response-timeout")


def pool_max_conn_zero(world: World) -> None:
    """`pool-max-conn 0` keeps no connection."""
    _shots(world, "always", "pool-max-conn 0")


def pool_purge_delay_zero(world: World) -> None:
    """`pool-purge-delay 0` keeps none either."""
    _shots(world, "always", "pool-purge-delay 0")


def max_reuse(world: World) -> None:
    """`max-reuse 2`: a connection carries three requests."""
    _shots(world, "always", "max-reuse 2", count=7)


def max_reuse_zero(world: World) -> None:
    """`max-reuse 0`: no keep-alive at all."""
    _shots(world, "always", "max-reuse 0")


def ntlm_is_private(world: World) -> None:
    """After a 401 with NTLM the connection belongs to its client."""

    def script(connection: Connection) -> None:
        while connection.read() is not None:
            connection.reply(b"who", "401 Unauthorized", ("WWW-Authenticate: NTLM",))

    world.origin("s1", script)
    world.start(POOL % "always")
    first, second = world.client(), world.client()
    first.get("/a1")
    second.get("/b1")
    first.get("/a2")
    second.get("/b2")


def credentials_are_private(world: World) -> None:
    """A request that brings NTLM or Negotiate unasked: the connection is its client's from then on."""
    world.origin("s1")
    world.start(POOL % "always")
    for number, scheme in enumerate(("Basic", "NTLM", "Negotiate")):
        first, second = world.client(), world.client()
        first.get(f"/a{number}", f"Authorization: {scheme} dTpw")
        second.get(f"/b{number}")
        first.get(f"/c{number}")


def idle_connection_closed_by_server(world: World) -> None:
    """A connection that the server closed while idle is not used again."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.reply(b"once")

    origin = world.origin("s1", script)
    world.start(POOL % "always")
    client = world.client()
    for number in range(3):
        client.get(f"/{number}")
        origin.connections[-1].ended.wait(5)
        world.note("ended") if client.ending(0.1) == "open" else None


def leftover_bytes_end_a_connection(world: World) -> None:
    """Bytes after an answer's end make the connection unusable."""

    def script(connection: Connection) -> None:
        while connection.read() is not None:
            connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 EVIL\r\n\r\n")

    world.origin("s1", script)
    world.start(POOL % "always")
    client = world.client()
    client.get("/1")
    client.ending()
    world.once("/2")


def prefer_last_server(world: World) -> None:
    """`http-reuse never` with `option prefer-last-server` binds a client to one server."""
    for name in ("s1", "s2"):
        world.origin(name)
    world.start("""
frontend fe
    bind "fd@${fe}"
    default_backend be
backend be
    http-reuse never
    balance roundrobin
    option prefer-last-server
    server s1 {s1}
    server s2 {s2}
""")
    first, second = world.client(), world.client()
    for number in range(3):
        first.get(f"/a{number}")
        second.get(f"/b{number}")


def request_based_balancing(world: World) -> None:
    """One client connection's requests go round the servers, each over a kept connection."""
    for name in ("s1", "s2", "s3"):
        world.origin(name)
    world.start("""
frontend fe
    bind "fd@${fe}"
    default_backend be
backend be
    http-reuse always
    balance roundrobin
    server s1 {s1}
    server s2 {s2}
    server s3 {s3}
""")
    client = world.client()
    for number in range(7):
        client.get(f"/{number}")


def refused_answer_leaves_nothing(world: World) -> None:
    """An answer that a rule replaces is gone: nothing of it reaches the next request on the same connection."""
    world.origin("s1", b"secret")
    world.start("""
frontend fe
    bind "fd@${fe}"
    option httplog
    http-response deny if { capture.req.uri /deny }
    default_backend be
backend be
    http-reuse always
    server s1 {s1}
""")
    for target in ("/deny", "/one", "/deny", "/two"):
        client = world.client()
        client.get(target)
        client.ending(0.1)
        client.close()


def few_private_connections(world: World) -> None:
    """`max-session-srv-conns`: so many idle connections are a client's own; the others are closed."""
    world.origin("s1", b"1")
    world.origin("s2", b"2")
    world.start("""
frontend fe
    bind "fd@${fe}"
    max-session-srv-conns 1
    default_backend be
backend be
    http-reuse never
    server s1 {s1}
    server s2 {s2}
""")
    client = world.client()
    for number in range(6):
        client.get(f"/{number}")
    client.close()

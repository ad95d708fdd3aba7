"""`mode tcp`: one client connection, one server connection, both half-closes kept."""

from __future__ import annotations

from compat.harness import Connection, World

CONFIG = """
frontend fe
    bind "fd@${fe}"
    mode tcp
    option tcplog
    {front}
    default_backend be
backend be
    mode tcp
    {back}
    server s1 {s1}
"""


def _start(world: World, front: str = "", back: str = "") -> None:
    world.start(CONFIG.replace("{front}", front).replace("{back}", back))


def _echo(connection: Connection) -> None:
    while connection.reader.fill():
        data, connection.reader.buffer = connection.reader.buffer, b""
        connection.write(data.upper())


def echo(world: World) -> None:
    """Bytes go both ways."""
    world.origin("s1", _echo)
    _start(world)
    client = world.client()
    client.send(b"hello")
    world.note(repr(client.reader.exactly(5)))
    client.send(b"again")
    world.note(repr(client.reader.exactly(5)))
    client.shutdown()
    world.note(repr(client.reader.to_end()) + client.reader.end)
    world.logs(1)


def server_speaks_first(world: World) -> None:
    """A banner comes before the client sends anything."""

    def script(connection: Connection) -> None:
        connection.write(b"220 ready\r\n")
        _echo(connection)

    world.origin("s1", script)
    _start(world)
    client = world.client()
    world.note(repr(client.reader.until(b"\r\n")))
    client.send(b"quit")
    world.note(repr(client.reader.exactly(4)))
    client.close()
    world.logs(1)


def client_half_close(world: World) -> None:
    """The server sees the client's FIN and still answers."""

    def script(connection: Connection) -> None:
        data = connection.reader.to_end()
        connection.write(b"%d bytes" % len(data))

    world.origin("s1", script)
    _start(world)
    client = world.client()
    client.send(b"x" * 1000)
    client.shutdown()
    world.note(repr(client.reader.to_end()) + client.reader.end)
    world.logs(1)


def server_half_close(world: World) -> None:
    """The client sees the server's FIN and can go on sending."""
    got = []

    def script(connection: Connection) -> None:
        connection.write(b"bye")
        connection.shutdown()
        got.append(connection.reader.to_end())
        connection.ended.set()

    origin = world.origin("s1", script)
    _start(world)
    client = world.client()
    world.note(repr(client.reader.to_end()) + client.reader.end)
    client.send(b"more")
    client.close()
    origin.connections[0].ended.wait(5)
    world.note(repr(got))
    world.logs(1)


def refused(world: World) -> None:
    """A server that refuses: the client is closed, `SC`."""
    world.origin("s1").stop()
    _start(world, back="retries 0")
    client = world.client()
    world.note(repr(client.reader.to_end()) + client.reader.end)
    world.logs(1)


def client_timeout(world: World) -> None:
    """An idle session ends after `timeout client`, `cD`."""
    world.origin("s1", _echo)
    _start(world, front="timeout client 200ms")
    client = world.client()
    client.send(b"hello")
    world.note(repr(client.reader.to_end()) + client.reader.end)
    world.logs(1)


def server_timeout(world: World) -> None:
    """An idle server ends it, `sD`."""
    world.origin("s1", _echo)
    _start(world, back="timeout server 200ms")
    client = world.client()
    client.send(b"hello")
    world.note(repr(client.reader.to_end()) + client.reader.end)
    client.close()
    world.logs(1)


def big_transfer(world: World) -> None:
    """Four megabytes arrive whole."""

    def script(connection: Connection) -> None:
        connection.reader.until(b"\n")
        connection.write(b"0123456789abcdef" * 262144)

    world.origin("s1", script)
    _start(world)
    client = world.client()
    client.send(b"go\n")
    data = client.reader.to_end()
    world.note(f"{len(data)} {data == b'0123456789abcdef' * 262144}")
    world.logs(1)


def connection_rule_rejects(world: World) -> None:
    """`tcp-request connection reject`."""
    world.origin("s1", _echo)
    _start(world, front="tcp-request connection reject if { src 127.0.0.0/8 }")
    client = world.client()
    client.expect_end()


def source_rule_accepts(world: World) -> None:
    """`tcp-request connection accept` stops the list."""
    world.origin("s1", _echo)
    _start(world, front="tcp-request connection accept if { src 127.0.0.1 }\n    tcp-request connection reject")
    client = world.client(source="127.0.0.1")
    client.send(b"in")
    world.note(repr(client.reader.exactly(2)))
    try:
        turned_away = world.client(source="127.0.0.2")
        end = turned_away.expect_end()
        turned_away.close()
    except OSError:  # the reset may come before the first look at the socket
        end = "reset"
    world.clients[1:] = []
    world.note(end)


def leastconn_over_sessions(world: World) -> None:
    """Standing sessions count for leastconn."""

    def script(connection: Connection) -> None:
        connection.write(connection.origin.name.encode() + b"\n")
        _echo(connection)

    for name in ("s1", "s2", "s3"):
        world.origin(name, script)
    world.start("""
frontend fe
    bind "fd@${fe}"
    mode tcp
    default_backend be
backend be
    mode tcp
    balance leastconn
    server s1 {s1}
    server s2 {s2}
    server s3 {s3}
""")
    names = []
    for number in range(9):
        client = world.client()
        names.append((client.reader.until(b"\n") or b"").decode().strip())
        if number == 4:
            world.clients[0].close()
    world.note(" ".join(names))


def rdp_cookie(world: World) -> None:
    """`balance rdp-cookie` with content inspection: the same user reaches the same server."""

    def script(connection: Connection) -> None:
        connection.reader.fill()
        connection.write(connection.origin.name.encode() + b"\n")

    for name in ("s1", "s2", "s3"):
        world.origin(name, script)
    world.start("""
frontend fe
    bind "fd@${fe}"
    mode tcp
    tcp-request inspect-delay 2s
    tcp-request content accept if RDP_COOKIE
    default_backend be
backend be
    mode tcp
    balance rdp-cookie
    server s1 {s1}
    server s2 {s2}
    server s3 {s3}
""")
    names = []
    for user in (b"alice", b"bob", b"carol", b"dave", b"alice", b"bob"):
        line = b"Cookie: mstshash=" + user + b"\r\n"
        client = world.client()
        client.send(bytes([3, 0, 0, 11 + len(line), 6 + len(line), 0xE0, 0, 0, 0, 0, 0]) + line)
        names.append((client.reader.until(b"\n") or b"").decode().strip())
        client.close()
    world.note(" ".join(names))

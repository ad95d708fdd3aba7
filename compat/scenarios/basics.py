"""What every request meets: forwarding, header form, error answers."""

from __future__ import annotations

import threading

from compat.harness import Connection, World

ONE_BACKEND = """
frontend fe
    bind "fd@${fe}"
    option httplog
    default_backend be
backend be
    server s1 {s1}
"""


def forwards_a_get(world: World) -> None:
    """A request and its answer go through; header names are lower-cased, order is kept."""
    world.origin("s1", b"hello")
    world.start(ONE_BACKEND)
    client = world.client()
    client.get("/path?q=1", "User-Agent: X", "Accept: */*", "X-MiXed: Value ")
    client.ending()
    world.logs(1)


def forwards_a_post(world: World) -> None:
    """A body with Content-Length reaches the server whole."""
    world.origin("s1")
    world.start(ONE_BACKEND)
    client = world.client()
    client.post("/form", b"a=1&b=2", "Content-Type: application/x-www-form-urlencoded")
    client.get("/again")
    world.logs(2)


def forwards_chunks(world: World) -> None:
    """A chunked request body and a chunked answer."""

    def script(connection: Connection) -> None:
        while connection.read() is not None:
            connection.write(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n"
            )

    world.origin("s1", script)
    world.start(ONE_BACKEND)
    client = world.client()
    client.send("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n")
    client.receive("POST")
    client.ending()
    world.logs(1)


def no_server_is_503(world: World) -> None:
    """A server that refuses connections gives 503 after the retries."""
    world.origin("s1").stop()
    world.start(ONE_BACKEND, defaults="    retries 0")
    client = world.client()
    client.get("/")
    client.ending()
    world.logs(1)


def garbage_is_400(world: World) -> None:
    """Something that is no HTTP is answered with 400 and a close."""
    world.origin("s1")
    world.start(ONE_BACKEND)
    client = world.client()
    client.send("NOT HTTP AT ALL\n\n")
    client.receive()
    client.expect_end()
    world.logs(1)


def pipelined_requests(world: World) -> None:
    """Two requests in one packet are answered in order."""
    world.origin("s1", b"x")
    world.start(ONE_BACKEND)
    client = world.client()
    client.send("GET /1 HTTP/1.1\nHost: a\n\nGET /2 HTTP/1.1\nHost: a\n\n")
    client.receive()
    client.receive()
    client.ending()
    world.logs(2)


def logged_with_the_head(world: World) -> None:
    """A format that tells nothing of the end: its line comes with the answer's head."""
    logged = threading.Event()

    def script(connection: Connection) -> None:
        while connection.read() is not None:
            connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
            logged.wait(5)
            connection.write(b"body")

    world.origin("s1", script)
    world.start(ONE_BACKEND.replace("option httplog", "log-format %ci-%ST-%si-%b/%s-%CC-%hs"))
    client = world.client()
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    world.note(repr(client.reader.until(b"\r\n\r\n")))
    world.logs(1)
    world.note(str(len(world.syslog.traffic())))
    logged.set()
    world.note(repr(client.reader.exactly(4)))


def logged_by_the_count(world: World) -> None:
    """A log line with nothing but the request's number, which is known before the answer."""
    world.origin("s1")
    world.start(ONE_BACKEND.replace("option httplog", "log-format number:%rt"))
    client = world.client()
    client.get("/")
    client.get("/")
    client.ending()
    world.logs(2)
    client = world.client()  # whatever else was to be logged of them has been by now
    client.get("/")
    client.ending()
    world.note(str([line[line.index("number:") :] for line in world.syslog.lines if "number:" in line]))

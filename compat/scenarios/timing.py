"""Timeouts, queues, retries: who waits for whom, and what is answered and logged when the wait is over."""

from __future__ import annotations

import signal
import socket
import threading
import time

from compat.harness import Connection, World
from compat.scenarios.basics import ONE_BACKEND

CONFIG = """
frontend fe
    bind "fd@${fe}"
    option httplog
    {front}
    default_backend be
backend be
    {back}
    server s1 {s1} {server}
"""


def _start(world: World, *, front: str = "", back: str = "", server: str = "", defaults: str = "") -> None:
    config = CONFIG.replace("{front}", front).replace("{back}", back).replace("{server}", server)
    world.start(config, defaults=defaults)


def _silent(connection: Connection) -> None:
    connection.read()
    connection.reader.to_end()


def server_timeout(world: World) -> None:
    """A server that never answers: 504 and `sH`."""
    world.origin("s1", _silent)
    _start(world, back="timeout server 200ms")
    client = world.client()
    client.get("/")
    client.ending()
    world.logs(1)


def server_timeout_in_body(world: World) -> None:
    """A server that stops in the middle of its body: the client's connection is cut, `sD`."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        connection.reader.to_end()

    world.origin("s1", script)
    _start(world, back="timeout server 200ms")
    client = world.client()
    client.get("/")
    world.logs(1)


def request_timeout(world: World) -> None:
    """A head that does not come to its end: 408 and `cR`."""
    world.origin("s1")
    _start(world, front="timeout http-request 200ms")
    client = world.client()
    client.send("GET / HTTP/1.1\nHost: a\n")
    client.receive()
    client.expect_end()
    world.logs(1)


def request_timeout_without_a_byte(world: World) -> None:
    """A client that sends nothing at all."""
    world.origin("s1")
    _start(world, front="timeout http-request 200ms")
    client = world.client()
    client.receive()
    client.expect_end()
    world.logs(1)


def request_timeout_ignored_probe(world: World) -> None:
    """The same under `option http-ignore-probes`: no answer, no line."""
    world.origin("s1")
    _start(world, front="timeout http-request 200ms\n    option http-ignore-probes")
    client = world.client()
    client.receive()
    world.once("/")
    world.logs(1)


def keep_alive_timeout(world: World) -> None:
    """An idle client connection is closed without a word."""
    world.origin("s1")
    _start(world, front="timeout http-keep-alive 200ms\n    timeout http-request 5s")
    client = world.client()
    client.get("/")
    client.expect_end()
    world.logs(1)


def client_timeout_in_body(world: World) -> None:
    """A client that stops in the middle of its body while the server waits: the server's timeout decides."""

    def script(connection: Connection) -> None:
        connection.reader.to_end()

    world.origin("s1", script)
    _start(world, front="timeout client 200ms", back="timeout server 700ms")
    client = world.client()
    client.send("POST / HTTP/1.1\nHost: a\nContent-Length: 10\n\nhalf")
    client.receive("POST")
    client.expect_end()
    world.logs(1)


def connect_refused_retries(world: World) -> None:
    """Refused connections are tried again, then 503, `SC`."""
    world.origin("s1").stop()
    _start(world, back="retries 1")
    client = world.client()
    client.get("/")
    world.logs(1)


def redispatch_to_another_server(world: World) -> None:
    """The last retry goes to another server."""
    world.origin("dead").stop()
    world.origin("alive")
    world.start("""
frontend fe
    bind "fd@${fe}"
    option httplog
    default_backend be
backend be
    balance roundrobin
    option redispatch 1
    retries 2
    server s1 {dead}
    server s2 {alive}
""")
    client = world.client()
    client.get("/")
    world.logs(1)


def client_goes_away(world: World) -> None:
    """A client that closes before the answer: `CH` or its kin in the log."""
    release = threading.Event()

    def script(connection: Connection) -> None:
        connection.read()
        release.wait(5)
        connection.reply(b"late")

    origin = world.origin("s1", script)
    _start(world)
    client = world.client()
    client.send("GET / HTTP/1.1\nHost: a\n\n")
    origin.wait_for(lambda: bool(origin.order))
    client.reset()
    world.logs(1)
    release.set()


def client_goes_away_abortonclose(world: World) -> None:
    """The same with FIN under `option abortonclose`."""
    origin = world.origin("s1", _silent)
    _start(world, back="option abortonclose\n    timeout server 700ms")
    client = world.client()
    client.send("GET / HTTP/1.1\nHost: a\n\n")
    origin.wait_for(lambda: bool(origin.order))
    client.shutdown()
    client.receive()
    world.logs(1)


def half_closed_client_is_answered(world: World) -> None:
    """Without abortonclose a client that has only shut its sending side is answered."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.reply(b"ok")

    world.origin("s1", script)
    _start(world)
    client = world.client()
    client.send("GET / HTTP/1.1\nHost: a\n\n")
    client.shutdown()
    client.receive()
    client.expect_end()
    world.logs(1)


def server_closes_at_once(world: World) -> None:
    """A server that closes without a byte: 502, `SH`."""

    def script(connection: Connection) -> None:
        connection.read()

    world.origin("s1", script)
    _start(world)
    client = world.client()
    client.get("/")
    client.ending()
    world.logs(1)


def server_resets(world: World) -> None:
    """A server that resets after the request: 502."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.reset()

    world.origin("s1", script)
    _start(world)
    client = world.client()
    client.get("/")
    world.logs(1)


def _fails_first(failure: bytes | None):  # noqa: ANN202
    def script(connection: Connection) -> None:
        while connection.read() is not None:
            if len(connection.origin.order) == 1:
                if failure is not None:
                    connection.write(failure)
                return
            connection.reply(b"second try")

    return script


def retry_on_empty_response(world: World) -> None:
    """`retry-on empty-response`: the request is sent again."""
    world.origin("s1", _fails_first(None))
    _start(world, back="retry-on empty-response\n    retries 2")
    client = world.client()
    client.get("/")
    world.logs(1)


def retry_on_503(world: World) -> None:
    """`retry-on 503`."""
    world.origin("s1", _fails_first(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"))
    _start(world, back="retry-on 503\n    retries 2")
    client = world.client()
    client.get("/")
    world.logs(1)


def retry_on_junk(world: World) -> None:
    """`retry-on junk-response`."""
    world.origin("s1", _fails_first(b"garbage\r\n\r\n"))
    _start(world, back="retry-on junk-response\n    retries 2")
    client = world.client()
    client.get("/")
    world.logs(1)


def retry_on_response_timeout(world: World) -> None:
    """`retry-on response-timeout`."""

    def script(connection: Connection) -> None:
        while connection.read() is not None:
            if len(connection.origin.order) == 1:
                connection.reader.to_end()
                return
            connection.reply(b"second try")

    world.origin("s1", script)
    _start(world, back="retry-on response-timeout\n    retries 2\n    timeout server 200ms")
    client = world.client()
    client.get("/")
    world.logs(1)


def no_retry_for_a_post_without_buffer(world: World) -> None:
    """A POST that cannot be replayed is not sent again."""
    world.origin("s1", _fails_first(None))
    _start(world, back="retry-on all-retryable-errors\n    retries 2")
    client = world.client()
    client.post("/", b"x" * 30000)
    world.logs(1)


def disable_l7_retry(world: World) -> None:
    """`http-request disable-l7-retry`."""
    world.origin("s1", _fails_first(None))
    _start(world, back="retry-on empty-response\n    http-request disable-l7-retry if METH_GET")
    client = world.client()
    client.get("/")
    world.logs(1)


def queue_for_a_slot(world: World) -> None:
    """With `maxconn 1` the second request waits for the first."""
    release = threading.Event()

    def script(connection: Connection) -> None:
        while connection.read() is not None:
            release.wait(5)
            connection.reply(b"done")

    origin = world.origin("s1", script)
    _start(world, server="maxconn 1")
    first, second = world.client(), world.client()
    first.send("GET /1 HTTP/1.1\nHost: a\n\n")
    origin.wait_for(lambda: bool(origin.order))
    second.send("GET /2 HTTP/1.1\nHost: a\n\n")
    second.ending(0.2)
    release.set()
    first.receive()
    second.receive()
    world.logs(2)


def queue_timeout(world: World) -> None:
    """The wait for a slot ends with 503 and `sQ`."""
    origin = world.origin("s1", _silent)
    _start(world, server="maxconn 1", back="timeout queue 200ms")
    first, second = world.client(), world.client()
    first.send("GET /1 HTTP/1.1\nHost: a\n\n")
    origin.wait_for(lambda: bool(origin.order))
    second.get("/2")
    world.logs(1)


def frontend_maxconn(world: World) -> None:
    """Above a frontend's maxconn a connection waits in the kernel until another ends."""
    world.origin("s1")
    _start(world, front="maxconn 1")
    first, second = world.client(), world.client()
    first.get("/1")
    second.send("GET /2 HTTP/1.1\nHost: a\n\n")
    second.ending(0.2)
    first.close()
    second.receive()


def all_servers_disabled(world: World) -> None:
    """No usable server: 503 and `SC` at once."""
    world.origin("s1")
    _start(world, server="disabled")
    client = world.client()
    client.get("/")
    client.ending()
    world.logs(1)


def no_backend(world: World) -> None:
    """A frontend without any backend answers 503."""
    world.start('frontend fe\n    bind "fd@${fe}"\n    option httplog\n')
    client = world.client()
    client.get("/")
    client.ending()
    world.logs(1)


def tarpit_without_a_time(world: World) -> None:
    """Without `timeout tarpit` and `timeout connect` a tarpit answers at once; 0 is none."""
    world.start(
        "defaults\n mode http\n timeout client 10s\n"
        "frontend fe\n bind fd@${fe}\n http-request tarpit\n"
        "frontend zero\n bind fd@${zero}\n timeout tarpit 0\n http-request tarpit\n",
        bare=True,
    )
    world.client().get("/")
    world.client("zero").get("/")


def tarpit_for_the_time_to_connect(world: World) -> None:
    """In a frontend whose defaults have a `timeout connect` and no `timeout tarpit`."""
    world.start(
        "defaults\n mode http\n timeout client 10s\n timeout connect 2s\n"
        "frontend fe\n bind fd@${fe}\n http-request tarpit\n",
        bare=True,
    )
    client = world.client()
    client.send("GET / HTTP/1.1\nHost: a\n\n")
    client.ending(1)


def tarpit_client_leaves(world: World) -> None:
    """A client that leaves while it is held."""
    world.origin("s1")
    _start(world, front="timeout tarpit 300ms\n    http-request tarpit")
    client = world.client()
    client.send("GET / HTTP/1.1\nHost: a\n\n")
    client.shutdown()
    client.receive()
    client.expect_end()
    world.logs(1)


def soft_stop_finishes_requests(world: World) -> None:
    """SIGUSR1 lets a running request end; its answer says close."""
    release = threading.Event()

    def script(connection: Connection) -> None:
        while connection.read() is not None:
            release.wait(5)
            connection.reply(b"done")

    origin = world.origin("s1", script)
    _start(world)
    client = world.client()
    client.send("GET / HTTP/1.1\nHost: a\n\n")
    origin.wait_for(lambda: bool(origin.order))
    world.signal(signal.SIGUSR1)
    client.ending(0.3)
    release.set()
    client.receive()
    client.expect_end()
    assert world.process is not None
    world.note(f"exit {world.process.wait(5)}")


def abortonclose_needs_both_sides(world: World) -> None:
    """The option in `defaults`, where a FIN comes with the request or after it; without it in a backend; in a frontend."""
    origin = world.origin("s1", _silent)
    world.start(
        """
frontend fe
    bind "fd@${fe}"
    option httplog
    use_backend off if { path /off }
    default_backend be
backend be
    timeout server 700ms
    server s1 {s1}
backend off
    no option abortonclose
    timeout server 400ms
    server s1 {s1}
defaults
    mode http
    log global
    timeout client 10s
    timeout server 400ms
    timeout connect 5s
frontend only
    bind "fd@${only}"
    option httplog
    option abortonclose
    default_backend on
backend on
    option abortonclose
    server s1 {s1}
""",
        defaults="    option abortonclose",
    )
    lines = 0
    for listener, target in (("fe", "/"), ("fe", "/off"), ("only", "/")):
        for how in ("with", "after", "reset"):
            client = world.client(listener)
            came = len(origin.order)
            client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            client.send(f"GET {target} HTTP/1.1\nHost: a\n\n")
            if how != "with":
                client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
                origin.wait_for(lambda came=came: len(origin.order) > came)
            if how == "reset":
                client.reset()
            else:
                client.shutdown()
                client.receive()
            lines += 1
            world.logs(lines)


def connect_tunnel(world: World) -> None:
    """CONNECT: who closes first, who is waited for, and what is logged."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.write(b"HTTP/1.1 200 OK\r\n\r\n")
        connection.write(b"echo " + connection.sock.recv(100))
        if connection.number == 1:
            connection.reader.to_end()

    world.origin("s1", script)
    _start(world, front="timeout client-fin 300ms")
    for number, end in enumerate(("client first", "client answers", "client resets", "client waits"), 1):
        world.note(end)
        client = world.client()
        client.send("CONNECT a:80 HTTP/1.1\nHost: a:80\n\n")
        client.seen.append(repr(client.reader.until(b"\r\n\r\n")))
        client.send("hi")
        client.seen.append(repr(client.reader.exactly(7)))
        if number > 1:
            client.expect_end()
        if number < 3:
            client.close()
        elif number == 3:
            client.reset()
        world.logs(number)


def time_for_a_head_runs_from_its_first_byte(world: World) -> None:
    """`timeout http-request` begins anew with the first byte."""
    world.origin("s1")
    config = ONE_BACKEND.replace("option httplog", 'option httplog\n    log-format "%ST %tsc %TR"')
    world.start(config, defaults="    timeout http-request 800ms")
    client = world.client()
    client.ending(0.4)
    client.send("GE")
    began = time.monotonic()
    client.receive()
    world.note(f"after its first byte: {time.monotonic() - began > 0.6}")
    world.logs(1)


def nothing_came(world: World) -> None:
    """`%Ti` where no byte came."""
    world.origin("s1")
    world.start(
        ONE_BACKEND.replace("option httplog", 'option httplog\n    log-format "%ST %tsc %Ti %TR"'),
        defaults="    timeout http-request 300ms",
    )
    world.client().receive()
    world.logs(1)


def unfinished_bodies_wait_for_servers(world: World) -> None:
    """While no server has a request, its client's silence does not end it: not in a queue, nor between two attempts."""
    world.origin("s1", _silent)
    with socket.create_server(("127.0.0.1", 0)) as sock:
        world.places["dead"] = f"127.0.0.1:{sock.getsockname()[1]}"
    world.start(
        'listen queued\n bind "fd@${queued}"\n option httplog\n timeout queue 900ms\n server s1 {s1} maxconn 1\n'
        'listen refused\n bind "fd@${refused}"\n option httplog\n retries 2\n server s1 {dead}\n',
        defaults="    timeout client 300ms\n    timeout connect 400ms",
    )
    holder = world.client("queued")
    holder.send("GET / HTTP/1.1\nHost: a\n\n")
    world.origins["s1"].wait_for(lambda: bool(world.origins["s1"].connections))
    for number, name in enumerate(("queued", "refused"), 1):
        client = world.client(name)
        client.send("POST / HTTP/1.1\nHost: a\nContent-Length: 100\n\nabc")
        client.receive()
        client.expect_end()
        world.logs(number)

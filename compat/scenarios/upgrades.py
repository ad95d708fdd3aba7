"""Upgrades and tunnels: 101 answers, CONNECT, who closes first, what is refused, and what the log says of it."""

from __future__ import annotations

from collections.abc import Callable

from compat.harness import Client, Connection, World
from compat.harness.origin import Script

PROXY = """
defaults
    mode http
    log {syslog} local0
    option httplog
    timeout connect 3s
    timeout client 3s
    timeout server 3s
%s
frontend fe
    bind "fd@${fe}" %s
    default_backend be
backend be
    server s1 {s1} %s
"""
WEBSOCKET = (
    "GET /ws HTTP/1.1\nHost: a.test\nConnection: keep-alive, Upgrade\nUpgrade: websocket\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\n\n"
)
SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
UPGRADE = "GET /up HTTP/1.1\nHost: a.test\nConnection: Upgrade\nUpgrade: foo/1\n\n"
OTHER = b"HTTP/1.1 101 Here we go\r\nUpgrade: foo/1\r\nConnection: upgrade\r\n\r\n"


def _received(connection: Connection, count: int) -> bytes:
    return connection.reader.exactly(count)


def _start(world: World, script: Script, *, defaults: str = "", bind: str = "", server: str = "") -> None:
    world.origin("s1", script)
    world.start(PROXY % (defaults, bind, server), bare=True)


def _finished(world: World) -> None:
    """Wait until the origin has noted what it saw."""
    for connection in world.origins["s1"].connections:
        connection.ended.wait(5)


def _take(client: Client, count: int) -> None:
    client.seen.append(repr(client.reader.exactly(count)))


def echo(world: World) -> None:
    """A WebSocket: data with the request, data with the answer, then both ways; the client closes."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.write(SWITCH + b"hello")
        while data := connection.reader.exactly(5):
            world.note(f"origin got {data!r}")
            connection.write(data.upper())
        world.note(f"origin saw {connection.reader.end}")
        connection.close()

    _start(world, script)
    client = world.client()
    client.send(WEBSOCKET.replace("\n", "\r\n").encode() + b"early")
    client.receive()
    _take(client, 10)
    client.send(b"later")
    _take(client, 5)
    client.shutdown()
    client.expect_end()
    world.logs(1)
    _finished(world)


def server_ends(world: World) -> None:
    """The server closes first; the client may still send."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.write(OTHER + b"bye")
        connection.shutdown()
        world.note(f"origin got {connection.reader.to_end()!r} {connection.reader.end}")
        connection.close()

    _start(world, script)
    client = world.client()
    client.send(UPGRADE)
    client.receive()
    _take(client, 3)
    client.expect_end()
    client.close()
    world.logs(1)
    _finished(world)


def client_half_closes(world: World) -> None:
    """The client has said all it has to say, the server goes on."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.write(OTHER)
        world.note(f"origin got {connection.reader.to_end()!r} {connection.reader.end}")
        connection.write(b"still here")
        connection.close()

    _start(world, script)
    client = world.client()
    client.send(UPGRADE)
    client.receive()
    client.send(b"last words")
    client.shutdown()
    _take(client, 10)
    client.expect_end()
    world.logs(1)
    _finished(world)


def _resetting(world: World, who: str) -> None:
    heard: list[bytes] = []

    def script(connection: Connection) -> None:
        connection.read()
        connection.write(OTHER + b"x")
        heard.append(connection.reader.exactly(1))
        if who == "server":
            connection.reset()
        else:
            world.note(f"origin got {connection.reader.to_end()!r} {connection.reader.end}")
            connection.close()

    _start(world, script)
    client = world.client()
    client.send(UPGRADE)
    client.receive()
    _take(client, 1)
    client.send(b"y")
    if who == "server":
        client.expect_end()
    else:
        world.origins["s1"].wait_for(lambda: bool(heard))
        client.reset()
    world.logs(1)
    _finished(world)


def server_resets(world: World) -> None:
    """The server resets the tunnel."""
    _resetting(world, "server")


def client_resets(world: World) -> None:
    """The client resets the tunnel."""
    _resetting(world, "client")


def _silent(
    world: World, defaults: str, *, half_close: bool = False, request: str = UPGRADE, answer: bytes = OTHER
) -> None:
    def script(connection: Connection) -> None:
        connection.read()
        connection.write(answer + b"x")
        world.note(f"origin got {connection.reader.to_end()!r} {connection.reader.end}")
        connection.close() if not half_close else connection.ended.wait(2)

    _start(world, script, defaults=defaults)
    client = world.client()
    client.send(request)
    client.receive("CONNECT" if request.startswith("CONNECT") else "GET")
    _take(client, 1)
    if half_close:
        client.shutdown()
    client.expect_end()
    world.logs(1)
    _finished(world)


def tunnel_timeout(world: World) -> None:
    """`timeout tunnel` takes the place of the others."""
    _silent(world, "    timeout tunnel 500ms")


def tunnel_without_timeout(world: World) -> None:
    """Without it they count: here the server's is the shorter."""
    _silent(world, "    timeout client 2s\n    timeout server 500ms")


def tunnel_client_timeout(world: World) -> None:
    """Here the client's is the shorter."""
    _silent(world, "    timeout client 500ms\n    timeout server 2s")


def silent_client_of_a_tunnel(world: World) -> None:
    """Without `timeout tunnel` the server is told that a silent client has closed; what it still says arrives."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.write(OTHER)
        connection.reader.fill()
        world.note(f"origin got {connection.reader.buffer!r} {connection.reader.end}")
        connection.write(b"last words")

    world.origin("s1", script)
    world.start(
        "frontend fe\n bind fd@${fe}\n option httplog\n timeout client 300ms\n default_backend be\n"
        "backend be\n timeout server 9s\n server s1 {s1}\n"
    )
    client = world.client()
    client.send(UPGRADE)
    client.receive()
    client.expect_end()
    world.logs(1)


def endless_answer_under_tunnel_timeout(world: World) -> None:
    """An answer that ends with its connection may be silent for `timeout tunnel`."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.write(b"HTTP/1.1 200 OK\r\n\r\nfirst")
        connection.ended.wait(1.5)
        connection.write(b"second")

    world.origin("s1", script)
    world.start(
        "frontend fe\n bind fd@${fe}\n default_backend be\n"
        "backend be\n timeout server 400ms\n timeout tunnel 8s\n server s1 {s1}\n"
    )
    world.client().get("/")


def tunnel_timeout_for_connect(world: World) -> None:
    """The same after a CONNECT."""
    request, answer = "CONNECT a.test:443 HTTP/1.1\nHost: a.test:443\n\n", b"HTTP/1.1 200 OK\r\n\r\n"
    _silent(world, "    timeout tunnel 500ms", request=request, answer=answer)


def client_fin_timeout(world: World) -> None:
    """`timeout client-fin` counts once the client has closed its side."""
    _silent(world, "    timeout tunnel 3s\n    timeout client-fin 300ms", half_close=True)


def server_fin_timeout(world: World) -> None:
    """`timeout server-fin` as well."""
    _silent(world, "    timeout tunnel 3s\n    timeout server-fin 300ms", half_close=True)


def _refusing(world: World, answer: bytes, *, defaults: str = "", early: bytes = b"", request: str = UPGRADE) -> None:
    def script(connection: Connection) -> None:
        if connection.read() is None:
            return
        connection.write(answer)
        while connection.read() is not None:
            connection.reply(b"next")

    _start(world, script, defaults=defaults)
    client = world.client()
    client.send(request.replace("\n", "\r\n").encode() + early)
    client.receive("CONNECT" if request.startswith("CONNECT") else "GET")
    if early:
        client.receive()
    elif client.ending() == "open":
        client.get("/next")
    client.close()
    world.logs(2)


NEXT = b"GET /piped HTTP/1.1\r\nHost: a.test\r\n\r\n"


def refused_with_200(world: World) -> None:
    """The server answers as if nothing had been asked; the connection goes on."""
    _refusing(world, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno")


def refused_with_426(world: World) -> None:
    """The server wants another protocol."""
    _refusing(
        world, b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: bar\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n"
    )


def refused_with_pipelining(world: World) -> None:
    """The server refuses, and a request was sent behind the upgrade."""
    _refusing(world, b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", early=NEXT)


def refused_chunked(world: World) -> None:
    """The refusal's body is chunked."""
    _refusing(world, b"HTTP/1.1 400 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n")


def refused_until_close(world: World) -> None:
    """The refusal closes."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.write(b"HTTP/1.1 400 No\r\nConnection: close\r\n\r\nno")
        connection.close()

    _start(world, script)
    client = world.client()
    client.send(UPGRADE)
    client.receive()
    client.expect_end()
    world.logs(1)


CONNECT = "CONNECT a.test:443 HTTP/1.1\nHost: a.test:443\n\n"


def connect_refused(world: World) -> None:
    """CONNECT is refused; the connection goes on."""
    _refusing(world, b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", request=CONNECT)


def connect_refused_with_data(world: World) -> None:
    """CONNECT is refused, and what the client had sent behind it was meant for the tunnel."""
    _refusing(world, b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", request=CONNECT, early=NEXT)


def connect_with_data(world: World) -> None:
    """CONNECT with data right behind it."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.write(b"HTTP/1.1 200 Connected\r\nContent-Length: 7\r\n\r\n")
        while data := connection.reader.exactly(5):
            connection.write(data.upper())
        connection.close()

    _start(world, script)
    client = world.client()
    client.send(CONNECT.replace("\n", "\r\n").encode() + b"early")
    client.receive("HEAD")
    _take(client, 5)
    client.send(b"later")
    _take(client, 5)
    client.shutdown()
    client.expect_end()
    world.logs(1)


#: Requests whose upgrade is special: what the origin is asked, and whether its 101 counts.
REQUESTS = {
    "body": "POST /up HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: foo/1\nContent-Length: 3\n\nabc",
    "chunked": "POST /up HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: foo/1\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n",
    "empty_body": "POST /up HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: foo/1\nContent-Length: 0\n\n",
    "h2c": "GET /up HTTP/1.1\nHost: a\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABk\n\n",
    "h2c_or_other": "GET /up HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: h2c, foo/1\n\n",
    "without_connection": "GET /up HTTP/1.1\nHost: a\nUpgrade: foo/1\n\n",
    "without_upgrade": "GET /up HTTP/1.1\nHost: a\nConnection: Upgrade\n\n",
    "old_version": "GET /up HTTP/1.0\nHost: a\nConnection: Upgrade\nUpgrade: foo/1\n\n",
    "websocket_without_key": "GET /up HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\n\n",
    "close": "GET /up HTTP/1.1\nHost: a\nConnection: Upgrade, close\nUpgrade: foo/1\n\n",
    "two_protocols": "GET /up HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: bar\nUpgrade: foo/1\n\n",
    "expect": "POST /up HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: foo/1\nContent-Length: 3\nExpect: 100-continue\n\nabc",
    "head": "HEAD /up HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: foo/1\n\n",
    "options": "OPTIONS * HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: foo/1\n\n",
}
#: Answers to an upgrade that are special.
ANSWERS = {
    "no_connection": b"HTTP/1.1 101 SP\r\nUpgrade: foo/1\r\n\r\nx",
    "no_upgrade": b"HTTP/1.1 101 SP\r\nConnection: Upgrade\r\n\r\nx",
    "other_protocol": b"HTTP/1.1 101 SP\r\nConnection: Upgrade\r\nUpgrade: bar\r\n\r\nx",
    "after_hints": b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 101 SP\r\nConnection: Upgrade\r\nUpgrade: foo/1\r\n\r\nx",
    "with_length": b"HTTP/1.1 101 SP\r\nConnection: Upgrade\r\nUpgrade: foo/1\r\nContent-Length: 1\r\n\r\nxy",
    "old_version": b"HTTP/1.0 101 SP\r\nConnection: Upgrade\r\nUpgrade: foo/1\r\n\r\nx",
    "closing": b"HTTP/1.1 101 SP\r\nConnection: Upgrade, close\r\nUpgrade: foo/1\r\n\r\nx",
    "websocket_unasked": SWITCH + b"x",
}


#: HAProxy counts the bytes of a 101 that it then refuses, and of lengths that it takes out.
WITHOUT_BYTES = '"%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %tsc %{+Q}r"'


def connect_with_an_encoding(world: World) -> None:
    """A CONNECT that claims a body in chunks: its server is told that nothing follows."""

    def script(connection: Connection) -> None:
        head = connection.reader.until(b"\r\n\r\n")
        world.note(f"origin got {head!r}")
        connection.write(b"HTTP/1.1 200 OK\r\n\r\n")
        connection.write(connection.reader.exactly(3))

    _start(world, script)
    client = world.client()
    client.send("CONNECT a.test:443 HTTP/1.1\nHost: a.test:443\nTransfer-Encoding: chunked\n\nabc")
    client.receive("CONNECT")
    _take(client, 3)
    client.expect_end()
    world.logs(1)
    _finished(world)


def _one(request: str, answer: bytes, defaults: str = "") -> Callable[[World], None]:
    def scenario(world: World) -> None:
        def script(connection: Connection) -> None:
            if connection.read() is None:
                return
            connection.write(answer)
            connection.reader.to_end()
            connection.close()

        _start(world, script, defaults=f"{defaults}\n    log-format {WITHOUT_BYTES}")
        client = world.client()
        client.send(request)
        message = client.receive()
        if message is not None and message.status == 101:
            _take(client, 1)
            client.shutdown()
        client.expect_end(1)
        client.close()
        world.logs(1)

    return scenario


FAMILY = {
    **{f"request_{name}": _one(request, OTHER + b"x") for name, request in REQUESTS.items()},
    **{f"answer_{name}": _one(UPGRADE, answer) for name, answer in ANSWERS.items()},
    "httpclose": _one(UPGRADE, OTHER + b"x", "    option httpclose"),
    "http_server_close": _one(WEBSOCKET, SWITCH + b"x", "    option http-server-close"),
    "websocket_behind_hints": _one(WEBSOCKET, b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + SWITCH + b"x"),
}


def bytes_of_refused_upgrades(world: World) -> None:
    """What counts of a 101 that nobody has asked for, when it is a sound WebSocket upgrade and when it has no accept key."""
    keyless = b"HTTP/1.1 101 SP\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nx"

    def script(connection: Connection) -> None:
        while (request := connection.read()) is not None:
            connection.write(keyless if "keyless" in request.start else SWITCH)

    _start(world, script, defaults='    log-format "%ST %B %tsc"')
    for target in ("/keyless", "/sound"):
        world.once(target)
    world.logs(2)


def refused_behind_hints(world: World) -> None:
    """Hints, then in the same piece a 101 that nobody has asked for: neither is passed on."""
    hints = b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"
    answers = {
        "one": hints + SWITCH,
        "two": hints + b"HTTP/1.1 100 C\r\n\r\n" + SWITCH,
        "behind": hints + SWITCH + b"x",
        "other": hints + OTHER,
        "keyless": hints + b"HTTP/1.1 101 SP\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nx",
        "bad": hints + b"HTTP/1.1 junk\r\n\r\n",
    }

    def script(connection: Connection) -> None:
        while (request := connection.read()) is not None:
            connection.write(answers[request.start.split("/")[1].split()[0]])

    _start(world, script, defaults='    log-format "%r %ST %B %tsc"')
    for name in answers:
        client = world.client()
        client.send(f"GET /{name} HTTP/1.1\nHost: a\n\n")
        client.receive()
        client.ending(0.1)
        client.close()
    world.logs(len(answers))


def refused_after_hints(world: World) -> None:
    """The same, where the hints have gone to the client before."""

    def script(connection: Connection) -> None:
        while b"\r\n\r\n" not in connection.reader.buffer and connection.reader.fill():
            pass
        connection.write(b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n")
        request = connection.read()  # the client sends the body when it has them
        if request is not None:
            connection.write(OTHER if "other" in request.start else SWITCH)

    _start(world, script, defaults='    log-format "%r %ST %B %tsc"')
    for name in ("websocket", "other"):
        client = world.client()
        client.send(f"POST /{name} HTTP/1.1\nHost: a\nContent-Length: 1\n\n")
        client.receive()
        client.send(b"1")
        client.receive()
        client.ending(0.1)
        client.close()
    world.logs(2)


def second_request(world: World) -> None:
    """The upgrade is the second request of both connections, sent with the first one."""

    def script(connection: Connection) -> None:
        if connection.read() is None:
            return
        connection.reply(b"first")
        if connection.read() is None:
            return
        connection.write(OTHER)
        connection.write(connection.reader.exactly(5))
        connection.close()

    _start(world, script)
    client = world.client()
    client.send("GET /first HTTP/1.1\nHost: a\n\n" + UPGRADE)
    client.receive()
    client.receive()
    client.send(b"12345")
    _take(client, 5)
    client.expect_end()
    world.logs(2)


def rules_on_the_way(world: World) -> None:
    """Rules see the upgrade and its answer; `set-timeout tunnel` bounds it."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.write(SWITCH)
        connection.reader.to_end()
        connection.close()

    rules = """    http-request set-header X-Upgrade %[req.hdr(upgrade)]
    http-response set-header X-Status %[status]
    http-after-response set-header X-After yes
"""
    world.origin("s1", script)
    text = PROXY % ("    timeout tunnel 5s", "", "")
    text = text.replace("    default_backend", rules + "    default_backend")
    world.start(text.replace("\nbackend be\n", "\nbackend be\n    http-request set-timeout tunnel 400ms\n"), bare=True)
    client = world.client()
    client.send(WEBSOCKET)
    client.receive()
    client.expect_end()
    world.logs(1)


def over_tls(world: World) -> None:
    """A WebSocket over TLS on both sides."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.write(SWITCH)
        while data := connection.reader.exactly(5):
            connection.write(data.upper())
        connection.close()

    world.certificate("front.pem", "front.test")
    world.tls_origin("s1", "back.test", script=script)
    world.start(PROXY % ("", "ssl crt {dir}/front.pem alpn http/1.1", "ssl verify none alpn http/1.1 ws h1"), bare=True)
    client = world.tls_client("front.test", alpn=["http/1.1"])
    client.send(WEBSOCKET)
    client.receive()
    client.send(b"hello")
    _take(client, 5)
    client.close()
    world.logs(1)


#: Requests to a proxy in front of a proxy, with what is asked of them.
TO_PROXY = {
    "absolute": "GET http://a.test/x HTTP/1.1\nHost: a.test\nProxy-Connection: close\n\n",
    "absolute_close": "GET http://a.test/x HTTP/1.1\nHost: a.test\nConnection: close\nProxy-Connection: keep-alive\n\n",
    "old": "GET http://a.test/x HTTP/1.0\nHost: a.test\nProxy-Connection: keep-alive\n\n",
    "relative": "GET /x HTTP/1.1\nHost: a.test\nProxy-Connection: close\n\n",
    "asterisk": "OPTIONS * HTTP/1.1\nHost: a.test\nProxy-Connection: close\n\n",
    "connect": "CONNECT a.test:80 HTTP/1.1\nHost: a.test:80\nProxy-Connection: close\n\n",
    "unknown": "GET http://a.test/auth HTTP/1.1\nHost: a.test\n\n",
    "known": "GET http://a.test/auth HTTP/1.1\nHost: a.test\nProxy-Authorization: Basic dTpw\n\n",
    "wrong_field": "GET http://a.test/auth HTTP/1.1\nHost: a.test\nAuthorization: Basic dTpw\n\n",
    "relative_unknown": "GET /auth HTTP/1.1\nHost: a.test\n\n",
    "relative_known": "GET /auth HTTP/1.1\nHost: a.test\nAuthorization: Basic dTpw\n\n",
    "connect_unknown": "CONNECT auth:80 HTTP/1.1\nHost: auth:80\n\n",
}


def _to_proxy(world: World, option: str) -> None:
    def script(connection: Connection) -> None:
        while (request := connection.read()) is not None:
            status = "403 No" if request.head.startswith(b"CONNECT") else "200 OK"
            connection.reply(b"x", status, headers=("Proxy-Connection: keep-alive",))

    world.origin("s1", script)
    world.start(f"""
userlist people
    user u insecure-password p
frontend fe
    bind "fd@${{fe}}"
    {option}
    http-request auth realm r if {{ url_sub auth }} !{{ http_auth(people) }}
    default_backend be
backend be
    http-reuse never
    server s1 {{s1}}
""")
    for request in TO_PROXY.values():
        client = world.client()
        client.send(request)
        client.receive()
        client.ending(0.1)
        client.close()


def proxy_headers(world: World) -> None:
    """`option http-use-proxy-header`: requests for a proxy have their own fields for credentials."""
    _to_proxy(world, "option http-use-proxy-header")


def no_proxy_headers(world: World) -> None:
    """Without the option they have the usual ones."""
    _to_proxy(world, "")

"""What options and rules of the proxy sections do that no other module looks at, several checks to a scenario."""

from __future__ import annotations

import socket

from compat.harness import Connection, World
from compat.harness.targets import wait_until
from compat.harness.world import Scenario


def _start(world: World, front: str, back: str = "server s1 {s1}", *, tail: str = "", global_: str = "") -> None:
    world.start(
        f'frontend fe\n    bind "fd@${{fe}}"\n    option httplog\n{_lines(front)}    default_backend be\n'
        f"backend be\n{_lines(back)}{tail}",
        global_=global_,
    )


def _lines(text: str) -> str:
    return "".join(f"    {line.strip()}\n" for line in text.splitlines() if line.strip())


def log_sampling(world: World) -> None:
    """`log … sample`: which lines go out."""
    world.start(
        """
frontend fe
    bind "fd@${fe}"
    log {syslog} sample 1:2 local1
    log {syslog} sample 2-3,5:6 local2
    log {syslog} sample 3:3 local3 notice
    log-format "%r"
    http-request return
"""
    )
    for number in range(1, 8):
        world.once(f"/{number}")
    world.logs(14)


def log_on_a_descriptor(world: World) -> None:
    """`len` holds for what goes to the standard output, too."""
    world.start(
        """
frontend fe
    bind "fd@${fe}"
    no log
    log stdout len 100 format raw local0
    log stdout format raw local0
    log-format "%r"
    http-request return status 200
"""
    )
    world.once("/" + 1500 * "a")
    world.once("/" + 90 * "b")
    wait_until(lambda: world.said().count("GET /") == 4)
    for line in world.said().splitlines():
        if line.startswith("GET /"):
            world.note(f"{len(line)} {line[-20:]}")


def log_options(world: World) -> None:
    """`dontlog-normal`, `log-separate-errors`, `logasap` and levels, for good answers and for bad ones."""

    def script(connection: Connection) -> None:
        while (message := connection.read()) is not None:
            connection.reply(b"ok", "500 Bad" if b"/bad" in message.head else "200 OK")

    world.origin("s1", script)
    world.start("""
frontend fe
    bind "fd@${fe}"
    option httplog
    option log-separate-errors
    option dontlog-normal
    default_backend be
frontend separate
    bind "fd@${separate}"
    option httplog
    option log-separate-errors
    option logasap
    default_backend be
frontend limited
    bind "fd@${limited}"
    log {syslog} local2 err debug
    option httplog
    option log-separate-errors
    default_backend be
frontend json
    bind "fd@${json}"
    log-tag "other"
    error-log-format "ERR %ci"
    http-request set-var(txn.odd) req.hdr(x-odd)
    log-format '{"m":"%HM","u":%{+Q}HU,"s":%ST,"x":%{+Q}[var(txn.none)],"e":"%{+E}[var(txn.odd)]"}'
    default_backend be
backend be
    server s1 {s1}
""")
    lines = 0
    for listener, good, bad in (("fe", 0, 1), ("separate", 1, 1), ("limited", 1, 2), ("json", 1, 1)):
        for target, count in (("/good", good), ("/bad", bad)):
            world.once(target, 'X-Odd: a"b]c\\d', listener=listener)
            lines += count
            world.logs(lines)


def probes(world: World) -> None:
    """`http-ignore-probes` and `dontlognull`: connections that say nothing or half a request."""
    sections = {"plain": "", "quiet": "option dontlognull", "deaf": "option http-ignore-probes"}
    world.start(
        "".join(
            f'frontend {name}\n    bind "fd@${{{name}}}"\n    option httplog\n    timeout http-request 300ms\n    {option}\n'
            "    http-request return\n"
            for name, option in sections.items()
        )
    )
    lines = 0
    for name in sections:
        for what, count in (
            ("nothing", name == "plain"),
            ("half", 1),
            ("wait", name == "plain"),
        ):
            client = world.client(name)
            client.seen.append(f"{name} {what}")
            if what == "half":
                client.send("GET / HT")
            if what in ("nothing", "half"):
                client.shutdown()
                client.receive()
            elif what == "wait":
                client.receive()
            lines += int(count)
            world.syslog.wait(lines, 2.0)
        world.once("/", listener=name)  # by its answer the program has dealt with what came before
        lines += 1
        world.syslog.wait(lines)
    world.logs(lines)


def unique_ids(world: World) -> None:
    """`unique-id-format` and `-header`, in logs and in samples, once a request."""
    world.origin("s1", b"ok")
    _start(
        world,
        """unique-id-format %{+X}o\\ %ci_%fi_%HM_%{+X}[path]
        unique-id-header X-Unique
        http-request set-header X-Again %[unique-id]
        http-response set-header X-Back %[unique-id]
        log-format "%ID %[unique-id] %r"
        """,
    )
    client = world.client()
    client.get("/a")
    client.get("/b", "X-Unique: from the client")
    world.logs(2)


def monitors(world: World) -> None:
    """`monitor-uri`, `monitor fail`, and what neither logs nor reaches rules."""
    world.origin("s1", b"ok")
    _start(
        world,
        """monitor-uri /health
        acl dead nbsrv(gone) lt 1
        acl asked url_param(x) -m found
        monitor fail if asked
        monitor fail if dead { hdr(x-strict) 1 }
        http-request deny if { path /health }
        """,
        tail="backend gone\n    server s1 127.0.0.1:1 disabled\n",
    )
    client = world.client()
    client.get("/health")
    client.get("/health", "X-Strict: 1")
    client.get("/health?x=1")
    client.get("/healthy")
    client.get("/health", method="HEAD")
    client.get("http://hapy.test/health")
    client.get("https://hapy.test/health")
    client.get("http://hapy.test/health?x=1")
    client.get("/health", version="1.0")
    client.ending()
    world.logs(3)


def numbered_requests(world: World) -> None:
    """`%rt` counts from zero: requests, refused ones and sessions of TCP; not clients that come and go in silence."""
    world.origin("s1", b"ok")
    world.start(
        """
frontend fe
    bind "fd@${fe}"
    option dontlognull
    unique-id-format id-%rt
    log-format "fe %rt %ID %ST"
    http-request return status 200 hdr x-rt %rt if { path /own }
    default_backend be
frontend raw
    bind "fd@${raw}"
    mode tcp
    log-format "raw %rt"
    default_backend plain
backend be
    server s1 {s1}
backend plain
    mode tcp
    server s1 {s1}
"""
    )
    client = world.client()
    client.get("/own")
    client.get("/own")
    client.close()
    bad = world.client()
    bad.send("BAD\n\n")
    bad.receive()
    bad.ending()
    world.logs(3)
    plain = world.client("raw")
    plain.get("/1")
    plain.close()
    world.logs(4)
    world.once("/own")
    world.logs(5)


def tarpits(world: World) -> None:
    """`timeout tarpit`, its default, other statuses, and what is logged."""
    world.origin("s1", b"ok")
    _start(
        world,
        """timeout tarpit 300ms
        http-request tarpit deny_status 429 if { path /429 }
        http-request tarpit status 403 content-type text/plain lf-string "no" hdr X-A b if { path /own }
        http-request tarpit if { path /held }
        """,
    )
    for number, target in enumerate(("/429", "/own", "/held"), 1):
        client = world.client()
        client.send(f"GET {target} HTTP/1.1\nHost: a\n\n")
        client.ending(0.1)
        client.receive()
        client.ending(0.1)
        world.logs(number)


def cases(world: World) -> None:
    """`h1-case-adjust` with a file, both sides, trailers and answers of our own."""

    def script(connection: Connection) -> None:
        while connection.read() is not None:
            connection.write(
                b"HTTP/1.1 200 OK\r\nx-odd-name: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-trailer: t\r\n\r\n"
            )

    world.origin("s1", script)
    (world.dir / "cases").write_text("x-odd-name X-ODD-Name\nx-trailer X-TRAILER\n")
    _start(
        world,
        """option h1-case-adjust-bogus-client
        http-request return content-type a/b string own if { path /own }
        http-request deny if { path /deny }""",
        "option h1-case-adjust-bogus-server\nserver s1 {s1}",
        global_=(
            "    h1-case-adjust-file {dir}/cases\n    h1-case-adjust content-length Content-LENGTH\n"
            "    h1-case-adjust connection CONNECTION\n    h1-case-adjust transfer-encoding TRANSFER-Encoding\n"
            "    h1-case-adjust host HOST"
        ),
    )
    client = world.client()
    client.get("/", "X-Odd-Name: 2")
    client.send("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabc\n0\nX-Trailer: q\n\n")
    client.receive("POST")
    client.get("/own")
    client.get("/deny", "Connection: close")
    client.ending()


def error_pages(world: World) -> None:
    """`http-errors` sections, `errorfiles` of all or of some codes, `errorloc302` and `303`, files and `default-errorfiles`."""
    world.origin("s1", b"ok")
    for code in (403, 404, 500, 503):
        (world.dir / f"{code}.http").write_bytes(
            b"HTTP/1.1 %d Page\r\nContent-Type: text/plain\r\nX-Code: %d\r\nContent-Length: 5\r\n\r\npage\n"
            % (code, code)
        )
    _start(
        world,
        """errorfiles site 404 503
        errorloc302 403 /sorry-302
        errorloc303 500 http://other.test/sorry-303
        http-request deny deny_status 404 if { path /404 }
        http-request deny deny_status 403 if { path /403 }
        http-request deny deny_status 500 if { path /500 }
        http-request deny deny_status 503 if { path /503 }
        http-request deny deny_status 403 errorfiles site if { path /section }
        http-request deny deny_status 403 default-errorfiles if { path /default }
        http-request return status 404 errorfiles site if { path /return }
        http-request return status 404 default-errorfiles hdr X-More 1 if { path /more }
        http-request return status 200 content-type text/plain file {dir}/403.http if { path /file }
        http-request return status 200 content-type text/plain lf-file {dir}/lf if { path /lf }
        """,
        "errorfile 500 {dir}/500.http\nhttp-request deny deny_status 500 if { path /back500 }\n"
        "http-request deny deny_status 404 if { path /back404 }\nserver s1 {s1}",
        tail="http-errors site\n    errorfile 403 {dir}/403.http\n    errorfile 404 {dir}/404.http\n    errorfile 503 {dir}/503.http\n",
    ) if (world.dir / "lf").write_text("hello %[path]\n") else None
    client = world.client()
    for target in (
        "404",
        "403",
        "500",
        "503",
        "section",
        "default",
        "return",
        "more",
        "file",
        "lf",
        "back500",
        "back404",
    ):
        client.get(f"/{target}")
    client.get("/404", method="HEAD")
    client.get("/403", method="POST")
    client.ending()
    world.logs(14)


def captured(world: World) -> None:
    """`capture`, `declare capture` and `http-request capture` in both directions."""
    world.origin("s1", b"ok")
    _start(
        world,
        """capture request header Host len 5
        capture cookie ASP len 12
        capture response header Content-Length len 3
        declare capture request len 4
        http-request capture req.hdr(x-late) id 1
        http-request capture path len 3
        capture request header X-Empty len 5
        log-format "%hr %hs %CC %CS %[capture.req.hdr(1)] %[capture.res.hdr(0)] %hrl|%{+Q}hrl|%{+E}hrl"
        http-response set-header X-Seen %[capture.req.hdr(0)]-%[capture.req.method]-%[capture.req.uri]-%[capture.req.ver]
        """,
    )
    client = world.client()
    client.get("/abc/def", "X-Late: 12345", "Cookie: a=1; ASPID=0123456789012345; b=2")
    client.get("/x")
    client.get("/x", "X-Empty:", "X-Late:")
    world.logs(3)


def long_cookies(world: World) -> None:
    """A captured cookie is kept as far as `tune.http.cookielen` lets it."""

    def script(connection: Connection) -> None:
        while connection.read() is not None:
            connection.reply(b"ok", headers=(f"Set-Cookie: SID={'y' * 150}",))

    world.origin("s1", script)
    _start(world, 'capture cookie SID len 100\nlog-format "%CC %CS"', global_="tune.http.cookielen 30")
    world.once("/", f"Cookie: SID={'x' * 150}")
    world.logs(1)


def long_request_lines(world: World) -> None:
    """Logs keep as much of a request line as `tune.http.logurilen` says, in all variables that show a part of it."""
    world.start(
        """
frontend fe
    bind "fd@${fe}"
    log-format "%r|%HM|%HU|%HP|%HQ|%HPO|%HV|%{+Q}r|%[capture.req.uri]"
    http-request return status 200 hdr x-uri "[%[capture.req.uri]]"
""",
        global_="tune.http.logurilen 16",
    )
    for target in ("/", "/a/b", "/a/b?c=d", "/a/b?c=d&e", "/a/b/c/d/e/f?g=h", "http://a/b?c", "http://a.b.c.d/e?f=g"):
        world.once(target)
    world.once("*", method="OPTIONS")
    world.logs(8)


def buffered_requests(world: World) -> None:
    """`option http-buffer-request`: the body is waited for, until it is there, the buffer is full or the time is up."""
    world.origin("s1", b"ok")
    _start(
        world,
        "option http-buffer-request\ntimeout http-request 400ms\nhttp-request set-header X-Size %[req.body_size]-%[req.body_len]-%[req.body]",
    )
    world.once("/")  # the program runs
    client = world.client()
    client.send("POST /slow HTTP/1.1\nHost: a\nContent-Length: 6\n\nabc")
    client.ending(0.1)
    client.send("def")
    client.receive("POST")
    client.send("POST /chunks HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabc\n")
    client.ending(0.1)
    client.send("0\n\n")
    client.receive("POST")
    client.send("POST /late HTTP/1.1\nHost: a\nContent-Length: 6\n\nabc")
    client.receive("POST")
    client.expect_end()
    world.logs(4)
    client = world.client()
    client.send("POST /gone HTTP/1.1\nHost: a\nContent-Length: 6\n\nabc")
    client.ending(0.1)
    client.reset()
    world.logs(5)


def private_connections(world: World) -> None:
    """NTLM and Negotiate, in a request or in an answer, bind a server connection to its client; Basic does not."""

    def script(connection: Connection) -> None:
        while (message := connection.read()) is not None:
            head = message.head.lower()
            if b"/challenge" in head:
                scheme = head.split(b"/challenge-")[1].split(b" ")[0].decode()
                connection.reply(b"who", "401 Unauthorized", (f"WWW-Authenticate: {scheme} x",))
            else:
                connection.reply(b"ok")

    world.origin("s1", script)
    _start(world, "", "http-reuse always\nserver s1 {s1}")
    for scheme in ("basic", "negotiate", "NTLM", "digest"):
        first, second = world.client(), world.client()
        first.get(f"/challenge-{scheme}")
        second.get("/other")
        first.get("/first again", "Authorization: x" if scheme == "basic" else f"Authorization: {scheme} abc")
        for client in (first, second):
            client.close()


def _retry(event: str, failure: bytes | None, *, statuses: bool = False) -> Scenario:
    def scenario(world: World) -> None:
        """A first attempt that fails in one way, under `retry-on` with and without that event."""

        def script(connection: Connection) -> None:
            while (message := connection.read()) is not None:
                if len([1 for _, seen in connection.origin.order if seen.head == message.head]) % 2:
                    if failure == b"reset":
                        connection.reset()
                        return
                    if failure:
                        connection.write(failure)
                    if not statuses:
                        return
                else:
                    connection.reply(b"second")

        world.origin("s1", script)
        _start(
            world,
            "use_backend none if { path_beg /none }\nuse_backend all if { path_beg /all }\nuse_backend other if { path_beg /other }",
            f"retry-on {event}\nretries 2\nserver s1 {{s1}}",
            tail=(
                "backend none\n    retry-on none\n    server s1 {s1}\n"
                "backend all\n    retry-on all-retryable-errors\n    server s1 {s1}\n"
                "backend other\n    retry-on conn-failure 0rtt-rejected\n    server s1 {s1}\n"
            ),
        )
        count = 0
        for target in ("/", "/none", "/all", "/other"):
            client = world.client()
            client.get(target)
            client.ending(0.1)
            client.post(target + "/post", b"body") if not client.reader.end else None
            client.close()
            count += 1
        world.logs(count)
        heads = [b" ".join(seen.head.split()[:2]).decode() for _, seen in world.origins["s1"].order]
        world.note(f"attempts: {heads}")
        world.forget_origins()  # which connection an attempt takes differs: hapy closes one whose answer was not wanted

    return scenario


FAMILY: dict[str, Scenario] = {
    "retry_on_empty": _retry("empty-response", None),
    "retry_on_reset": _retry("empty-response", b"reset"),
    "retry_on_junk": _retry("junk-response", b"nonsense\r\n\r\n"),
    "retry_on_half_a_head": _retry("junk-response", b"HTTP/1.1 200 OK\r\nContent-"),
} | {
    f"retry_on_{status}": _retry(str(status), b"HTTP/1.1 %d X\r\nContent-Length: 1\r\n\r\nx" % status, statuses=True)
    for status in (401, 403, 404, 408, 425, 500, 501, 502, 503, 504)
}


def header_of_the_server(world: World) -> None:
    """`http-send-name-header` with redispatch, and names that rules use too."""
    world.origin("s1").stop()
    world.origin("s2", b"ok")
    _start(
        world,
        "http-request set-header X-Name before",
        "balance roundrobin\noption redispatch\nretries 1\nhttp-send-name-header X-Name\nserver one {s1}\nserver two {s2}",
    )
    client = world.client()
    client.get("/", "X-Name: client")
    client.get("/again")
    world.logs(2)


def header_of_the_server_comes_last(world: World) -> None:
    """It follows what is said of the connection."""
    world.origin("s1")
    _start(
        world,
        "use_backend closing if { path /close }",
        tail="backend closing\n    option httpclose\n    http-send-name-header X-Name\n    server one {s1}\n",
        back="http-send-name-header X-Name\nserver one {s1}",
    )
    for target in ("/", "/close"):
        for version in ("1.0", "1.1"):
            world.client().get(target, "X-Name: client", "X-Other: 1", version=version)


def half_closed_upgrade(world: World) -> None:
    """A websocket: upgrade, data both ways, a client's half-close."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nearly"
        )
        connection.write(b"got " + connection.reader.to_end())

    world.origin("s1", script)
    _start(world, "", "timeout tunnel 5s\nserver s1 {s1}")
    client = world.client()
    client.send(
        "GET /chat HTTP/1.1\nHost: a\nUpgrade: websocket\nConnection: Upgrade\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\n\n"
    )
    client.receive()
    client.seen.append(repr(client.reader.exactly(5)))
    client.send("hello")
    client.sock.shutdown(socket.SHUT_WR)
    client.seen.append(repr(client.reader.to_end()))
    world.logs(1)


def sent_to_the_server(world: World) -> None:
    """`redir`: the server's clients are sent there for what they would GET; everything else it gets from here."""
    world.origin("s1", b"served")
    _start(
        world,
        "",
        "cookie S insert\nhttp-request set-path /new%[path] if { path /b }\nhttp-response set-header x-response 1\n"
        "http-after-response set-header x-after 1\nserver s1 {s1} cookie one redir http://img.example.com",
    )
    world.once("/a?b=1")
    world.once("/b", "Cookie: S=one", method="HEAD")
    world.once("/a", method="OPTIONS")
    world.once("*")
    client = world.client()
    client.send("GET /x HTTP/1.0\nConnection: keep-alive\n\n")
    client.receive()
    client.expect_end()
    client = world.client()
    client.send("GET /x HTTP/1.1\nHost: a\nContent-Length: 5\n\nab")
    client.receive()
    client.expect_end()
    client = world.client()
    client.post("/x", b"abc")
    client.get("/y")
    client.expect_end()
    world.logs(8)


def variables_of_the_process(world: World) -> None:
    """`set-var`, `set-var-fmt`, `setenv` and its kin: what rules find from the start."""
    names = ("A1", "A2", "HAPROXY_LOCALPEER", "HAPROXY_MWORKER", "HAPROXY_MASTER_CLI")
    fields = " ".join(f'hdr x-{name} "[%[env({name})]]"' for name in (*names, "HOME"))
    world.start(
        f"""
frontend fe
    bind "fd@${{fe}}"
    log-format "%[var(proc.a)] %[var(proc.b)] %[var(proc.c)] %[var(proc.d)] %[var(proc.e)] %[var(proc.f)]"
    http-request set-var(proc.a) str(changed) if {{ path /2 }}
    http-request return status 200 {fields} hdr x-file "%[env(HAPROXY_CFGFILES),regsub(.*/,)]"
""",
        global_="""
    setenv A1 one
    presetenv A1 two
    presetenv A2 three
    unsetenv HOME
    localpeer here
    set-var proc.a str(hello)
    set-var proc.b var(proc.a),length,add(1)
    set-var-fmt proc.c "%[var(proc.a)]/%[env(A1)] %ci%s %ac"
    set-var proc.d var(proc.nothing)
    set-var proc.e ipv4(192.0.2.1)
    set-var-fmt proc.f plain
""",
    )
    world.once("/1")
    world.once("/2")
    world.once("/3")
    world.logs(3)

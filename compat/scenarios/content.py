"""Content inspection: `tcp-request content`, `tcp-response content`, the samples of raw bytes, and TCP that becomes HTTP."""

from __future__ import annotations

import ssl
import struct

from compat.harness import Connection, World


def _say(connection: Connection) -> None:
    """Answers the first bytes with the origin's name, then echoes."""
    if connection.reader.fill():
        connection.reader.buffer = b""
        connection.write(connection.origin.name.encode() + b"\n")
        connection.reader.to_end()


def _banner(connection: Connection) -> None:
    connection.write(b"hello from the server\n")
    connection.reader.to_end()


def _hello(server_name: str | None, *protocols: str) -> bytes:
    """The first flight of a TLS client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    outgoing = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=server_name)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake without an answer")


def _rdp(line: bytes) -> bytes:
    return bytes([3, 0, 0, 11 + len(line), 6 + len(line), 0xE0, 0, 0, 0, 0, 0]) + line


GET = b"GET /x?y HTTP/1.1\r\nhost: abc\r\n\r\n"
POST = b"POST /x HTTP/1.1\r\nhost: abc\r\ncontent-length: 10\r\n\r\n12345"

BACKENDS = """
backend be
    mode tcp
    server s1 {s1}
backend b2
    mode tcp
    server s2 {s2}
"""


def _frontend(name: str, *lines: str, default: str = "be") -> str:
    head = f'frontend {name}\n    bind "fd@${{{name}}}"\n    mode tcp\n    option tcplog\n'
    return head + "".join(f"    {line}\n" for line in (*lines, f"default_backend {default}"))


def _tell(world: World, listener: str, data: bytes, *, shut: bool = False) -> None:
    """Send to a listener and note what comes back: the answer's first line, or the end."""
    client = world.client(listener)
    client.send(data)
    if shut:
        client.shutdown()
    answer = client.reader.until(b"\n")
    world.note(f"{listener}: {answer!r} {client.reader.end if answer is None else ''}")
    client.close()
    world.clients.remove(client)


def decisions(world: World) -> None:
    """What rules decide, at once, after more bytes, at the client's end or when the delay has passed."""
    for name in ("s1", "s2"):
        world.origin(name, _say)
    wait = "tcp-request inspect-delay 400ms"
    refuse = "tcp-request content reject"
    world.start(
        _frontend("now", "tcp-request inspect-delay 5s", "tcp-request content accept if { req.len gt 3 }", refuse)
        + _frontend("late", wait, "tcp-request content accept if { req.len gt 10 }", refuse)
        + _frontend("unless", wait, "tcp-request content reject unless { req.len gt 10 }")
        + _frontend("negated", wait, "tcp-request content reject if !{ req.len gt 3 }")
        + _frontend("both", wait, "tcp-request content reject if { req.len gt 10 } FALSE")
        + _frontend("either", "tcp-request inspect-delay 5s", "tcp-request content reject if { req.len gt 10 } or TRUE")
        + _frontend("ending", wait, "tcp-request content accept if WAIT_END", refuse)
        + _frontend("never", "tcp-request content reject")
        + _frontend(
            "match",
            "tcp-request inspect-delay 5s",
            "tcp-request content accept if { req.payload(0,5) -m bin 68656c6c6f }",
            refuse,
        )
        + BACKENDS
    )
    for listener in ("now", "late", "unless", "negated", "both", "either", "ending", "never", "match"):
        _tell(world, listener, b"hello")
        world.syslog.wait(len(world.notes))
    _tell(world, "late", b"hello", shut=True)
    world.logs(len(world.notes))


def in_pieces(world: World) -> None:
    """Bytes that come one after another are put together before a rule decides."""
    for name in ("s1", "s2"):
        world.origin(name, _say)
    world.start(
        _frontend(
            "fe",
            "tcp-request inspect-delay 5s",
            "tcp-request content accept if { req.ssl_hello_type 1 }",
            "use_backend b2 if { req.ssl_sni -m end .example }",
        )
        + BACKENDS
    )
    hello = _hello("www.example")
    client = world.client()
    for start in range(0, len(hello), 100):
        client.send(hello[start : start + 100])
        client.ending(0.02)
    client.seen.clear()
    world.note(repr(client.reader.until(b"\n")))


def _decided(world: World, samples: dict[str, str], firsts: dict[str, bytes]) -> None:
    """What samples give for these bytes, and whether a condition on each decides at once (0) or waits for more (1)."""
    world.origin("s1", _say)
    world.origin("s2", _say)
    world.start(
        "".join(
            _frontend(
                name,
                "tcp-request session set-var(sess.since) date(0,ms)",
                "tcp-request inspect-delay 1s",
                f"tcp-request content set-var(txn.unused) int(1) if {{ {sample} -m str unlike }}",
                f"tcp-request content set-var(txn.value) {sample}",
                "tcp-request content set-var(txn.waited) date(0,ms),sub(sess.since),div(900)",
                "tcp-request content reject",
                f'log-format "{name} %[var(txn.waited)] %[var(txn.value)]"',
            )
            for name, sample in samples.items()
        )
        + BACKENDS
    )
    lines = 0
    for kind, data in firsts.items():
        clients = [world.client(name) for name in samples]
        for client in clients:
            client.send(data)
        for client in clients:
            client.expect_end()
            client.close()
        lines += len(samples)
        world.syslog.wait(lines)
        said = sorted(line.partition("> ")[2] for line in world.syslog.traffic()[-len(samples) :])
        world.note(f"{kind}: {said}")
    world.forget_clients()


def _hello_2(ciphers: int, session: int, challenge: int) -> bytes:
    """A hello in the form of SSL 2, for TLS 1.0."""
    body = b"\1\3\1" + struct.pack(">HHH", ciphers, session, challenge) + bytes(ciphers + session + challenge)
    return struct.pack(">H", 0x8000 + len(body)) + body


def when_hellos_decide(world: World) -> None:
    """At which byte, and for which bytes, samples of a hello know that it is one, or none."""
    hello, old = _hello("www.example", "h2"), _hello_2(21, 0, 16)
    firsts = {f"{count} of hello": hello[:count] for count in (1, 4, 9, 11, 60, len(hello) - 5, len(hello))}
    firsts |= {f"{count} of SSL 2": old[:count] for count in (1, 3, 4, 11, len(old) - 1, len(old))}
    firsts |= {f"GET {count}": b"GET /"[:count] for count in (1, 3, 4)}
    firsts |= {f"major {major}": hello[:1] + bytes([major]) + hello[2:] for major in (2, 4)}
    firsts |= {f"kind {kind:x}": bytes([kind]) + hello[1:] for kind in (0x14, 0x17, 0x18)}
    sizes = (5, 6, 16384, 18433)
    firsts |= {f"record of {size}": hello[:3] + struct.pack(">H", size) + hello[5:] for size in sizes}
    firsts |= {str(lengths): _hello_2(*lengths) for lengths in ((20, 0, 16), (21, 15, 16), (21, 0, 33), (21, 16, 32))}
    firsts["alert"] = b"\x15\3\1\0\2\2\x28"
    samples = {"type": "req.ssl_hello_type", "version": "req.ssl_ver", "sni": "req.ssl_sni", "alpn": "req.ssl_alpn"}
    _decided(world, samples, firsts)


def when_payloads_decide(world: World) -> None:
    """Pieces that can never be there, since the buffer is shorter, are not waited for."""
    samples = {
        "short": "req.payload(15000,1384),hex",
        "long": "req.payload(15000,1385),hex",
        "two": "req.payload_lv(0,2),hex",
        "four": "req.payload_lv(0,4),hex",
        "shifted": "req.payload_lv(0,2,+2),hex",
    }
    sizes = (0, 2, 8, 9, 16380, 16382, 16383, 60000)
    firsts = {f"{size} {width}": size.to_bytes(width, "big") + b"x" * 10 for size in sizes for width in (2, 4)}
    _decided(world, samples, firsts)


def payloads_at_a_place(world: World) -> None:
    """`req.payload_lv` with a place of its own for the block."""
    samples = {f"at{place}": f"req.payload_lv(1,1,{place}),hex" for place in (0, 1, 2, 4, 6)}
    _decided(world, samples, {str(size): bytes([0, size]) + b"abcdefghij" for size in (1, 5, 9)})


def _in_records(hello: bytes, size: int) -> bytes:
    """A hello spread over records of this size."""
    parts = [hello[place : place + size] for place in range(5, len(hello), size)]
    return b"".join(hello[:3] + struct.pack(">H", len(part)) + part for part in parts)


def hello_in_several_records(world: World) -> None:
    """A hello that comes in more than one record."""
    firsts = {str(size): _in_records(_hello("www.example", "h2"), size) for size in (50, 100)}
    _decided(world, {"type": "req.ssl_hello_type", "sni": "req.ssl_sni", "alpn": "req.ssl_alpn"}, firsts)


def hello_without_its_end(world: World) -> None:
    """A hello that lacks up to four of its bytes."""
    hello = _hello("www.example")
    _decided(world, {"sni": "req.ssl_sni", "alpn": "req.ssl_alpn"}, {str(lack): hello[:-lack] for lack in (1, 4, 5)})


def samples(world: World) -> None:
    """The samples of raw bytes, one log line for each kind of first bytes."""
    world.origin("s1", _say)
    world.origin("s2", _say)
    kinds = {
        "len": "req.len",
        "payload": "req.payload(1,3),hex",
        "lv": "req.payload_lv(0,1),hex",
        "lv2": "req.payload_lv(1,1,+1),hex",
        "sni": "req.ssl_sni",
        "type": "req.ssl_hello_type",
        "version": "req.ssl_ver",
        "alpn": "req.ssl_alpn",
        "groups": "req.ssl_ec_ext",
        "ticket": "req.ssl_st_ext",
        "rdp": "req.rdp_cookie(mstshash)",
        "any": "rdp_cookie",
        "http": "req.proto_http",
        "path": "path",
        "host": "req.hdr(host)",
        "method": "method",
    }
    rules = [f"tcp-request content set-var(txn.{name}) {sample}" for name, sample in kinds.items()]
    shown = " ".join(f"{name}=%[var(txn.{name})]" for name in kinds)
    world.start(
        _frontend(
            "fe",
            "tcp-request inspect-delay 300ms",
            "tcp-request content accept if !WAIT_END",
            *rules,
            "tcp-request content reject",
            f'log-format "{shown}"',
        )
        + BACKENDS
    )
    firsts = (
        _hello("a.example", "h2", "http/1.1"),
        _hello(None),
        _hello("a.example")[:100],
        bytes.fromhex("160303003d0200003903033e") + b"x" * 60,
        _rdp(b"Cookie: mstshash=alice\r\n"),
        _rdp(b"Cookie: other=alice\r\n"),
        _rdp(b"Cookie: mstsh"),
        b"\x03abcdefghijklmnopqrstuvwxyz",
        GET,
        b"GET /x HTTP/1.1\r\nhost: a",
        b"x" * 20000,
    )
    for number, first in enumerate(firsts, 1):
        client = world.client()
        client.send(first)
        client.expect_end()
        client.close()
        world.syslog.wait(number)
    for client in world.clients:
        client.seen.clear()
    for line in world.syslog.traffic():
        # what a TLS client's random bytes say is no fact of the proxy's
        fields = [field for field in line.split() if not field.startswith("lv=030")]
        world.note(" ".join(fields))


def routed_by_name(world: World) -> None:
    """TLS passes through to the server that its name leads to; real handshakes, a name that nobody knows, no TLS."""
    world.tls_origin("s1", "one.example")
    world.tls_origin("s2", "two.example")
    world.start(
        _frontend(
            "fe",
            "tcp-request inspect-delay 2s",
            "tcp-request content accept if { req.ssl_hello_type 1 }",
            "tcp-request content reject",
            "use_backend b2 if { req.ssl_sni -i two.example }",
            "use_backend be if { req.ssl_sni -m beg one }",
            default="none",
        )
        + BACKENDS
        + "backend none\n    mode tcp\n"
    )
    for number, name in enumerate(("one.example", "TWO.example", "three.example"), 1):
        client = world.tls_client(name)
        if client.shaken:
            client.get("/")
        client.close()
        world.syslog.wait(number)
    world.client().send(b"GET / HTTP/1.0\r\n\r\n")
    world.clients[-1].expect_end()
    world.logs(4)


def backend_rules(world: World) -> None:
    """A backend's own rules run after the choice, captures and variables reach the log."""
    for name in ("s1", "s2"):
        world.origin(name, _say)
    front = (
        "tcp-request inspect-delay 5s",
        "tcp-request content set-var(txn.who) req.payload(0,1) if { req.len gt 1 }",
        "tcp-request content capture req.payload(0,5) len 3",
        "tcp-request content set-dst ipv4(192.0.2.7)",
        "tcp-request content set-src ipv4(198.51.100.9)",
        "tcp-request content set-log-level err",
        'log-format "%[capture.req.hdr(0)] %[var(txn.who)] %[var(txn.be)] %[src] %[dst] %ts %b/%s"',
    )
    world.start(
        _frontend("fe", *front)
        + """
backend be
    mode tcp
    tcp-request inspect-delay 5s
    tcp-request content set-var(txn.be) be_name
    tcp-request content reject if { req.payload(4,1) -m str x }
    use-server s2 if { req.payload(4,1) -m str 2 }
    server s1 {s1}
    server s2 {s2}
"""
    )
    for number, data in enumerate((b"abcd1", b"abcd2", b"abcdx"), 1):
        _tell(world, "fe", data)
        world.syslog.wait(number)
    world.logs(3)


def in_http(world: World) -> None:
    """In HTTP the rules run once a request's head is there, for every request of a connection."""

    def script(connection: Connection) -> None:
        while connection.read() is not None:
            connection.reply(b"ok")

    world.origin("s1", script)
    world.start("""
frontend fe
    bind "fd@${fe}"
    log-format "%ts %ST %[var(txn.len)] %[var(txn.path)] %[var(txn.http)] %[var(txn.be)] %[capture.req.hdr(0)] %r"
    tcp-request inspect-delay 300ms
    tcp-request content set-var(txn.len) req.len
    tcp-request content set-var(txn.path) path
    tcp-request content set-var(txn.http) str(http) if HTTP REQ_CONTENT
    tcp-request content capture req.hdr(host) len 9
    tcp-request content reject if { path /refused }
    tcp-request content accept if WAIT_END
    http-request return status 418 if { var(txn.path) -m str /teapot }
    default_backend be
backend be
    tcp-request content set-var(txn.be) var(txn.path)
    tcp-request content reject if { path /also }
    tcp-response inspect-delay 2s
    tcp-response content set-var(txn.answer) res.len if { res.len gt 0 }
    tcp-response content close if { path /closed }
    tcp-response content reject if { status 200 } { var(txn.path) -m str /unwanted }
    http-response set-header x-len %[var(txn.answer)]
    server s1 {s1}
""")
    client = world.client()
    for target in ("/one", "/two", "/teapot"):
        client.get(target)
    number = 3
    for target in ("/refused", "/also", "/unwanted"):
        number += 1
        refused = world.client()
        refused.get(target)
        world.syslog.wait(number)
    body = world.client()
    body.send(POST)
    world.note(body.ending(0.1))
    body.send(b"67890")
    body.receive("POST")
    world.logs(number + 1)


def of_answers(world: World) -> None:
    """`tcp-response content`: nothing of an answer passes before its rules have let it."""
    world.origin("s1", _banner)
    world.origin("s2", _banner)
    wait = "tcp-response inspect-delay 300ms"
    backends = {
        "accept": (wait, "tcp-response content accept if { res.len gt 10 }", "tcp-response content reject"),
        "late": (wait, "tcp-response content accept if WAIT_END"),
        "reject": (wait, "tcp-response content reject if { res.payload(0,5) -m str hello }"),
        "silent": (wait, "tcp-response content accept if { res.len gt 100 }", "tcp-response content reject"),
        "always": ("tcp-response content reject",),
        "closes": (wait, "tcp-response content close if { res.len gt 10 }"),
    }
    config = "".join(
        _frontend(name, default=f"b_{name}")
        + f"backend b_{name}\n    mode tcp\n"
        + "".join(f"    {line}\n" for line in (*lines, "server s1 {s1}"))
        for name, lines in backends.items()
    )
    world.start(config)
    for number, listener in enumerate(backends, 1):
        _tell(world, listener, b"")
        world.syslog.wait(number)


def becomes_http(world: World) -> None:
    """`switch-mode http`, and a TCP frontend whose backend is HTTP."""

    def script(connection: Connection) -> None:
        while (request := connection.read()) is not None:
            connection.reply(connection.origin.name.encode() + b" " + request.start.encode())

    world.origin("s1", script)
    world.origin("s2", _say)
    wait = "tcp-request inspect-delay 2s"
    switch = "tcp-request content switch-mode http"
    world.start(
        _frontend("asked", wait, f"{switch} if HTTP", "tcp-request content reject")
        + _frontend(
            "rules",
            wait,
            "tcp-request content set-var(sess.seen) str(yes)",
            f"{switch} proto h1 if HTTP",
            "http-request set-header x-seen %[var(sess.seen)]",
            "http-request deny if { path /denied }",
        )
        + _frontend("by_backend", wait, "tcp-request content accept if HTTP", "use_backend b2 unless HTTP")
        + _frontend("always", switch)
        + """
backend be
    mode http
    server s1 {s1}
backend b2
    mode tcp
    server s2 {s2}
"""
    )
    number = 0
    for listener in ("asked", "rules", "by_backend", "always"):
        client = world.client(listener)
        client.get("/one")
        client.get("/two")
        number += 2
        if listener == "rules":
            client.get("/denied")
            number += 1
        client.close()
        world.syslog.wait(number)
    for listener in ("asked", "always"):
        number += 1
        client = world.client(listener)
        client.send(b"hey\r\n\r\n")
        client.receive()
        client.expect_end()
        world.syslog.wait(number)
    _tell(world, "by_backend", b"hey\r\n\r\n")
    world.logs(number + 1)


def http_to_tcp(world: World) -> None:
    """A client that speaks HTTP by now can't go to a TCP backend."""
    world.origin("s1", _say)
    world.origin("s2", _say)
    world.start(_frontend("fe", "tcp-request content switch-mode http") + BACKENDS)
    client = world.client()
    client.send(GET)
    client.receive()
    client.expect_end()


def over_tls(world: World) -> None:
    """On a TLS line the rules see what was decrypted; no hello is left to see. HTTP may begin there, too."""

    def script(connection: Connection) -> None:
        while (request := connection.read()) is not None:
            connection.reply(request.start.encode())

    world.origin("s1", script)
    world.origin("s2", _say)
    world.certificate("fe.pem", "fe.example")
    world.start("""
frontend fe
    bind "fd@${fe}" ssl crt {dir}/fe.pem
    mode tcp
    option tcplog
    tcp-request inspect-delay 1s
    tcp-request content reject if { req.ssl_hello_type 1 }
    tcp-request content switch-mode http if HTTP
    tcp-request content reject unless { req.payload(0,5) -m str hello }
    use_backend b2 unless HTTP
    default_backend be
backend be
    mode http
    server s1 {s1}
backend b2
    mode tcp
    server s2 {s2}
""")
    client = world.tls_client("fe.example")
    client.get("/one")
    client.get("/two")
    client.close()
    world.syslog.wait(2)
    client = world.tls_client("fe.example")
    client.send(b"hello, world")
    world.note(repr(client.reader.until(b"\n")))
    client.close()
    world.syslog.wait(3)
    client = world.tls_client("fe.example")
    client.send(b"goodbye, world")
    client.expect_end()
    world.logs(4)


def of_http_answers(world: World) -> None:
    """`tcp-response content` in mode http: the first look sees nothing of the answer, and closing spares what has come."""
    world.origin("s1")
    rules = {
        "length": ("tcp-response content close if { res.len gt 0 }",),
        "status": ("tcp-response content reject if { status 200 }",),
        "waiting": ("tcp-response inspect-delay 5s", "tcp-response content close if { res.len gt 0 }"),
        "refused": ("tcp-response inspect-delay 5s", "tcp-response content reject if { status 200 }"),
        "never": ("tcp-response content reject if { always_true }",),
        "empty": ("tcp-response content reject if { res.len ge 0 }",),
        "bytes": ("tcp-response inspect-delay 5s", "tcp-response content reject if { res.len gt 0 }"),
    }
    world.start(
        "".join(
            f'listen {name}\n bind "fd@${{{name}}}"\n ' + "\n ".join(lines) + "\n server s {s1}\n"
            for name, lines in rules.items()
        )
    )
    for number, name in enumerate(rules, 1):
        client = world.client(name)
        client.get(f"/{name}")
        client.ending()
        world.syslog.wait(number)
    world.logs(len(rules))


def captures_wait(world: World) -> None:
    """A capture that finds too little waits for `inspect-delay`, even behind the client's FIN; conditions don't."""
    world.origin("s1", _say)
    world.origin("s2", _say)
    delay = "tcp-request inspect-delay 700ms"
    of = "tcp-request content capture"
    rules = {
        "bytes": (delay, f"{of} req.payload(0,4) len 8"),
        "head": (delay, f"{of} req.hdr(host) len 8"),
        "impatient": (delay, f"{of} req.payload(0,4) len 8", "timeout client 300ms"),
        "condition": (delay, "tcp-request content accept if { req.payload(0,4) -m found }"),
        "enough": (delay, f"{of} req.payload(0,2) len 8"),
        "no_delay": (f"{of} req.payload(0,4) len 8",),
    }
    plain = _frontend("plain")
    world.start(plain + "".join(_frontend(name, *lines) for name, lines in rules.items()) + BACKENDS)
    for number, name in enumerate(rules):
        for listener in (name, "plain"):
            client = world.client(listener)
            client.send(b"ab")
            client.shutdown()
            if name not in ("bytes", "head", "impatient"):
                world.syslog.wait(2 * number + (1 if listener == name else 2))
        world.syslog.wait(2 * number + 2)
    world.logs(2 * len(rules))


def chosen_by_first_bytes(world: World) -> None:
    """`use_backend` and `use-server` see what has come with a connection, without content rules that wait for it."""

    def say(connection: Connection) -> None:
        connection.reader.fill()
        connection.write(connection.origin.name.encode())

    for name in ("s1", "s2"):
        world.origin(name, say)
    servers = ("server s1 {s1}", "server s2 {s2}")
    world.start(
        _frontend("fe", 'log-format "%b %s %B"', "use_backend other if { path / }")
        + _frontend("named", 'log-format "%b %s %B"', "use_backend %[req.payload(0,2)]")
        + _frontend("waits", 'log-format "%b %s %B"', "tcp-request inspect-delay 2s", "use_backend jj if { req.len 6 }")
        + _frontend("taken", 'log-format "%b %s %B"', "tcp-request content accept", "use_backend jj if { req.len 6 }")
        + "backend be\n    mode tcp\n    use-server s2 if { req.payload(0,3) -m str two }\n    use-server s1 if TRUE\n"
        + "".join(f"    {line}\n" for line in servers)
        + "".join(f"backend {name}\n    mode tcp\n    {servers[1]}\n" for name in ("other", "jj"))
    )
    words = (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"jj", b"two", b"jj six")
    clients = []  # all of them before the program takes the first: what they say is there with them
    for name in ("fe", "named", "waits", "taken"):
        for word in words:
            clients.append(world.client(name))
            clients[-1].send(word)
    for client in clients:
        world.note(repr(client.reader.to_end()))
    for client in clients:
        client.close()
    world.syslog.wait(len(clients))
    world.note(str(sorted(world.syslog.traffic())))


def versions_looked_at(world: World) -> None:
    """What counts as a request while bytes are only looked at; with `switch-mode http` it then is none."""
    for name in ("s1", "s2"):
        world.origin(name, _say)
    look = "tcp-request inspect-delay 200ms"
    keep = ["tcp-request content set-var(txn.http) int(1) if HTTP"]
    keep += [f"tcp-request content set-var(txn.{name}) {name}" for name in ("method", "path")]
    keep += ["tcp-request content set-var(txn.version) req.ver", "tcp-request content reject"]
    told = 'log-format "%[var(txn.http)] %[var(txn.method)] %[var(txn.path)] %[var(txn.version)] %ts"'
    switched = ("tcp-request content switch-mode http if HTTP", "tcp-request content reject")
    world.start(
        _frontend("seen", look, *keep, told)
        + _frontend("switched", look, *switched, 'log-format "%ts"')
        + BACKENDS.replace("mode tcp\n    server s1", "mode http\n    server s1")
    )
    lines = (
        b"GET / HTTP/1.1",
        b"GET / HTT/1",
        b"GET / H",
        b"GET /x A/B/C",
        b"POST / /1.1",
        b"GET / HTTP/1.12",
        b"GET\t/\tHTTP/",
        b"\r\nGET /",
        b"GET / \t",
        b"POST /",
        b"GET / h",
        b"GET / HTTP/1.1 x",
        b"GET /\xff H",
        b"GET /\xff",
        b"GET a H",
    )
    heads = [line + b"\r\nhost: a\r\n\r\n" for line in lines[:6]] + [line + b"\r\n\r\n" for line in lines[6:]]
    heads += [b"GET / H", b"GET / H\r\n", b"GET / H\r\nnot a field\r\n", b"GET / H\r\nhost: a\r\nhost: b\r\n\r\n"]
    heads += [
        b"GET / HTTP/1.0\r\ncontent-length: 3\r\n\r\nabc",
        b"GET / HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        b"GET / HTTP/1.1\r\ntransfer-encoding: x, chunked\r\n\r\n0\r\n\r\n",
    ]
    number = 0
    for head in heads:
        for listener in ("seen", "switched"):
            number += 1
            client = world.client(listener)
            client.send(head)
            if head.startswith(b"GET / HTTP/1.1\r\nhost") and listener == "switched":
                client.reader.until(b"\n")
            else:
                client.expect_end()
            client.close()
            world.syslog.wait(number)
    world.logs(number)


def refused_after_the_switch(world: World) -> None:
    """What the log says of a session that became HTTP and then was no request; one that ended before says nothing."""
    world.origin("s1")
    captures = ("declare capture request len 10", "declare capture request len 10")
    told = 'log-format "%ST %ts %B %U %hr %hrl %[capture.req.method]"'
    switch = "tcp-request content switch-mode http"
    length = "tcp-request content accept if { req.len gt 0 }"
    world.start(
        _frontend("told", *captures, "timeout http-request 300ms", switch, told)
        + _frontend("probed", "option dontlognull", "timeout http-request 300ms", switch, told)
        + _frontend("left", "tcp-request inspect-delay 5s", length, told)
        + _frontend("full", "tcp-request inspect-delay 9s", length.replace("gt 0", "gt 30000"), 'log-format "%ts %U"')
        + "backend be\n    server s1 {s1}\n"
    )
    number = 0
    for listener, data in (
        ("told", b"bad\r\n\r\n"),
        ("told", b"GET / HTT/1\r\n\r\n"),
        ("told", b"GET / HTTP/1.0\r\ncontent-length: 3\r\n\r\nabc"),
        ("told", b"GET /"),
        ("told", b""),
        ("probed", b""),
        ("probed", b"GET /"),
        ("told", b"GET / HTTP/1.0\r\n\r\n"),
    ):
        client = world.client(listener)
        client.send(data)
        client.receive()
        client.expect_end()
        number += (listener, data) != ("probed", b"")
        world.syslog.wait(number)
    client = world.client("left")
    client.shutdown()
    client.expect_end()
    world.logs(number)


def captures_of_sessions(world: World) -> None:
    """What a TCP session's log line has for captures that were declared, filled or not."""
    world.origin("s1", _say)
    world.origin("s2", _say)
    declared = ("declare capture request len 8", "declare capture request len 8", "declare capture response len 8")
    told = 'log-format "%hr %hrl %hs %hsl %{+Q}hr %{+Q}hrl"'
    world.start(
        _frontend("empty", *declared, told)
        + _frontend("filled", *declared, "tcp-request inspect-delay 1s", _FILL, told)
        + _frontend("alone", "tcp-request inspect-delay 1s", _FILL, told)
        + BACKENDS
    )
    for number, listener in enumerate(("empty", "filled", "alone"), 1):
        _tell(world, listener, b"hello")
        world.syslog.wait(number)
    world.logs(3)


#: A rule that captures what comes first.
_FILL = "tcp-request content capture req.payload(0,2) len 4"


def methods_of_no_name(world: World) -> None:
    """The method of a request that is looked at as bytes, where it is an unusual one."""
    world.origin("s1", _say)
    world.origin("s2", _say)
    rules = ("tcp-request inspect-delay 1s", "tcp-request content set-var(txn.method) method")
    world.start(_frontend("fe", *rules, "tcp-request content reject", 'log-format "%[var(txn.method)]"') + BACKENDS)
    for number, method in enumerate((b"TRACE", b"get", b"PROPFIND"), 1):
        client = world.client()
        client.send(method + b" / HTTP/1.1\r\n\r\n")
        client.expect_end()
        world.syslog.wait(number)
    world.logs(3)


def hellos_of_ssl(world: World) -> None:
    """A hello that asks for SSL 3 in its own version has no extensions to look at, whatever its record says."""
    world.origin("s1", _say)
    world.origin("s2", _say)
    names = ("ssl_hello_type", "ssl_ver", "ssl_sni", "ssl_alpn", "ssl_ec_ext", "ssl_st_ext")
    keep = [f"tcp-request content set-var(txn.{name}) req.{name}" for name in names]
    told = "|".join(f"%[var(txn.{name})]" for name in names)
    accept = "tcp-request content accept if { req.ssl_hello_type 1 }"
    world.start(_frontend("fe", "tcp-request inspect-delay 9s", *keep, accept, f'log-format "{told}"') + BACKENDS)
    hello = _hello("a.test", "h2", "http/1.1")
    for number, (record, version) in enumerate(
        ((b"\3\1", b"\3\3"), (b"\3\0", b"\3\1"), (b"\3\1", b"\3\0"), (b"\3\0", b"\2\0")), 1
    ):
        _tell(world, "fe", hello[:1] + record + hello[3:9] + version + hello[11:])
        world.syslog.wait(number)
    world.logs(4)

"""Health checks: what they ask, what they make of answers, and what becomes of servers, by the log's own words."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack

from compat.harness import World
from compat.harness.targets import (
    Behaviour,
    Target,
    closing,
    first_words,
    http,
    read_head,
    resetting,
    said_of_servers,
    saying,
    wait_for_line,
    wait_until,
)

HEAD = "option log-health-checks\n    default-server inter 900ms fall 1 rise 2\n"

TARGETS: dict[str, Behaviour] = {
    "ok": http("200 OK"),
    "s500": http("500 Internal Server Error", b"oops"),
    "s404": http("404 Not Found"),
    "s302": http("302 Found"),
    "fields": http("200 OK", b"", "X-A: one\r\nX-B: two, three\r\n"),
    "bare": http("200 ", b""),
    "continuing": saying(b"", b"HTTP/1.1 100 Continue\r\n\r\n", close=True),
    "junky": saying(b"", b"HTTP/1.1 199 X\r\nContent-Length: 2\r\n\r\nok", close=True),
    "cut": saying(b"", b"HTTP/1.1 200 Fine\r\nContent-Length: 100\r\n\r\nhello body", close=True),
    "junk": saying(b"junk\r\n"),
    "silent": saying(b""),
    "hearing": saying(b"", b""),
    "closing": closing,
    "resetting": resetting,
    "pong": saying(b"+PONG\r\n"),
    "bye": saying(b"+PONG\r\nab\0cd", close=True),
    "banner": saying(b"220 hello ESMTP\r\n"),
}


def start(world: World, config: str, *, defaults: str = "") -> None:
    """Launch the program: with a listener, without which neither starts."""
    world.start(config + 'frontend fe\n    mode tcp\n    bind "fd@${fe}"\n', defaults=defaults)


def make_targets(world: World, stack: ExitStack, more: dict[str, Behaviour] | None = None) -> dict[str, Target]:
    """The targets of this module's configurations, at `{name}`, and a closed port at `{dead}`."""
    made = {name: Target(behave) for name, behave in {**TARGETS, **(more or {})}.items()}
    for target in made.values():
        stack.callback(target.stop)
    dead = socket.socket()
    stack.callback(dead.close)
    dead.bind(("127.0.0.1", 0))
    world.places = {name: target.address for name, target in made.items()} | {
        "dead": f"127.0.0.1:{dead.getsockname()[1]}"
    }
    return made


def _kinds(world: World, rows: list[tuple[str, str, str]], option: str, rule: str) -> None:
    """One backend a row: (target, server options, rules joined by ` | `)."""
    with ExitStack() as stack:
        make_targets(world, stack)
        parts = []
        for number, (target, options, rules) in enumerate(rows, 1):
            lines = "".join(f"    {rule} {text}\n" for text in rules.split(" | ") if text)
            parts.append(
                f"backend b{number}\n    {option}\n    {HEAD}{lines}    server s {{{target}}} check {options}\n"
            )
        start(world, "".join(parts), defaults="mode tcp")
        first_words(world, [f"b{number}/s" for number in range(1, len(rows) + 1)])


def tcp_check(world: World) -> None:
    """`tcp-check`: every kind of step, met and not met."""
    rows = [
        ("pong", "", 'connect | send PING\\r\\n | expect string +PONG comment "a comment"'),
        ("junk", "", 'connect | send PING\\r\\n | expect string +PONG comment "a comment"'),
        ("silent", "", "expect string +PONG"),
        ("closing", "", "expect string +PONG"),
        ("dead", "", "connect | expect string +PONG"),
        ("dead", "", ""),
        ("ok", "", ""),
        ("resetting", "", "connect linger | send foo | expect string foo"),
        ("pong", "", "expect ! string +PONG"),
        ("pong", "", 'connect port 1 comment "my connect" | expect rstring P.NG'),
        ("pong", "", "expect comment hello rstring PxNG"),
        ("pong", "", 'send "X\\r\\n" comment foo | expect binary 2b50 | expect binary 3132'),
        ("pong", "", 'expect min-recv 4 string xxxx on-error "custom %[be_name]" error-status L7STS status-code int(17)'),
        ("pong", "", 'expect string +PONG on-success "fine %[srv_name]" ok-status L7OKC'),
        ("bye", "", "expect string nope comment hey"),
        ("bye", "", "expect rstring n.pe"),
        ("bye", "", "expect binary 313233"),
        ("bye", "", "expect rbinary 3132.."),
        ("bye", "", "expect string-lf nope%[int(3)]"),
        ("bye", "", "expect binary-lf 4142%[int(30)]"),
        ("bye", "", "expect ! rstring P.NG"),
        ("bye", "", "expect ! binary 2b50"),
        ("bye", "", "expect ! rbinary 2B50.."),
        ("bye", "", "expect ! string-lf %[str(PONG)]"),
        ("bye", "", "expect min-recv 500 rstring PONG"),
        ("bye", "", "expect binary 620063"),
        (
            "bye",
            "",
            ("expect string +PONG on-success ok-%[be_name] status-code int(7)"
            ' | expect string x on-error "%[srv_name]-bad" error-status L4CON comment cc'),
        ),
        ("bye", "", "comment hello | expect string +PONG | expect string x"),
        ("bye", "", "connect | comment A | expect string +PONG | connect | expect string x"),
        ("bye", "", "comment hello | connect port 1"),
        ("bye", "", "connect | connect port 1 addr 127.0.0.2 comment second"),
        ("bye", "", "expect string " + "x" * 200),
        ("ok", "", "connect"),
        ("ok", "", "set-var(check.a) int(1)"),
        ("hearing", "", ("set-var(check.a) int(3) | send-lf %[var(check.a)] | send-binary-lf 4142%[var(check.a)]0"
         " | expect string zz tout-status L4TOUT")),
        ("banner", "verify none", "connect ssl"),
        ("silent", "check-ssl verify none", "connect default"),
    ]  # fmt: skip
    _kinds(world, rows, "option tcp-check", "tcp-check")


def comments_of_tcp_checks(world: World) -> None:
    """Which steps a comment is told with: the one behind it, and whatever expects from there on."""
    rows = [
        (target, "", steps)
        for target in ("silent", "bye")
        for steps in (
            "comment one | send a | expect string zz",
            "send a | comment two | expect string zz",
            "connect comment c | comment one | send a | expect string zz",
            "comment one | set-var(check.x) int(1) | expect string zz",
            "comment one | comment two | expect string zz",
            "comment one | expect string +PONG | expect string zz",
            "comment one | connect | expect string zz",
            "comment one | connect port 1 comment two",
        )
    ]
    _kinds(world, rows, "option tcp-check", "tcp-check")


def comments_of_http_checks(world: World) -> None:
    """The same of `http-check`, answers that are none, what `on-error` says of those, and where requests stand."""
    rows = [
        (target, "", steps)
        for target in ("ok", "bare", "junk", "closing")
        for steps in (
            "comment one | send | expect status 500",
            "comment one | expect status 500",
            "send | comment two | expect status 500",
            "comment one | connect | send | comment two | expect status 500",
            "comment one | expect status 200 | expect status 500",
            'expect status 500 comment two on-error "err [%[status]]" error-status L7STS',
            "expect status 500 error-status L7OKC",
            'set-var(check.x) str(q) | send hdr X %[var(check.x)] | expect status 500 on-error "%[var(check.x)]"',
        )
    ]
    _kinds(world, rows, "option httpchk GET /", "http-check")


def http_check(world: World) -> None:
    """`http-check expect`: every kind, met and not met."""
    rows = [
        ("ok", "", ""),
        ("s500", "", ""),
        ("s302", "", ""),
        ("bare", "", ""),
        ("bare", "", "expect status 404"),
        ("continuing", "", ""),
        ("junky", "", "expect status 200 on-error not-%[status]"),
        ("junk", "", ""),
        ("silent", "", "expect status 200 tout-status L6TOUT"),
        ("closing", "", ""),
        ("dead", "", ""),
        ("banner", "check-ssl verify none", ""),
        ("ok", "", "expect string nothere comment hey"),
        ("ok", "", "expect ! string hello"),
        ("ok", "", "expect ! rstring hel+o comment foo"),
        ("cut", "", "expect string hello"),
        ("cut", "", "expect string nope"),
        ("ok", "", "expect status 300 comment foo"),
        ("ok", "", "expect status 100,199-200,300-310"),
        ("ok", "", "expect ! status 200-300"),
        ("ok", "", "expect rstatus ^3"),
        ("fields", "", "expect hdr name x-a value -m beg tw"),
        ("fields", "", "expect fhdr name -m beg x- value two"),
        ("fields", "", "expect hdr name -m beg X- value two comment hey"),
        ("fields", "", 'expect hdr name-lf "%[str(x-b)]" value -m end ree'),
        ("fields", "", "expect ! hdr name -m reg ^x-[ab]$$"),
        ("fields", "", "expect string x"),
        ("ok", "", 'expect rstring nothere on-error "I got %[res.body] status %[status]"'),
        ("ok", "", 'expect status 200 on-success "a%[status]b" status-code int(77)'),
        ("ok", "", 'expect string-lf "%[str(hel)]lo"'),
        ("ok", "", "expect min-recv 100 string hello"),
        ("ok", "", "expect string hello | expect string ell"),
        ("ok", "", "connect | send uri /a | expect status 200 | connect port 1 | send uri /b | expect status 200"),
        ("ok", "", "connect comment cc port 1 | send uri /a"),
        ("ok", "", "comment hello | expect status 404"),
        ("s404", "", "disable-on-404"),
        ("s500", "", "disable-on-404"),
    ]
    _kinds(world, rows, "option httpchk GET /", "http-check")


REQUESTS = [
    ("option httpchk", ""),
    ("option httpchk /d", ""),
    ("option httpchk GET /a HTTP/1.1", ""),
    ("option httpchk GET /b HTTP/1.1\\r\\nHost:\\ foo\\r\\nX-y:\\ z\\r\\n\\r\\nbody", ""),
    ("option httpchk", 'send meth POST uri /c ver HTTP/1.1 hdr X-Y "v %[int(5)]" body hello'),
    ("option httpchk", "connect | send meth PUT uri /d2"),
    ("option httpchk GET /opt HTTP/1.1", "connect | send hdr A b"),
    ("option httpchk GET /opt3 HTTP/1.1", "connect linger"),
    ("option httpchk GET /x HTTP/1.1", "send hdr Host www.foo.com uri http://bar.com/z"),
    ("option httpchk", 'send body-lf "%[int(4)]" uri-lf "/a%[int(4)]" hdr Host "%[str(x)]"'),
    ("option httpchk", "send hdr User-Agent x hdr User-Agent y hdr CONNECTION foo ver HTTP/1.1 body a comment hey"),
    ("option httpchk", "set-var(check.u) str(/var) | send uri-lf %[var(check.u)]"),
    (
        "option httpchk",
        (
            'set-var(check.x) str(vvv) | set-var-fmt(check.y) "y-%[var(check.x)]" | connect'
            ' | send uri-lf "/vars/%[var(check.y)]" hdr x "%[be_name] %[srv_name] %[srv_id]"'
        ),
    ),
    ("option httpchk", "send meth GET uri /z hdr Transfer-Encoding chunked hdr Content-Length 9 ver HTTP/1.1"),
    *[("option httpchk", f"send meth {method} uri /m") for method in ("PATCH", "DELETE", "HEAD", "FOO", "CONNECT")],
    ("option tcp-check", 'send "GET /tcp HTTP/1.0\\r\\n\\r\\n"'),
]


def requests(world: World) -> None:
    """What servers are asked, byte for byte."""
    with ExitStack() as stack:
        more = {f"r{number}": http("200 OK") for number in range(len(REQUESTS))}
        targets = make_targets(world, stack, more)
        parts = []
        for number, (option, rules) in enumerate(REQUESTS):
            rule = "tcp-check" if "tcp-check" in option else "http-check"
            lines = "".join(f"    {rule} {text}\n" for text in rules.split(" | ") if text)
            parts.append(f"backend b{number}\n    {option}\n{lines}    server s {{r{number}}} check inter 900ms\n")
        start(world, "".join(parts), defaults="mode tcp")
        wait_until(lambda: all(targets[name].heard for name in more))
        for name in more:
            world.note(str(targets[name].heard[:1]))


def inherited(world: World) -> None:
    """What of a defaults section's checks a backend with rules of its own keeps."""
    with ExitStack() as stack:
        more = {f"r{number}": http("200 OK") for number in range(5)}
        targets = make_targets(world, stack, more)
        start(
            world,
            """
defaults
    mode tcp
    log global
    timeout connect 5s
    timeout client 5s
    timeout server 5s
    option log-health-checks
    option httpchk GET /def
    http-check send hdr X-Def 1
    http-check expect status 404
    default-server inter 900ms rise 2 fall 1
backend all
    server s {r0} check
backend own_send
    http-check send hdr X-Own 1 body foo
    server s {r1} check
backend own_option
    option httpchk HEAD /own HTTP/1.1
    server s {r2} check
backend other
    option tcp-check
    tcp-check send "GET /tcp HTTP/1.0\\r\\n\\r\\n"
    server s {r3} check
""",
        )
        first_words(world, ["all/s", "own_send/s", "own_option/s", "other/s"])
        for name in list(more)[:4]:
            world.note(str(targets[name].heard[:1]))


def inherited_option_with_own_rules(world: World) -> None:
    """An `option httpchk` in defaults, an `http-check expect` in the backend."""
    with ExitStack() as stack:
        targets = make_targets(world, stack)
        start(
            world,
            "backend b\n    http-check expect status 200\n    server s {ok} check inter 500ms\n",
            defaults="option httpchk GET /def\n    option log-health-checks",
        )
        first_words(world, ["b/s"])
        world.note(str(targets["ok"].heard[:1]))


def _my(body: bytes, sequence: int = 0) -> bytes:
    return len(body).to_bytes(3, "little") + bytes([sequence]) + body


GREETING = _my(
    b"\x0a5.7.1-log\0\1\0\0\0" + b"12345678\0\xff\xf7\x21\2\0\xff\x81\x15" + bytes(10) + b"123456789012\0x\0"
)
OK_PACKET = _my(b"\0\0\0\2\0\0\0", 2)

PROTOCOLS: dict[str, tuple[str, Behaviour]] = {
    "smtp_ok": ("smtpchk", saying(b"220 hi\r\n", b"250 me\r\n", b"221 bye\r\n")),
    "smtp_ehlo": ("smtpchk EHLO x.org", saying(b"220 hi\r\n", b"250-me\r\n250-SIZE 3\r\n250 ok thanks\r\n", b"221 bye\r\n")),
    "smtp_lines": ("smtpchk", saying(b"220-a\r\n220 hi\r\n")),
    "smtp_554": ("smtpchk", saying(b"554 go away\r\n")),
    "smtp_500": ("smtpchk HELO", saying(b"220 hi\r\n", b"500 what\r\n")),
    "smtp_end": ("smtpchk", saying(b"220 hi\r\n", b"250 me\r\n", b"500 no\r\n")),
    "smtp_junk": ("smtpchk", saying(b"junk\r\n")),
    "redis_ok": ("redis-check", saying(b"", b"+PONG\r\n")),
    "redis_error": ("redis-check", saying(b"", b"-ERR no auth\r\n")),
    "redis_slow": ("redis-check", saying(b"", b"+PO")),
    "pg_md5": ("pgsql-check user bob", saying(b"", b"R\0\0\0\x0c\0\0\0\5abcd")),
    "pg_ok": ("pgsql-check user bob", saying(b"", b"R\0\0\0\x08\0\0\0\0")),
    "pg_scram": ("pgsql-check user bob", saying(b"", b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0")),
    "pg_error": ("pgsql-check user bob", saying(b"", b"E\0\0\0\x50SFATAL\0VFATAL\0C28000\0Mno such role\0Fx.c\0\0")),
    "pg_junk": ("pgsql-check user bob", saying(b"", b"hello world")),
    "my_ok": ("mysql-check user bob", saying(GREETING, OK_PACKET)),
    "my_new": ("mysql-check user bob post-41", saying(GREETING, OK_PACKET)),
    "my_old": ("mysql-check user bob pre-41", saying(GREETING, OK_PACKET)),
    "my_bare": ("mysql-check", saying(GREETING)),
    "my_error": ("mysql-check user bob", saying(GREETING, _my(b"\xff\x15\x04#28000Access denied", 2))),
    "my_blocked": ("mysql-check", saying(_my(b"\xff\x6a\x04Host blocked"))),
    "my_switch": ("mysql-check user bob", saying(GREETING, _my(b"\xfemysql_native_password\0abc\0", 2))),
    "ldap_ok": ("ldap-check", saying(b"", bytes.fromhex("300c02010161070a010004000400"))),
    "ldap_long": ("ldap-check", saying(b"", bytes.fromhex("3084000000100201016184000000070a010004000400"))),
    "ldap_error": ("ldap-check", saying(b"", bytes.fromhex("300c02010161070a013104000400"))),
    "ldap_other": ("ldap-check", saying(b"", bytes.fromhex("300c02010261070a010004000400"))),
    "ldap_junk": ("ldap-check", saying(b"", b"hello world")),
    "ssl_alert": ("ssl-hello-chk", saying(b"", b"\x15\3\0\0\2\2\x28")),
    "ssl_hello": ("ssl-hello-chk", saying(b"", b"\x16\3\0\0\2\2\x28")),
    "ssl_junk": ("ssl-hello-chk", saying(b"", b"junk")),
    "ssl_silent": ("ssl-hello-chk", saying(b"", b"")),
    "spop_junk": ("spop-check", saying(b"", b"\0\0\0\x09helloworld")),
}  # fmt: skip


def protocols(world: World) -> None:
    """SMTP, Redis, PostgreSQL, MySQL, LDAP, SSL and SPOP: what is said to servers and what their answers mean."""
    with ExitStack() as stack:
        targets = make_targets(world, stack, {name: behave for name, (_, behave) in PROTOCOLS.items()})
        parts = [
            f"backend {name}\n    option {option}\n    {HEAD}    server s {{{name}}} check\n"
            for name, (option, _) in PROTOCOLS.items()
        ]
        start(world, "".join(parts), defaults="mode tcp")
        first_words(world, [f"{name}/s" for name in PROTOCOLS])
        for name in PROTOCOLS:
            if not name.startswith("ssl"):  # the time of day is in it
                told = 2 if name in ("smtp_ok", "smtp_ehlo") else 1
                world.note(f"{name} {targets[name].heard[:told]}")


def life(world: World) -> None:
    """Servers go down and come back: the lines about them, who takes the requests, what conditions see."""
    with ExitStack() as stack:
        targets = make_targets(world, stack, {"one": http("200 OK", b"one"), "two": http("200 OK", b"two")})
        world.start(
            """
listen l
    bind "fd@${l}"
    option httpchk
    monitor-uri /up
    monitor fail if { nbsrv lt 1 }
    http-response set-header X-Seen "%[nbsrv] %[srv_is_up(l/one)] %[be_conn_free]"
    http-after-response set-header X-Now "%[nbsrv(l)] %[srv_is_up(l/one)]"
    default-server inter 300ms fastinter 100ms downinter 200ms rise 2 fall 2
    server one {one} check maxconn 10
    server two {two} check backup maxconn 10
    server follower {two} track one weight 0
backend t
    server a {one} track l/one
    server b {one} track t/a
"""
        )
        wait_until(lambda: len(targets["one"].heard) > 0 and len(targets["two"].heard) > 0)
        world.note(world.once("/", listener="l"))
        targets["one"].refuse()
        wait_for_line(world, "l/one is DOWN", "t/b is DOWN", "backend t has no server")
        world.note(world.once("/", listener="l"))
        targets["two"].behave = http("503 No")
        wait_for_line(world, "l/two is DOWN", "proxy l has no server")
        world.once("/", listener="l")
        world.client("l").get("/up")
        targets["one"].behave = http("200 OK", b"one again")
        targets["one"].accept_again()
        wait_for_line(world, "l/one is UP", "t/b is UP")
        world.note(world.once("/", listener="l"))
        world.client("l").get("/up")
        for name in ("l/one", "l/two", "l/follower", "t/a", "t/b", "proxy l", "backend t"):
            for line in said_of_servers(world):
                if f" {name} " in line:
                    world.note(line)


def all_changes_of_health(world: World) -> None:
    """`option log-health-checks`: each step down and up again."""
    with ExitStack() as stack:
        targets = make_targets(world, stack, {"one": http("200 OK")})
        start(
            world,
            """
backend b
    mode http
    option httpchk
    option log-health-checks
    http-check disable-on-404
    server one {one} check inter 200ms rise 2 fall 3
""",
        )
        wait_for_line(world, "one succeeded.*3/3 UP")
        targets["one"].behave = http("500 Down")
        wait_for_line(world, "one is DOWN")
        targets["one"].behave = http("404 Gone")
        wait_for_line(world, "code: 404, info: .Gone.")
        targets["one"].behave = http("200 OK")
        wait_for_line(world, "one is UP")
        targets["one"].behave = http("404 Gone")
        wait_for_line(world, "one is stopping")
        targets["one"].behave = http("200 OK")
        wait_until(lambda: sum("one is UP" in line for line in said_of_servers(world)) == 2)
        targets["one"].refuse()
        wait_for_line(world, "Connection refused.*0/2 DOWN")
        for line in said_of_servers(world):
            world.note(line)


def _late(good_from: int) -> Behaviour:
    """Answers after 0.4 s, from that check on well."""
    count = 0

    def behave(_target: Target, sock: socket.socket) -> None:
        nonlocal count
        count += 1
        bad = count < good_from
        read_head(sock)
        if not bad:
            time.sleep(0.4)
        sock.sendall(b"HTTP/1.1 500 No\r\n\r\n" if bad else b"HTTP/1.1 200 OK\r\n\r\n")

    return behave


def time_of_a_check(world: World) -> None:
    """Without `timeout check` a check has `inter`, also while they follow one another by `fastinter` and `downinter`."""
    with ExitStack() as stack:
        make_targets(world, stack, {f"late{number}": _late(number) for number in (1, 2, 3)})
        lines = "default-server inter 3s fastinter 50ms downinter 60ms rise 3 fall 2"
        start(
            world,
            "".join(
                f"backend b{number}\n    option httpchk\n    option log-health-checks\n    {lines}\n"
                f"    server s {{late{number}}} check\n"
                for number in (1, 2, 3)
            ),
        )
        wait_for_line(world, "b1/s succeeded", "b2/s is UP", "b3/s is UP")
        for number in (1, 2, 3):
            for line in said_of_servers(world):
                if f" b{number}/s" in line:
                    world.note(line)


def time_to_answer(world: World) -> None:
    """`timeout check`, where it is shorter than the time to connect."""
    with ExitStack() as stack:
        make_targets(world, stack, {"late": _late(1)})
        start(
            world,
            "backend b\n    option httpchk\n    option log-health-checks\n    timeout check 100ms\n"
            "    server s {late} check inter 5s fall 1\n",
        )
        wait_for_line(world, "check for server b/s")
        world.note(said_of_servers(world)[0])


AGENT_LINES = [
    "up\n", "down\n", "down#some reason\n", "stopped #x y\r\n", "failed\n", "fail#q\n", "maint\n", "drain\n", "ready\n",
    "50%\n", "0%\n", "75% up ready\n", "maxconn:30\n", "up,50%\tmaxconn:5\n", "foo bar\n", "200%\n", "drain down#zz\n", "UP\n",
    "50\n", "maint up 30%#desc\n", "", "down # why, though\n", "fail maxconn:x\n",
]  # fmt: skip


def agents(world: World) -> None:
    """`agent-check`: every kind of answer, by the lines about servers and by the weights that requests see."""
    with ExitStack() as stack:
        more = {f"a{number}": saying(line.encode(), close=True) for number, line in enumerate(AGENT_LINES)}
        targets = make_targets(world, stack, more)
        parts = []
        for number in range(len(AGENT_LINES)):
            port = targets[f"a{number}"].port
            parts.append(
                f"backend b{number}\n    server s {{silent}} check agent-check agent-port {port} agent-send hello\\n"
                " weight 100 inter 500ms agent-inter 500ms\n"
            )
        shown = " ".join(f"%[nbsrv(b{number})]/%[srv_uweight(b{number}/s)]" for number in range(len(AGENT_LINES)))
        world.start(
            "frontend fe\n    bind fd@${fe}\n"
            f'    http-request return status 200 content-type text/plain lf-string "{shown}"\n' + "".join(parts)
        )
        wait_until(lambda: all(targets[name].heard for name in more if AGENT_LINES[int(name[1:])]))
        wait_for_line(world, "b6 has no server", "b7 has no server", "b21 has no server")
        world.note(world.once("/"))
        for number in range(len(AGENT_LINES)):
            for line in said_of_servers(world):
                if f" b{number}/" in line or f" b{number} " in line:
                    world.note(line)


def agent_takes_back(world: World) -> None:
    """An agent that changes its mind: maintenance, drain, down, and all of it undone."""
    with ExitStack() as stack:
        targets = make_targets(world, stack, {"agent": saying(b"up ready\n", close=True)})
        world.places["agent_port"] = str(targets["agent"].port)
        start(
            world,
            """
backend b
    server s {silent} check agent-check agent-port {agent_port} inter 150ms agent-inter 150ms on-marked-down shutdown-sessions
    server other {silent}
backend t
    server t {silent} track b/s
""",
        )
        for words, wanted in (
            ("drain", "b/s enters drain"),
            ("ready", "b/s is UP .leaving forced drain"),
            ("down", "b/s is DOWN, reason"),
            ("down maint", "b/s was DOWN and now enters maintenance"),
            ("up ready", "b/s is UP, reason|b/s is (UP|DOWN)/READY"),
            ("up maint", "b/s is going DOWN for maintenance"),
            ("up drain", "b/s is UP/DRAIN"),
            ("up ready", "t/t is UP"),
        ):
            targets["agent"].behave = saying(f"{words}\n".encode(), close=True)
            wait_for_line(world, wanted)
        wait_until(lambda: sum("(leaving forced drain)" in line for line in said_of_servers(world)) >= 4)
        for name in ("b/s", "t/t", "backend t"):
            for line in said_of_servers(world):
                if f" {name} " in line:
                    world.note(line)

"""What checks make of odd answers: heads that are hardly HTTP, patterns in answers that are not all there, empty formats."""

from __future__ import annotations

import csv
import io
from contextlib import ExitStack

from compat.harness import World
from compat.harness.targets import Behaviour, first_words, make_silent, saying, wait_until
from compat.scenarios.checks import GREETING, HEAD, OK_PACKET, make_targets, start
from compat.scenarios.states_told import GLOBAL, ask

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

#: Each as one piece, after which the connection stays.
ANSWERS = {
    "plain": _OK,
    "old": b"HTTP/1.0 200 OK\r\n\r\nhello",
    "endless": b"HTTP/1.1 200 OK\r\n\r\nhello",
    "chunked": _CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
    "chunked_cut": _CHUNKED + b"5\r\nhel",
    "chunked_badly": _CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n",
    "two": _OK + _OK,
    "continuing": b"HTTP/1.1 100 Continue\r\n\r\n" + _OK,
    "only_hints": b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n",
    "switching": b"HTTP/1.1 101 Switching\r\n\r\nhello",
    "none": b"HTTP/1.1 204 No Content\r\n\r\n",
    "unchanged": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "high": b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
    "low": b"HTTP/1.1 20 Odd\r\nContent-Length: 0\r\n\r\n",
    "four_digits": b"HTTP/1.1 2000 Odd\r\nContent-Length: 0\r\n\r\n",
    "no_reason": b"HTTP/1.1 500\r\nContent-Length: 0\r\n\r\n",
    "bare_lines": b"HTTP/1.1 500 Bad\nContent-Length: 5\n\nhello",
    "version_2": b"HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "rtsp": b"RTSP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "icy": b"ICY 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "small_letters": b"http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "garbage": b"\0\1\2 garbage\r\n\r\n",
    "cut": b"HTTP/1.1 200 OK\r\nContent-Le",
    "bad_field": b"HTTP/1.1 200 OK\r\nBad Field: x\r\nContent-Length: 0\r\n\r\n",
    "two_lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "half": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello",
    "large": b"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + b"x" * 39995 + b"hello",
    "just_fits": b"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + b"x" * 16238 + b"hello" + b"x" * 23757,
    "just_not": b"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + b"x" * 16239 + b"hello" + b"x" * 23756,
    "large_head": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20000 + b"\r\nContent-Length: 5\r\n\r\nhello",
    "odd_reason": b'HTTP/1.1 503 a "b" <c> \xe9\t\x7f ' + b"r" * 300 + b"\r\nContent-Length: 0\r\n\r\n",
    "blank_first": b"\r\n\r\n" + _OK,
}


def _compare(world: World, targets: dict[str, Behaviour], rows: list[tuple[str, str]], option: str, rule: str) -> None:
    """One backend a row: (target, rules joined by ` | `)."""
    with ExitStack() as stack:
        make_targets(world, stack, targets)
        parts = []
        for number, (target, rules) in enumerate(rows, 1):
            lines = "".join(f"    {rule} {text}\n" for text in rules.split(" | ") if text)
            parts.append(f"backend b{number}\n    option {option}\n    {HEAD}{lines}    server s {{{target}}} check\n")
        start(world, "".join(parts), defaults="mode tcp")
        first_words(world, [f"b{number}/s" for number in range(1, len(rows) + 1)])


def http_heads(world: World) -> None:
    """`option httpchk` alone: what is an answer, and what a good one."""
    targets = {name: saying(b"", answer) for name, answer in ANSWERS.items()}
    _compare(world, targets, [(name, "") for name in ANSWERS], "httpchk GET / HTTP/1.1", "http-check")


def http_bodies(world: World) -> None:
    """`http-check expect string`: what belongs to a body, and how much of it is looked at."""
    targets = {name: saying(b"", answer) for name, answer in ANSWERS.items()}
    rows = [(name, "expect string hello") for name in ANSWERS]
    _compare(world, targets, rows, "httpchk GET / HTTP/1.1", "http-check")


def http_ends(world: World) -> None:
    """The same when the server closes."""
    targets = {name: saying(b"", answer, close=True) for name, answer in ANSWERS.items() if name != "large_head"}
    _compare(world, targets, [(name, "expect rstring ^hello") for name in targets], "httpchk GET /", "http-check")


def http_404_at_once(world: World) -> None:
    """`disable-on-404`: nothing but the status counts."""
    targets = {"gone": saying(b"", b"HTTP/1.1 404 Gone\r\nContent-Length: 5\r\n\r\n")}
    rows = [
        ("gone", f"disable-on-404 | expect {words}") for words in ("string hello", "min-recv 3 string x", "status 404")
    ]
    _compare(world, targets, rows, "httpchk GET /", "http-check")


_PIECES = ("+PO", "+PONG", "xxxxxxxxxxx+PONG", "x" * 20)
_LEAST = ("", "min-recv -1 ", "min-recv 0 ", "min-recv 2 ", "min-recv 5 ", "min-recv 6 ", "min-recv 100 ")


def tcp_least(world: World) -> None:
    """`tcp-check expect min-recv`: too little for a pattern, and enough."""
    targets = {f"p{number}": saying(text.encode()) for number, text in enumerate(_PIECES)}
    targets |= {f"e{number}": saying(text.encode(), close=True) for number, text in enumerate(_PIECES[:2])}
    patterns = (
        "string +PONG",
        "! string +PONG",
        "binary 2b504f4e47",
        "rstring PONG",
        "! rstring ERR",
        "string-lf +PON",
    )
    rows = [(name, f"expect {least}{text}") for name in targets for least in _LEAST for text in patterns]
    _compare(world, targets, rows, "tcp-check", "tcp-check")


def http_least(world: World) -> None:
    """`http-check expect min-recv`, the same."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"
    targets = {f"p{number}": saying(b"", head + text.encode()) for number, text in enumerate(_PIECES)}
    patterns = ("string +PONG", "! string +PONG", "rstring PONG", "! rstring ERR", "string-lf +PON")
    rows = [(name, f"expect {least}{text}") for name in targets for least in _LEAST for text in patterns]
    _compare(world, targets, rows, "httpchk GET /", "http-check")


_EMPTY = "%[var(check.none)]"


def tcp_without_patterns(world: World) -> None:
    """Formats that give nothing, or no bytes; answers without any; titles that hold a NUL."""
    rows = [
        *(
            ("pong", f"send-binary-lf {text} comment foo | expect string +PONG")
            for text in ("zz", "4%[int(1)]2", _EMPTY)
        ),
        *(("pong", f"send-lf {text} | expect string +PONG") for text in (_EMPTY, "a")),
        *(
            ("pong", f"expect {inverse}{kind}-lf {text} comment foo on-error bad error-status L4CON")
            for inverse in ("", "! ")
            for kind, text in (("string", _EMPTY), ("binary", _EMPTY), ("binary", "zz"), ("binary", "123"))
        ),
        ("closing", "expect string a comment foo"),
        ("closing", "expect string a comment foo on-error xx error-status L6RSP"),
        ("closing", "comment bar | expect string a"),
        ("closing", "connect comment bar | expect string a"),
        ("silent", "expect binary 410042"),
        ("pong", "unset-var(check.a) | expect rstring PO. on-success %[res.len] status-code res.payload(0,1)"),
        ("pong", "expect string +PONG status-code str(12)"),
    ]
    _compare(world, {}, rows, "tcp-check", "tcp-check")


def http_without_patterns(world: World) -> None:
    """Formats that give nothing in HTTP checks; codes that are texts."""
    rows = [
        *(("fields", f"expect {kind} comment foo") for kind in (f"string-lf {_EMPTY}", f"! string-lf {_EMPTY}")),
        *(
            ("fields", f"expect {inverse}hdr {text} comment foo on-error bar")
            for inverse in ("", "! ")
            for text in (
                f"name-lf {_EMPTY}",
                f"name x-a value-lf {_EMPTY}",
                f"name nope value-lf {_EMPTY}",
                f"name-lf nope value-lf -m end {_EMPTY}",
            )
        ),
        ("ok", "send meth POST uri-lf %s body-lf %s | expect status 200 on-success ok".replace("%s", _EMPTY)),
        ("fields", "expect ! status 200 on-error %[status] status-code res.hdr(content-length)"),
        ("fields", "expect ! status 200 status-code res.hdr(x-a)"),
    ]
    _compare(world, {}, rows, "httpchk GET /", "http-check")


def _frame(kind: int, flags: int, values: bytes) -> bytes:
    body = bytes([kind]) + flags.to_bytes(4, "big") + b"\0\0" + values
    return len(body).to_bytes(4, "big") + body


def _packet(body: bytes, sequence: int = 0) -> bytes:
    return len(body).to_bytes(3, "little") + bytes([sequence]) + body


_VERSION = b"\x07version\x08\x032.0"
_SIZE = b"\x0emax-frame-size\x03\xfc\xf0\x06"
_CAPABILITIES = b"\x0ccapabilities\x08\0"
_LDAP_LONG = bytes.fromhex("3084000000100201016184000000070a010004000400")

_PROTOCOLS: dict[str, tuple[str, Behaviour]] = {
    "my_version_9": ("mysql-check", saying(_packet(b"\x093.23\0abc"))),
    "my_version_9_user": ("mysql-check user bob", saying(_packet(b"\x093.23\0abc"))),
    "my_bare": ("mysql-check", saying(GREETING)),
    "my_user": ("mysql-check user bob", saying(GREETING, OK_PACKET)),
    "my_empty_ok": ("mysql-check user bob", saying(GREETING, _packet(b"", 2))),
    "my_at_once": ("mysql-check user bob", saying(GREETING + OK_PACKET)),
    "my_no_answer": ("mysql-check user bob", saying(GREETING, close=True)),
    "my_half_packet": ("mysql-check", saying(GREETING[:20], close=True)),
    "my_denied": ("mysql-check user bob", saying(GREETING, _packet(b"\xff\x15\x04#28000Access denied", 2))),
    "ldap_success": ("ldap-check", saying(b"", bytes.fromhex("300c02010161070a010004000400"))),
    "ldap_long": ("ldap-check", saying(b"", _LDAP_LONG)),
    "ldap_long_begun": ("ldap-check", saying(b"", _LDAP_LONG[:14])),
    "ldap_short": ("ldap-check", saying(b"", b"0" + bytes(11))),
    "ldap_other": ("ldap-check", saying(b"", b"hello world there")),
    "ssl_four_bytes": ("ssl-hello-chk", saying(b"", b"\x16\3\0\0")),
    "ssl_five_bytes": ("ssl-hello-chk", saying(b"", b"\x16\3\0\0\2")),
    "ssl_http": ("ssl-hello-chk", saying(b"", b"HTTP/1.1 400 Bad\r\n\r\n")),
    **{
        f"gone_{kind[:3]}": (kind, saying(b"", close=True))
        for kind in ("smtpchk", "redis-check", "pgsql-check user bob", "ldap-check", "ssl-hello-chk", "spop-check")
    },
    "gone_my": ("mysql-check", saying(b"", close=True)),
    "gone_my_user": ("mysql-check user bob", saying(b"", close=True)),
    "gone_after_greeting": ("smtpchk", saying(b"220 hi\r\n", b"", close=True)),
    "gone_after_hello": ("smtpchk", saying(b"220 hi\r\n", b"250 hi\r\n", b"", close=True)),
    **{f"pg_method_{number}": ("pgsql-check user bob", saying(b"", b"R\0\0\0\x0c" + number.to_bytes(4, "big") + b"abcd"))
       for number in range(14)},
    **{
        f"pg_error_{number}": ("pgsql-check user bob", saying(b"", text))
        for number, text in enumerate((b"E", b"E\0\0\0", b"E\0\0\0\x04", b"E\0\0\0\x09SF", b"EEEEEEEE", b"E\0\0\0\x09S\0"))
    },
    "spop_ok": ("spop-check", saying(b"", _frame(101, 1, _VERSION + _SIZE + _CAPABILITIES))),
    "spop_order": ("spop-check", saying(b"", _frame(101, 1, _CAPABILITIES + b"\1x\x11" + _SIZE + _VERSION))),
    "spop_no_version": ("spop-check", saying(b"", _frame(101, 1, _SIZE + _CAPABILITIES))),
    "spop_version_1": ("spop-check", saying(b"", _frame(101, 1, b"\x07version\x08\x031.0" + _SIZE))),
    "spop_no_size": ("spop-check", saying(b"", _frame(101, 1, _VERSION + _CAPABILITIES))),
    "spop_small": ("spop-check", saying(b"", _frame(101, 1, _VERSION + b"\x0emax-frame-size\x03\xff\0"))),
    "spop_large": ("spop-check", saying(b"", _frame(101, 1, _VERSION + b"\x0emax-frame-size\x03\xfd\xf0\x06"))),
    "spop_in_pieces": ("spop-check", saying(b"", _frame(101, 0, _VERSION + _SIZE))),
    "spop_number_as_version": ("spop-check", saying(b"", _frame(101, 1, b"\x07version\x03\2" + _SIZE))),
    "spop_rest": ("spop-check", saying(b"", _frame(101, 1, _VERSION + _SIZE + b"\xff"))),
    "spop_other_frame": ("spop-check", saying(b"", _frame(103, 1, b""))),
    **{f"spop_leaves_{code}": ("spop-check", saying(b"", _frame(102, 1, b"\x0bstatus-code\x03" + bytes([code]))))
       for code in (*range(14), 99)},
}  # fmt: skip


def protocols(world: World) -> None:
    """What odd answers of databases and others mean, and what `show stat` keeps of it."""
    with ExitStack() as stack:
        make_targets(world, stack, {name: behave for name, (_, behave) in _PROTOCOLS.items()} | {"silent": make_silent})
        parts = [
            f"backend {name}\n    option {option}\n    {HEAD}    server s {{{name}}} check\n"
            for name, (option, _) in _PROTOCOLS.items()
        ]
        world.start("".join(parts) + 'frontend fe\n    bind "fd@${fe}"\n', defaults="mode tcp", global_=GLOBAL)
        first_words(world, [f"{name}/s" for name in _PROTOCOLS])
        kept: dict[str, str] = {}

        def all_seen() -> bool:
            """Whether each server has been seen while no check of it ran."""
            for row in csv.DictReader(io.StringIO(ask(world, "show stat -1 4 -1").removeprefix("# "))):
                if not row["check_status"].startswith(("*", "INI")):
                    shown = (
                        row[column] for column in ("status", "check_status", "check_code", "last_chk", "check_desc")
                    )
                    kept[row["pxname"]] = " ".join(shown)
            return len(kept) == len(_PROTOCOLS)

        wait_until(all_seen)
        for name in _PROTOCOLS:
            world.note(f"{name}: {kept.get(name)}")

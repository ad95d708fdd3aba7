"""Checks that speak a protocol of their own: `ssl-hello-chk`, `smtpchk`, `mysql-check`, `pgsql-check`, `redis-check`,
`ldap-check`, `spop-check` (configuration manual, 4.2).

Each is one step: it sends what HAProxy sends and reads answers with the functions at the end, which take bytes and give
what they mean, or None while there are too few.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from hapy.checks import spop
from hapy.checks.plan import Run, Step, StepPlan, Target
from hapy.checks.result import Ended, Status, decoded
from hapy.checks.target import places
from hapy.net.clock import wall
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy_config.model.checks import Checks

#: What an answer means; None: more bytes may tell.
Verdict = Ended | None


class Dialogue:
    """A step that is a coroutine."""

    __slots__ = ("_talk", "comment", "title")

    def __init__(self, talk: Callable[[Run], Coroutine[Any, Any, None]]) -> None:
        self.title = "expect"
        self.comment = ""
        self._talk = talk

    async def run(self, run: Run) -> None:
        """Talk; ends the check."""
        run.acted = True
        await self._talk(run)


def plan_of(checks: Checks) -> StepPlan:
    """What such a check does."""
    talk, lingers = {
        "ssl-hello-chk": (_ssl_hello, False),
        "smtpchk": (_smtp(checks.arguments), True),
        "mysql-check": (_mysql(checks.arguments), True),
        "pgsql-check": (_pgsql(checks.arguments), True),
        "redis-check": (_redis, True),
        "ldap-check": (_ldap, False),
        "spop-check": (_spop, False),
    }[checks.kind]
    steps: tuple[Step, ...] = (Dialogue(talk),)
    return StepPlan(steps, _lingering if lingers else places)


def _lingering(run: Run) -> Target:
    return replace(places(run), linger=True)


async def _read(
    run: Run, judge: Callable[[bytes, bool], Verdict], *, step: int, empty: Status = Status.L7RSP, keep: bool = False
) -> Ended:
    """Read until a verdict is possible; `judge` is told whether no more can come. What it has judged is dropped.

    Args:
        run: the run.
        judge: gives the verdict.
        step: how a message calls this step.
        empty: what an answer without a byte is.
        keep: what was judged stays for the next step.

    Raises:
        Ended: nothing came at all.
    """
    probe = run.probe
    while True:
        ended = probe.eof or len(probe.received) >= _MOST
        if probe.received:
            verdict = judge(bytes(probe.received), ended)
            if verdict is not None:
                if not keep:
                    probe.received.clear()
                return verdict
        if ended:
            if not probe.received:
                raise Ended(empty, f"TCPCHK got an empty response at step {step}")
            raise Ended(Status.L7RSP)
        await run.more()


#: Bytes of an answer that are looked at.
_MOST: Final = 16384


# --- TLS ---

_CIPHERS: Final = b"".join(number.to_bytes(2, "big") for number in (*range(1, 0x1C), *range(0x2F, 0x3B)))
_SSL_MARK: Final = b"HAPROXYSSLCHK\nHAPROXYSSLCHK\n"


def ssl_hello() -> bytes:
    """A ClientHello of SSL 3."""
    body = b"\x03\x00" + (int(wall()) & 0xFFFFFFFF).to_bytes(4, "big") + _SSL_MARK + b"\x00"
    body += len(_CIPHERS).to_bytes(2, "big") + _CIPHERS + b"\x01\x00"
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x00" + len(message).to_bytes(2, "big") + message


async def _ssl_hello(run: Run) -> None:
    run.send(ssl_hello())
    run.check.step_status = Status.L6TOUT
    raise await _read(run, judge_ssl, step=2, empty=Status.L6RSP)


#: Bytes of the head of a record.
_RECORD: Final = 5


def judge_ssl(data: bytes, ended: bool) -> Verdict:
    """A TLS server answers by a handshake record or by an alert."""
    if len(data) < _RECORD and not ended:
        return None
    return Ended(Status.L6OK if data[0] in (0x15, 0x16) else Status.L6RSP)


# --- SMTP ---

_REPLY: Final = re.compile(rb"[0-9]{3}[ \r]")
_GREETED: Final = re.compile(rb"2[0-9]{2}[- \r]")


def _smtp(arguments: tuple[str, ...]) -> Callable[[Run], Coroutine[Any, Any, None]]:
    words = [word for word in arguments if word]
    hello = b"HELO localhost\r\n"
    if len(words) > 1 and words[0] in ("EHLO", "HELO"):
        hello = to_bytes(f"{words[0]} {words[1]}\r\n")

    async def talk(run: Run) -> None:
        greeting = await _read(run, judge_smtp_greeting, step=2)
        if greeting.result.status is not Status.L7OK:
            raise greeting
        run.send(hello)
        welcome = await _read(run, judge_smtp_hello, step=5, empty=Status.L7STS)
        if welcome.result.status is not Status.L7OK:
            raise welcome
        run.send(b"QUIT\r\n")
        raise await _read(run, judge_smtp, step=7, empty=Status.L7STS)

    return talk


def _smtp_reply(data: bytes) -> tuple[int, str]:
    """The code and the text of the last line."""
    last = data.rstrip(b"\r\n").rpartition(b"\n")[2]
    code, text = last[:3], last[4:]
    return (int(code) if code.isdigit() and len(code) == 3 else 0), decoded(text.rstrip(b"\r"))


def judge_smtp_greeting(data: bytes, ended: bool) -> Verdict:
    """A server says three digits and something first; 2xx is fine."""
    if not ended and b"\n" not in data:
        return None
    if not _REPLY.match(data):
        return Ended(Status.L7RSP, decoded(data.partition(b"\n")[0].rstrip(b"\r")))
    return judge_smtp(data, ended)


def judge_smtp_hello(data: bytes, ended: bool) -> Verdict:
    """The answer to the hello: for a good one HAProxy waits as long as the server stays."""
    verdict = judge_smtp(data, ended)
    if verdict is not None and verdict.result.status is not Status.L7OK and not ended:
        return None
    return verdict


def judge_smtp(data: bytes, ended: bool) -> Verdict:
    """An answer of one or more lines; 2xx is fine."""
    lines = data.split(b"\n")
    if not ended and (lines[-1] or (len(lines) > 1 and lines[-2][3:4] == b"-")):
        return None
    code, text = _smtp_reply(data)
    return Ended(Status.L7OK if _GREETED.match(data) else Status.L7STS, text, code)


# --- MySQL ---

_MYSQL_QUIT: Final = b"\x01\x00\x00\x00\x01"


def mysql_login(user: bytes, *, modern: bool) -> bytes:
    """The packet that asks to log in without a password, and the one that leaves; `modern` is 4.1 and later."""
    if modern:
        body = b"\x00\x82\x00\x00\x00\x80\x00\x01\x21" + bytes(23) + user + b"\x00\x00"
    else:
        body = b"\x00\x80\x00\x00\x01" + user + b"\x00\x00"
    return len(body).to_bytes(3, "little") + b"\x01" + body + _MYSQL_QUIT


def _mysql(arguments: tuple[str, ...]) -> Callable[[Run], Coroutine[Any, Any, None]]:
    user = to_bytes(arguments[1]) if len(arguments) > 1 else None
    login = None if user is None else mysql_login(user, modern=arguments[2:] != ("pre-41",))

    async def talk(run: Run) -> None:
        if login is not None:
            run.send(login)
        greeting = await _read(run, judge_mysql_greeting, step=2 if login is None else 3, keep=True)
        if login is None or greeting.result.status is not Status.L7OK:
            raise greeting
        answer = await _read(run, judge_mysql_login, step=3)
        raise greeting if answer.result.status is Status.L7OK else answer

    return talk


def _packet(data: bytes) -> bytes | None:
    """The first packet's body, None where it is not complete."""
    size = int.from_bytes(data[:3], "little")
    return data[4 : 4 + size] if len(data) >= 4 + size else None


def judge_mysql_greeting(data: bytes, ended: bool) -> Verdict:
    """The server's version, or why it won't talk; whatever else it says is fine."""
    body = _packet(data)
    if body is None:
        return Ended(Status.L7RSP) if ended else None
    return _mysql_error(body) or Ended(Status.L7OK, aside=decoded(body[1:].partition(b"\x00")[0]))


def judge_mysql_login(data: bytes, ended: bool) -> Verdict:
    """The packet behind the greeting, which answers the login: anything but an error will do."""
    body = _packet(data[4 + int.from_bytes(data[:3], "little") :])
    if body is None:
        return Ended(Status.L7RSP) if ended else None
    return _mysql_error(body) or Ended(Status.L7OK)


def _mysql_error(body: bytes) -> Verdict:
    """What an error packet says, None where it is none."""
    if body[:1] != b"\xff":
        return None
    if len(body) < 3:
        return Ended(Status.L7RSP)
    return Ended(Status.L7STS, decoded(body[3:]), int.from_bytes(body[1:3], "little"))


# --- PostgreSQL ---

_PG_METHODS: Final = frozenset({0, 2, 3, 4, 5, 6, 7, 9, 10})


def _pgsql(arguments: tuple[str, ...]) -> Callable[[Run], Coroutine[Any, Any, None]]:
    user = to_bytes(arguments[1]) if len(arguments) > 1 else b""
    body = b"\x00\x03\x00\x00user\x00" + user + b"\x00\x00"
    startup = (len(body) + 4).to_bytes(4, "big") + body

    async def talk(run: Run) -> None:
        run.send(startup)
        raise await _read(run, judge_pgsql, step=3)

    return talk


#: Bytes of an error after which no more are waited for.
_PG_ERROR: Final = 5


def judge_pgsql(data: bytes, ended: bool) -> Verdict:
    """The server asks for a password in some way, or needs none: it works. Or it says why not."""
    if data[:1] == b"E":
        if len(data) < _PG_ERROR and not ended:
            return None
        return Ended(Status.L7RSP, decoded(data[6:].partition(b"\x00")[0]))
    if data[:1] == b"R" and len(data) < 9 and not ended:
        return None
    known = data[:4] == b"R\x00\x00\x00" and int.from_bytes(data[5:9], "big") in _PG_METHODS and len(data) >= 9
    if known:
        return Ended(Status.L7OK, "PostgreSQL server is ok")
    if len(data) < 9 and not ended:
        return None
    return Ended(Status.L7STS, "PostgreSQL unknown error")


# --- Redis ---

_PING: Final = b"*1\r\n$4\r\nPING\r\n"
_PONG: Final = b"+PONG\r\n"


async def _redis(run: Run) -> None:
    run.send(_PING)
    raise await _read(run, judge_redis, step=2, empty=Status.L7STS)


def judge_redis(data: bytes, ended: bool) -> Verdict:
    """`+PONG`; anything else is told when the server has closed."""
    if _PONG in data:
        return Ended(Status.L7OK, "Redis server is ok")
    return Ended(Status.L7STS, decoded(data.partition(b"\n")[0].rstrip(b"\r"))) if ended else None


# --- LDAP ---

_BIND: Final = bytes.fromhex("300c020101600702010304008000")
_LDAP_DOC: Final = "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9"
_NO_LDAP: Final = "Not LDAPv3 protocol"
#: The shortest answer to a bind.
_BOUND: Final = 14


async def _ldap(run: Run) -> None:
    run.send(_BIND)
    raise await _read(run, judge_ldap, step=2)


def judge_ldap(data: bytes, ended: bool) -> Verdict:
    """The result code of the anonymous bind."""
    if len(data) < _BOUND and not ended:
        return None
    try:
        if data[0] != 0x30:
            return Ended(Status.L7RSP, _NO_LDAP)
        place = _behind_length(data, 1)
        if not b"\x02\x01\x01\x61".startswith(data[place : place + 4]):
            return Ended(Status.L7RSP, _NO_LDAP)
        place = _behind_length(data, place + 4)
        if not b"\x0a\x01".startswith(data[place : place + 2]):
            return Ended(Status.L7RSP, _NO_LDAP)
        code = data[place + 2]
    except IndexError:
        return Ended(Status.L7RSP) if ended else None
    return Ended(Status.L7STS, _LDAP_DOC, code) if code else Ended(Status.L7OK, aside="Success")


def _behind_length(data: bytes, place: int) -> int:
    """Where a value begins whose length stands at a place.

    Raises:
        IndexError: there are too few bytes.
    """
    first = data[place]
    return place + 1 + (first & 0x7F if first & 0x80 else 0)


# --- SPOP ---


async def _spop(run: Run) -> None:
    run.send(spop.HELLO)
    raise await _read(run, spop.judge_spop, step=2)

"""Answers of name servers, byte by byte: what becomes of a server that is told so, and how it counts.

Each case has a `resolvers` section and a name server of its own, whose answers are put together here without a library,
since most of them are wrong.
"""

from __future__ import annotations

import re
import socket
import struct
import time
from collections.abc import Callable
from contextlib import ExitStack

import dns.message

from compat.harness import World
from compat.harness.dns import DnsServer
from compat.harness.targets import wait_until
from compat.scenarios.states_told import GLOBAL, ask, await_socket

_TYPES = {"A": 1, "CNAME": 5, "TXT": 16, "AAAA": 28, "SRV": 33, "DNAME": 39, "OPT": 41, "RRSIG": 46}
_OWNER = b"\xc0\x0c"  # the name that was asked for, by its place in the message
_COUNTERS = ("valid", "nx", "refused", "other", "cname_error", "invalid", "too_big", "outdated")


def _name(text: str) -> bytes:
    labels = [label.encode() for label in text.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _record(owner: str | bytes, kind: str, data: bytes, *, of: int = 1, size: int | None = None, ttl: int = 1) -> bytes:
    """A resource record; `of` is its class, `size` the length that it claims for its data."""
    name = owner if isinstance(owner, bytes) else _name(owner)
    return name + struct.pack("!HHIH", _TYPES[kind], of, ttl, len(data) if size is None else size) + data


def _address(text: str, owner: str | bytes = _OWNER, **words: int) -> bytes:
    if ":" in text:
        return _record(owner, "AAAA", socket.inet_pton(socket.AF_INET6, text), **words)
    return _record(owner, "A", socket.inet_aton(text), **words)


def _alias(owner: str | bytes, target: str, **words: int) -> bytes:
    return _record(owner, "CNAME", _name(target), **words)


def _service(target: str | bytes, port: int = 81, weight: int = 1, owner: str | bytes = _OWNER) -> bytes:
    name = target if isinstance(target, bytes) else _name(target)
    return _record(owner, "SRV", struct.pack("!HHH", 1, weight, port) + name)


class _Case:
    """An answer's parts."""

    def __init__(
        self,
        *answers: bytes,
        extra: tuple[bytes, ...] = (),
        flags: int = 0x8180,
        counts: tuple[int, int] = (0, 0),
        question: Callable[[bytes], bytes] = lambda question: question,
        questions: int = 1,
        change: Callable[[bytes], bytes] = lambda answer: answer,
    ) -> None:
        """Args:
        answers: records of the answer section. extra: of the additional one.
        flags: of the header, with the code. counts: how many records more it claims of both.
        question: changes the question's bytes. questions: how many of them it claims. change: changes it all.
        """
        self._sections = answers, extra
        self._flags = flags
        self._counts = counts
        self._question = question
        self._questions = questions
        self._change = change

    def __call__(self, query: dns.message.Message, _honest: dns.message.Message) -> list[bytes]:
        """Answers to AAAA questions are empty."""
        kind = int(query.question[0].rdtype)
        asked = query.question[0].name.to_wire() + struct.pack("!HH", kind, 1)
        if kind == _TYPES["AAAA"]:
            return [struct.pack("!HHHHHH", query.id, 0x8180, 1, 0, 0, 0) + asked]
        answers, extra = self._sections
        counts = len(answers) + self._counts[0], 0, len(extra) + self._counts[1]
        header = struct.pack("!HHHHHH", query.id, self._flags, self._questions, *counts)
        return [self._change(header + self._question(asked) + b"".join(answers + extra))]


_GOOD = _address("127.0.0.9")
_HOSTS = (_address("127.0.0.11", "h1.test"), _address("127.0.0.12", "h2.test"))
_LONG = ".".join(["a" * 60] * 4)
_PLACES = {
    "h1": "127.0.0.20",
    "h1.test": "127.0.0.21",
    "h2.test": "127.0.0.22",
    "_h_1-.-x.test": "127.0.0.23",
    "127.0.0.5": "127.0.0.24",
    _LONG: "127.0.0.25",
}
_EDNS = _record(b"\0", "OPT", b"", of=1232, ttl=0)


def _filled(size: int) -> _Case:
    """An answer of so many bytes, on a question of 25."""
    rest = size - 12 - 24 - len(_GOOD) - 12
    text = b""
    while rest > 0:
        piece = min(255, rest - 1)
        text += bytes([piece]) + b"x" * piece
        rest -= piece + 1
    return _Case(_GOOD, extra=(_record(_OWNER, "TXT", text),))


_SIZE = 512
_LASTS = 0.3  # seconds until a question has failed

#: What both programs judge alike.
_ALIKE = {
    "good": _Case(_GOOD),
    "owner-written-out": _Case(_address("127.0.0.9", "owner-written-out.test")),
    "authoritative": _Case(_GOOD, flags=0x8580),
    "odd-flags": _Case(_GOOD, flags=0x80F0),
    "bytes-behind": _Case(_GOOD, change=lambda answer: answer + b"xyz"),
    "fewer-claimed": _Case(_GOOD, _address("127.0.0.3"), counts=(-1, 0)),
    "more-claimed": _Case(_GOOD, counts=(1, 0)),
    "no-question": _Case(_GOOD, question=lambda _: b"", questions=0),
    "two-questions": _Case(_GOOD, question=lambda asked: asked * 2, questions=2),
    "other-question": _Case(_GOOD, question=lambda asked: _name("evil.test") + asked[-4:]),
    "longer-question": _Case(_GOOD, question=lambda asked: b"\1x" + asked),
    "short-data": _Case(_record(_OWNER, "A", b"\x7f\0\0")),
    "long-data": _Case(_record(_OWNER, "A", b"\x7f\0\0\1\1")),
    "no-data": _Case(_record(_OWNER, "A", b"")),
    "data-beyond-the-end": _Case(_address("127.0.0.9", size=400)),
    "good-then-short": _Case(_GOOD, _record(_OWNER, "A", b"\x7f\0\0")),
    "text-beside": _Case(_record(_OWNER, "TXT", b"\3abc"), _GOOD),
    "cut-in-the-question": _Case(_GOOD, change=lambda answer: answer[:18]),
    "cut-in-a-record": _Case(_GOOD, change=lambda answer: answer[:-2]),
    "header-alone": _Case(question=lambda _: b"", questions=0),
    "zeros": _Case(change=lambda answer: answer[:2] + bytes(50)),
    "id-alone": _Case(change=lambda answer: answer[:2]),
    "other-id": _Case(_GOOD, change=lambda answer: bytes([answer[0] ^ 1]) + answer[1:]),
    "place-of-itself": _Case(_address("127.0.0.9", b"\xc0\x27")),
    "place-beyond-the-end": _Case(_address("127.0.0.9", b"\xff\xff")),
    "label-of-no-kind": _Case(_address("127.0.0.9", b"\x41a\0"), _GOOD),
    "alias": _Case(_alias(_OWNER, "x.test"), _address("127.0.0.9", "x.test")),
    "aliases": _Case(_alias(_OWNER, "x.test"), _alias("x.test", "y.test"), _address("127.0.0.9", "y.test")),
    "alias-of-itself": _Case(_alias(_OWNER, "alias-of-itself.test")),
    "aliases-in-a-circle": _Case(_alias(_OWNER, "x.test"), _alias("x.test", "aliases-in-a-circle.test")),
    "alias-to-nowhere": _Case(_alias(_OWNER, "x.test")),
    "alias-to-another": _Case(_alias(_OWNER, "x.test"), _address("127.0.0.9", "z.test")),
    "alias-too-short": _Case(_alias(_OWNER, "x.test", size=5), _address("127.0.0.9", "x.test")),
    "edns": _Case(_GOOD, extra=(_EDNS,)),
    "address-comes-along-only": _Case(extra=(_GOOD,)),
    "the-same-thrice": _Case(_GOOD, _GOOD, _GOOD),
    "any-address": _Case(_address("0.0.0.0")),
    "no-time-to-live": _Case(_address("127.0.0.9", ttl=0)),
    "endless-time-to-live": _Case(_address("127.0.0.9", ttl=0xFFFFFFFF)),
    **{f"code-{code}": _Case(_GOOD, flags=0x8180 + code) for code in (1, 2, 3, 4, 5, 6, 9, 15)},
    **{f"size-{size}": _filled(size) for size in (_SIZE - 1, _SIZE, _SIZE + 1)},
    "_s": _Case(_service("h1.test"), _service("h2.test", 82)),
    "_s-come-along": _Case(_service("h1.test"), _service("h2.test", 82), extra=_HOSTS),
    "_s-one-comes-along": _Case(_service("h1.test"), _service("h2.test", 82), extra=_HOSTS[1:]),
    "_s-other-comes-along": _Case(_service("h1.test"), extra=_HOSTS[1:]),
    "_s-upper-case": _Case(_service("H1.TEST")),
    "_s-port-0": _Case(_service("h1.test", 0), extra=_HOSTS),
    "_s-port-65535": _Case(_service("h1.test", 65535), extra=_HOSTS),
    "_s-twice": _Case(_service("h1.test"), _service("h1.test"), extra=_HOSTS),
    "_s-twice-weighed": _Case(_service("h1.test", weight=9), _service("h1.test", weight=600), extra=_HOSTS),
    "_s-alias": _Case(_alias(_OWNER, "_x._tcp.test"), _service("h1.test", owner="_x._tcp.test"), extra=_HOSTS),
    "_s-in-the-answer": _Case(_service("h1.test"), _HOSTS[0]),
    "_s-of-six": _Case(_service("h1.test"), extra=(_address("::11", "h1.test"),)),
    "_s-short": _Case(_record(_OWNER, "SRV", b"\0\0\0\1"), extra=_HOSTS),
    "_s-without-a-target": _Case(_record(_OWNER, "SRV", b"\0\0\0\1\0\x50"), extra=_HOSTS),
    "_s-broken-comes-along": _Case(_service("h1.test"), extra=(_record("h1.test", "A", b"123"),)),
    "_s-more-claimed": _Case(_service("h1.test"), extra=_HOSTS, counts=(0, 3)),
    "_s-odd-target": _Case(_service("_h_1-.-x.test")),
    "_s-one-label": _Case(_service("h1")),
    "_s-numbers": _Case(_service("127.0.0.5")),
    "_s-long": _Case(_service(_LONG)),
    "_s-none": _Case(),
    **{f"_s-weight-{n}": _Case(_service("h1.test", weight=n), extra=_HOSTS) for n in (0, 255, 256, 257, 512, 65535)},
}

#: Where hapy goes by the RFCs and HAProxy does not.
_BY_THE_RFCS = {
    "upper-case": _Case(_address("127.0.0.9", "UPPER-CASE.test")),
    "upper-case-question": _Case(_GOOD, question=lambda asked: asked.upper()[:-4] + asked[-4:]),
    "upper-case-alias": _Case(_alias(_OWNER, "X.test"), _address("127.0.0.9", "x.TEST")),
    "aliases-in-disorder": _Case(_address("127.0.0.9", "x.test"), _alias(_OWNER, "x.test")),
    "of-another-tree": _Case(
        _record("test", "DNAME", _name("foo")), _alias(_OWNER, "of.foo"), _address("127.0.0.9", "of.foo")
    ),
    "another-name-beside": _Case(_GOOD, _address("127.0.0.3", "other.test")),
    "another-class": _Case(_address("127.0.0.9", of=3)),
    "another-class-asked": _Case(_GOOD, question=lambda asked: asked[:-1] + b"\3"),
    "another-type-asked": _Case(_GOOD, question=lambda asked: asked[:-4] + b"\0\x10\0\1"),
    "another-family": _Case(_address("::9"), _GOOD),
    "no-answer": _Case(_GOOD, flags=0x0180),
    "another-operation": _Case(_GOOD, flags=0x9180),
    "edns-twice": _Case(_GOOD, extra=(_EDNS, _EDNS)),
    "broken-behind": _Case(_GOOD, counts=(0, 1), change=lambda answer: answer + b"\xff\xff\xff"),
    "_s-of-another-name": _Case(_service("h1.test", owner="_y._tcp.test"), extra=_HOSTS),
    "_s-nowhere": _Case(_service(b"\0"), _service("h2.test", 82), extra=_HOSTS),
    "_s-case-comes-along": _Case(_service("H1.test"), extra=(_address("127.0.0.11", "h1.TEST"),)),
    "_s-edns": _Case(_service("h1.test"), extra=(_EDNS, _HOSTS[0])),
    "_s-both-families": _Case(_service("h1.test"), extra=(_address("::11", "h1.test"), _HOSTS[0])),
}


def _judge(world: World, cases: dict[str, _Case], counters: tuple[str, ...] = _COUNTERS) -> None:
    """Start with one server, or three of a service, for each case; note where they are and what was counted."""
    parts, servers = [], {}
    with ExitStack() as stack:
        for label, case in cases.items():
            server = servers[label] = DnsServer()
            stack.callback(server.close)
            server.lie = _lie(case)
            name = f"{label}._tcp.test" if label.startswith("_") else f"{label}.test:80"
            line = f"server-template s 3 {name}" if label.startswith("_") else f"server s {name}"
            parts.append(
                f"resolvers {label}\n    nameserver n {server.address}\n    accepted_payload_size {_SIZE}\n"
                f"    timeout resolve 30s\n    timeout retry {int(1000 * _LASTS)}ms\n    resolve_retries 1\n"
                f"backend {label}\n    {line} resolvers {label} init-addr none"
                f"{' resolve-prefer ipv4' if label.startswith('_') else ''}\n"
            )
        world.start("".join(parts) + 'frontend fe\n    bind "fd@${fe}"\n', global_=GLOBAL)
        await_socket(world)

        def quiet() -> bool:
            """Whether all have been asked, and the last question was longer ago than one lasts."""
            times = [server.times[-1:] for server in servers.values()]
            return all(times) and time.monotonic() - max(times)[0] > 3 * _LASTS

        assert wait_until(quiet)
        states: dict[str, list[str]] = {label: [] for label in cases}
        for line in ask(world, "show servers state").split("\n")[2:]:
            if words := line.split():
                states[words[1]].append(" ".join((*words[4:8], *words[17:19])))
        counted = dict(
            re.findall(r"(?s)Resolvers section (\S+)\n(.*?)(?=\nResolvers section|\Z)", ask(world, "show resolvers"))
        )
        for label in cases:
            found = dict(re.findall(r"(\w+): *([1-9]\d*)", counted[label]))
            world.note(f"{label}: {states[label]} { {name: found[name] for name in counters if name in found} }")


def _lie(case: _Case) -> Callable[[dns.message.Message, dns.message.Message], list[bytes]]:
    """Hosts of services are looked up in a table, all else is answered by the case."""

    def answer(query: dns.message.Message, honest: dns.message.Message) -> list[bytes]:
        place = _PLACES.get(query.question[0].name.to_text(omit_final_dot=True))
        return (case if place is None else _Case(_address(place)))(query, honest)

    return answer


def alike(world: World) -> None:
    """Good and broken answers, aliases, codes, sizes, and services of any kind."""
    _judge(world, _ALIKE)


def by_the_rfcs(world: World) -> None:
    """Names in any case, records in any order, and what is no answer or not to the question."""
    _judge(world, _BY_THE_RFCS)


def counted(world: World) -> None:
    """Answers that have followed aliases, and questions that got none."""
    silence = _Case(_GOOD, change=lambda answer: bytes([answer[0] ^ 1]) + answer[1:])
    _judge(world, {"alias": _ALIKE["alias"], "silence": silence}, ("cname", "timeout"))

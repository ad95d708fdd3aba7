"""A walk ends as the request does in HAProxy and in hapy: the server, what it gets, or the answer; on random requests."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from hapy.explain.asked import asked
from hapy.explain.walk import Walk, Walker
from hapy_config.api import read_text
from tests.hapy_config.translate.side_by_side import (
    Ask,
    Place,
    answer,
    free_ports,
    place,
    running,
    start_command,
    with_other_ports,
)
from tests.hapy_config.translate.translation_cases import CASES

WALKED = (
    "site", "paths", "hosts", "methods-headers-cookies-parameters", "redirects", "request-headers", "rewrites", "answers",
    "allow-and-deny", "changed-headers", "many-answers-and-the-rest", "backends-by-name", "forwardfor",
    "forwardfor-except", "ids-and-methods", "passwords", "retries-and-methods",
)  # fmt: skip
_LEFT_OUT = frozenset({"connection", "accept-encoding", "content-length", "transfer-encoding"})


def requests(asks: tuple[Ask, ...], chance: random.Random) -> Iterator[Ask]:
    """The case's own requests, and mixtures of their parts."""
    yield from asks
    headers = [pair for one in asks for pair in one.headers.items()]
    for _ in range(30):
        path = chance.choice(asks).path
        if chance.random() < 0.3:
            path = path.partition("?")[0] + chance.choice(("/", "?", "x", "/../y", "?a=1&v=2", "//", ".png", "%41"))
        taken = dict(chance.sample(headers, min(len(headers), chance.randrange(3))))
        yield Ask(path, chance.choice(("GET", "GET", "HEAD", "POST", "DELETE", "PUT")), taken,
                  source=chance.choice(("127.0.0.1", "127.0.0.1", "127.0.0.2", "127.0.0.3")))  # fmt: skip


def walked(walker: Walker, one: Ask, at: Place) -> list[object]:
    """What the walk says that a client sees, or a server."""
    headers = {"Host": "a.example", "User-Agent": "test", "Accept-Encoding": "identity", **one.headers}
    if one.method in ("POST", "PUT") or one.body:
        headers["Content-Length"] = str(len(one.body))
    lines = [f"{name}: {value}" for name, value in headers.items()]
    found: Walk = walker.walk(asked(f"{one.method} {one.path}", headers=lines, source=one.source, body=one.body))
    if found.outcome == "closed":
        return ["closed"]
    if found.outcome == "answer":
        assert found.answer is not None
        lines = found.answer.head.decode("latin-1").split("\r\n")
        location = [line.partition(": ")[2] for line in lines if line.lower().startswith("location:")]
        return [found.answer.status, location[0] if location else None]
    chosen = next(candidate.address for candidate in found.candidates if candidate.chosen)
    name = next(name for name, port in at.names.items() if chosen.endswith(f":{port}"))
    first, *fields = found.request.decode("latin-1").split("\r\n")
    told: dict[str, str] = {}
    for field in filter(None, fields):
        key, _, value = field.partition(":")
        value = value.strip()
        told[key.lower()] = f"{told[key.lower()]}, {value}" if key.lower() in told else value
    method, path, _ = first.split(" ")
    return [200, None, name, method, path, {key: told[key] for key in sorted(told) if key not in _LEFT_OUT}]


@pytest.mark.referee
@pytest.mark.parametrize("program", ["haproxy", "hapy"])
@pytest.mark.parametrize("case", [case for case in CASES if case.name in WALKED], ids=lambda case: case.name)
@with_other_ports
def test_a_walk_ends_as_the_request_does(case: object, program: str, tmp_path: Path) -> None:
    chance = random.Random(case.name)  # type: ignore[attr-defined]
    with place(tmp_path) as at:
        port, other = free_ports(2)
        text = (case.defaults + case.text).format(**at.names, port=port, other=other)  # type: ignore[attr-defined]
        walker = Walker(read_text(text, env={}))
        different = []
        with running(start_command(program, {"haproxy.cfg": text}, tmp_path / program), [port]):
            for one in requests(case.asks, chance):  # type: ignore[attr-defined]
                if one.times > 1 or one.tls:
                    continue
                seen = answer(one, {"port": port}, "")
                assert isinstance(seen, list)
                if len(seen) > 1:
                    seen = [*seen[:2], *(seen[4][:4] if isinstance(seen[4], list) else ())]
                said = walked(walker, one, at)
                if one.method == "HEAD":  # the stub tells nothing
                    seen, said = seen[:2], said[:2]
                if said != seen:
                    different.append((one, said, seen))
        assert different == []

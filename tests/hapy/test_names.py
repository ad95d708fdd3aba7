from __future__ import annotations

import socket
from typing import Any

import pytest

from hapy.names import Names, resolve
from hapy_config import read_text
from hapy_config.model.config import Config

ADDRESSES = {"four.test": "192.0.2.4", "six.test": "2001:db8::6"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replaces the system's resolver; collects what it is asked."""
    questions: list[str] = []

    def getaddrinfo(name: str, *_rest: Any) -> list[Any]:
        questions.append(name)
        if name not in ADDRESSES:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(0, 0, 0, "", (ADDRESSES[name], 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return questions


def config(body: str) -> Config:
    found = read_text(f"listen l\n bind :80\n{body}\n").config
    assert found is not None
    return found


def test_servers_get_addresses_and_each_name_is_asked_once(asked: list[str]) -> None:
    lines = (
        " server a four.test:80\n server b four.test:81 source six.test\n server c six.test:80\n server d 192.0.2.1:1"
    )
    servers = resolve(config(lines), Names()).proxies[0].servers
    assert [(s.address.family, s.address.host, s.address.port) for s in servers] == [
        ("ipv4", "192.0.2.4", 80),
        ("ipv4", "192.0.2.4", 81),
        ("ipv6", "2001:db8::6", 80),
        ("ipv4", "192.0.2.1", 1),
    ]
    assert servers[1].source is not None
    assert servers[1].source.address.host == "2001:db8::6"
    assert sorted(asked) == ["four.test", "six.test"]


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    ("methods", "host", "lost"),
    [
        ("last,libc,none", "lost.test", True),
        ("none", "lost.test", True),
        ("libc,192.0.2.9", "192.0.2.9", False),
        ("last,192.0.2.9,libc", "192.0.2.9", False),
    ],
)
def test_the_methods_are_tried_in_turn(methods: str, host: str, *, lost: bool) -> None:
    (server,) = resolve(config(f" server a lost.test:80 init-addr {methods}"), Names()).proxies[0].servers
    assert (server.address.host, server.address.family == "name") == (host, lost)


@pytest.mark.usefixtures("asked")
def test_logs_have_addresses_too() -> None:
    (target,) = resolve(config(" log four.test:514 local0"), Names()).proxies[0].log
    assert target.address is not None
    assert target.address.host == "192.0.2.4"


def test_without_names_nothing_is_asked_or_changed(asked: list[str]) -> None:
    before = config(" server a 192.0.2.1:80\n log 192.0.2.2 local0")
    assert resolve(before, Names()) is before
    assert asked == []

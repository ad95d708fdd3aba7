from __future__ import annotations

import socket
from typing import Any

import pytest

from hapy.names import Names, resolve, without_address
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


LOST = "could not resolve address 'lost.test'"
#: `init-addr` and what else a server line has; what HAProxy 2.6.12 says of a server whose name has no address.
AT_THE_START = [
    ("", f"{LOST}."),
    ("resolvers r", f"{LOST}, disabling server."),
    ("init-addr libc resolvers r", f"{LOST}."),
    ("init-addr last,libc resolvers r", f"{LOST}."),
    ("init-addr last resolvers r", "no method found to resolve address 'lost.test'."),
    ("init-addr libc,none", f"{LOST}, disabling server."),
    ("init-addr none,libc", ""),
    ("init-addr last,none", ""),
    ("init-addr libc,192.0.2.9", f"{LOST}, falling back to configured address."),
    ("init-addr 192.0.2.9,libc", ""),
    ("init-addr 2001:db8::9", ""),
    ("init-addr [::1]", ""),
    ("init-addr 192.0.2.9,192.0.2.8", "'init-addr' : initial address already specified, cannot add '192.0.2.8'.."),
    (
        "init-addr 192.0.2.9:80",
        "unknown init-addr method '192.0.2.9:80', supported methods are 'libc', 'last', 'none'..",
    ),
]


@pytest.mark.parametrize(("words", "said"), AT_THE_START)
def test_what_is_said_of_a_name_without_an_address(words: str, said: str) -> None:
    text = f"resolvers r\n nameserver n 192.0.2.53:53\nlisten l\n bind :80\n server a lost.test:80 {words}\n"
    found = read_text(text, lookup=lambda _name, _family: False).diagnostics
    first = next((one.message for one in found if "server l/a" in one.message), "")
    assert first.endswith(said) if said else not first


@pytest.mark.usefixtures("asked")
def test_without_a_saved_state_the_start_fails_after_all() -> None:
    loading = " load-server-state-from-file global"
    text = f"{loading}\n server a lost.test:80 init-addr last\n server b lost.test:80 init-addr last,libc,none"
    for saved, said in ((None, [(True, "a"), (False, "b")]), ("192.0.2.7", [])):
        found = resolve(config(text), Names(), lambda _backend, _server, saved=saved: saved)
        assert [(fatal, server.name) for fatal, server, _ in without_address(found, Names())] == said

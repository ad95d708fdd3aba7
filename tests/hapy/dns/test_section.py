"""Resolutions against a name server in this process."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import anyio
import dns.flags
import dns.message
import dns.rrset
import pytest

from compat.harness.dns import DnsServer
from hapy.dns import section as section_module
from hapy.dns import stream as stream_module
from hapy.dns.nameserver import system_name_servers
from hapy.dns.section import Resolution, Section
from hapy_config.model.addresses import Address
from hapy_config.model.resolvers import NameServer, Resolvers


@pytest.fixture
def server() -> Iterator[DnsServer]:
    found = DnsServer({("a.test", "A"): ["127.0.0.2", "127.0.0.3"], ("b.test", "AAAA"): ["::2"]})
    yield found
    found.close()


def make(server: DnsServer, **settings: int) -> Section:
    address = Address("ipv4", "127.0.0.1", server.port)
    known = {"timeout_retry": 2000, "timeout_resolve": 50, "payload_size": 4096, **settings}
    return Section(Resolvers("r", (NameServer("n", address),), **known))


def run(section: Section, act: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with anyio.create_task_group() as group:
            section.start(group)
            with anyio.fail_after(20):
                await act()
            for nameserver in section.nameservers:
                nameserver.close()
            await anyio.sleep(0.01)
            group.cancel_scope.cancel()

    anyio.run(main)


async def ask(section: Section, name: str, kind: str = "A") -> Resolution:
    came = anyio.Event()
    resolution = section.resolution(name, kind)
    resolution.wait(lambda _: came.set())
    await came.wait()
    return resolution


def test_one_question_for_all_who_ask_at_once(server: DnsServer) -> None:
    section = make(server)

    async def act() -> None:
        server.delay = 0.05
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(ask, section, "A.test.")
        assert len(server.queries) == 1
        server.set("a.test", "A", "127.0.0.3", "127.0.0.2", "127.0.0.1")
        found = await ask(section, "a.test")
        assert list(found.addresses) == ["127.0.0.2", "127.0.0.1", "127.0.0.3"]
        assert len(server.queries) == 2

    run(section, act)


def test_who_needs_a_name_asks_for_it(server: DnsServer) -> None:
    section = make(server)

    async def act() -> None:
        await ask(section, "a.test")
        server.set("a.test", "A", "127.0.0.9")
        assert list((await ask(section, "a.test")).addresses) == ["127.0.0.9"]

    run(section, act)


def test_the_other_family_where_the_preferred_has_nothing(server: DnsServer) -> None:
    section = make(server, retries=1)

    async def act() -> None:
        found = await ask(section, "b.test", "A")
        assert (found.status, list(found.addresses)) == ("valid", ["::2"])
        assert (await ask(section, "nope.test", "A")).status == "nx"
        assert ("nope.test", "A") not in section.resolutions

    run(section, act)


def test_a_cut_answer_is_asked_for_over_tcp(server: DnsServer) -> None:
    section = make(server)
    server.truncate = True
    server.set("a.test", "A", *(f"127.0.{number // 250}.{number % 250 + 1}" for number in range(2000)))

    async def act() -> None:
        found = await ask(section, "a.test")
        assert len(found.addresses) == 2000
        assert [transport for _, _, transport in server.queries] == ["udp", "tcp"]
        counters = section.nameservers[0].counters
        assert (counters.truncated, counters.valid, counters.sent) == (1, 1, 1)

    run(section, act)


def test_a_cut_answer_without_a_whole_one_is_an_error_and_the_other_family_has_its_turn(server: DnsServer) -> None:
    section = make(server, timeout_retry=30, retries=2)
    seen = 0

    def lie(query: dns.message.Message, answer: dns.message.Message) -> list[bytes]:
        nonlocal seen
        seen += 1
        if seen % 2 == 0:
            return []  # over TCP
        answer.flags |= dns.flags.TC
        return [answer.to_wire()]

    server.lie = lie

    async def act() -> None:
        found = await ask(section, "a.test")
        assert found.status == "truncated"
        assert [kind for _, kind, transport in server.queries if transport == "udp"] == ["A", "AAAA", "A"]

    run(section, act)


def test_lies_are_counted_and_ignored(server: DnsServer) -> None:
    section = make(server)

    def lie(query: dns.message.Message, answer: dns.message.Message) -> list[bytes]:
        honest = answer.to_wire(want_shuffle=False)
        forged = honest.replace(b"\x7f\x00\x00\x02", b"\x7f\x00\x00\x66")
        other_id = ((query.id + 1) & 0xFFFF).to_bytes(2, "big") + forged[2:]
        return [
            b"",
            b"x",
            other_id,
            forged.replace(b"\x01a\x04", b"\x01b\x04"),
            forged[:-3],
            query.to_wire(),
            b"\0" * 5000,
            honest,
        ]

    server.lie = lie

    async def act() -> None:
        found = await ask(section, "a.test")
        assert "127.0.0.2" in found.addresses
        assert "127.0.0.102" not in found.addresses
        counters = section.nameservers[0].counters
        assert (counters.invalid, counters.outdated, counters.too_big) == (5, 1, 1)

    run(section, act)


def test_nobody_else_can_answer(server: DnsServer) -> None:
    """An answer with the right id and question from another port is not even received."""
    section = make(server, retries=1)
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taps: list[bytes] = []

    def lie(query: dns.message.Message, answer: dns.message.Message) -> list[bytes]:
        taps.append(answer.to_wire(want_shuffle=False).replace(b"\x7f\x00\x00\x02", b"\x7f\x00\x00\x66"))
        sock = section.nameservers[0]._datagrams._sock
        stranger.sendto(taps[-1], sock.getsockname())
        return [answer.to_wire(want_shuffle=False)]

    server.lie = lie

    async def act() -> None:
        assert "127.0.0.102" not in (await ask(section, "a.test")).addresses
        assert taps

    run(section, act)
    stranger.close()


def test_silence_and_a_closed_port_are_timeouts(server: DnsServer) -> None:
    section = make(server, retries=2, timeout_retry=50)
    server.silent = True

    async def act() -> None:
        assert (await ask(section, "a.test")).status == "timeout"
        assert section.nameservers[0].counters.timeout == 2
        server.close()
        assert (await ask(section, "c.test")).status == "timeout"

    run(section, act)


def test_nothing_is_remembered_and_open_questions_have_a_limit(
    server: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = make(server)

    async def act() -> None:
        for number in range(40):
            server.set(f"n{number}.test", "A", "127.0.0.1")
            await ask(section, f"n{number}.test")
        assert not section.resolutions
        monkeypatch.setattr(section_module, "MOST_OPEN", 0)
        assert (await ask(section, "one-more.test")).status == "other"

    run(section, act)


def test_the_systems_name_servers(tmp_path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text(
        "# x\nsearch a\nnameserver 192.0.2.1 # x\nnameserver\t2001:db8::1\nnameserver bad\nnameserver\nnameserver 192.0.2.1\n nameserver 192.0.2.2\nnameserver 192.0.2.3:53\nnameserver fe80::1%lo\n"
    )
    assert [(name, address.family, address.port) for name, address in system_name_servers(str(path))] == [
        ("192.0.2.1", "ipv4", 53),
        ("2001:db8::1", "ipv6", 53),
    ]
    assert system_name_servers(str(tmp_path / "none")) == []


def test_a_connection_that_is_stuck_gets_no_more_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that lets a question over TCP lie: the next one goes over another connection."""
    monkeypatch.setattr(stream_module, "STALLED", 0.0)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    address = Address("ipv4", "127.0.0.1", listener.getsockname()[1])
    model = NameServer("n", address, stream=True)
    section = Section(Resolvers("r", (model,), timeout_retry=50, timeout_resolve=50, retries=2))

    async def act() -> None:
        assert (await ask(section, "a.test")).status == "timeout"

    run(section, act)
    listener.accept()[0].close()
    listener.accept()[0].close()
    listener.close()


@pytest.mark.parametrize("family", ["unix", "abns"])
def test_a_name_server_on_a_unix_socket(family: str, tmp_path: Path) -> None:
    host = str(tmp_path / "dns") if family == "unix" else f"hapy-test-{os.getpid()}"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(host if family == "unix" else "\0" + host.ljust(107, "\0"))
    listener.listen()
    section = Section(Resolvers("r", (NameServer("n", Address(family, host), stream=True),)))

    def serve() -> None:
        sock, _ = listener.accept()
        with sock, sock.makefile("rb") as stream:
            query = dns.message.from_wire(stream.read(int.from_bytes(stream.read(2), "big")))
            answer = dns.message.make_response(query)
            answer.answer.append(dns.rrset.from_text(query.question[0].name, 1, "IN", "A", "127.0.0.7"))
            sock.sendall(answer.to_wire(prepend_length=True))

    async def act() -> None:
        assert list((await ask(section, "a.test")).addresses) == ["127.0.0.7"]

    server = threading.Thread(target=serve)
    server.start()
    run(section, act)
    server.join()
    listener.close()


class Settled:
    """A server that lives by a name, and hears of it."""

    def __init__(self, came: anyio.Event, waited: set[str]) -> None:
        self.came = came
        self.waited = waited

    def on_records(self, resolution: Resolution, source: str) -> bool:
        self.waited.discard(resolution.name)
        if not self.waited:
            self.came.set()
        return True

    def on_failure(self, resolution: Resolution, status: str) -> None:
        raise AssertionError(f"{resolution} has failed")


def test_many_names_are_not_asked_for_all_at_once(server: DnsServer) -> None:
    section = make(server, timeout_resolve=60_000)
    waited = {f"n{number}.test" for number in range(200)}
    for name in waited:
        server.set(name, "A", "127.0.0.2")

    async def act() -> None:
        settled = Settled(anyio.Event(), set(waited))
        assert len(section.numbers) < 100
        for resolution in section.resolutions.values():
            resolution.users.append(settled)
        await settled.came.wait()
        assert section.nameservers[0].counters.valid == len(waited)

    for name in waited:
        section.resolution(name, "A")
    run(section, act)

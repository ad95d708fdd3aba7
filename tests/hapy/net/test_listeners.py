from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from hapy.net.listeners import Opening, listen_all, open_all
from hapy_config.model.addresses import Address
from hapy_config.model.config import Global
from hapy_config.model.proxy import Proxy
from hapy_config.model.server import Bind
from hapy_config.source import Span


@pytest.fixture
def opened() -> Iterator[list[Opening]]:
    """Collects what tests open, to close it."""
    found: list[Opening] = []
    yield found
    for opening in found:
        opening.close()


def ipv4(port: int = 0, end: int | None = None) -> Address:
    return Address("ipv4", "127.0.0.1", port, end)


def bind(address: Address, **options: object) -> Bind:
    return Bind(address, span=Span("x.cfg", 7), **options)  # type: ignore[arg-type]


def frontend(*binds: Bind, **options: object) -> Proxy:
    return Proxy("f", "frontend", binds=binds, **options)  # type: ignore[arg-type]


def free_ports(count: int) -> int:
    """The first of some free ports in a row."""
    while True:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            first: int = sock.getsockname()[1]
        try:
            for port in range(first, first + count):
                with socket.socket() as sock:
                    sock.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            continue
        return first


def test_a_range_makes_one_socket_a_port(opened: list[Opening]) -> None:
    first = free_ports(3)
    opening = open_all([frontend(bind(ipv4(first, first + 2)))], maxconn=10)
    opened.append(opening)
    listen_all(opening, Global())
    assert not opening.problems
    assert [o.sock.getsockname()[1] for o in opening.sockets] == [first, first + 1, first + 2]
    for port in range(first, first + 3):
        socket.create_connection(("127.0.0.1", port)).close()


def test_nothing_listens_before_it_is_told_to(opened: list[Opening]) -> None:
    opening = open_all([frontend(bind(ipv4()))], maxconn=10)
    opened.append(opening)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(opening.sockets[0].sock.getsockname())


@pytest.mark.parametrize(("v4v6", "reachable"), [(True, True), (False, False)])
def test_an_ipv6_wildcard_takes_ipv4_too_unless_told_not_to(
    opened: list[Opening], *, v4v6: bool, reachable: bool
) -> None:
    opening = open_all([frontend(bind(Address("ipv6", "::", 0), v4v6=v4v6))], maxconn=10)
    opened.append(opening)
    listen_all(opening, Global())
    port = opening.sockets[0].sock.getsockname()[1]
    socket.create_connection(("::1", port)).close()
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        assert not reachable
    else:
        assert reachable


def test_every_problem_is_reported_in_one_go_and_in_the_referees_words(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        proxies = [
            frontend(
                bind(Address("unix", str(tmp_path / "no" / "path"))),
                bind(ipv4(port)),
                bind(Address("ipv4", "192.0.2.1", 80)),
                bind(Address("fd", "977")),
            ),
            Proxy("second", "listen", binds=(bind(ipv4(port)),)),
        ]
        opening = open_all(proxies, maxconn=10)
    assert opening.failed
    assert [problem.message for problem in opening.problems] == [
        "Binding [x.cfg:7] for frontend f: cannot use file descriptor '977' : Bad file descriptor",
        f"Binding [x.cfg:7] for frontend f: cannot bind socket (Address already in use) for [127.0.0.1:{port}]",
        "Binding [x.cfg:7] for frontend f: cannot bind socket (Cannot assign requested address) for [192.0.2.1:80]",
        f"Binding [x.cfg:7] for proxy second: cannot bind socket (Address already in use) for [127.0.0.1:{port}]",
        f"Binding [x.cfg:7] for frontend f: cannot bind UNIX socket (No such file or directory) [{tmp_path}/no/path]",
    ]


def test_a_missing_device_is_only_a_warning(opened: list[Opening]) -> None:
    opening = open_all([frontend(bind(ipv4(), interface="nowhere0"))], maxconn=10)
    opened.append(opening)
    assert [problem.fatal for problem in opening.problems] == [False]
    assert "cannot bind receiver to device 'nowhere0'" in opening.problems[0].message
    assert len(opening.sockets) == 1


def test_two_processes_share_a_port_unless_told_not_to(opened: list[Opening]) -> None:
    first = open_all([frontend(bind(ipv4()))], maxconn=10)
    opened.append(first)
    listen_all(first, Global())
    proxy = frontend(bind(ipv4(first.sockets[0].sock.getsockname()[1])))
    second = open_all([proxy], maxconn=10)
    opened.append(second)
    assert not second.problems
    third = open_all([proxy], maxconn=10, reuse_port=False)
    opened.append(third)
    assert third.failed


@pytest.mark.parametrize(
    ("options", "limits", "expected"),
    [
        ({"backlog": 3, "maxconn": 4}, {"backlog": 5, "maxconn": 6}, 3),
        ({"maxconn": 4}, {"backlog": 5, "maxconn": 6}, 5),
        ({"maxconn": 4}, {"maxconn": 6}, 4),
        ({}, {"maxconn": 6}, 6),
        ({}, {}, 10),
    ],
)
def test_the_nearest_limit_is_the_queues_length(
    opened: list[Opening], options: dict[str, int], limits: dict[str, int], expected: int
) -> None:
    opening = open_all([frontend(bind(ipv4(), **options), **limits)], maxconn=10)
    opened.append(opening)
    assert opening.sockets[0].backlog == expected


def test_a_unix_socket_replaces_what_stood_there_once_all_is_well(opened: list[Opening], tmp_path: Path) -> None:
    path = tmp_path / "sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    before = path.stat().st_ino
    opening = open_all([frontend(bind(Address("unix", str(path)), mode=0o640))], maxconn=10)
    opened.append(opening)
    assert path.stat().st_ino == before
    listen_all(opening, Global())
    assert not opening.problems
    assert path.stat().st_ino != before
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a socket away")
def test_a_unix_socket_gets_its_owner(opened: list[Opening], tmp_path: Path) -> None:
    path = tmp_path / "sock"
    opening = open_all([frontend(bind(Address("unix", str(path)), uid="nobody", gid="65534"))], maxconn=10)
    opened.append(opening)
    listen_all(opening, Global())
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65534)


def test_a_failed_start_leaves_the_old_unix_socket_alone(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))
        old.listen()
        binds = (bind(Address("unix", str(path))), bind(Address("ipv4", "192.0.2.1", 80)))
        opening = open_all([frontend(*binds)], maxconn=10)
        assert opening.failed
        opening.close()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
        assert sorted(tmp_path.iterdir()) == [path]


def test_an_abstract_name_is_padded_as_the_referee_does(opened: list[Opening]) -> None:
    name = f"hapy-test-{os.getpid()}"
    opening = open_all([frontend(bind(Address("abns", name)))], maxconn=10)
    opened.append(opening)
    listen_all(opening, Global())
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(b"\0" + name.encode().ljust(107, b"\0"))


def test_an_inherited_socket_is_used_and_left_open(opened: list[Opening]) -> None:
    with socket.socket() as parent:
        parent.bind(("127.0.0.1", 0))
        parent.listen(3)
        opening = open_all([frontend(bind(Address("fd", str(parent.fileno()))))], maxconn=10)
        opened.append(opening)
        listen_all(opening, Global())
        assert not opening.problems
        with socket.create_connection(parent.getsockname()):
            opening.sockets[0].sock.setblocking(True)
            opening.sockets[0].sock.accept()[0].close()
        opening.close()
        socket.create_connection(parent.getsockname()).close()


def test_a_kept_socket_is_used_again_with_those_who_wait_in_it(opened: list[Opening]) -> None:
    first = open_all([frontend(bind(ipv4(port := free_ports(1))))], maxconn=10)
    opened.append(first)
    listen_all(first, Global())
    (kept,) = first.sockets
    with socket.create_connection(("127.0.0.1", port)) as waiting:
        second = open_all([frontend(bind(ipv4(port)))], maxconn=10, kept={kept.key: kept.sock.fileno()})
        opened.append(second)
        listen_all(second, Global())
        first.close()
        second.sockets[0].sock.setblocking(True)
        conn, address = second.sockets[0].sock.accept()
        conn.close()
        assert address == waiting.getsockname()


def test_a_kept_socket_of_another_kind_is_not_used(opened: list[Opening]) -> None:
    first = open_all([frontend(bind(ipv4(port := free_ports(1))))], maxconn=10)
    opened.append(first)
    key, number = first.sockets[0].key, first.sockets[0].sock.fileno()
    second = open_all([frontend(bind(ipv4(port), interface="lo"))], maxconn=10, kept={key: number})
    opened.append(second)
    inode = os.fstat(number).st_ino
    assert os.fstat(second.sockets[0].sock.fileno()).st_ino != inode


def test_names_are_resolved(opened: list[Opening]) -> None:
    opening = open_all([frontend(bind(Address("name", "localhost", 0)))], maxconn=10)
    opened.append(opening)
    assert not opening.problems
    bad = open_all([frontend(bind(Address("name", "nowhere.invalid", 0)))], maxconn=10)
    assert "cannot resolve address 'nowhere.invalid'" in bad.problems[0].message


def test_options_reach_the_kernel(opened: list[Opening]) -> None:
    options = bind(ipv4(), interface="lo", defer_accept=True, tfo=True, mss=1000, backlog=7)
    opening = open_all([frontend(options)], maxconn=10)
    opened.append(opening)
    listen_all(opening, Global())
    sock = opening.sockets[0].sock
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0") == b"lo"
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT) > 0
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN) == 7
    assert not opening.problems

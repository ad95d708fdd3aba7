"""What is set on sockets towards servers, and the network namespaces of both sides (manual 5.1 and 5.2)."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator

import pytest

from compat.harness import Connection, World
from compat.harness.targets import wait_until
from hapy.net.sockets import towards, while_it_lasts
from hapy_config import read_text

_TCP_FASTOPEN_CONNECT = 30

CONFIG = """
frontend inside
    bind 127.0.0.1:1 namespace {ns}
    bind abns@{ns} namespace {ns}
    http-request return content-type text/plain string inside
backend tcp
    server s 127.0.0.1:1 namespace {ns} check inter 100ms fall 1
backend outside
    server s 127.0.0.1:1 check inter 100ms fall 1
backend unix
    server s abns@{ns} namespace {ns} check inter 100ms
backend elsewhere
    server s abns@{ns} check inter 100ms
frontend fe
    bind "fd@${fe}"
    http-request return content-type text/plain lf-string "%[nbsrv(tcp)]%[nbsrv(unix)]%[nbsrv(elsewhere)]%[nbsrv(outside)]" if { path / }
    use_backend %[path,field(2,/)]
"""


@pytest.mark.parametrize(
    ("lines", "used"),
    [
        ("mode tcp\n retry-on all-retryable-errors", False),  # the server may be the one that speaks first
        ("mode http", False),  # a server that is down would lose the request
        ("mode http\n retry-on conn-failure empty-response", False),
        ("mode http\n retry-on conn-failure empty-response response-timeout 503", True),
        ("mode http\n retry-on all-retryable-errors", True),
    ],
)
def test_fast_open_towards_servers_only_where_it_loses_nothing(lines: str, *, used: bool) -> None:
    config = read_text(f"listen l\n bind :80\n {lines}\n server s 192.0.2.1:80 tfo\n").config
    assert config is not None
    proxy = config.proxies[0]
    options = towards(proxy.servers[0], proxy, config.global_)
    assert ((socket.IPPROTO_TCP, _TCP_FASTOPEN_CONNECT, 1) in options) is used


def test_checks_find_dead_connections_as_requests_do() -> None:
    text = "backend b\n option srvtcpka\n srvtcpka-idle 9s\n server s 192.0.2.1:80 check tcp-ut 2s tfo\n"
    config = read_text(text).config
    assert config is not None
    proxy = config.proxies[0]
    assert set(while_it_lasts(proxy.servers[0], proxy)) == {
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 9),
        (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 2000),
    }


@pytest.fixture
def namespace() -> Iterator[str]:
    """The name of a fresh network namespace with a loopback interface."""
    name = f"hapy-{os.getpid()}"
    ip = shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if ip is None or subprocess.run([ip, "netns", "add", name], check=False, capture_output=True).returncode:
        pytest.skip("network namespaces can't be made here")
    try:
        subprocess.run([ip, "netns", "exec", name, ip, "link", "set", "lo", "up"], check=True, capture_output=True)
        yield name
    finally:
        subprocess.run([ip, "netns", "del", name], check=True, capture_output=True)


@pytest.mark.parametrize("program", ["hapy", "haproxy"])
def test_namespaces_hold_for_listeners_connections_and_checks(namespace: str, program: str) -> None:
    """UNIX sockets stay in the program's own namespace: HAProxy pays no heed to the word there."""
    if program == "haproxy" and shutil.which("haproxy") is None:
        pytest.skip("HAProxy is not installed")
    world = World(program)
    try:
        world.places = {"ns": namespace}
        world.start(CONFIG)
        assert wait_until(lambda: world.once("/") == "1110")
        assert [world.once(f"/{place}") for place in ("tcp", "unix", "elsewhere")] == ["inside"] * 3
    finally:
        world.stop()


CLIENTS = """
frontend inside
    bind 127.0.0.1:1 namespace {ns}
    http-request return content-type text/plain string inside
listen theirs
    bind "fd@${theirs}" accept-proxy
    mode tcp
    retries 0
    server s 127.0.0.1:1 namespace *
listen told
    bind "fd@${told}" accept-proxy
    mode tcp
    server s {s1} send-proxy-v2 proxy-v2-options crc32c
"""


def _proxied(*names: str) -> bytes:
    """A PROXY header of version 2 whose client belongs to these namespaces."""
    body = bytes((192, 0, 2, 1, 192, 0, 2, 2, 0, 1, 0, 2)) + b"".join(
        b"\x30" + len(name).to_bytes(2, "big") + name.encode() for name in names
    )
    return b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + len(body).to_bytes(2, "big") + body


@pytest.mark.parametrize("program", ["hapy", "haproxy"])
def test_clients_bring_their_namespace_along(namespace: str, program: str) -> None:
    """The last one that the configuration knows counts; it is passed on, behind all other values."""
    if program == "haproxy" and shutil.which("haproxy") is None:
        pytest.skip("HAProxy is not installed")
    world = World(program)

    def tell(connection: Connection) -> None:
        while b"GET" not in connection.reader.buffer and connection.reader.fill():
            pass
        connection.write(connection.reader.buffer.partition(b"GET")[0])

    def said(listener: str, *names: str) -> bytes:
        client = world.client(listener)
        client.send(_proxied(*names) + b"GET / HTTP/1.0\r\n\r\n")
        return client.reader.to_end()

    try:
        world.places = {"ns": namespace}
        world.origin("s1", tell)
        world.start(CLIENTS)
        for names in ((namespace,), ("nobodys", namespace), (namespace, "nobodys")):
            assert said("theirs", *names).endswith(b"inside")
            assert said("told", *names).endswith(b"\x30\0" + bytes((len(namespace),)) + namespace.encode())
        for names in ((), ("nobodys",)):
            assert said("theirs", *names) == b""
            assert len(said("told", *names)) == 16 + 12 + 7
    finally:
        world.stop()

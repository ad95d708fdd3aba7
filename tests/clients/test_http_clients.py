"""curl, openssl s_client, Python's ssl and the `websockets` library through hapy."""

from __future__ import annotations

import asyncio
import http.client
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from compat.harness import Connection, World
from tests.clients.conftest import need

CONFIG = """
frontend plain
    bind "fd@${plain}"
    default_backend be
frontend secure
    bind "fd@${secure}" ssl crt {dir}/front.pem alpn http/1.1
    http-request set-header X-Proto https
    default_backend be
frontend proxied
    bind "fd@${proxied}" accept-proxy
    http-request return status 200 content-type text/plain lf-string "%[src] %[fc_rcvd_proxy]\\n"
backend be
    server s1 {s1}
"""


def _origin(connection: Connection) -> None:
    while (request := connection.read()) is not None:
        method = request.start.split()[0].encode()
        proto = (request.header("x-proto") or "http").encode()
        connection.reply(b"%b %b %d on %d" % (method, proto, len(request.body), connection.number))


@pytest.fixture
def site(world: World) -> World:
    """hapy with a plain, a TLS and a PROXY protocol frontend before one origin."""
    world.origin("s1", _origin)
    world.certificate("front.pem", "front.test")
    world.start(CONFIG)
    return world


def _port(world: World, listener: str) -> int:
    port: int = world.listeners[listener].getsockname()[1]
    return port


def test_curl(site: World, run: Callable[..., str]) -> None:
    url = f"http://127.0.0.1:{_port(site, 'plain')}/"
    shown = run("curl", "-sv", "--http1.1", url, url, f"{url}?again")
    assert shown.count("GET http 0 on 1") == 3
    assert "Re-using existing connection" in shown
    assert "POST http 100000 on" in run("curl", "-s", "--data-binary", "@-", url, feed="x" * 100_000)
    chunked = ("-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue")
    assert "PUT http 3 on" in run("curl", "-s", "-X", "PUT", *chunked, "--data-binary", "abc", url)
    assert run("curl", "-sI", url).startswith("HTTP/1.1 200")


def test_curl_with_tls(site: World, run: Callable[..., str]) -> None:
    port = _port(site, "secure")
    where = ("--resolve", f"front.test:{port}:127.0.0.1", "--cacert", str(site.dir / "ca.pem"))
    for version in (("--tls-max", "1.2"), ("--tlsv1.3",)):
        shown = run("curl", "-sv", *version, *where, f"https://front.test:{port}/")
        assert "GET https 0 on" in shown
        assert "SSL certificate verify ok" in shown
        assert "http/1.1" in shown


def test_curl_with_a_proxy_header(site: World, run: Callable[..., str]) -> None:
    assert "127.0.0.1 1" in run("curl", "-s", "--haproxy-protocol", f"http://127.0.0.1:{_port(site, 'proxied')}/")


def test_openssl(site: World) -> None:
    command = [
        need("openssl"),
        "s_client",
        "-connect",
        f"127.0.0.1:{_port(site, 'secure')}",
        "-servername",
        "front.test",
    ]
    command += ["-CAfile", str(site.dir / "ca.pem"), "-verify_return_error", "-alpn", "http/1.1", "-quiet", "-ign_eof"]
    request = "GET / HTTP/1.1\r\nHost: front.test\r\nConnection: close\r\n\r\n"
    done = subprocess.run(command, input=request, capture_output=True, text=True, timeout=20, check=False)
    assert "GET https 0 on" in done.stdout, (done.stdout, done.stderr)


def test_pythons_ssl(site: World) -> None:
    context = ssl.create_default_context(cafile=str(site.dir / "ca.pem"))
    context.check_hostname = False
    connection = http.client.HTTPSConnection("127.0.0.1", _port(site, "secure"), context=context, timeout=20)
    for number in range(3):
        connection.request("POST", f"/{number}", b"x" * 70_000)
        assert connection.getresponse().read().startswith(b"POST https 70000 on")
    connection.close()


# --- WebSocket ---

TUNNELS = """
frontend plain
    bind "fd@${plain}"
    default_backend be
frontend secure
    bind "fd@${secure}" ssl crt {dir}/front.pem
    default_backend be
backend be
    timeout tunnel 10s
    server s1 127.0.0.1:%d
"""


@contextmanager
def _echoing() -> Iterator[int]:
    """A WebSocket server that gives back what it gets; its port."""
    server = pytest.importorskip(
        "websockets.asyncio.server", reason="websockets is not installed (pip install websockets)"
    )
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()
    port: list[int] = []
    listening = threading.Event()

    async def echo(socket: object) -> None:
        async for message in socket:  # type: ignore[attr-defined]
            await socket.send(message)  # type: ignore[attr-defined]

    async def main() -> None:
        async with server.serve(echo, "127.0.0.1", 0, max_size=1 << 22) as serving:
            port.append(serving.sockets[0].getsockname()[1])
            listening.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),), daemon=True)
    thread.start()
    assert listening.wait(20)
    try:
        yield port[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(20)
        loop.close()


@pytest.mark.parametrize("listener", ["plain", "secure"])
def test_websockets(world: World, listener: str) -> None:
    client = pytest.importorskip(
        "websockets.asyncio.client", reason="websockets is not installed (pip install websockets)"
    )
    world.certificate("front.pem", "front.test")

    async def talk(port: int) -> None:
        context = None
        if listener == "secure":
            context = ssl.create_default_context(cafile=str(world.dir / "ca.pem"))
        scheme = "ws" if context is None else "wss"
        options = {} if context is None else {"ssl": context, "server_hostname": "front.test"}
        uri = f"{scheme}://127.0.0.1:{port}/chat"
        async with client.connect(uri, max_size=1 << 22, open_timeout=20, **options) as connection:
            for message in ("hello", b"\0" * 1_000_000, "ü" * 1000):
                await connection.send(message)
                assert await connection.recv() == message
            await (await connection.ping())
        assert connection.close_code == 1000

    with _echoing() as port:
        world.start(TUNNELS % port)
        asyncio.run(talk(_port(world, listener)))

"""What sockets have beside their addresses: keep-alive probes, timeouts of the kernel's own, network namespaces."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fcntl import ioctl
from pathlib import Path
from termios import TIOCOUTQ
from typing import TYPE_CHECKING, Final, cast

from hapy_config.build.arguments import milliseconds

if TYPE_CHECKING:
    from asyncio import BaseTransport

    from hapy_config.model.config import Global
    from hapy_config.model.proxy import Proxy
    from hapy_config.model.server import Server

#: (address as text, port) of this side of a connection and of the other; an empty address where there is none yet,
#: `unix` of UNIX sockets.
Ends = tuple[tuple[bytes, int], tuple[bytes, int]]
#: (level, name, value) of `setsockopt`.
Option = tuple[int, int, int]

_TCP_FASTOPEN_CONNECT: Final = 30
_PROBES: Final = {"cnt": socket.TCP_KEEPCNT, "idle": socket.TCP_KEEPIDLE, "intvl": socket.TCP_KEEPINTVL}
_BUFFERS: Final = {"rcvbuf": socket.SO_RCVBUF, "sndbuf": socket.SO_SNDBUF}
_IP_TRANSPARENT: Final = 19
_IPV6_TRANSPARENT: Final = 75
#: `retry-on` with all of these sends a request again that nobody has seen.
_LOST_REQUESTS: Final = frozenset({"conn-failure", "empty-response", "response-timeout"})
_CLONE_NEWNET: Final = 0x40000000
#: Where `ip netns` keeps the names.
_NAMESPACES: Final = Path("/var/run/netns")


def keepalive(proxy: Proxy, side: str) -> tuple[Option, ...]:
    """What keep-alive probes take on one side of a proxy, nothing where they aren't asked for.

    `option tcpka`, or `clitcpka` and `srvtcpka` for one side alone, with `…-cnt`, `…-idle` and `…-intvl`.

    Args:
        proxy: the section.
        side: `cli` or `srv`.
    """
    options: list[Option] = []
    if "tcpka" in proxy.options or f"{side}tcpka" in proxy.options:
        options.append((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1))
        settings = {words[0]: words[1] for words in proxy.settings if words[0].startswith(f"{side}tcpka-")}
        for name, option in _PROBES.items():
            text = settings.get(f"{side}tcpka-{name}")
            if text is not None:
                value = int(text) if name == "cnt" else -(-milliseconds(text, unit="s")[0] // 1000)
                options.append((socket.IPPROTO_TCP, option, value))
    return tuple(options)


def buffers(settings: Global, side: str) -> tuple[Option, ...]:
    """The kernel's buffers of connections, where `tune.rcvbuf.SIDE` and `tune.sndbuf.SIDE` set them.

    Args:
        settings: the global section.
        side: `client` or `server`.
    """
    sizes = {option: int(settings.tune.get(f"{kind}.{side}", 0)) for kind, option in _BUFFERS.items()}
    return tuple((socket.SOL_SOCKET, option, size) for option, size in sizes.items() if size)


def while_it_lasts(server: Server, proxy: Proxy) -> tuple[Option, ...]:
    """What finds a dead connection to a server, on those of its checks, too: keep-alive probes, `tcp-ut`."""
    options = keepalive(proxy, "srv")
    if "tcp-ut" in server.options:
        limit = milliseconds(server.options["tcp-ut"][0])[0]
        options = (*options, (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, limit))
    return options


def towards(server: Server, proxy: Proxy, settings: Global) -> tuple[Option, ...]:
    """What is set on the sockets of connections to a server: buffers, keep-alive probes, `tcp-ut`, `tfo`."""
    options = [*buffers(settings, "server"), *while_it_lasts(server, proxy)]
    if "tfo" in server.options and _speaks_first(proxy):
        options.append((socket.IPPROTO_TCP, _TCP_FASTOPEN_CONNECT, 1))
    return tuple(options)


def _speaks_first(proxy: Proxy) -> bool:
    """Whether TCP Fast Open towards the servers of a proxy harms nothing.

    The system puts the handshake off until the first bytes are written. In TCP mode they may never be: a server that
    greets first would not be heard. A server that is down shows itself by a lost request only, so that `retry-on` must
    allow to send one again (manual, 5.2 `tfo`); else retries and redispatching would be lost.
    """
    events = proxy.retry_on
    return proxy.mode == "http" and ("all-retryable-errors" in events or events >= _LOST_REQUESTS)


def home_of(server: Server) -> str | None:
    """The network namespace that connections to a server leave from; None for our own, and for a client's (`*`)."""
    name = next(iter(server.options.get("namespace", ())), None)
    return None if name == "*" else name


def apply(sock: socket.socket, options: Iterable[Option]) -> None:
    """Set options; what this system doesn't know is left out, as HAProxy does."""
    for level, name, value in options:
        with suppress(OSError):
            sock.setsockopt(level, name, value)


def be_transparent(sock: socket.socket) -> None:
    """Let the socket use an address that isn't this machine's; where that is not allowed, binding will say so."""
    level, name = socket.IPPROTO_IP, _IP_TRANSPARENT
    if sock.family == socket.AF_INET6:
        level, name = socket.IPPROTO_IPV6, _IPV6_TRANSPARENT
    with suppress(OSError):
        sock.setsockopt(level, name, 1)


def end_of(name: object) -> tuple[bytes, int]:
    """Address and port of a socket's name; `unix` and 0 for UNIX sockets."""
    return (name[0].encode(), name[1]) if isinstance(name, tuple) else (b"unix", 0)


def ends(transport: BaseTransport) -> Ends:
    """Both ends of a connection that stands."""
    return end_of(transport.get_extra_info("sockname")), end_of(transport.get_extra_info("peername"))


@contextmanager
def namespace(name: str | None) -> Iterator[None]:
    """Sockets that are made within belong to the network namespace of that name; None for our own.

    Raises:
        OSError: there is none, or entering it is not allowed.
    """
    if name is None:
        yield
        return
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        other = os.open(_NAMESPACES / name, os.O_RDONLY)
        try:
            _enter(other)
        finally:
            os.close(other)
        try:
            yield
        finally:
            _enter(own)
    finally:
        os.close(own)


def _enter(descriptor: int) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def unacknowledged(transport: BaseTransport) -> bool:
    """Whether the kernel holds bytes that the peer's has not acknowledged; of what lies before it, it says nothing."""
    sock = transport.get_extra_info("socket")
    if sock is None:
        return False
    try:
        count = ioctl(sock.fileno(), TIOCOUTQ, bytes(4))
    except OSError:
        return False
    return any(count)


def send_fin(transport: BaseTransport) -> None:
    """Send FIN at once: the peer then sees an end even where closing with unread bytes resets what is left.

    Not where TLS stands above the socket: its end is a record of its own, written as it closes.
    """
    from hapy.net.tls import Link

    bare = transport.get_extra_info("socket")
    if bare is None or isinstance(cast("object", transport), Link):
        return
    with socket.socket(fileno=os.dup(bare.fileno())) as twin, suppress(OSError):
        twin.shutdown(socket.SHUT_WR)

"""Opening connections: TCP over IPv4 and IPv6, UNIX sockets and abstract ones.

Numeric addresses only: names are resolved when the configuration is loaded, or by the resolvers. Whoever calls bounds
the wait (a routine by its deadline, a task by a cancel scope); an abandoned attempt closes its socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from hapy.net.sockets import end_of
from hapy.net.stream import Receiver

if TYPE_CHECKING:
    from hapy.net.sockets import Ends, Option
    from hapy.tls.session import TlsSession

S = TypeVar("S", bound=Receiver)

_SO_BINDTODEVICE = getattr(socket, "SO_BINDTODEVICE", 25)
_IP_BIND_ADDRESS_NO_PORT = 24


#: Bytes of a UNIX socket's name; HAProxy fills abstract ones up with zeros.
_UNIX_PATH_MAX = 108


def abstract(name: str) -> str:
    """An abstract UNIX socket's name as the system has it."""
    return "\0" + name.ljust(_UNIX_PATH_MAX - 1, "\0")


class ConnectFailed(Exception):  # noqa: N818 - the name says what happened, as HAProxy's counters do
    """No connection.

    Attributes:
        kind: `refused` (the peer said no, or nobody is there), `timeout`, `resources` (no file descriptor or memory on
            this side), `source` (the source address cannot be used), `tproxy` (the one of `usesrc`), `ports`
            (it has no free port) or `handshake`.
        tls: what is known of a handshake that came to nothing, None where there was none.
    """

    def __init__(self, kind: str, detail: str = "", tls: TlsSession | None = None) -> None:
        super().__init__(detail or kind)
        self.kind = kind
        self.tls = tls


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to connect to, ready for the event loop.

    Attributes:
        family: `socket.AF_INET`, `AF_INET6` or `AF_UNIX`.
        host: the numeric address, or the path; an abstract name begins with NUL.
        port: 0 for AF_UNIX.
        source: the local (address, port), or None for the system's choice.
        interface: the network interface to send through, or None.
        options: what else is set on the socket.
        transparent: the source need not be an address of this machine.
        namespace: the network namespace to connect from, None for our own; UNIX sockets, abstract ones too, are always
            sought in our own, as in HAProxy.
    """

    family: int
    host: str
    port: int = 0
    source: tuple[str, int] | None = None
    interface: str | None = None
    options: tuple[Option, ...] = ()
    transparent: bool = False
    namespace: str | None = None

    @property
    def plain(self) -> bool:
        """Whether the event loop's own way of connecting will do."""
        return (
            self.source is None
            and self.interface is None
            and not self.options
            and self.namespace is None
            and self.family != socket.AF_UNIX
        )


#: Kinds of failures that no server has part in.
OWN_FAULTS: Final = frozenset({"source", "tproxy", "ports"})

_LOCAL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EAGAIN, errno.EADDRINUSE})
_SOURCE = frozenset({errno.EADDRNOTAVAIL, errno.EPERM, errno.EACCES, errno.ENODEV})


def _failure(error: OSError, *, bound: bool) -> ConnectFailed:
    if error.errno in _LOCAL:
        return ConnectFailed("resources", str(error))
    if bound and error.errno in _SOURCE:
        return ConnectFailed("ports", str(error))
    return ConnectFailed("refused", str(error))


async def connect(
    destination: Destination, factory: Callable[[], S], tell: Callable[[Ends], object] | None = None
) -> S:
    """Connect, and give the protocol (a stream, as a rule) that `factory` made once the connection stands.

    Args:
        destination: where to.
        factory: makes the protocol.
        tell: is told the ends of a connection that did not come about, as far as they were settled.

    Raises:
        ConnectFailed: there is no connection.
    """
    loop = asyncio.get_running_loop()
    make = cast("Callable[[], Any]", factory)
    try:
        if destination.plain and tell is None:
            pair = await loop.create_connection(make, destination.host, destination.port)
        else:
            if tell is not None:
                meant = destination.source if destination.transparent else None
                tell((NOWHERE if meant is None else end_of(meant), _aim(destination)))
            sock = _socket(destination)
            try:
                await _connect_socket(loop, sock, destination)
                pair = (
                    await loop.create_unix_connection(make, sock=sock)
                    if destination.family == socket.AF_UNIX
                    else await loop.create_connection(make, sock=sock)
                )
            except BaseException as error:
                unsettled = isinstance(error, OSError) and error.errno == errno.EADDRNOTAVAIL
                if tell is not None and not unsettled and destination.family != socket.AF_UNIX:
                    with contextlib.suppress(OSError):  # a transport that was begun may have closed it
                        tell((end_of(sock.getsockname()), _aim(destination)))
                sock.close()
                raise
    except OSError as error:
        raise _failure(error, bound=destination.source is not None) from error
    return cast(S, pair[1])


#: The end of a connection that has no address yet.
NOWHERE: Final = (b"", 0)


def _aim(destination: Destination) -> tuple[bytes, int]:
    """The far end as it is meant to be."""
    return end_of(None if destination.family == socket.AF_UNIX else (destination.host, destination.port))


def _socket(destination: Destination) -> socket.socket:
    if destination.namespace is None or destination.family == socket.AF_UNIX:
        sock = socket.socket(destination.family, socket.SOCK_STREAM)
    else:
        from hapy.net.sockets import namespace

        with namespace(destination.namespace):
            sock = socket.socket(destination.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if destination.options and destination.family != socket.AF_UNIX:
            from hapy.net.sockets import apply

            apply(sock, destination.options)
        if destination.transparent:
            from hapy.net.sockets import be_transparent

            be_transparent(sock)
        if destination.interface is not None:
            with contextlib.suppress(OSError):  # HAProxy does not mind an interface that there is not, either
                sock.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, destination.interface.encode() + b"\0")
        if destination.source is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if destination.source[1] == 0 and destination.family == socket.AF_INET:
                # the port is chosen at connect, so that one source address serves more than 64k connections
                sock.setsockopt(socket.SOL_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            try:
                sock.bind(destination.source)
            except OSError as error:
                raise ConnectFailed("tproxy" if destination.transparent else "source", str(error)) from error
    except BaseException:
        sock.close()
        raise
    return sock


async def _connect_socket(loop: asyncio.AbstractEventLoop, sock: socket.socket, destination: Destination) -> None:
    if destination.family == socket.AF_UNIX:
        sock.connect(destination.host)  # never in progress: it succeeds or fails at once
    else:
        await loop.sock_connect(sock, (destination.host, destination.port))

"""Opening what `bind` lines name: addresses, ranges, UNIX and abstract sockets, inherited descriptors.

Rules:
- All sockets of a configuration are opened together. Everything that goes wrong is reported, and when anything did,
  nothing stays behind: UNIX sockets get their path only once all the others stand.
- A socket kept from an earlier generation (a reload) is used again when its key is the same, so that no connection in
  the kernel's queue is lost.
- Sockets inherited as `fd@N` are duplicated: the descriptor itself is left as it was found.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import socket
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from hapy.net import sockets
from hapy_config.build.arguments import milliseconds
from hapy_config.model.config import Global
from hapy_config.model.proxy import Proxy
from hapy_config.model.server import Bind

# Linux's numbers for what the socket module leaves out.
_IPV6_TRANSPARENT = 75
_IPV6_FREEBIND = 78
_IP_TRANSPARENT = 19
_IP_FREEBIND = 15
_UNIX_PATH_MAX = 108

#: The order in which HAProxy starts its protocols, and so that of its messages.
_ORDER = {socket.AF_INET6: 0, socket.AF_INET: 1, socket.AF_UNIX: 2}


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong with one socket. Only a fatal one stops the start; `in_use` may pass when others let go."""

    message: str
    fatal: bool = True
    in_use: bool = False


@dataclass(slots=True)
class Opened:
    """One listening socket.

    Attributes:
        proxy: the frontend it belongs to.
        bind: its line.
        sock: the socket, non-blocking; it listens once `listen` was called on it.
        key: what must be equal for it to be used again after a reload; empty when it never is (`fd@`).
        backlog: the length of the kernel's queue.
    """

    proxy: Proxy
    bind: Bind
    sock: socket.socket
    key: str
    backlog: int
    temporary: str = ""

    @property
    def path(self) -> str:
        """A UNIX socket's path, empty for any other."""
        return self.bind.address.host if self.bind.address.family == "unix" else ""


@dataclass(slots=True)
class Opening:
    """The outcome of `open_all`."""

    sockets: list[Opened] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether the start must stop."""
        return any(problem.fatal for problem in self.problems)

    @property
    def may_pass(self) -> bool:
        """Whether all that failed did so because others hold the same addresses."""
        return self.failed and all(problem.in_use for problem in self.problems if problem.fatal)

    def close(self) -> None:
        """Undo everything."""
        for opened in self.sockets:
            opened.sock.close()
            if opened.temporary:
                Path(opened.temporary).unlink(missing_ok=True)
        self.sockets.clear()


@dataclass(frozen=True, slots=True)
class _Place:
    """One socket to open: an address of a bind line, with its range and its name resolved."""

    proxy: Proxy
    bind: Bind
    family: int
    address: tuple[str, int] | str | bytes
    shown: str


def open_all(
    proxies: Iterable[Proxy], *, maxconn: int, reuse_port: bool = True, kept: Mapping[str, int] | None = None
) -> Opening:
    """Open and bind the sockets of all frontends; `listen` is still to be called on the result.

    Args:
        proxies: those that take connections; disabled ones are left out by the caller.
        maxconn: the process's limit, which is the kernel queue's length where nothing else is said.
        reuse_port: set SO_REUSEPORT, so that an older process may still hold the port.
        kept: descriptors of sockets kept from an earlier generation, by key.
    """
    opening = Opening()
    places: list[_Place] = []
    for proxy in proxies:
        for bind in proxy.binds:
            if bind.address.family == "fd":
                _adopt(opening, proxy, bind, maxconn)
            else:
                places += _places(opening, proxy, bind)
    places.sort(key=lambda place: _ORDER[place.family])  # type: ignore[index]
    seen: Counter[str] = Counter()
    for place in places:
        key = _key(place)
        seen[key] += 1
        key += f" {seen[key]}"
        number = (kept or {}).get(key)
        sock = _use_again(number) if number is not None else None
        temporary = ""
        if sock is None:
            sock, temporary = _open(opening, place, reuse_port=reuse_port)
        if sock is not None:
            backlog = _backlog(place.proxy, place.bind, maxconn)
            opening.sockets.append(Opened(place.proxy, place.bind, sock, key, backlog, temporary))
    return opening


def listen_all(opening: Opening, settings: Global) -> None:
    """Start listening on everything, and give UNIX sockets their paths. Problems are added to `opening`."""
    buffers = sockets.buffers(settings, "client")
    for opened in opening.sockets:
        sock = opened.sock
        try:
            if sock.family != socket.AF_UNIX:
                # what it accepts has them from it
                sockets.apply(sock, (*buffers, *sockets.keepalive(opened.proxy, "cli")))
            if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                sock.listen(opened.backlog)
            if opened.temporary:
                Path(opened.temporary).rename(opened.path)
                opened.temporary = ""
        except OSError as error:
            opening.problems.append(_problem(opened.proxy, opened.bind, "cannot listen to socket", error, opened.path))


def _backlog(proxy: Proxy, bind: Bind, maxconn: int) -> int:
    return bind.backlog or proxy.backlog or bind.maxconn or proxy.maxconn or maxconn


def _where(proxy: Proxy, bind: Bind) -> str:
    kind = "frontend" if proxy.kind == "frontend" else "proxy"
    return f"Binding [{bind.span.file}:{bind.span.line}] for {kind} {proxy.name}: "


def _problem(proxy: Proxy, bind: Bind, what: str, error: OSError, shown: str, *, fatal: bool = True) -> Problem:
    reason = os.strerror(error.errno) if error.errno else str(error)
    place = f"[{shown}]" if bind.address.family in ("unix", "abns") else f"for [{shown}]"
    return Problem(f"{_where(proxy, bind)}{what} ({reason}) {place}", fatal, error.errno == errno.EADDRINUSE)


def _places(opening: Opening, proxy: Proxy, bind: Bind) -> list[_Place]:
    address = bind.address
    if address.family == "unix":
        return [_Place(proxy, bind, socket.AF_UNIX, address.host, address.host)]
    if address.family == "abns":
        # HAProxy pads the name with zeroes to its full length, and whoever connects must do the same.
        name = b"\0" + address.host.encode().ljust(_UNIX_PATH_MAX - 1, b"\0")
        return [_Place(proxy, bind, socket.AF_UNIX, name, "abns@" + address.host)]
    family, host = socket.AF_INET, address.host or "0.0.0.0"
    if address.family == "ipv6":
        family = socket.AF_INET6
    elif address.family == "name":
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
        except OSError as error:
            opening.problems.append(Problem(f"{_where(proxy, bind)}cannot resolve address '{host}' ({error.strerror})"))
            return []
        family, host = found[0], str(found[4][0])
    elif address.family == "any":
        host = "0.0.0.0"
    return [_Place(proxy, bind, family, (host, port), f"{host}:{port}") for port in address.ports]


def _key(place: _Place) -> str:
    bind = place.bind
    namespace = " ".join(bind.options.get("namespace", ()))
    return f"{place.shown} {bind.interface or ''} {bind.v4v6} {bind.transparent} {namespace}"


def _use_again(number: int) -> socket.socket | None:
    try:
        sock = socket.socket(fileno=os.dup(number))
    except OSError:
        return None
    sock.setblocking(False)
    return sock


def _adopt(opening: Opening, proxy: Proxy, bind: Bind, maxconn: int) -> None:
    try:
        sock = socket.socket(fileno=os.dup(int(bind.address.host)))
    except (OSError, ValueError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a number"
        message = f"{_where(proxy, bind)}cannot use file descriptor '{bind.address.host}' : {reason}"
        opening.problems.append(Problem(message))
        return
    sock.setblocking(False)
    opening.sockets.append(Opened(proxy, bind, sock, "", _backlog(proxy, bind, maxconn)))


def _open(opening: Opening, place: _Place, *, reuse_port: bool) -> tuple[socket.socket | None, str]:
    """A bound socket, and the temporary path that a UNIX one stands under."""
    if place.family == socket.AF_UNIX:
        return _open_unix(opening, place)
    try:
        with sockets.namespace(next(iter(place.bind.options.get("namespace", ())), None)):
            sock = socket.socket(place.family, socket.SOCK_STREAM)
    except OSError as error:
        opening.problems.append(_problem(place.proxy, place.bind, "cannot create socket", error, place.shown))
        return None, ""
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        _before_bind(opening, place, sock)
        sock.bind(place.address)
        _after_bind(opening, place, sock)
    except OSError as error:
        sock.close()
        opening.problems.append(_problem(place.proxy, place.bind, "cannot bind socket", error, place.shown))
        return None, ""
    return sock, ""


def _try(opening: Opening, place: _Place, what: str, sock: socket.socket, level: int, name: int, value: object) -> None:
    """Set an option without which the socket can still serve, and warn when it can't be set."""
    try:
        if isinstance(value, bytes):
            sock.setsockopt(level, name, value)
        else:
            sock.setsockopt(level, name, int(value))  # type: ignore[call-overload]
    except OSError as error:
        opening.problems.append(_problem(place.proxy, place.bind, what, error, place.shown, fatal=False))


def _before_bind(opening: Opening, place: _Place, sock: socket.socket) -> None:
    bind = place.bind
    if place.family == socket.AF_INET6 and bind.v4v6 is not None:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not bind.v4v6))
    if bind.transparent:
        level, name, free = socket.IPPROTO_IP, _IP_TRANSPARENT, _IP_FREEBIND
        if place.family == socket.AF_INET6:
            level, name, free = socket.IPPROTO_IPV6, _IPV6_TRANSPARENT, _IPV6_FREEBIND
        try:
            sock.setsockopt(level, name, 1)
        except OSError:  # that takes privileges; this is enough for addresses of other machines
            _try(opening, place, "cannot make listening socket transparent", sock, level, free, 1)
    if bind.interface:
        device = bind.interface.encode() + b"\0"
        what = f"cannot bind receiver to device '{bind.interface}'"
        _try(opening, place, what, sock, socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)


def _after_bind(opening: Opening, place: _Place, sock: socket.socket) -> None:
    bind = place.bind
    tcp = socket.IPPROTO_TCP
    if bind.mss is not None:
        _try(opening, place, "cannot set MSS", sock, tcp, socket.TCP_MAXSEG, bind.mss)
    if bind.defer_accept:
        _try(opening, place, "cannot enable DEFER_ACCEPT", sock, tcp, socket.TCP_DEFER_ACCEPT, 1)
    if "tcp-ut" in bind.options:
        limit = milliseconds(bind.options["tcp-ut"][0])[0]
        _try(opening, place, "cannot set TCP User Timeout", sock, tcp, socket.TCP_USER_TIMEOUT, limit)
    if bind.tfo:
        queue = bind.backlog or place.proxy.backlog or 1024
        _try(opening, place, "cannot enable TCP_FASTOPEN", sock, tcp, socket.TCP_FASTOPEN, queue)


def _open_unix(opening: Opening, place: _Place) -> tuple[socket.socket | None, str]:
    bind = place.bind
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    temporary = ""
    try:
        sock.setblocking(False)
        if isinstance(place.address, bytes):
            sock.bind(place.address)
            return sock, ""
        temporary = f"{place.address}.{os.getpid()}.tmp"
        Path(temporary).unlink(missing_ok=True)
        sock.bind(temporary)
        owner, group = _owner(bind)
        if owner != -1 or group != -1:
            os.chown(temporary, owner, group)
        if bind.mode is not None:
            Path(temporary).chmod(bind.mode)
    except OSError as error:
        sock.close()
        if temporary:
            with suppress(OSError):
                Path(temporary).unlink(missing_ok=True)
        opening.problems.append(_problem(place.proxy, bind, "cannot bind UNIX socket", error, place.shown))
        return None, ""
    return sock, temporary


def _owner(bind: Bind) -> tuple[int, int]:
    """The numbers of the user and the group that the socket's path shall belong to, -1 for unchanged."""
    owner = group = -1
    try:
        if bind.uid is not None:
            owner = int(bind.uid) if bind.uid.isdigit() else pwd.getpwnam(bind.uid).pw_uid
        if bind.gid is not None:
            group = int(bind.gid) if bind.gid.isdigit() else grp.getgrnam(bind.gid).gr_gid
    except KeyError as error:
        raise OSError(str(error.args[0])) from error
    return owner, group

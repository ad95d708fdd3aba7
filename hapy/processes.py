"""What a process does to itself and to others: limits, identity, background, pid files, signals to its predecessors.

(management manual, sections 3 to 6.) Everything here is synchronous and runs before the event loop does.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import resource
import signal
import socket
from collections.abc import Iterable
from pathlib import Path

from hapy_config.model.config import Config, Global


class StartError(Exception):
    """The start must stop; the message is for an `[ALERT]` line."""


# limits

#: The longest queue that Linux keeps for a listening socket by default, and listeners that may be crowded at once.
_KERNEL_QUEUE = 4096
_CROWDED_LISTENERS = 4


def descriptors_beside_clients(config: Config) -> int:
    """Descriptors needed besides two for each connection: listeners, log sockets, the loop's own."""
    listeners = sum(len(bind.address.ports) for proxy in config.proxies for bind in proxy.binds)
    checks = sum(server.check for proxy in config.proxies for server in proxy.servers)
    targets = len(config.global_.log) + sum(len(proxy.log) for proxy in config.proxies)
    # A listener in use has its socket twice (hapy.net.accepting).
    return 32 + 2 * listeners + checks + targets


def most_descriptors(config: Config, maxconn: int) -> int:
    """Descriptors that the process needs when all its connections stand, as HAProxy counts them."""
    return 2 * maxconn + descriptors_beside_clients(config)


def effective_maxconn(config: Config, wanted: int | None) -> int:
    """The process's limit of connections: `-n`, else `maxconn`, else what the descriptor limit allows."""
    if wanted is not None and wanted > 0:
        return wanted
    if config.global_.maxconn:
        return config.global_.maxconn
    limit = config.global_.ulimit_n or _hard_limit(config)
    if limit == resource.RLIM_INFINITY or limit > 1048576:
        limit = 1048576
    return max((limit - descriptors_beside_clients(config)) // 2, 100)


def _hard_limit(config: Config) -> int:
    """The most descriptors that the process may have: the system's limit, or `fd-hard-limit` where that is less."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    own = config.global_.fd_hard_limit or 0
    if own <= 0:
        return hard
    return own if hard == resource.RLIM_INFINITY else min(own, hard)


def raise_descriptor_limit(config: Config, maxconn: int) -> list[str]:
    """Make room for `maxconn` connections; gives warnings.

    Raises:
        StartError: it can't be done and `strict-limits` is on.
    """
    needed = most_descriptors(config, maxconn)
    wanted = config.global_.ulimit_n or needed
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _hard_limit(config)
    if soft == resource.RLIM_INFINITY == most:
        return []
    warnings: list[str] = []
    if wanted > soft or config.global_.ulimit_n or most != hard:
        try:
            if wanted > most != hard:
                raise ValueError
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
        except (ValueError, OSError):
            message = f"[haproxy.main()] Cannot raise FD limit to {wanted}, limit is {most}."
            if config.global_.strict_limits:
                raise StartError(message) from None
            warnings.append(message)
            resource.setrlimit(
                resource.RLIMIT_NOFILE, (hard if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
            )
    limit, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit >= needed and not config.global_.ulimit_n:
        # Connections over a limit wait in hapy.net.accepting, each with a descriptor of its own: where there is room,
        # a full kernel queue of each listener should find it.
        listeners = sum(len(bind.address.ports) for proxy in config.proxies for bind in proxy.binds)
        roomy = needed + min(maxconn, _KERNEL_QUEUE) * min(listeners, _CROWDED_LISTENERS)
        most = _hard_limit(config)
        roomy = roomy if most == resource.RLIM_INFINITY else min(roomy, most)
        if roomy > limit:
            resource.setrlimit(resource.RLIMIT_NOFILE, (roomy, hard))
    if limit < needed and not warnings:
        message = (
            f"[haproxy.main()] FD limit ({limit}) too low for maxconn={maxconn}/maxsock={needed}. "
            f"Please raise 'ulimit-n' to {needed} or more to avoid any trouble."
        )
        if config.global_.strict_limits:
            raise StartError(message)
        warnings.append(message)
    return warnings


def limit_memory(megabytes: int) -> None:
    """`-m`: bound the address space.

    Raises:
        StartError: the system refuses.
    """
    if megabytes <= 0:
        return
    size = megabytes * 1048576
    try:
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    except (ValueError, OSError):
        raise StartError(f"[haproxy.main()] Cannot fix MEM limit to {megabytes} megs.") from None


# identity


def drop_privileges(settings: Global) -> None:
    """`chroot`, `group`/`gid` and `user`/`uid`, in this order.

    Raises:
        StartError: one of them is refused.
    """
    uid, gid = settings.uid, settings.gid
    try:
        if settings.user is not None:
            uid = pwd.getpwnam(settings.user).pw_uid
        if settings.group is not None:
            gid = grp.getgrnam(settings.group).gr_gid
    except KeyError as error:
        raise StartError(f"[haproxy.main()] {error.args[0]}.") from None
    if settings.chroot is not None or (uid and not _reads_programs(uid)):
        load_everything()
    if settings.chroot is not None:
        try:
            os.chroot(settings.chroot)
            os.chdir("/")
        except OSError:
            raise StartError(f"[haproxy.main()] Cannot chroot({settings.chroot}).") from None
    if gid:
        with contextlib.suppress(OSError):  # without privileges there are no groups to leave
            os.setgroups([])
        try:
            os.setgid(gid)
        except OSError:
            raise StartError(f"[haproxy.main()] Cannot set gid {gid}.") from None
    if uid:
        try:
            os.setuid(uid)
        except OSError:
            raise StartError(f"[haproxy.main()] Cannot set uid {uid}.") from None


def _reads_programs(uid: int) -> bool:
    """Whether another user can import what this program may load later: Python may lie in the home of root."""
    import anyio

    own = os.geteuid()
    try:
        os.seteuid(uid)
    except OSError:
        return True  # setuid will say so
    try:
        return all(os.access(file, os.R_OK, effective_ids=True) for file in (os.__file__, __file__, anyio.__file__))
    finally:
        os.seteuid(own)


def load_everything() -> None:
    """Import all that a running proxy may import lazily: after `chroot` there is nothing to import from."""
    import importlib
    import pkgutil

    import anyio

    import hapy
    import hapy_config

    for package in (hapy, hapy_config):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    libraries = [module.name for module in pkgutil.walk_packages(anyio.__path__, "anyio.")]
    # What the standard library loads on first use: codecs, tracebacks, name resolution.
    libraries.append("cryptography.hazmat.backends.openssl.backend")  # where certificates are signed
    for name in (*libraries, "uvloop", "encodings.idna", "encodings.latin_1", "traceback", "linecache"):
        with contextlib.suppress(ImportError):  # parts for other platforms and frameworks
            importlib.import_module(name)
    with contextlib.suppress(OSError):
        socket.getaddrinfo("localhost", 80)


# background


def into_background() -> int:
    """Fork; gives the child's pid, and 0 in the child, which leads a session of its own."""
    child = os.fork()
    if child == 0:
        os.setsid()
    return child


class Null:
    """/dev/null, opened while it can still be reached."""

    def __init__(self) -> None:
        self._number = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)

    def release_terminal(self) -> None:
        """Point standard input, output and error to it: whoever waits for their end goes on."""
        for number in (0, 1, 2):
            os.dup2(self._number, number)


class PidFile:
    """The pid file: created before privileges are dropped, written once the pids are known."""

    def __init__(self, path: str) -> None:
        """Create or empty the file.

        Raises:
            StartError: it can't be created.
        """
        try:
            Path(path).unlink(missing_ok=True)
            self._number = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        except OSError:
            raise StartError(f"[haproxy.main()] Cannot create pidfile {path}") from None

    def write(self, pids: Iterable[int]) -> None:
        """Write one pid a line, and close."""
        os.write(self._number, "".join(f"{pid}\n" for pid in pids).encode())
        os.close(self._number)

    def close(self) -> None:
        """Leave the writing to the other side of a fork."""
        os.close(self._number)


# others


def tell(pids: Iterable[int], number: signal.Signals) -> int:
    """Send a signal to all of them; gives how many there were."""
    told = 0
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError, OverflowError):
            continue
        told += 1
    return told


def notify_systemd(state: str) -> None:
    """Tell the service manager (`-Ws`; sd_notify(3)). Nothing happens where there is none."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path.startswith(("/", "@")):
        return
    address = "\0" + path[1:] if path[0] == "@" else path
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.sendto(state.encode(), address)


def die_by(number: int) -> None:
    """End by the signal that was received, so that whoever waits sees it."""
    signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
    os.kill(os.getpid(), number)

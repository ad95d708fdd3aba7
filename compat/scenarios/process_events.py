"""What becomes of sections and of the process: the lines of their logs."""

from __future__ import annotations

import re
import signal
import socket
from contextlib import ExitStack
from functools import partial

from compat.harness import World
from compat.harness.targets import Target, ended, make_silent, read_head, wait_until
from compat.harness.world import mask_log
from compat.scenarios.checks import make_targets


def process_events(world: World) -> None:
    """What becomes of sections and of the process stands in their logs, too."""
    world.origin("s1")
    world.start(
        """
frontend fe
    bind "fd@${fe}"
    http-request return
listen li
    bind "fd@${li}"
    server s {s1} disabled
backend be
    log {syslog} local3
    server s {s1}
"""
    )
    world.once("/")
    for number, told in (
        (signal.SIGTTOU, "Paused proxy li"),
        (signal.SIGTTIN, "Resumed proxy li"),
        (signal.SIGHUP, "Proxy be has"),
        (signal.SIGUSR1, "Proxy be stopped"),
    ):
        world.signal(number)
        wait_until(partial(_is_told, world, told))
    for line in world.syslog.lines:
        if "HTTPCLIENT" not in line and "Connect from" not in line:
            world.note(mask_log(line))


def _is_told(world: World, text: str) -> bool:
    return any(text in line for line in world.syslog.lines)


def _half(_target: Target, sock: socket.socket) -> None:
    """Answers with the beginning of a body and then says nothing more."""
    read_head(sock)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
    while sock.recv(4096):
        pass


def _has_met(target: Target, count: int) -> bool:
    return target.met >= count


def hard_stop(world: World) -> None:
    """`hard-stop-after`: what servers have is ended and logged; who has no server stays open until the process ends.

    Whether a request in a queue still gets to its server is a matter of HAProxy's moment.
    """
    with ExitStack() as stack:
        targets = make_targets(world, stack, {"silent": make_silent, "half": _half})
        world.start(
            """
global
    hard-stop-after 300ms
defaults
    mode http
    log {syslog} local1
    option httplog
    timeout client 20s
    timeout server 20s
    timeout connect 20s
    timeout queue 20s
    timeout tarpit 20s
frontend h
    bind "fd@${h}"
    http-request tarpit if { path /tarpit }
    use_backend half if { path /half }
    default_backend silent
backend silent
    server s {silent}
backend half
    server s {half}
listen t
    mode tcp
    option tcplog
    bind "fd@${t}"
    server s {silent}
listen waits
    mode tcp
    option tcplog
    bind "fd@${waits}"
    tcp-request inspect-delay 20s
    tcp-request content accept if { req.len gt 100 }
    server s {silent}
""",
            bare=True,
        )
        reached = 0
        for listener, text, reaches in (
            ("h", "GET / HTTP/1.1\nHost: a\n\n", "silent"),
            ("h", "GET /half HTTP/1.1\nHost: a\n\n", "half"),
            ("h", "POST / HTTP/1.1\nHost: a\nContent-Length: 9\n\nabc", "silent"),
            ("h", "GET /tarpit HTTP/1.1\nHost: a\n\n", ""),
            ("h", "GET / HT", ""),
            ("t", "hello", "silent"),
            ("waits", "hello", ""),
        ):
            world.client(listener).send(text)
            if reaches:
                reached += reaches == "silent"
                wait_until(partial(_has_met, targets["silent"], reached))
        world.clients[1].reader.fill()  # the answer has begun
        world.signal(signal.SIGUSR1)
        for number, client in enumerate(world.clients):
            if number in (0, 1):
                client.receive()
            client.expect_end(10)
        wait_until(partial(ended, world))
        for line in sorted(re.sub(r" \d+/\d+/\d+/\d+/0 ", " counts ", line) for line in world.syslog.traffic()):
            world.note(line)
        for line in world.syslog.lines:
            if "hard-stop" in line or "resisted" in line:
                world.note(mask_log(line))

"""What follows from checks, and what they ride on: observed traffic, sessions of marked servers, TLS, programs."""

from __future__ import annotations

import re
import socket
from contextlib import ExitStack

from compat.harness import Connection, World
from compat.harness.targets import (
    Target,
    first_words,
    http,
    make_silent,
    read_head,
    said_of_servers,
    wait_for_line,
    wait_until,
)
from compat.scenarios.checks import HEAD, make_targets, start
from compat.scenarios.states_told import GLOBAL, ask


def observed(world: World) -> None:
    """`observe`: traffic that fails takes servers down."""
    rows = [
        (mode, target, reaction)
        for mode, target in (("layer4", "dead"), ("layer7", "s500"), ("layer7", "junk"), ("layer7", "cutting"))
        for reaction in ("fastinter", "fail-check", "sudden-death", "mark-down")
    ]

    def cutting(_target: Target, sock: socket.socket) -> None:
        sock.recv(4096)

    with ExitStack() as stack:
        targets = make_targets(world, stack, {"cutting": cutting})
        parts = []
        for number, (mode, target, reaction) in enumerate(rows):
            parts.append(
                f'listen l{number}\n    bind "fd@${{l{number}}}"\n    option log-health-checks\n    retries 0\n'
                f"    server s {{{target}}} check port {targets['silent'].port} observe {mode} error-limit 3"
                f" on-error {reaction} inter 100s\n"
            )
        world.start("".join(parts))
        wait_for_line(world, "l0/s succeeded")
        for number in range(len(rows)):
            statuses = []
            for _ in range(4):
                message = world.client(f"l{number}").get("/")
                statuses.append(str(message.status if message else 0))
            world.note(f"{rows[number]} {' '.join(statuses)}")
        world.forget_clients()
        for number in range(len(rows)):
            for line in said_of_servers(world):
                if f" l{number}/" in line and "succeeded" not in line:
                    world.note(line)


def unasked_upgrades(world: World) -> None:
    """`observe layer7`: a 101 that nobody asked for is the first error of a row; servers marked down again are told of again."""

    def behave(target: Target, sock: socket.socket) -> None:
        while head := read_head(sock):
            status = head.split(b" ")[1].strip(b"/")
            target.heard.append(status)
            sock.sendall(b"HTTP/1.1 %b X\r\n" % status + b"Content-Length: 0\r\n" * (status != b"101") + b"\r\n")

    with ExitStack() as stack:
        make_targets(world, stack, {"any": behave})
        world.start(
            "listen l\n    bind fd@${l}\n    option httpchk GET /200\n    option log-health-checks\n"
            "    server s {any} check observe layer7 error-limit 3 on-error mark-down inter 100s\n",
            global_=GLOBAL,
        )
        wait_for_line(world, "l/s succeeded")
        for paths in ("500 500 101 500 500", "500 500 500", "500 500 200 500 101 101", "500 500", "101 500 500"):
            for path in paths.split():
                message = world.client("l").get(f"/{path}")
                world.note(f"{path}: {message.status if message else 0}")
            ask(world, "set server l/s health up")
        for line in said_of_servers(world):
            world.note(re.sub(r"\d sessions active", "N sessions active", line))
        world.forget_clients()


def sessions_of_marked_servers(world: World) -> None:
    """`on-marked-down` and `on-marked-up`: what becomes of requests under way, HTTP and TCP."""

    def holding(target: Target, sock: socket.socket) -> None:
        head = sock.recv(4096)
        if b"half" in head:
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        target.heard.append(head.split(b" ")[1] if b" " in head else b"")
        sock.recv(1)

    with ExitStack() as stack:
        targets = make_targets(world, stack, {"hold": holding, "one": http("200 OK"), "two": http("200 OK")})
        world.places |= {f"{name}_port": str(targets[name].port) for name in ("one", "two")}
        world.start(
            """
defaults
    log global
    timeout connect 5s
    timeout client 10s
    timeout server 10s
    option httpchk
    default-server inter 100ms rise 1 fall 1
listen h
    mode http
    bind "fd@${h}"
    option httplog
    server a {hold} check port {one_port} on-marked-down shutdown-sessions
listen t
    mode tcp
    bind "fd@${t}"
    option tcplog
    server a {hold} check port {one_port} on-marked-down shutdown-sessions
listen u
    mode http
    bind "fd@${u}"
    option httplog
    server a {hold} check port {two_port} on-marked-up shutdown-backup-sessions
    server b {hold} backup
"""
        )
        targets["two"].behave = http("500 No")
        wait_for_line(world, "u/a is DOWN")
        for listener in ("h", "t", "u"):
            for path in ("/wait", "/half"):
                before = len(targets["hold"].heard)
                world.client(listener).send(f"GET {path} HTTP/1.1\nHost: a\n\n")
                wait_until(lambda before=before: len(targets["hold"].heard) > before)
        targets["one"].behave = http("500 No")
        wait_for_line(world, "h/a is DOWN", "t/a is DOWN")
        targets["two"].behave = http("200 OK")
        wait_for_line(world, "u/a is UP")
        for client in world.clients:
            client.receive()
            client.expect_end(0.5)
        world.syslog.wait(6)
        for line in sorted(world.syslog.traffic()):  # counts depend on which of them ends first
            world.note(re.sub(r" \d+/\d+/\d+/\d+/0 0/0", " counts", line))


def checks_over_tls(world: World) -> None:
    """`check-ssl` and what goes with it: names, certificates, protocols; and the PROXY header of checks."""

    def answer(connection: Connection) -> None:
        head = connection.sock.recv(4096)
        connection.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" if head else b"")
        connection.sock.recv(1)

    with ExitStack() as stack:
        targets = make_targets(world, stack)
        origin = world.tls_origin("tls", "a.test", script=answer)
        del world.origins["tls"]
        stack.callback(origin.stop)
        world.places["tls"] = origin.address
        rows = {
            "plain": "server s {tls} check ssl verify none",
            "only": "server s {tls} check check-ssl verify none",
            "trusted": "server s {tls} check ssl verify required ca-file {dir}/ca.pem check-sni a.test",
            "other_name": "server s {tls} check ssl verify required ca-file {dir}/ca.pem check-sni b.test",
            "no_tls": "server s {ok} check check-ssl verify none",
            "elsewhere": f"server s {{tls}} ssl verify none check port {targets['ok'].port}",
            "both": f"server s {{ok}} check check-ssl verify none port {origin.port}",
            "switched_off": "server s {tls} check ssl verify none no-check-ssl",
            "header": "server s {hearing} check send-proxy inter 500ms",
            "header2": "server s {hearing} check check-send-proxy send-proxy-v2-ssl inter 500ms",
        }
        parts = [f"backend {name}\n    option httpchk\n    {HEAD}    {line}\n" for name, line in rows.items()]
        parts.append("backend l6\n    option log-health-checks\n    server s {tls} check ssl verify none inter 500ms\n")
        parts.append(
            f"backend step\n    option httpchk\n    {HEAD}    http-check connect ssl sni a.test alpn http/1.1\n"
            "    http-check send uri /\n    server s {tls} check verify required ca-file {dir}/ca.pem\n"
        )
        start(world, "".join(parts))
        first_words(world, [f"{name}/s" for name in (*rows, "l6", "step")])
        shown = {line.partition(": ")[2] for line in origin.handshakes if "resumed False" in line}
        world.note(str(sorted(line for line in shown if "b.test" not in line)))
        heard = sorted({piece[:16] for piece in targets["hearing"].heard})
        world.note(str([piece if piece.startswith(b"\r") else piece[:11] for piece in heard]))


def external(world: World) -> None:
    """`option external-check`: what a program is given, and what its end means."""
    with ExitStack() as stack:
        make_targets(world, stack)
        script = world.dir / "check.sh"
        script.write_text(
            "#!/bin/sh\n"
            'echo "$# $1 $2 $3" > "$(dirname "$0")/args.$HAPROXY_SERVER_NAME"\n'
            'env | grep -v "PORT=\\|PWD=\\|^_=\\|SHLVL" | sort > "$(dirname "$0")/env.$HAPROXY_SERVER_NAME"\n'
            'ls -l /proc/$$/fd | grep -c socket > "$(dirname "$0")/sockets.$HAPROXY_SERVER_NAME"\n'
            'case "$HAPROXY_SERVER_NAME" in three) exit 3;; killed) kill -9 $$;; slow) exec sleep 9;; esac\n'
        )
        script.chmod(0o755)
        (world.dir / "path.sh").write_text('#!/bin/sh\necho "<$PATH>" > "${0%path.sh}args.path"\n')
        (world.dir / "path.sh").chmod(0o755)
        world.start(
            f"""
global
    external-check
    insecure-fork-wanted
frontend fe
    mode tcp
    bind "fd@${{fe}}"
backend b
    option external-check
    option log-health-checks
    external-check command {script}
    external-check path /usr/bin:/bin
    default-server inter 900ms rise 2 fall 1
    server good {{silent}} check
    server three {{silent}} check maxconn 7 ssl verify none
    server slow {{silent}} check
    server killed {{silent}} check
    server unix unix@/tmp/nowhere check
    server abstract abns@nowhere check
backend bare
    option external-check
    option log-health-checks
    external-check command {world.dir}/path.sh
    server s {{silent}} check inter 900ms
backend none
    option external-check
    option log-health-checks
    external-check command /nonexistent
    server s {{silent}} check inter 900ms
"""
        )
        first_words(world, ["b/good", "b/three", "b/slow", "b/killed", "b/unix", "b/abstract", "bare/s", "none/s"])
        for name in ("good", "three", "unix", "abstract"):
            for what in ("args", "env", "sockets"):
                world.note(f"{what} {(world.dir / f'{what}.{name}').read_text().split()}")
        world.note((world.dir / "args.path").read_text())


def unseen(world: World) -> None:
    """Checks that say and hear nothing end before a server's program sees them; the others do not."""
    with ExitStack() as stack:
        rows = {
            "plain": "",
            "option": "option tcp-check",
            "connect": "option tcp-check\n    tcp-check connect",
            "cleanly": "option tcp-check\n    tcp-check connect linger",
            "talking": "option tcp-check\n    tcp-check send abc",
        }
        targets = make_targets(world, stack, dict.fromkeys(rows, make_silent))
        start(
            world,
            "".join(f"backend {n}\n    {words}\n    {HEAD}    server s {{{n}}} check\n" for n, words in rows.items()),
            defaults="mode tcp",
        )
        first_words(world, [f"{name}/s" for name in rows])
        assert wait_until(lambda: targets["cleanly"].met > 2 and targets["talking"].met > 2)
        world.note(str([name for name in rows if targets[name].met]))

"""`mode tcp`: one client connection, one server connection, both half-closes kept."""

from __future__ import annotations

import contextlib
import queue
import re
import select
import socket
import threading

from compat.harness import Connection, World

CONFIG = """
frontend fe
    bind "fd@${fe}"
    mode tcp
    option tcplog
    {front}
    default_backend be
backend be
    mode tcp
    {back}
    server s1 {s1}
"""


def _start(world: World, front: str = "", back: str = "") -> None:
    world.start(CONFIG.replace("{front}", front).replace("{back}", back))


def _echo(connection: Connection) -> None:
    while connection.reader.fill():
        data, connection.reader.buffer = connection.reader.buffer, b""
        connection.write(data.upper())


def echo(world: World) -> None:
    """Bytes go both ways."""
    world.origin("s1", _echo)
    _start(world)
    client = world.client()
    client.send(b"hello")
    world.note(repr(client.reader.exactly(5)))
    client.send(b"again")
    world.note(repr(client.reader.exactly(5)))
    client.shutdown()
    world.note(repr(client.reader.to_end()) + client.reader.end)
    world.logs(1)


def server_speaks_first(world: World) -> None:
    """A banner comes before the client sends anything."""

    def script(connection: Connection) -> None:
        connection.write(b"220 ready\r\n")
        _echo(connection)

    world.origin("s1", script)
    _start(world)
    client = world.client()
    world.note(repr(client.reader.until(b"\r\n")))
    client.send(b"quit")
    world.note(repr(client.reader.exactly(4)))
    client.close()
    world.logs(1)


def client_half_close(world: World) -> None:
    """The server sees the client's FIN and still answers."""

    def script(connection: Connection) -> None:
        data = connection.reader.to_end()
        connection.write(b"%d bytes" % len(data))

    world.origin("s1", script)
    _start(world)
    client = world.client()
    client.send(b"x" * 1000)
    client.shutdown()
    world.note(repr(client.reader.to_end()) + client.reader.end)
    world.logs(1)


def server_half_close(world: World) -> None:
    """The client sees the server's FIN and can go on sending."""
    got = []

    def script(connection: Connection) -> None:
        connection.write(b"bye")
        connection.shutdown()
        got.append(connection.reader.to_end())
        connection.ended.set()

    origin = world.origin("s1", script)
    _start(world)
    client = world.client()
    world.note(repr(client.reader.to_end()) + client.reader.end)
    client.send(b"more")
    client.close()
    origin.connections[0].ended.wait(5)
    world.note(repr(got))
    world.logs(1)


def refused(world: World) -> None:
    """A server that refuses: the client is closed, `SC`."""
    world.origin("s1").stop()
    _start(world, back="retries 0")
    client = world.client()
    world.note(repr(client.reader.to_end()) + client.reader.end)
    world.logs(1)


def client_timeout(world: World) -> None:
    """An idle session ends after `timeout client`, `cD`."""
    world.origin("s1", _echo)
    _start(world, front="timeout client 200ms")
    client = world.client()
    client.send(b"hello")
    world.note(repr(client.reader.to_end()) + client.reader.end)
    world.logs(1)


def server_timeout(world: World) -> None:
    """An idle server ends it, `sD`."""
    world.origin("s1", _echo)
    _start(world, back="timeout server 200ms")
    client = world.client()
    client.send(b"hello")
    world.note(repr(client.reader.to_end()) + client.reader.end)
    client.close()
    world.logs(1)


def big_transfer(world: World) -> None:
    """Four megabytes arrive whole."""

    def script(connection: Connection) -> None:
        connection.reader.until(b"\n")
        connection.write(b"0123456789abcdef" * 262144)

    world.origin("s1", script)
    _start(world)
    client = world.client()
    client.send(b"go\n")
    data = client.reader.to_end()
    world.note(f"{len(data)} {data == b'0123456789abcdef' * 262144}")
    world.logs(1)


def connection_rule_rejects(world: World) -> None:
    """`tcp-request connection reject`."""
    world.origin("s1", _echo)
    _start(world, front="tcp-request connection reject if { src 127.0.0.0/8 }")
    client = world.client()
    client.expect_end()


def source_rule_accepts(world: World) -> None:
    """`tcp-request connection accept` stops the list."""
    world.origin("s1", _echo)
    _start(world, front="tcp-request connection accept if { src 127.0.0.1 }\n    tcp-request connection reject")
    client = world.client(source="127.0.0.1")
    client.send(b"in")
    world.note(repr(client.reader.exactly(2)))
    try:
        turned_away = world.client(source="127.0.0.2")
        end = turned_away.expect_end()
        turned_away.close()
    except OSError:  # the reset may come before the first look at the socket
        end = "reset"
    world.clients[1:] = []
    world.note(end)


def leastconn_over_sessions(world: World) -> None:
    """Standing sessions count for leastconn."""

    def script(connection: Connection) -> None:
        connection.write(connection.origin.name.encode() + b"\n")
        _echo(connection)

    for name in ("s1", "s2", "s3"):
        world.origin(name, script)
    world.start("""
frontend fe
    bind "fd@${fe}"
    mode tcp
    default_backend be
backend be
    mode tcp
    balance leastconn
    server s1 {s1}
    server s2 {s2}
    server s3 {s3}
""")
    names = []
    for number in range(9):
        client = world.client()
        names.append((client.reader.until(b"\n") or b"").decode().strip())
        if number == 4:
            world.clients[0].close()
    world.note(" ".join(names))


def rdp_cookie(world: World) -> None:
    """`balance rdp-cookie` with content inspection: the same user reaches the same server."""

    def script(connection: Connection) -> None:
        connection.reader.fill()
        connection.write(connection.origin.name.encode() + b"\n")

    for name in ("s1", "s2", "s3"):
        world.origin(name, script)
    world.start("""
frontend fe
    bind "fd@${fe}"
    mode tcp
    tcp-request inspect-delay 2s
    tcp-request content accept if RDP_COOKIE
    default_backend be
backend be
    mode tcp
    balance rdp-cookie
    server s1 {s1}
    server s2 {s2}
    server s3 {s3}
""")
    names = []
    for user in (b"alice", b"bob", b"carol", b"dave", b"alice", b"bob"):
        line = b"Cookie: mstshash=" + user + b"\r\n"
        client = world.client()
        client.send(bytes([3, 0, 0, 11 + len(line), 6 + len(line), 0xE0, 0, 0, 0, 0, 0]) + line)
        names.append((client.reader.until(b"\n") or b"").decode().strip())
        client.close()
    world.note(" ".join(names))


def counted_rdp_cookies(world: World) -> None:
    """`req.rdp_cookie_cnt` has no value where more bytes would have to come to tell."""
    world.start("""
frontend fe
    bind "fd@${fe}"
    mode tcp
    log-format "%[var(txn.count)]"
    tcp-request inspect-delay 100ms
    tcp-request content set-var(txn.waited) int(1) if WAIT_END
    tcp-request content set-var(txn.count) req.rdp_cookie_cnt(mstshash)
    tcp-request content reject
""")
    line = b"Cookie: mstshash=alice\r\n"
    good = bytes([3, 0, 0, 11 + len(line), 6 + len(line), 0xE0, 0, 0, 0, 0, 0]) + line
    zeros = [b"\3" + b"\0" * more for more in (0, 8, 16, 17, 18, 19, 30)]
    for count, data in enumerate((*zeros, *(good[:end] for end in (5, 18, 19, 26, 34, 35))), 1):
        client = world.client()
        client.send(data)
        client.expect_end()
        world.syslog.wait(count)
        client.close()
    world.logs(count)


def rdp_persistence(world: World) -> None:
    """`persist rdp-cookie`: the routing token names the server, whatever balance says; one that names none does not."""

    def script(connection: Connection) -> None:
        connection.reader.fill()
        connection.write(connection.origin.name.encode() + b"\n")

    ports = [world.origin(name, script).port for name in ("s1", "s2", "s3")]
    world.start("""
frontend fe
    bind "fd@${fe}"
    mode tcp
    tcp-request inspect-delay 2s
    tcp-request content accept if RDP_COOKIE
    default_backend be
backend be
    mode tcp
    persist rdp-cookie(msts)
    balance roundrobin
    server s1 {s1}
    server s2 {s2}
    server s3 {s3}
""")
    address = int.from_bytes(bytes((127, 0, 0, 1)), "little")
    names = []
    for port in (ports[2], ports[2], ports[0], 9, ports[1]):
        token = b"%d.%d.0000" % (address, (port & 255) << 8 | port >> 8)
        line = b"Cookie: msts=" + token + b"\r\n"
        client = world.client()
        client.send(bytes([3, 0, 0, 11 + len(line), 6 + len(line), 0xE0, 0, 0, 0, 0, 0]) + line)
        names.append((client.reader.until(b"\n") or b"").decode().strip())
        client.close()
    world.note(" ".join(names))


def _mute(connection: Connection) -> None:
    connection.reader.to_end()


def _listens(name: str, *lines: str) -> str:
    head = f'listen {name}\n    bind "fd@${{{name}}}"\n    mode tcp\n    option tcplog\n'
    return head + "".join(f"    {line}\n" for line in lines)


def who_is_late(world: World) -> None:
    """Which side's timeout ends a session, and what fin and tunnel timeouts change."""
    world.origin("s1", _mute)
    world.origin("s2", _echo)
    config = {
        "client": ("timeout client 300ms", "server s1 {s1}"),
        "server": ("timeout server 300ms", "server s1 {s1}"),
        "both": ("timeout client 300ms", "timeout server 300ms", "server s2 {s2}"),
        "tunnel": ("timeout tunnel 300ms", "server s2 {s2}"),
        "one_way": ("timeout tunnel 300ms", "timeout client 2s", "timeout server 2s", "server s1 {s1}"),
    }
    world.start("".join(_listens(name, *lines) for name, lines in config.items()))
    for number, name in enumerate(config, 1):
        client = world.client(name)
        client.send(b"hello")
        world.note(f"{name} {client.reader.to_end()!r} {client.reader.end}")
        world.syslog.wait(number)
    world.logs(len(config))


def half_closed_for_long(world: World) -> None:
    """After a FIN the other side's `…-fin` timeout counts, not that of the side that sent it."""

    def lasting(connection: Connection) -> None:
        connection.reader.to_end()
        connection.ended.wait(1.5)

    def leaving(connection: Connection) -> None:
        connection.reader.fill()
        connection.write(b"bye")
        connection.shutdown()
        connection.reader.to_end()

    world.origin("s1", lasting)
    world.origin("s2", leaving)
    config = {
        "server_fin": ("timeout server-fin 300ms", "server s1 {s1}"),
        "client_fin": ("timeout client-fin 300ms", "server s2 {s2}"),
        "longer": ("timeout client-fin 200ms", "timeout server-fin 500ms", "server s1 {s1}"),
    }
    world.start("".join(_listens(name, *lines) for name, lines in config.items()))
    for number, name in enumerate(config, 1):
        client = world.client(name)
        client.send(b"hello")
        if name != "client_fin":
            client.shutdown()
        world.note(f"{name} {client.reader.to_end()!r} {client.reader.end}")
        world.syslog.wait(number)
    world.logs(len(config))


def late_after_the_others_end(world: World) -> None:
    """Who has sent its FIN is not late; who is late to speak is taken to have sent it, and may still be spoken to."""

    def answering_late(connection: Connection) -> None:
        world.note(f"server got {connection.reader.to_end()!r}")
        connection.ended.wait(0.7)
        connection.write(b"late")
        connection.close()

    def leaving(connection: Connection) -> None:
        connection.write(b"bye")
        connection.shutdown()
        world.note(f"server got {connection.reader.to_end()!r}")

    world.origin("s1", answering_late)
    world.origin("s2", leaving)
    config = {
        "client_left": ("timeout client 300ms", "server s1 {s1}"),
        "client_left_both_short": ("timeout client 300ms", "timeout server 300ms", "server s1 {s1}"),
        "client_left_tunnel": ("timeout tunnel 300ms", "server s1 {s1}"),
        "server_left": ("timeout server 300ms", "server s2 {s2}"),
        "silent_client": ("timeout client 300ms", "server s1 {s1}"),
        "silent_client_fin": ("timeout client 300ms", "timeout server-fin 200ms", "server s1 {s1}"),
    }
    world.start("".join(_listens(name, *lines) for name, lines in config.items()))
    for number, name in enumerate(config, 1):
        client = world.client(name)
        client.send(b"hello")
        if name == "server_left":
            heard = client.reader.to_end()
            threading.Event().wait(0.7)
            client.send(b"late")
            client.close()
        else:
            if "left" in name:
                client.shutdown()
            heard = client.reader.to_end()
        world.note(f"{name} {heard!r} {client.reader.end}")
        world.syslog.wait(number)
    world.logs(len(config))


def _pour(sock: socket.socket) -> None:
    """Send until the connection ends."""
    sock.settimeout(8)
    with contextlib.suppress(OSError):
        while True:
            sock.send(b"x" * 65536)


def who_takes_nothing(world: World) -> None:
    """A side that takes no more is late, not the one that can't send for that; the session ends then."""

    def pouring(connection: Connection) -> None:
        _pour(connection.sock)

    world.origin("s1", lambda connection: connection.ended.wait(8))  # type: ignore[arg-type]
    world.origin("s2", pouring)
    config = {
        "server": ("timeout client 300ms", "timeout server 600ms", "server s1 {s1}"),
        "server_alike": ("timeout client 300ms", "timeout server 300ms", "server s1 {s1}"),
        "client": ("timeout client 600ms", "timeout server 300ms", "server s2 {s2}"),
        "both": ("timeout client 300ms", "timeout server 300ms", "server s2 {s2}"),
    }
    world.start(
        "".join(
            f'listen {name}\n    bind "fd@${{{name}}}"\n    mode tcp\n    log-format "{name} %ts"\n'
            + "".join(f"    {line}\n" for line in lines)
            for name, lines in config.items()
        )
    )
    for number, name in enumerate(config, 1):
        client = world.client(name)
        if name != "client":
            _pour(client.sock)
        world.syslog.wait(number)
    world.logs(len(config))
    world.forget_clients()
    world.forget_origins()


def logged_as_soon(world: World) -> None:
    """`option logasap`: what the client has sent before the server's connection stood is not counted yet."""
    _logged_as_soon(world, "")


def logged_as_soon_with_counts(world: World) -> None:
    """The same with `option contstats`: it is counted."""
    _logged_as_soon(world, "option contstats")


def _logged_as_soon(world: World, option: str) -> None:
    world.origin("s1", _echo)
    world.start(
        f"""
frontend fe
    bind "fd@${{fe}}"
    mode tcp
    option logasap
    {option}
    log-format "%ts %ST %U %B"
    tcp-request inspect-delay 5s
    tcp-request content accept if {{ req.len ge 5 }}
    default_backend be
backend be
    mode tcp
    server s1 {{s1}}
"""
    )
    client = world.client()
    client.send(b"hello")
    world.note(repr(client.reader.exactly(5)))
    client.close()
    world.logs(1)


def logged_when_connected(world: World) -> None:
    """A format that tells nothing of the end: its line comes when the server's connection stands."""
    world.origin("s1", _echo)
    formats = {
        "const": "x", "ends": "%ci %si %b/%s %f", "sample": "%[src] %[srv_id]", "status": "%ST %hr %rt", "sent": "%U",
        "state": "%ts", "times": "%Tw", "counts": "%fc",
    }  # fmt: skip
    lines = ("tcp-request inspect-delay 5s", "tcp-request content accept if { req.len 3 }", "server s {s1}")
    world.start("".join(_listens(name, f'log-format "{name}: {fmt}"', *lines) for name, fmt in formats.items()))
    clients = []
    for name in formats:
        client = world.client(name)
        client.send(b"say")
        world.note(repr(client.reader.exactly(3)))
        clients.append(client)
    world.syslog.wait(4)
    world.note("early " + str(sorted(re.sub(r"^\S+ (\w+)\W.*", r"\1", line) for line in world.syslog.traffic())))
    for client in clients:
        client.close()
    world.syslog.wait(len(formats))
    world.note(str(len(world.syslog.traffic())))


def resets(world: World) -> None:
    """A reset of either side: what the other one sees, and what the log says."""
    ends = []

    def breaking(connection: Connection) -> None:
        connection.reader.fill()
        connection.write(b"part")
        connection.reader.fill()
        connection.reset()

    def watched(connection: Connection) -> None:
        _echo(connection)
        ends.append(connection.reader.end)
        connection.ended.set()

    world.origin("s1", breaking)
    origin = world.origin("s2", watched)
    world.start(_listens("server", "server s1 {s1}") + _listens("client", "server s2 {s2}"))
    client = world.client("server")
    client.send(b"hello")
    world.note(repr(client.reader.exactly(4)))
    client.send(b"more")
    world.note(repr(client.reader.to_end()) + client.reader.end)
    world.syslog.wait(1)
    client = world.client("client")
    client.send(b"hello")
    world.note(repr(client.reader.exactly(5)))
    client.reset()
    world.clients.remove(client)
    world.logs(2)
    origin.connections[0].ended.wait(5)
    world.note(repr(ends))


def unused_tunnels_and_hard_ends(world: World) -> None:
    """Who gets FIN and who a reset: nothing sent until `timeout tunnel`, `option nolinger`, a reset after the end."""
    ends: queue.SimpleQueue[str] = queue.SimpleQueue()

    def watched(connection: Connection) -> None:
        connection.reader.to_end()
        ends.put(connection.reader.end)

    def ending(connection: Connection) -> None:
        connection.write(b"all")
        connection.shutdown()
        watched(connection)

    world.origin("mute", watched)

    def telling(connection: Connection) -> None:
        connection.write(b"abc")
        watched(connection)

    world.origin("early", ending)
    world.origin("telling", telling)
    inspecting = ("tcp-response inspect-delay 700ms", "tcp-response content reject if WAIT_END")
    hard = ("timeout tunnel 300ms", "option nolinger")
    asked = ("tcp-request inspect-delay 5s", "tcp-request content accept if { req.len 3 }")
    answered = ("tcp-response inspect-delay 5s", "tcp-response content accept if { res.len 3 }")
    config: dict[str, tuple[str, ...]] = {
        "tunnel": ("timeout tunnel 300ms",),
        "tunnel_hard": hard,
        "said_before_hard": (*hard, *asked),
        "said_since_hard": (*hard, "server s {telling}"),
        "told_before_hard": (*hard, *answered, "server s {telling}"),
        "tunnel_inspecting": ("timeout tunnel 300ms", *inspecting),
        "client_late_hard": ("timeout client 300ms", "option nolinger"),
        "server_late_hard": ("timeout server 300ms", "timeout client 900ms", "option nolinger"),
        "fin_hard": ("option nolinger",),
        "rejected_hard": ("tcp-request content reject", "option nolinger"),
        "fin_after_end_hard": ("option nolinger", "server s {early}"),
        "reset_after_end": ("server s {early}",),
    }
    world.start(
        "".join(
            _listens(name, "log-format %ts-%B-%U", *lines, *(() if "server" in lines[-1] else ("server s {mute}",)))
            for name, lines in config.items()
        )
    )
    for number, name in enumerate(config, 1):
        client = world.client(name)
        if name == "said_since_hard":
            world.note(repr(client.reader.exactly(3)))
        if name.startswith("said"):
            client.send(b"say")
        seen = client.reader.to_end() if "end" in name else b""
        if name.startswith("fin"):
            client.shutdown()
        end = "gone"
        if name == "reset_after_end":
            client.reset()
            world.clients.remove(client)
        else:
            seen = seen or client.reader.to_end()
            end = client.reader.end
        world.syslog.wait(number)
        served = ends.get(timeout=5) if name != "rejected_hard" else "none"
        world.note(f"{name}: client {seen!r} {end}, server {served}")
    world.logs(len(config))


def how_servers_are_left(world: World) -> None:
    """A server whose bytes make a rule close is reset; one that sends after its time gets FIN at the end."""
    ends: queue.SimpleQueue[str] = queue.SimpleQueue()

    def telling(connection: Connection) -> None:
        connection.reader.fill()
        connection.reader.buffer = b""
        connection.write(b"banner")
        connection.reader.to_end()
        ends.put(connection.reader.end)

    def late(connection: Connection) -> None:
        connection.write(b"banner")
        silent.wait(5)
        connection.write(b"too late")
        connection.reader.to_end()
        ends.put(connection.reader.end)

    world.origin("s1", telling)
    world.origin("s2", late)
    closing = ("tcp-response inspect-delay 5s", "tcp-response content close if { res.payload(0,1) -m str b }")
    config = {
        "closing": (*closing, "server s {s1}"),
        "closing_in_tunnel": (*closing, "timeout tunnel 5s", "timeout server-fin 5s", "server s {s1}"),
        "late": ("timeout server 400ms", "timeout client-fin 900ms", "server s {s2}"),
    }
    world.start("".join(_listens(name, *lines) for name, lines in config.items()))
    silent = threading.Event()
    for number, name in enumerate(config, 1):
        client = world.client(name)
        if name != "late":
            client.send(b"say")
        world.note(f"{name}: client {client.reader.to_end()!r} {client.reader.end}")
        if name == "late":
            silent.set()
        world.note(f"{name}: server {ends.get(timeout=5)}")
        world.syslog.wait(number)
    world.logs(len(config))


def _reset_by_more(sock: socket.socket) -> bool:
    """Whether a byte sent after the peer's FIN brings a reset, as where nobody holds the connection any more."""
    with contextlib.suppress(OSError):
        sock.sendall(b"x")
    poll = select.poll()
    poll.register(sock, 0)  # errors and the end of both directions are told anyhow
    return bool(poll.poll(1000))


def sent_after_the_end(world: World) -> None:
    """What a client sends to a session that is over brings a reset at once; so does what a refused server sends."""
    ends: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def telling(connection: Connection) -> None:
        connection.write(b"banner")
        connection.reader.to_end()
        ends.put(_reset_by_more(connection.sock))

    def breaking(connection: Connection) -> None:
        connection.write(b"banner")
        connection.reader.fill()
        connection.reset()

    world.origin("telling", telling)
    world.origin("breaking", breaking)
    world.origin("nobody").stop()
    served = "server s {telling}"
    config: dict[str, tuple[str, ...]] = {
        "rejected": ("tcp-request inspect-delay 5s", "tcp-request content reject if { req.len 3 }", served),
        "rejected_at_once": ("tcp-request content reject", served),
        "no_server": ("retries 0", "server s {nobody}"),
        "server_breaks": ("server s {breaking}",),
        "silent": ("timeout client 300ms", "timeout server 300ms", served),
        "answer_rejected": ("tcp-response inspect-delay 5s", "tcp-response content reject if { res.len 6 }", served),
        "answer_closed": ("tcp-response inspect-delay 5s", "tcp-response content close if { res.len 6 }", served),
        "answer_rejected_at_once": ("tcp-response content reject", served),
        "answer_closed_at_once": ("tcp-response content close", served),
        "answer_unseen": (
            "timeout client 300ms",
            "timeout server 300ms",
            "tcp-response content reject if { res.len gt 0 }",
            served,
        ),
    }
    late = [
        name for name in config if "once" not in name and name != "no_server"
    ]  # else it may be over before all is sent
    config |= {f"{name}_hard": (*config[name], "option nolinger") for name in late}
    world.start("".join(_listens(name, "log-format %ts-%B", *lines) for name, lines in config.items()))
    for number, name in enumerate(config, 1):
        client = world.client(name)
        client.send(b"say")
        told = client.reader.to_end()
        world.note(f"{name}: client {told!r} {client.reader.end} {_reset_by_more(client.sock)}")
        if served in config[name] and not name.startswith("rejected"):
            world.note(f"{name}: server {ends.get(timeout=5)}")
        world.syslog.wait(number)
    world.logs(len(config))


def silent_after_the_end(world: World) -> None:
    """A server that does not answer the client's FIN in time is reset, a client that does not answer the server's not."""
    ends: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def waiting(connection: Connection) -> None:
        connection.reader.to_end()
        ends.put(_is_reset(connection.sock))

    def ending(connection: Connection) -> None:
        connection.shutdown()
        _mute(connection)

    world.origin("waiting", waiting)
    world.origin("ending", ending)
    config = {
        "server": ("timeout server 300ms", "server s {waiting}"),
        "server_fin": ("timeout server-fin 300ms", "server s {waiting}"),
        "tunnel": ("timeout tunnel 300ms", "server s {waiting}"),
        "client": ("timeout client 300ms", "server s {ending}"),
    }
    world.start("".join(_listens(name, "log-format %ts-%B", *lines) for name, lines in config.items()))
    for number, name in enumerate(config, 1):
        client = world.client(name)
        if name != "client":
            client.shutdown()
        client.reader.to_end()
        world.syslog.wait(number)
        world.note(f"{name}: {_is_reset(client.sock) if name == 'client' else ends.get(timeout=5)}")
    world.logs(len(config))


def reset_after_the_servers_silence(world: World) -> None:
    """A client that has got its FIN for a server's silence resets the session: the server is reset, too."""
    ends: queue.SimpleQueue[str] = queue.SimpleQueue()

    def silent(connection: Connection) -> None:
        connection.reader.to_end()
        ends.put(connection.reader.end)

    world.origin("silent", silent)
    world.start(_listens("fe", "log-format %ts-%B-%U", "timeout server 300ms", "server s {silent}"))
    client = world.client()
    client.send(b"abc")
    world.note(f"client: {client.reader.to_end()!r}")
    client.send(b"def")
    client.reset()
    world.note(f"server: {ends.get(timeout=5)}")
    world.logs(1)


def _is_reset(sock: socket.socket) -> bool:
    """Whether a reset comes behind the peer's FIN."""
    poll = select.poll()
    poll.register(sock, 0)
    return bool(poll.poll(1000))


def in_queues(world: World) -> None:
    """A session that waits for a slot: its time passes, it leaves (with and without `abortonclose`), it gets one."""
    world.origin("s1", _echo)
    config = {
        "passes": ("timeout queue 300ms", "server s1 {s1} maxconn 1"),
        "aborts": ("option abortonclose", "timeout queue 5s", "server s1 {s1} maxconn 1"),
        "served": ("timeout queue 5s", "server s1 {s1} maxconn 1"),
        "silent": ("timeout client 300ms", "timeout queue 5s", "server s1 {s1} maxconn 1"),
    }
    world.start("".join(_listens(name, *lines) for name, lines in config.items()))
    for number, name in enumerate(config):
        first, second = world.client(name), world.client(name)
        first.send(b"one")
        world.note(repr(first.reader.exactly(3)))
        second.send(b"two")
        if name == "passes":
            world.note(repr(second.reader.to_end()) + second.reader.end)
        elif name == "aborts":
            second.ending(0.1)
            second.close()
            world.clients.remove(second)
        elif name == "silent":
            for _ in range(5):
                first.send(b"z")
                second.ending(0.1)
                second.seen.clear()
            first.close()
            world.note(repr(second.reader.exactly(3)))
        else:
            second.ending(0.1)
            first.close()
            world.note(repr(second.reader.exactly(3)))
            second.close()
        world.syslog.wait(2 * number + 1)
        first.close()
        world.syslog.wait(2 * number + 2)
    for line in sorted(world.syslog.traffic()):
        world.note(line)


def left_while_connecting(world: World) -> None:
    """A client that resets while its server does not answer; servers that refuse, one after another."""
    world.origin("s1").stop()
    world.origin("s2", _echo)
    world.start(
        _listens("refused", "retries 1", "server s1 {s1}")
        + _listens(
            "elsewhere", "retries 2", "option redispatch", "balance roundrobin", "server s1 {s1}", "server s2 {s2}"
        )
        + _listens("nobody", "server s1 {s1} disabled")
        + _listens("early", "option logasap", "server s2 {s2}")
        + _listens("null", "option dontlognull", "server s2 {s2}")
    )
    for number, name in enumerate(("refused", "elsewhere", "nobody", "early"), 1):
        client = world.client(name)
        client.send(b"hello")
        if name in ("elsewhere", "early"):
            world.note(repr(client.reader.exactly(5)))
        else:
            world.note(repr(client.reader.to_end()) + client.reader.end)
        if name != "early":
            client.close()
        world.syslog.wait(number)
    silent = world.client("null")
    silent.ending(0.1)
    silent.close()
    spoken = world.client("null")
    spoken.send(b"hello")
    world.note(repr(spoken.reader.exactly(5)))
    spoken.close()
    world.logs(5)


def _to_a_dead_server(world: World, rule: str) -> None:
    world.origin("s1")
    back = f"retries 1\n    option redispatch\n    {rule} if TRUE\n    server dead 127.0.0.1:1"
    _start(world, back=back)
    for number in (1, 2):
        client = world.client()
        client.send("GET / HTTP/1.0\n\n")
        client.expect_end(9)
        client.close()
        world.logs(number)


def forced_to_a_dead_server(world: World) -> None:
    """`force-persist` rules out `option redispatch`."""
    _to_a_dead_server(world, "force-persist")


def not_tied_to_a_dead_server(world: World) -> None:
    """`ignore-persist` does not."""
    _to_a_dead_server(world, "ignore-persist")


def range_of_source_ports(world: World) -> None:
    """`source` with a range of ports."""

    def script(connection: Connection) -> None:
        connection.write(b"%d" % (35000 <= connection.sock.getpeername()[1] <= 35003))

    world.origin("s1", script)
    world.start(
        CONFIG.replace("{front}", "").replace("{back}", "").replace("{s1}", "{s1} source 127.0.0.1:35000-35003")
    )
    for number in (1, 2, 3):
        client = world.client()
        client.seen.append(repr(client.reader.to_end()))
        client.close()
        world.logs(number)

"""Persistence beyond HTTP cookies' syntax: RDP cookies, values made from addresses, states of an earlier process."""

from __future__ import annotations

import re
import socket
import struct

from compat.harness import World
from compat.harness.targets import Target, http, wait_until


def _cookie(port: int) -> bytes:
    """A connection request that asks for the server at that port of 127.0.0.1."""
    address = struct.unpack("<I", socket.inet_aton("127.0.0.1"))[0]
    line = b"Cookie: msts=%d.%d.0000\r\n" % (address, socket.htons(port))
    return bytes([3, 0, 0, 11 + len(line), 6 + len(line), 0xE0, 0, 0, 0, 0, 0]) + line


def _named(name: bytes) -> Target:
    def behave(_target: Target, sock: socket.socket) -> None:
        sock.recv(4096)
        sock.sendall(name)

    return Target(behave)


def rdp(world: World) -> None:
    """`persist rdp-cookie`: the server of the cookie; one that is down, one that refuses; with and without redispatch."""
    targets = {name: _named(name.encode()) for name in ("a", "b")}
    dead = socket.socket()
    dead.bind(("127.0.0.1", 0))
    ports = {name: target.port for name, target in targets.items()} | {"dead": dead.getsockname()[1]}
    world.places = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
    modes = {
        "plain": "",
        "again": "    option redispatch 1\n    retries 1\n",
        "forced": "    force-persist if TRUE\n    option redispatch 1\n    retries 1\n",
        "ignored": "    ignore-persist if TRUE\n",
        "persist": "    option persist\n    retries 1\n",
    }
    text = ""
    for mode, lines in modes.items():
        text += f"""
listen {mode}
    bind "fd@${{{mode}}}"
    mode tcp
    option tcplog
    tcp-request inspect-delay 5s
    tcp-request content accept if RDP_COOKIE
    persist rdp-cookie
{lines}    server a {{a}}
    server b {{b}} weight 0
    server dead {{dead}} weight 0
"""
        text += "    server off {b} weight 0 disabled\n" if mode == "plain" else ""
    try:
        world.start(text)
        for mode in modes:
            for name, port in ports.items():
                if mode in ("plain", "ignored") and name == "dead":
                    continue
                client = world.client(mode)
                client.send(_cookie(port))
                data = client.sock.recv(16)
                world.note(f"{mode} {name}: {data!r}")
                client.close()
        world.syslog.wait(len(modes) * 3 - 2)
        for line in world.syslog.traffic():
            world.note(re.sub(r" \d+/\d+/\d+/\d+/(\+?\d) 0/0", r" counts/\1", line))
    finally:
        dead.close()
        for target in targets.values():
            target.stop()


def dynamic_values(world: World) -> None:
    """Cookies made from IPv4 and IPv6 addresses and the key; two servers with one address."""
    # The port is a part of the value, so it must be the same in every run: one that no client is given.
    listeners = [
        socket.create_server((host, 23404), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        for host in ("127.0.0.77", "::1")
    ]
    targets = [Target(http("200 OK"), listener) for listener in listeners]
    world.start(
        """
frontend fe
    bind "fd@${fe}"
    use_backend %[path,field(2,/)]
backend v4
    cookie SRV insert dynamic
    dynamic-cookie-key sesame
    server x 127.0.0.77:23404
    server y 127.0.0.77:23404
backend v6
    cookie SRV insert dynamic
    dynamic-cookie-key sesame
    server x [::1]:23404
"""
    )
    for path in ("/v4/", "/v6/"):
        client = world.client()
        client.get(path)
        client.close()
    for target in targets:
        target.stop()
    world.note(
        str(
            sorted(
                re.sub(r".*?: ", "", line) for line in world.said().splitlines() if "cookie" in line or "secret" in line
            )
        )
    )


def saved_states(world: World) -> None:
    """`server-state-file`: what an earlier process has left counts, and lines that make no sense are told of."""
    world.origin("o")
    head = (
        "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "
        "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state "
        "bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr "
        "srv_agent_addr srv_agent_port\n"
    )
    rows = (
        "2 be 1 down 127.0.0.1 0 0 1 1 5 6 3 0 14 0 0 0 - 80 - 0 0 - - 0",
        "2 be 2 maint 127.0.0.1 0 1 1 1 5 6 3 0 14 0 0 0 - 80 - 0 0 - - 0",
        "2 be 3 drain 127.0.0.1 2 8 1 1 5 6 3 0 14 0 0 0 - 80 - 0 0 - - 0",
        "2 be 4 heavy 127.0.0.1 2 0 77 1 5 6 3 0 14 0 0 0 - 81 - 0 0 - - 0",
        "2 be 5 changed 127.0.0.1 2 0 77 9 5 6 3 0 14 0 0 0 - 80 - 0 0 - - 0",
        "2 be 6 wrong 127.0.0.1 x 0 77 9 5 6 3 0 14 0 0 0 - 80 - 0 0 - - 0",
        "2 be 7 nobody 127.0.0.1 2 0 1 1 5 6 3 0 14 0 0 0 - 80 - 0 0 - - 0",
    )
    more = (
        "3 more 1 off 127.0.0.1 2 0 1 1 5 6 3 4 6 0 0 0 - {port} - 0 0 - - 0",
        "3 more 2 lifted 127.0.0.1 2 4 1 1 5 6 3 4 6 0 0 0 - {port} - 0 0 - - 0",
        "3 more 3 drained 127.0.0.1 2 8 1 1 5 6 3 4 6 0 0 0 - {port} - 0 0 - - 0",
        "3 more 4 elsewhere 127.0.0.1 2 0 1 1 5 6 3 4 6 0 0 0 - {port} - 0 {port} 127.0.0.1 - 0",
        "3 more 5 rests 127.0.0.1 2 0 1 1 5 6 3 4 2 0 0 0 - {port} - 0 0 - - 0",
        "3 more 6 agent 127.0.0.1 2 0 1 1 5 6 3 4 6 3 0 0 - {port} - 0 0 - 127.0.0.9 98",
        "3 more 7 both 127.0.0.1 2 9 1 1 5 6 3 4 6 3 0 0 - {port} - 0 0 - - 0",
        "3 more 8 status 127.0.0.1 2 0 1 1 5 21 3 4 6 3 0 0 - {port} - 0 0 - - 0",
        "3 more 9 result 127.0.0.1 2 0 1 1 5 6 5 4 6 3 0 0 - {port} - 0 0 - - 0",
        "3 more 10 bits 127.0.0.1 2 0 1 1 5 6 3 4 99 3 0 0 - {port} - 0 0 - - 0",
        "3 more 11 port 127.0.0.1 2 0 1 1 5 6 3 4 6 0 0 0 - {port} - 0 x - - 0",
        "3 more 12 address 127.0.0.1 2 0 1 1 5 6 3 4 6 0 0 0 - {port} - 0 0 x - 0",
        "3 more 13 unchecked 127.0.0.1 2 0 1 1 5 6 3 4 6 0 0 0 - {port} - 0 0 127.0.0.9 127.0.0.9 0",
    )
    rows += tuple(row.format(port=world.origins["o"].address.rpartition(":")[2]) for row in more)
    (world.dir / "states").write_text(head + "\n".join(rows) + "\n")
    world.start(
        """
global
    nbthread 1
    log {syslog} local0
    server-state-file {dir}/states
    stats socket {dir}/admin.sock level admin
defaults
    mode http
    load-server-state-from-file global
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend fe
    bind "fd@${fe}"
    default_backend be
backend be
    server down {o} check inter 100s
    server maint {o}
    server drain {o}
    server heavy {o}
    server changed {o} weight 3
    server wrong {o}
    server new {o}
backend more
    default-server check inter 100s
    server off {o} disabled
    server lifted {o} disabled
    server drained {o} disabled
    server elsewhere {o}
    server rests {o}
    server agent {o} agent-check agent-port 1 agent-inter 100s
    server both {o}
    server status {o}
    server result {o}
    server bits {o}
    server port {o}
    server address {o}
    server unchecked {o} no-check
""",
        bare=True,
    )
    path = world.dir / "admin.sock"
    wait_until(path.exists)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(str(path))
        sock.sendall(b"show servers state\n")
        answer = b""
        while data := sock.recv(65536):
            answer += data
    for line in answer.decode().splitlines()[2:]:
        words = line.split(" ")
        if len(words) > 18:  # the first check of `down` may be over
            world.note(" ".join(words[3:4] + (words[6:9] if words[3] == "down" else words[5:9])))
        if words[1:2] == ["more"]:  # whether a check goes on just now does not count
            bits = [str(int(word) & ~1) for word in words[13:15]]
            health = [] if words[3] in ("off", "drained") else words[12:13]
            world.note(
                " ".join(
                    health + bits + ["PORT" if int(word or 0) > 98 else word for word in words[21:22]] + words[22:25]
                )
            )
            said = [line for line in world.said().splitlines() if f"/{words[3]}'" in line or f"/{words[3]} " in line]
            world.notes += [re.sub(r".* config : ", "", line) for line in said]


def saved_servers_nobody_checks(world: World) -> None:
    """A server without a check that was down, or stopping, when its state was saved."""
    world.origin("o")
    port = world.origins["o"].address.rpartition(":")[2]
    saved = [
        f"2 be 1 {name} 127.0.0.1 {state} 0 1 1 5 1 0 2 0 0 0 0 - {port} -"
        for name, state in (("down", 0), ("stops", 3))
    ]
    (world.dir / "states").write_text("\n".join(("1", *saved, "")))
    world.start(
        """
global
    server-state-file {dir}/states
defaults
    mode http
    load-server-state-from-file global
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend fe
    bind "fd@${fe}"
    default_backend be
backend be
    server down {o}
    server stops {o}
""",
        bare=True,
    )
    world.client().get("/")
    world.notes += [re.sub(r".* config : ", "", line) for line in world.said().splitlines() if "Server be/" in line]

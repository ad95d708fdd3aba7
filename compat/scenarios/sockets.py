"""Listening and outgoing sockets: where they are bound, with which rights, and where connections come from."""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import stat
from pathlib import Path

from compat.harness import Client, Connection, World

FRONT = """
frontend fe
    bind "fd@${fe}"
    option httplog
    %s
    default_backend be
backend be
    %s
"""


def _status(world: World, name: str, client: Client) -> None:
    message = client.get("/")
    world.note(f"{name}: {message.status if message else 'no answer'}")
    client.close()


def unix_sockets(world: World) -> None:
    """UNIX sockets' rights and owners, `unix-bind`, and abstract names, on both sides."""
    world.start(
        """
frontend plain
    bind {dir}/plain.sock
    bind {dir}/mode.sock mode 600
    bind unix@{dir}/owner.sock mode 640 uid 65534 gid 65534
    bind {dir}/named.sock user nobody group nogroup
    http-request return content-type text/plain lf-string "%[src] %[dst] %[src_port] %ci %cp"
frontend hidden
    bind abns@hapy-test-{tag}
    http-request return content-type text/plain string hidden
frontend fe
    bind "fd@${fe}"
    option httplog
    use_backend abstract if { path /abstract }
    default_backend be
backend be
    server s1 {dir}/plain.sock
backend abstract
    server s1 abns@hapy-test-{tag}
""".replace("{tag}", f"{os.getpid()}-{world.program}"),
        global_="    unix-bind mode 666 prefix /",
    )
    client = world.client()
    client.get("/")
    client.get("/abstract")
    client.ending(0.1)
    for name in ("plain", "mode", "owner", "named"):
        path = world.dir / f"{name}.sock"
        found = path.stat()
        world.note(f"{name}: {stat.filemode(found.st_mode)} {found.st_uid} {found.st_gid}")
        peer = Client(str(path))
        world.clients.append(peer)
        peer.get("/")
    world.logs(2)


def source_addresses(world: World) -> None:
    """`source` of a backend, of a server and with a port range."""

    def script(connection: Connection) -> None:
        host, port = connection.sock.getpeername()
        while connection.read() is not None:
            connection.reply(f"{host} {30000 <= port < 30100}".encode())

    world.origin("s1", script)
    world.start(
        FRONT
        % (
            "use_backend own if { path /own }\n    use_backend ports if { path /ports }\n    use_backend client if { path /client }",
            """source 127.0.0.5
    server s1 {s1}
backend own
    source 127.0.0.5
    server s1 {s1} source 127.0.0.6
backend ports
    server s1 {s1} source 127.0.0.7:30000-30099
backend client
    server s1 {s1} source 0.0.0.0 usesrc clientip""",
        )
    )
    for target in ("/", "/own", "/ports"):
        client = world.client(source="127.0.0.9")
        client.get(target)
        client.ending(0.1)


def binds(world: World) -> None:
    """Port ranges, IPv6, interface, transparent, TFO and several addresses on one line."""
    ports = []
    for _ in range(6):
        sock = socket.create_server(("127.0.0.1", 0))
        ports.append(sock.getsockname()[1])
        sock.close()
    world.start(f"""
frontend all
    bind 127.0.0.1:{ports[0]},127.0.0.1:{ports[1]}
    bind 127.0.0.1:{ports[2]} interface lo
    bind 127.0.0.1:{ports[3]} tfo
    bind 127.0.0.1:{ports[4]} defer-accept backlog 10 maxconn 20 mss 1000
    bind ::1:{ports[5]} name six id 77
    http-request return content-type text/plain lf-string "%[dst] %[so_id] %[so_name]"
frontend fe
    bind "fd@${{fe}}" name inherited
    http-request return content-type text/plain lf-string "%[so_id] %[so_name]"
""")
    world.once("/")
    for port in ports[:5]:
        client = Client(("127.0.0.1", port))
        world.clients.append(client)
        client.get("/")


def dispatch(world: World) -> None:
    """`dispatch` instead of servers."""
    world.origin("s1", b"ok")
    world.start(FRONT % ("", "dispatch {s1}"))
    for _ in range(2):
        client = world.client()
        client.get("/")
        client.get("/again")
        client.ending(0.1)
    world.logs(4)


def wherever_the_client_went(world: World) -> None:
    """Servers without an address of their own: requests go on to where they were sent, on connections to there."""
    port = world.origin("s1").port
    lines = ["http-request set-dst hdr(x-dst)", f"http-request set-dst-port int({port}) if {{ path_sub noport }}"]
    servers = {"v4": "0.0.0.0", "v6": "[::]", "star": "*"}
    parts = []
    for name, address in servers.items():
        for suffix, given in (("", f":{port}"), ("-noport", "")):
            lines.append(f"use_backend {name}{suffix} if {{ path /{name}{suffix} }}")
            parts += [f"backend {name}{suffix}", "    retries 0", f"    server s {address}{given}"]
    config = FRONT % ("\n    ".join(lines), "server s1 {s1}")
    world.start("\n".join([config, *parts]))
    count = 0
    for name in servers:
        for suffix in ("", "-noport"):
            client = world.client()
            for place in ("127.0.0.1", "127.0.0.2", "::1", "127.0.0.1"):
                client.get(f"/{name}{suffix}", f"X-Dst: {place}")
                count += 1
            client.close()
    world.logs(count)


def templates(world: World) -> None:
    """`server-template` with a fixed address: names, ids and round robin."""
    world.origin("s1", b"ok")
    back = "balance roundrobin\n    http-send-name-header X-Server\n    server-template web 2-4 {s1} weight 5 id 20\n    server last {s1}"
    world.start(FRONT % ("http-response set-header X-Id %[srv_id]", back))
    for _ in range(8):
        world.once("/")
    world.logs(8)


def chroot_and_user(world: World) -> None:
    """A chroot and another user: files are read before, the socket to log to is opened before."""
    root = world.dir / "root"
    root.mkdir()
    world.dir.chmod(0o755)
    world.origin("s1", b"ok")
    (world.dir / "503.http").write_bytes(b"HTTP/1.1 503 No\r\nContent-Length: 3\r\n\r\nno\n")
    world.start(
        FRONT
        % ("errorfile 503 {dir}/503.http\n    http-request deny deny_status 503 if { path /deny }", "server s1 {s1}"),
        global_=f"    chroot {root}\n    user nobody\n    group nogroup",
    )
    client = world.client()
    client.get("/")
    client.get("/deny")
    assert world.process is not None
    proc = Path(f"/proc/{world.process.pid}")
    fields = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
    world.note(f"{fields['Uid'].split()} {fields['Gid'].split()} root {(proc / 'root').readlink().name}")
    world.logs(2)


def other_user(world: World) -> None:
    """Another user without a chroot, who may not read where the program lies."""
    world.origin("s1", b"ok")
    world.start(FRONT % ("", "server s1 {s1}"), global_="    user nobody\n    group nogroup")
    world.client().get("/")
    assert world.process is not None
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{world.process.pid}/status").read_text().splitlines())
    world.note(f"{fields['Uid'].split()} {fields['Gid'].split()}")


def ends_of_server_connections(world: World) -> None:
    """`bc_src`, `bc_dst` and `bc_http_major` in rules and logs, `%bi` and `%si`."""
    world.origin("s1")
    shown = "%[bc_http_major] %[bc_src] %[bc_dst] %[fc_http_major]"
    world.start(f"""
frontend fe
    bind "fd@${{fe}}"
    default_backend be
    log-format "{shown} %bi %si"
    http-response set-header front "{shown}"
    http-after-response set-header after "{shown}"
backend be
    http-response set-header back "{shown}"
    server s1 {{s1}}
listen raw
    mode tcp
    bind "fd@${{raw}}"
    log-format "{shown} %bi %si"
    server s1 {{s1}}
""")
    for number, (listener, targets) in enumerate((("fe", ("/1", "/2")), ("raw", ("/",))), 2):
        client = world.client(listener)
        for target in targets:
            client.get(target)
        client.close()
        world.logs(number)


#: Options of sockets: level, name.
_OPTIONS = {
    "keepalive": (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
    "cnt": (socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
    "idle": (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
    "intvl": (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
    "user timeout": (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT),
    "no delay": (socket.IPPROTO_TCP, socket.TCP_NODELAY),
    "rcvbuf": (socket.SOL_SOCKET, socket.SO_RCVBUF),
    "sndbuf": (socket.SOL_SOCKET, socket.SO_SNDBUF),
    "mark": (socket.SOL_SOCKET, socket.SO_MARK),
    "tos": (socket.IPPROTO_IP, socket.IP_TOS),
}
_PIDFD_GETFD = 438


def _options(pid: int, peer: int) -> str:
    """The options of another process's connection to a port of ours."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.pidfd_open(pid)
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            descriptor = libc.syscall(_PIDFD_GETFD, handle, int(entry.name), 0)
            if descriptor < 0:
                continue
            if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                continue
            with socket.socket(fileno=descriptor) as twin, contextlib.suppress(OSError, IndexError, TypeError):
                if twin.getpeername()[1] == peer:
                    return " ".join(f"{name}={twin.getsockopt(*option)}" for name, option in _OPTIONS.items())
    finally:
        os.close(handle)
    return "none"


def options_of_sockets(world: World) -> None:
    """Keep-alive probes, user time-outs and buffers, as the kernel has them."""
    world.origin("s1")
    cases = {
        "plain": ("", "", ""),
        "both": ("    option tcpka\n", "    option tcpka\n", ""),
        "set": (
            "    option clitcpka\n    clitcpka-idle 100\n    clitcpka-intvl 7s\n    clitcpka-cnt 4\n",
            "    option srvtcpka\n    srvtcpka-idle 2m\n    srvtcpka-intvl 1500ms\n    srvtcpka-cnt 9\n",
            "",
        ),
        "one": ("    option clitcpka\n", "    srvtcpka-idle 100\n", "tcp-ut 3500"),
        "marked": ("    tcp-request content set-mark 5\n    tcp-request content set-tos 8\n", "", ""),
    }
    world.start(
        "".join(
            f'frontend {name}\n    mode tcp\n    bind "fd@${{{name}}}"\n{front}    default_backend b-{name}\n'
            f"backend b-{name}\n    mode tcp\n{back}    server s1 {{s1}} {server}\n"
            for name, (front, back, server) in cases.items()
        ),
        global_="tune.rcvbuf.client 30000\n    tune.sndbuf.client 40000\n    tune.rcvbuf.server 50000\n"
        "    tune.sndbuf.server 60000",
    )
    assert world.process is not None
    world.once(listener="marked")  # it has started: options may come with the listening socket
    for name in cases:
        client = world.client(name)
        client.get("/")
        world.note(f"{name}, client: {_options(world.process.pid, client.sock.getsockname()[1])}")
        world.note(f"{name}, server: {_options(world.process.pid, world.origins['s1'].port)}")
        client.shutdown()
        client.expect_end()
        client.close()
    world.forget_clients()
    world.forget_origins()


def reuse_by_client_address(world: World) -> None:
    """`source … usesrc clientip`: who comes from the same address may use the same server connection."""
    world.origin("s1")
    world.start(
        "frontend fe\n bind fd@${fe}\n default_backend be\nbackend be\n http-reuse always\n"
        " source 0.0.0.0 usesrc clientip\n server s1 {s1}\n"
    )
    for _ in range(3):
        client = world.client(source="127.0.0.1")
        client.get("/")
        client.get("/")
        client.close()


def sources_that_fail(world: World) -> None:
    """`source` and `usesrc` that can't be used: what is said, what is logged; an interface that there is not."""
    world.origin("s1")
    sources = {
        "plain": "192.0.2.1",
        "port_in_use": "0.0.0.0 usesrc client",
        "client": "192.0.2.1 usesrc clientip",
        "header": "0.0.0.0 usesrc hdr_ip(x,-1)",
        "interface": "0.0.0.0 interface nowhere0",
    }
    world.start(
        "".join(
            f"""
listen {name}
    bind "fd@${{{name}}}"
    retries 0
    log-format "%b %ST %bi %ts"
    server s {{s1}} source {source}
"""
            for name, source in sources.items()
        )
    )
    for number, name in enumerate(sources, 1):
        world.client(name).get("/", "X: 127.0.0.8", "Connection: close")
        world.syslog.wait(number + min(number, 2))
    world.logs(7)
    world.note(str([line.partition(") : ")[2] for line in world.said().splitlines() if line.startswith("[ALERT]")]))


def source_from_no_address(world: World) -> None:
    """`usesrc hdr_ip`, and what the field has is no address, or one of the other family."""
    world.origin("s1")
    world.start(
        """
listen fe
    bind "fd@${fe}"
    log-format "%ST %ts %[bc_src]"
    server s {s1} source 127.0.0.1 usesrc hdr_ip(x)
"""
    )
    for number, value in enumerate(("127.0.0.9", "127.0.0.9:80", "::1", "none", "127.1", "127.0.0.9x"), 1):
        world.client().get("/", "Connection: close", f"X: {value}")
        world.syslog.wait(number)
    world.logs(6)


def source_from_a_missing_field(world: World) -> None:
    """`usesrc hdr_ip`, and no such field."""
    world.origin("s1")
    world.start(
        """
listen fe
    bind "fd@${fe}"
    log-format "%ST %ts"
    server s {s1} source 0.0.0.0 usesrc hdr_ip(x,-1)
"""
    )
    world.client().get("/", "Connection: close")
    world.logs(1)

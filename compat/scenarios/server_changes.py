"""What changes of servers do to those who wait for them or hold them: queues, ramps, commands, saved states."""

from __future__ import annotations

import re
import socket
import threading
import time
from contextlib import ExitStack

from compat.harness import World
from compat.harness.dns import DnsServer
from compat.harness.targets import Target, first_words, http, read_head, saying, wait_for_line, wait_until
from compat.scenarios.checks import HEAD, make_targets, start

SOCKET = """
global
    nbthread 1
    log {syslog} local0
    stats socket {dir}/admin.sock level admin
"""
DEFAULTS = """
defaults
    mode http
    log global
    timeout connect 5s
    timeout client 10s
    timeout server 10s
"""


def _ask(world: World, text: str, *, shown: bool = True) -> str:
    """One command, and what it answers."""
    path = world.dir / "admin.sock"
    wait_until(path.exists)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(str(path))
        sock.sendall(text.encode() + b"\n")
        answer = b""
        while data := sock.recv(65536):
            answer += data
    if shown:
        world.note(f"{text!r}: {answer.decode().strip()!r}")
    return answer.decode()


def _rows(answer: str) -> list[dict[str, str]]:
    """The lines of `show stat` by column."""
    names, *rows = [line.split(",") for line in answer.strip().removeprefix("# ").splitlines()]
    return [dict(zip(names, row, strict=True)) for row in rows]


class _Holding:
    """A target that answers nothing until it is told to."""

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.heard = 0
        self.go = threading.Event()

    def __call__(self, _target: Target, sock: socket.socket) -> None:
        while head := read_head(sock):
            self.heard += 1
            if b"hold" in head:
                self.go.wait(10)
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(self.name), self.name))


def queues(world: World) -> None:
    """A checked server goes down while requests wait for it: with redispatch they go elsewhere, without they stay."""
    with ExitStack() as stack:
        holding = {name: _Holding(name.encode()) for name in ("a", "b", "c", "d", "h", "i")}
        targets = make_targets(world, stack, {**holding, "health": http("200 OK")})
        port = targets["health"].port
        parts = []
        for name, option, one, two in (
            ("again", "option redispatch", "a", "b"),
            ("stays", "no option redispatch", "c", "d"),
        ):
            parts.append(f"""
listen {name}
    bind "fd@${{{name}}}"
    option httplog
    {option}
    timeout queue 900ms
    cookie SRV insert
    server {one} {{{one}}} cookie {one} maxconn 1 check port {port} inter 100ms rise 1 fall 1
    server {two} {{{two}}} cookie {two} backup
""")  # fmt: skip
        parts.append("""
listen refused
    bind "fd@${refused}"
    option httplog
    option redispatch 1
    retries 1
    cookie SRV insert
    server e {dead} cookie e
    server f {b} cookie f weight 0
    server g {b} cookie g backup
listen shared
    bind "fd@${shared}"
    option httplog
    option abortonclose
    timeout queue 300ms
    cookie SRV insert
    server h {h} cookie h maxconn 1
listen gone
    bind "fd@${gone}"
    option httplog
    option abortonclose
    cookie SRV insert
    server i {i} cookie i maxconn 1
""")
        world.start(SOCKET + DEFAULTS + "".join(parts), bare=True)
        for name, one in (("again", "a"), ("stays", "c")):
            world.client(name).send(f"GET /hold HTTP/1.1\nHost: x\nCookie: SRV={one}\n\n")
            wait_until(lambda one=one: holding[one].heard == 1)
            for number in range(2):
                world.client(name).send(f"GET /{number} HTTP/1.1\nHost: x\nCookie: SRV={one}\n\n")
        time.sleep(0.2)  # the requests are in their queues by now
        targets["health"].behave = http("500 No")
        targets["health"].refuse()
        wait_for_line(world, "again/a is DOWN", "stays/c is DOWN")
        clients = world.clients
        for client in (clients[1], clients[2], clients[4], clients[5]):
            client.receive()
        for name in "abcd":
            holding[name].go.set()
        for client in (clients[0], clients[3]):
            client.receive()
        world.client("refused").get("/", "Cookie: SRV=e")
        for name, one in (("shared", "h"), ("gone", "i")):
            world.client(name).send("GET /hold HTTP/1.1\nHost: x\n\n")
            wait_until(lambda one=one: holding[one].heard == 1)
            waiting = [world.client(name), world.client(name)]
            waiting[0].send("GET /own HTTP/1.1\nHost: x\nCookie: SRV=%b\n\n".replace("%b", one))
            waiting[1].send("GET /any HTTP/1.1\nHost: x\n\n")
            for client in waiting:
                if name == "gone":
                    time.sleep(0.1)
                    client.close()
                else:
                    client.receive()
        world.syslog.wait(11)
        lines = [re.sub(r" \d+/\d+/\d+/\d+/(\+?\d) \d+/\d+ ", r" counts/\1 ", line) for line in world.syslog.traffic()]
        for line in sorted(lines):
            world.note(line)
        columns = (
            "svname",
            "scur",
            "qmax",
            "stot",
            "wretr",
            "wredis",
            "cli_abrt",
            "srv_abrt",
            "econ",
            "dresp",
            "lbtot",
        )
        for row in _rows(_ask(world, "show stat", shown=False)):
            world.note(f"{row['pxname']}/{row['svname']} { {name: row[name] for name in columns[1:]} }")
        for line in world.syslog.lines:
            if " is DOWN" in line:
                world.note(re.sub(r".* Server (\S+ is DOWN).* (\d+ sessions active, .*)", r"\1: \2", line))


def slow_start(world: World) -> None:
    """Right after a server has come back under `slowstart`: its weight, its limit, and what the page says of it."""
    with ExitStack() as stack:
        holding = _Holding(b"a")
        targets = make_targets(world, stack, {"a": holding, "b": http("200 OK", b"b"), "health": http("500 No")})
        world.start(
            SOCKET
            + DEFAULTS
            + f"""
listen l
    bind "fd@${{l}}"
    option httpchk
    balance roundrobin
    server a {{a}} check port {targets["health"].port} inter 100ms rise 1 fall 1 slowstart 300s weight 100 maxconn 100
    server b {{b}} weight 1
""",
            bare=True,
        )
        wait_for_line(world, "l/a is DOWN")
        targets["health"].behave = http("200 OK")
        wait_for_line(world, "l/a is UP")
        for row in _rows(_ask(world, "show stat l -1 -1", shown=False)):
            if row["svname"] in ("a", "b", "BACKEND"):
                names = ("svname", "status", "weight", "throttle", "slim", "act", "chkdown")
                world.note(str({name: row[name] for name in names if row["svname"] != "BACKEND" or name != "slim"}))
        _ask(world, "get weight l/a")
        seen = [world.once("/", listener="l") for _ in range(16)]
        world.note(f"{seen.count('a')} of 16")
        clients = [world.client("l") for _ in range(3)]
        _ask(world, "set server l/b state maint")
        for client in clients:
            client.send("GET /hold HTTP/1.1\nHost: x\n\n")
        wait_until(lambda: holding.heard == seen.count("a") + 1)
        wait_until(lambda: _rows(_ask(world, "show stat l 4 2", shown=False))[0]["qcur"] == "2")
        world.note("one goes out, two wait")
        holding.go.set()
        for client in clients:
            client.receive()
        for client in world.clients:  # who got which server by balancing is counted above
            client.close()
        world.forget_clients()


def silent_places(world: World) -> None:
    """Time-outs of each layer: connections that come to nothing, handshakes, answers; agents whose checks are spread."""
    with ExitStack() as stack:
        full = socket.socket()
        stack.callback(full.close)
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):  # what does not fit into the queue gets no answer at all
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(full.getsockname())
            stack.callback(one.close)
        targets = make_targets(world, stack, {"agent": saying(b"down # spread\n", close=True)})
        world.places["full"] = f"127.0.0.1:{full.getsockname()[1]}"
        rows = {
            "l4": "    server s {full} check",
            "l4_own": "    timeout connect 200ms\n    timeout check 5s\n    server s {full} check",
            "l4_step": "    option tcp-check\n    tcp-check connect\n    tcp-check expect string x\n    server s {full} check",
            "l6": "    timeout check 300ms\n    server s {silent} check check-ssl verify none",
            "l7": "    timeout check 300ms\n    option httpchk\n    server s {silent} check",
            "l7_tcp": "    timeout check 300ms\n    option tcp-check\n    tcp-check send x\n    tcp-check expect string y\n"
            "    server s {silent} check",
        }
        text = "".join(f"backend {name}\n    {HEAD}{lines}\n" for name, lines in rows.items())
        text += (
            "backend spread\n    server s {silent} agent-check agent-inter 300ms"
            f" agent-port {targets['agent'].port}\n"
        )
        start(world, "global\n    spread-checks 50\n" + text.replace("{HEAD}", HEAD))
        first_words(world, [f"{name}/s" for name in rows])
        wait_for_line(world, "spread/s is DOWN")


def ends_by_command(world: World) -> None:
    """`shutdown sessions server`: requests and TCP sessions under way end, those of other servers do not."""
    with ExitStack() as stack:
        holding = {name: _Holding(name.encode()) for name in ("a", "b")}
        make_targets(world, stack, dict(holding))
        world.start(
            SOCKET
            + DEFAULTS
            + """
listen h
    bind "fd@${h}"
    option httplog
    use-server a if { path_beg /a }
    use-server b if { path_beg /b }
    server a {a}
    server b {b}
listen t
    mode tcp
    bind "fd@${t}"
    option tcplog
    server a {a}
""",
            bare=True,
        )
        for number, (listener, path) in enumerate((("h", "/a/hold"), ("h", "/b/hold"), ("t", "/hold")), 1):
            world.client(listener).send(f"GET {path} HTTP/1.1\nHost: x\n\n")
            wait_until(lambda number=number: sum(one.heard for one in holding.values()) == number)
        _ask(world, "shutdown sessions server h/a")
        world.clients[0].receive()
        world.clients[0].expect_end()
        _ask(world, "shutdown sessions server t/a")
        world.clients[2].expect_end()
        for one in holding.values():
            one.go.set()
        world.clients[1].receive()
        world.syslog.wait(3)
        for line in sorted(world.syslog.traffic()):
            world.note(re.sub(r" \d+/\d+/\d+/\d+/0 0/0", " counts", line))


def names_by_command(world: World) -> None:
    """`set server … addr` and `fqdn` on servers with names and without, and what `show resolvers` tells."""
    server = DnsServer()
    server.set("a.test", "A", "127.0.0.2")
    server.set("b.test", "A", "127.0.0.3")
    try:
        world.start(
            SOCKET
            + f"""
resolvers r
    nameserver n1 {server.address}
    timeout resolve 100ms
    timeout retry 200ms
    hold valid 100ms
    hold nx 50ms
"""
            + DEFAULTS
            + """
frontend fe
    bind "fd@${fe}"
    default_backend be
backend be
    default-server resolvers r init-addr none resolve-prefer ipv4
    server known a.test:80
    server unknown nowhere.test:80
    server fixed 127.0.0.9:80 no-check
    server plain 127.0.0.8:80
""",
            bare=True,
        )
        _ask(world, "show backend", shown=False)

        def state(name: str) -> str:
            for line in _ask(world, "show servers state be", shown=False).splitlines():
                words = line.split(" ")
                if len(words) > 18 and words[3] == name:
                    renamed = [words[6]] if name == "known" else []
                    return " ".join([words[4], *renamed, words[17], words[18]])
            return ""

        def settle(name: str, wanted: str) -> None:
            wait_until(lambda: state(name).startswith(wanted), 8)
            world.note(f"{name}: {state(name)}")

        settle("known", "127.0.0.2")
        _ask(world, "set server be/unknown addr 127.0.0.5")
        settle("unknown", "-")
        _ask(world, "set server be/unknown addr 127.0.0.5 port 81")
        _ask(world, "set server be/unknown fqdn b.test")
        settle("unknown", "127.0.0.3")
        _ask(world, "set server be/known fqdn nowhere.test")
        settle("known", "-")
        _ask(world, "set server be/plain fqdn a.test")
        settle("plain", "127.0.0.2")
        _ask(world, "set server be/plain fqdn")
        _ask(world, "set server be/plain fqdn bad..name")
        _ask(world, "set server be/plain addr 127.0.0.7")
        _ask(world, "set server be/fixed addr nonsense")
        _ask(world, "set server be/fixed addr ::1 port 8")
        settle("fixed", "::1")
        for what in ("show resolvers", "show resolvers r", "show resolvers nope"):
            answer = _ask(world, what, shown=False)
            world.note(what + ": " + " | ".join(re.sub(r"\d+$", "N", line) for line in answer.splitlines()))
    finally:
        server.close()


def address_for_the_lost(world: World) -> None:
    """`set server … addr` on a server whose name has no address: refused, and the server stays out of service."""
    world.start(
        SOCKET
        + "resolvers r\n    nameserver n 127.0.0.1:1\n"
        + DEFAULTS
        + """
frontend fe
    bind "fd@${fe}"
    default_backend be
backend be
    server lost nowhere.test:80 resolvers r init-addr none
""",
        bare=True,
    )
    _ask(world, "set server be/lost addr 127.0.0.5")
    row = _rows(_ask(world, "show stat be 4 -1", shown=False))[0]
    world.note(f"{row['status']} at {row['addr']!r}")


def weights_in_maintenance(world: World) -> None:
    """Which weight is told of servers in maintenance whose weight is changed, and after it."""
    servers = "".join(f"    server {name} 127.0.0.1:1 weight 10\n" for name in ("plain", "drained", "kept"))
    world.start(
        SOCKET
        + DEFAULTS
        + 'frontend fe\n    bind "fd@${fe}"\n'
        + "".join(
            f"backend {words.split()[0]}\n    balance {words}\n{servers}    server off 127.0.0.1:1 weight 10 disabled\n"
            for words in ("roundrobin", "source\n    hash-type consistent", "static-rr")
        ),
        bare=True,
    )
    _ask(world, "show backend", shown=False)

    def note(what: str) -> None:
        rows = _rows(_ask(world, "show stat -1 6 -1", shown=False))
        told = [" ".join((row["svname"], row["weight"], row["uweight"], row["status"])) for row in rows]
        world.note(f"{what}: {told}")

    backends = [row["pxname"] for row in _rows(_ask(world, "show stat -1 2 -1", shown=False))]
    steps = (
        *("plain state maint", "drained state drain", "off weight 20", "plain weight 20", "drained weight 20"),
        *("kept weight 20", "plain weight 0", "off weight 50%", "plain state drain", "plain state ready"),
        *("off state ready", "drained state maint", "drained weight 7", "drained state ready"),
    )
    for step in steps:
        for name in backends:
            _ask(world, f"set server {name}/{step}", shown=False)
        note(step)


def no_clients_at_all(world: World) -> None:
    """`set maxconn frontend` with 0 takes nobody: who comes waits."""
    world.start(
        SOCKET + DEFAULTS + 'frontend fe\n    bind "fd@${fe}"\n    maxconn 9\n    http-request return status 200\n',
        bare=True,
    )
    _ask(world, "show backend", shown=False)
    world.once("/")
    for word in ("0", "x"):
        _ask(world, f"set maxconn frontend fe {word}")
        with socket.create_connection(world.listeners["fe"].getsockname()[:2]) as client:
            client.settimeout(0.3)
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try:
                world.note(f"{client.recv(99)!r}")
            except TimeoutError:
                world.note("nobody answers")
        row = _rows(_ask(world, "show stat fe 1 -1", shown=False))[0]
        world.note(f"{word}: limit {row['slim']}")


def two_of_one_name(world: World) -> None:
    """Of servers that share a name, each with an `id` of its own, commands reach the first."""
    for name in ("one", "two"):
        world.origin(name)
    world.start(
        SOCKET
        + DEFAULTS
        + """
frontend fe
    bind "fd@${fe}"
    default_backend be
backend be
    balance roundrobin
    server s {one} id 11
    server s {two} id 12 weight 5
""",
        bare=True,
    )
    for command in ("disable server be/s", "set weight be/s 20", "get weight be/s", "set maxconn server be/s 7"):
        _ask(world, command)
        rows = _rows(_ask(world, "show stat be 4 -1", shown=False))
        world.note(str([(row["svname"], row["sid"], row["status"], row["weight"], row["slim"]) for row in rows]))
    world.note(world.once("/"))
    for command in ("enable server be/s", "set server be/#12 state maint", "get weight be/#12"):
        _ask(world, command)
    world.note(world.once("/"))
    world.forget_clients()
    world.forget_origins()

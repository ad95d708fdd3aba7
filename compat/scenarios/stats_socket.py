"""The stats socket: what commands answer, and what they do to traffic."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path

from compat.harness import World
from hapy.runtime_api.stat_fields import FIELDS

_CONFIG = """
global
    nbthread 1
    maxconn 2000
    log {syslog} local0
    stats socket {dir}/admin.sock mode 600 level admin
    stats socket {dir}/operator.sock level operator
    stats socket {dir}/user.sock level user
    stats timeout 5s
    node here
    description words and more
defaults
    mode http
    log global
    timeout client 10s
    timeout server 10s
    timeout connect 5s
frontend fe
    bind "fd@${fe}" name first
    option httplog
    default_backend be
backend be
    fullconn 100
    cookie SRV insert
    server a {a} cookie A weight 10 maxconn 50
    server b {b} cookie B
    server gone 127.0.0.1:1 disabled backup weight 7 maxqueue 5
listen li
    mode tcp
    fullconn 10
    bind "fd@${tcp}"
    balance leastconn
    server s {a}
backend empty
    fullconn 3
"""

_COLUMNS = [field.name for field in FIELDS]
_VARYING = {
    name
    for name in _COLUMNS
    if re.search(r"^(h1_|lastsess|lastchg|.?rate|conn_rate|req_rate|.time)|_conn_|_icur", name)
}


def _start(world: World) -> None:
    world.origin("a")
    world.origin("b")
    world.start(_CONFIG, bare=True)
    deadline = time.monotonic() + 10
    path = world.dir / "user.sock"
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    world.once("/")  # all is up
    for origin in world.origins.values():
        origin.order.clear()


def _talk(path: Path, text: str) -> str:
    """Send lines, read until the end."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(str(path))
        sock.sendall(text.encode())
        answer = b""
        try:
            while data := sock.recv(65536):
                answer += data
        except OSError as error:
            answer += f"[{type(error).__name__}]".encode()
    return answer.decode()


def _tell(world: World, *commands: str, level: str = "admin") -> None:
    for text in commands:
        answer = _talk(world.dir / f"{level}.sock", text + "\n")
        world.note(f"{level} {text!r}")
        for line in answer.replace(str(world.dir), "{dir}").split("\n"):
            if not re.match(r"  \S.*: ", line):  # the list of commands
                world.note("    " + _masked(world, line))


def _masked(world: World, line: str) -> str:
    for name, origin in world.origins.items():
        line = re.sub(rf"\b{origin.port}\b", f"port-of-{name}", line)
    if line.count(",") > 90:
        columns = line.split(",")
        line = ",".join("" if name in _VARYING else value for name, value in zip(_COLUMNS, columns, strict=False))
    line = re.sub(
        r"^(be/a 3/1 .* - 5000) .*", r"\1", line
    )  # which idle connections are safe to use is not counted alike
    line = re.sub(rf"\.({'|'.join(_VARYING)})\.1:(\w+):(\w+):.*", r".\1.1:\2:\3:", line)
    line = re.sub(
        r"^(Version|Release_date|Pid|Uptime|Uptime_sec|Idle_pct|Tasks|Start_time_sec|Build info): .*", r"\1", line
    )
    line = re.sub(
        r"^(Pool\w+|Ulimit-n|Maxsock|Maxpipes|TotalBytesOut|BytesOutRate|Tainted|Jobs|Listeners): .*", r"\1", line
    )
    line = re.sub(r"^(Mem\w+|\w+Rate|Cum(Conns|Req)|CurrConns|MaxSessRate): .*", r"\1", line)
    return re.sub(r"idle_per_thr\[\d+\].*", "idle_per_thr", line)


def changing_servers(world: World) -> None:
    """`set server`, weights, states, addresses: the answers, and where requests go after it."""
    _start(world)
    _tell(
        world,
        *("get weight be/a", "get weight be/x", "get weight nope/x", "get weight", "get weight be"),
        *("set server be/a weight 50%", "get weight be/a", "set server be/a weight 300", "set server be/a weight"),
        *("set server be/a weight x", "set weight be/a 20", "set weight be/a 5000%", "get weight be/a"),
        *("set server be/a weight 0", "set server be/a state drain", "set server be/a state foo"),
        *("set server be/a state", "set server be/a", "set server be", "set server", "set server be/a foo"),
    )
    for _ in range(2):
        world.once("/")
    _tell(world, "set server be/a state ready", "set server be/a weight 1", "disable server be/b")
    for _ in range(2):
        world.once("/")
    _tell(world, "enable server be/b", "set server be/a state maint", "enable server be/x", "disable server be")
    for _ in range(2):
        world.once("/")
    _tell(
        world,
        *("set server be/a state ready", "set server be/a addr foo", "set server be/a addr"),
        "set server be/gone addr 127.0.0.2",
        "set server be/gone addr 127.0.0.2 port 99",
        "set server be/gone addr 127.0.0.2 port 99",
        *("set server be/gone addr ::1", "set server be/a health up", "set server be/a health down"),
        *("set server be/b health xx", "set server be/a agent up", "set server be/a check-port 99"),
        *("enable health be/a", "disable health be/a", "enable agent be/a", "disable agent be/a"),
        *("set maxconn server be/a 7", "set maxconn server be/a x", "set maxconn server be/a"),
        *("enable dynamic-cookie backend be", "enable dynamic-cookie backend no", "set dynamic-cookie-key backend be"),
        "show servers state be",
    )
    world.logs(7)


def questions(world: World) -> None:
    """`show …` in its forms."""
    _start(world)
    _tell(
        world,
        *(
            "show backend",
            "show servers state",
            "show servers state be",
            "show servers state nope",
            "show servers conn",
        ),
        *("show info", "show stat be 4 1", "show stat -1 4 -1 no-maint", "show stat li 7 0 typed", "show stat 4 3 -1"),
        *("show stat nope 4 -1", "show stat be 6 -1 typed", "show stat fe 1 0 json", "show stat be 4 3 typed"),
        *("show env NO_SUCH_VARIABLE", "show cli level", "show cli sockets"),
    )


def sessions(world: World) -> None:
    """Lines, prompts, several commands, levels."""
    _start(world)
    _tell(world, "show backend;show cli level", "show  backend ; show cli level ;", "show\\ backend;show cli level")
    _tell(world, "prompt\nshow backend\n\nshow cli level;show backend\nprompt\nshow cli level")
    _tell(world, "prompt\nuser;show cli level\nset weight be/a 3\nquit\nshow backend", "quit\nshow backend")
    for mode in ("expert-mode", "experimental-mode"):
        _tell(world, f"{mode};{mode} on;{mode}", f"{mode} on;{mode} word;{mode}", f"{mode} on;user;{mode}")
    _tell(world, "set timeout cli 5", "set timeout cli x", "set timeout", "set severity-output number;show cli level")
    for level in ("user", "operator", "admin"):
        _tell(
            world,
            *("show cli level", "operator;show cli level", "user;show cli level", "get weight be/a"),
            *("set weight be/a 3", "clear counters", "clear counters all", "show env HAPY_NONE", "disable server be/b"),
            *("disable frontend fe", "enable frontend fe", "set maxconn global 100"),
            level=level,
        )


def frontends(world: World) -> None:
    """Frontends and limits."""
    _start(world)
    _tell(
        world,
        *(
            "enable frontend fe",
            "disable frontend li",
            "disable frontend li",
            "enable frontend li",
            "disable frontend no",
        ),
        *("disable frontend", "set maxconn frontend fe 77", "set maxconn frontend fe", "set maxconn frontend x 3"),
        *("set maxconn global 99", "set maxconn global", "shutdown sessions server be/a"),
        *("shutdown sessions server be/x", "shutdown frontend nope", "shutdown frontend li", "shutdown frontend li"),
        *("disable frontend li", "enable frontend li", "clear counters all"),
    )
    world.once("/")
    _tell(world, "show stat fe 1 0", "show stat li 1 0 typed")


def empty_connections(world: World) -> None:
    """A connection that ends without a byte is a request to `req_tot`, but none to `h1_total_streams`."""
    _start(world)
    for words in ("", "GET / HT", "BAD\n\n"):
        client = world.client()
        client.ending(0.1)
        client.send(words)
        if not words.endswith("\n"):  # a FIN just behind what is bad may be seen with it, or not
            client.shutdown()
        client.expect_end()
    world.logs(4)
    row = _talk(world.dir / "admin.sock", "show stat fe 1 0 typed\n")
    world.note(str(re.findall(r"\.((?:req_tot|h1_total_\w+))\.\S+:(\d+)", row)))

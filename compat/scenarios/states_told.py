"""What agents and commands make of servers, and how logs, statistics and `show servers state` tell it."""

from __future__ import annotations

import csv
import io
import re
import socket
from contextlib import ExitStack

from compat.harness import World
from compat.harness.targets import Target, http, make_silent, said_of_servers, saying, wait_until

GLOBAL = "    stats socket {dir}/sock level admin\n"
_COLUMNS = (
    *(
        "status",
        "weight",
        "uweight",
        "slim",
        "chkfail",
        "chkdown",
        "check_status",
        "agent_status",
        "agent_code",
        "agent_desc",
    ),
    *("agent_health", "agent_rise", "agent_fall", "last_agt"),
)

#: What agents say, each the same all the time.
ANSWERS = (
    *("up", "down", "stopped", "fail", "ready", "drain", "maint", "UP", "Maint"),
    *("50%", "150%", "0%", "300%", "256%", "1%", "2000000000%", "50% 0%", "75%x", "%", "-5%", "1.5%", "50 %"),
    *("maxconn:5", "maxconn:0", "maxconn:", "maxconn:x", "maxconn:5x", "maxconn:99999"),
    *("maxconn:+6", "maxconn:-1", "maxconn:4 50%x", "50%x maxconn:3", "maxconn:2 rubbish"),
    *("rubbish", "weight:5", "weight:5 rubbish", "up#x", "up#all fine", "up  # ", "#only", "", " "),
    *(
        'down # bad, "thing" <é>',
        "down # why  \t",
        "up#x ",
        "down # " + 300 * "x",
        "down 50%x # why",
        "foo # why",
        "50%x # why",
    ),
    *("up,50%", "50%,down", "up drain", "drain up", "up maint", "down ready", "drain maint", "maint ready", "0% up"),
    *("up weight:5", "down weight:5 rubbish", "up maxconn:", "up 50%x", "up 50%x foo", "up 50%x maxconn:x"),
    *("up maxconn:x 50%x", "maxconn:x 50%x rubbish", "up down", "down 101%", "99% up"),
)
_ALGORITHMS = {
    "turns": "balance roundrobin",
    "map": "balance source",
    "ring": "balance source\n    hash-type consistent",
    "static": "balance static-rr",
    "least": "balance leastconn",
    "first": "balance first",
}


def ask(world: World, command: str) -> str:
    """One command on the scenario's stats socket."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(world.dir / "sock"))
        sock.sendall(command.encode() + b"\n")
        data = b""
        while piece := sock.recv(65536):
            data += piece
    return data.decode()


def await_socket(world: World, command: str = "show version") -> None:
    """Wait until the program that was just launched answers on its stats socket."""

    def serves() -> bool:
        try:
            return bool(ask(world, command))
        except OSError:
            return False

    assert wait_until(serves)


def _start(world: World, config: str) -> None:
    """Launch the program and wait for its stats socket."""
    world.start(config + 'frontend fe\n    bind "fd@${fe}"\n', global_=GLOBAL)
    await_socket(world)


def _note_states(world: World) -> None:
    """Each server `s`: columns of its statistics, and of its line in `show servers state`."""
    shown: dict[str, str] = {}
    states: dict[str, list[str]] = {}

    def all_seen() -> bool:
        """Whether each has been seen while no check of it ran."""
        rows = list(csv.DictReader(io.StringIO(ask(world, "show stat -1 4 -1").removeprefix("# "))))
        for row in rows:
            if row["svname"] == "s" and "*" not in row["check_status"] + row["agent_status"]:
                shown[row["pxname"]] = " ".join(f"{name}={row[name]!r}" for name in _COLUMNS if row[name])
        for line in ask(world, "show servers state").split("\n")[2:]:
            words = line.split()
            if words and words[3] == "s" and not (int(words[13]) | int(words[14])) & 1:
                states[words[1]] = words[5:9] + words[11:15]  # without the changing time, and what the check last said
        return all(row["pxname"] in shown and row["pxname"] in states for row in rows if row["svname"] == "s")

    wait_until(all_seen)
    for name in sorted(shown):
        world.note(f"{name}: {shown[name]} {' '.join(states.get(name, ()))}")


def agent_words(world: World) -> None:
    """Each answer that an agent may give: what is logged, and what it makes of weight, limit and state."""
    with ExitStack() as stack:
        agents = []
        parts = []
        answers = [f"{text}\n" for text in ANSWERS]
        answers += ["up", "50%", "", "100%\r", "100%\r\nup\n", "100%\nup\n"]  # cut lines, several lines
        for algorithm in ("turns", "map"):
            for number, text in enumerate(answers):
                agents.append(Target(saying(text.encode(), close=True)))
                stack.callback(agents[-1].stop)
                parts.append(
                    f"backend {algorithm}{number}\n    {_ALGORITHMS[algorithm]}\n    option log-health-checks\n"
                    f"    server s 127.0.0.1:9 weight 40 maxconn 7 agent-check agent-addr 127.0.0.1"
                    f" agent-port {agents[-1].port} agent-inter 1s\n    server z 127.0.0.1:9\n"
                )
        _start(world, "".join(parts))
        wait_until(lambda: all(agent.met >= 3 for agent in agents))
        for part in parts:
            name = part.split()[1]
            lines = [line for line in said_of_servers(world) if f" {name}/s " in line or f" {name} " in line]
            for line in dict.fromkeys(lines):
                world.note(line)
        _note_states(world)


def weights_by_command(world: World) -> None:
    """`set weight` and `set server … weight`: numbers, percentages, nonsense, and algorithms that are laid out once."""
    _start(
        world,
        "".join(
            f"backend {name}\n    {words}\n    server s 127.0.0.1:9 weight 40\n    server z 127.0.0.1:9\n"
            for name, words in _ALGORITHMS.items()
        ),
    )
    for name in _ALGORITHMS:
        for word in (
            *(
                "99%",
                "33%",
                "101%",
                "150%",
                "1%",
                "700%",
                "0%",
                "100%",
                "-1%",
                "99999999999999999999%",
                "100%%",
                "50%x",
            ),
            *("0", "40", "41", "+5", "257", "-1", "5x", "%", "x", "99999999999999999999", ""),
        ):
            said = ask(world, f"set weight {name}/s {word}").strip()
            also = ask(world, f"set server {name}/s weight {word}").strip()
            world.note(f"{name} {word}: {said!r} {also!r} {ask(world, f'get weight {name}/s').strip()}")


_CHECKS = {
    "none": "",
    "check": "check",
    "agent": "agent-check agent-port {agent}",
    "both": "check agent-check agent-port {agent}",
}
_COMMANDS = {
    "plain": (),
    "drain": ("set server {} state drain",),
    "maint": ("set server {} state maint",),
    "light": ("set weight {} 0",),
    "lightdrain": ("set weight {} 0", "set server {} state drain"),
    "agentdown": ("set server {} agent down",),
    "noagent": ("disable agent {}",),
    "nohealth": ("disable health {}",),
    "noagentdrain": ("disable agent {}", "set server {} state drain"),
    "nohealthdrain": ("disable health {}", "set server {} state drain"),
    "back": ("set server {} state maint", "set server {} state ready"),
}


def states_by_command(world: World) -> None:
    """Drain, maintenance, weight 0 and switched-off checks of servers with and without checks and agents."""
    with ExitStack() as stack:
        agent = Target(saying(b"up\n", close=True))
        silent = Target(make_silent)
        stack.callback(agent.stop)
        stack.callback(silent.stop)
        world.places |= {"agent": str(agent.port), "silent": silent.address}
        parts = ["backend before\n    server one {silent} check inter 900s\n"]  # whose check comes at once
        for kind, words in _CHECKS.items():
            parts += [
                f"backend {kind}-{name}\n    server s {{silent}} weight 40 {words} inter 900s agent-inter 900s\n"
                "    server z {silent}\n"
                for name in _COMMANDS
            ]
        parts.append("backend off-none\n    server s {silent} disabled\n")
        parts.append("backend off-check\n    server s {silent} check inter 900s disabled\n")
        _start(world, "".join(parts))
        for kind in _CHECKS:
            for name, commands in _COMMANDS.items():
                for command in commands:
                    said = ask(world, command.format(f"{kind}-{name}/s")).strip()
                    if said:
                        world.note(f"{kind} {command}: {said}")
        _note_states(world)
        for words in ("health down", "health stopping", "health up"):
            ask(world, f"set server check-plain/s {words}")
        for line in said_of_servers(world):
            if " check-plain/s " in line or "agent-agentdown/s" in line:
                world.note(line)


def agent_of_a_follower(world: World) -> None:
    """A server that tracks another may have an agent as well."""
    with ExitStack() as stack:
        agent = Target(saying(b"down\n", close=True))
        silent = Target(make_silent)
        stack.callback(agent.stop)
        stack.callback(silent.stop)
        world.places |= {"agent": str(agent.port), "silent": silent.address}
        _start(
            world,
            """
backend b
    server s {silent} track b/c agent-check agent-port {agent} agent-inter 300ms
    server c {silent} check inter 900s
""",
        )
        wait_until(lambda: any(" b/s is DOWN" in line for line in said_of_servers(world)))
        for line in said_of_servers(world):
            if " b/s " in line:
                world.note(line)
        row = next(csv.DictReader(io.StringIO(ask(world, "show stat b 4 1").removeprefix("# "))))
        world.note(f"{row['agent_status'].lstrip('* ')} {row['agent_health']} {row['tracked']}")


#: What is done to the first three of four servers that track each other.
_CHAIN = (
    *(
        "a state maint",
        "b state maint",
        "c state maint",
        "a state maint; b state maint",
        "b state maint; a state maint",
    ),
    *("a health down", "a health down; a health up", "a health down; a state maint", "b state maint; b state ready"),
    *("a state maint; a state ready", "b state maint; a health down; b state ready", "a state drain", "b state drain"),
    *("a state maint; c state maint; a state ready", "a state maint; b state maint; a state ready; b state ready"),
    *(
        "a health stopping",
        "b state maint; a health stopping; b state ready",
        "a state maint; b state maint; b state ready",
    ),
    "b state maint; a health down; a health up; b state ready",
)


def chains_of_followers(world: World) -> None:
    """Servers that track servers that track servers: states, lines and health, whichever of them is taken out."""
    target = Target(make_silent)
    world.places["silent"] = target.address
    parts = []
    for number in range(len(_CHAIN)):
        servers = [f"server {name} {{silent}}" for name in "abcd"]
        words = ["check inter 3s", *(f"track b{number}/{name}" for name in "abc")]
        lines = [f"    {server} {word}" for server, word in zip(servers, words, strict=True)]
        parts += [f"backend b{number}", *lines]
    parts.append("backend off\n    server o {silent} check inter 3s disabled\n    server t {silent} track off/o")
    parts.append("    server t2 {silent} track off/t disabled\n    server t3 {silent} track off/t2\n")
    try:
        _start(world, "\n".join(parts))
        wait_until(lambda: ask(world, "show stat -1 4 -1").count("UP,") == 4 * len(_CHAIN))
        for number, commands in enumerate(_CHAIN):
            for command in commands.split("; "):
                ask(world, f"set server b{number}/{command}")
        rows = list(csv.DictReader(io.StringIO(ask(world, "show stat -1 4 -1").removeprefix("# "))))
        states = [line.split() for line in ask(world, "show servers state").split("\n")[2:] if line.strip()]
        health = {(words[1], words[3]): [*words[5:7], words[13]] for words in states}
        for row in rows:
            number = row["pxname"].removeprefix("b")
            what = _CHAIN[int(number)] if number.isdigit() else "from the start"
            shown = " ".join(health[row["pxname"], row["svname"]])
            world.note(f"{what}: {row['svname']} {row['status']} {shown}")
        for line in said_of_servers(world):
            world.note(line)
    finally:
        target.stop()


def agents_of_followers(world: World) -> None:
    """Servers of which one tracks the other, and agents of either: whose word counts, and how it is told."""
    with ExitStack() as stack:
        silent = Target(make_silent)
        stack.callback(silent.stop)
        agents = {word: Target(saying(f"{word}\n".encode(), close=True)) for word in ("up", "down", "drain", "maint")}
        world.places["silent"] = silent.address
        for word, agent in agents.items():
            stack.callback(agent.stop)
            world.places[word] = f"agent-check agent-inter 200ms agent-port {agent.port}"
        _start(
            world,
            """
backend led
    server o1 {silent} check inter 3s {down}
    server t1 {silent} track led/o1
    server t2 {silent} track led/t1
    server t3 {silent} track led/o1 {up}
    server o2 {silent} check inter 3s {drain}
    server t4 {silent} track led/o2
    server t5 {silent} track led/t4 {up}
backend own
    server o {silent} check inter 50ms
    server t1 {silent} track own/o {down}
    server t2 {silent} track own/o {up} disabled
    server t3 {silent} track own/o {drain}
    server t4 {silent} track own/o {maint}
backend dead
    server o 127.0.0.1:1 check inter 3s fastinter 50ms rise 4 fall 3
    server t1 {silent} track dead/o {down}
    server t2 {silent} track dead/o
    server t3 {silent} track dead/o {up}
""",
        )
        wait_until(lambda: all(agent.met >= 6 for agent in agents.values()))
        wait_until(lambda: "dead/o is DOWN" in " ".join(said_of_servers(world)))
        rows = list(csv.DictReader(io.StringIO(ask(world, "show stat -1 4 -1").removeprefix("# "))))
        for row in rows:
            world.note(f"{row['pxname']}/{row['svname']}: {row['status']}")
        commands = ("own/o state maint", "own/o state ready", "own/t1 state maint", "own/t1 state ready")
        for command in commands:
            ask(world, f"set server {command}")
        for name in [f"{row['pxname']}/{row['svname']}" for row in rows]:
            for line in said_of_servers(world):
                if f" {name} " in line:
                    world.note(re.sub(r"\d+ active and \d+ backup", "some", line))


#: What a server is told, one after the other: maintenance and drain end each other.
_TOLD = (
    *("set server b/s state drain", "set server b/s state maint", "enable server b/s"),
    *("set server b/s state drain", "disable server b/s", "set server b/s state drain", "enable server b/s"),
    *("disable server b/s", "set server b/s state drain", "set server b/s state ready"),
)


def numbers_of_states(world: World) -> None:
    """`show servers state` in numbers: each result of a check, what operators want, ids that the file gives."""
    with ExitStack() as stack:
        for name, status in (("ok", "200 OK"), ("odd", "404 Not Found"), ("broken", "500 Oops")):
            target = Target(http(status))
            stack.callback(target.stop)
            world.places[name] = target.address
        silent = Target(make_silent)
        stack.callback(silent.stop)
        world.places["silent"] = silent.address
        http_check = "option httpchk\n    http-check disable-on-404\n    server s"
        wait = "default-server inter 300ms fall 1 rise 1"
        world.start(
            f"""
backend passed
    id 900
    {http_check} {{ok}} check inter 50ms
backend conditional
    {http_check} {{odd}} check inter 50ms
backend refused
    id 901
    {http_check} {{broken}} check inter 50ms id 77
backend read
    {wait}
    option tcp-check
    tcp-check send x
    tcp-check expect string 200
    server s {{ok}} check inter 50ms
backend late
    {wait}
    timeout check 50ms
    option tcp-check
    tcp-check expect string 200
    server s {{silent}} check
backend layer4
    server s {{silent}} check inter 50ms
backend closed
    server s 127.0.0.1:1 check inter 50ms
backend program
    option external-check
    external-check command /bin/true
    server s {{silent}} check inter 50ms
backend failing
    option external-check
    external-check command /bin/false
    server s {{silent}} check inter 50ms
backend made
    server-template s 2 127.0.0.1:1 id 30
    server u 127.0.0.1:1
backend b
    server s {{silent}} check inter 50ms
    server t {{silent}} track b/s
frontend fe
    bind "fd@${{fe}}"
""",
            global_=GLOBAL + "    external-check\n    insecure-fork-wanted\n",
        )
        await_socket(world)

        def states() -> dict[str, list[str]]:
            lines = ask(world, "show servers state").split("\n")[2:]
            return {f"{words[1]}/{words[3]}": words for words in map(str.split, lines) if words}

        seen: dict[str, str] = {}

        def all_checked() -> bool:
            for name, words in states().items():
                if not int(words[13]) & 1 and (words[10] != "1" or not int(words[13])):
                    seen[name] = " ".join((words[2], *words[5:7], *words[10:13], *words[15:17]))
            return len(seen) == 14

        wait_until(all_checked)
        for name, what in sorted(seen.items()):
            world.note(f"{name}: {what}")
        for command in _TOLD:
            ask(world, command)
            now = states()
            world.note(f"{command}: {' '.join(now['b/s'][5:7])}, follower {' '.join(now['b/t'][5:7])}")


def agent_switched_off(world: World) -> None:
    """An agent that says down holds a server down; once it is switched off, the health check alone decides."""
    agent, target = Target(saying(b"down\n", close=True)), Target(make_silent)
    try:
        world.places["silent"] = target.address
        _start(
            world,
            f"""
backend b
    server s {{silent}} check inter 50ms agent-check agent-inter 50ms agent-port {agent.port}
""",
        )

        def state() -> str:
            return next(line.split()[5] for line in ask(world, "show servers state b").split("\n")[2:] if line)

        world.note(f"held down: {wait_until(lambda: state() == '0')}")
        ask(world, "disable agent b/s")
        world.note(f"up without it: {wait_until(lambda: state() == '2')}")
        ask(world, "enable agent b/s")
        world.note(f"down again: {wait_until(lambda: state() == '0')}")
    finally:
        agent.stop()
        target.stop()


def health_without_checks(world: World) -> None:
    """Health of servers that nothing checks, from the start on, and who went down before there was anybody to see it."""
    with ExitStack() as stack:
        agent = Target(saying(b"", close=True))
        stack.callback(agent.stop)
        unknown = "nowhere.test:80 resolvers r init-addr none"
        _start(
            world,
            f"""
resolvers r
    nameserver n 127.0.0.1:1
backend bare
    server a 127.0.0.1:9 rise 1
    server b 127.0.0.1:9 rise 5 fall 7
    server c 127.0.0.1:9
    server d 127.0.0.1:9 rise 4 disabled
    server e 127.0.0.1:9 rise 4 track led/o
    server f 127.0.0.1:9 rise 4 agent-check agent-inter 900s agent-port {agent.port}
    server g 127.0.0.1:9 rise 4 track bare/f
backend led
    server o 127.0.0.1:9 check inter 900s
    server p 127.0.0.1:9 rise 4 check inter 900s agent-check agent-inter 900s agent-port {agent.port}
backend lost
    server a {unknown} check
    server b {unknown}
    server c 127.0.0.1:9 disabled check
backend light
    server a {unknown} weight 0 check
backend off
    server a {unknown} disabled check
backend beside
    server a {unknown} check
    server b 127.0.0.1:9
backend follows
    server a 127.0.0.1:9 track lost/a
backend ahead
    server a 127.0.0.1:9 track off/a
backend both
    server a {unknown} track lost/a
""",
        )

        def note(what: str) -> None:
            lines = [line.split() for line in ask(world, "show servers state").split("\n")[2:] if line]
            health = {(words[1], words[3]): words[12] for words in lines}
            for row in csv.DictReader(io.StringIO(ask(world, "show stat").removeprefix("# "))):
                shown = row["status"], row["chkdown"], health.get((row["pxname"], row["svname"]), "")
                world.note(f"{what}: {row['pxname']}/{row['svname']} {shown}")

        wait_until(lambda: agent.met >= 2)
        note("start")
        for server in ("bare/a", "bare/b", "bare/d", "bare/f", "led/p"):
            for command in ("disable health {}", "disable server {}", "enable server {}", "set server {} health up"):
                ask(world, command.format(server))
        note("up")
        for server in ("bare/a", "bare/b", "bare/d", "bare/f", "led/p"):
            ask(world, f"set server {server} health down")
        note("down")
        for server in ("bare/a", "bare/b", "bare/d", "bare/f", "led/p"):
            for command in ("disable server {}", "enable server {}"):
                ask(world, command.format(server))
        note("back")


def counted_by_checks(world: World) -> None:
    """What checks raise in counters: those of the process, of HTTP, of TLS, and what is held of a server's needs."""
    with ExitStack() as stack:
        targets = {
            "answers": Target(http("200 OK")),
            "closes": Target(saying(b"", close=True)),
            "silent": Target(make_silent),
            "agent": Target(make_silent),
        }
        for name, target in targets.items():
            stack.callback(target.stop)
            world.places[name] = str(target.port)
        _start(
            world,
            """
defaults
    mode http
    timeout check 900s
    default-server inter 900s
backend good
    option httpchk GET /checked
    server s 127.0.0.1:{answers} check
backend cut
    option httpchk
    server s 127.0.0.1:{closes} check
backend twice
    option httpchk
    http-check connect
    http-check send meth GET uri /one
    http-check expect status 200
    http-check connect
    http-check send meth GET uri /two
    server s 127.0.0.1:{answers} check
backend waits
    mode tcp
    option httpchk
    server s 127.0.0.1:{silent} check
backend other
    option redis-check
    server s 127.0.0.1:{silent} check
backend secret
    server s 127.0.0.1:{closes} check ssl verify none
backend handshake
    server s 127.0.0.1:{silent} check ssl verify none
backend asked
    server s 127.0.0.1:{answers} agent-check agent-inter 900s agent-port {agent}
""",
        )
        columns = ("need_conn_est", "used_conn_cur", "ssl_sess", "ssl_failed_handshake", "chkfail")
        columns += ("h1_total_connections", "h1_total_streams", "h1_open_connections", "h1_open_streams")
        columns += ("h1_bytes_in", "h1_bytes_out")

        def table() -> list[dict[str, str]]:
            return list(csv.DictReader(io.StringIO(ask(world, "show stat").removeprefix("# "))))

        def is_over() -> bool:
            done = [row["check_status"] for row in table() if row["pxname"] in ("good", "cut", "twice", "secret")]
            return not any(status.startswith("* ") or status == "INI" for status in done)

        wait_until(lambda: is_over() and targets["silent"].met >= 3 and targets["agent"].met >= 1)
        for row in table():
            world.note(
                f"{row['pxname']}/{row['svname']}: {' '.join(f'{one}={row[one]}' for one in columns if row[one])}"
            )

        def info() -> dict[str, int]:
            lines = [line.split(": ", 1) for line in ask(world, "show info").splitlines() if ": " in line]
            return {name: int(value) for name, value in lines if value.isdigit()}

        first = info()
        second = info()
        world.note(f"jobs {first['Jobs']}, TLS {first['CurrSslConns']} {first['CumSslConns']}")
        world.note(f"connections without requests: {first['CumConns'] - first['CumReq']}")
        world.note(f"more: {second['CumConns'] - first['CumConns']} {second['CumReq'] - first['CumReq']}")


def counted_refusals(world: World) -> None:
    """What never became a request: the frontend counts it as one, the process where it is logged."""
    frontend = 'bind "fd@${%s}"\n    timeout http-request 300ms\n    http-request return status 200\n'
    world.start(
        f"frontend fe\n    {frontend % 'fe'}frontend silent\n    no log\n    {frontend % 'silent'}", global_=GLOBAL
    )
    await_socket(world)

    def requests() -> int:
        lines = [line.split(": ", 1) for line in ask(world, "show info").splitlines()]
        return next(int(line[1]) for line in lines if line[0] == "CumReq")

    for listener in ("fe", "silent"):
        before = requests()
        for text in ("GET / HTTP/1.1\nHost: a\nConnection: close\n\n", "bad\n\n", "GET / HT", ""):
            client = world.client(listener)
            client.send(text)
            client.expect_end()
        world.note(f"{listener}: the process {requests() - before}")
    for row in csv.DictReader(io.StringIO(ask(world, "show stat").removeprefix("# "))):
        world.note(" ".join(f"{name}={row[name]}" for name in ("stot", "req_tot", "ereq", "hrsp_2xx", "hrsp_4xx")))


def slow_starts(world: World) -> None:
    """`slowstart` ends with a line of its own, for who tracks the server, too; drained servers say that they are."""
    with ExitStack() as stack:
        good = Target(http("200 OK"))
        stack.callback(good.stop)
        world.places = {"good": good.address}
        world.start(
            """
backend b
    option httpchk
    default-server inter 100ms rise 1 fall 1 slowstart 2s
    server a {good} check
    server spare {good} check backup
    server none {good} check weight 0
    server heavy {good} check weight 100
    server drained {good} check
    server follower {good} track b/a slowstart 1500ms
    server second {good} track b/follower slowstart 1s
    server plain {good}
frontend fe
    bind fd@${fe}
""",
            global_=GLOBAL,
        )
        await_socket(world)
        names = ("a", "spare", "none", "heavy", "drained", "follower", "second", "plain")
        good.behave = http("500 No")
        assert wait_until(lambda: sum(" is DOWN" in line for line in said_of_servers(world)) == len(names) - 1)
        ask(world, "set server b/drained state drain")
        ask(world, "set server b/plain state maint")
        good.behave = http("200 OK")
        ask(world, "set server b/plain state ready")
        assert wait_until(lambda: sum(" is UP" in line for line in said_of_servers(world)) == 2 * len(names))
        for name in names:
            for line in said_of_servers(world):
                if f" b/{name} " in line:  # how many there are depends on which of them is looked at first
                    world.note(re.sub(r"\. \d active and \d backup", ". N active and M backup", line))


def stopping_and_drained(world: World) -> None:
    """A server that is stopping shows that, whatever else keeps traffic away; lines about draining what is down."""
    with ExitStack() as stack:
        agent = Target(saying(b"up\n", close=True))
        stack.callback(agent.stop)
        world.start(
            f"""
backend b
    server bare 127.0.0.1:1
    server told 127.0.0.1:1 agent-check agent-port {agent.port} agent-inter 100s
frontend fe
    bind fd@${{fe}}
""",
            global_=GLOBAL,
        )
        await_socket(world)
        assert wait_until(lambda: agent.met > 0 and "L7OK" in ask(world, "show stat"))
        for name in ("bare", "told"):
            for command in ("health stopping", "state drain", "health up", "state ready", "health down", "state drain"):
                ask(world, f"set server b/{name} {command}")
                row = next(row for row in csv.DictReader(io.StringIO(ask(world, "show stat"))) if row["svname"] == name)
                world.note(f"{name} {command}: {row['status']} lastchg {row['lastchg']}")
            ask(world, f"set server b/{name} state ready")
        for line in said_of_servers(world):
            world.note(line)


def downtime_of_the_drained(world: World) -> None:
    """`downtime` of a server that is down while it is drained."""

    def downtime() -> int:
        return next(
            int(row["downtime"] or 0)
            for row in csv.DictReader(io.StringIO(ask(world, "show stat")))
            if row["svname"] == "s"
        )

    with ExitStack() as stack:
        bad = Target(http("500 No"))
        stack.callback(bad.stop)
        world.start(
            f"backend b\n    option httpchk\n    server s {bad.address} check inter 100ms fall 1\n"
            'frontend fe\n    bind "fd@${fe}"\n',
            global_=GLOBAL,
        )
        await_socket(world)
        assert wait_until(lambda: downtime() >= 3)
        ask(world, "set server b/s state drain")
        world.note(f"3 s and more: {downtime() >= 3}")

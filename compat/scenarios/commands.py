"""The stats socket, word by word: what commands about servers and limits answer to good and to bad arguments."""

from __future__ import annotations

import csv
import io

from compat.harness import World
from compat.harness.targets import said_of_servers, wait_until
from compat.scenarios.states_told import GLOBAL, ask, await_socket

_CONFIG = """
resolvers r1
    nameserver n1 127.0.0.1:9
frontend fe
    bind "fd@${fe}"
listen l1
    bind "fd@${l1}"
    server x 127.0.0.1:1
backend b1
    server plain 127.0.0.1:1 weight 10 maxconn 5
    server checked 127.0.0.1:2 check inter 900s
    server agent 127.0.0.1:3 agent-check agent-port 4 agent-inter 900s
    server off 127.0.0.1:4 disabled
    server unix unix@/tmp/nowhere
backend b2
    mode tcp
    balance source
    server tls 127.0.0.1:2 ssl verify none
    server tlscheck 127.0.0.1:2 check-ssl verify none check inter 900s
    server named host.test:80 resolvers r1 init-addr none
    server follower 127.0.0.1:6 track b1/checked
    server third 127.0.0.1:6 track b2/follower
backend b3
"""


def _start(world: World) -> None:
    world.start(_CONFIG, global_=GLOBAL)
    await_socket(world)


def _ask_all(world: World, prefix: str, arguments: tuple[str, ...]) -> None:
    for words in arguments:
        text = f"{prefix} {words}".rstrip()
        world.note(f"{text!r}: {ask(world, text)!r}")


_ADDRESSES = (
    *("", "1.2.3.4", "1.2.3.4", "1.2.3.4 port 88", "1.2.3.4 port +8", "1.2.3.5 port -8", "1.2.3.5 port 9"),
    *("1.2.3.5 port 65535", "1.2.3.5 port 65536", "1.2.3.5 port 70000", "1.2.3.5 port 80x", "1.2.3.5 port +"),
    *("1.2.3.5 port", "1.2.3.5 port x", "1.2.3.6 foo", "1.2.3.7 foo 80", "1.2.3.7 port 81 more", "::1", "::1 port 82"),
    *("localhost", "fe80::1%lo", "1.2.3", "1.2.3.4:80", "/tmp/x", "127.0.0.1 port 0", "127.0.0.1 port 1"),
)


def addresses(world: World) -> None:
    """`set server … addr`: addresses, ports, ports mapped onto the client's, and what is neither."""
    _start(world)
    _ask_all(world, "set server b1/plain addr", _ADDRESSES)
    _ask_all(world, "set server b1/checked addr", ("1.2.3.4 port 88", "1.2.3.5 port +8", "1.2.3.6 port x", "1.2.3.6"))
    ask(world, "set server b1/checked check-port 80")
    _ask_all(world, "set server b1/checked addr", ("1.2.3.4 port +8", "1.2.3.4 port +8", "1.2.3.4 port -9"))
    _ask_all(world, "set server b1/checked", ("check-port 0", "check-addr 1.2.3.4 port 0", "addr 1.2.3.4 port 7"))
    _ask_all(world, "set server b1/unix addr", ("1.2.3.4", "1.2.3.4 port 80", "/tmp/y", ""))
    _ask_all(
        world, "set server b2/named", ("addr 1.2.3.4", "fqdn foo.test", "fqdn foo.test more", "fqdn -x-.test", "fqdn")
    )
    rows = csv.DictReader(io.StringIO(ask(world, "show stat b1 4 -1").removeprefix("# ")))
    world.note(str([(row["svname"], row["addr"]) for row in rows]))


def places(world: World) -> None:
    """`check-addr`, `check-port`, `agent-addr`, `agent-port`, `agent-send`: also what states tell of them afterwards."""
    _start(world)
    ports = ("", "0", "80", "65535", "65536", "-1", "+1", "1x", "x")
    places_ = ("", "1.2.3.4", "::1", "nohost.invalid", "unix@/tmp/x", "1.2.3.4:99", "1.2.3.4 foo", "1.2.3.4 foo 80")
    places_ += tuple(f"1.2.3.4 port {port}".rstrip() for port in ports)
    for name in ("plain", "checked", "agent"):
        for kind, words in (
            ("check-port", ports),
            ("agent-port", ports),
            ("check-addr", places_),
            ("agent-addr", places_),
        ):
            _ask_all(world, f"set server b1/{name} {kind}", words)
        _ask_all(world, f"set server b1/{name} agent-send", ("", "hello", r"hello\ world\n"))
    for what, name in (("health", "checked"), ("agent", "agent")):  # what is switched off has no place
        _ask_all(world, f"disable {what}", (f"b1/{name}",))
        for kind in ("check-port 81", "check-addr 1.2.3.5", "agent-port 82", "agent-addr 1.2.3.6", "agent-send x"):
            _ask_all(world, f"set server b1/{name}", (kind,))
    for line in ask(world, "show servers state b1").split("\n")[2:5]:
        world.note(" ".join(line.split()[18:]))


def names_and_limits(world: World) -> None:
    """Names of servers that are none; `set maxconn`, `set timeout`, session pointers; domains of `show stat`."""
    _start(world)
    for form in ("", "typed", "json"):  # a description that there is none of
        world.note(f"{form}: {'description' in ask(world, f'show info {form}'.strip())}")
    names = (
        "",
        "b1",
        "b1/",
        "/plain",
        "/",
        "b1/plain/x",
        "b1/nope",
        "nope/plain",
        "#3/plain",
        "b1/#1",
        "b1/#x",
        "b1/#99",
    )
    _ask_all(world, "get weight", names)
    _ask_all(
        world, "set maxconn server", ("b1/plain", *(f"b1/plain {n}" for n in ("x", "-1", "+1", "5x", "7")), "b1/ 7")
    )
    _ask_all(
        world, "set maxconn frontend", ("", "fe", *(f"fe {n}" for n in ("x", "-1", "5x", "100", "99999999999")), "b1 5")
    )
    _ask_all(world, "set maxconn global", ("", "x", "-1", "5x", "100", "99999999"))
    _ask_all(world, "set timeout", ("", "cli", "foo 5", *(f"cli {n}" for n in ("x", "0", "-1", "5", "5x"))))
    _ask_all(world, "shutdown session", ("", "foo", "0x", "99", "0x99"))
    _ask_all(world, "show stat domain", ("", "foo", "dns"))
    rows = [ask(world, f"show stat domain resolvers {form}".rstrip()) for form in ("", "typed", "json")]
    for row in rows:
        world.note(row.replace("sent:MGP:u64:2", "sent:MGP:u64:1").partition("n1")[0])
    world.note(str(ask(world, "show stat domain proxy b1 4 1") == ask(world, "show stat b1 4 1")))


def tls_by_command(world: World) -> None:
    """`set server … ssl`: whose line says nothing of TLS, words that are none, and what states tell."""
    _start(world)
    for name in ("tls", "tlscheck", "named"):
        _ask_all(world, f"set server b2/{name} ssl", ("", "foo", "off", "off", "on"))
    for word in ("off", "on"):
        ask(world, f"set server b2/tls ssl {word}")
        world.note(ask(world, "show servers state b2").split("\n")[2].split()[20])


def tls_in_traffic(world: World) -> None:
    """The same: requests go over TLS, in plain text, and over TLS again."""
    world.tls_origin("secure", "a.test")
    world.origin("open")
    world.start('listen l1\n    bind "fd@${l1}"\n    server s {secure} ssl verify none\n', global_=GLOBAL)
    world.note(world.once("/one", listener="l1"))
    ask(world, "set server l1/s ssl off")
    ask(world, f"set server l1/s addr 127.0.0.1 port {world.origins['open'].address.rpartition(':')[2]}")
    world.note(world.once("/two", listener="l1"))
    ask(world, "set server l1/s ssl on")
    ask(world, f"set server l1/s addr 127.0.0.1 port {world.origins['secure'].address.rpartition(':')[2]}")
    world.note(world.once("/three", listener="l1"))
    world.forget_origins()


def followers(world: World) -> None:
    """Health in `show servers state` of servers that track others, whatever becomes of those."""
    _start(world)
    assert wait_until(lambda: "b1/checked is DOWN" in " ".join(said_of_servers(world)))
    for command in ("health up", "health down", "state maint", "state ready", "state drain", "state ready"):
        ask(world, f"set server b1/checked {command}")
        for line in ask(world, "show servers state b2").split("\n")[5:7]:
            words = line.split()
            world.note(f"{command}: {words[3]} {' '.join(words[5:7] + words[11:15])}")


def hidden_rows(world: World) -> None:
    """`show stat up` and `no-maint`: who is left out, and what backends then say of their servers."""
    _start(world)
    assert wait_until(lambda: "b1/checked is DOWN" in " ".join(said_of_servers(world)))
    ask(world, "disable frontend fe")
    for words in ("up", "no-maint", "no-maint up"):
        rows = csv.DictReader(io.StringIO(ask(world, f"show stat {words}").removeprefix("# ")))
        world.note(f"{words}: {[(row['pxname'], row['svname'], row['status'], row['agent_duration']) for row in rows]}")
    world.note(
        str([len(ask(world, f"show {what} typed desc").split("\n")) for what in ("stat b1 2 -1", "stat b3 2 -1")])
    )


_GRAVE = (
    *(
        "set weight b1/plain x",
        "set weight b1/plain 5",
        "enable frontend fe",
        "disable frontend fe",
        "enable frontend no",
    ),
    *(
        "shutdown frontend no",
        "set server b1/plain addr 1.2.3.4",
        "set server b1/plain addr foo",
        "set server b1/plain addr",
    ),
    *("set server b1/unix addr 1.2.3.4", "set server b1/plain foo", "set server b1/plain state foo"),
    *("set server b1/plain health foo", "set server b2/third health up", "set server b1/plain agent up"),
    *("set server b1/agent agent-addr", "set server b1/agent agent-addr foo", "set server b1/agent agent-port x"),
    *("set server b1/plain agent-send x", "set server b1/checked check-port x", "set server b1/checked check-addr x"),
    *("set server b2/named fqdn foo.test", "set server b2/named fqdn foo.test", "set server b2/named fqdn -x-"),
    *("set server b2/tls ssl on", "set server b2/tls ssl foo", "set maxconn server b1/plain x", "set maxconn global"),
    *("set timeout cli x", "enable health b1/plain", "enable agent b1/plain", "disable agent b1/plain"),
    *("shutdown session foo", "get weight b1/plain", "get weight no/x", "show stat no 4 1", "show servers state no"),
    *("show resolvers no", "show env NO_SUCH_THING", "show sess 0x99", "show cli level", "show foo", "clear counters"),
)


def severities(world: World) -> None:
    """`set severity-output`: how grave each answer calls itself."""
    _start(world)
    for form in ("number", "string"):
        for command in _GRAVE:
            text = ask(world, f"set severity-output {form};{command}")
            world.note(f"{command}: {text[1:].partition(': ')[0] if text[1:2] == '[' else 'nothing'}")

"""Servers that live by names: the same answers of a name server lead to the same events and the same answers."""

from __future__ import annotations

import csv
import io
import random
import re
import socket
import time
from collections.abc import Callable

import dns.message

from compat.harness import World
from compat.harness.dns import DnsServer
from compat.harness.world import mask_log
from compat.scenarios.states_told import GLOBAL, ask, await_socket

RESOLVERS = """
resolvers r
    nameserver n1 %s
    timeout resolve 40ms
    timeout retry 250ms
    resolve_retries 2
    accepted_payload_size 4096
    hold nx 60ms
    hold refused 60ms
    hold other 60ms
    hold timeout 20s
    hold valid 20s
"""
FRONTEND = """
frontend fe
    bind "fd@${fe}"
    default_backend be
"""
_EVENT = re.compile(r"changed its|is UP/|is going DOWN|administratively|remains in maintenance|no server available")


class _Names:
    """A name server, and what becomes of servers because of it."""

    def __init__(self, world: World, *, stream: bool = False) -> None:
        self.world = world
        self.server = DnsServer()
        self.section = RESOLVERS % (("tcp@" if stream else "") + self.server.address)
        self.seen = 0

    def start(self, servers: str, *, section: str = "", defaults: str = "") -> None:
        """Launch the program with a backend of these lines."""
        self.world.start((section or self.section) + FRONTEND + "backend be\n" + servers, defaults=defaults)

    def events(self, count: int, what: str) -> None:
        """Wait for so many further events and note them."""
        deadline = time.monotonic() + 10
        lines: list[str] = []
        while time.monotonic() < deadline:
            lines = [mask_log(line) for line in self.world.syslog.lines if _EVENT.search(line)]
            if len(lines) >= self.seen + count:
                break
            time.sleep(0.01)
        self.world.note(f"{what}:")
        for line in lines[self.seen :]:
            self.world.note(f"  {line}")
        self.seen = len(lines)

    def settle(self, rounds: int = 3) -> None:
        """Let some more questions be answered: nothing is to come of them."""
        self.server.wait(rounds)


def _with_names(act: Callable[[World, _Names], None], *, stream: bool = False) -> Callable[[World], None]:
    def scenario(world: World) -> None:
        names = _Names(world, stream=stream)
        try:
            act(world, names)
        finally:
            names.server.close()

    scenario.__doc__ = act.__doc__
    scenario.__name__ = act.__name__.strip("_")
    return scenario


_TEMPLATE = "    server-template t 4 a.test:80 resolvers r init-addr none resolve-prefer ipv4\n"


def _come_and_go(_world: World, names: _Names) -> None:
    """Addresses come, go and change; the name goes and comes back; errors of every kind."""
    server = names.server
    server.set("a.test", "A", "127.0.0.2", "127.0.0.3", "127.0.0.4")
    names.start("    server fixed 127.0.0.9:80\n" + _TEMPLATE)
    names.events(9, "three addresses")
    server.set("a.test", "A", "127.0.0.3", "127.0.0.5")
    names.events(2, "one gone, another one in its place")
    server.set("a.test", "A", "127.0.0.5")
    names.events(1, "one left")
    server.drop("a.test")
    names.events(1, "no such name")
    server.set("a.test", "A", "127.0.0.6", "127.0.0.7")
    names.events(6, "back")
    for rcode, what in (("REFUSED", "refused"), ("SERVFAIL", "failure")):
        server.rcode = rcode
        names.events(2, what)
        server.rcode = None
        names.events(6, "back")
    server.set("a.test", "A")
    names.events(2, "no records")
    server.set("a.test", "AAAA", "::6")
    names.events(3, "only IPv6")


def _silence(world: World, names: _Names) -> None:
    """A name server that says nothing: servers stay for as long as `hold timeout` says; the last server's end."""
    names.server.set("a.test", "A", "127.0.0.2")
    section = names.section.replace("hold timeout 20s", "hold timeout 100ms")
    names.start("    server a a.test:80 resolvers r init-addr none resolve-prefer ipv4\n", section=section)
    names.events(3, "start")
    names.server.silent = True
    names.events(2, "silence")
    world.note(world.once("/").split("\n")[0][:30])
    names.server.silent = False
    names.events(3, "back")


def _hold_keeps(world: World, names: _Names) -> None:
    """Within `hold` a server keeps its address whatever the name server says."""
    world.origin("o")
    port = world.origins["o"].address.rpartition(":")[2]
    names.server.set("a.test", "A", "127.0.0.1")
    section = re.sub(r"hold (nx|other|refused) 60ms", r"hold \1 30s", names.section)
    names.start(f"    server a a.test:{port} resolvers r init-addr none resolve-prefer ipv4\n", section=section)
    names.events(3, "start")
    for rcode in ("NXDOMAIN", "REFUSED", "SERVFAIL"):
        names.server.rcode = rcode
        names.settle(6)
        world.note(f"{rcode}: {world.once('/')}")
    names.server.rcode = None
    names.events(0, "and no event")


def _choices(world: World, names: _Names) -> None:
    """Families, networks, duplicates, aliases: which address each server takes."""
    server = names.server
    server.set("m.test", "A", "127.0.0.50", "127.0.0.60")
    server.set("m.test", "AAAA", "::50")
    server.set("c.test", "CNAME", "d.test.")
    server.set("d.test", "CNAME", "e.test.")
    server.set("e.test", "A", "127.0.0.44")
    server.set("f.test", "CNAME", "nowhere.test.")
    lines = (
        "server m4 m.test:80 resolvers r init-addr none resolve-prefer ipv4",
        "server m6 m.test:80 resolvers r init-addr none resolve-prefer ipv6",
        "server net m.test:80 resolvers r init-addr none resolve-prefer ipv4 resolve-net 10.0.0.0/8,127.0.0.60/32",
        "server default m.test:80 resolvers r init-addr none",
        "server alias c.test:80 resolvers r init-addr none resolve-prefer ipv4",
        "server init m.test:80 resolvers r init-addr 127.0.0.99 resolve-prefer ipv4",
        "server backup m.test:80 resolvers r init-addr none backup",
        "server off m.test:80 resolvers r init-addr none disabled",
        "server-template dup 3 m.test:80 resolvers r init-addr none resolve-prefer ipv4 resolve-opts allow-dup-ip",
        "server-template two 3 m.test:80 resolvers r init-addr none resolve-prefer ipv4 resolve-opts prevent-dup-ip",
        "server lost f.test:80 resolvers r init-addr none",
    )
    names.start("".join(f"    {line}\nbackend be{number}\n" for number, line in enumerate(lines)))
    names.events(39, "all")
    names.settle(20)
    events = [line for line in world.notes if line.startswith("  ")]
    world.notes.clear()
    for name in sorted({name for line in events for name in re.findall(r"be\d*/\w+", line)}):
        world.note(name)
        world.notes += [line for line in events if f"{name} " in line]


def _services(world: World, names: _Names) -> None:
    """SRV records: hosts, ports and weights; records go and come back; so do the hosts' addresses."""
    server = names.server
    server.set("_http._tcp.test", "SRV", "1 10 8081 h1.test.")
    server.set("h1.test", "A", "127.0.0.2")
    server.set("h2.test", "A", "127.0.0.3")
    names.start("    server-template t 2 _http._tcp.test resolvers r init-addr none resolve-prefer ipv4\n")
    names.events(4, "one record")
    server.set("_http._tcp.test", "SRV", "1 10 8081 h1.test.", "1 20 8082 h2.test.")
    names.events(4, "two")
    server.drop("h2.test")
    names.events(1, "the second host has no address")
    server.set("h2.test", "A", "127.0.0.4")
    names.events(3, "it has another one")
    server.set("_http._tcp.test", "SRV", "1 20 8082 h2.test.")
    names.events(1, "the first record is gone")
    server.drop("_http._tcp.test")
    names.events(2, "no such service")
    world.note(world.once("/").split("\n")[0][:30])


def _services_with_addresses(world: World, names: _Names) -> None:
    """SRV records whose hosts' addresses come along; requests reach what they name."""
    world.origin("one")
    world.origin("two")
    ports = [origin.address.rpartition(":")[2] for origin in world.origins.values()]
    server = names.server
    server.set("_http._tcp.test", "SRV", f"1 10 {ports[0]} h1.test.")
    server.set("h1.test", "+A", "127.0.0.1")
    names.start("    server-template t 2 _http._tcp.test resolvers r init-addr none resolve-prefer ipv4\n")
    names.events(3, "one record")
    world.note(world.once("/"))
    server.set("_http._tcp.test", "SRV", f"1 0 {ports[0]} h1.test.", f"1 10 {ports[1]} h2.test.")
    server.set("h2.test", "+A", "127.0.0.1")
    names.events(3, "two records, the first with weight 0")
    names.settle()
    world.note(" ".join(world.once("/") for _ in range(4)))


def _changing_services(seed: int, steps: int, hold: int = 0) -> Callable[[World, _Names], None]:
    def act(_world: World, names: _Names) -> None:
        """Records with any weight come and go, more of them than servers: which server gets which, and in which order."""
        choose = random.Random(seed)
        server = names.server

        def publish() -> None:
            hosts = choose.sample(range(10), choose.randint(1, 6))
            services = [f"1 {choose.choice((0, 1, 256, 300, 512, 65535))} 80 h{host}.test." for host in hosts]
            addresses = {(f"h{host}.test", "+A"): [f"127.0.0.{host + 10}"] for host in hosts}
            server.records = {("_http._tcp.test", "SRV"): services, **addresses}

        publish()
        section = f"{names.section}    hold obsolete {hold}ms\n"
        line = "    server-template t 4 _http._tcp.test resolvers r init-addr none resolve-prefer ipv4\n"
        names.start(line, section=section)
        for _ in range(steps):
            names.settle(3 + hold // 40)
            publish()
        names.settle()
        names.events(1, "all of it")

    return act


def _do_resolve(world: World, names: _Names) -> None:
    """Names out of requests: found, not found, impossible, answered late; and what set-dst makes of them."""
    world.origin("o")
    port = world.origins["o"].address.rpartition(":")[2]
    server = names.server
    server.set("o.test", "A", "127.0.0.1")
    server.set("six.test", "AAAA", "::1")
    names.start(
        f"""    http-request set-dst-port int({port})
    http-request do-resolve(txn.ip,r,ipv4) hdr(name),lower
    http-request do-resolve(txn.six,r) hdr(six)
    http-request set-dst var(txn.ip) if {{ var(txn.ip) -m found }}
    http-request return status 503 content-type text/plain lf-string "none %[var(txn.six)]" unless {{ var(txn.ip) -m found }}
    server clear 0.0.0.0:0
"""
    )
    for header in (
        "name: o.test",
        "name: O.TEST",
        "name: nope.test",
        "name: bad..name",
        "name: " + 70 * "x",
        "name: 1.2.3.4",
    ):
        world.note(f"{header[:20]}: {world.once('/', header)}")
    world.note(f"no header: {world.once('/')}")
    world.note(f"IPv6 by default: {world.once('/', 'six: six.test')}")
    world.note(f"IPv4 where there is no IPv6: {world.once('/', 'six: o.test')}")
    server.silent = True
    world.note(f"silence: {world.once('/', 'name: other.test')}")
    server.silent = False
    server.delay = 0.1
    server.set("late.test", "A", "127.0.0.1")
    client = world.client("fe")
    client.get("/", "name: late.test")
    client.get("/", "name: late.test")
    client.close()


def _do_resolve_anew(world: World, names: _Names) -> None:
    """Every request asks for its names, unless a server lives by one; which of several addresses it gets, in HTTP and TCP."""
    world.origin("o")
    port = world.origins["o"].address.rpartition(":")[2]
    server = names.server
    server.set("o.test", "A", "127.0.0.1")
    server.set("served.test", "A", "127.0.0.1", "127.0.0.2")
    server.set("many.test", "A", *(f"127.0.{number}.{number}" for number in range(9, 1, -1)))
    server.set("both.test", "A", "127.0.0.1")
    server.set("both.test", "AAAA", *(f"2001:db8::{number}" for number in range(6, 1, -1)))
    names.start(
        f"""    http-request do-resolve(txn.ip,r,ipv4) hdr(name)
    http-request do-resolve(txn.six,r) hdr(six)
    http-request return status 200 content-type text/plain lf-string "%[var(txn.ip)] %[var(txn.six)]"
backend used
    server s served.test:80 resolvers r init-addr none resolve-prefer ipv4
frontend bytes
    mode tcp
    bind "fd@${{bytes}}"
    tcp-request inspect-delay 5s
    tcp-request content do-resolve(txn.ip,r,ipv4) str(o.test) if {{ req.len gt 3 }}
    tcp-request content set-dst var(txn.ip)
    tcp-request content set-dst-port int({port})
    default_backend there
backend there
    mode tcp
    server clear 0.0.0.0
"""
    )
    names.settle(2)
    for headers in (["name: o.test"], ["name: o.test"], ["name: many.test"], ["six: both.test"], ["name: served.test"]):
        before = [one for one in server.queries if one[0] != "served.test"]
        answer = world.once("/", *headers)
        after = [one for one in server.queries if one[0] != "served.test"]
        world.note(f"{headers}: {answer}, asked {after[len(before) :]}")
    server.set("o.test", "A", "127.0.0.9")
    world.note(f"it has moved: {world.once('/', 'name: o.test')}")
    server.set("o.test", "A", "127.0.0.1")
    world.note(f"bytes: {world.once('/', listener='bytes')}")


def _set_dst(world: World, _names: _Names) -> None:
    """A server without an address of its own is where `set-dst` says, in whichever way it is written."""
    world.origin("o")
    port = world.origins["o"].address.rpartition(":")[2]
    places = ("0.0.0.0:0", "0.0.0.0", "*:0", "[::]:0", "ipv6@:::0", f"0.0.0.0:{port}", f"[::]:{port}")
    rules = "".join(f"    use_backend b{number} if {{ path /{number} }}\n" for number in range(len(places)))
    backends = "".join(
        f"backend b{number}\n    retries 0\n    server clear {place}\n" for number, place in enumerate(places)
    )
    world.start(
        f"""frontend fe
    bind "fd@${{fe}}"
    http-request set-dst hdr(ip)
    http-request set-dst-port int({port})
{rules}
{backends}
""",
        defaults="    http-reuse always\n",
    )
    for number, place in enumerate(places):
        seen = [world.once(f"/{number}", f"ip: {ip}")[:40] for ip in ("127.0.0.1", "127.0.0.2", "::1", "127.0.0.1")]
        world.note(f"{place.replace(port, 'PORT')}: {seen}")


def _liars(query: dns.message.Message, answer: dns.message.Message) -> list[bytes]:
    """Before the honest answer: an answer with another id, to another name, a question, and noise."""
    honest = answer.to_wire()
    other_id = ((query.id + 1) & 0xFFFF).to_bytes(2, "big") + honest[2:]
    evil = honest.replace(b"\x7f\x00\x00\x02", b"\x7f\x00\x00\x66")
    elsewhere = evil.replace(b"\x01a\x04test", b"\x01b\x04test")
    return [other_id, b"", b"\x00", honest[:2], evil[:14], b"\xff" * 40, query.to_wire(), elsewhere, honest]


def _other_type(_query: dns.message.Message, answer: dns.message.Message) -> list[bytes]:
    """Before the honest answer one to a question for another type, with an address in it all the same."""
    honest = answer.to_wire()
    evil = honest.replace(b"\x7f\x00\x00\x02", b"\x7f\x00\x00\x66")
    return [evil[:12] + evil[12:].replace(b"\x00\x01\x00\x01", b"\x00\x10\x00\x01", 1), honest]


def _lies(_world: World, names: _Names) -> None:
    """What is no answer to the question changes nothing."""
    names.server.lie = _liars
    names.server.set("a.test", "A", "127.0.0.2")
    names.start("    server a a.test:80 resolvers r init-addr none resolve-prefer ipv4\n")
    names.events(3, "start")
    names.settle(4)
    names.events(0, "later")


def _lies_about_the_type(_world: World, names: _Names) -> None:
    """An answer to a question for another type is no answer."""
    names.server.lie = _other_type
    names.server.set("a.test", "A", "127.0.0.2")
    names.start("    server a a.test:80 resolvers r init-addr none resolve-prefer ipv4\n")
    names.events(3, "start")


def _cut_answers(_world: World, names: _Names) -> None:
    """An answer over UDP that was cut: is the whole one to be had over TCP?"""
    names.server.truncate = True
    names.server.set("a.test", "A", "127.0.0.2")
    names.start("    server a a.test:80 resolvers r init-addr none resolve-prefer ipv4\n")
    names.settle(6)
    names.events(0, "start")


def _ports_of_one_host(_world: World, names: _Names) -> None:
    """A service on several ports of one host."""
    names.server.set("_http._tcp.test", "SRV", "1 10 8081 h.test.", "1 10 8082 h.test.")
    names.server.set("h.test", "A", "127.0.0.2")
    names.start("    server-template t 2 _http._tcp.test resolvers r init-addr none resolve-prefer ipv4\n")
    names.events(5, "start")
    names.settle(12)
    names.events(0, "later")


def _several(_world: World, names: _Names) -> None:
    """Two name servers: one that fails does no harm, whichever it is."""
    second = DnsServer({("a.test", "A"): ["127.0.0.2"]})
    try:
        section = names.section.replace(
            "    timeout resolve", f"    nameserver n2 {second.address}\n    timeout resolve", 1
        )
        names.server.rcode = "SERVFAIL"
        names.start("    server a a.test:80 resolvers r init-addr none resolve-prefer ipv4\n", section=section)
        names.events(3, "the second answers")
        names.settle(4)
        names.server.rcode = None
        names.server.set("a.test", "A", "127.0.0.2")
        second.rcode = "REFUSED"
        names.settle(4)
        names.server.set("a.test", "A", "127.0.0.3")
        names.events(1, "now the first one")
        second.silent = True
        names.settle(4)
        names.events(0, "and the second is silent")
    finally:
        second.close()


def _one_is_silent(world: World, names: _Names) -> None:
    """Of two name servers one has no good answer and the other says nothing: the other family's turn, and the end."""
    second = DnsServer()
    second.silent = True
    section = names.section.replace(
        "    timeout resolve", f"    nameserver n2 {second.address}\n    timeout resolve", 1
    )
    section = section.replace("resolve_retries 2", "resolve_retries 3").replace("hold timeout 20s", "hold timeout 60ms")
    try:
        names.start(
            """    http-request do-resolve(txn.ip,r) hdr(name)
    http-request return status 200 content-type text/plain lf-string "%[var(txn.ip)]" if { hdr(name) -m found }
    server a only4.test:80 resolvers r init-addr none
""",
            section=section,
        )
        names.server.set("only4.test", "A", "127.0.0.2")
        names.events(3, "an address of the other family")
        names.server.records.clear()
        names.events(2, "and it is gone")
        for rcode in (None, "REFUSED"):
            names.server.rcode = rcode
            world.note(f"{rcode}: {world.once('/', 'name: none.test')!r}")
            asked = [kind for name, kind, _ in names.server.queries if name == "none.test"]
            world.note(" ".join(asked))
    finally:
        second.close()


def _of_the_system(world: World, names: _Names) -> None:
    """The name servers of /etc/resolv.conf: for the section that is always there, and for `parse-resolv-conf`."""
    host = f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}.{random.randrange(2, 255)}"
    try:
        system = DnsServer({("a.test", "A"): ["127.0.0.2"]}, (host, 53))
    except PermissionError:
        world.note("port 53 is not ours to listen on")
        return
    prepared = world.dir / "resolv.conf"
    prepared.write_text(
        f"# nameserver 192.0.2.1\nnameserver {host}  # the one\nnameserver {host}\n nameserver 192.0.2.2\n"
        "nameserver 192.0.2.3:53\nnameserver\nnameserver fe80::1%lo\nsearch example.org\nnameservers 192.0.2.4\n"
    )
    world.wrapper = ["unshare", "-m", "sh", "-c", f'mount --bind {prepared} /etc/resolv.conf && exec "$@"', "sh"]
    try:
        for section in ("default", "r"):
            text = "resolvers r\n    parse-resolv-conf\n" if section == "r" else "# nothing\n"
            names.start(f"    server a a.test:80 resolvers {section} init-addr none\n", section=text)
            names.events(3, section)
            world.notes[:] = [line.replace(host, "the system's") for line in world.notes]
            world.stop_program()
            found = re.findall(r"(?:parsing|Parsing) \[(/etc.*)", world.said())
            world.notes += [line.replace(host, "the system's") for line in found]
        prepared.write_text("search example.org\n")
        names.start("    server a a.test:80 resolvers default init-addr none\n", section="# nothing\n")
        assert world.process is not None
        world.note(f"without any: {world.process.wait(10)}")
        world.process = None
        world.note(str(re.findall(r"unable to find required resolvers '\w+'", world.said())))
    finally:
        system.close()


_NAMED = """backend be
    server a a.test:80 resolvers r init-addr none
    server none none.test:80 resolvers r init-addr none
    server six six.test:81 resolvers r init-addr none
    server init other.test:82 resolvers r init-addr 127.0.0.8
    server-template t 2 _http._tcp.test resolvers r init-addr none
    server-template q 2 a.test:70 resolvers r init-addr none
    server off a.test:80 disabled resolvers r init-addr none
    server mapped none.test:+10 resolvers r init-addr none
    server clear 0.0.0.0:0
"""


def _told_of_addresses(world: World, names: _Names) -> None:
    """What statistics and states tell of servers that have no address yet, or no longer; what is cleared of counters."""
    server = names.server
    server.set("a.test", "A", "127.0.0.2")
    server.set("six.test", "AAAA", "::7")
    server.set("_http._tcp.test", "SRV", "1 10 8081 h1.test.")
    server.set("h1.test", "A", "127.0.0.3")
    world.start(names.section + FRONTEND + _NAMED, global_=GLOBAL)
    await_socket(world)

    def note(what: str) -> None:
        previous: list[str] = []

        def settled() -> bool:
            nonlocal previous
            names.settle(30)
            rows = csv.DictReader(io.StringIO(ask(world, "show stat be 4 -1").removeprefix("# ")))
            lines = [f"{row['svname']} {row['status']} {row['addr']!r}" for row in rows]
            for line in ask(world, "show servers state be").split("\n")[2:]:
                words = line.split()
                lines.append(" ".join(words[3:7] + words[17:20]))
            lines += [" ".join(line.split()[:4]) for line in ask(world, "show servers conn be").split("\n")[1:]]
            before, previous = previous, lines
            return before == lines

        while not settled():
            pass
        world.note(f"{what}:")
        world.notes += [f"  {line}" for line in previous]

    note("start")
    server.drop("a.test")
    server.drop("h1.test")
    note("two hosts are gone")
    server.set("a.test", "A", "127.0.0.4")
    note("one is back")
    server.drop("_http._tcp.test")
    note("the service is gone")
    server.silent = True
    ask(world, "clear counters all")
    told = [line.split() for line in ask(world, "show resolvers r").split("\n")]
    world.note(str([line for line in told if line[:1] in (["valid:"], ["update:"], ["nx:"], ["any_err:"])]))


def _doubted(world: World, names: _Names) -> None:
    """A check that finds nobody at the address has the name asked anew, unless the answer is younger than `hold valid`."""
    nobody = socket.create_server(("127.0.0.3", 0))
    port = nobody.getsockname()[1]
    for name in ("a.test", "b.test"):
        names.server.set(name, "A", "127.0.0.2")
    old = names.section.replace("timeout resolve 40ms", "timeout resolve 30s").replace(
        "hold valid 20s", "hold valid 1ms"
    )
    young = old.replace("resolvers r", "resolvers young").replace("hold valid 1ms", "hold valid 30s")
    try:
        names.start(
            f"""    server a a.test:{port} resolvers r init-addr none resolve-prefer ipv4 check inter 40ms
backend young
    option log-health-checks
    server b b.test:{port} resolvers young init-addr none resolve-prefer ipv4 check inter 40ms
backend idle
    server c a.test:{port} resolvers young init-addr none resolve-prefer ipv4
""",
            section=old + young,
        )
        deadline = time.monotonic() + 10
        while len(names.server.queries) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        for name in ("a.test", "b.test"):
            names.server.set(name, "A", "127.0.0.3")
        while time.monotonic() < deadline:
            lines = [line for line in world.syslog.lines if _EVENT.search(line)]
            if any("a changed its IP from 127" in line for line in lines) and any(
                "b is DOWN" in line for line in lines
            ):
                break
            time.sleep(0.01)
        moved = [mask_log(line) for line in world.syslog.lines if "changed its IP from 127" in line]
        world.notes += [line.replace(str(port), "PORT") for line in moved]
        world.note(str(sorted({name for name, _, _ in names.server.queries[5:]})))
    finally:
        nobody.close()


def _slow(world: World, names: _Names) -> None:
    """A name server that takes longer than `timeout retry` for each answer, for names of either family or none."""
    server = names.server
    server.delay = 0.3
    server.set("four.test", "A", "127.0.0.2")
    server.set("six.test", "AAAA", "::2")
    server.set("_http._tcp.test", "SRV", "1 10 8081 four.test.")
    section = names.section.replace("timeout retry 250ms", "timeout retry 200ms").replace("retries 2", "retries 9")
    names.start(
        """    server a four.test:80 resolvers r init-addr none
    server b six.test:80 resolvers r init-addr none
    server c none.test:80 resolvers r init-addr none
    server-template t 1 _http._tcp.test resolvers r init-addr none
""",
        section=section.replace("timeout resolve 40ms", "timeout resolve 30s"),
    )
    names.settle(30)
    events = sorted(line for line in map(mask_log, world.syslog.lines) if _EVENT.search(line))
    world.notes += events


def _gone_and_back(_world: World, names: _Names) -> None:
    """A name server that ends, so that questions meet a closed port, and comes back, twice."""
    place = "127.0.0.1", names.server.port
    section = names.section.replace("timeout 20s", "timeout 100ms").replace("retry 250ms", "retry 100ms")
    names.server.set("a.test", "A", "127.0.0.2")
    names.start("    server a a.test:80 resolvers r init-addr none resolve-prefer ipv4\n", section=section)
    for round_ in range(3):
        names.events(3, f"there, round {round_}")
        names.server.close()
        names.events(2, "not there")
        names.server = DnsServer({("a.test", "A"): ["127.0.0.2"]}, place)


FAMILY = {
    "gone_and_back": _with_names(_gone_and_back),
    "slow": _with_names(_slow),
    "doubted": _with_names(_doubted),
    "told_of_addresses": _with_names(_told_of_addresses),
    "come_and_go": _with_names(_come_and_go),
    "come_and_go_over_tcp": _with_names(_come_and_go, stream=True),
    "silence": _with_names(_silence),
    "hold_keeps": _with_names(_hold_keeps),
    "choices": _with_names(_choices),
    "services": _with_names(_services),
    "services_with_addresses": _with_names(_services_with_addresses),
    "services_come_and_go": _with_names(_changing_services(1, 25)),
    "services_with_any_weight": _with_names(_changing_services(3, 25)),
    "services_held": _with_names(_changing_services(5, 8, hold=300)),
    "do_resolve": _with_names(_do_resolve),
    "do_resolve_anew": _with_names(_do_resolve_anew),
    "set_dst": _with_names(_set_dst),
    "lies": _with_names(_lies),
    "lies_about_the_type": _with_names(_lies_about_the_type),
    "cut_answers": _with_names(_cut_answers),
    "ports_of_one_host": _with_names(_ports_of_one_host),
    "several_name_servers": _with_names(_several),
    "one_is_silent": _with_names(_one_is_silent),
    "of_the_system": _with_names(_of_the_system),
}

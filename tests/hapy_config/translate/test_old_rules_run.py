"""The `reqrep` family after `migrate`: what servers and clients get is what the old rules made of each line of a head.

The old meaning, as the manual of 1.5 has it: a search pattern is applied to each line of the head, the request line
included, and a line that matches is replaced as a whole, deleted, or decides. Names of headers are compared in either
case, since nothing later than 2.0 keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from hapy_config.source import Source
from hapy_config.translate.report import Loss, Translation
from hapy_config.translate.upgrade import upgrade
from tests.hapy_config.translate.side_by_side import (
    Ask,
    Place,
    answer,
    free_ports,
    place,
    running,
    start_command,
    with_other_ports,
)

RULES = (
    r"reqrep ^([^\ :]*)\ /static/(.*)     \1\ /\2",
    r"reqirep ^([^\ ]*)\ /OLD/([^\ ]*)\ (.*)$ \1\ /new/\2\ \3",
    r"reqrep ^([^\ ]*\ /)old/(.*) \1new/\2",
    r"reqrep ^([^\ ]*)\ /index\.php\?id=([0-9]+)(.*) \1\ /page/\2\3",
    r"reqrep ^(GET|POST)\ /old/(.*) \1\ /b/\2",
    r"reqrep ^OPTIONS\ (.*) GET\ \1",
    r"reqirep ^Host:\ www\.(.*) Host:\ \1",
    r"reqirep ^host:\ (.*):8080$ Host:\ \1",
    r"reqrep ^X-A:\ (.*) X-B:\ was\ \1",
    r"reqirep ^(x-list:.*) \1;\ more",
    r"reqidel ^x-a:.*",
    r"reqdel ^X-",
    r"reqidel ^x-a:\ .*evil",
    r"reqdel ^User-Agent:\ [A-Z]url",
    r"reqidel ^(x-a|user-agent):",
    r"reqadd X-Added:\ yes\ 50%",
    r"reqideny ^x-a:\ .*evil",
    r"reqdeny ^[^:\ ]*\ .*cmd\.exe",
    r"reqideny ^GET\ /secret",
    r"reqideny ^User-Agent:\ (curl|wget)",
    r"reqdeny ^(POST|PUT)\ ",
    r"reqdeny ^OPTIONS",
    r"reqideny ^(options|put)\ .*",
    r"reqideny .",
    r"reqrep ^(GET|POST)\ ([^\ ]*)\.php(.*) \1\ \2\3",
    r"reqrep ^GET\ /old(.*) GET\ /new\1",
    r"reqrep ^([^\ :]*)\ /old/(.*)\ HTTP/1\.1 \1\ /new/\2\ HTTP/1.1",
    r"reqdel ^Host:\ *$",
    r"reqidel ^(x-a|user):",
    r"reqidel ^(x-a|user-)",
    r"reqidel ^x-.*:\ .*",
    r"reqideny ^[A-Z]+\ /[^\ ]*\.exe\ ",
    r"reqideny ^[A-Z]+\ /[^\ ]*\.(exe|png)\?",
    r"reqdeny ^(GET|HEAD)\ /(static|secret)",
    r"reqideny .*cmd\.exe",
    r"reqideny ^.*(evil|put)",
    r"reqdeny old",
    r"reqideny user-(agent|foo).*$",
    r"reqdeny ^.*\ HTTP/1\.1$",
    r"reqdeny ^.*\ HTTP/1\.0$",
    r"reqdeny ^GET\ /.*\ HTTP/1\.0",
    r"reqirep ^(X-A):\ (.*) \1:\ x\2",
    r"reqirep ^(X-A:\ )(.*),\ (.*) \1\3;\2",
    r"reqirep ^X-A:\ ?(.*) X-A:\ \1!",
)
ASKS = (
    Ask("/"),
    Ask("/static/x.png?a=1"),
    Ask("/old/page?q=static/"),
    Ask("/OLD/page"),
    Ask("/index.php?id=17&x=y"),
    Ask("/old/a", "POST", body="b"),
    Ask("/old/a", "PUT", body="b"),
    Ask("/x", "OPTIONS"),
    Ask("/", headers={"Host": "www.b.example"}),
    Ask("/", headers={"Host": "b.example:8080"}),
    Ask("/", headers={"X-A": "one, two", "X-List": "a"}),
    Ask("/", headers={"X-A": "very EVIL"}),
    Ask("/a/cmd.exe?x"),
    Ask("/secret/x"),
    Ask("/secret/x", "POST"),
    Ask("/", headers={"User-Agent": "Curl/7"}),
)


def old_meaning(rule: str, one: Ask) -> object:
    """What a server got, by the old rule; None where the client was refused."""
    word, *rest = [part.replace("\\ ", " ") for part in re.split(r"(?<!\\) +", rule)]
    headers = {"Host": "a.example", "User-Agent": "test", **one.headers}
    lines = [f"{one.method} {one.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    flags = re.IGNORECASE if word.startswith(("reqi", "rspi")) else 0
    verb = word.removeprefix("reqi" if flags else "req")
    new = []
    for line in lines:
        found = re.search(rest[0], line, flags)
        if found is None or verb == "add":
            new.append(line)
        elif verb == "deny":
            return None
        elif verb == "rep":
            new.append(found.expand(rest[1]))
    if verb == "add":
        new.append(rest[0])
    method, path, _ = new[0].split(" ", 2)
    told = {}
    for line in new[1:]:
        name, _, value = line.partition(":")
        told[name.lower()] = value.strip()
    return method, path, told


def _upgraded(rules: Sequence[str], ports: Sequence[int], at: Place) -> Translation:
    """A listener for each rule, all before one server, in today's words; nothing of it is lost."""
    text = "defaults\n mode http\n contimeout 2000\n clitimeout 9000\n srvtimeout 9000\n" + "".join(
        f"listen rule{port} 127.0.0.1:{port}\n {rule}\n server s 127.0.0.1:{at.names['one']}\n"
        for port, rule in zip(ports, rules, strict=True)
    )
    outcome = upgrade([Source.from_text("haproxy.cfg", text)], (2, 6))
    assert [note for note in outcome.notes if note.loss is Loss.LOST] == []
    return outcome


@pytest.mark.referee
@pytest.mark.parametrize("name", ["haproxy", "hapy"])
@with_other_ports
def test_lines_become_what_the_old_rules_made_of_them(name: str, tmp_path: Path) -> None:
    with place(tmp_path) as at:
        ports = free_ports(len(RULES))
        outcome = _upgraded(RULES, ports, at)
        found, expected = {}, {}
        with running(start_command(name, outcome.files, tmp_path / name), ports):
            for port, rule in zip(ports, RULES, strict=True):
                for number, one in enumerate(ASKS):
                    seen = answer(one, {"port": port}, "")
                    assert isinstance(seen, list)
                    got = seen[-1] if isinstance(seen[-1], list) else None
                    found[rule, number] = (got[1], got[2], got[3]) if got else None
                    expected[rule, number] = old_meaning(rule, one)
                    if seen[0] == 400:  # no host is left
                        expected[rule, number] = None
        assert {key: (found[key], value) for key, value in expected.items() if found[key] != value} == {}


@pytest.mark.referee
@pytest.mark.parametrize("name", ["haproxy", "hapy"])
@with_other_ports
def test_monitoring_clients_meet_no_rule(name: str, tmp_path: Path) -> None:
    with place(tmp_path) as at:
        ports = dict(zip(("http", "tcp", "health"), free_ports(3), strict=True))
        server = f" server s 127.0.0.1:{at.names['one']}\n"
        text = (
            "defaults\n mode http\n contimeout 2000\n clitimeout 9000\n srvtimeout 9000\n monitor-net 127.0.0.2/32\n"
            f"listen http 127.0.0.1:{ports['http']}\n tcp-request content reject if {{ path /t }}\n"
            " reqrep ^([^\\ ]*)\\ /old(.*) \\1\\ /new\\2\n block if { path /old }\n http-request deny if { path /d }\n"
            f" monitor-uri /m\n monitor fail if {{ always_true }}\n redirect location /r if {{ path /r }}\n{server}"
            f"listen tcp 127.0.0.1:{ports['tcp']}\n mode tcp\n tcp-request connection accept\n{server}"
            f"listen health 127.0.0.1:{ports['health']}\n mode health\n"
        )
        outcome = upgrade([Source.from_text("haproxy.cfg", text)], (2, 6))
        assert outcome.worst is Loss.NEAR
        found = {}
        with running(start_command(name, outcome.files, tmp_path / name), list(ports.values())):
            for source in ("127.0.0.1", "127.0.0.2"):
                for port, path in (
                    *(("http", f"/{path}") for path in ("t", "old", "d", "m", "r", "x")),
                    ("tcp", "/x"),
                    ("health", "/x"),
                ):
                    seen = answer(Ask(path, source=source, port=port), ports, "")
                    assert isinstance(seen, list)
                    found[source, port, path] = seen[0]
        others = ("closed", 403, 403, 503, 302, 200, 200, 200)
        assert list(found.values()) == [*others, 200, 200, 200, 200, 200, 200, "closed", 200]


#: Rules for answers; the request; the status, and what clients see of headers.
ANSWERS: tuple[tuple[str, Ask, object], ...] = (
    (r"rspirep ^Location:\ http://([^/]*)/(.*) Location:\ https://\1:8443/\2", Ask("/status/302"), (302, "https://inside.example:8443/next")),
    (r"rsprep ^Location:\ http://INSIDE\.example(.*) Location:\ \1", Ask("/status/302"), (302, "http://inside.example/next")),
    (r"rspirep ^location:\ http://INSIDE\.example(.*) Location:\ \1", Ask("/status/302"), (302, "/next")),
    (r"rspidel ^x-origin-only:.*", Ask("/", seen=("X-Origin-Only", "X-Both")), (200, "", "origin")),
    (r"rspidel ^set-cookie:\ APP=", Ask("/", seen=("Set-Cookie", "X-Both")), (200, "", "origin")),
    (r"rspdel ^Set-Cookie:\ app=2", Ask("/", seen=("Set-Cookie",)), (200, "app=1; Path=/")),
    (r"rspdel ^X-(Origin-Only|Both):", Ask("/", seen=("X-Origin-Only", "X-Both")), (200, "", "")),
    (r"rspdel ^X-", Ask("/", seen=("X-Origin-Only", "X-Both")), (200, "", "")),
    (r"rspadd X-Both:\ 100%\ lb", Ask("/", seen=("X-Both",)), (200, "origin, 100% lb")),
    (r"rspadd X-New:\ lb if { status 404 }", Ask("/", seen=("X-New",)), (200, "")),
    (r"rspadd X-New:\ lb unless { status 404 } { hdr_cnt(x) 1 }", Ask("/", seen=("X-New",)), (200, "lb")),
    (r"rsprep ^X-Both:\ (.*) X-Other:\ was\ \1", Ask("/", seen=("X-Both", "X-Other")), (200, "", "was origin")),
    (r"rspirep ^(Set-Cookie:.*) \1;\ Secure", Ask("/", seen=("Set-Cookie",)), (200, "app=1; Path=/; Secure")),
    (r"rspirep ^Set-Cookie:\ app=([0-9]) Set-Cookie:\ app=x\1", Ask("/", seen=("Set-Cookie",)), (200, "app=x1")),
    (r"srvexp ^X-Both:\ (.*) X-Both:\ was\ \1", Ask("/", seen=("X-Both",)), (200, "was origin")),
    (r"rsprep ^HTTP/1\.[01]\ 404\ .* HTTP/1.1\ 410\ Gone", Ask("/status/404"), (410, None)),
    (r"rsprep ^HTTP/1\.[01]\ 404\ .* HTTP/1.1\ 410\ Gone", Ask("/status/403"), (403, None)),
    (r"rspdeny ^HTTP/1\..\ 404", Ask("/status/404"), (502, None)),
    (r"rspdeny ^HTTP/1\..\ 404", Ask("/"), (200, None)),
    (r"rspirep ^(Set-Cookie:.*)(;\ Path=)/(.*) \1\2/x\3", Ask("/", seen=("Set-Cookie",)), (200, "app=1; Path=/x")),
    (r"rspadd X-New:\ lb", Ask("/", seen=("X-New",)), (200, "lb")),
    (r"rspideny ^x-both:\ ORIGIN", Ask("/"), (502, None)),
    (r"rspdeny ^X-Both:\ ORIGIN", Ask("/"), (200, None)),
)  # fmt: skip


@pytest.mark.referee
@pytest.mark.parametrize("name", ["haproxy", "hapy"])
@with_other_ports
def test_answers_become_what_the_old_rules_made_of_them(name: str, tmp_path: Path) -> None:
    with place(tmp_path) as at:
        ports = free_ports(len(ANSWERS))
        outcome = _upgraded([rule for rule, _, _ in ANSWERS], ports, at)
        found = []
        with running(start_command(name, outcome.files, tmp_path / name), ports):
            for port, (rule, one, expected) in zip(ports, ANSWERS, strict=True):
                seen = answer(one, {"port": port}, "")
                assert isinstance(seen, list)
                told = (seen[0], *(value for _, value in seen[3])) if one.seen else (seen[0], seen[1])
                if told != expected:
                    found.append((rule, told, expected))
        assert found == []


@pytest.mark.referee
@pytest.mark.parametrize("name", ["haproxy", "hapy"])
@with_other_ports
def test_old_rules_run_in_their_old_order(name: str, tmp_path: Path) -> None:
    """`block`, then `http-request`, then the old rules, those that add last; then redirections and backends."""
    with place(tmp_path) as at:
        (port,) = free_ports(1)
        text = (
            "defaults\n mode http\n contimeout 2000\n clitimeout 9000\n srvtimeout 9000\n"
            f"frontend f 127.0.0.1:{port}\n redirect location /moved if {{ path_beg /new/go }}\n"
            " use_backend two if { path_beg /new/two }\n default_backend one\n reqadd X-Last:\\ f\n"
            " reqrep ^([^\\ :]*)\\ /old/(.*) \\1\\ /new/\\2\n reqidel ^x-last:\n block if { path_beg /old/blocked }\n"
            " http-request deny if { path_beg /new/d }\n http-request set-header X-Seen %[path]\n"
            f"backend one\n reqrep ^([^\\ :]*)\\ /new/back/(.*) \\1\\ /\\2\n reqidel ^x-seen\n server s 127.0.0.1:{at.names['one']}\n"
            f"backend two\n reqadd X-Last:\\ b\n server s 127.0.0.1:{at.names['two']}\n"
        )
        outcome = upgrade([Source.from_text("haproxy.cfg", text)], (2, 6))
        assert [note for note in outcome.notes if note.loss is Loss.LOST] == []
        found = {}
        with running(start_command(name, outcome.files, tmp_path / name), [port]):
            for path in ("/old/blocked", "/old/go", "/old/two", "/old/d", "/new/d", "/old/back/x"):
                seen = answer(Ask(path, headers={"X-Last": "client"}), {"port": port}, "")
                assert isinstance(seen, list)
                told = seen[-1]
                found[path] = (told[0], told[2], told[3].get("x-last"), told[3].get("x-seen")) if told else seen[:2]
        assert found == {
            "/old/blocked": [403, None],
            "/old/go": [302, "/moved"],
            "/old/two": ("two", "/new/two", "f, b", "/old/two"),
            "/old/d": ("one", "/new/d", "f", None),
            "/new/d": [403, None],
            "/old/back/x": ("one", "/x", "f", None),
        }

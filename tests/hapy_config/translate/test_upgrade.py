"""Old syntax in today's words."""

from __future__ import annotations

import json
import subprocess
from contextlib import chdir
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from compat.corpus_differences import corpus
from hapy_config.source import Source
from hapy_config.translate.report import Loss, Translation
from hapy_config.translate.upgrade import upgrade
from tests.hapy_config.translate.old_configurations import CONFIGURATIONS

HEAD = "defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n"


def migrated(text: str, version: tuple[int, int] = (2, 6)) -> Translation:
    return upgrade([Source.from_text("a.cfg", text)], version)


def lines(*old: str, section: str = "listen l\n bind :80\n server s1 192.0.2.1:80") -> list[str]:
    """What becomes of lines in a section."""
    head = f"{HEAD}{section}\n"
    found = migrated(head + "".join(f" {line}\n" for line in old)).files["a.cfg"]
    assert found.startswith(head)
    return [line.strip() for line in found.removeprefix(head).splitlines()]


RENAMED = {
    "contimeout 5000": "timeout connect 5000",
    "clitimeout 5s  # why": "timeout client 5s  # why",
    "timeout srvtimeout 5s": "timeout server 5s",
    "redispatch": "option redispatch",
    r"log-format %{+Q}Ci:%Cp\ %st\ %%Ci\ %cc%CC": r"log-format %{+Q}ci:%cp\ %ST\ %%Ci\ %CC%CC",
    "option forceclose": "option httpclose",
    "no option forceclose": "no option httpclose",
    "block if METH_POST": "http-request deny if METH_POST",
    r"reqadd X-Via:\ 50%": "http-request add-header X-Via 50%%",
    r"rspadd Set-Cookie:\ a=b;\ path=/ if METH_GET": "http-response add-header Set-Cookie 'a=b; path=/' if METH_GET",
    'reqadd "X-A: $V"': 'http-request add-header X-A "${V}"',
    "reqidel ^X-Debug:.*": "http-request del-header X-Debug",
    "rspidel ^Server": "http-response del-header Server -m beg",
    "reqdel ^X-(A|B):": "http-request del-header '(?i)^X-(A|B)$' -m reg",
    r"rspirep ^Location:\ http://(.*) Location:\ https://\1": (
        r"http-response replace-header Location (?i)^http://(.*) 'https://\1'"
    ),
    r"reqrep ^Host:\ old\.example Host:\ new.example": (
        r"http-request replace-header Host '^old\.example' new.example"
    ),
    r"reqrep ^([^\ :]*)\ /static/(.*) \1\ /\2": r"http-request replace-uri ^/static/(.*) '/\1'",
    r"reqirep ^([^\ ]*)\ /a/(.*)\ (.*)$ \1\ /b/\2\ \3 if { src 192.0.2.0/24 }": (
        r"http-request replace-uri '(?i)^/a/(.*)$' '/b/\1' if { src 192.0.2.0/24 }"
    ),
    r"reqrep ^([^\ ].*)core[/]?(.*) \1\2": r"http-request replace-uri ^(.*)core[/]?(.*) '\1\2'",
    r"reqideny ^User-Agent:\ .*Bot": "http-request deny if { req.fhdr(User-Agent) -m reg -i .*Bot }",
    r"reqdeny ^[^\ ]*\ /admin if !METH_POST": "http-request deny if { url -m reg ^/admin } !METH_POST",
    r"reqitarpit ^X-Evil:": "http-request tarpit if { req.fhdr(X-Evil) -m found }",
    r"rspdeny ^Content-Type:[\ ]*audio/mp3": "http-response deny if { res.fhdr(Content-Type) -m reg ^audio/mp3 }",
    r"reqdeny ^[^:\ ]*\ .*cmd\.exe if METH_GET or METH_POST { src 192.0.2.1 }": (
        r"http-request deny if { url -m reg '^.*cmd\.exe' } METH_GET or { url -m reg '^.*cmd\.exe' } METH_POST { src 192.0.2.1 }"
    ),
    r"reqideny ^Host:\ a unless { src 192.0.2.1 }": (
        "http-request deny if { req.fhdr(Host) -m reg -i ^a } !{ src 192.0.2.1 }"
    ),
    r"reqdeny ^X-A: unless a { src 192.0.2.1 } or !b": (
        "http-request deny if { req.fhdr(X-A) -m found } !a b or { req.fhdr(X-A) -m found } !{ src 192.0.2.1 } b"
    ),
    r"reqrep ^HEAD\ (.*) GET\ \1": "http-request set-method GET if { method HEAD }",
    r"reqrep ^(GET|POST)\ /a/(.*) \1\ /b/\2": "http-request replace-uri ^/a/(.*) '/b/\\1' if { method GET POST }",
    r"reqrep ^([^\ ]*\ /)old/(.*) \1new/\2": "http-request replace-uri ^/old/(.*) '/new/\\1'",
    r"rspirep ^(Set-Cookie:.*) \1;\ Secure": "http-response replace-header Set-Cookie ^(.*) '\\1; Secure'",
    r"rsprep ^HTTP/1\.[01]\ 404\ .* HTTP/1.1\ 410\ Gone": "http-response set-status 410 reason Gone if { status 404 }",
    r"rsprep ^HTTP/1.1\ 503\ (.*) HTTP/1.1\ 502\ \1": "http-response set-status 502 if { status 503 }",
    r"reqisetbe ^Host:\ img l": "use_backend l if { req.fhdr(Host) -m reg -i ^img }",
}


@pytest.mark.parametrize("old", RENAMED)
def test_in_todays_words(old: str) -> None:
    assert lines(old) == [RENAMED[old]]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("monitor-net 192.0.2.0/24", ["http-request set-log-level silent if { src 192.0.2.0/24 }", "http-request return status 200 if { src 192.0.2.0/24 }"]),
        ("appsession JS len 52 timeout 3h", ["stick-table type string len 52 size 1m expire 3h", "stick store-response res.cook(JS)", "stick match req.cook(JS)", "stick match url_param(JS,;),field(1,?)"]),
        (
            "appsession JS len 52 timeout 3h request-learn mode query-string",
            ["stick-table type string len 52 size 1m expire 3h", "stick store-response res.cook(JS)", "stick on req.cook(JS)", "stick match url_param(JS)"],
        ),
        (
            "appsession JS len 52 timeout 3h prefix",
            [
                "stick-table type string len 52 size 1m expire 3h",
                """stick store-response "res.fhdr(Set-Cookie),regsub('^()JS([^;]*).*\\$','\\\\2')" if { res.fhdr(Set-Cookie) -m reg ^()JS }""",
                """stick match "req.fhdr(Cookie),regsub('^(.*; *)?JS([^;]*).*\\$','\\\\2')" if { req.fhdr(Cookie) -m reg '^(.*; *)?JS' }""",
                """stick match "url,regsub('^([^?]*;)JS([^;?]*).*\\$','\\\\2')" if { url -m reg ^([^?]*;)JS }""",
            ],
        ),
        ("timeout appsession 3s", []),
        ("hash-type avalanche", ["hash-type map-based sdbm avalanche"]),
        ("no option independant-streams", ["no option independent-streams"]),
        (r"option httpchk GET /h HTTP/1.1\r\nHost:\ www", ["option httpchk GET /h HTTP/1.1", "http-check send hdr Host www"]),
        ("bind :81 process 2 name x", ["bind :81 name x"]),
        ("bind-process 1-2", []),
        (r"reqrep ^X-A:\ (.*) X-B:\ x\1 if METH_GET", ["http-request add-header X-B x%[req.fhdr(X-A)] if { req.fhdr(X-A) -m found } METH_GET", "http-request del-header X-A if METH_GET"]),
        (r"rsprep ^HTTP/1.0\ 200(.*) HTTP/1.1\ 200\1", []),
        ("mode health", ["mode http", "http-request set-log-level silent", "http-request return status 200"]),
        ("option http-use-htx", []),
    ],
)  # fmt: skip
def test_several_lines_and_none(old: str, new: list[str]) -> None:
    assert lines(old) == new


def test_global() -> None:
    found = migrated("global\n nbproc 4\n debug\n cpu-map 2 1\n stats bind-process 1\n" + HEAD)
    assert found.files["a.cfg"] == "global\n nbthread 4\n cpu-map 1/2 1\n" + HEAD
    assert found.worst is Loss.NEAR


def test_headers_with_addresses() -> None:
    found = migrated(HEAD + "listen  web 10.0.0.1:80,:81   # all\n\tserver s1 192.0.2.1:80\n")
    assert found.files["a.cfg"] == HEAD + "listen web  # all\n\tbind 10.0.0.1:80,:81\n\tserver s1 192.0.2.1:80\n"


def test_what_ran_first_still_does() -> None:
    text = "frontend f\n bind :80\n http-request set-header A b\n http-request return status 200\n block if METH_PUT\n"
    new = migrated(HEAD + text).files["a.cfg"].splitlines()
    assert new[-3:] == [
        " http-request deny if METH_PUT",
        " http-request set-header A b",
        " http-request return status 200",
    ]


def test_what_ran_last_still_does() -> None:
    text = (
        "frontend f\n bind :80\n reqadd X-A:\\ b\n reqdel ^X-C:\n http-request set-header A %[req.hdr(x-a)]\n"
        " default_backend b\n http-request deny if { req.hdr(x-c) -m found }\nbackend b\n reqadd X-D:\\ e\n"
    )
    new = migrated(HEAD + text).files["a.cfg"].removeprefix(HEAD).splitlines()
    assert new == [
        "frontend f",
        " bind :80",
        " http-request set-header A %[req.hdr(x-a)]",
        " default_backend b",
        " http-request deny if { req.hdr(x-c) -m found }",
        " http-request add-header X-A b",
        " http-request del-header X-C",
        "backend b",
        " http-request add-header X-D e",
    ]


MONITORED = """\
defaults
 mode http
 monitor-net 192.0.2.0/24 # probes
frontend one
 bind :80
 tcp-request content reject if { path /t }
 reqdeny ^X-A:
 block if { path /b }
 monitor-uri /m
 monitor fail if { nbsrv(b) 0 } or { path /y }
 monitor fail unless { nbsrv(b) 1 }
 default_backend b
listen two :81
  server s 192.0.2.1:80
listen three
 mode tcp
 bind :82
 tcp-request connection accept if { src 192.0.2.9 }
 server s 192.0.2.1:80
listen four
 bind :83
 monitor-net 192.0.2.1
 monitor-net 192.0.2.2
 http-request deny
backend b
 block if { path /z }
 server s 192.0.2.1:80
"""


def test_monitoring_clients_come_before_all_rules() -> None:
    found = migrated(MONITORED)
    first, own = "192.0.2.0/24", "192.0.2.2"
    assert found.files["a.cfg"].splitlines() == [
        "defaults",
        " mode http",
        " # probes",
        "frontend one",
        " bind :80",
        f" tcp-request content accept if {{ src {first} }}",
        " tcp-request content reject if { path /t }",
        f" http-request set-log-level silent if {{ src {first} }}",
        f" http-request return status 200 if {{ src {first} }}",
        " http-request deny if { path /b }",
        " http-request deny if { req.fhdr(X-A) -m found }",
        " monitor-uri /m",
        f" monitor fail if !{{ src {first} }} {{ nbsrv(b) 0 }} or !{{ src {first} }} {{ path /y }}",
        f" monitor fail if !{{ src {first} }} !{{ nbsrv(b) 1 }}",
        " default_backend b",
        "listen two",
        "  bind :81",
        f"  http-request set-log-level silent if {{ src {first} }}",
        f"  http-request return status 200 if {{ src {first} }}",
        "  server s 192.0.2.1:80",
        "listen three",
        " mode tcp",
        " bind :82",
        f" tcp-request session reject if {{ src {first} }}",
        " tcp-request connection accept if { src 192.0.2.9 }",
        " server s 192.0.2.1:80",
        "listen four",
        " bind :83",
        f" http-request set-log-level silent if {{ src {own} }}",
        f" http-request return status 200 if {{ src {own} }}",
        " http-request deny",
        "backend b",
        " http-request deny if { path /z }",
        " server s 192.0.2.1:80",
    ]
    told = [note.text for note in found.notes if "monitor-net" in note.text and note.span.line in (3, 22, 23)]
    assert "or in mode tcp 'tcp-request session reject' of each listener" in told[0]
    assert "no listener goes by it" in told[1]
    assert "before all other rules now" in told[2]


def test_defaults_that_changed_are_told() -> None:
    text = f"global\n daemon\n{HEAD}listen l\n bind :443 ssl crt x\n server s 192.0.2.1:80\n"
    assert migrated(text).notes == ()
    told = [note for note in migrated(f"{text} reqdel ^X-A:\n").notes if note.loss is Loss.NEAR]
    assert [note.text.partition(" ")[2].partition(" ")[0] for note in told] == ["2.0", "2.0", "2.0", "2.2"]
    assert {note.span.line for note in told} == {11}
    said = text.replace("daemon", "nbthread 1\n ssl-default-bind-options ssl-min-ver TLSv1.0").replace(
        "listen l", " http-reuse safe\nlisten l"
    )
    (case,) = [note for note in migrated(f"{said} reqdel ^X-A:\n").notes if note.loss is Loss.NEAR]
    assert "h1-case-adjust" in case.text


def test_options_that_a_section_cannot_use_go_where_they_are_refused() -> None:
    old = f"{HEAD}frontend f\n bind :80\n option http-pretend-keepalive\n no option logasap\n option abortonclose\n"
    assert migrated(old, (3, 0)).files["a.cfg"] == old
    done = migrated(old, (3, 2))
    assert done.files["a.cfg"] == f"{HEAD}frontend f\n bind :80\n no option logasap\n"
    assert [note.loss for note in done.notes] == [Loss.NONE] * 2
    assert "redispatch" not in migrated(f"{old} redispatch\n", (3, 2)).files["a.cfg"]


def test_last_line() -> None:
    found = migrated("global\n daemon")
    assert found.files["a.cfg"] == "global\n daemon\n"
    assert found.worst is Loss.NONE


@pytest.mark.parametrize(
    "old",
    [
        r"reqrep foo bar",
        r"reqrep ^([^\ ]*)\ /old \1\ /new",
        r"rsprep ^HTTP/1.1\ 404\ (Not).* HTTP/1.1\ 200\ \1",
        r"reqdel ^(X-A:\ secret|X-B:)",
        "reqpass ^Host:\\ a\n reqdeny ^Host:\\ .*b",
        "reqipass ^GET\\ /a\n reqideny .",
        r"reqdeny ^Host:\ a unless " + " or ".join(["METH_GET METH_POST METH_PUT METH_HEAD METH_TRACE"] * 2),
        "reqadd nothing",
        "option http_proxy",
        "reqrep",
    ],
)
def test_what_a_person_decides(old: str) -> None:
    found = migrated(f"{HEAD}listen l\n bind :80\n server s1 192.0.2.1:80\n {old}\n")
    (note,) = [note for note in found.notes if note.loss is Loss.LOST]
    assert note.span.line == 9
    assert f" {old.partition(chr(10))[0]}\n" in found.files["a.cfg"]


def test_what_the_target_refuses_is_told() -> None:
    found = migrated(HEAD + "frontend f\n nonsense\n clitimeout 1s\n default_backend none\n")
    assert next(note.span.line for note in found.notes if note.loss is Loss.LOST) == 7
    assert any("'none'" in note.text for note in found.notes)


def test_an_older_target_keeps_its_words() -> None:
    text = f"{HEAD}listen l\n bind :80\n server s1 192.0.2.1:80\n reqadd X:\\ y\n"
    assert migrated(text, (1, 9)).files["a.cfg"] == text
    assert not migrated(text, (1, 9)).notes
    old = f"{HEAD}listen l\n bind :80\n option http_proxy\n"
    assert migrated(old, (2, 2)).files["a.cfg"] == old
    assert migrated(old, (2, 2)).worst is Loss.NONE
    assert migrated(old, (2, 6)).worst is Loss.LOST


@given(st.text(alphabet="reqip ^:\\([]*)./1 \"'$#\n\tbclkdnyaHost{}", max_size=60))
def test_any_text(text: str) -> None:
    for old in (text, f"{HEAD}listen l\n {text}\n", f"listen l\n reqirep {text}\n"):
        migrated(old)


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_rule(search: str, replacement: str) -> None:
    quoted = [word.replace("'", "").replace("\n", "") for word in (search, replacement)]
    migrated(f"{HEAD}listen l\n bind :80\n reqrep '^Host: {quoted[0]}' 'Host: {quoted[1]}'\n")


@pytest.mark.parametrize(
    "version", [(2, 6), (2, 8), (3, 0), (3, 2), (3, 4)], ids=lambda version: f"{version[0]}.{version[1]}"
)
def test_old_configurations_need_nobody(version: tuple[int, int]) -> None:
    for name, text in CONFIGURATIONS.items():
        found = migrated(text, version)
        assert [note.text for note in found.notes if note.loss is Loss.LOST] == [], name
        again = upgrade([Source.from_text("a.cfg", found.files["a.cfg"])], version)
        assert again.files == found.files, name


@pytest.mark.referee
def test_haproxy_takes_old_configurations(haproxy: str, tmp_path: Path) -> None:
    own = trustme.CA().issue_cert("a.example")
    pem = tmp_path / "own.pem"
    pem.write_bytes(own.private_key_pem.bytes() + b"".join(one.bytes() for one in own.cert_chain_pems))
    refused = {}
    for name, text in CONFIGURATIONS.items():
        file = tmp_path / "haproxy.cfg"
        file.write_text(migrated(text.replace("{pem}", str(pem))).files["a.cfg"])
        done = subprocess.run([haproxy, "-c", "-f", str(file)], capture_output=True, text=True, check=False)
        if done.returncode:
            refused[name] = done.stderr
    assert refused == {}


NEW = """\
global
 tune.notsent-lowat.client 1000
 limited-quic
 expose-deprecated-directives
 ssl-security-level 1
defaults
 mode http
 timeout connect 1s
 timeout client 1s
 timeout server 1s
 option accept-unsafe-violations-in-http-request
frontend f
 guid front
 bind :80 name x guid-prefix y  # why
 http-request set-fc-mark 1 if { path /x }
 http-request set-fc-tos src
 default_backend b
backend b
 no option accept-unsafe-violations-in-http-response
 server s 192.0.2.1:80 check guid z weight 3
"""


def test_newer_words_go_back_where_they_can() -> None:
    found = migrated(NEW)
    assert found.files["a.cfg"].splitlines() == [
        "global",
        " ssl-security-level 1",
        *NEW.splitlines()[5:10],
        " option accept-invalid-http-request",
        "frontend f",
        " bind :80 name x  # why",
        " http-request set-mark 1 if { path /x }",
        " http-request set-fc-tos src",
        " default_backend b",
        "backend b",
        " no option accept-unsafe-violations-in-http-response",
        " server s 192.0.2.1:80 check weight 3",
    ]
    assert {note.span.line for note in found.notes if note.loss is Loss.LOST} == {5, 16, 19}
    assert migrated(NEW, (3, 4)).files["a.cfg"] == NEW


#: What makes HAProxy refuse a file that is only old.
OLD = (
    "not supported any more",
    "not supported anymore",
    "use the 'bind' keyword",
    "Missing LF",
    "'listen' or 'defaults' expected",
)


@pytest.mark.referee
def test_old_files_of_the_corpus(haproxy: str, tmp_path: Path) -> None:
    """Every real file whose only faults are old syntax passes `haproxy -c` afterwards."""
    folder = corpus()
    if folder is None:
        pytest.skip("no corpus of real configurations (HAPY_CORPUS or ../shared/corpus)")
    passed = 0
    with (folder / "index.jsonl").open(encoding="utf-8") as index, chdir(folder):
        for entry in map(json.loads, index):
            faults = [alert for alert in entry["alerts"] if ":" in alert]
            if entry["rc"] != 1 or not faults or not all(any(sign in fault for sign in OLD) for fault in faults):
                continue
            source = Source.from_text(
                entry["id"], Path(f"{entry['id']}.cfg").read_bytes().decode("utf-8", "surrogateescape")
            )
            found = upgrade([source], (2, 6))
            if found.worst is Loss.LOST:
                continue  # a person decides; told, not guessed
            path = tmp_path / "new.cfg"
            path.write_bytes(found.files[entry["id"]].encode("utf-8", "surrogateescape"))
            checked = subprocess.run(
                [haproxy, "-c", *entry["args"], "-f", str(path)],
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
            alerts = [line for line in checked.stderr.splitlines() if "ALERT" in line]
            machine = (
                "could not resolve address",
                "Failed to initialize server",
                "unable to stat",
                "rror(s) found",
                "Fatal errors",
            )
            assert all(any(sign in alert for sign in machine) for alert in alerts), (entry["id"], alerts)
            passed += 1
    assert passed > 20


def test_what_is_added_is_not_seen_by_the_rules_below() -> None:
    old = (r"rspadd Server:\ lb", r"rspadd Via:\ lb", "rspidel ^Server:.*", r"reqadd X-A:\ 1  # a", "reqdel ^X-B:")
    assert lines(*old) == [
        "http-response add-header Via lb",
        "http-response del-header Server",
        "http-response add-header Server lb",
        "http-request add-header X-A 1  # a",
        "http-request del-header X-B",
    ]


@pytest.mark.parametrize(
    ("added", "below"),
    [
        (r"reqadd X-A:\ 1", r"reqdel ^X-"),
        (r"rspadd X-A:\ 1", r"rspidel ^(x-a|server)"),
        (r"reqadd X-A:\ 1 if { path /a }", r"reqrep ^([^\ :]*)\ /a(.*) \1\ /b\2"),
        (r"reqadd X-A:\ 1", r"reqdel ^X-B: if { hdr(x-a) -m found }"),
    ],
)
def test_what_is_added_comes_behind_all_that_could_see_it_or_that_it_asks_about(added: str, below: str) -> None:
    now = lines(added, below)
    assert len(now) >= 1
    assert "add-header X-A 1" in now[-1]


def test_allowing_spares_denies_and_nothing_else() -> None:
    test, spared = "{ req.fhdr(Host) -m reg -i '^(a or b)' }", "!{ var(txn.allowed) -m bool }"
    old = (r"reqallow ^Host:\ ok", "reqdel ^X-A:", r"reqideny ^Host:\ (a\ or\ b) if METH_GET or METH_POST")
    assert lines(*old) == [
        "http-request set-var(txn.allowed) bool(true) if { req.fhdr(Host) -m reg ^ok }",
        "http-request del-header X-A",
        f"http-request deny if {test} METH_GET {spared} or {test} METH_POST {spared}",
    ]
    assert lines(r"reqallow ^Host:\ ok", r"reqdeny ^Host:\ a")[0].startswith("http-request allow if")
    backend = "backend b\n reqdeny ^X:\n server s 192.0.2.1\n"
    text = f"{HEAD}frontend f\n bind :80\n default_backend b\n reqallow ^Host:\\ ok\n reqdeny ^Y:\n{backend}"
    found = migrated(text).files["a.cfg"]
    assert found.count("!{ var(txn.allowed) -m bool }") == 2


def test_processes_become_threads() -> None:
    text = "global\n nbproc 2\n cpu-map 1 0\n cpu-map 2 1\n"
    assert migrated(text).files["a.cfg"] == "global\n nbthread 2\n cpu-map 1/1 0\n cpu-map 1/2 1\n"
    assert migrated("global\n cpu-map 1 0-3\n").files["a.cfg"] == "global\n cpu-map 1 0-3\n"


def test_older_versions_have_several_processes() -> None:
    text = f"global\n nbproc 4\n{HEAD}listen l\n bind :80 process 2\n bind-process 2-4\n server s 192.0.2.1\n"
    assert migrated(text, (2, 4)).notes == ()
    assert [note.text for note in migrated(text.replace("2-4", "65"), (2, 4)).notes] == [
        "bind-process : '65' is not a valid number/range. It supports numbers from 1 to 64."
    ]
    assert lines("bind :81 process 1/2-3 ssl crt x") == ["bind :81 thread 2-3 ssl crt x"]


def test_what_holds_for_the_target_alone_is_judged_for_it() -> None:
    text = "global\n.if {}\n no-such-word\n.endif\nlisten l\n bind :80\n timeout client 1s\n"
    newer = text.format("version_atleast(2.8)")
    assert migrated(newer).notes == ()
    assert [note.span.line for note in migrated(newer, (3, 0)).notes] == [3]
    assert {note.span.line for note in migrated(text.format("1"), (2, 2)).notes} >= {2, 4}


@pytest.mark.parametrize("section", ["", "nonsense x\n"])
def test_options_outside_sections_are_no_options(section: str) -> None:
    text = f"{section} option http-server-close\n"
    assert migrated(text, (3, 2)).files["a.cfg"] == text

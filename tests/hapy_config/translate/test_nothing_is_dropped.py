"""Each keyword of the tables is in what is written for another proxy, or in the report: none goes in silence.

A statement is translated with the sections around it and without. Where both give the same text, it must be told.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hapy_config.api import read_text
from hapy_config.keywords import table
from hapy_config.translate.report import Translation
from tests.hapy_config.translate.side_by_side import TARGETS

WORLD = """\
global
    log 127.0.0.1 local1
userlist users
    user a insecure-password b
resolvers dns
    nameserver n 127.0.0.1:53
defaults
    mode {mode}
    timeout connect 1s
    timeout client 9s
    timeout server 3s
listen l
    bind :80
    option httpchk GET /
    acl a path /a
    {statement}
    server z1 192.0.2.1:80 check
    server z2 192.0.2.2:80 check
"""
SECURE = "bind :81 ssl crt site.pem"
SERVER = "server s1 localhost:81 check ssl verify none"
#: What changes nothing in HAProxy where it stands: it says what holds anyway, or names things for others to use.
NOTHING = (
    "acl ", "bind ", "compression offload", "compression type", "default-server", "enabled",
    "hash-type ", "http-error status 404", "http-request allow", "id ", "log global", "mode ", "no log", "no option ",
    "option http-keep-alive", "option http-restrict-req-hdr-names preserve", "tcp-request connection accept",
    "tcp-request content accept", "tcp-request session accept", "tcp-response content accept",
    "timeout http-keep-alive 0", "timeout http-request 0", "unique-id-",
)  # fmt: skip
#: The same in mode tcp; and what other proxies do by themselves.
NOTHING_IN_TCP = ("balance hdr", "balance uri", "option redispatch")
#: The same of options of a server, beside those that `SERVER` has.
NO_OPTION = frozenset(
    {
        "ca-file", "check", "cookie", "enabled", "id", "max-reuse -1", "maxqueue", "no-agent-check", "no-backup",
        "no-check-ssl", "no-send-proxy", "no-send-proxy-v2", "no-send-proxy-v2-ssl", "no-send-proxy-v2-ssl-cn",
        "no-sslv3", "no-tfo", "no-tlsv10", "no-tlsv11", "pool-max-conn -1", "pool-purge-delay 5s", "proto h1", "ssl",
        "ssl-reuse", "stick", "tls-tickets", "verify", "verifyhost", "ws auto", "ws h1",
    }
)  # fmt: skip


def translated(target: str, mode: str, statement: str) -> tuple[Translation, set[str]] | None:
    """A translation and what is told of a statement; None where HAProxy refuses it there."""
    text = WORLD.format(mode=mode, statement=statement)
    result = read_text(text, "a.cfg", assume_machine=True)
    if result.config is None:
        return None
    outcome = TARGETS[target](result.config, result.document)
    line = text[: text.index(f" {statement}\n")].count("\n") + 1
    return outcome, {note.text for note in outcome.notes if note.span.line == line}


def examples(*families: str) -> Iterator[str]:
    for family in families:
        for keyword in table(family):
            yield from (line.strip() for line in keyword.ok)


@pytest.mark.parametrize("mode", ["http", "tcp"])
@pytest.mark.parametrize("target", TARGETS)
def test_statements(target: str, mode: str) -> None:
    without = translated(target, mode, "# nothing")
    assert without is not None
    silent, count = [], 0
    for statement in examples("proxies", "options", "actions"):
        found = translated(target, mode, statement)
        if found is None or statement.startswith(NOTHING if mode == "http" else (*NOTHING, *NOTHING_IN_TCP)):
            continue
        if statement in ("balance", "balance roundrobin") or statement.endswith(" if FALSE"):
            continue
        count += 1
        if found[0].files == without[0].files and not found[1]:
            silent.append(statement)
    assert silent == []
    assert count > 300


@pytest.mark.parametrize(
    ("target", "mode"), [("nginx", "http"), ("nginx", "tcp"), ("caddy", "http"), ("envoy", "http"), ("envoy", "tcp")]
)
def test_options_of_servers(target: str, mode: str) -> None:
    plain = translated(target, mode, SERVER)
    assert plain is not None
    # nginx asks no server for its health, which is told of each that is checked.
    known = ("addr", "port", "rise", "fall", "fastinter", "downinter", "observe", "error-limit", "on-", "check-")
    told = known if target == "nginx" else ("fall 3", "rise 2")
    silent, count = [], 0
    for line in examples("servers"):
        option = " ".join(line.split()[3:])
        if not line.startswith("server ") or option in NO_OPTION or option.split()[0] in NO_OPTION:
            continue
        found = translated(target, mode, f"{SERVER} {option}")
        if (
            found is None
            or option.startswith(told)
            or (mode == "tcp" and option.startswith(("max-re", "pool-", "ws ")))
        ):
            continue
        count += 1
        if found[0].files == plain[0].files and not found[1] - plain[1]:
            silent.append(option)
    assert silent == []
    assert count > 30


#: What says nothing of a bind line that is at a TCP port and speaks TLS.
NO_BIND = (
    "ssl", "crt", "id ", "name ", "level ", "mode ", "uid ", "gid ", "user ", "group ", "process ", "verify none",
    "no-sslv3", "no-tlsv10", "no-tlsv11", "v4v6", "v6only", "verify optional", "verify required", "ca-file",
)  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
def test_options_of_binds(target: str) -> None:
    plain = translated(target, "http", SECURE)
    assert plain is not None
    silent, count = [], 0
    for line in examples("binds"):
        option = " ".join(line.split()[2:])
        if not line.startswith("bind ") or option.startswith(NO_BIND):
            continue
        found = translated(target, "http", f"{SECURE} {option}")
        if found is None:
            continue
        count += 1
        if found[0].files == plain[0].files and not found[1] - plain[1]:
            silent.append(option)
    assert silent == []
    assert count > 30

"""A configuration made private: the same rules on ports, servers and log receivers of our own.

Only what reaches outside of the program changes. Every line keeps its number, so that messages about it stay right;
what had to be left out is told.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hapy_config.source import Source
from hapy_config.translate.lines import Line, read_lines, write

_PROXIES: Final = frozenset({"frontend", "backend", "listen", "defaults"})

#: Sections that talk to others.
_SECTIONS_LEFT_OUT: Final = frozenset({"program", "ring", "log-forward", "mailers"})
#: Settings of the process that would reach outside of it, or would make two programs differ by their nature.
_LEFT_OUT: Final = frozenset(
    {
        "chroot", "cpu-map", "daemon", "gid", "group", "localpeer", "master-worker", "nbproc", "nbthread",
        "pidfile", "server-state-base", "server-state-file", "set-dumpable", "uid", "ulimit-n", "user",
        "log-send-hostname", "maxconn", "node", "insecure-fork-wanted", "external-check", "thread-groups",
    }
)  # fmt: skip
#: Options of a server that have no meaning towards a stub; with how many words they take.
_SERVER_WORDS: Final = {
    "agent-addr": 1, "agent-check": 0, "agent-inter": 1, "agent-port": 1, "agent-send": 1, "addr": 1,
    "alpn": 1, "ca-file": 1, "check": 0, "check-alpn": 1, "check-send-proxy": 0, "check-sni": 1,
    "check-ssl": 0, "check-via-socks4": 0, "ciphers": 1, "ciphersuites": 1, "crl-file": 1, "crt": 1,
    "curves": 1, "force-sslv3": 0, "force-tlsv10": 0, "force-tlsv11": 0, "force-tlsv12": 0, "force-tlsv13": 0,
    "init-addr": 1, "inter": 1, "interface": 1, "fastinter": 1, "downinter": 1, "namespace": 1, "no-ssl-reuse": 0,
    "no-sslv3": 0, "no-tls-tickets": 0, "no-tlsv10": 0, "no-tlsv11": 0, "no-tlsv12": 0, "no-tlsv13": 0,
    "npn": 1, "observe": 1, "on-error": 1, "port": 1, "proto": 1, "resolve-net": 1, "resolve-opts": 1,
    "resolve-prefer": 1, "resolvers": 1, "sni": 1, "socks4": 1, "source": 1, "ssl": 0, "ssl-max-ver": 1,
    "ssl-min-ver": 1, "tfo": 0, "usesrc": 1, "track": 1, "verify": 1, "verifyhost": 1,
}  # fmt: skip
#: The same on bind lines: what asks for rights, or for clients that are not ours.
_BIND_WORDS: Final = {
    "accept-netscaler-cip": 1, "accept-proxy": 0, "gid": 1, "group": 1, "interface": 1, "level": 1, "mode": 1,
    "namespace": 1, "process": 1, "thread": 1, "transparent": 0, "uid": 1, "user": 1, "v4v6": 0, "v6only": 0,
    "shards": 1, "expose-fd": 1,
}  # fmt: skip
#: TLS on bind lines, but for itself: our own client has no certificate, and looks at none.
_BIND_TLS: Final = {
    "allow-0rtt": 0, "alpn": 1, "ca-file": 1, "ca-ignore-err": 1, "ca-sign-file": 1, "ca-sign-pass": 1,
    "ca-verify-file": 1, "ciphers": 1, "ciphersuites": 1, "crl-file": 1, "crt": 1, "crt-ignore-err": 1,
    "crt-list": 1, "curves": 1, "ecdhe": 1, "force-sslv3": 0, "force-tlsv10": 0, "force-tlsv11": 0,
    "force-tlsv12": 0, "force-tlsv13": 0, "generate-certificates": 0, "no-ca-names": 0, "no-sslv3": 0,
    "no-tls-tickets": 0, "no-tlsv10": 0, "no-tlsv11": 0, "no-tlsv12": 0, "no-tlsv13": 0, "npn": 1,
    "prefer-client-ciphers": 0, "proto": 1, "ssl": 0, "ssl-max-ver": 1, "ssl-min-ver": 1, "strict-sni": 0,
    "tls-ticket-keys": 1, "verify": 1,
}  # fmt: skip
#: Statements of proxies that reach outside, or whose answers are the program's own state.
_PROXY_LEFT_OUT: Final = frozenset({"email-alert", "load-server-state-from-file", "source"})
#: What is said of health checks, which no server has here.
_CHECKS: Final = frozenset({"external-check", "http-check", "tcp-check"})
_CHECK_OPTIONS: Final = frozenset(
    {
        "external-check", "httpchk", "ldap-check", "mysql-check", "pgsql-check", "redis-check", "smtpchk", "spop-check",
        "ssl-hello-chk", "tcp-check",
    }
)  # fmt: skip


@dataclass(slots=True)
class Private:
    """A configuration that touches nothing outside.

    Attributes:
        texts: the files by name.
        listeners: for each frontend the names of its sockets, in the order of its bind lines.
        encrypted: those of them that speak TLS.
        spare: the names of sockets whose bind lines are in `.if` blocks that don't count here.
        servers: (backend, server) pairs that need a stub, in order.
        left_out: what is not compared, in sentences.
    """

    texts: dict[str, str] = field(default_factory=dict)
    listeners: dict[str, list[str]] = field(default_factory=dict)
    encrypted: set[str] = field(default_factory=set)
    spare: list[str] = field(default_factory=list)
    servers: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


#: Gives the address of a stub for (backend, server).
StubAddress = Callable[[str, str], str]


def make_private(
    sources: Sequence[Source],
    stub: StubAddress,
    syslog: str,
    counts: Container[tuple[str, int]] | None = None,
    certificate: str = "own.pem",
) -> Private:
    """Rewrite a configuration.

    Args:
        sources: its files.
        counts: by file and line what counts of it, None for all.
        stub: gives each server's stub an address.
        syslog: where log lines go.
        certificate: the file of the certificate that clients meet.

    Returns:
        The result; its bind lines listen on inherited sockets (`fd@${NAME}`), whose names it lists.
    """
    private = Private()
    for source in sources:
        lines = list(source.lines)
        for line in read_lines(source):
            new = _rewritten(line, private, stub, syslog)
            if line.words[0] == "bind" and line.section in _PROXIES and "ssl" in line.words[2:]:
                new = f"{new} ssl crt {write(certificate)}"
            if line.words[0] == "bind" and counts is not None and (source.name, line.number) not in counts:
                private.spare += [private.listeners[line.name].pop()] if private.listeners.get(line.name) else []
            if new is not None:
                lines[line.number - 1] = new
        private.texts[source.name] = "".join(f"{line}\n" for line in lines)
    return private


def _rewritten(line: Line, private: Private, stub: StubAddress, syslog: str) -> str | None:
    """The new line, None to leave it."""
    first = line.words[0]
    if line.section in _SECTIONS_LEFT_OUT:
        return _without(line, private, f"section {line.section}")
    if line.section == "peers" and first not in ("peers", "table"):
        _tell(private, "peers are left out: stick tables are not shared")
        return f"{line.indent}disabled"  # its tables stay
    if line.section == "global":
        return _global(line, syslog)
    if line.section in _PROXIES:
        return _proxy(line, private, stub, syslog)
    return None


def _without(line: Line, private: Private, what: str) -> str:
    _tell(private, f"{what} is left out")
    return f"{line.indent}# {' '.join(line.raw)}"


def _tell(private: Private, sentence: str) -> None:
    if sentence not in private.left_out:
        private.left_out.append(sentence)


def _global(line: Line, syslog: str) -> str | None:
    first = line.words[0]
    if first in _LEFT_OUT or line.words[:2] in (("stats", "socket"), ("stats", "timeout"), ("stats", "maxconn")):
        return f"{line.indent}# {' '.join(line.raw)}"
    if first == "log" and len(line.words) > 1:
        return f"{line.indent}log {syslog}{line.tail(2)}"
    return None


def _proxy(line: Line, private: Private, stub: StubAddress, syslog: str) -> str | None:
    first = line.words[0]
    if first == "bind" and len(line.words) > 1:
        return _bind(line, private)
    if first in ("server", "server-template") and len(line.words) > 2:
        return _server(line, private, stub)
    if first == "default-server":
        return f"{line.indent}default-server{_kept(line, 1, _SERVER_WORDS)}"
    if first == "log" and len(line.words) > 1 and line.words[1] != "global":
        return f"{line.indent}log {syslog}{line.tail(2)}"
    option = line.words[1:2] if first == "option" else line.words[2:3] if line.words[:2] == ("no", "option") else ()
    if first in _CHECKS or (option and option[0] in _CHECK_OPTIONS):
        return f"{line.indent}# {' '.join(line.raw)}"
    if first in _PROXY_LEFT_OUT:
        return _without(line, private, f"'{first}'")
    if first == "dispatch" and len(line.words) > 1:
        return f"{line.indent}dispatch {_stub_for(line, '<dispatch>', private, stub)}"
    return None


def _bind(line: Line, private: Private) -> str:
    names = private.listeners.setdefault(line.name, [])
    name = f"hapy_verify_{line.number}_{''.join(c if c.isalnum() else '_' for c in line.name)}"
    names.append(name)
    if "ssl" in line.words[2:]:
        private.encrypted.add(name)
        _tell(private, "bind lines have one certificate of our own, and no other TLS options")
    if {"accept-proxy", "accept-netscaler-cip"} & set(line.words[2:]):
        _tell(private, "headers of proxies before this one are left out")
    return f'{line.indent}bind "fd@${{{name}}}"{_kept(line, 2, {**_BIND_WORDS, **_BIND_TLS})}'


def _server(line: Line, private: Private, stub: StubAddress) -> str:
    if "ssl" in line.words[3:]:
        _tell(private, "TLS to servers is left out: stubs speak plain text")
    if "check" in line.words[3:]:
        _tell(private, "health checks are left out: all servers are up")
    if line.words[0] == "server-template":
        if len(line.words) < 4:
            return f"{line.indent}{' '.join(line.raw)}"
        address = _stub_for(line, line.words[1], private, stub)
        return f"{line.indent}server-template {line.raw[1]} {line.raw[2]} {address}{_kept(line, 4, _SERVER_WORDS)}"
    address = _stub_for(line, line.words[1], private, stub)
    return f"{line.indent}server {line.raw[1]} {address}{_kept(line, 3, _SERVER_WORDS)}"


def _stub_for(line: Line, server: str, private: Private, stub: StubAddress) -> str:
    private.servers.append((line.name, server))
    return stub(line.name, server)


def _kept(line: Line, begin: int, unwanted: Mapping[str, int]) -> str:
    """The options from a word on, without unwanted ones."""
    return "".join(f" {word}" for word in _wanted(line, begin, unwanted))


def _wanted(line: Line, begin: int, unwanted: Mapping[str, int]) -> Iterator[str]:
    index = begin
    while index < len(line.words):
        skip = unwanted.get(line.words[index])
        if skip is None:
            yield line.raw[index]
            index += 1
        else:
            index += 1 + skip

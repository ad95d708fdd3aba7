"""Options of server, default-server and server-template lines (configuration manual, section 5.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hapy_config.keywords.binds import FILE, TEXT, TLS_VERSION
from hapy_config.keywords.spec import OLDEST, TARGET, Arg, Context, Keyword, Kind, Runs, Table, Version

_OTHER_CHECK: Final = "the server is checked without it"
_NO_DNS: Final = "the name is resolved once, at start"
_NO_STICK: Final = "there are no stick tables"
_LATER: Final = "the server is used without it"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOption(Keyword):
    """One server option.

    Attributes:
        tls: whether it only means something beside `ssl` or `check-ssl`.
        in_default: whether default-server takes it.
    """

    where: Context = Context.PROXY | Context.PEERS | Context.RING
    tls: bool = False
    in_default: bool = True


def server_option(
    name: str,
    *args: Arg,
    since: Version = OLDEST,
    tls: bool = False,
    in_default: bool = True,
    runs: Runs = Runs.YES,
    loss: str = "",
    experimental: bool = False,
    ok: tuple[str, ...] = (),
    bad: tuple[str, ...] = (),
    after: str = "",
) -> ServerOption:
    """An entry; `ok` and `bad` are what may and may not follow the option's word, `after` what must stand before it."""
    known = since <= TARGET and not experimental
    begin = f"server s1 127.0.0.1:80 {after} {name}" if after else f"server s1 127.0.0.1:80 {name}"
    return ServerOption(
        name=name,
        args=args,
        since=since,
        tls=tls,
        in_default=in_default,
        experimental=experimental,
        runs=Runs.NO if loss and runs is Runs.YES else runs,
        loss=loss,
        manual="5.2",
        ok=tuple(f"{begin} {tail}".rstrip() for tail in ok or (() if args else ("",))) if known else (),
        bad=tuple(f"{begin} {tail}".rstrip() for tail in bad) if known else (),
    )


_COUNT: Final = Arg(Kind.INTEGER, "number", minimum=0, lax=True)
_TIME: Final = Arg(Kind.TIME, "time")
_ADDRESS: Final = Arg(Kind.ADDRESS, "address")
_NAME: Final = Arg(Kind.NAME, "name")
_EXPRESSION: Final = Arg(Kind.EXPRESSION, "expression")
_HARMLESS: Final = Runs.HARMLESS

_PLAIN: Final[tuple[ServerOption, ...]] = (
    server_option("backup"),
    server_option("no-backup", since=(1, 8)),
    server_option("cookie", TEXT, ok=("a",), bad=("",)),
    server_option("disabled"),
    server_option("enabled", since=(1, 8)),
    server_option("error-limit", _COUNT, ok=("5",), bad=("", "0")),
    server_option("id", Arg(Kind.INTEGER, "id", minimum=1), in_default=False, ok=("1005",), bad=("", "0", "x")),
    server_option(
        "init-addr",
        Arg(Kind.STRING, "methods"),
        since=(1, 8),
        ok=("last,libc,none", "none", "127.0.0.2"),
        bad=("x",),
    ),
    server_option(
        "log-proto",
        Arg(Kind.CHOICE, "name", ("legacy", "octet-count")),
        since=(2, 2),
        loss="log lines are sent one a line",
        ok=("legacy", "octet-count"),
        bad=("", "x"),
    ),
    server_option(
        "max-reuse", Arg(Kind.INTEGER, "number", minimum=-1, lax=True), since=(2, 0), ok=("5", "-1"), bad=("",)
    ),
    server_option("maxconn", _COUNT, ok=("100",)),
    server_option("maxqueue", _COUNT, ok=("100",)),
    server_option("minconn", _COUNT, ok=("10 maxconn 20",)),
    server_option("namespace", _NAME, since=(1, 8), bad=("",)),
    server_option("pool-low-conn", _COUNT, since=(2, 2), ok=("5",), bad=("",)),
    server_option(
        "pool-max-conn",
        Arg(Kind.INTEGER, "number", minimum=-1, lax=True),
        since=(2, 0),
        ok=("5", "-1"),
        bad=("", "-2"),
    ),
    server_option("pool-purge-delay", _TIME, since=(2, 0), ok=("5s",), bad=("", "5x")),
    server_option(
        "proto",
        Arg(Kind.CHOICE, "name", ("h1", "h2", "fcgi", "none")),
        since=(2, 0),
        ok=("h1", "h2"),
        bad=("", "nonesuch"),
    ),
    server_option("redir", Arg(Kind.STRING, "prefix"), ok=("http://a.example",), bad=("",)),
    server_option("send-proxy"),
    server_option("send-proxy-v2"),
    server_option("send-proxy-v2-ssl"),
    server_option("send-proxy-v2-ssl-cn"),
    server_option("no-send-proxy", since=(1, 8)),
    server_option("no-send-proxy-v2", since=(1, 8)),
    server_option("no-send-proxy-v2-ssl", since=(1, 8)),
    server_option("no-send-proxy-v2-ssl-cn", since=(1, 8)),
    server_option(
        "proxy-v2-options",
        Arg(Kind.STRING, "options"),
        since=(2, 0),
        ok=("ssl,cert-cn", "unique-id,authority,crc32c"),
        bad=("", "nonesuch"),
    ),
    server_option(
        "set-proxy-v2-tlv-fmt*",
        Arg(Kind.FORMAT, "format"),
        since=(3, 0),
    ),
    server_option("slowstart", _TIME, ok=("5s",), bad=("", "5x")),
    server_option(
        "socks4",
        _ADDRESS,
        since=(2, 0),
        loss="the server is connected to directly",
        ok=("127.0.0.1:1080",),
        bad=("", "127.0.0.1"),
    ),
    server_option(
        "source",
        _ADDRESS,
        ok=("127.0.0.1", "127.0.0.1:1024-2000", "127.0.0.1 usesrc clientip", "127.0.0.1 interface lo"),
        bad=("", "127.0.0.1 usesrc", "x:y"),
    ),
    server_option(
        "usesrc", Arg(Kind.STRING, "address"), ok=("client", "clientip"), bad=("",), after="source 127.0.0.1"
    ),
    server_option("tcp-ut", _TIME, since=(1, 8), ok=("5s",), bad=("", "x")),
    server_option("tfo", since=(2, 0)),
    server_option("no-tfo", since=(2, 2)),
    server_option(
        "weight",
        Arg(Kind.INTEGER, "weight", minimum=0, maximum=256, lax=True),
        ok=("0", "256"),
        bad=("257", "-1"),
    ),
    server_option(
        "ws",
        Arg(Kind.CHOICE, "name", ("auto", "h1", "h2")),
        since=(2, 6),
        ok=("auto", "h1", "h2"),
        bad=("", "h3"),
    ),
    server_option("cc", TEXT, since=(3, 4), loss=_LATER),
    server_option("guid", TEXT, since=(3, 0), runs=_HARMLESS),
    server_option("hash-key", Arg(Kind.CHOICE, "key", ("id", "addr", "addr-port", "guid")), since=(3, 2), loss=_LATER),
    server_option("idle-ping", _TIME, since=(3, 2), loss="idle HTTP/2 connections are not pinged"),
    server_option("log-bufsize", Arg(Kind.SIZE, "size"), since=(3, 0), runs=_HARMLESS),
    server_option("pool-conn-name", _EXPRESSION, since=(3, 0), loss="idle connections have no name"),
    server_option("quic-cc-algo", TEXT, since=(3, 4), loss="QUIC is not spoken"),
    server_option("shard", _COUNT, since=(2, 8), loss=_NO_STICK),
    server_option("strict-maxconn", since=(3, 2), loss=_LATER),
    server_option("tcp-md5sig", TEXT, since=(3, 4), loss="segments are not signed"),
)

_CHECKS: Final[tuple[ServerOption, ...]] = (
    server_option("addr", _ADDRESS, ok=("127.0.0.2",), bad=("",)),
    server_option("agent-addr", _ADDRESS, since=(1, 8), ok=("127.0.0.2",), bad=("",)),
    server_option("agent-check", ok=("agent-port 5555",), bad=("",)),
    server_option("agent-inter", _TIME, ok=("5s",), bad=("", "5x")),
    server_option("agent-port", Arg(Kind.INTEGER, "port"), ok=("5555",), bad=("",)),
    server_option("agent-send", TEXT, since=(1, 8), ok=("a",), bad=("",)),
    server_option("no-agent-check", since=(1, 8)),
    server_option("check"),
    server_option("no-check", since=(1, 8)),
    server_option("check-proto", _NAME, since=(2, 2), ok=("h1",), bad=("", "nonesuch")),
    server_option("check-send-proxy"),
    server_option("no-check-send-proxy", since=(1, 8)),
    server_option("check-sni", TEXT, since=(1, 8), ok=("a.example",), bad=("",)),
    server_option("check-alpn", TEXT, since=(2, 0), ok=("http/1.1",), bad=("",)),
    server_option("check-ssl", ok=("verify none",), bad=("",)),
    server_option("no-check-ssl", since=(1, 8)),
    server_option("check-via-socks4", since=(2, 0), loss="checks go to the server directly"),
    server_option("check-reuse-pool", since=(3, 2)),
    server_option("no-check-reuse-pool", since=(3, 2)),
    server_option("check-pool-conn-name", TEXT, since=(3, 2), loss=_OTHER_CHECK),
    server_option("check-sni-auto", since=(3, 4), loss=_OTHER_CHECK),
    server_option("no-check-sni-auto", since=(3, 4), loss=_OTHER_CHECK),
    server_option("downinter", _TIME, ok=("5s",), bad=("", "5x", "0")),
    server_option("fastinter", _TIME, ok=("5s",), bad=("", "5x", "0")),
    server_option("inter", _TIME, ok=("5s",), bad=("", "5x", "0")),
    server_option("fall", _COUNT, ok=("3",), bad=("", "0", "x")),
    server_option("rise", _COUNT, ok=("2",), bad=("", "0", "x")),
    server_option("healthcheck", _NAME, since=(3, 4), loss=_OTHER_CHECK),
    server_option(
        "init-state",
        Arg(Kind.CHOICE, "state", ("fully-up", "up", "down", "fully-down", "none")),
        since=(3, 2),
    ),
    server_option(
        "observe",
        Arg(Kind.CHOICE, "mode", ("none", "layer4", "layer7")),
        ok=("layer4 check", "layer7 check"),
        bad=("", "layer5"),
    ),
    server_option(
        "on-error",
        Arg(Kind.CHOICE, "mode", ("fastinter", "fail-check", "sudden-death", "mark-down")),
        ok=("fastinter", "mark-down"),
        bad=("", "nonesuch"),
    ),
    server_option(
        "on-marked-down",
        Arg(Kind.CHOICE, "action", ("shutdown-sessions",)),
        ok=("shutdown-sessions",),
        bad=("", "nonesuch"),
    ),
    server_option(
        "on-marked-up",
        Arg(Kind.CHOICE, "action", ("shutdown-backup-sessions",)),
        ok=("shutdown-backup-sessions",),
        bad=("", "nonesuch"),
    ),
    server_option("port", Arg(Kind.INTEGER, "port"), ok=("8080",), bad=("",)),
    server_option("track", Arg(Kind.STRING, "server"), bad=("",)),
)

_DNS: Final[tuple[ServerOption, ...]] = (
    server_option(
        "resolve-net",
        Arg(Kind.STRING, "networks"),
        since=(1, 8),
        ok=("10.0.0.0/8",),
        bad=("", "x", ",".join(6 * ["::/0"])),
    ),
    server_option(
        "resolve-opts",
        Arg(Kind.STRING, "options"),
        since=(2, 0),
        ok=("allow-dup-ip,ignore-weight", "prevent-dup-ip"),
        bad=("x",),
    ),
    server_option(
        "resolve-prefer",
        Arg(Kind.CHOICE, "family", ("ipv4", "ipv6")),
        since=(1, 8),
        ok=("ipv4", "ipv6"),
        bad=("", "x"),
    ),
    server_option("resolvers", _NAME, since=(1, 8), ok=("dns",)),
    server_option("stick", since=(1, 8), runs=_HARMLESS),
    server_option("non-stick", runs=_HARMLESS),
)

_VERSIONS: Final = ("sslv3", "tlsv10", "tlsv11", "tlsv12", "tlsv13")

_TLS: Final[tuple[ServerOption, ...]] = (
    server_option("ssl", tls=True, ok=("verify none",), bad=("",)),
    server_option("no-ssl", since=(1, 8)),
    server_option(
        "allow-0rtt",
        since=(2, 0),
        tls=True,
        runs=Runs.HARMLESS,
        loss="no early data (0-RTT) is sent, requests follow the handshake",
    ),
    server_option("alpn", TEXT, since=(2, 0), tls=True, ok=("http/1.1",), bad=("",)),
    server_option("ca-file", FILE, tls=True, ok=("ca.pem",), bad=("", "no-such-file.pem")),
    server_option("ciphers", TEXT, tls=True, ok=("HIGH",), bad=("",)),
    server_option("ciphersuites", TEXT, since=(2, 0), tls=True, ok=("TLS_AES_128_GCM_SHA256",), bad=("",)),
    server_option("client-sigalgs", TEXT, since=(3, 0), tls=True, loss=_LATER),
    server_option("crl-file", FILE, tls=True, bad=("", "no-such-file.pem")),
    server_option("crt", FILE, tls=True, ok=("site.pem",), bad=("",)),
    server_option("curves", TEXT, since=(3, 0), tls=True, loss=_LATER),
    *(server_option(f"force-{name}", since=(1, 8) if name == "tlsv13" else OLDEST, tls=True) for name in _VERSIONS),
    server_option(
        "ktls", Arg(Kind.CHOICE, "switch", ("on", "off")), since=(3, 4), tls=True, loss=_LATER, experimental=True
    ),
    *(
        server_option(f"no-{name}", since=(1, 8) if name == "tlsv13" else OLDEST, tls=True, in_default=False)
        for name in _VERSIONS
    ),
    server_option("no-renegotiate", since=(3, 4), tls=True, loss=_LATER),
    server_option("no-sni-auto", since=(3, 4), tls=True, loss=_LATER),
    server_option("no-ssl-reuse", since=(1, 8), tls=True),
    server_option("no-tls-tickets", tls=True),
    server_option("no-verifyhost", since=(2, 8), tls=True, loss=_LATER),
    server_option("npn", TEXT, since=(2, 0), tls=True, runs=Runs.HARMLESS, ok=("http/1.1",), bad=("",)),
    server_option("renegotiate", since=(3, 4), tls=True, loss=_LATER),
    server_option("sigalgs", TEXT, since=(3, 0), tls=True, loss=_LATER),
    server_option(
        "sni", _EXPRESSION, since=(1, 8), tls=True, ok=("str(a.example)", "req.hdr(host)"), bad=("", "nonesuch")
    ),
    server_option("sni-auto", since=(3, 4), tls=True, loss=_LATER),
    server_option("ssl-max-ver", TLS_VERSION, since=(1, 8), tls=True, ok=("TLSv1.3",), bad=("", "TLSv1.9")),
    server_option("ssl-min-ver", TLS_VERSION, since=(1, 8), tls=True, ok=("TLSv1.2",), bad=("", "TLSv1.9")),
    server_option("ssl-reuse", since=(1, 8), tls=True),
    server_option("tls-tickets", since=(1, 8), tls=True),
    server_option(
        "verify",
        Arg(Kind.CHOICE, "method", ("none", "required")),
        tls=True,
        ok=("none", "required"),
        bad=("", "optional"),
    ),
    server_option("verifyhost", TEXT, tls=True, ok=("a.example",), bad=("",)),
)

TABLE: Final = Table("servers", sorted((*_PLAIN, *_CHECKS, *_DNS, *_TLS), key=lambda entry: entry.name))

"""Options of bind lines (configuration manual, section 5.1), plain ones and those of TLS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hapy_config.keywords.spec import OLDEST, TARGET, Arg, Context, Keyword, Kind, Runs, Table, Version

_LATER: Final = "the address is served without it"


@dataclass(frozen=True, slots=True, kw_only=True)
class BindOption(Keyword):
    """One bind option.

    Attributes:
        tls: whether it only means something beside `ssl`.
    """

    where: Context = Context.FRONT
    tls: bool = False


#: What `allow-0rtt` would do.
NO_EARLY_DATA = "early data (0-RTT) is refused, clients send it again behind the handshake"


def bind_option(
    name: str,
    *args: Arg,
    since: Version = OLDEST,
    deprecated: Version | None = None,
    removed: Version | None = None,
    instead: str = "",
    tls: bool = False,
    runs: Runs = Runs.YES,
    loss: str = "",
    experimental: bool = False,
    needs: str = "",
    address: str = ":8080",
    ok: tuple[str, ...] = (),
    bad: tuple[str, ...] = (),
) -> BindOption:
    """An entry; `ok` and `bad` are what may and may not follow the option's word on a line."""
    known = since <= TARGET and not experimental and not needs
    return BindOption(
        name=name,
        args=args,
        since=since,
        deprecated=deprecated,
        removed=removed,
        instead=instead,
        tls=tls,
        experimental=experimental,
        needs=needs,
        runs=Runs.NO if loss and runs is Runs.YES else runs,
        loss=loss,
        manual="5.1",
        ok=tuple(f"bind {address} {name} {tail}".rstrip() for tail in ok or (() if args else ("",))) if known else (),
        bad=tuple(f"bind {address} {name} {tail}".rstrip() for tail in bad) if known else (),
    )


TEXT: Final = Arg(Kind.STRING, "value")
FILE: Final = Arg(Kind.FILE, "file")
TLS_VERSION: Final = Arg(Kind.CHOICE, "version", ("SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"))
_NUMBER: Final = Arg(Kind.INTEGER, "number", minimum=0, lax=True)
_TIME: Final = Arg(Kind.TIME, "time")
_HARMLESS: Final = Runs.HARMLESS

_PLAIN: Final[tuple[BindOption, ...]] = (
    bind_option(
        "accept-netscaler-cip",
        _NUMBER,
        since=(1, 8),
        ok=("15548",),
        bad=("", "x"),
    ),
    bind_option("accept-proxy"),
    bind_option("backlog", _NUMBER, ok=("100",), bad=("", "-1")),
    bind_option("defer-accept"),
    bind_option(
        "expose-fd",
        Arg(Kind.CHOICE, "what", ("listeners",)),
        since=(1, 8),
        runs=_HARMLESS,
        ok=("listeners",),
        bad=("", "all"),
    ),
    bind_option("gid", _NUMBER, ok=("0",), bad=("",)),
    bind_option("group", Arg(Kind.NAME, "group"), ok=("root",), bad=("", "no-such-group")),
    bind_option("id", Arg(Kind.INTEGER, "id", minimum=1), ok=("5",), bad=("", "0", "x")),
    bind_option("interface", Arg(Kind.NAME, "interface"), ok=("lo",), bad=("",)),
    bind_option(
        "level",
        Arg(Kind.CHOICE, "level", ("user", "operator", "admin")),
        ok=("user", "operator", "admin"),
        bad=("", "root"),
    ),
    bind_option("maxconn", _NUMBER, ok=("100",), bad=("", "-1")),
    bind_option("mode", Arg(Kind.STRING, "mode"), address="/tmp/hapy.sock", ok=("600",), bad=("", "99", "x")),  # noqa: S108 - an example
    bind_option(
        "mss", Arg(Kind.INTEGER, "maxseg", minimum=-65535, maximum=65535), ok=("500", "-500"), bad=("", "0", "x")
    ),
    bind_option("name", Arg(Kind.STRING, "name"), ok=("web",), bad=("",)),
    bind_option("namespace", Arg(Kind.NAME, "name"), since=(1, 8), bad=("",)),
    bind_option(
        "nice",
        Arg(Kind.INTEGER, "nice", minimum=-1024, maximum=1024, lax=True),
        runs=_HARMLESS,
        ok=("5", "-1024"),
        bad=("", "1025"),
    ),
    bind_option(
        "process",
        Arg(Kind.STRING, "set"),
        deprecated=(2, 5),
        removed=(2, 7),
        instead="thread",
        runs=_HARMLESS,
        ok=("all", "1", "1/1"),
        bad=("", "x"),
    ),
    bind_option(
        "proto",
        Arg(Kind.CHOICE, "name", ("h1", "h2")),
        since=(2, 0),
        ok=("h1", "h2"),
        bad=("", "nonesuch"),
    ),
    bind_option(
        "severity-output",
        Arg(Kind.CHOICE, "format", ("none", "number", "string")),
        since=(1, 8),
        ok=("none", "number", "string"),
        bad=("", "colour"),
    ),
    bind_option(
        "shards",
        Arg(Kind.STRING, "number"),
        since=(2, 6),
        runs=_HARMLESS,
        ok=("1", "by-thread"),
        bad=("", "0", "by-group"),
    ),
    bind_option("tcp-ut", _TIME, since=(1, 8), ok=("5s",), bad=("", "x")),
    bind_option("tfo"),
    bind_option("thread", Arg(Kind.STRING, "set"), since=(2, 6), runs=_HARMLESS, ok=("all", "1", "1/1"), bad=("", "x")),
    bind_option("transparent"),
    bind_option("uid", _NUMBER, ok=("0",), bad=("",)),
    bind_option("user", Arg(Kind.NAME, "user"), ok=("root",), bad=("", "no-such-user")),
    bind_option("v4v6"),
    bind_option("v6only"),
    bind_option("cc", Arg(Kind.STRING, "algorithm"), since=(3, 4), loss=_LATER),
    bind_option("guid-prefix", TEXT, since=(3, 0), runs=_HARMLESS),
    bind_option("idle-ping", _TIME, since=(3, 2), loss="idle HTTP/2 connections are not pinged"),
    bind_option("label", TEXT, since=(3, 2), runs=_HARMLESS),
    bind_option("nbconn", _NUMBER, since=(3, 0), experimental=True, loss="no reverse connections are opened"),
    bind_option("quic-cc-algo", TEXT, since=(2, 8), loss="QUIC is not spoken"),
    bind_option("quic-force-retry", since=(2, 6), needs="USE_QUIC", loss="QUIC is not spoken"),
    bind_option(
        "quic-socket",
        Arg(Kind.CHOICE, "what", ("connection", "listener")),
        since=(3, 0),
        loss="QUIC is not spoken",
    ),
    bind_option("tcp-md5sig", TEXT, since=(3, 4), loss="segments are not signed"),
    bind_option("tcp-ss", _NUMBER, since=(3, 4), loss="SYN packets are not kept"),
)

_VERSIONS: Final = ("sslv3", "tlsv10", "tlsv11", "tlsv12", "tlsv13")

_TLS: Final[tuple[BindOption, ...]] = (
    bind_option("ssl", tls=True, ok=("crt site.pem",), bad=("", "crt no-such-file.pem")),
    bind_option("allow-0rtt", since=(1, 8), tls=True, runs=_HARMLESS, loss=NO_EARLY_DATA),
    bind_option("alpn", TEXT, tls=True, ok=("h2,http/1.1",), bad=("",)),
    bind_option("ca-file", FILE, tls=True, ok=("ca.pem",), bad=("", "no-such-file.pem")),
    bind_option("ca-ignore-err", TEXT, tls=True, ok=("all", "1,2"), bad=("", "x")),
    bind_option("ca-sign-file", FILE, since=(1, 8), tls=True, ok=("ca.pem",), bad=("",)),
    bind_option("ca-sign-pass", TEXT, since=(1, 8), tls=True, ok=("secret",), bad=("",)),
    bind_option("ca-verify-file", FILE, since=(2, 2), tls=True, ok=("ca.pem",), bad=("", "no-such-file.pem")),
    bind_option("ciphers", TEXT, tls=True, ok=("HIGH",), bad=("",)),
    bind_option("ciphersuites", TEXT, since=(2, 0), tls=True, ok=("TLS_AES_128_GCM_SHA256",), bad=("",)),
    bind_option("crl-file", FILE, tls=True, bad=("", "no-such-file.pem")),
    bind_option("crt", FILE, tls=True, ok=("site.pem",), bad=("", "no-such-file.pem")),
    bind_option("crt-ignore-err", TEXT, tls=True, ok=("all", "1,2"), bad=("", "x")),
    bind_option("crt-list", FILE, tls=True, ok=("crt.list",), bad=("", "no-such-file.list")),
    bind_option("curves", TEXT, since=(1, 8), tls=True, ok=("X25519",), bad=("",)),
    bind_option("ecdhe", TEXT, tls=True, ok=("prime256v1",), bad=("",)),
    *(bind_option(f"force-{name}", since=(1, 8) if name == "tlsv13" else OLDEST, tls=True) for name in _VERSIONS),
    bind_option("generate-certificates", since=(1, 8), tls=True),
    bind_option("no-ca-names", since=(1, 8), tls=True),
    *(bind_option(f"no-{name}", since=(1, 8) if name == "tlsv13" else OLDEST, tls=True) for name in _VERSIONS),
    bind_option("no-tls-tickets", tls=True),
    bind_option("npn", TEXT, tls=True, runs=_HARMLESS, ok=("http/1.1",), bad=("",)),
    bind_option("prefer-client-ciphers", since=(1, 8), tls=True),
    bind_option("ssl-max-ver", TLS_VERSION, since=(1, 8), tls=True, ok=("TLSv1.3",), bad=("", "TLSv1.9")),
    bind_option("ssl-min-ver", TLS_VERSION, since=(1, 8), tls=True, ok=("TLSv1.2",), bad=("", "TLSv1.9")),
    bind_option("strict-sni", tls=True),
    bind_option("tls-ticket-keys", FILE, since=(1, 8), tls=True, bad=("", "no-such-file.keys")),
    bind_option(
        "verify",
        Arg(Kind.CHOICE, "method", ("none", "optional", "required")),
        tls=True,
        ok=("none", "optional", "required"),
        bad=("", "maybe"),
    ),
    bind_option("client-sigalgs", TEXT, since=(2, 8), tls=True, loss=_LATER),
    bind_option("default-crt", FILE, since=(3, 0), tls=True, loss=_LATER),
    bind_option("ech", Arg(Kind.DIRECTORY, "directory"), since=(3, 4), tls=True, loss=_LATER, experimental=True),
    bind_option(
        "ktls", Arg(Kind.CHOICE, "switch", ("on", "off")), since=(3, 4), tls=True, loss=_LATER, experimental=True
    ),
    bind_option("no-alpn", since=(2, 8), tls=True, loss=_LATER),
    bind_option("no-strict-sni", since=(3, 2), tls=True, loss=_LATER),
    bind_option("sigalgs", TEXT, since=(2, 8), tls=True, loss=_LATER),
    bind_option("tls-tickets", since=(3, 2), tls=True, loss=_LATER),
)

TABLE: Final = Table("binds", sorted((*_PLAIN, *_TLS), key=lambda entry: entry.name))

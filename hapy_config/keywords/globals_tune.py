"""`tune.*` of the global section (configuration manual, section 3.2)."""

from __future__ import annotations

from typing import Any, Final

from hapy_config.keywords.spec import Arg, Context, Keyword, Kind, Runs, Version

_BUFFERS: Final = "buffers grow and shrink with what is in them"
_SCHED: Final = "the event loop has its own scheduling"
_NO_H2: Final = "HTTP/2 is not spoken"
_NO_QUIC: Final = "QUIC is not spoken"
_NO_TLS: Final = "TLS is spoken as Python's OpenSSL does it"
_NO_LUA: Final = "Lua is not run"
_NO_ZLIB: Final = "nothing is compressed"
_SOCKETS: Final = "the system's default socket buffers are used"
_COPIES: Final = "data is forwarded by copying"

_ON_OFF: Final = Arg(Kind.CHOICE, "value", ("on", "off"))
_SIZE: Final = Arg(Kind.SIZE, "size")
_NEW: Final[Version] = (2, 7)  # from here on, HAProxy 2.6 does not know it


def _tune(name: str, *args: Arg, manual: str = "3.2", **more: Any) -> Keyword:
    more.setdefault("runs", Runs.HARMLESS)
    return Keyword(name=f"tune.{name}", where=Context.GLOBAL, args=args, manual=manual, **more)


def _number(
    name: str, *, minimum: int | None = None, maximum: int | None = None, unsigned: bool = False, **more: Any
) -> Keyword:
    """A lax number, with or without bounds."""
    known = more.get("since", (1, 5)) < _NEW and "needs" not in more
    full = f"tune.{name}"
    bad = [full, f"{full} 5 6"]
    if minimum is not None:
        bad.append(f"{full} {minimum - 1}")
    if maximum is not None:
        bad.append(f"{full} {maximum + 1}")
    more.setdefault("ok", (f"{full} {minimum or 5}",) if known else ())
    more.setdefault("bad", tuple(bad) if known else ())
    return _tune(
        name, Arg(Kind.INTEGER, "number", minimum=minimum, maximum=maximum, lax=True, unsigned=unsigned), **more
    )


def _switch(name: str, **more: Any) -> Keyword:
    """`on` or `off`."""
    known = more.get("since", (1, 5)) < _NEW
    full = f"tune.{name}"
    more.setdefault("ok", (f"{full} on", f"{full} off") if known else ())
    more.setdefault("bad", (full, f"{full} x", f"{full} on x") if known else ())
    return _tune(name, _ON_OFF, **more)


def _variables(name: str, since: Version) -> Keyword:
    """A limit of the memory that variables take."""
    full = f"tune.vars.{name}-max-size"
    return _tune(
        f"vars.{name}-max-size",
        Arg(Kind.INTEGER, "size", optional=True),
        surplus=True,
        since=since,
        runs=Runs.NO,
        loss="variables may take any amount of memory",
        ok=(f"{full} 500",),
        bad=(f"{full} x", f"{full} 5k"),
    )


def _lua_timeout(name: str) -> Keyword:
    full = f"tune.lua.{name}-timeout"
    return _tune(
        f"lua.{name}-timeout",
        Arg(Kind.TIME, "timeout"),
        surplus=True,
        since=(1, 6),
        loss=_NO_LUA,
        ok=(f"{full} 5s",),
        bad=(full, f"{full} x"),
    )


_BUFFERING: Final = (
    _number("buffers.limit", since=(1, 6), loss=_BUFFERS),
    _number("buffers.reserve", since=(1, 6), loss=_BUFFERS),
    _number("bufsize", minimum=1, runs=Runs.YES, ok=("tune.bufsize 32768",)),
    _tune("bufsize.large", _SIZE, since=(3, 4), loss=_BUFFERS),
    _tune("bufsize.small", _SIZE, since=(3, 2), loss=_BUFFERS),
    _number("maxrewrite", minimum=0, runs=Runs.YES, ok=("tune.maxrewrite 1024",)),
    _number("http.maxhdr", minimum=1, maximum=32767, runs=Runs.YES),
    _number("http.cookielen", runs=Runs.YES),
    _number("http.logurilen", since=(1, 7), runs=Runs.YES),
    _number("pipesize", loss=_COPIES),
    _number("recv_enough", since=(1, 8), loss=_BUFFERS),
    *(_number(f"{kind}.{side}", runs=Runs.YES) for kind in ("rcvbuf", "sndbuf") for side in ("client", "server")),
    *(
        _number(f"{kind}.{side}", since=(2, 9), loss=_SOCKETS)
        for kind in ("rcvbuf", "sndbuf")
        for side in ("backend", "frontend")
    ),
    *(_tune(f"notsent-lowat.{side}", _SIZE, since=(3, 2), loss=_SOCKETS) for side in ("client", "server")),
    _tune(
        "idletimer",
        Arg(Kind.TIME, "timeout", maximum=65535),
        runs=Runs.YES,
        ok=("tune.idletimer 1s",),
        bad=("tune.idletimer", "tune.idletimer x", "tune.idletimer 65536", "tune.idletimer 5 6"),
    ),
    _number(
        "chksize",
        removed=(2, 5),
        instead="tune.bufsize",
        loss=_BUFFERS,
        manual="3.2 of the 2.0 manual",
        ok=(),
        bad=("tune.chksize 5",),
    ),
    _number(
        "pattern.cache-size",
        minimum=0,
        since=(1, 6),
        surplus=True,
        loss="patterns are not cached",
        bad=("tune.pattern.cache-size", "tune.pattern.cache-size -1"),
    ),
    _number("memory.hot-size", since=(2, 7), loss="the allocator decides"),
    _number("cli.max-payload-size", since=(3, 4), loss="nothing answers on stats sockets"),
    _number("stick-counters", since=(2, 8), runs=Runs.NO, loss="nothing is counted by stick tables"),
    _number("streams-elasticity", since=(3, 4), loss=_NO_H2),
)

_LOOP: Final = (
    _number(
        "maxaccept",
        maximum=2**31 - 1,
        loss=_SCHED,
        ok=("tune.maxaccept 5", "tune.maxaccept -1", "tune.maxaccept -99999999999"),
        bad=("tune.maxaccept", "tune.maxaccept 2147483648", "tune.maxaccept 99999999999", "tune.maxaccept 5 6"),
    ),
    _number("maxpollevents", loss=_SCHED),
    _number("runqueue-depth", since=(1, 9), loss=_SCHED),
    _switch("sched.low-latency", since=(2, 2), loss=_SCHED),
    _switch("listener.multi-queue", since=(2, 0), loss=_SCHED),
    _tune(
        "listener.default-shards",
        Arg(Kind.CHOICE, "by", ("by-process", "by-thread", "by-group")),
        since=(2, 8),
        loss=_SCHED,
    ),
    _switch("idle-pool.shared", since=(2, 1), loss="all connections are of one thread"),
    _tune("fd.edge-triggered", _ON_OFF, since=(2, 1), experimental=True, loss=_SCHED),
    _tune(
        "fail-alloc",
        Arg(Kind.INTEGER, "percent", optional=True, minimum=0, maximum=100, lax=True),
        since=(1, 9),
        loss="it is for HAProxy's developers",
        ok=("tune.fail-alloc 5", "tune.fail-alloc"),
        bad=("tune.fail-alloc 101", "tune.fail-alloc 5 6"),
    ),
    *(
        _number(
            f"pool-{which}-fd-ratio",
            minimum=0,
            maximum=100,
            since=(2, 0),
            runs=Runs.YES,
            ok=(f"tune.pool-{which}-fd-ratio 30",),
        )
        for which in ("high", "low")
    ),
    _number("peers.max-updates-at-once", minimum=1, since=(2, 6), loss="peers are not spoken to"),
    _tune("epoll.mask-events", Arg(Kind.STRING, "events"), since=(3, 0), loss=_SCHED),
    _number("events.max-events-at-once", since=(2, 9), loss=_SCHED),
    _number("max-checks-per-thread", since=(2, 9), loss="servers are not checked"),
    _number("max-rules-at-once", since=(3, 1), loss=_SCHED),
    _number("renice.runtime", since=(3, 1), loss=_SCHED),
    _number("renice.startup", since=(3, 1), loss=_SCHED),
    _number("ring.queues", since=(3, 0), loss="rings are not written"),
    _tune(
        "takeover-other-tg-connections",
        Arg(Kind.CHOICE, "value", ("none", "restricted", "full")),
        since=(3, 2),
        loss=_SCHED,
    ),
    _tune("defaults.purge", since=(3, 4), loss="defaults sections are forgotten after reading"),
    _tune("disable-fast-forward", since=(2, 8), experimental=True, loss=_COPIES),
    _tune("disable-zero-copy-forwarding", since=(2, 9), loss=_COPIES),
    _switch("applet.zero-copy-forwarding", since=(2, 9), loss=_COPIES),
    _switch("pt.zero-copy-forwarding", since=(2, 9), loss=_COPIES),
    _number("glitches.kill.cpu-usage", since=(3, 2), loss="odd clients are not closed because the CPU is busy"),
    _switch("h1.zero-copy-fwd-recv", since=(2, 9), loss=_COPIES),
    _switch("h1.zero-copy-fwd-send", since=(2, 9), loss=_COPIES),
    *(
        _number(f"h1.{side}.glitches-threshold", since=(3, 3), runs=Runs.NO, loss="odd requests are not counted")
        for side in ("be", "fe")
    ),
)

_H2: Final = (
    _number("h2.header-table-size", minimum=4096, maximum=65536, since=(1, 8), loss=_NO_H2),
    _tune(
        "h2.initial-window-size",
        Arg(Kind.INTEGER, "number", minimum=0, optional=True, lax=True),
        since=(1, 8),
        loss=_NO_H2,
        ok=("tune.h2.initial-window-size 65535",),
        bad=("tune.h2.initial-window-size -1", "tune.h2.initial-window-size 5 6"),
    ),
    _tune(
        "h2.max-concurrent-streams",
        Arg(Kind.INTEGER, "number", minimum=0, optional=True, lax=True),
        since=(1, 8),
        loss=_NO_H2,
        ok=("tune.h2.max-concurrent-streams 5",),
        bad=("tune.h2.max-concurrent-streams -1", "tune.h2.max-concurrent-streams 5 6"),
    ),
    _number("h2.max-frame-size", minimum=16384, maximum=16777215, since=(2, 0), loss=_NO_H2),
    *(
        _number(f"h2.{name}", since=since, loss=_NO_H2)
        for name, since in (
            ("be.glitches-threshold", (2, 8)),
            ("be.initial-window-size", (2, 7)),
            ("be.max-concurrent-streams", (2, 7)),
            ("be.max-frames-at-once", (3, 2)),
            ("be.rxbuf", (3, 1)),
            ("fe.glitches-threshold", (2, 8)),
            ("fe.initial-window-size", (2, 7)),
            ("fe.max-concurrent-streams", (2, 7)),
            ("fe.max-frames-at-once", (3, 2)),
            ("fe.max-rst-at-once", (3, 2)),
            ("fe.max-total-streams", (2, 8)),
            ("fe.rxbuf", (3, 1)),
        )
    ),
    _tune("h2.log-errors", Arg(Kind.CHOICE, "what", ("none", "connection", "stream")), since=(3, 2), loss=_NO_H2),
    _switch("h2.zero-copy-fwd-send", since=(2, 9), loss=_NO_H2),
)

_VARIABLES_LUA: Final = (
    _variables("check", (2, 2)),
    _variables("global", (1, 6)),
    _variables("proc", (1, 8)),
    _variables("reqres", (1, 6)),
    _variables("sess", (1, 6)),
    _variables("txn", (1, 6)),
    _tune(
        "lua.forced-yield",
        Arg(Kind.INTEGER, "number", optional=True),
        surplus=True,
        since=(1, 6),
        loss=_NO_LUA,
        ok=("tune.lua.forced-yield 5",),
        bad=("tune.lua.forced-yield x",),
    ),
    _tune(
        "lua.maxmem",
        Arg(Kind.INTEGER, "megabytes"),
        surplus=True,
        since=(1, 6),
        loss=_NO_LUA,
        ok=("tune.lua.maxmem 5",),
        bad=("tune.lua.maxmem", "tune.lua.maxmem x"),
    ),
    _lua_timeout("service"),
    _lua_timeout("session"),
    _lua_timeout("task"),
    _tune("lua.burst-timeout", Arg(Kind.TIME, "timeout"), since=(2, 8), loss=_NO_LUA),
    _tune(
        "lua.bool-sample-conversion", Arg(Kind.CHOICE, "value", ("normal", "pre-3.1-bug")), since=(3, 1), loss=_NO_LUA
    ),
    _switch("lua.log.loggers", since=(2, 8), loss=_NO_LUA),
    _tune("lua.log.stderr", Arg(Kind.CHOICE, "value", ("on", "auto", "off")), since=(2, 8), loss=_NO_LUA),
    _tune("lua.openlibs", Arg(Kind.STRING, "libraries"), since=(3, 4), loss=_NO_LUA),
    _number("comp.maxlevel", minimum=1, maximum=9, loss=_NO_ZLIB),
    _number("zlib.memlevel", minimum=1, maximum=9, needs="USE_ZLIB", loss=_NO_ZLIB),
    _number("zlib.windowsize", minimum=8, maximum=15, needs="USE_ZLIB", loss=_NO_ZLIB),
)

_TLS: Final = (
    _number("ssl.cachesize", minimum=0, runs=Runs.YES, ok=("tune.ssl.cachesize 500",)),
    _number("ssl.capture-buffer-size", minimum=0, since=(2, 5), runs=Runs.YES, ok=("tune.ssl.capture-buffer-size 5",)),
    _number(
        "ssl.capture-cipherlist-size",
        minimum=0,
        since=(1, 8),
        deprecated=(2, 5),
        instead="tune.ssl.capture-buffer-size",
        runs=Runs.YES,
        ok=("tune.ssl.capture-cipherlist-size 5",),
    ),
    _tune("ssl.certificate-compression", Arg(Kind.CHOICE, "value", ("auto", "off")), since=(2, 8), loss=_NO_TLS),
    _number("ssl.default-dh-param", minimum=1024, unsigned=True, runs=Runs.YES),
    _tune(
        "ssl.force-private-cache",
        loss=_NO_TLS,
        ok=("tune.ssl.force-private-cache",),
        bad=("tune.ssl.force-private-cache x",),
    ),
    _number("ssl.hard-maxrecord", minimum=0, since=(2, 6), runs=Runs.YES, ok=("tune.ssl.hard-maxrecord 5",)),
    _switch("ssl.keylog", since=(2, 2), runs=Runs.YES),
    _tune(
        "ssl.lifetime",
        Arg(Kind.SECONDS, "lifetime"),
        runs=Runs.YES,
        ok=("tune.ssl.lifetime 5m",),
        bad=("tune.ssl.lifetime", "tune.ssl.lifetime x", "tune.ssl.lifetime 5 6"),
    ),
    _number("ssl.maxrecord", minimum=0, runs=Runs.YES, ok=("tune.ssl.maxrecord 1400",)),
    _number("ssl.ssl-ctx-cache-size", minimum=0, since=(1, 6), runs=Runs.YES, ok=("tune.ssl.ssl-ctx-cache-size 5",)),
    *(
        _number(
            f"ssl.ocsp-update.{which}", since=(2, 8), deprecated=(2, 9), instead=f"ocsp-update.{which}", loss=_NO_TLS
        )
        for which in ("maxdelay", "mindelay")
    ),
)

#: Old names, from 2.6 to 3.3, and new ones of the QUIC settings.
_QUIC_RENAMED: Final[dict[str, tuple[str, Version]]] = {
    "cc-hystart": ("quic.fe.cc.hystart", (2, 9)),
    "cc.cubic.min-losses": ("quic.fe.cc.cubic-min-losses", (3, 1)),
    "disable-tx-pacing": ("quic.fe.tx.pacing", (3, 1)),
    "disable-udp-gso": ("quic.fe.tx.udp-gso", (3, 1)),
    "frontend.default-max-window-size": ("quic.fe.cc.max-win-size", (3, 1)),
    "frontend.glitches-threshold": ("quic.fe.sec.glitches-threshold", (3, 0)),
    "frontend.max-data-size": ("quic.fe.stream.rxbuf", (3, 2)),
    "frontend.max-idle-timeout": ("quic.fe.max-idle-timeout", (2, 6)),
    "frontend.max-streams-bidi": ("quic.fe.stream.max-concurrent", (2, 6)),
    "frontend.max-tx-mem": ("quic.mem.tx-max", (3, 2)),
    "frontend.stream-data-ratio": ("quic.fe.stream.data-ratio", (3, 2)),
    "max-frame-loss": ("quic.fe.cc.max-frame-loss", (2, 7)),
    "reorder-ratio": ("quic.fe.cc.reorder-ratio", (3, 0)),
    "retry-threshold": ("quic.fe.sec.retry-threshold", (2, 6)),
    "socket-owner": ("quic.fe.sock-per-conn", (2, 7)),
}
_QUIC_TODAY: Final = (
    *(
        f"{side}.{name}"
        for side in ("be", "fe")
        for name in (
            "cc.cubic-min-losses",
            "cc.hystart",
            "cc.max-frame-loss",
            "cc.max-win-size",
            "cc.reorder-ratio",
            "max-idle-timeout",
            "sec.glitches-threshold",
            "stream.data-ratio",
            "stream.max-concurrent",
            "stream.rxbuf",
            "tx.pacing",
            "tx.udp-gso",
        )
    ),
    "fe.sec.retry-threshold",
    "fe.sock-per-conn",
    "fe.stream.max-total",
    "listen",
    "mem.tx-max",
)

_QUIC_VALUE: Final = Arg(Kind.STRING, "value", optional=True)
_QUIC: Final = (
    *(
        _tune(
            f"quic.{old}",
            _QUIC_VALUE,
            since=since,
            needs="USE_QUIC",
            deprecated=(3, 3),
            instead=f"tune.{new}",
            loss=_NO_QUIC,
        )
        for old, (new, since) in _QUIC_RENAMED.items()
    ),
    *(_tune(f"quic.{name}", _QUIC_VALUE, since=(3, 3), needs="USE_QUIC", loss=_NO_QUIC) for name in _QUIC_TODAY),
    _tune(
        "quic.frontend.conn-tx-buffers.limit",
        _QUIC_VALUE,
        since=(2, 6),
        deprecated=(3, 2),
        removed=(3, 3),
        needs="USE_QUIC",
        instead="tune.quic.mem.tx-max",
        loss=_NO_QUIC,
    ),
    _tune("quic.zero-copy-fwd-send", _ON_OFF, since=(2, 9), needs="USE_QUIC", loss=_NO_QUIC),
)

ENTRIES: Final = (*_BUFFERING, *_LOOP, *_H2, *_VARIABLES_LUA, *_TLS, *_QUIC)

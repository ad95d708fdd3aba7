"""The statements of the global section (configuration manual, section 3): processes, security, logs and limits.

`tune.*` stands in `globals_tune`, TLS, Lua, device detection and the like in `globals_later`; `TABLE` has them all.

Most numbers here are read as C's `atol` reads them: digits as far as they go, and 0 where there are none.
"""

from __future__ import annotations

from typing import Any, Final

from hapy_config.keywords.globals_later import ENTRIES as LATER
from hapy_config.keywords.globals_tune import ENTRIES as TUNE
from hapy_config.keywords.spec import Arg, Context, Keyword, Kind, Runs, Table

_TIME: Final = Arg(Kind.TIME, "time")
_NUMBER: Final = Arg(Kind.INTEGER, "number", lax=True)
_TEXT: Final = Arg(Kind.STRING, "text")
_ON_OFF: Final = Arg(Kind.CHOICE, "value", ("on", "off"))
_REST: Final = Arg(Kind.REST, "arguments")
_REST_MAYBE: Final = Arg(Kind.REST, "arguments", optional=True)

_POLLER: Final = "the event loop picks the poller itself"
_CPUS: Final = "one thread runs; the kernel places it"


def _global(name: str, *args: Arg, manual: str = "3.1", **more: Any) -> Keyword:
    return Keyword(name=name, where=Context.GLOBAL, args=args, manual=manual, **more)


def _number(name: str, *, manual: str = "3.1", **more: Any) -> Keyword:
    """A lax number: `NAME 5`."""
    return _global(name, _NUMBER, manual=manual, ok=(f"{name} 5",), bad=(name, f"{name} 5 6"), **more)


def _flag(name: str, *, manual: str = "3.1", **more: Any) -> Keyword:
    """A keyword that stands alone."""
    known = more.get("since", (1, 5)) <= (2, 6)
    more.setdefault("ok", (name,) if known else ())
    more.setdefault("bad", (f"{name} x",) if known and not more.get("surplus") else ())
    return _global(name, manual=manual, **more)


_PROCESS: Final = (
    _global("chroot", Arg(Kind.DIRECTORY, "directory"), ok=("chroot /var/empty",), bad=("chroot", "chroot /a /b")),
    _global(
        "close-spread-time",
        _TIME,
        surplus=True,
        since=(2, 6),
        ok=("close-spread-time 5s", "close-spread-time infinite"),
        bad=("close-spread-time", "close-spread-time x"),
    ),
    _global(
        "cluster-secret",
        _TEXT,
        since=(2, 6),
        runs=Runs.HARMLESS,
        loss="only QUIC tokens are made from it, and QUIC is not spoken",
        ok=("cluster-secret x",),
        bad=("cluster-secret", "cluster-secret a b"),
    ),
    _global(
        "cpu-map",
        Arg(Kind.STRING, "threads"),
        Arg(Kind.STRING, "cpus", repeat=True),
        repeatable=True,
        runs=Runs.HARMLESS,
        loss=_CPUS,
        ok=("cpu-map 1 0", "cpu-map auto:1/1-2 0-1"),
        bad=("cpu-map", "cpu-map 1", "cpu-map x 0"),
    ),
    _global("cpu-affinity", _REST, since=(3, 4), runs=Runs.HARMLESS, loss=_CPUS),
    _global("cpu-policy", _REST, since=(3, 2), runs=Runs.HARMLESS, loss=_CPUS),
    _global("cpu-set", _REST, since=(3, 2), repeatable=True, runs=Runs.HARMLESS, loss=_CPUS),
    _flag("daemon"),
    _flag(
        "debug",
        deprecated=(2, 2),
        removed=(2, 3),
        instead="hapy -d",
        manual="3.3 of the 2.2 manual",
        ok=(),
        bad=("debug",),
    ),
    _global(
        "default-path",
        Arg(Kind.CHOICE, "mode", ("current", "config", "parent", "origin")),
        Arg(Kind.DIRECTORY, "path", optional=True),
        surplus=True,
        since=(2, 4),
        ok=("default-path current", "default-path config", "default-path current x"),
        bad=("default-path", "default-path x", "default-path origin"),
    ),
    _global(
        "description",
        Arg(Kind.STRING, "text", repeat=True),
        ok=("description x", "description x y"),
        bad=("description",),
    ),
    _flag("expose-deprecated-directives", since=(3, 0)),
    _flag("expose-experimental-directives", surplus=True, since=(2, 4)),
    _flag("external-check", since=(1, 6)),
    _number("fd-hard-limit", since=(2, 6)),
    _global(
        "gid",
        Arg(Kind.INTEGER, "id", lax=True),
        ok=("gid 5",),
        bad=("gid", "gid 5 6"),
    ),
    _global(
        "grace",
        _TIME,
        surplus=True,
        since=(2, 5),
        ok=("grace 5s",),
        bad=("grace", "grace x"),
    ),
    _global("group", _TEXT, ok=("group root",), bad=("group", "group root x", "group no-such-group")),
    _global(
        "hard-stop-after",
        _TIME,
        surplus=True,
        since=(1, 8),
        ok=("hard-stop-after 5s",),
        bad=("hard-stop-after", "hard-stop-after x"),
    ),
    _global(
        "harden.reject-privileged-ports.tcp",
        _ON_OFF,
        since=(2, 8),
        runs=Runs.NO,
        loss="clients with a source port under 1024 are accepted",
    ),
    _global(
        "harden.reject-privileged-ports.quic",
        _ON_OFF,
        since=(2, 8),
        runs=Runs.HARMLESS,
        loss="QUIC is not spoken",
    ),
    _flag("insecure-fork-wanted", negatable=True, since=(2, 1)),
    _flag("insecure-setuid-wanted", since=(2, 1), runs=Runs.HARMLESS, loss="no program is started anyway"),
    _global(
        "localpeer",
        _TEXT,
        since=(2, 2),
        runs=Runs.HARMLESS,
        loss="peers are not spoken to",
        ok=("localpeer x",),
        bad=("localpeer", "localpeer a b"),
    ),
    _global(
        "master-worker",
        Arg(Kind.CHOICE, "option", ("no-exit-on-failure",), optional=True),
        since=(1, 8),
        deprecated=(3, 4),
        instead="the -W flag",
        ok=("master-worker", "master-worker no-exit-on-failure"),
        bad=("master-worker x", "master-worker no-exit-on-failure x"),
    ),
    _global(
        "mworker-max-reloads",
        Arg(Kind.INTEGER, "number", optional=True, lax=True),
        since=(2, 0),
        ok=("mworker-max-reloads 5",),
        bad=("mworker-max-reloads 5 6",),
    ),
    _global(
        "nbproc",
        _REST_MAYBE,
        deprecated=(2, 3),
        removed=(2, 5),
        instead="nbthread, or nothing",
        manual="3.1 of the 2.4 manual",
        bad=("nbproc 1",),
    ),
    _global(
        "nbthread",
        Arg(Kind.INTEGER, "number", minimum=1, maximum=64),
        since=(1, 8),
        runs=Runs.HARMLESS,
        loss="one thread runs",
        ok=("nbthread 1", "nbthread 64"),
        bad=("nbthread", "nbthread 0", "nbthread 65", "nbthread x", "nbthread 1 2"),
    ),
    _global("max-threads-per-group", _NUMBER, since=(3, 4), runs=Runs.HARMLESS, loss="one thread runs"),
    _flag("numa-cpu-mapping", negatable=True, surplus=True, since=(2, 4), runs=Runs.HARMLESS, loss=_CPUS),
    _global("pidfile", Arg(Kind.FILE, "file"), ok=("pidfile /tmp/x.pid",), bad=("pidfile", "pidfile a b")),
    _flag("prealloc-fd", since=(2, 7), runs=Runs.HARMLESS, loss="file descriptors are made when they are needed"),
    _flag(
        "set-dumpable",
        negatable=True,
        since=(2, 0),
        runs=Runs.HARMLESS,
        loss="core dumps follow the system's settings",
        ok=("set-dumpable", "no set-dumpable"),
        bad=("set-dumpable on",),
    ),
    _global(
        "setcap",
        Arg(Kind.STRING, "capabilities"),
        since=(2, 8),
        runs=Runs.NO,
        loss="capabilities are not kept when the user changes",
    ),
    _global(
        "shm-stats-file",
        Arg(Kind.FILE, "name"),
        since=(3, 3),
        experimental=True,
        runs=Runs.HARMLESS,
        loss="counters start at 0 after a reload",
    ),
    _global(
        "shm-stats-file-max-objects",
        _NUMBER,
        since=(3, 3),
        experimental=True,
        runs=Runs.HARMLESS,
        loss="counters start at 0 after a reload",
    ),
    _global(
        "stats-file",
        Arg(Kind.FILE, "path"),
        since=(3, 0),
        runs=Runs.HARMLESS,
        loss="counters start at 0 after a reload",
    ),
    _flag("strict-limits", negatable=True, since=(2, 1)),
    _global("stress-level", _NUMBER, since=(3, 2), runs=Runs.HARMLESS, loss="it is for HAProxy's developers"),
    _global(
        "thread-group",
        Arg(Kind.INTEGER, "group", minimum=1, maximum=1),
        _REST_MAYBE,
        repeatable=True,
        since=(2, 5),
        runs=Runs.HARMLESS,
        loss="one thread runs",
        ok=("thread-group 1 1-2",),
        bad=("thread-group", "thread-group x", "thread-group 70"),
    ),
    _global(
        "thread-groups",
        Arg(Kind.INTEGER, "number", minimum=1, maximum=1),
        since=(2, 5),
        runs=Runs.HARMLESS,
        loss="one thread runs",
        ok=("thread-groups 1",),
        bad=("thread-groups", "thread-groups x", "thread-groups 0", "thread-groups 2", "thread-groups 1 2"),
    ),
    _global("thread-hard-limit", _NUMBER, since=(2, 9), runs=Runs.HARMLESS, loss="one thread runs"),
    _global("uid", Arg(Kind.INTEGER, "id", lax=True), ok=("uid 5",), bad=("uid", "uid 5 6")),
    _number("ulimit-n"),
    _global(
        "unix-bind", _REST_MAYBE, ok=("unix-bind", "unix-bind prefix /tmp/ mode 600 uid 0 gid 0"), bad=("unix-bind x",)
    ),
    _global("user", _TEXT, ok=("user root",), bad=("user", "user root x", "user no-such-user")),
    _global("node", _TEXT, ok=("node a-b.c_d",), bad=("node", "node a b", "node a!")),
    _global(
        "presetenv",
        Arg(Kind.STRING, "name"),
        Arg(Kind.STRING, "value"),
        surplus=True,
        repeatable=True,
        since=(1, 6),
        ok=("presetenv A b", "presetenv A b c"),
        bad=("presetenv A",),
    ),
    _global(
        "setenv",
        Arg(Kind.STRING, "name"),
        Arg(Kind.STRING, "value"),
        surplus=True,
        repeatable=True,
        since=(1, 6),
        ok=("setenv A b", "setenv A b c"),
        bad=("setenv A",),
    ),
    _global(
        "resetenv",
        Arg(Kind.STRING, "names", optional=True, repeat=True),
        repeatable=True,
        since=(1, 6),
        ok=("resetenv PATH",),
    ),
    _global(
        "unsetenv",
        Arg(Kind.STRING, "names", repeat=True),
        repeatable=True,
        since=(1, 6),
        ok=("unsetenv A B",),
        bad=("unsetenv",),
    ),
)

_STATEMENTS: Final = (
    _global(
        "log",
        _REST,
        repeatable=True,
        ok=(
            "log 127.0.0.1 local0",
            "log /dev/log len 200 format rfc5424 local0 info notice",
            "log stdout format raw daemon",
        ),
        bad=(
            "log",
            "log 127.0.0.1",
            "log 127.0.0.1 nothing",
            "log 127.0.0.1 local0 nothing",
            "log 127.0.0.1 format x local0",
        ),
    ),
    _global(
        "log-send-hostname",
        Arg(Kind.STRING, "name", optional=True),
        surplus=True,
        ok=("log-send-hostname", "log-send-hostname x"),
    ),
    _global("log-tag", _TEXT, ok=("log-tag x",), bad=("log-tag", "log-tag a b")),
    _global(
        "h1-case-adjust",
        Arg(Kind.STRING, "from"),
        Arg(Kind.STRING, "to"),
        repeatable=True,
        since=(2, 2),
        ok=("h1-case-adjust content-length Content-Length",),
        bad=("h1-case-adjust", "h1-case-adjust a", "h1-case-adjust a b", "h1-case-adjust a A x"),
    ),
    _global(
        "h1-case-adjust-file",
        Arg(Kind.FILE, "file"),
        since=(2, 2),
        ok=("h1-case-adjust-file /dev/null",),
        bad=("h1-case-adjust-file", "h1-case-adjust-file a b"),
    ),
    _flag("h1-accept-payload-with-any-method", since=(2, 6)),
    _flag("h1-do-not-close-on-insecure-transfer-encoding", since=(3, 0)),
    _flag("h2-workaround-bogus-websocket-clients", since=(2, 6), runs=Runs.HARMLESS, loss="HTTP/2 is not spoken"),
    _global(
        "http-err-codes",
        Arg(Kind.STRING, "ranges", repeat=True),
        since=(3, 0),
        runs=Runs.HARMLESS,
        loss="counters count errors as 2.6 does",
    ),
    _global(
        "http-fail-codes",
        Arg(Kind.STRING, "ranges", repeat=True),
        since=(3, 0),
        runs=Runs.HARMLESS,
        loss="counters count errors as 2.6 does",
    ),
    _flag("limited-quic", since=(2, 8), runs=Runs.HARMLESS, loss="QUIC is not spoken"),
    _flag("pp2-never-send-local", since=(2, 2)),
    _global(
        "server-state-base",
        Arg(Kind.DIRECTORY, "directory"),
        surplus=True,
        since=(1, 6),
        ok=("server-state-base /tmp",),
        bad=("server-state-base",),
    ),
    _global(
        "server-state-file",
        Arg(Kind.FILE, "file"),
        surplus=True,
        since=(1, 6),
        ok=("server-state-file x",),
        bad=("server-state-file",),
    ),
    _global(
        "set-var",
        Arg(Kind.STRING, "variable"),
        Arg(Kind.EXPRESSION, "expression"),
        repeatable=True,
        since=(2, 4),
        ok=("set-var proc.a int(1)",),
        bad=("set-var", "set-var proc.a", "set-var req.a int(1)", "set-var proc.a nothing"),
    ),
    _global(
        "set-var-fmt",
        Arg(Kind.STRING, "variable"),
        _REST,
        repeatable=True,
        since=(2, 5),
        ok=("set-var-fmt proc.a x",),
        bad=("set-var-fmt", "set-var-fmt proc.a", "set-var-fmt req.a x"),
    ),
    _global(
        "stats socket",
        Arg(Kind.ADDRESS, "address"),
        _REST_MAYBE,
        repeatable=True,
        ok=("stats socket /tmp/x mode 600 level admin",),
        bad=("stats", "stats x", "stats socket", "stats socket /tmp/x nothing"),
    ),
    _global(
        "stats timeout",
        _TIME,
        surplus=True,
        ok=("stats timeout 5s",),
        bad=("stats timeout", "stats timeout x"),
    ),
    _global(
        "stats maxconn",
        Arg(Kind.INTEGER, "number", minimum=1, lax=True),
        surplus=True,
        ok=("stats maxconn 5",),
        bad=("stats maxconn", "stats maxconn x", "stats maxconn -1"),
    ),
    _global(
        "stats bind-process",
        _REST_MAYBE,
        deprecated=(2, 5),
        removed=(2, 7),
        instead="the thread option of stats socket",
        manual="3.1 of the 2.6 manual",
        runs=Runs.HARMLESS,
        loss="one thread runs",
        ok=("stats bind-process 1", "stats bind-process"),
    ),
    _global(
        "stats calculate-max-counters",
        _ON_OFF,
        since=(3, 3),
        runs=Runs.HARMLESS,
        loss="greatest values are always kept",
    ),
    _flag("busy-polling", negatable=True, since=(1, 9), runs=Runs.HARMLESS, loss=_POLLER, manual="3.2"),
    _global(
        "max-spread-checks",
        Arg(Kind.TIME, "delay"),
        manual="3.2",
        ok=("max-spread-checks 5s",),
        bad=("max-spread-checks", "max-spread-checks x", "max-spread-checks 5 6"),
    ),
    _global(
        "maxcompcpuusage",
        Arg(Kind.INTEGER, "percent", minimum=0, maximum=100, lax=True),
        manual="3.2",
        runs=Runs.HARMLESS,
        loss="nothing is compressed",
        ok=("maxcompcpuusage 5",),
        bad=("maxcompcpuusage", "maxcompcpuusage 101", "maxcompcpuusage 5 6"),
    ),
    _number("maxcomprate", manual="3.2", runs=Runs.HARMLESS, loss="nothing is compressed"),
    _number("maxconn", manual="3.2"),
    _number("maxconnrate", manual="3.2"),
    _number("maxpipes", manual="3.2", runs=Runs.HARMLESS, loss="bodies are copied without pipes"),
    _number("maxsessrate", manual="3.2"),
    _global(
        "maxsslconn",
        Arg(Kind.INTEGER, "number", minimum=0, lax=True),
        manual="3.2",
        ok=("maxsslconn 5",),
        bad=("maxsslconn", "maxsslconn -1", "maxsslconn 5 6"),
    ),
    _number("maxsslrate", manual="3.2"),
    _number("maxzlibmem", manual="3.2", runs=Runs.HARMLESS, loss="nothing is compressed"),
    _flag("no-memory-trimming", since=(2, 6), manual="3.2", runs=Runs.HARMLESS, loss="the allocator decides"),
    _flag(
        "no-quic",
        since=(2, 8),
        deprecated=(3, 4),
        instead="tune.quic.listen off",
        manual="3.1",
        runs=Runs.HARMLESS,
        loss="QUIC is not spoken in any case",
    ),
    _flag("noepoll", manual="3.2", runs=Runs.HARMLESS, loss=_POLLER),
    _flag("noevports", manual="3.2", runs=Runs.HARMLESS, loss=_POLLER, since=(1, 9)),
    _flag("nogetaddrinfo", manual="3.2", runs=Runs.HARMLESS, loss="names are looked up by the system's resolver"),
    _flag("nokqueue", manual="3.2", runs=Runs.HARMLESS, loss=_POLLER),
    _flag("noktls", manual="3.2", since=(3, 3), runs=Runs.HARMLESS, loss="TLS is not handed to the kernel"),
    _flag("nopoll", manual="3.2", runs=Runs.HARMLESS, loss=_POLLER),
    _flag("noreuseport", manual="3.2", since=(1, 8)),
    _flag("nosplice", manual="3.2", runs=Runs.HARMLESS, loss="bodies are never spliced"),
    _global(
        "profiling.memory",
        _ON_OFF,
        since=(2, 4),
        needs="USE_MEMORY_PROFILING",
        manual="3.2",
        runs=Runs.HARMLESS,
        loss="it is for HAProxy's developers",
    ),
    _global(
        "profiling.tasks",
        Arg(Kind.CHOICE, "value", ("auto", "on", "off")),
        since=(1, 9),
        manual="3.2",
        runs=Runs.HARMLESS,
        loss="it is for HAProxy's developers",
        ok=("profiling.tasks on",),
        bad=("profiling.tasks", "profiling.tasks x", "profiling.tasks on x"),
    ),
    _global(
        "spread-checks",
        Arg(Kind.INTEGER, "percent", minimum=0, maximum=50, lax=True),
        manual="3.2",
        ok=("spread-checks 5",),
        bad=("spread-checks", "spread-checks 51", "spread-checks 5 6"),
    ),
    _global("anonkey", _NUMBER, since=(2, 7), manual="3.3", runs=Runs.HARMLESS, loss="nothing is anonymised"),
    _global(
        "debug.counters", _ON_OFF, since=(3, 1), manual="3.3", runs=Runs.HARMLESS, loss="it is for HAProxy's developers"
    ),
    _global(
        "force-cfg-parser-pause",
        _TIME,
        since=(3, 1),
        manual="3.3",
        experimental=True,
        runs=Runs.HARMLESS,
        loss="reading does not pause",
    ),
    _flag("quick-exit", since=(2, 8), manual="3.3", runs=Runs.HARMLESS, loss="it is for HAProxy's developers"),
    _flag("quiet", manual="3.3"),
    _global(
        "warn-blocked-traffic-after",
        _TIME,
        since=(3, 0),
        manual="3.3",
        runs=Runs.HARMLESS,
        loss="nothing warns of slow steps",
    ),
    _flag("zero-warning", since=(2, 2), manual="3.3"),
)

TABLE: Final = Table("globals", (*_PROCESS, *_STATEMENTS, *TUNE, *LATER))

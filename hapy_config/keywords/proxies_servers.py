"""Proxy statements about addresses, servers, the choice among them and the reuse of their connections (manual, 4.2)."""

from __future__ import annotations

from typing import Any, Final

from hapy_config.keywords.spec import Arg, Context, Keyword, Kind, Runs

_C = Context
_BACK: Final = _C.DEFAULTS | _C.BACK

_COUNT: Final = Arg(Kind.INTEGER, "count", lax=True)
_REST_MAYBE: Final = Arg(Kind.REST, "arguments", optional=True)


def _back(name: str, *args: Arg, **more: Any) -> Keyword:
    """A statement of backends; a frontend ignores it with a warning."""
    more.setdefault("manual", "4.2")
    return Keyword(name=name, where=_BACK, ignored=_C.FRONTEND, args=args, **more)


def _all(name: str, *args: Arg, **more: Any) -> Keyword:
    """A statement of every proxy section."""
    more.setdefault("manual", "4.2")
    return Keyword(name=name, where=_C.PROXY, args=args, **more)


ENTRIES: Final = (
    Keyword(
        name="bind",
        where=_C.FRONT,
        ignored=_C.BACKEND,
        args=(Arg(Kind.ADDRESS, "address"), _REST_MAYBE),
        repeatable=True,
        manual="5.1",
        ok=("bind :5", "bind 127.0.0.1:5,127.0.0.1:6 name x"),
        bad=("bind", "bind :5 nothing"),
    ),
    Keyword(
        name="server",
        where=_C.BACK,
        args=(Arg(Kind.NAME, "name"), Arg(Kind.ADDRESS, "address"), _REST_MAYBE),
        repeatable=True,
        manual="5.2",
        ok=("server a 127.0.0.1:5", "server b 127.0.0.1 weight 5"),
        bad=("server", "server a", "server a/b 127.0.0.1", "server c 127.0.0.1 nothing"),
    ),
    Keyword(
        name="server-template",
        where=_C.BACK,
        args=(Arg(Kind.STRING, "prefix"), Arg(Kind.STRING, "range"), Arg(Kind.ADDRESS, "address"), _REST_MAYBE),
        repeatable=True,
        since=(1, 8),
        manual="4.2",
        ok=("server-template t 3 127.0.0.1:5", "server-template u 0-5 127.0.0.1:5"),
        bad=(
            "server-template",
            "server-template t 3",
            "server-template t x 127.0.0.1:5",
            "server-template t 0 127.0.0.1:5",
        ),
    ),
    Keyword(
        name="default-server",
        where=_BACK,
        args=(_REST_MAYBE,),
        repeatable=True,
        manual="5.2",
        ok=("default-server", "default-server weight 5"),
        bad=("default-server nothing",),
    ),
    Keyword(
        name="dispatch",
        where=_C.BACK,
        ignored=_C.FRONTEND,
        args=(Arg(Kind.ADDRESS, "address"),),
        deprecated=(3, 3),
        instead="server NAME ADDRESS",
        manual="4.2",
        ok=("dispatch 127.0.0.1:5",),
        bad=("dispatch", "dispatch 127.0.0.1", "dispatch 127.0.0.1:5 x"),
    ),
    _all(
        "transparent",
        deprecated=(1, 5),
        instead="a server at address 0.0.0.0",
        bad=("transparent x",),
    ),
    _back(
        "balance",
        Arg(Kind.REST, "algorithm", optional=True),
        ok=(
            "balance",
            "balance roundrobin",
            "balance uri len 5 depth 2",
            "balance hdr(host) use_domain_only",
            "balance random(3)",
        ),
        bad=("balance x", "balance uri x", "balance url_param", "balance hdr()", "balance random(x)", "balance hash"),
    ),
    _back(
        "hash-type",
        Arg(Kind.CHOICE, "method", ("map-based", "consistent")),
        Arg(Kind.CHOICE, "function", ("sdbm", "djb2", "wt6", "crc32"), optional=True),
        Arg(Kind.CHOICE, "modifier", ("avalanche",), optional=True),
        surplus=True,
        ok=("hash-type consistent", "hash-type map-based sdbm avalanche", "hash-type consistent wt6 avalanche x"),
        bad=("hash-type", "hash-type x", "hash-type consistent x", "hash-type consistent sdbm x"),
    ),
    _all(
        "hash-balance-factor",
        Arg(Kind.INTEGER, "factor", minimum=0, lax=True),
        surplus=True,
        since=(1, 7),
        ok=("hash-balance-factor 0", "hash-balance-factor 150"),
        bad=("hash-balance-factor", "hash-balance-factor 99", "hash-balance-factor 100"),
    ),
    _back(
        "hash-preserve-affinity",
        Arg(Kind.CHOICE, "when", ("always", "maxconn", "maxqueue")),
        since=(3, 2),
        runs=Runs.NO,
        loss="a full server keeps its clients waiting",
    ),
    _back(
        "hash-key",
        Arg(Kind.CHOICE, "key", ("id", "addr", "addr-port")),
        since=(3, 0),
        removed=(3, 1),
        instead="the hash-key option of server",
    ),
    _back(
        "http-reuse",
        Arg(Kind.CHOICE, "policy", ("never", "safe", "aggressive", "always")),
        since=(1, 6),
        ok=("http-reuse never", "http-reuse safe", "http-reuse aggressive", "http-reuse always"),
        bad=("http-reuse", "http-reuse x", "http-reuse safe x"),
    ),
    _back(
        "http-send-name-header",
        Arg(Kind.STRING, "header"),
        surplus=True,
        ok=("http-send-name-header X-Server",),
        bad=("http-send-name-header",),
    ),
    _back("fullconn", _COUNT, ok=("fullconn 5",), bad=("fullconn", "fullconn 5 6")),
    _back("retries", _COUNT, ok=("retries 5", "retries -1"), bad=("retries", "retries 5 6")),
    Keyword(
        name="retry-on",
        where=_BACK,
        args=(
            Arg(
                Kind.CHOICE,
                "events",
                (
                    "none",
                    "conn-failure",
                    "empty-response",
                    "junk-response",
                    "response-timeout",
                    "0rtt-rejected",
                    "all-retryable-errors",
                    "401",
                    "403",
                    "404",
                    "408",
                    "425",
                    "429",
                    "500",
                    "501",
                    "502",
                    "503",
                    "504",
                ),
                repeat=True,
            ),
        ),
        since=(2, 0),
        manual="4.2",
        ok=("retry-on none", "retry-on conn-failure 503 404", "retry-on all-retryable-errors"),
        bad=("retry-on", "retry-on x", "retry-on 418", "retry-on none 503"),
    ),
    _back(
        "max-keep-alive-queue",
        Arg(Kind.INTEGER, "count"),
        surplus=True,
        ok=("max-keep-alive-queue 5", "max-keep-alive-queue 0"),
        bad=("max-keep-alive-queue", "max-keep-alive-queue x", "max-keep-alive-queue 5k"),
    ),
    _back(
        "source",
        Arg(Kind.ADDRESS, "address"),
        _REST_MAYBE,
        ok=("source 127.0.0.1", "source 127.0.0.1 interface lo", "source 0.0.0.0 usesrc clientip"),
        bad=("source", "source 127.0.0.1 x", "source 127.0.0.1 usesrc"),
    ),
    _back(
        "cookie",
        Arg(Kind.STRING, "name"),
        _REST_MAYBE,
        ok=("cookie SRV insert indirect nocache", "cookie SRV prefix"),
        bad=("cookie", "cookie SRV x", "cookie SRV rewrite insert", "cookie SRV insert maxidle"),
    ),
    _back(
        "dynamic-cookie-key",
        Arg(Kind.STRING, "key"),
        surplus=True,
        since=(1, 7),
        ok=("dynamic-cookie-key secret",),
        bad=("dynamic-cookie-key",),
    ),
    _back(
        "load-server-state-from-file",
        Arg(Kind.CHOICE, "which", ("global", "local", "none")),
        surplus=True,
        since=(1, 6),
        ok=("load-server-state-from-file none", "load-server-state-from-file global"),
        bad=("load-server-state-from-file", "load-server-state-from-file x"),
    ),
    _back(
        "server-state-file-name",
        Arg(Kind.STRING, "file", optional=True),
        since=(1, 6),
        ok=("server-state-file-name", "server-state-file-name use-backend-name"),
        bad=("server-state-file-name a b",),
    ),
    Keyword(
        name="use-fcgi-app",
        where=_C.BACK,
        args=(Arg(Kind.STRING, "name"),),
        surplus=True,
        since=(2, 1),
        manual="10.1.2",
        runs=Runs.NO,
        loss="FastCGI servers are not spoken to",
        bad=("use-fcgi-app",),
    ),
)

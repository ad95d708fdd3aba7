"""The statements of defaults, frontend, listen and backend (configuration manual, section 4.2).

`option …` stands in `options`; the statements about health checks, stick tables and statistics in `proxies_later`;
those about addresses, servers and the choice among them in `proxies_servers`; those that HAProxy dropped in
`proxies_removed`. `TABLE` has them all but the options.
"""

from __future__ import annotations

from typing import Any, Final

from hapy_config.keywords.proxies_later import ENTRIES as LATER
from hapy_config.keywords.proxies_removed import ENTRIES as REMOVED
from hapy_config.keywords.proxies_servers import ENTRIES as SERVERS
from hapy_config.keywords.spec import NO_CONTEXT, Arg, Context, Keyword, Kind, Runs, Table

_C = Context
_ALL: Final = _C.PROXY
_FRONT: Final = _C.DEFAULTS | _C.FRONT
_BACK: Final = _C.DEFAULTS | _C.BACK

_COUNT: Final = Arg(Kind.INTEGER, "count", lax=True)
_TIMEOUT: Final = Arg(Kind.TIME, "timeout")
_TEXT: Final = Arg(Kind.STRING, "text")
_FORMAT: Final = Arg(Kind.FORMAT, "format")
_CODE: Final = Arg(Kind.INTEGER, "code", lax=True)
_CONDITION: Final = Arg(Kind.CONDITION, "condition")
_MAYBE: Final = Arg(Kind.CONDITION, "condition", optional=True)
_LEN: Final = Arg(Kind.CHOICE, "len", ("len",))
_LENGTH: Final = Arg(Kind.INTEGER, "length", lax=True)
_REST: Final = Arg(Kind.REST, "arguments")
_REST_MAYBE: Final = Arg(Kind.REST, "arguments", optional=True)


def _front(name: str, *args: Arg, **more: Any) -> Keyword:
    """A statement of frontends; a backend ignores it with a warning."""
    more.setdefault("manual", "4.2")
    return Keyword(name=name, where=_FRONT, ignored=_C.BACKEND, args=args, **more)


def _back(name: str, *args: Arg, **more: Any) -> Keyword:
    """A statement of backends; a frontend ignores it with a warning."""
    more.setdefault("manual", "4.2")
    return Keyword(name=name, where=_BACK, ignored=_C.FRONTEND, args=args, **more)


def _all(name: str, *args: Arg, **more: Any) -> Keyword:
    """A statement of every proxy section."""
    more.setdefault("manual", "4.2")
    return Keyword(name=name, where=_ALL, args=args, **more)


def _timeout(name: str, where: Context, ignored: Context = NO_CONTEXT, **more: Any) -> Keyword:
    """`timeout NAME <time>`."""
    return Keyword(
        name=f"timeout {name}",
        where=where,
        ignored=ignored,
        args=(_TIMEOUT,),
        manual="4.2",
        ok=() if more.get("since", (2, 6)) > (2, 6) else (f"timeout {name} 5s", f"timeout {name} 0"),
        bad=(f"timeout {name}", f"timeout {name} 5x", f"timeout {name} -1", f"timeout {name} 5s 6s"),
        **more,
    )


_NAMES: Final = (
    _front(
        "default_backend",
        Arg(Kind.NAME, "backend"),
        ok=("default_backend later",),
        bad=("default_backend", "default_backend a b"),
    ),
    Keyword(
        name="use_backend",
        where=_C.FRONT,
        ignored=_C.BACKEND,
        args=(Arg(Kind.STRING, "backend"), _MAYBE),
        repeatable=True,
        manual="4.2",
        ok=("use_backend later if TRUE", "use_backend %[path]"),
        bad=("use_backend", "use_backend later TRUE"),
    ),
    Keyword(
        name="use-server",
        where=_C.BACK,
        ignored=_C.FRONTEND,
        args=(Arg(Kind.STRING, "server"), _CONDITION),
        repeatable=True,
        manual="4.2",
        ok=("use-server %[path] if TRUE",),
        bad=("use-server", "use-server s1", "use-server s1 TRUE"),
    ),
    Keyword(
        name="acl",
        where=_ALL,
        named_defaults=True,
        args=(Arg(Kind.NAME, "name"), _REST),
        repeatable=True,
        manual="7",
        ok=("acl a path /x", "acl a path"),
        bad=("acl a", "acl a nothing x", "acl a/b path /x", "acl or path /x"),
    ),
    Keyword(
        name="redirect",
        where=_C.ANY_PROXY,
        args=(_REST,),
        repeatable=True,
        manual="4.2",
        ok=(
            "redirect location /x",
            "redirect scheme https code 301 if TRUE",
            "redirect prefix /x drop-query append-slash",
        ),
        bad=("redirect", "redirect x", "redirect location", "redirect location /x code 999", "redirect location /x y"),
    ),
    *(
        Keyword(
            name=f"{family}",
            where=_ALL,
            named_defaults=True,
            args=(Arg(Kind.REST, "action"),),
            repeatable=True,
            since=since,
            manual="4.2",
            ok=(f"{family} set-header a b", f"{family} set-header a b if TRUE"),
            bad=(family, f"{family} nothing"),
        )
        for family, since in (("http-request", (1, 5)), ("http-response", (1, 5)), ("http-after-response", (2, 2)))
    ),
)

_LIMITS: Final = (
    _front("maxconn", _COUNT, ok=("maxconn 5",), bad=("maxconn", "maxconn 5 6")),
    _front("backlog", _COUNT, ok=("backlog 5",), bad=("backlog", "backlog 5 6")),
    _front(
        "max-session-srv-conns",
        _COUNT,
        surplus=True,
        since=(2, 0),
        ok=("max-session-srv-conns 5",),
        bad=("max-session-srv-conns",),
    ),
    _front(
        "rate-limit sessions",
        Arg(Kind.INTEGER, "rate"),
        surplus=True,
        ok=("rate-limit sessions 5",),
        bad=("rate-limit", "rate-limit sessions", "rate-limit sessions x", "rate-limit x 5"),
    ),
    _front(
        "clitcpka-cnt",
        Arg(Kind.INTEGER, "count"),
        surplus=True,
        since=(2, 3),
        ok=("clitcpka-cnt 5",),
        bad=("clitcpka-cnt", "clitcpka-cnt x"),
    ),
    _front(
        "clitcpka-idle",
        Arg(Kind.SECONDS, "timeout"),
        surplus=True,
        since=(2, 3),
        ok=("clitcpka-idle 5s",),
        bad=("clitcpka-idle", "clitcpka-idle x"),
    ),
    _front(
        "clitcpka-intvl",
        Arg(Kind.SECONDS, "timeout"),
        surplus=True,
        since=(2, 3),
        ok=("clitcpka-intvl 5s",),
        bad=("clitcpka-intvl", "clitcpka-intvl x"),
    ),
    _back(
        "srvtcpka-cnt",
        Arg(Kind.INTEGER, "count"),
        surplus=True,
        since=(2, 3),
        ok=("srvtcpka-cnt 5",),
        bad=("srvtcpka-cnt", "srvtcpka-cnt x"),
    ),
    _back(
        "srvtcpka-idle",
        Arg(Kind.SECONDS, "timeout"),
        surplus=True,
        since=(2, 3),
        ok=("srvtcpka-idle 5s",),
        bad=("srvtcpka-idle", "srvtcpka-idle x"),
    ),
    _back(
        "srvtcpka-intvl",
        Arg(Kind.SECONDS, "timeout"),
        surplus=True,
        since=(2, 3),
        ok=("srvtcpka-intvl 5s",),
        bad=("srvtcpka-intvl", "srvtcpka-intvl x"),
    ),
    _timeout("client", _FRONT, _C.BACKEND),
    _timeout("client-fin", _FRONT, _C.BACKEND),
    _timeout(
        "client-hs", _FRONT, _C.BACKEND, since=(3, 0), runs=Runs.NO, loss="`timeout client` limits the handshake too"
    ),
    _timeout("connect", _BACK, _C.FRONTEND),
    _timeout("server", _BACK, _C.FRONTEND),
    _timeout("server-fin", _BACK, _C.FRONTEND),
    _timeout("queue", _BACK, _C.FRONTEND),
    _timeout("tunnel", _BACK, _C.FRONTEND),
    _timeout("check", _BACK, _C.FRONTEND),
    _timeout("http-keep-alive", _ALL),
    _timeout("http-request", _ALL),
    _timeout("tarpit", _ALL),
)

_LOGS: Final = (
    Keyword(
        name="log",
        where=_ALL,
        negatable=True,
        args=(_REST,),
        repeatable=True,
        manual="4.2",
        ok=(
            "log global",
            "log 127.0.0.1 local0",
            "log 127.0.0.1:514 len 200 format rfc5424 sample 1:2 local0 info notice",
            "log stdout format raw daemon",
            "no log",
        ),
        bad=(
            "log",
            "log 127.0.0.1",
            "log 127.0.0.1 nothing",
            "log 127.0.0.1 local0 nothing",
            "log global x",
            "log 127.0.0.1 local0 info notice x",
            "log 127.0.0.1 len 5 local0",
            "log 127.0.0.1 format x local0",
        ),
    ),
    _front("log-format", _FORMAT, since=(1, 5), ok=("log-format %ci",), bad=("log-format", "log-format a b")),
    _front(
        "log-format-sd", _FORMAT, since=(1, 6), ok=("log-format-sd %ci",), bad=("log-format-sd", "log-format-sd a b")
    ),
    _front(
        "error-log-format",
        _FORMAT,
        since=(2, 5),
        ok=("error-log-format %ci",),
        bad=("error-log-format", "error-log-format a b"),
    ),
    _front("log-steps", _REST, since=(3, 1), runs=Runs.NO, loss="one line is logged a request, at its end"),
    _all("log-tag", _TEXT, surplus=True, since=(1, 6), ok=("log-tag x",), bad=("log-tag",)),
    _all(
        "unique-id-format",
        _FORMAT,
        ok=("unique-id-format %rt", "unique-id-format a%ci"),
        bad=("unique-id-format", "unique-id-format a b"),
    ),
    _all("unique-id-header", _TEXT, surplus=True, ok=("unique-id-header X-Id",), bad=("unique-id-header",)),
    Keyword(
        name="capture cookie",
        where=_C.FRONT,
        ignored=_C.BACKEND,
        args=(Arg(Kind.STRING, "name"), Arg(Kind.STRING, "len"), _LENGTH),
        surplus=True,
        manual="4.2",
        ok=("capture cookie x len 5",),
        bad=("capture", "capture cookie", "capture cookie x", "capture cookie x len", "capture x"),
    ),
    *(
        Keyword(
            name=f"capture {direction} header",
            where=_C.FRONT,
            ignored=_C.BACKEND,
            args=(Arg(Kind.STRING, "name"), _LEN, _LENGTH),
            repeatable=True,
            manual="4.2",
            ok=(f"capture {direction} header x len 5",),
            bad=(
                f"capture {direction} header",
                f"capture {direction} header x",
                f"capture {direction} header x len 5 y",
                f"capture {direction} x",
            ),
        )
        for direction in ("request", "response")
    ),
    Keyword(
        name="declare capture",
        where=_C.FRONT,
        args=(Arg(Kind.CHOICE, "direction", ("request", "response")), _LEN, Arg(Kind.INTEGER, "length")),
        surplus=True,
        repeatable=True,
        since=(1, 6),
        manual="4.2",
        ok=("declare capture request len 5", "declare capture response len 5"),
        bad=("declare capture request", "declare capture request len x", "declare capture x len 5", "declare x"),
    ),
)

_ANSWERS: Final = (
    _all(
        "errorfile",
        _CODE,
        Arg(Kind.FILE, "file"),
        surplus=True,
        repeatable=True,
        ok=("errorfile 503 /dev/null", "errorfile 503 /dev/null x"),
        bad=("errorfile", "errorfile 503", "errorfile 999 /dev/null", "errorfile 503 /nonexistent"),
    ),
    _all(
        "errorfiles",
        Arg(Kind.STRING, "section"),
        Arg(Kind.INTEGER, "codes", optional=True, repeat=True),
        repeatable=True,
        since=(2, 2),
        bad=("errorfiles",),
    ),
    *(
        _all(
            name,
            _CODE,
            Arg(Kind.STRING, "url"),
            surplus=True,
            repeatable=True,
            ok=(f"{name} 503 /x",),
            bad=(name, f"{name} 503", f"{name} 999 /x"),
        )
        for name in ("errorloc", "errorloc302", "errorloc303")
    ),
    _all(
        "http-error",
        _REST,
        repeatable=True,
        since=(2, 2),
        ok=("http-error status 503 content-type text/plain string x", "http-error status 404"),
        bad=("http-error", "http-error status", "http-error status 999", "http-error status 503 x"),
    ),
    _front("monitor-uri", Arg(Kind.STRING, "uri"), ok=("monitor-uri /alive",), bad=("monitor-uri", "monitor-uri /a b")),
    Keyword(
        name="monitor fail",
        where=_C.FRONT,
        ignored=_C.BACKEND,
        args=(_CONDITION,),
        repeatable=True,
        manual="4.2",
        ok=("monitor fail if TRUE",),
        bad=("monitor fail", "monitor fail TRUE", "monitor x"),
    ),
    *(
        Keyword(
            name=name,
            where=_C.BACK,
            ignored=_C.FRONTEND,
            args=(_CONDITION,),
            repeatable=True,
            manual="4.2",
            ok=(f"{name} if TRUE",),
            bad=(name, f"{name} TRUE"),
        )
        for name in ("force-persist", "ignore-persist")
    ),
    Keyword(
        name="force-be-switch",
        where=_C.FRONT,
        args=(_CONDITION,),
        since=(3, 4),
        runs=Runs.NO,
        loss="a backend that is disabled gets no requests",
        manual="4.2",
    ),
    Keyword(
        name="mode",
        where=_ALL,
        args=(Arg(Kind.CHOICE, "mode", ("http", "tcp")),),
        manual="4.2",
        ok=("mode http", "mode tcp"),
        bad=("mode", "mode x", "mode http x", "mode health", "mode log"),
    ),
    _all("disabled", ok=("disabled",), bad=("disabled x",)),
    _all("enabled", ok=("enabled",), bad=("enabled x",)),
    Keyword(
        name="id",
        where=_C.ANY_PROXY,
        args=(Arg(Kind.INTEGER, "id", minimum=1, lax=True),),
        manual="4.2",
        ok=("id 77",),
        bad=("id", "id 0", "id -1", "id x", "id 1 2"),
    ),
    Keyword(
        name="guid",
        where=_C.ANY_PROXY,
        args=(_TEXT,),
        since=(3, 0),
        runs=Runs.HARMLESS,
        loss="it only names the proxy in statistics",
        manual="4.2",
    ),
    Keyword(
        name="description",
        where=_C.ANY_PROXY,
        args=(Arg(Kind.STRING, "text", repeat=True),),
        manual="4.2",
        ok=("description x", "description x y"),
        bad=("description",),
    ),
)

TABLE: Final = Table("proxies", (*_NAMES, *SERVERS, *_LIMITS, *_LOGS, *_ANSWERS, *LATER, *REMOVED))

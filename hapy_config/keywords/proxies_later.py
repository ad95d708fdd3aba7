"""Proxy statements about health checks, stick tables, TCP rules, statistics, compression and mail."""

from __future__ import annotations

from typing import Final

from hapy_config.keywords.spec import Arg, Context, Keyword, Kind, Runs

_C = Context
_FRONT: Final = _C.DEFAULTS | _C.FRONT
_BACK: Final = _C.DEFAULTS | _C.BACK

_REST: Final = Arg(Kind.REST, "arguments")
_REST_MAYBE: Final = Arg(Kind.REST, "arguments", optional=True)
_TEXT: Final = Arg(Kind.STRING, "text")
_TIMEOUT: Final = Arg(Kind.TIME, "timeout")

_STICK_LOSS: Final = "clients are not kept on the server they had before"
_MAIL_LOSS: Final = "no mail is sent when a server changes state"
_COMPRESS_LOSS: Final = "answers are sent as the server made them, not compressed"


def _check(name: str, *args: Arg, **more: object) -> Keyword:
    return Keyword(
        name=name,
        where=_BACK,
        ignored=_C.FRONTEND,
        args=args,
        repeatable=True,
        manual="4.2",
        **more,  # type: ignore[arg-type]
    )


def _stats(name: str, *args: Arg, where: Context = _C.PROXY, **more: object) -> Keyword:
    more.setdefault("ok", (f"stats {name}",))
    return Keyword(
        name=f"stats {name}",
        where=where,
        args=args,
        manual="4.2",
        **more,  # type: ignore[arg-type]
    )


_CHECKS: Final = (
    _check(
        "http-check comment",
        _TEXT,
        surplus=True,
        since=(2, 2),
        ok=("http-check comment x",),
        bad=("http-check comment",),
    ),
    _check("http-check connect", _REST_MAYBE, since=(2, 2), ok=("http-check connect",), bad=("http-check connect x",)),
    _check("http-check disable-on-404", ok=("http-check disable-on-404",), bad=("http-check disable-on-404 x",)),
    _check(
        "http-check expect",
        _REST,
        ok=("http-check expect status 200", "http-check expect ! rstatus ^5"),
        bad=("http-check expect", "http-check expect x"),
    ),
    _check(
        "http-check send",
        _REST,
        since=(2, 2),
        ok=("http-check send meth GET uri / ver HTTP/1.1 hdr host a",),
        bad=("http-check send x",),
    ),
    _check("http-check send-state", ok=("http-check send-state",), bad=("http-check send-state x",)),
    _check("http-check set-var*", _REST, since=(2, 2), ok=("http-check set-var(check.a) int(1)",)),
    _check("http-check set-var-fmt*", _REST, since=(2, 5), ok=("http-check set-var-fmt(check.a) x",)),
    _check("http-check unset-var*", since=(2, 2), surplus=True, ok=("http-check unset-var(check.a)",)),
    _check(
        "tcp-check comment", _TEXT, surplus=True, since=(1, 6), ok=("tcp-check comment x",), bad=("tcp-check comment",)
    ),
    _check(
        "tcp-check connect",
        _REST_MAYBE,
        ok=("tcp-check connect", "tcp-check connect port 5"),
        bad=("tcp-check connect x",),
    ),
    _check(
        "tcp-check expect", _REST, ok=("tcp-check expect string x",), bad=("tcp-check expect", "tcp-check expect x")
    ),
    _check("tcp-check send", _TEXT, _REST_MAYBE, ok=("tcp-check send x",), bad=("tcp-check send",)),
    _check(
        "tcp-check send-lf", _TEXT, _REST_MAYBE, since=(2, 2), ok=("tcp-check send-lf x",), bad=("tcp-check send-lf",)
    ),
    _check(
        "tcp-check send-binary", _TEXT, _REST_MAYBE, ok=("tcp-check send-binary 41",), bad=("tcp-check send-binary",)
    ),
    _check(
        "tcp-check send-binary-lf",
        _TEXT,
        _REST_MAYBE,
        since=(2, 2),
        ok=("tcp-check send-binary-lf 41",),
        bad=("tcp-check send-binary-lf",),
    ),
    _check("tcp-check set-var*", _REST, since=(2, 2), ok=("tcp-check set-var(check.a) int(1)",)),
    _check("tcp-check set-var-fmt*", _REST, since=(2, 5), ok=("tcp-check set-var-fmt(check.a) x",)),
    _check("tcp-check unset-var*", since=(2, 2), surplus=True, ok=("tcp-check unset-var(check.a)",)),
    Keyword(
        name="external-check command",
        where=_C.PROXY,
        args=(Arg(Kind.FILE, "command"),),
        since=(1, 6),
        manual="4.2",
        ok=("external-check command /bin/true",),
        bad=("external-check", "external-check x", "external-check command", "external-check command /x y"),
    ),
    Keyword(
        name="external-check path",
        where=_C.PROXY,
        args=(_TEXT,),
        since=(1, 6),
        manual="4.2",
        ok=("external-check path /bin",),
        bad=("external-check path", "external-check path /x y"),
    ),
)

_STICK: Final = (
    *(
        Keyword(
            name=f"stick {verb}",
            where=_C.BACK,
            ignored=_C.FRONTEND,
            args=(_REST,),
            repeatable=True,
            runs=Runs.NO,
            loss=_STICK_LOSS,
            manual="4.2",
            ok=(f"stick {verb} src table later", f"stick {verb} src table later if TRUE"),
            bad=(f"stick {verb}", f"stick {verb} src x", f"stick {verb} nothing"),
        )
        for verb in ("match", "on", "store-request", "store-response")
    ),
    Keyword(
        name="stick-table",
        where=_C.ANY_PROXY,
        args=(_REST,),
        runs=Runs.NO,
        loss="nothing is counted or remembered in the table",
        manual="11.1",
        ok=(
            "stick-table type ip size 5k expire 5m store gpc0,conn_cur",
            "stick-table type string len 20 size 5 nopurge",
        ),
        bad=("stick-table", "stick-table type ip", "stick-table type x size 5", "stick-table type ip size 5 x"),
    ),
    Keyword(
        name="persist",
        where=_C.PROXY,
        args=(Arg(Kind.STRING, "method"),),
        surplus=True,
        manual="4.2",
        ok=("persist rdp-cookie", "persist rdp-cookie(x)"),
        bad=("persist", "persist x"),
    ),
)

_TCP: Final = (
    Keyword(
        name="tcp-request connection",
        where=_C.DEFAULTS | _C.FRONT,
        named_defaults=True,
        args=(Arg(Kind.REST, "action"),),
        repeatable=True,
        manual="4.2",
        ok=("tcp-request connection accept", "tcp-request connection reject if FALSE"),
        bad=("tcp-request", "tcp-request x", "tcp-request connection", "tcp-request connection x"),
    ),
    Keyword(
        name="tcp-request session",
        where=_C.DEFAULTS | _C.FRONT,
        named_defaults=True,
        args=(Arg(Kind.REST, "action"),),
        repeatable=True,
        since=(1, 7),
        manual="4.2",
        ok=("tcp-request session accept",),
        bad=("tcp-request session", "tcp-request session x"),
    ),
    Keyword(
        name="tcp-request content",
        where=_C.PROXY,
        named_defaults=True,
        args=(Arg(Kind.REST, "action"),),
        repeatable=True,
        manual="4.2",
        ok=("tcp-request content accept", "tcp-request content reject if FALSE"),
        bad=("tcp-request content", "tcp-request content x"),
    ),
    Keyword(
        name="tcp-request inspect-delay",
        where=_C.PROXY,
        named_defaults=True,
        args=(_TIMEOUT,),
        surplus=True,
        manual="4.2",
        ok=("tcp-request inspect-delay 5s", "tcp-request inspect-delay 5s x"),
        bad=("tcp-request inspect-delay", "tcp-request inspect-delay x"),
    ),
    Keyword(
        name="tcp-response content",
        where=_BACK,
        named_defaults=True,
        args=(Arg(Kind.REST, "action"),),
        repeatable=True,
        manual="4.2",
        ok=("tcp-response content accept",),
        bad=("tcp-response", "tcp-response x", "tcp-response content", "tcp-response content x"),
    ),
    Keyword(
        name="tcp-response inspect-delay",
        where=_BACK,
        named_defaults=True,
        args=(_TIMEOUT,),
        surplus=True,
        manual="4.2",
        ok=("tcp-response inspect-delay 5s",),
        bad=("tcp-response inspect-delay", "tcp-response inspect-delay x"),
    ),
    Keyword(
        name="quic-initial",
        where=_C.DEFAULTS | _C.FRONT,
        named_defaults=True,
        args=(Arg(Kind.REST, "action"),),
        repeatable=True,
        since=(3, 1),
        runs=Runs.NO,
        loss="QUIC is not spoken",
        manual="4.2",
    ),
)

_STATS: Final = (
    _stats(
        "admin",
        Arg(Kind.CONDITION, "condition"),
        where=_C.ANY_PROXY,
        repeatable=True,
        ok=("stats admin if TRUE",),
        bad=("stats admin", "stats admin x"),
    ),
    _stats(
        "auth", _TEXT, surplus=True, repeatable=True, ok=("stats auth u:p",), bad=("stats auth", "stats", "stats x")
    ),
    _stats("enable", surplus=True),
    _stats("hide-version", surplus=True),
    _stats(
        "http-request",
        Arg(Kind.REST, "action"),
        where=_C.ANY_PROXY,
        repeatable=True,
        ok=("stats http-request allow", "stats http-request auth realm x"),
        bad=("stats http-request", "stats http-request x"),
    ),
    _stats("realm", _TEXT, surplus=True, ok=("stats realm x",), bad=("stats realm",)),
    _stats("refresh", Arg(Kind.SECONDS, "delay"), surplus=True, ok=("stats refresh 5s",), bad=("stats refresh x",)),
    _stats("scope", _TEXT, surplus=True, repeatable=True, ok=("stats scope .",), bad=("stats scope",)),
    _stats("show-desc", Arg(Kind.STRING, "text", optional=True, repeat=True), ok=("stats show-desc x y",)),
    _stats("show-legends", surplus=True),
    _stats("show-modules", surplus=True, since=(2, 3)),
    _stats(
        "show-node",
        Arg(Kind.STRING, "name", optional=True),
        surplus=True,
        ok=("stats show-node x",),
        bad=("stats show-node x!",),
    ),
    _stats(
        "show-version", surplus=True, since=(3, 4), runs=Runs.NO, loss="the page tells its version unless hidden", ok=()
    ),
    _stats("uri", Arg(Kind.STRING, "prefix"), surplus=True, ok=("stats uri /s",), bad=("stats uri",)),
)

_OTHERS: Final = (
    Keyword(
        name="compression algo",
        where=_C.PROXY,
        args=(Arg(Kind.CHOICE, "algorithms", ("identity", "gzip", "deflate", "raw-deflate"), repeat=True),),
        repeatable=True,
        runs=Runs.NO,
        loss=_COMPRESS_LOSS,
        manual="4.2",
        ok=("compression algo gzip", "compression algo identity gzip deflate raw-deflate"),
        bad=("compression", "compression x", "compression algo", "compression algo x"),
    ),
    Keyword(
        name="compression type",
        where=_C.PROXY,
        args=(Arg(Kind.STRING, "types", repeat=True),),
        repeatable=True,
        runs=Runs.NO,
        loss=_COMPRESS_LOSS,
        manual="4.2",
        ok=("compression type text/plain text/html",),
        bad=("compression type",),
    ),
    Keyword(
        name="compression offload",
        where=_C.ANY_PROXY,
        ignored=_C.DEFAULTS,
        surplus=True,
        runs=Runs.NO,
        loss="servers may compress their answers themselves",
        manual="4.2",
        ok=("compression offload",),
    ),
    *(
        Keyword(
            name=f"compression {word}",
            where=_C.PROXY,
            args=(_REST,),
            since=since,
            deprecated=deprecated,
            instead="compression algo-req and compression algo-res" if deprecated else "",
            runs=Runs.NO,
            loss=_COMPRESS_LOSS,
            manual="4.2",
        )
        for word, since, deprecated in (
            ("algo-req", (2, 8), None),
            ("algo-res", (2, 8), None),
            ("type-req", (2, 8), None),
            ("type-res", (2, 8), None),
            ("direction", (2, 8), (3, 4)),
            ("minsize-req", (3, 2), None),
            ("minsize-res", (3, 2), None),
        )
    ),
    Keyword(
        name="filter",
        where=_C.ANY_PROXY,
        args=(Arg(Kind.REST, "filter"),),
        repeatable=True,
        since=(1, 7),
        runs=Runs.NO,
        loss="the filter does not see the traffic",
        manual="9",
        ok=("filter trace", "filter compression"),
        bad=("filter", "filter x", "filter trace x"),
    ),
    Keyword(
        name="filter-sequence",
        where=_C.ANY_PROXY,
        args=(Arg(Kind.CHOICE, "direction", ("request", "response")), _TEXT),
        since=(3, 4),
        runs=Runs.NO,
        loss="filters do not see the traffic",
        manual="4.2",
    ),
    *(
        Keyword(
            name=f"email-alert {word}",
            where=_C.PROXY,
            args=(Arg(Kind.STRING, "value", optional=True),),
            surplus=True,
            since=(1, 6),
            runs=Runs.NO,
            loss=_MAIL_LOSS,
            manual="4.2",
            ok=(f"email-alert {word} x",),
            bad=bad,
        )
        for word, bad in (
            ("from", ("email-alert", "email-alert x")),
            ("mailers", ()),
            ("myhostname", ()),
            ("to", ()),
        )
    ),
    Keyword(
        name="email-alert level",
        where=_C.PROXY,
        args=(Arg(Kind.CHOICE, "level", ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")),),
        surplus=True,
        since=(1, 6),
        runs=Runs.NO,
        loss=_MAIL_LOSS,
        manual="4.2",
        ok=("email-alert level info",),
        bad=("email-alert level x",),
    ),
    Keyword(
        name="ssl-f-use",
        where=_C.FRONT,
        args=(_REST_MAYBE,),
        repeatable=True,
        since=(3, 2),
        runs=Runs.NO,
        loss="TLS is not spoken",
        manual="4.2",
    ),
)

ENTRIES: Final = (*_CHECKS, *_STICK, *_TCP, *_STATS, *_OTHERS)

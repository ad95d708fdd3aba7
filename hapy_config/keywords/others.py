"""The statements of the sections beside global and the proxies, one table a section.

Configuration manual, sections 5.3.2, 6.2.1, 8.3.5 and 10 to 12.
"""

from __future__ import annotations

from typing import Any, Final

from hapy_config.keywords.proxies_later import ENTRIES as PROXY_CHECKS
from hapy_config.keywords.spec import Arg, Context, Keyword, Kind, Runs, Table

_C = Context
_NO_PEERS: Final = "stick tables are not shared with other processes"
_NO_MAIL: Final = "no mail is sent when a server changes state"
_NO_CACHE: Final = "nothing is cached: every request goes to a server"
_NO_RING: Final = "log lines for this ring are dropped"
_NO_FORWARD: Final = "log lines sent to it are not received or forwarded"
_NO_PROGRAM: Final = "the program is not started"
_NO_FCGI: Final = "FastCGI servers are not spoken to"
_NO_ACME: Final = "certificates are not requested or renewed"
_NO_CHECK: Final = "servers are not checked"

_NAME: Final = Arg(Kind.STRING, "name")
_TEXT: Final = Arg(Kind.STRING, "text")
_FILE: Final = Arg(Kind.FILE, "file")
_TIME: Final = Arg(Kind.TIME, "timeout")
_ADDRESS: Final = Arg(Kind.ADDRESS, "address")
_NUMBER: Final = Arg(Kind.INTEGER, "number", lax=True)
_REST: Final = Arg(Kind.REST, "arguments")
_REST_MAYBE: Final = Arg(Kind.REST, "arguments", optional=True)
_MAYBE: Final = Arg(Kind.CONDITION, "condition", optional=True)
_ON_OFF: Final = Arg(Kind.CHOICE, "value", ("on", "off"))


class _In:
    """Makes the keywords of one section, which share what is lost when hapy does not run it."""

    def __init__(self, where: Context, loss: str, manual: str) -> None:
        self.where = where
        self.loss = loss
        self.manual = manual

    def __call__(self, name: str, *args: Arg, **more: Any) -> Keyword:
        if self.loss:
            more.setdefault("runs", Runs.NO)
            more.setdefault("loss", self.loss)
        more.setdefault("manual", self.manual)
        return Keyword(name=name, where=self.where, args=args, **more)


_r = _In(_C.RESOLVERS, "", "5.3.2")
_RESOLVERS: Final = (
    _r(
        "nameserver",
        Arg(Kind.NAME, "name"),
        _ADDRESS,
        _REST_MAYBE,
        repeatable=True,
        since=(1, 6),
        ok=(
            "nameserver a 127.0.0.1:53",
            "nameserver b 127.0.0.1:53 x",
            "nameserver c uxst@/tmp/x",
            "nameserver d stream+abns@x",
        ),
        bad=(
            "nameserver",
            "nameserver a",
            "nameserver a 127.0.0.1",
            "nameserver a/b 127.0.0.1:53",
        ),
    ),
    _r("parse-resolv-conf", surplus=True, since=(2, 0), ok=("parse-resolv-conf",)),
    _r(
        "hold",
        Arg(Kind.CHOICE, "status", ("nx", "timeout", "refused", "valid", "obsolete", "other")),
        _TIME,
        surplus=True,
        repeatable=True,
        since=(1, 6),
        ok=("hold valid 5s", "hold nx 5s", "hold obsolete 5s", "hold refused 5s", "hold timeout 5s", "hold other 5s"),
        bad=("hold", "hold valid", "hold valid x", "hold x 5s"),
    ),
    _r(
        "resolve_retries",
        _NUMBER,
        surplus=True,
        since=(1, 6),
        ok=("resolve_retries 5",),
        bad=("resolve_retries",),
    ),
    *(
        _r(
            f"timeout {event}",
            _TIME,
            surplus=True,
            since=(1, 6),
            ok=(f"timeout {event} 5s",),
            bad=(f"timeout {event}", f"timeout {event} x", "timeout", "timeout x 5s"),
        )
        for event in ("resolve", "retry")
    ),
    _r(
        "accepted_payload_size",
        Arg(Kind.INTEGER, "size", minimum=12, maximum=65535, lax=True),
        surplus=True,
        since=(1, 8),
        ok=("accepted_payload_size 8192",),
        bad=("accepted_payload_size", "accepted_payload_size 11", "accepted_payload_size 65536"),
    ),
    _r(
        "resolution_pool_size",
        Arg(Kind.INTEGER, "count", lax=True),
        since=(1, 8),
        removed=(1, 9),
        instead="nothing: it has no limit",
    ),
)

_u = _In(_C.USERLIST, "", "12.2")
_USERLIST: Final = (
    _u(
        "user",
        _NAME,
        _REST_MAYBE,
        repeatable=True,
        ok=("user a password x groups g", "user b insecure-password x", "user c"),
        bad=("user", "user a x y"),
    ),
    _u(
        "group",
        Arg(Kind.NAME, "name"),
        _REST_MAYBE,
        repeatable=True,
        ok=("group g", "group h users a,b"),
        bad=("group", "group g x", "group a/b"),
    ),
)

_p = _In(_C.PEERS, _NO_PEERS, "11.2")
_PEERS: Final = (
    _p("bind", _REST_MAYBE, since=(2, 0), ok=("bind :5",), bad=("bind :5 nothing",)),
    _p("default-bind", _REST_MAYBE, since=(2, 0), ok=("default-bind name x",), bad=("default-bind nothing",)),
    _p("default-server", _REST_MAYBE, since=(2, 0), ok=("default-server weight 5",), bad=("default-server nothing",)),
    _p("disabled", surplus=True, ok=("disabled",)),
    _p("enabled", surplus=True, ok=("enabled",)),
    _p(
        "log",
        _REST,
        negatable=True,
        repeatable=True,
        since=(2, 0),
        ok=("log global", "log 127.0.0.1 local0"),
        bad=("log", "log nothing"),
    ),
    _p(
        "peer",
        _REST_MAYBE,
        repeatable=True,
        ok=("peer a 127.0.0.1:5",),
        bad=("peer b 127.0.0.1:5 nothing",),
    ),
    _p(
        "server",
        _REST_MAYBE,
        repeatable=True,
        since=(2, 0),
        ok=("server c 127.0.0.1:5",),
        bad=("server d 127.0.0.1:5 nothing",),
    ),
    # The 2.6 manual speaks of it, the program does not know it.
    _p("shards", _NUMBER, since=(2, 7), bad=("shards 2",)),
    _p(
        "table",
        _NAME,
        _REST,
        repeatable=True,
        since=(2, 0),
        ok=("table t type ip size 5k",),
        bad=("table", "table t", "table t type x size 5"),
    ),
)

_m = _In(_C.MAILERS, _NO_MAIL, "12.3")
_MAILERS: Final = (
    _m(
        "mailer",
        _NAME,
        _ADDRESS,
        surplus=True,
        repeatable=True,
        since=(1, 6),
        ok=("mailer a 127.0.0.1:25",),
        bad=("mailer", "mailer a", "mailer a 127.0.0.1"),
    ),
    _m(
        "timeout mail",
        _TIME,
        surplus=True,
        since=(1, 8),
        ok=("timeout mail 5s",),
        bad=("timeout", "timeout mail", "timeout mail x", "timeout x 5s"),
    ),
)

# A wrong value in a cache section is only warned of, and left out; surplus words are refused all the same.
_c = _In(_C.CACHE, _NO_CACHE, "6.2.1")
_CACHE: Final = (
    *(
        _c(
            name,
            Arg(Kind.REST, "value", optional=True),
            since=since,
            ok=(f"{name} {value}",),
            bad=(f"{name} {value} x",),
        )
        for name, value, since in (
            ("total-max-size", "5", (1, 8)),
            ("max-object-size", "5", (2, 0)),
            ("max-age", "5", (1, 8)),
            ("max-secondary-entries", "5", (2, 4)),
            ("process-vary", "on", (2, 4)),
        )
    ),
)

_e = _In(_C.HTTP_ERRORS, "", "12.4")
_HTTP_ERRORS: Final = (
    _e(
        "errorfile",
        Arg(Kind.INTEGER, "code", lax=True),
        _FILE,
        surplus=True,
        repeatable=True,
        since=(2, 2),
        ok=("errorfile 503 /dev/null",),
        bad=("errorfile", "errorfile 503", "errorfile 999 /dev/null", "errorfile 503 /nonexistent"),
    ),
)

_FORMATS: Final = ("raw", "short", "priority", "timed", "iso", "local", "rfc3164", "rfc5424")
_g = _In(_C.RING, _NO_RING, "12.5")
_RING: Final = (
    _g(
        "backing-file",
        _FILE,
        surplus=True,
        since=(2, 6),
        ok=("backing-file /tmp/hapy-ring-example",),
        bad=("backing-file",),
    ),
    _g(
        "description",
        Arg(Kind.STRING, "text", repeat=True),
        since=(2, 2),
        ok=("description x y",),
        bad=("description",),
    ),
    _g(
        "format",
        Arg(Kind.CHOICE, "format", _FORMATS),
        surplus=True,
        since=(2, 2),
        ok=tuple(f"format {name}" for name in _FORMATS),
        bad=("format", "format x"),
    ),
    _g("maxlen", Arg(Kind.SIZE, "length"), surplus=True, since=(2, 2), ok=("maxlen 5k",), bad=("maxlen", "maxlen x")),
    _g("size", Arg(Kind.SIZE, "size"), surplus=True, since=(2, 2), ok=("size 50000",), bad=("size", "size x")),
    _g(
        "server",
        Arg(Kind.NAME, "name"),
        _ADDRESS,
        _REST_MAYBE,
        repeatable=True,
        since=(2, 2),
        ok=("server a 127.0.0.1:5",),
        bad=("server", "server a", "server b 127.0.0.1:5 nothing"),
    ),
    # HAProxy takes `timeout` with any other word in silence.
    *(
        _g(
            f"timeout {event}",
            _TIME,
            surplus=True,
            since=(2, 2),
            ok=(f"timeout {event} 5s",),
            bad=(f"timeout {event}", f"timeout {event} x"),
        )
        for event in ("connect", "server")
    ),
    _g("timeout", _REST_MAYBE, since=(2, 2), ok=("timeout", "timeout x 5s")),
)

_f = _In(_C.LOG_FORWARD, _NO_FORWARD, "12.6")
_LOG_FORWARD: Final = (
    _f("backlog", _NUMBER, since=(2, 3), ok=("backlog 5",), bad=("backlog", "backlog 5 6")),
    _f("bind", _REST_MAYBE, repeatable=True, since=(2, 3), ok=("bind :5",), bad=("bind :5 nothing",)),
    _f("dgram-bind", _REST_MAYBE, repeatable=True, since=(2, 3), ok=("dgram-bind :5",), bad=("dgram-bind :5 nothing",)),
    _f(
        "log",
        _REST,
        negatable=True,
        repeatable=True,
        since=(2, 3),
        ok=("log global", "log 127.0.0.1 local0"),
        bad=("log", "log nothing"),
    ),
    _f("maxconn", _NUMBER, since=(2, 3), ok=("maxconn 5",), bad=("maxconn", "maxconn 5 6")),
    # 2.6 does not look at the value.
    _f(
        "timeout client",
        _TEXT,
        surplus=True,
        since=(2, 3),
        ok=("timeout client 5s",),
        bad=("timeout client", "timeout x 5s"),
    ),
    _f("option assume-rfc6587-ntf", negatable=True, since=(3, 1)),
    _f("option dont-parse-log", negatable=True, since=(3, 1)),
    _f("option host", Arg(Kind.CHOICE, "value", ("replace", "fill", "keep", "append")), since=(3, 2)),
)

_l = _In(_C.LOG_PROFILE, "log lines that name it keep their usual format", "8.3.5")
_LOG_PROFILE: Final = (
    _l("log-tag", _TEXT, since=(3, 1)),
    _l("on", Arg(Kind.STRING, "step"), _REST_MAYBE, repeatable=True, since=(3, 1)),
)

_o = _In(_C.PROGRAM, _NO_PROGRAM, "3.7 of the 2.6 manual")
_PROGRAM: Final = (
    _o("command", Arg(Kind.STRING, "words", repeat=True), since=(2, 0), ok=("command x y z",), bad=("command",)),
    _o("user", _NAME, since=(2, 1), ok=("user root",), bad=("user", "user no-such-user", "user root x")),
    _o("group", _NAME, since=(2, 1), ok=("group root",), bad=("group", "group no-such-group", "group root x")),
    _o(
        "option start-on-reload",
        negatable=True,
        since=(2, 0),
        ok=("option start-on-reload", "no option start-on-reload"),
        bad=("option", "option x", "no option x", "option start-on-reload x"),
    ),
)

_a = _In(_C.FCGI_APP, _NO_FCGI, "10.1.1")
_FCGI_APP: Final = (
    _a("acl", _NAME, _REST, repeatable=True, since=(2, 1), ok=("acl a path /x",), bad=("acl a", "acl a nothing")),
    _a("docroot", Arg(Kind.DIRECTORY, "path"), since=(2, 1), ok=("docroot /x",), bad=("docroot", "docroot /x y")),
    _a("index", _NAME, since=(2, 1), ok=("index x",), bad=("index", "index x y")),
    _a(
        "log-stderr",
        _REST,
        repeatable=True,
        since=(2, 1),
        ok=("log-stderr global", "log-stderr 127.0.0.1 local0"),
        bad=("log-stderr",),
    ),
    _a(
        "pass-header",
        _NAME,
        _MAYBE,
        repeatable=True,
        since=(2, 1),
        ok=("pass-header x", "pass-header x if TRUE"),
        bad=("pass-header", "pass-header x y"),
    ),
    _a(
        "path-info",
        Arg(Kind.REGEX, "regex"),
        since=(2, 1),
        ok=("path-info ^(/.+)$",),
        bad=("path-info", "path-info (", "path-info x y"),
    ),
    *(
        _a(
            f"option {name}",
            negatable=True,
            since=(2, 1),
            ok=(f"option {name}", f"no option {name}"),
            bad=(f"option {name} x",),
        )
        for name in ("get-values", "keep-conn", "mpxs-conns")
    ),
    _a(
        "option max-reqs",
        Arg(Kind.INTEGER, "number", minimum=1, lax=True),
        since=(2, 1),
        ok=("option max-reqs 5",),
        bad=("option max-reqs", "option max-reqs 0", "option max-reqs x", "option max-reqs 5 6", "no option max-reqs"),
    ),
    _a(
        "set-param",
        _NAME,
        Arg(Kind.FORMAT, "format"),
        _MAYBE,
        repeatable=True,
        since=(2, 1),
        ok=("set-param a b", "set-param a b if TRUE"),
        bad=("set-param", "set-param a", "set-param a b c"),
    ),
)

_s = _In(_C.CRT_STORE, "", "12.7")
_CRT_STORE: Final = (
    _s("crt-base", Arg(Kind.DIRECTORY, "directory"), since=(3, 0)),
    _s("key-base", Arg(Kind.DIRECTORY, "directory"), since=(3, 0)),
    _s("load", _REST, repeatable=True, since=(3, 0)),
)

_t = _In(_C.TRACES, "no traces are written", "12.1")
_TRACES: Final = (_t("trace", _REST, repeatable=True, since=(3, 1)),)

_n = _In(_C.ACME, _NO_ACME, "12.8")
_ACME: Final = (
    *(
        _n(name, _TEXT, since=(3, 2))
        for name in (
            "account-key",
            "acme-vars",
            "bits",
            "challenge",
            "contact",
            "curves",
            "directory",
            "keytype",
            "map",
        )
    ),
    _n("provider-name", _TEXT, since=(3, 2)),
    _n("challenge-ready", _TEXT, since=(3, 3)),
    _n("dns-delay", _TIME, since=(3, 3)),
    _n("dns-timeout", _TIME, since=(3, 4)),
    _n("profile", _TEXT, since=(3, 3)),
    _n("reuse-key", _ON_OFF, since=(3, 2)),
    _n("eab-key-id", _FILE, since=(3, 4)),
    _n("eab-mac-key", _FILE, since=(3, 4)),
    _n("eab-mac-alg", Arg(Kind.CHOICE, "algorithm", ("HS256", "HS384", "HS512")), since=(3, 4)),
)

_h = _In(_C.HEALTHCHECK, _NO_CHECK, "12.9")
_HEALTHCHECK: Final = (
    _h("type", _REST, since=(3, 4)),
    *(
        _h(entry.name, *entry.args, surplus=entry.surplus, repeatable=True, since=(3, 4))
        for entry in PROXY_CHECKS
        if entry.name.startswith(("http-check", "tcp-check"))
    ),
)

TABLES: Final[dict[str, Table]] = {
    family: Table(family, entries)
    for family, entries in (
        ("resolvers", _RESOLVERS),
        ("userlist", _USERLIST),
        ("peers", _PEERS),
        ("mailers", _MAILERS),
        ("cache", _CACHE),
        ("http-errors", _HTTP_ERRORS),
        ("ring", _RING),
        ("log-forward", _LOG_FORWARD),
        ("log-profile", _LOG_PROFILE),
        ("program", _PROGRAM),
        ("fcgi-app", _FCGI_APP),
        ("crt-store", _CRT_STORE),
        ("traces", _TRACES),
        ("acme", _ACME),
        ("healthcheck", _HEALTHCHECK),
    )
}

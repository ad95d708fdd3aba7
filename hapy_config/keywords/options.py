"""`option NAME` of the proxies (configuration manual, section 4.2), named without the word `option`.

What 2.6 does with an option that it knows and that does not fit the section differs by option: most are ignored with a
warning, a few are taken in silence and have no effect.
"""

from __future__ import annotations

from typing import Any, Final

from hapy_config.keywords.spec import NO_CONTEXT, TARGET, Arg, Context, Keyword, Kind, Runs, Table

_C = Context
_FRONT: Final = _C.DEFAULTS | _C.FRONT
_BACK: Final = _C.DEFAULTS | _C.BACK

_SPLICE: Final = "bodies are copied through user space, at more CPU time"
_OWN: Final = Arg(Kind.REST, "arguments", optional=True)


def _switch(name: str, where: Context, ignored: Context, more: dict[str, Any]) -> Keyword:
    if more.get("since", TARGET) <= TARGET and "removed" not in more:
        more.setdefault("ok", (f"option {name}", f"no option {name}"))
        more.setdefault("bad", (f"option {name} x", f"no option {name} x"))
    elif "removed" in more:
        more.setdefault("bad", (f"option {name}", f"no option {name}"))
    return Keyword(name=name, where=where, ignored=ignored, negatable=True, **more)


def _both(name: str, **more: Any) -> Keyword:
    """An on/off option of all proxies."""
    return _switch(name, _C.PROXY, NO_CONTEXT, more)


def _front(name: str, **more: Any) -> Keyword:
    """An on/off option of frontends; a backend ignores it with a warning."""
    return _switch(name, _FRONT, _C.BACKEND, more)


def _back(name: str, **more: Any) -> Keyword:
    """An on/off option of backends; a frontend ignores it with a warning."""
    return _switch(name, _BACK, _C.FRONTEND, more)


def _check(name: str, **more: Any) -> Keyword:
    """A way of checking servers; a frontend ignores it with a warning."""
    return Keyword(name=name, where=_BACK, ignored=_C.FRONTEND, manual="4.2", **more)


TABLE: Final = Table(
    "options",
    (
        _back("abortonclose", manual="4.2"),
        _front(
            "accept-invalid-http-request",
            deprecated=(3, 1),
            instead="option accept-unsafe-violations-in-http-request",
            manual="4.2",
        ),
        _back(
            "accept-invalid-http-response",
            deprecated=(3, 1),
            instead="option accept-unsafe-violations-in-http-response",
            manual="4.2",
        ),
        _front("accept-unsafe-violations-in-http-request", since=(3, 1), manual="4.2"),
        _back("accept-unsafe-violations-in-http-response", since=(3, 1), manual="4.2"),
        _back("allbackups", manual="4.2"),
        _back(
            "checkcache",
            runs=Runs.NO,
            loss="answers that set a cookie and may be cached are let through",
            manual="4.2",
        ),
        _front("clitcpka", manual="4.2"),
        _front(
            "contstats",
            runs=Runs.HARMLESS,
            loss="bytes are counted when a request ends",
            manual="4.2",
        ),
        _front(
            "disable-h2-upgrade",
            since=(2, 2),
            runs=Runs.HARMLESS,
            loss="a clear-text connection is never switched to HTTP/2 anyway",
            manual="4.2",
        ),
        _front("dontlog-normal", manual="4.2"),
        _front("dontlognull", manual="4.2"),
        Keyword(
            name="external-check",
            where=_C.PROXY,
            since=(1, 6),
            manual="4.2",
            bad=("option external-check x",),
        ),
        _both(
            "forceclose",
            deprecated=(2, 0),
            removed=(2, 3),
            instead="option httpclose, if it is needed at all",
            manual="4.2 of the 1.8 manual",
        ),
        Keyword(
            name="forwarded",
            where=_BACK,
            ignored=_C.FRONTEND,
            negatable=True,
            args=(_OWN,),
            since=(2, 8),
            runs=Runs.NO,
            loss="servers get no `forwarded` header",
            manual="4.2",
        ),
        Keyword(
            name="forwardfor",
            where=_C.PROXY,
            args=(_OWN,),
            manual="4.2",
            ok=(
                "option forwardfor",
                "option forwardfor except 127.0.0.0/8",
                "option forwardfor header X-Client",
                "option forwardfor if-none",
                "option forwardfor except ::1 header X-Client if-none",
            ),
            bad=(
                "option forwardfor x",
                "option forwardfor header",
                "option forwardfor except",
                "option forwardfor except 10.0.0.300",
            ),
        ),
        _front("h1-case-adjust-bogus-client", since=(2, 2), manual="4.2"),
        _back("h1-case-adjust-bogus-server", since=(2, 2), manual="4.2"),
        _both("http-buffer-request", since=(1, 6), manual="4.2"),
        Keyword(
            name="http-drop-request-trailers",
            where=_C.DEFAULTS | _C.BACKEND,
            negatable=True,
            since=(3, 2),
            runs=Runs.NO,
            loss="trailers of requests are forwarded",
            manual="4.2",
        ),
        Keyword(
            name="http-drop-response-trailers",
            where=_C.DEFAULTS | _C.FRONTEND,
            negatable=True,
            since=(3, 2),
            runs=Runs.NO,
            loss="trailers of answers are forwarded",
            manual="4.2",
        ),
        _front("http-ignore-probes", since=(1, 6), manual="4.2"),
        _both("http-keep-alive", manual="4.2"),
        _both("http-no-delay", manual="4.2"),
        _back("http-pretend-keepalive", manual="4.2"),
        Keyword(
            name="http-restrict-req-hdr-names",
            where=_C.PROXY,
            args=(Arg(Kind.CHOICE, "policy", ("preserve", "delete", "reject")),),
            since=(2, 6),
            manual="4.2",
            ok=("option http-restrict-req-hdr-names preserve", "option http-restrict-req-hdr-names reject"),
            bad=(
                "option http-restrict-req-hdr-names",
                "option http-restrict-req-hdr-names x",
                "option http-restrict-req-hdr-names reject x",
            ),
        ),
        _both("http-server-close", manual="4.2"),
        _both(
            "http-tunnel",
            deprecated=(2, 0),
            removed=(2, 3),
            instead="nothing: just remove it",
            manual="4.2 of the 2.0 manual",
        ),
        _both(
            "http-use-htx",
            since=(1, 9),
            removed=(2, 3),
            instead="nothing: just remove it",
            manual="4.2 of the 2.0 manual",
        ),
        _front("http-use-proxy-header", manual="4.2"),
        _both(
            "http_proxy",
            removed=(2, 5),
            instead="http-request set-dst and http-request set-uri, with http-request do-resolve for names",
            manual="4.2 of the 2.4 manual",
        ),
        _check(
            "httpchk",
            args=(_OWN,),
            ok=(
                "option httpchk",
                "option httpchk /health",
                "option httpchk HEAD /health",
                "option httpchk HEAD /health HTTP/1.1",
            ),
            bad=("option httpchk HEAD /health HTTP/1.1 www",),
        ),
        _both("httpclose", manual="4.2"),
        Keyword(
            name="httplog",
            where=_FRONT,
            ignored=_C.BACKEND,
            args=(Arg(Kind.CHOICE, "form", ("clf",), optional=True),),
            manual="4.2",
            ok=("option httplog", "option httplog clf"),
            bad=("option httplog x", "option httplog clf x"),
        ),
        Keyword(
            name="httpslog",
            where=_FRONT,
            ignored=_C.BACKEND,
            surplus=True,
            since=(2, 5),
            manual="4.2",
            ok=("option httpslog",),
        ),
        _front("idle-close-on-response", since=(2, 5), manual="4.2"),
        _both("independent-streams", manual="4.2"),
        _check("ldap-check", bad=("option ldap-check x",)),
        _back("log-health-checks", manual="4.2"),
        _front("log-separate-errors", manual="4.2"),
        _front("logasap", manual="4.2"),
        _check(
            "mysql-check",
            args=(_OWN,),
            ok=("option mysql-check", "option mysql-check user haproxy", "option mysql-check user haproxy post-41"),
            bad=("option mysql-check x", "option mysql-check user", "option mysql-check user haproxy x"),
        ),
        _both("nolinger", manual="4.2"),
        Keyword(
            name="originalto",
            where=_C.PROXY,
            args=(_OWN,),
            manual="4.2",
            ok=("option originalto", "option originalto except 127.0.0.1", "option originalto header X-Dst"),
            bad=("option originalto x", "option originalto header", "option originalto except"),
        ),
        _back("persist", manual="4.2"),
        _check(
            "pgsql-check",
            args=(Arg(Kind.CHOICE, "user", ("user",)), Arg(Kind.STRING, "username")),
            ok=("option pgsql-check user haproxy",),
            bad=("option pgsql-check", "option pgsql-check user", "option pgsql-check x y"),
        ),
        _back("prefer-last-server", manual="4.2"),
        _check("redis-check", surplus=True, ok=("option redis-check",)),
        Keyword(
            name="redispatch",
            where=_BACK,
            ignored=_C.FRONTEND,
            negatable=True,
            args=(Arg(Kind.INTEGER, "interval", optional=True, lax=True),),
            surplus=True,
            manual="4.2",
            ok=("option redispatch", "option redispatch 1", "option redispatch -1"),
        ),
        _check(
            "smtpchk",
            args=(_OWN,),
            ok=("option smtpchk", "option smtpchk HELO mydomain.org"),
        ),
        _front("socket-stats", manual="4.2"),
        _both("splice-auto", runs=Runs.HARMLESS, loss=_SPLICE, manual="4.2"),
        _both("splice-request", runs=Runs.HARMLESS, loss=_SPLICE, manual="4.2"),
        _both("splice-response", runs=Runs.HARMLESS, loss=_SPLICE, manual="4.2"),
        _check("spop-check", since=(1, 7), bad=("option spop-check x",)),
        _back("srvtcpka", manual="4.2"),
        _check("ssl-hello-chk", bad=("option ssl-hello-chk x",)),
        _check("tcp-check", bad=("option tcp-check x",)),
        _front("tcp-smart-accept", runs=Runs.HARMLESS, loss="one packet more may be sent at accept", manual="4.2"),
        _back("tcp-smart-connect", runs=Runs.HARMLESS, loss="one packet more may be sent at connect", manual="4.2"),
        Keyword(
            name="tcpka",
            where=_C.PROXY,
            manual="4.2",
            ok=("option tcpka",),
            bad=("option tcpka x",),
        ),
        Keyword(
            name="tcplog",
            where=_FRONT,
            ignored=_C.BACKEND,
            manual="4.2",
            ok=("option tcplog",),
            bad=("option tcplog x",),
        ),
        _back(
            "transparent",
            deprecated=(3, 3),
            instead="a server at address 0.0.0.0 and http-request set-dst",
            manual="4.2",
        ),
        _back(
            "use-small-buffers",
            args=(_OWN,),
            since=(3, 4),
            runs=Runs.HARMLESS,
            loss="buffers are as large as they need to be",
            manual="4.2",
        ),
    ),
)

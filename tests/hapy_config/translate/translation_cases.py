"""Configurations that go to other proxies, the requests they are asked, and what each of the others can't do.

`lost` names the lines (by their beginning) that have no counterpart; `unlike` the requests whose answer differs
because of that, or for the reason that stands there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.hapy_config.translate.side_by_side import Ask

DEFAULTS = """
defaults
    mode http
    timeout connect 8s
    timeout client 10s
    timeout server 10s
"""


@dataclass(frozen=True)
class Case:
    """One configuration."""

    name: str
    text: str
    asks: tuple[Ask, ...]
    lost: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unlike: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    defaults: str = DEFAULTS
    not_for: tuple[str, ...] = ()


def paths(*names: str, **options: object) -> tuple[Ask, ...]:
    return tuple(Ask(name, **options) for name in names)  # type: ignore[arg-type]


#: A site with a bit of everything that goes everywhere.
SITE = """
frontend web
    bind 127.0.0.1:{port}
    option forwardfor
    monitor-uri /alive
    acl api path_beg /api/ /rest/
    acl host_b hdr(host) -i b.example
    acl local src 127.0.0.0/8
    http-request deny deny_status 405 if METH_DELETE
    http-request deny if {{ path_beg /private }} !local
    http-request deny deny_status 404 if {{ path_end -i .php }} or {{ hdr(x-bad) -m found }}
    http-request return status 200 content-type text/plain string "robots {{}} \\$here\\n" if {{ path /robots.txt }}
    http-request redirect prefix https://new.example code 301 if {{ path_beg /old/ }}
    http-request redirect location /elsewhere code 303 if {{ path /here }}
    http-request set-header X-Proto plain
    http-request set-header X-Kind api if api
    http-request del-header X-Secret
    http-request replace-path /rest/(.*) /api/\\1 if {{ path_beg /rest/ }}
    http-response set-header X-Answered yes
    http-response del-header X-Origin-Only
    use_backend api if api METH_GET
    use_backend b if host_b !{{ method POST }}
    default_backend pages

backend api
    http-request deny deny_status 403 if {{ path /api/closed }}
    http-request set-header X-Backend api
    server one 127.0.0.1:{one}
backend b
    server two 127.0.0.1:{two}
backend pages
    server three 127.0.0.1:{three}
"""

#: Names and passwords as clients send them; all passwords are `secret` but the wrong one.
_CREDENTIALS = {
    "ann": "YW5uOnNlY3JldA==",
    "bob": "Ym9iOnNlY3JldA==",
    "dora": "ZG9yYTpzZWNyZXQ=",
    "eve": "ZXZlOnNlY3JldA==",
    "nobody": "",
    "wrong": "YW5uOndyb25n",
}

#: Paths of the case of maps that go to a server, which is told of what maps say.
_NO_MAPS = (
    *("/old/x", "/OLD", "/gone/but/that", "/shop.example", "/x.Blog.example", "/lost.example"),
    *("/t?acme", "/t?ACME", "/t?beta", "/t?zzz", "/127.0.5.7", "/127.0.5.8"),
)

CASES = (
    Case(
        "site",
        SITE,
        (
            *paths(
                "/", "/api/users?x=1&y=%20", "/API/users", "/x.PHP", "/robots.txt", "/robots.txt.bak", "/old/page?q=2"
            ),
            *paths("/here", "/rest/a/b", "/api/closed", "/alive", seen=("X-Answered", "X-Origin-Only")),
            Ask("/api/users", "POST"),
            Ask("/api/users", "DELETE"),
            Ask("/x", headers={"X-Bad": "1"}),
            Ask("/private/a", headers={"X-Secret": "s"}),
            Ask("/page", headers={"Host": "B.example"}),
            Ask("/page", "POST", {"Host": "b.example"}),
        ),
    ),
    Case(
        "paths",
        r"""
frontend web
    bind 127.0.0.1:{port}
    acl beg path_beg /api /rest
    acl end path_end .png .gif
    acl sub path_sub dmin
    acl dir path_dir static
    acl reg path_reg ^/v[0-9]+/users$
    acl regi path_reg -i ^/CASE
    acl len path_len 5
    acl query query -m sub debug=1
    acl pathq pathq -m beg /q?a=1
    use_backend two if beg or regi
    use_backend three if end !sub
    use_backend four if dir or reg
    use_backend three if query
    use_backend two if pathq
    use_backend four if len
    default_backend one
backend one
    server s 127.0.0.1:{one}
backend two
    server s 127.0.0.1:{two}
backend three
    server s 127.0.0.1:{three}
backend four
    server s 127.0.0.1:{four}
""",
        (
            *paths("/", "/api", "/apis/x", "/API", "/rest?x=1", "/x.png", "/x.png?a", "/admin/x.png", "/x.PNG"),
            *paths("/static", "/a/static/b", "/statics", "/v12/users", "/v1/users/", "/case/x", "/x/case", "/four"),
            *paths(
                "/x?debug=1", "/x?a=1&debug=12", "/q?a=1", "/q?a=12&b", "/q?b=1", "/%61pi", "/a%2Fb", "//api", "/x//y"
            ),
            *paths("/a/../api", "/x?", "/api?"),
        ),
    ),
    Case(
        "names-that-no-backend-has",
        r"""
frontend web
    bind 127.0.0.1:{port}
    use_backend %[hdr(host),map({folder}/hosts.map)] if {{ path /map }}
    use_backend %[hdr(host),map({folder}/hosts.map,gone)] if {{ path /gone }}
    use_backend three
    default_backend one
backend one
    server s 127.0.0.1:{one}
backend two
    server s 127.0.0.1:{two}
backend three
    server s 127.0.0.1:{three}
""",
        tuple(
            Ask(path, headers={"Host": host})
            for path in ("/map", "/gone", "/")
            for host in ("shop.example", "blog.example", "lost.example", "a.example")
        ),
    ),
    Case(
        "forwarded-proto",
        r"""
frontend web
    bind 127.0.0.1:{port}
    http-request redirect scheme https unless {{ hdr(x-forwarded-proto) https }} or {{ path_beg /open }}
    http-request set-header X-Seen %[req.hdr(x-forwarded-proto)]
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        (
            *paths("/", "/open"),
            *paths("/", "/open", headers={"X-Forwarded-Proto": "https"}),
            *paths("/", "/open", headers={"X-Forwarded-Proto": "wss"}),
            Ask("/", headers={"X-Hapy-Forwarded-Proto": "https"}),
        ),
        not_for=("nginx", "caddy"),
    ),
    Case(
        "hosts",
        r"""
frontend web
    bind 127.0.0.1:{port}
    acl a hdr(host) -i shop.example
    acl b hdr_beg(host) -i static. img.
    acl c hdr_end(host) -i .wild.example
    acl d hdr_dom(host) -i inner.example
    acl e hdr(host),field(1,:) -i ported.example
    acl f hdr_reg(host) -i ^m[0-9]\.
    acl g req.hdr(host),lower,host_only -m str low.example
    use_backend one if a
    use_backend two if b or f
    use_backend three if c
    use_backend four if d || e
    use_backend one if g
    http-request deny deny_status 404
backend one
    server s 127.0.0.1:{one}
backend two
    server s 127.0.0.1:{two}
backend three
    server s 127.0.0.1:{three}
backend four
    server s 127.0.0.1:{four}
""",
        tuple(
            Ask("/", headers={"Host": host})
            for host in (
                "shop.example",
                "SHOP.Example",
                "shop.example:8080",
                "x.shop.example",
                "static.example",
                "img.x",
                "a.wild.example",
                "wild.example",
                "x.inner.example",
                "inner.example.org",
                "xinner.example",
                "ported.example:81",
                "ported.example",
                "m7.example",
                "mm.example",
                "LOW.example:1",
                "nothing",
            )
        ),
    ),
    Case(
        "methods-headers-cookies-parameters",
        r"""
frontend web
    bind 127.0.0.1:{port}
    acl get method GET HEAD
    acl json hdr(accept) -i -m sub json
    acl has hdr(x-token) -m found
    acl cook req.cook(kind) -m str new
    acl param url_param(v) -m str 2
    acl has_param urlp(flag) -m found
    use_backend two if !get
    use_backend three if json has
    use_backend four if cook
    use_backend three if param
    use_backend two if has_param
    default_backend one
backend one
    server s 127.0.0.1:{one}
backend two
    server s 127.0.0.1:{two}
backend three
    server s 127.0.0.1:{three}
backend four
    server s 127.0.0.1:{four}
""",
        (
            Ask("/"),
            Ask("/", "POST", body="x"),
            Ask("/", "DELETE"),
            Ask("/", "HEAD"),
            Ask("/", "OPTIONS"),
            Ask("/", headers={"Accept": "text/JSON", "X-Token": "1"}),
            Ask("/", headers={"Accept": "application/json"}),
            Ask("/", headers={"Cookie": "kind=new"}),
            Ask("/", headers={"Cookie": "a=1; kind=new; b=2"}),
            Ask("/", headers={"Cookie": "kind=newer"}),
            Ask("/", headers={"Cookie": "xkind=new"}),
            Ask("/?v=2"),
            Ask("/?a=1&v=2&b=3"),
            Ask("/?v=22"),
            Ask("/?w=2"),
            Ask("/?flag"),
            Ask("/?flag=1"),
            Ask("/?noflag=1"),
            Ask("/x", "PUT", body="a" * 5000),
        ),
    ),
    Case(
        "redirects",
        r"""
frontend web
    bind 127.0.0.1:{port}
    http-request redirect scheme https code 301 if {{ hdr(host) -i secure.example }}
    http-request redirect scheme https if {{ path_beg /tls }}
    http-request redirect prefix https://new.example code 308 if {{ path_beg /moved }}
    http-request redirect prefix / drop-query if {{ path_beg /bare }}
    http-request redirect location https://%[hdr(host)]/to%[path] code 307 if {{ path_beg /made }}
    http-request redirect location /fixed?x=1 code 303 set-cookie SEEN=1 if {{ path /fix }}
    http-request redirect location / clear-cookie USER= if {{ path /logout }}
    redirect location https://late.example/ if {{ path /late }}
    default_backend one
backend one
    redirect prefix /v2 if {{ path_beg /old }}
    server s 127.0.0.1:{one}
""",
        (
            Ask("/x?y=1", headers={"Host": "secure.example"}),
            *paths("/tls/a?b=c", "/moved/x?q=1", "/bare/x?q=1", "/made/x?q=1", "/late", "/old/x?y", "/x", "/tls?"),
            *paths("/fix", "/logout", seen=("Set-Cookie",)),
            Ask("/moved/a", "POST", body="x"),
        ),
    ),
    Case(
        "request-headers",
        r"""
frontend web
    bind 127.0.0.1:{port}
    http-request set-header X-Proto http
    http-request set-header X-Host %[req.hdr(host)]
    http-request set-header X-Path "%[path] of %[method]"
    http-request set-header X-Src %[src]
    http-request add-header X-List b
    http-request set-header X-Api yes if {{ path_beg /api }}
    http-request del-header X-Secret
    http-request replace-header X-Repl ^(.*)-old$ \1-new
    http-request set-header Host inside.example if {{ path_beg /host }}
    http-request set-header X-Dollar "a\$b {{c}} \"d\" 100%%"
    default_backend one
backend one
    http-request set-header X-Backend one
    http-request del-header X-Other if {{ method POST }}
    server s 127.0.0.1:{one}
""",
        (
            Ask("/"),
            Ask("/api?x=1"),
            Ask("/host"),
            Ask("/", headers={"X-Proto": "fake", "X-List": "a", "X-Secret": "1", "X-Api": "faked", "X-Backend": "0"}),
            Ask("/", headers={"X-Repl": "some-old"}),
            Ask("/", headers={"X-Repl": "some-older"}),
            Ask("/", "POST", {"X-Other": "1"}, body="z"),
            Ask("/", "GET", {"X-Other": "1"}),
            Ask("/", headers={"X_Under": "1", "x-lower": "v"}),
        ),
    ),
    Case(
        "paths-with-signs",
        """
frontend web
    bind 127.0.0.1:{port}
    http-request deny if {{ path /admin }}
    http-request redirect prefix /moved drop-query code 301 if {{ path_beg /old }}
    http-request redirect location /login clear-cookie TIER if {{ path /logout }}
    http-request set-header X-Path "%[path]"
    http-request set-header X-Base "%[base]"
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        (
            Ask("/admin#x"),
            Ask("/#"),
            Ask("/a?b#c"),
            Ask("/ok%23x?q=%23"),
            Ask("/a%20b/%2E%2f?c=%20"),
            Ask("/old%20one%0d%0aX-Y:1?d"),
            Ask("/logout", seen=("Set-Cookie",)),
        ),
    ),
    Case(
        "headers-set-to-nothing",
        """
frontend web
    bind 127.0.0.1:{port}
    http-request set-header X-User %[req.hdr(x-given)]
    http-request add-header X-More %[req.hdr(x-given)]
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        (
            Ask("/none", headers={"X-User": "root"}),
            Ask("/given", headers={"X-User": "root", "X-Given": "me"}),
            Ask("/more", headers={"X-More": "1"}),
        ),
        unlike={"nginx": ("/none", "/more")},
    ),
    Case(
        "header-names-deleted",
        """
frontend web
    bind 127.0.0.1:{port}
    option http-restrict-req-hdr-names delete
    http-request set-header X-Seen yes if {{ hdr(x-plain) 1 }}
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        (
            Ask("/", headers={"X-Plain": "1", "X9": "2"}),
            Ask("/under", headers={"X_Under": "1", "X-Plain": "1"}),
            Ask("/dot", headers={"X.Dot": "1", "X*Y": "2", "X`Z": "3", "X#": "4", "X$'": "5", "Q": "6"}),
        ),
        unlike={"envoy": ("/dot",)},
    ),
    Case(
        "header-names-kept-by-one-backend",
        """
frontend web
    bind 127.0.0.1:{port}
    use_backend two if {{ path_beg /two }}
    default_backend one
backend one
    server s 127.0.0.1:{one}
backend two
    option http-restrict-req-hdr-names delete
    server s 127.0.0.1:{two}
""",
        (
            Ask("/one", headers={"X_Under": "1", "X.Dot": "1", "X~": "3"}),
            Ask("/two", headers={"X_Under": "1", "X.Dot": "1"}),
        ),
        lost={"nginx": ("option http-restrict",), "envoy": ("option http-restrict",)},
        unlike={"nginx": ("/two",), "envoy": ("/two",)},
    ),
    Case(
        "header-names-refused",
        """
frontend web
    bind 127.0.0.1:{port}
    option http-restrict-req-hdr-names reject
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        (Ask("/"), Ask("/under", headers={"X_Under": "1"})),
        lost={"nginx": ("option http-restrict",), "caddy": ("option http-restrict",)},
        unlike={"nginx": ("/under",), "caddy": ("/under",), "envoy": ("/under",)},
    ),
    Case(
        "response-headers",
        r"""
frontend web
    bind 127.0.0.1:{port}
    http-response set-header X-Frame-Options DENY
    http-response del-header X-Origin-Only
    http-response add-header Cache-Control no-store
    http-response set-header X-Both proxy
    default_backend one
    use_backend two if {{ path_beg /two }}
backend one
    http-response set-header X-Which one
    server s 127.0.0.1:{one}
backend two
    http-response set-header X-Which two
    http-response set-header X-Both second
    server s 127.0.0.1:{two}
""",
        paths(
            "/",
            "/two",
            "/status/404",
            "/status/500",
            "/status/204",
            seen=("X-Frame-Options", "X-Origin-Only", "Cache-Control", "X-Both", "X-Which", "Set-Cookie"),
        ),
    ),
    Case(
        "rewrites",
        r"""
frontend web
    bind 127.0.0.1:{port}
    http-request set-path /api%[path] if {{ hdr(host) -i api.example }}
    http-request replace-path ^/old/(.*)$ /new/\1 if {{ path_beg /old/ }}
    http-request replace-path /strip(/.*)? \1 if {{ path_beg /strip/ }}
    http-request set-path /one-page if {{ path /index }}
    http-request set-query v=1 if {{ path /version }}
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        (
            Ask("/x?y=1", headers={"Host": "api.example"}),
            *paths("/old/a/b?q=1", "/strip/a", "/strip/a?b=1", "/index?keep=1", "/version?x", "/other"),
        ),
    ),
    Case(
        "answers",
        r"""
frontend web
    bind 127.0.0.1:{port}
    http-request return status 200 content-type text/plain string "User-agent: *\nDisallow: /\n" if {{ path /robots.txt }}
    http-request return status 418 content-type application/x-tea string "tea" hdr X-Pot "full" if {{ path /tea }}
    http-request return content-type text/plain lf-string "you are %[src] at %[path]" if {{ path_beg /who }}
    http-request return status 204 if {{ path /nothing }}
    http-request deny deny_status 429 content-type text/plain string "slow" if {{ path /slow }}
    http-request deny deny_status 410 if {{ path /gone }}
    http-request deny if {{ path_beg /deny }}
    monitor-uri /alive
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        paths(
            "/robots.txt",
            "/tea",
            "/who/am/i?x",
            "/nothing",
            "/slow",
            "/gone",
            "/deny/x",
            "/alive",
            "/",
            seen=("X-Pot", "Content-Type"),
        ),
    ),
    Case(
        "allow-and-deny",
        r"""
frontend web
    bind 127.0.0.1:{port}
    acl inside src 127.0.0.1 10.0.0.0/8
    acl admin path_beg /admin
    http-request allow if {{ path /admin/ping }}
    http-request deny if admin !inside
    http-request deny if {{ src 127.0.0.3 }}
    http-request deny if {{ hdr(x-bad) -m found }} or {{ hdr_sub(user-agent) -i curl }}
    default_backend one
backend one
    http-request deny if {{ method TRACE DELETE }}
    server s 127.0.0.1:{one}
""",
        (
            *paths("/", "/admin", "/admin/ping"),
            *paths("/", "/admin", "/admin/ping", source="127.0.0.2"),
            *paths("/", "/admin", "/admin/ping", source="127.0.0.3"),
            Ask("/", headers={"X-Bad": "1"}),
            Ask("/", headers={"User-Agent": "a CURL b"}),
            Ask("/", "DELETE"),
            Ask("/admin/ping", headers={"X-Bad": "1"}),
        ),
    ),
    Case(
        "closed-by-address",
        r"""
frontend web
    bind 127.0.0.1:{port}
    tcp-request connection reject if {{ src 127.0.0.2 }}
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        (Ask("/"), Ask("/", source="127.0.0.2")),
        unlike={"envoy": ("/",)},
    ),
    Case(
        "passwords",
        r"""
userlist staff
    user ann insecure-password secret
    user bob password $5$hapyhapyhapyhapy$IOTGrRwXelgkSa4lernoo8b0zvVBgRmpAPwNZL7nSi9
frontend web
    bind 127.0.0.1:{port}
    http-request auth realm Inside unless {{ http_auth(staff) }}
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        (
            Ask("/", seen=("WWW-Authenticate",)),
            Ask("/", headers={"Authorization": "Basic YW5uOnNlY3JldA=="}),
            Ask("/", headers={"Authorization": "Basic YW5uOndyb25n"}),
            Ask("/bob", headers={"Authorization": "Basic Ym9iOnNlY3JldA=="}),
        ),
        lost={"caddy": ("http-request auth",), "envoy": ("http-request auth",)},  # bob's is kept as a hash
        unlike={"caddy": ("/bob",), "envoy": ("/bob",)},
    ),
    Case(
        "passwords-as-hashes",  # ann and carl: secret, as bcrypt; bob and dora: secret, as SHA-2
        r"""
userlist ops
    group adm users ann
    user ann password $2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW
    user bob password $5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA
    user eve insecure-password secret
userlist sha
    user dora password $6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1
    user ann password $2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW
frontend web
    bind 127.0.0.1:{port}
    http-request auth realm Ops if {{ path_beg /ops }} !{{ http_auth(ops) }}
    http-request return status 200 content-type text/plain string inside if {{ path /ops/in }}
    http-request auth realm Adm if {{ path_beg /adm }} !{{ http_auth_group(ops) adm }}
    http-request redirect location /there if {{ path /adm/go }}
    use_backend sha if {{ path_end /sha }}
    default_backend one
backend one
    server s 127.0.0.1:{one}
backend sha
    http-request auth realm Sha unless {{ http_auth(sha) }}
    server s 127.0.0.1:{two}
""",
        tuple(
            Ask(f"{path}?{name}", headers={"Authorization": f"Basic {given}"} if given else {})
            for path in ("/", "/ops", "/ops/in", "/adm", "/adm/go", "/sha", "/ops/sha", "/adm/sha")
            for name, given in _CREDENTIALS.items()
        ),
        lost={
            "caddy": ("http-request auth realm Ops", "http-request auth realm Sha"),
            "envoy": ("http-request auth",),
        },
        unlike={
            "caddy": ("/ops?bob", "/ops/in?bob", "/sha?dora"),
            "envoy": (
                *("/ops?ann", "/ops?bob", "/ops/in?ann", "/ops/in?bob", "/ops/sha?ann", "/ops/sha?eve"),
                *(f"{path}?{name}" for path in ("/adm", "/adm/go", "/adm/sha", "/sha") for name in _CREDENTIALS),
            ),
        },
    ),
    Case(
        "doors-of-streams",
        r"""
frontend t
    bind 127.0.0.1:{port}
    mode tcp
    tcp-request inspect-delay 5s
    tcp-request connection reject if !{{ src 127.0.0.0/16 }}
    tcp-request content accept if {{ req.ssl_hello_type 1 }}
    tcp-request content reject
    default_backend secure
frontend u
    bind 127.0.0.1:{other}
    mode tcp
    tcp-request connection accept if {{ src 127.0.0.2 }} or {{ src 127.0.3.0/24 }}
    tcp-request connection reject if !{{ src 127.0.0.0/16 127.2.2.1 }}
    tcp-request connection reject if {{ src 127.0.3.0/25 127.0.5.0/25 }}
    tcp-request connection reject if {{ src 127.0.4.0/24 }} !{{ fe_conn gt 1000 }}
    default_backend plain
backend secure
    mode tcp
    server s 127.0.0.1:{secure}
backend plain
    mode tcp
    server p 127.0.0.1:{one}
""",
        (
            *(Ask(f"/tls?{source}", tls="server.example", source=source) for source in ("127.0.0.1", "127.0.2.2")),
            Ask("/no-tls"),
            *(
                Ask(f"/{source}", port="other", source=source)
                for source in (
                    "127.0.0.2",
                    "127.0.0.3",
                    "127.0.3.1",
                    "127.0.3.200",
                    "127.0.4.1",
                    "127.1.0.1",
                    "127.2.2.1",
                    "127.0.5.1",
                )
            ),
        ),
        lost={
            "nginx": ("tcp-request connection reject if {{ src 127.0.4.0/24 }}",),
            "envoy": ("tcp-request connection reject if {{ src 127.0.4.0/24 }}",),
        },
        not_for=("caddy",),
    ),
    Case(
        "answers-by-any-name",  # endings, comments and queries in them change nothing
        r"""
frontend web
    bind 127.0.0.1:{port}
    errorfile 503 {folder}/503.http
    acl office src 127.0.0.2 2001:db8::/32 fd00::/8
    http-request return status 200 content-type text/plain string /ok if {{ path /health.json }}
    http-request return status 503 content-type text/html hdr Retry-After 120 string "<b>soon</b>" unless office
    http-request return status 200 content-type text/css string "/* none */" if {{ path_end .css }}
    http-request redirect code 302 location https://%[hdr(host)]/login?next=%[path] if {{ path /account }}
    http-response replace-header Location ^http://inside\.example(.*)$ https://a.example\1
    default_backend gone
    use_backend one if {{ path_beg /status }}
backend one
    server s 127.0.0.1:{one}
backend gone
    server s 127.0.0.1:{dead}
""",
        (
            *paths("/", "/health.json"),
            *paths("/a.css", "/account?x=1", "/status/301", "/page.html", source="127.0.0.2"),
        ),
    ),
    Case(
        "compressed-by-type",
        r"""
frontend web
    bind 127.0.0.1:{port}
    compression algo gzip
    compression type text/plain application/json
    http-request return status 200 content-type text/html string page if {{ path /page }}
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        paths("/", "/page", headers={"Accept-Encoding": "gzip"}),
        lost={"envoy": ("compression",)},
        unlike={"envoy": ("/",), "nginx": ("/page",)},
    ),
    Case(
        "files-of-patterns",
        r"""
frontend web
    bind 127.0.0.1:{port}
    acl blocked src -f {folder}/blocked.lst
    acl bots req.hdr(user-agent) -i -m sub -f {folder}/bots.lst
    acl own hdr(host) -i c.example -f {folder}/own.lst
    http-request deny if blocked
    http-request deny deny_status 429 if bots
    http-request deny deny_status 404 unless own
    http-request deny deny_status 405 if {{ path_beg /friends }} !{{ src -f {folder}/friends.lst }}
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        (
            *paths("/", "/friends"),
            *paths("/in", "/friends/2", source="127.0.0.2"),
            Ask("/3", source="127.0.0.3"),
            Ask("/evil", headers={"User-Agent": "EvilBot/1.0"}),
            Ask("/spider", headers={"User-Agent": "a Bad Spider b"}),
            Ask("/bad", headers={"User-Agent": "bad"}),
            Ask("/other", headers={"Host": "other.example"}),
            Ask("/own", headers={"Host": "B.EXAMPLE"}),
            Ask("/c", headers={"Host": "c.example"}),
        ),
    ),
    Case(
        "maps",
        r"""
frontend web
    bind 127.0.0.1:{port}
    http-request redirect code 301 location %[path,map({folder}/moved.map)] if {{ path,map({folder}/moved.map) -m found }}
    http-request set-header X-Tier "for %[req.hdr(x-customer),lower,map_str({folder}/tiers.map,free)]"
    http-request set-header X-Place %[src,map_ip({folder}/places.map,-)]
    http-request deny deny_status 410 if {{ path,map_beg({folder}/gone.map,no) -m str yes }}
    http-request deny deny_status 429 if !{{ req.hdr(x-customer),lower,map_str({folder}/tiers.map,free) -m beg f g s }} {{ path /t }}
    use_backend %[req.hdr(host),lower,map_dom({folder}/hosts.map,one)]
    default_backend four
backend one
    server s 127.0.0.1:{one}
backend two
    server s 127.0.0.1:{two}
backend three
    server s 127.0.0.1:{three}
backend four
    server s 127.0.0.1:{four}
""",
        (
            *paths(
                "/old", "/old/x", "/OLD", "/old?q", "/gone/x", "/gone/a", "/gone/but/that", "/gone/but/this/x", "/t"
            ),
            *(Ask(f"/{host}", headers={"Host": host}) for host in ("shop.example", "x.Blog.example", "lost.example")),
            *(Ask(f"/t?{one}", headers={"X-Customer": one}) for one in ("acme", "ACME", "beta", "zzz")),
            *(Ask(f"/{one}", source=one) for one in ("127.0.5.7", "127.0.5.8")),
        ),
        lost={"caddy": ("http-request set-header X-Place",)},
        unlike={"caddy": _NO_MAPS},
    ),
    Case(
        "parts-replaced",
        r"""
frontend web
    bind 127.0.0.1:{port}
    http-request set-header X-Sub %[req.hdr(host),regsub(\..*$,)]
    http-request set-header X-Id '%[path,regsub("^/user/([0-9]+).*$","id \1\1")]' if {{ path_beg /user/ }}
    http-request set-header X-Some a%[req.hdr(x-some),regsub(b|c,\$,i)]z
    http-request redirect location '/n%[path,regsub("old(er)?","new\1")]' if {{ path_beg /old }}
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        (
            *paths("/user/12/x", "/user/x", "/old/old", "/older"),
            *(Ask(f"/{one}", headers={"X-Some": one}) for one in ("abc", "xCx", "none")),
        ),
    ),
    Case(
        "order-of-what-is-changed",
        r"""
frontend web
    bind 127.0.0.1:{port}
    http-request set-header X-Tenant %[req.hdr(host),field(1,.)]
    http-request deny deny_status 413 if {{ req.hdr_val(content-length) gt 10 }}
    http-request replace-header X-Some b(.) <\1>
    http-request set-path /app%[path] if {{ hdr(host) -i app.example }}
    http-request replace-path /legacy/(.*)x /new/\1
    http-response add-header Set-Cookie "seen=1; Path=/"
    http-response set-header X-Both one
    http-response set-header X-Both two if {{ path /b }}
    http-response set-header X-Both three if {{ path_beg /b }}
    http-response del-header X-Gone
    default_backend one
backend one
    http-response set-header Set-Cookie "only=1"
    http-response set-header X-Gone 1
    server s 127.0.0.1:{one}
""",
        (
            *paths("/", "/b", "/b/c/d", seen=("Set-Cookie", "X-Both", "X-Gone")),
            *paths("/y", "/legacy/axy", "/a/legacy/bx", headers={"Host": "app.example", "X-Some": "abcd"}),
            *(Ask(f"/{size}", "POST", body="x" * size) for size in (1, 10, 11, 100)),
        ),
    ),
    Case(
        "paths-rewritten-before-they-are-asked",
        r"""
frontend web
    bind 127.0.0.1:{port}
    http-request set-path /app%[path] if {{ hdr(host) -i app.example }}
    http-request replace-path ^/legacy/(.*) /new/\1
    http-request deny if {{ path_beg /app/private }}
    http-request deny if {{ path /new/closed }}
    use_backend two if {{ path_beg /new/ }}
    use_backend three if {{ path_beg /app/ }}
    default_backend one
backend one
    server s 127.0.0.1:{one}
backend two
    server s 127.0.0.1:{two}
backend three
    server s 127.0.0.1:{three}
""",
        (
            *paths("/x", "/legacy/a", "/new/a", "/new/closed", "/legacy/closed", "/app/private/z", "/app"),
            *paths("/private", "/y", "/legacy/b", headers={"Host": "app.example"}),
        ),
    ),
    Case(
        "passwords-or-an-address",
        r"""
userlist u
    user ann insecure-password secret
    user eve password $2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW
frontend web
    bind 127.0.0.1:{port}
    http-request allow if {{ path_beg /pub }}
    http-request auth realm R unless {{ http_auth(u) }} or {{ src 127.0.0.2 }}
    http-request deny if {{ path_beg /never }}
    default_backend one
backend one
    acl in http_auth(u)
    acl in src 127.0.0.2
    http-request auth realm In if {{ path_beg /in }} !in
    server s 127.0.0.1:{one}
""",
        tuple(
            Ask(f"{path}?{name}-{source[-1]}", headers={"Authorization": given} if given else {}, source=source)
            for path in ("/", "/pub", "/in", "/pub/in")
            for name, given in (("ann", "Basic YW5uOnNlY3JldA=="), ("eve", "Basic ZXZlOnNlY3JldA=="), ("no", ""))
            for source in ("127.0.0.1", "127.0.0.2")
        ),
        lost={"envoy": ("http-request auth realm R", "http-request auth realm In")},  # eve's is kept as a hash
        unlike={"envoy": ("/?eve-1", "/in?eve-1")},
    ),
    Case(
        "guards-stay-shut",
        r"""
frontend web
    bind 127.0.0.1:{port}
    http-request deny if {{ path_beg /list }} !{{ fe_conn gt 0 }}
    http-request deny if {{ path_beg /busy }} {{ fe_conn gt 1000 }}
    http-request deny deny_status 404 unless {{ path_beg /busy /other }} or {{ fe_conn lt 1000 }}
    http-request reject if {{ path_beg /drop }} !{{ hdr_cnt(host) gt 5 }}
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        paths("/list", "/busy", "/other", "/drop", "/"),
        lost={
            **dict.fromkeys(("nginx", "caddy"), ("http-request deny", "http-request reject")),
            "envoy": ("http-request deny",),
        },
        unlike=dict.fromkeys(("nginx", "caddy", "envoy"), ("/list", "/drop", "/")),  # refused with 403
    ),
    Case(
        "weights",
        r"""
frontend web
    bind 127.0.0.1:{port}
    default_backend all
backend all
    balance roundrobin
    server a 127.0.0.1:{one} weight 1
    server b 127.0.0.1:{two} weight 2
    server c 127.0.0.1:{three} weight 0
    server d 127.0.0.1:{four} disabled
""",
        (Ask("/", times=12),),
    ),
    Case(
        "backups",
        r"""
frontend web
    bind 127.0.0.1:{port}
    use_backend up if {{ path_beg /up }}
    default_backend down
backend down
    option redispatch
    server a 127.0.0.1:{dead} check
    server b 127.0.0.1:{two} backup
backend up
    server a 127.0.0.1:{one}
    server b 127.0.0.1:{two} backup
""",
        (Ask("/", times=6), Ask("/up", times=6)),
    ),
    Case(
        "leastconn-and-hashes",
        r"""
frontend web
    bind 127.0.0.1:{port}
    use_backend least if {{ path_beg /least }}
    use_backend source if {{ path_beg /source }}
    use_backend header if {{ path_beg /header }}
    default_backend uri
backend least
    balance leastconn
    server a 127.0.0.1:{one}
    server b 127.0.0.1:{one}
backend source
    balance source
    hash-type consistent
    server a 127.0.0.1:{one}
    server b 127.0.0.1:{one}
backend header
    balance hdr(X-Who)
    server a 127.0.0.1:{one}
    server b 127.0.0.1:{one}
backend uri
    balance uri
    server a 127.0.0.1:{one}
    server b 127.0.0.1:{one}
""",
        paths("/least", "/source", "/header", "/x", times=4),
    ),
    Case(
        "dead-servers",
        r"""
frontend web
    bind 127.0.0.1:{port}
    use_backend both if {{ path_beg /both }}
    use_backend none if {{ path_beg /none }}
    default_backend dead
backend both
    option redispatch 1
    retries 2
    server a 127.0.0.1:{dead}
    server b 127.0.0.1:{one}
backend dead
    server a 127.0.0.1:{dead}
backend none
    server a 127.0.0.1:{one} disabled
""",
        (Ask("/both", times=6), Ask("/"), Ask("/none")),
    ),
    Case(
        "slow-servers-and-pages",
        r"""
frontend web
    bind 127.0.0.1:{port}
    default_backend slow
    use_backend dead if {{ path_beg /dead }}
    errorfile 403 {folder}/403.http
    http-request deny if {{ path_beg /no }}
backend slow
    timeout server 300ms
    errorfile 504 {folder}/504.http
    server a 127.0.0.1:{one}
backend dead
    errorfile 503 {folder}/503.http
    server a 127.0.0.1:{dead}
""",
        paths("/wait", "/quick", "/dead", "/no", seen=("X-Page", "Content-Type")),
    ),
    Case(
        "tls",
        r"""
frontend web
    bind 127.0.0.1:{port} ssl crt {folder}/own.pem alpn http/1.1 ssl-min-ver TLSv1.2
    bind 127.0.0.1:{other}
    http-request redirect scheme https unless {{ ssl_fc }}
    http-request set-header X-Forwarded-Proto https
    http-request set-header X-Name %[ssl_fc_sni]
    http-response set-header Strict-Transport-Security "max-age=63072000"
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        (
            Ask("/a", tls="a.example", seen=("Strict-Transport-Security",)),
            Ask("/a?b", port="other"),
            Ask("/a", tls="x.wild.example"),
            Ask("/a", tls="b.example"),
        ),
    ),
    Case(
        "tls-to-servers",
        r"""
frontend web
    bind 127.0.0.1:{port}
    use_backend checked if {{ path_beg /checked }}
    use_backend wrong if {{ path_beg /wrong }}
    use_backend named if {{ path_beg /named }}
    use_backend misnamed if {{ path_beg /misnamed }}
    use_backend hosted if {{ path_beg /hosted }}
    default_backend plain
backend plain
    server s 127.0.0.1:{secure} ssl verify none
backend checked
    server s 127.0.0.1:{secure} ssl verify required ca-file {folder}/ca.pem sni str(server.example)
backend wrong
    server s 127.0.0.1:{secure} ssl verify required ca-file {folder}/other-ca.pem sni str(server.example)
backend named
    server s 127.0.0.1:{secure} ssl verify required ca-file {folder}/ca.pem verifyhost server.example
backend misnamed
    server s 127.0.0.1:{secure} ssl verify required ca-file {folder}/ca.pem verifyhost other.example
backend hosted
    server s 127.0.0.1:{secure} ssl verify required ca-file {folder}/ca.pem sni req.hdr(host)
""",
        (
            *paths("/", "/checked", "/wrong", "/named", "/misnamed"),
            *paths("/hosted", headers={"Host": "server.example"}),
            *paths("/hosted/bad", headers={"Host": "b.example"}),
        ),
    ),
    Case(
        "client-certificates",
        r"""
frontend web
    bind 127.0.0.1:{port} ssl crt {folder}/own.pem verify required ca-file {folder}/ca.pem
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        (Ask("/", tls="a.example"),),
        unlike={"nginx": ("/",)},  # a client without a certificate gets an answer of 400
    ),
    Case(
        "cookies-of-one-address",
        r"""
frontend web
    bind 127.0.0.1:{port}
    default_backend all
backend all
    cookie SRV insert indirect nocache
    server a 127.0.0.1:{one} cookie a
    server b 127.0.0.1:{one} cookie b
""",
        (Ask("/"),),
        lost={"nginx": ("cookie SRV",)},
    ),
    Case(
        "cookies",
        r"""
listen l
    bind 127.0.0.1:{port}
    cookie S insert indirect nocache httponly secure domain .a.example attr "SameSite=Strict"
    http-response set-header Cache-Control max-age=1
    server s1 127.0.0.1:{one} cookie a
    server s2 127.0.0.1:{two} cookie b
    server s3 127.0.0.1:{dead} disabled
listen m
    bind 127.0.0.1:{other}
    cookie S-1 insert
    balance source
    server s1 127.0.0.1:{three} cookie a
    server s2 127.0.0.1:{four}
    server s3 127.0.0.1:{dead} cookie c disabled
""",
        (
            Ask("/first", seen=("Set-Cookie", "Cache-Control")),  # of new servers the first is asked
            *(
                Ask(f"/{number}", headers={"Cookie": cookie}, seen=("Set-Cookie", "Cache-Control"))
                for number, cookie in enumerate(
                    ("S=a", "S=b", "x=1; S=a", "S=b; y=2", "x=1; S=a; y=2", "x=1;S=b;y=2", "xS=a; S=b", "S=a; xS=b")
                )
            ),
            Ask("/own", headers={"Cookie": "S-1=a; y"}, port="other", seen=("Set-Cookie", "Cache-Control")),
        ),
        not_for=("caddy", "envoy"),
    ),
    Case(
        "cookies-of-applications",
        r"""
listen l
    bind 127.0.0.1:{port}
    cookie app
    server s1 127.0.0.1:{one} cookie a
    server s2 127.0.0.1:{two} cookie b
listen m
    bind 127.0.0.1:{other}
    cookie id prefix
    server s1 127.0.0.1:{three} cookie a
    server s2 127.0.0.1:{four} cookie b
""",
        tuple(Ask(f"/{value}", headers={"Cookie": f"app={value}; x=a"}) for value in ("a", "a", "b", "b")),
        lost={"nginx": ("cookie id",), "caddy": ("cookie app", "cookie id"), "envoy": ("cookie app", "cookie id")},
        unlike={"caddy": ("/a", "/b"), "envoy": ("/a", "/b")},
    ),
    Case(
        "clients-that-keep-to-a-server",
        r"""
listen l
    bind 127.0.0.1:{port}
    stick-table type ip size 1m expire 30m
    stick on src
    server s1 127.0.0.1:{one}
    server s2 127.0.0.1:{one}
""",
        (Ask("/a"), Ask("/b", source="127.0.0.2")),
    ),
    Case(
        "what-caches-are-told",
        r"""
frontend f
    bind 127.0.0.1:{port}
    monitor-uri /alive
    http-request redirect location /n code 301 if {{ path /301 }}
    http-request redirect location /n code 302 if {{ path /302 }}
    http-request redirect location /n code 303 if {{ path /303 }}
    http-request redirect location /n code 307 if {{ path /307 }}
    http-request redirect location /n code 308 if {{ path /308 }}
    http-request redirect location https://x.example/n set-cookie A=1 if {{ path /cookie }}
    http-request redirect scheme https if {{ path_beg /scheme }}
    http-request redirect prefix https://x.example code 307 if {{ path_beg /prefix }}
    http-request deny deny_status 429 if {{ path /429 }}
    http-request deny if {{ path /403 }}
    http-request return status 200 content-type text/plain string x if {{ path /return }}
    http-request return status 404 content-type text/plain string x if {{ path /return/404 }}
    http-request return status 404 if {{ path /return/nothing }}
    http-request return status 302 hdr Location /q if {{ path /return/302 }}
    use_backend dead if {{ path /dead }}
    use_backend live if {{ path_beg /status /live }}
backend live
    server s1 127.0.0.1:{one}
backend dead
    errorloc302 503 /sorry
    server s1 127.0.0.1:{dead}
""",
        tuple(
            Ask(f"/{path}", seen=("Cache-Control", "Location"))
            for path in (
                *("alive", "301", "302", "303", "307", "308", "cookie", "scheme/a", "prefix/b?x=1", "429", "403"),
                *("return", "return/404", "return/nothing", "return/302", "dead", "live", "nowhere"),
                *("status/404", "status/500", "status/302"),
            )
        ),
    ),
    Case(
        "compression",
        r"""
frontend web
    bind 127.0.0.1:{port}
    compression algo gzip
    compression type text/html application/json
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        (
            Ask("/", headers={"Accept-Encoding": "gzip", "X-Long": "long " * 200}),
            Ask("/", headers={"X-Long": "long " * 200}),
        ),
        lost={"envoy": ("compression",)},
        unlike={"envoy": ("/",)},
    ),
    Case(
        "forwardfor",
        r"""
frontend web
    bind 127.0.0.1:{port}
    option forwardfor
    use_backend other if {{ path_beg /other }}
    use_backend none if {{ path_beg /none }}
    default_backend one
backend one
    server s 127.0.0.1:{one}
backend other
    option forwardfor header X-Client if-none
    server s 127.0.0.1:{two}
backend none
    option forwardfor except 127.0.0.0/8
    server s 127.0.0.1:{three}
""",
        (
            Ask("/"),
            Ask("/", headers={"X-Forwarded-For": "192.0.2.7"}),
            Ask("/other"),
            Ask("/other", headers={"X-Client": "192.0.2.8"}),
            Ask("/none"),
        ),
        unlike={"envoy": ("/none",)},
    ),
    Case(
        "forwardfor-except",
        r"""
frontend web
    bind 127.0.0.1:{port}
    option forwardfor except 127.0.0.1
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        (Ask("/"), Ask("/", headers={"X-Forwarded-For": "192.0.2.7"}), Ask("/", source="127.0.0.2")),
        unlike={"envoy": ("/",)},
    ),
    Case(
        "changed-headers",
        r"""
frontend web
    bind 127.0.0.1:{port}
    http-request set-header X-Kind inner if {{ path_beg /in }}
    http-request del-header X-Gone
    http-request set-header Host inside.example if {{ path_beg /host }}
    http-request deny deny_status 404 if {{ hdr(x-gone) -m found }}
    http-request set-header X-Saw "%[req.hdr(X-Kind)] for %[req.hdr(host)]"
    use_backend two if {{ hdr(x-kind) inner }} or {{ hdr(host) inside.example }}
    default_backend one
backend one
    server s 127.0.0.1:{one}
backend two
    server s 127.0.0.1:{two}
""",
        (
            Ask("/"),
            Ask("/in"),
            Ask("/host"),
            Ask("/", headers={"X-Kind": "inner"}),
            Ask("/", headers={"X-Gone": "1"}),
            Ask("/", headers={"X-Kind": "outer"}),
        ),
    ),
    Case(
        "websockets",
        r"""
frontend web
    bind 127.0.0.1:{port}
    acl ws hdr(upgrade) -i websocket
    use_backend ws if ws
    default_backend one
backend one
    server s 127.0.0.1:{one}
backend ws
    timeout tunnel 1h
    server s 127.0.0.1:{two}
""",
        (
            Ask(
                "/chat",
                headers={
                    "Connection": "Upgrade",
                    "Upgrade": "websocket",
                    "Sec-WebSocket-Version": "13",
                    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
                },
            ),
            Ask("/chat"),
        ),
    ),
    Case(
        "rates",
        r"""
frontend web
    bind 127.0.0.1:{port}
    stick-table type ip size 10k expire 30s store http_req_rate(10s)
    http-request track-sc0 src
    http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt 100 }}
    default_backend one
backend one
    server s 127.0.0.1:{one} maxconn 50
""",
        (Ask("/"),),
        lost=dict.fromkeys(
            ("nginx", "caddy", "envoy"), ("stick-table", "http-request track-sc0", "http-request deny deny_status 429")
        ),
    ),
    Case(
        "tcp",
        r"""
listen raw
    bind 127.0.0.1:{port}
    mode tcp
    balance roundrobin
    server a 127.0.0.1:{one}
    server b 127.0.0.1:{two}
frontend front
    bind 127.0.0.1:{other}
    mode tcp
    tcp-request connection reject if {{ src 127.0.0.2 }}
    default_backend back
backend back
    mode tcp
    server c 127.0.0.1:{three}
""",
        (Ask("/x", times=6, evenly=False), Ask("/y", port="other"), Ask("/y", port="other", source="127.0.0.2")),
        not_for=("caddy",),
    ),
    Case(
        "tls-by-name",
        r"""
frontend names
    bind 127.0.0.1:{port}
    mode tcp
    tcp-request inspect-delay 5s
    tcp-request content accept if {{ req.ssl_hello_type 1 }}
    use_backend first if {{ req.ssl_sni -i a.example }}
    use_backend second if {{ req.ssl_sni -m end .wild.example }}
    default_backend second
backend first
    mode tcp
    server s 127.0.0.1:{secure}
backend second
    mode tcp
    server s 127.0.0.1:{dead}
""",
        (Ask("/x", tls="-"), Ask("/x", tls="server.example")),
        not_for=("caddy",),
    ),
    Case(
        "proxy-protocol",
        r"""
frontend web
    bind 127.0.0.1:{port}
    default_backend one
backend one
    server web 127.0.0.1:{proxied} send-proxy
frontend raw
    bind 127.0.0.1:{other}
    mode tcp
    default_backend two
backend two
    mode tcp
    server s 127.0.0.1:{proxied} send-proxy
""",
        (Ask("/x", port="other"), Ask("/x")),
        lost={"nginx": ("server web",)},
        unlike={"nginx": ("/x",)},
        not_for=("caddy",),
    ),
    Case(
        "unix-sockets",
        r"""
frontend web
    bind 127.0.0.1:{port}
    default_backend one
backend one
    server s unix@{unix}
""",
        paths("/x", "/y?z"),
    ),
    Case(
        "backends-by-name",
        r"""
frontend web
    bind 127.0.0.1:{port}
    use_backend %[path,field(2,/)] if {{ path_beg /one /two }}
    use_backend %[req.hdr(x-to)] if {{ req.hdr(x-to) -m found }}
    default_backend one
backend one
    server s 127.0.0.1:{one}
backend two
    server s 127.0.0.1:{two}
""",
        (
            Ask("/"),
            Ask("/x", headers={"X-To": "two"}),
            Ask("/x", headers={"X-To": "one"}),
            *paths("/two/x", "/one", "/two"),
        ),
    ),
    Case(
        "listen-and-defaults",
        r"""
listen web
    bind 127.0.0.1:{port}
    bind 127.0.0.1:{other}
    http-request deny if {{ dst_port {other} }} {{ path_beg /private }}
    http-request set-header X-Port %[dst_port]
    option httpclose
    server a 127.0.0.1:{one}
listen disabled
    bind 127.0.0.1:1
    disabled
    server a 127.0.0.1:{two}
backend unused
    server a 127.0.0.1:{two}
""",
        (Ask("/private"), Ask("/private", port="other"), Ask("/", port="other")),
    ),
    Case(
        "ids-and-methods",
        r"""
frontend web
    bind 127.0.0.1:{port}
    unique-id-format %[src]-%[path]
    unique-id-header X-Unique
    http-request set-method GET if {{ path /to-get }}
    option originalto
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        (Ask("/x"), Ask("/to-get", "PUT")),
        lost={
            "caddy": ("option originalto",),
        },
        unlike={
            "caddy": ("/x", "/to-get"),
        },
    ),
    Case(
        "retries-and-methods",
        r"""
frontend web
    bind 127.0.0.1:{port}
    option http-server-close
    http-request deny unless {{ method GET POST }}
    default_backend one
backend one
    retries 3
    retry-on conn-failure empty-response
    http-reuse never
    server a 127.0.0.1:{one} maxconn 20
""",
        (Ask("/x"), Ask("/x", "PUT"), Ask("/x", "POST", body="b")),
    ),
    Case(
        "health-checks",
        r"""
frontend web
    bind 127.0.0.1:{port}
    use_backend raw if {{ path_beg /raw }}
    default_backend one
backend one
    option httpchk
    http-check send meth GET uri /health ver HTTP/1.1 hdr Host checked.example
    http-check expect status 200
    server a 127.0.0.1:{one} check inter 1s fall 2 rise 1
    server b 127.0.0.1:{one} check inter 1s fall 2 rise 1
backend raw
    option tcp-check
    server a 127.0.0.1:{two} check inter 1s
""",
        (Ask("/x", times=4), Ask("/raw")),
    ),
    Case(
        "names-of-tls-in-http",
        r"""
frontend web
    bind 127.0.0.1:{port} ssl crt {folder}/own.pem
    use_backend two if {{ ssl_fc_sni x.wild.example }}
    use_backend three if {{ ssl_fc_sni -m end .other.example }}
    default_backend one
backend one
    server s 127.0.0.1:{one}
backend two
    server s 127.0.0.1:{two}
backend three
    server s 127.0.0.1:{three}
""",
        (Ask("/a", tls="a.example"), Ask("/b", tls="x.wild.example")),
    ),
    Case(
        "many-answers-and-the-rest",
        r"""
frontend web
    bind 127.0.0.1:{port}
    maxconn 100
    acl static path_end .css .js
    acl good hdr(x-key) k1 k2
    http-request return status 404 content-type text/plain string "no" if static !good
    http-request deny deny_status 401 if {{ path_beg /sec }} !good !{{ src 127.0.0.9 }}
    http-request redirect location /new code 302 if {{ path -m str /a /b }} good
    http-request set-header X-Good yes if good
    http-request set-header X-Good no unless good
    use_backend two if static
    default_backend one
backend one
    server s 127.0.0.1:{one}
backend two
    server s 127.0.0.1:{two}
""",
        tuple(
            Ask(path, headers={"X-Key": key} if key else {})
            for path in ("/a", "/b?x", "/c", "/x.css", "/sec/x", "/sec.js")
            for key in ("", "k1", "k3")
        ),
        lost={"caddy": ("maxconn",)},
    ),
    Case(
        "passwords-in-clear",
        r"""
userlist staff
    group ops users root
    group dev users ann
    user root insecure-password s3cret
    user ann insecure-password other
frontend web
    bind 127.0.0.1:{port}
    acl known http_auth(staff)
    acl ops http_auth_group(staff) ops
    http-request auth realm "Admin's" if {{ path_beg /admin }} !ops
    http-request auth if {{ path_beg /dev }} !known
    http-request set-header X-Known yes if known
    default_backend one
backend one
    http-request auth if {{ path_beg /back }} !{{ http_auth(staff) }}
    server s 127.0.0.1:{one}
""",
        tuple(
            Ask(path, headers={"Authorization": given} if given else {}, seen=("WWW-Authenticate",))
            for path in ("/", "/admin/x", "/dev", "/back")
            for given in ("", "Basic cm9vdDpzM2NyZXQ=", "basic  YW5uOm90aGVy", "Basic YW5uOmJhZA==", "Bearer x")
        ),
    ),
    Case(
        "maintenance",
        r"""
frontend web
    bind 127.0.0.1:{port}
    errorfile 503 {folder}/503.http
    use_backend app if {{ src 127.0.0.2 127.0.4.0/22 }}
    http-request return status 503 content-type text/plain string "soon" hdr Retry-After 60 if !{{ src 127.0.0.2 127.0.4.0/22 }} {{ path /soon }}
    default_backend closed
backend app
    server s 127.0.0.1:{one}
backend closed
""",
        (
            *paths("/", "/soon", seen=("X-Page", "Retry-After")),
            *paths("/", "/soon", source="127.0.0.2"),
            *paths("/", "/soon", source="127.0.7.255"),
            *paths("/", "/soon", source="127.0.8.0"),
        ),
    ),
    Case(
        "pages-of-backends",
        r"""
frontend web
    bind 127.0.0.1:{port}
    use_backend own if {{ path_beg /own }}
    use_backend late if {{ path_beg /wait }}
    default_backend plain
backend own
    errorfile 503 {folder}/503.http
    server s 127.0.0.1:{dead}
backend plain
    server s 127.0.0.1:{dead}
backend late
    timeout server 300ms
    errorfile 504 {folder}/504.http
    server s 127.0.0.1:{one}
""",
        paths("/", "/own", "/wait", seen=("X-Page",)),
    ),
    Case(
        "variables-counts-and-lengths",
        r"""
frontend web
    bind 127.0.0.1:{port} ssl crt {folder}/own.pem
    bind 127.0.0.1:{other}
    http-request set-var(txn.from) req.hdr(origin)
    http-request set-var(txn.name) req.hdr(host),lower
    http-request set-var(txn.team) bool(true) if {{ hdr(x-team) a b }} {{ path_beg /team }} || {{ hdr(x-boss) -m found }}
    http-request deny deny_status 404 if !{{ var(txn.team) -m bool }} {{ path_beg /team }}
    http-request deny deny_status 400 if {{ hdr_cnt(x-key) 0 }} {{ path_beg /keyed }}
    http-request deny deny_status 413 if {{ req.hdr(x-size) -m int gt 1999 }}
    http-request deny deny_status 405 if {{ url_len gt 1500 }}
    http-request deny deny_status 410 if {{ path_len lt 3 }} {{ hdr_cnt(x-short) gt 0 }}
    http-request deny deny_status 429 if {{ req.hdr(user-agent) -m reg -i (curl|wget|python|nikto|sqlmap|nmap|masscan|zgrab|semrush|ahrefs|majestic|dotbot|petalbot) }}
    use_backend two if {{ var(txn.name) -m beg img. }}
    default_backend one
backend one
    http-request set-header X-From "%[var(txn.from)]" if {{ var(txn.from) -m end .example }}
    server s 127.0.0.1:{one}
backend two
    server s 127.0.0.1:{two}
""",
        (
            *paths("/", "/keyed", "/" + "x" * 1600, port="other"),
            *(Ask("/keyed", headers={"X-Key": value}, port="other") for value in ("1", "a,b")),
            *(
                Ask("/", headers={"X-Size": value}, port="other")
                for value in ("1999", "2000", "02000", "10000", "x", "9")
            ),
            Ask("/ab", headers={"X-Short": "1"}, port="other"),
            Ask("/a", headers={"X-Short": "1"}, port="other"),
            Ask("/", headers={"User-Agent": "An AhrefsBot"}, port="other"),
            Ask("/", headers={"Host": "IMG.x"}, port="other"),
            Ask("/", headers={"Origin": "https://a.example"}, port="other"),
            Ask("/", headers={"Origin": "https://b.test"}, tls="a.example"),
            *(Ask("/team/x", headers={"X-Team": value}, port="other") for value in ("a", "c")),
            Ask("/team", headers={"X-Boss": "1"}, port="other"),
        ),
    ),
    Case(
        "addresses-put-together",
        r"""
frontend web
    bind 127.0.0.1:{port}
    http-request redirect code 301 location http://www.%[hdr(host)]%[capture.req.uri] if {{ hdr(host) -i a.example }}
    http-request deny deny_status 404 if {{ dst_port {port} }} {{ path /port }}
    http-request set-header X-Inside yes if {{ src 127.0.0.0/30 }}
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        (
            Ask("/x?y=1"),
            Ask("/port", headers={"Host": "b.example"}),
            *(Ask("/", headers={"Host": "b.example"}, source=f"127.0.0.{last}") for last in (1, 3, 4)),
        ),
    ),
    Case(
        "what-is-not-so",
        r"""
frontend web
    bind 127.0.0.1:{port}
    http-request set-header X-No-Cookie yes if !{{ req.cook(a) -m found }}
    http-request set-header X-Other-Cookie yes unless {{ req.cook(a) 1 }}
    http-request return status 200 content-type text/plain string "no query" if !{{ query -m found }} {{ path /query }}
    http-request return status 200 content-type text/plain string "no parameter" if !{{ url_param(p) -m found }} {{ path /p }}
    http-request return status 200 content-type text/plain string "other parameter" if !{{ url_param(p) 1 2 }} {{ path /p }}
    http-request return status 200 content-type text/plain string "other key" if !{{ hdr(x-key) k1 k2 }} {{ path /key }}
    http-request return status 200 content-type text/plain string "no key" unless {{ hdr(x-key) -m found }} || !{{ path /any }}
    http-request return status 200 content-type text/plain string "host" if !{{ hdr(host) -i a.example }} !{{ hdr_end(host) .b.example }}
    http-request return status 200 content-type text/plain string "outside" if !{{ src 127.0.0.1 }}
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        (
            *paths("/", "/query", "/query?", "/query?x", "/p", "/p?p=1", "/p?p=", "/p?q=1&p=3", "/key", "/any"),
            *(Ask("/", headers={"Cookie": value}) for value in ("a=1", "a=2", "b=1", "ba=1", "a=")),
            *(Ask(path, headers={"X-Key": value}) for path in ("/key", "/any") for value in ("k1", "k3")),
            *(Ask("/", headers={"Host": value}) for value in ("A.example", "x.b.example", "c")),
            Ask("/", source="127.0.0.2"),
        ),
    ),
    Case(
        "parts-of-what-may-be-missing",
        r"""
frontend web
    bind 127.0.0.1:{port}
    http-request set-header X-1 yes if {{ req.cook(k) -m beg ab }}
    http-request set-header X-2 yes if !{{ req.cook(k) -m sub b }}
    http-request set-header X-3 yes if {{ url_param(k) -m end b }} || {{ hdr(x-k) -m reg ^a }}
    default_backend one
backend one
    http-request set-header X-4 yes if !{{ url_param(k) -m reg b$ }}
    http-request set-header X-5 yes if !{{ hdr(x-k) -m sub b }}
    server s 127.0.0.1:{one}
""",
        (
            *paths("/", "/?k", "/?k=", "/?k=ab", "/?k=abc", "/?j=1&k=xb"),
            *(Ask("/", headers={"Cookie": value}) for value in ("k=ab", "k=abc", "k=cab; j=1", "j=ab", "k=x", "k=")),
            *(Ask("/", headers={"X-K": value}) for value in ("a", "ab", "ba", "x")),
        ),
    ),
    Case(
        "answers-on-conditions",
        r"""
frontend web
    bind 127.0.0.1:{port}
    http-request set-var(txn.origin) req.hdr(origin)
    http-response set-header Access-Control-Allow-Origin %[var(txn.origin)] if {{ var(txn.origin) -m end .example }}
    http-response add-header X-Both proxy if {{ method POST }}
    use_backend two if {{ path_beg /two }}
    default_backend one
backend one
    server s 127.0.0.1:{one}
backend two
    http-response set-header X-Which two if {{ path_end .css }}
    http-response set-header X-Frame-Options DENY
    server s 127.0.0.1:{two}
""",
        tuple(
            Ask(
                path,
                method,
                {"Origin": origin} if origin else {},
                seen=("Access-Control-Allow-Origin", "X-Both", "X-Which", "X-Frame-Options"),
            )
            for path in ("/", "/two", "/two.css")
            for method in ("GET", "POST")
            for origin in ("", "https://a.example", "https://b.test")
        ),
    ),
    Case(
        "headers-set-and-deleted-in-turn",
        r"""
frontend web
    bind 127.0.0.1:{port}
    http-request set-header X-A 1
    http-request set-header X-B 1
    http-request del-header x-a
    http-request set-header X-A 2 if {{ path /x }}
    http-request add-header X-C one if {{ path_beg /x }}
    http-request add-header X-C two
    http-request del-header X-B if {{ path /y }}
    http-request set-path '%[path,regsub("^/a+/([a-z])",/b/\1-,i)]'
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        (
            *paths("/", "/x", "/y", "/aa/xyz", "/A/xyz", "/c/a/x", "/a/1"),
            Ask("/x", "POST", {"X-A": "client", "X-C": "client"}),
            Ask("/", "POST", {"X-A": "client", "X-B": "client"}),
        ),
    ),
    Case(
        "lists-in-headers",
        r"""
frontend web
    bind 127.0.0.1:{port}
    http-request deny if {{ hdr(x-for) 192.0.2.1 }}
    http-request deny deny_status 404 if {{ req.hdr(x-for) -i -m beg bad+ }}
    http-request deny deny_status 429 unless {{ hdr(x-all) good }} or !{{ hdr(x-all) -m found }}
    http-request deny deny_status 410 if {{ req.fhdr(x-for) "a, b" }}
    default_backend one
backend one
    server s 127.0.0.1:{one}
""",
        (
            *(
                Ask(f"/{number}", headers={"X-For": value})
                for number, value in enumerate(
                    ("192.0.2.1", "10.0.0.1, 192.0.2.1", "192.0.2.1,a", "192.0.2.11", "a,192.0.2.1 ,b", "a, b", "BAD+x")
                )
            ),
            Ask("/list", headers={"X-For": "x, Bad+", "X-All": "a,good"}),
            Ask("/all", headers={"X-All": "a,good"}),
            Ask("/none", headers={"X-All": "goods"}),
        ),
    ),
    Case(
        "texts-made-before-a-path-changes",
        r"""
listen l
    bind 127.0.0.1:{port}
    http-request set-path /index.html if {{ path_beg /users }}
    http-request set-header X-Seen %[path]
    http-request replace-path /api/(.*) /\1
    server s 127.0.0.1:{one}
listen m
    bind 127.0.0.1:{other}
    option forwardfor if-none
    http-request add-header X-Forwarded-For 192.0.2.1 if {{ path /add }}
    server s 127.0.0.1:{two} weight 10
    server t 127.0.0.1:{two} weight 20
    server u 127.0.0.1:{three} backup
""",
        (*paths("/users/1", "/api/x?y=1", "/"), Ask("/add", port="other"), Ask("/", port="other")),
        lost={
            "caddy": ("server u",),
        },
    ),
    Case(
        "conditions-on-answers",
        r"""
listen l
    bind 127.0.0.1:{port}
    http-response set-header X-Status s%[status]
    http-response set-header X-Was %[res.hdr(x-both)]!
    http-response set-header X-Failed yes if {{ status 500 502 }}
    http-response set-header X-Bad yes if {{ status ge 400 }} !{{ status 404 }}
    http-response set-header X-Kind json if {{ res.hdr(content-type) -m beg application/ }}
    http-response del-header X-Origin-Only if {{ res.hdr(x-both) origin }} {{ status 404 }}
    http-response set-header X-None yes if !{{ res.hdr(x-nothing) -m found }}
    server s 127.0.0.1:{one}
""",
        tuple(
            Ask(path, seen=("X-Status", "X-Was", "X-Failed", "X-Bad", "X-Kind", "X-Origin-Only", "X-None"))
            for path in ("/", "/status/500", "/status/404", "/status/403", "/status/302", "/status/204")
        ),
    ),
)

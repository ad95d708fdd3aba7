"""Configurations that look at what a request may hold several of: lists, cookies and parameters of one name."""

from __future__ import annotations

from tests.hapy_config.translate.side_by_side import Ask
from tests.hapy_config.translate.translation_cases import Case, paths


def _each(header: str, *values: str) -> tuple[Ask, ...]:
    """One request for each value of a header; what is asked for tells them apart."""
    return tuple(Ask(f"/{number}", headers={header: value}) for number, value in enumerate(values))


SEVERAL: tuple[Case, ...] = (
    Case(
        "each-cookie-of-a-name",
        r"""
listen l
    bind 127.0.0.1:{port}
    http-request deny deny_status 401 if {{ req.cook(a) 2 }}
    http-request deny deny_status 405 if {{ req.cook(b) -m beg ad }}
    http-request deny deny_status 404 if {{ req.cook(c) -m reg -i ^X[0-9]+$|.*zz$ }}
    http-request deny deny_status 410 if {{ req.cook(d) -m found }}
    http-request deny deny_status 413 if {{ req.cook(e) -m sub q }}
    http-request deny deny_status 400 if {{ req.cook(f) -m end w }}
    http-request deny deny_status 502 if {{ req.cook_val(g) gt 15 }} || {{ req.cook(h) -m len lt 3 }}
    server s 127.0.0.1:{one}
""",
        _each(
            "Cookie",
            *(
                "a=1; a=2",
                "a=2; a=1",
                "a=1, a=2",
                "xa=2",
                "A=2",
                "a = 2",
                "b=x; b=admin",
                "b=xad",
                "c=x12",
                "c=q; c=X9",
            ),
            *("C=X9", "c=azz; d", "c=x12y", "d=", "d=1", "x=d; d=3", "e=aqb", "e=a; x=q", "f=ew; x", "f=we", "g=16"),
            *("g=9; g=016", "g=9", "h=12", "h=123"),
        ),
    ),
    Case(
        "each-parameter-of-a-name",
        r"""
listen l
    bind 127.0.0.1:{port}
    http-request deny deny_status 401 if {{ url_param(a) 2 }}
    http-request deny deny_status 405 if {{ url_param(b) -m beg ad }}
    http-request deny deny_status 404 if {{ url_param(c) -m reg -i ^X[0-9]+$|.*zz$ }}
    http-request deny deny_status 410 if {{ url_param(d) -m found }}
    http-request deny deny_status 413 if {{ url_param(e) -m sub q }}
    http-request deny deny_status 400 if {{ url_param(f) -m end w }}
    http-request deny deny_status 502 if {{ url_param(g) -m int gt 15 }} || {{ url_param(h) -m len 3 }}
    http-request deny deny_status 500 if {{ url_param(i) -m int lt 25 }} || {{ url_param(j) -m int eq 7 }}
    server s 127.0.0.1:{one}
""",
        tuple(
            Ask(f"/?{query}")
            for query in (
                *("a=1&a=2", "a=2&a=1", "a=1;a=2", "xa=2", "A=2", "a=%32", "b=x&b=admin", "b=xad", "c=x12", "c=q&c=X9"),
                *("C=X9", "c=azz;d", "c=x12y", "d=", "d=1", "x=d&d=3", "e=aqb", "e=a&x=q", "f=ew&x", "f=we", "g=16"),
                *(
                    "g=016",
                    "g=9",
                    "h=12",
                    "h=123",
                    "i=3",
                    "i=25",
                    "i=24",
                    "i=100",
                    "i=7x",
                    "i=no",
                    "i=-3",
                    "j=7",
                    "j=07",
                    "j=77",
                ),
            )
        ),
    ),
    Case(
        "each-value-of-a-list",
        r"""
listen l
    bind 127.0.0.1:{port}
    http-request deny deny_status 401 if {{ hdr(x) two }}
    http-request deny deny_status 405 if {{ hdr_reg(x) -i ^a.*b$ }}
    http-request deny deny_status 404 if {{ hdr_reg(x) ^q[^a]+$ }}
    http-request deny deny_status 410 if {{ hdr_ip(x) 10.1.0.0/16 192.168.7.9 }}
    http-request deny deny_status 413 if {{ hdr_val(x) gt 250 }}
    http-request deny deny_status 400 if {{ hdr_dom(x) exa.com }}
    http-request deny deny_status 502 if {{ hdr(x) -m len lt 3 }}
    http-request set-header Y yes if {{ hdr_sub(n) z }}
    server s 127.0.0.1:{one}
""",
        (
            *_each(
                "X",
                *(
                    "two",
                    "one, two",
                    "axb",
                    "AxB",
                    "zab, axxb",
                    "a, zzzb",
                    "q1, zz",
                    "zz, q2",
                    "xx, qa",
                    "zz9, 10.1.3.4",
                ),
                *("10.1.3.4", "192.168.7.9", "200", "0251", "zz, 300", "www.exa.com", "q.q, x.exa.com.y"),
                *("exa.comx", "zz", "zzz", "zzz, z"),
            ),
            Ask("/y", headers={"N": "yyz"}),
        ),
    ),
    Case(
        "a-header-without-a-value-is-there",
        r"""
listen l
    bind 127.0.0.1:{port}
    http-request deny if {{ hdr(x) -m found }}
    http-request deny if {{ req.hdr_cnt(z) gt 0 }}
    server s 127.0.0.1:{one}
""",
        (Ask("/"), Ask("/empty", headers={"X": ""}), Ask("/one", headers={"X": "1"}), Ask("/z", headers={"Z": ""})),
        unlike={"nginx": ("/empty", "/z")},
    ),
    Case(
        "a-cookie-is-there-unless-the-header-ends-behind-it",
        r"""
listen l
    bind 127.0.0.1:{port}
    http-request deny if {{ req.cook(app) -m found }}
    server s 127.0.0.1:{one}
""",
        tuple(
            Ask("/", headers={"Cookie": text})
            for text in (
                "app=",
                "app =",
                "app = ",
                "app= ;b=1",
                "app=;b=1",
                "b=1;app=",
                "b=1; app =;c=2",
                "app=x",
                "xapp =",
                "app",
            )
        ),
    ),
    Case(
        "texts-made-of-cookies-and-parameters",
        r"""
listen l
    bind 127.0.0.1:{port}
    http-request set-header X-Made "%[req.cook(a)]-%[url_param(b)]"
    http-request set-header X-Low "%[req.hdr(x-in),lower]" if {{ path /low }}
    server s 127.0.0.1:{one}
""",
        (
            Ask("/?b=1&b=2", headers={"Cookie": "a=1; a=2"}),
            Ask("/?c=1;b=3", headers={"Cookie": "xa=1; a = 3 "}),
            Ask("/low", headers={"X-In": "Abc"}),
        ),
        lost={
            **dict.fromkeys(("nginx", "caddy"), ("http-request set-header X-Low",)),
        },
        unlike={
            **dict.fromkeys(("nginx", "caddy"), ("/low",)),
        },
    ),
    Case(
        "whole-uris",
        r"""
listen l
    bind 127.0.0.1:{port}
    http-request replace-uri ^/old/(.*) /new/\1
    server s 127.0.0.1:{one}
listen m
    bind 127.0.0.1:{other}
    http-request replace-uri '(?i)^/a/([^/]*)/(.*)$' /b/\1/c/\2
    http-request set-uri /u%[path]?%[query]&z=1 if {{ path_beg /uri }}
    http-request set-pathq /pq?k=v if {{ path /pathq }}
    http-request set-query %[query,regsub(x=,y=)] if {{ path /rq }}
    server s 127.0.0.1:{two}
""",
        (
            *(Ask(path) for path in ("/old/x?y=1", "/new/x", "/older")),
            *(
                Ask(path, port="other")
                for path in ("/A/q/w?e=/old/", "/uri/1?w=2", "/pathq?x", "/rq?x=1&x=2", "/none?q")
            ),
        ),
        lost={
            "caddy": ("http-request set-query",),
        },
        unlike={
            "caddy": ("/rq?x=1&x=2",),
        },
    ),
    Case(
        "a-variable-of-several-texts",
        r"""
frontend f
    bind 127.0.0.1:{port}
    http-request set-var(txn.kind) str(web)
    http-request set-var(txn.kind) str(api) if {{ path_beg /api }}
    http-request set-var(txn.kind) str(img) if {{ path_end .png }} or {{ path_end .gif }}
    http-request set-var(txn.kind) str(web) unless {{ method GET }}
    http-request set-header X-Kind %[var(txn.kind)]
    http-request deny if {{ var(txn.kind) -m str img }} {{ src 127.0.0.2 }}
    http-request deny deny_status 404 if {{ path_beg /none }} !{{ var(txn.kind) -m str img api }}
    use_backend two if {{ var(txn.kind) -m str api }}
    default_backend one
backend one
    server s 127.0.0.1:{one}
backend two
    server s 127.0.0.1:{two}
""",
        (
            *(Ask(path) for path in ("/", "/api", "/x.png", "/api.gif", "/none", "/none.png")),
            Ask("/api/p", "POST", body="x"),
            Ask("/y.gif", source="127.0.0.2"),
            Ask("/api/y", source="127.0.0.2"),
        ),
    ),
    Case(
        "answers-that-rules-make-of-answers",
        r"""
listen l
    bind 127.0.0.1:{port}
    http-response set-header X-Failed %[status] if {{ status ge 500 }}
    http-response set-status 503 if {{ status 500 }}
    http-response set-header X-Now 503 if {{ status 503 }}
    http-response return status 200 content-type text/plain string "hidden" hdr X-H 1 if {{ status 403 }}
    http-response deny deny_status 429 if {{ status 418 }}
    http-response redirect location /login if {{ status 401 }}
    http-response set-header X-Both mine if {{ res.hdr(x-both) origin }} {{ path_beg /status/4 }} or {{ status 204 }}
    http-response set-header X-Mine yes if {{ res.hdr(x-both) mine }}
    http-response del-header X-Origin-Only if {{ status 404 }}
    http-response allow if {{ res.hdr(x-origin-only) -m found }} {{ status 402 }}
    http-response set-header X-Late 1
    http-response set-header Server hidden if {{ status 404 }}
    http-after-response set-header X-After 1 if {{ status 404 }}
    server s 127.0.0.1:{one}
""",
        tuple(
            Ask(
                path,
                seen=(
                    *("X-Failed", "X-Now", "X-H", "X-Both", "X-Mine", "X-Origin-Only", "X-Late", "Server"),
                    *("X-After", "Cache-Control", "Content-Type"),
                ),
            )
            for path in ("/", "/close", *(f"/status/{one}" for one in (204, 302, 401, 402, 403, 404, 418, 500, 501)))
        ),
        not_for=("nginx", "envoy"),
    ),
    Case(
        "paths-that-are-rewritten-as-they-came",
        r"""
frontend f
    bind 127.0.0.1:{port}
    monitor-uri /alive
    http-request set-header X-Reg 1 if {{ path_reg ^/a(%20|/) }}
    http-request set-header X-Base 1 if {{ base_beg a.example/a }}
    http-request set-header X-Sub %[path,regsub(%20,_,)]
    http-request set-header X-Braces "{{http.request.host}} %[path] {{x}}"
    http-request set-path /v2%[path] if {{ path_beg /a }}
    http-request set-pathq /v3%[pathq] if {{ path_beg /b }}
    http-request set-uri /v4%[path]?x=1&%[query] if {{ path_beg /c }}
    http-request replace-path ^/d(.*)$ /e\1e
    default_backend b
backend b
    server s 127.0.0.1:{one}
""",
        paths(
            *("/a%20b%2fc?x=%20", "/%61", "/a", "//a//b?", "/b%2f?y=%20", "/b", "/c%20?y=1&z=+", "/d%2f%25?x", "/a%00"),
            *("/a%3fb?c", "/a%23", "/alive", "/alive?x", "/x+y", "/a/../b"),
        ),
        not_for=("nginx", "envoy"),
    ),
    Case(
        "what-is-answered-when-servers-fail",
        """
frontend f
    bind 127.0.0.1:{port}
    errorfile 503 {folder}/503.http
    use_backend dead if {{ path_beg /dead }}
    use_backend both if {{ path_beg /both }}
    default_backend b
backend b
    server s 127.0.0.1:{one}
backend dead
    server s 127.0.0.1:{dead}
backend both
    option redispatch 1
    retries 2
    balance roundrobin
    server s 127.0.0.1:{dead}
    server t 127.0.0.1:{two}
""",
        paths("/close", "/dead", "/both", "/both", "/close", "/", seen=("X-Page", "Server", "Cache-Control")),
        not_for=("nginx", "envoy"),
    ),
    Case(
        "rules-about-all-answers",
        r"""
frontend f
    bind 127.0.0.1:{port}
    monitor-uri /alive
    http-request deny if {{ path /deny }}
    http-request return status 200 content-type text/plain string x if {{ path /here }}
    http-request redirect location /x if {{ path /gone }}
    http-response set-header X-Order first
    http-after-response set-header X-Order after
    http-after-response add-header X-From "%[src] %[dst_port]"
    http-after-response del-header X-Origin-Only
    http-after-response set-header X-Port 1 if {{ dst_port {port} }}
    http-after-response set-header X-Other 1 if {{ dst_port 80 }}
    use_backend dead if {{ path /dead }}
    use_backend none if {{ path /none }}
    default_backend b
backend dead
    server s 127.0.0.1:{dead}
backend none
backend b
    server s 127.0.0.1:{one}
""",
        paths(
            *("/", "/alive", "/deny", "/here", "/gone", "/dead", "/none", "/close", "/status/404"),
            seen=("X-Order", "X-From", "X-Origin-Only", "X-Port", "X-Other"),
        ),
        not_for=("nginx", "envoy"),
    ),
    Case(
        "the-first-and-the-last-of-a-list",
        r"""
frontend f
    bind 127.0.0.1:{port}
    http-request set-header X-First %[req.hdr(x-a,1)]
    http-request set-header X-Last %[req.hdr(x-a,-1)]
    http-request set-header X-Plain %[req.hdr(x-a)]
    http-request set-header X-Ip %[req.hdr_ip(x-forwarded-for,1)]
    http-request set-header X-One 1 if {{ req.hdr(x-a,1) one }}
    http-request set-header X-O 1 if {{ req.hdr(x-a,-1) -m beg o }}
    http-request set-header X-Net 1 if {{ req.hdr_ip(x-forwarded-for,-1) 10.0.0.0/8 }}
    http-request set-header X-N 1 if {{ req.hdr(x-a,1) -m sub n }}
    http-request set-header X-Reg 1 if {{ hdr(x-a,-1) -m reg ^t.o$ }}
    http-request set-header X-Comma 1 if {{ hdr_sub(x-a) e,t }} or {{ hdr(x-a) one,two }}
    http-request set-header X-Method 1 if {{ method -m beg G }}
    default_backend b
backend b
    server s 127.0.0.1:{one}
""",
        tuple(
            Ask("/", headers=headers)
            for headers in (
                *({"X-A": "one"}, {"X-A": "one, two", "X-Forwarded-For": "10.1.1.1, 1.1.1.1"}, {"X-A": ""}, {}),
                *(
                    {"X-A": "one,two"},
                    {"X-A": 'two , "a,b" '},
                    {"X-A": "one,"},
                    {"X-Forwarded-For": "1.1.1.1,10.1.1.1"},
                ),
            )
        ),
        not_for=("nginx", "envoy"),
    ),
    Case(
        "compression-of-answers-of-servers",
        """
frontend f
    bind 127.0.0.1:{port}
    http-request return status 200 content-type application/json string 5 if {{ path /here }}
    use_backend plain if {{ path /plain }}
    default_backend b
backend plain
    server s 127.0.0.1:{two}
backend b
    compression algo gzip
    compression type application/json
    compression offload
    server s 127.0.0.1:{one}
""",
        tuple(
            Ask(path, method, headers={"Accept-Encoding": "gzip"}, seen=("Vary",))
            for path in ("/", "/here", "/plain", "/status/404", "/status/203")
            for method in ("GET", "HEAD")
        ),
        not_for=("nginx", "envoy"),
    ),
    Case(
        "redirects-with-a-slash-behind",
        """
frontend f
    bind 127.0.0.1:{port}
    http-request redirect prefix https://p.example append-slash if {{ path_beg /whole }}
    http-request redirect prefix /p drop-query append-slash if {{ path_beg /path }}
    http-request redirect scheme https drop-query append-slash if {{ path_beg /tls }}
    default_backend b
backend b
    server s 127.0.0.1:{one}
""",
        paths(
            *("/whole", "/whole/", "/whole?a", "/whole?a/", "/path/%2f", "/path?a", "/path/?a"),
            *("/tls/x", "/tls/", "/tls?a=b/"),
        ),
    ),
    Case(
        "names-that-no-backend-has",
        r"""
frontend f
    bind 127.0.0.1:{port}
    use_backend %[path,field(2,/)]-b if {{ path_beg /dyn- }}
    use_backend y if {{ path_end y }}
    use_backend %[req.hdr(x-be)] if {{ req.hdr(x-be) -m found }}
    use_backend z if {{ path_end z }}
    default_backend b
backend y
    server s 127.0.0.1:{two}
backend z
    server s 127.0.0.1:{three}
backend dyn-1-b
    http-request set-header X-D "1 %[req.ver]"
    server s 127.0.0.1:{three}
backend b
    server s 127.0.0.1:{one}
""",
        (
            *paths("/", "/dyn-1/x", "/dyn-2/x", "/dyn-2/y"),
            *(
                Ask(path, headers={"X-Be": name})
                for path, name in (("/dyn-2/z", "z"), ("/", "y"), ("/z", "nope"), ("/y", "z"), ("/", "f"), ("/z", ""))
            ),
        ),
        not_for=("nginx", "envoy"),
    ),
    Case(
        "answers-without-a-page",
        r"""
frontend f
    bind 127.0.0.1:{port}
    errorfile 403 {folder}/403.http
    http-request deny status 410 if {{ path /410 }}
    http-request deny deny_status 410 if {{ path /old410 }}
    http-request deny status 403 if {{ path /403 }}
    http-request deny status 403 hdr X-Page own if {{ path /own }}
    http-request deny status 404 default-errorfiles if {{ path /404 }}
    http-request deny if {{ path /deny }}
    http-request deny deny_status 429 if {{ path_dir / }}
    default_backend b
backend b
    server s 127.0.0.1:{one}
""",
        paths(
            *("/410", "/old410", "/403", "/own", "/404", "/deny", "/", "/a//b"),
            seen=("Cache-Control", "Content-Type", "X-Page"),
        ),
    ),
)

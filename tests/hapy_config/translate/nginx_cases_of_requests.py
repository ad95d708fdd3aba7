"""nginx configurations about what requests hold: the first cookie or parameter of a name, whole headers, empty ones."""

from __future__ import annotations

from tests.hapy_config.translate.nginx_cases import NginxCase
from tests.hapy_config.translate.side_by_side import Ask


def _asks(header: str, *values: str) -> tuple[Ask, ...]:
    return tuple(Ask(f"/{number}", headers={header: value}) for number, value in enumerate(values))


OF_REQUESTS: tuple[NginxCase, ...] = (
    NginxCase(
        "cookies-parameters-and-headers",
        r"""
 server {{
   listen 127.0.0.1:{port};
   location / {{
     if ($cookie_ban) {{ return 403; }}
     if ($cookie_role = admin) {{ return 402; }}
     if ($http_x_a = bad) {{ return 406; }}
     if ($http_x_list ~ ^b) {{ return 409; }}
     if ($args ~ "evil") {{ return 410; }}
     if ($query_string = "a=1") {{ return 411; }}
     if ($content_type ~* json) {{ return 415; }}
     if ($arg_none = "-") {{ return 416; }}
     proxy_pass http://127.0.0.1:{one};
     proxy_set_header X-C $cookie_a;
     proxy_set_header X-P $arg_p;
     proxy_set_header X-L $http_x_l;
     proxy_set_header X-Q $args;
   }}
   location /key {{ if ($arg_token != s3cret) {{ return 401; }} proxy_pass http://127.0.0.1:{one}; }}
   location /some {{ if ($arg_token = "") {{ return 401; }} proxy_pass http://127.0.0.1:{one}; }}
 }}
""",
        (
            Ask("/no-query?"),
            Ask("/query?x=%201"),
            *_asks(
                "Cookie",
                *("ban=1", "ban=", "ban=0", "role=x; role=admin", "role=admin; role=x", "ROLE=admin", "xrole=admin"),
            ),
            *_asks("X-A", "bad", "x, bad"),
            *_asks("X-List", "a, b", "b"),
            *_asks("X-C", "own"),
            Ask("/?x=evil"),
            Ask("/?a=1"),
            Ask("/j", "POST", headers={"Content-Type": "application/JSON"}, body="{}"),
            Ask("/?p=1&p=2", headers={"Cookie": "a=1; a=2", "X-L": "q, w"}),
            Ask("/?P=1;z=2"),
            *(Ask(f"/key?{one}") for one in ("token=s3cret", "token=x&token=s3cret", "token=s3cret&token=x", "s3cret")),
            *(Ask(f"/some{one}") for one in ("", "?token", "?token=", "?token=1")),
        ),
    ),
    NginxCase(
        "the-host-that-came-and-headers-that-stay",
        r"""
 map $cookie_beta $pool {{ default one; yes two; ~^v[0-9]+$ three; }}
 upstream one {{ server 127.0.0.1:{one}; }}
 upstream two {{ server 127.0.0.1:{two}; }}
 upstream three {{ server 127.0.0.1:{three}; }}
 server {{
   listen 127.0.0.1:{port};
   server_name a.example;
   proxy_hide_header X-Both;
   absolute_redirect off;
   rewrite ^/self$ $scheme://$host/me permanent;
   location / {{ proxy_pass http://$pool; proxy_set_header Host $host; }}
   location /shown {{ proxy_pass http://127.0.0.1:{one}; proxy_pass_header X-Both; }}
   location /inner {{
     proxy_set_header Host inner.example;
     proxy_set_header X-Forwarded-Host $host:$server_port;
     proxy_pass http://127.0.0.1:{two};
   }}
 }}
 server {{ listen 127.0.0.1:{port}; server_name b.example; return 200 b; }}
""",
        (
            *_asks("Cookie", "beta=yes", "beta=v12", "beta=no; beta=yes", "beta=vx"),
            *(Ask(path, seen=("X-Both",)) for path in ("/inner", "/shown", "/self")),
            *_asks("Host", "b.example", "B.Example.", "b.example:81", "c.example"),
        ),
    ),
    NginxCase(
        "files-that-are-not-there",
        r"""
 server {{
   listen 127.0.0.1:{port};
   root /nonexistent;
   location / {{ try_files $uri $uri/ @app; }}
   location @app {{ proxy_pass http://127.0.0.1:{one}; proxy_set_header X-App yes; }}
   location /api {{ try_files $uri =404; }}
   location /php {{ try_files $uri /index.php?$args; }}
   location /bare {{ try_files $uri /index.php; }}
   location = /index.php {{ proxy_pass http://127.0.0.1:{two}; }}
   location /sub/ {{ deny 127.0.0.2; try_files $uri @app; }}
 }}
""",
        (
            *(Ask(path) for path in ("/", "/x/y?z=1", "/api/1", "/php/1?a=2", "/bare?a=2", "/sub/1")),
            Ask("/sub/2", source="127.0.0.2"),
        ),
        lost=(*("location / {", "location /api {", "location /php {", "location /bare {", "location /sub/ {"),),
    ),
    NginxCase(
        "addresses-that-proxies-tell",
        r"""
 server {{
   listen 127.0.0.1:{port};
   set_real_ip_from 127.0.0.0/30;
   real_ip_header X-Forwarded-For;
   real_ip_recursive on;
   location / {{
     proxy_pass http://127.0.0.1:{one};
     proxy_set_header X-Real-IP $remote_addr;
     proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
   }}
   location /in {{ allow 10.0.0.0/8; deny all; proxy_pass http://127.0.0.1:{one}; }}
 }}
 server {{
   listen 127.0.0.1:{other};
   set_real_ip_from 127.0.0.1;
   real_ip_header X-Client;
   location / {{
     proxy_pass http://127.0.0.1:{two};
     proxy_set_header X-Real-IP $remote_addr;
     proxy_set_header X-Peer $realip_remote_addr;
   }}
 }}
""",
        (
            *_asks(
                "X-Forwarded-For",
                *("10.1.1.1", "10.1.1.1, 127.0.0.2", "9.9.9.9, 10.1.1.1, 127.0.0.1, 127.0.0.2", "bad"),
                "127.0.0.3, 127.0.0.2",
            ),
            Ask("/none"),
            Ask("/in/1"),
            Ask("/in/2", headers={"X-Forwarded-For": "10.1.1.1"}),
            Ask("/in/3", headers={"X-Forwarded-For": "10.1.1.1"}, source="127.0.0.9"),
            Ask("/in/4", headers={"X-Forwarded-For": "10.1.1.1, 9.9.9.9"}),
            Ask("/o1", port="other", headers={"X-Client": "10.2.2.2, 10.3.3.3"}),
            Ask("/o2", port="other", headers={"X-Client": "10.2.2.2"}, source="127.0.0.2"),
        ),
    ),
    NginxCase(
        "referers-and-constants",
        r"""
 server {{
   listen 127.0.0.1:{port};
   server_name a.example;
   set $target 127.0.0.1:{one};
   location / {{ proxy_pass http://$target; }}
   location /ref {{
     valid_referers none blocked server_names *.b.example c.* d.example/x ~\.e\.;
     if ($invalid_referer) {{ return 403; }}
     proxy_pass http://127.0.0.1:{two};
   }}
   location /strict {{
     valid_referers f.example;
     if ($invalid_referer = 1) {{ return 403; }}
     proxy_pass http://127.0.0.1:{two};
   }}
 }}
""",
        (
            Ask("/"),
            Ask("/ref"),
            Ask("/strict"),
            *(
                Ask(f"{path}/{number}", headers={"Referer": value})
                for path in ("/ref", "/strict")
                for number, value in enumerate(
                    (
                        *(
                            "http://a.example/",
                            "https://A.example",
                            "http://evil.example/a.example",
                            "http://w.b.example/",
                        ),
                        *(
                            "http://b.example/",
                            "http://c.org/x",
                            "http://xc.org/",
                            "http://d.example/x/y",
                            "http://d.example/",
                        ),
                        *("http://q.e.z/", "hidden", "http://f.example:81/", "http://f.example.evil/"),
                    )
                )
            ),
        ),
    ),
    NginxCase(
        "groups-of-locations",
        r"""
 server {{
   listen 127.0.0.1:{port};
   location ~ ^/u/(?<name>\w+)/(.*)$ {{
     proxy_set_header X-Name $name; proxy_set_header X-Rest "r=$2";
     add_header X-Seen $1 always;
     proxy_pass http://127.0.0.1:{one};
   }}
   location ~* "/(en|de)/(\d{{1,3}})" {{ return 200 "$1-$2"; }}
   location ~ ^/go/(.*)$ {{ return 302 https://b.example/$1; }}
   location / {{ rewrite ^/old/(.*)$ /$1 break; rewrite ^/a /b; proxy_method POST; proxy_pass http://127.0.0.1:{two}/v2/; }}
 }}
""",
        tuple(
            Ask(path, seen=("X-Seen",))
            for path in (
                "/u/ann/x/y?z=1",
                "/u/%61nn/x",
                "/x/EN/12",
                "/de/1234/de/1",
                "/go/x?y",
                "/old/a",
                "/old//z?",
                "/q?",
            )
        ),
    ),
    NginxCase(
        "maps-of-several-variables",
        r"""
 map "$request_method:$uri" $no {{ default ""; "~^POST:/ro" 1; "DELETE:/x" 1; }}
 map $uri $shut {{ default 0; /adm 1; ~^/adm/ 1; }}
 map "$host$http_x_pool" $pool {{ default one; a.exampletwo two; }}
 upstream one {{ server 127.0.0.1:{one}; }}
 upstream two {{ server 127.0.0.1:{two}; }}
 server {{
   listen 127.0.0.1:{port};
   if ($no) {{ return 405; }}
   if ($shut) {{ return 403; }}
   location / {{ proxy_pass http://$pool; }}
 }}
""",
        (
            *(Ask(path, method) for path in ("/", "/ro", "/r%6f", "/x", "/xx") for method in ("GET", "POST", "DELETE")),
            *(Ask(path) for path in ("/adm", "/%61dm", "//adm", "/./adm/x", "/admin")),
            Ask("/pool", headers={"X-Pool": "two"}),
            Ask("/pool2", headers={"X-Pool": "three"}),
        ),
    ),
)

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
   }}
   location /key {{ if ($arg_token != s3cret) {{ return 401; }} proxy_pass http://127.0.0.1:{one}; }}
   location /some {{ if ($arg_token = "") {{ return 401; }} proxy_pass http://127.0.0.1:{one}; }}
 }}
""",
        (
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
)

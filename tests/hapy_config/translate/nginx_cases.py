"""nginx configurations that go to haproxy.cfg, the requests they are asked, and what can't go over.

`lost` names the lines, by their beginning, that have no counterpart; `unlike` the paths whose answers differ by that.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.hapy_config.translate.side_by_side import Ask
from tests.hapy_config.translate.translation_cases import paths

_HEAD = 'events {{ worker_connections 64; }}\nhttp {{\n access_log off; proxy_http_version 1.1; proxy_set_header Connection "";\n'


@dataclass(frozen=True)
class NginxCase:
    """One configuration; `http` is what stands in its http block, `text` the whole where that is not enough."""

    name: str
    http: str
    asks: tuple[Ask, ...]
    lost: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    text: str = ""
    not_for: tuple[str, ...] = ()

    @property
    def whole(self) -> str:
        return self.text or f"{_HEAD}{self.http}}}}}\n"


#: The host goes on as it came, as in HAProxy.
_HOST = "proxy_set_header Host $http_host;"

#: What clients send: ann's password, and the headers that tell of origins.
_ANN = "Basic YW5uOnNlY3JldA=="
_CORS = ("Access-Control-Allow-Origin", "Access-Control-Max-Age")

CASES = (
    NginxCase(
        "locations",
        r"""
 server {{
   listen 127.0.0.1:{port};
   proxy_set_header Host $http_host;
   location / {{ proxy_pass http://127.0.0.1:{one}; }}
   location = /exact {{ proxy_pass http://127.0.0.1:{two}; }}
   location /api/ {{ proxy_pass http://127.0.0.1:{three}; }}
   location /api/v2/ {{ proxy_pass http://127.0.0.1:{four}; }}
   location ^~ /static/ {{ proxy_pass http://127.0.0.1:{two}; }}
   location ~ \.(png|gif)$ {{ proxy_pass http://127.0.0.1:{three}; }}
   location ~* \.js$ {{ proxy_pass http://127.0.0.1:{four}; }}
   location ~ ^/user/[0-9]+$ {{ proxy_pass http://127.0.0.1:{two}; }}
 }}
""",
        paths(
            "/", "/x", "/exact", "/exact/", "/api/", "/api/x.png", "/api/v2/x", "/api", "/static/a.png", "/a.png",
            "/a.PNG", "/a.JS", "/api/v2/a.js", "/user/12", "/user/12a", "/?x=/exact",
        ),
    ),
    NginxCase(
        "uris-of-proxy-pass",
        r"""
 server {{
   listen 127.0.0.1:{port};
   proxy_set_header Host $http_host;
   location /a/ {{ proxy_pass http://127.0.0.1:{one}/; }}
   location /b/ {{ proxy_pass http://127.0.0.1:{two}/base/; }}
   location /c {{ proxy_pass http://127.0.0.1:{three}/c2; }}
   location = /d {{ proxy_pass http://127.0.0.1:{four}/exactly; }}
 }}
""",
        paths("/a/", "/a/x?y=1", "/b/x/y", "/b/?q", "/c", "/c/x", "/cc", "/d", "/d?z=1"),
        lost=("server {",),  # it serves files where no location takes a path
    ),
    NginxCase(
        "returns",
        r"""
 server {{
   listen 127.0.0.1:{port};
   location = /text {{ default_type text/plain; return 200 "hello # \"you\"\n"; }}
   location = /gone {{ return 410; }}
   location = /none {{ return 204; }}
   location = /moved {{ return 301 https://new.example/x; }}
   location /all/ {{ return 302 https://$host$request_uri; }}
   location = /see {{ return 303 /other; }}
   location / {{ return 404; }}
 }}
""",
        paths("/text", "/gone", "/none", "/moved", "/all/x?y=1", "/nothing"),
    ),
    NginxCase(
        "names that fit together",
        r"""
 server {{ listen 127.0.0.1:{port}; server_name ~^www; return 200 first; }}
 server {{ listen 127.0.0.1:{port}; server_name *.example; set $path held; set $site "$path too"; location / {{ return 200 $site; }} }}
 server {{ listen 127.0.0.1:{port}; server_name www.a.example; return 200 third; }}
 server {{ listen 127.0.0.1:{port}; server_name WWW.a.example .a.example; location / {{ return 200 fourth; }} }}
 server {{ listen 127.0.0.1:{port}; server_name b.* ~^b; return 200 fifth; }}
""",
        tuple(
            Ask("/x/y", headers={"Host": host})
            for host in ("www.a.example", "x.a.example", "A.example", "www.b.example", "www.other", "b.example", "b.x", "bc", "c")
        ),
    ),
    NginxCase(
        "rewrites",
        r"""
 server {{
   listen 127.0.0.1:{port};
   proxy_set_header Host $http_host;
   rewrite ^/old/(.*)$ https://new.example/$1 permanent;
   rewrite ^/tmp/(.*)$ http://new.example/t/$1 redirect;
   rewrite ^/shop/([0-9]+)$ /item?id=$1 last;
   location /in/ {{ rewrite ^/in/(.*)$ /out/$1 break; proxy_pass http://127.0.0.1:{one}; }}
   location / {{ proxy_pass http://127.0.0.1:{two}; }}
 }}
""",
        paths("/old/a/b", "/old/a?q=1", "/tmp/x", "/shop/12", "/shop/x", "/in/a/b?c=d", "/x"),
    ),
    NginxCase(
        "names-of-servers",
        r"""
 server {{ listen 127.0.0.1:{port} default_server; server_name _; return 404; }}
 server {{ listen 127.0.0.1:{port}; server_name a.example www.a.example;
           location / {{ proxy_pass http://127.0.0.1:{one}; proxy_set_header Host $http_host; }} }}
 server {{ listen 127.0.0.1:{port}; server_name *.wild.example;
           location / {{ proxy_pass http://127.0.0.1:{two}; proxy_set_header Host $http_host; }} }}
 server {{ listen 127.0.0.1:{port}; server_name ~^m[0-9]+\.example$;
           location / {{ proxy_pass http://127.0.0.1:{three}; proxy_set_header Host $http_host; }} }}
 server {{ listen 127.0.0.1:{port}; server_name www.*;
           location / {{ proxy_pass http://127.0.0.1:{four}; proxy_set_header Host $http_host; }} }}
""",
        tuple(
            Ask("/", headers={"Host": host})
            for host in ("a.example", "A.EXAMPLE", "a.example:80", "www.a.example", "x.wild.example", "x.y.wild.example",
                         "wild.example", "m12.example", "mx.example", "www.other", "nobody")
        ),
    ),
    NginxCase(
        "upstreams",
        r"""
 upstream pool {{ server 127.0.0.1:{one} weight=2; server 127.0.0.1:{two}; server 127.0.0.1:{three} down; keepalive 8; }}
 upstream spare {{ server 127.0.0.1:{dead} max_fails=1 fail_timeout=2s; server 127.0.0.1:{four} backup; }}
 upstream least {{ least_conn; server 127.0.0.1:{one}; server 127.0.0.1:{one} max_conns=10; }}
 upstream sticky {{ ip_hash; server 127.0.0.1:{one}; server 127.0.0.1:{one}; }}
 upstream hashed {{ hash $request_uri consistent; server 127.0.0.1:{one}; server 127.0.0.1:{one}; }}
 upstream by_socket {{ server unix:{unix}; }}
 server {{
   listen 127.0.0.1:{port};
   proxy_http_version 1.1; proxy_set_header Connection "";
   proxy_set_header Host $http_host;
   location / {{ proxy_pass http://pool; }}
   location /spare {{ proxy_pass http://spare; }}
   location /least {{ proxy_pass http://least; }}
   location /sticky {{ proxy_pass http://sticky; }}
   location /hashed {{ proxy_pass http://hashed; }}
   location /unix {{ proxy_pass http://by_socket; }}
 }}
""",
        (Ask("/", times=9), Ask("/spare"), Ask("/least", times=4), Ask("/sticky"), Ask("/hashed"), Ask("/unix")),
    ),
    NginxCase(
        "maps",
        r"""
 map $http_x_app $pool {{ default up_one; blue up_two; ~^gr up_three; }}
 map $request_method $writes {{ default 0; POST 1; PUT 1; }}
 upstream up_one {{ server 127.0.0.1:{one}; }}
 upstream up_two {{ server 127.0.0.1:{two}; }}
 upstream up_three {{ server 127.0.0.1:{three}; }}
 server {{
   listen 127.0.0.1:{port};
   if ($writes) {{ return 405; }}
   location / {{ proxy_pass http://$pool; proxy_set_header Host $http_host; }}
 }}
""",
        (
            Ask("/"), Ask("/", headers={"X-App": "blue"}), Ask("/", headers={"X-App": "green"}),
            Ask("/", headers={"X-App": "blueish"}), Ask("/", "POST", body="x"),
        ),
    ),
    NginxCase(
        "conditions",
        r"""
 server {{
   listen 127.0.0.1:{port};
   if ($http_user_agent ~* "(curl|wget)") {{ return 403; }}
   if ($request_method !~ ^(GET|HEAD|POST)$) {{ return 405; }}
   if ($arg_debug = "1") {{ return 400; }}
   if ($http_x_old) {{ return 301 https://new.example$request_uri; }}
   if ($cookie_beta = "yes") {{ return 302 /beta; }}
   location / {{ proxy_pass http://127.0.0.1:{one}; proxy_set_header Host $http_host; }}
 }}
""",
        (
            Ask("/"), Ask("/", headers={"User-Agent": "Curl/7"}), Ask("/", "DELETE"), Ask("/?debug=1"), Ask("/?debug=12"),
            Ask("/x?y", headers={"X-Old": "1"}), Ask("/x", "HEAD"),
        ),
    ),
    NginxCase(
        "headers-to-servers",
        r"""
 server {{
   listen 127.0.0.1:{port};
   proxy_set_header Host $host;
   proxy_set_header X-Real-IP $remote_addr;
   proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
   proxy_set_header X-Forwarded-Proto $scheme;
   proxy_set_header X-Uri "$request_uri by $request_method";
   proxy_set_header X-Gone "";
   proxy_hide_header X-Origin-Only;
   add_header X-Added "yes" always;
   location / {{ proxy_pass http://127.0.0.1:{one}; }}
   location /own/ {{ proxy_pass http://127.0.0.1:{two}; proxy_set_header Host fixed.example; proxy_set_header X-Own 1; }}
 }}
""",
        (
            Ask("/a?b", seen=("X-Added", "X-Origin-Only")), Ask("/own/x", seen=("X-Added", "X-Origin-Only")),
            Ask("/", headers={"X-Forwarded-For": "192.0.2.9", "X-Gone": "1", "X-Real-IP": "fake"}),
            Ask("/status/404", seen=("X-Added",)),
        ),
    ),
    NginxCase(
        "redirects-of-servers",
        r"""
 server {{
   listen 127.0.0.1:{port};
   proxy_set_header Host $http_host;
   location / {{ proxy_pass http://127.0.0.1:{one}; proxy_redirect http://inside.example/ https://outside.example/; }}
   location /off/ {{ proxy_pass http://127.0.0.1:{two}; proxy_redirect off; }}
   location /status/302 {{ proxy_pass http://127.0.0.1:{three}; proxy_redirect ~^http://([^/]+)/(.*)$ https://$1/r/$2; }}
 }}
""",
        paths("/status/301", "/status/302", "/x"),
    ),
    NginxCase(
        "access",
        r"""
 server {{
   listen 127.0.0.1:{port};
   proxy_set_header Host $http_host;
   location / {{ proxy_pass http://127.0.0.1:{one}; }}
   location /inside/ {{ allow 127.0.0.1; allow 10.0.0.0/8; deny all; proxy_pass http://127.0.0.1:{two}; }}
   location /outside/ {{ deny 127.0.0.2; allow all; proxy_pass http://127.0.0.1:{three}; }}
   location /closed/ {{ deny all; proxy_pass http://127.0.0.1:{three}; }}
 }}
""",
        (
            *paths("/", "/inside/x", "/outside/x", "/closed/x"),
            *paths("/", "/inside/x", "/outside/x", "/closed/x", source="127.0.0.2"),
        ),
    ),
    NginxCase(
        "doors",  # each has to be shut for whom nginx shuts it
        r"""
 server {{ listen 127.0.0.1:{port}; proxy_set_header Host $http_host;
  location / {{ proxy_pass http://127.0.0.1:{one}; }}
  location /adm {{ auth_basic "Admin"; auth_basic_user_file {folder}/users; proxy_pass http://127.0.0.1:{two}; }}
  location /adm/pub {{ auth_basic off; proxy_pass http://127.0.0.1:{two}; }}
  location /bob {{ auth_basic Bob; auth_basic_user_file {folder}/users; proxy_pass http://127.0.0.1:{two}; }}
  location /any {{ satisfy any; allow 127.0.0.2; deny all; auth_basic "Any"; auth_basic_user_file {folder}/users; proxy_pass http://127.0.0.1:{two}; }}
  location /rw {{ limit_except GET {{ deny all; }} proxy_pass http://127.0.0.1:{two}; }}
  location /rwauth {{ limit_except GET POST {{ auth_basic "W"; auth_basic_user_file {folder}/users; }} proxy_pass http://127.0.0.1:{two}; }}
  location /sub {{ auth_request /check; proxy_pass http://127.0.0.1:{two}; }}
  location = /check {{ internal; proxy_pass http://127.0.0.1:{one}; }}
 }}
""",
        (
            *paths("/", "/adm", "/adm/pub", "/any", "/rw", "/sub", "/check", "/bob"),
            *(Ask(f"{path}?ann", headers={"Authorization": _ANN}) for path in ("/adm", "/any")),
            Ask("/bob?bob", headers={"Authorization": "Basic Ym9iOnNlY3JldA=="}),
            Ask("/any?in", source="127.0.0.2"),
            *(Ask(f"/rw?{method}", method) for method in ("POST", "HEAD")),
            *(Ask(f"/rwauth?{method}", method) for method in ("GET", "POST", "PUT")),
            Ask("/rwauth?ann", "PUT", {"Authorization": _ANN}),
        ),
        lost=("location /sub ",),
        unlike=("/sub",),  # HAProxy asks nobody else: all are refused
    ),
    NginxCase(
        "what-keeps-out-by-variables",
        r"""
 server {{ listen 127.0.0.1:{port}; proxy_set_header Host $http_host;
  if ($http_x_key != "secret") {{ set $deny 1; }}
  location / {{ if ($deny) {{ return 403; }} proxy_pass http://127.0.0.1:{one}; }}
  location /signed {{ secure_link $arg_md5; secure_link_md5 "$uri key"; if ($secure_link = "") {{ return 403; }} proxy_pass http://127.0.0.1:{one}; }}
  location /ref {{ valid_referers none blocked server_names *.a.example; if ($invalid_referer) {{ return 403; }} proxy_pass http://127.0.0.1:{one}; }}
  location /key {{ if ($http_x_api_key !~ "^[a-f0-9]+$") {{ return 401; }} proxy_pass http://127.0.0.1:{one}; }}
  location /cert {{ if ($ssl_client_verify != SUCCESS) {{ return 403; }} proxy_pass http://127.0.0.1:{one}; }}
  location /arg {{ if ($arg_token = "") {{ return 403; }} proxy_pass http://127.0.0.1:{one}; }}
 }}
""",
        (
            *paths("/", "/cert", "/key", "/arg", "/arg?token=1", "/ref", "/signed"),
            Ask("/?key", headers={"X-Key": "secret"}),
            Ask("/key?key", headers={"X-Api-Key": "abc"}),
            Ask("/ref?evil", headers={"Referer": "http://evil.example/"}),
        ),
        lost=("location /signed",),
    ),
    NginxCase(
        "maps-and-geo",
        r"""
 map $host $pool {{ hostnames; default one_pool; *.shop.example two_pool; blog.example two_pool; }}
 map $http_user_agent $bad {{ default 0; ~*curl 1; ~*bot 1; }}
 geo $office {{ default 0; 127.0.0.2 1; 127.0.1.0/24 1; 127.0.1.128/25 0; }}
 geo $blocked {{ default 0; 127.0.0.3/32 1; }}
 upstream one_pool {{ server 127.0.0.1:{one}; }} upstream two_pool {{ server 127.0.0.1:{two}; }}
 server {{ listen 127.0.0.1:{port}; proxy_set_header Host $http_host;
  if ($bad) {{ return 403; }}
  if ($blocked) {{ return 444; }}
  location / {{ proxy_pass http://$pool; }}
  location /office {{ if ($office = 0) {{ return 404; }} proxy_pass http://127.0.0.1:{three}; proxy_set_header X-Office $office; proxy_set_header Host $http_host; }}
 }}
""",
        (
            *paths("/", "/office", headers={"Host": "a.example"}),
            Ask("/shop", headers={"Host": "a.shop.example"}),
            Ask("/blog", headers={"Host": "blog.example"}),
            Ask("/bot", headers={"User-Agent": "MyBot"}),
            Ask("/office?in", source="127.0.0.2"),
            Ask("/office?within", source="127.0.1.7"),
            Ask("/office?without", source="127.0.1.200"),
            Ask("/blocked", source="127.0.0.3"),
        ),
    ),
    NginxCase(
        "headers-of-answers-by-variables",
        r"""
 map $http_origin $cors {{ default ""; ~^https://([a-z]+\.)?a\.example$ $http_origin; }}
 server {{ listen 127.0.0.1:{port};
  location / {{
   if ($request_method = OPTIONS) {{ add_header Access-Control-Allow-Origin $cors always; add_header Access-Control-Max-Age 600; return 204; }}
   add_header Access-Control-Allow-Origin $cors always; proxy_set_header Host $http_host;
   proxy_pass http://127.0.0.1:{one}; }} }}
""",
        tuple(
            Ask(f"/{method}?{origin}", method, {"Origin": origin} if origin else {}, seen=_CORS)
            for method in ("GET", "OPTIONS")
            for origin in ("", "https://x.a.example", "https://evil.example")
        ),
    ),
    NginxCase(
        "kinds-of-locations",
        r"""
 server {{ listen 127.0.0.1:{port}; proxy_set_header Host $http_host;
  location = / {{ proxy_pass http://127.0.0.1:{one}; }}
  location / {{ proxy_pass http://127.0.0.1:{two}; }}
  location ^~ /img/ {{ proxy_pass http://127.0.0.1:{three}; }}
  location ~ /\.(git|ht) {{ deny all; }}
  location ~* \.(jpe?g|png)$ {{ proxy_pass http://127.0.0.1:{four}; add_header X-Kind img; expires 1d; }}
  location /internal/ {{ internal; proxy_pass http://127.0.0.1:{one}; }}
  location /api {{ proxy_pass http://127.0.0.1:{one}/v2; }}
 }}
""",
        paths("/", "/x", "/img/a.png", "/.git/config", "/a.JPEG", "/internal/x", "/api/users", "/apix", seen=("X-Kind",)),
    ),
    NginxCase(
        "passwords-and-files",
        r"""
 server {{
   listen 127.0.0.1:{port};
   proxy_set_header Host $http_host;
   location / {{ proxy_pass http://127.0.0.1:{one}; }}
   location /files/ {{ root /srv; try_files $uri $uri/ /index.html; }}
   location /php/ {{ fastcgi_pass 127.0.0.1:9000; }}
   location /secret/ {{ auth_basic "Inside"; auth_basic_user_file {folder}/users; proxy_pass http://127.0.0.1:{two}; }}
 }}
""",
        (*paths("/"), Ask("/secret/x"), Ask("/secret/x", headers={"Authorization": "Basic YW5uOnNlY3JldA=="})),
        lost=("location /files/", "location /php/"),
    ),
    NginxCase(
        "tls",
        r"""
 server {{
   listen 127.0.0.1:{port} ssl;
   server_name a.example;
   ssl_certificate {folder}/own.pem; ssl_certificate_key {folder}/own.pem;
   ssl_protocols TLSv1.2 TLSv1.3; proxy_ssl_session_reuse off;
   location / {{ proxy_pass http://127.0.0.1:{one}; proxy_set_header Host $http_host; proxy_set_header X-Proto $scheme; }}
   location /s/ {{ proxy_pass https://127.0.0.1:{secure}; proxy_set_header Host $http_host; }}
   location /v/ {{ proxy_pass https://127.0.0.1:{secure}; proxy_set_header Host $http_host; proxy_ssl_verify on;
                   proxy_ssl_trusted_certificate {folder}/ca.pem; proxy_ssl_name server.example; proxy_ssl_server_name on; proxy_ssl_verify_depth 3; }}
   location /w/ {{ proxy_pass https://127.0.0.1:{secure}; proxy_set_header Host $http_host; proxy_ssl_verify on;
                   proxy_ssl_trusted_certificate {folder}/other-ca.pem; proxy_ssl_name server.example; }}
 }}
 server {{ listen 127.0.0.1:{other}; return 301 https://$host$request_uri; }}
""",
        (
            *paths("/x", "/s/x", "/v/x", tls="a.example"), Ask("/x?y", port="other"),
        ),
    ),
    NginxCase(
        "times-and-errors",
        r"""
 proxy_connect_timeout 2s;
 server {{
   listen 127.0.0.1:{port};
   proxy_set_header Host $http_host;
   client_max_body_size 1m;
   keepalive_timeout 30s;
   gzip on; gzip_types application/json; gzip_min_length 0;
   location / {{ proxy_pass http://127.0.0.1:{one}; }}
   location /wait {{ proxy_pass http://127.0.0.1:{one}; proxy_read_timeout 300ms; }}
 }}
""",
        (*paths("/wait", "/x"), Ask("/x", "POST", body="abc")),
        not_for=("hapy",),  # it compresses nothing
    ),
    NginxCase(
        "long-bodies",
        r"""
 server {{
   listen 127.0.0.1:{port};
   proxy_set_header Host $http_host;
   location / {{ proxy_pass http://127.0.0.1:{one}; }}
   location /more {{ client_max_body_size 2m; proxy_pass http://127.0.0.1:{one}; }}
   location /all {{ client_max_body_size 0; proxy_pass http://127.0.0.1:{one}; }}
 }}
""",
        (
            *(Ask(path, "POST", headers={"Content-Length": str((1 << 20) + 1)}) for path in ("/", "/?x")),
            Ask("/more", "POST", headers={"Content-Length": str((2 << 20) + 1)}),
            *(Ask(path, "POST", body="b" * (1 << 20)) for path in ("/", "/more", "/all")),
            Ask("/more", "POST", body="b" * (2 << 20)),
            Ask("/all", "POST", body="b" * ((2 << 20) + 1)),
        ),
    ),
    NginxCase(
        "websockets",
        r"""
 map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
 server {{
   listen 127.0.0.1:{port};
   location / {{ proxy_pass http://127.0.0.1:{one}; proxy_set_header Host $http_host; }}
   location /ws/ {{ proxy_pass http://127.0.0.1:{two}; proxy_set_header Host $http_host;
                    proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; }}
 }}
""",
        (
            Ask("/ws/x", headers={
                "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            }),
            Ask("/x"),
        ),
    ),
    NginxCase(
        "streams",
        "",
        (Ask("/x"), Ask("/y", port="other", tls="-"), Ask("/y", port="other", tls="server.example")),
        text=r"""
load_module modules/ngx_stream_module.so;
events {{ }}
stream {{
  upstream plain {{ server 127.0.0.1:{one}; server 127.0.0.1:{dead} backup; }}
  upstream named {{ server 127.0.0.1:{secure}; }}
  map $ssl_preread_server_name $to {{ server.example named; default named; }}
  server {{ listen 127.0.0.1:{port}; proxy_pass plain; proxy_connect_timeout 2s; proxy_timeout 1h; allow 127.0.0.0/8; deny all; }}
  server {{ listen 127.0.0.1:{other}; ssl_preread on; proxy_pass $to; }}
}}
""",
    ),
    NginxCase(
        "bodies-and-nested-locations",
        r"""
 server {{
   listen 127.0.0.1:{port};
   proxy_set_header Host $http_host;
   location /shop/ {{
     proxy_set_header X-Shop 1; proxy_set_header Host $http_host;
     location /shop/admin/ {{ allow 10.0.0.1; deny all; proxy_pass http://127.0.0.1:{two}; }}
     location ~ ^/shop/item/(\d+)$ {{ proxy_pass http://127.0.0.1:{three}; }}
     proxy_pass http://127.0.0.1:{one};
   }}
   location / {{ proxy_pass http://127.0.0.1:{four}; }}
 }}
""",
        paths("/shop/", "/shop/admin/x", "/shop/item/12", "/shop/item/x", "/"),
    ),
    NginxCase(
        "paths-as-nginx-compares-them",
        r"""
 upstream u {{ server 127.0.0.1:{one} fail_timeout=0; }}
 server {{
   listen 127.0.0.1:{port};
   proxy_set_header Host $http_host;
   if ($uri ~ ^/if) {{ return 402; }}
   rewrite ^/mv/(.*)$ /$1;
   location /admin {{ deny all; }}
   location ~ \.php$ {{ return 401; }}
   location = /ok {{ return 200 ok; }}
   location / {{ proxy_pass http://u; }}
   location /api {{
     proxy_pass http://127.0.0.1:{two};
     location ~ \.json$ {{ return 406; }}
     location /api/v/ {{ proxy_pass http://127.0.0.1:{three}; location ~ \.js {{ return 407; }} }}
   }}
   location /api/long {{ proxy_pass http://127.0.0.1:{four}; }}
   location ~ ^/u/(\w+) {{
     location ~ ^/u/\w+/priv {{ deny all; }}
     location ~ \.js$ {{ proxy_pass http://127.0.0.1:{two}; }}
     proxy_pass http://127.0.0.1:{three};
   }}
 }}
""",
        paths(
            "/admin", "/%61dmin", "//admin", "/./admin", "/%2e/admin", "/x%2Fadmin", "/%2e%2e/admin", "/x/../admin",
            "/a.%70hp", "/o%6b", "/%69f", "/mv/admin", "/mv/x", "/mv//admin", "/x%20y?%61", "/api/a", "/api/a.json",
            "/api/v/a.json", "/api/v/a", "/api/long/a.json", "/%61pi/a", "/a//b", "/api//a", "/%E4", "/u/x", "/u/x/a.js",
            "/u/x/priv/a.js", "/u/x/priv/k", "//u/x/priv/k", "/%75/x/priv/k",
        ),
        unlike=("/x/../admin",),
    ),
    NginxCase(
        "addresses-made-of-variables",
        r"""
 server {{
   listen 127.0.0.1:{port};
   proxy_set_header Host $http_host;
   absolute_redirect off;
   location /old {{ return 302 /new$is_args$args; }}
   location /again {{ return 302 $scheme://$http_host/b$uri$is_args$args; }}
   location ~ ^/u/(?<name>\w+)/(.*)$ {{ proxy_pass http://127.0.0.1:{one}/who/$name?x=$2; }}
   location ~* ^/img/(\w+)\. {{ proxy_pass http://127.0.0.1:{two}/pics/$1$is_args$args; }}
   location ~ ^/plain/(\d+) {{ proxy_pass http://127.0.0.1:{two}/p/$1; }}
   location / {{ proxy_pass http://127.0.0.1:{three}$request_uri; }}
   location /bare {{ proxy_pass http://127.0.0.1:{three}; rewrite ^/bare/(.*)$ /b/$1? break; }}
 }}
""",
        paths(
            "/bare/x?q=1", "/bare/x", "/bare?q=1", "/old?a=1&b=2", "/old", "/old?", "/again/x?y=1", "/again", "/u/ann/x/y", "/u/ann/x?z=1", "/IMG/a.png?q=1", "/img/b.gif",
            "/plain/12/more?q", "/z?y=1", "/z",
        ),
    ),
    NginxCase(
        "streams-with-settings-of-their-own",
        "",
        (Ask("/x"), Ask("/y", port="other")),
        text=r"""
load_module modules/ngx_stream_module.so;
events {{ }}
stream {{
  upstream both {{ server 127.0.0.1:{proxied}; }}
  server {{ listen 127.0.0.1:{port}; proxy_pass both; proxy_protocol on; }}
  server {{ listen 127.0.0.1:{other}; proxy_pass both; proxy_timeout 1h; proxy_connect_timeout 2s; }}
}}
""",
    ),
)  # fmt: skip

"""Configurations in plain words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hapy.commands.explain import main
from hapy.explain.story import Chapter, tell
from hapy_config import read_text

CONFIG = """\
global
    maxconn 5000
    log 192.0.2.9:514 local0
defaults
    mode http
    log global
    timeout connect 5s
    timeout client 30s
    timeout server 1m
frontend web
    bind :80
    bind [::1]:8080 accept-proxy
    timeout http-keep-alive 10s
    acl api path_beg /api
    http-request deny if { src 203.0.113.0/24 }
    use_backend api if api !{ method POST }
    default_backend shop
backend api
    http-reuse always
    balance leastconn
    option redispatch
    retry-on conn-failure empty-response 503
    timeout queue 2s
    server a1 192.0.2.1:80 check inter 5s maxconn 10
    server a2 192.0.2.2:80 check inter 5s weight 3
    server a3 192.0.2.3:80 backup
backend shop
    http-reuse never
    retries 0
    server s1 192.0.2.4:443 ssl verify none sni req.hdr(host)
listen db
    mode tcp
    bind :5432
    server d1 192.0.2.5:5432
"""


def story(config: str = CONFIG) -> list[Chapter]:
    return tell(read_text(config, env={}, assume_machine=True))


def said(title: str, label: str, config: str = CONFIG) -> str:
    (chapter,) = [one for one in story(config) if one.title == title]
    return " ".join(" ".join(sentences) for found, sentences in chapter.paragraphs if found == label)


def test_per_request_or_per_connection() -> None:
    short = said("in short", "balances and shares")
    assert "Per request: web (mode http)." in short
    assert "Per connection: db (mode tcp)." in short
    assert "Every request on its own" in said("frontend web", "looks at")
    assert "Connections (mode tcp)" in said("listen db", "looks at")


def test_frontend() -> None:
    assert said("frontend web", "listens") == "On *:80 and [::1]:8080 (behind a PROXY header)."
    assert said("frontend web", "rules") == "1 rule of http-request: deny."
    assert said("frontend web", "sends") == (
        "Requests go to api if the path begins with /api and not (the method is POST). Other requests go to shop."
    )
    assert "stays open for 10 s (timeout http-keep-alive)" in said("frontend web", "client connections")
    assert "silent for 30 s (timeout client)" in said("frontend web", "who waits")
    assert "sent to 192.0.2.9:514" in said("frontend web", "log")


def test_backend() -> None:
    assert "over 2 servers, to the server that serves the fewest, by weight" in said("backend api", "balances")
    assert "a3 at 192.0.2.3:80: only when all others are down." in said("backend api", "servers")
    assert "http-reuse always" in said("backend api", "server connections")
    dies = said("backend api", "if a server dies")
    assert "a1 and a2 are each checked every 5 s" in dies
    assert "each time on another server (option redispatch)" in dies
    assert "the answer is 503 or the server closes without an answer (retry-on)" in dies
    assert "a3 takes over" in dies
    assert "up to 2 s (timeout queue), then get 503" in said("backend api", "when all are busy")
    assert "1 min" in said("backend api", "who waits")


def test_the_other_backend() -> None:
    assert "certificate NOT verified, asked for req.hdr(host)" in said("backend shop", "servers")
    assert "of its own" in said("backend shop", "server connections")
    assert "different TLS names" in said("backend shop", "server connections")
    assert "is not tried again (retries 0)" in said("backend shop", "if a server dies")


def test_missing_timeouts() -> None:
    config = "listen l\n mode http\n bind :80\n server s 192.0.2.1\n"
    assert "no timeout client" in said("listen l", "who waits", config)
    assert "no timeout server" in said("listen l", "who waits", config)


@pytest.mark.parametrize("arguments", [[], ["--json"], ["--request", "http://a/api"], ["--request", "/", "--json"]])
def test_command(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.cfg"
    path.write_text(CONFIG)
    where = ["--frontend", "web"] if "--request" in arguments else []
    assert main([str(path), *arguments, *where]) == 0
    out = capsys.readouterr().out
    if "--json" in arguments:
        json.loads(out)
    else:
        assert max(map(len, out.splitlines())) <= 80


def test_what_cannot_be_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.cfg"
    path.write_text(CONFIG)
    assert main([str(path), "--request", "a b c"]) == 2
    assert main([str(path), "--request", "/", "--frontend", "x"]) == 2
    path.write_text("frontend f\n nonsense\n")
    assert main([str(path)]) == 1
    assert "nonsense" in capsys.readouterr().err


def test_every_example_has_a_story() -> None:
    for path in sorted((Path(__file__).parents[3] / "examples" / "haproxy_cfgs").glob("*.cfg")):
        chapters = story(path.read_text())
        assert len(chapters) > 1
        assert all(
            sentence.endswith((".", ":", ";")) for one in chapters for _, part in one.paragraphs for sentence in part
        )


def test_pages_cookies_checks_and_tables() -> None:
    config = """\
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 1m
    option redispatch
listen web
    bind :80
    monitor-uri /alive
    stats uri /stats
    stats auth a:b
    redirect scheme https if { path /x }
    option httpchk GET /health
    cookie SRV insert
    server s1 192.0.2.1:80 check cookie a
listen page
    bind :81
    stats enable
    stats http-request auth
frontend more
    bind :82
    log 192.0.2.9 local0
    log 192.0.2.9 local1 notice
    default_backend more
backend more
    stick-table type ip size 1k
    stick on src
    option redispatch 1
    server s2 192.0.2.2:80 track web/s1
    server s3 192.0.2.3:80 maxconn 5 backup
    server s4 192.0.2.4:80 backup
"""
    rules = said("listen web", "rules", config)
    assert "1 redirect, behind the rules of http-request. /alive is answered 200 before any rule" in rules
    assert "shown to those who know a password where the URI begins with /stats (stats)." in rules
    assert "begins with /haproxy?stats" in said("listen page", "rules", config)
    assert "Other requests are answered 503" in said("listen page", "sends", config)
    assert (
        "brings the cookie SRV goes to the server that it names, as long as that is up (cookie). One that brings"
        in said("listen web", "balances", config)
    )
    dies = said("listen web", "if a server dies", config)
    assert "It is checked every 2 s by GET /health (option httpchk): out after 3 failures" in dies
    assert "each time on the same server" in dies  # there is no other
    assert said("frontend more", "log", config) == "Each request leaves a line, sent to 192.0.2.9."
    assert "Whose src the stick-table knows goes to the server that it had before" in said(
        "backend more", "balances", config
    )
    dies = said("backend more", "if a server dies", config)
    assert "s2 is up or down with web/s1 (track)." in dies
    assert "each time on another server" in dies
    assert "When all others are down, s3 takes over." in dies
    assert "up to 5 s (timeout connect), then get 503." in said("backend more", "when all are busy", config)


def test_what_is_left_aside_and_what_has_no_say() -> None:
    config = """\
defaults
    timeout connect 5s
    timeout client 30s
    timeout server 1m
    timeout tarpit 9s
frontend web
    mode http
    bind :80
    default_backend closing
backend closing
    mode http
    option http-server-close
    http-request deny if { path /x }
    retry-on none
    balance url_param id
    server s1 0.0.0.0:81 check port 9 on-marked-down shutdown-sessions agent-check agent-port 1 slowstart 9s
    server s2 192.0.2.2:81
listen raw
    mode tcp
    bind :81
    timeout tunnel 1h
    http-request deny
    server s1 192.0.2.1:81
"""
    short = said("in short", "balances and shares", config)
    assert "A server connection carries one request: closing (option http-server-close or httpclose)." in short
    assert "shared" not in short
    assert said("backend closing", "rules", config) == "1 rule of http-request: deny."
    assert "without it in turn" in said("backend closing", "balances", config)
    servers = said("backend closing", "servers", config)
    assert "s1 at the address that the client came to, port 81: an agent on it tells its state" in servers
    assert "its share grows for 9 s" in servers
    dies = said("backend closing", "if a server dies", config)
    assert "A connection that fails is not tried again (retry-on none)" in dies
    assert "is sent again when" not in dies
    assert "every 2 s on port 9 by connecting" in dies
    assert "What is under way on s1 is cut" in dies
    assert "holds" not in said("frontend web", "who waits", config)
    assert said("listen raw", "rules", config) == "1 rule of http-request: left aside in mode tcp."
    waits = said("listen raw", "who waits", config)
    assert "A client may be silent for 30 s (timeout client), until its connection has a server" in waits
    assert "both sides may be silent for 1 h (timeout tunnel), whatever" in waits
    assert "between two pieces" not in waits


def test_headers_certificates_pages_and_waits() -> None:
    config = (
        "global\n h1-case-adjust x-a X-A\ndefaults\n mode http\n timeout client 5s\n timeout server 5s\n"
        " timeout connect 5s\n"
        "frontend f\n bind :443 ssl crt x.pem verify required ca-file ca.pem\n option forwardfor except 10.0.0.0/8 if-none\n"
        " option h1-case-adjust-bogus-client\n unique-id-format %[uuid()]\n unique-id-header X-Id\n monitor-uri /up\n"
        " monitor fail if { nbsrv(b) lt 1 }\n monitor fail if { fe_conn gt 10 20:30 }\n timeout client-fin 1s\n"
        " http-error status 403 content-type text/plain string no\n default_backend b\n"
        "backend b\n balance uri\n hash-type consistent\n http-send-name-header X-S\n option httpchk\n"
        " http-check expect ! rstatus ^5\n"
        " server s 192.0.2.1:80 check maxconn 5 maxqueue 7  # hapy: pool-min-conn 2\n server t 192.0.2.2:80 check\n"
        " server z 192.0.2.3:80 check weight 0\n"
        "backend out\n server s 192.0.2.1:80 disabled\n"
        "frontend t\n mode tcp\n bind :25\n tcp-request inspect-delay 3s\n tcp-request content accept\n default_backend m\n"
        "backend m\n mode tcp\n server s 192.0.2.1:80\n"
    )
    told = {one.title: [each for _, sentences in one.paragraphs for each in sentences] for one in story(config)}
    for title, sentence in (
        ("frontend f", "On *:443 (TLS, x.pem; clients must show a certificate: verify required)."),
        (
            "frontend f",
            (
                "Servers are told the client's address in X-Forwarded-For (option forwardfor, but not for those of"
                " 10.0.0.0/8, where the request has none)."
            ),
        ),
        ("frontend f", "Each request gets an id of its own in X-Id (unique-id-header)."),
        (
            "frontend f",
            "Header names that clients get are written as h1-case-adjust says (option h1-case-adjust-bogus-client).",
        ),
        (
            "frontend f",
            (
                "/up is answered 200 before any rule (monitor-uri), or 503 if nbsrv(b) is below 1, or fe_conn is over 10 or"
                " 20 to 30 (monitor fail)."
            ),
        ),
        ("frontend f", "What the proxy itself answers with 403 has a page of its own."),
        ("frontend f", "Once one side has closed, 1 s (timeout client-fin)."),
        ("backend b", "Each request over 2 servers, by the URI: the same one, the same server (balance uri)."),
        ("backend b", "When a server comes or goes, only its own share moves (hash-type consistent)."),
        ("backend b", "s at 192.0.2.1:80: at most 5 at once, and 7 in its queue."),
        ("backend b", "z at 192.0.2.3:80: weight 0, so it gets nothing by balancing."),
        ("backend b", "2 connections to a server are opened ahead (pool-min-conn)."),
        ("backend b", "A server is told its own name in X-S (http-send-name-header)."),
        ("backend out", "All are in maintenance: requests get 503 until one is enabled."),
        ("frontend t", "Rules may wait 3 s for its first bytes (tcp-request inspect-delay)."),
    ):
        assert sentence in told[title], (title, sentence)
    checked = next(one for one in told["backend b"] if "checked" in one)
    assert "(option httpchk), which must give no rstatus ^5:" in checked


@pytest.mark.parametrize("request_", [[], ["--request", "GET /"]])
def test_a_file_that_is_not_there(request_: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["/nonexistent.cfg", *request_]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "cannot open the configuration file '/nonexistent.cfg': No such file or directory\n"


def test_names_that_are_made_at_run_time() -> None:
    rules = " use_backend %[req.hdr(b)] if {{ path /x }}\n use_backend c if {{ path /x }}\n"
    text = "defaults\n mode http\n timeout client 1s\nfrontend f\n bind :80\n" + rules + "{}backend c\nbackend d\n"
    named = "Requests go to whatever %[req.hdr(b)] names{} if the path is /x. Requests go to c if the path is /x."
    given = said("frontend f", "sends", text.format(" default_backend d\n"))
    assert given.startswith(named.format(" (where there is no such backend, to d)"))
    assert said("frontend f", "sends", text.format("")).startswith(named.format(""))
    own = text.replace("frontend f", "listen f").format(" server s 192.0.2.1:80\n")
    assert said("listen f", "sends", own).startswith(
        named.format(" (where there is no such backend, to its own servers)")
    )


def test_empty_pages_close() -> None:
    text = "backend b\n mode http\n errorfile 408 /dev/null\n errorfile 503 /dev/null\n errorloc 502 /sorry\n"
    assert said("backend b", "rules", text) == (
        "What the proxy itself answers with 502 has a page of its own. Where it would answer 408 and 503 it closes"
        " without a word (errorfile, an empty one)."
    )


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ("", "each time on another server (option redispatch);"),
        (
            " cookie K insert\n",
            (
                "each time on another server (option redispatch), but the last time only for a client whose cookie names"
                " the server;"
            ),
        ),
        (" cookie K insert\n option redispatch 1\n", "each time on another server (option redispatch);"),
        (" cookie K insert\n balance source\n", "the last time on another server (option redispatch);"),
    ],
)
def test_cookies_bind_until_the_last_time(lines: str, where: str) -> None:
    servers = " server s 192.0.2.1:80 cookie s\n server t 192.0.2.2:80 cookie t\n"
    text = "backend b\n mode http\n option redispatch\n" + lines + servers
    assert where in said("backend b", "if a server dies", text)


APART = """\
global
    stats socket /run/shop.sock
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 1m
    timeout http-request 4s
listen far
    bind :::81 v4v6 maxconn 50
    option http-buffer-request
    stats enable
    stats admin if LOCALHOST
    dispatch 192.0.2.1:80
listen wide
    bind :82
    option transparent
backend busy
    fullconn 500
    option persist
    cookie S
    ignore-persist if { path_end .css }
    server s1 192.0.2.2:80 minconn 2 maxconn 10 cookie a check observe layer7 error-limit 5 on-error mark-down
    server s2 192.0.2.3:80 redir http://mirror.example cookie b max-reuse 9
    server s3 192.0.2.4:443 check inter 1s downinter 5s rise 1 cookie c ssl verify none alpn h2,http/1.1
backend sorry
    http-request return status 503
backend old
    option httpclose
    server s1 192.0.2.5:80
listen redis
    mode tcp
    bind :6379
    option tcp-check
    tcp-check send PING\\r\\n
    tcp-check expect string +PONG
    server r1 192.0.2.6:6379 check
listen sentinel
    mode tcp
    bind :26379
    option tcp-check
    tcp-check connect port 6379 ssl
    tcp-check connect default
    tcp-check connect addr 192.0.2.9 port 1
    tcp-check connect
    server r1 192.0.2.6:26379 check port 7 verify none
backend front
    option httpchk
    http-check connect port 8443 ssl
    server s 192.0.2.6:80 check verify none
"""


@pytest.mark.parametrize(
    ("title", "label", "sentence"),
    [
        ("in short", "listens, too", "The runtime API on /run/shop.sock (stats socket)."),
        (
            "in short",
            "balances and shares",
            "Each client connection has server connections of its own: far, wide (no server lines).",
        ),
        ("listen far", "listens", "On [::]:81 (IPv4, too; at most 50 connections at once)."),
        ("listen far", "rules", "Its forms change the servers' states if the client's address is in 127.0.0.1/8 or"),
        ("listen far", "sends", "Other requests go to 192.0.2.1:80 (dispatch)."),
        ("listen far", "server connections", "which end with it. Dispatch knows no server to share."),
        ("listen far", "who waits", "4 s for a request's head and what of its body fits the buffer"),
        (
            "backend busy",
            "balances",
            "goes to the server that it names, even if that is down (cookie, option persist).",
        ),
        ("backend busy", "balances", "are left aside if the path ends with .css (ignore-persist)."),
        ("backend busy", "servers", "2 to 10 at once, more as the backend gets busier (minconn, all at 500: fullconn)"),
        ("backend busy", "servers", "GET and HEAD are redirected to http://mirror.example instead (redir)"),
        ("backend busy", "servers", "HTTP/2 where it agrees to that (alpn)"),
        ("backend busy", "server connections", "One that speaks HTTP/2 carries several requests at once."),
        ("backend busy", "server connections", "A connection is closed after 10 requests (max-reuse 9)."),
        ("backend busy", "if a server dies", "s1 is checked every 2 s by connecting to it: out after 3 failures"),
        (
            "backend busy",
            "if a server dies",
            "s3 is checked every 1 s (5 s while it is down) over TLS by connecting to it",
        ),
        ("backend busy", "if a server dies", "back after 1 success."),
        ("backend busy", "if a server dies", "Nobody checks s2: dead, it goes on getting its share."),
        (
            "backend busy",
            "if a server dies",
            "On s1, 5 errors in a row of real traffic (observe layer7) take it out at",
        ),
        ("backend sorry", "servers", "It has none: its rules answer every request."),
        ("backend old", "if a server dies", "gets no answer ends with 502 (504 after timeout server)."),
        ("listen redis", "if a server dies", "by option tcp-check, which must give string +PONG: out after"),
        (
            "listen sentinel",
            "if a server dies",
            "every 2 s on port 6379 over TLS, then on port 7, then at 192.0.2.9 on port 1, then on port 7, by option",
        ),
        ("backend front", "if a server dies", "every 2 s on port 8443 over TLS by OPTIONS / (option httpchk): out"),
    ],
)
def test_what_is_odd_about_a_server_or_its_connections_is_said(title: str, label: str, sentence: str) -> None:
    assert sentence in said(title, label, APART)


SMALL_FACTS = """\
defaults
    mode http
    timeout server-fin 3s
frontend web
    bind :8443 ssl crt shop.pem alpn h2,http/1.1
    compression algo gzip
    acl quarter src,wt6(1),mod(4) -m int eq -- 0
    use_backend by_name if quarter
    use_backend by_address
resolvers dns
    nameserver one 192.0.2.53:53
backend by_name
    server s1 192.0.2.1:443 check ssl verify none resolvers dns
    server s2 s2.example:80 check resolvers dns
backend by_address
    server s1 192.0.2.1:443 check ssl verify none port 9
    server s2 192.0.2.2:80
    server s3 192.0.2.3:80
backend none
    option forwardfor
listen mail
    mode tcp
    bind :993 ssl crt mail.pem
    server s1 192.0.2.1:143
"""


@pytest.mark.parametrize(
    ("title", "label", "sentence"),
    [
        ("in short", "hapy does not run", ":6): answers are sent as the server made them, not compressed."),
        ("frontend web", "listens", "On *:8443 (TLS, shop.pem; HTTP/2 where the client asks for it (alpn))."),
        ("frontend web", "sends", "go to by_name if src,wt6(1),mod(4) is 0. Other requests go to by_address."),
        ("listen mail", "looks at", "what travels in it is passed on as it is, out of its TLS."),
        ("backend by_name", "servers", "s1 at 192.0.2.1:443: TLS, certificate NOT verified. s2"),
        ("backend by_name", "servers", "s2 at s2.example:80: its addresses follow DNS (dns)."),
        ("backend by_name", "if a server dies", "s1 is checked every 2 s over TLS by connecting"),
        ("backend by_name", "if a server dies", "While all are out, requests get 503 at once."),
        ("backend by_address", "if a server dies", "s1 is checked every 2 s on port 9 by connecting"),
        ("backend by_address", "if a server dies", "Nobody checks s2 and s3: dead, they go on getting their share."),
        ("backend by_address", "who waits", "Once one side has closed, 3 s (timeout server-fin)."),
    ],
)
def test_small_facts(title: str, label: str, sentence: str) -> None:
    assert sentence in said(title, label, SMALL_FACTS)


def test_servers_alike_are_told_together() -> None:
    config = (
        "listen l\n  bind :80\n  server-template w 30 192.0.2.1:81\n  server x 192.0.2.2:82\n  server y 192.0.2.2:82\n"
    )
    assert said("listen l", "servers", config) == "w1 to w30 (30 servers) at 192.0.2.1:81. x and y at 192.0.2.2:82."


def test_headers_are_for_servers() -> None:
    assert said("backend none", "headers", SMALL_FACTS) == ""


def test_when_a_cookie_ends_and_which_server_a_format_names() -> None:
    config = """
listen l
    bind :80
    mode http
    cookie SRV insert indirect nocache maxidle 30m maxlife 8h
    use-server %[req.hdr(x-srv)] if { req.hdr(x-srv) -m found }
    server s1 192.0.2.1:80 cookie a
    server s2 192.0.2.2:80 cookie b
"""
    told = said("listen l", "balances", config)
    assert "The server that %[req.hdr(x-srv)] names takes it if the header x-srv is there" in told
    assert "no more after 30 min without a visit (maxidle) or 8 h from the first visit on (maxlife)" in told


def test_a_backend_that_is_a_table() -> None:
    config = "defaults\n mode http\nbackend t\n stick-table type ip size 1k store gpc0\n"
    told = said("backend t", "servers", config)
    assert told == "It has none: requests are answered 503. Others count in its table (stick-table)."


def test_what_is_not_logged_and_mails_that_are_not_sent() -> None:
    config = (
        "mailers m\n mailer a 192.0.2.1:25\ndefaults\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n"
        " log 192.0.2.9 local0\n option dontlognull\n"
        "listen web\n mode http\n bind :80\n option dontlog-normal\n server s 192.0.2.1:80 check\n"
        " email-alert mailers m\n email-alert from a@b.example\n email-alert to c@d.example\n"
        "listen raw\n bind :81\n server s 192.0.2.1:81\n"
    )
    assert said("listen web", "log", config) == (
        "Each request that fails, is tried again or redispatched, or gets 5xx, leaves a line, sent to 192.0.2.9"
        " (option dontlog-normal). Connections that send nothing leave none (option dontlognull)."
    )
    assert said("listen raw", "log", config).startswith("Each connection leaves a line, sent to 192.0.2.9.")
    assert said("in short", "hapy does not run", config).endswith("no mail is sent when a server changes state.")

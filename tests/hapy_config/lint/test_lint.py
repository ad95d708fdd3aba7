"""Advice on what HAProxy takes. Each rule's own examples are tried with the catalogue's; here is what lies at the edges."""

from __future__ import annotations

import time

import pytest

from hapy_config import read_text
from hapy_config.lint import lint, rules

HEAD = "defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n"
AB = "acl a path_beg /a\n acl b method POST\n acl c src 10.0.0.0/8\n"


def count(code: str, text: str) -> int:
    """How many findings of a code there are."""
    result = read_text(text if "defaults" in text else HEAD + text, env={}, assume_machine=True)
    assert result.config is not None, [one.message for one in result.diagnostics]
    return [found.code for found in lint(result)].count(code)


@pytest.mark.parametrize(
    ("code", "expected", "text"),
    [
        ("duplicate-bind", 1, "frontend a\n bind :80\nfrontend b\n bind :80\n"),
        ("duplicate-bind", 1, "frontend a\n bind :80-90\n bind 127.0.0.1:85\n bind :85\n"),
        ("duplicate-bind", 0, "frontend a\n bind :80\nfrontend b\n disabled\n bind :80\n"),
        ("unused-acl", 2, "frontend a\n bind :80\n acl x path /\n acl x path /y\n"),
        ("unused-acl", 0, "frontend a\n bind :80\n acl x path /\n http-request deny if !x\n"),
        ("unused-backend", 1, "backend b\n server s 10.0.0.1:80\n"),
        ("unused-backend", 0, "frontend a\n bind :80\n default_backend b\nbackend b\n server s 10.0.0.1:80\n"),
        ("unused-backend", 0, "frontend a\n bind :80\n use_backend %[path]\nbackend b\n server s 10.0.0.1:80\n"),
        ("unused-backend", 0, "frontend a\n bind :80\n monitor fail if { nbsrv(b) lt 1 }\nbackend b\n server s :80\n"),
        ("no-reuse", 1, "listen a\n bind :80\n option httpclose\n http-reuse always\n"),
        ("no-reuse", 0, "listen a\n bind :80\n http-reuse always\n"),
        ("no-reuse", 1, "frontend f\n bind :80\n option httpclose\n default_backend b\nbackend b\n http-reuse always\n"),
        ("slow-check", 0, "listen l\n bind :80\n timeout check 5s\n server s 10.0.0.1:80 check inter 3s fall 3\n"),
        ("slow-check", 1, "listen l\n bind :80\n timeout check 5s\n server s 10.0.0.1:80 check inter 3s fall 1\n"),
        # A refused configuration gets none.
        ("unreachable-rule", 0, f"frontend f\n bind :80\n {AB} http-request deny if a\n http-request allow if b\n"),
        ("unreachable-rule", 1, "frontend f\n bind :80\n http-request deny if TRUE\n http-request allow\n"),
        ("unreachable-rule", 0, "frontend f\n bind :80\n http-request deny if FALSE\n http-request allow\n"),
        ("unreachable-rule", 1, "frontend f\n bind :80\n http-request deny unless FALSE\n http-request allow\n"),
        ("unreachable-rule", 0, "frontend f\n bind :80\n http-request deny\n http-response allow\n"),
        ("unreachable-rule", 0, "frontend f\n bind :80\n http-request redirect location %[path] ignore-empty\n http-request deny\n"),
        ("shadowed-rule", 1, f"frontend f\n bind :80\n {AB} http-request deny if a or b\n http-request return if b c\n"),
        ("shadowed-rule", 0, f"frontend f\n bind :80\n {AB} http-request deny if a b\n http-request return if b c\n"),
        ("shadowed-rule", 0, f"frontend f\n bind :80\n {AB} http-request deny if a\n http-request set-path /x\n http-request deny if a\n"),
        ("shadowed-rule", 1, f"frontend f\n bind :80\n {AB} http-request deny unless a\n http-request deny if !a\n"),
        ("shadowed-rule", 0, "frontend f\n bind :80\n http-request deny if { rand(2) 0 }\n http-request return if { rand(2) 0 }\n"),
        ("shadowed-use-backend", 1, f"frontend f\n bind :80\n {AB} use_backend x if a or b\n use_backend y if a c or b\nbackend x\nbackend y\n"),
        ("shadowed-use-backend", 0, f"frontend f\n bind :80\n {AB} use_backend x if a or b\n use_backend y if a or c\nbackend x\nbackend y\n"),
        ("unreachable-use-backend", 1, "frontend f\n bind :80\n use_backend x\n default_backend y\nbackend x\nbackend y\n"),
        ("contradictory-condition", 1, f"frontend f\n bind :80\n {AB} http-request deny if a or b !c c\n"),
        ("contradictory-condition", 0, f"frontend f\n bind :80\n {AB} http-request deny if b !c or c\n"),
        ("exclusive-acls", 1, "frontend f\n bind :80\n http-request deny if { path /a } { path_beg /b }\n"),
        ("exclusive-acls", 0, "frontend f\n bind :80\n http-request deny if { path /a/b } { path_beg /a }\n"),
        ("exclusive-acls", 0, "frontend f\n bind :80\n http-request deny if { hdr(x-a) a } { hdr(x-a) b }\n"),
        ("exclusive-acls", 1, "frontend f\n bind :80\n http-request deny if { src 10.0.0.0/8 } { src 192.168.0.0/16 }\n"),
        ("exclusive-acls", 0, "frontend f\n bind :80\n http-request deny if { src 10.0.0.0/8 } { src 10.1.0.0/16 }\n"),
        ("exclusive-acls", 1, "frontend f\n bind :80\n http-request deny if { dst_port 80 } { dst_port 443 }\n"),
        ("exclusive-acls", 0, "frontend f\n bind :80\n http-request deny if { path_end .a } { path_beg /a }\n"),
        ("always-true-condition", 1, f"frontend f\n bind :80\n {AB} http-request deny if a or !a\n"),
        ("always-true-condition", 0, f"frontend f\n bind :80\n {AB} http-request deny if !a or !b\n"),
        ("redundant-condition", 1, f"frontend f\n bind :80\n {AB} http-request deny if a a\n"),
        ("redundant-condition", 0, f"frontend f\n bind :80\n {AB} http-request deny if a b or b c\n"),
        ("impossible-pattern", 1, "frontend f\n bind :80\n http-request deny if { hdr(host),lower -m str X.example }\n"),
        ("impossible-pattern", 0, "frontend f\n bind :80\n http-request deny if { hdr(host),lower -i -m str X.example }\n"),
        ("impossible-pattern", 1, "frontend f\n bind :80\n http-request deny if { hdr(host) http://x.example/ }\n"),
        ("impossible-pattern", 1, "frontend f\n bind :80\n http-request deny if { method post }\n"),
        ("impossible-pattern", 0, "frontend f\n bind :80\n http-request deny if { path_sub admin } or { path_end .php }\n"),
        ("impossible-pattern", 0, "frontend f\n bind :80\n http-request deny if { path,field(2,/) admin }\n"),
        ("shadowed-use-backend", 1, "frontend f\n bind :80\n use_backend x if { path_beg /a }\n use_backend y if { path_beg /a/b }\nbackend x\nbackend y\n"),
        ("shadowed-use-backend", 0, "frontend f\n bind :80\n use_backend x if { path_beg /a/b }\n use_backend y if { path_beg /a }\nbackend x\nbackend y\n"),
        ("shadowed-use-backend", 1, "frontend f\n bind :80\n use_backend x if { hdr(host) -i A.b c.d }\n use_backend y if { hdr(host) a.B }\nbackend x\nbackend y\n"),
        ("shadowed-use-backend", 0, "frontend f\n bind :80\n use_backend x if { hdr(host) a.b c.d }\n use_backend y if { hdr(host) -i a.b }\nbackend x\nbackend y\n"),
        ("shadowed-use-backend", 0, 'frontend f\n bind :80\n use_backend x if { hdr(host) "${A}" }\n use_backend y if { hdr(host) "${B}" }\nbackend x\nbackend y\n'),
        ("shadowed-use-backend", 0, "frontend f\n bind :80\n use_backend x if { path_beg /a } { method GET }\n use_backend y if { path_beg /a/b }\nbackend x\nbackend y\n"),
        ("shadowed-use-backend", 1, "frontend f\n bind :80\n use_backend x if { path_end .a } or { path_sub /b/ }\n use_backend y if { path /x.a } or { path_beg /q/b/ }\nbackend x\nbackend y\n"),
        ("shadowed-use-backend", 0, "frontend f\n bind :80\n use_backend x if { path_end .a }\n use_backend y if { path_beg /x.a }\nbackend x\nbackend y\n"),
        ("shadowed-use-backend", 0, "frontend f\n bind :80\n use_backend x if !{ path_beg /a }\n use_backend y if { path_beg /a/b }\nbackend x\nbackend y\n"),
        ("shadowed-rule", 1, "frontend f\n bind :80\n http-request deny if { src 10.0.0.0/8 }\n http-request return if { src 10.1.2.0/24 10.9.0.1 }\n"),
        ("shadowed-rule", 0, "frontend f\n bind :80\n http-request deny if { src 10.1.0.0/16 }\n http-request return if { src 10.0.0.0/8 }\n"),
        ("shadowed-rule", 1, "frontend f\n bind :80\n http-request deny if { path_len gt 5 }\n http-request return if { path_len 8:20 }\n"),
        ("shadowed-rule", 1, "frontend f\n bind :80\n http-request deny if { hdr(x-a) -m found }\n http-request return if { hdr(x-a) b }\n"),
        ("impossible-range", 1, "frontend f\n bind :80\n http-request deny if { src_port 70000 }\n"),
        ("impossible-range", 0, "frontend f\n bind :80\n http-request deny if { src_port 70000 80 }\n"),
        ("impossible-range", 1, "frontend f\n bind :80\n http-request deny if { hdr_cnt(x) lt 0 }\n"),
        ("impossible-range", 1, "frontend f\n bind :80\n http-request deny if { path_len gt 5 lt 10 }\n"),
        ("impossible-range", 0, "frontend f\n bind :80\n http-request deny if { path_len lt 5 gt 10 }\n"),
        ("impossible-range", 1, "frontend f\n bind :80\n http-request deny if { path_len ne 5 }\n"),
        ("impossible-range", 1, "frontend f\n bind :80\n http-request deny if { rand(10) ge 10 }\n"),
        ("impossible-range", 0, "frontend f\n bind :80\n http-request deny if { rand(10) ge 9 }\n"),
        ("impossible-range", 1, "listen f\n bind :80\n http-request deny if { nbsrv(f) gt 1 }\n server s 10.0.0.1:80\n"),
        ("impossible-range", 0, "listen f\n bind :80\n http-request deny if { nbsrv lt 1 }\n server s 10.0.0.1:80\n"),
        ("impossible-range", 0, "frontend f\n bind :80\n http-request deny if { hdr_val(x) lt 0 } or { path,length,sub(5) lt 0 }\n"),
        ("exclusive-acls", 1, "frontend f\n bind :80\n http-request deny if { src_port gt 10 } { src_port lt 5 }\n"),
        ("exclusive-acls", 0, "frontend f\n bind :80\n http-request deny if { src_port gt 10 } { src_port lt 15 }\n"),
        ("exclusive-acls", 1, "frontend f\n bind :80\n http-request deny if { path_len 1:5 } { path_len gt 8 }\n"),
        ("clear-credentials", 1, "backend f\n tcp-check send AUTH\\ x\\r\\n\n"),
        ("clear-credentials", 0, 'backend f\n tcp-check send "AUTH ${X}\\r\\n"\n'),
        ("clear-credentials", 1, "backend f\n http-check send hdr Authorization abc\n"),
        ("clear-credentials", 0, "backend f\n http-check send hdr Host abc\n"),
        # What nothing uses.
        ("unused-backend", 0, "frontend f\n bind :80\n filter spoe config /x\nbackend spoa\n mode tcp\n server s 10.0.0.1:80\n"),
        ("unused-resolvers", 0, "resolvers default\n nameserver n 10.0.0.53:53\n"),
        ("unused-cache", 1, "cache c\n total-max-size 4\nfrontend f\n bind :80\n http-response cache-store c\n"),
        ("unused-peers", 0, "peers p\n table t type ip size 1k\nfrontend f\n bind :80\n"),
        ("unused-defaults", 0, "defaults d\n timeout client 1s\nfrontend f from d\n bind :80\n"),
        ("unused-defaults", 1, "defaults d\n timeout client 1s\ndefaults\n timeout client 1s\nfrontend f\n bind :80\n"),
        ("unused-stick-table", 0, "frontend f\n bind :80\n http-request track-sc0 src table t\nbackend t\n stick-table type ip size 1k expire 1m\n"),
        ("unused-stick-table", 1, "frontend f\n bind :80\n default_backend t\nbackend t\n stick-table type ip size 1k expire 1m\n"),
        ("unreachable-use-backend", 0, "frontend f\n bind :80\n use_backend %[path]\n default_backend b\nbackend b\n"),
        # Timeouts.
        ("tiny-timeout", 0, "frontend f\n bind :80\n timeout client 50ms\n"),
        ("tiny-timeout", 0, "frontend f\n bind :80\n timeout client 5000\n"),
        ("missing-request-timeout", 0, "frontend f\n bind 127.0.0.1:80\n timeout client 5m\n"),
        ("missing-tunnel-timeout", 0, "frontend f\n bind :80\n use_backend b if { hdr(upgrade) -i h2c }\nbackend b\n"),
        # Reuse.
        ("reuse-private", 1, "listen l\n bind :80\n http-reuse always\n http-request deny if { hdr_beg(authorization) NTLM }\n server s 10.0.0.1:80\n"),
        ("reuse-private", 0, "listen l\n bind :80\n http-request deny if { hdr_beg(authorization) NTLM }\n server s 10.0.0.1:80\n"),
        ("reuse-without-pool", 3, "listen l\n bind :80\n http-reuse safe\n server a :80 pool-max-conn 0\n server b :81 pool-purge-delay 0\n server c :82 max-reuse 0\n"),
        ("reuse-without-pool", 0, "listen l\n bind :80\n server a 10.0.0.1:80 pool-max-conn 0\n"),
        ("reuse-send-proxy", 1, "listen l\n bind :80\n http-reuse always\n server a :80 send-proxy-v2\n server b :81\n"),
        ("bound-connection", 0, "listen l\n bind :80\n http-reuse never\n server a :80\n server b :81\n"),
        ("http-in-tcp-mode", 0, "listen l\n mode tcp\n bind :3306\n server a 10.0.0.1:80\n"),
        ("http-in-tcp-mode", 1, "frontend f\n mode tcp\n bind :80\n default_backend b\nbackend b\n mode tcp\n server a 10.0.0.1:8080\n"),
        # Who gets in.
        ("stats-without-auth", 0, "listen l\n bind :80\n stats enable\n stats auth a:kT9hRw2q\n"),
        ("stats-without-auth", 0, "listen l\n bind :80\n stats enable\n http-request deny unless { src 10.0.0.0/8 }\n"),
        ("stats-without-auth", 1, "frontend f\n bind :80\n default_backend b\nbackend b\n stats uri /s\n"),
        ("stats-without-auth", 0, "listen l\n bind 10.0.0.1:80\n stats enable\n"),
        ("stats-without-auth", 1, "defaults\n mode http\n stats auth a:kT9hRw2q\nlisten l\n bind :80\n stats enable\n"),
        ("stats-admin", 0, "listen l\n bind :80\n stats enable\n stats admin if LOCALHOST\n"),
        ("stats-admin", 0, "listen l\n bind 127.0.0.1:80\n stats enable\n stats admin if TRUE\n"),
        ("stats-admin", 1, "listen l\n bind [::1]:80\n bind :80\n stats enable\n stats admin if TRUE\n"),
        ("default-password", 1, "userlist u\n user joe insecure-password joe\n"),
        ("clear-password", 0, 'userlist u\n user joe insecure-password "${X-y}"\n'),
        ("open-socket", 0, "global\n stats socket 127.0.0.1:9999 level admin\n"),
        ("open-socket", 1, "global\n stats socket /run/x.sock mode 666 level admin\n"),
        ("open-socket", 0, "global\n stats socket /run/x.sock mode 666 level user\n"),
        ("verify-none", 0, "listen l\n bind :80\n server s 127.0.0.1:443 ssl verify none\n"),
        ("weak-ciphers", 0, "frontend f\n bind :443 ssl crt /x.pem ciphers HIGH:!aNULL:!MD5:!RC4:!3DES\n"),
        ("weak-ciphers", 1, "frontend f\n bind :443 ssl crt /x.pem ciphers ECDH+3DES:!MD5\n"),
        ("weak-ciphers", 0, "frontend f\n bind :443 ssl crt /x.pem ciphers ECDH+AESGCM:DES-CBC3-SHA:!3DES\n"),
        ("weak-tls-version", 1, "global\n ssl-default-bind-options ssl-min-ver TLSv1.1\n"),
        ("open-proxy", 0, "frontend f\n bind 127.0.0.1:80\n http-request set-dst hdr_ip(x-to)\n default_backend b\nbackend b\n server s 0.0.0.0:0\n"),
        ("spoofed-forwardfor", 0, "listen l\n bind 127.0.0.1:80\n option forwardfor if-none\n"),
        ("spoofed-header", 0, "frontend f\n bind :80\n http-request set-header X-Forwarded-Proto http\n http-request set-header X-Forwarded-Proto https if { ssl_fc }\n"),
        ("spoofed-header", 0, "frontend f\n bind :80\n http-request set-header X-Forwarded-Proto https if { ssl_fc }\n http-request set-header X-Forwarded-Proto http if !{ ssl_fc }\n"),
        ("spoofed-header", 1, "frontend f\n bind :80\n http-request add-header X-Forwarded-Proto https\n"),
        ("spoofed-header", 0, "frontend f\n bind :80\n http-request redirect scheme https unless { ssl_fc }\n http-request set-header X-Forwarded-Proto https if { ssl_fc }\n"),
        ("spoofed-header", 0, "frontend f\n bind :80\n redirect scheme https if !{ ssl_fc }\n http-request set-header X-Forwarded-Proto https if { ssl_fc }\n"),
        ("spoofed-header", 1, "frontend f\n bind :80\n http-request deny if !{ ssl_fc } { path /x }\n http-request set-header X-Forwarded-Proto https if { ssl_fc }\n"),
        ("spoofed-header", 1, "frontend f\n bind :80\n http-request allow if !{ ssl_fc }\n http-request set-header X-Forwarded-Proto https if { ssl_fc }\n"),
        ("spoofed-source", 1, "frontend f\n bind :80\n http-request set-src hdr(x-real-ip)\n"),
        ("open-redirect", 0, "frontend f\n bind :80\n http-request redirect location https://%[hdr(host)]%[path]\n"),
        ("open-redirect", 1, "frontend f\n bind :80\n http-request redirect prefix https://%[hdr(x-to)]\n"),
        ("redirect-loop", 0, "frontend f\n bind :80\n redirect scheme https\n"),
        ("never-tls", 0, "frontend f\n bind :80\n http-request redirect scheme https if !{ ssl_fc }\n"),
        ("never-tls", 0, "frontend f\n bind :80 accept-proxy\n http-request set-header a b if { ssl_fc }\n"),
        ("plain-tls-port", 1, "frontend f\n bind :443\n"),
        ("plain-tls-port", 0, "frontend f\n mode tcp\n bind :443\n"),
        # Limits, checks, servers.
        ("impossible-minconn", 0, "listen l\n bind :80\n server s 10.0.0.1:80 minconn 10 maxconn 20\n"),
        ("duplicate-server", 0, "listen l\n bind :80\n server a 10.0.0.1:80 check port 81\n server b 10.0.0.1:80 check port 82\n"),
        ("duplicate-server", 0, "resolvers r\n nameserver n 10.0.0.53:53\nlisten l\n bind :80\n server-template s 3 web.example:80 resolvers r\n"),
        ("unchecked-servers", 0, "listen l\n bind :80\n server a 10.0.0.1:80\n"),
        ("unchecked-servers", 1, "listen l\n bind :80\n server a 10.0.0.1:80 check\n server b 10.0.0.2:80\n"),
        ("unchecked-servers", 0, "listen l\n bind :80\n server a 10.0.0.1:80 check\n server b 10.0.0.2:80 backup\n"),
        ("check-without-host", 0, "listen l\n bind :80\n option httpchk GET / HTTP/1.1\\r\\nHost:\\ x\n server a 10.0.0.1:80 check\n"),
        ("check-without-host", 1, "listen l\n bind :80\n option httpchk\n http-check send meth GET uri / ver HTTP/1.1\n server a 10.0.0.1:80 check\n"),
        ("loop-to-self", 0, "frontend f\n bind :80\n use_backend b if { path / }\nbackend b\n server s 127.0.0.1:80\n"),
        ("loop-to-self", 1, "frontend f\n bind :80\n default_backend b\nbackend b\n server s 127.0.0.1:80\n"),
        ("body-not-awaited", 0, "frontend f\n bind :80\n option http-buffer-request\n http-request deny if { req.body -m sub x }\n"),
        ("counter-not-stored", 0, "frontend f\n bind :80\n stick-table type ip size 1k store gpc(2)\n http-request track-sc0 src\n http-request deny if { sc0_get_gpc0 gt 1 }\n"),
        ("counter-not-stored", 1, "frontend f\n bind :80\n http-request deny if { src_conn_rate(t) gt 1 }\nbackend t\n stick-table type ip size 1k store conn_cur\n"),
        ("sni-not-awaited", 0, "frontend f\n mode tcp\n bind :443\n use_backend b if { dst_port 443 }\nbackend b\n mode tcp\n"),
        ("removed-later", 1, "frontend f\n bind :80\n http-request set-mark 1\n"),
    ],
)  # fmt: skip
def test_rules(code: str, expected: int, text: str) -> None:
    assert count(code, text) == expected


def test_every_rule_has_its_own_code() -> None:
    assert len({rule.code for rule in rules()}) == len(rules())


def test_every_rule_has_two_examples() -> None:
    for rule in rules():
        assert rule.bad, rule.code
        assert rule.good, rule.code


def test_a_refused_configuration_gets_no_advice() -> None:
    assert list(lint(read_text(HEAD + "frontend a\n bind :80\n nonsense\n bind :80\n", env={}))) == []


def seconds(size: int) -> float:
    """Processor time of all rules over that many backends, in which much is asked of one frontend."""
    front = "frontend f from d\n bind :80\n"
    front += "".join(f" http-request deny if {{ path /{n} }} {{ hdr(x-a) {n} }}\n" for n in range(size))
    front += "".join(f" use_backend b{n} if {{ hdr(host) h{n}.example }}\n" for n in range(size))
    backends = "".join(f"backend b{n} from d\n server s 127.0.0.1:{n + 1} check\n" for n in range(size))
    head = (
        HEAD.replace("defaults", "defaults d") + " http-reuse always\n balance source\n retry-on all-retryable-errors\n"
    )
    result = read_text(head + front + backends, env={})
    assert result.config is not None
    rules()
    start = time.process_time()
    assert len(list(lint(result))) >= 1
    return time.process_time() - start


def test_time_grows_with_the_file_and_no_faster() -> None:
    small = min(seconds(200) for _ in range(3))
    assert seconds(3200) < 80 * small  # 16 times as many lines; what is quadratic takes 256 times as long


def test_inherited_lines_are_told_once() -> None:
    text = HEAD + " option httpclose\n" + "".join(f"backend b{number}\n" for number in range(3))
    assert count("no-keep-alive", text) == 1

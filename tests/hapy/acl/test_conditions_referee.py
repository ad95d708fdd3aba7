"""Conditions decided by the real haproxy and by hapy for the same request."""

from __future__ import annotations

import pytest

from hapy.acl import compile_condition
from hapy_config.grammar.conditions import parse_acl, parse_condition
from hapy_config.words import split
from tests.hapy.rules_world import Listeners, Referee, environment, transaction

REQUEST = (
    b"GET /a/b.c?q=1&u=%41 HTTP/1.1\r\nhost: Www.Example.com:80\r\nx: 1, 2\r\nx: abc\r\ne:\r\nip: 10.1.2.3\r\n"
    b"ip6: ::ffff:10.1.2.3\r\nneg: -5\r\nf: 3.1\r\ncookie: s=1; t=2; s=3\r\nauthorization: Basic dTpw\r\n"
    b"ends: 10.1.2.3/8, x\r\nzeros: x, 010.1.2.03:80\r\nenc: a, %, b\r\nother: www\r\n\r\n"
)
OTHER = b"Foo /A/ HTTP/1.0\r\nx: 7\r\nhost: 10.1.2.3\r\n\r\n"

ACLS = r"""
acl named path_beg /a
acl named hdr(host) nobody
acl lines hdr(x) 7
acl lines src 127.0.0.1
acl nothing path_beg /nothing
acl from_file hdr(host) -i -f {folder}/hosts
acl nets src -f {folder}/networks
acl blanks hdr(other) -f {folder}/hosts
acl mixed hdr(x) -f {folder}/hosts abc
acl mapped hdr(x) -M -f {folder}/map
"""
HOSTS = "# comment\n\n  www.example.com:80\nother\r\n\twww \nW \r\n"
NETWORKS = "10.0.0.0/8\n127.0.0.0/24\n::1\n"
MAP = "abc  one two\n#x\n7 seven\n"

CONDITIONS = r"""
{ path_beg /a }
{ path_beg / } { path_end .c }
{ path -m beg /x /a }
{ hdr(zeros) -m ip 10.1.2.3 }
{ hdr(ends) -m ip 10.1.2.3 }
{ hdr_ip(ends) -m found }
{ hdr_ip(zeros) 10.1.2.3 }
{ hdr(ends),ipmask(24) -m found }
{ hdr(zeros),ipmask(24) -m found }
{ hdr(enc),url_dec a }
{ hdr(enc),url_dec b }
{ hdr(e) -m found }
{ hdr(zz) -m found }
!{ hdr(zz) abc }
{ hdr(zz) abc }
{ hdr(host) www.example.com:80 }
{ hdr(host) -i www.example.com:80 }
{ hdr_dom(host) Example }
{ hdr_dom(host) -i example }
{ hdr_dom(host) -i example.com }
{ hdr_dom(host) -i xample }
{ hdr_dom(host) -i .example. }
{ hdr_dom(host) -i com:80 }
{ hdr_dom(host) 80 }
{ path_dir a }
{ path_dir b }
{ path_dir b.c }
{ path_dir /a/b.c }
{ path_dir a/ }
{ path_dir / }
{ path_dom c }
{ path_reg ^/A }
{ path_reg -i ^/A }
{ path_reg c$ }
{ path_reg ^/a/[[:alpha:]]\.c$ }
{ path_len 6 }
{ path_len gt 5 }
{ path_len 1:3 6:7 }
{ path_len lt 6 }
{ hdr_val(neg) lt 0 }
{ hdr_val(neg) -- -5 }
{ hdr(f) -m int 3 }
{ hdr_val(f) 3 }
{ hdr_val(f) 281 }
{ method get }
{ method -i get }
{ method GET }
{ method FOO }
{ method Foo }
{ method -i FOO }
{ method GET FOO }
{ meth(foo) -m str FOO }
METH_GET
METH_POST
HTTP_1.0
HTTP_1.1
HTTP_URL_SLASH
HTTP_URL_ABS
HTTP_CONTENT
LOCALHOST
TRUE
FALSE
!FALSE
{ src 127.0.0.1 }
{ src 127.1 }
{ src 127.0.0.0/8 }
{ src 127.0.0.0/255.0.0.0 }
{ src 127.0.0.1/255.0.0.255 }
{ src ::ffff:127.0.0.1 }
{ src ::ffff:0:0/96 }
{ src 10.0.0.0/8 127.0.0.1 }
{ src 0.0.0.0/0 }
{ src ::/0 }
!{ src 10.0.0.0/8 }
{ src localhost }
{ hdr_ip(ip) 10.0.0.0/8 }
{ hdr_ip(ip6) 10.0.0.0/8 }
{ hdr_ip(ip6) ::ffff:10.1.2.3 }
{ hdr_ip(host) 10.1.2.3 }
{ hdr(ip) -m ip 10.1.2.3 }
{ ipv6(2002:0a01:0203::) 10.1.2.3 }
{ ipv6(::10.1.2.3) 10.1.2.3 }
{ ipv6(2001:db8::1) 2001:db8::/32 }
{ int(167838211) -m ip 10.1.2.3 }
{ src -m str 127.0.0.1 }
{ src -m beg 127. }
{ src -m bool }
{ src -m found }
{ int(5) -m bool }
{ int(0) -m bool }
{ int(5) 5 }
{ int(5) -m str 5 }
{ int(5) gt 4 }
{ int(5) ge 5 lt 3 }
{ int(5) lt 3 gt 6 }
{ int(5) eq 1 5 }
{ int(5) ge 6 5 }
{ int(5) le 5 }
{ int(5) 5: }
{ int(5) :4 }
{ int(5) -m len 1 }
{ bool(1) 1 }
{ bool(0) 0 }
{ bool(1) -m int 1 }
{ bool(1) -m str 1 }
{ always_true abc }
{ str(5) -m int 5 }
{ str(abc) -m bool }
{ str(1) -m bool }
{ bin(616263) -m bin 616263 }
{ bin(616263) -m str abc }
{ bin(616263) -m bin 6162 }
{ bin(616263) -m sub b }
{ str(abc) -m bin 616263 }
{ bin(61006263) -m len 4 }
{ bin(61006263) -m str a }
{ hdr(x) 2 }
{ hdr(x) abc 7 }
{ hdr(x,1) 2 }
{ hdr(x,-1) abc }
{ hdr(x,2) 2 }
{ hdr(x,7) -m found }
{ hdr(x) -m len 3 }
{ hdr(x) -m sub bc }
{ hdr(x) -m reg ^a.c$ }
{ hdr(x) -m found x }
{ hdr(x) -m beg 1 }
{ req.fhdr(x) -m sub "1, 2" }
{ hdr_cnt(x) 3 }
{ hdr_cnt(x) gt 1 }
{ hdr_val(x) 2 }
{ hdr(x),lower,length 3 }
{ hdr(x),upper ABC }
{ urlp(q) 1 }
{ urlp(u) %41 }
{ urlp(u),url_dec A }
{ urlp -m found }
{ urlp %41 }
{ url_param(q) -m int 1 }
{ cook(s) 1 }
{ cook(s) 3 }
{ req.cook(t) 2 }
{ req.cook_cnt(s) 2 }
{ cook_val(s) gt 2 }
{ path -m found }
{ query -m found }
{ query q=1&u=%41 }
{ var(txn.none) -m found }
{ var(txn.none) -m str x }
!{ var(txn.none) -m str x }
{ str(a),lower A }
{ str(),length 0 }
{ path_beg -i -- -x }
{ path_beg -i /A }
{ path_end .c .d }
{ path_sub /b }
{ path_sub -i /B }
{ path_sub a b c d e f g }
{ base_dom -i com }
{ base_dir a }
{ base -i www.example.com:80/a/b.c }
{ url_sub ?q }
{ url_dir a }
{ url_dom b }
{ url_end 41 }
{ path /a/b.c }
{ path -i /A/B.C }
{ path /A/ /a/b.c /z }
{ req.ver 1.1 }
{ url_reg ^/a/b\\.c\\?q }
{ str(a.b.c) -m dom b.c }
{ str(a.b.c) -m dom .b }
{ str(ab.abc) -m dom ab }
{ str(xab.ab) -m dom ab }
{ str(a/b/c) -m dir b/c }
{ str(a/bb/b) -m dir b }
{ str(a?b) -m dir b }
{ str(a.b) -m dir b }
{ str(a:b) -m dir b }
{ str() -m dir a }
{ str(a/) -m dir a }
{ str(a) -m end a b }
{ path -m beg -i /A -m end .c }
{ http_auth(u) }
{ http_auth_group(u) g }
{ http_auth_group(u) nobody }
{ dst_port 1:65535 }
{ src_port 0 }
{ nbsrv(f) 0 }
{ nbsrv eq 0 }
{ fe_conn ge 0 }
{ date gt 1000 }
{ rand(1) 0 }
named
!named
lines
nothing or lines
nothing || named
!nothing named
nothing named or lines
from_file
blanks
nets
mixed
mapped
named !{ path_beg /x }
""".strip().split("\n")


def compiled(text: str, acls: dict, env, words: str = "if"):
    return compile_condition(parse_condition(split(f"{words} {text}", lambda _: None)[0], acls), env)


@pytest.mark.referee
@pytest.mark.parametrize("request_bytes", [REQUEST, OTHER], ids=["rich", "plain"])
def test_conditions_as_haproxy(request_bytes, haproxy, tmp_path):
    for name, content in (("hosts", HOSTS), ("networks", NETWORKS), ("map", MAP)):
        (tmp_path / name).write_text(content)
    lines = [line for line in ACLS.format(folder=tmp_path).split("\n") if line]
    listeners = Listeners(1)
    configuration = (
        "userlist u\n group g users u\n group nobody\n user u insecure-password p\nglobal\n tune.bufsize 65536\n"
        f"defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 1s\nlisten f\n bind {listeners.binds[0]}\n"
        + "".join(f" {line}\n" for line in lines)
        + " http-request set-var(txn.r) str()\n"
        + "".join(
            f" http-request set-var(txn.r) var(txn.r),concat(|{number}) if {text}\n"
            for number, text in enumerate(CONDITIONS)
        )
        + " http-request return content-type text/plain lf-string %[var(txn.r)]\n"
    )
    with listeners, Referee(haproxy, tmp_path, configuration, listeners) as referee:
        answer = referee.ask(listeners.ports[0], request_bytes)
    true_for_haproxy = {int(number) for number in answer.partition(b"\r\n\r\n")[2].split(b"|") if number}
    assert len(true_for_haproxy) > 20, answer
    env = environment()
    txn = transaction(request_bytes, env)
    env.backends["f"] = txn.backend
    acls: dict = {}
    for line in lines:
        words = split(line, lambda _: None)[0]
        acls.setdefault(words[1], []).append(parse_acl(words, 2))
    different = []
    for number, text in enumerate(CONDITIONS):
        found = compiled(text, acls, env)(txn)
        if found != (number in true_for_haproxy):
            different.append(f"{text}: haproxy says {number in true_for_haproxy}")
        assert compiled(text, acls, env, "unless")(txn) is not found
    assert not different, "\n".join(different)


def test_condition_without_a_term_never_holds():
    env = environment()
    txn = transaction(REQUEST, env)
    assert compiled("", {}, env)(txn) is False
    assert compiled("", {}, env, "unless")(txn) is True


def test_no_request_matches_nothing_about_requests():
    env = environment()
    txn = transaction(REQUEST, env)
    txn.request = None
    for text in ("{ path_beg / }", "{ hdr(host) -m found }", "{ path -m len gt 0 }", "{ urlp(q) 1 }"):
        assert compiled(text, {}, env)(txn) is False

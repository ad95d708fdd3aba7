"""Rules run by the real haproxy and by hapy: what the origin sees, and what the client gets.

Each case is a few lines of a listen section. hapy's side walks the rulesets the way the path of a request does: request
rules, then the origin's answer, response rules and after-response rules (these alone over an answer of its own).
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading

import pytest

import hapy_config
from hapy.acl import compile_condition
from hapy.http.message import Response, without
from hapy.observe.process import Process
from hapy.rules import ALLOW, REJECT, Reply, Tarpit, compile_redirect, compile_ruleset
from hapy.samples import CompileEnv
from tests.hapy.rules_world import Listeners, Referee, parse_head, read_answer, transaction

REQUEST = (
    b"GET /x/y?y=1 HTTP/1.1\r\nhost: a.b:80\r\nfoo: 1, 2\r\nfoo: 3\r\nbar: x\r\ncookie: s=1\r\n"
    b"authorization: Basic eDp5\r\n\r\n"
)
ABSOLUTE = b"GET http://h.x:82/p?q HTTP/1.1\r\nhost: h.x:82\r\nfoo: 1\r\n\r\n"
STAR = b"OPTIONS * HTTP/1.1\r\nhost: h\r\n\r\n"
HEAD = b"HEAD /x HTTP/1.1\r\nhost: h\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nfoo: a, b\r\nset-cookie: q=1\r\n\r\nok"

ERRORFILE = b"HTTP/1.0 418 Mine\r\nX-Own: 1\r\nWWW-Authenticate: q\r\nContent-Length: 4\r\n\r\nbody"

MAPS = {
    "strings": "# comment\n/x/y  first value  \n/x short\n   two\t a b\n/x/y later\n",
    "ends": "/y slash y\n.c dot c\nb bee\n",
    "words": "y why\nx ex\na.b a and b\nb:80 port\n",
    "regexes": "^/(x)/(.)$ matched-\\1-\\2-\\0\n. any\n",
    "numbers": "5 five\n10:20 teens\n",
    "integers": "5 55\n",
    "integers2": "a 41\n",
    "networks": "10.0.0.0/8 ten\n10.1.0.0/16 ten one\n10.1.2.3 host\n127.0.0.0/8 local\n2001:db8::/32 doc\n",
    "addresses": "a 1.2.3.4\n",
}

CASES = r"""
http-request set-header foo bar
http-request set-header X-New %[src]
http-request set-header X-New %[path]-%[var(txn.none)]-%HM
http-request set-header foo "%[req.hdr(foo)], more"
http-request add-header foo z
http-request del-header foo
http-request del-header f -m beg
http-request del-header oo -m end
http-request del-header O -m sub
http-request del-header ^F.O$ -m reg
http-request del-header ^f.o$ -m reg
http-request del-header FOO
http-request replace-header foo ^(.),(.*)$ \2-\1
http-request replace-header foo 3 [%[src]]
http-request replace-header foo (.*) \1\\1
http-request replace-value foo ([0-9]) <\1>
http-request replace-value foo 2 x
http-request replace-value foo ^(.)$ \1%[path]
http-request set-path /new
http-request set-path new?z
http-request set-pathq /n?q
http-request set-query a=b
http-request set-query %[var(txn.no)]
http-request set-uri http://h/p?q
http-request set-uri /p?q
http-request set-method PUT
http-request replace-path /x/(.*) /\1
http-request replace-path nomatch /a
http-request replace-path y zz
http-request replace-pathq (.*)\?(.*) \1-\2
http-request replace-uri ^/x(.*) /q\1
http-request replace-uri ^http://([^/]*) http://q\1
http-request set-header host other
http-request replace-header host (.*) new-\1
http-request set-header foo %[str()]
http-request set-path %[var(txn.none)]
http-request replace-path ^(.*)$ %[src]\1?a
http-request set-header X-A a|http-request set-header x-a b|http-request add-header x-a c
http-request set-header a 1 if { path_beg /x }|http-request set-header a 2 unless { path_beg /x }
http-request set-var(txn.a) path,upper|http-request set-header v %[var(txn.a)]
http-request set-var-fmt(txn.a) %[path]-%[src]|http-request set-header v %[var(txn.a)]
http-request set-var(txn.a) str(x)|http-request unset-var(txn.a)|http-request set-header v [%[var(txn.a)]]
http-request set-var(txn.a) str(x)|http-request set-var(txn.a,ifnotexists) str(y)|http-request set-header v %[var(txn.a)]
http-request set-var(req.a) str(x)|http-response set-header v [%[var(req.a)]]
http-request set-var(txn.a) str(x)|http-response set-header v [%[var(txn.a)]]
http-request set-var(sess.a) str(x)|http-response set-header v [%[var(sess.a)]]
http-request set-var(req.a) str(x)|http-after-response set-header v [%[var(req.a)]]|http-request return
http-request set-src str(1.2.3.4)|http-request set-header s %[src]-%ci-%[fc_src]
http-request set-src-port int(77)|http-request set-header s %[src_port]
http-request set-dst str(1.2.3.4)|http-request set-header s %[dst]-%fi-%[fc_dst]
http-request set-dst-port int(70077)|http-request set-header s %[dst_port]
http-request set-src str(bad)|http-request set-header s %[src]
tcp-request connection set-src str(4.4.4.4)|http-request set-header s %[src]-%[fc_src]
tcp-request session set-var(sess.q) str(9)|http-request set-header s %[var(sess.q)]
http-request set-timeout server 20s|http-request set-header t %[cur_server_timeout]-%[be_server_timeout]
http-request set-priority-class int(5000)|http-request set-header p %[prio_class]
http-request set-priority-offset int(-9)|http-request set-header p %[prio_offset]
http-request capture path len 3|http-request set-header c %[capture.req.hdr(0)]
declare capture request len 4|http-request capture path id 0|http-request set-header c %[capture.req.hdr(0)]
capture request header foo len 10|http-request set-header c [%[capture.req.hdr(0)]]
capture response header foo len 3|http-response set-header c [%[capture.res.hdr(0)]]
declare capture response len 4|http-response capture res.hdr(foo) id 0|http-response set-header c [%[capture.res.hdr(0)]]
http-request allow|http-request deny
http-request deny if !{ path /nope }
http-request deny unless { path /nope }
http-request deny
http-request deny deny_status 404
http-request deny status 404
http-request deny deny_status 429 hdr a b
http-request deny status 418 hdr a b
http-request deny deny_status 404 content-type a string xx
http-request deny status 403 errorfile {folder}/e.http
http-request tarpit
http-request tarpit deny_status 429
http-request tarpit status 418 hdr a b
http-request reject
http-request return
http-request return status 204
http-request return status 304
http-request return status 404
http-request return status 599
http-request return status 250
http-request return status 404 default-errorfiles
http-request return errorfiles ee status 403
http-request return errorfile {folder}/e.http
http-request return errorfile /dev/null
http-request return hdr a b hdr A %[src]
http-request return status 200 content-type text/plain lf-string "%[src]  %ci"
http-request return content-type a/b lf-string %[var(txn.n)]
http-request return status 200 content-type z string x hdr Content-Type x hdr transfer-encoding chunked hdr content-length 9 hdr date d hdr server s
http-request return content-type text/plain file {folder}/body
http-request return content-type text/plain lf-file {folder}/body
http-request return status 200 content-type text/plain string hi hdr x-a %[src]|http-after-response set-header x-b c
http-request return|http-after-response set-status 201
http-request auth
http-request auth realm "a b"
http-request auth unless { http_auth(u) }
errorfile 401 {folder}/e.http|http-request auth
errorfile 403 {folder}/e.http|http-request deny
errorfile 403 /dev/null|http-request deny
http-error status 403 content-type x/y lf-string "denied %[src]" hdr a %[path]|http-request deny
errorloc 403 http://e/|http-request deny
errorloc303 403 http://e/|http-request deny
http-request redirect location /z
http-request redirect location /z code 301
http-request redirect location /z code 308 set-cookie A=b
http-request redirect location /z clear-cookie A=
http-request redirect location /z clear-cookie A
http-request redirect location /z set-cookie A
http-request redirect prefix http://q
http-request redirect prefix /
http-request redirect prefix %[str(/)]
http-request redirect prefix http://q drop-query
http-request redirect prefix http://q drop-query append-slash
http-request redirect prefix http://q append-slash
http-request redirect scheme https
http-request redirect scheme https drop-query
http-request redirect scheme https append-slash
http-request redirect location /%[path]?%[query]
http-request redirect location %[var(txn.x)] ignore-empty
http-request redirect location %[var(txn.x)]
redirect location /z
redirect prefix http://q code 303
redirect scheme https if { path_beg / }
redirect scheme https if { path_beg /nope }
http-response redirect location /%[res.hdr(foo)]
http-response set-status 404
http-response set-status 299 reason "Hello you"
http-response set-status 599
http-response replace-value foo a c
http-response replace-header foo (.*) <\1>
http-response del-header foo
http-response set-header foo z
http-response add-header x y
http-response set-header s %[status]-%[res.ver]-%[res.hdr_cnt(foo)]-%[res.cook(q)]-%[hdr(foo)]-%[capture.req.uri]
http-response set-header r "%[res.hdr(foo,1)]|%[res.fhdr(foo)]|%[res.hdr_cnt(foo)]|%[res.fhdr_cnt(foo)]|%[res.hdr_names]|%[res.hdr_cnt]|%[res.fhdr_cnt]"
http-response set-header r "%[res.cook(q)]|%[res.cook]|%[res.cook_cnt]|%[res.cook_val(q)]|%[scook(q)]|%[shdr(foo)]|%[shdr_cnt(foo)]|%[cookie(q)]|%[res.body_size]"
http-response set-header r "%[capture.req.method]|%[capture.req.ver]|%[capture.res.ver]|%[status,add(1)]|%[res.hdr_val(content-length)]|%[res.hdr_ip(foo)]|%[resp_ver]"
http-response set-header r "%[res.hdrs]"
http-response set-header r "%[hdr(foo)]" if { res.hdr(foo) a } { status 200:299 } !{ res.cook(q) 2 }
http-request set-header m "%[path,map({folder}/strings)]|%[path,map({folder}/strings,none)]|%[str(/x/y),map_str({folder}/strings)]|%[str(two),map({folder}/strings)]"
http-request set-header m "%[path,map_beg({folder}/strings)]|%[path,map_end({folder}/ends)]|%[path,map_sub({folder}/ends)]|%[path,map_dir({folder}/words)]|%[req.hdr(host),map_dom({folder}/words)]"
http-request set-header m "%[path,map_reg({folder}/regexes)]|%[path,map_regm({folder}/regexes)]|%[str(nothing),map_regm({folder}/regexes,none)]"
http-request set-header m "%[int(5),map_int({folder}/numbers)]|%[int(15),map_int({folder}/numbers)]|%[int(99),map_int({folder}/numbers,none)]|%[int(5),map_int_int({folder}/integers)]|%[str(a),map_str_int({folder}/integers2),add(1)]"
http-request set-header m "%[src,map_ip({folder}/networks)]|%[str(10.1.2.3),map_ip({folder}/networks)]|%[str(10.1.9.9),map_ip({folder}/networks)]|%[str(11.1.1.1),map_ip({folder}/networks,none)]|%[str(2001:db8::5),map_ip({folder}/networks)]|%[str(a),map_str_ip({folder}/addresses)]"
http-response deny
http-response deny deny_status 404
http-response deny deny_status 418 hdr a b
http-response return content-type a string b hdr x %[src]
http-response return status 503 default-errorfiles
http-response allow|http-response deny
http-after-response set-header foo z
http-after-response allow|http-after-response set-header foo z
http-request deny if { path_beg /nope } or { hdr(bar) x }
acl a path_beg /x|acl b hdr(bar) y|http-request deny if a !b
http-request set-header line %[last_rule_line]
http-request set-pathq /a//b///c//?x//y|http-request normalize-uri path-merge-slashes
http-request set-pathq /./a/././b/.|http-request normalize-uri path-strip-dot
http-request set-pathq /.well-known/./?./|http-request normalize-uri path-strip-dot
http-request set-pathq /a/b/../../c/..|http-request normalize-uri path-strip-dotdot
http-request set-pathq /bar/../..|http-request normalize-uri path-strip-dotdot
http-request set-pathq /../bar/..?x=/../|http-request normalize-uri path-strip-dotdot
http-request set-pathq /../foo//../|http-request normalize-uri path-strip-dotdot full
http-request set-pathq /%%2E%%2E/%%61dmin?%%61=%%2f|http-request normalize-uri percent-decode-unreserved
http-request set-pathq /%%%%36%%36|http-request normalize-uri percent-decode-unreserved
http-request set-pathq /%%ZZ|http-request normalize-uri percent-decode-unreserved strict
http-request set-pathq /%%6|http-request normalize-uri percent-to-uppercase strict
http-request set-pathq /%%6f?%%zz|http-request normalize-uri percent-to-uppercase
http-request set-pathq /?aaa=3&a=1&aa=2&a=0|http-request normalize-uri query-sort-by-name
http-request set-pathq '/a#b?c#d'|http-request normalize-uri fragment-strip
http-request set-pathq '/a#b?c#d'|http-request normalize-uri fragment-encode
http-request set-nice 5|http-request set-log-level debug|http-request disable-l7-retry
http-request strict-mode off|http-request set-header a b
""".strip().split("\n")


def section(case: str, number: int, bind: str, origin: int, folder: object) -> str:
    lines = re.split(r"\|(?=[a-z])(?!%)", case.replace("{folder}", str(folder)))
    return (
        f"listen f{number}\n bind {bind}\n"
        + "".join(f" {line}\n" for line in lines)
        + (f" server s 127.0.0.1:{origin}\n")
    )


def configuration(cases, binds, origin, folder) -> str:
    (folder / "e.http").write_bytes(ERRORFILE)
    (folder / "body").write_bytes(b"line %[path]\n")
    for name, content in MAPS.items():
        (folder / name).write_text(content)
    head = (
        "global\n maxconn 200\n expose-experimental-directives\nuserlist u\n user u insecure-password p\n"
        f"http-errors ee\n errorfile 403 {folder}/e.http\n"
        "defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 1s\n timeout tarpit 10ms\n"
        " http-reuse never\n"
    )
    return head + "".join(
        section(case, i, bind, origin, folder) for i, (case, bind) in enumerate(zip(cases, binds, strict=True))
    )


class Origin(threading.Thread):
    """Answers every request with ANSWER and keeps its head."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.seen: list[bytes] = []

    def run(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client:
                client.settimeout(5)
                data = b""
                with contextlib.suppress(OSError):
                    while b"\r\n\r\n" not in data and (piece := client.recv(65536)):
                        data += piece
                    self.seen.append(data)
                    client.sendall(ANSWER[:-2] if data.startswith(b"HEAD") else ANSWER)
                    client.recv(1)


def of_haproxy(haproxy, folder, text, listeners, request, origin):
    """For each section: what the origin saw (None for nothing) and what the client got."""
    found = []
    with Referee(haproxy, folder, text, listeners) as referee:
        for port in listeners.ports:
            origin.seen.clear()
            with referee.connect(port) as client:
                client.sendall(request)
                answer = read_answer(client, head_only=request.startswith(b"HEAD"))
            found.append((origin.seen[0] if origin.seen else None, answer))
    return found


def shape(raw: bytes | None, *, answer: bool = False):
    """First line, fields and body of a message, without what the connection layers add."""
    if not raw:
        return None
    words, fields, body = parse_head(raw)
    return [b" ".join(words)], [one for one in fields if one[0] != b"connection"], body if answer else b""


def _stripped(fields):
    """Fields as a reader of the wire has them."""
    return [(name, value.strip(b" \t")) for name, value in fields]


def of_hapy(model, config, request: bytes):
    """The same from the compiled rules."""
    env = CompileEnv(config, model, Process(), {}, {})
    txn = transaction(request, env)
    rules = {
        name: compile_ruleset(model.rules.get(name, ()), env)
        for name in (
            "tcp-request connection",
            "tcp-request session",
            "http-request",
            "http-response",
            "http-after-response",
        )
    }
    from hapy.observe.captures import request_captures, response_captures

    for keep in (request_captures(model),):
        if keep is not None:
            keep(txn)
    for name in ("tcp-request connection", "tcp-request session"):
        if rules[name] is not None:
            assert rules[name].run(txn) is None
    outcome = rules["http-request"].run(txn) if rules["http-request"] else None
    if outcome in (None, ALLOW):
        outcome = None
        for redirect in model.redirects:
            if redirect.condition is None or compile_condition(redirect.condition, env)(txn):
                outcome = compile_redirect(redirect, env)(txn)
                break
    if outcome is REJECT:
        return None, b""
    if outcome is not None:
        return None, answered(outcome, txn, rules)
    seen = (txn.request.method, txn.request.target, txn.request.headers)
    _, fields, body = parse_head(ANSWER)
    body = b"" if txn.method == b"HEAD" else body
    txn.response = Response(200, b"OK", fields, len(body))
    keep = response_captures(model)
    if keep is not None:
        keep(txn)
    outcome = rules["http-response"].run(txn) if rules["http-response"] else None
    if outcome not in (None, ALLOW):
        return seen, answered(outcome, txn, rules)
    return seen, finished(txn, body, rules)


def answered(outcome, txn, rules) -> object:
    reply = outcome.reply if isinstance(outcome, Tarpit) else outcome
    assert isinstance(reply, Reply)
    built = reply.build(txn)
    if built is None:
        return b""
    txn.response, body = built
    return finished(txn, body, rules)


def finished(txn, body, rules) -> object:
    if rules["http-after-response"]:
        rules["http-after-response"].run(txn)
    response = txn.response
    version = b"HTTP/%d.%d" % divmod(response.version, 10)
    fields = response.headers if response.status != 204 else without(response.headers, b"content-length")
    return [version + b" %d " % response.status + response.reason], _stripped(fields), body


@pytest.mark.referee
@pytest.mark.parametrize("request_bytes", [REQUEST, ABSOLUTE, STAR, HEAD], ids=["usual", "absolute", "star", "head"])
def test_rules_as_haproxy(request_bytes, haproxy, tmp_path):
    origin = Origin()
    origin.start()
    with Listeners(len(CASES)) as listeners:
        text = configuration(CASES, listeners.binds, origin.port, tmp_path)
        try:
            theirs = of_haproxy(haproxy, tmp_path, text, listeners, request_bytes, origin)
        finally:
            origin.listener.close()
    result = hapy_config.read_text(re.sub(r"fd@\d+", ":80", text), name=str(tmp_path / "haproxy.cfg"))
    assert result.config is not None, [str(one) for one in result.diagnostics]
    different = []
    for number, (case, (seen, answer)) in enumerate(zip(CASES, theirs, strict=True)):
        model = result.config.frontend(f"f{number}")
        our_seen, our_answer = of_hapy(model, result.config, request_bytes)
        wanted = shape(seen)
        given = None if our_seen is None else ([b"%b %b HTTP/1.1" % our_seen[:2]], _stripped(our_seen[2]), b"")
        if wanted != given:
            different.append(f"{case}\n   origin of haproxy {wanted}\n   origin of hapy    {given}")
        wanted_answer = shape(answer, answer=True)
        given_answer = tuple(our_answer) if our_answer else None
        if wanted_answer != given_answer:
            different.append(f"{case}\n   client of haproxy {wanted_answer}\n   client of hapy    {given_answer}")
    assert not different, "\n".join(different)

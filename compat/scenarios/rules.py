"""Rules and conditions: what reaches the server and what comes back."""

from __future__ import annotations

import threading

from compat.harness import Connection, World
from compat.harness.world import Scenario

CONFIG = """
frontend fe
    bind "fd@${fe}"
    option httplog
    %s
    default_backend be
backend be
    server s1 {s1}
"""

LINES = {
    "set_header": "http-request set-header X-New %[src] if { path_beg / }",
    "set_header_replaces": "http-request set-header X-Key replaced",
    "add_header": "http-request add-header X-Key second",
    "del_header": "http-request del-header X-Key",
    "del_header_match": "http-request del-header x- -m beg",
    "replace_header": "http-request replace-header X-Key (.*)lue \\1st",
    "replace_value": "http-request replace-value X-List ^b$ beta",
    "set_path": "http-request set-path /new%[path]",
    "replace_path": "http-request replace-path (.*)/b(.*) \\1/B\\2",
    "replace_pathq": "http-request replace-pathq ([^?]*)(\\?.*)? /q\\1\\2",
    "set_query": "http-request set-query z=9",
    "set_uri": "http-request set-uri /u?x",
    "set_method": "http-request set-method PUT",
    "deny": "http-request deny",
    "deny_429": "http-request deny deny_status 429",
    "deny_404_hdr": "http-request deny status 404 hdr X-Why because",
    "deny_unless": "http-request deny unless { path /never }",
    "return_plain": 'http-request return status 200 content-type text/plain string "hello"',
    "return_empty": "http-request return",
    "return_lf": 'http-request return status 202 content-type text/plain lf-string "%[path] %[src]" hdr X-A "%[method]"',
    "redirect_location": "http-request redirect location /elsewhere",
    "redirect_prefix": "http-request redirect prefix https://other.test code 301",
    "redirect_prefix_drop": "http-request redirect prefix https://other.test drop-query append-slash",
    "redirect_scheme": "http-request redirect scheme https code 308",
    "redirect_cookie": "http-request redirect location / set-cookie SEEN=1",
    "redirect_clear_cookie": "http-request redirect location / clear-cookie USER=",
    "redirect_keyword": "redirect location /kw code 303 if { path_beg /a }",
    "tarpit": "timeout tarpit 100ms\n    http-request tarpit deny_status 429",
    "tarpit_format": 'timeout tarpit 100ms\n    http-request tarpit status 500 content-type text/x lf-string "t%[path]"',
    "response_return_format": 'http-response return status 203 content-type text/x lf-string "s%[status]"',
    "allow_stops": "http-request allow if { path_beg /a }\n    http-request deny",
    "set_var": "http-request set-var(txn.p) path,upper\n    http-request set-header X-P %[var(txn.p)]",
    "capture": "http-request capture req.hdr(x-key) len 5",
    "log_silent": "http-request set-log-level silent if { path /none }",
    "response_set_header": "http-response set-header X-Res %[status]",
    "response_del_header": "http-response del-header X-Origin",
    "response_set_status": "http-response set-status 418 reason Teapot",
    "response_deny": "http-response deny if { res.hdr(x-origin) yes }",
    "after_response": "http-after-response set-header X-After 1",
    "after_response_on_own_answer": "http-request deny\n    http-after-response set-header X-After 1",
    "reject": "http-request reject",
    "auth": "acl never src 192.0.2.1\n    http-request auth realm Secret unless never",
    "early_hint": "http-request early-hint Link </s.css>",
    "early_hints": "http-request early-hint Link </a>\n    http-request early-hint Link </b>\n"
    "    http-request set-header a b\n    http-request early-hint X y\n    http-request early-hint X z if TRUE",
    "early_hint_denied": "http-request early-hint Link </s.css>\n    http-request deny",
    "early_hint_redirected": "http-request early-hint Link </s.css>\n    redirect location /",
    "early_hint_returned": "http-request early-hint Link </s.css>\n    http-request return status 204",
    "early_hint_rejected": "http-request early-hint Link </s.css>\n    http-request reject",
    "wait_for_body": "http-request wait-for-body time 1s\n    http-request set-header X-Body %[req.body]",
    "strict_mode": "http-request strict-mode on",
    "header_with_bad_format_value": "http-request set-header X-Empty %[req.hdr(none)]",
    "monitor_uri": "monitor-uri /a/b",
    "monitor_fail": "monitor-uri /a/b\n    monitor fail if { src 127.0.0.0/8 }",
}

CONDITIONS = {
    "path": "path /a/b",
    "path_beg": "path_beg /a /z",
    "path_end": "path_end b",
    "path_sub": "path_sub /b",
    "path_dir": "path_dir a",
    "path_dom": "path_dom b",
    "path_reg": "path_reg ^/[a-z]/b$",
    "path_len": "path_len 4",
    "path_ignore_case": "path -i /A/B",
    "path_beg_no_case": "path_beg /A",
    "method_get": "method GET",
    "method_post": "method POST PUT",
    "predefined": "METH_GET",
    "hdr_host": "hdr(host) hapy.test",
    "hdr_beg": "hdr_beg(host) -i HAPY",
    "hdr_dom": "hdr_dom(host) test",
    "hdr_cnt": "hdr_cnt(x-list) 3",
    "hdr_list_any": "hdr(x-list) b",
    "hdr_fhdr": "req.fhdr(x-list) -m str a,b,c",
    "hdr_val": "hdr_val(x-number) gt 41",
    "hdr_val_range": "hdr_val(x-number) 40:45",
    "hdr_missing": "hdr(x-none) -m found",
    "hdr_ip": "hdr_ip(x-address) 10.0.0.0/8",
    "src": "src 127.0.0.1",
    "src_net": "src 10.0.0.0/8 127.0.0.0/8",
    "dst_port": "dst_port gt 1",
    "url_param": "url_param(q) yes",
    "url_param_found": "url_param(q) -m found",
    "urlp_reg": "urlp_reg(q) ^y",
    "query_sub": "query -m sub q=",
    "cookie": "req.cook(user) bob",
    "negated": "!{ path_beg /z }",
    "and": "{ path_beg /a } { method GET }",
    "or": "{ path_beg /z } or { method GET }",
    "or_bars": "{ path_beg /z } || { path_beg /y }",
    "and_not": "{ path_beg /a } !{ hdr(x-key) value }",
}


def _asks(world: World) -> None:
    client = world.client()
    client.get(
        "/a/b?q=yes&r=2",
        "X-Key: value",
        "X-List: a,b,c",
        "X-Number: 42",
        "X-Address: 10.1.2.3",
        "Cookie: user=bob; x=1",
    )
    client.ending()
    client = world.client()
    client.post("/other/path", b"body")
    client.ending()


def _rule(lines: str) -> Scenario:
    def scenario(world: World) -> None:
        """A GET and a POST under one rule."""
        from compat.harness.origin import answering

        world.origin("s1", answering(b"ok", "X-Origin: yes"))
        world.start(CONFIG % lines)
        _asks(world)
        world.logs(2)

    return scenario


def _condition(condition: str) -> Scenario:
    def scenario(world: World) -> None:
        """A GET and a POST, denied where the condition holds."""
        world.origin("s1")
        test = condition if condition.startswith(("{", "!")) or condition == "METH_GET" else "{ " + condition + " }"
        world.start(CONFIG % f"http-request deny if {test}")
        _asks(world)

    return scenario


FAMILY = {f"rule_{name}": _rule(lines) for name, lines in LINES.items()} | {
    f"condition_{name}": _condition(text) for name, text in CONDITIONS.items()
}


def named_acls_add_up(world: World) -> None:
    """Several lines of one ACL name are alternatives."""
    world.origin("s1")
    world.start(
        CONFIG
        % "acl bad path_beg /x\n    acl bad path_beg /a\n    acl get method GET\n    http-request deny if bad get"
    )
    _asks(world)


def use_backend_in_order(world: World) -> None:
    """The first `use_backend` whose condition holds decides; a name may be a format."""
    for name in ("s1", "s2", "s3"):
        world.origin(name)
    world.start("""
frontend fe
    bind "fd@${fe}"
    option httplog
    use_backend b2 if { path_beg /two }
    use_backend b%[url_param(n)] if { url_param(n) -m found }
    default_backend b1
backend b1
    server s1 {s1}
backend b2
    server s2 {s2}
backend b3
    server s3 {s3}
""")
    for target in ("/", "/two", "/two?n=3", "/?n=3", "/?n=9"):
        world.once(target)
    world.logs(5)


def listen_section(world: World) -> None:
    """A `listen` runs its rules once."""
    world.origin("s1")
    world.start("""
listen all
    bind "fd@${fe}"
    option httplog
    http-request add-header X-Once 1
    server s1 {s1}
""")
    world.once("/")
    world.logs(1)


def rules_of_both_sides(world: World) -> None:
    """Frontend rules run before the backend's, on the way back the backend's before the frontend's."""
    world.origin("s1")
    world.start("""
frontend fe
    bind "fd@${fe}"
    http-request add-header X-Side front
    http-response add-header X-Side front
    default_backend be
backend be
    http-request add-header X-Side back
    http-response add-header X-Side back
    server s1 {s1}
""")
    world.once("/")


WAITS = """
frontend fe
    bind "fd@${fe}"
    option httplog
    http-request set-var(txn.some) int(1) if { path /some }
    default_backend be
backend be
    http-response wait-for-body time 400ms at-least 6 if { var(txn.some) -m found }
    http-response wait-for-body time 400ms unless { var(txn.some) -m found }
    http-response set-header X-Len %[res.body_len]
    http-response set-header X-Body %[res.body]
    http-response set-header X-Size %[res.body_size]
    server s1 {s1}
"""


def waits_for_answers(world: World) -> None:
    """`http-response wait-for-body`: whole, chunked, too slow and cut short; what rules then see of the body."""
    never = threading.Event()

    def script(connection: Connection) -> None:
        while (request := connection.read()) is not None:
            path = request.start.split(" ")[1]
            if path == "/chunks":
                connection.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
                never.wait(0.05)
                connection.write(b"2\r\nde\r\n0\r\n\r\n")
                continue
            connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123")
            never.wait(1.0 if path == "/slow" else 0.05)
            if path == "/cut":
                connection.close()
                return
            connection.write(b"4567890")

    world.origin("s1", script)
    world.start(WAITS)
    for path in ("/whole", "/some", "/chunks", "/slow", "/cut"):
        client = world.client()
        client.get(path)
        client.ending()
    world.logs(5)


def heads_made_of_other_methods(world: World) -> None:
    """A HEAD that rules have made a GET: the answer's body stays behind, and the connections go on."""

    def script(connection: Connection) -> None:
        while (request := connection.read()) is not None:
            if "/chunks" in request.start:
                connection.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
            else:
                connection.reply(b"ok")

    world.origin("s1", script)
    world.start(CONFIG % "http-request set-method GET\n    http-request set-header X-Method %[method]")
    client = world.client()
    for path in ("/", "/chunks", "/"):
        client.get(path, method="HEAD")
    client.ending()
    world.logs(3)


def methods_after_rules(world: World) -> None:
    """`method` tells the one that came, or what rules have made of one that HAProxy has no number for."""
    world.origin("s1")
    lines = (
        "http-request set-method PUT if { path /put }",
        "http-request set-method patch if { path /patch }",
        'http-request set-header X-Method "%[method] %[capture.req.method]"',
    )
    world.start(CONFIG % "\n    ".join(lines))
    client = world.client()
    for method, path in (("GET", "/put"), ("PATCH", "/put"), ("POST", "/patch"), ("BREW", "/patch")):
        client.get(path, method=method)
    world.logs(4)


def conditions_on_made_methods(world: World) -> None:
    """Conditions on a method that rules have changed."""
    world.origin("s1")
    lines = ["http-request set-method PUT if { path /put }", "http-request set-method patch if { path /patch }"]
    lines += [f"http-request add-header X-Is {name} if {{ method {name} }}" for name in ("GET", "PUT", "BREW", "patch")]
    world.start(CONFIG % "\n    ".join(lines))
    client = world.client()
    for method, path in (("GET", "/put"), ("BREW", "/put"), ("GET", "/patch"), ("BREW", "/patch")):
        client.get(path, method=method)


def gets_made_heads(world: World) -> None:
    """A GET that rules have made a HEAD: the length of the answer tells of a body that isn't there."""

    def script(connection: Connection) -> None:
        while connection.read() is not None:
            connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")

    world.origin("s1", script)
    world.start(CONFIG % "http-request set-method HEAD")
    client = world.client()
    client.send("GET / HTTP/1.1\nHost: a\n\n")
    client.reader.until(b"\r\n\r\n")
    client.ending()


def queries_of_odd_targets(world: World) -> None:
    """What `query` and its kin give for targets that don't begin with a slash."""
    world.origin("s1")
    world.start(CONFIG % 'http-request set-header X-Parts "%[path]|%[query]|%[pathq]|%[url_param(x)]|%[base]"')
    client = world.client()
    for target in ("rel?x=1", "rel/a?x=1", "*?x=1", "?x=1?b", "http://a?x=1/b?c=2"):
        client.send(f"GET {target} HTTP/1.1\n\n")
        client.receive()


def targets_made_odd(world: World) -> None:
    """What rules make of targets without a path, and how Host follows a new target."""
    world.origin("s1")
    lines = (
        "http-request set-uri %[hdr(uri),url_dec] if { hdr(uri) -m found }",
        "http-request replace-uri ^ z if { hdr(rule) replaced }",
        "http-request set-path /new if { hdr(rule) path }",
        "http-request set-pathq ?q if { hdr(rule) pathq }",
        "http-request normalize-uri query-sort-by-name if { hdr(rule) sort }",
        'http-request redirect prefix "%[str()]" ignore-empty if { hdr(rule) prefix }',
        'http-request redirect scheme "%[str()]" ignore-empty if { hdr(rule) scheme }',
        'http-request redirect location "%[str()]" ignore-empty if { hdr(rule) location }',
        'http-request return lf-string "%[url]|%[path]|%[hdr(host)]|%[base32]|%[url_ip]|%[url_port]" content-type t/p',
    )
    world.start(
        CONFIG % "\n    ".join(("option accept-invalid-http-request", *lines)),
        global_="    expose-experimental-directives",
    )
    asked = (
        *(
            (target, f"Rule: {rule}")
            for target in ("http://h", "http://h?x=1", "*", "a/b")
            for rule in ("path", "pathq")
        ),
        *(("/?b&a&", f"Rule: {rule}") for rule in ("replaced", "sort", "prefix", "scheme", "location")),
        *(("/", f"Uri: {uri}") for uri in ("z", "u@h/a", "?x", "1a://h/", "http://u@h:80?q", "*", "@", "http:///a")),
        *((f"http://{host}/", "Rule: none") for host in ("u@1.2.3.4", "1.2.3.4:65616", "[::1]", "01.2.3.4a")),
        ("https://1.2.3.4", "Rule: none"),
    )
    for target, header in asked:
        for host in ("Host: hh\n", ""):
            client = world.client()
            client.send(f"GET {target} HTTP/1.1\n{host}{header}\n\n")
            client.receive()


_NORMALIZERS = (
    *("fragment-encode", "fragment-strip", "path-merge-slashes", "path-strip-dot", "path-strip-dotdot"),
    *("path-strip-dotdot full", "percent-decode-unreserved", "percent-decode-unreserved strict"),
    *("percent-to-uppercase", "percent-to-uppercase strict", "query-sort-by-name"),
)
_UNTIDY = ("//a/./b/..//../c?z=1&a=%7e%2f", "/%2e%2E/%zz#x?%", "/../../x", "/a%4/%41%c3?b&a&&a=", "/./..", "/a/..?#")


def _normalized(world: World, condition: str) -> None:
    every = range(len(_NORMALIZERS))
    lines = [f'bind "fd@${{n{number}}}" name n{number}' for number in every]
    lines += [f"use_backend b{number} if {{ so_name n{number} }}" for number in every]
    backends = [
        f"backend b{number}\n    http-request normalize-uri {words} {condition}\n"
        '    http-request return hdr X-Url "%[url]"\n'
        for number, words in enumerate(_NORMALIZERS)
    ]
    world.start(
        "frontend fe\n    option accept-invalid-http-request\n    " + "\n    ".join(lines) + "\n" + "".join(backends),
        global_="    expose-experimental-directives",
    )
    for number in every:
        client = world.client(f"n{number}")
        for target in _UNTIDY:
            client.get(target)


def normalized(world: World) -> None:
    """What each `normalize-uri` makes of untidy targets."""
    _normalized(world, "")


def normalized_on_a_condition(world: World) -> None:
    """The same with a condition behind it."""
    _normalized(world, "if TRUE")


def sizes_of_own_answers(world: World) -> None:
    """`%B` of answers that rules give: without a length, without a body."""
    page = b"HTTP/1.0 403 Forbidden\r\nX-E: 1\r\nContent-Type: text/html\r\n\r\n<b>e1</b>\n"
    (world.dir / "page.http").write_bytes(page)
    lines = (
        'log-format "%ST %B"',
        "errorfile 403 {dir}/page.http",
        "http-request return status 204 if { path /empty }",
        "http-request deny",
    )
    world.origin("s1")
    world.start(CONFIG % "\n    ".join(lines))
    for number, target in enumerate(("/empty", "/page"), 1):
        world.client().get(target)
        world.logs(number)


def requests_gone_when_answered(world: World) -> None:
    """Conditions of rules about answers that look at the request: its head is gone, what was kept of it is not."""
    tests = (
        "path /x", "path_beg /", "req.hdr(host) -m found", "hdr(host) -m found", "hdr(content-length) -m found",
        "hdr_cnt(host) gt 0", "req.cook(c) 5", "url_param(a) 1", "query -m found", "base -m found", "req.ver 1.1",
        "method GET", "src 127.0.0.0/8", "res.hdr(content-length) -m found", "status 200", "var(txn.p) -m str /x",
    )  # fmt: skip
    lines = ["http-request set-var(txn.p) path"]
    for ruleset, letter in (("http-response", "R"), ("http-after-response", "A")):
        for number, test in enumerate(tests):
            lines.append(f"{ruleset} set-header X-{letter}{number} yes if {{ {test} }}")
            lines.append(f"{ruleset} set-header X-{letter}{number} no if !{{ {test} }}")
    world.origin("s1")
    world.start(CONFIG % "\n    ".join(lines))
    world.client().get("/x?a=1", "Cookie: c=5")
    world.client().post("/x?a=1", b"some body")


def variables_by_formats(world: World) -> None:
    """`set-var-fmt` takes what it is given byte for byte, up to a zero, and minds the flags; messages are encoded."""
    lines = (
        "http-request set-var(txn.odd) str(AQIDBAkKCw1/gP8iIyU=),b64dec",
        "http-request set-var(txn.zero) str(YQBi),b64dec",
        "http-request set-var(txn.marks) str(YV1cIg==),b64dec",
        'http-request set-var-fmt(txn.raw) "<%[var(txn.odd)]%[var(txn.zero)]>"',
        'http-request set-var-fmt(txn.flags) "%{+Q}[var(txn.marks)]%{+E}[var(txn.marks)]"',
        'http-request set-var-fmt(txn.both) "%{+Q,+E}[var(txn.marks)]%{+Q}[var(txn.no)]"',
        "http-request set-header raw %[var(txn.raw),hex]",
        "http-request set-header flags %[var(txn.flags)]-%[var(txn.both)]",
        'http-request set-header encoded "<%[var(txn.odd)]%[var(txn.zero)]>"',
    )
    world.origin("s1")
    world.start(CONFIG % "\n    ".join(lines))
    world.once()

"""Requests walked through configurations."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.harness.world import running
from hapy.explain.asked import asked
from hapy.explain.findings import Walk
from hapy.explain.stage import NoWayInError
from hapy.explain.walk import Walker
from hapy_config import read_config, read_text

DEFAULTS = """\
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
"""


def walk(config: str, request: str = "GET http://a/x", **options: object) -> Walk:
    result = read_text(DEFAULTS + config, env={})
    assert result.config is not None, list(result.diagnostics)
    parts = {name: options.pop(name) for name in ("headers", "source", "body") if name in options}
    return Walker(result).walk(asked(request, **parts), **options)  # type: ignore[arg-type]


ONE = "listen l\n bind :80\n server s1 192.0.2.7:80\n"


def effects(found: Walk) -> list[str]:
    return [effect for stage in found.stages for step in stage.steps for effect in step.effects]


def test_to_a_server() -> None:
    found = walk(ONE)
    assert (found.outcome, found.backend, found.server) == ("server", "l", "s1")
    assert found.request == b"GET /x HTTP/1.1\r\nhost: a\r\n\r\n"
    assert found.key == (("server", "l/s1"),)
    assert [(one.name, one.address, one.chosen) for one in found.candidates] == [("s1", "192.0.2.7:80", True)]


def test_rules_tell_what_they_saw_and_did() -> None:
    found = walk(
        "listen l\n bind :80\n acl api path_beg /x\n acl post method POST\n"
        " http-request set-header X-A %[path] if api !post\n"
        " http-request del-header accept if post\n"
        " http-request set-var(txn.v) str(w)\n"
        " http-request set-path /y if { src 198.51.100.0/24 }\n server s1 192.0.2.7\n",
        headers=["Accept: */*"],
        source="198.51.100.3",
    )
    assert effects(found)[:3] == ["+ x-a: /x", 'txn.v = "w"', "/x becomes /y"]
    first, second, *_ = found.stages[0].steps
    assert [(test.name, test.holds, test.seen) for test in first.tests] == [
        ("api", True, (("path_beg", '"/x"'),)),
        ("!post", True, (("method", '"GET"'),)),
    ]
    assert (first.applied, second.applied) == (True, False)
    assert first.line == "http-request set-header X-A %[path] if api !post"
    assert found.variables == {"txn.v": '"w"'}


def test_an_answer_of_a_rule() -> None:
    found = walk("frontend f\n bind :80\n http-request deny deny_status 429 if { path /x }\n")
    assert found.outcome == "answer"
    assert found.answer is not None
    assert found.answer.status == 429
    assert found.answer.head.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")


def test_after_response_rules_see_own_answers() -> None:
    found = walk(
        "frontend f\n bind :80\n http-after-response set-header X-Y z\n http-request return content-type text/plain string hi\n"
        " http-request set-header never x\n"
    )
    assert found.answer is not None
    assert b"x-y: z\r\n" in found.answer.head
    assert found.answer.body == b"hi"
    assert "+ x-y: z" in effects(found)


def test_no_backend_and_no_server() -> None:
    found = walk("frontend f\n bind :80\n")
    assert found.answer is not None
    assert found.answer.status == 503
    found = walk(ONE, down=["l/s1"])
    assert found.answer is not None
    assert (found.answer.status, found.server, found.backend) == (503, None, "l")
    found = walk(ONE + " server s2 192.0.2.8 backup\n", down=["l/s1"])
    assert found.server == "s2"


def test_a_request_that_is_refused() -> None:
    found = walk(ONE, "GET http://a/x", headers=["Host: a", "Content-Length: x"])
    assert found.answer is not None
    assert found.answer.status == 400


def test_branches() -> None:
    config = (
        "frontend f\n bind :80\n use_backend b1 if { hdr(host) -m beg b }\n use_backend %[path,field(2,/)] if { path -m beg /b }\n"
        " default_backend b3\n" + "".join(f"backend b{n}\n server s 192.0.2.{n}\n" for n in (1, 2, 3))
    )
    assert walk(config, "http://b.example/").backend == "b1"
    assert walk(config, "http://a/b2").backend == "b2"
    assert walk(config, "http://a/b9").backend == "b3"
    assert walk(config, "http://a/").backend == "b3"


def test_the_way_in() -> None:
    config = (
        "frontend plain\n bind :80\n bind :8080\n default_backend b\n"
        "frontend other\n bind :81\n default_backend b\nbackend b\n server s 192.0.2.1\n"
    )
    assert walk(config, "http://a:81/").frontend == "other"
    assert walk(config, "http://a:8080/").listener == "*:8080"
    assert walk(config, "/", frontend="other").frontend == "other"
    with pytest.raises(NoWayInError, match="plain, other"):
        walk(config, "http://a:9999/")
    with pytest.raises(NoWayInError, match="no frontend 'x'"):
        walk(config, "/", frontend="x")
    with pytest.raises(NoWayInError, match="no server 'b/x'"):
        walk(config, "http://a:81/", down=["b/x"])


@pytest.mark.parametrize(
    ("lines", "headers", "shares"),
    [
        ("http-reuse always", [], True),
        ("http-reuse safe", [], True),
        ("http-reuse never", [], False),
        ("option http-server-close", [], False),
        ("http-reuse always", ["Authorization: NTLM abc"], False),
        ("default-server pool-max-conn 0", [], False),
        ("default-server send-proxy", [], False),
    ],
)
def test_sharing(lines: str, headers: list[str], shares: bool) -> None:
    found = walk(f"listen l\n bind :80\n {lines}\n server s1 192.0.2.7\n", headers=headers)
    assert found.shares is shares
    assert found.sharing[0].startswith("Yes" if shares else "No")


def test_first_requests() -> None:
    safe = walk(ONE)
    assert any("first request" in sentence for sentence in safe.sharing)
    always = walk("listen l\n bind :80\n http-reuse always\n server s1 192.0.2.7\n")
    assert not any("first request" in sentence for sentence in always.sharing)


def test_tcp() -> None:
    found = walk(
        "listen l\n mode tcp\n bind :80\n tcp-request connection reject if { src 203.0.113.0/24 }\n server s1 192.0.2.7:5432\n"
    )
    assert (found.outcome, found.server, found.shares, found.request) == ("server", "s1", False, b"")
    config = "listen l\n mode tcp\n bind :80\n tcp-request connection reject\n server s1 192.0.2.7:5432\n"
    assert walk(config).outcome == "closed"


def test_what_is_not_run_is_told() -> None:
    found = walk(ONE + " http-request track-sc0 src\n stick-table type ip size 10\n")
    assert effects(found)[0] == "not run by hapy: passed over"


def test_the_pages_of_the_proxy_itself() -> None:
    text = (
        "frontend f\n bind :80\n stats enable\n stats uri /stats\n stats auth a:b\n default_backend b\n"
        " http-request use-service prometheus-exporter if { path /metrics }\nbackend b\n server s 192.0.2.1:80\n"
    )
    walker = Walker(read_text(DEFAULTS + text, env={}))
    for target, headers, status in (
        ("/stats", [], 401),
        ("/stats;csv", ["Authorization: Basic YTpi"], 200),
        ("/metrics", [], 200),
    ):
        found = walker.walk(asked(target, headers=["Host: a", *headers]))
        assert found.answer is not None
        assert found.answer.status == status
    assert walker.walk(asked("/other", headers=["Host: a"])).server == "s"


def test_from_tcp_to_http() -> None:
    text = (
        "frontend f\n mode tcp\n bind :80\n default_backend b\nbackend b\n mode http\n cookie S insert\n"
        " http-request set-header X-A b\n server s 192.0.2.1:80 cookie one\n server t 192.0.2.2:80 cookie two\n"
    )
    found = Walker(read_text(DEFAULTS + text, env={})).walk(asked("/x", headers=["Host: a", "Cookie: S=two"]))
    assert (found.server, found.how, found.mode) == ("t", "named by its cookie", "tcp")
    assert b"x-a: b\r\n" in found.request
    assert found.shares
    switched = text.replace(" default_backend b\n", " tcp-request content switch-mode http\n default_backend b\n")
    assert Walker(read_text(DEFAULTS + switched, env={})).walk(asked("/", headers=["Host: a"])).server == "s"


SAME = """
frontend fe
    bind "fd@${fe}"
    option forwardfor
    acl api path_beg /api
    http-request replace-path /api(/.*) \\1 if api
    http-request set-header X-Who %[src]-%[req.hdr(user-agent),upper]
    http-request del-header Cookie unless api
    http-request set-query a=b if { query -m found } !api
    use_backend %[req.hdr(to)] if { req.hdr(to) -m found }
    default_backend one
backend one
    http-request set-uri /one%[path] if { method POST }
    http-send-name-header X-Server
    server s1 {s1}
backend two
    option http-server-close
    http-request add-header X-Two 2
    server s2 {s2}
"""


def test_the_proxy_sends_the_same() -> None:
    """The heads that hapy's own servers get, and the servers, are those of the walk."""
    requests = [
        ("GET", "/api/x?y=z", ("User-Agent: curl", "Cookie: a=b")),
        ("GET", "/x?y=z", ("Cookie: a=b",)),
        ("POST", "/form", ("To: one",)),
        ("GET", "/api/", ("To: two", "X-Who: me")),
    ]
    with running("hapy") as world:
        world.origin("s1")
        world.origin("s2")
        world.start(SAME)
        for method, target, headers in requests:
            world.once(target, *headers, method=method)
        received = [
            (name, message.head + b"\r\n\r\n") for name, origin in world.origins.items() for _, message in origin.order
        ]
    config = SAME.replace("{s1}", "192.0.2.1").replace("{s2}", "192.0.2.2").replace('"fd@${fe}"', ":80")
    walker = Walker(read_text(DEFAULTS + config, env={}))
    assert len(received) == len(requests)
    for method, target, headers in requests:
        found = walker.walk(asked(f"{method} {target}", headers=["Host: hapy.test", *headers], source="127.0.0.1"))
        assert (found.server, found.request) in received


def test_names_that_are_no_text(tmp_path: Path) -> None:
    file = tmp_path / "t.cfg"
    file.write_bytes(
        b"defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n"
        b"frontend f\n bind :80 name x\xff\n monitor-uri /\xff\n option forwardfor header X\xff\n default_backend b\n"
        b"backend b\n cookie C\xff insert\n http-send-name-header S\xff\n server s 127.0.0.1:80 cookie z\n"
    )
    walker = Walker(read_config([str(file)], env={}, assume_machine=True))
    assert walker.walk(asked("GET http://x.example/")).server == "s"


@pytest.mark.parametrize(("method", "outcome"), [("GET", "answer"), ("HEAD", "answer"), ("POST", "server")])
def test_a_server_that_clients_are_to_ask_themselves(method: str, outcome: str) -> None:
    found = walk(
        "listen l\n bind :80\n server s1 192.0.2.7:80 redir http://mirror.example\n", f"{method} http://a/x?y=1"
    )
    assert (found.outcome, found.server) == (outcome, "s1")
    if found.answer is not None:
        assert found.answer.status == 302
        assert b"\r\nlocation: http://mirror.example/x?y=1\r\n" in found.answer.head


@pytest.mark.parametrize(
    ("request_", "outcome", "backend"),
    [
        ("GET https://mail.example:444/", "server", "mail"),
        ("GET https://a.web.example:444/", "server", "web"),
        ("GET https://other.example:444/", "closed", None),
        ("GET http://mail.example:444/x", "server", "plain"),
        ("GET http://mail.example:444/refused", "closed", "plain"),
    ],
)
def test_rules_of_contents_in_mode_tcp_see_what_a_client_sends(
    request_: str, outcome: str, backend: str | None
) -> None:
    found = walk(
        "frontend f\n mode tcp\n bind :444\n tcp-request inspect-delay 3s\n"
        " tcp-request content accept if { req.ssl_hello_type 1 } { req.ssl_sni -m end .example }"
        " !{ req.ssl_sni other.example }\n tcp-request content accept if HTTP\n"
        " tcp-request content reject if WAIT_END\n"
        " use_backend mail if { req.ssl_sni -i mail.example }\n"
        " use_backend web if { req.ssl_sni -m end .web.example }\n default_backend plain\n"
        + "".join(f"backend {name}\n mode tcp\n server s1 192.0.2.7:80\n" for name in ("mail", "web", "plain"))
        + " tcp-request content reject if { path /refused }\n",
        request_,
    )
    assert (found.outcome, found.backend) == (outcome, backend)
    assert found.request == b""


def test_a_name_is_not_looked_up() -> None:
    found = walk(
        "resolvers dns\n nameserver a 192.0.2.53:53\nlisten l\n bind :80\n server s1 192.0.2.7:80\n"
        " http-request do-resolve(txn.ip,dns,ipv4) req.hdr(host)\n"
    )
    assert found.outcome == "server"
    assert any("would ask a name server" in effect for effect in effects(found))


def test_conditions_that_are_not_run_are_named_as_they_are_written() -> None:
    found = walk(
        ONE + " http-request deny if { sc_http_req_cnt(0) gt 1 } { path /x } !{ sc0_get_gpc0 gt 2 }\n"
        " stick-table type ip size 10 store gpc0,http_req_cnt\n http-request track-sc0 src\n"
    )
    tests = found.stages[0].steps[0].tests
    assert [(test.name, test.seen) for test in tests] == [
        ("{ sc_http_req_cnt(0) gt 1 }", (("sc_http_req_cnt(0)", "not run by hapy"),)),
        ("{ path /x }", (("path", '"/x"'),)),
        ("!{ sc0_get_gpc0 gt 2 }", (("sc0_get_gpc0", "not run by hapy"),)),
    ]


def test_an_option_that_adds_nothing_is_no_step() -> None:
    options = "option forwardfor except 192.0.2.0/24"
    found = walk(f"listen l\n bind :80\n {options}\n server s 192.0.2.9:80\n", source="192.0.2.7")
    assert not any(stage.title == "what the options add" for stage in found.stages)

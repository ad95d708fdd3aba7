"""Frontends, backends and listens: names, numbers, references, what only one side has."""

from __future__ import annotations

import pytest

from hapy_config import read_text
from hapy_config.model.expressions import LogFormat
from tests.hapy_config.build.conftest import Errors, Read, result_of


def test_numbers_count_as_haproxy_counts(read: Read) -> None:
    config = read(
        "frontend f\n bind :1\n bind :2 id 1\n bind :3\n"
        "backend b\n id 4\n server a 10.0.0.1:1\n server b 10.0.0.1:1 id 1\n server c 10.0.0.1:1\n"
        "backend c\n"
    )
    f, b, c = config.proxies
    assert [bind.number for bind in f.binds] == [2, 1, 4]
    assert [server.number for server in b.servers] == [2, 1, 4]
    assert [proxy.number for proxy in (f, b, c)] == [1, 4, 3]


def test_stats_sockets_take_the_first_number() -> None:
    config = read_text("global\n stats socket /tmp/s\nfrontend f\n bind :1\n", env={}).config
    assert config is not None
    assert config.proxies[0].number == 2


def test_frontends_and_backends_may_share_a_name(read: Read) -> None:
    config = read("frontend a\n bind :1\n default_backend a\nbackend a\n server s 10.0.0.1:80\n")
    frontend, backend = config.frontend("a"), config.backend("a")
    assert frontend is not None
    assert backend is not None
    assert (frontend.kind, backend.kind) == ("frontend", "backend")
    assert config.backend("b") is None


def test_use_backend_with_a_variable_is_a_format(read: Read) -> None:
    config = read("frontend f\n bind :1\n use_backend b if TRUE\n use_backend %[path]\nbackend b\n")
    static, dynamic = config.proxies[0].use_backends
    assert static.target == "b"
    assert isinstance(dynamic.target, LogFormat)


def test_server_template_makes_each_server(read: Read) -> None:
    (proxy,) = read("backend b\n server-template s 2-4 10.0.0.1:80 weight 7\n").proxies
    assert [server.name for server in proxy.servers] == ["s2", "s3", "s4"]
    assert {server.weight for server in proxy.servers} == {7}
    assert [server.number for server in proxy.servers] == [1, 2, 3]


def test_bind_makes_one_listener_an_address(read: Read) -> None:
    (proxy,) = read("frontend f\n bind :80,127.0.0.1:8000-8002 name x maxconn 5\n").proxies
    assert [list(bind.address.ports) for bind in proxy.binds] == [[80], [8000, 8001, 8002]]
    assert {(bind.name, bind.maxconn) for bind in proxy.binds} == {("x", 5)}


def test_log_global_is_replaced_by_the_global_targets() -> None:
    text = "global\n log 127.0.0.1 local0\n log stdout format raw daemon\nfrontend f\n bind :1\n log global\n"
    config = read_text(text, env={}).config
    assert config is not None
    assert config.proxies[0].log == config.global_.log
    assert config.global_.log[1].stream == "stdout"


def test_balance_and_hash(read: Read) -> None:
    (proxy,) = read("backend b\n balance uri len 5 whole\n hash-type consistent djb2 avalanche\n").proxies
    balance = proxy.balance
    assert (balance.algorithm, dict(balance.options)) == ("uri", {"len": "5", "whole": ""})
    assert (balance.hash_type, balance.hash_function, balance.hash_modifier) == ("consistent", "djb2", "avalanche")


def test_error_pages(read: Read, tmp_path: pytest.TempPathFactory) -> None:
    (proxy,) = read("backend b\n errorfile 503 /dev/null\n errorloc303 500 /x\n").proxies
    assert proxy.error_pages[503].raw == b""
    assert (proxy.error_pages[500].location, proxy.error_pages[500].location_code) == ("/x", 303)


def test_http_errors_sections_serve_pages(read: Read) -> None:
    config = read("http-errors e\n errorfile 503 /dev/null\nbackend b\n errorfiles e 503\n")
    assert config.http_errors == {"e": {503: b""}}
    assert config.proxies[0].error_pages[503].raw == b""


def test_userlists_know_groups_from_both_sides(read: Read) -> None:
    config = read("userlist u\n group g users b\n group h\n user a insecure-password x groups h\n user b password y\n")
    users = config.userlists["u"].users
    assert (users["a"].groups, users["a"].encrypted) == (frozenset({"h"}), False)
    assert (users["b"].groups, users["b"].encrypted) == (frozenset({"g"}), True)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("frontend a\n bind :1\nlisten a\n bind :2\n", "same name"),
        ("frontend a\n bind :1\n default_backend b\n", "default_backend: 'b'"),
        ("frontend a\n bind :1\n use_backend b\n", "use_backend: 'b'"),
        ("listen a\n bind :1\n use_backend a\n", "loop"),
        ("frontend a\n bind :1\n default_backend b\nbackend b\n mode tcp\n", "incompatible tcp backend"),
        ("backend b\n use-server s if TRUE\n", "server 's'"),
        ("backend b\n server s 10.0.0.1:80\n server s 10.0.0.1:81\n", "another server named 's'"),
        ("backend b\n server s 10.0.0.1 check\n", "neither service port"),
        ("backend b\n server s 10.0.0.1:80 track t\n", "server 't' for tracking"),
        ("backend b\n server s 10.0.0.1:80 track t\n server t 10.0.0.1:80 track s\n", "looping back"),
        ("backend b\n server s 10.0.0.1:80 ssl\n", "no CA file"),
        ("frontend f\n bind :1 ssl\n", "no SSL certificate"),
        ("backend b\n id 3\nbackend c\n id 3\n", "same custom id"),
        ("backend b\n stick on src\n", "unable to find stick-table 'b'"),
        ("frontend f\n bind :1\n http-request track-sc0 src table x\n", "unable to find table 'x'"),
        ("frontend f\n bind :1\n http-request deny if { nbsrv(x) lt 1 }\n", "unable to find backend 'x'"),
        ("frontend f\n bind :1\n http-request deny if { http_auth(u) }\n", "unable to find userlist 'u'"),
        ("frontend f\n bind :1\n filter cache c\n", "unable to find the cache"),
        ("frontend f\n bind :1\n http-request capture src id 0\n", "capture id '0'"),
        ("backend b\n errorfiles e\n", "unknown http-errors section 'e'"),
        ("backend b\n server s 10.0.0.1:80 resolvers r\n", "required resolvers 'r'"),
    ],
)
def test_references_that_lead_nowhere(errors: Errors, text: str, part: str) -> None:
    assert any(part in message for message in errors(text)), errors(text)


def test_a_disabled_proxy_may_name_anything(errors: Errors) -> None:
    assert not errors("frontend f\n disabled\n bind :1\n default_backend nowhere\n")


def test_an_old_listen_line_opens_no_section() -> None:
    result = result_of("listen a :80\n mode http\n")
    assert [(found.code, found.fatal) for found in result.diagnostics] == [
        ("old-listen-address", False),
        ("orphan", True),
    ]


@pytest.mark.parametrize(
    ("text", "listens"),
    [
        ("backend b\n", False),
        ("frontend f\n", False),
        ("frontend f\n bind :1\n", True),
        ("frontend f\n disabled\n bind :1\n", False),
        ("global\n stats socket /tmp/s\n", True),
        ("peers p\n peer me 127.0.0.1:1000\n", True),
        ("peers p\n peer other 127.0.0.1:1000\n", False),
        ("log-forward l\n bind :1\n", True),
    ],
)
def test_whether_anything_listens(text: str, listens: bool) -> None:
    assert result_of(text).has_listener is listens


def test_every_problem_is_found_in_one_pass(errors: Errors) -> None:
    found = errors(
        "frontend f\n bind :1 foo\n mode x\n acl a nosuch\n use_backend b if c\n http-request set-path %[x] if d\n"
    )
    assert len(found) == 7


def test_a_server_without_address_is_looked_up_only_where_asked() -> None:
    text = "backend b\n server s nowhere.example:80\n"
    assert read_text(text, env={}).config is not None
    result = read_text(text, env={}, lookup=lambda host, family: False)
    assert [(found.code, found.environment) for found in result.diagnostics if found.severity == 3] == [
        ("unresolved-host", True)
    ]
    relaxed = text.replace(":80", ":80 init-addr none")
    assert read_text(relaxed, env={}, lookup=lambda host, family: False).config is not None


@pytest.mark.parametrize(
    ("count", "good"), [("4294967297", True), ("100000", True), ("100001", False), ("9" * 11, False)]
)
def test_a_template_makes_so_many_servers_and_no_more(errors: Errors, count: str, good: bool) -> None:
    found = errors(f"backend b\n server-template s {count} 127.0.0.1:80\n")
    assert found == ([] if good else [f"Wrong server-template number or range arg '{count}'."])


def test_a_bind_that_is_refused_is_still_one() -> None:
    found = read_text("frontend f\n mode http\n timeout client 1s\n bind 127.0.0.1:none\n", env={}).diagnostics
    assert [one.code for one in found] == ["bad-address"], found
    found = read_text("frontend f\n mode http\n timeout client 1s\n", env={}).diagnostics
    assert [one.code for one in found] == ["no-bind"], found


def test_what_stands_behind_an_empty_number_counts(read: Read) -> None:
    config = read('backend b\n server s 127.0.0.1:80 maxconn "" weight 7\n')
    assert (config.proxies[0].servers[0].maxconn, config.proxies[0].servers[0].weight) == (0, 7)


def test_an_empty_format_keeps_its_condition(read: Read) -> None:
    config = read('backend b\n http-request set-var-fmt(txn.a) "" if FALSE\n')
    assert config.proxies[0].rules["http-request"][0].condition is not None

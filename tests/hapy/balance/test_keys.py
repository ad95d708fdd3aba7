"""What of a request is hashed, and how, compared with the real haproxy's choice among 61 servers."""

from __future__ import annotations

import ipaddress
import random
import sys
from typing import Any

import pytest

from hapy.balance.keys import domain_of, parameter, path_of
from hapy.balance.servermap import server_map
from hapy.observe.process import Process
from hapy.samples import CompileEnv
from hapy_config.model.config import Config
from hapy_config.model.expressions import Call, SampleExpression
from hapy_config.model.proxy import Balance
from tests.hapy.balance.mine import Mine, backend_model
from tests.hapy.balance.referee import Referee, read_answer, request_bytes

MANY = [(f"s{number}", {}) for number in range(1, 62)]
FUNCTIONS = ["sdbm", "djb2", "wt6", "crc32"]

Request = tuple[str, str, list[tuple[str, str]], bytes]


def get(uri: str = "/", *headers: tuple[str, str]) -> Request:
    return "GET", uri, list(headers), b""


def post(uri: str, body: bytes) -> Request:
    return "POST", uri, [], body


def random_words(count: int, alphabet: str, longest: int) -> list[str]:
    chance = random.Random(count)
    return ["".join(chance.choices(alphabet, k=chance.randint(0, longest))) for _ in range(count)]


URIS = [
    *("/", "/?", "/?a=1", "/a", "/a/", "/a/b/c/d/e?x=/1/2", "//a//b", "/abc?id=5&x=6", "/abc?x=6&id=5", "/abc?id="),
    *("/abc?id", "/abc?idx=4", "/abc?xid=4&id=9", "/abc?id=a;id=b", "/abc?id=%41", "/x?&id=3", "/x?y&id=3"),
    *("http://example.test/abc/def?id=7", "http://example.test", "/abc;id=4?z=1", "/?a=b?id=5", "/a?id==5", "/a?ID=5"),
    *(f"/{word}" for word in random_words(80, "ab/c?/xyz&=id12", 25)),
]
VALUES = [
    *(
        "a",
        "a.b",
        "www.example.com",
        "a.b.c.d.e",
        "localhost",
        "127.0.0.1",
        "example.com:8080",
        "a..b",
        "..",
        ".",
        "a.",
    ),
    *("a.b.", ".a.b", "", ":80", "[::1]:80", "a/b.c", "www.exa.com/x.y", "a,b", "a.b,c.d", "a:b:c", "a.b.c:9.9", ",a"),
    *("x.y,z.w.v", '"a,b",c', "a , b", ", ,a", "a,", " , ", "'a,b'", '"a\\"b,c",d', "..a", "...a.b", ".a.b.c", "a...b"),
    *random_words(60, "abc..,:/x ", 14),
]


def agree(haproxy: str, balance: Balance, words: str, requests: list[Request], lines: Any = MANY) -> None:
    mine = Mine(backend_model(balance, lines))
    with Referee(haproxy, words, [(name, f"weight {o.get('weight', 1)}") for name, o in lines]) as referee:
        for method, uri, headers, body in requests:
            theirs = referee.get(uri, headers, method=method, body=body)
            assert mine.get(uri, headers, method=method, body=body) == theirs, (method, uri, headers, body)


@pytest.mark.referee
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"whole": ""},
        {"path-only": ""},
        {"path-only": "", "whole": ""},
        {"len": "1"},
        {"len": "7"},
        {"depth": "1"},
        {"depth": "3"},
        {"len": "12", "depth": "2", "whole": ""},
    ],
    ids=lambda options: " ".join(options) or "plain",
)
def test_uri(haproxy: str, options: dict[str, str]) -> None:
    words = " ".join(f"{name} {value}" for name, value in options.items())
    agree(haproxy, Balance("uri", options=options), f"balance uri {words}", [get(uri) for uri in URIS])


@pytest.mark.referee
def test_url_param(haproxy: str) -> None:
    agree(haproxy, Balance("url_param", "id"), "balance url_param id", [get(uri) for uri in URIS])


@pytest.mark.referee
def test_url_param_in_body(haproxy: str) -> None:
    bodies = [b"id=3", b"a=1&id=77", b"xid=3&id=4&x=9", b"nothing", b"id=", b"id=a b&z", b"z=1\r\nid=5", b"y=2&id=5;x"]
    requests = [
        *(post("/x", body) for body in bodies),
        post("/x?id=9", b"id=3"),
        post("/x?id=", b"id=3"),
        ("PUT", "/x", [], b"id=3"),
        get("/x?z=1"),
    ]
    balance = Balance("url_param", "id", {"check_post": ""})
    agree(haproxy, balance, "balance url_param id check_post", requests)


@pytest.mark.referee
@pytest.mark.parametrize("domain_only", [False, True])
def test_header(haproxy: str, domain_only: bool) -> None:
    options = {"use_domain_only": ""} if domain_only else {}
    requests = [
        *(get("/", ("x-key", value)) for value in VALUES),
        get("/"),
        get("/", ("x-key", "a"), ("x-key", "b")),
        get("/", ("x-key", ""), ("x-key", "b")),
        get("/", ("X-KEY", "q, r")),
    ]
    words = f"balance hdr(X-Key) {' '.join(options)}"
    agree(haproxy, Balance("hdr", "X-Key", options), words, requests)


@pytest.mark.referee
@pytest.mark.parametrize("modifier", ["", "avalanche"])
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("hash_type", ["map-based", "consistent"])
def test_functions(haproxy: str, hash_type: str, function: str, modifier: str) -> None:
    balance = Balance("hdr", "x-key", hash_type=hash_type, hash_function=function, hash_modifier=modifier)
    words = f"balance hdr(x-key)\n    hash-type {hash_type} {function} {modifier}"
    lines = [("s1", {"weight": 2}), ("s2", {"weight": 5}), ("s3", {"weight": 1}), ("s4", {"weight": 7})]
    keys = [word or "z" for word in random_words(150, "abcdefghXYZ0123.-_%é", 30)]
    agree(haproxy, balance, words, [get("/", ("x-key", key)) for key in keys], lines)


@pytest.mark.referee
@pytest.mark.parametrize(
    ("words", "hash_type", "modifier"),
    [
        ("map-based", "map-based", ""),
        ("map-based wt6", "map-based", ""),
        ("map-based crc32 avalanche", "map-based", "avalanche"),
        ("consistent", "consistent", "avalanche"),
        ("consistent sdbm", "consistent", ""),
    ],
)
def test_source(haproxy: str, words: str, hash_type: str, modifier: str) -> None:
    chance = random.Random(words)
    balance = Balance("source", hash_type=hash_type, hash_modifier=modifier)
    lines = [("s1", {"weight": 2}), ("s2", {"weight": 5}), ("s3", {"weight": 1})]
    mine = Mine(backend_model(balance, lines))
    clients = [str(ipaddress.ip_address(chance.getrandbits(bits))) for bits in (32, 128) for _ in range(30)]
    servers = [(name, f"weight {options['weight']}") for name, options in lines]
    with Referee(haproxy, f"balance source\n    hash-type {words}", servers) as referee:
        assert [mine.get(source=client) for client in clients] == [referee.get(source=client) for client in clients]


def test_a_client_without_an_address_goes_round() -> None:
    mine = Mine(backend_model(Balance("source"), [("s1", {}), ("s2", {})]))
    assert [mine.get(source="unix") for _ in range(4)] == ["s1", "s2", "s1", "s2"]


def test_parts_of_targets() -> None:
    assert path_of(b"/a?b") == b"/a?b"
    assert path_of(b"http://h/a?b") == b"/a?b"
    assert path_of(b"http://h") == b""
    assert parameter(b"a=1&b=2&b=3", b"b") == b"2"
    assert parameter(b"a&ab=1", b"a") is None
    assert domain_of(b"haproxy.1wt.eu") == b"1wt"
    assert domain_of(b"localhost") == b"localhost"


def test_map_reduces_weights() -> None:
    model = backend_model(Balance("roundrobin"), [("a", {"weight": 20}), ("b", {"weight": 40})])
    servers = Mine(model).backend.servers
    assert server_map(servers, servers) == [servers[0], servers[1], servers[1]]


def mine_by_sample(text: str, call: Call) -> Mine:
    balance = Balance("hash", text, expression=SampleExpression(text, call))
    model = backend_model(balance, MANY)
    config = Config(proxies=(model,))
    return Mine(model, CompileEnv(config, model, Process(), {}, {}))


@pytest.mark.referee
@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("src", Call("src")),
        ("int(77)", Call("int", ("77",))),
        ("bool(1)", Call("bool", ("1",))),
        ("method", Call("method")),
        ("req.hdr(x-key)", Call("req.hdr", ("x-key",))),
    ],
)
def test_samples(haproxy: str, text: str, call: Call) -> None:
    """Strings are hashed as they are, integers as eight bytes, addresses packed; what is missing goes round."""
    mine = mine_by_sample(text, call)
    with Referee(haproxy, f"balance hash {text}", [(name, "") for name, _ in MANY]) as referee:
        for source in ("192.0.2.9", "2001:db8::1"):
            for headers in ([("x-key", "abc")], [], [], [("x-key", "a,b")]):
                theirs = referee.get("/", headers, source=source)
                assert mine.get("/", headers, source=source) == theirs, (source, headers)


def test_rdp_cookie() -> None:
    """As seen with haproxy: 17 servers, the cookie's value hashed; another cookie goes round."""
    balance = Balance("rdp-cookie", "mstshash")
    model = backend_model(balance, [(f"s{number}", {}) for number in range(1, 18)])
    mine = Mine(model, CompileEnv(Config(proxies=(model,)), model, Process(), {}, {}))
    servers = []
    for cookie in (b"mstshash=alice", b"msts=alice", b"msts=alice", b"MSTSHASH=alice", b"mstshash=bob"):
        txn = mine.transaction()
        txn.request = None
        line = b"Cookie: " + cookie + b"\r\n"
        txn.body = b"\x03\x00" + (len(line) + 11).to_bytes(2, "big") + b"\x00\xe0" + bytes(5) + line
        server = mine.backend.assign(txn)
        assert server is not None
        servers.append(server.model.name)
    assert servers == ["s12", "s1", "s2", "s12", "s3"]


def test_hapy_waits_for_the_body_that_holds_the_parameter() -> None:
    words = "balance url_param id check_post"
    servers = [(name, "") for name, _ in MANY]
    mine = Mine(backend_model(Balance("url_param", "id", {"check_post": ""}), MANY))
    with Referee([sys.executable, "-m", "hapy"], words, servers, hapy=True) as hapy, hapy.connect() as client:
        for value in (b"id=3", b"a=1&id=77"):
            head, _, body = request_bytes("POST", "/x", [], value).partition(value)
            client.sendall(head)
            hapy.get()  # by now the head has been read
            client.sendall(value + body)
            expected = mine.get("/x", method="POST", body=value).encode()
            assert b"\r\nx-server: " + expected in read_answer(client)

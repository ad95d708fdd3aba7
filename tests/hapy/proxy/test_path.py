"""The path of a request, as dialogues. What HAProxy 2.6 does in the same situation is asserted literally."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable

import pytest

from hapy.proxy.transaction import Transaction
from hapy.rules.outcomes import Outcome
from tests.hapy.proxy.dialogue import World, answer, converse, pair, request, settle


def dialogue(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """Makes a test of an async function."""

    @functools.wraps(test)
    def run() -> None:
        converse(test)

    del run.__wrapped__  # type: ignore[attr-defined]
    return run


NOT_AVAILABLE = (
    "HTTP/1.1 503 Service Unavailable\ncontent-length: 107\ncache-control: no-cache\ncontent-type: text/html\n\n"
    "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n"
)


@dialogue
async def test_a_request_and_its_answer() -> None:
    world = World(pair(front="option forwardfor"))
    client = world.client()
    client.says(request("/x", "Accept: */*"))
    (server,) = world.servers
    assert server.heard() == "GET /x HTTP/1.1\nhost: a\naccept: */*\nx-forwarded-for: 192.0.2.7\n\n"
    server.says(answer("hello"))
    assert client.heard() == "HTTP/1.1 200 OK\ncontent-length: 5\n\nhello"
    assert world.log == ['fe be/s1 t/t/t/t/t 200 54 - - ---- 1/1/0/0/0 0/0 "GET /x HTTP/1.1"']
    assert client.state == "open"


@dialogue
async def test_the_next_request_takes_the_same_server_connection() -> None:
    world = World(pair())
    client = world.client()
    for _ in range(3):
        client.says(request())
        world.servers[0].says(answer("x"))
    assert len(world.servers) == 1
    assert client.heard().count("HTTP/1.1 200 OK") == 3


@dialogue
async def test_close_on_one_side_does_not_cross_to_the_other() -> None:
    world = World(pair(back="http-reuse always"))
    first = world.client()
    first.says(request("/", "Connection: close"))
    assert "close" not in world.servers[0].heard()
    world.servers[0].says(answer("x"))
    assert first.heard() == "HTTP/1.1 200 OK\ncontent-length: 1\nconnection: close\n\nx"
    assert first.state == "closed"
    assert world.servers[0].state == "open"
    second = world.client()
    second.says(request())
    world.servers[0].says(answer("y", "Connection: close"))
    assert second.heard() == "HTTP/1.1 200 OK\ncontent-length: 1\n\ny"
    assert second.state == "open"
    assert world.servers[0].state == "closed"
    assert world.released == 1


@dialogue
async def test_a_client_that_speaks_after_close_is_drained_not_reset() -> None:
    world = World(pair())
    client = world.client()
    client.says(request("/", "Connection: close") + request("/more"))
    world.servers[0].says(answer("x"))
    assert client.state == "fin"
    client.says("and more")
    assert client.state == "fin"
    client.shuts()
    assert client.state == "closed"


@dialogue
async def test_pipelined_requests_are_answered_in_turn() -> None:
    world = World(pair())
    client = world.client()
    client.says(request("/1") + request("/2") + request("/3"))
    for number in (1, 2, 3):
        await settle()
        assert world.servers[0].heard().startswith(f"GET /{number} ")
        world.servers[0].says(answer(str(number)))
    assert [part[-1] for part in client.heard().split("HTTP/1.1 200 OK")[1:]] == ["1", "2", "3"]


@dialogue
async def test_a_body_flows_as_it_comes() -> None:
    world = World(pair())
    client = world.client()
    client.says("POST / HTTP/1.1\nhost: a\ncontent-length: 6\n\nab")
    server = world.servers[0]
    assert server.heard() == "POST / HTTP/1.1\nhost: a\ncontent-length: 6\n\nab"
    client.says("cd")
    assert server.heard() == "cd"
    client.says("ef")
    assert server.heard() == "ef"
    server.says("HTTP/1.1 200 OK\nContent-Length: 4\n\nwx")
    assert client.heard() == "HTTP/1.1 200 OK\ncontent-length: 4\n\nwx"
    server.says("yz")
    assert client.heard() == "yz"
    assert len(world.log) == 1


@dialogue
async def test_chunks_are_cut_anew_and_trailers_passed_on() -> None:
    world = World(pair())
    client = world.client()
    client.says("POST / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n1;x=y\na\n2\nbc\n")
    server = world.servers[0]
    assert server.heard() == "POST / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n3\nabc\n"
    client.says("0\nX-T: v\n\n")
    assert server.heard() == "0\nx-t: v\n\n"
    server.says("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n0\n\n")
    assert client.heard() == "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n2\nhi\n0\n\n"
    assert client.state == "open"


@dialogue
async def test_a_body_that_ends_with_the_connection() -> None:
    world = World(pair())
    client = world.client()
    client.says(request())
    server = world.servers[0]
    server.says("HTTP/1.1 200 OK\n\nhel")
    server.says("lo")
    server.shuts()
    assert client.heard() == "HTTP/1.1 200 OK\nconnection: close\n\nhello"
    assert client.state in ("fin", "closed")
    assert " ---- " in world.log[0]


@dialogue
async def test_a_server_that_breaks_off_its_body_cuts_the_client() -> None:
    for chunked in (False, True):
        world = World(pair())
        client = world.client()
        client.says(request())
        server = world.servers[0]
        if chunked:
            server.says("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n")
        else:
            server.says("HTTP/1.1 200 OK\nContent-Length: 4\n\nhi")
        server.shuts()
        assert not client.heard().endswith("0\n\n")
        assert client.state in ("fin", "closed")
        assert " SD-- " in world.log[0]
        assert server.state == "closed"


@pytest.mark.parametrize(
    ("event", "status", "letters"),
    [("shuts", 502, "SH"), ("resets", 502, "SH"), ("expires", 504, "sH")],
)
def test_no_answer_on_a_new_connection(event: str, status: int, letters: str) -> None:
    async def body() -> None:
        world = World(pair())
        client = world.client()
        client.says(request())
        getattr(world.servers[0], event)()
        assert client.heard().startswith(f"HTTP/1.1 {status} ")
        assert client.state == "open"
        assert f" {letters}-- " in world.log[0]
        assert world.runtime.backends["be"].servers[0].current == 0

    converse(body)


@dialogue
async def test_garbage_instead_of_an_answer() -> None:
    world = World(pair())
    client = world.client()
    client.says(request())
    world.servers[0].says("garbage\n\n")
    assert client.heard().startswith("HTTP/1.1 502 ")
    assert " PH-- " in world.log[0]


@dialogue
async def test_a_dead_idle_connection_is_never_handed_out() -> None:
    world = World(pair())
    client = world.client()
    client.says(request())
    world.servers[0].says(answer("1"))
    world.servers[0].shuts()
    assert world.servers[0].state == "closed"
    client.says(request())
    assert len(world.servers) == 2
    world.servers[1].says("unasked")
    world.servers[1].says(answer("2"))


@dialogue
async def test_stray_bytes_evict_an_idle_connection() -> None:
    world = World(pair())
    client = world.client()
    client.says(request())
    world.servers[0].says(answer("1"))
    world.servers[0].says("HTTP/1.1 408 Request Timeout\n\n")
    assert world.servers[0].state == "closed"
    client.says(request())
    assert len(world.servers) == 2


@pytest.mark.parametrize("event", ["shuts", "resets"])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_a_reused_connection_that_turns_out_dead(event: str, method: str) -> None:
    """An idempotent request is sent again on a new connection; any other ends as HAProxy ends it: without a word."""

    async def body() -> None:
        world = World(pair())
        client = world.client()
        client.says(request())
        world.servers[0].says(answer("1"))
        client.heard()
        if method == "GET":
            client.says(request("/again"))
        else:
            client.says(f"{method} /again HTTP/1.1\nhost: a\ncontent-length: 3\n\nabc")
        getattr(world.servers[0], event)()
        if method == "POST":
            assert len(world.servers) == 1
            assert client.heard() == ""
            assert client.state in ("fin", "closed")
            assert len(world.log) == 1
            return
        assert len(world.servers) == 2
        resent = world.servers[1].heard()
        assert resent.startswith(f"{method} /again ")
        assert method == "GET" or resent.endswith("\n\nabc")
        world.servers[1].says(answer("2"))
        assert client.heard().endswith("2")
        assert " 200 " in world.log[1]
        assert "/0 0/0" in world.log[1]  # it cost no retry

    converse(body)


@dialogue
async def test_a_partial_answer_is_not_asked_for_again() -> None:
    world = World(pair())
    client = world.client()
    client.says(request())
    world.servers[0].says(answer("1"))
    client.heard()
    client.says(request())
    world.servers[0].says("HTTP/1.1 20")
    world.servers[0].shuts()
    assert len(world.servers) == 1
    assert client.heard() == ""
    assert client.state in ("fin", "closed")


@dialogue
async def test_refused_connections_are_tried_again_after_a_pause() -> None:
    world = World(pair(back="retries 2"))
    world.refusals = ["refused", "refused", "refused"]
    client = world.client()
    client.says(request())
    assert world.dials == ["s1"]
    exchange = client.protocol.exchange
    exchange.on_deadline()
    assert world.dials == ["s1", "s1"]
    exchange.on_deadline()
    assert client.heard() == NOT_AVAILABLE
    assert world.log == ['fe be/s1 t/t/-1/-1/t 503 217 - - SC-- 1/1/0/0/2 0/0 "GET / HTTP/1.1"']


@dialogue
async def test_redispatch_goes_round_at_once() -> None:
    world = World("""
listen fe
    bind 127.0.0.1:8080
    balance roundrobin
    option redispatch
    server s1 127.0.0.1:1
    server s2 127.0.0.1:2
""")
    world.refusals = ["refused"]
    client = world.client()
    client.says(request())
    assert world.dials == ["s1", "s2"]
    world.servers[0].says(answer("2"))
    assert " fe/s2 " in " " + world.log[0]
    assert "/+1 0/0" in world.log[0]


@dialogue
async def test_a_connect_timeout_says_so() -> None:
    world = World(pair(back="retries 0"))
    world.refusals = ["timeout"]
    client = world.client()
    client.says(request())
    assert client.heard() == NOT_AVAILABLE
    assert " sC-- " in world.log[0]


@dialogue
async def test_answers_that_retry_on_names_are_asked_for_again() -> None:
    world = World(pair(back="retry-on 503 empty-response\n    retries 2"))
    client = world.client()
    client.says(request())
    world.servers[0].says(answer("busy", status="503 Busy"))
    world.servers[1].shuts()
    world.servers[2].says(answer("ok"))
    assert client.heard().endswith("ok")
    assert "/2 0/0" in world.log[0]
    assert " 200 51 " in world.log[0]


@dialogue
async def test_the_last_attempt_s_answer_stands() -> None:
    world = World(pair(back="retry-on 503\n    retries 1"))
    client = world.client()
    client.says(request())
    world.servers[0].says(answer("a", status="503 Busy"))
    world.servers[1].says(answer("b", status="503 Busy"))
    assert client.heard().endswith("b")


@dialogue
async def test_a_body_that_came_later_is_not_sent_again() -> None:
    world = World(pair(back="retry-on empty-response"))
    client = world.client()
    client.says("POST / HTTP/1.1\nhost: a\ncontent-length: 2\n\n")
    client.says("ab")
    world.servers[0].shuts()
    assert len(world.servers) == 1
    assert client.heard().startswith("HTTP/1.1 502 ")


@pytest.mark.parametrize(("event", "answered", "letters"), [("shuts", "HTTP/1.1 400 ", "CH"), ("resets", "", "CD")])
def test_abortonclose_while_waiting_for_the_answer(event: str, answered: str, letters: str) -> None:
    async def body() -> None:
        world = World(
            "defaults two\n    option abortonclose\n    mode http\n    log global\n    option httplog\n" + pair()
        )
        client = world.client()
        client.says(request())
        getattr(client, event)()
        assert client.heard().startswith(answered)
        assert f" {letters}-- " in world.log[0]
        assert world.servers[0].state == "closed"
        assert world.released == 1

    converse(body)


@dialogue
async def test_without_abortonclose_a_half_closed_client_is_answered() -> None:
    world = World(pair())
    client = world.client()
    client.says(request())
    client.shuts()
    world.servers[0].says(answer("late"))
    assert client.heard().endswith("late")
    await settle()
    assert client.state == "closed"
    assert " ---- " in world.log[0]
    assert world.servers[0].state == "open"


@pytest.mark.parametrize("event", ["shuts", "resets"])
def test_a_client_that_leaves_within_its_body(event: str) -> None:
    async def body() -> None:
        world = World(pair())
        client = world.client()
        client.says("POST / HTTP/1.1\nhost: a\ncontent-length: 10\n\nhalf")
        getattr(client, event)()
        assert client.heard() == ""
        assert " -1 0 - - CD-- " in world.log[0]
        assert world.servers[0].state == "closed"

    converse(body)


@dialogue
async def test_a_client_s_broken_chunk_is_answered_with_400() -> None:
    world = World(pair())
    client = world.client()
    client.says("POST / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n2\nab\n")
    client.says("zz\n")
    assert client.heard().startswith("HTTP/1.1 400 Bad request\ncontent-length: 90\n")
    assert client.state in ("fin", "closed")
    assert " 400 206 - - PH-- " in world.log[0]


@dialogue
async def test_an_early_answer_waits_for_the_rest_of_the_request() -> None:
    world = World(pair())
    client = world.client()
    client.says("POST / HTTP/1.1\nhost: a\ncontent-length: 6\n\nab")
    server = world.servers[0]
    server.says(answer("no", status="413 Too Large"))
    assert client.heard() == "HTTP/1.1 413 Too Large\ncontent-length: 2\n\nno"
    assert world.log == []
    client.says("cdef")
    assert " 413 " in world.log[0]
    assert client.state == "open"
    client.says(request())
    assert len(world.servers) == 1


@dialogue
async def test_an_early_answer_of_a_server_that_is_gone() -> None:
    world = World(pair())
    client = world.client()
    client.says("POST / HTTP/1.1\nhost: a\ncontent-length: 6\n\nab")
    server = world.servers[0]
    server.says(answer("no", "Connection: close", status="413 Too Large"))
    server.goes()
    client.says("cdef")
    assert " SD-- " in world.log[0]
    client.says(request())
    assert len(world.servers) == 2


@dialogue
async def test_informational_heads_are_passed_on() -> None:
    world = World(pair())
    client = world.client()
    client.says("POST / HTTP/1.1\nhost: a\nexpect: 100-continue\ncontent-length: 2\n\n")
    world.servers[0].says("HTTP/1.1 100 Continue\n\n")
    assert client.heard() == "HTTP/1.1 100 Continue\n\n"
    client.says("ab")
    world.servers[0].says(answer("ok"))
    assert client.heard() == "HTTP/1.1 200 OK\ncontent-length: 2\n\nok"
    assert " 200 91 " in world.log[0]


@dialogue
async def test_head_204_and_304_have_no_body() -> None:
    world = World(pair())
    client = world.client()
    client.says(request(method="HEAD"))
    world.servers[0].says("HTTP/1.1 200 OK\nContent-Length: 5\n\n")
    assert client.heard() == "HTTP/1.1 200 OK\ncontent-length: 5\n\n"
    for status in ("204 No Content", "304 Not Modified"):
        client.says(request())
        world.servers[0].says(f"HTTP/1.1 {status}\n\n")
        assert client.heard() == f"HTTP/1.1 {status}\n\n"
    assert len(world.servers) == 1
    assert len(world.log) == 3


@pytest.mark.parametrize(("event", "status", "letters"), [("shuts", 400, "CR"), ("expires", 408, "cR")])
def test_a_head_that_does_not_come_to_its_end(event: str, status: int, letters: str) -> None:
    async def body() -> None:
        world = World(pair())
        client = world.client()
        client.says("GET / HTTP/1.1\n")
        getattr(client, event)()
        assert client.heard().startswith(f"HTTP/1.1 {status} ")
        assert world.log == [f'fe fe/<NOSRV> -1/-1/-1/-1/t {status} 0 - - {letters}-- 1/1/0/0/0 0/0 "<BADREQ>"']
        assert world.released == 1

    converse(body)


@pytest.mark.parametrize("event", ["shuts", "expires"])
def test_a_silent_client_after_a_request_ends_silently(event: str) -> None:
    async def body() -> None:
        world = World(pair())
        client = world.client()
        client.says(request())
        world.servers[0].says(answer())
        client.heard()
        getattr(client, event)()
        assert client.heard() == ""
        assert client.state == "closed"
        assert len(world.log) == 1

    converse(body)


@pytest.mark.parametrize(
    ("option", "answered", "logged"),
    [("", True, 1), ("option dontlognull", True, 0), ("option http-ignore-probes", False, 0)],
)
def test_a_client_that_never_says_anything(option: str, answered: bool, logged: int) -> None:
    async def body() -> None:
        world = World(pair(front=option))
        client = world.client()
        client.expires()
        assert client.heard().startswith("HTTP/1.1 408 ") is answered
        assert len(world.log) == logged

    converse(body)


@dialogue
async def test_a_bad_request_is_answered_with_fixed_bytes() -> None:
    world = World(pair())
    client = world.client()
    client.says("GE<T / HTTP/1.1\n\n")
    assert client.heard().startswith("HTTP/1.1 400 Bad request\nContent-length: 90\nCache-Control: no-cache\n")
    assert " PR-- " in world.log[0]
    assert client.state == "fin"


@pytest.mark.parametrize(
    ("front", "back", "asked", "answered"),
    [
        ("", "", False, False),
        ("option http-server-close", "", True, False),
        ("", "option http-server-close", True, False),
        ("", "option httpclose", True, False),
        ("option httpclose", "", True, True),
        ("", "option http-server-close\n    option http-pretend-keepalive", False, False),
    ],
)
def test_modes_of_both_sides(front: str, back: str, asked: bool, answered: bool) -> None:
    async def body() -> None:
        world = World(pair(front=front, back=back))
        client = world.client()
        client.says(request())
        assert ("connection: close" in world.servers[0].heard()) is asked
        world.servers[0].says(answer("x"))
        assert ("connection: close" in client.heard()) is answered
        assert (world.servers[0].state == "closed") is bool(front or back)
        assert (client.state == "open") is not answered

    converse(body)


@dialogue
async def test_http_1_0_clients() -> None:
    world = World(pair())
    client = world.client()
    client.says(request(version="1.0"))
    assert world.servers[0].heard() == "GET / HTTP/1.0\nhost: a\nconnection: keep-alive\n\n"
    world.servers[0].says(answer("x"))
    assert client.heard() == "HTTP/1.1 200 OK\ncontent-length: 1\nconnection: close\n\nx"
    assert client.state == "closed"
    assert world.servers[0].state == "open"


@dialogue
async def test_rules_can_close_either_side() -> None:
    world = World(pair(back="http-request set-header Connection close"))
    client = world.client()
    client.says(request())
    assert world.servers[0].heard() == "GET / HTTP/1.1\nhost: a\nconnection: close\n\n"
    world.servers[0].says(answer("x"))
    assert world.servers[0].state == "closed"
    assert client.state == "open"
    world = World(pair(back="http-response set-header Connection close"))
    client = world.client()
    client.says(request())
    world.servers[0].says(answer("x"))
    assert client.heard() == "HTTP/1.1 200 OK\ncontent-length: 1\nconnection: close\n\nx"
    assert world.servers[0].state == "open"


@dialogue
async def test_answers_of_rules_leave_the_connection_when_the_request_is_complete() -> None:
    world = World(pair(front="http-request deny"))
    client = world.client()
    client.says(request())
    assert client.heard().startswith("HTTP/1.1 403 Forbidden\ncontent-length: 93\n")
    assert client.state == "open"
    client.says("POST / HTTP/1.1\nhost: a\ncontent-length: 9\n\npart")
    assert "connection: close" in client.heard()
    assert client.state == "fin"
    assert [" PR-- " in line for line in world.log] == [True, True]
    assert world.servers == []


@dialogue
async def test_a_denied_answer_gives_its_connection_back() -> None:
    world = World(pair(front="http-response deny"))
    client = world.client()
    for _ in range(2):
        client.says(request())
        world.servers[0].says(answer("x"))
        assert client.heard().startswith("HTTP/1.1 502 ")
    assert len(world.servers) == 1
    assert " 502 259 - - PH-- " in world.log[0]


@dialogue
async def test_tarpit() -> None:
    world = World(pair(front="timeout tarpit 1s\n    http-request tarpit"))
    client = world.client()
    client.says(request())
    assert client.heard() == ""
    client.protocol.exchange.on_deadline()
    assert client.heard().startswith("HTTP/1.1 500 ")
    assert " 500 208 - - PT-- " in world.log[0]


@dialogue
async def test_reject_closes_without_a_word() -> None:
    world = World(pair(front="http-request reject"))
    client = world.client()
    client.says(request())
    assert client.heard() == ""
    assert client.state in ("fin", "closed")
    assert world.log == ['fe fe/<NOSRV> -1/-1/-1/-1/t -1 0 - - PR-- 1/1/0/0/0 0/0 "GET / HTTP/1.1"']


@dialogue
async def test_monitor_uri() -> None:
    world = World(pair(front="monitor-uri /up\n    monitor fail if { path /up } { hdr(x-fail) 1 }"))
    client = world.client()
    client.says(request("/up"))
    assert client.heard().startswith("HTTP/1.1 200 OK\ncontent-length: 58\n")
    client.says(request("/up", "X-Fail: 1"))
    assert client.heard().startswith("HTTP/1.1 503 ")
    assert world.log == []
    assert world.servers == []


@dialogue
async def test_http_buffer_request_waits_for_the_body() -> None:
    world = World(pair(back="option http-buffer-request"))
    client = world.client()
    client.says("POST / HTTP/1.1\nhost: a\ncontent-length: 4\n\nab")
    assert world.servers == []
    client.says("cd")
    assert world.servers[0].heard().endswith("\n\nabcd")
    late = world.client()
    late.says("POST / HTTP/1.1\nhost: a\ncontent-length: 4\n\nab")
    late.protocol.exchange.on_deadline()
    assert late.heard().startswith("HTTP/1.1 408 ")
    assert " be/<NOSRV> -1/-1/-1/-1/t 408 232 - - cR-- " in " " + world.log[0]


@dialogue
async def test_added_fields_come_in_haproxys_order() -> None:
    world = World(
        pair(
            front="option forwardfor\n    option originalto\n    unique-id-format %rt\n    unique-id-header X-ID\n"
            "    http-request set-header x-fe 1",
            back="http-request set-header x-be 1\n    http-send-name-header X-Srv",
        )
    )
    client = world.client()
    client.says(request("/", "X-Srv: forged"))
    assert world.servers[0].heard() == (
        "GET / HTTP/1.1\nhost: a\nx-fe: 1\nx-be: 1\nx-id: 0\nx-forwarded-for: 192.0.2.7\nx-original-to: 192.0.2.1\n"
        "x-srv: s1\n\n"
    )


@dialogue
async def test_ntlm_binds_a_server_connection_to_its_client() -> None:
    world = World(pair(back="http-reuse always"))
    one, two = world.client(), world.client()
    one.says(request())
    world.servers[0].says(answer("who", "WWW-Authenticate: NTLM", status="401 No"))
    two.says(request())
    assert len(world.servers) == 2
    world.servers[1].says(answer("x"))
    one.says(request("/mine"))
    world.servers[0].heard()
    world.servers[0].says(answer("y"))
    assert len(world.servers) == 2
    one.shuts()
    one.goes()
    assert world.servers[0].state == "closed"
    assert world.servers[1].state == "open"


@dialogue
async def test_negotiate_credentials_bind_without_a_challenge() -> None:
    world = World(pair(back="http-reuse always"))
    one, two = world.client(), world.client()
    one.says(request("/", "Authorization: Negotiate abc"))
    world.servers[0].says(answer("x"))
    two.says(request())
    assert len(world.servers) == 2


@dialogue
async def test_http_reuse_never_keeps_a_client_s_own_connection() -> None:
    world = World(pair(back="http-reuse never\n    option prefer-last-server"))
    one, two = world.client(), world.client()
    for _ in range(2):
        one.says(request())
        world.servers[0].says(answer("x"))
    two.says(request())
    assert len(world.servers) == 2


@dialogue
async def test_a_queued_request_gets_the_slot() -> None:
    world = World(pair(server="maxconn 1"))
    one, two = world.client(), world.client()
    one.says(request("/1"))
    two.says(request("/2"))
    assert len(world.servers) == 1
    world.servers[0].says(answer("x"))
    await settle()
    assert any("GET /2 " in server.heard() for server in world.servers)
    world.servers[-1].says(answer("y"))
    assert two.heard().endswith("y")
    assert world.log[1].endswith(' 0/1 "GET /2 HTTP/1.1"')


@dialogue
async def test_a_wait_in_the_queue_that_takes_too_long() -> None:
    world = World(pair(server="maxconn 1", back="timeout queue 1s"))
    one, two = world.client(), world.client()
    one.says(request("/1"))
    two.says(request("/2"))
    two.protocol.exchange.on_deadline()
    assert two.heard() == NOT_AVAILABLE
    assert "be/<NOSRV> t/t/-1/-1/t 503 217 - - sQ-- " in world.log[0]
    world.servers[0].says(answer("x"))
    assert one.heard().endswith("x")


@dialogue
async def test_logasap_writes_the_line_with_the_head() -> None:
    world = World(pair(front="option logasap"))
    client = world.client()
    client.says(request())
    world.servers[0].says("HTTP/1.1 200 OK\nContent-Length: 4\n\nha")
    assert " 200 +51 " in world.log[0]
    world.servers[0].says("lf")
    assert len(world.log) == 1


@dialogue
async def test_soft_stop() -> None:
    world = World(pair())
    idle, busy, fresh = world.client(), world.client(), world.client()
    idle.says(request())
    world.servers[0].says(answer("x"))
    busy.says(request())
    world.runtime.stop()
    assert idle.state == "fin"
    assert busy.state == fresh.state == "open"
    busy_server = world.servers[-1]
    busy_server.says(answer("y"))
    assert "connection: close" in busy.heard()
    fresh.says(request())
    world.servers[-1].says(answer("z"))
    assert "connection: close" in fresh.heard()


@dialogue
async def test_back_pressure_reaches_the_other_side() -> None:
    world = World(pair())
    client = world.client()
    client.says(request())
    server = world.servers[0]
    server.says("HTTP/1.1 200 OK\nContent-Length: 1000000\n\nx")
    client.protocol.pause_writing()
    assert not server.wire.reading
    client.protocol.resume_writing()
    assert server.wire.reading
    client.protocol.pause_writing()
    client.expires()
    assert " cD-- " in world.log[0]
    uploading = world.client()
    uploading.says("POST / HTTP/1.1\nhost: a\ncontent-length: 1000000\n\nx")
    server = world.servers[-1]
    server.protocol.pause_writing()
    assert not uploading.wire.reading
    server.protocol.resume_writing()
    assert uploading.wire.reading


@dialogue
async def test_pipelined_bytes_are_bounded() -> None:
    world = World(pair())
    client = world.client()
    client.says(request())
    client.says(b"x" * 20000)
    assert not client.wire.reading


@dialogue
async def test_upgrade_and_tunnel() -> None:
    world = World(pair())
    client = world.client()
    client.says(request("/", "Connection: Upgrade", "Upgrade: echo"))
    server = world.servers[0]
    assert "upgrade: echo" in server.heard()
    server.says("HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: echo\n\nhi")
    assert client.heard() == "HTTP/1.1 101 Switching Protocols\nconnection: Upgrade\nupgrade: echo\n\nhi"
    client.says(b"\x00\x01 not HTTP")
    assert server.heard() == "\x00\x01 not HTTP"
    server.says(b"bye")
    assert client.heard() == "bye"
    client.shuts()
    assert server.state == "fin"
    server.says(b"!")
    assert client.heard() == "!"
    server.shuts()
    assert client.state in ("fin", "closed")
    assert " 101 " in world.log[0]
    assert server.state == "closed"


@dialogue
async def test_a_server_connection_that_served_a_tunnel_is_not_kept() -> None:
    world = World(pair())
    client = world.client()
    client.says("CONNECT b:80 HTTP/1.1\nhost: b:80\n\n")
    world.servers[0].says("HTTP/1.1 200 OK\n\n")
    assert client.heard() == "HTTP/1.1 200 OK\n\n"
    client.expires()
    assert " cD-- " in world.log[0]
    assert world.servers[0].state == "reset"  # both sides were silent for as long as they may be
    assert world.runtime.backends["be"].servers[0].pool.idle == 0


@dialogue
async def test_a_defect_in_the_path_ends_its_connection_only() -> None:
    world = World(pair())
    client, other = world.client(), world.client()

    def breaks(_txn: Transaction) -> Outcome | None:
        raise ZeroDivisionError

    world.runtime.frontends["fe"].monitor = breaks
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("traceback.print_exception", lambda *args, **kwargs: None)
        client.says(request())
    assert client.state in ("fin", "closed", "reset")
    assert other.state == "open"

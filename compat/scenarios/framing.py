"""Message framing: what is accepted, repaired or refused, on both sides. One raw message a scenario."""

from __future__ import annotations

import threading

from compat.harness import Connection, World
from compat.harness.world import Scenario
from compat.scenarios.basics import ONE_BACKEND

REQUESTS = {
    "bare_line_feeds": b"GET / HTTP/1.1\nHost: a\n\n",
    "empty_lines_before": b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "http10": b"GET / HTTP/1.0\r\n\r\n",
    "http10_keep_alive": b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "http09": b"GET /\r\n\r\n",
    "http12": b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "http00": b"POST /x HTTP/0.0\r\nHost: a\r\n\r\n",
    "http09_with_version": b"GET / HTTP/0.9\r\nHost: a\r\n\r\n",
    "http20_preface_like": b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "no_host": b"GET / HTTP/1.1\r\n\r\n",
    "two_hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "absolute_form": b"GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "absolute_form_other_host": b"GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "options_star": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "lower_case_method": b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
    "unknown_method": b"BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n",
    "space_before_colon": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "folded_header": b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: a\r\n  b\r\n\r\n",
    "empty_header_name": b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
    "header_without_colon": b"GET / HTTP/1.1\r\nHost: a\r\nBogus\r\n\r\n",
    "bad_header_name": b"GET / HTTP/1.1\r\nHost: a\r\nX{y: b\r\n\r\n",
    "control_in_value": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x01b\r\n\r\n",
    "nul_in_value": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
    "high_bytes_in_value": b"GET / HTTP/1.1\r\nHost: a\r\nX: caf\xc3\xa9\r\n\r\n",
    "high_bytes_in_target": b"GET /caf\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n",
    "fragment_in_target": b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "spaces_in_request_line": b"GET  /  HTTP/1.1\r\nHost: a\r\n\r\n",
    "equal_lengths_twice": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "equal_lengths_listed": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc",
    "equal_lengths_written_differently": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 03,3, 0003 \r\n\r\nabc",
    "conflicting_lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "negative_length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc",
    "plus_length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc",
    "length_not_a_number": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3x\r\n\r\nabc",
    "length_and_chunked": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "chunked_http10": b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "chunked_with_extension": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\n\r\n",
    "chunked_with_trailers": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n",
    "bad_chunk_size": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "gzip_chunked": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "gzip_chunked_to_another_host": b"GET http://b/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "gzip_chunked_http10": b"HEAD / HTTP/1.0\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunk_broken_after_its_answer": b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nbcd\r\n",
    "unknown_encoding": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\nabc",
    "empty_port_of_a_foreign_scheme": b"GET ftp://a:/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "empty_port_in_host": b"GET ftp://a/ HTTP/1.1\r\nHost: a:\r\n\r\n",
    "connect_with_websocket": b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "connect_with_upgrade": b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n",
    "preface_method_and_a_huge_header": b"PRI / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 15340 + b"\r\n\r\n",
    "get_with_body": b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    "connection_named_header": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n",
    "proxy_connection": b"GET / HTTP/1.1\r\nHost: a\r\nProxy-Connection: close\r\n\r\n",
    "te_trailers": b"GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n",
    "keep_alive_header": b"GET / HTTP/1.1\r\nHost: a\r\nKeep-Alive: timeout=5\r\n\r\n",
    "many_headers": b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: %d\r\n" % (i, i) for i in range(99)) + b"\r\n",
    "too_many_headers": b"GET / HTTP/1.1\r\nHost: a\r\n"
    + b"".join(b"X-%d: %d\r\n" % (i, i) for i in range(120))
    + b"\r\n",
    "huge_header": b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 17000 + b"\r\n\r\n",
    "long_but_fitting_header": b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 12000 + b"\r\n\r\n",
    "connect_http10": b"CONNECT a:80 HTTP/1.0\r\nHost: a:80\r\n\r\n",
    "preface_method_with_unsound_host": b"PRI http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "delete_in_target": b"GET /ab\x7fcd HTTP/1.1\r\nHost: a\r\n\r\n",
    "length_beyond_64_bits": b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\nabc",
    "unsound_length_in_an_unfinished_head": b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3x\r\nX",
    "unsound_version_in_an_unfinished_head": b"GET / FOO\r\nHost: a\r\nX",
    "tls_hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40 + b"\r\n\r\n",
}

RESPONSES = {
    "until_close": b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
    "http10": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "http10_until_close": b"HTTP/1.0 200 OK\r\n\r\nok",
    "no_content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "no_content_with_length": b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n",
    "http10_chunked": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "http05": b"HTTP/0.5 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "equal_lengths_written_differently": b"HTTP/1.1 200 OK\r\nContent-Length: 002 ,2, 02\r\n\r\nok",
    "informational_then_nothing": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1",
    "informational_then_junk": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n{junk}",
    "not_modified": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\nETag: x\r\n\r\n",
    "continue_first": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "early_hints_first": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "no_reason": b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
    "odd_reason": b"HTTP/1.1 299 Rather Good!\r\nContent-Length: 2\r\n\r\nok",
    "status_below_100": b"HTTP/1.1 99 Low\r\nContent-Length: 2\r\n\r\nok",
    "status_999": b"HTTP/1.1 999 High\r\nContent-Length: 2\r\n\r\nok",
    "bare_line_feeds": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "equal_lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    "conflicting_lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
    "length_and_chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "chunked_trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n",
    "bad_chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nxx\r\n\r\n",
    "short_body": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
    "short_chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "http10_no_content_chunked": b"HTTP/1.0 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
    "switch_nobody_asked_for": b"HTTP/1.1 103 Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n",
    "informational_then_huge_head": b"HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\nX: " + b"y" * 15340 + b"\r\n\r\n",
    "of_another_protocol": b"RTSP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "upgrade_that_is_none": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nok",
    "garbage": b"SSH-2.0-OpenSSH_9\r\n\r\n",
    "nothing": b"",
    "half_a_head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "bad_header_name": b"HTTP/1.1 200 OK\r\nX{y: 1\r\nContent-Length: 2\r\n\r\nok",
    "control_in_value": b"HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 2\r\n\r\nok",
    "huge_head": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20000 + b"\r\nContent-Length: 2\r\n\r\nok",
    "keep_alive_header": b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
    "date_and_server_stay": b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: x\r\nContent-Length: 2\r\n\r\nok",
    "two_cookies": b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok",
}


def _request(raw: bytes) -> Scenario:
    def scenario(world: World) -> None:
        """A raw request."""
        world.origin("s1", b"ok")
        world.start(ONE_BACKEND, defaults="    timeout http-request 400ms")
        client = world.client()
        client.send(raw)
        client.receive()
        client.ending()
        world.logs(1)

    return scenario


def _response(raw: bytes) -> Scenario:
    def scenario(world: World) -> None:
        """A raw answer, after which the origin closes."""

        def script(connection: Connection) -> None:
            connection.read()
            connection.write(raw)

        world.origin("s1", script)
        world.start(ONE_BACKEND)
        client = world.client()
        client.get("/")
        client.ending()
        world.logs(1)

    return scenario


FAMILY = {f"request_{name}": _request(raw) for name, raw in REQUESTS.items()} | {
    f"response_{name}": _response(raw) for name, raw in RESPONSES.items()
}


def head_has_no_body(world: World) -> None:
    """The answer to HEAD keeps its Content-Length and has no body."""

    def script(connection: Connection) -> None:
        while connection.read() is not None:
            connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")

    world.origin("s1", script)
    world.start(ONE_BACKEND)
    client = world.client()
    client.get("/", method="HEAD")
    client.get("/", method="HEAD")
    client.ending()
    world.logs(2)


def http10_client_chunked_answer(world: World) -> None:
    """A chunked answer to an HTTP/1.0 client."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")

    world.origin("s1", script)
    world.start(ONE_BACKEND)
    client = world.client()
    client.get("/", version="1.0")
    client.ending()
    world.logs(1)


def expect_continue(world: World) -> None:
    """`Expect: 100-continue` goes to the server, whose 100 comes back before the body is sent."""

    def script(connection: Connection) -> None:
        head = connection.reader.until(b"\r\n\r\n")
        connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = connection.reader.exactly(3)
        world.note(f"origin got {head!r} {body!r}")
        connection.reply(b"ok")

    world.origin("s1", script)
    world.start(ONE_BACKEND)
    client = world.client()
    client.send("POST / HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 3\n\n")
    message = client.reader.message(request=False)
    client.seen.extend(message.lines() if message else ["nothing"])
    client.send(b"abc")
    client.receive("POST")
    world.logs(1)


def early_answer_to_a_long_body(world: World) -> None:
    """A server that answers before the body's end and closes: the client sees the answer."""

    def script(connection: Connection) -> None:
        connection.reader.until(b"\r\n\r\n")
        connection.reply(b"too much", "413 Payload Too Large", ("Connection: close",))
        connection.shutdown()
        connection.reader.to_end()

    world.origin("s1", script)
    world.start(ONE_BACKEND)
    client = world.client()
    client.send("POST / HTTP/1.1\nHost: a\nContent-Length: 1000\n\nabc")
    client.receive("POST")


def big_bodies(world: World) -> None:
    """Three megabytes each way arrive whole."""
    body = bytes(range(256)) * 12288

    def script(connection: Connection) -> None:
        while (message := connection.read()) is not None:
            connection.reply(message.body)

    world.origin("s1", script)
    world.start(ONE_BACKEND)
    client = world.client()
    message = client.post("/", body)
    world.note(f"whole: {message is not None and message.body == body}")
    client.ending()


def body_in_small_pieces(world: World) -> None:
    """A body and a head that come byte by byte."""
    world.origin("s1", b"ok")
    world.start(ONE_BACKEND)
    client = world.client()
    for byte in b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n":
        client.send(bytes([byte]))
    client.receive("POST")
    client.ending()
    world.logs(1)


def http2_preface(world: World) -> None:
    """What HTTP/2 connections begin with, where HTTP/2 is not spoken, and its method in other requests."""
    world.origin("s1")
    world.start(ONE_BACKEND.replace("option httplog", "option httplog\n    option disable-h2-upgrade"))
    for number, raw in enumerate(("PRI * HTTP/2.0\n\nSM\n\n", "PRI * HTTP/1.1\n\n", "PRI /x HTTP/1.1\nHost: a\n\n"), 1):
        client = world.client()
        client.send(raw)
        client.receive()
        client.expect_end()
        world.logs(number)


def lengths_of_bodiless_answers(world: World) -> None:
    """Rules see the length that a 204 says, and the log counts it; the client doesn't get it."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n")

    world.origin("s1", script)
    rule = "option httplog\n    http-response set-header x-length %[res.hdr(content-length)]"
    world.start(ONE_BACKEND.replace("option httplog", rule))
    world.client().get("/")
    world.logs(1)


def blank_line_after_a_request(world: World) -> None:
    """A line end behind a request begins the next one: that has to come in time."""
    world.origin("s1", b"ok")
    world.start(ONE_BACKEND, defaults="    timeout http-request 300ms")
    for number, raw in enumerate((b"\r\n", b"\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n"), 1):
        client = world.client()
        client.get("/first")
        client.send(raw)
        client.receive()
        client.ending()
        client.close()
        world.logs(2 * number)


def preface_method_is_counted(world: World) -> None:
    """A refused PRI is logged with its size."""
    world.origin("s1")
    world.start(ONE_BACKEND.replace("option httplog", 'option httplog\n    log-format "%ST %U %B %tsc"'))
    client = world.client()
    client.send("PRI /x HTTP/1.1\nHost: a\n\n")
    client.receive()
    client.expect_end()
    world.logs(1)


def sizes_of_informational_answers(world: World) -> None:
    """1xx heads count even when nothing sound follows them."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        connection.write(b"HTTP/1.1 2")

    world.origin("s1", script)
    world.start(ONE_BACKEND.replace("option httplog", 'option httplog\n    log-format "%ST %U %B %tsc"'))
    world.client().get("/")
    world.logs(1)


def cut_answer_behind_an_informational_one(world: World) -> None:
    """A 1xx and the head of an answer come in one piece, then the server closes without the body."""
    seen = threading.Event()

    def script(connection: Connection) -> None:
        connection.read()
        head = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"
        connection.write(head)
        seen.wait(5)

    world.origin("s1", script)
    world.start(ONE_BACKEND)
    client = world.client()
    client.send("GET / HTTP/1.1\nHost: a\n\n")
    client.reader.until(b"\r\n\r\n")
    client.reader.until(b"\r\n\r\n")
    seen.set()
    world.logs(1)


def codings_of_te(world: World) -> None:
    """Of TE only `trailers` goes on; what rules see of it."""
    world.origin("s1", b"ok")
    rule = "option httplog\n    http-request set-header x-seen %[req.hdr(te)]"
    world.start(ONE_BACKEND.replace("option httplog", rule))
    client = world.client()
    client.get("/", "TE: gzip, trailers")
    client.get("/", "TE: gzip")


def odd_versions_let_in(world: World) -> None:
    """With `accept-invalid-http-request` any word may stand for the version."""
    world.origin("s1", b"ok")
    world.start(ONE_BACKEND.replace("option httplog", "option httplog\n    option accept-invalid-http-request"))
    client = world.client()
    client.send("GET / RTSP/1.0\nHost: a\n\n")
    client.receive()
    client.ending()
    world.logs(1)


def informational_to_http10(world: World) -> None:
    """1xx answers go to HTTP/1.0 clients, too, but not the hints that rules give."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        connection.reply(b"ok")

    world.origin("s1", script)
    hint = "option httplog\n    http-request early-hint Link </s.css>"
    world.start(ONE_BACKEND.replace("option httplog", hint))
    client = world.client()
    client.get("/", version="1.0")
    client.ending()
    world.logs(1)


def payload_with_any_method(world: World) -> None:
    """`h1-accept-payload-with-any-method` for HTTP/1.0."""
    world.origin("s1", b"ok")
    world.start(ONE_BACKEND, global_="    h1-accept-payload-with-any-method")
    for number, method in enumerate(("GET", "HEAD", "DELETE"), 1):
        client = world.client()
        client.send(f"{method} / HTTP/1.0\nContent-Length: 3\n\nabc")
        client.receive(method)
        client.expect_end()
        world.logs(number)


def _early(world: World, *, resets: bool) -> None:
    answered, left = threading.Event(), threading.Event()

    def script(connection: Connection) -> None:
        connection.reader.until(b"\r\n\r\n")
        connection.reply(b"no", "413 Too Large", ("Connection: close",))
        answered.wait(5)
        if resets:
            connection.reset()
        else:
            connection.close()
        left.set()

    world.origin("s1", script)
    world.start(ONE_BACKEND)
    client = world.client()
    client.send("POST / HTTP/1.1\nHost: a\nContent-Length: 1000\n\nabc")
    client.receive("POST")
    client.ending(0.1)
    answered.set()
    left.wait(5)
    client.ending(0.1)
    client.send(b"x" * 300)
    client.ending(0.4)  # HAProxy's system holds them back for 200 ms: more may follow
    if not resets:
        client.send(b"x" * 697)
        client.ending(0.1)
    world.logs(1)


def server_closes_after_early_answer(world: World) -> None:
    """It closes in the middle of the request: the rest of that is taken, `SD`, and the client's connection stays."""
    _early(world, resets=False)


def server_resets_after_early_answer(world: World) -> None:
    """It resets: with the next piece of the request the client's connection ends."""
    _early(world, resets=True)


def bodies_expected(world: World) -> None:
    """Where a body is waited for, a client that expects `100 Continue` gets it from the proxy, and the server no Expect."""
    origin = world.origin("s1")
    wait = "http-request wait-for-body time 5s"
    places = {
        "plain": ("", ""),
        "front": ("option http-buffer-request", ""),
        "back": ("", "option http-buffer-request"),
        "rule": (f"http-request early-hint link a if {{ path /hint }}\n {wait}", ""),
        "later": ("", f"{wait}\n http-request set-header x-expect yes if {{ req.hdr(expect) -m found }}"),
        "denied": (f"{wait}\n http-request deny", ""),
    }
    config = ""
    for name, (front, back) in places.items():
        config += (
            f'frontend {name}\n bind "fd@${{{name}}}"\n log-format "%ts %ST %B %U"\n {front}\n default_backend {name}-be\n'
            f"backend {name}-be\n {back}\n server s1 {{s1}}\n"
        )
    world.start(config)
    heads = (
        "POST / HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 4\n\n",
        "POST / HTTP/1.1\nHost: a\nExpect: 100-Continue, other\nContent-Length: 4\n\n",
        "POST /hint HTTP/1.1\nHost: a\nExpect: other\nExpect: 100-continue\nContent-Length: 4\n\n",
        "POST / HTTP/1.0\nExpect: 100-continue\nContent-Length: 4\n\n",
        "POST /hint HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 4\n\nab",
        "POST / HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 4\n\nabcd",
        "POST / HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 0\n\n",
    )
    count = 0
    for name in places:
        for head in heads:
            client = world.client(name)
            client.send(head)
            client.ending(0.1)
            whole = head.endswith("abcd") or " 0\n" in head
            client.send("" if whole else "cd" if head.endswith("ab") else "abcd")
            client.receive()
            count += 1
            world.logs(count)
    world.note(str(len(origin.connections)))

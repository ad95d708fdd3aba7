"""What rules do beyond what the referee's table shows: waiting, outcomes, errors with their place."""

from __future__ import annotations

import socket

import anyio
import pytest

import hapy_config
from hapy.observe.process import Process
from hapy.rules import (
    ALLOW,
    CLOSE,
    INTERNAL_ERROR,
    REJECT,
    SILENT_DROP,
    Reply,
    Tarpit,
    compile_ruleset,
    error_pages,
)
from hapy.samples import CompileEnv, CompileError
from hapy_config.model.rules import Rule
from hapy_config.source import Span
from tests.hapy.rules_world import environment, transaction

REQUEST = b"GET /a HTTP/1.1\r\nhost: a\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbody"


def compiled(*lines: str, ruleset: str = "http-request"):
    """A ruleset of a listen section, and a transaction for it."""
    text = "defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\nlisten f\n bind :80\n"
    result = hapy_config.read_text(text + "".join(f" {line}\n" for line in lines), name="test.cfg")
    assert result.config is not None, [str(one) for one in result.diagnostics]
    model = result.config.frontend("f")
    env = CompileEnv(result.config, model, Process(), {}, {})
    return compile_ruleset(model.rules[ruleset], env), transaction(REQUEST, env), env


def test_no_rules_are_no_ruleset():
    assert compile_ruleset((), environment()) is None


@pytest.mark.parametrize(
    ("line", "ruleset", "outcome"),
    [
        ("http-request allow", "http-request", ALLOW),
        ("http-request reject", "http-request", REJECT),
        ("http-request silent-drop", "http-request", SILENT_DROP),
        ("tcp-request connection reject", "tcp-request connection", REJECT),
        ("tcp-request connection accept", "tcp-request connection", ALLOW),
        ("tcp-request session accept", "tcp-request session", ALLOW),
        ("tcp-request content silent-drop", "tcp-request content", SILENT_DROP),
        ("tcp-response content close", "tcp-response content", CLOSE),
    ],
)
def test_decisions(line, ruleset, outcome):
    rules, txn, _ = compiled(line, ruleset=ruleset)
    assert rules.run(txn) is outcome


@pytest.mark.parametrize(
    ("line", "letters", "status", "kind"),
    [
        ("http-request deny", "PR", 403, "deny"),
        ("http-request deny deny_status 429", "PR", 429, "deny"),
        ("http-request return status 201", "LR", 201, "return"),
        ("http-request redirect location /", "LR", 302, "redirect"),
        ("http-request auth", "LR", 401, "auth"),
        ("http-response deny", "PH", 502, "deny"),
        ("http-response return", "LH", 200, "return"),
        ("http-response redirect location /", "LH", 302, "redirect"),
    ],
)
def test_replies_say_what_the_log_shows(line, letters, status, kind):
    rules, txn, _ = compiled(line, ruleset=line.split()[0])
    outcome = rules.run(txn)
    assert isinstance(outcome, Reply)
    assert (outcome.cause + outcome.phase, outcome.status, outcome.kind) == (letters, status, kind)


def test_tarpit_holds_a_reply():
    rules, txn, _ = compiled("http-request tarpit deny_status 429")
    outcome = rules.run(txn)
    assert isinstance(outcome, Tarpit)
    assert (outcome.reply.cause, outcome.reply.phase, outcome.reply.status) == ("P", "T", 429)


def test_redirect_of_a_request_with_a_body_ends_the_connection():
    rules, txn, env = compiled("http-request redirect location /")
    assert rules.run(txn).build(txn)[0].keep_alive
    txn = transaction(POST, env)
    assert not rules.run(txn).build(txn)[0].keep_alive


def test_waiting_for_a_body():
    rules, txn, _ = compiled(
        "http-request wait-for-body time 2s at-least 10 if METH_GET",
        "http-request deny if { req.body_len 4 }",
    )
    assert rules.is_async
    waited = []

    async def waiter(milliseconds: int, at_least: int) -> None:
        waited.append((milliseconds, at_least))
        txn.body = b"body"

    txn.body_waiter = waiter
    outcome = anyio.run(rules.run_async, txn)
    assert waited == [(2000, 10)]
    assert isinstance(outcome, Reply)


def test_the_last_rule_is_remembered():
    rules, txn, _ = compiled("http-request set-header a b", "http-request deny if { path /a }")
    rules.run(txn)
    assert txn.overrides.last_rule == ("test.cfg", 9)


def test_a_value_beyond_the_buffer_fails_unless_rewriting_is_lenient():
    rules, txn, _ = compiled("http-request set-header a %[req.body]")
    txn.body = b"x" * 20000
    assert rules.run(txn) is INTERNAL_ERROR
    rules, txn, _ = compiled("http-request strict-mode off", "http-request add-header a %[req.body]")
    txn.body = b"x" * 20000
    assert rules.run(txn) is None
    assert all(name != b"a" for name, _ in txn.request.headers)


def test_early_hints_are_collected():
    rules, txn, _ = compiled("http-request early-hint Link </a>", "http-request early-hint x %[path]")
    assert rules.run(txn) is None
    assert txn.overrides.early_hints == [[(b"link", b"</a>"), (b"x", b"/a")]]
    rules, txn, _ = compiled(
        *(
            f"http-request {one}"
            for one in ("early-hint a b", "set-header c d", "early-hint e f", "early-hint g h if TRUE")
        )
    )
    assert rules.run(txn) is None
    assert txn.overrides.early_hints == [[(b"a", b"b")], [(b"e", b"f")], [(b"g", b"h")]]


def test_what_does_not_run_is_an_error_with_its_place():
    rule = Rule("http-request", "track-sc*", "track-sc0", {}, None, Span("x.cfg", 7))
    with pytest.raises(CompileError, match="track-sc0") as caught:
        compile_ruleset((rule,), environment())
    assert caught.value.span == Span("x.cfg", 7)


def test_error_pages_of_the_backend_come_first():
    text = (
        "defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n"
        "frontend f\n bind :80\n errorloc 503 http://front/\n errorloc 502 http://front/\n default_backend b\n"
        "backend b\n errorloc 503 http://back/\n server s 127.0.0.1:1\n"
    )
    config = hapy_config.read_text(text, name="test.cfg").config
    front, back = config.frontend("f"), config.backend("b")
    env = CompileEnv(config, front, Process(), {}, {})
    txn = transaction(REQUEST, env)
    pages = error_pages(env)
    txn.backend.model = back
    assert (b"location", b"http://back/") in pages.build(txn, 503)[0].headers
    assert (b"location", b"http://front/") in pages.build(txn, 502)[0].headers
    assert pages.build(txn, 504)[0].status == 504


def test_packets_are_marked_on_the_clients_socket():
    rules, txn, _ = compiled("http-request set-tos 0x10")
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        txn.client._fd = client.fileno()
        assert rules.run(txn) is None
        assert client.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 0x10


def test_marks_that_the_system_refuses_change_nothing():
    rules, txn, _ = compiled("http-request set-mark 5", "http-request set-header a b")
    with socket.socket() as closed:
        number = closed.fileno()
    txn.client._fd = number
    assert rules.run(txn) is None
    assert (b"a", b"b") in txn.request.headers

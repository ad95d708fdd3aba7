"""Content rules: what can be decided on the bytes at hand, and what must wait for more."""

from __future__ import annotations

import functools
import itertools
import socket
import ssl
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy.acl.conditions import compile_staged
from hapy.proxy.frontend import Frontend
from hapy.proxy.transaction import Client, Transaction
from hapy.rules.content import compile_content
from hapy.rules.outcomes import ALLOW, REJECT, SWITCH, WAIT
from hapy.samples import CompileEnv, compile_expression
from hapy.samples.content import Content
from hapy.samples.registry import Getter
from hapy.samples.types import Result
from hapy_config import read_text
from hapy_config.model.rules import Rule
from tests.hapy.rules_world import environment


def _rules(*lines: str) -> tuple[tuple[Rule, ...], CompileEnv]:
    text = "defaults\n mode tcp\n timeout client 1s\nfrontend f\n bind :8080\n"
    result = read_text(text + "".join(f" tcp-request content {line}\n" for line in lines))
    errors = [one for one in result.diagnostics if one.severity.name == "ERROR"]
    assert result.config is not None, errors
    model = result.config.proxies[0]
    return model.rules["tcp-request content"], environment(model)


def _session(data: bytes, *, final: bool = False, pending: bool = False) -> Transaction:
    client = Client(b"127.0.0.1", 1, b"127.0.0.1", 2, socket.AF_INET)
    txn = Transaction(client, cast(Frontend, SimpleNamespace()), 0.0)
    txn.body = data
    txn.inspection = Content(raw=True, final=final)
    txn.inspection.head_pending = pending
    return txn


def _walk(lines: tuple[str, ...], txn: Transaction) -> object:
    rules = compile_content(*_rules(*lines))
    assert rules is not None
    walking = rules.walk(txn)
    try:
        walking.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("nothing here waits")


#: Rule lines, the bytes so far, what they come to while more may come, and when nothing more will.
CASES = {
    "enough": (("accept if { req.len gt 3 }",), b"abcd", ALLOW, ALLOW),
    "too little": (("accept if { req.len gt 9 }", "reject"), b"abcd", WAIT, REJECT),
    "negated": (("reject if !{ req.len gt 9 }",), b"abcd", WAIT, REJECT),
    "unless": (("reject unless { req.len gt 9 }",), b"abcd", WAIT, REJECT),
    "and what is false": (("reject if { req.len gt 9 } FALSE",), b"abcd", None, None),
    "false first": (("reject if FALSE { req.len gt 9 }",), b"abcd", None, None),
    "or what is true": (("reject if { req.len gt 9 } or TRUE",), b"abcd", REJECT, REJECT),
    "and what is true": (("reject if TRUE { req.len gt 9 }",), b"abcd", WAIT, None),
    "the end": (("reject if WAIT_END",), b"abcd", WAIT, REJECT),
    "not the end": (("reject if !WAIT_END",), b"abcd", WAIT, None),
    "what is there": (("reject if { req.payload(1,2) -m str bc }",), b"abcd", REJECT, REJECT),
    "what is other": (("reject if { req.payload(1,2) -m str xy }",), b"abcd", None, None),
    "what is not there": (("reject if { req.payload(1,9) -m found }",), b"abcd", WAIT, None),
    "all of it": (("reject if { req.payload(0,0) -m str abcde }",), b"abcd", WAIT, None),
    "no TLS": (("accept if { req.ssl_hello_type 1 }", "reject"), b"GET / HTTP/1.0\r\n", REJECT, REJECT),
    "perhaps TLS": (("accept if { req.ssl_hello_type 1 }", "reject"), b"\x16\x03", WAIT, REJECT),
    "a capture": (("capture req.payload(0,9) len 9", "reject"), b"abcd", WAIT, REJECT),
    "a variable": (("set-var(txn.a) req.payload(0,9)", "reject"), b"abcd", REJECT, REJECT),
    "switch": (("switch-mode http",), b"", SWITCH, SWITCH),
    "no cookie": (("accept if RDP_COOKIE", "reject"), b"GET /index.html HTTP/1.0\r\n", REJECT, REJECT),
    "perhaps a cookie": (("accept if RDP_COOKIE", "reject"), b"\x03\0\0\x23\x1e\xe0", WAIT, REJECT),
}


@pytest.mark.parametrize("name", CASES)
def test_decisions(name: str) -> None:
    lines, data, meanwhile, finally_ = CASES[name]
    assert _walk(lines, _session(data)) is meanwhile
    assert _walk(lines, _session(data, final=True)) is finally_


def test_a_head_on_its_way_leaves_http_open() -> None:
    lines = ("accept if { path /x }", "reject")
    assert _walk(lines, _session(b"GET /x", pending=True)) is WAIT
    assert _walk(lines, _session(b"\0", pending=False)) is REJECT


@functools.cache
def _getter(text: str) -> Getter:
    rules, env = _rules(f"set-var(txn.a) {text}")
    return compile_expression(rules[0].arguments["expression"], env)  # type: ignore[arg-type]


def _sample(text: str, data: bytes, *, final: bool = False) -> tuple[Result, bool]:
    txn = _session(data, final=final)
    value = _getter(text)(txn)
    assert txn.inspection is not None
    return value, txn.inspection.undecided


def _hello(server_name: str | None, *protocols: str) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if protocols:
        context.set_alpn_protocols(list(protocols))
    out = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=server_name)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return out.read()


HELLO_SAMPLES = {
    "req.ssl_sni": b"a.example",
    "req.ssl_alpn": b"h2",
    "req.ssl_hello_type": 1,
    "req.ssl_ver": 0x30003,
    "req.ssl_ec_ext": True,
}


@pytest.mark.parametrize("sample", HELLO_SAMPLES)
def test_a_hello_counts_once_it_is_complete(sample: str) -> None:
    hello = _hello("a.example", "h2", "http/1.1")
    for size in (0, 1, 5, 9, 50, len(hello) - 5):
        assert _sample(sample, hello[:size]) == (None, True)
    assert _sample(sample, hello) == (HELLO_SAMPLES[sample], False)
    assert _sample(sample, hello + b"more") == (HELLO_SAMPLES[sample], False)


@pytest.mark.parametrize("sample", [*HELLO_SAMPLES, "req.rdp_cookie", "req.payload_lv(1,2)", "req.payload_lv(0,1,-1)"])
@given(data=st.binary(max_size=60) | st.binary(max_size=60).map(lambda tail: b"\x16\x03\x01\0\x40\x01" + tail))
def test_any_bytes_are_looked_at_safely(sample: str, data: bytes) -> None:
    _sample(sample, data)
    assert not _sample(sample, data, final=True)[1]


def test_three_values() -> None:
    """Conditions of true, false and open parts come out as logic has them, whatever the order."""
    words = {"{ req.len gt 0 }": True, "{ req.len gt 9 }": None, "FALSE": False}
    for first, second in itertools.product(words, repeat=2):
        both = (
            False if False in (words[first], words[second]) else None if None in (words[first], words[second]) else True
        )
        one = (
            True if True in (words[first], words[second]) else None if None in (words[first], words[second]) else False
        )
        for joined, expected in ((f"{first} {second}", both), (f"{first} or {second}", one)):
            rules, env = _rules(f"reject if {joined}", f"reject unless {joined}")
            found = [
                compile_staged(rule.condition, env)(_session(b"x")) for rule in rules if rule.condition is not None
            ]
            assert found == [expected, None if expected is None else not expected], joined

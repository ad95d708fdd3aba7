"""Rules: their arguments, conditions, and where they may stand."""

from __future__ import annotations

import pytest

from hapy_config import Severity
from hapy_config.model.expressions import LogFormat, SampleExpression
from hapy_config.model.rules import HttpReply, Redirect, Rule
from tests.hapy_config.build.conftest import Errors, Read, result_of

FRONTEND = "frontend f\n bind :1\n "


def rule(read: Read, line: str) -> Rule:
    (proxy,) = read(FRONTEND + line + "\n").proxies
    (rules,) = proxy.rules.values()
    return rules[-1]


def test_set_header(read: Read) -> None:
    found = rule(read, 'http-request set-header X-A "a %[src]" if { path /x }')
    assert (found.ruleset, found.action, found.arguments["name"]) == ("http-request", "set-header", "X-A")
    value = found.arguments["value"]
    assert isinstance(value, LogFormat)
    assert value.constant is None
    assert found.condition is not None
    assert (found.span.line, found.span.column) == (8, 2)


def test_set_var_keeps_its_word(read: Read) -> None:
    found = rule(read, "http-request set-var(txn.a) path,lower")
    assert (found.action, found.word, found.arguments["variable"]) == ("set-var*", "set-var(txn.a)", "txn.a")
    assert isinstance(found.arguments["expression"], SampleExpression)


def test_return_with_a_body(read: Read) -> None:
    found = rule(read, "http-request return status 404 content-type text/plain string gone hdr X-A %ci")
    reply = found.arguments["reply"]
    assert isinstance(reply, HttpReply)
    assert (reply.status, reply.content_type, reply.body) == (404, "text/plain", b"gone")
    assert reply.headers[0][0] == "X-A"


def test_redirect_is_a_format_only_in_rules(read: Read) -> None:
    found = rule(read, "http-request redirect location %[path] code 301 unless { ssl_fc }")
    redirect = found.arguments["redirect"]
    assert isinstance(redirect, Redirect)
    assert (redirect.code, redirect.target.constant) == (301, None)
    (proxy,) = read(FRONTEND + "redirect prefix /%[path] drop-query\n").proxies
    assert proxy.redirects[0].target.constant == "/%[path]"
    assert proxy.redirects[0].drop_query


def test_acls_are_found_by_name_and_add_up(read: Read) -> None:
    (proxy,) = read(FRONTEND + "acl a path /1\n acl a path /2\n http-request deny if a !METH_GET\n").proxies
    condition = proxy.rules["http-request"][0].condition
    assert condition is not None
    first, second = condition.alternatives[0]
    assert (first.name, len(first.expressions), second.negated) == ("a", 2, True)


def test_lines_behind_a_rule_add_to_its_acl(read: Read) -> None:
    (proxy,) = read(FRONTEND + "acl a path /1\n http-request deny if a\n acl a path /2\n").proxies
    condition = proxy.rules["http-request"][0].condition
    assert condition is not None
    assert [one.patterns for one in condition.alternatives[0][0].expressions] == [("/1",), ("/2",)]


@pytest.mark.parametrize(
    "line",
    [
        "http-request deny deny_status 404",
        "http-request deny status 418",
        "http-request tarpit status 418",
        "http-request return",
        "http-request del-header a -m beg",
        "http-request replace-header a (b) c",
        "http-request set-timeout tunnel 5s",
        "http-request wait-for-body time 1s at-least 1k",
        "http-request use-service prometheus-exporter",
        "http-request capture path len 10",
        "http-response set-status 503 reason Busy",
        "http-response return status 200",
        "http-after-response set-header a b",
        "tcp-request connection reject if { src 10.0.0.0/8 }",
        "tcp-request session accept",
        "tcp-request content accept if WAIT_END",
        "tcp-request content set-var(sess.a) src",
        "tcp-response content close",
        "use_backend %[req.hdr(host)]",
    ],
)
def test_taken(errors: Errors, line: str) -> None:
    kind = "listen l\n bind :1\n "
    assert not errors(f"{kind}{line}\n"), errors(f"{kind}{line}\n")


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("http-request", "expects"),
        ("http-request foo", "but got 'foo'"),
        ("http-request deny deny_status 418", "not handled by default"),
        ("http-request deny deny_status 99", "Unexpected status code '99'"),
        ("http-request return string x", "content type must be defined"),
        ("http-request return string x string y content-type a/b", "already defined"),
        ("http-request set-header a", "expects exactly 2 arguments"),
        ("http-request set-header a b c", "expects either 'if' or 'unless'"),
        ("http-request set-header a %[res.hdr(x)]", "HTTP response headers"),
        ("http-request set-header a %[nosuch]", "unknown fetch method"),
        ("http-request set-var(x) path", "invalid variable name"),
        ("http-request redirect foo", "expects 'code'"),
        ("http-request redirect location / code 200", "unsupported HTTP code"),
        ("http-request normalize-uri path-strip-dot", "experimental"),
        ("http-request track-sc9 src", "exceeding 2"),
        ("http-request replace-path ( x", "regex"),
        ("http-request deny if { path_reg ( }", "missing closing parenthesis"),
        ("http-request deny if { path", "missing closing '}'"),
        ("http-request deny if a", "no such ACL : 'a'"),
        ("http-response set-status 1000", "between 100 and 999"),
        ("http-response capture res.hdr(a) len 4", "expects 'id'"),
        ("http-after-response deny", "expects"),
        ("tcp-request foo", "expects 'inspect-delay'"),
        ("tcp-request connection capture src len 5", "not allowed"),
        ("tcp-request content accept x", "only accepts"),
        ("tcp-response content foo", "expects"),
    ],
)
def test_refused(errors: Errors, line: str, part: str) -> None:
    found = errors(f"listen l\n bind :1\n {line}\n")
    assert any(part in message for message in found), found


def test_arguments_and_condition_are_both_judged(errors: Errors) -> None:
    assert len(errors(FRONTEND + "http-request set-path %[x] if { path_reg ( }\n")) == 2


def warned(text: str) -> list[tuple[str, int]]:
    """The codes of what is warned of, and the lines."""
    found = result_of(text + " default_backend b\nbackend b\n").diagnostics
    return [(one.code, one.span.line) for one in found if one.severity is Severity.WARNING]


@pytest.mark.parametrize(
    "action", ["allow", "deny deny_status 400", "tarpit", "auth", "redirect location /x", "return"]
)
def test_a_rule_behind_a_final_one_is_warned_of(action: str) -> None:
    found = warned(f"{FRONTEND}http-request {action}\n http-request deny if {{ path /x }}\n http-request allow\n")
    assert found == [("rule-after-final", 9)]


@pytest.mark.parametrize("action", ["allow if TRUE", "silent-drop", "set-path /x", "reject"])
def test_a_rule_behind_another_one_is_not(action: str) -> None:
    assert warned(f"{FRONTEND}http-request {action}\n http-request deny\n") == []


def test_the_first_inspect_delay_counts(read: Read) -> None:
    text = f"{FRONTEND}tcp-request inspect-delay 0\n tcp-request inspect-delay 5s\n tcp-request inspect-delay 9s\n"
    assert warned(text) == [("duplicate", 10)]
    (proxy,) = read(text).proxies
    assert proxy.inspect_delay == 5000

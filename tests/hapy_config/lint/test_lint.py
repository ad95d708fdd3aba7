"""Advice on what HAProxy takes. Each rule's own examples are tried with the catalogue's; here is what lies at the edges."""

from __future__ import annotations

import pytest

from hapy_config import read_text
from hapy_config.lint import lint, rules

HEAD = "defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n"
AB = "acl a path_beg /a\n acl b method POST\n acl c src 10.0.0.0/8\n"


def count(code: str, text: str) -> int:
    """How many findings of a code there are."""
    result = read_text(text if "defaults" in text else HEAD + text, env={}, assume_machine=True)
    assert result.config is not None, [one.message for one in result.diagnostics]
    return [found.code for found in lint(result)].count(code)


@pytest.mark.parametrize(
    ("code", "expected", "text"),
    [
        ("duplicate-bind", 1, "frontend a\n bind :80\nfrontend b\n bind :80\n"),
        ("duplicate-bind", 1, "frontend a\n bind :80-90\n bind 127.0.0.1:85\n bind :85\n"),
        ("duplicate-bind", 0, "frontend a\n bind :80\nfrontend b\n disabled\n bind :80\n"),
        ("unused-acl", 2, "frontend a\n bind :80\n acl x path /\n acl x path /y\n"),
        ("unused-acl", 0, "frontend a\n bind :80\n acl x path /\n http-request deny if !x\n"),
        ("unused-backend", 1, "backend b\n server s 10.0.0.1:80\n"),
        ("unused-backend", 0, "frontend a\n bind :80\n default_backend b\nbackend b\n server s 10.0.0.1:80\n"),
        ("unused-backend", 0, "frontend a\n bind :80\n use_backend %[path]\nbackend b\n server s 10.0.0.1:80\n"),
        ("unused-backend", 0, "frontend a\n bind :80\n monitor fail if { nbsrv(b) lt 1 }\nbackend b\n server s :80\n"),
        ("no-reuse", 1, "listen a\n bind :80\n option httpclose\n http-reuse always\n"),
        ("no-reuse", 0, "listen a\n bind :80\n http-reuse always\n"),
        ("no-reuse", 1, "frontend f\n bind :80\n option httpclose\n default_backend b\nbackend b\n http-reuse always\n"),
        # A refused configuration gets none.
        ("unreachable-rule", 0, f"frontend f\n bind :80\n {AB} http-request deny if a\n http-request allow if b\n"),
        ("unreachable-rule", 1, "frontend f\n bind :80\n http-request deny if TRUE\n http-request allow\n"),
        ("unreachable-rule", 0, "frontend f\n bind :80\n http-request deny if FALSE\n http-request allow\n"),
        ("unreachable-rule", 1, "frontend f\n bind :80\n http-request deny unless FALSE\n http-request allow\n"),
        ("unreachable-rule", 0, "frontend f\n bind :80\n http-request deny\n http-response allow\n"),
        ("unreachable-rule", 0, "frontend f\n bind :80\n http-request redirect location %[path] ignore-empty\n http-request deny\n"),
        ("shadowed-rule", 1, f"frontend f\n bind :80\n {AB} http-request deny if a or b\n http-request return if b c\n"),
        ("shadowed-rule", 0, f"frontend f\n bind :80\n {AB} http-request deny if a b\n http-request return if b c\n"),
        ("shadowed-rule", 0, f"frontend f\n bind :80\n {AB} http-request deny if a\n http-request set-path /x\n http-request deny if a\n"),
        ("shadowed-rule", 1, f"frontend f\n bind :80\n {AB} http-request deny unless a\n http-request deny if !a\n"),
        ("shadowed-rule", 0, "frontend f\n bind :80\n http-request deny if { rand(2) 0 }\n http-request return if { rand(2) 0 }\n"),
        ("shadowed-use-backend", 1, f"frontend f\n bind :80\n {AB} use_backend x if a or b\n use_backend y if a c or b\nbackend x\nbackend y\n"),
        ("shadowed-use-backend", 0, f"frontend f\n bind :80\n {AB} use_backend x if a or b\n use_backend y if a or c\nbackend x\nbackend y\n"),
        ("unreachable-use-backend", 1, "frontend f\n bind :80\n use_backend x\n default_backend y\nbackend x\nbackend y\n"),
        ("contradictory-condition", 1, f"frontend f\n bind :80\n {AB} http-request deny if a or b !c c\n"),
        ("contradictory-condition", 0, f"frontend f\n bind :80\n {AB} http-request deny if b !c or c\n"),
        ("exclusive-acls", 1, "frontend f\n bind :80\n http-request deny if { path /a } { path_beg /b }\n"),
        ("exclusive-acls", 0, "frontend f\n bind :80\n http-request deny if { path /a/b } { path_beg /a }\n"),
        ("exclusive-acls", 0, "frontend f\n bind :80\n http-request deny if { hdr(x-a) a } { hdr(x-a) b }\n"),
        ("exclusive-acls", 1, "frontend f\n bind :80\n http-request deny if { src 10.0.0.0/8 } { src 192.168.0.0/16 }\n"),
        ("exclusive-acls", 0, "frontend f\n bind :80\n http-request deny if { src 10.0.0.0/8 } { src 10.1.0.0/16 }\n"),
        ("exclusive-acls", 1, "frontend f\n bind :80\n http-request deny if { dst_port 80 } { dst_port 443 }\n"),
        ("exclusive-acls", 0, "frontend f\n bind :80\n http-request deny if { path_end .a } { path_beg /a }\n"),
        ("always-true-condition", 1, f"frontend f\n bind :80\n {AB} http-request deny if a or !a\n"),
        ("always-true-condition", 0, f"frontend f\n bind :80\n {AB} http-request deny if !a or !b\n"),
        ("redundant-condition", 1, f"frontend f\n bind :80\n {AB} http-request deny if a a\n"),
        ("redundant-condition", 0, f"frontend f\n bind :80\n {AB} http-request deny if a b or b c\n"),
        ("impossible-pattern", 1, "frontend f\n bind :80\n http-request deny if { hdr(host),lower -m str X.example }\n"),
        ("impossible-pattern", 0, "frontend f\n bind :80\n http-request deny if { hdr(host),lower -i -m str X.example }\n"),
        ("impossible-pattern", 1, "frontend f\n bind :80\n http-request deny if { hdr(host) http://x.example/ }\n"),
        ("impossible-pattern", 1, "frontend f\n bind :80\n http-request deny if { method post }\n"),
        ("impossible-pattern", 0, "frontend f\n bind :80\n http-request deny if { path_sub admin } or { path_end .php }\n"),
        ("impossible-pattern", 0, "frontend f\n bind :80\n http-request deny if { path,field(2,/) admin }\n"),
    ],
)  # fmt: skip
def test_rules(code: str, expected: int, text: str) -> None:
    assert count(code, text) == expected


def test_every_rule_has_its_own_code() -> None:
    assert len({rule.code for rule in rules()}) == len(rules())


def test_every_rule_has_two_examples() -> None:
    for rule in rules():
        assert rule.bad, rule.code
        assert rule.good, rule.code


def test_a_refused_configuration_gets_no_advice() -> None:
    assert list(lint(read_text(HEAD + "frontend a\n bind :80\n nonsense\n bind :80\n", env={}))) == []


def test_inherited_lines_are_told_once() -> None:
    text = HEAD + " option httpclose\n" + "".join(f"backend b{number}\n" for number in range(3))
    assert count("no-keep-alive", text) == 1

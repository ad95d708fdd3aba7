"""Advice on what HAProxy takes."""

from __future__ import annotations

import pytest

from hapy_config import read_text
from hapy_config.lint import lint, rules

HEAD = "defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n"


def codes(text: str) -> list[str]:
    return [found.code for found in lint(read_text(HEAD + text, env={}, assume_machine=True))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("frontend a\n bind :80\nfrontend b\n bind :80\n", ["duplicate-bind"]),
        ("frontend a\n bind :80-90\n bind 127.0.0.1:85\n bind :85\n", ["duplicate-bind"]),
        ("frontend a\n bind :80\nfrontend b\n disabled\n bind :80\n", []),
        ("frontend a\n bind :80\n acl x path /\n", ["unused-acl"]),
        ("frontend a\n bind :80\n acl x path /\n http-request deny if !x\n", []),
        ("backend b\n server s 10.0.0.1:80\n", ["unused-backend"]),
        ("frontend a\n bind :80\n default_backend b\nbackend b\n server s 10.0.0.1:80\n", []),
        ("frontend a\n bind :80\n use_backend %[path]\nbackend b\n server s 10.0.0.1:80\n", []),
        ("listen a\n bind :80\n option httpclose\n http-reuse always\n", ["no-reuse"]),
        ("listen a\n bind :80\n http-reuse always\n", []),
        ("frontend a\n bind :80\n nonsense\n bind :80\n", []),
    ],
)
def test_rules(text: str, found: list[str]) -> None:
    assert codes(text) == found


def test_every_rule_has_its_own_code() -> None:
    assert len({rule.code for rule in rules()}) == len(rules())

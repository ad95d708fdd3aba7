from __future__ import annotations

import pytest

from hapy import lenient as module
from hapy.lenient import without_what_is_not_run
from hapy_config import read_text
from hapy_config.model.config import Config
from hapy_config.model.proxy import Proxy

#: What these tests take for not run, whatever the tables say today.
NOT_RUN = {"set-mark", "rand", "hex"}


@pytest.fixture(autouse=True)
def tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_runs", lambda entry: entry.name not in NOT_RUN)


HEAD = """
defaults
    mode http
    timeout client 1s
    timeout connect 1s
    timeout server 1s
frontend f
    bind :80
    log 127.0.0.1 local0
"""


def lenient(body: str) -> tuple[Config, Config]:
    """The configuration before and after."""
    result = read_text(HEAD + body)
    assert result.config is not None, list(result.diagnostics)
    return result.config, without_what_is_not_run(result.config)


def frontend(config: Config) -> Proxy:
    found = config.frontend("f")
    assert found is not None
    return found


def test_rules_whose_action_is_not_run_go() -> None:
    _, after = lenient("    http-request set-mark 5\n    http-request set-header x y\n")
    assert [rule.action for rule in frontend(after).rules["http-request"]] == ["set-header"]


def test_samples_that_are_not_run_make_no_condition_true() -> None:
    _, after = lenient(
        "    acl old rand gt 5\n    acl old path /old\n"
        "    http-request deny if old\n    http-request deny if { path,hex 00 }\n"
        "    use_backend b if { rand gt 9 } or { path /x }\nbackend b\n"
    )
    rules = frontend(after).rules["http-request"]
    conditions = [rule.condition for rule in rules]
    assert conditions[0] is not None
    assert conditions[1] is not None
    assert [e.criterion.fetch.name for e in conditions[0].alternatives[0][0].expressions] == ["path"]
    assert conditions[1].alternatives[0][0].expressions == ()
    branch = frontend(after).use_backends[0].condition
    assert branch is not None
    assert [[term.expressions == () for term in terms] for terms in branch.alternatives] == [[True], [False]]


def test_log_formats_show_a_dash() -> None:
    _, after = lenient("    log-format a%[rand]b%[src]\n")
    fmt = frontend(after).log_format
    assert fmt is not None
    assert [getattr(item, "text", "?") for item in fmt.items] == ["a", "-", "b", "?"]


def test_a_configuration_that_is_run_whole_stays_the_same_object() -> None:
    before, after = lenient("    http-request set-header x %[src]\n    log-format %ci\n")
    assert after is before

"""Reading for another machine: what this one lacks, and variables without a value."""

from __future__ import annotations

from hapy_config import Severity, read_text
from hapy_config.codes.spec import BASE


def test_lines_are_read_over_what_is_missing() -> None:
    text = BASE + (
        "frontend f\n bind :443 ssl crt /nowhere/a.pem crt /nowhere/b.pem\n bind :444 ssl crt /nowhere/a.pem bogus\n"
        " use_backend b if { src -f /nowhere/c }\n default_backend b\n"
        "backend b\n use-server s if TRUE\n server s 10.0.0.1:443 ssl verify required ca-file /nowhere/d\n"
    )
    result = read_text(text, env={}, assume_machine=True)
    textual = [found.code for found in result.diagnostics if not found.environment]
    assert textual == ["unknown-keyword"]
    assert sum(found.environment for found in result.diagnostics) == 5
    result = read_text(text.replace(" bogus", ""), env={}, assume_machine=True)
    assert result.config is not None
    assert result.has_listener
    strict = read_text(text.replace(" bogus", ""), env={})
    assert strict.config is None


def test_unset_variables() -> None:
    text = (
        'global\n maxconn "${MANY}"\n'
        + BASE
        + 'frontend f\n bind ":${PORT}"\n bind :$OTHER\n default_backend b\nbackend b\n'
    )
    result = read_text(text, env={}, assume_machine=True)
    assert result.config is not None
    errors = [found for found in result.diagnostics if found.severity is Severity.ERROR]
    assert all(found.environment for found in errors)
    assert {found.hint for found in errors} == {
        "the variable MANY is not set",
        "the variable PORT is not set",
        "the variable OTHER is not set",
    }
    noted = [found.message for found in result.diagnostics if found.code == "unset-variable"]
    assert len(noted) == 3
    assert not list(read_text(text, env={"MANY": "5", "PORT": "1", "OTHER": "2"}, assume_machine=True).diagnostics)


def test_conditions_see_variables_as_they_are() -> None:
    text = '.if defined(X)\n.alert "x"\n.endif\nglobal\n log-tag "$X"\n' + BASE + "listen l\n bind :80\n"
    result = read_text(text, env={}, assume_machine=True)
    assert [found.code for found in result.diagnostics if not found.environment] == []


def test_defaults_of_variables() -> None:
    text = BASE + 'listen l\n bind ":${PORT-80}"\n'
    assert not list(read_text(text, env={}, assume_machine=True).diagnostics)


def test_what_is_wrong_elsewhere_is_told_all_the_same() -> None:
    text = BASE + 'listen l\n bind ":${PORT}"\n timeout client "${TIME}x"\n bogus\n bind nonsense:x\n'
    found = list(read_text(text, env={}, assume_machine=True).diagnostics)
    assert [one.code for one in found if not one.environment] == ["unknown-keyword", "bad-address"]
    assert sum(one.code == "unset-variable" for one in found) == 2

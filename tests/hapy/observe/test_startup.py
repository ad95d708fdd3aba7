from __future__ import annotations

import os

import pytest

from hapy.observe.startup import Messages, describe
from hapy_config.diagnostics import Diagnostic, Severity
from hapy_config.source import NOWHERE, Span


def test_labels_are_padded_and_the_first_warning_is_introduced(capsys: pytest.CaptureFixture[str]) -> None:
    messages = Messages()
    messages.notice("a")
    messages.warning("b")
    messages.alert("c")
    pid = os.getpid()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"[NOTICE]   ({pid}) : a"
    assert lines[1].startswith(f"[NOTICE]   ({pid}) : haproxy version is 2.6.12 (hapy ")
    assert lines[2].startswith(f"[NOTICE]   ({pid}) : path to executable is /")
    assert lines[3:] == [f"[WARNING]  ({pid}) : b", f"[ALERT]    ({pid}) : c"]
    assert messages.warned


def test_once_serving_nothing_is_introduced(capsys: pytest.CaptureFixture[str]) -> None:
    messages = Messages()
    messages.serving()
    messages.warning("b")
    assert capsys.readouterr().err == f"[WARNING]  ({os.getpid()}) : b\n"


def test_quiet_says_nothing_but_remembers(capsys: pytest.CaptureFixture[str]) -> None:
    messages = Messages(quiet=True)
    messages.warning("b")
    messages.alert("c")
    assert capsys.readouterr().err == ""
    assert messages.warned


def test_diagnostics_are_shown_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    found = [Diagnostic("x", Severity.DIAG, NOWHERE, "odd")]
    Messages().tell(found)
    assert capsys.readouterr().err == ""
    Messages(show_diagnostics=True).tell(found)
    assert "[DIAG]" in capsys.readouterr().err


def test_findings_name_their_place() -> None:
    span = Span("a.cfg", 3, 2, 5)
    assert describe(Diagnostic("x", Severity.ERROR, span, "bad")) == "config : parsing [a.cfg:3] : bad"
    assert describe(Diagnostic("x", Severity.ERROR, NOWHERE, "bad", "mend it")) == "config : bad (mend it)"
    near = "unknown keyword 'a'; did you mean 'b' maybe ?"
    assert describe(Diagnostic("x", Severity.ERROR, NOWHERE, near, "did you mean 'b'?")) == f"config : {near}"

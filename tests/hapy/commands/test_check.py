"""`hapy check`: what it prints and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from hapy.commands.check import main

GOOD = """\
defaults
 mode http
 timeout client 1s
 timeout server 1s
 timeout connect 1s
listen l
 bind 127.0.0.1:8080
 server s 127.0.0.1:80
"""


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def run(text: str, *flags: str) -> tuple[int, str]:
        Path("t.cfg").write_text(text, encoding="utf-8")
        status = main(["t.cfg", *flags])
        return status, capsys.readouterr().out

    return run


def test_a_good_file(check) -> None:
    assert check(GOOD) == (0, "valid\n")


def test_every_mistake_with_its_place_and_a_fix(check) -> None:
    status, out = check(GOOD.replace("server s", "server s:").replace("mode http", "mode htp") + " bindd x\n")
    assert status == 1
    assert "t.cfg:2:7: error: unknown proxy mode 'htp' [bad-argument]\n    2 |  mode htp\n      |       ^^^\n" in out
    assert "t.cfg:9:2: error: unknown keyword 'bindd' in 'listen' section; did you mean 'bind' maybe ?" in out
    assert out.endswith("refused: 2 errors\n")


def test_warnings_do_not_fail_unless_strict(check) -> None:
    text = GOOD.replace(" timeout client 1s\n", "")
    status, out = check(text)
    assert (status, "warning: missing timeouts" in out) == (0, True)
    assert check(text, "--strict")[0] == 1
    assert check(text, "--quiet") == (0, "")


def test_what_is_not_run_is_told_apart(check) -> None:
    text = GOOD + " filter compression\n"
    status, out = check(text)
    assert status == 0
    assert "not run: " in out
    assert "it starts with --lenient" in out
    assert check(text, "--haproxy") == (0, "valid\n")


def test_advice_can_be_left_out(check) -> None:
    text = GOOD + " acl unused path /\n"
    assert "[unused-acl]" in check(text)[1]
    assert check(text, "--no-lint") == (0, "valid\n")


def test_nothing_listens(check) -> None:
    assert check(GOOD.replace(" bind 127.0.0.1:8080\n", "").replace("listen", "backend"), "--no-lint") == (
        0,
        "valid; nothing listens\n",
    )


def test_a_long_line_is_cut_around_the_place(check) -> None:
    words = " ".join(["10.0.0.0/8"] * 30)
    _, out = check(GOOD + f" acl a src {words} 300.0.0.0/8 {words}\n")
    shown = next(line for line in out.split("\n") if "300.0.0.0/8" in line and "|" in line)
    assert len(shown) < 130
    mark = out.split("\n")[out.split("\n").index(shown) + 1]
    assert shown[mark.index("^") : mark.index("^") + len("300.0.0.0/8")] == "300.0.0.0/8"


def test_a_missing_file(check, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere.cfg"]) == 1
    assert "cannot open the configuration file 'nowhere.cfg'" in capsys.readouterr().out


def test_names_are_looked_up_only_on_request(check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hapy.commands.check._resolves", lambda name, family: False)
    text = GOOD.replace("127.0.0.1:80\n", "nowhere.example:80\n")
    assert check(text)[0] == 0
    status, out = check(text, "--names")
    assert (status, "(on this machine)" in out) == (1, True)

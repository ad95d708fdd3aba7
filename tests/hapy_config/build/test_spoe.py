"""The file of `filter spoe`, as far as the main configuration depends on it; the real haproxy gives the same verdicts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hapy_config import read_config

AGENT = "[e]\nspoe-agent a\n messages m\n timeout processing 1s\n"
MESSAGE = "spoe-message m\n args src\n event on-frontend-http-request\n"
MAIN = (
    "frontend f\n mode http\n bind :80\n timeout client 1s\n filter spoe {} config spoe.cfg\n"
    "backend b\n mode tcp\n timeout connect 1s\n timeout server 1s\n"
)


@pytest.mark.referee
@pytest.mark.parametrize(
    ("engine", "file", "refused"),
    [
        ("engine e", f"{AGENT} use-backend b\n{MESSAGE}", False),
        ("engine e", f"# x\n{AGENT} use-backend 'b' # y\n{MESSAGE}", False),
        ("engine e", f"{AGENT} use-backend nosuch\n{MESSAGE}", True),
        ("engine e", f"{AGENT}{MESSAGE}", True),
        ("engine e", f"{AGENT} use-backend b\nspoe-agent c\n use-backend b\n", True),
        ("engine other", f"{AGENT} use-backend b\n{MESSAGE}", True),
        ("", f"{AGENT} use-backend b\n{MESSAGE}", True),
        ("", "spoe-agent a\n use-backend b\n", False),
        ("engine e", f"[x]\nspoe-agent a\n use-backend q\n{AGENT} use-backend b\n{MESSAGE}", False),
        ("engine e", "", True),
        *(
            ("engine e", f"{AGENT} use-backend b\n {line}\n{MESSAGE}", refused)
            for line, refused in (
                *(("nonsense", True), ("option nonsense", True), ("option async", False), ("no option async", False)),
                *(("no option force-set-var", True), ("option var-prefix a-b", True), ("option var-prefix a.b", False)),
                *(("timeout hello", True), ("timeout hello x", True), ("timeout other 1s", True), ("messages m", True)),
                *(("messages other", True), ("groups other", True), ("max-frame-size 1", True), ("log global", False)),
                *(("option dontlog-normal x", True), ("no log", False), ("log x", True), ("maxconnrate x", False)),
            )
        ),
        *(
            ("engine e", f"{AGENT} use-backend b\n{MESSAGE} {line}\n", refused)
            for line, refused in (
                *(("args a-b=src c=str(x=y)", False), ("args srcc", True), ("event nowhere", True)),
                *(("event on-client-session if nobody", True), ("event on-client-session if TRUE", False)),
                *(("event on-client-session x", True), ("event on-client-session if { srcc 1 }", True)),
                *(("acl a src 10.0.0.1\n event on-client-session if a", False), ("acl a srcc 1", True)),
            )
        ),
        ("engine e", f"{AGENT} groups g\n use-backend b\n{MESSAGE}spoe-group g\n messages m\n", False),
        ("engine e", f"{AGENT} groups g\n use-backend b\n{MESSAGE}spoe-group g\n messages x\n", True),
        ("engine e", f"{AGENT} use-backend b\n{MESSAGE}{MESSAGE}", True),
    ],
)
def test_verdicts(
    haproxy: str, engine: str, file: str, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("spoe.cfg").write_text(file, encoding="utf-8")
    Path("main.cfg").write_text(MAIN.format(engine), encoding="utf-8")
    done = subprocess.run([haproxy, "-c", "-f", "main.cfg"], capture_output=True, check=False)
    assert (done.returncode == 1) == refused, done.stderr
    assert (read_config(["main.cfg"], env={}).config is None) == refused


@pytest.mark.referee
def test_the_agents_backend_speaks_no_http(haproxy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("spoe.cfg").write_text(f"{AGENT} use-backend b\n{MESSAGE}", encoding="utf-8")
    Path("main.cfg").write_text(MAIN.format("engine e").replace("mode tcp", "mode http"), encoding="utf-8")
    done = subprocess.run([haproxy, "-c", "-f", "main.cfg"], capture_output=True, check=False)
    assert done.returncode == 1
    assert "does not support HTTP mode" in read_config(["main.cfg"], env={}).diagnostics.found[-1].message


def test_a_message_that_nothing_sends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("main.cfg").write_text(MAIN.format("engine e"), encoding="utf-8")
    for message, codes in ((MESSAGE, []), ("spoe-message m\n args src\n", ["ignored-message"])):
        Path("spoe.cfg").write_text(f"{AGENT} use-backend b\n{message}", encoding="utf-8")
        found = [one.code for one in read_config(["main.cfg"], env={}).diagnostics]
        assert [code for code in found if code == "ignored-message"] == codes


@pytest.mark.referee
@pytest.mark.parametrize("engines", ["engine e", "engine e\n filter spoe config spoe.cfg engine e"])
def test_an_engine_is_named_once(haproxy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engines: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("spoe.cfg").write_text(f"{AGENT} use-backend b\n{MESSAGE}", encoding="utf-8")
    Path("main.cfg").write_text(MAIN.format(engines), encoding="utf-8")
    done = subprocess.run([haproxy, "-c", "-f", "main.cfg"], capture_output=True, check=False)
    assert (read_config(["main.cfg"], env={}).config is None) == (done.returncode == 1)


@pytest.mark.referee
@pytest.mark.parametrize("group", ["g", "h"])
def test_groups_that_rules_send(haproxy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: str) -> None:
    monkeypatch.chdir(tmp_path)
    text = f"{AGENT} use-backend b\n groups g\n{MESSAGE}spoe-group g\n messages m\n"
    Path("spoe.cfg").write_text(text, encoding="utf-8")
    rule = f" http-request send-spoe-group e {group}\nbackend b\n"
    Path("main.cfg").write_text(MAIN.format("engine e").replace("backend b\n", rule), encoding="utf-8")
    done = subprocess.run([haproxy, "-c", "-f", "main.cfg"], capture_output=True, check=False)
    assert (done.returncode == 1) == (group == "h")
    assert (read_config(["main.cfg"], env={}).config is None) == (group == "h")

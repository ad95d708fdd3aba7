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

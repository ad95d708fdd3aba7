"""The real haproxy judges the same lines: hapy refuses and takes what it does.

Every kind of section has its share of the lines, so that a run stays short; all of them have been tried in all.
"""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hapy_config import read_text

HEAD = """\
defaults
 mode {mode}
 timeout client 5s
 timeout server 5s
 timeout connect 5s
frontend front
 bind 127.0.0.1:7999
 default_backend back
backend back
 server one 127.0.0.1:80
{section}
"""

LINES = Path(__file__).with_name("lines.txt").read_text(encoding="utf-8").splitlines()
SECTIONS = ("listen l", "frontend f", "backend b", "defaults d", "listen other", "backend other")


def verdict(text: str) -> int:
    result = read_text(text, "t.cfg", env={}, lookup=lambda host, family: host == "localhost")
    if result.config is None:
        return 1
    return 0 if result.has_listener else 2


@pytest.mark.referee
@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("mode", ["http", "tcp"])
@pytest.mark.timeout(120)
def test_verdicts(haproxy: str, section: str, mode: str, tmp_path: Path) -> None:
    def judge(numbered: tuple[int, str]) -> str | None:
        number, line = numbered
        text = HEAD.format(mode=mode, section=section) + " " + line.replace("\\n", "\n ") + "\n"
        path = tmp_path / f"{number}.cfg"
        path.write_text(text, encoding="utf-8")
        done = subprocess.run([haproxy, "-c", "-f", path], capture_output=True, check=False, cwd=tmp_path)
        ours = verdict(text)
        if done.returncode == ours or (done.returncode < 0 and ours == 1):  # a crash of the referee's is a refusal
            return None
        return f"{line}: haproxy {done.returncode}, hapy {ours}"

    first = SECTIONS.index(section) * 2 + (mode == "tcp")
    lines = [(number, line) for number, line in enumerate(LINES) if not line.startswith("#")]
    with ThreadPoolExecutor(2) as pool:
        wrong = [said for said in pool.map(judge, lines[first :: 2 * len(SECTIONS)]) if said]
    assert wrong == []

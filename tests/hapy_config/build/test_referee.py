"""The real haproxy judges the same lines: hapy refuses and takes what it does.

Every kind of section has its share of the lines, so that a run stays short; all of them have been tried in all.
"""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hapy_config import Severity, read_text

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


OTHERS = Path(__file__).with_name("sections.txt").read_text(encoding="utf-8").splitlines()
_WARNING = re.compile(r"^\[WARNING\].* : (?:config : )?parsing \[.*:(\d+)\]", re.MULTILINE)


@pytest.mark.referee
@pytest.mark.timeout(120)
def test_other_sections(haproxy: str, tmp_path: Path) -> None:
    """Global and the sections beside the proxies: the verdicts, and the lines that are warned of."""

    def judge(numbered: tuple[int, str]) -> str | None:
        number, line = numbered
        head, _, tail = line.partition(" | ")
        text = f"{head}\n {tail}\n".replace("\\n", "\n")
        folder = tmp_path / str(number)  # of its own: haproxy makes the files of rings, and moves those that are there
        folder.mkdir()
        path = folder / "t.cfg"
        path.write_text(text, encoding="utf-8")
        done = subprocess.run([haproxy, "-c", "-f", path], capture_output=True, check=False, cwd=folder, text=True)
        result = read_text(text, "t.cfg", env={}, lookup=lambda host, family: host == "localhost")
        ours = 1 if result.config is None else 0 if result.has_listener else 2
        warned = {found.span.line for found in result.diagnostics if found.severity is Severity.WARNING}
        lines = {int(place) for place in _WARNING.findall(done.stderr)}
        if done.returncode == ours and (ours == 1 or lines <= warned):
            return None
        return f"{line}: haproxy {done.returncode} {sorted(lines)}, hapy {ours} {sorted(warned)}"

    with ThreadPoolExecutor(2) as pool:
        wrong = [said for said in pool.map(judge, enumerate(OTHERS[1:])) if said]
    assert wrong == []

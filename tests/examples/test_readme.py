"""The README's commands print what stands below them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from examples.guide import README, ROOT

#: A command, and the lines it prints; a line `…` stands for any number of lines.
SHOWN = re.findall(r"```console\n\$ (.*)\n((?:.*\n)*?)```", README.read_text())


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH that has this hapy."""
    program = tmp_path / "hapy"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hapy "$@"\n')
    program.chmod(0o755)
    return f"{tmp_path}:{os.environ['PATH']}"


def test_there_are_some() -> None:
    assert len(SHOWN) >= 6


@pytest.mark.parametrize(
    ("command", "output"),
    [pytest.param(*pair, marks=[pytest.mark.referee] if "hapy verify" in pair[0] else []) for pair in SHOWN],
    ids=[command for command, _ in SHOWN],
)
def test_it_prints_that(command: str, output: str, path: str, request: pytest.FixtureRequest) -> None:
    if "hapy verify" in command:
        request.getfixturevalue("haproxy")
    environment = {**os.environ, "PATH": path, "COLUMNS": "80", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    pattern = "".join("(?:.*\n)*?" if line == "…" else re.escape(line) + "\n" for line in output.splitlines())
    assert re.fullmatch(pattern, ran.stdout), ran.stdout + ran.stderr


def test_shown_lines_fit_a_terminal() -> None:
    assert [line for _, output in SHOWN for line in output.splitlines() if len(line) > 80] == []

"""The old configuration that the README moves to 2.6."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from examples.guide import ROOT
from hapy.commands.migrate import main

OLD = ROOT / "examples" / "old" / "shop.cfg"
NEW = ROOT / "examples" / "old" / "shop.2.6.cfg"


def test_it_is_moved_as_shown(tmp_path: Path) -> None:
    target = tmp_path / "new.cfg"
    assert main([str(OLD), "--to", "haproxy-2.6", "-o", str(target)]) == 0
    assert target.read_text() == NEW.read_text()


@pytest.mark.referee
def test_haproxy_refuses_the_old_and_takes_the_new(haproxy: str) -> None:
    verdicts = [subprocess.run([haproxy, "-c", "-q", "-f", path], check=False).returncode for path in (OLD, NEW)]
    assert verdicts == [1, 0]

"""The `.vtc` scenarios under varnishtest, against both programs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
VARNISHTEST = shutil.which("varnishtest")


def program(name: str, folder: Path) -> str:
    """The path that varnishtest launches. hapy's is a script that becomes the interpreter, so that the pid stays."""
    if name == "haproxy":
        return shutil.which("haproxy") or "haproxy"
    script = folder / "hapy"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hapy "$@"\n')
    script.chmod(0o755)
    return str(script)


@pytest.mark.vtc
@pytest.mark.skipif(VARNISHTEST is None, reason="varnishtest is not installed (Debian package varnish)")
@pytest.mark.parametrize("name", ["haproxy", "hapy"])
@pytest.mark.parametrize("scenario", sorted((HERE / "vtc").glob("*.vtc")), ids=lambda path: path.stem)
def test_vtc(scenario: Path, name: str, tmp_path: Path, haproxy: str) -> None:  # noqa: ARG001  (the fixture skips)
    environment = dict(os.environ, HAPROXY_PROGRAM=program(name, tmp_path), PYTHONPATH=str(HERE.parent))
    result = subprocess.run(
        [str(VARNISHTEST), "-t", "30", str(scenario)], capture_output=True, env=environment, timeout=50, check=False
    )
    assert result.returncode == 0, (result.stdout + result.stderr).decode(errors="replace")

"""Real clients and servers through a real hapy process: each test starts its own, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from compat.harness import World
from compat.harness.world import running

#: Seconds for anything that must happen.
PATIENCE = 20


@pytest.fixture
def world() -> Iterator[World]:
    """hapy, its origins and its certificates."""
    with running("hapy") as made:
        yield made


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., str]:
    """Runs a client program to its end; gives what it printed. The test is skipped where the program is missing."""

    def go(program: str, *arguments: str, feed: str | None = None, package: str = "") -> str:
        path = need(program, package)
        done = subprocess.run(
            [path, *arguments],
            input=feed if feed is not None else "",
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "LC_ALL": "C"},
        )
        assert done.returncode == 0, (done.args, done.stdout, done.stderr)
        return done.stdout + done.stderr

    return go


def need(program: str, package: str = "") -> str:
    """The path of a program; the test is skipped where it is missing."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed (Debian package {package or program})")
    return path


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server listens."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    pytest.fail(f"{process.args} does not listen on {port}")

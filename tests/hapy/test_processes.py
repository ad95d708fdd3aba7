from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hapy.processes import (
    PidFile,
    StartError,
    effective_maxconn,
    notify_systemd,
    raise_descriptor_limit,
    tell,
)
from hapy_config.model.config import Config, Global


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    """Puts the descriptor limit back afterwards."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_limit_of_connections() -> None:
    config = Config(Global(maxconn=50))
    assert effective_maxconn(config, None) == 50
    assert effective_maxconn(config, 7) == 7
    assert effective_maxconn(config, 0) == 50


def test_without_a_limit_descriptors_decide() -> None:
    computed = effective_maxconn(Config(Global(ulimit_n=1032)), None)
    assert computed == 500
    assert effective_maxconn(Config(Global(ulimit_n=10)), None) == 100


def test_the_descriptor_limit_is_raised_as_far_as_needed(limits: tuple[int, int]) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, limits[1]), limits[1]))
    assert raise_descriptor_limit(Config(), 200) == []
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 432


@pytest.mark.usefixtures("limits")
def test_too_low_a_limit_stops_the_start_unless_limits_are_lax() -> None:
    config = Config(Global(ulimit_n=100))
    with pytest.raises(StartError, match=r"FD limit \(100\) too low for maxconn=100/maxsock=232"):
        raise_descriptor_limit(config, 100)
    (warning,) = raise_descriptor_limit(replace(config, global_=replace(config.global_, strict_limits=False)), 100)
    assert "FD limit (100) too low" in warning


@pytest.mark.usefixtures("limits")
def test_the_process_may_limit_its_descriptors_itself() -> None:
    config = Config(Global(fd_hard_limit=250))
    assert effective_maxconn(config, None) == 109
    assert raise_descriptor_limit(config, 109) == []
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 250
    with pytest.raises(StartError, match=r"Cannot raise FD limit to 252, limit is 250\."):
        raise_descriptor_limit(config, 110)
    (warning,) = raise_descriptor_limit(replace(config, global_=replace(config.global_, strict_limits=False)), 110)
    assert "limit is 250" in warning
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 252


def test_a_limit_that_cannot_be_raised() -> None:
    script = (
        "import os, resource\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300))\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "from hapy.processes import *\nfrom hapy_config.model.config import Config\n"
        "try: raise_descriptor_limit(Config(), 1000)\nexcept StartError as error: print(error)\n"
    )
    root = Path(__file__).parents[2]
    if os.geteuid() == 0 and not os.access(sys.executable, os.X_OK):
        pytest.skip("the interpreter is out of reach for others")
    script = script.replace("if os.geteuid() == 0: os.setuid(65534)\nfrom hapy", "from hapy").replace(
        "try: raise", "if os.geteuid() == 0: os.setuid(65534)\ntry: raise"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False, timeout=30
    )
    assert result.stdout == "[haproxy.main()] Cannot raise FD limit to 2032, limit is 300.\n", result.stderr


def test_a_pid_file_is_made_anew_and_lists_pids(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text("old and long\n")
    made = PidFile(str(path))
    assert path.read_text() == ""
    made.write([12, 345])
    assert path.read_text() == "12\n345\n"


def test_a_pid_file_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="Cannot create pidfile"):
        PidFile(str(tmp_path / "no" / "pid"))


def test_only_those_who_live_are_counted() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert tell([child.pid, 2**30], signal.SIGTERM) == 1
        assert child.wait(20) == -signal.SIGTERM


def test_the_service_manager_may_listen_on_an_abstract_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"hapy-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name)
        manager.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name)
        notify_systemd("READY=1")
        assert manager.recv(100) == b"READY=1"
        monkeypatch.setenv("NOTIFY_SOCKET", "relative")
        notify_systemd("READY=1")
        monkeypatch.delenv("NOTIFY_SOCKET")
        notify_systemd("READY=1")

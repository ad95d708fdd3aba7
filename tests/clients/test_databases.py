"""PostgreSQL's and Redis' own clients and servers through `mode tcp`."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from compat.harness import World
from tests.clients.conftest import PATIENCE, need, wait_for
from tests.ports import reserved_port

CONFIG = """
listen db
    mode tcp
    bind "fd@${db}"
    option tcplog
    timeout client 10s
    timeout server 10s
    server s1 127.0.0.1:%d
"""


@contextmanager
def _serving(command: list[str], port: int, user: str | None = None) -> Iterator[None]:
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user
    )
    try:
        wait_for(port, process)
        yield
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_redis(world: World, run: Callable[..., str], tmp_path: Path) -> None:
    server = need("redis-server")
    need("redis-cli", "redis-tools")
    port = reserved_port()
    command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    with _serving(command, port):
        world.start(CONFIG % port)
        through = ("-h", "127.0.0.1", "-p", str(world.listeners["db"].getsockname()[1]))
        assert run("redis-cli", *through, "ping").strip() == "PONG"
        assert run("redis-cli", *through, "-x", "set", "big", feed="x" * 500_000).strip() == "OK"
        assert run("redis-cli", *through, "strlen", "big").strip() == "500000"
        many = "".join(f"incr counter{number % 3}\n" for number in range(300))
        assert run("redis-cli", *through, feed=many).split()[-1] == "100"


def _postgres(name: str) -> str:
    """A program of PostgreSQL's server, which Debian keeps out of the way."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / name).exists():
            return str(folder / name)
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed (Debian package postgresql)")
    return path


def test_postgresql(world: World, run: Callable[..., str], tmp_path: Path) -> None:
    initdb, postgres = _postgres("initdb"), _postgres("postgres")
    need("psql", "postgresql-client")
    user = None
    if os.geteuid() == 0:  # PostgreSQL refuses to be root
        user = "nobody"
        os.chown(tmp_path, pwd.getpwnam(user).pw_uid, -1)
        for folder in tmp_path.parents[:3]:
            folder.chmod(0o755)
    data = tmp_path / "data"
    made = subprocess.run(
        [initdb, "-D", str(data), "-A", "trust", "-U", "me", "--no-sync", "--no-instructions"],
        user=user,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    port = reserved_port()
    settings = ("fsync=off", "listen_addresses=127.0.0.1", f"unix_socket_directories={tmp_path}", "shared_buffers=1MB")
    command = [postgres, "-D", str(data), "-p", str(port), *(part for one in settings for part in ("-c", one))]
    with _serving(command, port, user):
        world.start(CONFIG % port)
        through = ("-h", "127.0.0.1", "-p", str(world.listeners["db"].getsockname()[1]), "-U", "me", "-d", "postgres")
        assert run("psql", *through, "-Atc", "select 6 * 7").strip() == "42"
        rows = run("psql", *through, "-Atc", "select repeat('x', 1000) from generate_series(1, 1000)").split()
        assert len(rows) == 1000
        table = (
            "create table t (n int); copy t from stdin;\n" + "".join(f"{number}\n" for number in range(5000)) + "\\.\n"
        )
        assert run("psql", *through, "-At", feed=table + "select sum(n) from t;\n").split()[-1] == str(sum(range(5000)))

"""Real PostgreSQL, MariaDB, Redis, LDAP and SMTP servers answer hapy's checks, and refusals are told from answers."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.ports import reserved_port

POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def _need(program: str, package: str) -> str:
    found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{program} is missing (Debian package {package})")
    return found


def _unprivileged(name: str) -> dict[str, object]:
    """How to start what won't run as root."""
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        pytest.skip(f"there is no user {name}")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that other users may write to: pytest's own are for one user."""
    folder = Path(tempfile.mkdtemp(prefix="hapy-checks-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(command: list[str], port: int, **options: object) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)  # type: ignore[call-overload]
    try:
        _wait_for(lambda: _listens(port) or process.poll() is not None, 60)
        assert process.poll() is None, f"{command[0]} ended with {process.returncode}"
        yield
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _wait_for(test: object, seconds: float) -> None:
    assert callable(test)
    deadline = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.05)


def _check(folder: Path, option: str, port: int) -> str:
    """What hapy says first of a server under such a check."""
    config = folder / "checks.cfg"
    config.write_text(
        f"listen l\n    mode tcp\n    bind 127.0.0.1:{reserved_port()}\n    timeout connect 5s\n    timeout client 5s\n"
        f"    timeout server 5s\n    option log-health-checks\n    option {option}\n"
        f"    server s 127.0.0.1:{port} check inter 5s\n"
    )
    said = folder / "said"
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "hapy", "-db", "-f", str(config)], stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait_for(lambda: "Health check" in said.read_text() or process.poll() is not None, 30)
    finally:
        process.terminate()
        process.wait()
    match = re.search(r"Health check for server l/s (.*), check duration", said.read_text())
    return match[1] if match else said.read_text()


@pytest.mark.timeout(120)
def test_redis(tmp_path: Path) -> None:
    program = _need("redis-server", "redis-server")
    port = reserved_port()
    with _running([program, "--port", str(port), "--save", "", "--bind", "127.0.0.1", "--dir", str(tmp_path)], port):
        assert _check(tmp_path, "redis-check", port) == (
            'succeeded, reason: Layer7 check passed, code: 0, info: "Redis server is ok"'
        )
        assert _check(tmp_path, "smtpchk", port).startswith("failed, reason: Layer7 timeout")


@pytest.mark.timeout(120)
def test_mariadb(shared: Path) -> None:
    program = _need("mariadbd", "mariadb-server")
    install = _need("mariadb-install-db", "mariadb-server")
    who = _unprivileged("mysql") | {"env": os.environ | {"TMPDIR": str(shared)}}  # others' folders may be closed to it
    data = shared / "data"
    port = reserved_port()
    common = ["--no-defaults", f"--datadir={data}"]
    subprocess.run(
        [install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **who,  # type: ignore[call-overload]
    )
    initial = shared / "init.sql"
    initial.write_text("CREATE USER haproxy@'127.0.0.1';\nCREATE USER haproxy@localhost;\n")
    initial.chmod(0o644)
    command = [program, *common, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={shared}/sock"]
    command += [f"--pid-file={data}/pid", f"--init-file={initial}", "--skip-networking=0"]
    with _running(command, port, **who):
        for option in ("mysql-check", "mysql-check user haproxy", "mysql-check user haproxy post-41"):
            said = _check(shared, option, port)
            assert re.fullmatch(r'succeeded, reason: Layer7 check passed, code: 0, info: ".*MariaDB.*"', said), said
        said = _check(shared, "mysql-check user nobody", port)
        assert said.startswith("failed, reason: Layer7 wrong status, code: 1045"), said


@pytest.mark.timeout(120)
@pytest.mark.skipif(not POSTGRES, reason="PostgreSQL is missing (Debian package postgresql)")
def test_postgresql(shared: Path) -> None:
    who = _unprivileged("postgres")
    data = shared / "data"
    subprocess.run(
        [POSTGRES[-1] / "initdb", "-D", data, "-A", "md5", "-U", "admin", "--pwfile=/etc/hostname", "--no-sync"],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=shared,
        **who,  # type: ignore[call-overload]
    )
    port = reserved_port()
    command = [str(POSTGRES[-1] / "postgres"), "-D", str(data), "-p", str(port), "-k", str(shared), "-h", "127.0.0.1"]
    with _running(command, port, cwd=shared, **who):
        assert _check(shared, "pgsql-check user admin", port) == (
            'succeeded, reason: Layer7 check passed, code: 0, info: "PostgreSQL server is ok"'
        )


@pytest.mark.timeout(120)
def test_smtp(tmp_path: Path) -> None:
    program = _need("aiosmtpd", "python3-aiosmtpd")
    port = reserved_port()
    command = [program, "-n", "-l", f"127.0.0.1:{port}", "-c", "aiosmtpd.handlers.Debugging"]
    with _running(command, port):
        for option in ("smtpchk", "smtpchk EHLO hapy.test"):
            said = _check(tmp_path, option, port)
            assert re.fullmatch(r'succeeded, reason: Layer7 check passed, code: 221, info: ".*"', said), said


@pytest.mark.timeout(120)
def test_ldap(tmp_path: Path) -> None:
    program = _need("slapd", "slapd")
    port = reserved_port()
    config = tmp_path / "slapd.conf"
    config.write_text(f"pidfile {tmp_path}/pid\nargsfile {tmp_path}/args\n")
    with _running([program, "-f", str(config), "-h", f"ldap://127.0.0.1:{port}", "-d", "0"], port):
        assert _check(tmp_path, "ldap-check", port) == (
            'succeeded, reason: Layer7 check passed, code: 0, info: "Success"'
        )

"""Starts haproxy, hapy and nginx for the benchmarks, and reads what they cost."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

HAPY = [sys.executable, "-m", "hapy"]
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def need(*programs: str) -> None:
    """End with a clear word when a program is missing."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        sys.exit(f"this benchmark needs {', '.join(missing)} (Debian packages haproxy, nginx-light, wrk)")


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
    return port


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, its threads and its ended children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15]) / TICKS


def resident(pid: int) -> int:
    """Resident memory in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until something listens, or say that the program ended."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"{process.args} ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    sys.exit(f"{process.args} does not listen on {port}")


@contextlib.contextmanager
def running(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A program that listens on `port`, ended afterwards."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()


def proxy_command(name: str, config: Path) -> list[str]:
    """How haproxy or hapy is launched in the foreground."""
    program = [shutil.which("haproxy") or "haproxy"] if name == "haproxy" else HAPY
    return [*program, "-db", "-f", str(config)]


@contextlib.contextmanager
def nginx_origin(folder: Path, port: int) -> Iterator[None]:
    """nginx with one worker: `/` answers 12 bytes, `/big` 10 MB."""
    (folder / "www").mkdir()
    (folder / "www" / "index.html").write_bytes(b"hello, world")
    (folder / "www" / "big").write_bytes(b"x" * 10_000_000)
    config = folder / "nginx.conf"
    config.write_text(f"""
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 1000000000; sendfile on; tcp_nodelay on;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    server {{ listen 127.0.0.1:{port} backlog=1024; root {folder}/www;
        location / {{ try_files $uri /index.html; }} }}
}}
""")
    folder.chmod(0o755)
    with running(["nginx", "-e", f"{folder}/nginx.err", "-c", str(config)], port):
        yield


@contextlib.contextmanager
def syslog_sink() -> Iterator[int]:
    """A UDP socket that log lines go to and nobody reads; its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]

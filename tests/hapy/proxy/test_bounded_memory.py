"""TCP mode holds no more than its buffers allow: a slow reader slows the writer."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

SIZE = 300_000_000
#: What the kernel's buffers on both connections and hapy's own may take together, generously.
BOUND = 40_000_000

CONFIG = """
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen l
    bind fd@{listener}
    server s1 127.0.0.1:{origin}
"""


class Source:
    """A server that sends as fast as it may, and counts."""

    def __init__(self) -> None:
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.sock.getsockname()[1]
        self.sent = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        piece = bytes(1 << 18)
        connection, _ = self.sock.accept()
        with connection:
            while self.sent < SIZE:
                self.sent += connection.send(piece[: SIZE - self.sent])


@contextlib.contextmanager
def _hapy(folder: Path, origin: int) -> Iterator[tuple[tuple[str, int], int]]:
    """A running hapy: where it listens, and its process id."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = folder / "haproxy.cfg"
        config.write_text(CONFIG.format(listener=listener.fileno(), origin=origin))
        os.set_inheritable(listener.fileno(), True)
        process = subprocess.Popen(
            [sys.executable, "-m", "hapy", "-q", "-db", "-f", str(config)], pass_fds=[listener.fileno()]
        )
        try:
            yield listener.getsockname(), process.pid
        finally:
            process.terminate()
            process.wait(10)


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _settled(source: Source) -> int:
    """What has been sent once nothing more goes out."""
    deadline = time.monotonic() + 20
    before, since = -1, time.monotonic()
    while time.monotonic() < deadline:
        if source.sent != before:
            before, since = source.sent, time.monotonic()
        elif time.monotonic() - since > 0.3:
            break
        time.sleep(0.02)
    return before


def test_a_slow_reader_slows_the_writer(tmp_path: Path) -> None:
    source = Source()
    with _hapy(tmp_path, source.port) as (address, pid), socket.create_connection(address, 20) as client:
        got = len(client.recv(1000))  # it is up
        at_rest = _resident(pid)
        assert _settled(source) < BOUND
        most = _resident(pid)
        while got < SIZE:
            data = client.recv(1 << 18)
            assert data, f"it ended after {got} bytes"
            got += len(data)
            most = max(most, _resident(pid))
        assert got == SIZE
        assert not client.recv(1)
        assert most - at_rest < BOUND
    source.sock.close()

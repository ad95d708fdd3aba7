"""`python -m benchmarks.bulk [--size GB] [--rounds N]`: CPU and memory of bulk transfers in TCP mode, hapy and haproxy.

One session moves the bytes from a server to a client as fast as both can, then one the other way. Both programs run one
after the other, several rounds; the table shows medians of CPU seconds per GB and their ratio, and the most memory that
each ever held. A last session reads slowly: the memory held meanwhile must not grow with what the server would send.
"""

from __future__ import annotations

import argparse
import multiprocessing
import socket
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.programs import cpu_seconds, free_port, need, proxy_command, resident, running

CONFIG = """
global
    nbthread 1
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen bulk
    bind 127.0.0.1:{port}
    server s1 127.0.0.1:{origin}
"""
GOAL = 1.8
GB = 10**9
_PIECE = bytes(1 << 20)


def _send(sock: socket.socket, size: int) -> None:
    left = size
    while left > 0:
        sock.sendall(_PIECE[: min(left, len(_PIECE))])
        left -= len(_PIECE)


def _receive(sock: socket.socket, size: int) -> int:
    buffer = bytearray(1 << 20)
    got = 0
    while got < size:
        count = sock.recv_into(buffer)
        if not count:
            break
        got += count
    return got


def _origin(listener: socket.socket) -> None:
    """Does what each connection's first line asks: `get SIZE` or `put SIZE`."""
    while True:
        sock, _ = listener.accept()
        with sock:
            line = b""
            while not line.endswith(b"\n"):
                piece = sock.recv(1)
                if not piece:
                    break
                line += piece
            if not line:
                continue
            order, size = line.split()
            try:
                if order == b"get":
                    _send(sock, int(size))
                else:
                    sock.sendall(b"%d\n" % _receive(sock, int(size)))
            except OSError:
                continue


def transfer(port: int, order: str, size: int) -> None:
    """One session.

    Raises:
        SystemExit: it came to less than it should have.
    """
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(f"{order} {size}\n".encode())
        if order == "get":
            got = _receive(sock, size)
        else:
            _send(sock, size)
            got = int(sock.makefile("rb").readline())
    if got != size:
        raise SystemExit(f"{got} of {size} bytes came through")


def slow_reader(port: int, pid: int, size: int, seconds: float = 2.0) -> tuple[int, int]:
    """Ask for much, read little: the program's memory before, and the most of it meanwhile."""
    before = most = resident(pid)
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(f"get {size}\n".encode())
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            sock.recv(4096)
            most = max(most, resident(pid))
            time.sleep(0.01)
    return before, most


def measure(name: str, folder: Path, origin: int, size: int) -> dict[str, float]:
    """One program, one round."""
    port = free_port()
    config = folder / f"{name}.cfg"
    config.write_text(CONFIG.format(port=port, origin=origin))
    found: dict[str, float] = {}
    with running(proxy_command(name, config), port) as process:
        transfer(port, "get", 10_000_000)
        most = 0
        for order, label in (("get", "to the client, CPU s/GB"), ("put", "to the server, CPU s/GB")):
            begun = cpu_seconds(process.pid)
            transfer(port, order, size)
            found[label] = (cpu_seconds(process.pid) - begun) / (size / GB)
            most = max(most, resident(process.pid))
        before, during = slow_reader(port, process.pid, size)
        found["most memory, MB"] = max(most, during) / 1e6
        found["more for a slow reader, MB"] = (during - before) / 1e6
    return found


def main() -> None:
    """Run both and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bulk", description=__doc__)
    parser.add_argument("--size", type=float, default=2.0, help="GB a transfer")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    need("haproxy")
    listener = socket.create_server(("127.0.0.1", 0))
    server = multiprocessing.get_context("fork").Process(target=_origin, args=(listener,), daemon=True)
    server.start()
    rounds: dict[str, list[dict[str, float]]] = {"haproxy": [], "hapy": []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            for name, results in rounds.items():
                results.append(measure(name, Path(folder), listener.getsockname()[1], int(options.size * GB)))
    server.terminate()
    print(f"{'TCP mode, ' + format(options.size, 'g') + ' GB':32} {'haproxy':>9} {'hapy':>9} {'ratio':>7} {'goal':>6}")
    for label in rounds["hapy"][0]:
        theirs, ours = (statistics.median(one[label] for one in rounds[name]) for name in ("haproxy", "hapy"))
        judged = f"{ours / theirs:7.2f} {GOAL:6.2f}" if "CPU" in label else ""
        print(f"{label:32} {theirs:9.3f} {ours:9.3f} {judged}")


if __name__ == "__main__":
    main()

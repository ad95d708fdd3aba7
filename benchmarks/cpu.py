"""`python -m benchmarks.cpu [--tls]`: CPU per request and memory per idle connection, hapy and haproxy with one thread.

Both programs run the same typical configuration (forwardfor, httplog to a syslog socket, a path ACL, a header set, two
backends), one after the other, several rounds; the table shows medians and their ratio. With `--tls` clients speak
TLS 1.3 to the proxy, with an RSA and with an ECDSA certificate; every connection begins with a full handshake.
"""

from __future__ import annotations

import argparse
import re
import resource
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.programs import (
    cpu_seconds,
    free_port,
    need,
    nginx_origin,
    proxy_command,
    resident,
    running,
    syslog_sink,
)

CONFIG = """
global
    nbthread 1
    maxconn {maxconn}
    no strict-limits
    log 127.0.0.1:{syslog} local0
defaults
    mode http
    log global
    option httplog
    option forwardfor
    http-reuse always
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend fe
    bind 127.0.0.1:{port} backlog 4096{ssl}
    acl static path_beg /static /images
    http-request set-header X-Proto http
    use_backend assets if static
    default_backend app
backend app
    server s1 127.0.0.1:{origin}
backend assets
    server s1 127.0.0.1:{origin}
"""

#: What a browser sends.
HEADERS = [
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br",
    "Cookie: session=0123456789abcdef; theme=dark",
    "Upgrade-Insecure-Requests: 1",
    "Cache-Control: max-age=0",
]
GOALS = {"keep-alive": 1.5, "connection: close": 1.6, "10 MB body": 2.0}
#: With TLS: 1.43 times the CPU are 0.7 times the handshakes per CPU second.
TLS_GOALS = {
    "TLS keep-alive": 1.6,
    "TLS handshake, RSA 2048": 1 / 0.7,
    "TLS handshake, ECDSA P-256": 1 / 0.7,
    "TLS 10 MB body": 1.3,
}


def wrk(port: int, seconds: int, connections: int, path: str = "/", *headers: str, scheme: str = "http") -> int:
    """Run wrk; the number of complete requests."""
    arguments = [part for header in (*HEADERS, *headers) for part in ("-H", header)]
    url = f"{scheme}://127.0.0.1:{port}{path}"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", *arguments, url]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(f"wrk failed: {run.stdout}{run.stderr}")
    output = run.stdout
    found = re.search(r"(\d+) requests in", output)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    errors = re.search(r"Socket errors: (.*)", output)
    if found is None or bad is not None:
        raise SystemExit(f"wrk saw failures:\n{output}")
    if errors is not None:
        print(f"  wrk: {errors[0]}")
    return int(found[1])


def cost(pid: int, port: int, seconds: int, case: str) -> float:
    """CPU seconds of the proxy per request of one case."""
    before = cpu_seconds(pid)
    scheme = "https" if case.startswith("TLS") else "http"
    if "keep-alive" in case:
        count = wrk(port, seconds, 32, scheme=scheme)
    elif "10 MB" in case:
        count = wrk(port, seconds, 4, "/big", scheme=scheme)
    else:
        count = wrk(port, seconds, 32, "/", "Connection: close", scheme=scheme)
    return (cpu_seconds(pid) - before) / count


def raise_file_limit(wanted: int) -> None:
    """Let this process and the proxies it starts have `wanted` descriptors, or end with a clear word."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(hard, wanted), max(hard, wanted)))
    except (OSError, ValueError):
        raise SystemExit(f"{wanted} file descriptors are needed and {hard} allowed: use --idle for fewer") from None


def idle_memory(pid: int, port: int, connections: int) -> float:
    """Bytes a keep-alive client connection costs while it is idle, each having made one request."""
    request = "\r\n".join(["GET / HTTP/1.1", "Host: hapy.test", *HEADERS, "", ""]).encode()
    before = resident(pid)
    clients = []
    for number in range(connections):
        client = socket.socket()
        client.bind((f"127.0.0.{2 + number % 4}", 0))
        client.connect(("127.0.0.1", port))
        client.sendall(request)
        clients.append(client)
        client.recv(4096)
    time.sleep(1)
    after = resident(pid)
    for client in clients:
        client.close()
    return (after - before) / connections


def make_certificates(folder: Path) -> None:
    """`RSA.pem` and `ECDSA.pem`."""
    import trustme

    for kind in (trustme.KeyType.RSA, trustme.KeyType.ECDSA):
        leaf = trustme.CA(key_type=kind).issue_cert("127.0.0.1", key_type=kind)
        leaf.private_key_and_cert_chain_pem.write_to_path(folder / f"{kind.name}.pem")


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cpu", description=__doc__)
    parser.add_argument("--tls", action="store_true", help="clients speak TLS")
    parser.add_argument("--seconds", type=int, default=4, help="length of one measurement (default 4)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, whose median is shown (default 3)")
    parser.add_argument("--idle", type=int, default=10000, help="idle connections for the memory figure, 0 for none")
    options = parser.parse_args()
    need("haproxy", "nginx", "wrk")
    idle = 0 if options.tls else options.idle
    goals = TLS_GOALS if options.tls else GOALS
    raise_file_limit(idle + 3000)
    figures: dict[tuple[str, str], list[float]] = {}
    memory: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name, syslog_sink() as syslog:
        folder = Path(name)
        origin = free_port()
        if options.tls:
            make_certificates(folder)
        with nginx_origin(folder, origin):
            for round_number in range(options.rounds):
                for program in ("haproxy", "hapy"):
                    for ssl, cases in _listeners(folder, goals):
                        port = free_port()
                        config = folder / f"{program}.cfg"
                        config.write_text(
                            CONFIG.format(syslog=syslog, port=port, origin=origin, maxconn=idle + 2000, ssl=ssl)
                        )
                        if round_number == 0 and idle:
                            with running(proxy_command(program, config), port) as process:
                                memory[program] = idle_memory(process.pid, port, idle)
                        with running(proxy_command(program, config), port) as process:
                            wrk(port, 1, 32, scheme="https" if ssl else "http")
                            for case in cases:
                                figure = cost(process.pid, port, options.seconds, case)
                                figures.setdefault((program, case), []).append(figure)
    print(f"\n{'CPU per request':<28}{'haproxy':>12}{'hapy':>12}{'ratio':>8}{'goal':>8}")
    for case, goal in goals.items():
        theirs, ours = (statistics.median(figures[program, case]) * 1e6 for program in ("haproxy", "hapy"))
        print(f"{case:<28}{theirs:>9.1f} us{ours:>9.1f} us{ours / theirs:>8.2f}{goal:>8.2f}")
    if memory:
        theirs, ours = memory["haproxy"] / 1024, memory["hapy"] / 1024
        print(f"{'idle connection':<28}{theirs:>9.1f} KB{ours:>9.1f} KB{ours / theirs:>8.2f}{'<= 6 KB':>8}")


def _listeners(folder: Path, cases: dict[str, float]) -> list[tuple[str, list[str]]]:
    """What follows the bind address, and which cases are measured with it: ECDSA ones apart."""
    if "TLS keep-alive" not in cases:
        return [("", list(cases))]
    return [
        (f" ssl crt {folder}/{kind}.pem", [case for case in cases if ("ECDSA" in case) == (kind == "ECDSA")])
        for kind in ("RSA", "ECDSA")
    ]


if __name__ == "__main__":
    main()

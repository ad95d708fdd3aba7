"""How the program starts, is signalled, reloads and ends: the same stories with the real haproxy and with hapy."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from tests.ports import reserved_port

ROOT = Path(__file__).parents[2]

BOTH = pytest.mark.parametrize("kind", [pytest.param("haproxy", marks=pytest.mark.referee), "hapy"])
HAPY = pytest.mark.parametrize("kind", ["hapy"])
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change identity")

#: How long anything may take, in seconds.
PATIENCE = 20.0


def until(what: Callable[[], object]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@dataclass
class Started:
    """A program under test, with standard output and error in one pipe."""

    process: subprocess.Popen[bytes]
    pipe: int
    text: str = ""
    ended: bool = False

    def _read(self, deadline: float) -> bool:
        if not self.ended and select.select([self.pipe], [], [], max(deadline - time.monotonic(), 0))[0]:
            data = os.read(self.pipe, 65536)
            self.text += data.decode()
            self.ended = not data
            return True
        return False

    def expect(self, text: str, times: int = 1) -> None:
        """Wait until the output holds a text so many times."""
        deadline = time.monotonic() + PATIENCE
        while self.text.count(text) < times:
            assert self._read(deadline), f"no {text!r} in {self.text!r}"
            assert not self.ended or self.text.count(text) >= times, f"no {text!r} in {self.text!r}"

    def wait_for_end_of_output(self) -> str:
        """Wait until nobody holds the pipe any more."""
        deadline = time.monotonic() + PATIENCE
        while not self.ended:
            assert self._read(deadline), f"somebody holds the pipe; so far: {self.text!r}"
        return self.text

    def wait(self) -> int:
        return self.process.wait(PATIENCE)

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)


@dataclass
class Stage:
    """A directory, a port, and programs in them."""

    folder: Path
    kind: str
    port: int
    started: list[Started] = field(default_factory=list)
    daemons: list[int] = field(default_factory=list)

    @property
    def command(self) -> list[str]:
        return ["haproxy"] if self.kind == "haproxy" else [sys.executable, "-m", "hapy"]

    def write(self, extra: str = "", *, bind: str = "", settings: str = "", name: str = "cfg") -> None:
        (self.folder / name).write_text(
            f"""
global
    maxconn 100
    {settings}
defaults
    mode http
    timeout client 30s
    timeout connect 5s
    timeout server 30s
frontend f
    bind {bind or f"127.0.0.1:{self.port}"}
    http-request return status 200 hdr x-pid %pid content-type text/plain string hello
    {extra}
"""
        )

    def start(
        self, *flags: str, pass_fds: tuple[int, ...] = (), stdin: int | None = subprocess.DEVNULL, **env: str
    ) -> Started:
        reader, writer = os.pipe()
        process = subprocess.Popen(
            [*self.command, *flags],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **env},
            stdin=stdin,
            stdout=writer,
            stderr=writer,
            pass_fds=pass_fds,
        )
        os.close(writer)
        started = Started(process, reader)
        self.started.append(started)
        return started

    def daemon(self, *flags: str) -> int:
        """Start a daemon, wait for its parent and give its pid."""
        parent = self.start("-D", "-p", "pid", *flags)
        assert parent.wait() == 0, parent.wait_for_end_of_output()
        pid = int((self.folder / "pid").read_text())
        self.daemons.append(pid)
        return pid

    def connect(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        sock.settimeout(PATIENCE)
        return sock

    def ask(self, sock: socket.socket | None = None) -> str:
        """One request; gives the answer."""
        with contextlib.ExitStack() as stack:
            if sock is None:
                sock = stack.enter_context(self.connect())
            sock.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            answer = b""
            while not answer.endswith(b"hello"):
                data = sock.recv(4096)
                assert data, answer
                answer += data
            return answer.decode()

    def serving(self) -> bool:
        try:
            self.ask()
        except OSError:
            return False
        return True

    def children(self, pid: int) -> list[int]:
        path = Path(f"/proc/{pid}/task/{pid}/children")
        return [int(word) for word in path.read_text().split()] if path.exists() else []


def gone(pid: int) -> bool:
    """Whether a process has ended (a zombie has)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def settled(stage: Stage, pid: int) -> bool:
    """Whether a master takes signals. haproxy's dies of them for a moment after it has forked; hapy's blocks them."""
    if stage.kind == "hapy":
        return True
    caught = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGUSR2 - 1) & 1)


@pytest.fixture
def stage(kind: str, tmp_path: Path) -> Iterator[Stage]:
    if kind == "haproxy" and shutil.which("haproxy") is None:
        pytest.skip("haproxy is not installed (Debian package haproxy)")
    made = Stage(tmp_path, kind, reserved_port())
    made.write()
    yield made
    for started in made.started:
        for child in made.children(started.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        if started.process.poll() is None:
            started.process.kill()
            started.process.wait()
        os.close(started.pipe)
    for pid in made.daemons:
        if not gone(pid):
            for victim in (*made.children(pid), pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)


# in the foreground


@BOTH
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("flag", ["-d", "-db"])
def test_a_hard_stop_ends_by_the_signal(stage: Stage, flag: str, number: int) -> None:
    program = stage.start(flag, "-f", "cfg")
    until(stage.serving)
    with stage.connect() as idle:
        stage.ask(idle)
        program.signal(number)
        assert program.wait() == -number
    program.wait_for_end_of_output()


@BOTH
def test_a_soft_stop_closes_idle_connections_and_lets_requests_finish(stage: Stage) -> None:
    program = stage.start("-db", "-f", "cfg")
    until(stage.serving)
    with stage.connect() as idle, stage.connect() as busy:
        stage.ask(idle)
        busy.sendall(b"GET / HTTP/1.1\r\nhost")
        stage.ask()
        program.signal(signal.SIGUSR1)
        assert idle.recv(100) == b""
        program.expect("Proxy f stopped (cumulated conns: FE: ")
        assert not stage.serving()
        busy.sendall(b": a\r\n\r\n")
        answer = b""
        while data := busy.recv(4096):
            answer += data
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"connection: close\r\n" in answer
    assert program.wait() == 0


@BOTH
def test_idle_connections_may_wait_for_their_last_answer(stage: Stage) -> None:
    stage.write("option idle-close-on-response")
    program = stage.start("-db", "-f", "cfg")
    until(stage.serving)
    with stage.connect() as idle:
        stage.ask(idle)
        program.signal(signal.SIGUSR1)
        program.expect("Proxy f stopped (cumulated conns: FE: ")
        assert "connection: close\r\n" in stage.ask(idle)
        assert idle.recv(100) == b""
    assert program.wait() == 0


@BOTH
def test_clients_may_stay_until_they_leave(stage: Stage) -> None:
    stage.write(settings="close-spread-time infinite")
    program = stage.start("-db", "-f", "cfg")
    until(stage.serving)
    with stage.connect() as idle:
        stage.ask(idle)
        program.signal(signal.SIGUSR1)
        program.expect("Proxy f stopped (cumulated conns: FE: ")
        for _ in range(2):
            assert "connection: close\r\n" not in stage.ask(idle)
    assert program.wait() == 0


@BOTH
def test_the_ends_of_idle_connections_are_spread(stage: Stage) -> None:
    stage.write(settings="close-spread-time 1s")
    program = stage.start("-db", "-f", "cfg")
    until(stage.serving)
    clients = [stage.connect() for _ in range(12)]
    for client in clients:
        stage.ask(client)
    program.signal(signal.SIGUSR1)
    program.expect("Proxy f stopped (cumulated conns: FE: ")
    ended: set[socket.socket] = set()
    steps = 0
    while len(ended) < len(clients):
        found, _, _ = select.select([client for client in clients if client not in ended], [], [], PATIENCE)
        assert all(client.recv(100) == b"" for client in found)
        assert found
        ended.update(found)
        steps += 1
    assert steps > 1
    for client in clients:
        client.close()
    assert program.wait() == 0


def _listening(stage: Stage) -> bool:
    try:
        stage.connect().close()
    except ConnectionRefusedError:
        return False
    return True


@BOTH
@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGHUP])
def test_a_signal_may_come_as_soon_as_it_listens(stage: Stage, number: int) -> None:
    program = stage.start("-db", "-f", "cfg")
    while not _listening(stage):  # without a pause: what listens may not be serving yet
        assert program.process.poll() is None
    program.signal(number)
    if number == signal.SIGHUP:
        program.expect("SIGHUP received, dumping servers states.")
        program.signal(signal.SIGUSR1)
    assert program.wait() == 0


@BOTH
def test_hard_stop_after_ends_a_soft_stop(stage: Stage) -> None:
    stage.write(settings="hard-stop-after 200ms")
    program = stage.start("-db", "-f", "cfg")
    until(stage.serving)
    with stage.connect() as busy:
        busy.sendall(b"GET / HTTP/1.1\r\nhost")
        stage.ask()
        program.signal(signal.SIGUSR1)
        with contextlib.suppress(ConnectionResetError):
            assert busy.recv(100) == b""
    assert program.wait() == 0
    assert "soft-stop running for too long, performing a hard-stop." in program.wait_for_end_of_output()


@BOTH
def test_grace_puts_off_a_soft_stop(stage: Stage) -> None:
    stage.write(settings="grace 300")
    program = stage.start("-db", "-f", "cfg")
    until(stage.serving)
    program.signal(signal.SIGUSR1)
    program.expect("Scheduling a soft-stop in 300 ms.")
    assert stage.serving()
    program.expect("Grace period expired, proceeding with soft-stop now.")
    assert program.wait() == 0


@BOTH
def test_other_signals_do_not_end_it(stage: Stage) -> None:
    program = stage.start("-db", "-f", "cfg")
    until(stage.serving)
    program.signal(signal.SIGHUP)
    program.expect("SIGHUP: Proxy f has no servers. Conn: act(FE+BE): ")
    program.signal(signal.SIGUSR2)
    program.signal(signal.SIGQUIT)
    program.signal(signal.SIGTTOU)
    program.expect("Paused frontend f.")
    program.signal(signal.SIGTTIN)
    program.expect("Resumed frontend f.")
    assert stage.serving()
    assert program.process.poll() is None


@BOTH
def test_the_states_of_servers_are_dumped(stage: Stage) -> None:
    stage.write(
        "listen l\n bind 127.0.0.1:"
        + str(reserved_port())
        + "\n server up 127.0.0.1:1\n server off 127.0.0.1:1 disabled\n"
        " server spare 127.0.0.1:1 backup\n"
    )
    program = stage.start("-db", "-f", "cfg")
    until(stage.serving)
    program.signal(signal.SIGHUP)
    program.expect("Server l/up is UP. Conn: 0 act, 0 pend, 0 tot.")
    program.expect("Server l/off is DOWN. Conn: 0 act, 0 pend, 0 tot.")
    program.expect("Proxy l has 1 active servers and 1 backup servers available. Conn: act(FE+BE): 0+0")


@BOTH
def test_standard_input_is_left_alone(stage: Stage) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"untouched")
    stage.start("-db", "-f", "cfg", stdin=reader)
    until(stage.serving)
    os.close(writer)
    stage.ask()
    assert os.read(reader, 100) == b"untouched"
    os.close(reader)


@BOTH
def test_an_inherited_listening_socket_serves_those_who_wait_in_it(stage: Stage) -> None:
    with socket.socket() as parent:
        parent.bind(("127.0.0.1", 0))
        parent.listen(10)
        stage.port = parent.getsockname()[1]
        stage.write(bind='"fd@${fe1}"')
        with stage.connect() as early:
            stage.start("-d", "-f", "cfg", pass_fds=(parent.fileno(),), fe1=str(parent.fileno()))
            assert stage.ask(early).startswith("HTTP/1.1 200")


@BOTH
def test_a_limit_of_connections_lets_the_next_one_wait(stage: Stage) -> None:
    stage.start("-db", "-n", "1", "-f", "cfg")
    until(stage.serving)
    with stage.connect() as first:
        stage.ask(first)
        with stage.connect() as second:
            second.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            second.settimeout(0.2)
            with pytest.raises(TimeoutError):
                second.recv(100)
            first.close()
            second.settimeout(PATIENCE)
            assert second.recv(100).startswith(b"HTTP/1.1 200")


@BOTH
def test_all_sockets_that_fail_are_named(stage: Stage) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        stage.write(bind=f"127.0.0.1:{port}", extra=f"bind {stage.folder}/no/such/path\n    bind 192.0.2.1:80")
        program = stage.start("-f", "cfg")
        assert program.wait() == 1
    text = program.wait_for_end_of_output()
    for part in (
        f"Binding [cfg:11] for frontend f: cannot bind socket (Address already in use) for [127.0.0.1:{port}]",
        "Binding [cfg:14] for frontend f: cannot bind socket (Cannot assign requested address) for [192.0.2.1:80]",
        f"Binding [cfg:13] for frontend f: cannot bind UNIX socket (No such file or directory) [{stage.folder}/no/such/path]",
        "[haproxy.main()] Some protocols failed to start their listeners! Exiting.",
    ):
        assert part in text


@BOTH
def test_verbose_says_what_it_polls_with(stage: Stage) -> None:
    program = stage.start("-V", "-db", "-f", "cfg")
    program.expect("Available polling systems :\n      epoll : pref=300,  test result OK\n")
    program.expect("Using epoll() as the polling mechanism.\n")


# in the background


@BOTH
def test_a_daemon_listens_and_has_its_pid_file_when_its_parent_returns(stage: Stage) -> None:
    parent = stage.start("-D", "-p", "pid", "-f", "cfg")
    assert parent.wait() == 0
    with stage.connect() as sock:
        pid = int((stage.folder / "pid").read_text())
        stage.daemons.append(pid)
        assert parent.wait_for_end_of_output() == ""
        assert f"x-pid: {pid}\r\n" in stage.ask(sock)
    assert os.getsid(pid) == pid
    os.kill(pid, signal.SIGTERM)
    until(lambda: gone(pid))


@BOTH
@pytest.mark.parametrize("flags", [["-D", "-db"], ["-D", "-d"], ["-D", "-V"]])
def test_the_flag_for_the_background_wins(stage: Stage, flags: list[str]) -> None:
    stage.daemon(*flags, "-f", "cfg")
    assert stage.serving()


@BOTH
def test_the_keyword_for_the_background_does_not(stage: Stage) -> None:
    stage.write(settings="daemon")
    program = stage.start("-db", "-f", "cfg")
    until(stage.serving)
    assert program.process.poll() is None
    program.signal(signal.SIGTERM)
    stage.write(settings=f"daemon\n    pidfile {stage.folder}/other")
    assert stage.start("-f", "cfg").wait() == 0
    stage.daemons.append(int((stage.folder / "other").read_text()))


@BOTH
@pytest.mark.parametrize("flags", [["-p", "no/such/dir"], []])
def test_a_daemon_that_cannot_start_says_so_in_its_parent(stage: Stage, flags: list[str]) -> None:
    if not flags:
        stage.write(bind="192.0.2.1:80")
    program = stage.start("-D", "-f", "cfg", *flags)
    assert program.wait() == 1
    assert "[ALERT]" in program.wait_for_end_of_output()


@BOTH
def test_the_next_daemon_takes_over(stage: Stage) -> None:
    first = stage.daemon("-f", "cfg")
    with stage.connect() as old:
        assert f"x-pid: {first}\r\n" in stage.ask(old)
        old.sendall(b"GET / HTTP/1.1\r\nhost: a")
        stage.ask()
        second = stage.daemon("-f", "cfg", "-sf", str(first))
        until(lambda: f"x-pid: {second}\r\n" in stage.ask())
        assert not gone(first)
        old.sendall(b"\r\n\r\n")
        assert f"x-pid: {first}\r\n" in old.recv(4096).decode()
    until(lambda: gone(first))
    third = stage.daemon("-f", "cfg", "-st", str(second))
    until(lambda: gone(second))
    assert f"x-pid: {third}\r\n" in stage.ask()


@BOTH
def test_an_old_process_gives_up_its_port_to_one_that_cannot_share_it(stage: Stage) -> None:
    first = stage.daemon("-dR", "-f", "cfg")
    second = stage.daemon("-dR", "-f", "cfg", "-sf", str(first))
    until(lambda: gone(first))
    assert f"x-pid: {second}\r\n" in stage.ask()


@BOTH
def test_an_old_process_goes_on_when_the_new_one_fails(stage: Stage) -> None:
    first = stage.daemon("-f", "cfg")
    stage.write(bind=f"127.0.0.1:{stage.port},192.0.2.1:80")
    program = stage.start("-D", "-f", "cfg", "-sf", str(first))
    assert program.wait() == 1
    until(stage.serving)
    assert f"x-pid: {first}\r\n" in stage.ask()


@BOTH
@ROOT_ONLY
def test_privileges_are_dropped(stage: Stage) -> None:
    jail = stage.folder / "jail"
    jail.mkdir()
    stage.write(settings=f"chroot {jail}\n    uid 65534\n    gid 65534")
    pid = stage.daemon("-f", "cfg")
    status = Path(f"/proc/{pid}/status")
    until(lambda: "\nUid:\t65534\t65534\t65534\t65534\n" in status.read_text())  # haproxy's parent ends before
    assert Path(f"/proc/{pid}/root").readlink() == jail
    assert "\nGid:\t65534\t65534\t65534\t65534\n" in status.read_text()
    assert f"x-pid: {pid}\r\n" in stage.ask()
    with stage.connect() as sock:
        sock.sendall(b"nonsense\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 400")


@BOTH
@ROOT_ONLY
@pytest.mark.parametrize("more", ["", "tune.ssl.default-dh-param 2048"])
def test_certificates_are_made_in_a_jail(stage: Stage, more: str) -> None:
    jail = stage.folder / "jail"
    jail.mkdir()
    authority = trustme.CA()
    signer = stage.folder / "signer.pem"
    authority.private_key_pem.write_to_path(signer)
    authority.cert_pem.write_to_path(signer, append=True)
    authority.issue_cert("first.test").private_key_and_cert_chain_pem.write_to_path(stage.folder / "first.pem")
    made = f"ssl crt {stage.folder}/first.pem generate-certificates ca-sign-file {signer}"
    stage.write(
        bind=f"127.0.0.1:{stage.port} {made}", settings=f"chroot {jail}\n    uid 65534\n    gid 65534\n    {more}"
    )
    stage.daemon("-f", "cfg")
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    for name in ("other.test", "third.test"):
        with stage.connect() as sock, trusting.wrap_socket(sock, server_hostname=name) as tls:
            shown = tls.getpeercert()
            assert shown is not None
            assert shown["subjectAltName"] == (("DNS", name),)


@BOTH
@ROOT_ONLY
def test_a_jail_that_does_not_exist_stops_the_start(stage: Stage) -> None:
    stage.write(settings="chroot /no/such/place")
    program = stage.start("-f", "cfg")
    assert program.wait() == 1
    assert "Cannot chroot(/no/such/place)." in program.wait_for_end_of_output()


# master and workers


def master(stage: Stage, *flags: str, **env: str) -> tuple[Started, int]:
    program = stage.start(*flags, "-f", "cfg", "-p", "pid", **env)
    program.expect("Loading success.")
    until(stage.serving)
    assert int((stage.folder / "pid").read_text()) == program.process.pid
    (worker,) = stage.children(program.process.pid)
    until(lambda: settled(stage, program.process.pid))
    return program, worker


@BOTH
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGUSR1, 0)])
def test_a_master_passes_signals_on(stage: Stage, number: int, status: int) -> None:
    program, worker = master(stage, "-W", "-db")
    program.signal(number)
    assert program.wait() == status
    text = program.wait_for_end_of_output()
    assert f"New worker ({worker}) forked" in text
    assert "Exiting Master process..." in text
    assert f"Current worker ({worker}) exited with code " in text
    assert f"All workers exited. Exiting... ({status})" in text
    assert gone(worker)


@BOTH
@pytest.mark.parametrize("number", [signal.SIGUSR2, signal.SIGHUP])
def test_a_reload_replaces_the_worker_and_loses_nobody(stage: Stage, number: int) -> None:
    program, worker = master(stage, "-W")
    with stage.connect() as old:
        old.sendall(b"GET / HTTP/1.1\r\nhost: a")
        stage.ask()
        stage.write("http-after-response set-header x-new yes")
        program.signal(number)
        program.expect("Loading success.", 2)
        until(lambda: "x-new: yes\r\n" in stage.ask())
        assert not gone(worker)
        old.sendall(b"\r\n\r\n")
        assert f"x-pid: {worker}\r\n" in old.recv(4096).decode()
    program.expect(f"Former worker ({worker}) exited with code 0 (Exit)")
    assert len(stage.children(program.process.pid)) == 1
    assert "Reloading HAProxy" in program.text


@BOTH
def test_a_failed_reload_keeps_the_worker(stage: Stage) -> None:
    program, worker = master(stage, "-W")
    stage.write("nonsense")
    program.signal(signal.SIGUSR2)
    program.expect("Loading failure!")
    assert "unknown keyword 'nonsense'" in program.text
    assert f"x-pid: {worker}\r\n" in stage.ask()
    stage.write()
    until(lambda: settled(stage, program.process.pid))
    program.signal(signal.SIGUSR2)
    program.expect("Loading success.", 2)
    until(lambda: gone(worker))
    until(stage.serving)


@HAPY
def test_a_reload_that_cannot_bind_keeps_the_worker_serving(stage: Stage) -> None:
    program, worker = master(stage, "-W")
    stage.write(bind=f"127.0.0.1:{stage.port},192.0.2.1:80")
    program.signal(signal.SIGUSR2)
    program.expect("Loading failure!")
    assert "Cannot assign requested address" in program.text
    assert f"x-pid: {worker}\r\n" in stage.ask()


@HAPY
def test_a_reload_refuses_no_connection(stage: Stage) -> None:
    program, _worker = master(stage, "-W")
    for reloads in range(2, 5):
        program.signal(signal.SIGUSR2)
        while program.text.count("Loading success.") < reloads:
            stage.ask()
            program._read(time.monotonic())
    program.signal(signal.SIGTERM)
    assert program.wait() == 0


@BOTH
def test_a_port_that_is_not_wanted_any_more_is_closed(stage: Stage) -> None:
    program, worker = master(stage, "-W")
    first, second = stage.port, reserved_port()
    stage.port = second
    stage.write()
    program.signal(signal.SIGUSR2)
    program.expect("Loading success.", 2)
    until(stage.serving)
    until(lambda: gone(worker))
    stage.port = first
    with pytest.raises(ConnectionRefusedError):
        stage.connect()


@BOTH
def test_the_end_of_a_worker_ends_the_master(stage: Stage) -> None:
    program, worker = master(stage, "-W")
    os.kill(worker, signal.SIGKILL)
    assert program.wait() == 137
    text = program.wait_for_end_of_output()
    assert f"Current worker ({worker}) exited with code 137 (Killed)" in text
    assert "exit-on-failure: killing every processes with SIGTERM" in text


@BOTH
def test_the_end_of_a_master_ends_its_worker(stage: Stage) -> None:
    program, worker = master(stage, "-W")
    program.signal(signal.SIGKILL)
    program.wait()
    until(lambda: gone(worker))


@BOTH
def test_the_service_manager_is_told(stage: Stage) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(stage.folder / "notify"))
        manager.settimeout(PATIENCE)

        def hear(text: str) -> None:
            while text not in manager.recv(4096).decode():
                pass

        program, _worker = master(stage, "-Ws", NOTIFY_SOCKET=str(stage.folder / "notify"))
        hear(f"READY=1\nMAINPID={program.process.pid}")
        program.signal(signal.SIGUSR2)
        hear("RELOADING=1")
        hear(f"READY=1\nMAINPID={program.process.pid}")
        if stage.kind == "hapy":  # a master of HAProxy's may lose the signal while it starts itself anew
            program.signal(signal.SIGTERM)
            hear("STOPPING=1")


@BOTH
def test_the_service_manager_keeps_the_process_that_it_launched(stage: Stage) -> None:
    stage.write(settings="daemon")
    program, worker = master(stage, "-Ws")
    assert f"x-pid: {worker}\r\n" in stage.ask()
    program.signal(signal.SIGTERM)
    assert program.wait() == 0


@BOTH
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_worker_that_was_told_to_end_is_no_failure(stage: Stage, number: int, status: int) -> None:
    program, worker = master(stage, "-W")
    os.kill(worker, number)
    assert program.wait() == status
    text = program.wait_for_end_of_output()
    assert f"Current worker ({worker}) exited with code {128 + number} (" in text
    assert "exit-on-failure" not in text
    assert f"All workers exited. Exiting... ({status})" in text


@BOTH
def test_a_master_has_its_worker_pause(stage: Stage) -> None:
    program, worker = master(stage, "-W")
    program.signal(signal.SIGTTOU)
    program.expect("Paused frontend f.")
    program.signal(signal.SIGTTIN)
    program.expect("Resumed frontend f.")
    assert f"x-pid: {worker}\r\n" in stage.ask()


@BOTH
def test_a_master_in_the_background(stage: Stage) -> None:
    pid = stage.daemon("-W", "-f", "cfg")
    until(stage.serving)
    (worker,) = stage.children(pid)
    assert f"x-pid: {worker}\r\n" in stage.ask()
    assert "Loading success." not in stage.started[0].wait_for_end_of_output()
    until(lambda: settled(stage, pid))
    os.kill(pid, signal.SIGUSR2)
    until(lambda: gone(worker))
    until(stage.serving)
    os.kill(pid, signal.SIGTERM)
    until(lambda: gone(pid))
    assert not stage.serving()


@HAPY
def test_relative_names_survive_a_reload(stage: Stage) -> None:
    (stage.folder / "sub").mkdir()
    stage.write(name="sub/cfg")
    program = stage.start("-W", "-C", "sub", "-f", "cfg")
    program.expect("Loading success.")
    until(stage.serving)
    program.signal(signal.SIGUSR2)
    program.expect("Loading success.", 2)
    until(stage.serving)


# what hapy does not run


def never_run(stage: Stage) -> str:
    """A global keyword that hapy knows and does not run."""
    (stage.folder / "x.lua").write_text("")
    return f"lua-load {stage.folder}/x.lua"


@HAPY
def test_what_others_would_notice_stops_the_start(stage: Stage) -> None:
    stage.write(settings=never_run(stage))
    program = stage.start("-db", "-f", "cfg")
    assert program.wait() == 1
    text = program.wait_for_end_of_output()
    assert "[ALERT]" in text
    assert "parsing [cfg:4] : 'lua-load' is not run by hapy" in text
    assert "--lenient" in text
    assert stage.start("-c", "-f", "cfg").wait() == 0
    assert stage.start("-c", "--strict", "-f", "cfg").wait() == 1


@HAPY
def test_lenient_runs_the_rest(stage: Stage) -> None:
    stage.write("http-request deny if { internal.htx.data ge 0 }", settings=never_run(stage))
    program = stage.start("--lenient", "-db", "-f", "cfg")
    until(stage.serving)
    program.expect("'lua-load' is not run by hapy")
    assert "internal.htx.data" in program.text
    assert "[WARNING]" in program.text


@HAPY
def test_what_nobody_would_notice_is_only_mentioned(stage: Stage) -> None:
    stage.write(settings="nbthread 4")
    program = stage.start("-db", "-f", "cfg")
    until(stage.serving)
    program.expect("[NOTICE]")
    program.expect("nbthread")
    assert stage.start("--strict", "-db", "-f", "cfg").wait() == 1


@BOTH
def test_a_stats_socket_answers(stage: Stage) -> None:
    path = stage.folder / "stats"
    stage.write(settings=f"stats socket {path} level admin mode 600")
    stage.start("-db", "-f", "cfg")
    until(stage.serving)
    assert path.stat().st_mode & 0o777 == 0o600
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(str(path))
        client.sendall(b"show stat\n")
        assert client.recv(64).startswith(b"# pxname,svname,")


@HAPY
def test_reuse_is_counted_by_reason(stage: Stage) -> None:
    """Only hapy's: a command and a metric."""
    second, path = reserved_port(), stage.folder / "stats"
    stage.write(
        "http-request use-service prometheus-exporter if { path /metrics }\n    default_backend b\n"
        f"backend b\n server s 127.0.0.1:{second}\nfrontend o\n bind 127.0.0.1:{second}\n"
        " http-request return status 200 content-type text/plain string hello",
        settings=f"stats socket {path}",
    )
    config = stage.folder / "cfg"
    config.write_text(config.read_text().replace("    http-request return status 200 hdr", "    #", 1))
    stage.start("-db", "-f", "cfg")
    until(stage.serving)
    with stage.connect() as sock:
        stage.ask(sock)
        stage.ask(sock)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(str(path))
        client.sendall(b"show servers reuse b\n")
        head, row, _end = client.recv(4096).decode().split("\n", 2)
    counts = dict(zip(head.split()[2:], map(int, row.split()[1:]), strict=True))
    assert row.startswith("b/s ")
    assert counts["hit"] >= 1
    assert counts["none"] >= 1
    assert sum(counts.values()) >= 2
    with stage.connect() as sock:
        sock.sendall(b"GET /metrics?scope=server HTTP/1.0\r\n\r\n")
        told = b"".join(iter(lambda: sock.recv(65536), b"")).decode()
    assert f'hapy_server_reuse_total{{proxy="b",server="s",reason="hit"}} {counts["hit"]}\n' in told


@BOTH
def test_debug_shows_what_comes_and_goes(stage: Stage) -> None:
    second = reserved_port()
    stage.write(
        f"backend b\n server s 127.0.0.1:{second}\nfrontend o\n bind 127.0.0.1:{second}\n"
        ' http-request return status 200 content-type text/plain string "hello"'
    )
    path = stage.folder / "cfg"
    path.write_text(
        path.read_text().replace("    http-request return status 200 hdr", "    default_backend b\n    #", 1)
    )
    program = stage.start("-d", "-f", "cfg")
    until(stage.serving)
    with stage.connect() as sock:
        stage.ask(sock)
        stage.ask(sock)
    for line in (
        ":f.clireq[",
        "]: GET / HTTP/1.1\n",
        ":f.clihdr[",
        "]: host: a\n",
        ":b.srvrep[",
        "]: HTTP/1.1 200 OK\n",
    ):
        program.expect(line, 2)
    program.expect(":b.srvhdr[", 2)
    program.expect(":f.accept(", 2)
    program.expect("] ALPN=<none>\n", 2)
    for event in ("clicls", "srvcls", "closed"):
        program.expect(f":b.{event}[", 2)
    if stage.kind == "hapy":
        program.expect("s reuse=none\n")
        program.expect("s reuse=hit\n")

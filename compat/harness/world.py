"""A program under test, and around it the origins, clients and the log receiver of one scenario."""

from __future__ import annotations

import difflib
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from compat.harness.certificates import authority, certificate, server_context
from compat.harness.client import Client
from compat.harness.origin import Origin, Script, answering

#: How each program is launched.
PROGRAMS: dict[str, list[str]] = {
    "haproxy": [shutil.which("haproxy") or "haproxy"],
    "hapy": [sys.executable, "-m", "hapy"],
}

PREAMBLE = """\
global
    nbthread 1
    log {syslog} local0
{global_}
defaults
    mode http
    log global
    timeout client 10s
    timeout server 10s
    timeout connect 5s
{defaults}
"""


class Syslog:
    """A UDP syslog receiver."""

    def __init__(self) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.sock.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.sock.getsockname()[1]}"
        self.lines: list[str] = []
        self.came = threading.Condition()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                data = self.sock.recv(65536)
            except OSError:
                return
            if not data:
                return
            line = data.decode("utf-8", "replace").rstrip("\n")
            with self.came:
                self.lines.append(line)
                self.came.notify_all()

    def traffic(self) -> list[str]:
        """The lines about requests and sessions, without `Proxy x started.` and its kin, masked."""
        return [
            mask_log(line) for line in self.lines if not re.search(r"(Proxy|Server|Stopping|proxy) \S+ |Health", line)
        ]

    def wait(self, count: int, seconds: float = 5.0) -> None:
        """Wait until `count` traffic lines have come; the transcript shows when they have not."""
        deadline = time.monotonic() + seconds
        with self.came:
            while len(self.traffic()) < count and time.monotonic() < deadline:
                self.came.wait(0.05)

    def close(self) -> None:
        """Stop receiving."""
        self.sock.close()


def mask_log(line: str) -> str:
    """A log line with dates, pids, ports and durations taken out; -1 stays, since it says what never happened."""
    line = re.sub(r"^<(\d+)>\w{3} [ \d]\d \d\d:\d\d:\d\d (\S+ )??\S+?\[\d+\]: ", r"<\1> ", line)
    line = re.sub(r"\[\d\d/\w{3}/\d{4}:[\d:.]+( [+-]\d{4})?\]", "[date]", line)
    line = re.sub(r'("" "") \d+ \d+ (".*") \d+ \d+ \d+ \d+ \d+ ', r"\1 port ms \2 t t t t t ", line)  # clf
    line = re.sub(r"(127\.\d+\.\d+\.\d+):\d+", r"\1:port", line)
    return re.sub(r" \+?-?\d+(?:/\+?-?\d+){2,4}(?= \+?\d+ | \+?-1 )", _mask_times, line)


def _mask_times(match: re.Match[str]) -> str:
    return " " + "/".join(
        part if part.startswith("-") else ("+t" if part.startswith("+") else "t")
        for part in match[0].strip().split("/")
    )


class World:
    """Everything a scenario deals with. Make origins, `start` the program with a config, make clients.

    In a config, `{name}` is the address of the origin of that name, or what `places` has for it, `{syslog}` the log receiver's, `{dir}` a folder for
    files; `bind fd@${fe}` listens on a socket that the harness has bound already (any name will do after `fd@`).

    Attributes:
        wrapper: what runs the program instead of the harness itself, with the command line as its last arguments.
    """

    def __init__(self, program: str) -> None:
        self.program = program
        self.origins: dict[str, Origin] = {}
        self.clients: list[Client] = []
        self.listeners: dict[str, socket.socket] = {}
        self.syslog = Syslog()
        self.dir = Path(tempfile.mkdtemp(prefix="hapy-compat-"))
        self.process: subprocess.Popen[bytes] | None = None
        self.notes: list[str] = []
        self.places: dict[str, str] = {}
        self.contexts: dict[object, ssl.SSLContext] = {}
        self.show_logs = False
        self.wrapper: list[str] = []

    def origin(self, name: str, script: Script | bytes | None = None, **options: bool) -> Origin:
        """An origin; without a script it answers with its name."""
        if script is None:
            script = answering(name.encode())
        elif isinstance(script, bytes):
            script = answering(script)
        self.origins[name] = Origin(name, script, **options)
        return self.origins[name]

    def start(self, config: str, *, defaults: str = "", global_: str = "", bare: bool = False) -> None:
        """Launch the program. `config` follows a common global and defaults section unless `bare`."""
        preamble = "" if bare else PREAMBLE.replace("{global_}", global_).replace("{defaults}", defaults)
        values = {name: origin.address for name, origin in self.origins.items()}
        values |= {"syslog": self.syslog.address, "dir": str(self.dir), **self.places}
        text = re.sub(r"(?<!\$)\{(\w+)\}", lambda match: values.get(match[1], match[0]), preamble + config)
        for name in re.findall(r"fd@\$\{(\w+)\}", text):
            if name not in self.listeners:
                self.listeners[name] = socket.create_server(("127.0.0.1", 0), backlog=128)
        path = self.dir / "haproxy.cfg"
        path.write_text(text.rstrip("\n") + "\n")
        environment = dict(os.environ)
        descriptors = []
        for name, sock in self.listeners.items():
            os.set_inheritable(sock.fileno(), True)
            environment[name] = str(sock.fileno())
            descriptors.append(sock.fileno())
        with (self.dir / "output").open("wb") as output:
            self.process = subprocess.Popen(
                [*self.wrapper, *PROGRAMS[self.program], "-db", "-f", str(path)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                pass_fds=descriptors,
            )

    def client(self, listener: str = "fe", *, source: str | None = None) -> Client:
        """A client connected to a listener of the program.

        Raises:
            AssertionError: there is no program any more, and the socket is ours alone.
        """
        if self.process is not None and self.process.poll() == 1:
            raise AssertionError("the program has refused its configuration")
        client = Client(self.listeners[listener].getsockname(), source)
        self.clients.append(client)
        return client

    def once(self, target: str = "/", *headers: str, listener: str = "fe", method: str = "GET") -> str:
        """One request on a connection of its own; the answer's body."""
        client = self.client(listener)
        message = client.get(target, *headers, method=method)
        client.close()
        return message.body.decode("latin-1") if message else ""

    def certificate(self, file: str, *identities: str, **options: str) -> bytes:
        """Put a certificate with its key into the scenario's folder (`{dir}/file`), and the authority's as `ca.pem`."""
        pem = certificate(*identities, **options)
        (self.dir / file).write_bytes(pem)
        authority("ca").cert_pem.write_to_path(self.dir / "ca.pem")
        return pem

    def tls_origin(self, name: str, *identities: str, script: Script | None = None, **options: int) -> Origin:
        """An origin that speaks TLS, with a certificate for these names."""
        context = server_context(self.dir, self.certificate(f"{name}.pem", *identities))
        for key, value in options.items():
            setattr(context, key, value)
        if context.verify_mode:
            context.load_verify_locations(self.dir / "ca.pem")
        self.origins[name] = Origin(name, script or answering(name.encode()), tls=context)
        return self.origins[name]

    def tls_client(
        self,
        server_name: str | None = None,
        *,
        listener: str = "fe",
        alpn: list[str] | None = None,
        crt: str = "",
        session: ssl.SSLSession | None = None,
        **options: object,
    ) -> Client:
        """A client that has shaken hands, or noted why not; options are the context's attributes."""
        key = (tuple(alpn or ()), crt, tuple(options.items()))
        context = self.contexts.get(key)
        if context is None:
            context = self.contexts[key] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            for name, value in options.items():
                if name == "ciphers":
                    context.set_ciphers(str(value))
                else:
                    setattr(context, name, value)
            if alpn:
                context.set_alpn_protocols(alpn)
            if crt:
                context.load_cert_chain(self.dir / crt)
        client = self.client(listener)
        client.shake(context, server_name, session=session)
        return client

    def forget_clients(self) -> None:
        """End all clients and leave them out of the transcript."""
        for client in self.clients:
            client.close()
        self.clients.clear()

    def forget_origins(self) -> None:
        """End all origins and leave them out of the transcript."""
        for origin in self.origins.values():
            origin.stop()
        self.origins.clear()

    def note(self, text: str) -> None:
        """Put a fact of the scenario's own into the transcript."""
        self.notes.append(text)

    def logs(self, count: int) -> None:
        """Have the first `count` traffic lines of the log compared too; wait for them."""
        self.show_logs = True
        self.syslog.wait(count)

    def signal(self, number: int) -> None:
        """Send the program a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def transcript(self) -> list[str]:
        """All that was seen, by actor."""
        shown = []
        for number, client in enumerate(self.clients, 1):
            shown.append(f"client {number}")
            shown.extend("  " + line for line in client.seen)
        for name, origin in self.origins.items():
            shown.append(f"origin {name}")
            shown.extend("  " + line for line in origin.transcript())
        if self.show_logs:
            shown.append("log")
            shown.extend("  " + line for line in self.syslog.traffic())
        if self.notes:
            shown.append("notes")
            shown.extend("  " + line for line in self.notes)
        if self.process is not None and self.process.poll() not in (None, 0, -signal.SIGTERM):
            shown.append(f"the program ended with {self.process.poll()}")
        return shown

    def stop_program(self) -> None:
        """End the program, so that it can be started anew."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def stop(self) -> None:
        """End the program and everything around it."""
        self.stop_program()
        for client in self.clients:
            client.close()
        for origin in self.origins.values():
            origin.stop()
        for sock in self.listeners.values():
            sock.close()
        self.syslog.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def said(self) -> str:
        """What the program printed."""
        path = self.dir / "output"
        return path.read_text(errors="replace") if path.exists() else ""


Scenario = Callable[[World], None]


@contextmanager
def running(program: str) -> Iterator[World]:
    """A world that is taken down whatever happens."""
    world = World(program)
    try:
        yield world
    finally:
        world.stop()


def run(scenario: Scenario, program: str) -> tuple[list[str], str]:
    """One scenario against one program: the transcript, and what the program printed."""
    with running(program) as world:
        try:
            scenario(world)
        except (AssertionError, OSError) as error:
            world.note(f"the scenario broke off: {type(error).__name__}: {error}")
        return world.transcript(), world.said()


#: How often a scenario is run before a difference counts. Both programs have races (which of two closes is seen first, what a
#: packet brings) whose outcome a loaded machine turns over now and then; what hapy does otherwise, it does every time.
ATTEMPTS = 4


def compare(scenario: Scenario, attempts: int = ATTEMPTS) -> None:
    """Run a scenario against both programs; fail with a diff when hapy was never seen to do what haproxy does."""
    theirs: list[list[str]] = []
    ours: list[list[str]] = []
    for _ in range(attempts):
        seen_theirs, said_theirs = run(scenario, "haproxy")
        seen_ours, said_ours = run(scenario, "hapy")
        if "the program ended with 1" in seen_theirs:
            raise AssertionError(f"{scenario.__name__}: haproxy does not run this\n{said_theirs}")
        theirs.append(seen_theirs)
        ours.append(seen_ours)
        if any(seen in theirs for seen in ours):
            return
    diff = "\n".join(difflib.unified_diff(seen_theirs, seen_ours, "haproxy", "hapy", lineterm="", n=6))
    raise AssertionError(
        f"{scenario.__name__}: {scenario.__doc__}\n{diff}\n--- haproxy said\n{said_theirs}\n--- hapy said\n{said_ours}"
    )

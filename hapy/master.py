"""The master of master-worker mode (`-W`; management manual, sections 3 and 4): it watches workers.

Rules:
- The master serves nobody. It holds the listening sockets, so that a reload loses no connection, and waits for signals.
- A reload (SIGUSR2, SIGHUP) replaces the program by itself (`exec`), with the same arguments: a new version of the
  program or of the configuration takes effect. What must survive goes through one environment variable.
- When the new configuration can't be loaded, the old workers stay and so do the sockets.
- Signals are blocked but while they are waited for, also across `exec`: none is lost and none comes at a bad moment.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import dataclass, field
from typing import NoReturn

from hapy import environment
from hapy.observe.startup import Messages
from hapy.processes import notify_systemd, tell

#: Signals that end everything, that reload, and that only workers heed (they pause and resume what listens).
_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
_RELOADING = (signal.SIGUSR2, signal.SIGHUP)
_FOR_WORKERS = (signal.SIGTTOU, signal.SIGTTIN)
_SIGNALS = (*_ENDING, *_RELOADING, *_FOR_WORKERS, signal.SIGCHLD)
_VARIABLE = "HAPY_MASTER_STATE"


@dataclass(slots=True)
class WorkerProcess:
    """One worker: its pid, and how many reloads it has seen. The current one has seen none."""

    pid: int
    reloads: int = 0


@dataclass(slots=True)
class State:
    """What survives a reload.

    Attributes:
        workers: those alive, the current one last.
        sockets: descriptors of the listening sockets by `Opened.key`.
        pipe: both ends of the pipe by which workers see that the master is gone.
        reloading: this process has come about by a reload.
    """

    workers: list[WorkerProcess] = field(default_factory=list)
    sockets: dict[str, int] = field(default_factory=dict)
    pipe: tuple[int, int] | None = None
    reloading: bool = False

    @classmethod
    def inherited(cls) -> State | None:
        """The state that the program before `exec` has left, or None when this is a fresh start."""
        text = os.environ.pop(_VARIABLE, None)
        if text is None:
            return None
        try:
            found = json.loads(text)
            if found["pid"] != os.getpid():
                return None
            workers = [WorkerProcess(pid, reloads) for pid, reloads in found["workers"]]
            return cls(workers, found["sockets"], tuple(found["pipe"]), reloading=True)
        except (ValueError, KeyError, TypeError):
            return None

    def leave(self) -> None:
        """Put the state where the program after `exec` finds it."""
        for number in (*self.sockets.values(), *(self.pipe or ())):
            os.set_inheritable(number, True)
        found = {
            "pid": os.getpid(),
            "workers": [(worker.pid, worker.reloads) for worker in self.workers],
            "sockets": self.sockets,
            "pipe": self.pipe,
        }
        os.environ[_VARIABLE] = json.dumps(found)


def block_signals() -> None:
    """Hold back all signals that the master waits for."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


class Master:
    """The master's loop.

    Attributes:
        state: its workers and what they share.
        notify: tell the service manager (`-Ws`).
        exit_on_failure: the end of the current worker by an error ends everything. SIGTERM and SIGINT are none.
        max_reloads: workers that have seen more reloads are told to end, None for no limit.
        directory: where the program was started, for the program after `exec`.
    """

    def __init__(
        self,
        state: State,
        messages: Messages,
        *,
        notify: bool = False,
        exit_on_failure: bool = True,
        max_reloads: int | None = None,
        directory: str = ".",
    ) -> None:
        self.state = state
        self.messages = messages
        self.notify = notify
        self.exit_on_failure = exit_on_failure
        self.max_reloads = max_reloads
        self.directory = directory
        self.leaving = False
        self.status = 0

    def fork_worker(self) -> int | None:
        """Start a worker. Gives its pid in the master, None in the worker, whose end of the pipe is then ready."""
        block_signals()
        if self.state.pipe is None:
            self.state.pipe = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(self.state.pipe[1])
            return None
        old = [worker.pid for worker in self.state.workers]
        for worker in self.state.workers:
            worker.reloads += 1
        self.messages.notice(f"New worker ({pid}) forked")
        self.state.workers.append(WorkerProcess(pid))
        tell(old, signal.SIGUSR1)
        if self.max_reloads is not None:
            tell([w.pid for w in self.state.workers if w.reloads > self.max_reloads], signal.SIGTERM)
        return pid

    def ready(self) -> None:
        """Tell the service manager that the start or the reload is over."""
        if self.notify:
            notify_systemd(f"READY=1\nMAINPID={os.getpid()}")

    def supervise(self) -> int:
        """Wait for signals until all workers are gone; gives the exit status."""
        block_signals()
        self.ready()
        while self.state.workers:
            self._reap()
            if not self.state.workers:
                break
            number = signal.sigwait(_SIGNALS)
            if number == signal.SIGCHLD:
                continue
            if number in _RELOADING:
                if not self.leaving:
                    self._reload()
            elif number in _FOR_WORKERS:
                self._tell_workers(number)
            else:
                self._leave(number)
        self.messages.warning(f"All workers exited. Exiting... ({self.status})")
        return self.status

    def _leave(self, number: int) -> None:
        self.leaving = True
        if self.notify:
            notify_systemd("STOPPING=1")
        self.messages.warning("Exiting Master process...")
        self._tell_workers(number)

    def _tell_workers(self, number: int) -> None:
        tell([worker.pid for worker in self.state.workers], signal.Signals(number))

    def _reload(self) -> NoReturn:
        self.messages.notice("Reloading HAProxy")
        if self.notify:
            notify_systemd("RELOADING=1")
        environment.restore()
        self.state.leave()
        sys.stdout.flush()
        sys.stderr.flush()
        os.chdir(self.directory)
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - ourselves, with our own arguments

    def _reap(self) -> None:
        while True:
            try:
                pid, wait_status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                # Workers that are no children of ours (the parent of a daemon forked them) can't happen; forget them.
                self.state.workers.clear()
                return
            if pid == 0:
                return
            self._ended(pid, os.waitstatus_to_exitcode(wait_status))

    def _ended(self, pid: int, code: int) -> None:
        worker = next((w for w in self.state.workers if w.pid == pid), None)
        if worker is None:
            return
        self.state.workers.remove(worker)
        status = code if code >= 0 else 128 - code
        word = "Exit" if code >= 0 else (signal.strsignal(-code) or f"signal {-code}")
        current = worker.reloads == 0
        text = f"{'Current' if current else 'Former'} worker ({pid}) exited with code {status} ({word})"
        (self.messages.alert if status and current else self.messages.warning)(text)
        if not current or status in (0, 128 + signal.SIGTERM):
            return
        self.status = status
        if not self.leaving and self.exit_on_failure and status != 128 + signal.SIGINT:
            self.messages.alert("exit-on-failure: killing every processes with SIGTERM")
            self.leaving = True
            tell([w.pid for w in self.state.workers], signal.SIGTERM)

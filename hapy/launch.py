"""From an accepted configuration to a process that serves it.

The order of things is HAProxy's: raise limits, bind, listen, signal predecessors, drop privileges, go into the
background, fork workers, serve. Up to the moment when all sockets listen any failure ends with an `[ALERT]` and
status 1, and whoever waits for a daemon's parent finds the sockets listening and the pid file written.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Final

from hapy import processes
from hapy.master import Master, State
from hapy.net.listeners import Opening, listen_all, open_all
from hapy.observe.startup import Messages
from hapy.options import Options, number
from hapy.processes import PidFile, StartError
from hapy.proxy.runtime import Runtime, build
from hapy.samples.environment import CompileError
from hapy_config.diagnostics import Diagnostic, Severity
from hapy_config.model.config import Config

if TYPE_CHECKING:
    from hapy.proxy.saved import States

#: How often binding is tried while an old process pauses its listeners, and the wait between, in seconds.
_BIND_TRIES = 200
_BIND_WAIT = 0.01


#: Signals that must not end the process between its first listener and its event loop.
_HELD_BACK: Final = (
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGTTIN,
    signal.SIGTTOU,
)


class Launch:
    """One start.

    Attributes:
        state: what an earlier generation of a master has left, None for a fresh start.
        states: what an earlier process has left of its servers' states.
        directory: where the program was started.
    """

    def __init__(
        self,
        config: Config,
        options: Options,
        messages: Messages,
        state: State | None,
        directory: str,
        states: States | None = None,
    ) -> None:
        self.config = config
        self.options = options
        self.messages = messages
        self.state = state
        self.directory = directory
        self.states = states
        settings = config.global_
        self.master = options.master or settings.master_worker
        # A service manager that is told of the start (-Ws) wants to keep the process that it has launched.
        stays = options.foreground or options.debug or options.notify
        self.daemon = options.daemon or (settings.daemon and not stays)
        self.maxconn = 0
        self.null = processes.Null()

    @property
    def reloading(self) -> bool:
        """Whether this is a master's reload."""
        return self.state is not None and self.state.reloading

    def go(self) -> int:
        """Start and serve; gives the exit status.

        Raises:
            StartError: the start has failed before anything was served; it has been said.
        """
        try:
            self._set_limits()
            descriptors = processes.most_descriptors(self.config, self.maxconn)
            runtime = build(self.config, descriptors=descriptors, maxconn=self.maxconn)
            if self.states:
                from hapy.proxy.saved import apply

                apply(self.states, runtime, lambda text: self.messages.warning(f"config : {text}"))
            self._warn_of_equal_cookies(runtime)
            # Whoever sees it listen may signal it: what would end it now waits until the worker or the master heeds it.
            signal.pthread_sigmask(signal.SIG_BLOCK, _HELD_BACK)
            opening = self._open()
            if self.options.debug:
                from hapy.observe.debug import watch

                watch(runtime, opening.sockets)
            pidfile = self._pidfile()
            processes.limit_memory(self.options.megabytes)
            self._tell_predecessors()
            if not self.master:
                processes.drop_privileges(self.config.global_)
        except StartError as error:
            self.messages.alert(str(error))
            raise
        except CompileError as error:
            self.messages.tell([Diagnostic("not-run", Severity.ERROR, error.span, error.message)])
            raise StartError(error.message) from error
        if self.daemon and not self.reloading:
            self._go_background(pidfile)
        elif pidfile is not None:
            pidfile.write([os.getpid()])
        if self.master:
            return self._supervise(runtime, opening)
        return self._serve(runtime, opening, None)

    def _warn_of_equal_cookies(self, runtime: Runtime) -> None:
        for backend in runtime.backends.values():
            model = backend.model
            if model.cookie is None or not model.cookie.dynamic:
                continue
            from hapy.persist.values import CookieValues

            values = CookieValues(backend.servers, dynamic=True, key=model.dynamic_cookie_key)
            for _ in range(values.equal):
                self.messages.warning(
                    "config : We generated two equal cookies for two different servers.\n"
                    f"Please change the secret key for '{model.name}'.\n"
                )

    def _set_limits(self) -> None:
        self.maxconn = processes.effective_maxconn(self.config, self.options.maxconn)
        if self.options.verbose or self.options.debug:
            self._introduce()
        for warning in processes.raise_descriptor_limit(self.config, self.maxconn):
            self.messages.warning(warning)

    def _introduce(self) -> None:
        from hapy import features

        if not (self.options.maxconn or self.config.global_.maxconn):
            self.messages.write(f"Note: setting global.maxconn to {self.maxconn}.\n")
        if self.options.is_verbose:
            self.messages.write(features.pollers() + "\n" + features.filters())
            print("Using epoll() as the polling mechanism.", flush=True)

    def _open(self) -> Opening:
        """Bind and listen, retrying while old processes hold what is wanted."""
        reuse_port = not self.options.no_reuse_port and ("noreuseport",) not in self.config.global_.settings
        proxies = [proxy for proxy in self.config.proxies if proxy.is_frontend and not proxy.disabled]
        if self.config.global_.stats_binds:
            from hapy.runtime_api.control import control_proxy

            proxies += filter(None, [control_proxy(self.config.global_)])
        kept = self.state.sockets if self.state is not None else None
        old = self.options.old_pids
        paused = 0
        for remaining in range(_BIND_TRIES, -1, -1):
            opening = open_all(proxies, maxconn=self.maxconn, reuse_port=reuse_port, kept=kept)
            if not old or not opening.may_pass or remaining == 0:
                break
            opening.close()
            if not paused:
                paused = processes.tell(old, signal.SIGTTOU)
            if not paused:
                old = []
            time.sleep(_BIND_WAIT)
        if not opening.failed:
            listen_all(opening, self.config.global_)
        for problem in opening.problems:
            (self.messages.alert if problem.fatal else self.messages.warning)(problem.message)
        if opening.failed:
            opening.close()
            if paused:
                processes.tell(old, signal.SIGTTIN)
            raise StartError("[haproxy.main()] Some protocols failed to start their listeners! Exiting.")
        return opening

    def _pidfile(self) -> PidFile | None:
        path = self.options.pidfile or self.config.global_.pidfile
        if not path or self.reloading or not (self.daemon or self.master):
            return None
        return PidFile(path)

    def _tell_predecessors(self) -> None:
        if not self.reloading:
            processes.tell(self.options.old_pids, signal.SIGTERM if self.options.terminate else signal.SIGUSR1)

    def _go_background(self, pidfile: PidFile | None) -> None:
        """Go on in a child; the parent writes the pid file and leaves."""
        sys.stdout.flush()
        child = processes.into_background()
        if child:
            if pidfile is not None:
                pidfile.write([child])
            os._exit(0)
        if pidfile is not None:
            pidfile.close()
        if not self.master:
            self.null.release_terminal()

    def _supervise(self, runtime: Runtime, opening: Opening) -> int:
        """Fork a worker and watch it."""
        state = self.state or State()
        settings = self.config.global_.settings
        master = Master(
            state,
            self.messages,
            notify=self.options.notify,
            exit_on_failure=("master-worker", "no-exit-on-failure") not in settings,
            max_reloads=next((number(words[1]) for words in settings if words[:-1] == ("mworker-max-reloads",)), None),
            directory=self.directory,
        )
        if master.fork_worker() is None:
            return self._work(runtime, opening, master)
        state.sockets = _keep(state.sockets, opening)
        if self.daemon and not self.reloading:
            self.null.release_terminal()
        self.messages.notice("Loading success.")
        return master.supervise()

    def _work(self, runtime: Runtime, opening: Opening, master: Master) -> int:
        """The worker's side of the fork."""
        for descriptor in master.state.sockets.values():
            os.close(descriptor)
        if self.daemon:
            self.null.release_terminal()
        try:
            processes.drop_privileges(self.config.global_)
        except StartError as error:
            self.messages.alert(str(error))
            return 1
        return self._serve(runtime, opening, master.state.pipe[0] if master.state.pipe else None)

    def _serve(self, runtime: Runtime, opening: Opening, master: int | None) -> int:
        from hapy.worker import Job, run

        return run(Job(self.config, runtime, opening.sockets, self.maxconn, self.messages, master))


def _keep(old: dict[str, int], opening: Opening) -> dict[str, int]:
    """The sockets that the next generation may use; those that this one no longer has are closed."""
    kept = {opened.key: os.dup(opened.sock.fileno()) for opened in opening.sockets if opened.key}
    for opened in opening.sockets:
        opened.sock.close()
    for descriptor in old.values():
        os.close(descriptor)
    return kept

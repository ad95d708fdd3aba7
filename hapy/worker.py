"""The process that serves: the event loop, its listeners, its signals, and how it ends.

Rules:
- Everything that can fail has been tried before: sockets are bound and the runtime is built when `run` is called.
- SIGUSR1 stops softly: listeners close, what is under way ends in its own time (or at `hard-stop-after`).
  SIGTERM and SIGINT end at once, by that very signal, as HAProxy ends.
- SIGTTOU and SIGTTIN pause and resume listening, for a successor that can't bind otherwise.
"""

from __future__ import annotations

import contextlib
import gc
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from hapy import allocator
from hapy.net.accepting import Gate, Listener, RateGate, TlsGate
from hapy.net.listeners import Opened
from hapy.observe.startup import Messages
from hapy.options import number
from hapy.processes import die_by
from hapy.proxy.events import named
from hapy.proxy.runtime import Runtime
from hapy_config.model.config import Config
from hapy_config.model.proxy import Proxy

if TYPE_CHECKING:
    from hapy.runtime_api.control import Control

_SIGNALS = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGTTOU,
    signal.SIGTTIN,
)

#: How long connections get after `hard-stop-after` to take notice, in seconds.
_LAST_SECOND = 1.0
#: How often those that have got a server meanwhile are looked for, in seconds.
_SWEEP = 0.02


@dataclass(slots=True)
class Job:
    """What a worker is given.

    Attributes:
        config: the configuration.
        runtime: what was built from it.
        sockets: the listening sockets.
        maxconn: the process's limit of connections.
        messages: where to say things.
        master: a descriptor that reaches its end when the master is gone, or None without one.
    """

    config: Config
    runtime: Runtime
    sockets: Sequence[Opened]
    maxconn: int
    messages: Messages
    master: int | None = None


def run(job: Job) -> int:
    """Serve until told to stop; gives the exit status. Ends by the signal itself on SIGTERM and SIGINT."""
    job.messages.serving()
    allocator.tune()
    worker = Worker(job)
    try:
        anyio.run(worker.main, backend="asyncio", backend_options={"use_uvloop": True})
    except ImportError:  # no uvloop on this platform
        anyio.run(worker.main, backend="asyncio")
    if worker.ended_by is not None:
        die_by(worker.ended_by)
    return worker.status


class Worker:
    """One worker's life."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.messages = job.messages
        self.everything = Gate(job.maxconn)
        self.listeners: list[tuple[Proxy, Listener]] = []
        self.control: Control | None = None
        self.stopping = False
        self.ended_by: int | None = None
        self.status = 0

    async def main(self) -> None:
        """Start, then do what the signals say."""
        async with anyio.create_task_group() as group:
            with anyio.open_signal_receiver(*_SIGNALS) as signals:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, [*_SIGNALS, signal.SIGCHLD])
                await self._start(group)
                async for number in signals:
                    await self._on_signal(number, group)
                    if self.ended_by is not None:
                        break
            group.cancel_scope.cancel()

    async def _start(self, group: TaskGroup) -> None:
        self.job.runtime.events.messages = self.messages
        if self.job.runtime.shows_statistics:
            self.job.runtime.control = self._control(group)
        await self.job.runtime.start(group)
        rates = {proxy.name: RateGate(proxy.rate_limit_sessions) for proxy in self.job.config.proxies}
        gates = {name: frontend.gate for name, frontend in self.job.runtime.frontends.items()}
        words = {words[0]: words[1] for words in self.job.config.global_.settings if len(words) > 1}
        together = [RateGate(number(words[name])) for name in ("maxconnrate", "maxsessrate") if name in words]
        over_tls = (TlsGate(number(words.get("maxsslconn", "0"))), RateGate(number(words.get("maxsslrate", "0"))))
        for opened in self.job.sockets:
            if opened.proxy.mode == "cli":
                await self._take_commands(opened, group)
                continue
            name = opened.proxy.name
            limits = (Gate(opened.bind.maxconn), gates[name], self.everything, rates[name], *together)
            if opened.bind.tls is not None:
                limits += over_tls
            fixed = not self.job.config.global_.stats_binds  # else commands may set limits where there were none
            applying = tuple(
                gate for gate in limits if gate.limit or gate is self.everything or (gate is gates[name] and not fixed)
            )
            serve = self.job.runtime.frontends[name].protocol(opened.bind)
            listener = Listener(opened.sock, serve, applying, backlog=opened.backlog, shared=not opened.key)
            self.listeners.append((opened.proxy, listener))
            await listener.start()
        if self.job.master is not None:
            group.start_soon(self._watch_master, self.job.master)
        # What was made so far lives as long as the process: the collector need never look at it.
        gc.freeze()
        gc.enable()

    async def _take_commands(self, opened: Opened, group: TaskGroup) -> None:
        """Serve a stats socket."""
        await self._control(group).open(opened)

    def _control(self, group: TaskGroup) -> Control:
        """The process as commands see it."""
        if self.control is None:
            from hapy.runtime_api.control import Control

            self.control = Control(self.job, self.everything, self.listeners, group)
        return self.control

    async def _on_signal(self, number: int, group: TaskGroup) -> None:
        match number:
            case signal.SIGTERM | signal.SIGINT:
                die_by(number)
            case signal.SIGUSR1:
                if not self.stopping:
                    self.stopping = True
                    group.start_soon(self._stop_softly, group)
            case signal.SIGTTOU:
                for _proxy, listener in self.listeners:
                    listener.pause()
                self._say_of_frontends("Paused")
            case signal.SIGTTIN:
                await self._resume()
            case signal.SIGHUP:
                self._dump_states()
            case signal.SIGQUIT:
                freed = gc.collect()
                self.messages.write(f"SIGQUIT received, {freed} unreachable objects freed.\n")

    async def _resume(self) -> None:
        for proxy, listener in self.listeners:
            try:
                await listener.resume()
            except OSError as error:
                self.messages.warning(f"Failed to resume {named(proxy)}: {error.strerror}.")
        self._say_of_frontends("Resumed")

    def _say_of_frontends(self, what: str) -> None:
        for proxy in self._serving():
            self.job.runtime.events.turned(proxy, what)

    def _serving(self) -> list[Proxy]:
        """The proxies with listeners, each once."""
        return list({id(proxy): proxy for proxy, _listener in self.listeners}.values())

    async def _stop_softly(self, group: TaskGroup) -> None:
        settings = self.job.config.global_
        if settings.grace:
            self.messages.notice(f"Scheduling a soft-stop in {settings.grace} ms.")
            await anyio.sleep(settings.grace / 1000)
            self.messages.notice("Grace period expired, proceeding with soft-stop now.")
        events = self.job.runtime.events
        for _proxy, listener in self.listeners:
            listener.close()
        if self.control is not None:
            self.control.close()
        self.job.runtime.stop()
        if settings.close_spread_time > 0:
            group.start_soon(self.job.runtime.part, settings.close_spread_time / 1000)
        serving = self._serving()
        closed = self.control.closed if self.control is not None else frozenset()
        for proxy in serving + [proxy for proxy in self.job.config.proxies if proxy not in serving]:
            if not proxy.disabled and not (proxy.is_frontend and proxy.name in closed):
                front, back = self._connections(proxy)
                events.section(proxy, f"Proxy {proxy.name} stopped (cumulated conns: FE: {front}, BE: {back}).")
        limit = settings.hard_stop_after
        with anyio.move_on_after(None if limit is None else limit / 1000):
            await self._idle()
        if self.everything.count > 0:
            await self._stop_hard()
        group.cancel_scope.cancel()

    async def _idle(self) -> None:
        if self.everything.count > 0:
            ended = anyio.Event()
            self.everything.emptied = ended.set
            await ended.wait()

    async def _stop_hard(self) -> None:
        events = self.job.runtime.events
        events.process("soft-stop running for too long, performing a hard-stop.")
        for proxy in self._serving():
            remaining = self.job.runtime.frontends[proxy.name].counters.scur
            if remaining:
                events.section(proxy, f"Proxy {proxy.name} hard-stopped ({remaining} remaining conns will be closed).")
        with anyio.move_on_after(_LAST_SECOND):
            async with anyio.create_task_group() as group:
                group.start_soon(self._end_sessions)
                await self._idle()
                group.cancel_scope.cancel()
        if self.everything.count > 0:
            events.process("Some tasks resisted to hard-stop, exiting now.")

    async def _end_sessions(self) -> None:
        """End the sessions that servers have, and those that get one when others end; who has none stays to the end."""
        while True:
            self.job.runtime.end_sessions()
            await anyio.sleep(_SWEEP)

    def _connections(self, proxy: Proxy) -> tuple[int, int]:
        """Client connections and sessions that the proxy has had."""
        frontend = self.job.runtime.frontends.get(proxy.name)
        backend = self.job.runtime.backends.get(proxy.name)
        return (
            frontend.counters.conn_tot if frontend is not None and proxy.is_frontend else 0,
            backend.counters.stot if backend is not None and proxy.is_backend else 0,
        )

    def _dump_states(self) -> None:
        """SIGHUP: the state of every server and every proxy."""
        log = self.job.runtime.events.log
        self.messages.warning("SIGHUP received, dumping servers states.")
        for proxy in self.job.config.proxies:
            log(proxy, "notice", f"SIGHUP received, dumping servers states for proxy {proxy.name}.")
            front = self.job.runtime.frontends.get(proxy.name) if proxy.is_frontend else None
            back = self.job.runtime.backends.get(proxy.name) if proxy.is_backend else None
            active = spare = 0
            for server in back.servers if back is not None else ():
                up = server.up and not server.maintenance
                active += up and not server.model.backup
                spare += up and server.model.backup
                text = (
                    f"SIGHUP: Server {proxy.name}/{server.model.name} is {'UP' if up else 'DOWN'}. "
                    f"Conn: {server.current} act, {server.queued} pend, {server.counters.stot} tot."
                )
                self.messages.warning(text)
                log(proxy, "notice", text)
            if back is None or not back.servers:
                state = "has no servers."
            elif active or spare:
                state = f"has {active} active servers and {spare} backup servers available."
            else:
                state = "has no server available !"
            now_front, now_back = (front.counters.scur if front else 0, back.counters.scur if back else 0)
            pending = back.counters.qcur if back is not None else 0
            total_front, total_back = self._connections(proxy)
            text = (
                f"SIGHUP: Proxy {proxy.name} {state} Conn: act(FE+BE): {now_front}+{now_back}, "
                f"{pending} pend ({pending} unass), tot(FE+BE): {total_front}+{total_back}."
            )
            self.messages.warning(text)
            log(proxy, "notice", text)

    async def _watch_master(self, descriptor: int) -> None:
        """End when the master has: nobody would be left to stop this worker."""
        with contextlib.suppress(OSError):
            await anyio.wait_readable(descriptor)
        die_by(signal.SIGTERM)

"""What the commands of one process act upon, and the stats sockets on which they are typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from hapy.net.accepting import Gate, Listener
from hapy.net.clock import NEVER, now
from hapy.runtime_api.pace import Pace
from hapy.runtime_api.registry import Level
from hapy.runtime_api.session import Session
from hapy_config.model.proxy import Proxy

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from hapy.net.listeners import Opened
    from hapy.net.stream import Receiver
    from hapy.proxy.frontend import Frontend
    from hapy.worker import Job
    from hapy_config.model.config import Global
    from hapy_config.model.server import Bind

#: The mode of the proxy that stands for the stats sockets.
MODE: Final = "cli"


def control_proxy(settings: Global) -> Proxy | None:
    """The proxy that stands for the stats sockets, as HAProxy has one of that name; None without any."""
    if not settings.stats_binds:
        return None
    return Proxy(name="GLOBAL", kind="frontend", number=1, mode=MODE, binds=settings.stats_binds)


class Control:
    """The process as commands see it.

    Attributes:
        job: what the process was given. everything: the gate that all clients pass.
        listeners: those of frontends, with their sections. doors: those of stats sockets.
        sessions: how many sessions of this kind there have been. open_sessions: how many there are.
        started: when the process began to serve. pace: how busy it is.
    """

    def __init__(
        self, job: Job, everything: Gate, listeners: Sequence[tuple[Proxy, Listener]], group: TaskGroup
    ) -> None:
        self.job = job
        self.everything = everything
        self.listeners = listeners
        self.doors: list[tuple[Bind, Listener]] = []
        self.sessions = 0
        self.open_sessions = 0
        self.started = now()
        self.pace = Pace()
        self._group = group
        self._paused: set[str] = set()
        self._closed: set[str] = set()
        settings = job.config.global_
        self._gate = Gate(settings.stats_maxconn)
        self._timeout = settings.stats_timeout / 1000 if settings.stats_timeout else NEVER

    # the stats sockets

    async def open(self, opened: Opened) -> None:
        """Take commands on a socket."""
        bind = opened.bind
        level = Level[(bind.options.get("level") or ("operator",))[0].upper()]
        severity = (bind.options.get("severity-output") or ("none",))[0]

        def serve(release: Callable[[], None]) -> Receiver:
            self.sessions += 1
            self.open_sessions += 1
            self.job.runtime.process.requests += 1
            return Session(self, release, level, timeout=self._timeout, severity=severity)

        listener = Listener(opened.sock, serve, (self._gate,), backlog=opened.backlog, shared=not opened.key)
        self.doors.append((bind, listener))
        await listener.start()

    def close(self) -> None:
        """Take no further sessions; those that stand go on."""
        for _bind, listener in self.doors:
            listener.close()

    def sockets(self) -> list[tuple[str, str]]:
        """The stats sockets as they were written, and their levels."""
        found = []
        written = self.job.config.global_.stats_binds
        for bind, _listener in sorted(self.doors, key=lambda door: written.index(door[0])):
            address = bind.address
            level = (bind.options.get("level") or ("operator",))[0]
            if address.family in ("unix", "abns"):
                found.append((f"unix@{address.host}", level))
            elif address.family in ("ipv4", "ipv6"):
                found.append((f"{address.family}@{address.host}:{address.port}", level))
            else:
                found.append((f"{address.family}@{address.host}", level))
        return found

    # frontends

    @property
    def closed(self) -> frozenset[str]:
        """The names of those that `shutdown frontend` has closed."""
        return frozenset(self._closed)

    def is_paused(self, proxy: Proxy) -> bool:
        """Whether `disable frontend` holds."""
        return proxy.name in self._paused

    def is_closed(self, proxy: Proxy) -> bool:
        """Whether it has given its addresses up."""
        return proxy.name in self._closed or self.job.runtime.process.stopping

    def _of(self, proxy: Proxy) -> list[Listener]:
        return [listener for owner, listener in self.listeners if owner.name == proxy.name]

    def pause(self, proxy: Proxy) -> None:
        """Take no connections until `resume`."""
        self._paused.add(proxy.name)
        for listener in self._of(proxy):
            listener.pause()
        self.job.runtime.events.turned(proxy, "Paused")

    def resume(self, proxy: Proxy) -> None:
        """Undo `pause`."""
        self._paused.discard(proxy.name)
        for listener in self._of(proxy):
            self._group.start_soon(self._resume, proxy, listener)
        self.job.runtime.events.turned(proxy, "Resumed")

    async def _resume(self, proxy: Proxy, listener: Listener) -> None:
        try:
            await listener.resume()
        except OSError as error:
            self._paused.add(proxy.name)
            self.job.messages.warning(f"Failed to resume frontend {proxy.name}: {error.strerror}.")

    def shut(self, proxy: Proxy) -> None:
        """Give its addresses up for good; what is under way ends in its own time."""
        self._closed.add(proxy.name)
        self._paused.discard(proxy.name)
        for listener in self._of(proxy):
            listener.close()
        frontend = self.job.runtime.frontends[proxy.name]
        frontend.stop()
        self.job.runtime.events.section(
            proxy, f"Proxy {proxy.name} stopped (cumulated conns: FE: {frontend.counters.conn_tot}, BE: 0)."
        )

    @staticmethod
    def limit(frontend: Frontend, number: int) -> None:
        """How many clients a frontend takes at once; with 0 all wait."""
        frontend.gate.limit = number or -1
        frontend.gate.admit()

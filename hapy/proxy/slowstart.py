"""`slowstart`: a server that comes back gets its share of the traffic little by little (configuration manual, 5.2).

The weight grows in sixteenths, looked at every second or twenty times in all, whichever is rarer, by whole seconds, of
which `slowstart` has the next higher number; `maxconn` grows with each look at it (`Server.limit`). The end is told as
the server's coming up was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.net.clock import NEVER, Watched, now, watch
from hapy.proxy.state import State

if TYPE_CHECKING:
    from hapy.proxy.server import Server

_STEPS = 16


class Ramp:
    """One server's way up.

    Attributes:
        deadline, looked_at, slot: see `hapy.net.clock.Watched`.
    """

    __slots__ = ("deadline", "looked_at", "server", "slot", "step")

    def __init__(self, server: Server) -> None:
        self.server = server
        self.step = max(1.0, server.model.slowstart / 20_000)
        self.deadline = NEVER
        self.looked_at = NEVER
        self.slot: set[Watched] | None = None

    def begin(self) -> None:
        """Wait for the next step."""
        self.deadline = now() + self.step
        watch(self)

    def on_deadline(self) -> None:
        """Time for the next step, unless the server has gone down since; being drained begins the ramp anew."""
        server = self.server
        if server.warming is not self or server.state is not State.STARTING:
            return
        server.set_ramp(_sixteenths(server))
        if server.ramp < _STEPS:
            self.begin()


def _sixteenths(server: Server) -> int:
    passed = int(now() - server.last_change)
    slowstart = -(-server.model.slowstart // 1000)
    if passed >= slowstart:
        return _STEPS
    return max(1, (_STEPS * passed + slowstart) // slowstart)


def begin(server: Server) -> None:
    """Send a server on its way, at the first of the sixteenths."""
    server.ramp = 1
    server.warming = ramp = Ramp(server)
    ramp.begin()

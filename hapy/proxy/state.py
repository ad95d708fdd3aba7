"""What a server's state is made of, and how changes of it are told (configuration manual, 8.6; management manual, 9.3).

Two things decide together: what checks found (`State`) and what somebody wants (`Admin`). A server that tracks another
takes both over from it.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hapy.proxy.backend import Backend
    from hapy.proxy.server import Server


class State(IntEnum):
    """What checks found; the numbers are those of `show servers state`.

    STARTING is RUNNING while `slowstart` lasts. STOPPING takes no new traffic but what is bound to the server.
    """

    STOPPED = 0
    STARTING = 1
    RUNNING = 2
    STOPPING = 3


class Admin(IntFlag):
    """What somebody wants; the numbers are those of `show servers state`.

    FMAINT, FDRAIN: the operator (or an agent). IMAINT, IDRAIN: taken over from the tracked server. CMAINT: the file
    says `disabled` (for information only, FMAINT goes with it). RMAINT: DNS has no address. HMAINT: it lost its name.
    """

    NONE = 0x00
    FMAINT = 0x01
    IMAINT = 0x02
    CMAINT = 0x04
    FDRAIN = 0x08
    IDRAIN = 0x10
    RMAINT = 0x20
    HMAINT = 0x40


#: Each of these keeps all traffic away, and stops checks.
MAINTENANCE = Admin.FMAINT | Admin.IMAINT | Admin.RMAINT | Admin.HMAINT
#: Each of these keeps new traffic away.
DRAIN = Admin.FDRAIN | Admin.IDRAIN

_LEAVING = {
    Admin.FMAINT: "leaving forced maintenance",
    Admin.RMAINT: "resolves again",
    Admin.HMAINT: "resolves again",
}


class Audience(Protocol):
    """Who is told of changes, as `hapy.proxy.events.Events` is.

    Attributes:
        node: this machine's name.
    """

    node: str

    def server(self, server: Server, level: str, text: str) -> None:
        """A server changed."""

    def exhausted(self, backend: Backend) -> None:
        """A backend has no server left."""

    def shut_sessions(self, server: Server, code: str) -> None:
        """End the sessions of a server; their log says so with this letter."""


def title(server: Server) -> str:
    """How lines begin: `Server b/s`."""
    kind = "Backup Server" if server.model.backup else "Server"
    return f"{kind} {server.backend.model.name}/{server.model.name}"


def _via(server: Server, *, inherited: bool = True) -> str:
    tracked = server.tracked
    if tracked is None or not inherited:
        return ""
    return f" via {tracked.backend.model.name}/{tracked.model.name}"


def _name(server: Server, flag: Admin) -> str:
    """The host name of a server that has an address again."""
    return f" ('{server.fqdn}')" if flag & (Admin.RMAINT | Admin.HMAINT) else ""


def counts(server: Server, *, left: bool, requeued: int) -> str:
    """How the lines about a server's change end."""
    active, spare = server.backend.available()
    text = f"{active} active and {spare} backup servers {'left' if left else 'online'}."
    if not active and spare:
        text += " Running on backup."
    if left:
        queued = len(server.queue)
        return f"{text} {server.sessions} sessions active, {requeued} requeued, {queued} remaining in queue."
    return f"{text} {requeued} sessions requeued, {len(server.queue)} total in queue."


def entered_maintenance(server: Server, cause: str, requeued: int, *, inherited: bool, was_down: bool) -> str:
    """The line of a server that enters maintenance."""
    via = _via(server, inherited=inherited)
    if was_down:
        return f"{title(server)} was DOWN and now enters maintenance{via}{cause}."
    ending = counts(server, left=True, requeued=requeued)
    return f"{title(server)} is going DOWN for maintenance{via}{cause}. {ending}"


def left_maintenance(server: Server, flag: Admin) -> str:
    """The line of a server that leaves maintenance."""
    state = "DOWN" if server.state is State.STOPPED else "UP"
    mode = "DRAIN" if server.drain else "READY"
    return f"{title(server)}{_name(server, flag)} is {state}/{mode} ({_LEAVING.get(flag, 'leaving maintenance')})."


def remains_in_maintenance(server: Server, flag: Admin) -> str:
    """The line of a server that somebody else keeps in maintenance."""
    if flag & Admin.IMAINT:
        return f"{title(server)} remains in forced maintenance."
    tracked = _via(server) if server.admin & Admin.IMAINT else ""
    what = "is leaving forced maintenance" if flag & Admin.FMAINT else "resolves again"
    return f"{title(server)}{_name(server, flag)} {what} but remains in maintenance{tracked}."


def drain_changed(server: Server, flag: Admin, cause: str, requeued: int, *, entered: bool) -> str:
    """The line of a server that enters or leaves the drain state."""
    via = _via(server, inherited=bool(flag & Admin.IDRAIN))
    if entered:
        ending = counts(server, left=server.state is State.STOPPED, requeued=requeued)
        return f"{title(server)} enters drain state{via}{cause}. {ending}"
    if server.drain:
        return remains_in_drain(server, left=True)
    state = "DOWN" if server.state is State.STOPPED else "UP"
    return f"{title(server)} is {state} (leaving forced drain)."


def remains_in_drain(server: Server, *, left: bool = False) -> str:
    """The line of a server that stays in the drain state while something else changes."""
    if left or server.admin & Admin.IDRAIN:
        return (
            f"{title(server)} is leaving forced drain but remains in drain mode"
            f"{_via(server, inherited=bool(server.admin & Admin.IDRAIN))}."
        )
    return f"{title(server)} remains in forced drain mode."


def operational(server: Server, cause: str, requeued: int) -> str:
    """The line of a server that went up, down, or is stopping."""
    word = {State.STOPPED: "DOWN", State.STOPPING: "stopping"}.get(server.state, "UP")
    ending = counts(server, left=server.state is State.STOPPED, requeued=requeued)
    return f"{title(server)} is {word}{cause or _via(server)}. {ending}"

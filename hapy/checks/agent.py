"""`agent-check`: a line of words from an agent, and what it does to the server (configuration manual, 5.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hapy.checks.plan import Run, StepPlan
from hapy.checks.result import Ended, Status, decoded
from hapy.checks.target import places
from hapy.proxy.limits import change_maxconn
from hapy.proxy.state import Admin
from hapy.proxy.weights import change_weight
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.checks.check import Check
    from hapy.proxy.server import Server

_INCOMPLETE: Final = "Ignoring incomplete line from agent"
_END: Final = re.compile(rb"[\r\n]")
_BLANKS: Final = b" \t,"
_BIGGEST: Final = 16384


@dataclass(frozen=True, slots=True)
class Advice:
    """What an agent's line says.

    Attributes:
        state: `up`, `down`, `stopped` or `fail` as written, empty where it says nothing of the kind.
        text: what follows a sharp. mode: `ready`, `drain`, `maint` or empty.
        weight: a percentage as written (`75%`), or empty. maxconn: a number as written, None without one.
        unknown: the first word that means nothing, or empty.
    """

    state: str = ""
    text: str = ""
    mode: str = ""
    weight: str = ""
    maxconn: str | None = None
    unknown: str = ""


def read_advice(line: bytes) -> Advice:
    """Take an agent's line apart; words count whatever their case, the last of each kind."""
    found: dict[str, str] = {}
    rest = line
    while rest := rest.lstrip(_BLANKS):
        if rest[:1] == b"#":
            found["text"] = decoded(rest[1:].lstrip(b" \t"))
            break
        size = next((index for index, byte in enumerate(rest) if byte in _BLANKS), len(rest))
        word, rest = decoded(rest[:size]), rest[size:]
        kind = _kind(word)
        if kind == "unknown":
            found.setdefault(kind, word)
        else:
            found[kind] = word[len("maxconn:") :] if kind == "maxconn" else word
    if "mode" in found:
        found["mode"] = found["mode"].lower()
    return Advice(**found)


def _kind(word: str) -> str:
    folded = word.lower()
    if folded in ("up", "down", "stopped", "fail"):
        return "state"
    if folded in ("ready", "drain", "maint"):
        return "mode"
    if folded.startswith("maxconn:"):
        return "maxconn"
    return "weight" if word[:1].isdigit() and "%" in word else "unknown"


class Agent(StepPlan):
    """An agent's check."""

    __slots__ = ("_send",)

    def __init__(self, send: str) -> None:
        super().__init__((), places)
        self._send = to_bytes(send)

    async def run(self, check: Check) -> None:
        """Ask the agent, and do what it says."""
        check.process.checks += 1
        check.process.requests += 1
        run = Run(check, self)
        await run.connect(self.targets(run))
        if self._send:
            run.send(self._send)
        probe = run.probe
        while True:
            end = _END.search(probe.received)
            if end is not None:
                line = bytes(probe.received[: end.start()])
                break
            if probe.eof or len(probe.received) > _BIGGEST:
                if not probe.received:
                    raise Ended(Status.L7RSP, "TCPCHK got an empty response at step 2")
                if check.status is Status.INI:
                    raise Ended(Status.L7TOUT)
                raise Ended(check.status, _INCOMPLETE, check.code)
            await run.more()
        check.drop()
        raise follow(check.server, read_advice(line))


def follow(server: Server, advice: Advice) -> Ended:
    """Do what an agent says; gives the check's end."""
    if advice.state and server.agent is not None:
        server.agent.force(up=advice.state.lower() == "up")  # what `ready` finds
    _follow_mode(server, advice.mode)
    fault = change_weight(server, advice.weight) if advice.weight else ""
    if advice.maxconn is not None:
        other = change_maxconn(server, advice.maxconn)
        fault = fault or other
    if not advice.state:
        if advice.unknown:
            return Ended(Status.CHECKED, f"agent reports an error : {advice.unknown}")
        return Ended(Status.CHECKED, f"agent warns : {fault}" if fault else "")
    text = advice.text or advice.unknown or fault
    status = Status.L7OK if advice.state.lower() == "up" else Status.L7STS
    return Ended(status, f"via agent : {advice.state}" + (f" ({text})" if text else ""))


def _follow_mode(server: Server, mode: str) -> None:
    if mode == "ready":
        server.set_admin(Admin.FMAINT, False)
        server.set_admin(Admin.FDRAIN, False)
    elif mode == "drain":
        server.set_admin(Admin.FDRAIN, True)
        server.set_admin(Admin.FMAINT, False)
    elif mode == "maint":
        server.set_admin(Admin.FMAINT, True)
        server.set_admin(Admin.FDRAIN, False)

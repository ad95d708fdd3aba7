"""The forms of the statistics page: which servers, and what is to become of them (`stats admin`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from hapy.http.message import Response
from hapy.proxy.bodies import buffer_body
from hapy.proxy.state import Admin, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.proxy.backend import Backend
    from hapy.proxy.exchange import Exchange
    from hapy.proxy.server import Server
    from hapy.runtime_api.control import Control

#: The actions that the page offers, in words for people. Older pages sent `disable`, `enable`, `stop` and `start`.
OFFERED: Final = {
    "ready": "State: ready",
    "drain": "State: drain",
    "maint": "State: maintenance",
    "dhlth": "Health checks: off",
    "ehlth": "Health checks: on",
    "hrunn": "Health: up",
    "hnolb": "Health: stopping",
    "hdown": "Health: down",
    "dagent": "Agent checks: off",
    "eagent": "Agent checks: on",
    "arunn": "Agent: up",
    "adown": "Agent: down",
    "shutdown": "End all sessions",
}

#: What can become of a form, as the address says it that the browser is sent to, and in words.
RESULTS: Final = {
    "DONE": (True, "The action was carried out."),
    "NONE": (False, "Nothing has changed."),
    "PART": (False, "The action was carried out for some of the servers only: others are not known, or not checked."),
    "ERRP": (False, "Nothing has changed: the backend, a server or the action is not known."),
    "EXCD": (False, "Nothing has changed: the form is too long. Choose fewer servers at a time."),
    "DENY": (False, "Nothing has changed: you may not change servers."),
}


def result(word: str) -> tuple[bool, str]:
    """Whether a form was good for something, and what to tell."""
    return RESULTS.get(word, (False, "Unexpected result."))


async def do(exchange: Exchange, control: Control) -> str:
    """Wait for a form and do what it says; gives what has become of it.

    Raises:
        Failed: the client leaves, or lets itself be waited for.
    """
    frontend = exchange.frontend
    most = frontend.limits.bufsize - frontend.limits.maxrewrite
    if exchange.request.body > most:
        return "EXCD"
    if not exchange.request_ended:
        if exchange.request.expect_continue and not exchange.pieces:
            exchange.send_informational(Response(100, b"Continue", []))
        await buffer_body(exchange, min(frontend.head_timeout, frontend.client_timeout), most + 1)
    body = exchange.txn.body or b"".join(exchange.pieces)
    if not exchange.request_ended or len(body) > most:
        return "EXCD"
    return apply(body, control)


def apply(body: bytes, control: Control) -> str:
    """Do what a form says; gives what has become of it."""
    pairs = parse_qsl(body.decode("utf-8", "surrogateescape"), keep_blank_values=True, errors="surrogateescape")
    backend: Backend | None = None
    act: Callable[[Server], bool] | None = None
    for name, value in pairs:
        if name == "b":
            backend = _backend(control, value)
            if backend is None:
                return "ERRP"
        elif name == "action" and value:
            act = _ACTS.get(value)
            if act is None:
                return "ERRP"
    if backend is None or act is None:
        return "NONE"
    tried = unknown = changed = 0
    for name, value in pairs:
        if name != "s":
            continue
        tried += 1
        server = backend.by_name.get(value)
        if server is None:
            unknown += 1
        elif act(server):
            changed += 1
    if unknown:
        return "PART" if changed else "ERRP"
    return "DONE" if changed else "NONE"


def _backend(control: Control, text: str) -> Backend | None:
    backends = control.job.runtime.backends
    if text.startswith("#"):
        return next((one for one in backends.values() if f"#{one.model.number}" == text), None)
    return backends.get(text)


def _ready(server: Server) -> bool:
    server.set_admin(Admin.FMAINT, False)
    server.set_admin(Admin.FDRAIN, False)
    return True


def _drain(server: Server) -> bool:
    server.set_admin(Admin.FDRAIN, True)
    server.set_admin(Admin.FMAINT, False)
    return True


def _maintain(server: Server) -> bool:
    server.set_admin(Admin.FMAINT, True)
    return True


def _disable(server: Server) -> bool:
    if server.admin & Admin.FMAINT:
        return False
    return _maintain(server)


def _enable(server: Server) -> bool:
    if not server.admin & Admin.FMAINT:
        return False
    server.set_admin(Admin.FMAINT, False)
    return True


def _stop(server: Server) -> bool:
    if server.admin & Admin.FDRAIN:
        return False
    server.set_admin(Admin.FDRAIN, True, " ('stop' on stats page)")
    return True


def _start(server: Server) -> bool:
    if not server.admin & Admin.FDRAIN:
        return False
    server.set_admin(Admin.FDRAIN, False)
    return True


def _checks(*, agent: bool, on: bool) -> Callable[[Server], bool]:
    def switch(server: Server) -> bool:
        check = server.agent if agent else server.check
        if check is None or check.paused is not on:
            return False
        check.paused = not on
        return True

    return switch


def _health(state: State) -> Callable[[Server], bool]:
    def force(server: Server) -> bool:
        if server.tracked is not None:
            return False
        if server.check is not None:
            server.check.health = 0 if state is State.STOPPED else server.check.most
        server.set_state(state)
        return True

    return force


def _agent(*, up: bool) -> Callable[[Server], bool]:
    def force(server: Server) -> bool:
        if server.agent is None or server.agent.paused:
            return False
        server.agent.force(up=up)
        return True

    return force


def _end_sessions(server: Server) -> bool:
    if server.backend.audience is not None:
        server.backend.audience.shut_sessions(server, "K")
    return True


_ACTS: Final[dict[str, Callable[[Server], bool]]] = {
    "ready": _ready,
    "drain": _drain,
    "maint": _maintain,
    "dhlth": _checks(agent=False, on=False),
    "ehlth": _checks(agent=False, on=True),
    "hrunn": _health(State.RUNNING),
    "hnolb": _health(State.STOPPING),
    "hdown": _health(State.STOPPED),
    "dagent": _checks(agent=True, on=False),
    "eagent": _checks(agent=True, on=True),
    "arunn": _agent(up=True),
    "adown": _agent(up=False),
    "shutdown": _end_sessions,
    "disable": _disable,
    "enable": _enable,
    "stop": _stop,
    "start": _start,
}

"""Changing one server: `set server`, `set weight`, `get weight`, `enable` and `disable server`, health and agents."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from hapy.checks.agent import Agent
from hapy.checks.target import change_place, plain_address
from hapy.proxy.state import Admin, State
from hapy.proxy.weights import change_weight
from hapy.runtime_api.commands.names import server_named
from hapy.runtime_api.registry import Call, Level, Refusal, Severity, command
from hapy_config.model.addresses import Address

if TYPE_CHECKING:
    from hapy.checks.check import Check
    from hapy.proxy.server import Server
    from hapy.tls.outgoing import Outgoing

_USAGE = (
    "usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | agent-send | check-addr | check-port"
    " | fqdn | health | ssl | state | weight\n"
)


@command("set server", usage="<bk>/<srv> [opts]", tells="a server's state, weight or address", level=Level.ADMIN)
def set_server(call: Call) -> str:
    """What has changed, where that needs words."""
    if call.argument(0).startswith("/"):
        raise Refusal("Require 'backend/server'.\n")
    server = server_named(call, call.argument(0))
    act = _ACTS.get(call.argument(1))
    if act is None:
        raise Refusal(_USAGE)
    text = act(server, call.arguments[2:])
    call.severity = _SEVERITIES.get(call.argument(1), Severity.WARNING)
    return text


#: What has changed is told as a warning, but for these.
_SEVERITIES: Final = {"ssl": Severity.NOTICE}


def _first(arguments: list[str]) -> str:
    return arguments[0] if arguments else ""


def _state(server: Server, arguments: list[str]) -> str:
    match _first(arguments):
        case "ready":
            server.set_admin(Admin.FMAINT, False)
            server.set_admin(Admin.FDRAIN, False)
        case "drain":
            server.set_admin(Admin.FDRAIN, True)
            server.set_admin(Admin.FMAINT, False)
        case "maint":
            server.set_admin(Admin.FMAINT, True)
            server.set_admin(Admin.FDRAIN, False)
        case _:
            raise Refusal("'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n")
    return ""


#: Why a server's state changes, in the log.
_BY_COMMAND: Final = ", changed from CLI"


def _weight(server: Server, arguments: list[str]) -> str:
    fault = change_weight(server, _first(arguments))
    if fault:
        raise Refusal(fault)
    return ""


def _health(server: Server, arguments: list[str]) -> str:
    states = {"up": State.RUNNING, "stopping": State.STOPPING, "down": State.STOPPED}
    wanted = states.get(_first(arguments))
    if server.tracked is not None:
        raise Refusal("cannot change health on a tracking server.\n")
    if wanted is None:
        raise Refusal("'set server <srv> health' expects 'up', 'stopping', or 'down'.\n")
    if server.check is not None:
        server.check.health = 0 if wanted is State.STOPPED else server.check.most
    server.bare_health = 0 if wanted is State.STOPPED else server.model.rise + server.model.fall - 1
    server.set_state(wanted, _BY_COMMAND)
    return ""


def _agent(server: Server, arguments: list[str]) -> str:
    if server.agent is None or server.agent.paused:
        raise Refusal("agent checks are not enabled on this server.\n")
    word = _first(arguments)
    if word not in ("up", "down"):
        raise Refusal("'set server <srv> agent' expects 'up' or 'down'.\n")
    server.agent.force(up=word == "up")
    if word == "down":
        server.set_state(State.STOPPED, _BY_COMMAND)
    elif server.check is None or server.check.healthy:
        server.set_state(State.RUNNING, _BY_COMMAND)
    return ""


def _addr(server: Server, arguments: list[str]) -> str:
    text = _first(arguments)
    if not text:
        raise Refusal("set server <b>/<s> addr requires an address and optionally a port.\n")
    host = plain_address(text)
    if host is None:
        raise Refusal(f"Invalid addr '{text}' by 'stats socket command'\n", Severity.WARNING)
    old = server.address
    if old.family not in ("ipv4", "ipv6") or server.unresolved:
        raise Refusal(
            "Update for the current server address family is only supported through configuration file by"
            " 'stats socket command'\n",
            Severity.WARNING,
        )
    said = []
    if old.host == host.host:
        said.append("no need to change the addr")
    else:
        said.append(f"IP changed from '{old.host}' to '{host.host}'")
    address = replace(old, family=host.family, host=host.host)
    if arguments[1:2] == ["port"]:
        address = _with_port(server, address, _first(arguments[2:]), said)
    if address != old:
        server.set_address(address)
    return f"{', '.join(said)} by 'stats socket command'\n"


#: A port, or with a sign what is added to the client's; what follows it is passed over, as HAProxy does.
_PORT: Final = re.compile(r"[+-]?[0-9]+")
_PORTS: Final = 65536


def _with_port(server: Server, address: Address, text: str, said: list[str]) -> Address:
    """The address with another port; what comes of it is added to what is said."""
    old = server.address
    found = _PORT.match(text)
    if found is None:
        said.append(f"problem converting port '{text}' to an int")
        return address
    mapped = text[0] in "+-"
    if mapped and not (server.check is not None and server.check.place is not None and server.check.place.port):
        said.append(
            "can't change <port> to port map because it is incompatible with current health check port configuration"
            " (use 'port' statement from the 'server' directive."
        )
        return address
    number = int(found[0])
    number = number % _PORTS if number >= 0 else -(-number % _PORTS)
    before = f"+{(old.port or 0) % _PORTS}" if old.port_offset else str(old.port or 0)
    after = f"{number:+d}" if mapped else str(number)
    if (number, mapped) == (old.port or 0, old.port_offset):
        said.append("no need to change the port")
        return address
    said.append(f"port changed from '{before}' to '{after}'")
    return replace(address, port=number, port_end=number, port_offset=mapped)


def _fqdn(server: Server, arguments: list[str]) -> str:
    name = _first(arguments)
    if not name:
        raise Refusal("set server <b>/<s> fqdn requires a FQDN.\n")
    if server.resolving is None:
        raise Refusal("set server <b>/<s> fqdn failed because no resolution is configured.\n")
    label = f"{server.backend.model.name}/{server.model.name}"
    before = server.fqdn or "(null)"
    try:
        server.resolving.rename(name)
    except ValueError:
        raise Refusal(f"could not update {label} FQDN by 'stats socket command'\n", Severity.WARNING) from None
    if name == before:
        return "no need to change the FDQN by 'stats socket command'\n"
    return f"{label} changed its FQDN from {before} to {name} by 'stats socket command'\n"


def _check_port(server: Server, arguments: list[str]) -> str:
    text = _first(arguments)
    if not text:
        raise Refusal("set server <b>/<s> check-port requires a port.\n")
    _set_place(server.check, None, text)
    return ""


def _check_addr(server: Server, arguments: list[str]) -> str:
    return _place_of(server.check, arguments, "check-addr")


def _agent_addr(server: Server, arguments: list[str]) -> str:
    return _place_of(server.agent, arguments, "agent-addr", agent=True)


def _agent_port(server: Server, arguments: list[str]) -> str:
    text = _first(arguments)
    if not text:
        raise Refusal("set server <b>/<s> agent-port requires a port.\n")
    _set_place(server.agent, None, text, agent=True)
    return ""


def _place_of(check: Check | None, arguments: list[str], what: str, *, agent: bool = False) -> str:
    """Check at another address, and perhaps at another port."""
    text = _first(arguments)
    if not text:
        raise Refusal(f"set server <b>/<s> {what} requires an address and optionally a port.\n")
    port = _first(arguments[2:]) if arguments[1:2] == ["port"] else None
    _set_place(check, text, port, agent=agent)
    return ""


def _set_place(check: Check | None, address: str | None, port: str | None, *, agent: bool = False) -> None:
    """Have a check go elsewhere; None leaves a part as it is.

    Raises:
        Refusal: there is no check, or no such place.
    """
    fault = change_place(check, address, port, agent=agent)
    if fault:
        raise Refusal(fault, Severity.WARNING)


def _agent_send(server: Server, arguments: list[str]) -> str:
    if server.agent is None or server.agent.paused:
        raise Refusal("agent checks are not enabled on this server.\n")
    server.agent.plan = Agent(_first(arguments))
    return ""


def _tls(server: Server) -> Outgoing | None:
    """The TLS that a server's line tells of, for requests or for checks alone."""
    check = server.check
    if server.connector.written is None and "check-ssl" in server.model.options and check is not None and check.place:
        return cast("Outgoing", check.place.securing(None))
    return server.connector.written


def _ssl(server: Server, arguments: list[str]) -> str:
    outgoing = _tls(server)
    if outgoing is None:
        raise Refusal("'set server <srv> ssl' cannot be set.  default-server should define ssl settings\n")
    word = _first(arguments)
    if word not in ("on", "off"):
        raise Refusal("'set server <srv> ssl' expects 'on' or 'off'.\n")
    server.set_tls(outgoing if word == "on" else None)
    return "server ssl setting updated.\n"


_ACTS = {
    "state": _state,
    "weight": _weight,
    "health": _health,
    "agent": _agent,
    "addr": _addr,
    "fqdn": _fqdn,
    "check-port": _check_port,
    "check-addr": _check_addr,
    "agent-addr": _agent_addr,
    "agent-port": _agent_port,
    "agent-send": _agent_send,
    "ssl": _ssl,
}


@command("set weight", usage="<bk>/<srv> <weight>", tells="a server's weight, as `set server` does", level=Level.ADMIN)
def set_weight(call: Call) -> str:
    """Nothing."""
    return _weight(server_named(call, call.argument(0)), call.arguments[1:])


@command("get weight", usage="<bk>/<srv>", tells="a server's weight")
def get_weight(call: Call) -> str:
    """The weight now, and that of the file."""
    server = server_named(call, call.argument(0))
    return f"{server.weight} (initial {server.model.weight})\n"


@command("enable server", usage="<bk>/<srv>", tells="a server leaves maintenance", level=Level.ADMIN)
def enable_server(call: Call) -> str:
    """Nothing."""
    server = server_named(call, call.argument(0))
    _state(server, ["ready"])
    if server.agent is not None:
        server.agent.paused = False
    return ""


@command("disable server", usage="<bk>/<srv>", tells="a server enters maintenance", level=Level.ADMIN)
def disable_server(call: Call) -> str:
    """Nothing."""
    return _state(server_named(call, call.argument(0)), ["maint"])


@command("enable health", usage="<bk>/<srv>", tells="health checks go on", level=Level.ADMIN)
def enable_health(call: Call) -> str:
    """Nothing."""
    server = server_named(call, call.argument(0))
    if server.check is None:
        raise Refusal("Health check was not configured on this server, cannot enable.\n")
    server.check.paused = False
    return ""


@command("disable health", usage="<bk>/<srv>", tells="health checks rest", level=Level.ADMIN)
def disable_health(call: Call) -> str:
    """Nothing."""
    server = server_named(call, call.argument(0))
    if server.check is not None:
        server.check.paused = True
    return ""


@command("enable agent", usage="<bk>/<srv>", tells="agent checks go on", level=Level.ADMIN)
def enable_agent(call: Call) -> str:
    """Nothing."""
    server = server_named(call, call.argument(0))
    if server.agent is None:
        raise Refusal("Agent was not configured on this server, cannot enable.\n")
    server.agent.paused = False
    return ""


@command("disable agent", usage="<bk>/<srv>", tells="agent checks rest", level=Level.ADMIN)
def disable_agent(call: Call) -> str:
    """Nothing."""
    server = server_named(call, call.argument(0))
    if server.agent is not None:
        server.agent.paused = True
    return ""

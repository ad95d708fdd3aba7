"""`show servers state`, `conn` and hapy's own `reuse`: servers in a form that programs read, and the next process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.net.clock import now
from hapy.pool import ReuseReason
from hapy.proxy.state import Admin
from hapy.runtime_api.commands.names import backend_named
from hapy.runtime_api.registry import Call, command

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hapy.checks.check import Check
    from hapy.proxy.backend import Backend
    from hapy.proxy.server import Server

#: The version of the format, and its columns.
_HEAD = (
    "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight"
    " srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state"
    " bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr"
    " srv_agent_addr srv_agent_port\n"
)
_CONN_HEAD = (
    "# bkname/svname bkid/svid addr port - purge_delay used_cur used_max need_est unsafe_nb safe_nb idle_lim idle_cur"
    " idle_per_thr[1]\n"
)

#: Bits of a check's state: it is going on, set up, enabled, paused, an agent's.
_RUNNING, _CONFIGURED, _ENABLED, _PAUSED, _AGENT = 1, 2, 4, 8, 16

#: The results of checks by number; 14 is one that no check of HAProxy 2.6 ends with.
_STATUSES = (
    *("UNK", "INI", "START", "CHECKED", "HANA", "SOCKERR", "L4OK", "L4TOUT", "L4CON", "L6OK", "L6TOUT", "L6RSP"),
    *("L7TOUT", "L7RSP", "", "L7OK", "L7OKC", "L7STS", "PROCERR", "PROCTOUT", "PROCOK"),
)
_STATUS_NUMBERS = {name: number for number, name in enumerate(_STATUSES)}


def _backends(call: Call) -> Iterable[Backend]:
    name = call.argument(0)
    if not name:
        return call.control.job.runtime.backends.values()
    return (backend_named(call, name, "Can't find backend.\n"),)


@command("show servers state", usage="[<backend>]", tells="the state of servers, as a state file keeps it")
def show_servers_state(call: Call) -> str:
    """One line a server."""
    lines = [state_line(server) for backend in _backends(call) for server in backend.servers if server.model.number]
    return _HEAD + "".join(lines)


@command("show servers conn", usage="[<backend>]", tells="the connections of servers")
def show_servers_conn(call: Call) -> str:
    """One line a server."""
    lines = [_conn_line(server) for backend in _backends(call) for server in backend.servers if server.model.number]
    return _CONN_HEAD + "".join(lines)


@command("show servers reuse", usage="[<backend>]", tells="why requests did or did not reuse connections", own=True)
def show_servers_reuse(call: Call) -> str:
    """One line a server that keeps connections: how often each reason was given."""
    lines = [f"# bkname/svname {' '.join(ReuseReason)}\n"]
    for backend in _backends(call):
        for server in backend.servers:
            counts = server.counters.reuse_reasons
            if counts:
                numbers = " ".join(str(counts.get(reason, 0)) for reason in ReuseReason)
                lines.append(f"{backend.model.name}/{server.model.name} {numbers}\n")
    return "".join(lines)


def state_line(server: Server) -> str:
    """The volatile state of a server."""
    model = server.model
    backend = server.backend.model
    address = server.address
    check, agent = server.check, server.agent
    columns: list[object] = [
        backend.number,
        backend.name,
        model.number,
        model.name,
        _host(server),
        int(server.state),
        int(_admin(server)),
        server.weight,
        model.weight,
        int(now() - server.last_change),
        _STATUS_NUMBERS[check.status.name] if check is not None else 1,
        _result(check),
        _health(server),
        _bits(server, check),
        _bits(server, agent) if agent is not None else 0,
        int(backend.numbered),
        int(model.numbered),
        server.fqdn or "-",
        address.port or 0,
        _service(server),
        int(server.connector.tls is not None),
        *_place(check),
        *_agent_place(agent),
    ]
    return " ".join(str(column) for column in columns) + "\n"


def _host(server: Server) -> str:
    """The address, none while its name has none."""
    address = server.address
    known = address.family in ("ipv4", "ipv6") and not server.unresolved
    return address.host if known and address.host else "-"


def _admin(server: Server) -> Admin:
    """What somebody wants, and whether its name was given since the start: by a record of its service, or a command."""
    user = server.resolving
    return server.admin | Admin.HMAINT if user is not None and user.renamed else server.admin


def _health(server: Server) -> int:
    """The health of the check, none in maintenance of the server's own."""
    if server.maintenance and server.tracked is None:
        return 0
    return server.check.health if server.check is not None else server.bare_health


def _result(check: Check | None) -> int:
    """What the last check said: 0 nothing, or another runs, 2 failed, 3 passed, 4 passed with a condition."""
    if check is None or check.running:
        return 0
    if check.status.failed:
        return 2
    if not check.status.passed:
        return 0
    return 4 if check.status.name == "L7OKC" else 3


def _bits(server: Server, check: Check | None) -> int:
    if check is None:
        return _PAUSED if server.model.disabled else 0
    bits = _CONFIGURED | (0 if check.paused else _ENABLED)
    if server.maintenance and not check.agent:
        bits |= _PAUSED
    return bits | (_RUNNING * check.running) | (_AGENT * check.agent)


def _service(server: Server) -> str:
    """The name of the SRV record that the server came from."""
    return getattr(server.model, "service", None) or "-"


def _place(check: Check | None) -> tuple[object, object]:
    """The port and the address that are the check's own."""
    place = check.place if check is not None else None
    if place is None:
        return 0, "-"
    return place.port, place.address.host if place.address is not None else "-"


def _agent_place(agent: Check | None) -> tuple[object, object]:
    port, address = _place(agent)
    return address, port


def _conn_line(server: Server) -> str:
    model, pool = server.model, server.pool
    address = server.address
    backend = server.backend.model
    columns: list[object] = [
        f"{backend.name}/{model.name}",
        f"{backend.number}/{model.number}",
        _host(server),
        address.port or 0,
        "-",
        model.pool_purge_delay,
        pool.used,
        pool.max_used,
        pool.needed,
        pool.idle - pool.proven,
        pool.proven,
        pool.max_idle,
        pool.idle,
        *([pool.idle] if pool.max_idle else ()),  # by thread: no column where nothing may be idle, as in HAProxy
    ]
    return " ".join(str(column) for column in columns) + "\n"

"""The rows of `show stat`: frontends, listeners, servers, backends; shared by all ways to show statistics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hapy.net.clock import now
from hapy.proxy.state import Admin, State
from hapy.proxy.weights import shown_sum, shown_throttle, shown_weight
from hapy.runtime_api.fields import Value
from hapy.runtime_api.stat_fields import HTTP, PROTOCOLS, TLS

if TYPE_CHECKING:
    from hapy.checks.check import Check
    from hapy.observe.counters import BackendCounters, FrontendCounters, ServerCounters
    from hapy.proxy.backend import Backend
    from hapy.proxy.frontend import FrontConnection, Frontend
    from hapy.proxy.runtime import Runtime
    from hapy.proxy.server import Server
    from hapy.runtime_api.control import Control
    from hapy_config.model.proxy import Proxy
    from hapy_config.model.server import Bind

#: The bits that select kinds of rows.
FRONTEND, BACKEND, SERVER, LISTENER = 1, 2, 4, 8
_LISTENER = ("scur", "smax", "stot", "bin", "bout", "dreq", "dresp", "ereq", "dcon", "dses", "wrew", "eint")
_TIMES = ("qtime", "ctime", "rtime", "ttime")
_H1_TOTALS = ("h1_total_connections", "h1_total_streams", "h1_bytes_in", "h1_bytes_out")
_ROW = dict[str, Value]


@dataclass(slots=True)
class Row:
    """One row.

    Attributes:
        kind: F, B, S or L. values: by field name; what is missing stays empty.
        proxy: the section. up: it works. maintenance: it is a server in maintenance. drained: it is one that
            somebody wants drained. working, servers: how many of a backend's servers work, of how many.
    """

    kind: str
    values: _ROW
    proxy: Proxy
    up: bool = True
    maintenance: bool = False
    drained: bool = False
    working: int = 0
    servers: int = 0

    def count(self) -> None:
        """Have a backend tell how many of its servers work, as it does where not all are shown."""
        if self.kind == "B":
            self.values["status"] = f"{self.values['status']} ({self.working}/{self.servers})"


#: What HTTP shows only with `stats show-legends`.
LEGENDS = ("addr", "cookie", "algo")


def rows(control: Control, *, kinds: int = 15, proxy: int = -1, server: int = -1) -> Iterator[Row]:
    """All rows in the file's order.

    Args:
        control: the process.
        kinds: the sum of the bits of the kinds wanted.
        proxy: the number of the one section wanted, -1 for all.
        server: the number of the one server or listener wanted, -1 for all.
    """
    runtime = control.job.runtime
    moving = _Moving(runtime)
    for model in control.job.config.proxies:
        if proxy not in (-1, model.number) or model.disabled:
            continue
        frontend = runtime.frontends.get(model.name) if model.is_frontend else None
        backend = runtime.backends.get(model.name) if model.is_backend else None
        if frontend is not None and kinds & FRONTEND and server in (-1, 0):
            yield moving.add(_frontend(frontend, control), frontend.counters)
        if frontend is not None and kinds & LISTENER and "socket-stats" in model.options:
            for bind in model.binds:
                if server in (-1, bind.number):
                    yield moving.add(_listener(frontend, bind), (frontend.sockets or {}).get(bind.number))
        if backend is not None and kinds & SERVER:
            for one in backend.servers:
                if server in (-1, one.model.number) and one.model.number:
                    yield moving.add(_server(one), one.counters)
        if backend is not None and kinds & BACKEND and server in (-1, 0):
            yield moving.add(_backend(backend), backend.counters)


class _Moving:
    """Bytes of sessions and requests that are not over, where they count as they come (`option contstats`).

    HAProxy counts them every five seconds; here they are added to what is shown.
    """

    __slots__ = ("_bytes",)

    def __init__(self, runtime: Runtime) -> None:
        self._bytes: dict[int, tuple[int, int]] = {}
        for frontend in runtime.frontends.values():
            if frontend.continuous:
                for connection in frontend.connections:
                    self._look(frontend, connection)

    def _look(self, frontend: Frontend, connection: FrontConnection) -> None:
        exchange, session = getattr(connection, "exchange", None), getattr(connection, "session", None)
        going = exchange or session
        if going is None:
            return
        txn, sent = going.txn, going.txn.bytes_out
        if exchange is not None and exchange.server is not None:
            sent += exchange.server.size  # of the answer, which the transaction is told of at its end
        counters: list[object] = [frontend.counters]
        if frontend.sockets is not None:
            counters.append(frontend.sockets[txn.client.listener_id])
        if going.entered and going.route.backend is not None:
            counters.append(going.route.backend.counters)
        if (going.holds is not None if exchange is None else exchange.slot_held) and txn.server is not None:
            counters.append(txn.server.counters)
        for one in counters:
            before = self._bytes.get(id(one), (0, 0))
            self._bytes[id(one)] = before[0] + txn.bytes_in, before[1] + sent

    def add(self, row: Row, counters: object) -> Row:
        """A row of these counters, with what they will be told of."""
        received, sent = self._bytes.get(id(counters), (0, 0))
        for name, count in (("bin", received), ("bout", sent)):
            value = row.values[name]
            if count and isinstance(value, int):
                row.values[name] = value + count
        return row


def _head(model: Proxy, name: str, number: int, kind: int) -> _ROW:
    return {
        "pxname": model.name,
        "svname": name,
        "pid": 1,
        "iid": model.number,
        "sid": number,
        "type": kind,
        "mode": model.mode,
    }


def _http(counters: FrontendCounters | BackendCounters | ServerCounters) -> _ROW:
    return {name: getattr(counters, name) for name in HTTP}


def _answered(counters: BackendCounters | ServerCounters) -> _ROW:
    """Answers by their class, and requests, which count when they are over."""
    answers = _http(counters)
    return answers | {"req_tot": sum(int(count or 0) for count in answers.values())}


def _tls(counters: FrontendCounters | BackendCounters | ServerCounters) -> _ROW:
    return {name: getattr(counters, name) for name in TLS}


def _zeros(*names: str) -> _ROW:
    return dict.fromkeys(names, 0)


def _frontend(frontend: Frontend, control: Control) -> Row:
    model, counters, moment = frontend.model, frontend.counters, now()
    closed = control.is_closed(model)
    row = _head(model, "FRONTEND", 0, 0) | {
        "scur": counters.scur,
        "smax": counters.smax,
        "slim": max(frontend.gate.limit, 0) if frontend.gate.limit else control.job.maxconn,
        "stot": counters.stot,
        "bin": counters.bin,
        "bout": counters.bout,
        "dreq": counters.dreq,
        "dresp": counters.dresp,
        "ereq": counters.ereq,
        "status": "STOP" if closed else "PAUSED" if control.is_paused(model) else "OPEN",
        "rate": counters.rate.read(moment),
        "rate_lim": model.rate_limit_sessions,
        "rate_max": max(counters.rate.highest, counters.rate.count),
        "req_rate": counters.req_rate.read(moment),
        "req_rate_max": max(counters.req_rate.highest, counters.req_rate.count),
        "req_tot": counters.req_tot,
        "conn_rate": counters.conn_rate.read(moment),
        "conn_rate_max": max(counters.conn_rate.highest, counters.conn_rate.count),
        "conn_tot": counters.conn_tot,
        "intercepted": counters.intercepted,
        "dcon": counters.dcon,
        "dses": counters.dses,
        "wrew": counters.wrew,
        "eint": counters.eint,
    }
    row |= _zeros("comp_in", "comp_out", "comp_byp", "comp_rsp", *PROTOCOLS) | _tls(counters)
    if model.mode == "http":
        row |= _http(counters) | _zeros("cache_lookups", "cache_hits")
        row |= {
            "h1_open_connections": counters.scur,
            "h1_total_connections": counters.conn_tot,
            "h1_total_streams": counters.req_tot - counters.empty,
            "h1_bytes_in": counters.bin,
            "h1_bytes_out": counters.bout,
        }
    else:
        row["intercepted"] = None
    return Row("F", row, model, up=not closed)


def _listener(frontend: Frontend, bind: Bind) -> Row:
    model = frontend.model
    address = bind.address
    host = f"[{address.host}]" if address.family == "ipv6" else address.host or "0.0.0.0"
    row = _head(model, bind.name or f"sock-{bind.number}", bind.number, 3) | {
        "slim": bind.maxconn,
        "status": "OPEN",
        "addr": "unix" if address.family == "unix" else f"{host}:{address.port or 0}",
    }
    counters = (frontend.sockets or {}).get(bind.number) or frontend.counters
    row |= {name: getattr(counters, name) for name in (*_LISTENER, *TLS)}
    return Row("L", row, model)


def _upstream(counters: BackendCounters | ServerCounters) -> _ROW:
    moment = now()
    names = (
        *("qcur", "qmax", "scur", "smax", "stot", "bin", "bout", "dresp", "econ", "eresp", "wretr", "wredis", "lbtot"),
        *("cli_abrt", "srv_abrt", "wrew", "connect", "reuse", "eint"),
    )
    averages, highest = counters.times.read()
    return {name: getattr(counters, name) for name in names} | {
        "rate": counters.rate.read(moment),
        "rate_max": max(counters.rate.highest, counters.rate.count),
        "lastsess": -1 if counters.lastsess < 0 else int(moment - counters.lastsess),
        **dict(zip(_TIMES, averages, strict=True)),
        **{f"{name}_max": top for name, top in zip(_TIMES, highest, strict=True)},
        **_tls(counters),
    }


def address_of(server: Server) -> str:
    """Where a server is, as statistics show it; empty while its name has no address."""
    if server.unresolved:
        return ""
    address = server.address
    if address.family in ("unix", "abns"):
        return "unix"
    host = address.host
    if address.family == "name":
        host = "0.0.0.0"
    port = address.port or 0
    shown = f"{port:+d}" if address.port_offset and port else str(port)
    return f"[{host}]:{shown}" if ":" in host else f"{host}:{shown}"


def status_of(server: Server) -> str:
    """A server's status, as statistics show it."""
    if server.maintenance:
        if server.admin & Admin.RMAINT:
            return "MAINT (resolution)"
        tracked = server.tracked
        if tracked is not None and server.admin & Admin.IMAINT:
            return f"MAINT (via {tracked.backend.model.name}/{tracked.model.name})"
        return "MAINT"
    origin = server
    while origin.tracked is not None:
        origin = origin.tracked
    check = _enabled(origin.check)
    agent = _enabled(origin.agent)
    health = check.health if check is not None and not origin.maintenance else 0
    if server.state is State.STOPPED:
        if agent is not None and not agent.healthy:
            return "DOWN (agent)"
        if agent is not None and check is None:
            return f"DOWN 0/{origin.model.rise}"
        return f"DOWN {_share(check, health)}" if check is not None and health else "DOWN"
    if server.state is State.STOPPING:
        word = "NOLB"
    elif server.drain and agent is not None:
        return "DRAIN (agent)"
    elif server.drain:
        word = "DRAIN"
    elif check is None:
        return "no check"
    else:
        word = "UP"
    if check is not None and health < check.most:
        return f"{word} {_share(check, health)}"
    return word


def _share(check: Check, health: int) -> str:
    """How far a server is on its way down or up. Who tracks another may be down, or up, while that one is not."""
    return f"{health - check.rise + 1}/{check.fall}" if health >= check.rise else f"{health}/{check.rise}"


def _enabled(check: Check | None) -> Check | None:
    """A check, None where it is switched off."""
    return None if check is None or check.paused else check


def _check_values(check: Check, prefix: str) -> _ROW:
    running = "* " if check.running else ""
    row: _ROW = {
        f"{prefix}_status": running + check.status.name,
        f"{prefix}_desc": check.status.value,
        f"{prefix}_rise": check.rise,
        f"{prefix}_fall": check.fall,
        f"{prefix}_health": check.health,
        "last_chk" if prefix == "check" else "last_agt": "" if running else check.info,  # emptied when it begins
    }
    if check.status.reports_code:
        row[f"{prefix}_code"] = check.code & 0xFFFFFFFF  # a program that a signal ended is -1
    if check.duration >= 0 or check.agent:
        row[f"{prefix}_duration"] = max(int(check.duration * 1000), 0)
    return row


def _server(server: Server) -> Row:
    model, counters = server.model, server.counters
    px = server.backend.model
    row = _head(px, model.name, model.number, 2) | _upstream(counters)
    safe = server.pool.proven
    row |= {
        "slim": server.maxconn or None,
        "qlimit": server.maxqueue or None,
        "status": status_of(server),
        "weight": shown_weight(server),
        "uweight": server.weight,
        "act": int(not model.backup),
        "bck": int(model.backup),
        "lastchg": int(now() - server.last_change),
        "hanafail": counters.hanafail if server.observer is not None else None,
        "addr": address_of(server),
        "cookie": _cookie(server),
        "srv_icur": server.pool.idle,
        "src_ilim": server.pool.max_idle if server.pool.max_idle >= 0 else None,
        "idle_conn_cur": server.pool.idle - safe,
        "safe_conn_cur": safe,
        "used_conn_cur": server.pool.used,
        "need_conn_est": server.pool.needed,
    }
    check = None if server.maintenance else _enabled(server.check)
    agent = _enabled(server.agent)
    if server.tracked is not None:
        row["tracked"] = f"{server.tracked.backend.model.name}/{server.tracked.model.name}"
    if _enabled(server.check) is not None:  # an agent alone does not have these told
        down = 0.0 if server.state is not State.STOPPED else now() - server.last_change
        row |= {"chkfail": counters.chkfail, "chkdown": counters.chkdown, "downtime": int(counters.downtime + down)}
    if check is not None:
        row |= _check_values(check, "check")
    if agent is not None:
        row |= _check_values(agent, "agent")
    if server.state is State.STARTING and server.weight and not server.drain:
        row["throttle"] = shown_throttle(server)
    if px.mode == "http":
        row |= _answered(counters)
    return Row("S", row, px, up=server.up, maintenance=server.maintenance, drained=server.drain)


def _cookie(server: Server) -> str | None:
    values = server.backend.cookie_values
    if values is not None:
        value = values.of(server)
        return None if value is None else value.decode("utf-8", "surrogateescape")
    return server.model.cookie if server.backend.model.mode == "http" else None


def _asks_by_http(check: Check | None) -> bool:
    """A check speaks HTTP over a connection of its own right now."""
    return check is not None and check.probe is not None and check.plan.speaks_http and not check.pooled


def _backend(backend: Backend) -> Row:
    model, counters = backend.model, backend.counters
    active, spare = backend.available()
    works = backend.works or not backend.servers
    total = len(backend.servers)
    row = _head(model, "BACKEND", 0, 1) | _upstream(counters)
    row |= {
        "slim": backend.fullconn,
        "dreq": counters.dreq,
        "status": "UP" if works else "DOWN",
        "weight": shown_sum(backend.active),
        "uweight": sum(server.weight for server in backend.active),
        "act": active,
        "bck": spare,
        "chkdown": counters.chkdown,
        "lastchg": int(now() - backend.last_change),
        "downtime": int(backend.downtime()) if total else None,
        "algo": _algorithm(model),
        **_zeros("agg_server_status", "agg_server_check_status", "agg_check_status"),
        **_zeros("comp_in", "comp_out", "comp_byp", "comp_rsp", *PROTOCOLS),
    }
    now_asked = sum(_asks_by_http(server.check) for server in backend.servers)
    idle = used = 0
    if model.mode == "http":
        row |= _answered(counters) | {"cookie": model.cookie.name if model.cookie else None}
        row |= _zeros("cache_lookups", "cache_hits")
        idle = sum(server.pool.idle for server in backend.servers)
        used = sum(server.pool.used + server.pool.claimed for server in backend.servers)
        requests = counters.connect, counters.connect + counters.reuse, counters.bout, counters.bin
    else:
        requests = 0, 0, 0, 0
    checks = counters.http_checks, counters.http_checks, counters.http_heard, counters.http_asked
    row |= {name: ours + theirs for name, ours, theirs in zip(_H1_TOTALS, requests, checks, strict=True)}
    row |= {"h1_open_connections": idle + used + now_asked, "h1_open_streams": used + now_asked}
    working = sum(server.in_service for server in backend.servers)
    return Row("B", row, model, up=works, working=working, servers=total)


def _algorithm(model: Proxy) -> str:
    return model.balance.algorithm

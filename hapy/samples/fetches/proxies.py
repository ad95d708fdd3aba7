"""Fetches on frontends, backends, servers and listeners: names, numbers, limits, load (manual, 7.3.2 and 7.3.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import cast as typed

from hapy.net.clock import now
from hapy.samples.environment import CompileEnv
from hapy.samples.registry import Args, Getter, fetch
from hapy.samples.types import Result
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.proxy.backend import Backend
    from hapy.proxy.frontend import Frontend
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Transaction

Backends = Callable[["Transaction"], "Backend | None"]


def backend_of(txn: Transaction) -> Backend | None:
    """The transaction's backend; None while it is still with a plain frontend."""
    backend = txn.backend
    return None if backend is txn.frontend else typed("Backend", backend)


def _backend(args: Args, env: CompileEnv) -> Backends:
    """The backend that the argument names, else the one of the section, else the transaction's."""
    backends = env.backends
    if args.given(0):
        name = args.string(0)
        if env.config.backend(name) is None:
            raise args.error(f"there is no backend {name!r}")
        return lambda txn: backends.get(name)
    if env.proxy.is_backend:
        own = env.proxy.name
        return lambda txn: backends.get(own)
    return backend_of


def _frontend(args: Args, env: CompileEnv) -> Callable[[Transaction], Frontend | None]:
    frontends = env.frontends
    if args.given(0):
        name = args.string(0)
        if env.config.frontend(name) is None:
            raise args.error(f"there is no frontend {name!r}")
        return lambda txn: frontends.get(name)
    return lambda txn: typed("Frontend", txn.frontend)


def _server(args: Args, env: CompileEnv) -> Callable[[Transaction], Server | None]:
    """The server that `backend/server` or `server` names."""
    backend_name, slash, server_name = args.string(0).rpartition("/")
    if not slash:
        backend_name = env.proxy.name
    model = env.config.backend(backend_name)
    if model is None:
        raise args.error(f"there is no backend {backend_name!r}")
    index = next((i for i, server in enumerate(model.servers) if server.name == server_name), None)
    if index is None:
        raise args.error(f"there is no server {server_name!r} in backend {backend_name!r}")
    place = index
    backends = env.backends

    def server(txn: Transaction) -> Server | None:
        backend = backends.get(backend_name)
        return None if backend is None else backend.servers[place]

    return server


def usable_servers(backend: Backend) -> int:
    """Servers that take new traffic: the active ones, else one backup (all of them with `option allbackups`)."""
    active = sum(1 for server in backend.servers if server.usable and not server.model.backup)
    if active:
        return active
    spare = sum(1 for server in backend.servers if server.usable and server.model.backup)
    return spare if "allbackups" in backend.model.options else min(spare, 1)


def queued(backend: Backend) -> int:
    """Requests waiting in the backend's queue and in its servers'."""
    return backend.queued + sum(server.queued for server in backend.servers)


def _of_backend(measure: Callable[[Backend], int]) -> Callable[[Args, CompileEnv], Getter]:
    def build(args: Args, env: CompileEnv) -> Getter:
        find = _backend(args, env)

        def get(txn: Transaction) -> Result:
            backend = find(txn)
            return None if backend is None else measure(backend)

        return get

    return build


def _avg_queue(backend: Backend) -> int:
    servers, waiting = usable_servers(backend), queued(backend)
    return -(-waiting // servers) if servers else waiting * 2


def _connslots(backend: Backend) -> int:
    slots = 0
    for server in backend.servers:
        model = server.model
        if model.disabled or not server.usable:
            continue
        if not server.maxconn or not server.maxqueue:
            return -1
        slots += server.maxconn - server.current + server.maxqueue - server.queued
    return slots


def _conn_free(backend: Backend) -> int:
    active = [server for server in backend.servers if server.usable and not server.model.backup]
    if not active:
        spares = [server for server in backend.servers if server.usable]
        active = spares if "allbackups" in backend.model.options else spares[:1]
    free = 0
    for server in active:
        if not server.maxconn:
            return -1
        free += max(0, server.maxconn - server.current)
    return free


def _be_conn(backend: Backend) -> int:
    return backend.current


def _be_sess_rate(backend: Backend) -> int:
    return backend.counters.rate.read(now())


fetch("nbsrv", type="sint")(_of_backend(usable_servers))
fetch("queue", type="sint")(_of_backend(queued))
fetch("avg_queue", type="sint")(_of_backend(_avg_queue))
fetch("connslots", type="sint")(_of_backend(_connslots))
fetch("be_conn", type="sint")(_of_backend(_be_conn))
fetch("be_conn_free", type="sint")(_of_backend(_conn_free))
fetch("be_sess_rate", type="sint")(_of_backend(_be_sess_rate))


def _of_frontend(measure: Callable[[Frontend], int]) -> Callable[[Args, CompileEnv], Getter]:
    def build(args: Args, env: CompileEnv) -> Getter:
        find = _frontend(args, env)

        def get(txn: Transaction) -> Result:
            frontend = find(txn)
            return None if frontend is None else measure(frontend)

        return get

    return build


def _fe_conn(frontend: Frontend) -> int:
    return frontend.counters.scur


def _fe_sess_rate(frontend: Frontend) -> int:
    return frontend.counters.rate.read(now())


def _fe_req_rate(frontend: Frontend) -> int:
    return frontend.counters.req_rate.read(now())


fetch("fe_conn", type="sint")(_of_frontend(_fe_conn))
fetch("fe_sess_rate", type="sint")(_of_frontend(_fe_sess_rate))
fetch("fe_req_rate", type="sint")(_of_frontend(_fe_req_rate))


def _of_server(measure: Callable[[Server], int]) -> Callable[[Args, CompileEnv], Getter]:
    def build(args: Args, env: CompileEnv) -> Getter:
        find = _server(args, env)

        def get(txn: Transaction) -> Result:
            server = find(txn)
            return None if server is None else measure(server)

        return get

    return build


def _srv_conn_free(server: Server) -> int:
    limit = server.maxconn
    return max(0, limit - server.current) if limit else -1


def _srv_sess_rate(server: Server) -> int:
    return server.counters.rate.read(now())


fetch("srv_conn", type="sint")(_of_server(lambda server: server.current))
fetch("srv_conn_free", type="sint")(_of_server(_srv_conn_free))
fetch("srv_is_up", type="bool")(_of_server(lambda server: server.up and not server.maintenance))
fetch("srv_queue", type="sint")(_of_server(lambda server: server.queued))
fetch("srv_sess_rate", type="sint")(_of_server(_srv_sess_rate))
fetch("srv_iweight", type="sint")(_of_server(lambda server: server.model.weight))
fetch("srv_uweight", type="sint")(_of_server(lambda server: server.weight))
fetch("srv_weight", type="sint")(_of_server(lambda server: server.weight))


@fetch("fe_id", type="sint")
def _fe_id(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: txn.frontend.model.number


@fetch("fe_name", type="str")
def _fe_name(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: txn.frontend.label


@fetch("fe_defbe", type="str")
def _fe_defbe(args: Args, env: CompileEnv) -> Getter:
    def name(txn: Transaction) -> Result:
        default = txn.frontend.model.default_backend
        return to_bytes(default) if default else None

    return name


@fetch("fe_client_timeout", type="sint")
def _fe_client_timeout(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: txn.frontend.model.timeouts.client or 0


@fetch("be_id", type="sint")
def _be_id(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: txn.backend.model.number


@fetch("be_name", type="str")
def _be_name(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: txn.backend.label


@fetch("be_server_timeout", type="sint")
def _be_server_timeout(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: txn.backend.model.timeouts.server or 0


@fetch("be_tunnel_timeout", type="sint")
def _be_tunnel_timeout(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: txn.backend.model.timeouts.tunnel or 0


def _current_timeout(name: str) -> Getter:
    """What `set-timeout` has set, else the backend's setting."""

    def timeout(txn: Transaction) -> Result:
        overrides = txn.overrides
        if overrides is not None and overrides.timeouts is not None and name in overrides.timeouts:
            return overrides.timeouts[name]
        timeouts = txn.backend.model.timeouts
        return (timeouts.server if name == "server" else timeouts.tunnel) or 0

    return timeout


@fetch("cur_server_timeout", type="sint")
def _cur_server_timeout(args: Args, env: CompileEnv) -> Getter:
    return _current_timeout("server")


@fetch("cur_tunnel_timeout", type="sint")
def _cur_tunnel_timeout(args: Args, env: CompileEnv) -> Getter:
    return _current_timeout("tunnel")


@fetch("srv_id", type="sint")
def _srv_id(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: None if txn.server is None else txn.server.model.number


@fetch("srv_name", type="str")
def _srv_name(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: None if txn.server is None else txn.server.label


@fetch("so_id", type="sint")
def _so_id(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: txn.client.listener_id


@fetch("so_name", type="str")
def _so_name(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: txn.client.listener_name

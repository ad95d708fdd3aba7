"""Everything that runs, built once from the configuration: frontends, backends, their rules, loggers and connectors.

Built before any socket is opened and before the process forks; nothing here needs an event loop until `start`.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from hapy.acl import compile_condition
from hapy.http.codec import Limits
from hapy.net.clock import now
from hapy.net.sockets import towards
from hapy.observe.process import Process
from hapy.pool import FdBudget
from hapy.pool.keeper import Keeper
from hapy.proxy.backend import Backend, default_fullconn
from hapy.proxy.connector import Connector
from hapy.proxy.events import Events
from hapy.proxy.frontend import Frontend
from hapy.proxy.namespaces import clients_home
from hapy.rules import compile_ruleset
from hapy.rules.field_names import field_names
from hapy.rules.pages import error_pages
from hapy.rules.redirects import compile_redirect
from hapy.samples.environment import CompileEnv
from hapy.samples.formats import compile_format
from hapy_config.model.addresses import Address
from hapy_config.model.server import Server as ServerModel
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from hapy.checks.engine import Engine
    from hapy.dns.section import Section
    from hapy.proxy.exchange import Exchange
    from hapy.proxy.frontend import FrontConnection
    from hapy.proxy.inspection import Inspection
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Transaction
    from hapy.rules import Outcome, Ruleset
    from hapy.runtime_api.control import Control
    from hapy.tls.outgoing import Outgoing
    from hapy_config.model.config import Config
    from hapy_config.model.expressions import Condition, LogFormat
    from hapy_config.model.proxy import Proxy

Predicate = Callable[["Transaction"], bool]


class Runtime:
    """One generation of running proxies.

    Attributes:
        config: what it was built from.
        process: the facts and counters of the process.
        frontends, backends: by name. pages: the error pages.
        budget: the process's sockets.
        events: who is told of what happens to servers. checks: what looks after them, None where nothing is checked.
        name_cases: the `h1-case-adjust` map.
        control: the process as commands see it, set before it serves where `shows_statistics`.
    """

    def __init__(self, config: Config, *, descriptors: int | None = None, maxconn: int = 0) -> None:
        settings = config.global_
        self.config = config
        self.process = process = Process(node=settings.node, tag=_program_name(), threads=settings.nbthread or 1)
        process.bufsize = int(settings.tune.get("bufsize", process.bufsize))
        process.maxrewrite = min(int(settings.tune.get("maxrewrite", process.maxrewrite)), process.bufsize // 2)
        self.name_cases = {to_bytes(name).lower(): to_bytes(case) for name, case in settings.h1_case_adjust.items()}
        self.budget = FdBudget(
            descriptors or _descriptor_limit(),
            int(settings.tune.get("pool-high-fd-ratio", 25)),
            int(settings.tune.get("pool-low-fd-ratio", 20)),
        )
        self.frontends: dict[str, Frontend] = {}
        self.backends: dict[str, Backend] = {}
        self._envs: dict[int, CompileEnv] = {}
        self._inspections: dict[tuple[int, str], Inspection | None] = {}
        self._rulesets: dict[tuple[int, str], Ruleset | None] = {}
        self.control: Control | None = None
        self._home = clients_home(config)
        first = config.proxies[0] if config.proxies else None
        self._base: CompileEnv | None = (
            CompileEnv(config, first, process, self.frontends, self.backends) if first is not None else None
        )
        if self._base is not None:
            if settings.variables:
                from hapy.proxy.variables import set_variables

                set_variables(self, self._base)
            self.pages = error_pages(self._base)
        for model in config.proxies:
            if model.is_backend and not model.disabled:
                self.backends[model.name] = self._backend(model)
        if maxconn and not settings.maxconn:
            for name, backend in self.backends.items():
                backend.fullconn = backend.model.fullconn or default_fullconn(config, name, maxconn)
        for model in config.proxies:
            if model.is_frontend and not model.disabled:
                self.frontends[model.name] = Frontend(model, self)
        for frontend in self.frontends.values():
            frontend.finish_setup(self._default_backend(frontend.model))
        self.events = Events(self)
        self.checks = self._watch_servers()

    def _watch_servers(self) -> Engine | None:
        """Have changes of servers told; gives their checks, None where nothing is checked."""
        checked = tracks = False
        for backend in self.backends.values():
            backend.audience = self.events
            for server in backend.model.servers:
                checked = checked or server.check or "agent-check" in server.options
                tracks = tracks or server.track is not None
        if tracks:
            from hapy.checks.tracking import link_trackers

            link_trackers(self.backends.values())
        if not checked:
            return None
        from hapy.checks.engine import Engine

        return Engine(self)

    def _default_backend(self, model: Proxy) -> Backend | None:
        if model.default_backend is not None:
            return self.backends.get(model.default_backend)
        return self.backends.get(model.name) if model.is_backend else None

    def _backend(self, model: Proxy) -> Backend:
        served = _with_dispatch(model)
        backend = Backend(served, self.env(model), self.budget)
        for rules in ("http-request", "http-response", "http-after-response"):
            self.ruleset(model, rules)  # finds at start what can't be run
        limits = Limits(
            bufsize=self.process.bufsize,
            maxrewrite=self.process.maxrewrite,
            max_headers=int(self.config.global_.tune.get("http.maxhdr", 101)),
            accept_invalid="accept-invalid-http-response" in model.options,
        )
        for rules in ("tcp-request content", "tcp-response content"):
            self.inspection(model, rules, limits)
        for server in backend.servers:
            server.connector = Connector(
                server,
                server.model.source or model.source,
                limits,
                self._outgoing(server, model),
                self._header(server, model),
                options=towards(server.model, model, self.config.global_),
                process=self.process,
                home=self._home,
            )
        if any(server.resolvers is not None for server in model.servers):
            from hapy.dns.setup import resolve_servers

            resolve_servers(backend, self.env(model))
        return backend

    def _outgoing(self, server: Server, model: Proxy) -> Outgoing | None:
        """TLS towards a server, None for plain text."""
        if server.model.tls is None:
            return None
        from hapy.tls.outgoing import Outgoing

        return Outgoing(server.model, self.env(model), raw=model.mode == "tcp")

    def _header(self, server: Server, model: Proxy) -> Callable[[Transaction | None], bytes] | None:
        """What makes the PROXY header that connections to a server begin with, None where they begin with none."""
        if not server.model.send_proxy:
            return None
        from hapy.proxy.proxied import sender

        return sender(server.model, self.env(model), self._home)

    # compiling

    def env(self, model: Proxy) -> CompileEnv:
        """The surroundings for compiling what stands in a section."""
        env = self._envs.get(id(model))
        if env is None:
            assert self._base is not None
            env = self._envs[id(model)] = replace(self._base, proxy=model)
        return env

    def ruleset(self, model: Proxy, name: str) -> Ruleset | None:
        """A section's rules of one kind, compiled; None where there are none."""
        key = (id(model), name)
        if key not in self._rulesets:
            rules = compile_ruleset(model.rules.get(name, ()), self.env(model))
            if name == "http-request" and model.stats is not None:
                from hapy.stats.page import followed

                rules = followed(rules, model, model.stats, self)
            self._rulesets[key] = rules
        return self._rulesets[key]

    def inspection(self, model: Proxy, name: str, limits: Limits) -> Inspection | None:
        """A section's content rules, compiled; None where there are none, nor lines that choose by contents in TCP."""
        if not model.rules.get(name) and (model.mode != "tcp" or not (model.use_backends or model.use_servers)):
            return None
        key = (id(model), name)
        if key not in self._inspections:
            from hapy.proxy.inspection import compile_inspection

            self._inspections[key] = compile_inspection(model, name, self, limits)
        return self._inspections[key]

    def rulesets(self, models: Iterable[Proxy], name: str) -> tuple[Ruleset, ...]:
        """The same of several sections, those without any left out."""
        found = [self.ruleset(model, name) for model in models]
        return tuple(rules for rules in found if rules is not None)

    def compile_format(self, fmt: LogFormat, model: Proxy) -> Callable[[Transaction], bytes]:
        """A format that stands in a section."""
        return compile_format(fmt, self.env(model))

    def condition(self, condition: Condition, model: Proxy) -> Predicate:
        """A condition that stands in a section."""
        return compile_condition(condition, self.env(model))

    def redirects(self, model: Proxy) -> Callable[[Transaction], Outcome | None] | None:
        """What follows a section's rules: its look at header names, then its `redirect` lines, of which the first that
        applies answers; None without any.
        """
        names = field_names(model, self.env(model))
        steps: list[tuple[Predicate | None, Callable[[Transaction], Outcome | None]]] = []
        if names is not None:
            steps.append((None, names))
        steps += [
            (
                self.condition(redirect.condition, model) if redirect.condition is not None else None,
                compile_redirect(redirect, self.env(model)),
            )
            for redirect in model.redirects
        ]
        if not steps:
            return None

        def walk(txn: Transaction) -> Outcome | None:
            for applies, act in steps:
                if applies is None or applies(txn):
                    outcome = act(txn)
                    if outcome is not None:
                        return outcome
            return None

        return walk

    def branches(self, frontend: Frontend) -> tuple[Callable[[Transaction], Backend | None], ...]:
        """A frontend's `use_backend` lines; each gives a backend or None for the next one."""
        model = frontend.model
        found = []
        for use in model.use_backends:
            applies = self.condition(use.condition, model) if use.condition is not None else None
            if isinstance(use.target, str):
                found.append(_fixed(applies, self.backends.get(use.target)))
            else:
                found.append(_named(applies, self.compile_format(use.target, model), self.backends))
        return tuple(found)

    def use_servers(self, backend: Backend) -> Callable[[Transaction], Server | None] | None:
        """A backend's `use-server` lines: the server named by the first that applies, if it takes requests."""
        model = backend.model
        steps: list[tuple[Predicate | None, Callable[[Transaction], Server | None]]] = []
        for use in model.use_servers:
            applies = self.condition(use.condition, model) if use.condition is not None else None
            if isinstance(use.target, str):
                steps.append((applies, _constant(backend.by_name.get(use.target))))
            else:
                steps.append((applies, _server_named(self.compile_format(use.target, model), backend)))
        if not steps:
            return None
        persists = "persist" in model.options

        def choose(txn: Transaction) -> Server | None:
            for applies, name in steps:
                if applies is None or applies(txn):
                    server = name(txn)
                    if server is None or server.in_service or persists:
                        return server
                    return server if txn.tie is not None and txn.tie.forced else None
            return None

        return choose

    @property
    def shows_statistics(self) -> bool:
        """Whether something that was compiled tells of the whole process."""
        return self._base is not None and "statistics" in self._base.shared

    @property
    def resolvers(self) -> dict[str, Section]:
        """The `resolvers` sections that something uses, by name."""
        if self._base is None or "resolvers" not in self._base.shared:
            return {}
        from hapy.dns.setup import sections

        return sections(self._base)

    # running

    async def start(self, group: TaskGroup) -> None:
        """On the event loop, in the process that will serve."""
        self.process.pid = os.getpid()
        keeper = Keeper()
        for backend in self.backends.values():
            backend.keep_pools(keeper)
        group.start_soon(keeper.run)
        for section in self.resolvers.values():
            section.start(group)
        if self.checks is not None:
            self.checks.start()

    def stop(self) -> None:
        """Soft stop. With `close-spread-time` clients stay for now; see `part`."""
        self.process.stopping = True
        if self.checks is not None:
            self.checks.stop()
        if not self.config.global_.close_spread_time:
            for frontend in self.frontends.values():
                frontend.stop()
        for backend in self.backends.values():
            for server in backend.servers:
                server.pool.enabled = False
                server.pool.drop_idle()

    async def part(self, window: float) -> None:
        """End each of the clients' connections at some moment of the next `window` seconds (`close-spread-time`).

        An idle one ends at that moment, any other with its next answer.
        """
        began = now()
        leaving: list[FrontConnection] = []
        for frontend in self.frontends.values():
            frontend.lets_idle_wait = False  # as in HAProxy
            leaving += frontend.connections
        random.shuffle(leaving)
        for index, connection in enumerate(leaving):
            await anyio.sleep(began + window * (index + 1) / (len(leaving) + 1) - now())
            if not connection.closed:
                connection.stop()
        await anyio.sleep(began + window - now())
        for frontend in self.frontends.values():
            frontend.stop()

    def end_sessions(self) -> None:
        """Hard stop: end what servers have at this moment."""
        for frontend in self.frontends.values():
            frontend.end_sessions()

    def give_up(self, exchange: Exchange) -> None:
        """A request met a defect: nothing of it stays."""
        exchange.txn.term_cause, exchange.txn.term_phase = "I", "R"
        exchange.stream.abort()
        exchange.frontend.finish_request(exchange, cut=True)


def build(config: Config, *, descriptors: int | None = None, maxconn: int = 0) -> Runtime:
    """Everything that runs.

    Args:
        config: what was read.
        descriptors: how many the process may have open, which bounds the pools; None takes the system's limit.
        maxconn: how many clients the process takes at once, where the file does not say.

    Raises:
        CompileError: for something in the configuration that can't be run.
    """
    return Runtime(config, descriptors=descriptors, maxconn=maxconn)


def _program_name() -> str:
    return Path(sys.argv[0]).name or "hapy"


def _descriptor_limit() -> int:
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _with_dispatch(model: Proxy) -> Proxy:
    """`dispatch` is served by a nameless server whose connections are shared by nobody, and so is the address that the
    client itself wanted (`option transparent`).
    """
    address = model.dispatch
    if address is None and "transparent" in model.options:
        address = Address("any")
    if address is None or model.servers:
        return model
    server = ServerModel(name="<NOSRV>", number=0, address=address)
    return replace(model, servers=(server,), reuse="never")


def _fixed(applies: Predicate | None, backend: Backend | None) -> Callable[[Transaction], Backend | None]:
    if applies is None:
        return lambda _txn: backend
    return lambda txn: backend if applies(txn) else None


def _named(
    applies: Predicate | None, render: Callable[[Transaction], bytes], backends: dict[str, Backend]
) -> Callable[[Transaction], Backend | None]:
    def choose(txn: Transaction) -> Backend | None:
        if applies is not None and not applies(txn):
            return None
        return backends.get(render(txn).decode("utf-8", "surrogateescape"))

    return choose


def _constant(server: Server | None) -> Callable[[Transaction], Server | None]:
    return lambda _txn: server


def _server_named(render: Callable[[Transaction], bytes], backend: Backend) -> Callable[[Transaction], Server | None]:
    return lambda txn: backend.by_name.get(render(txn).decode("utf-8", "surrogateescape"))

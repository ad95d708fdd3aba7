"""One request walked through a configuration: each rule, what it saw and did; the backend, the server, the answer.

The steps are those of `hapy.proxy.path.serve` in the same order, one rule at a time so that each can be told. What
needs a network (a name looked up, an answer of a server) is told and not done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hapy.explain import values
from hapy.explain.arrival import Sink
from hapy.explain.assumed import client_hello
from hapy.explain.changes import Snapshot
from hapy.explain.findings import Step, Walk
from hapy.explain.serversteps import ServerSteps
from hapy.explain.stage import NoWayInError, build, way_in
from hapy.explain.telling import Ended
from hapy.http.codec import BadMessage, request_parser
from hapy.net.clock import now, wall
from hapy.proxy.inspection import show_bytes
from hapy.rules.outcomes import ALLOW, SWITCH, SWITCH_H2
from hapy.samples.content import Content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hapy.explain.asked import Asked
    from hapy.proxy.backend import Backend
    from hapy_config import Result
    from hapy_config.model.expressions import Condition
    from hapy_config.model.proxy import Proxy
    from hapy_config.model.rules import Redirect, Rule, UseBackend, UseServer
    from hapy_config.source import Span

_BLANKS: Final = " \t\r\v\f"


class Walker:
    """Walks requests through one configuration; each walk begins as if the proxy had just started.

    Raises:
        CompileError: for something in the configuration that can't be run.
    """

    def __init__(self, result: Result) -> None:
        assert result.config is not None
        self.config = result.config
        self.sources = {source.name: source for source in result.document.sources}
        #: Conditions as they are written, by the place of their rule.
        self.conditions: dict[Span, Condition] = {}
        for proxy in self.config.proxies:
            ruled: list[Rule | Redirect | UseBackend | UseServer] = [
                rule for ruleset in proxy.rules.values() for rule in ruleset
            ]
            for rule in (*ruled, *proxy.redirects, *proxy.use_backends, *proxy.use_servers):
                if rule.condition is not None:
                    self.conditions[rule.span] = rule.condition
        build(self.config)

    def walk(self, asked: Asked, *, frontend: str | None = None, down: Sequence[str] = ()) -> Walk:
        """Walk one request.

        Args:
            asked: the request.
            frontend: where it comes in, None to find out.
            down: servers that are down, as `backend/server`.

        Raises:
            NoWayInError: no frontend takes it, or it is not clear which; or there is no such server.
        """
        runtime = build(self.config)
        entry, bind = way_in(self.config, runtime, asked, frontend)
        _take_down(runtime.backends, down)
        return _Passage(self, asked, runtime, entry, bind).go()

    def line(self, span: Span) -> str:
        """A line as it stands in the file, without its comment."""
        source = self.sources.get(span.file)
        return source.lines[span.line - 1].strip(_BLANKS) if source is not None and span.line else ""


class _Passage(ServerSteps):
    """One walk, step after step as a request goes."""

    def go(self) -> Walk:
        try:
            self._connection()
            if self.original.mode == "http":
                self._request()
            else:
                self._session()
        except Ended:
            pass
        self.found.variables = {
            name: values.value(value)
            for variables in (self.client.variables, self.txn.variables)
            for name, value in (variables or {}).items()
        }
        return self.found

    def _connection(self) -> None:
        for ruleset in ("tcp-request connection", "tcp-request session", "tcp-request content"):
            if ruleset == "tcp-request content" and self.original.mode == "http":
                self._read()
            elif ruleset == "tcp-request content" and self.frontend.inspection is not None:
                self._show_bytes()
            outcome = self.rules(ruleset, self.original)
            if outcome is SWITCH or outcome is SWITCH_H2:
                self._become_http("a rule switches to HTTP")
            elif outcome is not None and outcome is not ALLOW:
                self.closed(f"a rule of '{ruleset}' ends the connection")
        if self.original.mode == "http" and self.txn.request is None:
            self._read()

    def _read(self) -> None:
        """The request's head, as the proxy's own parser reads it."""
        sink = Sink()
        txn = self.txn
        try:
            request_parser(self.frontend.limits, sink).feed(self.asked.raw)
        except BadMessage as error:
            self.answer_with(error.status or 400, f"hapy refuses the request: {error.reason}")
        if sink.head is None:
            self.answer_with(408, "the request is not complete")
        assert sink.head is not None
        self.client.requests = 1
        txn.request = head = sink.head
        txn.method, txn.uri, txn.version, txn.body = head.method, head.target, head.version, sink.body
        txn.idle_done = txn.request_done = now()
        txn.request_wall = wall()
        txn.bytes_in = len(self.asked.raw)

    def _show_bytes(self) -> None:
        """What rules of contents look at in `mode tcp`: all that a client sends before it is answered."""
        if self.txn.inspection is not None:
            return
        asked = self.asked
        if asked.tls and self.bind.tls is None:
            data, what = client_hello(asked.host), f"a TLS greeting{f' that asks for {asked.host}' * bool(asked.host)}"
        else:
            data, what = asked.raw, "the request"
        self.txn.inspection = Content(raw=True, final=True)
        show_bytes(self.txn, data, self.frontend.limits)
        self.steps.append(Step("the client sends", applied=True, effects=(f"{what}, {len(data)} bytes",)))
        self.stage("what rules of contents look at")

    def _request(self) -> None:
        frontend = self.frontend
        txn = self.txn
        frontend.begin_request(txn)
        if frontend.monitor is not None:
            outcome = frontend.monitor(txn)
            if outcome is not None:
                self.conclude(outcome, "monitor-uri answers")
        self.settle(self.rules("http-request", self.original))
        self.statistics(self.original)
        self.redirects(self.original)
        backend = self.branch()
        if backend is None:
            self.answer_with(503, "no rule and no default_backend leads to a backend")
        self._reach(backend)

    def _become_http(self, why: str) -> None:
        """The connection goes on as HTTP: its first request is read."""
        if self.mode == "http":
            return
        self._read()
        self.txn.inspection = None
        self.frontend.begin_request(self.txn)
        self.mode = "http"
        self.steps.append(Step(why, applied=True, effects=("the connection goes on as HTTP",)))
        self.stage("from TCP to HTTP")

    def _reach(self, backend: Backend) -> None:
        """What the rules of a backend do with a request, then its server."""
        frontend, txn = self.frontend, self.txn
        route = frontend.route_to(backend)
        txn.backend = backend
        backend.begin()
        model = self._original_backend(backend)
        self.found.backend = model.name
        if backend.model is not frontend.model:
            self.rules("tcp-request content", model)
            self.settle(self.rules("http-request", model))
            self.statistics(model)
            self.redirects(model)
        for add in route.prepare:
            before = Snapshot(txn)
            add(txn)
            if effects := tuple(before.changes()):
                self.steps.append(Step("hapy adds", applied=True, effects=effects))
        self.stage("what the options add")
        self.serve(route, backend, model)

    def _session(self) -> None:
        """`mode tcp`: the connection, not what is in it."""
        backend = self.branch()
        if backend is None:
            self.closed("no rule and no default_backend leads to a backend")
        assert backend is not None
        if backend.model.mode == "http":
            self._become_http(f"backend {backend.model.name} is in mode http")
            self._reach(backend)
            return
        if self.mode == "http":
            self.closed(f"backend {backend.model.name} is in mode tcp")
        self.txn.backend = backend
        backend.begin()
        model = self._original_backend(backend)
        self.found.backend = model.name
        route = self.frontend.route_to(backend)
        if route.inspection is not None and backend.model is not self.frontend.model:
            self._show_bytes()
            outcome = self.rules("tcp-request content", model)
            if outcome is not None and outcome is not ALLOW:
                self.closed("a rule of 'tcp-request content' ends the connection")
        self.serve(route, backend, model)

    def _original_backend(self, backend: Backend) -> Proxy:
        return self.walker.config.backend(backend.model.name) or backend.model


def _take_down(backends: dict[str, Backend], down: Sequence[str]) -> None:
    """Mark servers as down."""
    for path in down:
        backend_name, _, name = path.partition("/")
        backend = backends.get(backend_name)
        server = backend.by_name.get(name) if backend is not None else None
        if server is None:
            raise NoWayInError(f"there is no server '{path}' (write BACKEND/SERVER)")
        server.set_operational(False)

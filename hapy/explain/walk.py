"""One request walked through a configuration: each rule, what it saw and did; the backend, the server, the answer.

The steps are those of `hapy.proxy.path.serve` in the same order, one rule at a time so that each can be told. What
needs a network (a name looked up, an answer of a server) is told and not done.
"""

from __future__ import annotations

import socket
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Final

from hapy.acl import compile_condition
from hapy.acl.conditions import compile_acl
from hapy.balance.keys import key_hash
from hapy.explain import values
from hapy.explain.assumed import client_hello
from hapy.explain.changes import Snapshot
from hapy.explain.findings import Answer, Candidate, Stage, Step, Test, Walk
from hapy.explain.sharing import Sharing, connection_key, tell_sharing
from hapy.explain.stage import NoWayInError, build, way_in
from hapy.http.codec import BadMessage, request_parser
from hapy.http.errors import server_redirect_page
from hapy.http.message import Header
from hapy.http.serialize import request_head, response_head
from hapy.net.clock import now, wall
from hapy.proxy.backend import NoServer, QueueFull
from hapy.proxy.inspection import show_bytes
from hapy.proxy.private import is_bound
from hapy.proxy.transaction import Client, Transaction
from hapy.rules import compile_ruleset
from hapy.rules.outcomes import ALLOW, INTERNAL_ERROR, SWITCH, SWITCH_H2, Deferred, Reply, Tarpit
from hapy.rules.redirects import compile_redirect
from hapy.samples.content import Content
from hapy.samples.environment import CompileEnv, CompileError
from hapy.samples.expression import compile_expression
from hapy.samples.targets import path_and_query
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.explain.asked import Asked
    from hapy.http.message import Request, Response
    from hapy.proxy.backend import Backend
    from hapy.proxy.route import Route
    from hapy.proxy.server import Server
    from hapy.rules.outcomes import Outcome
    from hapy_config import Result
    from hapy_config.model.expressions import AclExpression, Condition, Term
    from hapy_config.model.proxy import Proxy
    from hapy_config.model.rules import Redirect, Rule, UseBackend, UseServer
    from hapy_config.model.server import Bind
    from hapy_config.source import Span

#: Actions whose outcome lies in the network.
_ASKS_THE_NETWORK: Final = frozenset({"do-resolve*"})
_PATTERNS_SHOWN: Final = 4
_CLIENT_PORT: Final = 50000
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
        return _Passage(self, asked, frontend, down).go()

    def line(self, span: Span) -> str:
        """A line as it stands in the file, without its comment."""
        source = self.sources.get(span.file)
        return source.lines[span.line - 1].strip(_BLANKS) if source is not None and span.line else ""


class _Sink:
    """Takes what the parser makes of the request."""

    def __init__(self) -> None:
        self.head: Request | None = None
        self.body = b""
        self.complete = False

    def on_head(self, head: Request, /) -> None:
        self.head = head

    def on_data(self, data: bytes, /) -> None:
        self.body += data

    def on_end(self, _trailers: list[Header], /) -> None:
        self.complete = True


class _Ended(Exception):  # noqa: N818  no error: the walk is over
    """The request goes no further."""


class _Passage:
    """One walk: the transaction and what has been told of it."""

    def __init__(self, walker: Walker, asked: Asked, name: str | None, down: Sequence[str]) -> None:
        self.walker = walker
        self.asked = asked
        self.runtime = build(walker.config)
        self.frontend, self.bind = way_in(walker.config, self.runtime, asked, name)
        _take_down(self.runtime.backends, down)
        self.original = walker.config.frontend(self.frontend.model.name) or self.frontend.model
        self.client = _client(asked, self.bind)
        self.txn = Transaction(self.client, self.frontend, now())
        self.mode = self.original.mode
        self.found = Walk(frontend=self.frontend.model.name, listener=_listener(self.bind), mode=self.original.mode)
        self.steps: list[Step] = []

    def go(self) -> Walk:
        try:
            self._connection()
            if self.original.mode == "http":
                self._request()
            else:
                self._session()
        except _Ended:
            pass
        self.found.variables = {
            name: values.value(value)
            for variables in (self.client.variables, self.txn.variables)
            for name, value in (variables or {}).items()
        }
        return self.found

    # the way

    def _connection(self) -> None:
        for ruleset in ("tcp-request connection", "tcp-request session", "tcp-request content"):
            if ruleset == "tcp-request content" and self.original.mode == "http":
                self._read()
            elif ruleset == "tcp-request content" and self.frontend.inspection is not None:
                self._show_bytes()
            outcome = self._rules(ruleset, self.original)
            if outcome is SWITCH or outcome is SWITCH_H2:
                self._become_http("a rule switches to HTTP")
            elif outcome is not None and outcome is not ALLOW:
                self._closed(f"a rule of '{ruleset}' ends the connection")
        if self.original.mode == "http" and self.txn.request is None:
            self._read()

    def _read(self) -> None:
        """The request's head, as the proxy's own parser reads it."""
        sink = _Sink()
        txn = self.txn
        try:
            request_parser(self.frontend.limits, sink).feed(self.asked.raw)
        except BadMessage as error:
            self._answer_with(error.status or 400, f"hapy refuses the request: {error.reason}")
        if sink.head is None:
            self._answer_with(408, "the request is not complete")
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
        self._stage("what rules of contents look at")

    def _request(self) -> None:
        frontend = self.frontend
        txn = self.txn
        frontend.begin_request(txn)
        if frontend.monitor is not None:
            outcome = frontend.monitor(txn)
            if outcome is not None:
                self._conclude(outcome, "monitor-uri answers")
        self._settle(self._rules("http-request", self.original))
        self._statistics(self.original)
        self._redirects(self.original)
        backend = self._branch()
        if backend is None:
            self._answer_with(503, "no rule and no default_backend leads to a backend")
            return
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
        self._stage("from TCP to HTTP")

    def _reach(self, backend: Backend) -> None:
        """What the rules of a backend do with a request, then its server."""
        frontend, txn = self.frontend, self.txn
        route = frontend.route_to(backend)
        txn.backend = backend
        backend.begin()
        model = self._original_backend(backend)
        self.found.backend = model.name
        if backend.model is not frontend.model:
            self._rules("tcp-request content", model)
            self._settle(self._rules("http-request", model))
            self._statistics(model)
            self._redirects(model)
        for add in route.prepare:
            before = Snapshot(txn)
            add(txn)
            self.steps.append(Step("hapy adds", applied=True, effects=tuple(before.changes())))
        self._stage("what the options add")
        self._server(route, backend, model)

    def _session(self) -> None:
        """`mode tcp`: the connection, not what is in it."""
        backend = self._branch()
        if backend is None:
            self._closed("no rule and no default_backend leads to a backend")
        assert backend is not None
        if backend.model.mode == "http":
            self._become_http(f"backend {backend.model.name} is in mode http")
            self._reach(backend)
            return
        if self.mode == "http":
            self._closed(f"backend {backend.model.name} is in mode tcp")
        self.txn.backend = backend
        backend.begin()
        model = self._original_backend(backend)
        self.found.backend = model.name
        route = self.frontend.route_to(backend)
        if route.inspection is not None and backend.model is not self.frontend.model:
            self._show_bytes()
            outcome = self._rules("tcp-request content", model)
            if outcome is not None and outcome is not ALLOW:
                self._closed("a rule of 'tcp-request content' ends the connection")
        self._server(route, backend, model)

    def _original_backend(self, backend: Backend) -> Proxy:
        return self.walker.config.backend(backend.model.name) or backend.model

    def _running(self, model: Proxy) -> Proxy:
        """A section as it runs here: without what hapy does not run."""
        return self.frontend.model if model is self.original else self.runtime.backends[model.name].model

    # rules

    def _rules(self, ruleset: str, model: Proxy) -> Outcome | None:
        """Walk a section's rules of one kind."""
        running = self._running(model)
        runs = {rule.span: rule for rule in running.rules.get(ruleset, ())}
        env = self.runtime.env(running)
        strict: Rule | None = None
        outcome: Outcome | None = None
        for written in model.rules.get(ruleset, ()):
            rule = runs.get(written.span)
            if rule is None:
                self._tell(written.span, None, env, applied=None, effects=("not run by hapy: passed over",))
                continue
            if rule.action == "strict-mode":
                strict = rule
                self._tell(rule.span, None, env, applied=True, effects=())
                continue
            outcome = self._rule(rule, env, strict)
            if outcome is not None:
                break
        self._stage(f"{ruleset} of {model.kind} {model.name}")
        return outcome

    def _rule(self, rule: Rule, env: CompileEnv, strict: Rule | None) -> Outcome | None:
        txn = self.txn
        applied = rule.condition is None or compile_condition(rule.condition, env)(txn)
        tests = self._tests(rule.span, rule.condition, env)
        effects: list[str] = []
        outcome: Outcome | None = None
        if applied and rule.action in _ASKS_THE_NETWORK:
            effects.append("would ask a name server; the walk goes on without its answer")
        elif applied:
            compiled = compile_ruleset((rule,) if strict is None else (strict, rule), env)
            assert compiled is not None
            before = Snapshot(txn)
            if compiled.is_async:
                txn.body_waiter = _at_hand
                outcome, waits = _drive(compiled.run_async(txn))
                if waits:
                    effects.append("would wait here; the walk goes on")
            else:
                outcome = compiled.run(txn)
            effects += before.changes()
            if outcome is not None:
                effects.append(_decision(outcome))
        self.steps.append(self._step(rule.span, tests, applied, effects))
        return outcome

    def _statistics(self, model: Proxy) -> None:
        """The statistics page, which is asked for behind the rules; its figures are those of a proxy that runs."""
        running = self._running(model)
        if running.stats is None:
            return
        from hapy.stats import answers
        from hapy.stats.page import Page

        outcome = Page(running, running.stats, self.runtime).answer(self.txn)
        if outcome is None:
            return
        page = f"the statistics page of {model.kind} {model.name} ({running.stats.uri})"
        if isinstance(outcome, Reply) and outcome.status == 200:
            self._answer(200, answers.fresh(self.txn, b"text/html", ""), f"{page} answers")
        if isinstance(outcome, Deferred):
            self._answer(303, answers.fresh(self.txn, b"text/plain", ""), f"{page} takes the form")
        self._conclude(outcome, f"{page} asks for a password or refuses")

    def _redirects(self, model: Proxy) -> None:
        running = self._running(model)
        env = self.runtime.env(running)
        for redirect in running.redirects:
            applied = redirect.condition is None or compile_condition(redirect.condition, env)(self.txn)
            outcome = compile_redirect(redirect, env)(self.txn) if applied else None
            effects = () if outcome is None else (_decision(outcome),)
            self._tell(redirect.span, redirect.condition, env, applied=applied, effects=effects)
            if outcome is not None:
                self._stage(f"redirect of {model.kind} {model.name}")
                self._conclude(outcome, "a redirect answers")
        self._stage(f"redirect of {model.kind} {model.name}")

    def _branch(self) -> Backend | None:
        """The backend: `use_backend` lines, then `default_backend`."""
        model = self.frontend.model
        env = self.runtime.env(model)
        for choose, use in zip(self.runtime.branches(self.frontend), model.use_backends, strict=True):
            applied = use.condition is None or compile_condition(use.condition, env)(self.txn)
            backend = choose(self.txn)
            effects: tuple[str, ...] = ()
            if applied:
                effects = (f"to backend {backend.model.name}",) if backend else ("names no backend: passed over",)
            self._tell(use.span, use.condition, env, applied=applied, effects=effects)
            if backend is not None:
                self._stage("choice of a backend")
                return backend
        name = model.default_backend or (model.name if model.is_backend else None)
        backend = self.runtime.backends.get(name) if name is not None else None
        if backend is not None:
            what = f"default_backend {name}" if model.default_backend else f"the servers of listen {name}"
            self.steps.append(Step(what, applied=True, effects=(f"to backend {name}",)))
        self._stage("choice of a backend")
        return backend

    # the server

    def _server(self, route: Route, backend: Backend, model: Proxy) -> None:
        txn = self.txn
        forced, named = None, False
        env = self.runtime.env(backend.model)
        if route.use_server is not None:
            forced = route.use_server(txn)
            for use in backend.model.use_servers:
                applied = use.condition is None or compile_condition(use.condition, env)(txn)
                named = named or applied
                self._tell(use.span, use.condition, env, applied=applied, effects=())
            self._stage("use-server")
        bound = (
            self.mode == "http"
            and txn.request is not None
            and any(
                name in (b"authorization", b"proxy-authorization") and is_bound(value)
                for name, value in txn.request.headers
            )
        )
        usable = backend.active
        how = _how(backend, txn, env, forced, by_rule=named)
        try:
            server = backend.assign(txn, forced, None, None, bound=bound)
        except (NoServer, QueueFull):
            server = None
        self.found.candidates = tuple(
            Candidate(one.model.name, values.address(one.model.address), one.weight, one is server)
            for one in (usable if server is None or server in usable else (server,))
        )
        if server is None:
            if self.mode == "http":
                self._answer_with(503, f"backend {model.name} has no server that takes requests")
            self._closed(f"backend {model.name} has no server that takes connections")
            return
        txn.server = server
        self.found.server = server.model.name
        self.found.how = how
        if (
            server.redir is not None
            and self.mode == "http"
            and txn.request is not None
            and txn.method in (b"GET", b"HEAD")
        ):
            path = path_and_query(txn.request.target)
            if path is not None:
                built = server_redirect_page(server.redir + path).build(txn.method)
                built[0].keep_alive = False
                self._answer(302, built, f"server {server.model.name} is to be asked by clients themselves (redir)")
        self.found.outcome = "server"
        self._towards(route, server, model, env, bound=bound)

    def _towards(self, route: Route, server: Server, model: Proxy, env: CompileEnv, *, bound: bool) -> None:
        """What the server gets, and on which connection."""
        txn = self.txn
        original = next((one for one in model.servers if one.name == server.model.name), server.model)
        self.found.key = connection_key(server, original, txn, env)
        request = txn.request
        sharing = Sharing(server, model, closes=route.close_server, bound=bound, mode=self.mode)
        self.found.sharing = tell_sharing(sharing, txn)
        self.found.shares = sharing.shares
        if request is None or self.mode != "http":
            return
        asks_close = route.asks_close is not None and route.asks_close(request)
        last = None
        if route.name_header is not None:
            request.headers = [field for field in request.headers if field[0] != route.name_header]
            last = (route.name_header, server.label)
        head = request_head(request, close=route.tell_close or asks_close, cases=route.name_cases, last=last)
        self.found.request = head
        sections = dict.fromkeys((self.original, model))
        self.found.later = tuple(
            f"{values.count(len(rules), 'rule')} of {ruleset} in {section.kind} {section.name}"
            for ruleset in ("http-response", "http-after-response")
            for section in sections
            if (rules := section.rules.get(ruleset, ()))
        )

    # endings

    def _settle(self, outcome: Outcome | None) -> None:
        if outcome is not None and outcome is not ALLOW:
            self._conclude(outcome, "a rule decides")

    def _conclude(self, outcome: Outcome, reason: str) -> None:
        if isinstance(outcome, Tarpit):
            reason = "a rule holds the client (tarpit), then answers"
            outcome = outcome.reply
        if isinstance(outcome, Reply):
            self._answer(outcome.status, outcome.build(self.txn), reason)
        if outcome is INTERNAL_ERROR:
            self._answer_with(500, "a rule could not do its work")
        self._closed(f"a rule ends the connection ({outcome.name})")

    def _answer_with(self, status: int, reason: str) -> None:
        self._answer(status, self.runtime.pages.build(self.txn, status), reason)

    def _answer(self, status: int, built: tuple[Response, bytes] | None, reason: str) -> None:
        """An answer that no server gives: http-after-response rules see it, then the client does."""
        if built is None:
            self._closed(f"{reason}, and its page is empty: the connection is closed")
        assert built is not None
        response, body = built
        txn = self.txn
        txn.response = response
        txn.status = status
        backend = txn.backend
        sections = [self.original]
        if self.found.backend is not None and backend is not self.frontend and self.found.backend != self.original.name:
            sections.insert(0, self.walker.config.backend(self.found.backend) or self.original)
        for section in sections:
            if (outcome := self._rules("http-after-response", section)) is not None and outcome is not ALLOW:
                break
        if response.body >= 0:
            response.body = len(body)
        version = txn.request.version if txn.request is not None else 11
        stays = response.keep_alive and txn.request is not None and txn.request.keep_alive and not self.frontend.closes
        head = response_head(response, version, close=not stays, cases=self.frontend.name_cases)
        self.found.outcome = "answer"
        self.found.reason = reason
        self.found.answer = Answer(status, head, body)
        raise _Ended

    def _closed(self, reason: str) -> None:
        self.found.outcome = "closed"
        self.found.reason = reason
        raise _Ended

    # telling

    def _tell(
        self, span: Span, condition: Condition | None, env: CompileEnv, *, applied: bool | None, effects: Sequence[str]
    ) -> None:
        self.steps.append(self._step(span, self._tests(span, condition, env), applied, effects))

    def _step(self, span: Span, tests: tuple[Test, ...], applied: bool | None, effects: Sequence[str]) -> Step:
        return Step(self.walker.line(span), applied, tests, tuple(effects), span)

    def _stage(self, title: str) -> None:
        if self.steps:
            self.found.stages.append(Stage(title, tuple(self.steps)))
            self.steps = []

    def _tests(self, span: Span, condition: Condition | None, env: CompileEnv) -> tuple[Test, ...]:
        """The tests of a condition, named as they are written: what runs may lack what hapy does not run."""
        if condition is None:
            return ()
        written = self.walker.conditions.get(span, condition)
        terms = dict.fromkeys(
            pair
            for pairs in zip(condition.alternatives, written.alternatives, strict=True)
            for pair in zip(*pairs, strict=True)
        )
        return tuple(self._test(term, original, env) for term, original in terms)

    def _test(self, term: Term, written: Term, env: CompileEnv) -> Test:
        seen: dict[str, str] = {}
        holds = False
        for expression in term.expressions:
            holds = holds or compile_acl(expression, env)(self.txn)
            try:
                value = compile_expression(expression.criterion, env)(self.txn)
            except CompileError:  # some ACL keywords have no value of their own
                continue
            if expression.criterion.text.lower() not in _CONSTANTS:
                seen[expression.criterion.text] = values.value(value)
        for expression in written.expressions:
            if expression not in term.expressions:
                seen[expression.criterion.text] = "not run by hapy"
        name = written.name or (_braces(written.expressions[0]) if written.expressions else "")
        return Test(f"!{name}" if term.negated else name, tuple(seen.items()), holds is not term.negated)


#: Samples that tell nothing by their value.
_CONSTANTS: Final = frozenset({"always_true", "always_false"})


def _braces(expression: AclExpression) -> str:
    """An anonymous ACL as one would write it."""
    words = [expression.criterion.text]
    words += ["-i"] * expression.ignore_case
    words += [word for name in expression.files for word in ("-f", name)]
    words += expression.patterns[:_PATTERNS_SHOWN]
    words += ["…"] * (len(expression.patterns) > _PATTERNS_SHOWN)
    return f"{{ {' '.join(words)} }}"


async def _at_hand(_milliseconds: int, _at_least: int) -> None:
    """The whole body was there from the start."""


def _drive(coroutine: Coroutine[Any, Any, Outcome | None]) -> tuple[Outcome | None, bool]:
    """Run a ruleset as far as it goes without waiting; its outcome, and whether it would have waited."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value, False
    coroutine.close()
    return None, True


def _decision(outcome: Outcome) -> str:
    if outcome is ALLOW:
        return "the rules after it are passed over"
    if isinstance(outcome, Tarpit):
        return f"holds the client, then answers {outcome.reply.status}"
    if isinstance(outcome, Reply):
        return f"answers {outcome.status}"
    return f"ends here ({outcome.name})"


def _how(backend: Backend, txn: Transaction, env: CompileEnv, forced: Server | None, *, by_rule: bool) -> str:
    """Why this server, in a few words."""
    if forced is not None:
        return "named by use-server" if by_rule else "named by its cookie"
    if backend.persist is not None:
        return "by its cookie, else by the balance algorithm"
    balance = backend.model.balance
    name = f"{balance.algorithm} {balance.argument}".strip()
    if len(backend.active) == 1:
        return "the only one that takes requests"
    if backend.balancer.keyed:
        if key_hash(balance, env)(txn) is None:
            return f"in turn, since this request has no key (balance {name}): the first choice right after start"
        return f"by the hash of this request's key (balance {name}): the same request always goes there"
    return f"the first choice right after start (balance {name})"


def _take_down(backends: dict[str, Backend], down: Sequence[str]) -> None:
    """Mark servers as down."""
    for path in down:
        backend_name, _, name = path.partition("/")
        backend = backends.get(backend_name)
        server = backend.by_name.get(name) if backend is not None else None
        if server is None:
            raise NoWayInError(f"there is no server '{path}' (write BACKEND/SERVER)")
        server.set_operational(False)


def _client(asked: Asked, bind: Bind) -> Client:
    """The client's connection, to the listener's own address."""
    place = bind.address
    host = place.host if place.family in ("ipv4", "ipv6") and place.host not in ("0.0.0.0", "::") else ""
    family = socket.AF_INET6 if ":" in asked.source else socket.AF_INET
    client = Client(
        asked.source.encode(),
        _CLIENT_PORT,
        (host or ("::1" if family == socket.AF_INET6 else "127.0.0.1")).encode(),
        asked.port if asked.port is not None and asked.port in place.ports else place.port or 0,
        family,
    )
    client.listener_name = to_bytes(bind.name) if bind.name else None
    client.listener_id = bind.number
    client.accepted = now()
    client.accepted_wall = wall()
    if bind.tls is not None:
        from hapy.explain.assumed import AssumedTls

        client.tls = AssumedTls(asked.host.encode() or None)
    return client


def _listener(bind: Bind) -> str:
    return values.address(bind.address) + (" (TLS)" if bind.tls is not None else "")

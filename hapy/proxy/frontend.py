"""A frontend as it runs: what its section says, compiled; its connections; how each request begins and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.http.codec import Limits
from hapy.http.errors import connection_error
from hapy.http.message import CHUNKED
from hapy.http.serialize import response_head
from hapy.net.accepting import Gate
from hapy.net.clock import now
from hapy.net.stream import silence
from hapy.observe.captures import request_captures, request_cookie, response_captures, response_cookie
from hapy.observe.counters import FrontendCounters
from hapy.observe.log import Logger
from hapy.pool.own import DEFAULT_LIMIT
from hapy.proxy.http1 import ClientConnection
from hapy.proxy.listening import Listening
from hapy.proxy.route import Route, seconds
from hapy.proxy.sizes import CLOSE_SIZE, fields_size, head_size
from hapy.proxy.tcp import ClientSide
from hapy.proxy.transaction import Transaction
from hapy.rules.outcomes import ALLOW, SILENT_DROP, Reply
from hapy_config.grammar.units import leading_integer
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.net.stream import Receiver, Stream, Transport
    from hapy.proxy.backend import Backend
    from hapy.proxy.exchange import Exchange
    from hapy.proxy.greeting import Met
    from hapy.proxy.runtime import Runtime
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Client
    from hapy.rules.outcomes import Outcome
    from hapy.tls.binding import Binding
    from hapy_config.model.proxy import Proxy
    from hapy_config.model.server import Bind

    FrontConnection = ClientConnection | ClientSide


class Frontend:
    """The running counterpart of a frontend (or of a listen's frontend half).

    Attributes:
        model: what the file says. label: the name in bytes. runtime: all that runs.
        counters: what statistics print. sockets: the same for each of its binds (`option socket-stats`), or None.
        logger: its access log. gate: its `maxconn`.
        stopping: it is being shut down: idle connections go, answers say so.
        lets_idle_wait: idle connections don't go then, but with their next answer (`option idle-close-on-response`).
        connections: those that are open.
        limits, buffer_size: what a request's head may be, and how much of a body is held.
        closes: answers end the client's connection (`option httpclose`).
        ignore_probes: connections that never say anything leave no trace (`option http-ignore-probes`).
        client_timeout, head_timeout, idle_timeout: seconds a client may be silent, take for a request's head, take
            between two requests; NEVER for no limit of its own.
        continuous: bytes count as they come, not when a session or request is over (`option contstats`).
        dont_log_null: connections that never say anything are not logged (`option dontlognull`).
        buffers_bodies: rules wait for a request's body (`option http-buffer-request`).
        name_cases: how header names are written towards clients, None for lower case.
        unique_id: makes a request's id, None without `unique-id-format`.
        monitor: answers `monitor-uri`, None without one.
        connection_rules, session_rules, request_rules: compiled, None where there are none.
        inspection: its `tcp-request content` rules, None without any.
        redirects: its `redirect` lines, None without any.
        told: is told of each request and TCP session that is over (`-d`), None for nobody.
        route: what holds before a backend is chosen. half: a listen's own backend, None of a mere frontend.
    """

    def __init__(self, model: Proxy, runtime: Runtime) -> None:
        self.model = model
        self.label = model.name.encode()
        self.runtime = runtime
        self.process = runtime.process
        self.counters = FrontendCounters()
        self.sockets: dict[int, FrontendCounters] | None = None
        if "socket-stats" in model.options:
            self.sockets = {bind.number: FrontendCounters() for bind in model.binds}
        self.gate = Gate(model.maxconn or 0)
        self.stopping = False
        self.lets_idle_wait = "idle-close-on-response" in model.options
        self.connections: set[FrontConnection] = set()
        options = model.options
        tune = runtime.config.global_.tune
        self.buffer_size = runtime.process.bufsize
        self.limits = Limits(
            bufsize=runtime.process.bufsize,
            maxrewrite=runtime.process.maxrewrite,
            max_headers=int(tune.get("http.maxhdr", 101)),
            accept_invalid="accept-invalid-http-request" in options,
            any_payload=("h1-accept-payload-with-any-method",) in runtime.config.global_.settings,
        )
        self.continuous = "contstats" in options
        self.closes = model.http_mode == "close"
        self.abort_on_close = "abortonclose" in options
        self.ignore_probes = "http-ignore-probes" in options
        self.dont_log_null = "dontlognull" in options
        self.name_cases = runtime.name_cases if "h1-case-adjust-bogus-client" in options else None
        self.buffers_bodies = "http-buffer-request" in options
        self.max_own = DEFAULT_LIMIT
        for words in model.settings:
            if words[0] == "max-session-srv-conns":
                self.max_own = leading_integer(words[1])
        timeouts = model.timeouts
        self.client_timeout = seconds(timeouts.client)
        self.head_timeout = seconds(timeouts.http_request)
        between = timeouts.http_keep_alive if timeouts.http_keep_alive is not None else timeouts.http_request
        self.idle_timeout = min(seconds(between), self.client_timeout)
        self._compile(model, runtime)
        self._default: Route | None = None
        self.half: Backend | None = None
        self._routes: dict[Backend, Route] = {}

    def _compile(self, model: Proxy, runtime: Runtime) -> None:
        env = runtime.env(model)
        self.logger = Logger(model, env)
        # Without a log format a line tells of each session that begins, which in HTTP each request is.
        self._tells_sessions = self.logger.at_accept and model.mode != "http"
        self._tells_requests = self.logger.at_accept and model.mode == "http"
        self.unique_id: Callable[[Transaction], bytes] | None = None
        if model.unique_id_format is not None:
            self.unique_id = runtime.compile_format(model.unique_id_format, model)
        self.connection_rules = runtime.ruleset(model, "tcp-request connection")
        self.session_rules = runtime.ruleset(model, "tcp-request session")
        self.inspection = runtime.inspection(model, "tcp-request content", self.limits)
        speaks_http = model.mode == "http" or any(
            rule.action == "switch-mode" for rule in model.rules.get("tcp-request content", ())
        )
        self.request_rules = runtime.ruleset(model, "http-request") if speaks_http else None
        self.redirects = runtime.redirects(model) if speaks_http else None
        self.told: Callable[[Transaction], None] | None = None
        self.keep_request = request_captures(model)
        self.keep_request_cookie = request_cookie(model)
        self.keep_response = response_captures(model)
        self.keep_response_cookie = response_cookie(model)
        self._bindings = {id(bind.tls): self._binding(bind) for bind in model.binds if bind.tls is not None}
        self.monitor = self._monitor(model, runtime) if model.monitor_uri is not None and model.mode == "http" else None
        self.route = Route(self, None)

    def _binding(self, bind: Bind) -> Binding:
        """The certificates and settings of a TLS line."""
        from hapy.tls.binding import Binding
        from hapy.tls.settings import surroundings

        raw = self.model.mode == "tcp"
        return Binding(bind, surroundings(self.runtime.config.global_, "bind", raw=raw))

    def _monitor(self, model: Proxy, runtime: Runtime) -> Callable[[Transaction], Outcome | None]:
        uri = to_bytes(model.monitor_uri or "")
        failing = [runtime.condition(condition, model) for condition in model.monitor_fail]
        pages = runtime.pages

        def reply(status: int) -> Reply:
            return Reply("monitor", "return", status, "L", "R", lambda txn: pages.build(txn, status))

        sound, failed = reply(200), reply(503)

        def monitor(txn: Transaction) -> Outcome | None:
            if txn.uri != uri:
                scheme, _, rest = txn.uri.partition(b"://")
                at = rest.find(b"/")
                if at < 0 or b"/" in scheme or rest[at:] != uri:
                    return None
            txn.log_level = "silent"
            return failed if any(fails(txn) for fails in failing) else sound

        return monitor

    def finish_setup(self, default: Backend | None) -> None:
        """Once all backends stand: where requests go that no `use_backend` sends elsewhere."""
        self._default = self.route if default is None else self.route_to(default)
        self.half = self.runtime.backends.get(self.model.name) if self.model.is_backend else None
        self._branches = self.runtime.branches(self)

    # connections

    def protocol(self, bind: Bind) -> Callable[[Callable[[], None]], Receiver]:
        """What makes the protocol of each connection that the bind accepts."""
        listening = Listening(bind)
        make = ClientConnection if self.model.mode == "http" else ClientSide
        if bind.tls is not None:
            from hapy.proxy.greeting import Greeting

            binding = self._bindings[id(bind.tls)]

            def serve(met: Listening | Met, release: Callable[[], None]) -> Receiver:
                return Greeting(self, met, binding, make, release)
        else:

            def serve(met: Listening | Met, release: Callable[[], None]) -> Receiver:
                return make(self, met, release)

        if bind.accept_proxy or bind.netscaler is not None or self._expects_prefaces():
            from hapy.proxy.proxied import ProxiedGreeting

            return lambda release: ProxiedGreeting(self, listening, serve, release)
        return lambda release: serve(listening, release)

    def _expects_prefaces(self) -> bool:
        """Whether rules decide on the headers that connections begin with."""
        return any(rule.action.startswith("expect-") for rule in self.model.rules.get("tcp-request connection", ()))

    def screen(self, client: Client, transport: Transport) -> bool:
        """Count a connection that has just been accepted and ask `tcp-request connection`; False: it must be reset."""
        counters = self.counters
        counters.conn_tot += 1
        counters.conn_rate.add(client.accepted)
        rules = self.connection_rules
        outcome = None if rules is None else rules.run(Transaction(client, self, client.accepted))
        if outcome is None or outcome is ALLOW:
            return True
        dropped = self._turned_away(client, transport, outcome)
        for counted in self._counted(client):
            counted.dcon += not dropped
        return False

    def _turned_away(self, client: Client, transport: Transport, outcome: Outcome) -> bool:
        """Rules have turned a new connection away; whether they drop it: its client then hears nothing of its end."""
        for counted in self._counted(client):
            counted.smax = max(counted.smax, counted.scur + 1)
            if counted is not self.counters:
                counted.stot += 1
        if outcome is not SILENT_DROP:
            return False
        self.count_denied(client)
        silence(transport.get_extra_info("socket"))
        return True

    def _counted(self, client: Client) -> tuple[FrontendCounters, ...]:
        """Where what the client does is counted: the section, and the bind that it came by (`option socket-stats`)."""
        return (self.counters,) if self.sockets is None else (self.counters, self.sockets[client.listener_id])

    def count_denied(self, client: Client, backend: Backend | None = None) -> None:
        """A rule of this section, or of the backend, has denied a request."""
        for counted in self._counted(client):
            counted.dreq += 1
        if backend is not None:
            backend.counters.dreq += 1

    def count_denied_answer(self, client: Client, backend: Backend, server: Server | None) -> None:
        """A rule has denied a server's answer."""
        for counted in self._counted(client):
            counted.dresp += 1
        backend.counters.dresp += 1
        if server is not None:
            server.counters.dresp += 1

    def admit(self, connection: FrontConnection, client: Client) -> bool:
        """Count a new connection and ask the rules about it; False: it is being closed."""
        counters = self.counters
        if not connection.listening.greeted and not self.screen(client, connection.transport):
            connection.draining = True
            connection.abort()
            return False
        rules = self.session_rules
        outcome = None if rules is None else rules.run(Transaction(client, self, client.accepted))
        if outcome is not None and outcome is not ALLOW:
            dropped = self._turned_away(client, connection.transport, outcome)
            for counted in self._counted(client):
                counted.dses += not dropped
            self._turn_away(connection, client)
            return False
        self.connections.add(connection)
        self.process.connections += 1
        self.runtime.budget.used += 1
        counters.open()
        if self.sockets is not None:
            self.sockets[client.listener_id].open()
        counters.rate.add(client.accepted)
        if self._tells_sessions:
            self.logger.log_accept(client)
        return True

    def _turn_away(self, connection: FrontConnection, client: Client) -> None:
        """A session is rejected: close without a word. After a handshake it is worth a line in the log."""
        met = connection.listening
        if met.waited:
            self.logger.log_error(Transaction(client, self, client.accepted), "Success")
        connection.draining = True
        if met.unread:
            connection.abort()
        else:
            connection.closed = True
            connection.transport.abort()

    def on_disconnection(self, connection: FrontConnection) -> None:
        """A connection has ended."""
        if connection in self.connections:
            self.connections.discard(connection)
            self.process.connections -= 1
            self.runtime.budget.used -= 1
            self.counters.scur -= 1
            if self.sockets is not None:
                self.sockets[connection.client.listener_id].scur -= 1

    def drop(self, connection: Stream) -> None:
        """Forget a connection without telling its client (`silent-drop`): no FIN, no RST reaches it."""
        connection.vanish()

    def refuse(self, txn: Transaction, status: int, cause: str, *, read: bool = False) -> bytes:
        """A connection failed before its request was understood: count and log it; gives the bytes to answer.

        Args:
            txn: what is known of it.
            status: the error's.
            cause: the first letter of the termination state.
            read: the request was well-formed: the answer is the status's page, not the fixed bytes of a connection.
        """
        moment = now()
        self.counters.ereq += 1
        self.counters.req_tot += 1
        self.counters.req_rate.add(moment)
        if self.sockets is not None:
            self.sockets[txn.client.listener_id].ereq += 1
        self.counters.empty += txn.idle_done < 0
        logged = not (self.dont_log_null and txn.idle_done < 0)
        if logged and self.logger.enabled:
            txn.number = self.process.requests
            self.process.requests += 1
        if not read:
            txn.unique_id = b""  # nothing was there to make one of
        txn.status = status if read or self.model.mode == "http" else 0  # a TCP session has none
        txn.term_cause = cause
        txn.term_phase = "R"
        txn.finished = moment
        self.counters.answered(status)
        answer = self._page(txn, status, fixed=not read)
        if logged:
            self.logger.log_refusal(txn)
        return answer

    def _page(self, txn: Transaction, status: int, *, fixed: bool) -> bytes:
        """The bytes of an error's answer, after which the connection closes; none where an errorfile is empty."""
        built = self.runtime.pages.build(txn, status)
        if built is None or fixed:
            return b"" if built is None else connection_error(status)
        head = response_head(built[0], 11, close=True, cases=self.name_cases)
        txn.bytes_out = head_size(built[0]) + len(built[1]) + CLOSE_SIZE
        return head + built[1]

    # requests

    def begin_request(self, txn: Transaction) -> None:
        """A request's head is complete."""
        process = self.process
        txn.number = process.requests
        process.requests += 1
        counters = self.counters
        counters.req_tot += 1
        counters.req_rate.add(txn.request_done)
        if self._tells_requests:
            self.logger.log_accept(txn.client)
        if self.keep_request is not None:
            self.keep_request(txn)

    def choose(self, txn: Transaction) -> Route:
        """The route of a request: the first `use_backend` that holds, else the default."""
        for choose in self._branches:
            backend = choose(txn)
            if backend is not None:
                return self.route_to(backend)
        assert self._default is not None
        return self._default

    def route_to(self, backend: Backend) -> Route:
        """The route to a backend, compiled when first needed."""
        route = self._routes.get(backend)
        if route is None:
            route = self._routes[backend] = Route(self, backend)
        return route

    def finish_request(self, exchange: Exchange, *, cut: bool) -> None:
        """A request is over: give back what it holds, count and log it, go on with its connection.

        Args:
            exchange: the request.
            cut: the client's connection must end, it has not had a whole answer.
        """
        txn = exchange.txn
        route = exchange.route
        server = txn.server
        held = 1 if exchange.slot_held else 0
        if exchange.server is not None:
            route.settle(exchange)
        elif exchange.slot_held:
            route.free_slot(exchange)
        txn.finished = now()
        status = txn.status
        counters = self.counters
        counters.bin += txn.bytes_in
        counters.bout += txn.bytes_out
        if 200 <= status < 300:
            counters.hrsp_2xx += 1
        else:
            if status:
                counters.answered(status)
            if txn.term_phase == "R" and txn.term_cause in "Cc":
                self._count_unfinished(txn)
        if exchange.entered:
            route.leave(txn)
        elif self.half is not None:
            self._count_half(self.half, txn)
        if self.sockets is not None:
            self._count_socket(self.sockets[txn.client.listener_id], txn)
        if not exchange.logged:
            self.logger.log_transaction(txn)
        if server is not None:
            server.backend.offer(server, after=held)  # after the log line, in which nobody else has the slot yet
        exchange.leave(abort=cut)
        if self.told is not None:
            self.told(txn)

    @staticmethod
    def _count_half(half: Backend, txn: Transaction) -> None:
        """A request of a `listen` that did not get to servers passes through its backend half all the same."""
        counters = half.counters
        counters.bin += txn.bytes_in
        counters.bout += txn.bytes_out
        if txn.overrides is not None and txn.overrides.service:
            counters.lastsess = txn.finished

    def _count_unfinished(self, txn: Transaction) -> None:
        """A client has left, or taken too long, before the body of its request was there, for which rules wait."""
        for counted in self._counted(txn.client):
            counted.ereq += 1

    @staticmethod
    def _count_socket(counters: FrontendCounters, txn: Transaction) -> None:
        """A request or a session is over: count it where it came in."""
        counters.bin += txn.bytes_in
        counters.bout += txn.bytes_out

    def log_as_soon(self, exchange: Exchange) -> None:
        """`option logasap`: write the line as the answer's head goes out.

        As in HAProxy what has come of the answer counts as it is when rules are done with its head, and the request not
        yet, but with `option contstats`.
        """
        txn = exchange.txn
        received, sent = txn.bytes_in, txn.bytes_out
        if not self.continuous:
            txn.bytes_in = 0
        server = exchange.server
        if server is not None and txn.response is not None:
            txn.bytes_out += head_size(txn.response) + sum(map(len, server.pieces))
            if server.ended and txn.response.body == CHUNKED:
                txn.bytes_out += 1 + fields_size(server.trailers)
        txn.finished = now()
        self.logger.log_transaction(txn)
        txn.finished = -1.0
        txn.bytes_in, txn.bytes_out = received, sent
        exchange.logged = True

    def finish_session(self, txn: Transaction, *, logged: bool) -> None:
        """A TCP session is over: count and log it."""
        self.counters.bin += txn.bytes_in
        self.counters.bout += txn.bytes_out
        if self.sockets is not None:
            self._count_socket(self.sockets[txn.client.listener_id], txn)
        if not logged and (txn.bytes_in or not self.dont_log_null):
            self.logger.log_transaction(txn)
        if self.told is not None:
            self.told(txn)

    # the end

    def stop(self) -> None:
        """Soft stop: idle connections are closed unless told to wait, all others with their next answer."""
        self.stopping = True
        for connection in tuple(self.connections):
            connection.stop()

    def end_sessions(self) -> None:
        """Hard stop: end what servers have at this moment."""
        for connection in tuple(self.connections):
            connection.end_session(None, "K")

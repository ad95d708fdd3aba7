"""What a frontend and a backend say together about a request, compiled once for each pair that occurs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from hapy.net.clock import NEVER, now
from hapy.pool import OwnConnections
from hapy.proxy.additions import compile_additions
from hapy.proxy.reframing import touches_framing
from hapy.rules.compile import Ruleset
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.http.message import Request, Response
    from hapy.http.serialize import NameCases
    from hapy.observe.counters import BackendCounters, FrontendCounters, Upstream
    from hapy.proxy.backend import Backend
    from hapy.proxy.exchange import Exchange
    from hapy.proxy.frontend import Frontend
    from hapy.proxy.inspection import Inspection
    from hapy.proxy.server import Server
    from hapy.proxy.server_connection import ServerConnection
    from hapy.proxy.transaction import Transaction
    from hapy.rules import Outcome
    from hapy_config.model.proxy import Proxy
    from hapy_config.model.rules import Rule

_MODES: Final = {"keep-alive": 0, "server-close": 1, "close": 2}

#: What `retry-on all-retryable-errors` stands for.
_ALL_RETRYABLE: Final = frozenset(
    {"conn-failure", "empty-response", "junk-response", "response-timeout", "0rtt-rejected", "500", "502", "503", "504"}
)


def seconds(milliseconds: int | None) -> float:
    """A timeout for deadlines: NEVER where there is none."""
    return milliseconds / 1000 if milliseconds else NEVER


class Route:
    """A frontend's requests to one backend (or to none yet).

    Attributes:
        frontend: where they come in. backend: where they go, None before one is chosen.
        model: the backend's, or the frontend's before one is chosen.
        close_server: the server's connection ends with each answer. tell_close: and the server is told so.
        asks_close, answers_close: whether a rule has put `connection: close` into a request or an answer; None where no
            rule does.
        reviews_answers: rules may have put into an answer's head what changes its framing or its connection.
        looks_at_answers: rules or captures do.
        reframes: rules may change the length or the encoding of requests or answers.
        abort_on_close: the client's leaving ends a request that has no answer yet. abort_on_reset: its reset does.
        buffer_body: the request's body is waited for (`option http-buffer-request`), for at most `body_timeout`.
        prepare: what adds header fields before a request leaves (x-forwarded-for, unique id, …), in order.
        name_header: the field that names the server to it, or None.
        counters: the backend's, or the frontend's before one is chosen.
        inspection: the backend's own `tcp-request content` rules. answer_inspection: its `tcp-response content` rules.
        request_rules, redirects: the backend's own. response_rules, after_rules: the backend's, then the frontend's.
        use_server: what `use-server` lines and cookies say, None without any.
        begin_tie: what ties a request to a server is asked for; None where persistence is not.
        retries, retry_events, retry_statuses, retries_connections: which failures are tried again, and how often.
        name_cases: how header names are written towards the server, None for lower case.
        …_timeout: seconds, NEVER for none.
    """

    backend: Backend | None

    __slots__ = (
        "_always_redispatches",
        "abort_on_close",
        "abort_on_reset",
        "after_rules",
        "answer_inspection",
        "answers_close",
        "asks_close",
        "backend",
        "begin_tie",
        "body_timeout",
        "buffer_body",
        "client_fin_timeout",
        "close_server",
        "connect_timeout",
        "counters",
        "frontend",
        "inspection",
        "looks_at_answers",
        "model",
        "name_cases",
        "name_header",
        "prefer_last",
        "prepare",
        "queue_timeout",
        "redirects",
        "reframes",
        "request_rules",
        "response_rules",
        "retries",
        "retries_connections",
        "retry_events",
        "retry_statuses",
        "reviews_answers",
        "server_fin_timeout",
        "server_timeout",
        "tarpit_timeout",
        "tell_close",
        "tunnel_timeout",
        "use_server",
    )

    def __init__(self, frontend: Frontend, backend: Backend | None) -> None:
        fe = frontend.model
        be: Proxy = fe if backend is None else backend.model
        self.frontend = frontend
        self.backend = backend
        self.model = be
        self.counters: FrontendCounters | BackendCounters = frontend.counters if backend is None else backend.counters
        self._set_modes(fe, be)
        self._set_timeouts(fe, be)
        self._set_retries(be)
        self.abort_on_reset = (
            "abortonclose" in fe.options
        )  # by way of `defaults`: a client that isn't read says nothing
        self.abort_on_close = self.abort_on_reset and "abortonclose" in be.options
        self.buffer_body = (
            "http-buffer-request" in fe.options
            or "http-buffer-request" in be.options
            or "check_post" in be.balance.options  # of `balance url_param`
        )
        self.prefer_last = "prefer-last-server" in be.options
        self.name_header = to_bytes(be.http_send_name_header.lower()) if be.http_send_name_header else None
        self.name_cases: NameCases | None = (
            frontend.runtime.name_cases if "h1-case-adjust-bogus-server" in be.options else None
        )
        self.prepare = compile_additions(fe, be)
        self._set_rules(frontend, backend)
        self._set_persistence(frontend, backend)

    def _set_modes(self, fe: Proxy, be: Proxy) -> None:
        self.close_server = max(_MODES[fe.http_mode], _MODES[be.http_mode]) > 0
        self.tell_close = self.close_server and "http-pretend-keepalive" not in be.options
        sections = (fe,) if be is fe else (fe, be)
        touched = any(_sets_connection(rules) for section in sections for rules in section.rules.values())
        self.asks_close: Callable[[Request], bool] | None = _says_close if touched else None
        self.answers_close: Callable[[Response], bool] | None = _says_close if touched else None
        self.reframes = any(touches_framing(rules) for section in sections for rules in section.rules.values())
        self.reviews_answers = touched or self.reframes

    def _set_timeouts(self, fe: Proxy, be: Proxy) -> None:
        timeouts = be.timeouts
        self.connect_timeout = seconds(timeouts.connect)
        self.queue_timeout = seconds(timeouts.queue or timeouts.connect)
        self.server_timeout = seconds(timeouts.server)
        self.server_fin_timeout = seconds(timeouts.server_fin)
        self.client_fin_timeout = seconds(fe.timeouts.client_fin)
        self.tunnel_timeout = seconds(timeouts.tunnel)
        self.tarpit_timeout = (timeouts.tarpit or timeouts.connect or 0) / 1000  # without either nobody is held
        self.body_timeout = seconds(timeouts.http_request if timeouts.http_request is not None else fe.timeouts.client)

    def _set_retries(self, be: Proxy) -> None:
        self.retries = be.retries
        events = set(be.retry_on)
        if "all-retryable-errors" in events:
            events |= _ALL_RETRYABLE
        self.retry_events = frozenset(events)
        self.retry_statuses = frozenset(event for event in events if event.isdigit())
        self.retries_connections = "conn-failure" in events
        self._always_redispatches = not be.balance.by_request

    def _set_rules(self, frontend: Frontend, backend: Backend | None) -> None:
        runtime = frontend.runtime
        fe = frontend.model
        self.request_rules: Ruleset | None = None
        self.inspection: Inspection | None = None
        self.answer_inspection: Inspection | None = None
        self.use_server: Callable[[Transaction], Server | None] | None = None
        self.begin_tie: Callable[[Transaction], Outcome | None] | None = None
        self.redirects: Callable[[Transaction], Outcome | None] | None = None
        sections = [fe]
        if backend is not None:
            self.use_server = runtime.use_servers(backend)
            self.answer_inspection = runtime.inspection(backend.model, "tcp-response content", frontend.limits)
            if backend.model is not fe:
                self.request_rules = runtime.ruleset(backend.model, "http-request")
                self.redirects = runtime.redirects(backend.model)
                self.inspection = runtime.inspection(backend.model, "tcp-request content", frontend.limits)
                sections.insert(0, backend.model)
        self.response_rules: tuple[Ruleset, ...] = runtime.rulesets(sections, "http-response")
        self.after_rules: tuple[Ruleset, ...] = runtime.rulesets(sections, "http-after-response")
        self.looks_at_answers = bool(
            self.answer_inspection
            or self.response_rules
            or self.after_rules
            or frontend.keep_response
            or frontend.keep_response_cookie
        )

    def _set_persistence(self, frontend: Frontend, backend: Backend | None) -> None:
        if frontend.keep_response_cookie is not None:  # after the rules, but before persistence takes cookies away
            self.response_rules = (*self.response_rules, Ruleset([(None, frontend.keep_response_cookie, False)]))
        be = self.model
        if backend is not None and (be.cookie is not None or be.persist_rules or be.rdp_cookie is not None):
            from hapy.persist.ties import tie

            tie(self, backend, frontend.runtime)

    # what a request does here

    def enter(self, exchange: Exchange) -> None:
        """A request comes to the backend."""
        backend = self.backend
        assert backend is not None
        exchange.entered = True
        backend.begin()
        counters = backend.counters
        counters.rate.add(exchange.txn.request_done)
        counters.stot += 1
        counters.scur = current = counters.scur + 1
        counters.smax = max(counters.smax, current)

    def leave(self, txn: Transaction) -> None:
        """It leaves the backend: count what came of it."""
        backend = self.backend
        assert backend is not None
        backend.end()
        counters = backend.counters
        counters.scur -= 1
        counters.bin += txn.bytes_in
        counters.bout += txn.bytes_out
        status = txn.status
        if 200 <= status < 300:
            counters.hrsp_2xx += 1
        elif status:
            counters.answered(status)
        server = txn.server
        if txn.term_cause != "-" and txn.term_cause in "CcSs":
            self._count_broken(txn, counters)
            if server is not None:
                self._count_broken(txn, server.counters)
        if txn.response_done >= 0.0 <= txn.connect_done:
            begun, queued, connected = txn.request_done, txn.queue_done, txn.connect_done
            first = txn.idle_done if txn.idle_done >= 0.0 else txn.started
            taken = (queued - begun, connected - queued, txn.response_done - connected, txn.finished - first)
            counters.times.add(taken)
            if server is not None:
                server.counters.times.add(taken)

    @staticmethod
    def _count_broken(txn: Transaction, counters: Upstream) -> None:
        """Who has broken off a request or a session that had come as far as to a server."""
        cause, phase = txn.term_cause, txn.term_phase
        if (cause in "Cc" and phase in "CHDL") or (cause == "C" and phase == "R"):
            counters.cli_abrt += 1
        elif cause in "Ss" and phase == "D":
            counters.srv_abrt += 1
            counters.eresp += cause == "S"

    def hold_slot(self, exchange: Exchange, server: Server, avoided: Server | None) -> None:
        """The request has got one of the server's slots."""
        backend = self.backend
        assert backend is not None
        txn = exchange.txn
        exchange.slot_held = True
        txn.server = server
        txn.queue_done = moment = now()
        counters = server.counters
        counters.lastsess = backend.counters.lastsess = moment
        counters.rate.add(moment)
        counters.stot += 1
        counters.scur = current = counters.scur + 1
        counters.smax = max(counters.smax, current)
        if avoided is not None:
            server.count_move(avoided)
            if server is not avoided:
                txn.redispatched = True
                if txn.cookie_in == "V":
                    txn.cookie_in = "D"

    def settle(self, exchange: Exchange) -> None:
        """The request has no further use for its server: keep or close the connection, free the slot."""
        connection = exchange.server
        assert connection is not None
        exchange.txn.bytes_out += connection.size
        self.part(exchange, connection)
        self.free_slot(exchange)

    def part(self, exchange: Exchange, connection: ServerConnection) -> None:
        """The request has no further use for this connection: keep or close it."""
        pool = connection.server.pool
        exchange.server = None
        exchange.sending = False
        if connection.reusable and exchange.request_sent:
            own = None
            if connection.private:
                own = exchange.stream.own
                if own is None:
                    own = exchange.stream.own = OwnConnections(self.frontend.max_own)
            connection.rest()
            pool.release(connection, own)
        else:
            connection.exchange = None
            pool.discard(connection)

    def free_slot(self, exchange: Exchange) -> None:
        """Give the server's slot back and count what it did; `Backend.offer` then passes it on."""
        exchange.slot_held = False
        txn = exchange.txn
        server = txn.server
        assert server is not None
        assert self.backend is not None
        counters = server.counters
        counters.scur -= 1
        counters.bin += txn.bytes_in
        counters.bout += txn.bytes_out
        self.backend.vacate(server)

    def redispatches(self, attempt: int, txn: Transaction | None = None, *, bound: bool = False) -> bool:
        """Whether the attempt after so many failures goes to another server (`option redispatch`).

        Args:
            attempt: failures so far.
            txn: the request; `force-persist` keeps it where it is.
            bound: a cookie or `use-server` has sent it there.
        """
        backend = self.backend
        every = self.model.redispatch
        if every is None or backend is None:
            return False
        if txn is not None:
            if txn.tie is not None and txn.tie.forced:
                return False
            if txn.server is not None and (not txn.server.up or txn.server.maintenance):
                return True
        if self._always_redispatches and not bound and len(backend.active) > 1:
            return True
        period = every if every > 0 else self.retries + 1 + every
        return period > 0 and attempt % period == 0


def _sets_connection(rules: tuple[Rule, ...]) -> bool:
    return any(str(rule.arguments.get("name", "")).lower() == "connection" for rule in rules)


def _says_close(message: Request | Response) -> bool:
    """Take `connection: close` out of a head that rules have put it into; whether it was there."""
    kept = [field for field in message.headers if field[0] != b"connection" or field[1].strip().lower() != b"close"]
    if len(kept) == len(message.headers):
        return False
    message.headers = kept
    return True

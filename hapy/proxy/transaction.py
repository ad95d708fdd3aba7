"""What is known of one request while it is served: the one object that rules, samples, balancing and logs look at.

Plain slots, set by the path of the request as it goes; nothing here computes. Times are seconds on the clock of
`hapy.net.clock` (monotonic), -1.0 where that point was not reached.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

from hapy.proxy.client import Client

if TYPE_CHECKING:
    from hapy.http.message import Header, Request, Response
    from hapy.net.sockets import Ends
    from hapy.observe.counters import FrontendCounters
    from hapy.persist.cookie import Tie
    from hapy.proxy.runtime import Runtime
    from hapy.proxy.server import Server
    from hapy.samples.content import Content
    from hapy_config.model.proxy import Proxy

    #: Waits for a body: (milliseconds, at least this many bytes).
    BodyWaiter = Callable[[int, int], Awaitable[None]]

__all__ = ["Client", "Entry", "Overrides", "Section", "Transaction"]


class Section(Protocol):
    """A frontend or a backend as rules, samples and logs see it."""

    @property
    def model(self) -> Proxy:
        """What the file says."""

    @property
    def label(self) -> bytes:
        """Its name."""


class Entry(Section, Protocol):
    """A frontend as they see it. Where there is no client (in checks) the backend itself stands in for it."""

    @property
    def counters(self) -> FrontendCounters:
        """What it counts."""

    @property
    def runtime(self) -> Runtime:
        """All that runs."""

    @property
    def unique_id(self) -> Callable[[Transaction], bytes] | None:
        """Makes the ID of a request (`unique-id-format`)."""


class Overrides:
    """What rules asked for that most requests do without.

    Attributes:
        timeouts: `server` and `tunnel` in ms, from `set-timeout`.
        priority_class, priority_offset: place in a queue (`set-priority-class`, `set-priority-offset`).
        early_hints: the fields of each 103 answer to send before anything else; taken (set to None) by who sends it.
        no_l7_retry: `disable-l7-retry` was met.
        service: what answers instead of a server, as the log names it; else empty.
        last_rule: (file, line) of the rule that ended a ruleset.
    """

    __slots__ = ("early_hints", "last_rule", "no_l7_retry", "priority_class", "priority_offset", "service", "timeouts")

    def __init__(self) -> None:
        self.timeouts: dict[str, int] | None = None
        self.priority_class = 0
        self.priority_offset = 0
        self.early_hints: list[list[Header]] | None = None
        self.no_l7_retry = False
        self.last_rule: tuple[str, int] | None = None
        self.service = b""


class Transaction:
    """One request and its answer (in TCP mode: one session, with `request` and `response` None).

    Attributes:
        client: the connection it came on.
        frontend: where it came in. backend: where it goes, the frontend itself until one is chosen. server: None
            until one is chosen.
        request: the head, as rules have left it. response: None until the server (or hapy) has answered.
        method, uri, version: the request line as received, for logs and captures.
        variables: `txn.`, `req.` and `res.` variables by full name, made on first use.
        request_captures, response_captures: one entry a `capture` slot, made on first use.
        cookie_captures: what `capture cookie` found: `name=value` in the request and in the answer, None before.
        number: how many requests and sessions the process had begun before it (`%rt`).
        source, source_port, destination, destination_port: None, or what `set-src` and its kin put in place.
        log_level: None, or what `set-log-level` asked for (`silent` for no line).
        status: the status sent to the client, -1 for none (a log prints it).
        bytes_in: bytes received from the client. bytes_out: bytes sent to it, heads included (`%B`).
        term_cause, term_phase: the two letters of the termination state (section 8.5); `-` for none.
        cookie_in, cookie_out: its third and fourth letters.
        retries: connection retries; redispatched: the last went to another server (`+` in the log).
        server_queue, backend_queue: how many were queued before it.
        idle_done: when the first byte of the request came (`%Ti` ends). request_done: the head was complete (`%Tr`).
        queue_done, connect_done: a slot was given, the server connection stood (`%Tw`, `%Tc`).
        response_done: the response head was complete (`%Tr`). finished: the last byte went out.
        started: when the wait for this request began: accept, or the end of the request before it.
        request_wall: wall-clock seconds of the request's first byte (`%tr`).
        reused: the request went out on a connection that had been used before. reuse_reason: one word of
            `hapy.pool.ReuseReason`.
        unique_id: made when first asked for.
        inspection: the state of content inspection (`tcp-request content`), None where there is none.
        body: the request's body as far as it is buffered (wait-for-body, http-buffer-request), or None.
        body_waiter: set by the path of the request: `await body_waiter(milliseconds, at_least)` buffers the request's
            body (in response rulesets the answer's) until it is complete, `at_least` bytes are there (0: as many as
            fit), or the time is up.
        answer_pieces: what has come of the answer's body while rules look at it, None before.
        server_ends: (address as text, port) of this side of the server connection and of the server's; None without a
            connection, and where nothing of the configuration asks (`Process.shows_ends`).
        server_tls: the TLS layer's view of the server connection, None for plain text.
        overrides: None, or what rules asked for beyond the usual.
        tie: what ties the request to a server, None in a backend without persistence.
    """

    __slots__ = (
        "answer_pieces",
        "backend",
        "backend_queue",
        "body",
        "body_waiter",
        "bytes_in",
        "bytes_out",
        "client",
        "connect_done",
        "cookie_captures",
        "cookie_in",
        "cookie_out",
        "destination",
        "destination_port",
        "finished",
        "frontend",
        "idle_done",
        "inspection",
        "log_level",
        "method",
        "number",
        "overrides",
        "queue_done",
        "redispatched",
        "request",
        "request_captures",
        "request_done",
        "request_wall",
        "response",
        "response_captures",
        "response_done",
        "retries",
        "reuse_reason",
        "reused",
        "server",
        "server_ends",
        "server_queue",
        "server_tls",
        "source",
        "source_port",
        "started",
        "status",
        "term_cause",
        "term_phase",
        "tie",
        "unique_id",
        "uri",
        "variables",
        "version",
    )

    def __init__(self, client: Client, frontend: Entry, started: float) -> None:
        self.client = client
        self.frontend: Entry = frontend
        self.backend: Section = frontend
        self.server: Server | None = None
        self.request: Request | None = None
        self.response: Response | None = None
        self.method = b""
        self.uri = b""
        self.version = 11
        self.variables: dict[str, Any] | None = None
        self.request_captures: list[bytes | None] | None = None
        self.response_captures: list[bytes | None] | None = None
        self.cookie_captures: list[bytes | None] | None = None
        self.source: bytes | None = None
        self.source_port: int | None = None
        self.destination: bytes | None = None
        self.destination_port: int | None = None
        self.log_level: str | None = None
        self.number = 0
        self.status = -1
        self.bytes_in = 0
        self.bytes_out = 0
        self.term_cause = "-"
        self.term_phase = "-"
        self.cookie_in = "-"
        self.cookie_out = "-"
        self.retries = 0
        self.redispatched = False
        self.server_queue = 0
        self.backend_queue = 0
        self.started = started
        self.idle_done = -1.0
        self.request_done = -1.0
        self.request_wall = 0.0
        self.queue_done = -1.0
        self.connect_done = -1.0
        self.response_done = -1.0
        self.finished = -1.0
        self.reused = False
        self.reuse_reason = ""
        self.unique_id: bytes | None = None
        self.inspection: Content | None = None
        self.body: bytes | None = None
        self.body_waiter: BodyWaiter | None = None
        self.answer_pieces: list[bytes] | None = None
        self.server_ends: Ends | None = None
        self.server_tls: Any = None
        self.overrides: Overrides | None = None
        self.tie: Tie | None = None

    def override(self) -> Overrides:
        """The overrides, made on first use."""
        if self.overrides is None:
            self.overrides = Overrides()
        return self.overrides

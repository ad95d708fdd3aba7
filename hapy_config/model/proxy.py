"""A proxy section: frontend, backend, listen (both at once), or the defaults they inherit from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hapy_config.model.addresses import Address
from hapy_config.model.checks import PLAIN, Checks
from hapy_config.model.expressions import Condition, LogFormat, SampleExpression
from hapy_config.model.rules import HttpReply, Redirect, Rule, UseBackend, UseServer
from hapy_config.model.sealing import seal
from hapy_config.model.server import Bind, Server, Source
from hapy_config.model.statistics import StatsPage
from hapy_config.source import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Timeouts:
    """`timeout …`, in ms; None means that it never expires (for http_request and http_keep_alive: see the manual)."""

    client: int | None = None
    connect: int | None = None
    server: int | None = None
    queue: int | None = None
    http_request: int | None = None
    http_keep_alive: int | None = None
    tarpit: int | None = None
    client_fin: int | None = None
    server_fin: int | None = None
    tunnel: int | None = None
    check: int | None = None


@dataclass(frozen=True, slots=True)
class LogTarget:
    """One `log` line.

    Attributes:
        address: None for `log global`, which the builder has already replaced by the global targets.
        stream: `stdout`, `stderr`, `ring` or empty for a syslog address.
        format: rfc3164, rfc5424, short, raw, timed, iso, local or priority; empty where none was written: local, or
            rfc3164 with `log-send-hostname`.
        length: longest message in bytes.
        facility: the syslog facility's name.
        level: the least severe level sent.
        minimum_level: messages less severe than this are raised to it, or None.
        sample: `(ranges, size)` of `sample`, or None.
    """

    address: Address | None
    stream: str = ""
    format: str = ""
    length: int = 1024
    facility: str = "local0"
    level: str = "debug"
    minimum_level: str | None = None
    sample: tuple[tuple[tuple[int, int], ...], int] | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Balance:
    """`balance`, with what belongs to it.

    Attributes:
        algorithm: roundrobin, static-rr, leastconn, first, source, uri, url_param, hdr, random, rdp-cookie, hash,
            sticky.
        argument: the header, parameter or cookie name; for random the number of draws as a string.
        options: `whole`, `path-only`, `len`, `depth`, `check_post`, `use_domain_only` with their values.
        expression: for `hash EXPR`.
        hash_type: map-based or consistent.
        hash_function: sdbm, djb2, wt6, crc32 or none.
        hash_modifier: avalanche or empty.
        hash_balance_factor: percent, 0 for none.
    """

    algorithm: str = "roundrobin"
    argument: str = ""
    options: Mapping[str, str] = field(default_factory=dict, hash=False)
    expression: SampleExpression | None = None
    hash_type: str = "map-based"
    hash_function: str = "sdbm"
    hash_modifier: str = ""
    hash_balance_factor: int = 0

    def __post_init__(self) -> None:
        seal(self, "options")

    @property
    def by_request(self) -> bool:
        """Whether something of the request decides, by its hash; with other algorithms any server will do."""
        return self.algorithm in {"source", "uri", "url_param", "hdr", "rdp-cookie", "hash"}


@dataclass(frozen=True, slots=True)
class ForwardFor:
    """`option forwardfor` or `option originalto`.

    Attributes:
        header: the header's name.
        if_none: leave a header that is already there.
        excepted: networks whose clients (for originalto: destinations) get none, as `ip/prefix` strings.
    """

    header: str
    if_none: bool = False
    excepted: tuple[str, ...] = ()

    @staticmethod
    def merged(front: ForwardFor | None, back: ForwardFor | None) -> ForwardFor | None:
        """What holds for a frontend's requests to a backend: the backend's header, and the exceptions of both."""
        if front is None or back is None or front is back:
            return back or front
        return ForwardFor(back.header, front.if_none and back.if_none, (*front.excepted, *back.excepted))


@dataclass(frozen=True, slots=True)
class Capture:
    """`capture request|response header NAME len N`, or `capture cookie`, or `declare capture … len N`."""

    direction: str  # request, response, cookie
    name: str
    length: int


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What answers instead of HAProxy's own page for one status.

    Attributes:
        status: 200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 421, 422, 425, 429, 500, 501, 502, 503 or 504.
        raw: a whole HTTP answer (`errorfile`); empty bytes answer nothing and just close.
        location: the URL of `errorloc`, with `location_code` 302 or 303.
        reply: the answer of `http-error`.
    """

    status: int
    raw: bytes | None = None
    location: str | None = None
    location_code: int = 302
    reply: HttpReply | None = None


@dataclass(frozen=True, slots=True)
class Cookie:
    """`cookie` of a backend: how a cookie ties a client to a server.

    Attributes:
        name: the cookie's name.
        mode: insert, prefix, rewrite, or empty where the cookie is only read.
        indirect: the server never sees it, and a client that has the right one gets no other.
        nocache: answers that get one are not for shared caches. postonly: only answers to POST get one.
        preserve: one that the server itself sets stays as it is.
        httponly, secure: attributes of what is inserted. domains, attributes: others, in order.
        dynamic: servers without a value have one made from their address and the secret key.
        max_idle, max_life: seconds after the last and after the first visit that it is good for, 0 for ever.
    """

    name: str
    mode: str = ""
    indirect: bool = False
    nocache: bool = False
    postonly: bool = False
    preserve: bool = False
    httponly: bool = False
    secure: bool = False
    domains: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    dynamic: bool = False
    max_idle: int = 0
    max_life: int = 0


@dataclass(frozen=True, slots=True)
class PersistRule:
    """`force-persist` (it holds for servers that are down too) or `ignore-persist`."""

    force: bool
    condition: Condition


@dataclass(frozen=True, slots=True)
class Proxy:
    """One frontend, backend or listen section with its defaults applied.

    A `listen` is a frontend and a backend in one, as in HAProxy: `is_frontend` and `is_backend` are both true.

    Attributes:
        name: the section's name.
        kind: frontend, backend or listen.
        number: its `id`, given or counted.
        numbered: it was given.
        mode: http, tcp, health or log.
        options: the names of all boolean options that are on (`http-server-close`, `abortonclose`, `httplog`, …).
        http_mode: keep-alive, server-close or close: the last of the options that was set.
        reuse: never, safe, aggressive or always.
        maxconn: of a frontend: connections at once; None takes the process-wide one.
        fullconn: of a backend: the load at which servers get their whole maxconn; None for the computed default.
        retries: attempts after the first.
        redispatch: the interval of `option redispatch`, None without that option: n > 0 every nth retry; n < 0: on the
            last retry but -n-1. With algorithms that hash nothing each retry goes elsewhere, whatever it says.
        retry_on: conn-failure, empty-response, junk-response, response-timeout, 0rtt-rejected, status codes, as
            strings.
        cookie: of a backend: what ties clients to servers. dynamic_cookie_key: the secret of its `dynamic`.
        persist_rules: `force-persist` and `ignore-persist`, in order: the first that applies counts.
        rdp_cookie: of a backend: the name of the RDP cookie that ties clients to servers, None without.
        rules: all rules by ruleset name, in order.
        checks: how servers are checked that ask for it.
        stats: the statistics page that answers some of its requests, None without one.
        inspect_delay, response_inspect_delay: ms that content rules may wait for contents.
        settings: every other statement that the tables know, as words, for what later issues run.
    """

    name: str
    kind: str
    number: int = 0
    numbered: bool = False
    mode: str = "tcp"
    description: str | None = None
    disabled: bool = False
    options: frozenset[str] = frozenset()
    http_mode: str = "keep-alive"
    timeouts: Timeouts = Timeouts()
    log: tuple[LogTarget, ...] = ()
    log_format: LogFormat | None = None
    error_log_format: LogFormat | None = None
    log_tag: str | None = None
    log_format_sd: LogFormat | None = None
    unique_id_format: LogFormat | None = None
    unique_id_header: str | None = None
    captures: tuple[Capture, ...] = ()
    error_pages: Mapping[int, ErrorPage] = field(default_factory=dict, hash=False)
    forwardfor: ForwardFor | None = None
    originalto: ForwardFor | None = None
    rules: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict, hash=False)
    redirects: tuple[Redirect, ...] = ()
    inspect_delay: int = 0
    response_inspect_delay: int = 0
    stats: StatsPage | None = None
    # what a frontend has
    binds: tuple[Bind, ...] = ()
    maxconn: int | None = None
    backlog: int | None = None
    rate_limit_sessions: int = 0
    default_backend: str | None = None
    use_backends: tuple[UseBackend, ...] = ()
    monitor_uri: str | None = None
    monitor_fail: tuple[Condition, ...] = ()
    grace: int = 0
    # what a backend has
    servers: tuple[Server, ...] = ()
    dispatch: Address | None = None
    source: Source | None = None
    balance: Balance = Balance()
    reuse: str = "safe"
    use_servers: tuple[UseServer, ...] = ()
    fullconn: int | None = None
    retries: int = 3
    redispatch: int | None = None
    retry_on: frozenset[str] = frozenset({"conn-failure"})
    max_keep_alive_queue: int = -1
    http_send_name_header: str | None = None
    cookie: Cookie | None = None
    dynamic_cookie_key: str | None = None
    persist_rules: tuple[PersistRule, ...] = ()
    rdp_cookie: str | None = None
    load_server_state: str | None = None
    checks: Checks = PLAIN
    settings: tuple[tuple[str, ...], ...] = ()
    span: Span = field(default=NOWHERE, compare=False)

    def __post_init__(self) -> None:
        seal(self, "error_pages", "rules")

    @property
    def is_frontend(self) -> bool:
        """Whether it takes connections."""
        return self.kind in ("frontend", "listen")

    @property
    def is_backend(self) -> bool:
        """Whether it has servers."""
        return self.kind in ("backend", "listen")

"""A proxy section while it is being read.

What a section says lies in the instance, what nobody said in the class: a draft's own dictionary is all that a
successor has to copy, and what is not in it takes the model's default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from hapy_config.keywords.samples import Place
from hapy_config.model.addresses import Address
from hapy_config.model.checks import CheckStep
from hapy_config.model.expressions import AclExpression, Condition, LogFormat
from hapy_config.model.proxy import Balance, Capture, Cookie, ErrorPage, ForwardFor, LogTarget, PersistRule
from hapy_config.model.rules import Redirect, Rule, UseBackend, UseServer
from hapy_config.model.server import Bind, Server, Source
from hapy_config.model.statistics import StatsPage
from hapy_config.syntax import Statement

if TYPE_CHECKING:
    from hapy_config.build.bindwords import BindWords

FRONT: Final = 1
BACK: Final = 2

SIDES: Final = {"defaults": FRONT | BACK, "listen": FRONT | BACK, "frontend": FRONT, "backend": BACK}
#: How HAProxy names a proxy in its messages.
TITLES: Final = {"defaults": "defaults", "listen": "proxy", "frontend": "frontend", "backend": "backend"}


class Draft:
    """One defaults, frontend, backend or listen section."""

    kind: str
    name: str
    header: Statement
    side: int
    number: int = 0
    numbered: bool = False
    parent: Draft | None = None
    used_explicitly: bool = False
    used_implicitly: bool = False
    users_side: int = 0

    # what every proxy inherits
    mode: str = "tcp"
    disabled: bool = False
    http_mode: str = "keep-alive"
    log_format: tuple[str, Statement] | None = None
    log_format_kind: str = ""
    log_format_statement: Statement | None = None
    error_log_format: tuple[str, Statement] | None = None
    log_format_sd: tuple[str, Statement] | None = None
    unique_id_format: tuple[str, Statement] | None = None
    unique_id_header: str | None = None
    log_tag: str | None = None
    forwardfor: ForwardFor | None = None
    originalto: ForwardFor | None = None
    stats: StatsPage | None = None
    stats_statement: Statement | None = None

    # what a frontend inherits
    maxconn: int | None = None
    backlog: int | None = None
    rate_limit_sessions: int = 0
    monitor_uri: str | None = None
    default_backend: tuple[str, Statement] | None = None

    # what a backend inherits
    balance: Balance | None = None
    balance_statement: Statement | None = None
    hash_type: tuple[str, str, str] | None = None
    hash_balance_factor: int = 0
    reuse: str | None = None
    fullconn: int | None = None
    retries: int = 3
    redispatch: int | None = None
    retry_on: frozenset[str] | None = None
    max_keep_alive_queue: int = -1
    http_send_name_header: str | None = None
    load_server_state: str | None = None
    source: Source | None = None
    cookie: Cookie | None = None
    dynamic_cookie_key: str | None = None
    rdp_cookie: str | None = None
    email_alert: Mapping[str, tuple[str, Statement]] = {}
    check: str = ""
    check_statement: Statement | None = None
    check_families: frozenset[str] = frozenset()  # of the section's own rules, behind the check that it asks for last
    check_rules: tuple[tuple[str, str], ...] = ()
    check_steps: tuple[tuple[str, CheckStep], ...] = ()
    restrict_names: str | None = None

    # what belongs to the section alone
    description: str | None = None
    grace: int = 0
    rules_seen: int = 0  # a bit for each kind whose order is warned of
    has_rules: bool = False
    late_acls: bool = False
    listens: bool = False
    has_bind: bool = False  # a line, sound or not
    inspect_delay: int | None = None
    response_inspect_delay: int | None = None
    fcgi_app: tuple[str, Statement] | None = None
    tls_checks: bool = False
    own_checks: frozenset[str] = frozenset()
    dispatch: Address | None = None

    def __init__(self, kind: str, name: str, header: Statement) -> None:
        self.kind = kind
        self.name = name
        self.header = header
        self.side = SIDES[kind]
        self.options: set[str] = set()
        self.timeouts: dict[str, int] = {}
        self.log: list[LogTarget] = []
        self.error_pages: dict[int, ErrorPage] = {}
        self.settings: list[tuple[str, ...]] = []
        self.server_values: dict[str, object] = {}
        self.server_options: dict[str, tuple[str, ...]] = {}
        self.servers: list[Server] = []
        self.server_names: dict[str, Server] = {}
        self.twin_names: set[str] = set()
        self.server_ids: dict[int, Server] = {}
        self.templates: set[str] = set()
        self.bind_ids: dict[int, Statement] = {}
        self.tls_binds: list[tuple[Statement, BindWords]] = []
        #: What is to be spoken on `bind` lines that say it or use QUIC, and whether they do.
        self.bind_protocols: list[tuple[Statement, str, bool]] = []
        self.use_backend_statements: list[Statement] = []
        self.monitor_fail: list[Condition] = []
        self.filters: list[tuple[str, ...]] = []
        self.caches: set[str] = set()
        #: The groups that the agent of each SPOE engine sends; None where its file can't be read.
        self.engines: dict[str, frozenset[str] | None] = {}
        self.error_files: list[tuple[str, tuple[int, ...], Statement]] = []
        self.acls: dict[str, list[AclExpression]] = {}
        self.acl_places: dict[str, Place] = {}  # where all the lines of an ACL find their data
        self.used_acls: set[str] = set()
        self.tls_servers: set[str] = set()
        self.rules: dict[str, list[Rule]] = {}
        self.redirects: list[Redirect] = []
        self.captures: list[Capture] = []
        self.use_backends: list[UseBackend] = []
        self.use_servers: list[UseServer] = []
        self.persist_rules: list[PersistRule] = []
        self.binds: list[Bind] = []
        self.parsed_formats: dict[str, LogFormat] = {}

    @property
    def active(self) -> bool:
        """Whether HAProxy looks up what it names: not where it is disabled, nor in a defaults section nobody uses."""
        if self.kind == "defaults":
            return self.has_rules and self.users_side != 0
        return not self.disabled

    @property
    def title(self) -> str:
        """What HAProxy calls it in front of its name."""
        return TITLES[self.kind]

    @property
    def is_frontend(self) -> bool:
        """Whether it can take connections."""
        return self.side & FRONT != 0 and self.kind != "defaults"

    @property
    def is_backend(self) -> bool:
        """Whether it can have servers."""
        return self.side & BACK != 0 and self.kind != "defaults"

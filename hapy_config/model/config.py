"""The whole configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from hapy_config.model.expressions import LogFormat, SampleExpression
from hapy_config.model.proxy import LogTarget, Proxy
from hapy_config.model.resolvers import Resolvers
from hapy_config.model.sealing import seal
from hapy_config.model.server import Bind
from hapy_config.source import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the process that has its value from the start: `set-var` or `set-var-fmt` in the global section."""

    name: str
    expression: SampleExpression | None = None
    format: LogFormat | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Global:
    """The global section (configuration manual, section 3).

    Attributes:
        maxconn: connections at once in the whole process; None takes the computed default.
        tune: every `tune.*` that was set, by the name after `tune.`, as an int where it is a number.
        variables: `set-var` and `set-var-fmt`, in order.
        close_spread_time: ms over which a soft stop spreads the ends of clients' connections; -1 to leave them.
        stats_sockets: `stats socket` lines as words; stats_binds: the addresses that they listen on.
        stats_timeout: ms of silence that end a session there, 0 for none. stats_maxconn: sessions at once.
        settings: every other statement that the tables know, as words.
    """

    maxconn: int | None = None
    daemon: bool = False
    master_worker: bool = False
    nbthread: int | None = None
    pidfile: str | None = None
    user: str | None = None
    group: str | None = None
    uid: int | None = None
    gid: int | None = None
    chroot: str | None = None
    ulimit_n: int | None = None
    fd_hard_limit: int | None = None
    node: str | None = None
    description: str | None = None
    localpeer: str | None = None
    hard_stop_after: int | None = None
    grace: int = 0
    close_spread_time: int = 0
    log: tuple[LogTarget, ...] = ()
    log_tag: str | None = None
    log_send_hostname: str | None = None  # empty: the machine's own name
    stats_sockets: tuple[tuple[str, ...], ...] = ()
    stats_binds: tuple[Bind, ...] = ()
    stats_timeout: int = 10_000
    stats_maxconn: int = 10
    variables: tuple[Variable, ...] = ()
    h1_case_adjust: Mapping[str, str] = field(default_factory=dict, hash=False)
    spread_checks: int = 0
    strict_limits: bool = True
    tune: Mapping[str, int | str] = field(default_factory=dict, hash=False)
    settings: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        seal(self, "h1_case_adjust", "tune")


@dataclass(frozen=True, slots=True)
class User:
    """A user of a userlist."""

    name: str
    password: str
    encrypted: bool
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Userlist:
    """`userlist NAME`."""

    name: str
    users: Mapping[str, User] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        seal(self, "users")


@dataclass(frozen=True, slots=True)
class OtherSection:
    """A section that is checked and kept, and run by a later issue (peers, cache, ring, …)."""

    kind: str
    name: str
    statements: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """All that the files say.

    Attributes:
        global_: the global section(s), merged.
        proxies: frontends, backends and listens in order; names are unique among frontends and among backends.
        http_errors: pages by `http-errors` section name, then status.
        resolvers: the `resolvers` sections by name.
    """

    global_: Global = Global()
    proxies: tuple[Proxy, ...] = ()
    userlists: Mapping[str, Userlist] = field(default_factory=dict, hash=False)
    http_errors: Mapping[str, Mapping[int, bytes]] = field(default_factory=dict, hash=False)
    others: tuple[OtherSection, ...] = ()
    resolvers: Mapping[str, Resolvers] = field(default_factory=dict, hash=False)

    _frontends: Mapping[str, Proxy] = field(init=False, repr=False, compare=False, hash=False)
    _backends: Mapping[str, Proxy] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_frontends", {proxy.name: proxy for proxy in self.proxies if proxy.is_frontend})
        object.__setattr__(self, "_backends", {proxy.name: proxy for proxy in self.proxies if proxy.is_backend})
        pages = {name: MappingProxyType(dict(pages)) for name, pages in self.http_errors.items()}
        object.__setattr__(self, "http_errors", pages)
        seal(self, "userlists", "http_errors", "resolvers", "_frontends", "_backends")

    @property
    def has_saved_states(self) -> bool:
        """Whether a file with servers' states is read at start; a global one is, whoever takes from it."""
        return any(words[0] == "server-state-file" for words in self.global_.settings) or any(
            proxy.load_server_state for proxy in self.proxies
        )

    def frontend(self, name: str) -> Proxy | None:
        """The frontend (or listen) of that name."""
        return self._frontends.get(name)

    def backend(self, name: str) -> Proxy | None:
        """The backend (or listen) of that name."""
        return self._backends.get(name)

"""Drafts to the frozen model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from hapy_config.build.checks import checks_of
from hapy_config.build.draft import BACK, FRONT
from hapy_config.build.resolvers import read_resolvers
from hapy_config.model.config import Config, Global, OtherSection, Userlist
from hapy_config.model.proxy import Balance, ErrorPage, Proxy, Timeouts
from hapy_config.model.rules import Rule
from hapy_config.model.server import Bind, Server

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.build.draft import Draft

_NO_TIMEOUTS: Final = Timeouts()
_ROUNDROBIN: Final = Balance()
_SAME: Final = (
    "name", "kind", "number", "numbered", "mode", "description", "disabled", "http_mode", "log_tag", "unique_id_header",
    "forwardfor",
    "originalto", "maxconn", "backlog", "rate_limit_sessions", "monitor_uri", "grace", "dispatch", "source", "fullconn",
    "retries", "redispatch", "max_keep_alive_queue", "http_send_name_header", "load_server_state",
    "inspect_delay", "response_inspect_delay", "stats", "cookie", "dynamic_cookie_key", "rdp_cookie",
)  # fmt: skip
_FIELDS: Final = frozenset(_SAME)
_FRONT_FIELDS: Final = frozenset({"maxconn", "backlog", "rate_limit_sessions", "monitor_uri"})
_BACK_FIELDS: Final = frozenset(
    {
        "source",
        "fullconn",
        "retries",
        "redispatch",
        "max_keep_alive_queue",
        "http_send_name_header",
        "load_server_state",
        "dispatch",
        "cookie",
        "dynamic_cookie_key",
        "rdp_cookie",
    }
)
_GLOBAL_FIELDS: Final = (
    "maxconn", "daemon", "master_worker", "nbthread", "pidfile", "user", "group", "uid", "gid", "chroot", "ulimit_n",
    "node",
    "description", "localpeer", "hard_stop_after", "grace", "close_spread_time",
    "fd_hard_limit", "log_tag", "log_send_hostname", "strict_limits",
)  # fmt: skip


def _count(items: Sequence[Bind] | Sequence[Server], taken: Mapping[int, object]) -> None:
    """Give those without a number the next free one; HAProxy counts on with every item, numbered or not."""
    number = 1
    for item in items:
        if not item.number:
            while number in taken:
                number += 1
            # The objects were made in this build and nobody else has seen them.
            object.__setattr__(item, "number", number)
        number += 1


def _numbered(binds: Sequence[Bind]) -> tuple[Bind, ...]:
    _count(binds, {bind.number: bind for bind in binds if bind.number})
    return tuple(binds)


class Freezer:
    """Makes the model; values that many proxies share are made once."""

    def __init__(self, build: Build) -> None:
        self.build = build
        self._timeouts: dict[tuple[tuple[str, int], ...], Timeouts] = {}
        self._options: dict[frozenset[str], frozenset[str]] = {}

    def config(self) -> Config:
        """The whole configuration."""
        build = self.build
        userlists = {
            draft.name: Userlist(draft.name, dict(draft.users))
            for (kind, _), draft in build.sections.items()
            if kind == "userlist"
        }
        errors = {draft.name: dict(draft.pages) for (kind, _), draft in build.sections.items() if kind == "http-errors"}
        others = tuple(
            OtherSection(draft.kind, draft.name, tuple(draft.statements))
            for (kind, _), draft in build.sections.items()
            if kind not in ("userlist", "http-errors", "resolvers")
        )
        resolvers = {
            draft.name: read_resolvers(build, draft)
            for (kind, _), draft in build.sections.items()
            if kind == "resolvers"
        }
        self._number_proxies()
        proxies = tuple([self.proxy(draft) for draft in build.proxies])
        return Config(self.global_(), proxies, userlists, errors, others, resolvers)

    def _number_proxies(self) -> None:
        """Proxies count from 1, or from 2 behind the one that HAProxy makes of the stats sockets."""
        build = self.build
        number = 2 if build.stats_sockets else 1
        for draft in build.proxies:
            if not draft.number:
                while number in build.proxy_ids:
                    number += 1
                draft.number = number
            number += 1

    def global_(self) -> Global:
        """The global section."""
        build = self.build
        values = {name: build.global_[name] for name in _GLOBAL_FIELDS if name in build.global_}
        spread = build.global_.get("spread_checks", 0)
        return Global(
            log=tuple(build.global_log),
            stats_sockets=tuple(build.stats_sockets),
            stats_binds=_numbered(build.stats_binds),
            stats_timeout=build.stats_timeout,
            stats_maxconn=build.stats_maxconn,
            variables=tuple(build.variables),
            h1_case_adjust=dict(build.case_adjust),
            tune=dict(build.tune),
            settings=tuple(build.global_settings),
            spread_checks=int(spread) if isinstance(spread, str) and spread.isdecimal() else 0,
            **values,  # type: ignore[arg-type]
        )

    def proxy(self, draft: Draft) -> Proxy:
        """One proxy."""
        values = {name: value for name, value in draft.__dict__.items() if name in _FIELDS}
        if not draft.side & FRONT:
            for name in _FRONT_FIELDS:
                values.pop(name, None)
        else:
            self._front(draft, values)
        if draft.side & BACK:
            self._back(draft, values)
        else:
            for name in _BACK_FIELDS:
                values.pop(name, None)
        if draft.options:
            own = frozenset(draft.options)
            values["options"] = self._options.setdefault(own, own)
        if draft.timeouts:
            values["timeouts"] = self._timeout(draft.timeouts)
        if draft.log:
            values["log"] = tuple(draft.log)
        if draft.error_pages or draft.error_files:
            values["error_pages"] = self._pages(draft)
        rules = self._rules(draft)
        if rules:
            values["rules"] = rules
        if draft.redirects:
            values["redirects"] = tuple(draft.redirects)
        if draft.settings:
            values["settings"] = tuple(draft.settings)
        for name in ("log_format", "error_log_format", "log_format_sd", "unique_id_format"):
            parsed = draft.parsed_formats.get(name)
            if parsed is not None:
                values[name] = parsed
        values["options"] = self._with_log_options(draft, values.get("options", frozenset()))
        values["span"] = draft.header.span()
        return Proxy(**values)

    @staticmethod
    def _with_log_options(draft: Draft, options: frozenset[str]) -> frozenset[str]:
        """`httplog`, `httplog clf`, `httpslog` and `tcplog` are options too, for whoever writes log lines."""
        kind = draft.log_format_kind
        if kind in ("httplog", "httplog-clf", "httpslog", "tcplog"):
            return options | {kind.replace("-", " ")}
        return options

    def _front(self, draft: Draft, values: dict[str, object]) -> None:
        if draft.binds:
            _count(draft.binds, draft.bind_ids)
            values["binds"] = tuple(draft.binds)
        if draft.captures:
            values["captures"] = tuple(draft.captures)
        if draft.use_backends:
            values["use_backends"] = tuple(draft.use_backends)
        if draft.monitor_fail:
            values["monitor_fail"] = tuple(draft.monitor_fail)
        if draft.default_backend is not None:
            values["default_backend"] = draft.default_backend[0]

    def _back(self, draft: Draft, values: dict[str, object]) -> None:
        if draft.servers:
            values["servers"] = self._servers(draft)
        if draft.use_servers:
            values["use_servers"] = tuple(draft.use_servers)
        if draft.persist_rules:
            values["persist_rules"] = tuple(draft.persist_rules)
        if draft.check or draft.check_steps:
            values["checks"] = checks_of(draft)
        if draft.reuse is not None:
            values["reuse"] = draft.reuse
        if draft.retry_on is not None:
            values["retry_on"] = draft.retry_on
        balance = draft.balance or _ROUNDROBIN
        if draft.hash_type is not None or draft.hash_balance_factor:
            kind, function, modifier = draft.hash_type or ("map-based", "sdbm", "")
            balance = Balance(
                balance.algorithm,
                balance.argument,
                balance.options,
                balance.expression,
                kind,
                function,
                modifier,
                draft.hash_balance_factor,
            )
        values["balance"] = balance

    @staticmethod
    def _servers(draft: Draft) -> tuple[Server, ...]:
        """The servers, with the numbers that were left to count."""
        _count(draft.servers, draft.server_ids)
        return tuple(draft.servers)

    def _timeout(self, timeouts: dict[str, int]) -> Timeouts:
        """The timeouts; 0 is none."""
        key = tuple(sorted((name, value) for name, value in timeouts.items() if value))
        found = self._timeouts.get(key)
        if found is None:
            found = self._timeouts[key] = Timeouts(**dict(key))
        return found

    def _pages(self, draft: Draft) -> dict[int, ErrorPage]:
        """The error pages, those of `errorfiles` sections below the section's own."""
        pages: dict[int, ErrorPage] = {}
        for name, statuses, _ in draft.error_files:
            section = self.build.sections.get(("http-errors", name))
            if section is not None:
                for status, raw in section.pages.items():
                    if not statuses or status in statuses:
                        pages[status] = ErrorPage(status, raw=raw)
        pages.update(draft.error_pages)
        return pages

    @staticmethod
    def _rules(draft: Draft) -> dict[str, tuple[Rule, ...]]:
        """The rules by ruleset: those of the named defaults section run first."""
        parent = draft.parent
        inherited = parent.rules if parent is not None and parent.name else {}
        names = [*inherited, *(name for name in draft.rules if name not in inherited)]
        return {name: (*inherited.get(name, ()), *draft.rules.get(name, ())) for name in names}

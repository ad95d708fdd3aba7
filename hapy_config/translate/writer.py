"""A configuration text from the model: each proxy says all that holds for it, so there are no defaults sections."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from hapy_config.model.config import Config, Global, Userlist
from hapy_config.model.proxy import ErrorPage, ForwardFor, LogTarget, Proxy, Timeouts
from hapy_config.model.resolvers import HOLDS, NameServer, Resolvers
from hapy_config.model.rules import HttpReply, Redirect, Rule
from hapy_config.model.server import Bind, Server, Source
from hapy_config.model.statistics import StatsPage
from hapy_config.translate.writing import Acls, Files, address, line, option_words, plain, redirect, reply

_DEFAULT: Final = Proxy("", "backend")
_LOG_KINDS: Final = {"httplog": "httplog", "httplog clf": "httplog clf", "httpslog": "httpslog", "tcplog": "tcplog"}
_TLS_ON_SERVERS: Final = frozenset({"verify", "ca-file"})
#: Options that may stand in no defaults section.
_DEFAULTS_REFUSE: Final = frozenset({"http-use-htx"})
#: Options that the model holds in fields of their own too.
_SERVER_FIELDS: Final = frozenset({"resolvers", "init-addr", "source", "track"})
_ARGUMENTS: Final = (
    "name", "match", "regex", "map", "number", "level", "service", "which", "timeout", "engine", "group", "key",
    "value", "format", "expression", "resolvers",
)  # fmt: skip


def write_config(config: Config, folder: str = "") -> tuple[str, Mapping[str, str]]:
    """The text of a configuration, and of the files that it reads answers from, by name; they lie in `folder`."""
    files = Files(folder)
    sections = [_global(config.global_)]
    sections += [_userlist(one) for one in config.userlists.values()]
    sections += [
        [line([one.kind, one.name]), *(f"    {line(words)}" for words in one.statements)] for one in config.others
    ]
    for name, pages in config.http_errors.items():
        rows = [f"    errorfile {status} {files.add(name, raw)}" for status, raw in pages.items()]
        sections.append([line(["http-errors", name]), *rows])
    sections += [_resolvers(one) for one in config.resolvers.values() if one.name != "default"]
    before: list[str] | None = None
    for count, one in enumerate(config.proxies, 1):
        defaults = _defaults(one)
        if defaults != before:
            before = defaults
            sections.append(["defaults", *defaults])
        section = _Section(one, files)
        if one.numbered or one.number not in (0, count):
            section.add("id", one.number)
        sections.append(section.lines())
    return "\n".join(
        "".join(f"{one}\n" for one in section) for section in sections if len(section) > 1 or section[0] != "global"
    ), files.texts


def _global(value: Global) -> list[str]:
    rows = [line(words) for words in value.settings]
    known = {words[0] for words in value.settings}
    rows += [_log(one) for one in value.log if "log" not in known]
    rows += [line(["stats", "socket", words]) for words in value.stats_sockets if "stats" not in known]
    for name in (
        "maxconn",
        "nbthread",
        "pidfile",
        "user",
        "group",
        "chroot",
        "node",
        "description",
        "localpeer",
        "log_tag",
    ):
        word = name.replace("_", "-")
        if getattr(value, name) is not None and word not in known:
            rows.append(line([word, getattr(value, name)]))
    for name in ("daemon", "master_worker"):
        if getattr(value, name) and name.replace("_", "-") not in known:
            rows.append(name.replace("_", "-"))
    return ["global", *(f"    {row}" for row in rows)]


def _userlist(value: Userlist) -> list[str]:
    rows = [line(["group", group]) for group in sorted({one for user in value.users.values() for one in user.groups})]
    for user in value.users.values():
        groups = ["groups", ",".join(sorted(user.groups))] if user.groups else []
        kind = "password" if user.encrypted else "insecure-password"
        rows.append(line(["user", user.name, [kind, user.password] if user.password else [], groups]))
    return [line(["userlist", value.name]), *(f"    {row}" for row in rows)]


def _log(value: LogTarget) -> str:
    where = value.stream or (address(value.address) if value.address is not None else "global")
    words: list[object] = ["log", where]
    words += ["len", value.length] if value.length != 1024 else []
    words += ["format", value.format] if value.format else []
    if value.sample is not None:
        ranges = ",".join(f"{low}-{high}" if low != high else str(low) for low, high in value.sample[0])
        words += ["sample", f"{ranges}:{value.sample[1]}"]
    levels = [value.level] if value.level != "debug" or value.minimum_level else []
    return line([*words, value.facility, *levels, value.minimum_level])


def _defaults(proxy: Proxy) -> list[str]:
    """What stands in a defaults section, since what is of no use to a proxy stands in its model all the same."""
    times = ((name, getattr(proxy.timeouts, name)) for name in Timeouts.__dataclass_fields__)
    lines = [f"    timeout {name.replace('_', '-')} {time}" for name, time in times if time is not None]
    if proxy.unique_id_format is not None and not proxy.is_frontend:
        lines.append(f"    {line(['unique-id-format', proxy.unique_id_format.text])}")
    return lines + [f"    option {option}" for option in _options(proxy) if option not in _DEFAULTS_REFUSE]


def _options(proxy: Proxy) -> list[str]:
    """Options that no other part of the model holds, keep-alive of both sides apart."""
    written = {" ".join(words[1:]) for words in proxy.settings if words[0] == "option"}
    return sorted(option for option in proxy.options if option not in written)


def _resolvers(value: Resolvers) -> list[str]:
    usual = Resolvers(value.name)
    rows = ["parse-resolv-conf" if one is None else _name_server(one) for one in value.nameservers]
    rows += [f"resolve_retries {value.retries}"] if value.retries != usual.retries else []
    for name in ("resolve", "retry"):
        if getattr(value, f"timeout_{name}") != getattr(usual, f"timeout_{name}"):
            rows.append(f"timeout {name} {getattr(value, f'timeout_{name}')}")
    rows += [f"hold {name} {time}" for name, time in value.hold.items() if time != HOLDS.get(name)]
    for name in ("valid", "obsolete"):
        if getattr(value, f"hold_{name}") != getattr(usual, f"hold_{name}"):
            rows.append(f"hold {name} {getattr(value, f'hold_{name}')}")
    rows += [f"accepted_payload_size {value.payload_size}"] if value.payload_size != usual.payload_size else []
    return [line(["resolvers", value.name]), *(f"    {row}" for row in rows)]


def _name_server(value: NameServer) -> str:
    where = address(value.address)
    words: list[object] = ["nameserver", value.name, f"tcp@{where}" if value.stream and "@" not in where else where]
    if value.server is not None:
        words += server_options(value.server)
    return line(words)


def _source(value: Source) -> list[str]:
    words = ["source", address(value.address)]
    words += ["usesrc", value.usesrc] if value.usesrc else []
    return [*words, *(["interface", value.interface] if value.interface else [])]


class _Section:
    """Writes one proxy."""

    def __init__(self, proxy: Proxy, files: Files) -> None:
        self.proxy = proxy
        self.files = files
        self.acls = Acls()
        self.rows: list[str] = []

    def add(self, *words: object) -> None:
        """One line."""
        self.rows.append(line(words))

    def lines(self) -> list[str]:
        """The section."""
        self._common()
        if self.proxy.is_frontend:
            self._front()
        self._statements()
        self._rules()
        if self.proxy.is_backend:
            self._back()
        return [
            line([self.proxy.kind, self.proxy.name]),
            *(f"    {row}" for row in (f"mode {self.proxy.mode}", *self.acls.written(), *self.rows)),
        ]

    def _common(self) -> None:
        proxy = self.proxy
        for name in ("description", "log_tag"):
            if getattr(proxy, name) is not None:
                self.add(name.replace("_", "-"), getattr(proxy, name))
        if proxy.disabled:
            self.add("disabled")
        for option in _options(proxy):
            if option in _DEFAULTS_REFUSE:
                self.add("option", option.split())
        modes = {"keep-alive": None, "http-keep-alive": None, "close": "httpclose", "server-close": "http-server-close"}
        mode = modes.get(proxy.http_mode, proxy.http_mode)
        if mode:
            self.add("option", mode)
        self.rows += [_log(one) for one in proxy.log]
        if proxy.is_frontend:
            for name in ("log_format", "error_log_format", "log_format_sd", "unique_id_format"):
                format_ = getattr(proxy, name)
                if format_ is not None and not (name == "log_format" and set(proxy.options) & set(_LOG_KINDS)):
                    self.add(name.replace("_", "-"), format_.text)
        if proxy.unique_id_header:
            self.add("unique-id-header", proxy.unique_id_header)
        for name in ("forwardfor", "originalto"):
            value = getattr(proxy, name)
            if value is not None:
                self._forwarded(name, value)
        for page in proxy.error_pages.values():
            self._error_page(page)

    def _forwarded(self, name: str, value: ForwardFor) -> None:
        words = [part for network in value.excepted for part in ("except", network)]
        usual = {"forwardfor": "X-Forwarded-For", "originalto": "X-Original-To"}[name]
        words += ["header", value.header] if value.header != usual else []
        self.add("option", name, words, "if-none" if value.if_none else None)

    def _error_page(self, page: ErrorPage) -> None:
        if page.raw is not None:
            self.add("errorfile", page.status, self.files.add(self.proxy.name, page.raw) if page.raw else "/dev/null")
        elif page.location is not None:
            self.add(f"errorloc{page.location_code}", page.status, page.location)
        elif page.reply is not None:
            self.add("http-error", reply(page.reply, "http-error", self.files))

    def _front(self) -> None:
        proxy = self.proxy
        for bind in proxy.binds:
            self._bind(bind)
        for name in ("maxconn", "backlog"):
            if getattr(proxy, name) is not None:
                self.add(name, getattr(proxy, name))
        if proxy.rate_limit_sessions:
            self.add("rate-limit", "sessions", proxy.rate_limit_sessions)
        if proxy.monitor_uri:
            self.add("monitor-uri", proxy.monitor_uri)
        for condition in proxy.monitor_fail:
            self.add("monitor", "fail", self.acls.condition(condition))
        rules = (rule for ruleset in proxy.rules.values() for rule in ruleset if rule.action == "capture")
        made = {rule.arguments["slot"] for rule in rules if "length" in rule.arguments}
        index = -1
        for capture in proxy.captures:
            index += capture.direction == "request"
            if capture.direction == "cookie":
                self.add("capture", "cookie", capture.name, "len", capture.length)
            elif capture.name:
                self.add("capture", capture.direction, "header", capture.name, "len", capture.length)
            elif index not in made or capture.direction == "response":
                self.add("declare", "capture", capture.direction, "len", capture.length)

    def _bind(self, bind: Bind) -> None:
        words: list[object] = ["bind", address(bind.address)]
        values = (("name", bind.name), ("maxconn", bind.maxconn or None), ("backlog", bind.backlog or None),
                  ("mode", None if bind.mode is None else f"{bind.mode:o}"), ("uid", bind.uid), ("gid", bind.gid),
                  ("interface", bind.interface), ("mss", bind.mss), ("nice", bind.nice or None),
                  ("accept-netscaler-cip", bind.netscaler))  # fmt: skip
        words += [[name, value] for name, value in values if value is not None]
        flags = (("v4v6", bind.v4v6 is True), ("v6only", bind.v4v6 is False), ("transparent", bind.transparent),
                 ("defer-accept", bind.defer_accept), ("tfo", bind.tfo),
                 ("accept-proxy", bind.accept_proxy))  # fmt: skip
        words += [name for name, on in flags if on]
        if bind.tls is not None:
            words.append("ssl")
            for name, given in bind.tls.items():
                several = name in ("crt", "crt-list")
                words += [[name, one] for one in given] if several else [[name, *given]]
        words += option_words(bind.options, frozenset(bind.tls or ()))
        self.add(*words)

    def _statements(self) -> None:
        proxy = self.proxy
        for words in proxy.settings:
            if not (words[0] == "stats" and proxy.stats is not None):
                self.add(words)
        told = {words[:2] for words in proxy.settings}
        if proxy.inspect_delay and ("tcp-request", "inspect-delay") not in told:
            self.add("tcp-request", "inspect-delay", proxy.inspect_delay)
        if proxy.response_inspect_delay and ("tcp-response", "inspect-delay") not in told:
            self.add("tcp-response", "inspect-delay", proxy.response_inspect_delay)

        if proxy.stats is not None:
            self._stats(proxy.stats)

    def _stats(self, page: StatsPage) -> None:
        self.add("stats", "uri", page.uri)
        if page.realm is not None:
            self.add("stats", "realm", page.realm)
        for user, password in page.accounts:
            self.add("stats", "auth", f"{user}:{password}")
        for rule in page.rules:
            self.add("stats", "http-request", rule.word, self._words(rule), self.acls.condition(rule.condition))
        for condition in page.admin:
            self.add("stats", "admin", self.acls.condition(condition))
        for name in page.scope:
            self.add("stats", "scope", name)
        if page.refresh:
            self.add("stats", "refresh", f"{page.refresh}s")
        flags = (
            ("hide-version", page.hide_version),
            ("show-legends", page.show_legends),
            ("show-modules", page.show_modules),
        )
        for word, on in flags:
            if on:
                self.add("stats", word)
        if page.show_node is not None:
            self.add("stats", "show-node", page.show_node or None)
        if page.show_description is not None:
            self.add("stats", "show-desc", page.show_description or None)

    def _rules(self) -> None:
        for rules in self.proxy.rules.values():
            for rule in rules:
                self._rule(rule)
        for one in self.proxy.redirects:
            self.add("redirect", redirect(one), self.acls.condition(one.condition))
        for use in self.proxy.use_backends:
            target = use.target if isinstance(use.target, str) else use.target.text
            self.add("use_backend", target, self.acls.condition(use.condition))
        if self.proxy.default_backend is not None:
            self.add("default_backend", self.proxy.default_backend)

    def _rule(self, rule: Rule) -> None:
        self.add(rule.ruleset.split(), rule.word, self._words(rule), self.acls.condition(rule.condition))

    def _words(self, rule: Rule) -> list[str]:
        """What stands behind an action's name."""
        writer = _ACTIONS.get(rule.action)
        given = rule.arguments
        if rule.action == "capture":
            kept = ["id", str(given["slot"])] if "length" not in given else ["len", str(given["length"])]
            words = [*plain(given["expression"]), *kept]
        elif "reply" in given:
            value = given["reply"]
            assert isinstance(value, HttpReply)
            words = reply(value, rule.action, self.files)
        elif writer is not None:
            words = writer(given)
        else:
            words = [part for name in _ARGUMENTS if name in given and name != "map" for part in plain(given[name])]
        return words

    def _back(self) -> None:
        proxy = self.proxy
        balance = proxy.balance
        if balance != _DEFAULT.balance:
            self._balance()
        if proxy.reuse != _DEFAULT.reuse:
            self.add("http-reuse", proxy.reuse)
        for name in ("fullconn", "http_send_name_header", "dynamic_cookie_key", "load_server_state"):
            if getattr(proxy, name) is not None:
                word = {"load_server_state": "load-server-state-from-file"}.get(name, name.replace("_", "-"))
                self.add(word, getattr(proxy, name))
        if proxy.retries != _DEFAULT.retries:
            self.add("retries", proxy.retries)
        if proxy.redispatch:
            self.add("option", "redispatch", None if proxy.redispatch == -1 else proxy.redispatch)
        if proxy.retry_on != _DEFAULT.retry_on:
            self.add("retry-on", sorted(proxy.retry_on) or "none")
        if proxy.max_keep_alive_queue != _DEFAULT.max_keep_alive_queue:
            self.add("max-keep-alive-queue", proxy.max_keep_alive_queue)
        if proxy.rdp_cookie is not None:
            self.add("persist", f"rdp-cookie({proxy.rdp_cookie})")
        if proxy.cookie is not None:
            self._cookie()
        for rule in proxy.persist_rules:
            self.add("force-persist" if rule.force else "ignore-persist", self.acls.condition(rule.condition))
        if proxy.dispatch is not None:
            self.add("dispatch", address(proxy.dispatch))
        if proxy.source is not None:
            self.add(_source(proxy.source))
        for use in proxy.use_servers:
            target = use.target if isinstance(use.target, str) else use.target.text
            self.add("use-server", target, self.acls.condition(use.condition))
        for index, server in enumerate(proxy.servers, 1):
            self._server(server, index)

    def _balance(self) -> None:
        balance = self.proxy.balance
        words = [balance.algorithm]
        if balance.algorithm == "hdr":
            words = [f"hdr({balance.argument})"]
        elif balance.algorithm in ("rdp-cookie", "random") and balance.argument:
            words = [f"{balance.algorithm}({balance.argument})"]
        elif balance.algorithm == "url_param":
            words.append(balance.argument)
        elif balance.expression is not None:
            words.append(balance.expression.text)
        for name, value in balance.options.items():
            words += [name, value] if (value and value != "1") or name in ("len", "depth") else [name]
        self.add("balance", words)
        usual = _DEFAULT.balance
        chosen = (balance.hash_type, balance.hash_function, balance.hash_modifier)
        if chosen != (usual.hash_type, usual.hash_function, usual.hash_modifier):
            modifier = [balance.hash_modifier] if balance.hash_modifier else []
            self.add("hash-type", balance.hash_type, balance.hash_function, modifier)
        if balance.hash_balance_factor:
            self.add("hash-balance-factor", balance.hash_balance_factor)

    def _cookie(self) -> None:
        cookie = self.proxy.cookie
        assert cookie is not None
        flags = ("indirect", "nocache", "postonly", "preserve", "httponly", "secure", "dynamic")
        words = [
            cookie.name,
            *([cookie.mode] if cookie.mode else []),
            *(name for name in flags if getattr(cookie, name)),
        ]
        words += [part for domain in cookie.domains for part in ("domain", domain)]
        words += [part for one in cookie.attributes for part in ("attr", one)]
        words += ["maxidle", f"{cookie.max_idle}s"] if cookie.max_idle else []
        words += ["maxlife", f"{cookie.max_life}s"] if cookie.max_life else []
        self.add("cookie", words)

    def _server(self, server: Server, index: int) -> None:
        number = ["id", server.number] if server.numbered or server.number != index else None
        self.add("server", server.name, address(server.address, offset=True), number, *server_options(server))
        if server.pool.min_conn is not None:
            self.rows[-1] += f"  # hapy: pool-min-conn {server.pool.min_conn}"


def server_options(server: Server) -> list[object]:
    """The words behind a server's address."""
    words: list[object] = []
    usual = Server("", 0, server.address)
    values = (
        "weight",
        "maxconn",
        "minconn",
        "maxqueue",
        "pool_max_conn",
        "pool_low_conn",
        "pool_purge_delay",
        "slowstart",
    )
    told = (name for name in values if getattr(server, name) != getattr(usual, name))
    words += [[name.replace("_", "-"), getattr(server, name)] for name in told]
    if server.max_reuse != usual.max_reuse:
        words.append(["max-reuse", server.max_reuse])
    words += [name for name in ("backup", "disabled", "check") if getattr(server, name)]
    for name in ("cookie", "redir", "track", "resolvers"):
        if getattr(server, name) is not None:
            words.append([name, getattr(server, name)])
    if server.init_addr != usual.init_addr:
        words.append(["init-addr", ",".join(server.init_addr)])
    if server.send_proxy:
        words.append("send-proxy" if server.send_proxy == 1 else "send-proxy-v2")
    if server.source is not None:
        words.append(_source(server.source))
    options = dict(server.options)
    if server.tls is not None:
        words.append("ssl")
        options |= server.tls.options
        if server.tls.sni is not None:
            options["sni"] = (server.tls.sni.text,)
    if "proxy-v2-options" in options:
        kept = ",".join(one for one in options.pop("proxy-v2-options") if one not in ("v1", "v2"))
        options |= {"proxy-v2-options": (kept,)} if kept else {}
    words += option_words(options, _SERVER_FIELDS)
    return words


def _header_words(given: Mapping[str, object]) -> list[str]:
    return [part for name in ("name", "regex", "value") if name in given for part in plain(given[name])]


def _del_header(given: Mapping[str, object]) -> list[str]:
    method = given.get("match")
    return [*plain(given["name"]), *(["-m", str(method)] if method not in (None, "str") else [])]


def _status(given: Mapping[str, object]) -> list[str]:
    return [*plain(given["number"]), *(["reason", *plain(given["reason"])] if given.get("reason") else [])]


def _redirect_words(given: Mapping[str, object]) -> list[str]:
    value = given["redirect"]
    assert isinstance(value, Redirect)
    return redirect(value)


def _auth(given: Mapping[str, object]) -> list[str]:
    return ["realm", str(given["realm"])] if given.get("realm") is not None else []


def _track(given: Mapping[str, object]) -> list[str]:
    return [*plain(given["expression"]), *(["table", str(given["table"])] if given.get("table") is not None else [])]


def _wait(given: Mapping[str, object]) -> list[str]:
    return ["time", str(given["time"]), *(["at-least", str(given["at_least"])] if "at_least" in given else [])]


def _names(*names: str) -> Callable[[Mapping[str, object]], list[str]]:
    def words(given: Mapping[str, Any]) -> list[str]:
        return [part for name in names if name in given for part in plain(given[name])]

    return words


_ACTIONS: Final[Mapping[str, Callable[[Mapping[str, object]], list[str]]]] = {
    "add-header": _header_words,
    "set-header": _header_words,
    "early-hint": _header_words,
    "replace-header": _header_words,
    "replace-value": _header_words,
    "del-header": _del_header,
    "set-status": _status,
    "redirect": _redirect_words,
    "auth": _auth,
    "track-sc*": _track,
    "wait-for-body": _wait,
    "strict-mode": lambda given: ["on" if given["switch"] else "off"],
    "accept": _names(),
    "set-var*": _names("expression", "format"),
    "set-var-fmt*": _names("format"),
    "unset-var*": _names(),
    "do-resolve*": _names("expression"),
    "set-map*": _names("key", "value"),
    "normalize-uri": _names("name", "options"),
    "expect-proxy": lambda _given: ["layer4"],
    "expect-netscaler-cip": lambda _given: ["layer4"],
    "switch-mode": lambda given: ["http", *(["proto", str(given["protocol"])] if "protocol" in given else [])],
}

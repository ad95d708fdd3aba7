"""A frontend in HTTP mode as a `server` block with a `location` for each backend it leads to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hapy_config.model.config import Config
from hapy_config.model.expressions import LogFormat
from hapy_config.model.proxy import ForwardFor, Proxy
from hapy_config.model.rules import UseBackend
from hapy_config.model.server import Bind
from hapy_config.translate.answers import own_page, page, page_answer
from hapy_config.translate.field_names import policy, tell, whole_policy
from hapy_config.translate.flow import (
    TRUE,
    Every,
    Formula,
    Subject,
    Test,
    Untranslatable,
    formula,
    pieces,
    simplified,
)
from hapy_config.translate.ledger import Ledger
from hapy_config.translate.nginx.cookies import target, without
from hapy_config.translate.nginx.logs import access_log
from hapy_config.translate.nginx.response import response_rules
from hapy_config.translate.nginx.rules import (
    AnswerHeader,
    Site,
    current_header,
    joined,
    refuse,
    request_rules,
    write_redirect,
)
from hapy_config.translate.nginx.servers import (
    connection_lines,
    note_backend,
    place,
    retry_lines,
    tls_lines,
    upstream,
    versions,
)
from hapy_config.translate.nginx.text import always_quoted, block, duration, identifier, quoted, upstream_name
from hapy_config.translate.nginx.variables import Variables
from hapy_config.translate.options import TLS_LIMITS, takes_ipv4, tell_bind

#: Told wherever answers are compressed.
_COMPRESSED: Final = (
    "answers that could be compressed have a Vary, too; none is compressed for '*'; "
    "of those compressed an ETag that begins with no quote is left out"
)
#: For how long nginx waits where HAProxy would for ever.
_FOR_EVER: Final = "365d"
_ALIVE: Final = "<html><body><h1>200 OK</h1>\nService ready.\n</body></html>\n"
_BEYOND_ASCII: Final = r"\x80-\xff"
_TLS_DIRECTIVES: Final = (
    ("ciphers", "ssl_ciphers"),
    ("ciphersuites", "ssl_conf_command Ciphersuites"),
    ("curves", "ssl_ecdh_curve"),
    ("ecdhe", "ssl_ecdh_curve"),
    ("ca-file", "ssl_client_certificate"),
    ("crl-file", "ssl_crl"),
)
_CARRIED: Final = TLS_LIMITS | {
    "alpn", "backlog", "curves", "defer-accept", "ecdhe", "no-tls-tickets", "prefer-client-ciphers", "tfo", "v4v6",
    "v6only",
}  # fmt: skip


def listen_lines(ledger: Ledger, bind: Bind, *, stream: bool) -> list[str]:
    """The `listen` directives of a bind line.

    Raises:
        Untranslatable: nginx can't listen there.
    """
    words = []
    if bind.tls is not None:
        words.append("ssl")
        if not stream and "h2" in ",".join(bind.tls.get("alpn", ())):
            words.append("http2")
    if bind.accept_proxy:
        words.append("proxy_protocol")
    if bind.backlog:
        words.append(f"backlog={bind.backlog}")
    if bind.defer_accept:
        words.append("deferred")
    if takes_ipv4(ledger, bind):
        words.append("ipv6only=off")
    elif bind.v4v6 is False and bind.address.family == "ipv6":
        words.append("ipv6only=on")
    if bind.tfo:
        words.append("fastopen=256")
    tell_bind(ledger, bind, _CARRIED)
    address = bind.address
    if address.datagram or address.protocol.startswith("quic"):
        raise Untranslatable("nginx listens on streams here only")
    if address.family == "any":
        host = "*"
    elif address.family == "ipv6":
        host = f"[{address.host}]"
    elif address.family in ("ipv4", "name"):
        host = address.host
    else:
        return [f"listen {place(address)}{''.join(f' {word}' for word in words)};"]
    tail = "".join(f" {word}" for word in words)
    return [f"listen {host}:{port}{tail};" for port in address.ports]


def bind_tls_lines(ledger: Ledger, bind: Bind) -> list[str]:
    """Certificates and what else TLS listeners need."""
    tls = bind.tls
    if tls is None:
        return []
    lines: list[str] = []
    files = [entry.files.path for entry in bind.certificates] or list(tls.get("crt", ()))
    for file in files[:1]:
        lines += [f"ssl_certificate {always_quoted(file)};", f"ssl_certificate_key {always_quoted(file)};"]
    if not files:
        raise Untranslatable("it names no certificate that nginx could use")
    if len(files) > 1:
        others = ", ".join(files[1:])
        ledger.lost(
            bind.span, f"bind: nginx picks certificates by server_name; give these servers of their own: {others}"
        )
    allowed = versions(dict(tls))
    if allowed:
        lines.append(f"ssl_protocols {allowed};")
    for option, directive in _TLS_DIRECTIVES:
        unused = (option == "ca-file" and "verify" not in tls) or (option == "ecdhe" and "curves" in tls)
        if option in tls and not unused:
            lines.append(f"{directive} {always_quoted(tls[option][0])};")
    verify = tls.get("verify", ("none",))[0]
    if verify != "none":
        lines.append(f"ssl_verify_client {'on' if verify == 'required' else 'optional'};")
    if "no-tls-tickets" in tls:
        lines.append("ssl_session_tickets off;")
    if "prefer-client-ciphers" not in tls:
        lines.append("ssl_prefer_server_ciphers on;")
    return lines


def target_name(use: UseBackend) -> str:
    """What a `use_backend` line names, as written."""
    return use.target if isinstance(use.target, str) else use.target.text


class SiteWriter:
    """Writes one frontend.

    Args:
        ledger: takes the notes.
        variables: the maps of the `http` block.
        config: the model.
        proxy: the frontend or listen.
    """

    def __init__(self, ledger: Ledger, variables: Variables, config: Config, proxy: Proxy) -> None:
        self.ledger = ledger
        self.config = config
        self.proxy = proxy
        self.variables = variables
        self.site = Site(ledger, variables, proxy.name)
        variables.changed = self.site.headers
        self.formats: list[str] = []

    def write(self) -> list[str]:
        """The `server` block; empty where nothing can listen."""
        site = self.site
        for bind in self.proxy.binds:
            try:
                site.head.extend((*listen_lines(self.ledger, bind, stream=False), *bind_tls_lines(self.ledger, bind)))
                self.ledger.done(bind.span)
            except Untranslatable as reason:
                self.ledger.lost(bind.span, f"bind was left out: {reason}")
        if not any(line.startswith("listen ") for line in site.head):
            return []
        self._settings()
        self._early_rules()
        backends = self._choose()
        self._header_names(backends)
        site.head = list(dict.fromkeys(site.head))
        for one in (self.proxy, *backends):
            self.ledger.wrote(one)
        self._locations(backends)
        return block("server", [*site.head, *site.lines, *site.locations])

    def _settings(self) -> None:
        head, timeouts = self.site.head, self.proxy.timeouts
        head += ["server_name _;", "recursive_error_pages on;"]
        header = timeouts.http_request or timeouts.client
        head.append(f"client_header_timeout {duration(header) if header else _FOR_EVER};")
        if timeouts.client:
            head += [f"client_body_timeout {duration(timeouts.client)};", f"send_timeout {duration(timeouts.client)};"]
        idle = timeouts.http_keep_alive or timeouts.http_request or timeouts.client
        closing = self.proxy.http_mode == "close"
        head.append(f"keepalive_timeout {0 if closing else duration(idle) if idle else _FOR_EVER};")
        head += self._compression(self.proxy)
        if "gzip on;" in head:
            text = f"{_COMPRESSED}; nginx compresses its own, too"
            self.ledger.near(self.ledger.line(self.proxy, "compression", "algo"), text)
        kinds = [words[2:] for words in self.proxy.settings if words[:2] == ("compression", "type")]
        if kinds and "text/html" not in kinds[-1]:
            span = self.ledger.line(self.proxy, "compression", "type")
            self.ledger.near(span, "nginx compresses text/html, too, whatever is listed")
        # What no server gave is for no cache, but permanent redirects.
        uncached = self.variables.map(
            "$upstream_status:$status", [("~^:(302|303|307|[45])", "no-cache")], "", "uncached"
        )
        head.append(f'add_header Cache-Control "{uncached}" always;')
        line, format_ = access_log(self.ledger, self.proxy)
        head.append(line)
        self.formats = format_
        if any(bind.accept_proxy for bind in self.proxy.binds):
            head += ["set_real_ip_from 0.0.0.0/0;", "set_real_ip_from ::/0;", "real_ip_header proxy_protocol;"]
        if "tcpka" in self.proxy.options or "clitcpka" in self.proxy.options:
            head[:] = [f"{one[:-1]} so_keepalive=on;" if one.startswith("listen ") else one for one in head]

    def _header_names(self, backends: Sequence[Proxy]) -> None:
        wanted = whole_policy(self.ledger, self.proxy, backends)
        if wanted != "preserve":
            self.site.head += ["ignore_invalid_headers on;", "underscores_in_headers off;"]
        if wanted == "reject":
            for one in (self.proxy, *backends):
                if policy(one) == "reject":
                    text = "requests with such headers are not refused: the headers are removed"
                    tell(self.ledger, one, text, lost=True)

    @staticmethod
    def _compression(proxy: Proxy) -> list[str]:
        lines: list[str] = []
        for words in proxy.settings:
            if words[:2] == ("compression", "algo") and "gzip" in words:
                lines += [
                    "gzip on;",
                    "gzip_min_length 0;",
                    "gzip_proxied any;",
                    "gzip_http_version 1.1;",
                    "gzip_vary on;",
                ]
            elif words[:2] == ("compression", "type"):
                kinds = [word for word in words[2:] if word != "text/html"]
                lines += [f"gzip_types {' '.join(kinds)};"] if kinds else []
        if lines and not any(line.startswith("gzip_types") for line in lines):
            lines.append("gzip_types *;")
        return list(dict.fromkeys(lines)) if "gzip on;" in lines else []

    def _early_rules(self) -> None:
        """What comes before a request's own rules: `monitor-uri`, and rules about the connection."""
        site, proxy = self.site, self.proxy
        # HAProxy takes no fragments, and no bytes beyond ASCII unless it is told so.
        lenient = "accept-invalid-http-request" in proxy.options
        site.lines += block(f'if ($request_uri ~ "[#{"" if lenient else _BEYOND_ASCII}]")', ["return 400;"])
        if proxy.monitor_uri:
            asked: Formula = Test(Subject("url"), "exact", (proxy.monitor_uri,))
            for statement in self.ledger.proxy_statements(proxy):
                if statement.words[:2] == ["monitor", "fail"]:
                    self.ledger.lost(statement.span(), "monitor fail was left out: it depends on more than the request")
            site.when(asked, site.answer(own_page(200, text=_ALIVE)))
        for ruleset in ("tcp-request connection", "tcp-request session", "tcp-request content"):
            for rule in proxy.rules.get(ruleset, ()):
                try:
                    if rule.action == "accept" and rule.condition is None:
                        self.ledger.done(rule.span)
                        break
                    if rule.action != "reject":
                        raise Untranslatable("nginx has nothing like it")
                    site.when(formula(rule.condition), ["return 444;"])
                    self.ledger.near(rule.span, "the connection is closed when its first request has come")
                except Untranslatable as reason:
                    self.ledger.left_out(rule, reason, refused=refuse(site, rule))

    def _choose(self) -> list[Proxy]:
        """Write the rules of the frontend, the choice of a backend, and those of the backends; gives the backends."""
        site, proxy = self.site, self.proxy
        request_rules(site, proxy.rules.get("http-request", ()), proxy, self.config)
        for redirect in proxy.redirects:
            try:
                write_redirect(site, redirect, formula(redirect.condition))
                self.ledger.done(redirect.span)
            except Untranslatable as reason:
                self.ledger.lost(redirect.span, f"redirect was left out: {reason}")
        variable = f"$hapy_backend_{identifier(proxy.name)}"
        default = self._default()
        found: dict[str, Proxy] = {}
        chosen: list[str] = []
        for use in proxy.use_backends:
            try:
                condition = self.variables.condition(formula(use.condition), moved=site.moved)
                lines = self._use(use, variable, found)
                chosen[:0] = block(f"if ({condition})", lines) if condition else lines
                self.ledger.done(use.span)
            except Untranslatable as reason:
                self.ledger.lost(use.span, f"use_backend {target_name(use)} was left out: {reason}")
        if default is not None:
            found.setdefault(default.name, default)
        first = default.name if default is not None else ""
        if not proxy.use_backends or not chosen:
            return [default] if default is not None else []
        site.lines += [f'set {variable} "{first}";', *chosen]
        self.choice = variable
        return list(found.values())

    choice = ""

    def _default(self) -> Proxy | None:
        if self.proxy.default_backend is not None:
            return self.config.backend(self.proxy.default_backend)
        return self.proxy if self.proxy.is_backend else None

    def _use(self, use: UseBackend, variable: str, found: dict[str, Proxy]) -> list[str]:
        """What chooses a backend; those that it may lead to are added to `found`."""
        if isinstance(use.target, LogFormat):
            value = self.variables.string(pieces(use.target), moved=self.site.moved)
            others = [one for one in self.config.proxies if one.is_backend and one.mode == "http" and not one.disabled]
            found.update({one.name: one for one in others})
            self.ledger.near(
                use.span, "a name that no backend has is answered with 503 instead of going to default_backend"
            )
            return [f"set {variable} {always_quoted(value)};"]
        backend = self.config.backend(use.target)
        if backend is None:
            raise Untranslatable("there is no such backend")
        found[backend.name] = backend
        return [f'set {variable} "{backend.name}";']

    def _locations(self, backends: Sequence[Proxy]) -> None:
        site = self.site
        for backend in backends:
            if backend is not self.proxy:
                scope: Formula = TRUE
                if self.choice:
                    scope = Test(Subject(self.choice), "exact", (backend.name,))
                request_rules(site, backend.rules.get("http-request", ()), backend, self.config, scope)
                for redirect in backend.redirects:
                    try:
                        write_redirect(site, redirect, simplified(Every((formula(redirect.condition), scope))))
                        self.ledger.done(redirect.span)
                    except Untranslatable as reason:
                        self.ledger.lost(redirect.span, f"redirect was left out: {reason}")
        for ruleset in ("http-response", "http-after-response"):
            for backend in backends:  # its rules run before the frontend's
                if backend is not self.proxy:
                    response_rules(site, backend.rules.get(ruleset, ()), backend.name)
                response_rules(site, self.proxy.rules.get(ruleset, ()), backend.name)
        bodies = {backend.name: self._location(backend) for backend in backends}
        if not self.choice:
            body = next(iter(bodies.values()), self._page(503))
            site.locations.extend(block("location /", body))
            return
        for name, body in bodies.items():
            jump = site.jump(body)
            site.lines.extend(block(f'if ({self.choice} = "{name}")', [jump]))
        site.locations.extend(block("location /", self._page(503)))

    def _page(self, status: int) -> list[str]:
        return ["default_type text/html;", f"return {status} {always_quoted(page(status))};"]

    def _location(self, backend: Proxy) -> list[str]:
        """What asks the servers of a backend."""
        servers = upstream(self.ledger, backend, self.variables, stream=False)
        if not servers or backend.disabled:
            return self._no_server(backend)
        scheme, tls = tls_lines(self.ledger, backend, self.variables, stream=False)
        note_backend(self.ledger, backend)
        asked, told = target(self.ledger, backend, self.variables)
        lines = [f"proxy_pass {scheme}://{asked};", *tls]
        lines += self._headers(backend, asked)
        timeouts = backend.timeouts
        lines.append(f"proxy_connect_timeout {duration(min(timeouts.connect or 75000, 75000))};")
        wait = duration(timeouts.server) if timeouts.server else _FOR_EVER
        lines += [f"proxy_read_timeout {wait};", f"proxy_send_timeout {wait};", *retry_lines(backend)]
        answered = dict(self.site.response.get(backend.name, {}))
        for name, value in told:
            header = answered.get(name.lower(), AnswerHeader(name))
            answered[name.lower()] = AnswerHeader(header.name, header.hidden, [*header.values, value])
        for header in answered.values():
            lines += header.lines()
        if any(line.startswith("add_header ") for line in lines) and "cache-control" not in answered:
            lines += [line for line in self.site.head if line.startswith("add_header ")]
        lines += self.site.asking()
        if self.site.method:
            lines.append(f"proxy_method {self.site.method};")
        if any(server.send_proxy for server in backend.servers):
            for server in backend.servers:
                if server.send_proxy:
                    self.ledger.lost(server.span, f"server '{server.name}': nginx sends PROXY headers in streams only")
        lines += connection_lines(self.ledger, backend)
        if backend is not self.proxy and (compression := self._compression(backend)):
            lines += compression
            self.ledger.near(self.ledger.line(backend, "compression", "algo"), _COMPRESSED)
        return lines + self._error_pages(backend)

    def _headers(self, backend: Proxy, asked: str) -> list[str]:
        headers = dict(self.site.headers)
        if asked != upstream_name(backend.name):
            before = current_header(self.site, "Cookie")
            if (cookies := without(backend, self.variables, before)) != before:
                headers["cookie"] = ("Cookie", cookies)
        for told, where in (
            (ForwardFor.merged(self.proxy.forwardfor, backend.forwardfor), Subject("src")),
            (ForwardFor.merged(self.proxy.originalto, backend.originalto), Subject("dst")),
        ):
            if told is None:
                continue
            try:
                headers[told.header.lower()] = (told.header, self._told(told, where))
            except Untranslatable as reason:
                self.ledger.lost(backend.span, f"{told.header} was left out: {reason}")
        if self.proxy.unique_id_header and self.proxy.unique_id_format is not None:
            try:
                value = new = self.variables.string(pieces(self.proxy.unique_id_format))
                before = current_header(self.site, self.proxy.unique_id_header)
                value = self.variables.map(before, [("", new)], joined(before, new), "unique") if before else new
                headers[self.proxy.unique_id_header.lower()] = (self.proxy.unique_id_header, value)
                if "$request_id" in value:
                    span = self.ledger.line(self.proxy, "unique-id-format")
                    self.ledger.near(span, "nginx's $request_id stands for a UUID: 32 digits without dashes")
            except Untranslatable as reason:
                for word in ("unique-id-format", "unique-id-header"):
                    self.ledger.lost(self.ledger.line(self.proxy, word), f"{word} was left out: {reason}")
        headers.setdefault("host", ("Host", "$http_host"))
        headers.setdefault("upgrade", ("Upgrade", "$http_upgrade"))
        headers.setdefault(
            "connection", ("Connection", self.variables.map("$http_upgrade", [("", "")], "upgrade", "connection"))
        )
        return [f"proxy_set_header {quoted(name)} {always_quoted(value)};" for name, value in headers.values()]

    def _told(self, told: ForwardFor, where: Subject) -> str:
        """A header that tells an address, behind what rules or the client wrote there."""
        address = self.variables.value(where)
        before = current_header(self.site, told.header)
        if told.if_none:
            value = self.variables.map(before, [("", address)], before, told.header)
        else:
            value = address
            if before:
                value = self.variables.map(before, [("", address)], joined(before, address), told.header)
        if told.excepted:
            inside = self.variables.test(Test(where, "network", told.excepted))
            value = self.variables.map(inside, [("1", before)], value, told.header)
        return value

    def _no_server(self, backend: Proxy) -> list[str]:
        """What a backend without servers answers: its page for 503, or the frontend's."""
        own = {**self.proxy.error_pages, **backend.error_pages}.get(503)
        if own is None:
            return self._page(503)
        try:
            jump = self.site.answer(page_answer(own, backend), named=True)
        except Untranslatable as reason:
            self.ledger.lost(backend.span, f"the page for 503 was left out: {reason}")
            return self._page(503)
        return jump

    def _error_pages(self, backend: Proxy) -> list[str]:
        """What nginx answers when servers fail: HAProxy's statuses, and pages of one's own."""
        lines = []
        self.ledger.note_pages(self.proxy)
        self.ledger.note_pages(backend)
        own = {**self.proxy.error_pages, **backend.error_pages}
        for status, causes in ((503, "502 503"), (504, "504")):
            try:
                answer = page_answer(own[status], backend) if status in own else own_page(status, text=page(status))
            except Untranslatable as reason:
                self.ledger.lost(backend.span, f"the page for {status} was left out: {reason}")
                answer = own_page(status, text=page(status))
            code = self.site.answer(answer, named=True)[0].split()[1].rstrip(";")
            lines.append(f"error_page {causes} = {self.site.location(code)};")
        return lines

"""Locations and upstreams as backends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from hapy_config.source import Span
from hapy_config.translate.from_nginx.doors import ACCESS, Doors
from hapy_config.translate.from_nginx.known import Known, in_order, map_test
from hapy_config.translate.from_nginx.language import Directive
from hapy_config.translate.from_nginx.locations import NO_QUERY, PATH, canonical, files_not_there, found_again, kind_of
from hapy_config.translate.from_nginx.notes import Notes
from hapy_config.translate.from_nginx.origins import real_addresses, valid_referers
from hapy_config.translate.from_nginx.rules import GROUP, QUERY, Rules, backrefs
from hapy_config.translate.from_nginx.upstreams import retries, server_address, server_words, upstream_lines
from hapy_config.translate.from_nginx.values import (
    NoCounterpartError,
    fetch,
    format_string,
    may_lack,
    size,
    time,
    variables,
)
from hapy_config.translate.lines import write

#: Directives of which the innermost counts, one each.
_SETTINGS: Final = frozenset(
    {
        "client_body_timeout", "client_header_timeout", "keepalive_timeout",
        "proxy_connect_timeout", "proxy_read_timeout",
        "proxy_send_timeout", "proxy_ssl_verify", "proxy_ssl_trusted_certificate",
        "proxy_ssl_name", "proxy_ssl_server_name",
        "proxy_ssl_certificate", "proxy_next_upstream", "proxy_next_upstream_tries",
        "client_max_body_size", "ssl", "http2",
        "ssl_protocols", "ssl_ciphers", "ssl_client_certificate", "ssl_verify_client", "gzip",
        "gzip_types", "root", "alias", "default_type", "proxy_bind", "proxy_method",
        "proxy_ssl_certificate_key", "merge_slashes", "underscores_in_headers", "ignore_invalid_headers",
        "absolute_redirect", "port_in_redirect", "server_name_in_redirect",
        "proxy_ssl_protocols", "proxy_ssl_session_reuse", "proxy_ssl_verify_depth", "proxy_ssl_ciphers",
    }
)  # fmt: skip
#: Those that a listener has in HAProxy.
LISTENERS: Final = frozenset(
    {"client_body_timeout", "client_header_timeout", "keepalive_timeout", "gzip", "gzip_types"}
)  # fmt: skip
_ALWAYS_LOST: Final = {"root": "HAProxy serves no files", "alias": "HAProxy serves no files"}
_ADDED: Final = "{ status 200 201 204 206 301 302 303 304 307 308 }"
#: Groups of a regular expression, with their names.
_GROUPS: Final = re.compile(r"(?<!\\)\((?:\?P?<(\w+)>|(?!\?))")
_GROUPS_NAMED: Final = re.compile(r"\(\?P?<\w+>")
_NAMED: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
#: An address that names the whole URI of the request, which is what goes on without it, too.
_AS_IT_CAME: Final = re.compile(
    r"(https?://[^/$]+)(?:\$\{?request_uri\}?|\$\{?(?:document_)?uri\}?\$\{?is_args\}?\$\{?(?:args|query_string)\}?)"
)


_INHERITED: Final = frozenset(
    {"proxy_set_header", "add_header", "proxy_hide_header", "proxy_pass_header", "proxy_redirect", *ACCESS}
)


class Backends:
    """Makes backends of an `http` block.

    Args:
        http: the block.
        notes: takes what is to be said.
    """

    def __init__(self, http: Directive, notes: Notes) -> None:
        self.http = http
        self.notes = notes
        self._made: list[list[str]] = []
        self._names: set[str] = set()
        self._doors = Doors(http, notes)
        self._known: dict[Span, Known] = {}
        self._late: dict[Span, list[str]] = {}
        self._told: set[str] = set()
        self._by_location: dict[int, list[tuple[str, list[str]]]] = {}
        self._upstreams = {one.args[0]: one for one in http.all("upstream") if one.args}
        self._maps = {one.args[1].lstrip("$"): one for one in http.all("map") if len(one.args) == 2}
        geos = {one.args[-1].lstrip("$"): one for one in http.all("geo") if one.args}
        self._variables = {**self._maps, **geos}
        self._rules = Rules(self._maps, notes)

    def sections(self) -> list[str]:
        """All that were made."""
        return [line for section in (*self._doors.lists, *self._made) for line in (*section, "")]

    def settings(self, *levels: Directive) -> dict[str, Directive]:
        """The settings that hold in a block within others."""
        found: dict[str, Directive] = {}
        for level in (self.http, *levels):
            for one in level.block or ():
                if one.name in _SETTINGS and one.args:
                    found[one.name] = one
                    one.used = True
        return found

    def many(self, *levels_and_name: object) -> list[Directive]:
        """Directives of a list: those of the innermost level that has any."""
        *levels, name = levels_and_name
        innermost: list[Directive] = []
        for level in (*reversed(levels), self.http):
            assert isinstance(level, Directive)
            found = list(level.all(str(name)))
            for one in found:
                one.used = True  # those of outer levels give way to it
            innermost = innermost or found
        return innermost

    def compression(self, settings: dict[str, Directive]) -> list[str]:
        """`gzip` as HAProxy's."""
        if "gzip" not in settings or settings["gzip"].args != ("on",):
            return []
        kinds = (
            ["text/html", *(one for one in settings["gzip_types"].args if one != "*")]
            if "gzip_types" in settings
            else ["text/html"]
        )
        return ["compression algo gzip", f"compression type {' '.join(map(write, dict.fromkeys(kinds)))}"]

    def _name(self, wanted: str) -> str:
        base = re.sub(r"[^A-Za-z0-9_.:-]+", "_", wanted).strip("_") or "backend"
        name, count = base, 1
        while name in self._names:
            count += 1
            name = f"{base}_{count}"
        self._names.add(name)
        return name

    def server_rules(self, server: Directive, where: list[str]) -> list[str]:
        """The rules on the level of a server, for the frontend."""
        known = self._known[server.span] = Known(self._variables, len(where))
        known.referers = valid_referers(server, server)
        self._rules.begin(self.base_of(server), in_location=False)
        real = real_addresses((server, self.http), where, self.notes)
        if real:
            known.is_set("realip_remote_addr")
        lines = [rule for one in server.block or () for rule in self._rules.write(one, where, known, "", server)]
        return [*real, *known.prelude(), *lines]

    def base_of(self, *levels: Directive) -> str:
        """What nginx writes before addresses that begin with a slash: scheme, host and port, as a log format."""
        settings = self.settings(*levels)

        def says(name: str, value: str) -> bool:
            return name in settings and settings[name].args == (value,)

        if says("absolute_redirect", "off"):
            return ""
        server = levels[0]
        listens = [one for one in server.all("listen") if one.args]
        scheme = "https" if any("ssl" in one.args for one in listens) or says("ssl", "on") else "http"
        ports = {(re.search(r"(?:^|:)(\d+)$", one.args[0]) or ["", "80"])[1] for one in listens} or {"80"}
        usual = "443" if scheme == "https" else "80"
        port = "" if ports == {usual} or says("port_in_redirect", "off") else f":{next(iter(ports))}"
        port = ":%[dst_port]" if len(ports) > 1 and port else port
        names = [name for one in server.all("server_name") for name in one.args]
        host = f"%[{fetch('host')}]"
        if says("server_name_in_redirect", "on") and names and re.fullmatch(r"[\w.-]+", names[0]):
            host = names[0].lower()
        return f"{scheme}://{host}{port}"

    def falls_through(self) -> bool:
        """Whether the rules of the server written last may end before its `return`."""
        return bool(self._rules.ended)

    def late_rules(self, server: Directive) -> list[str]:
        """The rules that what leads to locations looks at, behind those of the server."""
        return list(dict.fromkeys(self._late.get(server.span, ())))

    @staticmethod
    def within(server: Directive, location: Directive) -> Directive:
        """A server as locations within a location see it: with what these inherit from it."""
        own = [one for one in location.block or () if one.name in _INHERITED or one.name in _SETTINGS]
        lists = {one.name for one in own if one.name in _INHERITED}
        outer = [one for one in server.block or () if one.name not in lists]
        return Directive(server.name, server.args, [*outer, *own], server.span)

    def of_server(self, server: Directive) -> str:
        """A backend for paths that no location takes."""
        name = self._name("no_location")
        root = server.first("root")
        self.notes.lost(
            (root or server).span, "HAProxy serves no files: paths without a location are answered with 404"
        )
        self._made.append([f"backend {name}", "    mode http", "    http-request deny deny_status 404"])
        return name

    def of_location(self, server: Directive, location: Directive) -> list[tuple[str, list[str]]]:
        """The backends of a location, each with further tests that lead to it; several where a map chooses."""
        known = self._by_location.get(id(location))
        if known is None:
            known = self._by_location[id(location)] = list(self._new(server, location))
        return known

    def _new(self, server: Directive, location: Directive) -> Iterator[tuple[str, list[str]]]:
        passed = location.first("proxy_pass")
        _, path = kind_of(location)
        if passed is not None and passed.args:
            passed.used = True
            match = re.fullmatch(r"(https?://)?\$\{?(\w+)\}?", passed.args[0])
            chosen = self._maps.get(match[2]) if match else None
            if match and chosen is not None:
                yield from self._mapped(server, location, chosen, match[1] or "")
                return
        target = passed.args[0] if passed is not None and passed.args else ""
        yield self._one(server, location, target, path), []

    def _mapped(
        self, server: Directive, location: Directive, chosen: Directive, scheme: str
    ) -> Iterator[tuple[str, list[str]]]:
        """A backend for each value of a map."""
        chosen.used = True
        default = ""
        try:
            before = self._known.get(server.span) or Known(self._variables)
            source = before.source(chosen.args[0])
            self._late.setdefault(server.span, []).extend(before.prelude())
        except NoCounterpartError as reason:
            self.notes.lost(chosen.span, f"map was left out: {reason}")
            source = ""
        entries: list[tuple[str, str]] = []
        for entry in chosen.block or ():
            entry.used = True
            value = entry.args[0] if entry.args else ""
            if entry.name == "default":
                default = value
            elif entry.name in ("hostnames", "volatile"):
                continue
            elif entry.name == "include" or not source:
                self.notes.lost(entry.span, "the entry was left out")
            else:
                entries.append((entry.name, value))
        hostnames = chosen.first("hostnames") is not None
        for key, value in in_order(entries):
            name = self._one(server, location, scheme + value, kind_of(location)[1])
            yield name, [map_test(source, key, hostnames=hostnames)]
        yield self._one(server, location, scheme + default if default else "", kind_of(location)[1]), []

    def _one(self, server: Directive, location: Directive, target: str, path: str) -> str:
        name = self._name(f"{_site(server)}{path}")
        known = Known(self._variables, 0, self._known.get(server.span))
        known.groups = _groups(location)
        lines = self._content(server, location, target, path, known)
        self._made.append([f"backend {name}", "    mode http", *(f"    {line}" for line in (*known.prelude(), *lines))])
        return name

    def _content(self, server: Directive, location: Directive, target: str, path: str, known: Known) -> list[str]:
        """What a location does."""
        lines: list[str] = []
        settings = self.settings(server, location)
        for word, reason in _ALWAYS_LOST.items():
            if word in settings and location.first(word) is not None:
                self.notes.lost(settings[word].span, f"{word}: {reason}")
        self._rules.begin(self.base_of(server, location), in_location=True)
        for one in location.block or ():
            if one.name in LISTENERS:
                self.notes.near(one.span, f"{one.name} holds for whole listeners in HAProxy: it was left out")
        known.referers = valid_referers(location, server) or known.referers
        for one in location.block or ():
            lines += self._rules.write(
                one, [], known, settings["default_type"].args[0] if "default_type" in settings else "", server
            )
        if location.first("internal") is not None:  # nobody comes as far as its rules
            lines = self._doors.rules(server, location)
        lines = found_again(lines, merged=settings.get("merge_slashes", location).args != ("off",))
        lines += self._doors.rules(server, location)  # nginx runs them behind its rewrites
        tried = location.first("try_files")
        found = files_not_there(server, tried) if tried is not None and not target else None
        if found is not None and tried is not None and found[0].first("try_files") is None:
            instead, rules = found
            tried.used = instead.used = True
            self.notes.lost(tried.span, f"HAProxy serves no files: all requests go where {tried.args[-1]} leads")
            passed = instead.first("proxy_pass")
            if passed is not None:
                passed.used = True
            new = passed.args[0] if passed is not None and passed.args else ""
            return [*lines, *rules, *self._content(server, instead, new, kind_of(instead)[1], known)]
        lines += self._response_headers(server, location, known)
        target = known.with_constants(target)
        if target:
            lines += self._passing(server, location, target, path, settings, known)
        elif not any(re.match(r"http-request (return|redirect|reject|deny)(?!.* if )", line) for line in lines):
            if not any(one.name == "return" for one in location.block or ()):
                self.notes.lost(location.span, f"location {path}: it passes nothing on, and is answered with 404")
            lines.append("http-request deny deny_status 404")
        return lines

    def _passing(
        self,
        server: Directive,
        location: Directive,
        target: str,
        path: str,
        settings: dict[str, Directive],
        known: Known,
    ) -> list[str]:
        """What passes requests on to a target."""
        made_of_variables = bool(variables(target))  # nginx leaves addresses in answers alone then
        whole = _AS_IT_CAME.fullmatch(target)
        target = whole[1] if whole is not None else target
        match = re.fullmatch(r"(https?)://(unix:[^:]+:?|\[[^\]]*\](?::\d+)?|[^/$]+)(/.*)?", target, re.DOTALL)
        passed = location.first("proxy_pass") or location
        if match is None:
            self.notes.lost(
                passed.span, f"proxy_pass {target}: where it leads is known at run time only; it is answered with 503"
            )
            return ["http-request deny deny_status 503"]
        scheme, host, uri = match.groups()
        lines = []
        self._tell_once(passed, "where no server can be reached HAProxy answers with 503, nginx with 502")
        lines += self._body_limit(settings, passed)
        lines += self._request_headers(server, location, host, known)
        if not made_of_variables or self.many(server, location, "proxy_redirect"):
            own = f"{scheme}://{host}{uri or '/'}"
            lines += self._redirects(server, location, own, path if uri is not None else "/")
        if uri is not None and variables(uri):
            try:
                lines += _made_path(kind_of(location)[0], path, uri, known)
                if {"uri", "document_uri"}.intersection(variables(QUERY.sub("", uri))):
                    self.notes.near(passed.span, "the path goes on encoded")
            except NoCounterpartError as reason:
                self.notes.lost(passed.span, f"proxy_pass {target}: the path goes on as it came: {reason}")
        elif uri is not None and kind_of(location)[0] in ("", "^~", "="):
            pattern = "^" + re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", path) + "(.*)$"
            stays = [f"!{test}" for test in self._rules.moved]  # what `break` has left goes on as it is
            tail = f" if {' '.join(stays)}" if stays else ""
            lines += canonical(stays)
            if path != uri:
                new = write(uri.replace("%", "%%") + "\\1")
                lines.append(f"http-request replace-path {write(pattern)} {new}{tail}")
        for word, directive in (("connect", "proxy_connect_timeout"), ("server", "proxy_read_timeout")):
            if directive in settings:
                try:
                    lines.append(f"timeout {word} {time(settings[directive].args[0])}")
                except NoCounterpartError as reason:
                    self.notes.lost(settings[directive].span, str(reason))
        lines += retries(settings, self._upstreams.get(host), self.notes)
        if "proxy_method" in settings:
            method = settings["proxy_method"]
            if variables(method.args[0]):
                self.notes.lost(method.span, "proxy_method was left out: it depends on variables")
            else:
                lines.append(f"http-request set-method {write(method.args[0])}")
        if "proxy_bind" in settings:
            bound = settings["proxy_bind"]
            if re.fullmatch(r"[0-9a-fA-F.:\[\]]+", bound.args[0]) and len(bound.args) == 1:
                lines.append(f"source {bound.args[0]}")
            elif bound.args != ("off",):
                self.notes.lost(bound.span, "proxy_bind was left out: HAProxy wants an address")
        upstream = self._upstreams.get(host)
        ending = server_words(scheme, host, settings, self.notes)
        if upstream is None:
            lines.append(f"server s1 {server_address(host, scheme)}{ending}")
        else:
            lines += upstream_lines(upstream, scheme, ending, self.notes)
        return lines

    def _tell_once(self, directive: Directive, text: str) -> None:
        """Tell what holds for the whole file where it is first met."""
        if text not in self._told:
            self._told.add(text)
            self.notes.near(directive.span, text)

    def _body_limit(self, settings: dict[str, Directive], passed: Directive) -> list[str]:
        """What refuses bodies that are too long: nginx has a limit of 1 MB unless something else is said."""
        given = settings.get("client_max_body_size")
        try:
            most = size(given.args[0]) if given is not None else 1 << 20
        except NoCounterpartError as reason:
            self.notes.lost(given.span if given is not None else passed.span, str(reason))
            return []
        if most:
            if given is None:
                self._tell_once(
                    passed, "a body of more than 1 MB is refused, as nginx does unless something else is said"
                )
            self._tell_once(given or passed, "bodies that do not tell their length are not limited")
        return [f"http-request deny deny_status 413 if {{ req.hdr_val(content-length) gt {most} }}"] if most else []

    def _request_headers(self, server: Directive, location: Directive, host: str, known: Known) -> list[str]:
        lines: list[str] = []
        last: list[str] = []
        host_set = upgrade_set = False
        seen: set[str] = set()
        for one in self.many(server, location, "proxy_set_header"):
            if len(one.args) != 2:
                continue
            name, value = one.args
            try:
                if name.lower() == "host":
                    host_set = True
                    if value == "$http_host":
                        continue
                    if value == "$proxy_host":
                        value = host
                elif name.lower() in ("connection", "upgrade"):
                    upgrade_set |= name.lower() == "upgrade" and value != ""
                    for variable in variables(value):  # HAProxy does what is right by itself
                        if variable in self._maps:
                            self._maps[variable].take()
                    continue
                elif value == "$proxy_add_x_forwarded_for":
                    lines.append(
                        "option forwardfor" + ("" if name.lower() == "x-forwarded-for" else f" header {write(name)}")
                    )
                    continue
                action = "add-header" if name.lower() in seen else "set-header"
                seen.add(name.lower())
                if value == "$scheme":
                    lines += [f"http-request {action} {write(name)} https if {{ ssl_fc }}",
                              f"http-request {action} {write(name)} http unless {{ ssl_fc }}"]  # fmt: skip
                elif value == "" and action == "add-header":
                    continue
                elif action == "add-header" and may_lack(value):
                    held = " ".join(f"{{ {known.sample(each)} -m len gt 0 }}" for each in variables(value))
                    text = write(format_string(value, known))
                    lines.append(f"http-request add-header {write(name)} {text} if {held}")
                elif value == "":
                    lines.append(f"http-request del-header {write(name)}")
                else:
                    where = last if name.lower() == "host" else lines  # others may look at the one that came
                    where.append(f"http-request {action} {write(name)} {write(format_string(value, known))}")
                    if "content_length" in variables(value):
                        self.notes.near(one.span, f"{name} is empty where a body does not tell its length")
                    if {"uri", "document_uri"}.intersection(variables(value)):
                        self.notes.near(one.span, f"{name} has the path as it came, not decoded")
                    if may_lack(value) and name.lower() != "host":
                        tests = (f"!{{ {known.sample(one)} -m len gt 0 }}" for one in variables(value))
                        lines.append(f"http-request del-header {write(name)} if {' '.join(tests)}")
            except NoCounterpartError as reason:
                self.notes.lost(one.span, f"proxy_set_header {name} was left out: {reason}")
        if not upgrade_set:
            last.append("http-request del-header Upgrade")  # nginx takes no client's word for another protocol
        named = {one.args[0].lower() for one in self.many(server, location, "proxy_set_header") if one.args}
        if "expect" not in named:  # the client's wish for an answer before its body is met here
            last.append("http-request wait-for-body time 60s at-least 1 if { req.hdr(expect) -m found }")
        last += [
            f"http-request del-header {name}" for name in ("TE", "Keep-Alive", "Expect") if name.lower() not in named
        ]
        if not host_set:
            last.append(f"http-request set-header Host {write(host)}")
        return lines + last

    def _redirects(self, server: Directive, location: Directive, own: str, path: str) -> list[str]:
        """What `proxy_redirect` makes of addresses in answers; by default those of the target itself."""
        given = self.many(server, location, "proxy_redirect")
        if any(one.args == ("off",) for one in given):
            return []
        lines = []
        for one in given or [Directive("proxy_redirect", ("default",), None, location.span)]:
            old, new = (own, path) if one.args[:1] == ("default",) else (*one.args, "", "")[:2]
            try:
                if variables(GROUP.sub("", new)) or (variables(old) and not old.startswith("~")):
                    raise NoCounterpartError("a request's values are gone when the answer comes")
                if old.startswith("~"):
                    flag = "(?i)" if old.startswith("~*") else ""
                    pattern, value = flag + old.lstrip("~*"), backrefs(new)
                else:
                    pattern = "^" + re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", old) + "(.*)$"
                    value = f"{new}\\1"
            except NoCounterpartError as reason:
                self.notes.lost(one.span, f"proxy_redirect was left out: {reason}")
                continue
            value = value.replace("%", "%%")
            lines.append(f"http-response replace-header Location {write(pattern)} {write(value)}")
            if old.startswith("~"):
                self.notes.near(one.span, "it makes nothing of Refresh")
            else:
                refresh = f"(?i)^(.*url=){pattern.removeprefix('^')}"
                new = f"\\1{value.removesuffix(chr(92) + '1')}\\2"
                lines.append(f"http-response replace-header Refresh {write(refresh)} {write(new)}")
        return lines

    def _response_headers(self, server: Directive, location: Directive, known: Known) -> list[str]:
        shown = {one.args[0].lower() for one in self.many(server, location, "proxy_pass_header") if one.args}
        lines = [
            f"http-after-response del-header {write(one.args[0])}"
            for one in self.many(server, location, "proxy_hide_header")
            if one.args and one.args[0].lower() not in shown
        ]
        for one in self.many(server, location, "add_header"):
            if len(one.args) < 2:
                continue
            try:
                value = format_string(one.args[1], known)
                tests = [] if one.args[2:] == ("always",) else [_ADDED]
                tests += ["!{ var(txn.ngx_own) -m found }"] if known.own_headers else []
                if any(name not in known for name in variables(one.args[1])):
                    # A request's values are gone when the answer comes, and an empty header is not added.
                    kept = known.early(one.args[1])
                    value = f"%[{kept}]"
                    tests.append(f"{{ {kept} -m len gt 0 }}")
                if {"uri", "document_uri"}.intersection(variables(one.args[1])):
                    self.notes.near(one.span, f"{one.args[0]} has the path as it came, not decoded")
                tail = f" if {' '.join(tests)}" if tests else ""
                lines.append(f"http-after-response add-header {write(one.args[0])} {write(value)}{tail}")
            except NoCounterpartError as reason:
                self.notes.lost(one.span, f"add_header {one.args[0]} was left out: {reason}")
        return [*lines, *known.heads, *self._expires(server, location)]

    def _expires(self, server: Directive, location: Directive) -> list[str]:
        """`expires`: how long answers may be kept, in both headers that say so."""
        found = self.many(server, location, "expires")
        text = found[-1].args[0] if found and found[-1].args else "off"
        fixed = {
            "epoch": ("no-cache", "Thu, 01 Jan 1970 00:00:01 GMT"),
            "max": ("max-age=315360000", "Thu, 31 Dec 2037 23:55:55 GMT"),
        }
        if text == "off":
            return []
        try:
            if len(found[-1].args) != 1 or variables(text):
                raise NoCounterpartError("it depends on the answer")
            seconds = int(time(text.removeprefix("-")).removesuffix("s")) if text not in fixed else 0
            past = text.startswith("-")
            control, until = fixed.get(text) or (
                "no-cache" if past else f"max-age={seconds}",
                f"%[date({'-' if past else ''}{seconds}),http_date]",
            )
        except (NoCounterpartError, ValueError) as reason:
            self.notes.lost(found[-1].span, f"expires was left out: {reason}")
            return []
        return [
            f"http-after-response set-header Cache-Control {write(control)} if {_ADDED}",
            f"http-after-response set-header Expires {write(until)} if {_ADDED}",
        ]


def _groups(location: Directive) -> dict[str, str]:
    """The samples of the groups of a location's regular expression; without numbers where others may take them over."""
    kind, pattern = kind_of(location)
    if kind not in ("~", "~*") or "'" in pattern:
        return {}
    begins, ends = pattern.startswith("^"), pattern.endswith("$") and not pattern.endswith("\\$")
    inner = f"{'' if begins else '.*?'}{pattern[begins : len(pattern) - ends]}{'' if ends else '.*'}"
    flag = "(?i)" if kind == "~*" else ""
    names = [match[1] for match in _GROUPS.finditer(inner)][:9]
    samples = {str(number): f"{PATH},regsub('{flag}^{inner}$','\\{number}')" for number in range(1, len(names) + 1)}
    named = {name: samples[str(number)] for number, name in enumerate(names, 1) if name}
    others = any(one.name in ("if", "rewrite") for one in location.block or ())
    return named if others else samples | named


def _made_path(kind: str, pattern: str, uri: str, known: Known) -> list[str]:
    """The rules that make the path of `proxy_pass` of variables, such as groups of its location's regular expression.

    Raises:
        NoCounterpartError: it depends on something else.
    """
    new, carried = QUERY.subn("", uri)
    named = variables(new)
    if not any(one.isdecimal() for one in named) and not (kind in ("~", "~*") and _GROUPS_NAMED.search(pattern)):
        if carried:
            return [*canonical(), f"http-request set-path {write(format_string(new, known))}"]
        return [*canonical(), f"http-request set-pathq {write(format_string(new, known))}"]
    if kind not in ("~", "~*"):
        raise NoCounterpartError("it depends on variables")
    begins, ends = pattern.startswith("^"), pattern.endswith("$") and not pattern.endswith("\\$")
    inner = f"{'' if begins else '[^?]*'}{pattern[begins : len(pattern) - ends]}{'' if ends else '[^?]*'}"
    names = [match[1] for match in _GROUPS.finditer(inner)]
    if len(names) > 9 or (carried and "?" in new):
        raise NoCounterpartError("it depends on too much")

    def number(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name.isdecimal() and 0 < int(name) <= len(names):
            return f"\\{name}"
        if name in names:
            return f"\\{names.index(name) + 1}"
        raise NoCounterpartError(f"HAProxy has nothing for ${name} there")

    text = write(_NAMED.sub(number, new.replace("%", "%%")))
    flag = "(?i)" if kind == "~*" else ""
    if carried:
        return [f"http-request replace-path {write(f'{flag}^{inner}$')} {text}"]
    return [NO_QUERY, f"http-request replace-pathq {write(f'{flag}^{inner}$')} {text}"]


def _site(server: Directive) -> str:
    named = [one for directive in server.all("server_name") for one in directive.args if re.fullmatch(r"[\w.*-]+", one)]
    return named[0] if named and named[0] != "_" else "site"

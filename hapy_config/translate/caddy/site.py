"""A frontend in HTTP mode as the directives of a site."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import Final

from hapy_config.model.config import Config
from hapy_config.model.expressions import LogFormat
from hapy_config.model.proxy import ForwardFor, Proxy
from hapy_config.model.rules import HttpReply, Redirect, Rule
from hapy_config.translate.answered import Change, answer_parts, as_it_came, change_of
from hapy_config.translate.answers import (
    IN_CLEAR,
    SEEN_DROP,
    Answer,
    answer_of,
    asking,
    formats_of,
    own_page,
    page_answer,
    redirect_answer,
)
from hapy_config.translate.auth import AUTH_FETCHES, auth_condition, expressions_of
from hapy_config.translate.caddy.matchers import (
    escaped_paths,
    expression,
    looked_up,
    lookup_lines,
    quoted,
    regex,
    replacement,
    string,
    subjects,
)
from hapy_config.translate.caddy.upstreams import OWN_HEADERS, reverse_proxy
from hapy_config.translate.field_names import ODD_SIGNS, policy, tell
from hapy_config.translate.flow import (
    FALSE,
    TRUE,
    Every,
    Formula,
    Lookup,
    Not,
    Piece,
    Subject,
    Test,
    Untranslatable,
    formula,
    pieces,
    simplified,
    whole_of,
)
from hapy_config.translate.guards import kept_out, refusal
from hapy_config.translate.ledger import Ledger
from hapy_config.translate.plain import header_test
from hapy_config.translate.report import Loss

_ALIVE: Final = "<html><body><h1>200 OK</h1>\nService ready.\n</body></html>\n"
#: Actions that make another answer of one.
_ANSWERING: Final = frozenset({"deny", "return", "redirect", "set-status", "allow"})
#: What Caddy says where it could not connect; that may be by its time, too.
_UNCONNECTED: Final = '{http.error.message}.matches("^(dial |tls: |x509: |remote error: tls)")'
#: What is answered when servers fail, and how Caddy tells that they did.
_FAILURES: Final = {
    503: f"{{http.error.status_code}} in [502, 503, 504] && ({{http.error.status_code}} == 503 || {_UNCONNECTED})",
    502: f"{{http.error.status_code}} == 502 && !{_UNCONNECTED}",
    504: f"{{http.error.status_code}} == 504 && !{_UNCONNECTED}",
}
#: Take out what Caddy says of itself in `Server`, and the header where the server has none; other rules run later.
_OWN_SERVER: Final = ["header \0 {", "\tServer {hapy_server}", "\t-{hapy_no_server}", "\tdefer", "}"]
_OWN_SERVER_MAPS: Final = (
    "map {http.response.header.Server} {hapy_server} {",
    "\t`~^Caddy(?:,(.*))?$` `${1}`",
    "\tdefault {http.response.header.Server}",
    "}",
    "map {http.response.header.Server} {hapy_no_server} {",
    "\t~^$ Server",
    "\tdefault -",
    "}",
)
#: How hashes of bcrypt begin.
_BCRYPT: Final = ("$2a$", "$2b$", "$2y$")
_UNSEEN: Final = {
    "capture": "captures are for HAProxy's log lines only",
    "disable-l7-retry": "Caddy tries no request again that a server has seen",
    "set-log-level": "Caddy's access log has no levels",
    "set-nice": "Caddy has no priorities among connections",
    "set-priority-class": "Caddy has no queue in front of its servers",
    "set-priority-offset": "Caddy has no queue in front of its servers",
    "strict-mode": "Caddy's own rules don't fail",
    "wait-for-handshake": "Caddy always waits for the handshake",
}


class SiteWriter:
    """Writes the body that the sites of one frontend share.

    Args:
        ledger: takes the notes.
        config: the model.
        proxy: the frontend or listen.
    """

    def __init__(self, ledger: Ledger, config: Config, proxy: Proxy) -> None:
        self.ledger = ledger
        self.config = config
        self.proxy = proxy
        self.lines: list[str] = []
        self._matchers = 0
        self._lookups: set[Lookup] = set()
        after = proxy.rules.get("http-after-response", ())
        #: Rules about all answers, that look at none.
        self._after = () if any(map(looks_at_answer, after)) else after

    def body(self) -> list[str]:
        """The directives: a `route`, and what answers when servers fail."""
        proxy = self.proxy
        after = self._after_rules()
        self.lines += after
        # Caddy would take a fragment for a part of the path, and rules would miss the path before it.
        self.lines.append('@fragment expression `{http.request.orig_uri}.contains("#")`')
        self.lines += [line.replace("\0 ", "@fragment ", 1) for line in self._answer(own_page(400))]
        if proxy.monitor_uri:
            self.put(Test(Subject("url"), "exact", (proxy.monitor_uri,)), self._answer(own_page(200, text=_ALIVE)))
            for statement in self.ledger.proxy_statements(proxy):
                if statement.words[:2] == ["monitor", "fail"]:
                    self.ledger.lost(statement.span(), "monitor fail was left out: it depends on more than the request")
        for ruleset in ("tcp-request connection", "tcp-request session", "tcp-request content"):
            for rule in proxy.rules.get(ruleset, ()):
                self._connection_rule(rule)
        self.request_rules(proxy, TRUE)
        self._header_names(proxy, TRUE)
        self.redirects(proxy, TRUE)
        backends = self._choose()
        for one in (proxy, *backends):
            self.ledger.wrote(one)
        for backend in backends:
            if backend is not proxy:
                scope = self._scope(backend, backends)
                self.request_rules(backend, scope)
                self._header_names(backend, scope)
                self.redirects(backend, scope)
        for backend in backends:
            self._tell(backend, self._scope(backend, backends))
        for name, variable in OWN_HEADERS.items():
            self.lines += [f"map {{http.request.header.{name}}} {{{variable}}} {{", f"\t~^$ {name}", "\tdefault -", "}"]
        self.lines += _OWN_SERVER_MAPS
        for backend in backends:
            self._backend(backend, self._scope(backend, backends))
        self.put(TRUE, self._answer(own_page(503)))
        errors = self._errors(backends)
        after_errors = [f"\t{line}" for line in after]
        self.lines[:0] = escaped_paths((*self.lines, *errors))
        return ["route {", *(f"\t{line}" for line in self.lines), "}", *errors[:1], *after_errors, *errors[1:]]

    def put(self, whole: Formula, lines: Iterable[str]) -> None:
        """Directives that run where a condition holds; NUL stands where the matcher goes."""
        whole = simplified(whole)
        if whole == FALSE:
            return
        matcher = "*"  # without one, what follows could be taken for it
        if whole != TRUE:
            self._matchers += 1
            matcher = f"@r{self._matchers}"
            self.lines.append(f"{matcher} expression `{expression(whole)}`")
        self.lines.extend(line.replace("\0 ", f"{matcher} ", 1) for line in lines)

    def _after_rules(self) -> list[str]:
        """Rules about all answers: what stands first runs last."""
        outer, self.lines = self.lines, []
        for rule in reversed(self._after):
            try:
                if rule.action in _UNSEEN:
                    self.ledger.note(rule.span, Loss.NONE, f"{rule.word}: {_UNSEEN[rule.action]}")
                    continue
                self._look_up(*formats_of(rule))
                lines = ["header \0 {", f"\t{self._response_header(rule)}", "\tdefer", "}"]
                self.put(formula(rule.condition), lines)
                self.ledger.done(rule.span)
            except Untranslatable as reason:
                self.ledger.left_out(rule, reason)
        found, self.lines = self.lines, outer
        return found

    def _header_names(self, proxy: Proxy, scope: Formula) -> None:
        """Remove headers for their names, where a section says so."""
        wanted = policy(proxy)
        if wanted == "preserve":
            return
        self.put(scope, [f"request_header \0 {quoted(f'-*{sign}*')}" for sign in ODD_SIGNS])
        if wanted == "reject":
            tell(self.ledger, proxy, "requests with such headers are not refused: the headers are removed", lost=True)

    def _look_up(self, *formats: object) -> None:
        """Write the maps that format strings need, each once."""
        for format_ in formats:
            self._look_up_parts(pieces(format_) if isinstance(format_, LogFormat) else ())

    def _look_up_parts(self, parts: Iterable[Piece]) -> None:
        for part in looked_up(parts):
            if isinstance(part, Lookup) and part not in self._lookups:
                self.lines += lookup_lines(part)
                self._lookups.add(part)

    def _answer(self, answer: Answer) -> list[str]:
        """`handle` with the answer."""
        self._look_up_parts(answer.location or ())
        lines = ["handle \0 {"]
        if answer.content_type:
            lines.append(f"\theader Content-Type {quoted(answer.content_type)}")
        lines += [
            f"\theader {'' if name.lower() == 'server' else '+'}{name} {quoted(string(value))}"
            for name, value in answer.told
        ]
        lines += [] if any(name.lower() == "server" for name, _ in answer.told) else ["\theader -Server"]
        if answer.location is not None:
            lines.append(f"\theader Location {quoted(string(answer.location))}")
        lines += [f"\trespond * {quoted(string(answer.body))} {answer.status}", "}"]
        return lines

    def _connection_rule(self, rule: Rule) -> None:
        try:
            if rule.action == "reject":
                self.put(formula(rule.condition), ["abort \0 "])
                self.ledger.near(rule.span, "the connection is closed when its first request has come")
            elif rule.action != "accept" or rule.condition is not None:
                raise Untranslatable("Caddy has nothing like it")
            self.ledger.done(rule.span)
        except Untranslatable as reason:
            self.ledger.left_out(rule, reason, refused=self._refuse(rule, TRUE))

    def _refuse(self, rule: Rule, scope: Formula) -> bool:
        """Refuse whom a rule that can't go over might keep out; whether there is anybody."""
        whole = kept_out(rule, scope, expression)
        self.put(whole, self._answer(own_page(refusal(rule))))
        return whole != FALSE

    def request_rules(self, proxy: Proxy, scope: Formula) -> None:
        """`http-request` rules in order."""
        guard = scope
        for rule in proxy.rules.get("http-request", ()):
            try:
                if rule.action == "auth" and self._hashed(rule, guard, proxy):
                    continue
                if rule.action in _UNSEEN:
                    self.ledger.note(rule.span, Loss.NONE, f"{rule.word}: {_UNSEEN[rule.action]}")
                    continue
                whole = simplified(Every((guard, formula(rule.condition))))
                if rule.action == "allow":
                    guard = simplified(Every((guard, Not(formula(rule.condition)))))
                else:
                    self.put(whole, self._request_rule(rule, proxy))
                self.ledger.done(rule.span)
            except Untranslatable as reason:
                self.ledger.left_out(rule, reason, refused=self._refuse(rule, guard))

    def _hashed(self, rule: Rule, scope: Formula, proxy: Proxy) -> bool:
        """Ask for passwords that are kept as hashes; False where a look at the header does.

        Raises:
            Untranslatable: Caddy can't check them.
        """
        if not any(one.criterion.fetch.name in AUTH_FETCHES for one in expressions_of(rule.condition)):
            return False
        _, users, rest = auth_condition(rule.condition, self.config)
        known = [user for user in users if user.encrypted and user.password.startswith(_BCRYPT)]
        plain = [user for user in users if not user.encrypted]
        if not known and not plain:
            raise Untranslatable("Caddy checks passwords against hashes of bcrypt only")
        for user in users:
            if user not in known and user not in plain:
                text = f"the user '{user.name}' is kept out: Caddy checks passwords against hashes of bcrypt only"
                self.ledger.lost(rule.span, text)
        whole = [scope, rest]
        if plain:
            self.ledger.near(rule.span, IN_CLEAR)
            whole.append(Not(header_test(plain)))
        realm = str(rule.arguments.get("realm") or proxy.name)
        lines = self._answer(asking(realm))
        if known:
            # Caddy wants the hashes in base64.
            entries = [f"\t{quoted(user.name)} {b64encode(user.password.encode()).decode()}" for user in known]
            lines = [f"basicauth \0 bcrypt {quoted(realm)} {{", *entries, "}"]
        self.put(Every(tuple(whole)), lines)
        self.ledger.done(rule.span)
        return True

    def _request_rule(self, rule: Rule, proxy: Proxy) -> list[str]:
        action, given = rule.action, rule.arguments
        self._look_up(*formats_of(rule))
        if action in ("deny", "tarpit", "return"):
            reply = given["reply"]
            assert isinstance(reply, HttpReply)
            if action == "tarpit":
                self.ledger.near(rule.span, "tarpit: Caddy answers at once, without the wait")
            answer = answer_of(reply, {"deny": 403, "tarpit": 500, "return": 200}[action], proxy)
            if answer.content_type and not any(isinstance(part, str) and part for part in answer.body):
                self.ledger.near(rule.span, "a body that is empty keeps its Content-Type")
            return self._answer(answer)
        if action == "auth":
            self.ledger.near(rule.span, IN_CLEAR)
            return self._answer(asking(given.get("realm") or proxy.name))
        if action in ("silent-drop", "reject"):
            if action == "silent-drop":
                self.ledger.near(rule.span, SEEN_DROP)
            return ["abort \0 "]
        if action == "redirect":
            redirect = given["redirect"]
            assert isinstance(redirect, Redirect)
            return self._answer(redirect_answer(redirect))
        name = given.get("name")
        if action.endswith(("-header", "replace-value")) and isinstance(name, str):
            return [f"request_header \0 {self._header(rule, name)}"]
        format_ = given.get("format")
        if not isinstance(format_, LogFormat):
            raise Untranslatable("Caddy has nothing like it")
        parts = pieces(format_)
        if action == "replace-path":
            return [self._path(rule, whole_of(regex(str(given["regex"]))), parts)]
        if action == "set-method":
            self.ledger.near(rule.span, "rules behind it see a method that HAProxy does not know as it came")
            return [f"method \0 {quoted(string(parts))}"]
        if action == "set-query":
            return [self._query(rule, parts)]
        if action == "set-path":
            return [self._path(rule, "^(.*)$", parts)]
        if action in ("set-pathq", "set-uri"):
            return self._path_and_query(rule, parts)
        raise Untranslatable("Caddy has nothing like it")

    def _path(self, rule: Rule, found: str, parts: tuple[Piece, ...]) -> str:
        """A new path, the query stays: `parts` in the place of what a pattern finds; its first group is the whole."""
        new = "".join("\\1" if part == Subject("path") and found == "^(.*)$" else string((part,)) for part in parts)
        if not new.startswith(("/", "\\", "{")):
            raise Untranslatable("it does not begin with a slash")
        if any(not isinstance(part, str) and part != Subject("path") for part in parts):
            self.ledger.near(rule.span, "what the request gives for a path is encoded, and $ in it is lost")
        return f"uri \0 path_regexp {quoted(found)} {quoted(replacement(new))}"

    def _query(self, rule: Rule, parts: tuple[Piece, ...]) -> str:
        """A new query; the path stays.

        Raises:
            Untranslatable: Caddy would encode a part of it.
        """
        bounded = ("&", *parts, "&")
        for before, part, after in zip(bounded, parts, bounded[2:], strict=False):
            if isinstance(part, str):
                continue
            whole = isinstance(before, str) and isinstance(after, str) and before.endswith("&") and after[:1] == "&"
            if part != Subject("query") or not whole:
                raise Untranslatable("Caddy encodes what it puts into a query")
        text = string(parts)
        if text != "{http.request.uri.query}" and (
            "{http.request.uri.query}" in text or "&&" in text or text.startswith("&") or text.endswith("&")
        ):
            self.ledger.near(rule.span, "Caddy leaves empty parts of a query out, and the & with them")
        return f"rewrite \0 {quoted('?' + text)}"

    def _path_and_query(self, rule: Rule, parts: tuple[Piece, ...]) -> list[str]:
        """A new path and query.

        Raises:
            Untranslatable: Caddy can't put them together.
        """
        at = next((n for n, part in enumerate(parts) if isinstance(part, str) and "?" in part), len(parts))
        path, query = parts[:at], parts[at + 1 :]
        if at < len(parts):
            before, _, after = str(parts[at]).partition("?")
            path = (*path, before) if before else path
            query = (after, *query) if after else query
        elif path[-1:] == (Subject("url"),):  # with its own query, or none
            return [self._path(rule, "^(.*)$", (*path[:-1], Subject("path")))]
        if any(isinstance(part, Subject) and part.kind in ("url", "base", "query") for part in path):
            raise Untranslatable("Caddy can't put a query there")
        lines = [self._path(rule, "^(.*)$", path), self._query(rule, query)]
        return ["route \0 {", *(f"\t{line.replace(chr(0) + ' ', '* ', 1)}" for line in lines), "}"]

    def _header(self, rule: Rule, name: str) -> str:
        """A change of a header, as the directives say it that have one.

        Raises:
            Untranslatable: Caddy can't make it.
        """
        value = rule.arguments.get("value")
        if rule.action == "del-header":
            match = rule.arguments.get("match")
            if match not in ("str", "beg", "end"):
                raise Untranslatable("Caddy finds headers by their name's beginning or end only")
            return f"-{'*' if match == 'end' else ''}{name}{'*' if match == 'beg' else ''}"
        if rule.action == "early-hint" or not isinstance(value, LogFormat):
            raise Untranslatable("Caddy has nothing like it")
        text = string(pieces(value))
        if rule.action in ("replace-header", "replace-value"):
            found = whole_of(regex(str(rule.arguments["regex"])))
            if rule.action == "replace-value":
                self.ledger.near(rule.span, f"the header '{name}' is taken as a whole, not value by value")
            return f"{name} {quoted(found)} {quoted(replacement(text))}"
        return f"{'+' if rule.action == 'add-header' else ''}{name} {quoted(text)}"

    def redirects(self, proxy: Proxy, scope: Formula) -> None:
        """`redirect` lines, which come behind the rules."""
        for redirect in proxy.redirects:
            try:
                self._look_up(redirect.target)
                self.put(Every((scope, formula(redirect.condition))), self._answer(redirect_answer(redirect)))
                self.ledger.done(redirect.span)
            except Untranslatable as reason:
                self.ledger.lost(redirect.span, f"redirect was left out: {reason}")

    def _choose(self) -> list[Proxy]:
        """Write the choice of a backend; gives those that it may lead to."""
        proxy = self.proxy
        name = proxy.default_backend or (proxy.name if proxy.is_backend else "")
        default = self.config.backend(name)
        found: list[Proxy] = [default] if default is not None else []
        taken: Formula = TRUE
        choices: list[tuple[Formula, str]] = []
        for use in proxy.use_backends:
            try:
                whole = formula(use.condition)
                if isinstance(use.target, LogFormat):
                    found += [
                        one for one in self.config.proxies if one.is_backend and one.mode == "http" and one not in found
                    ]
                    self._look_up(use.target)
                    target = string(pieces(use.target))
                else:
                    backend = self.config.backend(use.target)
                    if backend is None:
                        raise Untranslatable("there is no such backend")
                    found += [backend] if backend not in found else []
                    target = backend.name
                expression(whole)
                choices.append((Every((taken, whole)), target))
                self.ledger.done(use.span)
            except Untranslatable as reason:
                target = use.target if isinstance(use.target, str) else use.target.text
                self.ledger.lost(use.span, f"use_backend {target} was left out: {reason}")
        if choices:
            if default is not None:
                self.put(TRUE, [f"vars \0 hapy_backend {quoted(default.name)}"])
            for whole, target in reversed(choices):
                self.put(whole, [f"vars \0 hapy_backend {quoted(target)}"])
            if default is not None and any(isinstance(use.target, LogFormat) for use in proxy.use_backends):
                known = Test(Subject("backend"), "exact", tuple(one.name for one in found))
                self.put(Not(known), [f"vars \0 hapy_backend {quoted(default.name)}"])  # no backend has that name
        return [one for one in found if not one.disabled]

    @staticmethod
    def _scope(backend: Proxy, backends: list[Proxy]) -> Formula:
        return TRUE if len(backends) == 1 else Test(Subject("backend"), "exact", (backend.name,))

    def _tell(self, backend: Proxy, scope: Formula) -> None:
        """Tell the servers of a backend the client's address."""
        told = ForwardFor.merged(self.proxy.forwardfor, backend.forwardfor)
        if told is None:
            return
        whole = [scope]
        if told.if_none:
            whole.append(Not(Test(Subject("header", told.header), "present")))
        if told.excepted:
            whole.append(Not(Test(Subject("src"), "network", told.excepted)))
        try:
            self.put(Every(tuple(whole)), [f"request_header \0 +{told.header} {{http.request.remote.host}}"])
        except Untranslatable as reason:
            self.ledger.lost(backend.span, f"option forwardfor was left out: {reason}")

    def _backend(self, backend: Proxy, scope: Formula) -> None:
        rules = [
            rule
            for ruleset in ("http-response", "http-after-response")
            for proxy in dict.fromkeys((backend, self.proxy))  # the backend's rules run first
            for rule in proxy.rules.get(ruleset, ())
            if rule not in self._after
        ]
        down: list[str] = []
        own = _OWN_SERVER
        names = [str(rule.arguments.get("name", "")).lower() for rule in rules]
        if any(map(looks_at_answer, rules)):
            down, own = self._answered(backend, rules), []
        elif all(rule.condition is None for rule in rules) and len(set(names)) == len(names):
            down = [line for rule in rules for line in self._plain_response(rule)]
        else:  # in one block additions come first whatever stands first; of blocks that wait the last runs first
            for rule in reversed(rules):
                self._deferred_response(rule, scope)
        lines = reverse_proxy(self.ledger, self.proxy, backend, down)
        if lines:
            self.put(scope, own)
            self._compression(backend, scope)
            self.put(scope, lines)
        else:
            loss = Loss.LOST if backend.servers else Loss.NONE
            for rule in (one for one in rules if one in backend.rules.get(one.ruleset, ())):
                text = f"{rule.ruleset} {rule.word} was left out: '{backend.name}' has no servers that answer"
                self.ledger.note(rule.span, loss, text)
            self.put(scope, self._answer(self._page(503, backend)))

    def _compression(self, backend: Proxy, scope: Formula) -> None:
        """`encode` for what servers answer."""
        for proxy in dict.fromkeys((backend, self.proxy)):
            settings = [words[1:] for words in proxy.settings if words[0] == "compression"]
            algorithms = [word for words in settings if words[:1] == ("algo",) for word in words[1:]]
            if algorithms:
                break
        else:
            return
        span = self.ledger.line(proxy, "compression", "algo")
        if "gzip" not in algorithms:
            self.ledger.lost(span, "compression algo was left out: Caddy compresses with gzip")
            return
        self.ledger.near(span, "compression: Caddy leaves strong ETags as they are, and compresses as it sees fit")
        kinds = [f"{kind}*" for words in settings if words[:1] == ("type",) for kind in words[1:]]
        types = [f"\t\theader Content-Type {quoted(kind)}" for kind in dict.fromkeys(kinds or ["*"])]
        match = ["\tmatch {", *types, "\t\tstatus 200 201 202 203", "\t}"]
        old = Test(Subject("version"), "exact", ("1.0",))
        whole = Every((scope, Not(Test(Subject("method"), "exact", ("HEAD",))), Not(old)))
        self.put(whole, ["encode \0 {", "\tgzip", "\tminimum_length 1", *match, "}"])

    def _answered(self, backend: Proxy, rules: list[Rule]) -> list[str]:
        """`handle_response`, where rules look at the answer: as it came, so none may have changed that before."""
        refusing: list[tuple[Formula, list[str]]] = []
        changing: list[tuple[Formula, list[str]]] = []
        statuses: list[tuple[Formula, list[str]]] = []
        guard: dict[tuple[str, bool], Formula] = {}
        changes: list[Change] = []
        for rule in rules:
            try:
                if rule.action in _UNSEEN:
                    self.ledger.note(rule.span, Loss.NONE, f"{rule.word}: {_UNSEEN[rule.action]}")
                    continue
                told = {subject for text in formats_of(rule) for subject in answer_parts(text)}
                if any(one.subject in told for one in changes):
                    raise Untranslatable("a rule before it changes what it looks at")
                self._look_up(*formats_of(rule))
                section = rule.ruleset, rule in backend.rules.get(rule.ruleset, ())
                before = guard.get(section, TRUE)
                asked = as_it_came(formula(rule.condition), changes)
                whole = simplified(Every((before, asked)))
                expression(whole)
                reply, redirect = rule.arguments.get("reply"), rule.arguments.get("redirect")
                if rule.action == "allow":
                    guard[section] = simplified(Every((before, Not(asked))))
                elif isinstance(reply, HttpReply):
                    given = answer_of(reply, 502 if rule.action == "deny" else 200, backend)
                    refusing.append((whole, self._answer(given)))
                elif isinstance(redirect, Redirect):
                    refusing.append((whole, self._answer(redirect_answer(redirect))))
                elif rule.action == "set-status":
                    if rule.arguments.get("reason"):
                        self.ledger.near(rule.span, "the reason is the usual one of that status")
                    statuses.append((whole, [f"copy_response \0 {rule.arguments['number']}"]))
                    changes.append(Change(whole, Subject("status"), str(rule.arguments["number"])))
                else:
                    text = self._response_header(rule)
                    changing.append((whole, ["header \0 {", f"\t{text}", "\tdefer", "}"]))
                    changes.append(change_of(rule, whole))
                self._own_answers(rule)
                self.ledger.done(rule.span)
            except Untranslatable as reason:
                self.ledger.left_out(rule, reason)
        outer, self.lines = self.lines, []
        for whole, lines in (*refusing, *reversed(changing), (TRUE, _OWN_SERVER), *reversed(statuses)):
            self.put(whole, lines)
        inner, self.lines = self.lines, outer
        # A `route` keeps the order.
        return ["handle_response {", "\troute {", *(f"\t\t{line}" for line in (*inner, "copy_response")), "\t}", "}"]

    def _page(self, status: int, backend: Proxy) -> Answer:
        """A page of one's own for a backend's requests, else one like HAProxy's."""
        own = {**self.proxy.error_pages, **backend.error_pages}.get(status)
        try:
            return page_answer(own, backend) if own is not None else own_page(status)
        except Untranslatable as reason:
            self.ledger.lost(backend.span, f"the page for {status} was left out: {reason}")
            return own_page(status)

    def _plain_response(self, rule: Rule) -> list[str]:
        try:
            if rule.action in _UNSEEN:
                self.ledger.note(rule.span, Loss.NONE, f"{rule.word}: {_UNSEEN[rule.action]}")
                return []
            self._look_up(*formats_of(rule))
            text = self._response_header(rule)
            self._own_answers(rule)
            self.ledger.done(rule.span)
        except Untranslatable as reason:
            self.ledger.left_out(rule, reason)
            return []
        return [f"header_down {text}"]

    def _deferred_response(self, rule: Rule, scope: Formula) -> None:
        """A rule about answers that waits until there is one."""
        try:
            if rule.action in _UNSEEN:
                self.ledger.note(rule.span, Loss.NONE, f"{rule.word}: {_UNSEEN[rule.action]}")
                return
            self._look_up(*formats_of(rule))
            text = self._response_header(rule)
            self._own_answers(rule)
            self.put(Every((scope, formula(rule.condition))), ["header \0 {", f"\t{text}", "\tdefer", "}"])
            self.ledger.done(rule.span)
        except Untranslatable as reason:
            self.ledger.left_out(rule, reason)

    def _own_answers(self, rule: Rule) -> None:
        if rule.ruleset == "http-after-response":
            self.ledger.near(rule.span, "answers of Caddy's own are not changed")

    def _response_header(self, rule: Rule) -> str:
        name = rule.arguments.get("name")
        if not rule.action.endswith(("-header", "replace-value")) or not isinstance(name, str):
            raise Untranslatable("Caddy has nothing like it")
        return self._header(rule, name)

    def _errors(self, backends: list[Proxy]) -> list[str]:
        """What is answered when servers fail: HAProxy's statuses, and pages of one's own."""
        self.ledger.note_pages(self.proxy, _FAILURES)
        for backend in backends:
            self.ledger.note_pages(backend, _FAILURES)
        lines = ["handle_errors {"]
        for status, failed in _FAILURES.items():
            pages = {backend.name: self._page(status, backend) for backend in backends}
            usual = self._page(status, self.proxy)
            for number, answer in enumerate(dict.fromkeys(one for one in pages.values() if one != usual)):
                names = [name for name, one in pages.items() if one == answer]
                asked = expression(Test(Subject("backend"), "exact", tuple(names)))
                which = f"{failed} && {asked}" if len(backends) > 1 else failed
                lines += self._error(f"@e{status}_{number + 1}", which, answer)
            lines += self._error(f"@e{status}", failed, usual)
        return [*lines, "}"]

    def _error(self, matcher: str, which: str, answer: Answer) -> list[str]:
        body = [line.replace("\0 ", f"{matcher} ", 1) for line in self._answer(answer)]
        return [f"\t{matcher} expression `{which}`", *(f"\t{line}" for line in body)]


def looks_at_answer(rule: Rule) -> bool:
    """Whether a rule about answers has to wait for one."""
    try:
        looks = [one.kind for one in subjects(formula(rule.condition))]
        looks += [one.kind for text in formats_of(rule) for one in answer_parts(text)]
    except Untranslatable:
        return rule.action in _ANSWERING
    return rule.action in _ANSWERING or not {"answer", "status"}.isdisjoint(looks)

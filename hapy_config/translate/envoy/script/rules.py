"""The rules of a frontend and its backends as statements of Lua, in HAProxy's order, and the routes behind them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from hapy_config.model.config import Config
from hapy_config.model.expressions import AclExpression, Call, Condition, LogFormat, SampleExpression
from hapy_config.model.proxy import Proxy
from hapy_config.model.rules import HttpReply, Redirect, Rule, UseBackend
from hapy_config.translate.answers import IN_CLEAR, Answer, answer_of, asking, own_page
from hapy_config.translate.auth import AUTH_FETCHES, auth_condition, expressions_of
from hapy_config.translate.envoy.actions import header_to_add
from hapy_config.translate.envoy.matching import Json
from hapy_config.translate.envoy.routes import UNSEEN, Routes
from hapy_config.translate.envoy.script.helpers import needed
from hapy_config.translate.envoy.script.patterns import patterns
from hapy_config.translate.envoy.script.values import Values, pattern_table, quoted, table
from hapy_config.translate.flow import Untranslatable
from hapy_config.translate.guards import GUARDS, refusal
from hapy_config.translate.ledger import Ledger
from hapy_config.translate.plain import header_test
from hapy_config.translate.report import Loss

#: The header that names the backend for the routes, and the one that tells whether a server answered.
_BACKEND: Final = "x-hapy-backend"
_ANSWERED: Final = "x-hapy-answered"
_NOT_KEPT: Final = frozenset({302, 303, 307})
_SCOPES: Final = frozenset({"txn", "req", "res"})
_READY: Final = "<html><body><h1>200 OK</h1>\nService ready.\n</body></html>\n"
_FITS: Final = {"beg": "begins", "end": "ends", "sub": "contains", "reg": "matches"}
_URL_FETCHES: Final = frozenset({"path", "pathq", "url", "capture.req.uri"})


class ScriptedRoutes(Routes):
    """The routes of one frontend whose rules a script runs: one for each backend that it may name."""

    def __init__(self, ledger: Ledger, config: Config, proxy: Proxy) -> None:
        super().__init__(ledger, config, proxy)
        self._values = Values()
        self._asked: list[str] = []
        self._sections: dict[str, str] = {}

    # -- the whole

    def write(self) -> list[Json]:
        """The routes; the script is written beside them."""
        proxy = self.proxy
        for ruleset in ("tcp-request connection", "tcp-request session", "tcp-request content"):
            for rule in proxy.rules.get(ruleset, ()):
                self._connection_rule(rule)
        self.routes = []  # what those rules could not say of connections, the script does not know either
        begin: list[str] = []
        if proxy.monitor_uri:
            answer = self._reply(own_page(200, text=_READY))
            begin = [f"if url(r) == {quoted(proxy.monitor_uri)} then", f"  {answer}", "  return true", "end"]
        main = self._section(proxy, begin)
        choice = self._choice()
        if self._values.identified:
            main.insert(0, "identify(r)")
        self._values.answering = True
        before = [self._answers(one, "http-response") for one in self.backends.values()]
        own = self._answers(proxy, "http-response")
        after = [self._answers(one, "http-after-response") for one in self.backends.values()]
        own_after = self._answers(proxy, "http-after-response")
        self.script = self._source(main, choice, dict(zip(self.backends, before, strict=True)), own,
                                   dict(zip(self.backends, after, strict=True)), own_after)  # fmt: skip
        for backend in self.backends.values():
            named = {"name": _BACKEND, "string_match": {"exact": backend.name}}
            action = self._action(backend, [])
            told = [header_to_add(_ANSWERED, "%RESPONSE_CODE_DETAILS%", append=False)]
            self.routes.append(
                {"match": {"prefix": "/", "headers": [named]}, **action, "response_headers_to_add": told}
            )
        self.routes.append({"match": {"prefix": "/"}, "direct_response": {"status": 503}})
        self.numbered = self._values.identified or "X-REQUEST-ID" in repr(self.routes)
        return self.routes

    def after_responses(self) -> Json:
        """Nothing: the script does it."""
        return {}

    def _own_headers(self) -> tuple[list[Json], dict[str, None]]:
        added, removed = super()._own_headers()
        return added, {**removed, _BACKEND: None}

    def _response_rules(self, backend: Proxy) -> list[Rule]:  # noqa: ARG002 - the script has them all
        return []

    def _source(
        self, main: list[str], choice: list[str], before: dict[str, list[str]], own: list[str],
        after: dict[str, list[str]], own_after: list[str],
    ) -> str:  # fmt: skip
        name = self.proxy.name
        parts = [f"-- The rules of '{name}' in the order in which HAProxy runs them; numbers are of lines there."]
        functions: list[str] = []
        functions.append(_function("rules_of_frontend", main))
        for backend, lines in self._backend_rules.items():
            functions.append(f"backends[{quoted(backend)}] = {_body(lines)}")
        functions.append(_function("choose_backend", choice))
        for kind, found in (("answers", before), ("all_answers", after)):
            for backend, lines in found.items():
                if lines and self.config.backend(backend) is not self.proxy:
                    functions.append(f"{kind}[{quoted(backend)}] = {_body(lines)}")
        functions.append(_function("answers_of_frontend", own))
        functions.append(_function("all_answers_of_frontend", own_after))
        functions.append(_REQUEST)
        functions.append(_RESPONSE)
        body = "\n\n".join(functions)
        tables = [f"{name} = {text}" for text, name in self._values.tables.items()]
        parts.append(needed("\n".join([body, *tables])))
        parts += ["\n".join(tables)] if tables else []
        parts.append("backends, answers, all_answers = {}, {}, {}")
        return "\n\n".join([*parts, body]) + "\n"

    # -- requests

    def _section(self, proxy: Proxy, begin: Iterable[str] = ()) -> list[str]:
        """The `http-request` rules and redirects of a proxy, as the body of a function that is true once answered."""
        lines = list(begin)
        rules: list[str] = []
        leaves = False
        for rule in proxy.rules.get("http-request", ()):
            if rule.action in UNSEEN:
                self.ledger.note(rule.span, Loss.NONE, f"{rule.word}: it changes nothing that a client or server sees")
                continue
            if rule.action == "allow":
                leaves = True
            rules += self._rule_lines(rule, proxy)
        redirects: list[str] = []
        for redirect in proxy.redirects:
            try:
                redirects += self._if(self._values.condition(redirect.condition), self._redirect(redirect),
                                      redirect.span.line)  # fmt: skip
                self.ledger.done(redirect.span)
            except Untranslatable as reason:
                self.ledger.lost(redirect.span, f"redirect was left out: {reason}")
        if leaves:  # `allow` ends the rules, not the redirects
            rules = [
                "local function rules()",
                *(f"  {line}" for line in rules),
                "end",
                "if rules() then return true end",
            ]
        return [*lines, *rules, *redirects]

    def _rule_lines(self, rule: Rule, proxy: Proxy) -> list[str]:
        """One rule with its condition; what refuses in its place where it can't go over."""
        try:
            statements = self._statements(rule, proxy)
            asked = self._with_known_passwords(rule) if rule.action == "auth" else rule.condition
            condition = self._values.condition(asked)
            self.ledger.done(rule.span)
            return self._if(condition, statements, rule.span.line)
        except Untranslatable as reason:
            return self._refused(rule, reason)

    def _with_known_passwords(self, rule: Rule) -> Condition | None:
        """The condition of a rule that asks for passwords, with those that are kept in clear as tests of the header.

        Raises:
            Untranslatable: there are none, or it asks in another way.
        """
        condition = rule.condition
        if condition is None or not any(one.criterion.fetch.name in AUTH_FETCHES for one in expressions_of(condition)):
            return condition
        _, users, _ = auth_condition(condition, self.config)
        known = [user for user in users if not user.encrypted]
        if not known:
            raise Untranslatable("Envoy can't check passwords that are kept as HAProxy's hashes")
        for user in users:
            if user.encrypted:
                text = f"the user '{user.name}' is kept out: Envoy can't check passwords kept as HAProxy's hashes"
                self.ledger.lost(rule.span, text)
        header = SampleExpression("req.fhdr(authorization)", Call("req.fhdr", ("authorization",)), (), "str")
        test = AclExpression(header, "reg", header_test(known).values)
        return replace(
            condition,
            alternatives=tuple(
                tuple(
                    replace(
                        term,
                        expressions=tuple(
                            test if one.criterion.fetch.name in AUTH_FETCHES else one for one in term.expressions
                        ),
                    )
                    for term in terms
                )
                for terms in condition.alternatives
            ),
        )

    def _refused(self, rule: Rule, reason: Untranslatable) -> list[str]:
        """What refuses whom a rule that can't go over might keep out; nothing for other rules."""
        if rule.action not in GUARDS or rule.ruleset != "http-request":
            self.ledger.left_out(rule, reason)
            return []
        condition = self._values.condition(rule.condition, unknown=rule.action)
        self.ledger.left_out(rule, reason, refused=condition != "false")
        if condition == "false":
            return []
        return self._if(condition, [self._reply(own_page(refusal(rule))), "return true"], rule.span.line)

    @staticmethod
    def _if(condition: str, statements: list[str], line: int) -> list[str]:
        note = f"-- {line}"
        if condition == "false":
            return []
        if condition == "true":
            if statements[-1].startswith("return"):  # nothing may stand behind it
                return [note, "do", *(f"  {one}" for one in statements), "end"]
            return [note, *statements]
        return [note, f"if {condition} then", *(f"  {one}" for one in statements), "end"]

    def _statements(self, rule: Rule, proxy: Proxy) -> list[str]:
        """What a rule does.

        Raises:
            Untranslatable: it can't be done.
        """
        action, given = rule.action, rule.arguments
        if action in ("deny", "tarpit", "return", "silent-drop", "reject"):
            reply = given.get("reply")
            default = {"tarpit": 500, "return": 200}.get(action, 403)
            found = (
                self._own_reply(reply, default, proxy) if isinstance(reply, HttpReply) else self._reply(own_page(403))
            )
            if action in ("tarpit", "silent-drop", "reject"):
                self.ledger.near(rule.span, f"{rule.word}: Envoy answers at once")
            return [found, "return true"]
        if action == "auth":
            self.ledger.near(rule.span, IN_CLEAR)
            return [self._reply(asking(given.get("realm") or proxy.name)), "return true"]
        if action == "redirect":
            redirect = given["redirect"]
            assert isinstance(redirect, Redirect)
            return self._redirect(redirect)
        if action == "allow":
            return ["return"]
        return [self._changing(rule)]

    def _changing(self, rule: Rule) -> str:
        """What a rule changes, of a request or an answer."""
        action, given, values = rule.action, rule.arguments, self._values
        name, value, format_ = (given.get(word) for word in ("name", "value", "format"))
        header = quoted(str(name).lower())
        text = value if isinstance(value, LogFormat) else format_ if isinstance(format_, LogFormat) else None
        if str(name).lower() == "host" and action in ("add-header", "del-header"):
            raise Untranslatable("Envoy can only give the host another value")
        if action in ("set-header", "add-header") and text is not None:
            return f"{action.replace('-', '_')}(r, {header}, {values.format(text)})"
        if action == "del-header":
            return self._removal(str(name), str(given.get("match", "str")))
        if action in ("replace-header", "replace-value") and text is not None:
            found = pattern_table(patterns(str(given["regex"]), captures=True))
            return f"{action.replace('-', '_')}(r, {header}, {found}, {values.format(text)})"
        if action in ("set-var*", "set-var-fmt*", "unset-var*"):
            return self._variable(rule)
        if rule.ruleset != "http-request":
            if action == "set-status":
                return f'r.headers:replace(":status", "{given["number"]}")'
            raise Untranslatable("Envoy has nothing like it")
        if action in ("replace-path", "replace-pathq", "replace-uri") and text is not None:
            found = pattern_table(patterns(str(given["regex"]), captures=True))
            what, put = ("path", "set_path") if action == "replace-path" else ("url", "set_url")
            return f"{put}(r, rewritten({what}(r), {found}, {values.format(text)}))"
        if action in ("set-path", "set-pathq", "set-uri") and text is not None:
            self._begins_well(text)
            return f"{'set_path' if action == 'set-path' else 'set_url'}(r, {values.format(text)})"
        if action in ("set-query", "set-method") and text is not None:
            return f"{action.replace('-', '_')}(r, {values.format(text)})"
        raise Untranslatable("Envoy has nothing like it")

    @staticmethod
    def _begins_well(text: LogFormat) -> None:
        """See that a path begins with a slash, as all of Envoy's do."""
        first = text.items[0] if text.items else None
        begin = getattr(first, "text", "")
        expression = getattr(first, "expression", None)
        if (
            isinstance(expression, SampleExpression)
            and expression.fetch.name in _URL_FETCHES
            and not expression.converters
        ):
            return
        if not str(begin).startswith("/"):
            raise Untranslatable("a path that may not begin with '/' is refused there")

    @staticmethod
    def _removal(name: str, match: str) -> str:
        if match == "str":
            return f"del_header(r, {quoted(name.lower())})"
        if match not in _FITS:
            raise Untranslatable("Envoy has nothing like it")
        if match != "reg":
            return f"del_headers(r, {_FITS[match]}, {quoted(name.lower())})"
        return " ".join(f"del_headers(r, matches, {quoted(one.text)})" for one in patterns(name, ignore_case=True))

    def _variable(self, rule: Rule) -> str:
        name = str(rule.arguments.get("variable", ""))
        if name.partition(".")[0] not in _SCOPES or rule.arguments.get("options"):
            raise Untranslatable("variables live no longer than a request there")
        if rule.action == "unset-var*":
            return f"r.vars[{quoted(name)}] = nil"
        format_, expression = rule.arguments.get("format"), rule.arguments.get("expression")
        if isinstance(format_, LogFormat):
            return f"set_var(r, {quoted(name)}, {self._values.format(format_)})"
        if isinstance(expression, SampleExpression):
            return f"set_var(r, {quoted(name)}, {self._values.one(expression)})"
        raise Untranslatable("Envoy has nothing like it")

    # -- answers of the script's own

    def _reply(self, answer: Answer, headers: Iterable[tuple[str, str]] = (), body: str | None = None) -> str:
        """A call that gives an answer; headers and body are Lua's expressions besides what the answer holds."""
        told = [("content-type", quoted(answer.content_type))] if answer.content_type else []
        if answer.location is not None:
            told.append(("location", quoted(_constant(answer.location))))
        told += [(name.lower(), quoted(_constant(parts))) for name, parts in answer.told]
        told += headers
        text = body if body is not None else quoted(_constant(answer.body))
        call = "answer_instead" if self._values.answering else "answer"
        return f"{call}(r, {answer.status}, {table(table([quoted(name), value]) for name, value in told)}, {text})"

    def _own_reply(self, reply: HttpReply, default: int, proxy: Proxy) -> str:
        """The answer of `return` and of what refuses."""
        headers = [(name.lower(), self._values.format(value)) for name, value in reply.headers]
        if reply.body_format is not None:
            whole = Answer(reply.status or default, reply.content_type or "")
            return self._reply(whole, headers, self._values.format(reply.body_format))
        return self._reply(answer_of(replace(reply, headers=()), default, self._with_pages(proxy)), headers)

    def _redirect(self, redirect: Redirect) -> list[str]:
        """What sends a client elsewhere."""
        if self._values.answering and redirect.kind != "location":
            raise Untranslatable("the request's path is gone by then")
        target = self._values.format(redirect.target)
        rest = "path(r)" if redirect.drop_query else "url(r)"
        if redirect.append_slash:
            rest = f"with_slash({rest})"
        if redirect.kind == "prefix":
            target = rest if redirect.target.constant == "/" else f"{target} .. {rest}"
        elif redirect.kind == "scheme":
            target = f'{target} .. "://" .. (host(r) or "") .. {rest}'
        headers = [("location", target)]
        for cookie, tail in ((redirect.set_cookie, "; path=/;"), (redirect.clear_cookie, "; path=/; Max-Age=0;")):
            if cookie is not None:
                headers.append(("set-cookie", quoted(cookie + tail)))
        answer = Answer(redirect.code, "", ("",), kept=redirect.code not in _NOT_KEPT)
        call = [self._reply(answer, headers), "return true"]
        if redirect.kind == "location" and redirect.ignore_empty and redirect.target.constant is None:
            return [f'if {target} ~= "" then', *(f"  {one}" for one in call), "end"]
        return call

    # -- backends

    def _choice(self) -> list[str]:
        """The `use_backend` lines, as the body of a function that gives a backend's name; nil for none."""
        lines: list[str] = []
        self._backend_rules: dict[str, list[str]] = {}
        for use in self.proxy.use_backends:
            name = use.target if isinstance(use.target, str) else use.target.text
            try:
                condition = self._values.condition(use.condition)
                lines += self._if(condition, self._chosen(use), use.span.line)
                self.ledger.done(use.span)
            except Untranslatable as reason:
                self.ledger.lost(use.span, f"use_backend {name} was left out: {reason}")
        name = self.proxy.default_backend or (self.proxy.name if self.proxy.is_backend else "")
        default = self.config.backend(name)
        if default is not None:
            self._add(default)
            lines.append(f"return {quoted(default.name)}")
        return [f"local default_backend = {quoted(default.name) if default is not None else 'nil'}", *lines]

    def _chosen(self, use: UseBackend) -> list[str]:
        if isinstance(use.target, str):
            backend = self.config.backend(use.target)
            if backend is None:
                raise Untranslatable("there is no such backend")
            self._add(backend)
            return [f"return {quoted(backend.name)}"]
        text = self._values.format(use.target)
        for proxy in self.config.proxies:
            if proxy.is_backend and proxy.mode == "http":
                self._add(proxy)
        # A name that no backend has leads to the default one, whatever stands in the lines behind.
        return [f"local name = {text}", "do return backends[name] and name or default_backend end"]

    def _add(self, backend: Proxy) -> None:
        """A backend that the script may name, with its rules."""
        if backend.name in self.backends:
            return
        self.backends[backend.name] = backend
        self._backend_rules[backend.name] = [] if backend is self.proxy else self._section(backend)

    # -- answers

    def _answers(self, proxy: Proxy, ruleset: str) -> list[str]:
        """The rules about answers of a proxy."""
        found: list[str] = []
        for rule in proxy.rules.get(ruleset, ()):
            if rule.action in UNSEEN:
                self.ledger.note(rule.span, Loss.NONE, f"{rule.word}: it changes nothing that a client sees")
                continue
            try:
                if rule.action == "allow":
                    statements = ["return"]
                elif rule.action in ("deny", "return"):
                    reply = rule.arguments.get("reply")
                    assert isinstance(reply, HttpReply)
                    statements = [self._own_reply(reply, 502 if rule.action == "deny" else 200, proxy), "return true"]
                elif rule.action == "redirect":
                    redirect = rule.arguments["redirect"]
                    assert isinstance(redirect, Redirect)
                    statements = self._redirect(redirect)
                else:
                    statements = [self._changing(rule)]
                found += self._if(self._values.condition(rule.condition), statements, rule.span.line)
                self.ledger.done(rule.span)
            except Untranslatable as reason:
                self.ledger.left_out(rule, reason)
        return found


_REQUEST: Final = """\
function envoy_on_request(handle)
  guarded(handle, function()
    local r = request(handle)
    if rules_of_frontend(r) then return end
    r.backend = choose_backend(r)
    if r.backend and backends[r.backend](r) then return end
    keep(r)
    lead_on(r)
  end)
end"""
_RESPONSE: Final = """\
function envoy_on_response(handle)
  local r = request_of(handle)
  if r == nil then return end
  if from_server(r) then
    local done = answers[r.backend] and answers[r.backend](r)
    if not done then answers_of_frontend(r) end
  end
  if all_answers[r.backend] then all_answers[r.backend](r) end
  all_answers_of_frontend(r)
end"""


def _constant(parts: object) -> str:
    """A text that holds nothing of the request's.

    Raises:
        Untranslatable: it does.
    """
    assert isinstance(parts, tuple)
    if not all(isinstance(part, str) for part in parts):
        raise Untranslatable("a part of it depends on the request")
    return "".join(parts)


def _body(lines: Iterable[str]) -> str:
    return "\n".join(["function(r)", *(f"  {line}" for line in lines), "end"])


def _function(name: str, lines: Iterable[str]) -> str:
    return "\n".join([f"function {name}(r)", *(f"  {line}" for line in lines), "end"])

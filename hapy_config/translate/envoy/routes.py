"""Rules and `use_backend` lines of a frontend as routes, and what no route can ask as an access filter."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from hapy_config.model.config import Config
from hapy_config.model.expressions import Condition, LogFormat
from hapy_config.model.proxy import ForwardFor, Proxy
from hapy_config.model.rules import HttpReply, Redirect, Rule
from hapy_config.source import NOWHERE, Span
from hapy_config.translate.answers import IN_CLEAR, Answer, answer_of, asking, own_page, redirect_answer
from hapy_config.translate.auth import AUTH_FETCHES, auth_condition, expressions_of
from hapy_config.translate.envoy.access import policies
from hapy_config.translate.envoy.actions import (
    SESSIONS,
    direct,
    hash_policy,
    header_to_add,
    redirects_to,
    retry_policy,
    session,
    with_groups,
)
from hapy_config.translate.envoy.clusters import seconds
from hapy_config.translate.envoy.matching import PROTO, PROTO_COPY, TOLD, Json, match_of, regex, sent, string
from hapy_config.translate.envoy.paths import BEFORE, PARTS, Rewriting, as_it_came
from hapy_config.translate.flow import (
    FALSE,
    TRUE,
    Every,
    Formula,
    Not,
    Subject,
    Test,
    Untranslatable,
    alternatives,
    constant,
    formula,
    pieces,
    simplified,
    whole_of,
)
from hapy_config.translate.guards import GUARDS, kept_out, refusal, tests_of
from hapy_config.translate.ledger import Ledger
from hapy_config.translate.plain import header_test
from hapy_config.translate.report import Loss
from hapy_config.translate.ties import inserted_cookie

#: Conditional changes of a request that one route may depend on; each doubles the routes.
_MOST_CHANGES: Final = 3
#: Ways in which a condition can hold; each is a route.
_MOST_CASES: Final = 32
#: Headers that Envoy adds by itself.
_OWN_HEADERS: Final = (PROTO, "x-envoy-external-address", "x-envoy-internal")
UNSEEN: Final = frozenset(
    {
        "capture",
        "disable-l7-retry",
        "set-log-level",
        "set-nice",
        "set-priority-class",
        "set-priority-offset",
        "strict-mode",
    }
)
#: A path, whatever it is.
_ANY_PATH: Final = "^/[^?]*"


@dataclass(slots=True)
class Change:
    """What a rule does to requests on the way to a server, or to their answers; span: its place."""

    condition: Formula
    span: Span = NOWHERE
    add: list[Json] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    rewrite: Json | None = None
    host: Json | None = None
    answer_add: list[Json] = field(default_factory=list)
    answer_remove: list[str] = field(default_factory=list)


def _whole_path(change: Change) -> Json:
    """A rewrite with the same text that takes whatever path there is, as `set-path` with a constant one does."""
    assert change.rewrite is not None
    return {"pattern": {"regex": _ANY_PATH}, "substitution": change.rewrite["substitution"]}


def looks_at(whole: Formula, *kinds: str) -> bool:
    """Whether a condition looks at one of these."""
    return any(one.kind in kinds for one in subjects(whole))


def subjects(whole: Formula) -> Iterator[Subject]:
    """What a condition looks at."""
    if isinstance(whole, Test):
        yield whole.subject
    else:
        for one in (whole.part,) if isinstance(whole, Not) else whole.parts:
            yield from subjects(one)


def cases(whole: Formula) -> list[list[tuple[Test, bool]]]:
    """The ways in which a condition can hold, without those that contradict themselves.

    Raises:
        Untranslatable: there are too many.
    """
    every = (dict.fromkeys(tests) for tests in alternatives(simplified(whole), 4096))
    distinct = {frozenset(tests): list(tests) for tests in every if _may_hold(list(tests))}
    found = [tests for one, tests in distinct.items() if not any(other < one for other in distinct)]
    if len(found) > _MOST_CASES:
        raise Untranslatable("the condition has too many cases")
    return found


def _may_hold(tests: list[tuple[Test, bool]]) -> bool:
    """Whether tests can hold together, as far as that is plain."""
    if len(dict(tests)) < len(tests):
        return False
    begun = [one for one, wanted in tests if wanted and one.subject.kind == "path" and not one.ignore_case]
    texts = [(one.values[0], one.how) for one in begun if one.how in ("exact", "prefix") and len(one.values) == 1]
    for (text, how), (other, other_how) in itertools.combinations(texts, 2):
        fits = text == other or (how == "prefix" and other.startswith(text))
        if not fits and not (other_how == "prefix" and text.startswith(other)):
            return False
    return True


class Routes:
    """The routes of one frontend.

    Args:
        ledger: takes the notes.
        config: the model.
        proxy: the frontend or listen.
    """

    def __init__(self, ledger: Ledger, config: Config, proxy: Proxy) -> None:
        self.ledger = ledger
        self.config = config
        self.proxy = proxy
        self.routes: list[Json] = []
        self.denied: dict[str, Json] = {}
        self.backends: dict[str, Proxy] = {}
        self.numbered = False
        self.told: list[str] = []
        self.tied = False
        self.script = ""
        self._changes: list[Change] = []
        self._rewritings: tuple[Rewriting, ...] = ()
        self._changed: set[str] = set()

    def write(self) -> list[Json]:
        """The routes, in order."""
        proxy = self.proxy
        if proxy.monitor_uri:
            asked = Test(Subject("url"), "exact", (proxy.monitor_uri,))
            self._put(
                asked,
                direct(own_page(200, text="<html><body><h1>200 OK</h1>\nService ready.\n</body></html>\n")),
            )
        for ruleset in ("tcp-request connection", "tcp-request session", "tcp-request content"):
            for rule in proxy.rules.get(ruleset, ()):
                self._connection_rule(rule)
        self._rules(proxy, TRUE)
        self._redirects(proxy, TRUE)
        left: Formula = TRUE
        for use in proxy.use_backends:
            target = use.target if isinstance(use.target, str) else use.target.text
            try:
                backend = self.config.backend(target) if isinstance(use.target, str) else None
                if backend is None:
                    raise Untranslatable("which one it is depends on the request")
                whole = self._seen(use.condition)
                self._backend(backend, simplified(Every((whole, left))), whole)
                self.ledger.done(use.span)
            except Untranslatable as reason:
                self.ledger.lost(use.span, f"use_backend {target} was left out: {reason}")
        name = proxy.default_backend or (proxy.name if proxy.is_backend else "")
        default = self.config.backend(name)
        try:
            if default is not None:
                self._backend(default, TRUE, TRUE)
        except Untranslatable as reason:
            self.ledger.lost(self.ledger.line(proxy, "default_backend"), f"default_backend was left out: {reason}")
            default = None
        if default is None:
            self._put(TRUE, direct(own_page(503)))
        text = repr(self.routes)
        self.numbered = "X-REQUEST-ID" in text
        self.told = [subject for subject, (name, _) in TOLD.items() if name in text]
        for route in self.routes if self.told else ():
            if "route" in route:
                route["request_headers_to_remove"] += [TOLD[subject][0] for subject in self.told]
        return self.routes

    def _seen(self, condition: Condition | None) -> Formula:
        """A condition as routes can ask for it, which see a request as it came.

        Raises:
            Untranslatable: it depends on what a rule above has changed.
        """
        whole = formula(condition)
        self._check(subjects(whole), paths=False)
        return simplified(as_it_came(whole, self._rewritings))

    def _check(self, found: Iterable[Subject], *, paths: bool = True) -> None:
        """See that no rule above has changed something, the path too if asked."""
        for one in found:
            if paths and self._rewritings and one.kind in ("path", "url", "base", "query"):
                raise Untranslatable("routes see the path as it came, and a rule above rewrites it")
            name = "host" if one.kind in ("host", "hostname", "base") else one.name if one.kind == "header" else ""
            if name.lower() in self._changed:
                raise Untranslatable(f"routes see the header '{name}' as it came, and a rule above changes it")

    def _with_pages(self, proxy: Proxy) -> Proxy:
        """A backend with the pages of its frontend where it has none of its own."""
        return replace(proxy, error_pages={**self.proxy.error_pages, **proxy.error_pages})

    def _check_answer(self, answer: Answer) -> None:
        """See that an answer holds nothing that a rule above has changed."""
        texts = [*(text for _, text in answer.told), answer.location or ()]
        self._check(part for text in texts for part in text if isinstance(part, Subject))

    def _string(self, format_: LogFormat) -> str:
        parts = pieces(format_)
        self._check(one for one in parts if isinstance(one, Subject))
        return string(parts)

    def _put(self, whole: Formula, action: Json) -> None:
        """Routes for all ways in which a condition can hold."""
        self.routes += [{"match": match_of(tests), **action} for tests in cases(whole)]

    @staticmethod
    def _routable(whole: Formula) -> bool:
        """Whether routes can ask for a condition."""
        try:
            for tests in cases(whole):
                match_of(tests)
        except Untranslatable:
            return False
        return True

    def _connection_rule(self, rule: Rule) -> None:
        try:
            if rule.action == "reject":
                self._deny(formula(rule.condition), rule.span)
                self.ledger.near(rule.span, "the client gets a 403 instead of a closed connection")
            elif rule.action != "accept" or rule.condition is not None:
                raise Untranslatable("Envoy has nothing like it")
            self.ledger.done(rule.span)
        except Untranslatable as reason:
            self.ledger.left_out(rule, reason, refused=self._refuse(rule, TRUE))

    def _refuse(self, rule: Rule, scope: Formula) -> bool:
        """Refuse whom a rule that can't go over might keep out; whether there is anybody."""
        whole = as_it_came(kept_out(rule, TRUE, self._ask), self._rewritings, FALSE)
        whole = simplified(Every((scope, whole)))
        try:
            self._put(whole, direct(own_page(refusal(rule))))
        except Untranslatable:
            self._put(scope, direct(own_page(refusal(rule))))
        return whole != FALSE

    def _ask(self, one: Test) -> None:
        """See whether routes can make a test."""
        self._check([one.subject], paths=False)
        for part in tests_of(as_it_came(one, self._rewritings, FALSE)):
            match_of([(part, True)])

    def _rules(self, proxy: Proxy, scope: Formula) -> None:
        guard = scope
        for rule in proxy.rules.get("http-request", ()):
            if rule.action in UNSEEN:
                self.ledger.note(rule.span, Loss.NONE, f"{rule.word}: it changes nothing that a client or server sees")
                continue
            try:
                if rule.action == "auth":
                    self._auth(rule, guard, proxy)
                    self.ledger.done(rule.span)
                    continue
                own = self._seen(rule.condition)
                whole = simplified(Every((guard, own)))
                if rule.action == "allow":
                    guard = simplified(Every((guard, Not(own))))
                else:
                    self._rule(rule, whole, proxy)
                self.ledger.done(rule.span)
            except Untranslatable as reason:
                self.ledger.left_out(rule, reason, refused=self._refuse(rule, guard))

    def _auth(self, rule: Rule, scope: Formula, proxy: Proxy) -> None:
        """Ask for passwords by a look at the header, which tells those that are kept in clear."""
        if any(one.criterion.fetch.name in AUTH_FETCHES for one in expressions_of(rule.condition)):
            _, users, rest = auth_condition(rule.condition, self.config)
            plain = [user for user in users if not user.encrypted]
            if not plain:
                raise Untranslatable("Envoy can't check passwords that are kept as HAProxy's hashes")
            for user in users:
                if user.encrypted:
                    text = f"the user '{user.name}' is kept out: Envoy can't check passwords kept as HAProxy's hashes"
                    self.ledger.lost(rule.span, text)
            own: Formula = Every((rest, Not(header_test(plain))))
            self._check(subjects(own), paths=False)
            own = as_it_came(own, self._rewritings)
        else:
            own = self._seen(rule.condition)
        self._put(simplified(Every((scope, own))), direct(asking(rule.arguments.get("realm") or proxy.name)))
        self.ledger.near(rule.span, IN_CLEAR)

    def _rule(self, rule: Rule, whole: Formula, proxy: Proxy) -> None:
        action, given = rule.action, rule.arguments
        if action in ("deny", "tarpit", "return", "silent-drop", "reject"):
            reply = given.get("reply")
            default = {"tarpit": 500, "return": 200}.get(action, 403)
            answer = (
                answer_of(reply, default, self._with_pages(proxy)) if isinstance(reply, HttpReply) else own_page(403)
            )
            self._check_answer(answer)
            if action in ("tarpit", "silent-drop", "reject"):
                self.ledger.near(rule.span, f"{rule.word}: Envoy answers at once")
            if looks_at(whole, *TOLD) and not self._routable(whole):
                if answer.status < 400:
                    raise Untranslatable("the access filter can only refuse")
                if answer.status != 403 or self.routes:
                    self.ledger.near(
                        rule.span, "what looks at addresses is asked before all routes, and answers with 403"
                    )
                self._deny(whole, rule.span)
            else:
                self._put(whole, direct(answer))
        elif action == "redirect":
            redirect = given["redirect"]
            assert isinstance(redirect, Redirect)
            self._put_redirects(whole, redirect)
        else:
            self._change(rule, whole)

    def _change(self, rule: Rule, whole: Formula) -> None:
        """A rule that changes the request."""
        if whole != TRUE and sum(one.condition != TRUE for one in self._changes) >= _MOST_CHANGES:
            raise Untranslatable("too many rules change requests on conditions of their own")
        for tests in cases(whole):
            match_of(tests)
        name, value, format_ = (rule.arguments.get(word) for word in ("name", "value", "format"))
        change = Change(whole, rule.span)
        rewriting: Rewriting | None = None
        header = str(name)
        if header.lower() == "host" and rule.action == "set-header" and isinstance(value, LogFormat):
            change.host = self._host(value)
        elif header.lower() == "host":
            raise Untranslatable("Envoy can only give the host another value")
        elif rule.action in ("set-header", "add-header") and isinstance(value, LogFormat):
            change.add.append(header_to_add(header, self._string(value), append=rule.action == "add-header"))
        elif rule.action == "del-header" and rule.arguments.get("match") == "str":
            change.remove.append(header)
        elif rule.action == "replace-path" and isinstance(format_, LogFormat):
            found = whole_of(regex(str(rule.arguments["regex"])))
            change.rewrite = {"pattern": {"regex": found}, "substitution": with_groups(format_)}
            text, more, _ = change.rewrite["substitution"].partition("\\")
            rewriting = Rewriting(whole, text, found, PARTS if more else "")
            if self._rewritings:  # of several that hold Envoy runs one: the last has to be one that matches
                with suppress(Untranslatable):
                    matching = as_it_came(Test(Subject("path"), "regex", (found,)), self._rewritings)
                    both = simplified(Every((whole, matching)))
                    for tests in cases(both):
                        match_of(tests)
                    change.condition = both
        elif rule.action == "set-path" and isinstance(format_, LogFormat):
            parts = pieces(format_)
            if parts and parts[-1] == Subject("path") and all(isinstance(one, str) for one in parts[:-1]):
                prefix = "".join(one for one in parts if isinstance(one, str))
                change.rewrite = {"pattern": {"regex": "^/"}, "substitution": f"{prefix}/"}
                rewriting = Rewriting(whole, prefix, rest=BEFORE)
            else:
                change.rewrite = {"pattern": {"regex": _ANY_PATH}, "substitution": constant(format_)}
                rewriting = Rewriting(whole, constant(format_))
        else:
            raise Untranslatable("Envoy has nothing like it")
        self._rewritings += (rewriting,) if rewriting is not None else ()
        self._changed.update({header.lower()} if name else ())
        self._changes.append(change)

    def _host(self, value: LogFormat) -> Json:
        """What gives a request another host."""
        parts = pieces(value)
        self._check(one for one in parts if isinstance(one, Subject))
        if len(parts) == 1 and isinstance(parts[0], Subject) and parts[0].kind == "header":
            return {"host_rewrite_header": sent(parts[0].name)}
        return {"host_rewrite_literal": constant(value)}

    def _redirects(self, proxy: Proxy, scope: Formula) -> None:
        for redirect in proxy.redirects:
            try:
                whole = self._seen(redirect.condition)
                self._put_redirects(Every((scope, whole)), redirect)
                self.ledger.done(redirect.span)
            except Untranslatable as reason:
                self.ledger.lost(redirect.span, f"redirect was left out: {reason}")

    def _put_redirects(self, whole: Formula, redirect: Redirect) -> None:
        self._check_answer(redirect_answer(redirect))
        for case, action in list(redirects_to(redirect)):
            self._check(subjects(case))
            self._put(simplified(Every((whole, case))), action)

    def _deny(self, whole: Formula, span: Span) -> None:
        """A policy of the access filter."""
        found = list(policies(whole))  # all of them, or none
        for number, policy in enumerate(found):
            self.denied[f"line_{span.line}" + (f"_{number + 1}" if number else "")] = policy

    def _backend(self, backend: Proxy, whole: Formula, scope: Formula) -> None:
        """The routes to a backend, behind those of its own rules."""
        for tests in cases(whole):
            match_of(tests)
        self.backends[backend.name] = backend
        before, rewritings, changed = len(self._changes), self._rewritings, set(self._changed)
        if backend is not self.proxy:
            self._rules(backend, scope)
            self._redirects(backend, scope)
        fixed = [one for one in self._changes if one.condition in (TRUE, scope)]
        varying = [one for one in self._changes if one not in fixed]
        answers = self._answer_changes(backend, _MOST_CHANGES - len(varying))
        varying += answers
        for held in itertools.product((True, False), repeat=len(varying)):
            chosen = [*fixed, *(one for one, on in zip(varying, held, strict=True) if on)]
            terms = [one.condition if on else Not(one.condition) for one, on in zip(varying, held, strict=True)]
            both = simplified(Every((whole, *terms)))
            if cases(both):
                self._put(both, self._action(backend, [one for one in (*self._changes, *answers) if one in chosen]))
        del self._changes[before:]
        self._rewritings, self._changed = rewritings, changed

    def _action(self, backend: Proxy, changes: list[Change]) -> Json:
        timeouts = backend.timeouts
        route: Json = {"cluster": backend.name, "timeout": "0s"}
        if timeouts.server:
            route["idle_timeout"] = seconds(timeouts.server)
        policy = retry_policy(backend)
        if policy is not None:
            route["retry_policy"] = policy
        key = hash_policy(backend)
        if key is not None:
            route["hash_policy"] = [key]
        rewriting = [one for one in changes if one.rewrite is not None]
        if rewriting:
            route["regex_rewrite"] = rewriting[-1].rewrite
            if rewriting[-1].rewrite != _whole_path(rewriting[-1]):
                for one in rewriting[:-1]:
                    self.ledger.lost(one.span, "Envoy rewrites a path once: a later rule does it in this one's place")
        action: Json = {"route": route}
        try:
            cookie = inserted_cookie(self.ledger, backend)
        except Untranslatable as reason:
            span = self.ledger.line(backend, "cookie")
            self.ledger.lost(span, f"'{backend.name}': clients are not tied to servers by a cookie: {reason}")
            cookie = None
        if cookie is not None:
            self.tied = True
            action["typed_per_filter_config"] = {SESSIONS: session(cookie)}
            text = "the cookie's value is the server's address in Envoy's form, and the server sees it"
            limits = [word for word, on in (("httponly", cookie.httponly), ("secure", cookie.secure)) if on]
            limits += ["domain"] if cookie.domains else []
            limits += ["nocache"] if cookie.nocache else []
            text += f"; without {', '.join(limits)}" if limits else ""
            self.ledger.near(self.ledger.line(backend, "cookie"), f"'{backend.name}': {text}")
        route |= next((one.host for one in reversed(changes) if one.host is not None), {})
        added, removed = self._own_headers()
        for change in changes:
            # What is removed is removed before anything is added; so what goes again is not added at all.
            gone = {name.lower() for name in change.remove}
            added = [one for one in added if one["header"]["key"].lower() not in gone] + change.add
            removed |= dict.fromkeys(change.remove)
        named = {one["header"]["key"].lower() for one in added}
        added += [
            one
            for one in self._additions(backend)
            if one["append_action"] != "ADD_IF_ABSENT" or one["header"]["key"].lower() not in named
        ]
        if added:
            action["request_headers_to_add"] = added
        action["request_headers_to_remove"] = list(removed)
        found = self._responses(rule for rule in self._response_rules(backend) if rule.condition is None)
        answered = [
            *found.pop("response_headers_to_add", ()),
            *(one for change in changes for one in change.answer_add),
        ]
        lost = [*found.pop("response_headers_to_remove", ()), *(one for each in changes for one in each.answer_remove)]
        found |= {"response_headers_to_add": answered} if answered else {}
        return {**action, **found, **({"response_headers_to_remove": lost} if lost else {})}

    def _own_headers(self) -> tuple[list[Json], dict[str, None]]:
        """What puts the client's own headers in place of Envoy's: what is added, and what is taken away before."""
        # The client's own, which Envoy has written over; where there was none, none is added.
        copy = {"key": PROTO, "value": f"%REQ({PROTO_COPY})%"}
        return [{"header": copy, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}], dict.fromkeys(_OWN_HEADERS)

    def _response_rules(self, backend: Proxy) -> list[Rule]:
        """The rules that answers of a backend's servers meet."""
        proxies = (backend, self.proxy) if backend is not self.proxy else (backend,)
        rules = [rule for one in proxies for rule in one.rules.get("http-response", ())]
        if backend is not self.proxy:
            rules += [
                rule for rule in backend.rules.get("http-after-response", ()) if not self._answers_itself(backend)
            ]
        return rules

    def _answers_itself(self, backend: Proxy) -> bool:
        """Whether rules of a backend answer in place of its servers; such answers don't meet its other rules there."""
        return bool(backend.redirects) or any(
            rule.action in (*GUARDS, "return", "redirect") for rule in backend.rules.get("http-request", ())
        )

    def _answer_changes(self, backend: Proxy, most: int) -> list[Change]:
        """What response rules do on a condition that the request decides."""
        found: list[Change] = []
        for rule in self._response_rules(backend):
            if rule.condition is None:
                continue
            try:
                whole = self._seen(rule.condition)
                for tests in cases(whole):
                    match_of(tests)
                if len(found) >= most:
                    raise Untranslatable("too many rules change answers on conditions of their own")
                added, removed = self._answer_headers(rule)
                found.append(Change(whole, answer_add=added, answer_remove=removed))
                self.ledger.done(rule.span)
            except Untranslatable as reason:
                self.ledger.left_out(rule, reason)
        return found

    @staticmethod
    def _answer_headers(rule: Rule) -> tuple[list[Json], list[str]]:
        """The headers that a rule adds to answers, and those that it takes away.

        Raises:
            Untranslatable: it does something else.
        """
        value, name = rule.arguments.get("value"), str(rule.arguments.get("name"))
        if rule.action in ("set-header", "add-header") and isinstance(value, LogFormat):
            return [header_to_add(name, string(pieces(value)), append=rule.action == "add-header")], []
        if rule.action == "del-header" and rule.arguments.get("match") == "str":
            return [], [name]
        raise Untranslatable("Envoy has nothing like it")

    def _additions(self, backend: Proxy) -> list[Json]:
        """What is added behind the rules: a unique id, and the client's address."""
        proxy, found = self.proxy, []
        if proxy.unique_id_header and proxy.unique_id_format is not None:
            span = self.ledger.line(proxy, "unique-id-format")
            try:
                text = string(pieces(proxy.unique_id_format))
                found.append(header_to_add(proxy.unique_id_header, text, append=True))
                if "X-REQUEST-ID" in text:
                    self.ledger.near(span, "Envoy's x-request-id stands for a UUID, and is sent too")
            except Untranslatable as reason:
                for word in ("unique-id-format", "unique-id-header"):
                    self.ledger.lost(self.ledger.line(proxy, word), f"{word} was left out: {reason}")
        for option, operator in (
            ("forwardfor", "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"),
            ("originalto", "%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%"),
        ):
            told = ForwardFor.merged(getattr(proxy, option), getattr(backend, option))
            if told is None:
                continue
            header = header_to_add(told.header, operator, append=True)
            found.append({**header, "append_action": "ADD_IF_ABSENT"} if told.if_none else header)
            if told.excepted:
                for one in (proxy, backend):
                    if getattr(one, option) is not None:
                        self.ledger.near(
                            self.ledger.line(one, "option", option), "every address is told: there is no 'except'"
                        )
        return found

    def after_responses(self) -> Json:
        """What is done to all answers, the proxy's own too."""
        return self._responses(self.proxy.rules.get("http-after-response", ()))

    def _responses(self, rules: Iterable[Rule]) -> Json:
        """What response rules without a condition do."""
        added: list[Json] = []
        removed: list[str] = []
        for rule in rules:
            try:
                if rule.action in UNSEEN:
                    self.ledger.note(rule.span, Loss.NONE, f"{rule.word}: it changes nothing that a client sees")
                    continue
                if rule.condition is not None:
                    raise Untranslatable("Envoy changes all answers of a virtual host or none")
                more, gone = self._answer_headers(rule)
                if more and rule.ruleset == "http-response":
                    self.ledger.near(rule.span, "Envoy does so in answers of its own, too, where no server answers")
                added += more
                removed += gone
                self.ledger.done(rule.span)
            except Untranslatable as reason:
                self.ledger.left_out(rule, reason)
        found: Json = {"response_headers_to_add": added} if added else {}
        return {**found, "response_headers_to_remove": removed} if removed else found

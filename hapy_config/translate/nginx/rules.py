"""http-request and http-response rules as directives of a `server` and of its `location`s."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from hapy_config.model.config import Config
from hapy_config.model.expressions import LogFormat
from hapy_config.model.proxy import Proxy
from hapy_config.model.rules import HttpReply, Redirect, Rule
from hapy_config.translate.answers import IN_CLEAR, SEEN_DROP, Answer, answer_of, asking, redirect_answer
from hapy_config.translate.auth import auth_condition
from hapy_config.translate.flow import (
    FALSE,
    TRUE,
    Every,
    Formula,
    Lookup,
    Not,
    Subject,
    Untranslatable,
    formula,
    pieces,
    simplified,
)
from hapy_config.translate.guards import kept_out, refusal
from hapy_config.translate.ledger import Ledger
from hapy_config.translate.nginx.text import always_quoted, block, identifier, literal, quoted
from hapy_config.translate.nginx.variables import Variables
from hapy_config.translate.plain import without_passwords
from hapy_config.translate.report import Loss

#: Codes that nginx never makes itself, for jumps to named locations.
_FIRST_JUMP: Final = 520
_LAST_JUMP: Final = 599
#: Answers that HAProxy says nothing to caches of, whoever gives them.
_KEPT: Final = re.compile("2|30[18]")
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_ERRORS: Final = 400
#: Headers of servers that are passed on, where nginx would put its own.
_PASSED: Final = ("Server", "Date")
#: Headers about the connection and the message, which each program writes itself.
OWN: Final = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive"})
#: Subjects that may be empty.
_MAY_LACK: Final = frozenset({"header", "host", "hostname", "answer", "cookie", "param", "query", "sni", "client_dn"})
#: Rules that ask for passwords; each doubles the cases.
_MOST_LISTS: Final = 4
_URI: Final = re.compile(r"\$uri\b")
_BACKREFERENCE: Final = re.compile(r"\\(\d)")

#: Rules that leave what a client sees as it is.
UNSEEN: Final = {
    "capture": "captures are for HAProxy's log lines only",
    "disable-l7-retry": "requests with a body are not sent twice by nginx anyway",
    "set-log-level": "nginx's access log has no levels",
    "set-nice": "nginx has no priorities among connections",
    "set-priority-class": "nginx has no queue in front of its servers",
    "set-priority-offset": "nginx has no queue in front of its servers",
    "strict-mode": "nginx's own rules don't fail",
    "wait-for-handshake": "nginx always waits for the handshake",
}


@dataclass(frozen=True, slots=True)
class Passwords:
    """A rule that asks for them: where (a variable, empty for everywhere), its realm, and lines for users who pass."""

    condition: str
    realm: str
    name: str
    users: frozenset[str]


@dataclass(slots=True)
class AnswerHeader:
    """A header of answers: whether the servers' own is hidden, and the values that are told; empty ones are not."""

    name: str
    hidden: bool = False
    values: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The directives."""
        hiding = [f"proxy_hide_header {quoted(self.name)};"] if self.hidden else []
        if self.hidden and self.name in _PASSED:  # what `http` passes on is hidden nowhere: all that is passed is said
            hiding += [f"proxy_pass_header {name};" for name in _PASSED if name != self.name]
        told = [one for one in self.values if one]
        return hiding + [f"add_header {quoted(self.name)} {always_quoted(one)} always;" for one in told]


@dataclass(slots=True)
class Site:
    """A `server` block of `http` while it is written.

    Attributes:
        head: directives on its level without an order. lines: those that run in order. locations: blocks behind them.
        headers: request headers that are set, by lower-case name: how it is written, and its value.
        response: what is done to headers of answers, by backend and lower-case name.
        moved: the path was rewritten by a rule above.
        auths: what asks for passwords so far.
        method: another method, as a variable.
        jumps, known: how many named locations there are, and their codes by what they say.
        kept: how many texts were kept before a rule could change what they are made of.
    """

    ledger: Ledger
    variables: Variables
    name: str
    head: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    locations: list[str] = field(default_factory=list)
    headers: dict[str, tuple[str, str]] = field(default_factory=dict)
    response: dict[str, dict[str, AnswerHeader]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    moved: bool = False
    auths: list[Passwords] = field(default_factory=list)
    method: str = ""
    jumps: int = 0
    kept: int = 0
    known: dict[tuple[str, ...], int] = field(default_factory=dict)

    def when(self, whole: Formula, lines: Iterable[str]) -> None:
        """Directives that run where a condition holds."""
        name = self.variables.condition(whole, moved=self.moved)
        self.lines.extend(block(f"if ({name})", lines) if name else lines)

    def end(self, whole: Formula, lines: Iterable[str]) -> None:
        """Directives that answer where a condition holds, behind the passwords that rules above ask for.

        `return` comes before nginx asks for them, `try_files` after it.
        """
        lines = list(lines)
        if self.auths:
            (line,) = lines if self._jumps(lines) else [self.jump(lines)]
            lines = [self.jump([*self.asking(), f"try_files /dev/null/none {self.location(line.split()[1][:-1])};"])]
        self.when(whole, lines)

    def _jumps(self, lines: list[str]) -> bool:
        return lines in [[f"return {code};"] for code in self.known.values()]

    def asking(self) -> list[str]:
        """The directives that ask for the passwords that rules want so far."""
        if not self.auths:
            return []
        realms: list[tuple[str, str]] = []
        names: list[tuple[str, str]] = []
        for held in itertools.product(("1", "0"), repeat=len(self.auths)):
            chosen = [one for one, on in zip(self.auths, held, strict=True) if on == "1"]
            if not chosen or any(not one.condition and on == "0" for one, on in zip(self.auths, held, strict=True)):
                continue
            # Who has to pass several rules with the one name and password that a request holds is in all their lists.
            file = f"{'_and_'.join(dict.fromkeys(one.name for one in chosen))}.htpasswd"
            self.files[file] = "".join(sorted(frozenset.intersection(*(one.users for one in chosen))))
            realms.append(("".join(held), chosen[0].realm))
            names.append(("".join(held), file))
        realm, name = realms[0][1], names[0][1]
        if any(one.condition for one in self.auths):
            which = "".join(f"${{{one.condition[1:]}}}" if one.condition else "1" for one in self.auths)
            realm = self.variables.map(which, realms, "off", "realm", volatile=True)
            name = self.variables.map(which, names, name, "users", volatile=True) if len(names) > 1 else name
        return [f"auth_basic {always_quoted(realm)};", f"auth_basic_user_file {quoted(name)};"]

    def location(self, code: int | str) -> str:
        """The name of the location that a code leads to."""
        return f"@{identifier(self.name)}_{code}"

    def jump(self, lines: Iterable[str]) -> str:
        """A named location, and what leads there."""
        lines = tuple(lines)
        if lines in self.known:
            return f"return {self.known[lines]};"
        code = _FIRST_JUMP + self.jumps
        if code > _LAST_JUMP:
            raise Untranslatable("too many different answers in one server for nginx")
        self.jumps += 1
        self.known[lines] = code
        name = self.location(code)
        self.head.append(f"error_page {code} = {name};")
        self.locations.extend(block(f"location {name}", lines))
        return f"return {code};"

    def answer(self, answer: Answer, *, named: bool = False) -> list[str]:
        """What gives an answer of the proxy's own; `named` takes a location for it in any case."""
        if answer.pieces is None and not answer.headers and not named:
            return [f"return {answer.status};"]
        if answer.status in _REDIRECTS:  # nginx writes a Location of its own there
            led = next((value for name, value in answer.headers if name.lower() == "location"), None)
            if led is not None:
                others = tuple(one for one in answer.headers if one[0].lower() != "location")
                answer = replace(answer, headers=others, location=led)
        body = self.variables.string(answer.body, moved=self.moved)
        if not body and answer.status >= _ERRORS:  # nginx gives its own page unless a variable says that there is none
            body = self.variables.map("", [], "", "nothing")
        lines = [f"default_type {quoted(answer.content_type)};"] if answer.content_type else ['default_type "";']
        lines += [
            f"add_header {quoted(name)} {always_quoted(self.variables.string(value, moved=self.moved))} always;"
            for name, value in answer.told
        ]
        if not answer.told and not _KEPT.match(str(answer.status)):
            lines.append('add_header Cache-Control "" always;')  # instead of the server's
        if answer.location is not None:
            location = self.variables.string(answer.location, moved=self.moved)
            lines.append(f"return {answer.status} {always_quoted(location)};")
        else:
            lines.append(f"return {answer.status} {always_quoted(body)};")
        return [self.jump(lines)]


def request_rules(site: Site, rules: Iterable[Rule], proxy: Proxy, config: Config, scope: Formula = TRUE) -> None:
    """Write `http-request` rules in order; `scope` must hold for each."""
    guard: Formula = scope
    for rule in rules:
        try:
            if rule.action == "auth":
                _ask(site, rule, proxy, config, guard)
            elif rule.action in UNSEEN:
                site.ledger.note(rule.span, Loss.NONE, f"{rule.word}: {UNSEEN[rule.action]}")
            else:
                whole = simplified(Every((formula(rule.condition), guard)))
                if rule.action == "allow":
                    guard = simplified(Every((guard, Not(formula(rule.condition)))))
                elif whole != FALSE:
                    _request_rule(site, rule, whole, proxy)
            site.ledger.done(rule.span)
        except Untranslatable as reason:
            site.ledger.left_out(rule, reason, refused=refuse(site, rule, guard))


def refuse(site: Site, rule: Rule, scope: Formula = TRUE) -> bool:
    """Refuse whom a rule that can't go over might keep out; whether there is anybody."""
    whole = kept_out(rule, scope, lambda one: site.variables.test(one, moved=site.moved))
    try:
        if whole != FALSE:
            site.when(whole, [f"return {refusal(rule)};"])
    except Untranslatable:
        site.when(scope, [f"return {refusal(rule)};"])
    return whole != FALSE


def _request_rule(site: Site, rule: Rule, whole: Formula, proxy: Proxy) -> None:
    action, given = rule.action, rule.arguments
    if action in ("deny", "tarpit", "return"):
        reply = given["reply"]
        assert isinstance(reply, HttpReply)
        default = {"deny": 403, "tarpit": 500, "return": 200}[action]
        site.end(whole, site.answer(answer_of(reply, default, proxy)))
        if action == "tarpit":
            site.ledger.near(rule.span, "tarpit: nginx answers at once, without the wait")
    elif action in ("silent-drop", "reject"):
        site.end(whole, ["return 444;"])
        if action == "silent-drop":
            site.ledger.near(rule.span, SEEN_DROP)
    elif action == "redirect":
        redirect = given["redirect"]
        assert isinstance(redirect, Redirect)
        write_redirect(site, redirect, whole)
    elif action in ("set-header", "add-header", "del-header", "replace-header", "replace-value"):
        _header(site, rule, whole)
    elif action in ("set-path", "replace-path", "set-pathq", "set-uri", "set-query"):
        _rewrite(site, rule, whole)
    elif action == "set-method":
        format_ = given["format"]
        assert isinstance(format_, LogFormat)
        value = site.variables.string(pieces(format_), moved=site.moved)
        site.method = either(site, whole, value, site.method or "$request_method", "method")
    else:
        raise Untranslatable("nginx has nothing like it")


def write_redirect(site: Site, redirect: Redirect, whole: Formula) -> None:
    """A redirect where a condition holds.

    Raises:
        Untranslatable: its target can't be had.
    """
    answer = redirect_answer(redirect)
    if answer.headers:
        site.end(whole, site.answer(answer))
        return
    target = site.variables.string(answer.location or (), moved=site.moved)
    site.end(whole, [f"return {answer.status} {always_quoted(target)};"])


def either(site: Site, whole: Formula, value: str, otherwise: str, stem: str) -> str:
    """A string that is `value` where a condition holds."""
    name = site.variables.condition(whole, moved=site.moved)
    return site.variables.map(name, [("1", value)], otherwise, stem) if name else value


def joined(before: str, more: str) -> str:
    """A value behind another, as one header."""
    variable = before.startswith("$") and before[1:].isidentifier()
    return f"${{{before[1:]}}}, {more}" if variable else f"{before}, {more}"


def current_header(site: Site, name: str) -> str:
    """A request header's value after the rules so far, as a string with variables."""
    host = name.lower() == "host"
    return site.variables.value(Subject("host") if host else Subject("header", name))


def _header(site: Site, rule: Rule, whole: Formula) -> None:
    name = rule.arguments["name"]
    assert isinstance(name, str)
    if name.lower() in OWN:
        raise Untranslatable(f"nginx writes '{name}' itself")
    before = current_header(site, name)
    value = rule.arguments.get("value")
    if rule.action == "del-header":
        if rule.arguments.get("match") != "str":
            raise Untranslatable("nginx can't find headers by a part of their name")
        new = ""
    elif rule.action in ("replace-header", "replace-value"):
        regex = rule.arguments["regex"]
        assert isinstance(regex, str)
        assert isinstance(value, LogFormat)
        new = site.variables.map(before, [(f"~{regex}", with_groups(site, value))], before, name)
        if rule.action == "replace-value":
            site.ledger.near(rule.span, f"the header '{name}' is taken as a whole, not value by value")
    else:
        assert isinstance(value, LogFormat)
        new = site.variables.string(pieces(value), moved=site.moved)
        if site.moved and _URI.search(new):  # a later rule may change the path again
            site.kept += 1
            kept = f"$hapy_kept_{identifier(site.name)}_{site.kept}"
            site.lines.append(f"set {kept} {always_quoted(new)};")
            new = kept
        tell_empty(site, rule, name, value)
        if rule.action == "add-header":
            new = site.variables.map(before, [("", new)], joined(before, new), name) if before else new
    site.headers[name.lower()] = (name, either(site, whole, new, before, name))


def with_groups(site: Site, format_: LogFormat) -> str:
    """A replacement, its back references as nginx writes them."""
    text = site.variables.string(pieces(format_), moved=site.moved)
    return _BACKREFERENCE.sub(r"$\1", text)


def _rewrite(site: Site, rule: Rule, whole: Formula) -> None:
    format_ = rule.arguments["format"]
    assert isinstance(format_, LogFormat)
    if rule.action == "replace-path":
        regex = rule.arguments["regex"]
        assert isinstance(regex, str)
        lines = [f"rewrite {always_quoted(regex)} {always_quoted(with_groups(site, format_))};"]
    elif rule.action == "set-query":
        lines = [f"set $args {always_quoted(site.variables.string(pieces(format_), moved=site.moved))};"]
    else:
        text = site.variables.string(pieces(format_), moved=True)
        if rule.action == "set-uri" and not text.startswith("/"):
            raise Untranslatable("another scheme and host can't be asked for by a rewrite")
        if rule.action != "set-path":
            text += "?"  # the query that came goes
        lines = [f"rewrite ^ {always_quoted(text)};"]
    site.when(whole, lines)
    site.moved = True
    site.ledger.near(rule.span, "nginx rewrites the decoded path, and encodes it again for the server")


def _ask(site: Site, rule: Rule, proxy: Proxy, config: Config, scope: Formula) -> None:
    """`http-request auth`: nginx's own means, or a look at the header where passwords are kept in clear."""
    realm = str(rule.arguments.get("realm") or proxy.name)
    try:
        _auth(site, rule, realm, config, scope)
    except Untranslatable as reason:
        plain = without_passwords(rule.condition, config)
        if plain == rule.condition and plain is not None:
            raise reason from None
        site.end(simplified(Every((formula(plain), scope))), site.answer(asking(realm)))
        site.ledger.near(rule.span, IN_CLEAR)


def _auth(site: Site, rule: Rule, realm: str, config: Config, scope: Formula) -> None:
    """`http-request auth unless { http_auth(list) }`, with more terms or without."""
    name, users, rest = auth_condition(rule.condition, config)
    if len(site.auths) == _MOST_LISTS:
        raise Untranslatable("there are too many rules that ask for passwords")
    condition = site.variables.condition(simplified(Every((rest, scope))), moved=site.moved)
    lines = frozenset(
        f"{user.name}:{user.password if user.encrypted else '{PLAIN}' + user.password}\n" for user in users
    )
    site.auths.append(Passwords(condition, literal(realm), identifier(name), lines))


def tell_empty(site: Site, rule: Rule, name: str, value: LogFormat) -> None:
    """Tell that a header with an empty value is not sent, where the request decides what it is."""
    if all(isinstance(one, Lookup) or getattr(one, "kind", "") in _MAY_LACK for one in pieces(value)):
        site.ledger.near(rule.span, f"the header '{name}' is not sent where its value is empty")

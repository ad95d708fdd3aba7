"""A configuration in words that all proxies know, where it says the same in HAProxy's own.

- `http_auth(list)`, where passwords are kept in clear, is a test of the Authorization header.
- `set-path` of the path with a part replaced is `replace-path`.
- Whether a client speaks TLS is known where all listeners are alike.
- A variable that is one of several texts, by rules with conditions, is those conditions.
- A variable that one `set-var` gives every request is what it was made of, where no rule changes that; one that is true
  on a condition is that condition.
"""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from hapy_config.grammar.conditions import when_answered
from hapy_config.model.config import Config, User
from hapy_config.model.expressions import (
    AclExpression,
    Call,
    Condition,
    FormatExpression,
    FormatText,
    LogFormat,
    SampleExpression,
    Term,
)
from hapy_config.model.proxy import Proxy
from hapy_config.model.rules import HttpReply, Redirect, Rule, UseBackend
from hapy_config.translate.auth import expressions_of
from hapy_config.translate.flow import Subject, Test, Untranslatable
from hapy_config.translate.ledger import Ledger
from hapy_config.translate.lookups import is_lookup, lookup, readable
from hapy_config.translate.report import Loss
from hapy_config.translate.ties import balance_of

_SETTING: Final = "set-var*"
_TRUE: Final = frozenset({("bool", "true"), ("bool", "1"), ("int", "1")})
#: Alternatives that a condition may get.
_MOST: Final = 64
#: Groups of a pattern that can still be counted with one digit when three more stand around them.
_MOST_GROUPS: Final = 6
#: Parts of the request line as it came.
_REQUEST_LINE: Final = re.compile(r"capture\.req\.uri|%(H[MPQUV]O?|r)\b")
_REFERENCE: Final = re.compile(r"\\(\d)")
_BASIC: Final = "[Bb][Aa][Ss][Ii][Cc]"
_NEVER: Final = SampleExpression("always_false", Call("always_false"), (), "bool")
#: What of a request a rule changes, by the fetches that look at it.
_PATH_FETCHES: Final = frozenset({"path", "pathq", "url", "query", "base", "url_param", "urlp", "capture.req.uri"})
#: Rules about answers.
_ABOUT_ANSWERS: Final = frozenset({"http-response", "http-after-response"})
_FIXED_FETCHES: Final = frozenset(
    {"src", "src_port", "dst", "dst_port", "ssl_fc", "ssl_fc_sni", "str", "int", "req.ver"}
)
_HEADER_FETCHES: Final = frozenset({"req.hdr", "hdr", "req.fhdr"})
_HEADER_CHANGES: Final = frozenset({"set-header", "add-header", "del-header", "replace-header", "replace-value"})

#: Of a condition: any of them may hold, each of terms that all do.
Alternatives = tuple[tuple[Term, ...], ...]
#: Texts that a variable may hold, each with where its rule sets it; the last counts.
Choice = list[tuple[str, Alternatives]]


def in_plain_words(ledger: Ledger, *, passwords: bool = True) -> Config:
    """The ledger's configuration said more plainly; the ledger keeps it, and is told of the lines that go with that.

    Args:
        ledger: has the configuration.
        passwords: for rules that ask for a password, too.
    """
    plain = _Plain(ledger.config)
    config = ledger.config = plain.config(ledger, passwords=passwords)
    return config


def without_passwords(condition: Condition | None, config: Config) -> Condition | None:
    """A condition with passwords as tests of the header, where they are kept in clear."""
    return _Plain(config).condition(condition)


class _Plain:
    """One configuration while it is rewritten."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._users = config.userlists
        self._variables = dict(_variables(config))
        self._flags = dict(_flags(config))
        known = self._variables.keys() | self._flags.keys()
        self._choices = {name: choice for name, choice in _choices(config) if name not in known}
        self._kept: frozenset[str] = frozenset()
        self._tls: bool | None = None

    def config(self, ledger: Ledger, *, passwords: bool) -> Config:
        """The configuration; `set-var` rules that nothing needs any more are left out of it."""
        self._kept = frozenset() if passwords else frozenset({"auth"})
        return replace(self._config, proxies=tuple(self._proxy(one, ledger) for one in self._config.proxies))

    def _proxy(self, proxy: Proxy, ledger: Ledger) -> Proxy:
        self._tls = _encrypted(self._config, proxy)
        rules = {name: tuple(self._rules(found, ledger)) for name, found in proxy.rules.items()}
        redirects = tuple(self._redirect(one) for one in proxy.redirects)
        uses = tuple(
            replace(
                one,
                condition=self.condition(one.condition),
                target=self._format(one.target) if isinstance(one.target, LogFormat) else one.target,
            )
            for use in proxy.use_backends
            for one in self._by_map(use, proxy, ledger)
        )
        asking: list[Rule | Redirect | UseBackend] = [rule for each in proxy.rules.values() for rule in each]
        for line in (*asking, *proxy.redirects, *proxy.use_backends):
            for acl in expressions_of(line.condition):
                for file in acl.files if readable(acl.files) else ():
                    ledger.note(line.span, Loss.NONE, f"what {file} holds now stands in what was written")
        for statement in ledger.proxy_statements(proxy) if not proxy.is_frontend else ():
            if any(_REQUEST_LINE.search(word) for word in statement.words):
                text = "HAProxy itself has parts of the request line here only where a frontend uses or logs them, too"
                ledger.near(statement.span(), text)
        balance = balance_of(ledger, proxy)
        return replace(proxy, rules=rules, redirects=redirects, use_backends=uses, balance=balance)

    def _by_map(self, use: UseBackend, proxy: Proxy, ledger: Ledger) -> list[UseBackend]:
        """A `use_backend` whose name a map gives, as one for each name; another one as it is."""
        target, condition = use.target, use.condition
        if not isinstance(target, LogFormat) or (condition is not None and condition.unless):
            return [use]
        looked = [one for one in target.items if isinstance(one, FormatExpression) and is_lookup(one.expression)]
        texts = [one.text for one in target.items if isinstance(one, FormatText)]
        if len(looked) != 1 or len(texts) != len(target.items) - 1:
            return [use]
        sample = looked[0].expression
        try:
            found = lookup(sample)
        except Untranslatable:
            return [use]
        if found.how == "rewrite":
            return [use]
        before = condition.alternatives if condition is not None else ((),)
        uses: list[UseBackend] = []

        ways = {"exact": "str", "prefix": "beg", "suffix": "end", "contains": "sub", "regex": "reg", "network": "ip"}
        way = ways[found.how]
        nowhere: list[str] = []  # keys that lead to no backend

        def add(value: str, match: str, keys: tuple[str, ...]) -> None:
            name = "".join(one.text if isinstance(one, FormatText) else value for one in target.items)
            if self._config.backend(name) is None:
                nowhere.extend(keys)
                return
            looks = replace(sample, converters=sample.converters[:-1])
            terms = [Term("", (AclExpression(looks, match, keys),))]
            if nowhere and (found.how != "exact" or match == "found"):
                terms.append(Term("", (AclExpression(looks, way, tuple(nowhere)),), negated=True))
            uses.append(replace(use, target=name, condition=Condition(tuple((*one, *terms) for one in before))))

        groups: dict[str, list[str]] = {}
        if found.how == "exact":  # no two entries fit
            for key, value in found.entries:
                groups.setdefault(value, []).append(key)
            entries = list(groups.items())
        else:
            entries = [
                (value, [key for key, _ in each])
                for value, each in itertools.groupby(found.entries, lambda pair: pair[1])
            ]
        for value, keys in entries:
            add(value, way, tuple(keys))
        if found.default is not None:
            add(found.default, "found", ())
        last = proxy.default_backend or (proxy.name if proxy.is_backend else None)
        if last is not None:  # where no name fits, the lines behind are not looked at
            uses.append(replace(use, target=last))
        elif proxy.use_backends[-1] is not use:
            return [use]
        ledger.note(
            use.span,
            Loss.NONE,
            f"use_backend: the entries of {sample.converters[-1].args[0]} became lines of their own",
        )
        return uses

    def _rules(self, rules: Iterable[Rule], ledger: Ledger) -> Iterator[Rule]:
        for rule in (one for each in rules for one in self._for_each_choice(each)):
            told = self._variables.keys() | self._flags.keys() | self._choices.keys()
            if rule.action == _SETTING and _variable(rule) in told:
                ledger.note(rule.span, Loss.NONE, f"{rule.word}: its value stands where the variable was used")
                continue
            rule = _replacing(rule)  # noqa: PLW2901 - the same rule in other words
            arguments = {name: self._argument(value) for name, value in rule.arguments.items()}
            condition = rule.condition
            if (
                condition is not None
                and rule.ruleset in _ABOUT_ANSWERS
                and (late := when_answered(condition)) != condition
            ):
                ledger.note(rule.span, Loss.NONE, f"{rule.word}: a request's parts are gone by then, in HAProxy, too")
                condition = late
            condition = condition if rule.action in self._kept else self.condition(condition)
            yield replace(rule, condition=condition, arguments=arguments)

    def _argument(self, value: object) -> object:
        if isinstance(value, LogFormat):
            return self._format(value)
        if isinstance(value, Redirect):
            return self._redirect(value)
        if isinstance(value, HttpReply):
            headers = tuple((name, self._format(text)) for name, text in value.headers)
            body = self._format(value.body_format) if value.body_format is not None else None
            return replace(value, headers=headers, body_format=body)
        return value

    def _redirect(self, redirect: Redirect) -> Redirect:
        return replace(redirect, target=self._format(redirect.target), condition=self.condition(redirect.condition))

    def condition(self, condition: Condition | None) -> Condition | None:
        """A condition said more plainly."""
        if condition is None:
            return None
        found: list[tuple[Term, ...]] = []
        for terms in condition.alternatives:
            every = itertools.product(*(self._meant(term) for term in terms))
            found += [tuple(itertools.chain.from_iterable(one)) for one in itertools.islice(every, _MOST)]
        if len(found) >= _MOST:
            return condition
        terms_of = [tuple(self._term(term) for term in terms) for terms in found]
        return replace(condition, alternatives=tuple(terms_of))

    def _meant(self, term: Term) -> Alternatives:
        """A term as alternatives: itself, or what the variable that it asks for was made true by."""
        flag = self._flags.get(_flag(term)) or self._chosen(term)
        if flag is None:
            return ((term,),)
        return _negated(flag) if term.negated else flag

    def _chosen(self, term: Term) -> Alternatives | None:
        """Where a variable that is one of several texts is one of those that a term asks for; None for other terms."""
        acl = term.expressions[0] if len(term.expressions) == 1 else None
        if acl is None or acl.match != "str" or acl.ignore_case or acl.files or acl.criterion.converters:
            return None
        asked = acl.criterion.fetch
        choice = self._choices.get(asked.args[0]) if asked.name == "var" and len(asked.args) == 1 else None
        if choice is None:
            return None
        found: list[tuple[Term, ...]] = []
        for number, (text, held) in enumerate(choice):
            if text in acl.patterns:
                later = [_negated(other) for value, other in choice[number + 1 :] if value not in acl.patterns]
                every = itertools.product(held, *later)
                found += [tuple(itertools.chain.from_iterable(one)) for one in itertools.islice(every, _MOST)]
                if len(found) >= _MOST or any(len(one) >= _MOST for one in later):
                    return None
        return tuple(found)

    def _for_each_choice(self, rule: Rule) -> Iterator[Rule]:
        """A `set-header` with nothing but such a variable, as one for each text; another rule as it is."""
        value = rule.arguments.get("value")
        items = value.items if isinstance(value, LogFormat) and rule.action == "set-header" else ()
        sample = items[0].expression if len(items) == 1 and isinstance(items[0], FormatExpression) else None
        plain = sample is not None and sample.fetch.name == "var" and not sample.converters
        choice = self._choices.get(sample.fetch.args[0]) if sample is not None and plain else None
        if choice is None or choice[0][1] != ((),) or (rule.condition is not None and rule.condition.unless):
            yield rule
            return
        before = rule.condition.alternatives if rule.condition is not None else ((),)
        for text, held in choice:
            new = LogFormat(text, (FormatText(text),))
            both = tuple((*one, *other) for one, other in itertools.product(before, held))
            condition = None if both == ((),) else Condition(both)
            yield replace(rule, arguments={**rule.arguments, "value": new}, condition=condition)

    def _term(self, term: Term) -> Term:
        return replace(term, expressions=tuple(self._test(one) for one in term.expressions))

    def _test(self, acl: AclExpression) -> AclExpression:
        fetch = acl.criterion.fetch
        if fetch.name in ("http_auth", "http_auth_group") and len(fetch.args) == 1 and not acl.files:
            return self._passwords(acl)
        if fetch.name == "ssl_fc" and self._tls is not None and not acl.criterion.converters and acl.match == "bool":
            holds = self._tls == (acl.patterns not in (("0",), ("false",)))
            name = "always_true" if holds else "always_false"
            return replace(acl, criterion=SampleExpression(name, Call(name), (), "bool"), patterns=())
        return replace(acl, criterion=self._sample(acl.criterion))

    def _passwords(self, acl: AclExpression) -> AclExpression:
        """A test of the header; as it is where a password is kept as a hash, which can't be turned round."""
        fetch = acl.criterion.fetch
        users = self._users.get(fetch.args[0])
        if users is None or any(user.encrypted for user in users.users.values()):
            return acl
        wanted = set(acl.patterns)
        named = [user for user in users.users.values() if fetch.name == "http_auth" or user.groups & wanted]
        if not named:
            return replace(acl, criterion=_NEVER, match="bool", patterns=())
        return replace(
            acl,
            criterion=SampleExpression("req.fhdr(authorization)", Call("req.fhdr", ("authorization",)), (), "str"),
            match="reg",
            patterns=_credentials(named),
        )

    def _format(self, format_: LogFormat) -> LogFormat:
        items = tuple(
            replace(item, expression=self._sample(item.expression)) if isinstance(item, FormatExpression) else item
            for item in format_.items
        )
        return replace(format_, items=items)

    def _sample(self, sample: SampleExpression) -> SampleExpression:
        fetch = sample.fetch
        if fetch.name == "ssl_fc" and self._tls is not None and not sample.converters:
            return replace(sample, fetch=Call("str", (str(int(self._tls)),)), type="str")
        made = self._variables.get(fetch.args[0]) if fetch.name == "var" and len(fetch.args) == 1 else None
        if made is None:
            return sample
        return replace(made, converters=made.converters + sample.converters, type=sample.type)


def _credentials(users: Iterable[User]) -> tuple[str, ...]:
    """Patterns of the Authorization header with their names and passwords, which are kept in clear."""
    texts = (f"{user.name}:{user.password}".encode() for user in users)
    return tuple(f"^{_BASIC} +{re.escape(base64.b64encode(text).decode())}$" for text in texts)


def header_test(users: Iterable[User]) -> Test:
    """Whether a request has the name and password of one of them, which are kept in clear."""
    return Test(Subject("header", "authorization"), "regex", _credentials(users))


def _replacing(rule: Rule) -> Rule:
    """`set-path %[path,regsub(…)]` as the `replace-path` that does the same; another rule as it is."""
    format_ = rule.arguments.get("format")
    if rule.action in ("replace-uri", "replace-pathq"):
        return _replacing_path(rule)
    if rule.action != "set-path" or not isinstance(format_, LogFormat) or len(format_.items) != 1:
        return rule
    item = format_.items[0]
    sample = item.expression if isinstance(item, FormatExpression) and not item.flags else None
    if sample is None or sample.fetch.name != "path" or [one.name for one in sample.converters] != ["regsub"]:
        return rule
    pattern, text, *flags = sample.converters[0].args
    try:
        groups = re.compile(pattern).groups
    except re.error:
        return rule
    if "g" in "".join(flags) or groups > _MOST_GROUPS or "\\0" in text or _REFERENCE.search(pattern):
        return rule
    # What stands before and behind the part that is replaced stays; a group of its own keeps alternatives together.
    shifted = _REFERENCE.sub(lambda found: f"\\{int(found[1]) + 2}", text)
    regex = f"{'(?i)' if 'i' in ''.join(flags) else ''}^(.*?)({pattern.removeprefix('^')})(.*)$"
    if pattern.startswith("^") and "|" not in pattern:
        regex = regex.replace("^(.*?)", "^()", 1)
    elif pattern.startswith("^"):
        return rule
    new = f"\\1{shifted}\\{groups + 3}"
    return replace(
        rule,
        action="replace-path",
        word="replace-path",
        arguments={"regex": regex, "format": LogFormat(new, (FormatText(new),))},
    )


def _replacing_path(rule: Rule) -> Rule:
    """`replace-uri` or `replace-pathq` as `replace-path`, where the query goes on behind the new path as it came."""
    regex, format_ = str(rule.arguments.get("regex")), rule.arguments.get("format")
    text = format_.constant if isinstance(format_, LogFormat) else None
    try:
        last = re.compile(regex).groups
    except re.error:
        return rule
    whole = regex.removesuffix("$").endswith("(.*)") and regex.removeprefix("(?i)").startswith("^/")
    if not whole or text is None or "?" in re.sub(r"\(\?|\)\?", "", regex + text) or last > _MOST_GROUPS:
        return rule
    if not text.endswith(f"\\{last}") or not text.startswith("/") or text.count(f"\\{last}") != 1:
        return rule
    return replace(rule, action="replace-path", word="replace-path")


def _variables(config: Config) -> Iterator[tuple[str, SampleExpression]]:
    """What variables stand for, of those that each request gets and that mean the same to its end."""
    fronts = [one for one in config.proxies if one.is_frontend and one.mode == "http" and not one.disabled]
    every = [rule for proxy in config.proxies for ruleset in proxy.rules.values() for rule in ruleset]
    for name in dict.fromkeys(_variable(rule) for rule in every if rule.action == _SETTING):
        changing = [rule for rule in every if _variable(rule) == name]
        setting = [rule for proxy in fronts for rule in proxy.rules.get("http-request", ()) if rule in changing]
        values = {value for rule in setting if isinstance(value := rule.arguments.get("expression"), SampleExpression)}
        if (
            len(setting) == len(changing)
            and len(values) == 1
            and all(rule.condition is None and rule.action == _SETTING for rule in setting)
            and all(_set_first(proxy, name) for proxy in _readers(config, fronts, name))
        ):
            value = values.pop()
            if not _altered(value.fetch, every):
                yield name, value


def _flags(config: Config) -> Iterator[tuple[str, Alternatives]]:
    """The conditions of variables that one rule makes true."""
    fronts = [one for one in config.proxies if one.is_frontend and one.mode == "http" and not one.disabled]
    every = [rule for proxy in config.proxies for ruleset in proxy.rules.values() for rule in ruleset]
    for front in fronts:
        for rule in front.rules.get("http-request", ()):
            name, condition, value = _variable(rule), rule.condition, rule.arguments.get("expression")
            if rule.action != _SETTING or condition is None or _readers(config, fronts, name) != [front]:
                continue
            if not isinstance(value, SampleExpression) or value.converters or not _set_first(front, name):
                continue
            looks = [one.criterion for terms in condition.alternatives for term in terms for one in term.expressions]
            once = sum(_variable(one) == name for one in every) == 1
            if once and (value.fetch.name, *value.fetch.args) in _TRUE and not _any_altered(looks, every):
                yield name, _negated(condition.alternatives) if condition.unless else condition.alternatives


def _choices(config: Config) -> Iterator[tuple[str, Choice]]:
    """The texts of variables that rules of one frontend set before any looks: the last whose condition holds counts."""
    fronts = [one for one in config.proxies if one.is_frontend and one.mode == "http" and not one.disabled]
    every = [rule for proxy in config.proxies for ruleset in proxy.rules.values() for rule in ruleset]
    for front in fronts:
        rules = front.rules.get("http-request", ())
        for name in dict.fromkeys(_variable(rule) for rule in rules if rule.action == _SETTING):
            setting = [rule for rule in rules if _variable(rule) == name]
            values = [rule.arguments.get("expression") for rule in setting]
            texts = [
                one.fetch.args[0]
                for one in values
                if isinstance(one, SampleExpression) and one.fetch.name == "str" and not one.converters
            ]
            conditions = [rule.condition for rule in setting if rule.condition is not None]
            looks = [acl.criterion for one in conditions for acl in expressions_of(one)]
            between = rules[rules.index(setting[0]) : rules.index(setting[-1])]
            if (
                len(texts) == len(setting) == sum(_variable(rule) == name for rule in every)
                and all(rule.action == _SETTING for rule in setting)
                and _readers(config, fronts, name) == [front]
                and _set_first(front, name)
                and not any(repr(name) in repr(rule) for rule in between if rule not in setting)
                and not any(repr(name) in repr(rule.condition) for rule in setting)
                and not _any_altered(looks, every)
                and not any(rule.action == "allow" for rule in rules[: rules.index(setting[-1])])
            ):
                yield name, [(text, _holding(rule.condition)) for text, rule in zip(texts, setting, strict=True)]


def _holding(condition: Condition | None) -> Alternatives:
    """A condition as alternatives."""
    if condition is None:
        return ((),)
    return _negated(condition.alternatives) if condition.unless else condition.alternatives


def _any_altered(looks: Iterable[SampleExpression], rules: Sequence[Rule]) -> bool:
    return any(_altered(one.fetch, rules) for one in looks)


def _encrypted(config: Config, proxy: Proxy) -> bool | None:
    """Whether the requests of a proxy come through TLS; None where some do."""
    fronts = [proxy] if proxy.is_frontend else [one for one in config.proxies if one.is_frontend and not one.disabled]
    found = {bind.tls is not None for front in fronts if front.mode == "http" for bind in front.binds}
    return found.pop() if len(found) == 1 else None


def _readers(config: Config, fronts: list[Proxy], name: str) -> list[Proxy]:
    """The frontends whose requests may meet a variable: those that name it, all where a backend does."""
    word = repr(name)
    named = [one for one in config.proxies if word in repr((one.rules, one.redirects, one.use_backends))]
    return [one for one in fronts if one in named] if all(one in fronts for one in named) else fronts


def _flag(term: Term) -> str:
    """The variable that a term asks to be true, empty for other terms."""
    if len(term.expressions) != 1:
        return ""
    acl = term.expressions[0]
    asked = acl.criterion.fetch
    plain = asked.name == "var" and len(asked.args) == 1 and not acl.criterion.converters and not acl.patterns
    return asked.args[0] if plain and acl.match in ("bool", "found") else ""


def _negated(alternatives: Alternatives) -> Alternatives:
    """What holds where no alternative does."""
    flipped = [[replace(term, negated=not term.negated) for term in terms] for terms in alternatives]
    return tuple(itertools.islice(itertools.product(*flipped), _MOST))


def _variable(rule: Rule) -> str:
    """The variable, with its scope, that a rule sets or forgets."""
    return str(rule.arguments.get("variable", ""))


def _set_first(proxy: Proxy, name: str) -> bool:
    """Whether a frontend sets a variable before its rules look at it."""
    for rule in proxy.rules.get("http-request", ()):
        if _variable(rule) == name:
            return True
        if repr(name) in repr(rule):
            return False
    return False


def _altered(fetch: Call, rules: Iterable[Rule]) -> bool:
    """Whether a rule changes what a fetch takes, or might."""
    if fetch.name in _FIXED_FETCHES:
        return any(rule.action in ("set-src", "set-src-port", "set-dst", "set-dst-port") for rule in rules)
    actions = {rule.action for rule in rules if rule.ruleset == "http-request"}
    if fetch.name in _PATH_FETCHES:
        return any("path" in one or "uri" in one or "query" in one for one in actions) or fetch.name == "base"
    if fetch.name == "method":
        return "set-method" in actions
    if fetch.name in _HEADER_FETCHES and len(fetch.args) == 1:
        return any(_changes_header(rule, fetch.args[0]) for rule in rules)
    return True


def _changes_header(rule: Rule, header: str) -> bool:
    if rule.ruleset != "http-request" or rule.action not in _HEADER_CHANGES:
        return False
    return rule.arguments.get("match", "str") != "str" or str(rule.arguments.get("name")).lower() == header.lower()

"""http-response and http-after-response rules: what is hidden of a server's answer, and what is added."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hapy_config.model.expressions import LogFormat
from hapy_config.model.rules import Rule
from hapy_config.translate.flow import TRUE, Formula, Untranslatable, formula, pieces
from hapy_config.translate.nginx.rules import OWN, UNSEEN, AnswerHeader, Site, either, tell_empty, with_groups
from hapy_config.translate.nginx.text import identifier
from hapy_config.translate.report import Loss

#: Headers of which nginx gives one, whatever is added; an empty one takes the servers' out.
_SINGLE: Final = frozenset({"etag", "last-modified"})
#: Headers that answers have once.
_ONCE: Final = frozenset({"location", "content-type", "server", "date", "content-disposition", "retry-after"})


def response_rules(site: Site, rules: Iterable[Rule], backend: str) -> None:
    """Write `http-response` and `http-after-response` rules."""
    headers = site.response.setdefault(backend, {})
    for rule in rules:
        try:
            if rule.action in UNSEEN:
                site.ledger.note(rule.span, Loss.NONE, f"{rule.word}: {UNSEEN[rule.action]}")
                continue
            _response_rule(site, rule, headers)
            if rule.ruleset == "http-after-response":
                site.ledger.near(rule.span, "answers of nginx's own are not changed")
            site.ledger.done(rule.span)
        except Untranslatable as reason:
            site.ledger.left_out(rule, reason)


def _response_rule(site: Site, rule: Rule, headers: dict[str, AnswerHeader]) -> None:
    whole = formula(rule.condition) if rule.condition else TRUE
    name, value = rule.arguments.get("name"), rule.arguments.get("value")
    if not isinstance(name, str) or rule.action not in ("set-header", "add-header", "del-header", "replace-header"):
        raise Untranslatable("nginx has nothing like it")
    if name.lower() in OWN:
        raise Untranslatable(f"nginx writes '{name}' itself")
    if name.lower() in ("server", "date"):
        name = name.capitalize()
        if rule.action != "add-header":
            site.ledger.near(rule.span, f"where the server's {name} is taken out nginx writes one of its own")
    if rule.action == "del-header" and rule.arguments.get("match") != "str":
        raise Untranslatable("nginx hides headers by their whole name")
    header = headers.get(name.lower(), AnswerHeader(name))
    values = list(header.values)
    new = ""
    if isinstance(value, LogFormat) and rule.action != "replace-header":
        new = site.variables.string(pieces(value))
        tell_empty(site, rule, name, value)
    if name.lower() in _SINGLE:
        values = [_only(site, rule, whole, header, new)]
        header = AnswerHeader(header.name, hidden=True)
    elif rule.action == "add-header":
        values.append(either(site, whole, new, "", name))
    else:
        if (whole != TRUE or rule.action == "replace-header") and not header.hidden:
            if name.lower() == "set-cookie":
                raise Untranslatable("nginx sees one of several headers of a name")
            values.insert(0, f"$upstream_http_{identifier(name.lower())}")
            if name.lower() not in _ONCE:
                site.ledger.near(rule.span, f"of several lines '{name}' clients get the first alone")
        if rule.action == "replace-header":
            values = [_replaced(site, rule, whole, one) for one in values]
        elif whole == TRUE:
            values = [new]
        else:
            values = [either(site, whole, "", one, name) for one in values]
            values += [either(site, whole, new, "", name)] if new else []
        header = AnswerHeader(header.name, hidden=True)
    headers[name.lower()] = AnswerHeader(header.name, header.hidden, values)


def _only(site: Site, rule: Rule, whole: Formula, header: AnswerHeader, new: str) -> str:
    """The value of a header of which nginx gives one."""
    if rule.action == "add-header":
        raise Untranslatable(f"nginx gives one '{header.name}' with an answer")
    server = "" if header.hidden else f"$upstream_http_{identifier(header.name.lower())}"
    before = header.values[0] if header.values else server
    if rule.action == "replace-header":
        return _replaced(site, rule, whole, before)
    return either(site, whole, new, before, header.name)


def _replaced(site: Site, rule: Rule, whole: Formula, before: str) -> str:
    """A value that is replaced where it matches."""
    value, regex = rule.arguments["value"], rule.arguments["regex"]
    assert isinstance(value, LogFormat)
    assert isinstance(regex, str)
    name = str(rule.arguments["name"])
    return either(
        site, whole, site.variables.map(before, [(f"~{regex}", with_groups(site, value))], before, name), before, name
    )

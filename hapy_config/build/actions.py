"""The arguments of rule actions (configuration manual, sections 4.2 and 4.3 of the 3.4 manual).

Each reader takes a `Words` cursor that stands behind the action's name and gives the rule's `arguments`, under these
names: `name` and `value` (headers), `format` (a LogFormat), `expression` (a SampleExpression), `variable`, `regex`,
`reply` (an HttpReply), `redirect` (a Redirect), `number`, `level`, `service`, `table`, `realm`, `match`, `switch`,
`timeout` (ms, or an expression), `which`, `length`, `slot`, `map`, `key`, `options`, `resolvers`, `time`, `at_least`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from hapy_config.build.actions_later import LATER
from hapy_config.build.cursor import Words
from hapy_config.build.draft import BACK, FRONT
from hapy_config.build.refused import Refused
from hapy_config.build.replies import read_redirect, read_reply
from hapy_config.grammar.checks import variable as variable_fault
from hapy_config.grammar.checks import variable_conditions
from hapy_config.grammar.units import is_number, leading_integer
from hapy_config.keywords import table
from hapy_config.keywords.samples import Place
from hapy_config.keywords.spec import Version
from hapy_config.model.proxy import Capture

Arguments = Mapping[str, object]
Reader = Callable[[Words], Arguments]

_LOG_LEVELS: Final = frozenset(
    {"emerg", "alert", "crit", "err", "error", "warning", "notice", "info", "debug", "silent"}
)
#: What `set-timeout` sets in versions after 2.6.
_LATER_TIMEOUTS: Final[dict[str, Version]] = {"client": (2, 9), "connect": (3, 4), "queue": (3, 4), "tarpit": (3, 4)}
#: The first version whose `set-var` takes conditions.
_CONDITIONS: Final[Version] = (2, 6)
#: The numbers of a counter's action; nothing stands for 0.
_SLOT: Final = re.compile(r"((?:[ \t]*[+-]?[0-9]+)?)\)")
_INDEX_AND_SLOT: Final = re.compile(r"((?:[ \t]*[+-]?[0-9]+)?),((?:[ \t]*[+-]?[0-9]+)?)\)")
#: What C's `strtoul` reads of a number whose base is not given.
_NUMBER: Final = re.compile(r"[ \t]*([+-]?)(?:0[xX]([0-9a-fA-F]+)|0([0-7]*)|([1-9][0-9]*))")


def _nothing(words: Words) -> Arguments:
    return {}


def _header(words: Words) -> Arguments:
    name, value = words.exactly(2, "expects exactly 2 arguments")
    return {"name": name, "value": words.format(value, words.position - 1)}


def _del_header(words: Words) -> Arguments:
    name = words.take("expects at least 1 argument")
    method = "str"
    if words.peek() == "-m":
        words.position += 1
        method = words.take("-m flag expects exactly 1 argument")
        if method not in ("str", "beg", "end", "sub", "reg"):
            words.fault(f"-m with unsupported matching method '{method}'", words.position - 1)
        if method == "reg":
            words.regex(name, words.position - 3)
    return {"name": name, "match": method}


def _replace_header(words: Words) -> Arguments:
    name, regex, value = words.exactly(3, "expects exactly 3 arguments")
    words.regex(regex, words.position - 2)
    return {"name": name, "regex": regex, "value": words.format(value, words.position - 1)}


def _replace_path(words: Words) -> Arguments:
    regex, value = words.exactly(2, "expects exactly 2 arguments <match-regex> and <replace-format>")
    words.regex(regex, words.position - 2)
    return {"regex": regex, "format": words.format(value, words.position - 1)}


def _set_path(words: Words) -> Arguments:
    missing = "expects exactly 1 argument <format>"
    text = words.take(missing)
    following = words.peek()
    if following not in ("", "if", "unless"):
        raise words.refuse(missing)
    return {"format": words.format(text, words.position - 1)}


def _set_status(words: Words) -> Arguments:
    missing = "expects exactly 1 argument <status> or 3 arguments <status> reason <fmt>"
    text = words.take(missing)
    status = leading_integer(text)
    if not is_number(text) or not 100 <= status <= 999:
        words.fault("expects an integer status code between 100 and 999", words.position - 1)
    reason = None
    if words.peek() == "reason" and words.peek(1):
        reason = words.peek(1)
        words.position += 2
    return {"number": status, "reason": reason}


def _reply(default: int) -> Reader:
    def read(words: Words) -> Arguments:
        return {"reply": read_reply(words, default)}

    return read


def _redirect(words: Words) -> Arguments:
    return {"redirect": read_redirect(words, formatted=True)}


def _auth(words: Words) -> Arguments:
    realm = None
    if words.peek() == "realm":
        words.position += 1
        realm = words.take("missing realm value.\n")
    return {"realm": realm}


def variable_name(words: Words, text: str, place: int) -> str:
    """Check a variable's name (`txn.x`)."""
    fault = variable_fault(text)
    if fault:
        words.fault(fault, place)
    return text


def _parenthesised(words: Words) -> list[str]:
    """What stands in the parentheses of the action's own word."""
    _, opened, rest = words.action_word.partition("(")
    if not opened:
        return []
    inner, closed, _ = rest.rpartition(")")
    return (inner if closed else rest).split(",")


def _set_var(words: Words) -> Arguments:
    given = _parenthesised(words)
    if not given:
        raise words.refuse(
            "invalid or incomplete action. Expects 'set-var(<var-name>)', 'set-var-fmt(<var-name>)' or"
            " 'unset-var(<var-name>)'",
            words.start - 1,
        )
    if not words.action_word.endswith(")"):
        raise words.refuse("invalid or incomplete action: missing ')'", words.start - 1)
    name = variable_name(words, given[0], words.start - 1)
    conditions = tuple(filter(None, given[1:]))
    action = words.action_word.partition("(")[0]
    fault = variable_conditions(action, conditions)
    if conditions and words.build.version < _CONDITIONS:
        fault = f"invalid syntax at char ',{conditions[0]}'"
    if fault:
        words.fault(fault, words.start - 1)
    if action == "unset-var":
        return {"variable": name}
    if words.action_word.startswith("set-var-fmt"):
        text = words.lax()  # HAProxy takes nothing for an empty one
        return {"variable": name, "format": words.format(text, words.position - 1), "options": conditions}
    return {"variable": name, "expression": words.expression(), "options": conditions}


def _expression(words: Words) -> Arguments:
    return {"expression": words.expression()}


def _address(words: Words) -> Arguments:
    """HAProxy takes what a request gives, also in the rules of connections, where none is there yet."""
    if words.places in (Place.FRONTEND_CONNECTION, Place.FRONTEND_SESSION):
        words.places = Place.FRONTEND_HTTP_REQUEST
    return _expression(words)


def _new_slot(words: Words, length: int) -> int:
    """The number of a request capture slot declared by the rule that fills it."""
    slot = sum(1 for capture in words.draft.captures if capture.direction == "request")
    words.draft.captures.append(Capture("request", "", length))
    return slot


def _capture(words: Words) -> Arguments:
    expression = words.expression()
    expected = "expects <expression> [ 'len' <length> | id <idx> ]"
    kind = words.peek()
    if not kind:
        raise words.refuse("expects 'len or 'id'")
    if kind == "len" and not words.response:
        words.position += 1
        if not words.draft.side & FRONT:
            words.fault(f"proxy '{words.draft.name}' has no frontend capability", words.start)
        text = words.take("missing length value")
        length = leading_integer(text)
        if length <= 0:
            words.fault("length must be > 0", words.position - 1)
        return {"expression": expression, "length": length, "slot": _new_slot(words, length)}
    if kind == "id":
        words.position += 1
        text = words.take("missing id value")
        if not re.fullmatch(r"[ \t]*[+-]?[0-9]+", text):
            words.fault(f"cannot parse id '{text}'", words.position - 1)
            return {"expression": expression}
        return {"expression": expression, "slot": leading_integer(text)}
    raise words.refuse(f"expects 'id', found '{kind}'" if words.response else expected)


def _tcp_capture(words: Words) -> Arguments:
    expression = words.expression()
    if words.peek() != "len" or leading_integer(words.peek(1)) <= 0:
        raise words.refuse("a positive 'len' argument is mandatory", words.position)
    length = leading_integer(words.peek(1))
    if not words.draft.side & FRONT:
        raise words.refuse(f"proxy '{words.draft.name}' has no frontend capability", words.start)
    words.position += 2
    return {"expression": expression, "length": length, "slot": _new_slot(words, length)}


def _track(words: Words) -> Arguments:
    suffix = words.action_word[len("track-sc") :]
    if suffix:
        if not is_number(suffix):
            bad = suffix.lstrip("0123456789") or suffix
            words.fault(f"Wrong track-sc number '{bad}'", words.start - 1)
            suffix = ""
        elif leading_integer(suffix) >= words.build.stick_counters:
            name = "MAX_SESS_STKCTR-1" if words.build.version < (2, 7) else "tune.stick-counters-1"
            words.fault(
                f"{suffix} track-sc number exceeding {words.build.stick_counters - 1} ({name}) value", words.start - 1
            )
    expression = words.expression()
    table_name = None
    if words.peek() == "table":
        words.position += 1
        table_name = words.take("missing table name")
    words.build.needs_table(words.draft, words.statement, table_name, f"track-sc{leading_integer(suffix)}", expression)
    return {"slot": leading_integer(suffix), "expression": expression, "table": table_name}


def _counter(words: Words) -> Arguments:
    """sc-inc-gpc*, sc-set-gpt*: `(idx,slot)` or `(slot)`."""
    word = words.action_word
    name, opened, rest = word.partition("(")
    if name.endswith("*"):  # the table's way of writing it
        raise words.refuse(f"invalid stick table track ID '{word}'", words.start - 1)
    indexed = name in ("sc-inc-gpc", "sc-set-gpt", "sc-add-gpc")
    what = "gpc" if "gpc" in name else "gpt"
    found: dict[str, object] = {}
    if opened:
        match = (_INDEX_AND_SLOT if indexed else _SLOT).match(rest)
        if match is None:
            expected = f"{name}(<{what.upper()} ID>,<Track ID>)" if indexed else f"{name}(<Track ID>)"
            raise words.refuse(f"invalid stick table track ID '{word}'. Expects {expected}", words.start - 1)
        if indexed:
            found["index"] = leading_integer(match[1])
        slot = leading_integer(match[match.re.groups])
        highest = words.build.stick_counters - 1
        if slot > highest:
            words.fault(f"invalid stick table track ID. The max allowed ID is {highest}", words.start - 1)
        found["slot"] = slot
    elif indexed:
        raise words.refuse(
            f"invalid stick table track ID '{word}'. Expects {name}(<{what.upper()} ID>,<Track ID>)", words.start - 1
        )
    else:
        found["slot"] = 0
    if name.startswith(("sc-set-gpt", "sc-add-gpc")):
        if not words.peek() or re.fullmatch(r"[ \t]*[+-]?[0-9]+", words.peek()):  # HAProxy takes nothing for 0
            found["number"] = int(words.lax() or "0") & 0xFFFFFFFF
        else:
            found["expression"] = words.expression()
    return found


def _log_level(words: Words) -> Arguments:
    missing = "expects exactly 1 argument (log level name or 'silent')"
    level = words.take(missing)
    if level not in _LOG_LEVELS:
        words.fault(missing, words.position - 1)
    return {"level": level}


def _nice(words: Words) -> Arguments:
    text = words.take("expects exactly 1 argument (integer value)")
    return {"number": min(max(leading_integer(text), -1024), 1024)}


def _integer_or_hex(words: Words) -> Arguments:
    text = words.take("expects exactly 1 argument (integer/hex value)")
    match = _NUMBER.match(text)
    if match is None or match.end() < len(text):
        bad = text if match is None else text[match.end() :]
        words.fault(f"invalid character starting at '{bad}' (integer/hex value expected)", words.position - 1)
        return {}
    sign, hexadecimal, octal, decimal = match.groups()
    number = int(hexadecimal, 16) if hexadecimal else int(decimal) if decimal else int(octal or "0", 8)
    return {"number": (-number if sign == "-" else number) & 0xFFFFFFFF}


def _set_timeout(words: Words) -> Arguments:
    which, text = words.exactly(2, "expects exactly 2 arguments")
    later = [name for name, since in _LATER_TIMEOUTS.items() if since <= words.build.version]
    if which not in ("server", "tunnel", *later):
        words.fault(f"'set-timeout' rule supports 'server'/'tunnel' (got '{which}')", words.position - 2)
    if which not in later and not words.draft.side & BACK:
        words.fault(f"proxy '{words.draft.name}' has no backend capability", words.start)
    if re.match(r"[0-9]", text):
        value: object = words.time(words.position - 1, f"rule 'set-timeout {which}'")
        if not value:
            words.fault(f"null value is not valid for a 'set-timeout {which}' rule", words.position - 1)
    else:
        words.position -= 1
        value = words.expression(f"unexpected character '{text[:1]}' in rule 'set-timeout {which}'")
    return {"which": which, "timeout": value}


def _strict_mode(words: Words) -> Arguments:
    text = words.take("expects exactly 1 arguments")
    if text not in ("on", "off"):
        words.fault(f"Unexpected value '{text}'. Only 'on' and 'off' are supported", words.position - 1)
    return {"switch": text == "on"}


def _use_service(words: Words) -> Arguments:
    name = words.take("'use-service' expects a service name.")
    if words.build.lua and name.startswith("lua.") and words.build.lua_names.knows_service(name[4:]):
        words.build.note_lua(words.statement, words.position - 1, f"service '{name}'")
        kind = words.build.lua_names.services.get(name[4:])
        if kind == "tcp" and words.statement.words[0] == "http-request":
            words.fault("Lua TCP services cannot be used on HTTP proxies", words.position - 1)
        if kind == "http" and words.statement.words[0] == "tcp-request":
            words.fault("HTTP applets are forbidden from 'tcp-request' rulesets", words.position - 1)
    elif name not in table("services"):
        words.fault(f"'{name}' unknown service name.", words.position - 1)
    elif words.statement.words[0] == "tcp-request":
        words.fault("Prometheus exporter service only available on 'http-request' rulesets", words.position - 1)
    return {"service": name}


def _wait_for_body(words: Words) -> Arguments:
    expected = "expects time <time> [ at-least <bytes> ]"
    found: dict[str, object] = {}
    while words.peek() in ("time", "at-least"):
        kind = words.take("")
        if not words.peek():
            raise words.refuse(f"missing argument for '{kind}'" if found else expected)
        words.position += 1
        if kind == "time":
            found["time"] = words.time(words.position - 1, "", short=True)
        else:
            found["at_least"] = words.size(words.position - 1)
    if "time" not in found:
        raise words.refuse(expected)
    return found


def _early_hint(words: Words) -> Arguments:
    return _header(words)


def _cache(words: Words) -> Arguments:
    name = words.take("expects a cache name")
    words.build.needs_cache(words.draft, words.statement, name)
    return {"name": name}


def _map_or_acl(count: int) -> Reader:
    names = ("key", "value")

    def read(words: Words) -> Arguments:
        file = ",".join(_parenthesised(words))
        found: dict[str, object] = {"map": file}
        for name, text in zip(names, words.exactly(count, f"expects exactly {count} arguments"), strict=False):
            place = words.position - count + names.index(name)
            found[name] = words.format(text, place)
        return found

    return read


def _do_resolve(words: Words) -> Arguments:
    given = _parenthesised(words)
    word = words.action_word
    if len(given) < 2 or not word.endswith(")"):
        raise words.refuse(
            f"Can't parse '{word}'. Expects 'do-resolve(<varname>,<resolvers>[,<options>]) <expr>'. Available options"
            " are 'ipv4' and 'ipv6'",
            words.start - 1,
        )
    for option in given[2:]:
        if option not in ("ipv4", "ipv6", ""):
            words.fault(
                f"Can't parse '{word}'. Expects 'do-resolve(<varname>,<resolvers>[,<options>]) <expr>'. Available"
                " options are 'ipv4' and 'ipv6'",
                words.start - 1,
            )
    expression = words.expression()
    words.build.needs_resolvers(words.draft, words.statement, given[1])
    return {"variable": given[0], "resolvers": given[1], "options": tuple(given[2:]), "expression": expression}


def _spoe_group(words: Words) -> Arguments:
    expected = "expects 2 arguments: <engine-id> <group-id>"
    engine, group = words.exactly(2, expected)
    words.build.needs_engine(words.draft, words.statement, engine, group)
    return {"engine": engine, "group": group}


_NORMALIZERS: Final[dict[str, tuple[str, ...]]] = {
    "path-merge-slashes": (),
    "path-strip-dot": (),
    "path-strip-dotdot": ("full",),
    "query-sort-by-name": (),
    "percent-to-uppercase": ("strict",),
    "percent-decode-unreserved": ("strict",),
    "fragment-strip": (),
    "fragment-encode": (),
}


def _normalize_uri(words: Words) -> Arguments:
    name = words.take("missing argument <normalizer>")
    options = _NORMALIZERS.get(name)
    if options is None:
        raise words.refuse(f"unknown normalizer '{name}'", words.position - 1)
    given = words.peek()
    if given in options and given:
        words.position += 1
        return {"name": name, "options": (given,)}
    if given not in ("", "if", "unless"):
        raise words.refuse(f"unknown argument '{given}' for '{name}' normalizer" if options else "too many arguments")
    return {"name": name, "options": ()}


def _accept_proxy(words: Words) -> Arguments:
    if words.take("expects 'layer4'") != "layer4":
        raise words.refuse("expects 'layer4'", words.position - 1)
    return {}


def _switch_mode(words: Words) -> Arguments:
    if not words.draft.side & FRONT:
        raise Refused(
            f"'tcp-request switch-mode' not allowed because {words.draft.title} '{words.draft.name}' has no frontend"
            " capability",
            words.start,
        )
    mode = words.peek()
    if mode != "http":
        raise Refused(f"'tcp-request switch-mode' expects a valid mode (got '{mode}').", words.position)
    words.position += 1
    if words.peek() == "proto":
        words.position += 1
        protocol = words.take("'proto': missing value")
        if protocol not in ("h1", "h2"):
            raise words.refuse(f"'proto': unknown MUX protocol '{protocol}'", words.position - 1)
        return {"name": mode, "protocol": protocol}
    return {"name": mode}


#: Readers by the action's table name.
READERS: Final[dict[str, Reader]] = {
    "accept": _nothing,
    "add-acl*": _map_or_acl(1),
    "add-header": _header,
    "allow": _nothing,
    "auth": _auth,
    "cache-store": _cache,
    "cache-use": _cache,
    "capture": _capture,
    "close": _nothing,
    "del-acl*": _map_or_acl(1),
    "del-header": _del_header,
    "del-map*": _map_or_acl(1),
    "deny": _reply(403),
    "disable-l7-retry": _nothing,
    "do-resolve*": _do_resolve,
    "early-hint": _early_hint,
    "expect-netscaler-cip": _accept_proxy,
    "expect-proxy": _accept_proxy,
    "normalize-uri": _normalize_uri,
    "ot-group": _spoe_group,
    "redirect": _redirect,
    "reject": _nothing,
    "replace-header": _replace_header,
    "replace-path": _replace_path,
    "replace-pathq": _replace_path,
    "replace-uri": _replace_path,
    "replace-value": _replace_header,
    "return": _reply(200),
    "sc-add-gpc*": _counter,
    "sc-inc-gpc*": _counter,
    "sc-inc-gpc0*": _counter,
    "sc-inc-gpc1*": _counter,
    "sc-set-gpt*": _counter,
    "sc-set-gpt0*": _counter,
    "send-spoe-group": _spoe_group,
    "set-dst": _address,
    "set-dst-port": _address,
    "set-header": _header,
    "set-log-level": _log_level,
    "set-map*": _map_or_acl(2),
    "set-mark": _integer_or_hex,
    "set-method": _set_path,
    "set-nice": _nice,
    "set-path": _set_path,
    "set-pathq": _set_path,
    "set-priority-class": _expression,
    "set-priority-offset": _expression,
    "set-query": _set_path,
    "set-src": _address,
    "set-src-port": _address,
    "set-status": _set_status,
    "set-timeout": _set_timeout,
    "set-tos": _integer_or_hex,
    "set-uri": _set_path,
    "set-var*": _set_var,
    "set-var-fmt*": _set_var,
    "silent-drop": _nothing,
    "strict-mode": _strict_mode,
    "switch-mode": _switch_mode,
    "tarpit": _reply(500),
    "track-sc*": _track,
    "unset-var*": _set_var,
    "use-service": _use_service,
    "wait-for-body": _wait_for_body,
    "wait-for-handshake": _nothing,
    **LATER,
}
TCP_CAPTURE: Final = _tcp_capture

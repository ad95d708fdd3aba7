"""The plain keywords of a proxy section: one value each and no language of their own (manual, section 4.2)."""

from __future__ import annotations

import re
from typing import Final

from hapy_config.build.arguments import at_most
from hapy_config.build.context import Build
from hapy_config.build.draft import BACK, FRONT, Draft
from hapy_config.build.refused import Refused
from hapy_config.build.registry import Handler
from hapy_config.grammar.units import is_number, leading_integer, leading_long
from hapy_config.keywords.proxies_removed import FIRST_NAMES
from hapy_config.keywords.spec import Version
from hapy_config.model.proxy import Capture
from hapy_config.syntax import Statement

_SIDE_OF_TIMEOUT: Final = {
    "client": FRONT,
    "client-fin": FRONT,
    "connect": BACK,
    "server": BACK,
    "server-fin": BACK,
    "queue": BACK,
    "check": BACK,
    "tunnel": BACK,
    "http-request": FRONT | BACK,
    "http-keep-alive": FRONT | BACK,
    "tarpit": FRONT | BACK,
}
_INTEGER: Final = re.compile(r"[+-]?[0-9]*")


def _word(words: list[str], index: int, missing: str) -> str:
    """The word at `index`, or the refusal that it is missing."""
    if len(words) <= index or not words[index]:
        raise Refused(missing, index, code="missing-argument")
    return words[index]


#: The first version without `mode health`, and the first whose `server-state-file-name` needs no name.
_NO_MODE_HEALTH: Final[Version] = (2, 3)
_NAME_FROM_BACKEND: Final[Version] = (2, 4)


def _mode(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    mode = words[1] if len(words) > 1 else ""
    if mode == "health" and build.version >= _NO_MODE_HEALTH:
        raise Refused(
            "'mode health' doesn't exist anymore. Please use 'http-request return status 200' instead.",
            1,
            code="removed-keyword",
        )
    if mode not in ("http", "tcp", "health"):
        raise Refused(
            f"unknown proxy mode '{mode}'.",
            1,
            hint=build.nearest(mode, ("http", "tcp")) or "the modes are 'http' and 'tcp'",
        )
    at_most(words, 1)
    if mode == "health" and draft.kind == "backend":
        raise Refused(
            f"backend '{draft.name}' cannot be in health mode as it has no frontend capability.",
            1,
            hint="such a mode is for frontends",
        )
    draft.mode = mode if mode != "health" else "tcp"


def _id(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    if draft.kind == "defaults":
        raise Refused("'id' not allowed in 'defaults' section.", code="wrong-section")
    at_most(words, 1)
    number = leading_integer(_word(words, 1, "'id' expects an integer argument."))
    if number <= 0:
        raise Refused("custom id has to be > 0.", 1)
    other = build.proxy_ids.get(number)
    if other is not None:
        raise Refused(
            f"{draft.title} '{draft.name}' reuses same custom id as {other.title} '{other.name}'"
            f" (declared at {other.header.source.name}:{other.header.line}).",
            1,
            code="duplicate-id",
        )
    build.proxy_ids[number] = draft
    draft.number = number
    draft.numbered = True


def _description(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    _word(words, 1, "'description' expects a string argument.")
    draft.description = " ".join(words[1:])


def _disabled(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    at_most(words, 0)
    draft.disabled = True


def _enabled(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    at_most(words, 0)
    draft.disabled = False


def _number(attribute: str, missing: str = "") -> Handler:
    """A handler for `NAME NUMBER`, read as C reads it."""

    def handle(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
        text = _word(words, 1, missing or f"'{words[0]}' expects an integer argument.")
        at_most(words, 1)
        build.loose_number(statement, 1, text)
        setattr(draft, attribute, leading_integer(text))

    return handle


def _timeout(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    name = words[1] if len(words) > 1 else ""
    side = _SIDE_OF_TIMEOUT.get(name)
    if side is None:
        raise Refused(
            "'timeout' supports 'client', 'server', 'connect', 'check', 'queue', 'http-keep-alive', 'http-request',"
            f" 'tunnel', 'tarpit', 'client-fin' and 'server-fin' (got '{name}')",
            1,
            code="unknown-keyword",
            hint=build.nearest(name, _SIDE_OF_TIMEOUT),
        )
    text = _word(words, 2, f"'timeout {name}' expects an integer value (in milliseconds)")
    value = build.time(statement, words, 2, f"'timeout {name}'")
    if len(words) > 3:
        raise Refused(f"'timeout {name}' : unexpected extra argument '{words[3]}' after value '{text}'.", 3)
    if not draft.side & side:
        capability = "backend" if side == BACK else "frontend"
        build.warning(
            "ignored-here",
            statement.span(),
            f"'timeout {name}' will be ignored because {draft.title} '{draft.name}' has no {capability} capability",
        )
        return
    key = name.replace("-", "_")
    old = draft.timeouts.get(key)
    inherited = draft.parent.timeouts.get(key) if draft.parent is not None else None
    if draft.kind != "defaults" and old is not None and old != inherited:
        build.warning("overridden", statement.span(), f"overwriting 'timeout {name}' which was already specified")
    draft.timeouts[key] = value


def _gone_timeout(name: str, instead: str) -> Handler:
    def handle(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
        raise Refused(
            f"the '{name}' directive is not supported anymore since HAProxy 2.1. Use 'timeout {instead}'.",
            0,
            code="removed-keyword",
            hint=f"write 'timeout {instead} {' '.join(words[1:]) or '5s'}'",
        )

    return handle


def _default_backend(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    name = _word(words, 1, "'default_backend' expects a backend name.")
    at_most(words, 1)
    draft.default_backend = (name, statement)


def _http_reuse(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    word = words[1] if len(words) > 1 else ""
    if word not in ("never", "safe", "aggressive", "always"):
        raise Refused("'http-reuse' only supports 'never', 'safe', 'aggressive', 'always'.", 1)
    at_most(words[1:], 0, f"http-reuse {word}")
    draft.reuse = word


def _monitor_uri(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    uri = _word(words, 1, "'monitor-uri' expects an URI.")
    at_most(words, 1)
    draft.monitor_uri = uri


def _strict_integer(words: list[str], index: int, what: str) -> int:
    """A number with nothing behind it."""
    text = words[index]
    match = _INTEGER.match(text)
    assert match is not None
    if match.end() != len(text):
        raise Refused(f"'{what}' : unexpected character '{text[match.end()]}' in integer value '{text}'", index)
    return leading_integer(text)


def _rate_limit(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    what = words[1] if len(words) > 1 else ""
    if what != "sessions":
        raise Refused(f"'rate-limit' only supports 'sessions' (got '{what}')", 1)
    _word(words, 2, "'rate-limit sessions' expects expects an integer value (in sessions/second)")
    value = _strict_integer(words, 2, "rate-limit sessions")
    build.side_note(draft, statement, "rate-limit sessions", FRONT)
    draft.rate_limit_sessions = value


def _max_keep_alive_queue(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    _word(words, 1, "'max-keep-alive-queue' expects expects an integer value (or -1 to disable)")
    value = _strict_integer(words, 1, words[0])
    build.side_note(draft, statement, words[0], BACK)
    draft.max_keep_alive_queue = value


def _keepalive_count(side: int) -> Handler:
    def handle(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
        _word(words, 1, f"'{words[0]}' expects an integer value")
        _strict_integer(words, 1, words[0])
        build.side_note(draft, statement, words[0], side)
        draft.settings.append(tuple(words))

    return handle


def _keepalive_time(side: int) -> Handler:
    def handle(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
        _word(words, 1, f"'{words[0]}' expects an integer value")
        build.time(statement, words, 1, f"<{words[0]}>", "s")
        build.side_note(draft, statement, words[0], side)
        draft.settings.append(tuple(words))

    return handle


def _log_tag(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    draft.log_tag = _word(words, 1, "'log-tag' expects a tag for use in syslog.")


def _capture(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    kind = words[1] if len(words) > 1 else ""
    if kind == "cookie":
        if len(words) < 5:  # HAProxy does not look at the word before the length
            raise Refused("'capture' expects 'cookie' <cookie_name> 'len' <len>.", min(len(words), 2))
        at_most(words, 5, "capture cookie")
        draft.captures = [capture for capture in draft.captures if capture.direction != "cookie"]
        draft.captures.append(Capture("cookie", words[2], leading_integer(words[4])))
    elif kind in ("request", "response") and len(words) > 2 and words[2] == "header":
        if len(words) < 6 or words[4] != "len" or not words[5]:
            raise Refused(f"'capture {kind}' expects 'header' <header_name> 'len' <len>.", min(len(words), 3))
        at_most(words, 5, f"capture {kind}")
        draft.captures.append(Capture(kind, words[3], leading_integer(words[5])))
    else:
        wrong = 2 if kind in ("request", "response") and len(words) > 2 else 1
        known = ("header",) if wrong == 2 else ("cookie", "request", "response")
        hint = build.nearest(words[wrong] if len(words) > wrong else "", known)
        raise Refused("'capture' expects 'cookie' or 'request header' or 'response header'.", wrong, hint=hint)


def _declare(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    if draft.kind in ("defaults", "backend"):
        raise Refused("'declare' only available in frontend or listen section", 0, code="wrong-section")
    if len(words) < 2 or words[1] != "capture":
        got = words[1] if len(words) > 1 else ""
        raise Refused(f"unknown declaration type '{got}' (supports 'capture')", 1)
    if len(words) < 3 or words[2] not in ("request", "response"):
        build.fault(Refused("'declare capture' requires a direction ('request' or 'response')", 2))
    if len(words) < 5 or words[3] != "len":
        raise Refused("'declare capture' requires a capture length ('len')", 3)
    if not is_number(words[4].lstrip("+-")):
        raise Refused(f"'declare capture': cannot parse the length '{words[3]}'.", 4)
    length = leading_long(words[4])
    if length <= 0:
        raise Refused("length must be > 0", 4)
    draft.captures.append(Capture(words[2], "", length))


def _unique_id_header(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    draft.unique_id_header = _word(words, 1, "unique-id-header expects an argument.")


def _send_name_header(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    draft.http_send_name_header = _word(words, 1, "'http-send-name-header' requires a header string.")


def _load_server_state(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    word = words[1] if len(words) > 1 else ""
    if word not in ("global", "local", "none"):
        raise Refused(f"'load-server-state-from-file' expects 'global', 'local' or 'none'. Got '{word}'", 1)
    draft.load_server_state = None if word == "none" else word


def _server_state_file_name(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    if build.version >= _NAME_FROM_BACKEND:
        at_most(words, 1)
    else:
        _word(words, 1, "'server-state-file-name' expects 'use-backend-name' or a string. Got no argument")
    draft.settings.append(tuple(words))


def _max_session_srv_conns(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    _word(words, 1, "'max-session-srv-conns' expects a number. Got no argument")
    build.loose_number(statement, 1, words[1])
    draft.settings.append(tuple(words))


_ALGORITHMS: Final = ("identity", "gzip", "deflate", "raw-deflate")


def _compression(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    what = words[1] if len(words) > 1 else ""
    if what == "algo":
        _word(words, 2, "'compression' expects <algorithm>.")
        for index, algorithm in enumerate(words[2:], 2):
            if algorithm not in _ALGORITHMS:
                hint = build.nearest(algorithm, _ALGORITHMS)
                build.fault(Refused(f"'compression' : '{algorithm}' is not a supported algorithm.", index, hint=hint))
    elif what == "type":
        _word(words, 2, "'compression' expects <type>.")
    elif what == "offload":
        if draft.kind == "defaults":
            build.warning("ignored-here", statement.span(), "'compression offload' : ignored in 'defaults' section.")
    else:
        raise Refused("'compression' expects 'algo', 'type' or 'offload'", 1)
    draft.settings.append(tuple(words))


def _external_check(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    what = _word(words, 1, "missing argument after 'external-check'.")
    if what not in ("command", "path"):
        raise Refused(f"'external-check' only supports 'command' and 'path'. but got '{what}'.", 1)
    _word(words, 2, f"missing argument after '{what}'.")
    if len(words) > 3:
        raise Refused(f"'external-check' cannot handle unexpected argument '{words[3]}'.", 3)
    draft.settings.append(tuple(words))


_ALERT_WORDS: Final = ("from", "mailers", "myhostname", "to", "level")


def _email_alert(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    what = _word(words, 1, "missing argument after 'email-alert'.")
    if what not in _ALERT_WORDS:
        raise Refused(f"email-alert: unknown argument '{what}'.", 1, hint=build.nearest(what, _ALERT_WORDS))
    value = words[2] if len(words) > 2 else ""
    if what == "level" and value not in LEVELS:
        raise Refused(f"unknown log level 'level' after '{value}'", 2)
    draft.email_alert = {**draft.email_alert, what: (value, statement)}
    draft.settings.append(tuple(words))


LEVELS: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")


def _persist(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    method = _word(words, 1, "missing persist method.")
    if not method.startswith("rdp-cookie"):
        raise Refused("unknown persist method.", 1)
    if method != "rdp-cookie" and not re.fullmatch(r"rdp-cookie\([^)]+\).*", method):
        raise Refused("persist rdp-cookie(name)' requires an rdp cookie name.", 1)
    named = re.match(r"rdp-cookie\(([^)]+)\)", method)
    draft.rdp_cookie = named[1] if named is not None else "msts"


def _dynamic_cookie_key(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    draft.dynamic_cookie_key = _word(words, 1, "'dynamic-cookie-key' expects <secret_key> as argument.")


def _bind_process(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    for index, word in enumerate(words[1:], 1):
        if word == "all":
            break
        if word not in ("odd", "even") and not re.fullmatch(r"[0-9]+(-[0-9]*)?", word):
            raise Refused(f"bind-process : '{word}' is not a valid number/range.", index)
        most = build.processes
        if any(not 1 <= leading_integer(number) <= most for number in re.findall(r"[0-9]+", word)):
            message = f"bind-process : '{word}' is not a valid number/range. It supports numbers from 1 to {most}."
            raise Refused(message, index, hint="there is one process: remove the line" if most == 1 else "")
    build.warning(
        "deprecated",
        statement.span(),
        "'bind-process' has no effect, is deprecated, and will be removed in version 2.7.",
        "remove the line",
    )


def _gone(message: str) -> Handler:
    def handle(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
        text = message
        if "{ip}" in message:
            text = message.replace("{ip}", words[1] if len(words) > 1 else "<ip>")
        raise Refused(text, 0, code="removed-keyword")

    return handle


_NO_LONGER: Final = "The '{}' directive is not supported anymore since HAProxy 2.1."
_REPLACED: Final = {
    "block": "Use 'http-request deny' which uses the exact same syntax.",
    "reqadd": "Use 'http-request add-header' instead.",
    "reqallow": "Use 'http-request allow' instead.",
    "reqiallow": "Use 'http-request allow' instead.",
    "reqdel": "Use 'http-request del-header' instead.",
    "reqidel": "Use 'http-request del-header' instead.",
    "reqdeny": "Use 'http-request deny' instead.",
    "reqideny": "Use 'http-request deny' instead.",
    "reqpass": "",
    "reqipass": "",
    "reqrep": "Use 'http-request replace-path', 'http-request replace-uri' or 'http-request replace-header' instead.",
    "reqirep": "Use 'http-request replace-header' instead.",
    "reqtarpit": "Use 'http-request tarpit' instead.",
    "reqitarpit": "Use 'http-request tarpit' instead.",
    "rspadd": "Use 'http-response add-header' instead.",
    "rspdel": "Use 'http-response del-header' instead.",
    "rspidel": "Use 'http-response del-header' instead.",
    "rspdeny": "Use 'http-response deny' instead.",
    "rspideny": "Use 'http-response deny' instead.",
    "rsprep": "Use 'http-response replace-header' instead.",
    "rspirep": "Use 'http-response replace-header' instead.",
}

HANDLERS: Final[dict[str, Handler]] = {
    "mode": _mode,
    "id": _id,
    "description": _description,
    "disabled": _disabled,
    "enabled": _enabled,
    "maxconn": _number("maxconn"),
    "backlog": _number("backlog"),
    "fullconn": _number("fullconn"),
    "retries": _number("retries", "'retries' expects an integer argument (dispatch counts for one)."),
    "timeout": _timeout,
    "contimeout": _gone_timeout("contimeout", "connect"),
    "clitimeout": _gone_timeout("clitimeout", "client"),
    "srvtimeout": _gone_timeout("srvtimeout", "server"),
    "default_backend": _default_backend,
    "http-reuse": _http_reuse,
    "monitor-uri": _monitor_uri,
    "rate-limit": _rate_limit,
    "max-keep-alive-queue": _max_keep_alive_queue,
    "clitcpka-cnt": _keepalive_count(FRONT),
    "clitcpka-idle": _keepalive_time(FRONT),
    "clitcpka-intvl": _keepalive_time(FRONT),
    "srvtcpka-cnt": _keepalive_count(BACK),
    "srvtcpka-idle": _keepalive_time(BACK),
    "srvtcpka-intvl": _keepalive_time(BACK),
    "log-tag": _log_tag,
    "capture": _capture,
    "declare": _declare,
    "unique-id-header": _unique_id_header,
    "http-send-name-header": _send_name_header,
    "load-server-state-from-file": _load_server_state,
    "server-state-file-name": _server_state_file_name,
    "max-session-srv-conns": _max_session_srv_conns,
    "compression": _compression,
    "external-check": _external_check,
    "email-alert": _email_alert,
    "persist": _persist,
    "dynamic-cookie-key": _dynamic_cookie_key,
    "bind-process": _bind_process,
    "grace": _gone("the 'grace' keyword is not supported any more since HAProxy version 2.5."),
    "appsession": _gone("'appsession' is not supported anymore since HAProxy 1.6."),
    "monitor-net": _gone(
        "'monitor-net' doesn't exist anymore. Please use 'http-request return status 200 if { src {ip} }' instead."
    ),
    "redispatch": _gone(
        "keyword 'redispatch' directive is not supported anymore since HAProxy 2.1. Use 'option redispatch'."
    ),
    "redisp": _gone("keyword 'redisp' directive is not supported anymore since HAProxy 2.1. Use 'option redispatch'."),
    **{name: _gone(f"{_NO_LONGER.format(name)} {_REPLACED[now]}") for name, now in FIRST_NAMES.items()},
    **{name: _gone(f"{_NO_LONGER.format(name)} {instead}".rstrip()) for name, instead in _REPLACED.items()},
}

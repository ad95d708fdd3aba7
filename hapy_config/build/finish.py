"""Checks over the whole configuration: references, modes, what must go together. In the order HAProxy makes them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hapy_config.build.advice import advise
from hapy_config.build.conditional import complete_acls
from hapy_config.build.draft import BACK, FRONT
from hapy_config.build.endings import (
    check_arguments_of_expressions,
    check_filters,
    check_groups,
    check_needed,
    check_regexes,
    check_servers,
    check_tls,
    check_tls_servers,
    check_tracks,
    twins_hint,
)
from hapy_config.build.expressions import check_format, checked_format, expression_words
from hapy_config.build.healthchecks import check_external, check_families, check_inherited
from hapy_config.build.modes import check_without_http
from hapy_config.build.refused import Refused
from hapy_config.build.resolvers import check_resolvers
from hapy_config.grammar.units import leading_integer
from hapy_config.keywords.samples import Place
from hapy_config.model.proxy import Balance
from hapy_config.model.rules import UseBackend, UseServer
from hapy_config.source import NOWHERE

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.build.draft import Draft
    from hapy_config.syntax import Statement

_SMALLEST_BUFFER: Final = 340
_LARGEST_BUFFER: Final = 1 << 28
_FEWEST_HEADERS: Final = 5
#: Since when a master of workers that nobody could reach is told of.
_MASTER_NEEDS_LISTENER: Final = (3, 1)
#: What is kept of a captured cookie at most, in bytes, where `tune.http.cookielen` says nothing.
_COOKIE_LENGTH: Final = 63
_HASHES: Final = frozenset({"uri", "url_param", "hdr"})


def finish(build: Build) -> bool:
    """Make all checks; tell whether anything would listen."""
    for task in build.later:
        task()
    _buffer_size(build)
    for sections in build.defaults.values():
        for draft in sections:
            if draft.late_acls:
                complete_acls(draft)
            if draft.active:
                _captures(build, draft)
    for draft in build.proxies:
        if draft.late_acls:
            complete_acls(draft)
        _binds(build, draft)
        if not draft.disabled:
            _proxy(build, draft)
        else:
            _applications(build, draft)
    check_arguments_of_expressions(build)
    check_regexes(build)
    check_needed(build)
    check_groups(build)
    check_resolvers(build)
    check_servers(build)
    check_tracks(build)
    check_tls_servers(build)
    check_tls(build)
    return _has_listener(build)


def _buffer_size(build: Build) -> None:
    """HAProxy's own error pages must fit into a buffer; the longest takes all of 340 bytes."""
    headers = build.tune.get("http.maxhdr")
    if isinstance(headers, int) and headers < _FEWEST_HEADERS:
        build.error(
            "small-buffer",
            NOWHERE,
            "Internal error: invalid default message for HTTP return code 200: unable to parse headers (error offset:"
            " 62).",
            "raise 'tune.http.maxhdr'",
        )
    size = build.tune.get("bufsize")
    if isinstance(size, int) and size > _LARGEST_BUFFER - 16:
        build.error(
            "bad-argument",
            NOWHERE,
            f"global.tune.bufsize must be below 256 MB when HTTP is in use (current value = {-(-size // 16) * 16}).",
            "lower 'tune.bufsize'",
        )
    if isinstance(size, int) and size < _SMALLEST_BUFFER:
        build.error(
            "small-buffer",
            NOWHERE,
            "Internal error: invalid default message for HTTP return code 405: unable to add payload into the HTX"
            " message.",
            "raise 'tune.bufsize'",
        )


def _proxy(build: Build, draft: Draft) -> None:
    """One proxy that is not disabled."""
    front, back = draft.side & FRONT, draft.side & BACK
    if front and not draft.has_bind and draft.header.words[2:3] in ([], ["from"]):  # else its header names an address
        build.warning(
            "no-bind",
            draft.header.span(),
            f"{draft.title} '{draft.name}' has no 'bind' directive. Please declare it as a backend if this was"
            " intended.",
        )
    _default_backend(build, draft)
    _use_backends(build, draft)
    _use_servers(build, draft)
    check_external(build, draft)
    check_inherited(build, draft)
    if draft.load_server_state == "global" and back and not build.global_.get("server_state_file"):
        build.warning(
            "missing-state-file",
            draft.header.span(),
            f"backend '{draft.name}' configured to load server state file from global section 'server-state-file'"
            " directive. Unfortunately, 'server-state-file' is not set!",
        )
    if draft.balance is not None and draft.balance.algorithm == "hash":
        _balance_hash(build, draft)
    check_families(build, draft)
    if back:
        _backend(build, draft)
    _error_files(build, draft)
    _formats(build, draft)
    _captures(build, draft)
    _mail(build, draft)
    _statistics(build, draft)
    _applications(build, draft)
    check_filters(build, draft)
    if draft.mode != "http":
        check_without_http(build, draft)
    advise(build, draft)
    _other_ways(build, draft)
    _timeouts(build, draft)
    _captured_cookie(build, draft)


def _error_files(build: Build, draft: Draft) -> None:
    """The http-errors sections that pages are taken from, also where that is inherited."""
    for name, statuses, statement in draft.error_files:
        section = build.sections.get(("http-errors", name))
        where = f"(at {statement.source.name}:{statement.line})"
        place = statement.span(statement.words.index(name, 1))
        if section is None:
            message = f"proxy '{draft.name}': unknown http-errors section '{name}' {where}."
            build.error("unknown-section", place, message)
            continue
        for status in statuses:
            if status not in section.pages:
                build.warning(
                    "unknown-error-page",
                    place,
                    f"config: proxy '{draft.name}' : status '{status}' not declared in http-errors section '{name}'"
                    f" {where}.",
                )


def _compatible(build: Build, draft: Draft, target: Draft, statement: Statement, what: str) -> None:
    """An HTTP frontend can't hand over to a TCP backend; the other way it can."""
    if draft.mode == "http" and target.mode == "tcp":
        build.error(
            "incompatible-mode",
            statement.span(1),
            f"http {draft.title} '{draft.name}' ({_where(draft)}) tries to use incompatible tcp {target.title}"
            f" '{target.name}' ({_where(target)}) {what} (see 'mode').",
            f"set 'mode http' in {target.title} '{target.name}' or 'mode tcp' in {draft.title} '{draft.name}'",
        )


def _where(draft: Draft) -> str:
    return f"{draft.header.source.name}:{draft.header.line}"


def _default_backend(build: Build, draft: Draft) -> None:
    if draft.default_backend is None:
        return
    name, statement = draft.default_backend
    target = build.backends.get(name)
    if target is None:
        build.error(
            "unknown-backend",
            statement.span(1),
            f"Proxy '{draft.name}': unable to find required default_backend: '{name}'.",
            build.nearest(name, build.backends),
        )
        return
    if target is draft:
        build.error("loop", statement.span(1), f"Proxy '{draft.name}': loop detected for default_backend: '{name}'.")
        return
    if draft.servers:
        build.warning(
            "ignored-part",
            statement.span(),
            f"In proxy '{draft.name}', the 'default_backend' rule always has precedence over the servers, which will"
            " never be used.",
            "remove the servers, or the 'default_backend' line where they are meant",
        )
        return
    _compatible(build, draft, target, statement, "as its default backend")


def _use_backends(build: Build, draft: Draft) -> None:
    """Targets without variables must exist; the others are formats."""
    for index, (rule, statement) in enumerate(zip(draft.use_backends, draft.use_backend_statements, strict=True)):
        text = rule.target
        assert isinstance(text, str)
        if "%" in text:
            prefix = f"failed to parse use_backend rule '{text}' : "
            try:
                parsed = checked_format(build, draft, statement, text, 1, Place.FRONTEND_USE_BACKEND, prefix)
            except Refused as refusal:
                build.fault(refusal, statement)
                continue
            constant = parsed.constant
            if constant is None:
                draft.use_backends[index] = UseBackend(parsed, rule.condition, rule.span)
                continue
            text = constant
        target = build.backends.get(text)
        if target is None:
            build.error(
                "unknown-backend",
                statement.span(1),
                f"Proxy '{draft.name}': unable to find required use_backend: '{text}'.",
                build.nearest(text, build.backends),
            )
        elif target is draft:
            build.error("loop", statement.span(1), f"Proxy '{draft.name}': loop detected for use_backend: '{text}'.")
        else:
            _compatible(build, draft, target, statement, "in a 'use_backend' rule")


def _use_servers(build: Build, draft: Draft) -> None:
    for rule in draft.use_servers:
        if not isinstance(rule, UseServer) or not isinstance(rule.target, str):
            continue
        if rule.target not in draft.server_names or rule.target in draft.twin_names:
            build.error(
                "unknown-server",
                rule.span,
                f"{draft.title} '{draft.name}' : unable to find server '{rule.target}' referenced in a 'use-server'"
                " rule.",
                twins_hint(draft, rule.target) or build.nearest(rule.target, draft.server_names),
            )


def _binds(build: Build, draft: Draft) -> None:
    for statement, reading in draft.tls_binds:
        shown, where = statement.words[1], f"{statement.source.name}:{statement.line}"
        options = reading.tls
        if reading.unread:
            continue
        if not reading.certificates:
            named = bool(options.keys() & {"crt", "crt-list"})
            text = f"Proxy '{draft.name}': no SSL certificate specified for bind '{shown}' at [{where}]"
            if "strict-sni" in options and "generate-certificates" not in options:
                text = f"{text}, ssl connections will fail (use 'crt')."
                build.warning("missing-certificate", statement.span(), text, "add 'crt <file>'")
            elif named:
                build.environment(
                    "bad-certificate", statement.span(), f"{text} (use 'crt').", "what 'crt' names is empty"
                )
            else:
                build.error("missing-certificate", statement.span(), f"{text} (use 'crt').", "add 'crt <file>'")
        if "generate-certificates" in options and "ca-sign-file" not in options:
            build.error(
                "missing-authority",
                statement.span(),
                f"Proxy '{draft.name}': cannot enable certificate generation, no CA certificate File configured at"
                f" [{where}].",
                "add 'ca-sign-file <file>'",
            )
        elif "generate-certificates" in options and reading.signer_fault:
            build.environment(
                "bad-authority",
                statement.span(),
                f"Proxy '{draft.name}': Failed to read CA certificate file '{options['ca-sign-file'][0]}' at [{where}]."
                f" Chain loading failed: {reading.signer_fault}",
            )
    for statement, protocol, framed in draft.bind_protocols:
        usable = protocol == "none" if draft.mode == "tcp" else protocol in ("h1", "h2", "quic")
        if framed and protocol != "quic":
            where = f"'bind {statement.words[1]}' at [{statement.source.name}:{statement.line}]"
            build.error(
                "incompatible-protocol",
                statement.span(),
                f"{draft.title} '{draft.name}' : stream-based MUX protocol '{protocol}' is incompatible with framed"
                f" transport of {where}.",
            )
        elif not usable:
            where = f"{statement.source.name}:{statement.line}"
            build.error(
                "incompatible-protocol",
                statement.span(),
                f"{draft.title} '{draft.name}' : MUX protocol '{protocol}' is not usable for"
                f" 'bind {statement.words[1]}' at [{where}].",
            )


def _backend(build: Build, draft: Draft) -> None:
    balance = draft.balance
    if balance is not None and draft.mode == "tcp" and balance.algorithm in _HASHES:
        build.warning(
            "needs-http",
            draft.header.span(),
            f"Layer 7 hash not possible for {draft.title} '{draft.name}' (needs 'mode http'). Falling back to round"
            " robin.",
        )
        draft.balance = None


def _balance_hash(build: Build, draft: Draft) -> None:
    """The expression of `balance hash`, which HAProxy reads when it knows the whole proxy."""
    assert draft.balance is not None
    assert draft.balance_statement is not None
    text, statement = draft.balance.argument, draft.balance_statement
    prefix = f"{draft.title} '{draft.name}' failed to parse 'balance hash' expression '{text}' in : "
    try:
        parsed, _ = expression_words(build, draft, statement, statement.words, 2, Place.BACKEND_SERVER, prefix)
    except Refused as refusal:
        build.fault(refusal, statement)
        return
    draft.balance = Balance("hash", text, expression=parsed)


def _formats(build: Build, draft: Draft) -> None:
    """Parse the formats; a backend's log formats are not looked at, but for an `error-log-format` of its own."""
    if draft.side & FRONT:
        _log_formats(build, draft)
    if draft.error_log_format is not None:
        statement, header = draft.error_log_format[1], draft.header
        own = statement.source is header.source and statement.line > header.line
        if own or draft.side & FRONT:
            _format(build, draft, "error_log_format", "error-log-format", Place.LOG)
    if draft.unique_id_format is not None:
        place = Place.FRONTEND_HTTP_REQUEST if draft.side & FRONT else Place.BACKEND_HTTP_REQUEST
        _format(build, draft, "unique_id_format", "unique-id", place)


def _log_formats(build: Build, draft: Draft) -> None:
    if draft.log_format_kind in ("httplog", "httplog-clf", "httpslog") and draft.mode != "http":
        option = draft.log_format_kind.removesuffix("-clf")
        build.warning(
            "needs-http",
            (draft.log_format_statement or draft.header).span(),
            f"'option {option}' not usable with {draft.title} '{draft.name}' (needs 'mode http')."
            " Falling back to 'option tcplog'.",
        )
        draft.log_format_kind = "tcplog"
    given = draft.log_format_kind or draft.log_format_sd
    if given and not draft.log:
        build.warning(
            "no-log",
            draft.header.span(),
            f"log format ignored for {draft.title} '{draft.name}' since it has no log address.",
        )
    if draft.log_format is not None:
        _format(build, draft, "log_format", "log-format", Place.LOG)
    if draft.log_format_sd is not None:
        _format(build, draft, "log_format_sd", "log-format-sd", Place.LOG)


def _format(build: Build, draft: Draft, field: str, name: str, place: Place) -> None:
    text, statement = getattr(draft, field)
    prefix = f"failed to parse {name} : "
    key = (text, field)
    parsed = build.formats.get(key)
    try:
        if parsed is None:
            parsed = checked_format(build, draft, statement, text, 1, place, prefix, merge_spaces=True)
            build.formats[key] = parsed
        else:
            check_format(build, draft, statement, parsed, 1, place, prefix)
    except Refused as refusal:
        build.fault(refusal, statement)
        return
    draft.parsed_formats[field] = parsed


def _captures(build: Build, draft: Draft) -> None:
    """`capture … id N` must name a slot that `declare capture` or `capture` made."""
    side = draft.users_side if draft.kind == "defaults" else draft.side
    counts = {
        direction: sum(1 for capture in draft.captures if capture.direction == direction)
        for direction in ("request", "response")
    }
    for ruleset, rules in draft.rules.items():
        for rule in rules:
            slot = rule.arguments.get("slot") if rule.action == "capture" else None
            if not isinstance(slot, int) or "length" in rule.arguments:
                continue
            direction = "request" if ruleset in ("http-request", "tcp-request content") else "response"
            if side & FRONT and slot >= counts[direction]:
                shown = "http-request" if ruleset == "http-request" else "http-response"
                build.error(
                    "unknown-capture",
                    rule.span,
                    f"Proxy '{draft.name}': unable to find capture id '{slot}' referenced by {shown} capture rule.",
                    f"add 'declare capture {direction} len <bytes>'",
                )


def _statistics(build: Build, draft: Draft) -> None:
    """The statistics page asks for passwords in one way or in the other."""
    page = draft.stats
    if page is not None and page.rules and (page.accounts or page.realm is not None):
        statement = draft.stats_statement or draft.header
        build.error(
            "bad-argument",
            statement.span(),
            f"proxy '{draft.name}': stats 'auth'/'realm' and 'http-request' can't be used at the same time.",
        )


def _mail(build: Build, draft: Draft) -> None:
    alerts = draft.email_alert
    if not alerts:
        return
    if not {"mailers", "from", "to"} <= alerts.keys():
        build.warning(
            "incomplete-mail",
            draft.header.span(),
            f"'email-alert' will be ignored for {draft.title} '{draft.name}' (the presence any of 'email-alert from',"
            " 'email-alert level' 'email-alert mailers', 'email-alert myhostname', or 'email-alert to' requires each of"
            " 'email-alert from', 'email-alert mailers' and 'email-alert to' to be present).",
        )
        return
    name, statement = alerts["mailers"]
    if ("mailers", name) not in build.sections:
        build.error("unknown-section", statement.span(2), f"Proxy '{draft.name}': unable to find mailers '{name}'.")


def _applications(build: Build, draft: Draft) -> None:
    """FastCGI: an application needs servers that speak it, and the other way round; in disabled proxies, too."""
    servers = [server for server in draft.servers if server.options.get("proto") == ("fcgi",)]
    if draft.fcgi_app is not None:
        name, statement = draft.fcgi_app
        if not draft.disabled and ("fcgi-app", name) not in build.sections:
            build.error("unknown-section", statement.span(1), f"proxy '{draft.name}' : fcgi-app '{name}' not found.")
        if draft.mode != "http":
            build.error(
                "needs-http",
                statement.span(),
                f"proxy '{draft.name}': FCGI application cannot be used in non-HTTP mode.",
            )
        elif not servers:
            build.error(
                "missing-server",
                statement.span(),
                f"proxy '{draft.name}': FCGI app configured but no FCGI server found.",
            )
        return
    for server in servers:
        build.error(
            "missing-application",
            server.span,
            f"proxy '{draft.name}': FCGI server '{server.name}' has no FCGI app configured.",
        )


def _other_ways(build: Build, draft: Draft) -> None:
    """Beside `balance` there is no going to where clients went, and `dispatch` has no effect."""
    if not draft.side & BACK or draft.balance is None:
        return
    if "transparent" in draft.options:
        build.error(
            "bad-combination",
            draft.header.span(),
            f"{draft.title} '{draft.name}' cannot use both transparent and balance mode.",
            "remove 'option transparent', or 'balance'",
        )
    elif draft.dispatch is not None:
        build.warning(
            "ignored-part",
            draft.header.span(),
            f"dispatch address of {draft.title} '{draft.name}' will be ignored in balance mode.",
            "remove 'dispatch', or 'balance'",
        )


def _timeouts(build: Build, draft: Draft) -> None:
    timeouts = draft.timeouts
    missing = (draft.side & FRONT and not timeouts.get("client")) or (
        draft.side & BACK
        and (draft.servers or draft.dispatch is not None)
        and not (timeouts.get("connect") and timeouts.get("server"))
    )
    if missing:
        build.warning(
            "missing-timeouts",
            draft.header.span(),
            f"missing timeouts for {draft.title} '{draft.name}'.\n"
            "   | While not properly invalid, you will certainly encounter various problems\n"
            "   | with such a configuration. To fix this, please ensure that all following\n"
            "   | timeouts are set to a non-zero value: 'client', 'connect', 'server'.",
        )


def _captured_cookie(build: Build, draft: Draft) -> None:
    """No more of a captured cookie is kept than `tune.http.cookielen` allows."""
    for index, capture in enumerate(draft.captures):
        if capture.direction != "cookie":
            continue
        limit = leading_integer(str(build.tune.get("http.cookielen", _COOKIE_LENGTH)))
        if limit < 0:
            limit = _COOKIE_LENGTH
        if capture.length > limit:
            build.warning(
                "shortened-capture",
                draft.header.span(),
                f"truncating capture length to {limit} bytes for {draft.title} '{draft.name}'.",
                "raise 'tune.http.cookielen', or ask for less",
            )
            draft.captures[index] = replace(capture, length=limit)


def _has_listener(build: Build) -> bool:
    mastered = build.master_worker or build.global_.get("master_worker")
    if build.stats_sockets or (mastered and (build.target is None or build.target < _MASTER_NEEDS_LISTENER)):
        return True
    if any(draft.listens for draft in build.sections.values()):
        return True
    return any(draft.listens and not draft.disabled for draft in build.proxies)

"""defaults, frontend, backend and listen sections: the header, then line by line through the handlers."""

from __future__ import annotations

import functools
from typing import Final

from hapy_config.build import (
    addressing,
    balancing,
    basics,
    checks,
    conditional,
    cookies,
    errors,
    filters,
    formats,
    logs,
    options,
    rules,
    stats,
    stick,
)
from hapy_config.build.arguments import BAD_NAME
from hapy_config.build.binds import bind
from hapy_config.build.comments import pool_settings
from hapy_config.build.context import Build
from hapy_config.build.draft import BACK, FRONT, SIDES, Draft
from hapy_config.build.generic import check_arguments
from hapy_config.build.inherit import inherit
from hapy_config.build.refused import Refused
from hapy_config.build.registry import Handler
from hapy_config.build.servers import HANDLERS as SERVER_HANDLERS
from hapy_config.build.unknown import unknown_statement
from hapy_config.diagnostics import Diagnostic, Severity
from hapy_config.keywords import table
from hapy_config.keywords.sections import CONTEXTS
from hapy_config.keywords.spec import TARGET, Keyword, Version
from hapy_config.syntax import Section, Statement

HANDLERS: Final[dict[str, Handler]] = {
    "bind": bind,
    "option": options.option,
    **addressing.HANDLERS,
    **balancing.HANDLERS,
    **basics.HANDLERS,
    **checks.HANDLERS,
    **conditional.HANDLERS,
    **cookies.HANDLERS,
    **errors.HANDLERS,
    **filters.HANDLERS,
    **formats.HANDLERS,
    **logs.HANDLERS,
    **rules.HANDLERS,
    **stats.HANDLERS,
    **stick.HANDLERS,
    **SERVER_HANDLERS,
}

_NEGATED: Final[dict[tuple[str, str], Handler]] = {
    ("no", "option"): options.no_option,
    ("default", "option"): options.default_option,
    ("no", "log"): logs.no_log,
}
_NEGATION: Final = (
    "negation/default currently supported only for options, log, busy-polling, set-dumpable, strict-limits,"
    " insecure-fork-wanted and numa-cpu-mapping."
)
_NOTES: Final = {
    "maxconn": " Maybe you want 'fullconn' instead ?",
    "fullconn": " Maybe you want 'maxconn' instead ?",
}
#: Statements of which HAProxy says in words of its own that they stand in the wrong kind of proxy.
_ON_ITS_OWN: Final = frozenset(
    {
        "bind-process",
        "clitcpka-cnt",
        "clitcpka-idle",
        "clitcpka-intvl",
        "declare",
        "error-log-format",
        "log-format",
        "log-format-sd",
        "max-keep-alive-queue",
        "option",
        "rate-limit",
        "srvtcpka-cnt",
        "srvtcpka-idle",
        "srvtcpka-intvl",
        "timeout",
    }
)

#: The first version whose sections may name the defaults they take, and the first whose backends refuse more words.
_NAMED_DEFAULTS: Final[Version] = (2, 4)
_NO_SURPLUS: Final[Version] = (3, 2)
#: The first version that ends for addresses in headers, and does not just complain of them.
_OLD_ADDRESSES_REFUSED: Final[Version] = (2, 8)


def read_proxy(build: Build, section: Section) -> None:
    """Read one proxy section, header and lines."""
    draft = _open(build, section)
    if draft is None:
        return
    handlers = _handlers_of("named defaults" if draft.kind == "defaults" and draft.name else draft.kind)
    watched = build.watched
    for statement in section.statements:
        words = statement.words
        if "" in words:  # an empty word ends a line
            words = words[: words.index("")] or words[:1]
        first = words[0]
        handler = handlers.get(first)
        build.statement = statement
        try:
            if handler is not None:
                handler(build, draft, statement, words)
            elif first in ("no", "default"):
                _negated(build, draft, statement, words, handlers)
            else:
                _other(build, draft, statement)
        except Refused as refusal:
            build.fault(refusal)
        if first in watched:
            build.watch(statement, words, draft.kind)


def _orphans(build: Build, section: Section) -> None:
    """The lines of a section whose header HAProxy throws away; what is wrong in them is told beside."""
    for statement in section.statements:
        build.error(
            "orphan",
            statement.span(0),
            "'listen' or 'defaults' expected.",
            f"the section's header on line {section.header.line} is not understood: mend it first",
        )


def _negated(build: Build, draft: Draft, statement: Statement, line: list[str], handlers: dict[str, Handler]) -> None:
    """`no …` and `default …`; where they have no meaning HAProxy says so and reads the rest of the line."""
    first, *words = line
    handler = _NEGATED.get((first, words[0] if words else ""))
    if handler is None:
        hint = "remove the first word" if words else build.nearest(first, CONTEXTS)
        build.error("bad-negation", statement.span(0), _NEGATION, hint)
        handler = handlers.get(words[0]) if words else None
    if handler is None:
        return
    build.shift = 1
    with build.noting():
        handler(build, draft, statement, words)
    build.shift = 0


def _other(build: Build, draft: Draft, statement: Statement) -> None:
    """A statement without a handler of its own: the tables check it, or say why it can't stand here."""
    context = CONTEXTS[draft.kind]
    found = table("proxies").find(statement.words)
    if found is None or not found[0].known_in(TARGET) or not (found[0].where | found[0].ignored) & context:
        raise unknown_statement(build, "proxies", draft.kind, statement)
    keyword, count = found
    if keyword.named_defaults and draft.kind == "defaults" and not draft.name:
        raise Refused(f"'{keyword.name}' not allowed in anonymous 'defaults' section.", 0, code="wrong-section")
    check_arguments(build, keyword, statement, count)
    draft.settings.append(tuple(statement.words))


@functools.cache
def _handlers_of(kind: str) -> dict[str, Handler]:
    """The handlers for one kind of section, wrapped where the keyword has no place or no effect in it."""
    named = kind == "named defaults"
    kind = "defaults" if named else kind
    context = CONTEXTS[kind]
    proxies = table("proxies")
    found: dict[str, Handler] = {}
    for name, handler in HANDLERS.items():
        keyword = proxies.get(name) or _common(name)
        if keyword is None or name in _ON_ITS_OWN or keyword.removed is not None:
            found[name] = handler
        elif keyword.where & context:
            anonymous = keyword.named_defaults and kind == "defaults" and not named
            found[name] = _refusing(name, "anonymous 'defaults'") if anonymous else handler
        elif keyword.ignored & context:
            found[name] = _ignoring(name, handler, "frontend" if kind == "backend" else "backend")
        elif kind == "defaults":
            found[name] = _refusing(name, "'defaults'")
        else:
            found[name] = _wrong_side(name, "backend" if kind == "frontend" else "frontend")
    return found


def _common(name: str) -> Keyword | None:
    """An entry that stands for all that begin with the word, where they agree on the sections."""
    entries = [entry for entry in table("proxies") if entry.name.startswith(f"{name} ") and entry.known_in(TARGET)]
    if not entries or any((entry.where, entry.ignored) != (entries[0].where, entries[0].ignored) for entry in entries):
        return None
    return entries[0]


def _ignoring(name: str, handler: Handler, capability: str) -> Handler:
    """HAProxy warns, and goes on reading the line."""

    def handle(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
        build.warning(
            "ignored-here",
            statement.span(),
            f"'{name}' ignored because {draft.title} '{draft.name}' has no {capability} capability."
            f"{_NOTES.get(name, '')}",
        )
        if name != "stick":
            handler(build, draft, statement, words)

    return handle


def _refusing(name: str, section: str) -> Handler:
    def handle(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
        hint = "give the defaults section a name" if section.startswith("anonymous") else ""
        raise Refused(f"'{name}' not allowed in {section} section.", 0, code="wrong-section", hint=hint)

    return handle


def _wrong_side(name: str, capability: str) -> Handler:
    def handle(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
        raise Refused(
            f"'{name}' not allowed because {draft.title} '{draft.name}' has no {capability} capability.",
            0,
            code="wrong-section",
            hint=f"move it to a {capability} or listen section",
        )

    return handle


def _open(build: Build, section: Section) -> Draft | None:
    """The section's draft, with its name checked and its defaults applied; None where HAProxy opens no section."""
    header, words = section.header, section.header.words
    kind = words[0]
    origin: int | None = None
    if kind == "defaults":
        name, origin = _defaults_names(build, header)
        _check_surplus(build, header, origin)
    else:
        name = "".join(words[1:2])
        if len(words) > 3 and words[2] == "from" and words[3]:
            origin = 3
        _check_surplus(build, header, origin)
        if not _check_header(build, header, kind, name, origin):
            if not section.statements:
                return None
            _orphans(build, section)
    draft = Draft(kind, name, header)
    if kind != "defaults":
        _register(build, draft)
    parent = _parent(build, draft, origin)
    if parent is not None:
        if kind != "defaults" and parent.has_rules:
            _check_rules(build, draft, parent)
        inherit(draft, parent)
    if draft.side & BACK and build.comments:
        pool = pool_settings(build, header)
        if pool is not None:
            draft.server_values["pool"] = pool
    if kind == "defaults":
        build.last_defaults = draft
        if name:
            build.defaults.setdefault(name, []).append(draft)
    return draft


def _defaults_names(build: Build, header: Statement) -> tuple[str, int | None]:
    """The name that a `defaults` line gives, and the place of the name that it follows; `from` may be a name itself."""
    words = header.words
    if len(words) > 3 and words[2] == "from" and words[3]:
        return words[1], 3
    if len(words) > 2 and words[1] == "from" and words[2]:
        return "", 2
    name = "".join(words[1:2])
    if words[2:3] == ["from"]:
        message = f"defaults section '' not found for defaults '{name}'."
        build.error("unknown-defaults", header.span(2), message, "say which one it follows, or remove 'from'")
    return name, None


def _check_surplus(build: Build, header: Statement, origin: int | None) -> None:
    """Words behind a name that some versions refuse and others do not look at."""
    words = header.words
    refused = build.version < _NAMED_DEFAULTS or (words[0] == "backend" and build.version >= _NO_SURPLUS)
    if refused and words[0] in ("defaults", "backend") and origin is None and len(words) > 2:
        build.error("bad-argument", header.span(2), f"'{words[0]}' cannot handle unexpected argument '{words[2]}'.")


def _check_header(build: Build, header: Statement, kind: str, name: str, origin: int | None) -> bool:
    """Check a header; tell whether HAProxy opens the section."""
    words = header.words
    if not name:
        build.error("missing-argument", header.span(1), f"'{kind}' expects an <id> argument")
        return True
    bad = BAD_NAME.search(name)
    if bad is not None:
        build.error(
            "bad-name",
            header.span(1),
            f"character '{bad[0]}' is not permitted in '{kind}' name '{name}'.",
            "names are made of letters, digits, '-', '_', '.' and ':'",
        )
    surplus = origin is not None and len(words) > 4
    if surplus:
        build.error("bad-argument", header.span(4), f"'{kind}' cannot handle unexpected argument '{words[4]}'.")
    if not surplus and (origin is not None or len(words) < 3):
        return True
    if SIDES[kind] & FRONT:
        refused = build.version < _NAMED_DEFAULTS or build.version >= _OLD_ADDRESSES_REFUSED
        tell = build.error if refused else build.alert
        tell(
            "old-listen-address",
            header.span(2),
            "please use the 'bind' keyword for listening addresses.",
            f"move it to a line of its own: bind {words[2]}",
        )
    else:
        found = Diagnostic(
            "surplus-argument",
            Severity.DIAG,
            header.span(2),
            f"HAProxy opens no section for a '{kind}' line with more than a name",
            "remove it",
        )
        build.out.found.append(found)
    return False


def _register(build: Build, draft: Draft) -> None:
    """Take the proxy into the lists, unless its name is taken on one of its sides."""
    name, header = draft.name, draft.header
    other = build.frontends.get(name) if draft.is_frontend else build.backends.get(name)
    if other is None and draft.is_backend and name in build.backends:
        build.note_twin(header, draft.title, name)
    if other is not None and name:
        where = f"{other.header.source.name}:{other.header.line}"
        build.error(
            "duplicate-name",
            header.span(1),
            f"{draft.title} '{name}' has the same name as {other.title} '{other.name}' declared at {where}.",
            "give it another name",
        )
    build.proxies.append(draft)
    if draft.is_frontend:
        build.frontends.setdefault(name, draft)
    if draft.is_backend:
        build.backends.setdefault(name, draft)


def _parent(build: Build, draft: Draft, origin: int | None) -> Draft | None:
    """The defaults section that applies; says what is wrong with the way it was named."""
    header = draft.header
    if origin is None:
        parent = None if draft.kind == "defaults" else build.last_defaults
        if parent is not None:
            if parent.used_explicitly and not parent.used_implicitly:
                _mixed(build, parent, header)
            parent.used_implicitly = True
        return parent
    name = header.words[origin]
    candidates = build.defaults.get(name, [])
    title = "defaults" if draft.kind == "defaults" else draft.title
    if not candidates:
        build.error(
            "unknown-defaults",
            header.span(origin),
            f"defaults section '{name}' not found for {title} '{draft.name}'.",
            build.nearest(name, build.defaults),
        )
        return build.last_defaults if draft.kind != "defaults" else None
    if len(candidates) > 1:
        first, second = (f"{c.header.source.name}:{c.header.line}" for c in candidates[:2])
        build.error(
            "ambiguous-defaults",
            header.span(origin),
            f"ambiguous defaults section name '{name}' referenced by {title} '{draft.name}'"
            f" exists at least at {first} and {second}.",
        )
    parent = candidates[-1]
    if draft.kind == "defaults":
        if parent.has_rules:
            build.error(
                "defaults-with-rules",
                header.span(origin),
                "a defaults section cannot inherit from a defaults section defining TCP/HTTP rules"
                f" (defaults section at {parent.header.source.name}:{parent.header.line}).",
            )
        return parent
    if parent.used_implicitly and not parent.used_explicitly:
        _mixed(build, parent, header)
    parent.used_explicitly = True
    return parent


def _check_rules(build: Build, draft: Draft, parent: Draft) -> None:
    """Rules of a defaults section serve frontends or backends, never both, and no listen."""
    where = f"{parent.header.source.name}:{parent.header.line}"
    fault = ""
    rules = parent.rules
    if draft.kind == "listen":
        fault = "a listen section cannot inherit from a defaults section defining TCP/HTTP rules."
    elif parent.users_side | draft.side == FRONT | BACK:
        fault = (
            "frontends and backends cannot inherit from the same defaults section if it defines TCP/HTTP rules"
            f" (defaults section at {where})."
        )
    elif draft.kind == "backend" and ("tcp-request connection" in rules or "tcp-request session" in rules):
        fault = (
            "a backend section cannot inherit from a defaults section defining 'tcp-request connection' or 'tcp-request"
            f" session' rules (defaults section at {where})."
        )
    elif draft.kind == "frontend" and "tcp-response content" in rules:
        fault = (
            "a frontend section cannot inherit from a defaults section defining 'tcp-response content' rules"
            f" (defaults section at {where})."
        )
    elif draft.kind != "frontend" and parent.captures:
        fault = (
            "backend or defaults sections cannot inherit from a defaults section defining captures (defaults section at"
            f" {where})."
        )
    if fault:
        build.error("defaults-with-rules", draft.header.span(), fault)
    parent.users_side |= draft.side


def _mixed(build: Build, parent: Draft, header: Statement) -> None:
    """An alert that HAProxy prints and goes on after."""
    name = parent.name
    where = f"{parent.header.source.name}:{parent.header.line}"
    build.alert(
        "mixed-defaults",
        header.span(),
        f"defaults section '{name}' (declared at {where}) is explicitly referenced by another proxy and implicitly"
        " used here. To avoid any ambiguity don't mix both usage. Add a last defaults section not explicitly used or"
        " always use explicit references.",
        f"write 'from {name}' here as well",
    )

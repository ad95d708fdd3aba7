"""The sections beside global and the proxies (configuration manual, sections 5.3.2, 6.2.1 and 10 to 12).

Most of their lines are checked by the tables; what needs more has a handler here. They are kept as statements for the
issues that run them; userlists and http-errors become model objects at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hapy_config.build import caches, crtstore, fcgi, peers, programs, resolvconf, rings, userlists
from hapy_config.build.addressing import address
from hapy_config.build.arguments import BAD_NAME
from hapy_config.build.context import Build
from hapy_config.build.errors import error_file
from hapy_config.build.generic import check_arguments
from hapy_config.build.logs import read_target
from hapy_config.build.refused import Refused
from hapy_config.build.sectiondraft import Handler, SectionDraft
from hapy_config.build.stick import read_table
from hapy_config.build.unknown import unknown_statement
from hapy_config.grammar.addresses import AddressUse
from hapy_config.grammar.units import leading_integer
from hapy_config.keywords import table
from hapy_config.keywords.sections import TABLE as SECTIONS
from hapy_config.keywords.spec import NEWEST, TARGET, Runs, Version
from hapy_config.syntax import Section, Statement

#: The first version that wants each peer to have a name of its own.
_DISTINCT_PEERS: Final[Version] = (2, 8)
_NAME_SERVER: Final = AddressUse(port_required=True, datagram=True)
_MAILER: Final = AddressUse(port_required=True, unix=False)

#: Sections of which HAProxy only says that the second of a name is ignored, by a warning.
_DUPLICATES: Final = {
    "resolvers": "resolvers '{name}' has same name as another resolvers (declared at {where}).",
    "peers": "peers section '{name}' has the same name as another peers section declared at {where}.",
    "mailers": "mailers section '{name}' has the same name as another mailers section declared at {where}.",
    "cache": "Duplicate cache name '{name}'.",
    "http-errors": "http-errors section '{name}' already exists (declared at {where}).",
    "ring": "sink named '{name}' already exists.",
    "program": "'{name}' program section already exists in the configuration.",
    "fcgi-app": "fcgi-app section '{name}' has the same name as another one declared at {where}.",
    "log-forward": "log-forward section '{name}' has the same name as another log-forward section declared at {where}.",
}
#: What HAProxy says of a header without a name, where it is not "missing name for … section".
_NAMELESS: Final = {
    "cache": "'cache' expects a <name> argument",
    "fcgi-app": "'fcgi-app' expects <name> as argument.",
    "log-forward": "missing name for ip-forward section.",
    "program": "'program' expects an <id> argument",
    "ring": "missing ring name.",
    "userlist": "'userlist' expects <name> as arguments.",
}
_FREE_NAMES: Final = frozenset({"cache", "crt-store", "program"})
_ONE_WORD: Final = frozenset({"userlist", "peers", "log-forward", "program", "fcgi-app", "cache"})


def read_section(build: Build, section: Section) -> SectionDraft | None:
    """Read one section that is neither global nor a proxy."""
    header, words = section.header, section.header.words
    kind = words[0]
    entry = SECTIONS.get(kind)
    target = build.target or NEWEST
    later = entry is not None and entry.runs is Runs.YES and entry.known_in(target)  # hapy runs a few of later versions
    if entry is None or not (later or entry.known_in(TARGET)):
        _unknown_section(build, section)
        return None
    name = words[1] if len(words) > 1 else ""
    draft = SectionDraft(kind, name, header)
    _check_header(build, draft)
    last = next((one for (of, _), one in reversed(build.sections.items()) if of == "userlist"), draft)
    if kind == "userlist" and last is not draft and build.sections.get((kind, name)) is not draft:
        draft = last  # to which HAProxy adds the lines of one that it ignores
    if build.watched_sections.get(kind):
        build.watch_section(header, kind)
    for statement in section.statements:
        line = statement.words
        if "" in line:
            line = line[: line.index("")] or line[:1]
        build.statement = statement
        with build.noting():
            _statement(build, draft, statement, line)
    if draft.header is header and kind in _FINISHERS and (name or kind == "crt-store"):
        _FINISHERS[kind](build, draft)
    return draft


def _unknown_section(build: Build, section: Section) -> None:
    """A section of a later HAProxy: 2.6 takes its header for a statement out of place, and its lines too."""
    kind = section.kind
    previous = build.current_section
    where = f"in '{previous}' section" if previous else "out of section"
    entry = SECTIONS.get(kind)
    hint = f"HAProxy knows this section since version {entry.since[0]}.{entry.since[1]}" if entry is not None else ""
    build.error("newer-section", section.header.span(0), f"unknown keyword '{kind}' {where}", hint)


def _check_header(build: Build, draft: SectionDraft) -> None:
    kind, name, header = draft.kind, draft.name, draft.header
    if kind == "crt-store" and len(header.words) > 2:
        build.error("bad-argument", header.span(2), "'crt-store' section only supports a <name> argument.")
    if not name and kind == "crt-store":
        return
    if not name:
        build.error("missing-argument", header.span(1), _NAMELESS.get(kind, f"missing name for {kind} section."))
        return
    if kind not in _FREE_NAMES:
        bad = BAD_NAME.search(name)
        if bad is not None:
            build.error("bad-name", header.span(1), f"character '{bad[0]}' is not permitted in '{kind}' name '{name}'.")
    if kind in _ONE_WORD and len(header.words) > 2:
        build.error("bad-argument", header.span(2), f"'{kind}' cannot handle unexpected argument '{header.words[2]}'.")
    other = build.sections.get((kind, name))
    if other is None:
        build.sections[kind, name] = draft
        return
    if kind == "userlist":
        build.warning("duplicate-name", header.span(1), f"ignoring duplicated userlist '{name}'.")
    elif kind in _DUPLICATES:
        where = f"{other.header.source.name}:{other.header.line}"
        build.error("duplicate-name", header.span(1), _DUPLICATES[kind].format(name=name, where=where))


def _statement(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    if words[0] == "no" and draft.kind in ("program", "fcgi-app") and len(words) > 1 and words[1] == "option":
        if words[2:3] == ["max-reqs"]:
            raise Refused("negation/default is not supported for option 'max-reqs'.", 2, code="bad-negation")
        draft.numbers.pop(words[2] if len(words) > 2 else "", None)
        words = words[1:]
    elif words[0] == "no" and words[1:2] == ["log"] and draft.kind in ("peers", "log-forward"):
        if len(words) > 2:
            raise Refused("log : 'no log' does not expect arguments", 2)
        draft.statements[:] = [line for line in draft.statements if line[0] != "log"]
        return
    elif draft.kind == "fcgi-app" and words[0] == "option" and words[1:] in (["mpxs-conns"], ["get-values"]):
        draft.numbers[words[1]] = 1
    handler = _HANDLERS.get((draft.kind, words[0]))
    if handler is not None:
        handler(build, draft, statement, words)
    else:
        found = table(draft.kind).find(words)
        if found is None or not found[0].known_in(TARGET):
            refusal = unknown_statement(build, draft.kind, draft.kind, statement)
            if draft.kind == "ring":
                refusal.message = f"unknown statement '{words[0]}'."
            raise refusal
        check_arguments(build, found[0], statement, found[1], words)
    draft.statements.append(tuple(words))


def _name_server(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    if len(words) < 3:
        raise Refused(
            "'nameserver' expects <name> and <addr>[:<port>] as arguments.", len(words), code="missing-argument"
        )
    _check_entry_name(build, draft, words, "server", "nameserver")
    address(build, words[2], 2, _NAME_SERVER, f"'nameserver {words[1]}' : ")
    draft.names[words[1]] = statement


def _check_entry_name(build: Build, draft: SectionDraft, words: list[str], title: str, what: str) -> None:
    bad = BAD_NAME.search(words[1])
    if bad is not None:
        message = f"character '{bad[0]}' is not permitted in {title} name '{words[1]}'."
        build.fault(Refused(message, 1, code="bad-name"))
    other = draft.names.get(words[1])
    if other is not None and what == "nameserver":
        where = f"{other.source.name}:{other.line}"
        message = f"{what} '{words[1]}' has same name as another {what} (declared at {where})."
        build.fault(Refused(message, 1, code="duplicate-name"))


def _payload_size(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    if len(words) < 2:
        raise Refused("'accepted_payload_size' expects <nb> as argument.", 1, code="missing-argument")
    number = leading_integer(words[1])
    if not 12 <= number <= 65535:
        raise Refused(f"'accepted_payload_size' must be between 12 and 65535 inclusive (was {number}).", 1)


def _mailer(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    if len(words) < 3:
        raise Refused("'mailer' expects <name> and <addr>[:<port>] as arguments.", len(words), code="missing-argument")
    _check_entry_name(build, draft, words, "server", "mailer")
    address(build, words[2], 2, _MAILER, f"'mailer {words[1]}' : ")
    draft.names[words[1]] = statement


def _errorfile(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    if len(words) < 3:
        raise Refused("errorfile: expects <status_code> and <file> as arguments.", 1, code="missing-argument")
    page = error_file(build, build.nameless, statement, words)
    draft.pages[page.status] = page.raw or b""


def _log_line(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    if len(words) > 1 and words[1] == "global" and len(words) == 2:
        return
    read_target(build, statement, words, words[0])


def _log_forward_timeout(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    name = words[1] if len(words) > 1 else ""
    if name != "client":
        raise Refused(f"unknown keyword 'timeout {name}' in log-forward section.", 1)
    if len(words) < 3:
        raise Refused("missing timeout client value in log-forward section.", 2, code="missing-argument")
    build.time(statement, words, 2, "'timeout client'")


def _peers_table(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    words = statement.words  # an empty name does not end the line
    name = words[1] if len(words) > 1 else ""
    for place in range(2, len(words)):
        if words[place] == "peers" and words[place - 1] not in ("type", "size", "expire", "srvkey", "store"):
            raise Refused("table: unknown argument 'peers'.", place, hint="the table belongs to this section's peers")
    found = read_table(build, statement, words, 2, f"{draft.name}/{name}")
    found.peers = draft.name
    found.owner = "peers"
    build.tables.setdefault(found.name, found)


_HANDLERS: Final[dict[tuple[str, str], Handler]] = {
    ("crt-store", "crt-base"): crtstore.base,
    ("crt-store", "key-base"): crtstore.base,
    ("crt-store", "load"): crtstore.load,
    ("resolvers", "nameserver"): _name_server,
    ("resolvers", "accepted_payload_size"): _payload_size,
    ("resolvers", "parse-resolv-conf"): resolvconf.add,
    ("userlist", "user"): userlists.user,
    ("userlist", "group"): userlists.group,
    ("peers", "peer"): peers.peer,
    ("peers", "server"): peers.peer,
    ("peers", "bind"): peers.bind,
    ("peers", "default-bind"): peers.bind,
    ("peers", "default-server"): peers.default_server,
    ("peers", "table"): _peers_table,
    ("peers", "log"): _log_line,
    ("mailers", "mailer"): _mailer,
    ("cache", "total-max-size"): caches.number(1, 4095),
    ("cache", "max-object-size"): caches.number(0),
    ("cache", "max-secondary-entries"): caches.number(1),
    ("cache", "max-age"): caches.word,
    ("cache", "process-vary"): caches.word,
    ("http-errors", "errorfile"): _errorfile,
    ("ring", "backing-file"): rings.backing_file,
    ("ring", "size"): rings.size,
    ("ring", "maxlen"): rings.size,
    ("ring", "server"): peers.ring_server,
    ("log-forward", "bind"): peers.forward_bind,
    ("log-forward", "dgram-bind"): peers.forward_bind,
    ("log-forward", "log"): _log_line,
    ("log-forward", "timeout"): _log_forward_timeout,
    ("program", "command"): programs.command,
    ("program", "group"): programs.identity,
    ("program", "option"): programs.option,
    ("program", "user"): programs.identity,
    ("fcgi-app", "docroot"): fcgi.docroot,
    ("fcgi-app", "option"): fcgi.option,
    ("fcgi-app", "path-info"): fcgi.path_info,
    ("fcgi-app", "log-stderr"): _log_line,
    ("fcgi-app", "pass-header"): fcgi.pass_header,
    ("fcgi-app", "set-param"): fcgi.set_param,
    ("fcgi-app", "acl"): fcgi.add_acl,
}


def _finish_mailers(build: Build, draft: SectionDraft) -> None:
    build.later.append(lambda: _unused_mailers(build, draft))


def _unused_mailers(build: Build, draft: SectionDraft) -> None:
    """A mailers section that no proxy uses is taken out."""
    complete = (proxy.email_alert for proxy in build.proxies if {"mailers", "from", "to"} <= proxy.email_alert.keys())
    if not any(alert["mailers"][0] == draft.name for alert in complete):
        build.warning("empty-section", draft.header.span(), f"Removing incomplete section 'mailers {draft.name}'.")


def _finish_forward(build: Build, draft: SectionDraft) -> None:
    if not draft.listens:
        message = f"frontend '{draft.name}' has no 'bind' directive."
        build.warning("no-bind", draft.header.span(), f"{message} Please declare it as a backend if this was intended.")


def _finish_resolvers(build: Build, draft: SectionDraft) -> None:
    if not (draft.names or draft.system_names):
        message = f"resolvers '{draft.name}' has no nameservers configured!"
        build.warning("empty-section", draft.header.span(), message)


def _finish_peers(build: Build, draft: SectionDraft) -> None:
    build.later.append(lambda: _incomplete_peers(build, draft))


def _incomplete_peers(build: Build, draft: SectionDraft) -> None:
    """A peers section in which this process is not named is taken out; in others names must differ, since 2.8."""
    for name, statement in draft.doubles if draft.listens and build.version >= _DISTINCT_PEERS else ():
        last = draft.names[name]
        build.error(
            "duplicate-name",
            statement.span(1),
            f"Peer section '{draft.name}' [{statement.source.name}:{statement.line}]: another peer named '{name}' was"
            f" already defined at line {last.source.name}:{last.line}, please use distinct names.",
            "remove one of the lines",
        )
    if not draft.listens and "disabled" not in {words[0] for words in draft.statements}:
        build.warning(
            "incomplete-peers",
            draft.header.span(),
            f"Removing incomplete section 'peers {draft.name}' (no peer named '{build.local_peer}').",
        )


#: What a whole section must have.
_FINISHERS: Final[dict[str, Callable[[Build, SectionDraft], None]]] = {
    "cache": caches.finish,
    "fcgi-app": fcgi.finish,
    "log-forward": _finish_forward,
    "mailers": _finish_mailers,
    "peers": _finish_peers,
    "program": programs.finish,
    "resolvers": _finish_resolvers,
    "ring": rings.finish,
    "userlist": userlists.finish,
}

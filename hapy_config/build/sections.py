"""The sections beside global and the proxies (configuration manual, sections 5.3.2, 6.2.1 and 10 to 12).

Most of their lines are checked by the tables; what needs more has a handler here. They are kept as statements for the
issues that run them; userlists and http-errors become model objects at once.
"""

from __future__ import annotations

import grp
import pwd
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hapy_config.build import crtstore, peers, resolvconf
from hapy_config.build.addressing import address
from hapy_config.build.conditional import acl, rest_condition
from hapy_config.build.context import Build
from hapy_config.build.cursor import Words
from hapy_config.build.draft import Draft
from hapy_config.build.errors import error_file
from hapy_config.build.expressions import check_regex
from hapy_config.build.generic import check_arguments
from hapy_config.build.logs import read_target
from hapy_config.build.refused import Refused
from hapy_config.build.sectiondraft import SectionDraft
from hapy_config.build.stick import read_table
from hapy_config.build.unknown import unknown_statement
from hapy_config.grammar.addresses import AddressUse
from hapy_config.grammar.units import is_number, leading_integer, leading_long
from hapy_config.keywords import table
from hapy_config.keywords.samples import Place
from hapy_config.keywords.sections import TABLE as SECTIONS
from hapy_config.keywords.spec import TARGET, Runs, Version
from hapy_config.model.config import User
from hapy_config.syntax import Section, Statement

Handler = Callable[[Build, SectionDraft, Statement, list[str]], None]

_BAD_NAME: Final = re.compile(r"[^A-Za-z0-9_.:-]")
_SIGNED: Final = re.compile(r"[+-]?[0-9]+")
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
_FREE_NAMES: Final = frozenset({"cache", "program"})
_ONE_WORD: Final = frozenset({"userlist", "peers", "log-forward", "program", "fcgi-app", "cache"})


def read_section(build: Build, section: Section) -> SectionDraft | None:
    """Read one section that is neither global nor a proxy."""
    header, words = section.header, section.header.words
    kind = words[0]
    entry = SECTIONS.get(kind)
    later = entry is not None and entry.runs is Runs.YES and build.target is None  # hapy runs a few of later versions
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
    if draft.header is header:
        _finish(build, draft)
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
    if not name and kind == "crt-store":
        return
    if not name:
        build.error("missing-argument", header.span(1), f"'{kind}' expects <name> as arguments.")
        return
    if kind not in _FREE_NAMES:
        bad = _BAD_NAME.search(name)
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
    bad = _BAD_NAME.search(words[1])
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


def _user(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    if len(words) < 2:
        raise Refused("'user' expects <name> as arguments.", 1, code="missing-argument")
    name = words[1]
    password, encrypted, groups = "", False, ""
    index = 2
    while index < len(words):
        word = words[index]
        value = words[index + 1] if index + 1 < len(words) else ""
        if word in ("password", "insecure-password"):
            password, encrypted = value, word == "password"
        elif word == "groups":
            groups = value
        else:
            message = "'user' only supports 'password', 'insecure-password' and 'groups' options."
            build.fault(Refused(message, index))
        index += 2
    if name in draft.users:
        build.warning(
            "duplicate-name", statement.span(1), f"ignoring duplicated user '{name}' in userlist '{draft.name}'."
        )
        return
    members = frozenset(group for group in groups.split(",") if group)
    draft.users[name] = User(name, password, encrypted, members)
    draft.names[f"user {name}"] = statement


def _group(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    if len(words) < 2:
        raise Refused("'group' expects <name> as arguments.", 1, code="missing-argument")
    name = words[1]
    bad = _BAD_NAME.search(name)
    if bad is not None:
        build.fault(Refused(f"character '{bad[0]}' is not permitted in 'group' name '{name}'.", 1, code="bad-name"))
    users = ""
    index = 2
    while index < len(words):
        if words[index] != "users":
            build.fault(Refused("'group' only supports 'users' option.", index))
        users = words[index + 1] if index + 1 < len(words) else ""
        index += 2
    if name in draft.groups:
        build.warning(
            "duplicate-name", statement.span(1), f"ignoring duplicated group '{name}' in userlist '{draft.name}'."
        )
        return
    draft.groups[name] = (tuple(user for user in users.split(",") if user), statement)


def _mailer(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    if len(words) < 3:
        raise Refused("'mailer' expects <name> and <addr>[:<port>] as arguments.", len(words), code="missing-argument")
    _check_entry_name(build, draft, words, "server", "mailer")
    address(build, words[2], 2, _MAILER, f"'mailer {words[1]}' : ")
    draft.names[words[1]] = statement


def _cache_number(minimum: int, maximum: int | None = None) -> Handler:
    def handle(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
        text = words[1] if len(words) > 1 else ""
        number = leading_long(text)
        if maximum is not None and not 0 <= number <= maximum:  # HAProxy counts without a sign
            raise Refused(f'"{words[0]}" ({number}) must not be greater than {maximum}', 1)
        if words[0] == "max-secondary-entries" and _SIGNED.fullmatch(text):
            number &= 0xFFFFFFFF
        elif not is_number(text):
            number = minimum - 1
        if number < minimum:
            raise Refused(f"{words[0]} wrong value '{text}'", 1)
        if len(words) > 2:
            raise Refused(f"'{words[0]}' cannot handle unexpected argument '{words[2]}'.", 2)
        draft.numbers[words[0]] = number

    return handle


def _cache_word(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """max-age and process-vary: a missing or strange value is a warning."""
    text = words[1] if len(words) > 1 else ""
    if len(words) > 2:
        raise Refused(f"'{words[0]}' cannot handle unexpected argument '{words[2]}'.", 2)
    if words[0] == "max-age":
        if not text:
            build.warning("missing-argument", statement.span(), "'max-age' expects an age parameter in seconds.")
    elif text not in ("on", "off"):
        build.warning(
            "bad-argument",
            statement.span(),
            '\'process-vary\' expects "on" or "off" (enable or disable vary processing).',
        )


def _errorfile(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    if len(words) < 3:
        raise Refused("errorfile: expects <status_code> and <file> as arguments.", 1, code="missing-argument")
    page = error_file(build, build.nameless, statement, words)
    draft.pages[page.status] = page.raw or b""


#: The first version that makes a ring smaller where it is told to.
_SMALL_RINGS: Final[Version] = (3, 0)


def _ring_size(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    text = words[1] if len(words) > 1 else ""
    size = leading_integer(text)
    if size <= 0:
        raise Refused(f"invalid size '{text}' for new sink buffer.", 1)
    if words[0] == "size":
        current = draft.numbers.get("size", 16384)
        if size < current:
            if TARGET <= build.version < _SMALL_RINGS:
                message = f"ignoring new size '{size}' that is smaller than current size '{current}'"
                build.warning("ignored-argument", statement.span(1), f"{message} for ring '{draft.name}'.")
            if build.version != TARGET:  # 2.6 alone refuses what it says it ignores
                return
            raise Refused(f"size '{size}' is smaller than the current size '{current}'.", 1)
        if draft.backing_file:
            raise Refused("cannot resize an already mapped file, please specify 'size' before 'backing-file'.", 1)
    draft.numbers[words[0]] = size


def _backing_file(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    if len(words) < 2 or not words[1]:
        raise Refused("'backing-file' expects a file name as an argument.", 1, code="missing-argument")
    if draft.backing_file:
        raise Refused(
            f"'backing-file' already specified for ring '{draft.name}' (was '{draft.backing_file}').",
            0,
            code="duplicate-name",
        )
    draft.backing_file = words[1]
    if not build.files.is_directory(str(Path(words[1]).parent)):
        message = f"cannot open backing-file '{words[1]}' for ring '{draft.name}': No such file or directory."
        build.lacking(Refused(message, 1, code="missing-file"))


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


def _program_option(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    name = words[1] if len(words) > 1 else ""
    if name != "start-on-reload":
        raise Refused(f"unknown option '{name}'.", 1, code="unknown-option")
    _no_more(words, 2, "option start-on-reload")


def _no_more(words: list[str], count: int, what: str) -> None:
    """Refuse the word at index `count`, if there is one."""
    if len(words) > count and words[count]:
        raise Refused(f"'{what}' cannot handle unexpected argument '{words[count]}'.", count)


def _fcgi_condition(build: Build, draft: SectionDraft, statement: Statement, words: list[str], index: int) -> None:
    """The condition of a FastCGI parameter, over the ACLs of its section."""
    if len(words) <= index:
        return
    if words[index] not in ("if", "unless"):
        message = f"'{words[0]}' expects 'if' or 'unless' followed by a condition, not '{words[index]}'."
        build.fault(Refused(message, index))
    place = Place.FRONTEND_HTTP_REQUEST | Place.BACKEND_HTTP_REQUEST
    rest_condition(build, _acls_of(build, draft), statement, words, index, place, f"'{words[1]}' : ")


def _acls_of(build: Build, draft: SectionDraft) -> Draft:
    """What stands for the proxy in a FastCGI application: its own ACLs, and nothing else."""
    if draft.acls is None:
        draft.acls = Draft("listen", "", build.nameless.header)
        draft.acls.mode = "http"
    return draft.acls


def _program_identity(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """`user` and `group` of a program, which must exist."""
    kind, name = words[0], words[1] if len(words) > 1 else ""
    try:
        _ = pwd.getpwnam(name) if kind == "user" else grp.getgrnam(name)
    except KeyError:
        refusal = Refused(f"cannot find {kind} id for '{name}' (0:Success)", 1, code=f"unknown-{kind}")
        if not name:
            raise refusal from None
        build.lacking(refusal)
    _no_more(words, 2, f"{kind} {name}")


def _command(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    if len(words) < 2:
        raise Refused("'command' expects a command with optional arguments separated in words.", 1)
    draft.names["command"] = statement


def _fcgi_option(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    name = words[1] if len(words) > 1 else ""
    if name not in ("keep-conn", "get-values", "mpxs-conns", "max-reqs"):
        raise Refused(f"unknown option '{name}'.", 1, code="unknown-option")
    if name == "max-reqs" and (len(words) < 3 or leading_integer(words[2]) < 1):
        raise Refused("option 'max-reqs' expects a strictly positive integer argument.", 2)
    if name == "max-reqs":
        draft.numbers["max-reqs"] = leading_integer(words[2])
    _no_more(words, 3 if name == "max-reqs" else 2, f"option {name}")


def _pass_header(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    if len(words) < 2:
        raise Refused("'pass-header' expects <name> as arguments.", 1, code="missing-argument")
    _fcgi_condition(build, draft, statement, words, 2)


def _path_info(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    if len(words) < 2:
        raise Refused("'path-info' expects <regex> as argument.", 1, code="missing-argument")
    check_regex(build, statement, words[1], 1, f"'{words[1]}' : ")
    _no_more(words, 2, f"path-info {words[1]}")


def _docroot(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    if len(words) < 2:
        raise Refused("'docroot' expects <path> as argument.", 1, code="missing-argument")
    if len(words) > 2:
        raise Refused(f"'docroot {words[1]}' cannot handle unexpected argument '{words[2]}'.", 2)
    draft.names["docroot"] = statement


def _set_param(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    if len(words) < 3:
        raise Refused("'set-param' expects <name> and <value> as arguments.", len(words), code="missing-argument")
    build.later.append(lambda: _check_value(build, draft, statement, words))
    _fcgi_condition(build, draft, statement, words, 3)


def _check_value(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """The value of `set-param`, which HAProxy reads for the proxies that use the application."""
    if any(proxy.fcgi_app is not None and proxy.fcgi_app[0] == draft.name for proxy in build.proxies):
        cursor = Words(build, _acls_of(build, draft), statement, words, 1, "", Place.BACKEND_HTTP_REQUEST)
        with build.noting(statement):
            cursor.format(words[2], 2)


def _fcgi_acl(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    acl(build, _acls_of(build, draft), statement, words)


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
    ("userlist", "user"): _user,
    ("userlist", "group"): _group,
    ("peers", "peer"): peers.peer,
    ("peers", "server"): peers.peer,
    ("peers", "bind"): peers.bind,
    ("peers", "default-bind"): peers.bind,
    ("peers", "default-server"): peers.default_server,
    ("peers", "table"): _peers_table,
    ("peers", "log"): _log_line,
    ("mailers", "mailer"): _mailer,
    ("cache", "total-max-size"): _cache_number(1, 4095),
    ("cache", "max-object-size"): _cache_number(0),
    ("cache", "max-secondary-entries"): _cache_number(1),
    ("cache", "max-age"): _cache_word,
    ("cache", "process-vary"): _cache_word,
    ("http-errors", "errorfile"): _errorfile,
    ("ring", "backing-file"): _backing_file,
    ("ring", "size"): _ring_size,
    ("ring", "maxlen"): _ring_size,
    ("ring", "server"): peers.ring_server,
    ("log-forward", "bind"): peers.forward_bind,
    ("log-forward", "dgram-bind"): peers.forward_bind,
    ("log-forward", "log"): _log_line,
    ("log-forward", "timeout"): _log_forward_timeout,
    ("program", "command"): _command,
    ("program", "group"): _program_identity,
    ("program", "option"): _program_option,
    ("program", "user"): _program_identity,
    ("fcgi-app", "docroot"): _docroot,
    ("fcgi-app", "option"): _fcgi_option,
    ("fcgi-app", "path-info"): _path_info,
    ("fcgi-app", "log-stderr"): _log_line,
    ("fcgi-app", "pass-header"): _pass_header,
    ("fcgi-app", "set-param"): _set_param,
    ("fcgi-app", "acl"): _fcgi_acl,
}


def _finish(build: Build, draft: SectionDraft) -> None:
    """What a whole section must have."""
    kind, name, where = draft.kind, draft.name, draft.header.span()
    if kind == "cache":
        total = draft.numbers.get("total-max-size", 0)
        if not total:
            build.error("missing-size", where, f"Size not specified for cache '{name}'", "add 'total-max-size <MB>'")
        elif draft.numbers.get("max-object-size", 0) > total << 19:
            build.error(
                "bad-argument", where, f'"max-object-size" is limited to an half of "total-max-size" => {total << 19}'
            )
    elif kind == "program":
        if "command" not in draft.names:
            build.error("missing-command", where, f"The program section '{name}' lacks a command to launch.")
        build.later.append(lambda: _need_master(build, draft))
    elif kind == "fcgi-app":
        if "docroot" not in draft.names:
            build.error("missing-docroot", where, f"fcgi-app '{name}': no docroot configured.", "add 'docroot <path>'")
        multiplexes = "mpxs-conns" in draft.numbers or "get-values" in draft.numbers  # or the application is asked
        if draft.numbers.get("max-reqs", 1) > 1 and not multiplexes:
            build.error(
                "bad-argument",
                where,
                f"fcgi-app '{name}': multiplexing not supported, ignore the option 'max-reqs'.",
                "add 'option mpxs-conns', or remove 'option max-reqs'",
            )
    elif kind == "mailers":
        build.later.append(lambda: _unused_mailers(build, draft))
    elif kind == "ring":
        _finish_ring(build, draft)
    elif kind == "log-forward" and not draft.listens:
        build.warning(
            "no-bind",
            where,
            f"frontend '{name}' has no 'bind' directive. Please declare it as a backend if this was intended.",
        )
    elif kind == "userlist":
        build.later.append(lambda: _resolve_users(build, draft))
    elif kind == "peers":
        build.later.append(lambda: _incomplete_peers(build, draft))
    elif kind == "resolvers" and not (draft.names or draft.system_names):
        build.warning("empty-section", where, f"resolvers '{name}' has no nameservers configured!")


def _unused_mailers(build: Build, draft: SectionDraft) -> None:
    """A mailers section that no proxy uses is taken out."""
    complete = (proxy.email_alert for proxy in build.proxies if {"mailers", "from", "to"} <= proxy.email_alert.keys())
    if not any(alert["mailers"][0] == draft.name for alert in complete):
        build.warning("empty-section", draft.header.span(), f"Removing incomplete section 'mailers {draft.name}'.")


def _finish_ring(build: Build, draft: SectionDraft) -> None:
    size, longest = draft.numbers.get("size", 16384), draft.numbers.get("maxlen", 0)
    if longest > size:
        build.warning(
            "bad-argument",
            draft.header.span(),
            f"ring '{draft.name}' event max length '{longest}' exceeds size, forced to size '{size}'.",
        )
    timeouts = {words[1] for words in draft.statements if words[0] == "timeout" and len(words) > 2}
    if draft.has_server and not {"connect", "server"} <= timeouts:
        build.warning("missing-timeouts", draft.header.span(), f"missing timeouts for backend '{draft.name}'.")


def _incomplete_peers(build: Build, draft: SectionDraft) -> None:
    """A peers section in which this process is not named is taken out."""
    if not draft.listens and "disabled" not in {words[0] for words in draft.statements}:
        build.warning(
            "incomplete-peers",
            draft.header.span(),
            f"Removing incomplete section 'peers {draft.name}' (no peer named '{build.local_peer}').",
        )


def _need_master(build: Build, draft: SectionDraft) -> None:
    if not build.global_.get("master_worker") and not build.master_worker:
        build.error(
            "needs-master",
            draft.header.span(),
            "Can't use a 'program' section without master worker mode.",
            "add 'master-worker' to the global section, or start with -W",
        )


def _resolve_users(build: Build, draft: SectionDraft) -> None:
    """Groups name users and users name groups; all of them must exist."""
    for user in draft.users.values():
        for group in sorted(user.groups):
            if group not in draft.groups:
                statement = draft.names[f"user {user.name}"]
                build.error(
                    "unknown-member",
                    statement.span(),
                    f"userlist '{draft.name}': no such group '{group}' specified in user '{user.name}'",
                    build.nearest(group, draft.groups),
                )
    for name, (members, statement) in draft.groups.items():
        for member in members:
            user_found = draft.users.get(member)
            if user_found is None:
                build.error(
                    "unknown-member",
                    statement.span(),
                    f"userlist '{draft.name}': no such user '{member}' specified in group '{name}'",
                    build.nearest(member, draft.users),
                )
            else:
                draft.users[member] = User(
                    member, user_found.password, user_found.encrypted, user_found.groups | {name}
                )

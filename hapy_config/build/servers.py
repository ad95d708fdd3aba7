"""server, server-template and default-server lines to servers."""

from __future__ import annotations

import dataclasses
from typing import Final

from hapy_config.alike import nearest
from hapy_config.build.addressing import NO_ADDRESS, address_fault, has_long_port, read_address
from hapy_config.build.arguments import BAD_NAME
from hapy_config.build.comments import pool_settings
from hapy_config.build.context import Build
from hapy_config.build.draft import Draft
from hapy_config.build.optionwords import read_all
from hapy_config.build.refused import Refused, version_note
from hapy_config.build.registry import Handler
from hapy_config.build.serveroptions import READERS
from hapy_config.build.serverwords import ServerWords
from hapy_config.build.tls import server_certificate
from hapy_config.grammar.addresses import SERVER
from hapy_config.grammar.errors import GrammarError
from hapy_config.grammar.units import leading_integer
from hapy_config.keywords import table
from hapy_config.keywords.spec import TARGET
from hapy_config.model.addresses import Address
from hapy_config.model.server import HapyPool, Server, ServerTls
from hapy_config.syntax import Statement
from hapy_config.tls.versions import LIMITS

#: HAProxy takes more and runs out of memory; nobody means it.
_MOST_SERVERS: Final = 100_000

#: Values that are not fields of the model, but of what is made of them.
_HELPERS: Final = ("number", "ssl", "default_ssl", "sni", "pool")


def _server(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    if len(words) < 3:
        raise Refused("'server' expects <name> and <addr>[:<port>] as arguments.", len(words), code="missing-argument")
    name = words[1]
    check_name(build, name, "server name")
    label = f"{draft.name}/{name}"
    address = parse_server_address(build, words[2], 2, label)
    values, options = dict(draft.server_values), dict(draft.server_options)
    if len(words) > 3:
        read_server_options(ServerWords(build, draft, statement, words, 3, label, name, values, options))
    _add(build, draft, statement, name, address, values, options)


def _template(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    if len(words) < 4:
        raise Refused(
            "'server-template' expects <prefix> <nb | range> <addr>[:<port>] as arguments.",
            len(words),
            code="missing-argument",
        )
    prefix = words[1]
    check_name(build, prefix, "server-template prefix")
    first, dash, last = words[2].partition("-")
    high = leading_integer(last if dash else first)
    low = leading_integer(words[2]) if dash else 1
    if low < 0 or high < low:
        build.fault(Refused(f"Wrong server-template number or range arg '{words[2]}'.", 2))
        low = high = 1
    elif high - low >= _MOST_SERVERS:
        hint = f"one line makes {_MOST_SERVERS} servers at most"
        build.fault(Refused(f"Wrong server-template number or range arg '{words[2]}'.", 2, hint=hint))
        low = high = 1
    label = f"{draft.name}/{prefix}"
    address = parse_server_address(build, words[3], 3, label)
    values, options = dict(draft.server_values), dict(draft.server_options)
    if len(words) > 4:
        read_server_options(ServerWords(build, draft, statement, words, 4, label, prefix, values, options))
    values["template"] = (prefix, low, high)
    for number in range(low, high + 1):
        own = dict(values, numbered=bool(values.get("number")))
        if number > low:
            own.pop("number", None)
        _add(build, draft, statement, f"{prefix}{number}", address, own, options)


def _default_server(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    values, options = dict(draft.server_values), dict(draft.server_options)
    read_server_options(ServerWords(build, draft, statement, words, 1, "", "default-server", values, options))
    pool = pool_settings(build, statement)
    if pool is not None:
        values["pool"] = pool
    draft.server_values, draft.server_options = values, options


def check_name(build: Build, name: str, what: str) -> None:
    """Note what can't be the name of a server."""
    bad = BAD_NAME.search(name)
    if bad is not None:
        build.fault(
            Refused(
                f"character '{bad[0]}' is not permitted in {what} '{name}'.",
                1,
                code="bad-name",
                hint="names are made of letters, digits, '-', '_', '.' and ':'",
            )
        )


def parse_server_address(build: Build, text: str, place: int, label: str) -> Address:
    """The address of a server line; what is none is noted."""
    try:
        found = read_address(build, text, SERVER)
    except GrammarError as error:
        build.fault(Refused(f"'server {label}' : {address_fault(text, error)}", place, code="bad-address"))
        return NO_ADDRESS
    if found.family == "name" and "" in found.host.removesuffix(".").split("."):
        what = f"Can't create DNS resolution for server '{label.partition('/')[2]}'"
        hint = "there is nothing between two of the name's dots, or before the first"
        build.fault(Refused(f"'server {label}' : {what}", place, code="bad-address", hint=hint))
        return NO_ADDRESS
    short = found.family == "ipv4" and found.host not in text
    if short or (not found.port and has_long_port(build, text)):
        build.unasked_ports.add((build.statement.source.name, build.statement.line))
    return found


def read_server_options(words: ServerWords) -> None:
    """Read options to the end of the line; what is wrong is noted."""
    read_all(words, READERS, _read_option)


def _read_option(words: ServerWords) -> None:
    word = words.words[words.position]
    name = word.partition("(")[0]  # HAProxy looks no further for a keyword
    reader = READERS.get(name)
    if reader is None:
        name, reader = word, READERS.get(f"{name}*")
    if reader is None:
        raise _unknown(words, word)
    if name != word and name in LIMITS:
        raise Refused(f"{words.prefix}'{word}' : option not implemented.", words.position)
    if name in words.build.watched_server_options:
        words.build.watch_server_option(words.statement, words.position, name)
    words.position += 1
    reader(words, name)


def _unknown(words: ServerWords, name: str) -> Refused:
    entry = table("servers").get(name)
    place = words.position
    message = f"{words.prefix}unknown keyword '{name}'"
    if entry is not None and not entry.known_in(TARGET):
        code = "newer-keyword" if entry.since > TARGET else "removed-keyword"
        return Refused(f"{message}.", place, code=code, hint=version_note(entry.since, entry.removed))
    suggestion = nearest(name, READERS) or None
    if suggestion is not None:
        message += f"; did you mean '{suggestion}' maybe ?"
    else:
        message += "."
    if words.default:
        message += " Hint: no address was expected for this server."
    hint = f"did you mean '{suggestion}'?" if suggestion else ""
    return Refused(message, place, code="unknown-keyword", hint=hint, suggestion=suggestion)


def _add(
    build: Build,
    draft: Draft,
    statement: Statement,
    name: str,
    address: Address,
    values: dict[str, object],
    options: dict[str, tuple[str, ...]],
) -> None:
    """Put one server into the draft."""
    number = values.pop("number", 0)
    numbered = bool(values.pop("numbered", number))
    pool = pool_settings(build, statement)
    ssl = values.pop("ssl", False)
    default_ssl = values.pop("default_ssl", False)
    sni = values.pop("sni", None)
    template = values.pop("template", None)
    shared = values.pop("pool", None)
    _check_agent(build, statement, name, draft, options)
    if options.get("init-state", ("none",))[0] != "none" and values.get("track") is not None:
        place = statement.words.index("init-state") if "init-state" in statement.words else 0
        raise Refused("'init-state' cannot be used with a server that tracks another one.", place)
    if ssl or default_ssl or "check-ssl" in options:
        draft.tls_servers.add(name)
    tls = _tls(build, sni, options) if ssl else None
    check_tls = _tls(build, None, options) if not ssl and "check-ssl" in options else None
    fqdn, service = (address.host, None) if address.family == "name" else (None, None)
    if fqdn is not None and fqdn.startswith("_") and values.get("resolvers"):
        fqdn, service = None, fqdn
        address = dataclasses.replace(address, port=0, port_offset=False)
    server = Server(
        name,
        number,  # type: ignore[arg-type]
        address,
        numbered=numbered,
        tls=tls,
        check_tls=check_tls,
        fqdn=fqdn,
        service=service,
        pool=pool or shared or HapyPool(),  # type: ignore[arg-type]
        options=options,
        span=statement.span(),
        **values,  # type: ignore[arg-type]
    )
    draft.servers.append(server)
    if draft.server_names.setdefault(name, server) is not server:
        draft.twin_names.add(name)
    if number:
        draft.server_ids[server.number] = server
    if template is not None:
        draft.templates.add(name)
    if fqdn is not None:
        build.named_servers.append((draft, server, statement))


def _tls(build: Build, sni: object, options: dict[str, tuple[str, ...]]) -> ServerTls:
    verify = options.get("verify", ("required",))[0]
    authority = options.get("ca-file")
    certificate = server_certificate(build, options["crt"][0]) if "crt" in options else None
    return ServerTls(verify, authority[0] if authority else None, sni, options, certificate)  # type: ignore[arg-type]


def _check_agent(
    build: Build, statement: Statement, name: str, draft: Draft, options: dict[str, tuple[str, ...]]
) -> None:
    if "agent-check" in options and not leading_integer(options.get("agent-port", ("0",))[0]) & 0xFFFF:
        build.error(
            "missing-agent-port",
            statement.span(),
            f"'server {draft.name}/{name}' : server {name} does not have agent port. Agent check has been disabled.",
        )


HANDLERS: Final[dict[str, Handler]] = {
    "server": _server,
    "server-template": _template,
    "default-server": _default_server,
}

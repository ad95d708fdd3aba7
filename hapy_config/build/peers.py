"""The server and bind lines of peers, ring and log-forward sections: the options are those of proxies."""

from __future__ import annotations

from typing import Final

from hapy_config.build.addressing import NO_ADDRESS
from hapy_config.build.binds import listening_addresses, read_options
from hapy_config.build.bindwords import BindWords
from hapy_config.build.context import Build
from hapy_config.build.endings import check_verified
from hapy_config.build.refused import Refused
from hapy_config.build.sectiondraft import SectionDraft
from hapy_config.build.servers import check_name, parse_server_address, read_server_options
from hapy_config.build.serverwords import ServerWords
from hapy_config.grammar.addresses import BIND, DATAGRAM_BIND
from hapy_config.keywords.spec import Version
from hapy_config.syntax import Statement

#: The first version that wants a port of each peer, not only of itself.
_PORT_NEEDED: Final[Version] = (2, 8)
#: The first version that says which words of a peer do nothing.
_VAIN_WORDS_TOLD: Final[Version] = (2, 4)
#: The first version that refuses a file for the address of a log-forward section's `bind`; others print the reason.
_FATAL_BINDS: Final[Version] = (2, 8)


def peer(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """`peer NAME ADDRESS …` and `server NAME [ADDRESS] …`."""
    if not any(statement.words[1:]):
        return  # a line that HAProxy lets pass
    name = words[1] if len(words) > 1 else ""
    if not name:
        raise Refused(f"'{words[0]}' expects <name> and <addr>[:<port>] as arguments.", 1, code="missing-argument")
    check_name(build, name, "server name")
    local = name == build.local_peer
    index = 2
    if words[0] == "peer":
        _mixing(draft, "peer")
    if len(words) > 2 and not (local and words[0] == "server"):
        _address(build, words, local, name)
        index = 3
    values, options = dict(draft.default_values), dict(draft.default_options)
    label = f"{name}/{name}" if local else f"(null)/{name}"
    read_server_options(ServerWords(build, build.nameless, statement, words, index, label, name, values, options))
    vain = values.keys() & {"check", "init_addr", "resolvers"} or "agent-check" in options
    if vain and build.version >= _VAIN_WORDS_TOLD:
        build.warning(
            "ignored-argument",
            statement.span(),
            f"'server {name}' : init_addr, resolvers, check and agent are ignored for peers.",
        )
    if local:
        other = draft.names.get("the local peer")
        if other is not None:
            where = f"{other.source.name}:{other.line}"
            raise Refused(
                f"'{words[0]} {name}' : local peer name already referenced at {where}. {name}", 1, code="duplicate-name"
            )
        draft.names["the local peer"] = statement
        draft.listens = True
    elif name in draft.names:
        draft.doubles.append((name, draft.names[name]))
    draft.names[name] = statement


def _address(build: Build, words: list[str], local: bool, name: str) -> None:
    label = f"{name}/{name}" if local else f"(null)/{name}"
    found = parse_server_address(build, words[2], 2, label)
    if found.family == "name" and not build.host_exists(found.host, found.protocol):
        message = f"'server {label}' : invalid address: '{found.host}' in '{words[2]}'"
        build.lacking(Refused(message, 2, code="unresolved-host"))
    needed = (local and words[0] == "peer") or (build.version >= _PORT_NEEDED and found.family != "unix")
    if needed and not found.port and found is not NO_ADDRESS:
        build.fault(Refused(f"'{words[0]} {name}' : missing port specification in '{words[2]}'", 2, code="bad-address"))


def _mixing(draft: SectionDraft, own: str) -> None:
    """A peers section is written with `peer` lines, or with `bind` and `server` lines."""
    other = "bind" if own == "peer" else "peer"
    if other in draft.written:
        raise Refused('mixing "peer" and "bind" line is forbidden', 0, code="mixed-peers")
    draft.written.add(own)


def default_server(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """`default-server …` of a peers section."""
    values, options = dict(draft.default_values), dict(draft.default_options)
    reading = ServerWords(build, build.nameless, statement, words, 1, "", "default-server", values, options)
    read_server_options(reading)
    draft.default_values, draft.default_options = values, options


def bind(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """`bind [ADDRESS] …` and `default-bind …` of a peers section."""
    index = 1
    if words[0] == "bind":
        _mixing(draft, "bind")
    if words[0] == "bind" and len(words) > 1:
        listening_addresses(build, words[1], 1, "'bind' : ")
        index = 2
        if draft.has_bind:
            raise Refused(
                'One listener per "peers" section is authorized but another is already configured.',
                0,
                code="second-bind",
            )
        draft.has_bind = True
    shown = words[1] if len(words) > 1 else ""
    prefix = f"'{words[0]} {shown}' in section 'peers'"
    reading = BindWords(build, statement, words, index, f"{prefix} : ")
    read_options(reading, f"{prefix}: ")
    build.later.append(lambda: _certificate(build, draft, reading, build.local_peer, shown))


def _certificate(build: Build, draft: SectionDraft, reading: BindWords, proxy: str, shown: str) -> None:
    """A TLS listener needs a certificate."""
    if not reading.ssl or reading.certificates or reading.unread or not draft.listens:
        return
    if build.assume_machine and reading.tls.keys() & {"crt", "crt-list"}:
        return
    statement = reading.statement
    where = f"{statement.source.name}:{statement.line}"
    text = f"Proxy '{proxy}': no SSL certificate specified for bind '{shown}' at [{where}] (use 'crt')."
    build.error("missing-certificate", statement.span(), text, "add 'crt <file>'")


def ring_server(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """`server NAME ADDRESS …` of a ring section."""
    if len(words) < 3:
        raise Refused("'server' expects <name> and <addr>[:<port>] as arguments.", len(words), code="missing-argument")
    check_name(build, words[1], "server name")
    label = f"{draft.name}/{words[1]}"
    found = parse_server_address(build, words[2], 2, label)
    if found.family == "name" and not build.host_exists(found.host, found.protocol):
        message = f"'server {label}' : invalid address: '{found.host}' in '{words[2]}'"
        build.lacking(Refused(message, 2, code="unresolved-host"))
    values: dict[str, object] = {}
    options: dict[str, tuple[str, ...]] = {}
    read_server_options(ServerWords(build, build.nameless, statement, words, 3, label, words[1], values, options))
    draft.has_server = True
    other = draft.names.setdefault(words[1], statement)
    if other is not statement:
        raise Refused(
            f"backend '{draft.name}', another server named '{words[1]}' was already defined at line {other.line},"
            " please use distinct names.",
            1,
            code="duplicate-name",
        )
    if values.get("ssl"):
        check_verified(build, draft.name, statement.span(), words[1], options)


def forward_bind(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """`bind` and `dgram-bind` of a log-forward section."""
    if len(words) < 2:
        return
    shown = f"'{words[0]} {words[1]}' : "
    stream = words[0] == "bind"
    fatal = not stream or build.version >= _FATAL_BINDS
    found = listening_addresses(build, words[1], 1, shown, fatal=fatal, use=BIND if stream else DATAGRAM_BIND)
    prefix = f"'{words[0]} {words[1]}' in section 'log-forward'"
    reading = BindWords(build, statement, words, 2, f"{prefix} : ")
    read_options(reading, f"{prefix}: ")
    draft.listens = draft.listens or bool(found)
    where = f"'bind {words[1]}' at [{statement.source.name}:{statement.line}]"
    if not stream:
        return
    build.later.append(lambda: _certificate(build, draft, reading, draft.name, "(null)"))
    if "process" in words[2:]:
        raise Refused(f"{prefix} : 'process' is not supported here.", words.index("process", 2), hint="remove it")
    protocol = reading.options.get("proto", ("none",))[0]
    if protocol != "none":
        message = f"frontend '{draft.name}' : MUX protocol '{protocol}' is not usable for {where}."
        raise Refused(message, words.index(protocol, 2), code="incompatible-protocol")

"""A resolvers section's statements, checked when they were read, to its model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hapy_config.build.addressing import expand, read_address
from hapy_config.build.arguments import milliseconds
from hapy_config.build.endings import check_verified
from hapy_config.build.refused import Refused
from hapy_config.build.servers import read_server_options
from hapy_config.build.serverwords import ServerWords
from hapy_config.grammar.addresses import AddressUse
from hapy_config.grammar.errors import GrammarError
from hapy_config.grammar.units import leading_integer
from hapy_config.model.resolvers import HOLDS, NameServer, Resolvers
from hapy_config.model.server import Server, ServerTls

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.build.sectiondraft import SectionDraft
    from hapy_config.syntax import Statement

_USE = AddressUse(port_required=True, datagram=True)
_STREAM = re.compile(r"(tcp[46]?|stream\+\w+|uxst)@")


def read_resolvers(build: Build, draft: SectionDraft) -> Resolvers:
    """The section's model."""
    values: dict[str, Any] = {"hold": dict(HOLDS)}
    nameservers: list[NameServer | None] = []
    for words in draft.statements:
        match words[0]:
            case "nameserver":
                nameservers.append(_name_server(build, draft, list(words)))
            case "parse-resolv-conf":
                nameservers.append(None)
            case "resolve_retries":
                values["retries"] = max(leading_integer(words[1]), 1)
            case "accepted_payload_size":
                values["payload_size"] = leading_integer(words[1])
            case "timeout":
                values[f"timeout_{words[1]}"] = max(milliseconds(words[2])[0], 1)
            case "hold" if words[1] in ("valid", "obsolete"):
                values[f"hold_{words[1]}"] = milliseconds(words[2])[0]
            case "hold":
                values["hold"][words[1]] = milliseconds(words[2])[0]
    return Resolvers(draft.name, tuple(nameservers), span=draft.header.span(), **values)


def _name_server(build: Build, draft: SectionDraft, words: list[str]) -> NameServer:
    address = read_address(build, words[2], _USE)
    statement = draft.names[words[1]]
    if not _STREAM.match(expand(build, words[2])):
        return NameServer(words[1], address, span=statement.span())
    values, options = draft.streams[words[1]]
    ssl = values.pop("ssl", False)
    authority = options.get("ca-file")
    tls = ServerTls(
        options.get("verify", ("required",))[0],
        authority[0] if authority else None,
        values.pop("sni", None),
        options,
    )
    known = {name: value for name, value in values.items() if name in ("maxconn", "source")}
    server = Server(words[1], 0, address, tls=tls if ssl else None, options=options, **known)
    return NameServer(words[1], address, stream=True, server=server, span=statement.span())


def check_resolvers(build: Build) -> None:
    """The options of stream name servers, and the kinds of address that name servers can have."""
    for (kind, _), draft in build.sections.items():
        if kind != "resolvers":
            continue
        for words in draft.statements:
            if words[0] != "nameserver":
                continue
            statement = build.statement = draft.names[words[1]]
            if _STREAM.match(expand(build, words[2])):
                _read_stream(build, draft, list(words), statement)
                continue
            try:
                family = read_address(build, words[2], _USE).family
            except GrammarError:
                continue  # told already
            if family in ("unix", "abns"):
                build.error(
                    "bad-address",
                    statement.span(2),
                    f"resolvers '{draft.name}': can't create socket for nameserver '{words[1]}'.",
                    "over UNIX sockets name servers are asked in streams: write 'uxst@'",
                )


def _read_stream(build: Build, draft: SectionDraft, words: list[str], statement: Statement) -> None:
    name = words[1]
    values, options = draft.streams[name] = ({}, {})
    label = f"{draft.name}/{name}"
    try:
        read_server_options(ServerWords(build, build.nameless, statement, words, 3, label, name, values, options))
    except Refused as refusal:
        build.out.found.append(refusal.diagnostic(statement))
        return
    if values.get("ssl"):
        check_verified(build, draft.name, statement.span(), name, options)

"""bind lines to listening addresses."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import Final

from hapy_config.alike import nearest
from hapy_config.build.addressing import address_fault, expand, read_address
from hapy_config.build.bindwords import READERS, BindWords, threads_of
from hapy_config.build.context import Build
from hapy_config.build.draft import FRONT, Draft
from hapy_config.build.optionwords import read_all
from hapy_config.build.refused import Refused, version_note
from hapy_config.diagnostics import Severity
from hapy_config.grammar.addresses import BIND, AddressUse
from hapy_config.grammar.errors import GrammarError
from hapy_config.keywords import table
from hapy_config.keywords.spec import TARGET, USUAL_BUILDS
from hapy_config.model.addresses import Address
from hapy_config.model.server import Bind
from hapy_config.syntax import Statement
from hapy_config.tls.versions import LIMITS

_EXPECTED: Final = "'bind' expects {<path>|[addr1]:port1[-end1]}{,[addr]:port[-end]}... as arguments."


def bind(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    """`bind ADDRESS[,ADDRESS…] …`."""
    draft.has_bind = True
    if len(words) < 2 or not words[1]:
        raise Refused(_EXPECTED, 1, code="missing-argument")
    addresses = listening_addresses(build, words[1], 1, "'bind' : ")
    kinds = {_is_quic(build, part) for part in words[1].split(",") if part}
    if len(kinds) > 1:
        message = f"'bind {words[1]}' in section '{draft.kind}' : cannot mix datagram and stream protocols."
        build.fault(Refused(message, 1, code="bad-address", hint="QUIC and TCP need a bind line each"))
    reading = BindWords(build, statement, words, 2, f"'bind {words[1]}' in section '{draft.kind}' : ")
    reading.several = len(addresses) > 1 or any(one.port_end != one.port for one in addresses)
    if len(words) > 2:
        read_options(reading, f"'bind {words[1]}' in section '{draft.kind}': ")
    number = reading.values.get("number")
    if isinstance(number, int):
        other = draft.bind_ids.get(number)
        if other is not None:
            raise Refused(
                f"{reading.prefix}'id' : custom id {number} already used at"
                f" {other.source.name}:{other.line} ('bind {other.words[1]}')",
                words.index("id", 2) + 1,
                code="duplicate-id",
            )
        draft.bind_ids[number] = statement
    if "h2" in reading.tls.get("alpn", ("",))[0].split(","):
        build.note_http2(draft, statement, words.index("alpn", 2) + 1, "its clients")
    draft.listens = True  # HAProxy counts the ignored bind of a backend too
    if reading.ssl:
        draft.tls_binds.append((statement, reading))
    if "thread" in reading.options:
        build.later.append(lambda: _threads(build, draft, reading))
    framed = _is_quic(build, words[1])
    if framed or "proto" in reading.options:
        draft.bind_protocols.append((statement, reading.options.get("proto", ("quic",))[0], framed))
    if draft.side & FRONT:
        draft.binds.extend(make_binds(reading, addresses, statement))


def _threads(build: Build, draft: Draft, reading: BindWords) -> None:
    """One at least of the threads that `thread` names must be there; `nbthread` or the machine says how many are."""
    statement = reading.statement
    named = [threads_of(text) for word, text in pairwise(statement.words) if word == "thread"]
    own = build.global_.get("nbthread")
    count = own if isinstance(own, int) else len(os.sched_getaffinity(0))
    if draft.disabled or set().union(*named) & set(range(1, count + 1)):
        return
    where = f"'bind {statement.words[1]}' at [{statement.source.name}:{statement.line}]"
    message = f"Proxy '{draft.name}': 'thread' directive contains threads that belong to no group in {where}."
    note = build.error if isinstance(own, int) else build.environment
    note("missing-thread", statement.span(statement.words.index("thread") + 1), message, f"there are {count} threads")


def make_binds(reading: BindWords, addresses: list[Address], statement: Statement) -> list[Bind]:
    """One `Bind` per address."""
    span = statement.span()
    return [
        Bind(
            address,
            tls=reading.tls if reading.ssl else None,
            certificates=tuple(reading.certificates) if reading.ssl else (),
            options={**reading.options, **({} if reading.ssl else reading.tls)},
            span=span,
            **reading.values,  # type: ignore[arg-type]
        )
        for address in addresses
    ]


def _is_quic(build: Build, text: str) -> bool:
    """Whether an address, or the first one of several, is one of QUIC to a version whose builds have it."""
    known = build.target is not None and build.target >= USUAL_BUILDS["USE_QUIC"]
    return known and expand(build, text).startswith(("quic4@", "quic6@"))


def _without_quic(build: Build, text: str, place: int) -> str:
    """A QUIC address as one of TCP, for versions whose builds have QUIC; hapy has none."""
    prefix, at, rest = text.partition("@")
    if not at or prefix not in ("quic4", "quic6") or build.target is None:
        return text
    if build.target < TARGET:
        raise GrammarError(f"'{prefix}@' is not known to HAProxy {build.target[0]}.{build.target[1]}")
    if build.target < USUAL_BUILDS["USE_QUIC"]:
        return text
    build.note_check(build.statement, place, f"'{prefix}@'", "it does not serve QUIC", Severity.ERROR)
    return f"ipv{prefix[-1]}@{rest}"


def listening_addresses(
    build: Build, text: str, place: int, prefix: str, *, fatal: bool = True, use: AddressUse = BIND
) -> list[Address]:
    """The addresses of a comma-separated list; one that is none, or that this machine does not have, is noted.

    `fatal`: whether HAProxy refuses the file for one that is none.
    """
    parts = text.split(",")
    if len(parts) > 1 and not parts[-1]:
        parts.pop()
    found: list[Address] = []
    for part in parts:
        try:
            address = read_address(build, _without_quic(build, expand(build, part), place), use)
        except GrammarError as error:
            refusal = Refused(f"{prefix}{address_fault(part, error)}", place, code="bad-address")
            if fatal:
                build.fault(refusal)
            else:
                build.alert(refusal.code, build.statement.span(place), refusal.message)
            continue
        if address.family == "name" and not build.host_exists(address.host, address.protocol):
            build.lacking(
                Refused(f"{prefix}invalid address: '{address.host}' in '{part}'", place, code="unresolved-host")
            )
        if address.family == "fd":
            fault = build.descriptor_fault(int(address.host))
            if fault:
                build.lacking(
                    Refused(
                        f"{prefix}cannot use file descriptor '{address.host}' : {fault}.", place, code="bad-descriptor"
                    )
                )
        found.append(address)
    return found


def read_options(words: BindWords, unknown: str) -> None:
    """Read options to the end of the line; what is wrong is noted.

    Args:
        words: stands at the first option.
        unknown: begins the message about an unknown one.
    """

    def read(words: BindWords) -> None:
        word = words.words[words.position]
        name = word.partition("(")[0]  # HAProxy looks no further for a keyword
        reader = READERS.get(name)
        if reader is None:
            raise _unknown(words, word, unknown)
        if name != word and name in LIMITS:
            raise Refused(f"{unknown}'{word}' : option not implemented.", words.position)
        if name in words.build.watched_bind_options:
            words.build.watch_bind_option(words.statement, words.position, name)
        words.position += 1
        reader(words, name)

    read_all(words, READERS, read)


def _unknown(words: BindWords, name: str, prefix: str) -> Refused:
    entry = table("binds").get(name)
    message = f"{prefix}unknown keyword '{name}'"
    if entry is not None and not entry.known_in(TARGET):
        code = "newer-keyword" if entry.since > TARGET else "removed-keyword"
        hint = version_note(entry.since, entry.removed)
        return Refused(f"{message}.", words.position, code=code, hint=hint)
    near = nearest(name, READERS)
    if near:
        return Refused(
            f"{message}; did you mean '{near}' maybe ?",
            words.position,
            code="unknown-keyword",
            hint=f"did you mean '{near}'?",
            suggestion=near,
        )
    return Refused(f"{message}.", words.position, code="unknown-keyword")

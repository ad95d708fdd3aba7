"""Addresses in statements; `dispatch` and `source` of a backend."""

from __future__ import annotations

import re
from typing import Final

from hapy_config.build.arguments import at_most
from hapy_config.build.context import Build
from hapy_config.build.draft import Draft
from hapy_config.build.refused import Refused
from hapy_config.build.registry import Handler
from hapy_config.grammar.addresses import DISPATCH, SERVER_SOURCE, SOURCE, AddressUse, parse_address
from hapy_config.grammar.errors import GrammarError
from hapy_config.keywords.spec import Version
from hapy_config.model.addresses import Address
from hapy_config.model.server import Source
from hapy_config.syntax import Statement

_VARIABLE: Final = re.compile(r"\$(?:\{([A-Za-z_0-9]*)\}?|([A-Za-z_0-9]*))")

#: The first version that refuses what follows a port's digits, and the digits.
_STRICT_PORTS: Final[Version] = (3, 0)
_PORT: Final = re.compile(r"[+-]?[0-9]*")

#: The last version that takes ports behind 65535 where it connects, modulo 65536, and such ports.
_ANY_PORT: Final[Version] = (2, 2)
_LONG_PORT: Final = re.compile(r"(?<=:)[0-9]{5,}\Z")

#: The first version whose addresses name protocols, and how these begin.
_PROTOCOLS: Final[Version] = (2, 4)
_PROTOCOL: Final = re.compile(r"(?:stream\+|dgram\+|(?:ip|tcp|tcp4|tcp6|udp|udp4|udp6|uxst|uxdg)@)")

#: Stands in the place of an address that is refused: the line is read on, and no model is made.
NO_ADDRESS: Final = Address("ipv4", "0.0.0.0")


def expand(build: Build, text: str) -> str:
    """An address with its variables: HAProxy expands them there also where nothing is quoted."""
    if "$" not in text:
        return text
    return _VARIABLE.sub(lambda match: build.env.get(match[1] or match[2], ""), text)


def address_fault(text: str, error: GrammarError) -> str:
    """The reason, with the word as it was written."""
    if error.message.startswith("''"):
        return error.message.replace("''", f"'{text}'", 1)
    return error.message


def has_long_port(build: Build, text: str) -> bool:
    """Whether the version spoken takes a port behind 65535 that the address names: its checks count it as one."""
    return build.version <= _ANY_PORT and _LONG_PORT.search(expand(build, text)) is not None


def read_address(build: Build, text: str, use: AddressUse) -> Address:
    """The address `text`, with its variables.

    Raises:
        GrammarError: as `parse_address` does; since 3.0 also for what follows a port's digits.
    """
    written = expand(build, text)
    if build.version <= _ANY_PORT and not use.port_range:
        written = _LONG_PORT.sub(lambda port: str(int(port[0]) % 65536), written)
    found = parse_address(written, use)
    if build.version < _PROTOCOLS and _PROTOCOL.match(written):
        raise GrammarError(f"invalid address: '{written.rpartition(':')[0]}' in '{text}'")
    if build.version >= _STRICT_PORTS and found.family not in ("unix", "abns", "fd"):
        _, colon, port = written.rpartition(":")
        if colon and "]" not in port:
            _check_digits(port, text)
    return found


def _check_digits(port: str, text: str) -> None:
    """Refuse anything behind the digits of a port, of an offset or of the ends of a range."""
    parts = (port[1:],) if port[:1] in ("+", "-") else port.split("-", 1)
    for part in parts:
        digits = _PORT.match(part)
        assert digits is not None
        if digits.end() < len(part):
            raise GrammarError(f"invalid character '{part[digits.end()]}' in port number '{part}' in '{text}'")


def address(build: Build, text: str, place: int, use: AddressUse, prefix: str) -> Address:
    """The address `text`, whose host must exist where the builder was given a resolver; what is none is noted."""
    try:
        found = read_address(build, text, use)
    except GrammarError as error:
        build.fault(Refused(f"{prefix}{address_fault(text, error)}", place, code="bad-address"))
        return NO_ADDRESS
    if found.family == "name" and not build.host_exists(found.host, found.protocol):
        message = use.unresolved.format(host=found.host, text=text)
        build.lacking(Refused(f"{prefix}{message}", place, code="unresolved-host"))
    return found


def read_source(
    build: Build, words: list[str], index: int, prefix: str, *, ranges: bool, name: str = "source"
) -> tuple[Source, int]:
    """`ADDR [usesrc …] [interface …]` from `index` on; stops at the first other word.

    Returns:
        The source, and the index of the word behind it.
    """
    shown = words[index]
    found = address(build, shown, index, SERVER_SOURCE if ranges else SOURCE, f"{prefix}'source {shown}' : ")
    index += 1
    usesrc: str | None = None
    interface: str | None = None
    while index < len(words):
        word = words[index]
        if word == "usesrc":
            if index + 1 >= len(words):
                raise Refused(
                    f"{prefix}'usesrc' expects <addr>[:<port>], 'client', or 'clientip' as argument.", index + 1
                )
            usesrc = words[index + 1]
            if usesrc not in ("client", "clientip") and not usesrc.startswith("hdr_ip("):
                address(build, usesrc, index + 1, SOURCE, f"{prefix}'usesrc {usesrc}' : ")
            elif usesrc.startswith("hdr_ip("):
                with build.noting():
                    _header_source(usesrc, index + 1, prefix)
            index += 2
        elif word == "interface":
            if index + 1 >= len(words):
                raise Refused(f"{prefix}'{name}' : missing interface name.", index + 1)
            interface = words[index + 1]
            index += 2
        else:
            break
    return Source(found, usesrc, interface), index


def _header_source(text: str, place: int, prefix: str) -> None:
    inner, closed, _ = text[len("hdr_ip(") :].partition(")")
    name, comma, occurrence = inner.partition(",")
    if (not closed and not inner) or not name:
        raise Refused(f"{prefix}usesrc hdr_ip requires a header name.", place)
    if comma:
        number = occurrence.strip()
        if number.lstrip("-").isdecimal() and int(number) < -10:
            raise Refused(f"{prefix}usesrc hdr_ip(name,num) does not support negative occurrences below -10.", place)


def _source(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    if len(words) < 2 or not words[1]:
        raise Refused(
            "'source' expects <addr>[:<port>], and optionally 'usesrc' <addr>, and 'interface' <name>.",
            1,
            code="missing-argument",
        )
    found, behind = read_source(build, words, 1, "", ranges=False)
    if behind < len(words):
        raise Refused("'source' only supports optional keywords 'interface' and 'usesrc'.", behind)
    draft.source = found


def _usesrc(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    raise Refused("'usesrc' only allowed after a 'source' statement.", 0, hint="write both on the 'source' line")


def _dispatch(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    text = words[1] if len(words) > 1 else ""
    found = address(build, text, 1, DISPATCH, "'dispatch' : ")
    at_most(words, 1)
    draft.dispatch = found


def _transparent(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    """The old word for `option transparent`."""
    at_most(words, 0)
    draft.options.add("transparent")


HANDLERS: Final[dict[str, Handler]] = {
    "dispatch": _dispatch,
    "source": _source,
    "transparent": _transparent,
    "usesrc": _usesrc,
}

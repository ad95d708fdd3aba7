"""Addresses of bind, server, log and source lines (section 11 of the 3.4 manual, and the keywords themselves).

The port is what follows the last colon, also in IPv6 without brackets: `::1:80` is port 80 of `::1`. What a keyword
allows is an `AddressUse`. Names are not resolved here; what can't be a name is refused.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hapy_config.grammar.errors import GrammarError
from hapy_config.grammar.patterns import network
from hapy_config.grammar.units import wrapped
from hapy_config.model.addresses import Address


@dataclass(frozen=True, slots=True)
class AddressUse:
    """What a keyword makes of its address.

    Attributes:
        port_required: without a port it is refused; port 0 too.
        port_range: `80-85` is allowed.
        port_offset: `+80`, `-80` and no port at all map the client's port.
        descriptor: `fd@N` is allowed.
        datagram: datagram prefixes are allowed.
        stream: stream prefixes are allowed.
        unix: UNIX sockets are allowed.
        unresolved: how the message about a bad host begins.
        any_name: what can't be a name is one all the same: it is looked up later, or never.
    """

    port_required: bool = False
    port_range: bool = False
    port_offset: bool = False
    descriptor: bool = False
    datagram: bool = False
    stream: bool = True
    unix: bool = True
    unresolved: str = "invalid address: '{host}' in '{text}'"
    any_name: bool = False


BIND: Final = AddressUse(port_required=True, port_range=True, descriptor=True)
SERVER: Final = AddressUse(port_offset=True, unresolved="could not resolve address '{host}'", any_name=True)
DATAGRAM_BIND: Final = AddressUse(port_required=True, port_range=True, descriptor=True, datagram=True, stream=False)
LOG: Final = AddressUse(descriptor=True, datagram=True)
SOURCE: Final = AddressUse()
#: The `source` of a server, which may name a range of local ports.
SERVER_SOURCE: Final = AddressUse(port_range=True)
DISPATCH: Final = AddressUse(port_required=True)

_PREFIX: Final = re.compile(
    r"(?P<type>stream\+|dgram\+)?(?P<family>ipv4|ipv6|ip|unix|uxst|uxdg|abns|fd|sockpair"
    r"|udp4|udp6|udp|tcp4|tcp6|tcp|quic4|quic6)@",
)
_NAME: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?\Z")
_NUMERIC: Final = re.compile(r"[0-9.]+\Z")
#: An IPv4 address as most are written, which is what it stands for.
_PLAIN: Final = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!\Z)|\Z)){4}\Z")
#: The second port of a range, read as C's `atoi` does.
_LAST_PORT: Final = re.compile(r"[ \t-\r]*\+?([0-9]+)")
_LEADING_DIGITS: Final = re.compile(r"[0-9]*")

_UNIX_MAX: Final = 97
_ABNS_MAX: Final = 107
_PORT_MAX: Final = 65535


@lru_cache(maxsize=65536)
def parse_address(text: str, use: AddressUse = SERVER) -> Address:
    """Parse one address.

    Raises:
        GrammarError: in HAProxy's words; `offset` is the place in `text`.
    """
    if not text:
        raise GrammarError("'' resolves to an empty address (environment variable missing?)")
    prefix = _PREFIX.match(text)
    family = prefix["family"] if prefix is not None else ""
    rest = text[prefix.end() :] if prefix is not None else text
    start = len(text) - len(rest)
    datagram = family.startswith(("udp", "uxdg")) or (prefix is not None and prefix["type"] == "dgram+")
    if not family and rest.startswith("/"):
        family = "unix"
    if family in ("fd", "sockpair"):
        return _descriptor(text, rest, start, family, use)
    if family in ("unix", "uxst", "uxdg", "abns"):
        return _path(text, rest, start, family, datagram=datagram, use=use)
    address = _internet(text, rest, start, family, datagram=datagram, use=use)
    if datagram and not use.datagram:
        raise GrammarError(f"dgram-type address not acceptable in '{text}'")
    if not use.stream and (family.startswith("tcp") or (prefix is not None and prefix["type"] == "stream+")):
        raise GrammarError(f"stream-type address not acceptable in '{text}'")
    return address


def parse_addresses(text: str, use: AddressUse = BIND) -> tuple[Address, ...]:
    """Parse a comma-separated list, as `bind` takes it; a comma at the very end is let go.

    Raises:
        GrammarError: with `offset` counted in the whole list.
    """
    addresses: list[Address] = []
    position = 0
    parts = text.split(",")
    if len(parts) > 1 and not parts[-1]:
        parts.pop()
    for part in parts:
        try:
            addresses.append(parse_address(part, use))
        except GrammarError as error:
            raise GrammarError(error.message, position + error.offset) from None
        position += len(part) + 1
    return tuple(addresses)


def _descriptor(text: str, rest: str, start: int, family: str, use: AddressUse) -> Address:
    """`fd@3`, `sockpair@4`."""
    if not rest.isascii() or not rest.isdecimal():
        raise GrammarError(f"file descriptor '{rest}' is not a valid integer in '{text}'", start)
    if family == "fd" and not use.descriptor:
        raise GrammarError(f"a file descriptor is not acceptable here in '{text}'", start)
    return Address("fd", rest, protocol="sockpair" if family == "sockpair" else "")


def _path(text: str, rest: str, start: int, family: str, *, datagram: bool, use: AddressUse) -> Address:
    """UNIX sockets, with a file or in the abstract name space."""
    if datagram and not use.datagram:
        raise GrammarError(f"dgram-type address not acceptable in '{text}'")
    if not use.unix:
        raise GrammarError("TCP not supported for this address family")
    longest = _ABNS_MAX if family == "abns" else _UNIX_MAX
    if len(rest.encode("utf-8", "surrogateescape")) > longest:
        raise GrammarError(f"socket path '{text}' too long (max {longest})", start)
    return Address("abns" if family == "abns" else "unix", rest, datagram=datagram)


def _internet(text: str, rest: str, start: int, family: str, *, datagram: bool, use: AddressUse) -> Address:
    """IP addresses and host names with their port."""
    host, colon, port_text = rest.rpartition(":")
    if not colon or "]" in port_text:
        host, colon, port_text = rest, "", ""
    place = len(text) - len(port_text)
    low, high, mapped = _port(text, port_text, place, use) if port_text else (None, None, False)
    if low is None and use.port_required:
        raise GrammarError(f"missing port specification in '{text}'", len(text))
    kind, host = _host(text, host, start, family, use)
    protocol = family if kind == "name" and family in ("ipv4", "ipv6") else ""
    if family.startswith("quic"):
        number = 2 if family == "quic4" else 10
        raise GrammarError(
            f"unsupported stream protocol for datagram family {number} address '{text}'; "
            "QUIC is not compiled in if this is what you were looking for.",
        )
    if use.port_offset and low in (None, 0) and not mapped:
        return Address(kind, host, port_offset=True, datagram=datagram, protocol=protocol)
    return Address(kind, host, low, high, port_offset=mapped, datagram=datagram, protocol=protocol)


def _port(text: str, port: str, place: int, use: AddressUse) -> tuple[int | None, int | None, bool]:
    """First port, last port, and whether it is an offset to the client's."""
    if port[0] in "+-":
        if not use.port_offset:
            raise GrammarError(f"port offset not permitted here in '{text}'", place)
        digits = _LEADING_DIGITS.match(port, 1)
        assert digits is not None
        value = wrapped(digits[0])  # any number: what comes out counts modulo 65536
        return (-value if port[0] == "-" else value), None, True
    if not port[0].isascii() or not port[0].isdecimal():
        raise GrammarError(f"invalid character '{port[0]}' in port number '{port}' in '{text}'", place)
    first, dash, last = port.partition("-")
    if dash and not use.port_range:
        raise GrammarError(f"port range not permitted here in '{text}'", place)
    digits = _LEADING_DIGITS.match(first)
    assert digits is not None
    low = _number(digits[0], place, allow_zero=not use.port_required)
    high = low
    if dash:
        digits = _LAST_PORT.match(last)
        if digits is None:
            raise GrammarError(f"invalid port '{last}'", place)
        high = _number(digits[1], place, allow_zero=False)
        if high < low:
            raise GrammarError(f"invalid port range '{port}'", place)
    return low, high, False


def is_host_name(host: str) -> bool:
    """Whether a resolver could know it."""
    return _NAME.match(host) is not None and _NUMERIC.match(host) is None


def _number(digits: str, place: int, *, allow_zero: bool) -> int:
    value = wrapped(digits)
    if not 0 <= value <= _PORT_MAX or (value == 0 and not allow_zero):
        raise GrammarError(f"invalid port '{digits}'", place)
    return value


def _host(text: str, host: str, start: int, family: str, use: AddressUse) -> tuple[str, str]:
    """The family and the host without brackets."""
    only4 = family in ("ipv4", "udp4", "tcp4", "quic4")
    only6 = family in ("ipv6", "udp6", "tcp6", "quic6")
    if host in ("", "*"):
        if only6:
            return "ipv6", "::"
        return ("ipv4", "0.0.0.0") if only4 else ("any", "")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if ":" in bare and not only4:
        try:
            return "ipv6", str(ipaddress.IPv6Address(bare))
        except ValueError:
            pass
    elif bare == host and _PLAIN.match(host) and not only6:
        return "ipv4", host
    elif bare == host and _NUMERIC.match(host) and not only6:
        found = network(host)
        if found is not None:
            return "ipv4", str(ipaddress.IPv4Address(found.address))
    elif bare == host and is_host_name(host):
        return "name", host
    if use.any_name:
        return "name", host
    raise GrammarError(use.unresolved.format(host=host, text=text), start)

"""Fetches on the request line and its target (configuration manual, 7.3.6)."""

from __future__ import annotations

import ipaddress
import re
import struct
from typing import TYPE_CHECKING, Final

from hapy.samples import hashes, targets
from hapy.samples.environment import CompileEnv
from hapy.samples.fetches.addresses import source_address
from hapy.samples.headers import parameters
from hapy.samples.registry import Args, Fetch, Getter, fetch
from hapy.samples.types import Binary, Result, four_numbers, parse_field_int

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.proxy.transaction import Transaction
    from hapy.samples.types import Value


@fetch("path", type="str")
def _path(args: Args, env: CompileEnv) -> Getter:
    def path(txn: Transaction) -> Result:
        request = txn.request
        if request is None:
            return None
        target = request.target
        if target[:1] == b"/":
            return target.partition(b"?")[0] if b"?" in target else target
        return targets.path(target)

    return path


@fetch("pathq", type="str")
def _pathq(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: None if txn.request is None else targets.path_and_query(txn.request.target)


@fetch("query", type="str")
def _query(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: None if txn.request is None else targets.query(txn.request.target)


@fetch("url", type="str")
def _url(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: None if txn.request is None else txn.request.target


#: An address behind `http://` or `https://`, whatever stands behind it but a dot; digits behind a colon are its port.
_LITERAL: Final = re.compile(
    rb"(http|https)://(?P<a>\d+)\.(?P<b>\d+)\.(?P<c>\d+)\.(?P<d>\d+)(?![\d.])(?::(?=[^/])(?P<port>\d*))?", re.IGNORECASE
)


def _literal_authority(txn: Transaction) -> tuple[ipaddress.IPv4Address, int] | None:
    """Address and port of a URL whose host is an IPv4 address, read as HAProxy does: a port's upper bits are lost."""
    match = None if txn.request is None else _LITERAL.match(txn.request.target)
    address = four_numbers(match)
    if match is None or address is None:
        return None
    port = match["port"]
    default = 80 if len(match[1]) == 4 else 443
    return address, default if port is None else int(port or b"0") & 0xFFFF


@fetch("url_ip", type="ipv4")
def _url_ip(args: Args, env: CompileEnv) -> Getter:
    def url_ip(txn: Transaction) -> Result:
        found = _literal_authority(txn)
        return found[0] if found else None

    return url_ip


@fetch("url_port", type="sint")
def _url_port(args: Args, env: CompileEnv) -> Getter:
    def url_port(txn: Transaction) -> Result:
        found = _literal_authority(txn)
        return found[1] if found else None

    return url_port


def _host(txn: Transaction) -> bytes:
    """The first Host value, empty without one."""
    assert txn.request is not None
    for key, value in txn.request.headers:
        if key == b"host":
            return value
    return b""


def _joined(part: Callable[[bytes], bytes | None]) -> Getter:
    """Host and a part of the target as one text; None when both are empty."""

    def joined(txn: Transaction) -> Result:
        if txn.request is None:
            return None
        return (_host(txn) + (part(txn.request.target) or b"")) or None

    return joined


base = _joined(targets.path)
baseq = _joined(targets.path_and_query)


@fetch("base", type="str")
def _base(args: Args, env: CompileEnv) -> Getter:
    return base


@fetch("baseq", type="str")
def _baseq(args: Args, env: CompileEnv) -> Getter:
    return baseq


def _hashed(text: Getter) -> Getter:
    """The hash of a text; that of an empty one where there is none."""

    def hashed(txn: Transaction) -> Result:
        value = text(txn)
        if txn.request is None:
            return None
        return hashes.avalanche(hashes.sdbm(value if isinstance(value, bytes) else b""))

    return hashed


def _with_source(number: Getter) -> Getter:
    """The 32-bit hash followed by the client's address, as binary."""

    def joined(txn: Transaction) -> Result:
        value, address = number(txn), source_address(txn)
        if not isinstance(value, int) or address is None:
            return None
        return Binary(struct.pack(">I", value) + address.packed)

    return joined


@fetch("base32", type="sint")
def _base32(args: Args, env: CompileEnv) -> Getter:
    return _hashed(base)


@fetch("url32", type="sint")
def _url32(args: Args, env: CompileEnv) -> Getter:
    return _hashed(baseq)


@fetch("base32+src", type="bin")
def _base32_src(args: Args, env: CompileEnv) -> Getter:
    return _with_source(_hashed(base))


@fetch("url32+src", type="bin")
def _url32_src(args: Args, env: CompileEnv) -> Getter:
    return _with_source(_hashed(baseq))


#: Methods that HAProxy knows by number: of these it tells the one that came, of others the one that rules have set.
_NUMBERED = frozenset({b"OPTIONS", b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"TRACE", b"CONNECT"})


@fetch("method", type="meth")
def _method(args: Args, env: CompileEnv) -> Getter:
    def method(txn: Transaction) -> Result:
        came = txn.method
        return came if came in _NUMBERED or txn.request is None else txn.request.method

    return method


def _parameters(args: Args) -> Callable[[Transaction], list[bytes]]:
    name = args.data(0) if args.given(0) else None
    delimiter = args.data(1, "?")[:1] or b"?"
    start = b"?" if delimiter == b"&" else delimiter
    ends = b";" + delimiter

    def found(txn: Transaction) -> list[bytes]:
        if txn.request is None:
            return []
        _, mark, query = txn.request.target.partition(start)
        return parameters(query, name, ends) if mark else []

    return found


def _first(lister: Callable[[Transaction], list[bytes]]) -> Getter:
    def first(txn: Transaction) -> Result:
        found = lister(txn)
        return found[0] if found else None

    return first


@fetch("urlp", "url_param", type="str")
def _urlp(args: Args, env: CompileEnv) -> Fetch:
    found = _parameters(args)
    return Fetch(_first(found), found)


@fetch("urlp_val", type="sint")
def _urlp_val(args: Args, env: CompileEnv) -> Fetch:
    found = _parameters(args)
    first = _first(found)

    def number(txn: Transaction) -> Result:
        value = first(txn)
        return parse_field_int(value) if isinstance(value, bytes) else None

    def numbers(txn: Transaction) -> list[Value]:
        return [parse_field_int(value) for value in found(txn)]

    return Fetch(number, numbers)

"""Fetches on the fields and the versions of requests and answers (configuration manual, 7.3.6)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from hapy.samples import headers
from hapy.samples.environment import CompileEnv
from hapy.samples.registry import Args, Fetch, Getter, fetch
from hapy.samples.types import Binary, Result, Value, four_numbers, parse_address, parse_field_int
from hapy_config.grammar.units import leading_integer

if TYPE_CHECKING:
    from hapy.http.message import Header
    from hapy.proxy.transaction import Transaction
    from hapy.samples.types import Address

Fields = Callable[["Transaction"], "list[Header]"]


def _written(version: int) -> bytes:
    return b"%d.%d" % divmod(version, 10)


def request_fields(txn: Transaction) -> list[Header]:
    """The request's fields, none where there is no request."""
    return [] if txn.request is None else txn.request.headers


def response_fields(txn: Transaction) -> list[Header]:
    """The answer's fields, none where there is no answer yet."""
    return [] if txn.response is None else txn.response.headers


def _fields(args: Args, env: CompileEnv) -> Fields:
    """Which message the fetch's name or the environment speaks of."""
    answers = args.name.startswith(("res.", "s")) or (env.response and args.name in ("hdr", "cookie"))
    return response_fields if answers else request_fields


def _name(args: Args) -> bytes | None:
    """The field's name in lower case, None for any."""
    return args.data(0).lower() if args.given(0) else None


def _nth(fields: Fields, name: bytes | None, occurrence: int, *, whole: bool) -> Getter:
    """The callable for one occurrence of a field; the usual cases have their own."""
    take = headers.lines if whole else headers.values
    if name is None or occurrence not in (0, -1):
        return lambda txn: headers.nth(take(fields(txn), name), occurrence)
    wanted = name
    if not whole:
        return lambda txn: headers.last_value(fields(txn), wanted)

    def last_line(txn: Transaction) -> Result:
        for key, value in reversed(fields(txn)):
            if key == wanted:
                return value
        return None

    return last_line


def _some(args: Args, env: CompileEnv, *, whole: bool) -> tuple[Getter, Callable[[Transaction], list[bytes]]]:
    """One occurrence, and all that an ACL tries: all of them unless the expression names an occurrence."""
    fields, name = _fields(args, env), _name(args)
    occurrence = args.integer(1, 0)
    one = _nth(fields, name, occurrence, whole=whole)
    take = headers.lines if whole else headers.values
    if args.given(1):

        def listed(txn: Transaction) -> list[bytes]:
            value = one(txn)
            return [value] if isinstance(value, bytes) else []

        return one, listed
    if whole or name is None:
        return one, lambda txn: take(fields(txn), name)

    def values(txn: Transaction) -> list[bytes]:
        found = [value for key, value in fields(txn) if key == name]
        if len(found) == 1 and b"," not in found[0]:
            return found
        return [part for value in found for part in headers.split_values(value)]

    return one, values


@fetch("req.hdr", "res.hdr", "hdr", "shdr", type="str")
def _hdr(args: Args, env: CompileEnv) -> Fetch:
    if not len(args):
        return Fetch(lambda txn: None)
    return Fetch(*_some(args, env, whole=False))


@fetch("req.fhdr", "res.fhdr", type="str")
def _fhdr(args: Args, env: CompileEnv) -> Fetch:
    if not len(args):
        return Fetch(lambda txn: None)
    return Fetch(*_some(args, env, whole=True))


@fetch("req.hdr_cnt", "res.hdr_cnt", "hdr_cnt", "shdr_cnt", type="sint")
def _hdr_cnt(args: Args, env: CompileEnv) -> Getter:
    fields, name = _fields(args, env), _name(args)
    return lambda txn: len(headers.values(fields(txn), name))


@fetch("req.fhdr_cnt", "res.fhdr_cnt", type="sint")
def _fhdr_cnt(args: Args, env: CompileEnv) -> Getter:
    fields, name = _fields(args, env), _name(args)
    return lambda txn: len(headers.lines(fields(txn), name))


@fetch("req.hdr_val", "res.hdr_val", "hdr_val", "shdr_val", type="sint")
def _hdr_val(args: Args, env: CompileEnv) -> Fetch:
    one, many = _some(args, env, whole=False)

    def number(txn: Transaction) -> Result:
        value = one(txn)
        return parse_field_int(value) if isinstance(value, bytes) else None

    return Fetch(number, lambda txn: [parse_field_int(value) for value in many(txn)])


#: An IPv4 address and its port.
_FORWARDED: Final = re.compile(rb"(?P<a>\d+)\.(?P<b>\d+)\.(?P<c>\d+)\.(?P<d>\d+)(?::(?P<port>\d+))?")


def parse_forwarded(text: bytes) -> Address | None:
    """An address as `X-Forwarded-For` writes it: IPv4 with or without a port, IPv6 without."""
    match = _FORWARDED.fullmatch(text)
    if match is None:
        return parse_address(text)
    return four_numbers(match) if int(match["port"] or b"0") < 65536 else None


@fetch("req.hdr_ip", "res.hdr_ip", "hdr_ip", "shdr_ip", type="addr")
def _hdr_ip(args: Args, env: CompileEnv) -> Fetch:
    one, many = _some(args, env, whole=False)

    def address(txn: Transaction) -> Result:
        value = one(txn)
        return parse_forwarded(value) if isinstance(value, bytes) else None

    def addresses(txn: Transaction) -> list[Value]:
        return [found for value in many(txn) if (found := parse_forwarded(value)) is not None]

    return Fetch(address, addresses)


@fetch("req.hdr_names", "res.hdr_names", type="str")
def _hdr_names(args: Args, env: CompileEnv) -> Getter:
    fields = _fields(args, env)
    delimiter = args.data(0)[:1] if args.given(0) else b","
    return lambda txn: delimiter.join(key for key, _ in fields(txn))


def _head(args: Args, env: CompileEnv) -> tuple[Fields, Callable[[Transaction], bool]]:
    if args.name.startswith("res."):
        return response_fields, lambda txn: txn.response is not None
    return request_fields, lambda txn: txn.request is not None


@fetch("req.hdrs", "res.hdrs", type="bin")
def _hdrs(args: Args, env: CompileEnv) -> Getter:
    fields, there = _head(args, env)

    def text(txn: Transaction) -> Result:
        if not there(txn):
            return None
        return Binary(b"".join([key + b": " + value + b"\r\n" for key, value in fields(txn)]) + b"\r\n")

    return text


def varint(number: int) -> bytes:
    """An integer in the encoding of SPOE and the peers protocol (spoe manual, 3.1)."""
    if number < 240:
        return bytes((number,))
    out = [(number & 0xFF) | 240]
    number = (number - 240) >> 4
    while number >= 128:
        out.append((number & 0xFF) | 128)
        number = (number - 128) >> 7
    return bytes((*out, number))


@fetch("req.hdrs_bin", "res.hdrs_bin", type="bin")
def _hdrs_bin(args: Args, env: CompileEnv) -> Getter:
    fields, there = _head(args, env)

    def text(txn: Transaction) -> Result:
        if not there(txn):
            return None
        parts = [varint(len(key)) + key + varint(len(value)) + value for key, value in fields(txn)]
        return Binary(b"".join(parts) + b"\0\0")

    return text


def _cookies(args: Args, env: CompileEnv) -> Callable[[Transaction], list[bytes]]:
    fields = _fields(args, env)
    name = args.data(0) if args.given(0) else None
    if fields is response_fields:
        return lambda txn: headers.set_cookies(fields(txn), name)
    return lambda txn: headers.cookies(fields(txn), name)


def _one_cookie(args: Args, env: CompileEnv) -> tuple[Getter, Callable[[Transaction], list[bytes]]]:
    found = _cookies(args, env)
    which = -1 if args.given(0) else 0

    def one(txn: Transaction) -> Result:
        items = found(txn)
        return items[which] if items else None

    return one, found


@fetch("req.cook", "res.cook", "cook", "scook", "cookie", type="str")
def _cook(args: Args, env: CompileEnv) -> Fetch:
    return Fetch(*_one_cookie(args, env))


@fetch("req.cook_cnt", "res.cook_cnt", "cook_cnt", "scook_cnt", type="sint")
def _cook_cnt(args: Args, env: CompileEnv) -> Getter:
    found = _cookies(args, env)
    return lambda txn: len(found(txn))


@fetch("req.cook_val", "res.cook_val", "cook_val", "scook_val", type="sint")
def _cook_val(args: Args, env: CompileEnv) -> Fetch:
    one, many = _one_cookie(args, env)

    def number(txn: Transaction) -> Result:
        value = one(txn)
        return parse_field_int(value) if isinstance(value, bytes) else None

    return Fetch(number, lambda txn: [parse_field_int(value) for value in many(txn)])


@fetch("req.ver", "req_ver", type="str")
def _req_ver(args: Args, env: CompileEnv) -> Getter:
    def version(txn: Transaction) -> Result:
        if txn.request is None:
            return None
        content = txn.inspection
        if content is not None and content.raw:
            return _version_word(txn.body or b"")
        return _written(txn.request.version)

    return version


def _version_word(data: bytes) -> bytes | None:
    """The version in a request line that is only looked at, where any word may be one; without one it is HTTP/1.0."""
    line = data.lstrip(b"\r\n").partition(b"\n")[0].split()
    return line[2].partition(b"/")[2] or None if len(line) > 2 else b"1.0"


@fetch("res.ver", "resp_ver", type="str")
def _res_ver(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: None if txn.response is None else _written(txn.response.version)


@fetch("status", type="sint")
def _status(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: None if txn.response is None else txn.response.status


@fetch("http_first_req", type="bool")
def _http_first_req(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: txn.client.requests <= 1


@fetch("req.proto_http", "req_proto_http", type="bool")
def _req_proto_http(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: True if txn.request is not None else None


@fetch("capture.req.method", type="str")
def _capture_method(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: txn.method or None


@fetch("capture.req.uri", type="str")
def _capture_uri(args: Args, env: CompileEnv) -> Getter:
    """The request's URI as received and as far as logs keep it, from its first slash on; None without one."""
    from hapy.samples.targets import LINE_LENGTH, kept, path_and_query

    length = leading_integer(str(env.config.global_.tune.get("http.logurilen", LINE_LENGTH)))
    return lambda txn: path_and_query(kept(txn.uri, txn.method, length))


@fetch("capture.req.ver", type="str")
def _capture_req_ver(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: (b"HTTP/1.0" if txn.version <= 10 else b"HTTP/1.1") if txn.method else None


@fetch("capture.res.ver", type="str")
def _capture_res_ver(args: Args, env: CompileEnv) -> Getter:
    def version(txn: Transaction) -> Result:
        if txn.response is None:
            return None
        return b"HTTP/1.0" if txn.response.version <= 10 else b"HTTP/1.1"

    return version


@fetch("capture.req.hdr", type="str")
def _capture_req_hdr(args: Args, env: CompileEnv) -> Getter:
    slot = args.integer(0)

    def captured(txn: Transaction) -> Result:
        slots = txn.request_captures
        return slots[slot] if slots is not None and 0 <= slot < len(slots) else None

    return captured


@fetch("capture.res.hdr", type="str")
def _capture_res_hdr(args: Args, env: CompileEnv) -> Getter:
    slot = args.integer(0)

    def captured(txn: Transaction) -> Result:
        slots = txn.response_captures
        return slots[slot] if slots is not None and 0 <= slot < len(slots) else None

    return captured

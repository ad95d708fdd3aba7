"""Fetches on message bodies, as far as they are buffered (configuration manual, 7.3.5 and 7.3.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.samples.environment import CompileEnv
from hapy.samples.headers import parameters
from hapy.samples.registry import Args, Fetch, Getter, fetch
from hapy.samples.types import Binary, Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.proxy.transaction import Transaction


@fetch("req.body", type="bin")
def _body(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: None if txn.request is None else Binary(txn.body or b"")


@fetch("req.body_len", type="sint")
def _body_len(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: None if txn.request is None else len(txn.body or b"")


@fetch("req.body_size", type="sint")
def _body_size(args: Args, env: CompileEnv) -> Getter:
    def size(txn: Transaction) -> Result:
        if txn.request is None:
            return None
        return txn.request.body if txn.request.body >= 0 else len(txn.body or b"")

    return size


@fetch("res.body_size", type="sint")
def _res_body_size(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: None if txn.response is None else max(txn.response.body, 0)


@fetch("req.body_param", type="bin")
def _body_param(args: Args, env: CompileEnv) -> Fetch:
    name = args.data(0) if args.given(0) else None

    def found(txn: Transaction) -> list[bytes]:
        return parameters(txn.body, name, b"") if txn.body else []

    def first(txn: Transaction) -> Result:
        values = found(txn)
        return values[0] if values else None

    return Fetch(first, found)


def _available(args: Args) -> Callable[[Transaction], bytes | None]:
    """The bytes that content inspection sees: in HTTP the buffered body, in TCP what the client has sent so far."""
    return lambda txn: txn.body


@fetch("req.len", type="sint")
def _len(args: Args, env: CompileEnv) -> Getter:
    available = _available(args)

    def length(txn: Transaction) -> Result:
        data = available(txn)
        return None if data is None else len(data)

    return length


@fetch("req.payload", "payload", type="bin")
def _payload(args: Args, env: CompileEnv) -> Getter:
    offset, length = args.integer(0), args.integer(1)
    if offset < 0 or length < 0:
        raise args.error("offset and length must not be negative")
    available = _available(args)

    def payload(txn: Transaction) -> Result:
        data = available(txn)
        if data is None or offset > len(data) or (length and offset + length > len(data)):
            return None
        return Binary(data[offset : offset + length] if length else data[offset:])

    return payload


@fetch("req.payload_lv", "payload_lv", type="bin")
def _payload_lv(args: Args, env: CompileEnv) -> Getter:
    offset, size = args.integer(0), args.integer(1)
    text = args.string(2, "")
    relative = text[:1] in ("+", "-")
    start = int(text) if text else 0
    if offset < 0 or size < 1:
        raise args.error("needs an offset and the size of a length field")
    begin = offset + size + start if relative or not text else start
    if begin < 0:
        raise args.error("the payload can't begin before the data")
    available = _available(args)

    def payload(txn: Transaction) -> Result:
        data = available(txn)
        if data is None or len(data) < offset + size:
            return None
        length = int.from_bytes(data[offset : offset + size], "big")
        if begin + length > len(data):
            return None
        return Binary(data[begin : begin + length])

    return payload

"""Fetches on the bytes that pass: how many, and pieces of them (configuration manual, 7.3.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.samples.content import answered, message_size, sent, undecided
from hapy.samples.environment import CompileEnv
from hapy.samples.registry import Args, Getter, fetch
from hapy.samples.types import Binary, Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.proxy.transaction import Transaction

    Bytes = Callable[[Transaction], bytes | None]


def _available(args: Args, env: CompileEnv) -> Bytes:
    """Whose bytes the fetch's name, or else the place, speaks of."""
    if args.name.startswith("res.") or (env.response and not args.name.startswith("req")):
        return answered
    return sent


@fetch("wait_end", type="bool")
def _wait_end(args: Args, env: CompileEnv) -> Getter:
    def wait_end(txn: Transaction) -> Result:
        content = txn.inspection
        if content is None or content.final:
            return True
        content.undecided = True
        return None

    return wait_end


@fetch("req.len", "req_len", type="sint")
def _req_len(args: Args, env: CompileEnv) -> Getter:
    def length(txn: Transaction) -> Result:
        undecided(txn)
        data = sent(txn)
        if data is not None:
            return len(data)
        request = txn.request
        if request is None:
            return None
        return message_size(request, txn.body) + len(request.method) + len(request.target)

    return length


@fetch("res.len", type="sint")
def _res_len(args: Args, env: CompileEnv) -> Getter:
    def length(txn: Transaction) -> Result:
        undecided(txn)
        content, response = txn.inspection, txn.response
        if content is not None and content.raw:
            return len(content.answer)
        if response is None:
            return None if content is None else 0  # nothing of it has come yet
        return message_size(response, content.answer if content is not None else None) + 3 + len(response.reason)

    return length


@fetch("req.payload", "res.payload", "payload", type="bin")
def _payload(args: Args, env: CompileEnv) -> Getter:
    offset, length = args.integer(0), args.integer(1)
    if offset < 0 or length < 0:
        raise args.error("offset and length must not be negative")
    available = _available(args, env)
    if offset + length > env.process.bufsize:  # more than can ever be there at once
        return lambda txn: None

    def payload(txn: Transaction) -> Result:
        data = available(txn)
        if data is None:
            return None
        if len(data) < offset + length:
            undecided(txn)
            return None
        if length:
            return Binary(data[offset : offset + length])
        undecided(txn)
        return Binary(data[offset:])

    return payload


@fetch("req.payload_lv", "res.payload_lv", "payload_lv", type="bin")
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
    available = _available(args, env)
    most = env.process.bufsize

    def payload(txn: Transaction) -> Result:
        data = available(txn)
        if data is None:
            return None
        if len(data) >= offset + size:
            length = int.from_bytes(data[offset : offset + size], "big")
            if begin + length <= len(data):
                return Binary(data[begin : begin + length]) if length else None
            if begin + length > most:
                return None
        undecided(txn)
        return None

    return payload

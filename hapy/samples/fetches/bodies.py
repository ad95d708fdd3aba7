"""Fetches on message bodies, as far as they are buffered (configuration manual, 7.3.5 and 7.3.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.samples.environment import CompileEnv
from hapy.samples.headers import parameters
from hapy.samples.registry import Args, Fetch, Getter, fetch
from hapy.samples.types import Binary, Result

if TYPE_CHECKING:
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


def _answer_body(txn: Transaction) -> bytes | None:
    """What has come of the answer's body: of a server's while rules look at it, or of the answer to an HTTP check."""
    if txn.answer_pieces is not None:
        return b"".join(txn.answer_pieces)
    content = txn.inspection
    return None if content is None or content.raw else content.answer


@fetch("res.body", type="bin")
def _res_body(args: Args, env: CompileEnv) -> Getter:
    def body(txn: Transaction) -> Result:
        found = _answer_body(txn)
        return None if found is None else Binary(found)

    return body


@fetch("res.body_len", type="sint")
def _res_body_len(args: Args, env: CompileEnv) -> Getter:
    def length(txn: Transaction) -> Result:
        found = _answer_body(txn)
        return None if found is None else len(found)

    return length


@fetch("res.body_size", type="sint")
def _res_body_size(args: Args, env: CompileEnv) -> Getter:
    def size(txn: Transaction) -> Result:
        if txn.response is None:
            return None
        return txn.response.body if txn.response.body >= 0 else len(_answer_body(txn) or b"")

    return size


@fetch("req.body_param", type="bin")
def _body_param(args: Args, env: CompileEnv) -> Fetch:
    name = args.data(0) if args.given(0) else None

    def found(txn: Transaction) -> list[bytes]:
        return parameters(txn.body, name, b"") if txn.body else []

    def first(txn: Transaction) -> Result:
        values = found(txn)
        return values[0] if values else None

    return Fetch(first, found)

"""JSON Web Tokens: their parts read, HMAC signatures checked (configuration manual, 7.3.1; RFC 7515)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from hapy.samples import variables
from hapy.samples.converters.binary import decode_url64
from hapy.samples.environment import CompileEnv
from hapy.samples.json_path import query
from hapy.samples.registry import Args, Converter, TxnConverter, converter
from hapy.samples.types import Binary, Result, Value, to_string

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction

_HMACS: Final = {b"HS256": "sha256", b"HS384": "sha384", b"HS512": "sha512"}
_PSS: Final = frozenset({b"PS256", b"PS384", b"PS512"})
_SIGNED: Final = frozenset({b"RS256", b"RS384", b"RS512", b"ES256", b"ES384", b"ES512"})

VERIFIED, FAILED, UNKNOWN_ALGORITHM, UNMANAGED_ALGORITHM, INVALID_TOKEN, UNKNOWN_CERTIFICATE = 1, 0, -1, -2, -3, -5


def _part(args: Args, index: int) -> Converter:
    """The decoded part of a token, or what a JSON query finds in it."""
    find = query(args.string(0), args.string(1, "")) if args.given(0) else None

    def read(value: Value) -> Result:
        assert isinstance(value, bytes)
        parts = value.split(b".")
        if not 2 <= len(parts) <= 3:
            return None
        decoded = decode_url64(parts[index])
        if decoded is None:
            return None
        return find(decoded) if find is not None else Binary(decoded)

    return read


@converter("jwt_header_query", takes="bin", gives="any")
def _header_query(args: Args, env: CompileEnv) -> Converter:
    return _part(args, 0)


@converter("jwt_payload_query", takes="bin", gives="any")
def _payload_query(args: Args, env: CompileEnv) -> Converter:
    return _part(args, 1)


@converter("jwt_verify", takes="bin", gives="sint", transaction=True)
def _verify(args: Args, env: CompileEnv) -> TxnConverter:
    algorithm, key = _value(args, 0, env), _value(args, 1, env)

    def verify(value: Value, txn: Transaction) -> Result:
        assert isinstance(value, bytes)
        name, secret = algorithm(txn), key(txn)
        if name is None or secret is None:
            return None
        return check(value, name, secret)

    constant = args.data(0)
    if constant in _SIGNED:
        raise args.error(f"{args.string(0)} signatures are not checked by hapy; only HS256, HS384 and HS512 are")
    return verify


def _value(args: Args, index: int, env: CompileEnv) -> _Read:
    """A constant, or a variable's text."""
    text = args.string(index)
    if variables.is_name(text):
        read = variables.reader(text, env)

        def variable(txn: Transaction) -> bytes | None:
            found = read(txn)
            return None if found is None else to_string(found)

        return variable
    constant = args.data(index)
    return lambda txn: constant


def check(token: bytes, algorithm: bytes, secret: bytes) -> int:
    """HAProxy's verdict on a token: 1 verified, 0 not, negative for what can't be checked."""
    if algorithm in _PSS:
        return UNMANAGED_ALGORITHM
    if algorithm in _SIGNED:
        return UNKNOWN_CERTIFICATE
    signed, _, signature = token.rpartition(b".")
    if algorithm == b"none":
        return VERIFIED if not signature and signed.count(b".") == 1 else INVALID_TOKEN
    digest = _HMACS.get(algorithm)
    if digest is None:
        return UNKNOWN_ALGORITHM
    if signed.count(b".") != 1:
        return INVALID_TOKEN
    decoded = decode_url64(signature)
    if decoded is None:
        return INVALID_TOKEN
    return VERIFIED if hmac.compare_digest(hmac.new(secret, signed, digest).digest(), decoded) else FAILED


if TYPE_CHECKING:
    from collections.abc import Callable

    _Read = Callable[[Transaction], bytes | None]

"""Cryptographic digests (configuration manual, 7.3.1)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from hapy.samples import variables
from hapy.samples.casts import to_binary
from hapy.samples.environment import CompileEnv
from hapy.samples.registry import Args, Converter, TxnConverter, converter
from hapy.samples.types import Binary, Result, Value

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction


#: Digests of any length, and how many bytes OpenSSL takes of them. It makes no HMAC of these.
_OF_ANY_LENGTH: Final = {"shake_128": 16, "shake_256": 32}


def _algorithm(args: Args, index: int) -> str:
    """The name of a digest that this system's OpenSSL knows."""
    name = args.string(index).lower().replace("rsa-", "")
    try:
        hashlib.new(name, usedforsecurity=False)
    except (TypeError, ValueError):
        raise args.error(f"unsupported digest {args.string(index)!r}") from None
    return {"shake128": "shake_128", "shake256": "shake_256"}.get(name, name)


@converter("sha1", takes="bin", gives="bin")
def _sha1(args: Args, env: CompileEnv) -> Converter:
    return lambda value: Binary(hashlib.sha1(value, usedforsecurity=False).digest())  # type: ignore[arg-type]


@converter("sha2", takes="bin", gives="bin")
def _sha2(args: Args, env: CompileEnv) -> Converter:
    bits = args.integer(0, 256)
    if bits not in (224, 256, 384, 512):
        raise args.error(f"unsupported number of bits: {bits}")
    name = f"sha{bits}"
    return lambda value: Binary(hashlib.new(name, value).digest())  # type: ignore[arg-type]


@converter("digest", takes="bin", gives="bin")
def _digest(args: Args, env: CompileEnv) -> Converter:
    name = _algorithm(args, 0)
    size = _OF_ANY_LENGTH.get(name)
    if size is not None:
        shake = getattr(hashlib, name)
        return lambda value: Binary(shake(value).digest(size))
    return lambda value: Binary(hashlib.new(name, value, usedforsecurity=False).digest())  # type: ignore[arg-type]


@converter("hmac", takes="bin", gives="bin", transaction=True)
def _hmac(args: Args, env: CompileEnv) -> TxnConverter:
    name, text = _algorithm(args, 0), args.string(1)
    if name in _OF_ANY_LENGTH:
        return lambda value, txn: None
    read = variables.reader(text, env) if variables.is_name(text) else None
    constant = None
    if read is None:
        try:
            constant = base64.b64decode(args.data(1), validate=True)
        except binascii.Error:
            raise args.error("the key must be base64 or a variable's name") from None

    def signed(value: Value, txn: Transaction) -> Result:
        key = constant
        if read is not None:
            found = read(txn)
            if not isinstance(found, bytes):
                return None
            try:
                key = base64.b64decode(found, validate=True)
            except binascii.Error:
                return None
        assert isinstance(value, bytes)
        return Binary(hmac.new(key or b"", value, name).digest())

    return signed


@converter("secure_memcmp", takes="bin", gives="bool", transaction=True)
def _secure_memcmp(args: Args, env: CompileEnv) -> TxnConverter:
    read = variables.reader(args.string(0), env)

    def equal(value: Value, txn: Transaction) -> Result:
        found = read(txn)
        if found is None:
            return None
        other = to_binary(found)
        assert isinstance(value, bytes)
        assert isinstance(other, bytes)
        return hmac.compare_digest(value, other)

    return equal

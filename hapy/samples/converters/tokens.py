"""JSON Web Tokens: their parts read, their signatures checked (configuration manual, 7.3.1; RFC 7515, 7518).

Signatures of RS and ES algorithms are checked with public keys in PEM form. The files are read at the start, one for
each constant key that some `jwt_verify` names; a key from a variable must be among them. What holds no public key,
a certificate included, is unknown, as in HAProxy 2.6.
"""

from __future__ import annotations

import contextlib
import hmac
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hapy.samples import variables
from hapy.samples.converters.binary import decode_url64
from hapy.samples.environment import CompileEnv
from hapy.samples.json_path import query
from hapy.samples.registry import Args, Converter, TxnConverter, converter
from hapy.samples.types import Binary, Result, Value, to_string
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction

_HMACS: Final = {b"HS256": "sha256", b"HS384": "sha384", b"HS512": "sha512"}
_PSS: Final = frozenset({b"PS256", b"PS384", b"PS512"})
_SIGNED: Final = frozenset({b"RS256", b"RS384", b"RS512", b"ES256", b"ES384", b"ES512"})
_ALGORITHMS: Final = frozenset({*_HMACS, *_PSS, *_SIGNED, b"none"})
#: The public keys by the names of their files.
_KEYS: Final[dict[bytes, object]] = {}

_PUBLIC_KEY: Final = re.compile(rb"-----BEGIN (RSA )?PUBLIC KEY-----.*?-----END (RSA )?PUBLIC KEY-----", re.DOTALL)

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

    name = args.string(1)
    if args.data(0) not in (*_HMACS, b"none") and not variables.is_name(name):
        _load(name)
    return verify


def _load(name: str) -> None:
    """Read the public key in a file; there is none where that fails."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        text = Path(name).read_bytes()
    except OSError:
        return
    found = _PUBLIC_KEY.search(text)
    if found is not None:
        with contextlib.suppress(ValueError, UnsupportedAlgorithm):
            _KEYS[to_bytes(name)] = load_pem_public_key(found[0])


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
    if algorithm not in _ALGORITHMS:
        return UNKNOWN_ALGORITHM
    parts = token.split(b".")
    if not 2 <= len(parts) <= 3:
        return INVALID_TOKEN
    encoded = parts[2] if len(parts) > 2 else b""
    if algorithm == b"none":
        return FAILED if encoded else VERIFIED
    signature = decode_url64(encoded) if encoded else None
    if not signature:
        return INVALID_TOKEN
    if algorithm in _PSS:
        return UNMANAGED_ALGORITHM
    signed = b".".join(parts[:2])
    digest = _HMACS.get(algorithm)
    if digest is None:
        return _check_signature(signed, algorithm, signature, _KEYS.get(secret))
    return VERIFIED if hmac.compare_digest(hmac.new(secret, signed, digest).digest(), signature) else FAILED


def _check_signature(signed: bytes, algorithm: bytes, signature: bytes, key: object) -> int:
    """Check a signature of an RS or ES algorithm; which of them only tells how the signature is written."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    if key is None:
        return UNKNOWN_CERTIFICATE
    if algorithm.startswith(b"ES"):  # the two numbers one behind the other
        half, odd = divmod(len(signature), 2)
        if odd:
            return INVALID_TOKEN
        signature = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
    digests: dict[bytes, hashes.HashAlgorithm] = {
        b"256": hashes.SHA256(), b"384": hashes.SHA384(), b"512": hashes.SHA512()
    }  # fmt: skip
    digest = digests[algorithm[2:]]
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(digest))
        else:
            return FAILED
    except InvalidSignature:
        return FAILED
    return VERIFIED


if TYPE_CHECKING:
    from collections.abc import Callable

    _Read = Callable[[Transaction], bytes | None]

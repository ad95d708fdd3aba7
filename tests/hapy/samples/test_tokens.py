"""Signatures of JSON Web Tokens; the verdicts are those that HAProxy 2.6 gave."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hapy.samples.converters import tokens

SIGNED = b"eyJhbGciOiJFUzI1NiJ9.eyJhIjoxfQ"


def token(signature: bytes) -> bytes:
    return SIGNED + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")


def written(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, path: Path) -> bytes:
    """The name of a file with the key, once it was read."""
    path.write_bytes(b"# a key\n" + key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    tokens._load(str(path))
    return str(path).encode()


def test_rsa(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    name = written(key.public_key(), tmp_path / "rsa.pem")
    signed = token(key.sign(SIGNED, padding.PKCS1v15(), SHA256()))
    assert tokens.check(signed, b"RS256", name) == 1
    assert tokens.check(signed, b"RS384", name) == 0
    assert tokens.check(signed, b"ES256", name) == 0
    assert tokens.check(signed[:-8] + b"AAAAAAAA", b"RS256", name) == 0
    assert tokens.check(signed, b"RS256", b"another file") == -5


def test_elliptic_curves(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = written(key.public_key(), tmp_path / "ec.pem")
    encoded = key.sign(SIGNED, ec.ECDSA(SHA256()))
    first, second = decode_dss_signature(encoded)
    signed = token(first.to_bytes(32) + second.to_bytes(32))
    assert tokens.check(signed, b"ES256", name) == 1
    assert tokens.check(signed, b"ES512", name) == 0
    assert tokens.check(signed, b"RS256", name) == 0
    assert tokens.check(token(encoded), b"RS256", name) == 1
    assert tokens.check(token(b"odd"), b"ES256", name) == -3
    assert tokens.check(token(b"odd"), b"ES256", b"another file") == -5


def test_no_public_key(tmp_path: Path) -> None:
    for content in (b"", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"):
        (tmp_path / "key.pem").write_bytes(content)
        tokens._load(str(tmp_path / "key.pem"))
    tokens._load(str(tmp_path / "missing.pem"))
    assert tokens.check(token(b"any"), b"RS256", str(tmp_path / "key.pem").encode()) == -5
    assert tokens.check(token(b"any"), b"RS256", str(tmp_path / "missing.pem").encode()) == -5


@pytest.mark.parametrize(
    ("given", "algorithm", "verdict"),
    [
        (b"a.b", b"none", 1),
        (b"a.b.", b"none", 1),
        (b"a.b.AAAA", b"none", 0),
        (b"x", b"none", -3),
        (b"a.b", b"HS256", -3),
        (b"a.b.", b"RS256", -3),
        (b"a.b.!!", b"HS256", -3),
        (b"a.b.AAAA", b"HS256", 0),
        (b"a.b.", b"PS256", -3),
        (b"a.b.AAAA", b"PS256", -2),
        (b"x", b"strange", -1),
        (b"x", b"HS256", -3),
    ],
)
def test_what_is_no_token(given: bytes, algorithm: bytes, verdict: int) -> None:
    assert tokens.check(given, algorithm, b"key") == verdict

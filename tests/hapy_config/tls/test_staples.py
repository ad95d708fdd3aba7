"""OCSP responses and issuers beside a certificate: which are sent, which left out with a warning, which refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import ocsp

import hapy_config

AUTHORITY, STRANGER = trustme.CA(), trustme.CA(organization_name="stranger")
LEAF = AUTHORITY.issue_cert("a.test")
KEY, PEM, ISSUER = LEAF.private_key_pem.bytes(), LEAF.cert_chain_pems[0].bytes(), AUTHORITY.cert_pem.bytes()
OTHER = STRANGER.cert_pem.bytes()
HOUR, GOOD = dt.timedelta(hours=1), ocsp.OCSPCertStatus.GOOD


def response(
    since: dt.timedelta = -HOUR,
    until: dt.timedelta | None = HOUR,
    status: ocsp.OCSPCertStatus = GOOD,
    algorithm: hashes.HashAlgorithm = hashes.SHA1(),  # noqa: B008
) -> bytes:
    now = dt.datetime.now(dt.UTC)
    issuer = x509.load_pem_x509_certificate(ISSUER)
    builder = ocsp.OCSPResponseBuilder().add_response(
        x509.load_pem_x509_certificate(PEM),
        issuer,
        algorithm,
        status,
        now + since,
        None if until is None else now + until,
        None,
        None,
    )
    key = load_pem_private_key(AUTHORITY.private_key_pem.bytes(), None)
    signed = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer).sign(key, hashes.SHA256())  # type: ignore[arg-type]
    return signed.public_bytes(Encoding.DER)


def read(folder: Path, **beside: bytes) -> hapy_config.Result:
    (folder / "a.pem").write_bytes(KEY + PEM + beside.pop("chain", b""))
    for kind, content in beside.items():
        (folder / f"a.pem.{kind}").write_bytes(content)
    return hapy_config.read_text(f"listen l\n mode tcp\n bind 127.0.0.1:1 ssl crt {folder}/a.pem\n")


RESPONSES = {
    "good": (response(), ""),
    "more": (response() + b"more", ""),
    "sha256": (response(algorithm=hashes.SHA256()), "Certificate ID does not match certificate and issuer"),
    "unknown": (response(status=ocsp.OCSPCertStatus.UNKNOWN), "certificate status is unknown"),
    "old": (response(since=-3 * HOUR, until=-HOUR), "no longer valid"),
    "early": (response(since=HOUR, until=3 * HOUR), "no longer valid"),
    "endless": (response(until=None), "missing nextupdate"),
    "empty": (b"", "Unable to parse OCSP response"),
    "cut": (response()[:90], "Unable to parse OCSP response"),
}
ISSUERS = {
    "one": (b"", ISSUER, True, ""),
    "junk behind": (b"", ISSUER + b"junk", True, ""),
    "other": (ISSUER, OTHER, True, "a.pem.issuer' is not an issuer'."),
    "second": (ISSUER, OTHER + ISSUER, True, "a.pem.issuer' is not an issuer'."),
    "junk": (ISSUER, b"junk", True, "a.pem.issuer' cannot be read or parsed'."),
    "nobody looks at junk": (b"", b"junk", False, ""),
    "nobody looks": (b"", OTHER, False, ""),
}


@pytest.mark.parametrize("case", RESPONSES)
def test_responses(tmp_path: Path, case: str) -> None:
    """As HAProxy 2.6 says; a certificate goes without those that are of no use."""
    found, said = RESPONSES[case]
    result = read(tmp_path, chain=ISSUER, ocsp=found)
    told = [one.message for one in result.diagnostics if one.code == "bad-certificate"]
    assert result.config is not None
    assert len(told) == bool(said)
    assert not said or said in told[0]
    kept = result.config.proxies[0].binds[0].certificates[0].files.ocsp
    assert kept == (b"" if said else found.removesuffix(b"more"))


@pytest.mark.parametrize("case", ISSUERS)
def test_issuers(tmp_path: Path, case: str) -> None:
    chain, issuer, stapled, said = ISSUERS[case]
    result = read(tmp_path, chain=chain, issuer=issuer, **({"ocsp": response()} if stapled else {}))
    told = [one.message for one in result.diagnostics if one.code == "bad-certificate"]
    assert len(told) == bool(said)
    assert not said or said in told[0]

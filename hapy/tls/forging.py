"""Certificates made while serving (`generate-certificates`): for the name that a client asks for, under our authority.

As HAProxy makes them: the subject is the authority's with the name behind it, the key is that of the line's first
certificate, and the last ones made are kept (`tune.ssl.ssl-ctx-cache-size`). A name may have any letters (beyond ASCII
they count as Latin-1); a client with one that no certificate can hold is turned away.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtensionOID, NameOID

from hapy.tls.inside import NoCertificate
from hapy_config.model.certificates import CertificateFiles

if TYPE_CHECKING:
    from hapy_config.model.certificates import CertificateEntry

S = TypeVar("S")

_COMMENT: Final = x509.ObjectIdentifier("2.16.840.1.113730.1.13")
_COMMENT_TEXT: Final = b'"OpenSSL Generated Certificate"'
_IA5_STRING: Final = 0x16
_SEQUENCE: Final = 0x30
_DNS_NAME: Final = 0x82
#: Letters of a common name.
_LONGEST: Final = 64
_BACKDATED: Final = dt.timedelta(days=1)
_VALID: Final = dt.timedelta(days=365)


class Forge(Generic[S]):
    """Makes and keeps certificates.

    Args:
        signer: the authority's certificate and key.
        entry: the certificate whose key is used, None for a key made here.
        capacity: how many are kept.
        serve: what a certificate comes to.

    Raises:
        ValueError: a key can't be used.
    """

    def __init__(
        self,
        signer: CertificateFiles,
        entry: CertificateEntry | None,
        capacity: int,
        serve: Callable[[CertificateFiles], S],
    ) -> None:
        self._authority = x509.load_pem_x509_certificate(signer.certificate)
        self._chain = (signer.certificate,)
        self._signing: Any = load_pem_private_key(signer.key, None)
        if entry is not None:
            self._pem = entry.files.key
            self._key: Any = load_pem_private_key(self._pem, None)
        else:
            self._key = rsa.generate_private_key(65537, 2048)
            self._pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self._serial = secrets.randbits(32)
        self._capacity = max(capacity, 1)
        self._serve = serve
        self._made: dict[bytes, S] = {}

    def served(self, name: bytes) -> S:
        """What a client gets that asks for this name (in lower case).

        Raises:
            NoCertificate: none can be made for it.
        """
        made = self._made
        known = made.pop(name, None)
        if known is None:
            known = self._serve(self._files(name))
            if len(made) >= self._capacity:
                del made[next(iter(made))]
        made[name] = known
        return known

    def _files(self, asked: bytes) -> CertificateFiles:
        name, alternative = asked.decode("latin-1"), _alternative(asked)
        authority = self._authority
        now = dt.datetime.now(dt.UTC)
        self._serial += 1
        wanted = x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([*authority.subject.rdns, wanted]))
            .issuer_name(authority.subject)
            .public_key(self._key.public_key())
            .serial_number(self._serial)
            .not_valid_before(now - _BACKDATED)
            .not_valid_after(now + _VALID)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False)
            .add_extension(
                x509.UnrecognizedExtension(_COMMENT, bytes((_IA5_STRING, len(_COMMENT_TEXT))) + _COMMENT_TEXT),
                critical=False,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .add_extension(self._issued_by(), critical=False)
            .add_extension(_usage(), critical=False)
            .add_extension(alternative, critical=False)
        )
        plain = isinstance(self._signing, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey))
        made = builder.sign(self._signing, None if plain else hashes.SHA256())
        return CertificateFiles(name, self._pem, made.public_bytes(Encoding.PEM), self._chain)

    def _issued_by(self) -> x509.AuthorityKeyIdentifier:
        authority = self._authority
        try:
            known = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        except x509.ExtensionNotFound:
            known = None
        return x509.AuthorityKeyIdentifier(known, [x509.DirectoryName(authority.issuer)], authority.serial_number)


def _alternative(asked: bytes) -> x509.UnrecognizedExtension:
    """The subject's alternative name, whatever its bytes; RFC 5280 (4.2.1.6) has the form, and ASCII only.

    Raises:
        NoCertificate: the name is too long for a common name (64, RFC 5280, appendix A.1), none at all, or several.
    """
    name = asked.strip()
    if len(asked) > _LONGEST:
        raise NoCertificate("STRING_TOO_LONG", "ASN1")
    if not name or b"," in name:
        raise NoCertificate("INVALID_NULL_VALUE" if name[:1] in (b"", b",") else "MISSING_VALUE", "X509V3")
    value = bytes((_DNS_NAME, len(name))) + name
    return x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, bytes((_SEQUENCE, len(value))) + value)


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )

"""Certificates as they are served: which names they are for, and what kind of key they have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from hapy.samples.environment import CompileError
from hapy.tls.facts import host_names

if TYPE_CHECKING:
    from hapy_config.model.certificates import CertificateEntry, CertificateFiles
    from hapy_config.source import Span
    from hapy_config.tls.versions import Options

_KINDS: Final = {"rsa": rsa.RSAPublicKey, "ecdsa": ec.EllipticCurvePublicKey, "dsa": dsa.DSAPublicKey}


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate, as one line of a crt-list or one `crt` names it.

    Attributes:
        files: the certificate with its key, and what lies beside it.
        kind: `rsa`, `ecdsa`, `dsa`, or `other`, which comes last among certificates for one name.
        bits: the size of its key, 0 where that is fixed.
        names: the names it is used for: the line's filters, else those in it, in lower case. A line that only excludes
            names leaves none, as in HAProxy, whatever stands in the certificate.
        excluded: names it is not used for.
        options: the line's own options.
        der: the certificate itself.
    """

    files: CertificateFiles
    kind: str
    bits: int
    names: tuple[str, ...]
    excluded: frozenset[str] = frozenset()
    options: Options = field(default_factory=dict, hash=False)
    der: bytes = field(default=b"", repr=False)


def served(entry: CertificateEntry, span: Span) -> Certificate:
    """What an entry of the model comes to.

    Raises:
        CompileError: the certificate can't be read.
    """
    files = entry.files
    try:
        parsed = x509.load_pem_x509_certificate(files.certificate)
        key = parsed.public_key()
    except (ValueError, TypeError) as error:
        raise CompileError(f"unable to load certificate from file '{files.path}': {error}", span) from None
    kind = next((name for name, one in _KINDS.items() if isinstance(key, one)), "other")
    names = tuple(text.lower() for text in entry.filters if not text.startswith("!"))
    excluded = frozenset(text[1:].lower() for text in entry.filters if text.startswith("!"))
    if not entry.filters:
        names = tuple(host_names(parsed))
    bits = getattr(key, "key_size", 0)
    return Certificate(files, kind, bits, names, excluded, entry.options, parsed.public_bytes(Encoding.DER))


def valid_until(response: bytes) -> float:
    """When an OCSP response is no longer of use, in seconds since 1970; 0 where it says nothing of that."""
    from cryptography.x509 import ocsp

    single = next(iter(ocsp.load_der_ocsp_response(response).responses))
    moment = single.next_update_utc
    return moment.timestamp() if moment is not None else 0.0

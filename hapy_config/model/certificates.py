"""What the files of a certificate hold (configuration manual, `crt` and `crt-list` in section 5.1, `crt-store`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hapy_config.model.sealing import seal


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """A certificate with its key, and what lies beside it.

    Attributes:
        path: the file as the configuration names it, below `crt-base`.
        key, certificate: PEM.
        chain: the certificates that are sent behind it, PEM each.
        issuer: the certificate of its issuer, PEM; empty where none is at hand.
        ocsp: a response on its revocation, DER; empty for none.
        sctl: a list of signed certificate timestamps (RFC 6962, section 3.3); empty for none.
        dh: Diffie-Hellman parameters, PEM; empty for none.
        paired: the key is the certificate's; else no client can be served with it.
    """

    path: str
    key: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    chain: tuple[bytes, ...] = field(default=(), repr=False)
    issuer: bytes = field(default=b"", repr=False)
    ocsp: bytes = field(default=b"", repr=False)
    sctl: bytes = field(default=b"", repr=False)
    dh: bytes = field(default=b"", repr=False)
    paired: bool = True


@dataclass(frozen=True, slots=True)
class CertificateEntry:
    """A certificate as a bind line or a line of its crt-list names it.

    Attributes:
        files: the certificate.
        options: the settings of its own, between square brackets.
        filters: the names it is used for, with `!` before those it is not; empty: the names in it.
    """

    files: CertificateFiles
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    filters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        seal(self, "options")

"""Certificate files as HAProxy reads them: the key, the certificate, its chain, and what lies beside them.

Rules (manual, `crt` in section 5.1, and what HAProxy 2.6 does with damaged files):
- The first certificate of the file is the one; those that follow are its chain, up to the first that isn't PEM.
- The key is the first private key of the file that can be read, else that of `FILE.key`. Keys with a passphrase count
  as none: nobody is asked for it.
- `FILE.ocsp`, `.sctl` and `.issuer` are looked for as `ssl-load-extra-files` says.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hapy_config.model.certificates import CertificateFiles

_CERTIFICATE: Final = re.compile(
    rb"^-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----.*?(?:-----END [^\n]*-----\n?|\Z)", re.DOTALL | re.MULTILINE
)
_KEY: Final = re.compile(
    rb"^(?:-----BEGIN EC PARAMETERS-----[^-]*-----END EC PARAMETERS-----\s*)?"
    rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----.*?-----END [^\n]*-----\n?",
    re.DOTALL | re.MULTILINE,
)
_DH: Final = re.compile(rb"^-----BEGIN DH PARAMETERS-----.*?-----END [^\n]*-----\n?", re.DOTALL | re.MULTILINE)
_CRL: Final = re.compile(rb"^-----BEGIN X509 CRL-----.*?(?:-----END [^\n]*-----\n?|\Z)", re.DOTALL | re.MULTILINE)

#: Bits of Diffie-Hellman parameters that may be asked for, though the TLS library refuses so few; what is more is 2048.
LEAST_DH: Final = 1024

#: Files that lie beside a certificate: the word of `ssl-load-extra-files` is what follows the dot.
BESIDE: Final = ("key", "ocsp", "sctl", "issuer", "dh")
#: The members of a bundle, in the order in which they are read: clients without a known name get the first.
BUNDLE: Final = ("dsa", "ecdsa", "rsa")

#: Gives a file's content, or raises OSError.
Read = Callable[[str], bytes]


class Fault(Exception):  # noqa: N818 - says what it is
    """A file can't be used; the reason in HAProxy's words.

    Attributes:
        place: the line of the file that names it, where that is not the configuration.
        why: what the reason leaves out.
    """

    place = ""

    def __init__(self, message: str, why: str = "") -> None:
        super().__init__(message)
        self.why = why

    @property
    def hint(self) -> str:
        """What stands behind the message."""
        return ", ".join(filter(None, (self.place, self.why)))


class Unfit(Fault):
    """What was read is no certificate to serve: it has no key, or another one's, or a response without its issuer."""


@dataclass(frozen=True, slots=True)
class Named:
    """Files of one certificate that are named one by one, empty where they are not (`load` in a crt-store)."""

    key: str = ""
    ocsp: str = ""
    issuer: str = ""
    sctl: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the global section says of certificate files.

    Attributes:
        extra: the kinds of files that are looked for: `bundle` and those of BESIDE.
        drop_extension: `ssl-load-extra-del-ext`.
        issuers: certificates below `issuers-chain-path`, each with its chain, PEM.
        skip_self_issued: `ssl-skip-self-issued-ca`.
    """

    extra: frozenset[str] = frozenset({"bundle", *BESIDE})
    drop_extension: bool = False
    issuers: tuple[tuple[bytes, ...], ...] = ()
    skip_self_issued: bool = False


def certificates_in(content: bytes) -> list[bytes]:
    """The certificates of a PEM file, in order, sound or not."""
    return _CERTIFICATE.findall(content)


@contextmanager
def as_file(content: bytes) -> Iterator[str]:
    """A name under which `content` can be opened: in memory, else a file that only its owner reads."""
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
        descriptor = os.memfd_create("pem")
        try:
            os.write(descriptor, content)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        yield file.name


def reason(error: ssl.SSLError) -> str:
    """Why a PEM file could not be read, in few words."""
    return (error.reason or "BAD_BASE64_DECODE").replace("_", " ").lower()


def certificate_fault(pem: bytes) -> str:
    """Why a PEM certificate can't be read, or an empty string."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cadata=pem.decode("ascii"))
    except ssl.SSLError as error:
        return reason(error)
    except (UnicodeDecodeError, ValueError):
        return "bad base64 decode"
    return ""


def _pair_fault(certificate: bytes, key: bytes) -> str:
    """Why certificate and key don't go together: `mismatch`, `key`, `use`, or an empty string."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # what is too weak to be used can be read
    try:
        _into(context, certificate, key)
    except ssl.SSLError as error:
        if error.reason in ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"):
            return "mismatch"
        return "use" if error.reason == "UNKNOWN_CERTIFICATE_TYPE" else "key"
    except ValueError:  # the passphrase that nobody knows
        return "key"
    return ""


def _into(context: ssl.SSLContext, certificate: bytes, key: bytes, *chain: bytes) -> None:
    with as_file(b"\n".join((key, certificate, *chain))) as name:
        context.load_cert_chain(name, password=_no_passphrase)


def weakness(files: CertificateFiles) -> Fault | None:
    """What the TLS library has against a certificate that it could read: keys and digests below its security level.

    HAProxy, too, puts certificates into place before it looks at the level that a list of ciphers may ask for.
    """
    if not files.paired:
        return None  # it is served to nobody
    try:
        _into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), files.certificate, files.key, *files.chain)
    except ssl.SSLError as error:
        why = reason(error)
    else:
        return None
    try:
        _into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), files.certificate, files.key)
    except ssl.SSLError:
        return Fault(f"unable to load SSL certificate into SSL Context '{files.path}'.", why)
    return Fault(f"unable to load chain certificate into SSL Context '{files.path}'.", why)


def _no_passphrase() -> bytes:
    raise ValueError("nobody is asked for a passphrase")


def load(
    path: str, read: Read, settings: Settings, named: Named | None = None, warn: Callable[[str], None] = lambda _: None
) -> CertificateFiles:
    """A certificate with all that belongs to it.

    Args:
        path: the file, as messages are to show it.
        read: reads files.
        settings: which other files are looked for.
        named: files that are named one by one, and so must be there.
        warn: told of files that are left out.

    Raises:
        Fault: it can't be used. Unfit: it can be read.
    """
    try:
        content = read(path)
    except OSError as error:
        if isinstance(error, PermissionError) and os.path.exists(error.filename or path):  # noqa: PTH110 - it may raise
            raise Fault(f"cannot open the file '{path}'.") from None
        raise Fault(f"unable to stat SSL certificate from file '{path}' : {error.strerror}.") from None
    blocks = certificates_in(content)
    certificate = _plain(blocks[0]) if blocks else b""
    fault = certificate_fault(certificate) if blocks else "it holds no PEM certificate"
    if fault:
        raise Fault(f"unable to load certificate from file '{path}'.", fault)
    beside = _Beside(path, read, settings, named)
    key, paired = _find_key(path, content, certificate, beside)
    chain = _chain(path, blocks[1:])
    if not chain and settings.issuers:
        chain = _chain_from(certificate, settings.issuers)
    ocsp = beside.read("ocsp")
    issuer = _issuer(beside) if ocsp is not None or (named is not None and named.issuer) else b""
    authority = b""
    if ocsp is not None:
        authority = _authority(certificate, chain)
        if issuer and named is not None:
            authority = authority or issuer  # HAProxy takes a wrong one, and then leaves the response out
        elif issuer:
            if not _issued(certificate, issuer):
                raise Fault(f"'{beside.name('issuer')}' is not an issuer'.")
            authority = issuer
        if not authority:
            raise Unfit(
                f"'{beside.name('ocsp')}' is present and activates OCSP but it is impossible to compute the OCSP"
                " certificate ID (maybe the issuer could not be found)'."
            )
        if unfit := _ocsp_fault(ocsp, certificate, authority):
            warn(f"Loading: {unfit}. Content will be ignored.")
            ocsp = b""
    sctl = beside.read("sctl")
    if sctl is not None and not sound_timestamps(sctl):
        raise Fault(f"'{beside.name('sctl')}' is present but cannot be read or parsed'.")
    if settings.skip_self_issued and chain:
        chain = tuple(one for one in chain if not _self_issued(one))
    dh = _DH.search(content)
    return CertificateFiles(
        path,
        key,
        certificate,
        chain,
        authority,
        first_value(ocsp or b""),
        sctl or b"",
        dh[0] if dh is not None else b"",
        paired,
    )


def _issuer(beside: _Beside) -> bytes:
    """The certificate in a file for the issuer's; empty without such a file."""
    content = beside.read("issuer")
    if content is None:
        return b""
    found = certificates_in(content)
    if not found or certificate_fault(found[0]):
        raise Fault(f"'{beside.name('issuer')}' cannot be read or parsed'.")
    return found[0]


#: What is said of a file beside a certificate that is there, and can't be read.
_UNREADABLE: Final = {
    "key": "\nunable to load private key from file '{name}'.\n '{name}' is present but cannot be read or parsed'.",
    "ocsp": "Error {read} file '{name}'.",
    "issuer": "'{name}' cannot be read or parsed'.",
    "sctl": "'{name}' is present but cannot be read or parsed'.",
}


class _Beside:
    """The files beside a certificate."""

    def __init__(self, path: str, read: Read, settings: Settings, named: Named | None) -> None:
        self._read = read
        self._named = named
        self._wanted = settings.extra
        self._stem = path
        self.stored = named is not None
        self.named_key = named is not None and bool(named.key)
        if settings.drop_extension and path.endswith(".crt"):
            self._stem = path[: -len(".crt")]

    def name(self, kind: str) -> str:
        """Where a kind is looked for; empty where it is not."""
        if given := getattr(self._named, kind, ""):
            return str(given)
        return f"{self._stem}.{kind}" if kind in self._wanted else ""

    def read(self, kind: str) -> bytes | None:
        """What it holds, None without one."""
        name = self.name(kind)
        if not name:
            return None
        try:
            return self._read(name)
        except OSError as error:
            if getattr(self._named, kind, ""):
                raise Fault(f"unable to load '{name}' : {error.strerror}.") from None
            if kind in _UNREADABLE and os.path.exists(error.filename or name):  # noqa: PTH110 - it may raise
                read = "reading OCSP response from" if isinstance(error, IsADirectoryError) else "opening OCSP response"
                raise Fault(_UNREADABLE[kind].format(name=name, read=read)) from None
            return None


def _find_key(path: str, content: bytes, certificate: bytes, beside: _Beside) -> tuple[bytes, bool]:
    """The key, and whether it is the certificate's: it need not be in a crt-store."""
    apart = beside.name("key")
    key, fault = (b"", "key") if beside.named_key else _first_key(content, certificate)
    if fault == "key" and apart:
        other = beside.read("key")
        if other is not None:
            key, fault = _first_key(other, certificate)
            if fault == "key":
                raise Fault(
                    f"\nunable to load private key from file '{apart}'.\n"
                    f" '{apart}' is present but cannot be read or parsed'.",
                    _locked(key),
                )
    if fault == "key":
        raise Unfit(f"No Private Key found in '{apart or path}'.", _locked(key))
    if fault == "use":
        raise Unfit(f"unable to load SSL private key into SSL Context '{path}'.")
    if fault == "mismatch" and not beside.stored:
        raise Unfit(f"inconsistencies between private key and certificate loaded '{path}'.")
    return key, not fault


def _locked(key: bytes) -> str:
    return "the key has a passphrase, and nobody is asked for it" if b"ENCRYPTED" in key else ""


def _plain(block: bytes) -> bytes:
    """A certificate without what `TRUSTED CERTIFICATE` has behind it, which says what it is trusted for."""
    if not block.startswith(b"-----BEGIN TRUSTED "):
        return block
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        content = base64.b64decode(b"".join(line for line in block.splitlines() if not line.startswith(b"-----")))
        return x509.load_der_x509_certificate(first_value(content)).public_bytes(Encoding.PEM)
    except ValueError:
        return block


def first_value(content: bytes) -> bytes:
    """The first value of DER, without what stands behind it."""
    if len(content) < 2:
        return content
    behind = 2 + (content[1] & 0x7F if content[1] & 0x80 else 0)
    return content[: behind + (int.from_bytes(content[2:behind], "big") if behind > 2 else content[1])]


def _first_key(content: bytes, certificate: bytes) -> tuple[bytes, str]:
    """The first private key, and what is wrong with it: `key`, `mismatch` or nothing."""
    match = _KEY.search(content)
    if match is None:
        return b"", "key"
    return match[0], _pair_fault(certificate, match[0])


def _is_pem(block: bytes) -> bool:
    """Whether there is base64 between its first and its last line."""
    lines = block.split()
    try:
        return block.rstrip().endswith(b"-----") and bool(base64.b64decode(b"".join(lines[2:-2]), validate=True))
    except binascii.Error:
        return False


def _chain(path: str, blocks: list[bytes]) -> tuple[bytes, ...]:
    """Certificates up to the first that isn't PEM.

    Raises:
        Fault: one is PEM, and no certificate.
    """
    sound: list[bytes] = []
    for block in blocks:
        if certificate_fault(block):
            if not _is_pem(block):
                break
            raise Fault(f"unable to load certificate chain from file '{path}'.")
        sound.append(block)
    return tuple(sound)


def sound_parameters(content: bytes) -> bool:
    """Whether Diffie-Hellman parameters can be read."""
    found = _DH.search(content)
    if found is None:
        return False
    with as_file(found[0]) as name:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_dh_params(name)
        except ssl.SSLError:
            return False
    return True


def authority_fault(content: bytes) -> str:
    """Why a file of certificates and revocation lists can't be used, or an empty string."""
    blocks = certificates_in(content)
    lists = _CRL.findall(content)
    if not blocks and not lists:
        return "no certificate or crl found"
    for block in blocks:
        if fault := certificate_fault(_plain(block)):
            return fault
    for block in lists:
        with as_file(block) as name:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(name)
            except ssl.SSLError as error:
                return reason(error)
    return ""


def sound_timestamps(content: bytes) -> bool:
    """Whether a list of signed certificate timestamps is well formed (RFC 6962, section 3.3)."""
    if len(content) < 4 or int.from_bytes(content[:2], "big") != len(content) - 2:
        return False
    place = 2
    while place < len(content):
        size = int.from_bytes(content[place : place + 2], "big")
        place += 2 + size
        if not size:
            return False
    return place == len(content)


# what needs a closer look at certificates


def _chain_from(certificate: bytes, issuers: tuple[tuple[bytes, ...], ...]) -> tuple[bytes, ...]:
    """The chain of `issuers-chain-path` that begins with the certificate's issuer."""
    for chain in issuers:
        if _issued(certificate, chain[0]):
            return chain
    return ()


def _authority(certificate: bytes, candidates: tuple[bytes, ...]) -> bytes:
    """The certificate of the issuer, empty where it is not at hand."""
    return next((one for one in candidates if not certificate_fault(one) and _issued(certificate, one)), b"")


def has_key_identifier(pem: bytes) -> bool:
    """Whether a certificate says which key is its own, as `issuers-chain-path` wants it."""
    from cryptography import x509

    try:
        x509.load_pem_x509_certificate(pem).extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except (ValueError, x509.ExtensionNotFound):
        return False
    return True


def _issued(certificate: bytes, issuer: bytes) -> bool:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(certificate).issuer == x509.load_pem_x509_certificate(issuer).subject
    except ValueError:
        return False


def _self_issued(pem: bytes) -> bool:
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(pem)
    except ValueError:
        return False
    return found.issuer == found.subject


def _ocsp_fault(response: bytes, certificate: bytes, issuer: bytes) -> str:
    """Why a response is not sent, or an empty string: HAProxy leaves such a file out with a warning."""
    import datetime as dt

    from cryptography import x509
    from cryptography.x509 import ocsp

    try:
        found = ocsp.load_der_ocsp_response(first_value(response))
        if found.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return "OCSP response status not successful"
        single = next(iter(found.responses))
    except ValueError:
        return "Unable to parse OCSP response"
    key = x509.SubjectKeyIdentifier.from_public_key(x509.load_pem_x509_certificate(issuer).public_key()).digest
    other_key = single.hash_algorithm.name != "sha1" or single.issuer_key_hash != key
    if other_key or single.serial_number != x509.load_pem_x509_certificate(certificate).serial_number:
        return "OCSP single response: Certificate ID does not match certificate and issuer"
    if single.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
        return "OCSP single response: certificate status is unknown"
    until, now = single.next_update_utc, dt.datetime.now(dt.UTC)
    if until is None:
        return "OCSP single response: missing nextupdate"
    if until < now or single.this_update_utc > now:
        return "OCSP single response: no longer valid."
    return ""

"""What the ssl words of bind and server lines make of a context: versions, ciphers, groups, authorities, ALPN."""

from __future__ import annotations

import contextlib
import ssl
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hapy.net.records import LARGEST, RecordSizes
from hapy.samples.environment import CompileError
from hapy.tls import openssl
from hapy_config.tls.pem import as_file
from hapy_config.tls.versions import Options, Range, put

if TYPE_CHECKING:
    from hapy_config.model.certificates import CertificateFiles
    from hapy_config.model.config import Global
    from hapy_config.source import Span

_VERSIONS: Final = {
    "SSLv3": ssl.TLSVersion.SSLv3,
    "TLSv1.0": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}

#: The certificates that the system trusts, for `@system-ca`: what OpenSSL was built to look at, else Debian's file.
_SYSTEM_FILES: Final = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the global section says of TLS on one side.

    Attributes:
        options: `ssl-default-…-options` and its kin, by the words of a line.
        lifetime: seconds that a session may be resumed.
        cache_size: `tune.ssl.cachesize`, None where it is not set. records: their sizes, None where nothing limits
            them.
        keylog: `tune.ssl.keylog`. forged: `tune.ssl.ssl-ctx-cache-size`, how many certificates made here are kept.
        dh_size: `tune.ssl.default-dh-param`, bits; 0 where it is not set. dh_shared: what `ssl-dh-param-file` holds.
        raw: bytes pass as they are (`mode tcp`), so that both ends may agree on any protocol.
    """

    options: Options
    lifetime: int = 300
    dh_size: int = 0
    cache_size: int | None = None
    records: RecordSizes | None = None
    dh_shared: bytes = b""
    keylog: bool = False
    forged: int = 1000
    raw: bool = False


def surroundings(settings: Global, side: str, *, raw: bool = False) -> Surroundings:
    """The global section's part for `bind` or `server` lines; `raw`: see Surroundings."""
    options: dict[str, tuple[str, ...]] = {}
    dh_shared = b""
    prefix = f"ssl-default-{side}-"
    for words in settings.settings:
        name = words[0]
        if name == prefix + "options":
            _flags(options, words[1:])
        elif name.startswith(prefix):
            options[name.removeprefix(prefix)] = words[1:2]
        elif name == "ssl-dh-param-file":
            with contextlib.suppress(OSError):  # judged when the configuration was read
                dh_shared = Path(words[1]).read_bytes()
        elif name == "ssl-server-verify" and side == "server":
            options["verify"] = words[1:2]
    tune = settings.tune
    return Surroundings(
        options,
        lifetime=_whole(tune.get("ssl.lifetime", 300)) or 300,
        dh_size=_whole(tune.get("ssl.default-dh-param")) or 0,
        cache_size=_whole(tune.get("ssl.cachesize")),
        records=record_sizes(settings, raw=raw),
        dh_shared=dh_shared,
        forged=_whole(tune.get("ssl.ssl-ctx-cache-size")) or 1000,
        keylog=tune.get("ssl.keylog") in ("on", 1, True),
        raw=raw,
    )


def record_sizes(settings: Global, *, raw: bool) -> RecordSizes | None:
    """What limits records, None for nothing; `raw`: see Surroundings."""
    tune = settings.tune
    first, most = (_whole(tune.get(name)) for name in ("ssl.maxrecord", "ssl.hard-maxrecord"))
    if not first and not most:
        return None
    most = min(most or LARGEST, LARGEST)
    idle = _whole(tune.get("idletimer", 1000))
    return RecordSizes(
        first=min(first or most, most),
        most=most,
        buffer=_whole(tune.get("bufsize")) or 16384,
        idle=idle / 1000 if idle else float("inf"),
        by_message=not raw,
    )


def _whole(value: int | str | None) -> int | None:
    return int(value) if value is not None and str(value).isdigit() else None


def _flags(found: dict[str, tuple[str, ...]], words: tuple[str, ...]) -> None:
    rest = iter(words)
    for word in rest:
        put(found, word, (next(rest, ""),) if word in ("ssl-min-ver", "ssl-max-ver") else ())


def _one(options: Options, name: str) -> str | None:
    values = options.get(name)
    return values[0] if values else None


def apply_common(context: ssl.SSLContext, own: Options, around: Surroundings, span: Span, versions: Range) -> None:
    """Versions, ciphers, groups and ALPN.

    Raises:
        CompileError: for what the TLS library doesn't take.
    """
    low, high = versions
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions: the configuration asks for them
        context.minimum_version = _VERSIONS[low] if low else ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = _VERSIONS[high] if high else ssl.TLSVersion.MAXIMUM_SUPPORTED
    merged = {**around.options, **own}
    ciphers = _one(merged, "ciphers")
    try:
        context.set_ciphers(ciphers or "DEFAULT")
    except ssl.SSLError:
        raise CompileError(f"unable to set SSL cipher list to '{ciphers}'.", span) from None
    suites = _one(merged, "ciphersuites")
    groups = _one(merged, "curves") or _one(merged, "ecdhe")
    try:
        if suites is not None and not openssl.set_ciphersuites(context, suites):
            raise CompileError(f"unable to set TLS 1.3 cipher suites to '{suites}'.", span)
        if groups is not None and not openssl.set_groups(context, groups):
            raise CompileError(f"unable to set SSL curves list to '{groups}'.", span)
    except openssl.Unavailable as error:
        raise CompileError(f"TLS 1.3 cipher suites and curves can't be set here: {error}", span) from error
    protocols = alpn_protocols(own, raw=around.raw)
    if protocols:
        context.set_alpn_protocols(protocols)
    if "no-tls-tickets" in merged and "tls-tickets" not in own:
        context.options |= ssl.OP_NO_TICKET
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION


def alpn_protocols(own: Options, *, raw: bool) -> list[str]:
    """The protocols to offer or to take; without HTTP/2, which hapy does not speak, unless bytes pass as they are."""
    return [name for name in (_one(own, "alpn") or "").split(",") if name and (raw or name != "h2")]


def load_certificate(context: ssl.SSLContext, files: CertificateFiles, span: Span) -> None:
    """Show a certificate with its chain to the other side; one with another's key is shown to nobody.

    Raises:
        CompileError: the library doesn't take it.
    """
    if not files.paired:
        return
    content = b"\n".join((files.key, files.certificate, *files.chain))
    try:
        with as_file(content) as name:
            context.load_cert_chain(name, password=b"")
    except OSError as error:
        if not isinstance(error, ssl.SSLError) and _load_unnamed(context, files):
            return
        text = f"unable to load SSL certificate from file '{files.path}': {reason(error)}"
        raise CompileError(text, span) from None


def _load_unnamed(context: ssl.SSLContext, files: CertificateFiles) -> bool:
    """The same below `chroot`, where there may be no place for a file; whether the library takes it."""
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    key = load_pem_private_key(files.key, None).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    first, *chain = [ssl.PEM_cert_to_DER_cert(pem.decode("ascii")) for pem in (files.certificate, *files.chain)]
    return openssl.use_certificate(context, first, key, chain)


def load_authorities(context: ssl.SSLContext, name: str, span: Span) -> None:
    """Trust what a file, a directory or `@system-ca` holds.

    Raises:
        CompileError: it holds nothing that can be trusted.
    """
    try:
        if name == "@system-ca":
            context.set_default_verify_paths()
            if not context.cert_store_stats()["x509"]:
                known = next((path for path in _SYSTEM_FILES if Path(path).is_file()), None)
                if known is not None:
                    context.load_verify_locations(known)
        elif Path(name).is_dir():
            for path in sorted(Path(name).iterdir()):
                if path.suffix in (".pem", ".crt", ".cer", ".crl"):
                    with contextlib.suppress(OSError):  # left out with a warning, when the configuration was read
                        context.load_verify_locations(str(path))
        else:
            context.load_verify_locations(name)
    except (OSError, ssl.SSLError) as error:
        raise CompileError(f"unable to load CA file '{name}': {reason(error)}", span) from None


def load_revocations(context: ssl.SSLContext, name: str, span: Span) -> None:
    """Refuse what a list of revoked certificates names.

    Raises:
        CompileError: it can't be read.
    """
    try:
        context.load_verify_locations(name)
    except (OSError, ssl.SSLError) as error:
        raise CompileError(f"unable to configure CRL file '{name}': {reason(error)}", span) from None
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF | ssl.VERIFY_CRL_CHECK_CHAIN


def reason(error: OSError) -> str:
    """Why, in few words."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    return error.strerror or str(error)

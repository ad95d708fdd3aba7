"""What the ssl words of bind and server lines make of a context: versions, ciphers, groups, authorities, ALPN."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hapy.samples.environment import CompileError
from hapy.tls import openssl

if TYPE_CHECKING:
    from hapy_config.model.config import Global
    from hapy_config.source import Span

Options = Mapping[str, tuple[str, ...]]

_VERSIONS: Final = {
    "SSLv3": ssl.TLSVersion.SSLv3,
    "TLSv1.0": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
_ORDER: Final = tuple(_VERSIONS)
_SHORT: Final = {"sslv3": "SSLv3", "tlsv10": "TLSv1.0", "tlsv11": "TLSv1.1", "tlsv12": "TLSv1.2", "tlsv13": "TLSv1.3"}

#: The certificates that the system trusts, for `@system-ca`: what OpenSSL was built to look at, else Debian's file.
_SYSTEM_FILES: Final = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the global section says of TLS on one side.

    Attributes:
        options: `ssl-default-…-options` and its kin, by the words of a line.
        crt_base, ca_base: where relative names of certificates and authorities count from.
        lifetime: seconds that a session may be resumed.
        automatic_dh: `tune.ssl.default-dh-param` asks for Diffie-Hellman. dh_file: `ssl-dh-param-file`.
    """

    options: Options
    crt_base: str = ""
    ca_base: str = ""
    lifetime: int = 300
    automatic_dh: bool = False
    dh_file: str = ""

    def certificate(self, name: str) -> str:
        """A certificate's path."""
        return f"{self.crt_base}/{name}" if self.crt_base and not name.startswith("/") else name

    def authority(self, name: str) -> str:
        """A CA or CRL file's path."""
        return f"{self.ca_base}/{name}" if self.ca_base and not name.startswith(("/", "@")) else name


def surroundings(settings: Global, side: str) -> Surroundings:
    """The global section's part for `bind` or `server` lines."""
    options: dict[str, tuple[str, ...]] = {}
    bases = {"crt-base": "", "ca-base": "", "ssl-dh-param-file": ""}
    prefix = f"ssl-default-{side}-"
    for words in settings.settings:
        name = words[0]
        if name == prefix + "options":
            options.update(_flags(words[1:]))
        elif name.startswith(prefix):
            options[name.removeprefix(prefix)] = words[1:2]
        elif name in bases:
            bases[name] = words[1]
        elif name == "ssl-server-verify" and side == "server":
            options["verify"] = words[1:2]
    lifetime = settings.tune.get("ssl.lifetime", 300)
    return Surroundings(
        options,
        bases["crt-base"],
        bases["ca-base"],
        int(lifetime) if str(lifetime).isdigit() else 300,
        "ssl.default-dh-param" in settings.tune,
        bases["ssl-dh-param-file"],
    )


def _flags(words: tuple[str, ...]) -> Options:
    found: dict[str, tuple[str, ...]] = {}
    rest = iter(words)
    for word in rest:
        found[word] = (next(rest, ""),) if word in ("ssl-min-ver", "ssl-max-ver") else ()
    return found


def version_range(own: Options, defaults: Options, least: str | None) -> tuple[str | None, str | None]:
    """The lowest and the highest version to speak; None for whatever the library knows.

    `ssl-min-ver` and `ssl-max-ver` come before `force-…`, and these before `no-…`; a line before the defaults.
    """
    low = _one(own, "ssl-min-ver") or _forced(own) or _one(defaults, "ssl-min-ver") or _forced(defaults)
    high = _one(own, "ssl-max-ver") or _forced(own) or _one(defaults, "ssl-max-ver") or _forced(defaults)
    if low is None and high is None:
        refused = {_SHORT[name[3:]] for name in {*own, *defaults} if name[:3] == "no-" and name[3:] in _SHORT}
        if refused:
            allowed = [version for version in _ORDER if version not in refused]
            if not allowed:
                return None, None
            high = allowed[-1]
            place = _ORDER.index(high)
            while place and _ORDER[place - 1] not in refused:
                place -= 1
            low = _ORDER[place]
            if least is not None and _ORDER.index(low) < _ORDER.index(least) and "no-" + least not in refused:
                low = least if _ORDER.index(high) >= _ORDER.index(least) else low
    return low or (least if high is None or _ORDER.index(high) >= _ORDER.index(least or high) else high), high


def _one(options: Options, name: str) -> str | None:
    values = options.get(name)
    return values[0] if values else None


def _forced(options: Options) -> str | None:
    forced = [_SHORT[name[6:]] for name in options if name.startswith("force-")]
    return forced[-1] if forced else None


def apply_common(context: ssl.SSLContext, own: Options, around: Surroundings, span: Span, least: str | None) -> None:
    """Versions, ciphers, groups and ALPN.

    Raises:
        CompileError: for what the TLS library doesn't take.
    """
    low, high = version_range(own, around.options, least)
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
    protocols = alpn_protocols(own)
    if protocols:
        context.set_alpn_protocols(protocols)
    if "no-tls-tickets" in merged and "tls-tickets" not in own:
        context.options |= ssl.OP_NO_TICKET
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION


def alpn_protocols(own: Options) -> list[str]:
    """The protocols to offer or to take, without HTTP/2, which hapy does not speak."""
    return [name for name in (_one(own, "alpn") or "").split(",") if name and name != "h2"]


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

"""A `bind … ssl` line as it runs: which certificate, and with it which settings, a client gets.

Rules (manual section 5.1, and HAProxy 2.6 on the wire):
- The name that a client asks for (SNI) is looked for among the certificates' names as it is, then with its first label
  replaced by `*`. Among the certificates found one with an ECDSA key comes first for clients that take these, but not
  for those that speak TLS 1.3 alone: they have no cipher suite that says so.
- A client without a name, or with one that no certificate has, gets the first certificate of the line, unless
  `strict-sni` turns it away.
- `generate-certificates` makes a certificate for a name that no other has (`hapy.tls.forging`).
- A line of a crt-list may have settings of its own: they come before those of the bind line. Of the versions of the
  first line this is so only for clients who ask for its name.
- A session is taken up again only where clients are verified as they were where it began (HAProxy doesn't look).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hapy.samples.environment import CompileError
from hapy.tls import inside, openssl
from hapy.tls.certificates import Certificate, valid_until
from hapy.tls.certificates import served as served_as
from hapy.tls.groups import set_parameters
from hapy.tls.session import files
from hapy.tls.settings import (
    Surroundings,
    apply_common,
    load_authorities,
    load_certificate,
    load_revocations,
)
from hapy_config.model.certificates import CertificateEntry
from hapy_config.tls.versions import LEAST, limited, narrowed, version_range

if TYPE_CHECKING:
    from hapy.tls.forging import Forge
    from hapy.tls.hello import ClientHello
    from hapy_config.model.certificates import CertificateFiles
    from hapy_config.model.server import Bind
    from hapy_config.source import Span
    from hapy_config.tls.versions import Options

_MODES: Final = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


class Served:
    """A certificate with the context that serves it.

    Attributes:
        watched: verification errors are noted.
        staple: the OCSP response that goes with it, None where its issuer is not known.
    """

    __slots__ = ("certificate", "context", "staple", "watched")

    def __init__(
        self, certificate: Certificate, context: ssl.SSLContext, *, watched: bool, staple: openssl.Staple | None
    ) -> None:
        self.certificate = certificate
        self.staple = staple
        self.context = context
        self.watched = watched


class Binding:
    """The TLS side of a bind line.

    Attributes:
        default: what clients get whose name is not known.
        strict: they get nothing (`strict-sni`).
        records: how much a record holds, None for as much as it may.
    """

    __slots__ = ("_exact", "_excluded", "_forge", "_sole", "_wild", "default", "records", "strict")

    def __init__(self, bind: Bind, around: Surroundings) -> None:
        options, span = bind.tls or {}, bind.span
        certificates = [served_as(entry, span) for entry in bind.certificates]
        merged = {**around.options, **options}
        self.strict = "strict-sni" in options
        self.records = around.records
        self._exact: dict[bytes, list[Served]] = {}
        self._wild: dict[bytes, list[Served]] = {}
        self._excluded: dict[bytes, list[Served]] = {}
        served = [_serve(certificate, bind, merged, around) for certificate in certificates]
        self._forge = _forge(bind, merged, around)
        if not served and not self.strict and self._forge is None:
            raise CompileError("no SSL certificate specified for this bind line (use 'crt').", span)
        self.default = served[0] if served else None
        if certificates and limited(certificates[0].options):
            self.default = _serve(certificates[0], bind, merged, around, named=False)
        self._sole = len(served) == 1 and served[0] is self.default and not self.strict and self._forge is None
        for one in served:
            for name in one.certificate.names:
                known = self._wild if name.startswith("*") else self._exact
                known.setdefault(name.removeprefix("*").encode(), []).append(one)
            for name in one.certificate.excluded:
                if name.startswith("*"):
                    continue  # takes nothing away, not even the name as it stands
                self._excluded.setdefault(name.encode(), []).append(one)

    def choose(self, hello: ClientHello) -> Served | None:
        """What this client gets; None to turn it away.

        Raises:
            NotTls: the hello is broken. NoCertificate: none can be made for its name.
        """
        if self._sole:
            return self.default
        name = hello.server_name.lower()
        if name:
            _, dot, domain = name.partition(b".")
            wild = self._wild.get(dot + domain, []) if dot else []
            excluded = self._excluded.get(name)
            if excluded:  # a name that stands on the line without a star, too, is served
                wild = [one for one in wild if one not in excluded]
            found = self._exact.get(name, []) + wild
            if found:
                return _fitting(found, hello)
            if self._forge is not None:
                return self._forge.served(name)
        return None if self.strict else self.default


def _fitting(found: list[Served], hello: ClientHello) -> Served:
    """The first with a key that the client takes."""
    if len(found) > 1:
        for kind in hello.key_kinds:
            for one in found:
                if one.certificate.kind == kind:
                    return one
    return found[0]


def _forge(bind: Bind, merged: Options, around: Surroundings) -> Forge[Served] | None:
    """What makes certificates, where the line wants them (`generate-certificates`)."""
    if bind.signer is None or "generate-certificates" not in (bind.tls or {}):
        return None
    from hapy.tls.forging import Forge

    def serve(files: CertificateFiles) -> Served:
        return _serve(served_as(CertificateEntry(files), bind.span), bind, merged, around)

    try:
        return Forge(bind.signer, next(iter(bind.certificates), None), around.forged, serve)
    except (ValueError, TypeError) as error:
        raise CompileError(f"unable to make certificates: {error}", bind.span) from None


def _serve(
    certificate: Certificate, bind: Bind, merged: Options, around: Surroundings, *, named: bool = True
) -> Served:
    """A certificate as it is served; `named`: to clients who asked for its name."""
    span, tickets = bind.span, bind.ticket_keys
    own = {**(bind.tls or {}), **certificate.options}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    versions = version_range(bind.tls or {}, around.options, LEAST)
    if named:
        versions = narrowed(certificate.options, versions)
    apply_common(context, own, around, span, versions)
    if "prefer-client-ciphers" not in merged:
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    else:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    load_certificate(context, certificate.files, span)
    files[context] = certificate.files.path
    if around.keylog:
        _extend(lambda: inside.note_secrets(context), "tune.ssl.keylog", span)
    openssl.accept_names(context)
    set_parameters(context, certificate.files, certificate.bits, around)
    if around.lifetime != 300:
        _extend(lambda: openssl.set_lifetime(context, around.lifetime), "tune.ssl.lifetime", span)
    if around.cache_size is not None:
        _extend(lambda: openssl.limit_cache(context, around.cache_size or 0), "tune.ssl.cachesize", span)
    if tickets:
        _extend(lambda: openssl.share_tickets(context, tickets), "tls-ticket-keys", span)
    shown = _beside(context, certificate, span)
    watched = _verification(context, own, span)
    return Served(certificate, context, watched=watched, staple=shown)


def _beside(context: ssl.SSLContext, certificate: Certificate, span: Span) -> openssl.Staple | None:
    """Staple and timestamps, where a certificate has some."""
    files = certificate.files
    if files.sctl:
        _extend(lambda: openssl.show_timestamps(context, files.sctl), "a .sctl file", span)
    if not files.issuer:
        return None
    shown = openssl.Staple(files.ocsp, valid_until(files.ocsp) if files.ocsp else 0.0)
    _extend(lambda: openssl.staple(context, shown), "OCSP", span)
    return shown


def _verification(context: ssl.SSLContext, own: Options, span: Span) -> bool:
    """Ask clients for certificates where the line says so; whether errors are noted."""
    method = own.get("verify", ("none",))[0]
    if method == "none":
        return False
    trusted = own.get("ca-verify-file") or own.get("ca-file")
    announced = own.get("ca-file")
    if trusted is None:
        raise CompileError("verify is enabled but no CA file specified for this bind line.", span)
    context.verify_mode = _MODES[method]
    for name in {*trusted, *(own.get("ca-file") or ())}:
        load_authorities(context, name, span)
    for name in own.get("crl-file", ()):
        load_revocations(context, name, span)
    if announced is not None and "no-ca-names" not in own and not announced[0].startswith("@"):
        path = announced[0]
        _extend(lambda: openssl.announce_authorities(context, path), "CA names", span)
    leaf, authority = _ignored(own, "crt-ignore-err"), _ignored(own, "ca-ignore-err")
    _extend(lambda: openssl.watch_verification(context, leaf, authority), "verification", span)
    mark = _mark(own)
    _extend(lambda: openssl.separate_sessions(context, mark), "the mark of sessions", span)
    return True


def _mark(own: Options) -> bytes:
    """What clients were verified by: a session that began under other rules, or none, does not stand in for it.

    Tickets under keys that several lines share would else let clients in without the certificate that one line wants.
    """
    mark = sha256()
    for word in ("verify", "crt-ignore-err", "ca-ignore-err", "ca-file", "ca-verify-file", "crl-file"):
        for value in own.get(word, ()):
            mark.update(f"{word} {value}\0".encode("utf-8", "surrogateescape"))
            file = Path(value)
            if word.endswith("-file") and file.is_file():
                mark.update(file.read_bytes())
    return mark.digest()


def _ignored(own: Options, word: str) -> frozenset[int] | None:
    """The errors that do no harm, None for all."""
    text = own.get(word, ("",))[0]
    if text == "all":
        return None
    return frozenset(int(part) for part in text.split(",") if part.isdigit())


def _extend(act: Callable[[], None], what: str, span: Span) -> None:
    try:
        act()
    except openssl.Unavailable as error:
        raise CompileError(f"{what} can't be set here: {error}", span) from error

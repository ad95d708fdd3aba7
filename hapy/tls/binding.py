"""A `bind … ssl` line as it runs: which certificate, and with it which settings, a client gets.

Rules (manual section 5.1, and HAProxy 2.6 on the wire):
- The name that a client asks for (SNI) is looked for among the certificates' names as it is, then with its first label
  replaced by `*`. Among the certificates found one with an ECDSA key comes first for clients that take these, but not
  for those that speak TLS 1.3 alone: they have no cipher suite that says so. Ed25519 and Ed448 come behind RSA.
- A client without a name, or with one that no certificate has, gets the first certificate of the line, unless
  `strict-sni` turns it away.
- `generate-certificates` makes a certificate for a name that no other has (`hapy.tls.forging`).
- A line of a crt-list may have settings of its own: they come before those of the bind line. Of the versions of the
  first line this is so only for clients who ask for its name.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from hapy.samples.environment import CompileError
from hapy.tls import inside, openssl
from hapy.tls.certificates import Certificate, valid_until
from hapy.tls.certificates import served as served_as
from hapy.tls.groups import set_parameters
from hapy.tls.session import files
from hapy.tls.settings import Surroundings, apply_common, load_certificate
from hapy.tls.trust import Trusts, extend
from hapy_config.model.certificates import CertificateEntry
from hapy_config.tls.versions import LEAST, limited, narrowed, version_range

if TYPE_CHECKING:
    from hapy.tls.forging import Forge
    from hapy.tls.hello import ClientHello
    from hapy_config.model.certificates import CertificateFiles
    from hapy_config.model.server import Bind
    from hapy_config.source import Span
    from hapy_config.tls.versions import Options


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

    __slots__ = ("_bind", "_exact", "_excluded", "_forge", "_sole", "_trusts", "_wild", "default", "records", "strict")

    def __init__(self, bind: Bind, around: Surroundings) -> None:
        self._bind = bind
        self._trusts = Trusts(bind.span)
        options, span = bind.tls or {}, bind.span
        certificates = [served_as(entry, span) for entry in bind.certificates]
        merged = {**around.options, **options}
        self.strict = "strict-sni" in options
        self.records = around.records
        self._exact: dict[bytes, list[Served]] = {}
        self._wild: dict[bytes, list[Served]] = {}
        self._excluded: dict[bytes, list[Served]] = {}
        served = [self._serve(certificate, merged, around) for certificate in certificates]
        self._forge = self._make_forge(merged, around)
        if not served and not self.strict and self._forge is None:
            raise CompileError("no SSL certificate specified for this bind line (use 'crt').", span)
        self.default = served[0] if served else None
        if certificates and limited(certificates[0].options):
            self.default = self._serve(certificates[0], merged, around, named=False)
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

    def _make_forge(self, merged: Options, around: Surroundings) -> Forge[Served] | None:
        """What makes certificates, where the line wants them (`generate-certificates`)."""
        if self._bind.signer is None or "generate-certificates" not in (self._bind.tls or {}):
            return None
        from hapy.tls.forging import Forge

        def serve(files: CertificateFiles) -> Served:
            return self._serve(served_as(CertificateEntry(files), self._bind.span), merged, around)

        self._trusts.by(self._bind.tls or {})  # their files may be out of reach later
        try:
            return Forge(self._bind.signer, next(iter(self._bind.certificates), None), around.forged, serve)
        except (ValueError, TypeError) as error:
            raise CompileError(f"unable to make certificates: {error}", self._bind.span) from None

    def _serve(self, certificate: Certificate, merged: Options, around: Surroundings, *, named: bool = True) -> Served:
        """A certificate as it is served; `named`: to clients who asked for its name."""
        bind = self._bind
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
            extend(lambda: inside.note_secrets(context), "tune.ssl.keylog", span)
        openssl.accept_names(context)
        set_parameters(context, certificate.files, certificate.bits, around)
        if around.lifetime != 300:
            extend(lambda: openssl.set_lifetime(context, around.lifetime), "tune.ssl.lifetime", span)
        if around.cache_size is not None:
            extend(lambda: openssl.limit_cache(context, around.cache_size or 0), "tune.ssl.cachesize", span)
        if tickets:
            extend(lambda: openssl.share_tickets(context, tickets), "tls-ticket-keys", span)
        shown = _beside(context, certificate, span)
        trust = self._trusts.by(own)
        if trust is not None:
            trust.apply(context)
        return Served(certificate, context, watched=trust is not None, staple=shown)


def _fitting(found: list[Served], hello: ClientHello) -> Served:
    """The first with a key that the client takes."""
    if len(found) > 1:
        kinds = hello.key_kinds
        if kinds[:1] == ["rsa"]:  # who speaks TLS 1.3 alone gets an Ed25519 key before an ECDSA one
            kinds = ["rsa", "other", *kinds]
        for kind in kinds:
            for one in found:
                if one.certificate.kind == kind:
                    return one
    return found[0]


def _beside(context: ssl.SSLContext, certificate: Certificate, span: Span) -> openssl.Staple | None:
    """Staple and timestamps, where a certificate has some."""
    files = certificate.files
    if files.sctl:
        extend(lambda: openssl.show_timestamps(context, files.sctl), "a .sctl file", span)
    if not files.issuer:
        return None
    shown = openssl.Staple(files.ocsp, valid_until(files.ocsp) if files.ocsp else 0.0)
    extend(lambda: openssl.staple(context, shown), "OCSP", span)
    return shown

"""What is known of one TLS connection, for fetches, logs and the PROXY header."""

from __future__ import annotations

import functools
import ssl
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from hapy.tls import inside

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hapy.tls.hello import ClientHello
    from hapy.tls.openssl import VerifyErrors


#: What is wrong with a server's certificate: it is not for the name that was asked for, or not for `verifyhost`.
OTHER_NAME: Final = "Server presented an SSL certificate different from the expected one"
OTHER_HOST: Final = "Server presented an SSL certificate different from the configured one"

#: Parts of the library that only complain while a certificate is made (`hapy.tls.forging`).
_OF_CERTIFICATES: Final = frozenset({"ASN1", "X509V3"})
_VERSIONS: Final = {0x0301: b"TLSv1", 0x0302: b"TLSv1.1", 0x0303: b"TLSv1.2"}

#: The files that certificates come from, by the contexts that serve them.
files: WeakKeyDictionary[ssl.SSLContext, str] = WeakKeyDictionary()


class TlsSession:
    """A connection's TLS layer once its handshake is done, or has failed.

    Attributes:
        object: the TLS library's view of it.
        hello: what the client asked for, None towards servers and of a client that sent none.
        own: our certificate (DER), empty for none.
        errors: what verification of the peer found.
        done: the handshake has succeeded.
        error: the library's last complaint, None for none.
        fault: why the handshake has failed, or what we have against the peer (OTHER_NAME, OTHER_HOST).
        secrets: what `tune.ssl.keylog` notes: label → hexadecimal secret.
    """

    __slots__ = ("done", "error", "errors", "fault", "hello", "object", "own", "secrets")

    def __init__(
        self,
        tls: ssl.SSLObject,
        hello: ClientHello | None,
        own: bytes,
        errors: VerifyErrors | None,
        error: ssl.SSLError | None = None,
        *,
        done: bool = True,
        fault: str = "",
    ) -> None:
        self.object = tls
        self.hello = hello
        self.own = own
        self.errors = errors
        self.error = error
        self.done = done
        self.fault = fault
        if not done and inside.ended_by_name(tls, error):
            self.fault = OTHER_NAME if self.server_name else OTHER_HOST
        secrets = inside.take_secrets(tls)
        self.secrets = secrets if done else {}

    @property
    def version(self) -> bytes:
        """`TLSv1.3` and so on; where no certificate could be made, the lower of the client's highest and ours."""
        if self.hello is not None and self.error is not None and self.error.library in _OF_CERTIFICATES:
            return _VERSIONS.get(self._highest(self.hello), b"TLSv1.3")
        version = self.object.version()
        return version.encode() if version else inside.version(self.object) or b""

    def _highest(self, hello: ClientHello) -> int:
        ours = self.object.context.maximum_version
        return hello.version if ours is ssl.TLSVersion.MAXIMUM_SUPPORTED else min(hello.version, ours)

    @property
    def cipher(self) -> bytes:
        """The cipher suite, `(NONE)` where none was agreed on."""
        cipher = self.object.cipher()
        return cipher[0].encode() if cipher else b"(NONE)"

    @property
    def key_size(self) -> int:
        """The bits of the cipher's key."""
        cipher = self.object.cipher()
        return cipher[2] if cipher else 0

    @property
    def alpn(self) -> bytes | None:
        """The protocol agreed on, None without one."""
        chosen = self.object.selected_alpn_protocol()
        return chosen.encode() if chosen else None

    @property
    def server_name(self) -> bytes | None:
        """The SNI, None without one: what the client sent, or we have sent.

        Of a handshake that failed, as HAProxy has it: nothing where it ended before the library came to the name, and
        in lower case where there is no certificate for it.
        """
        if self.hello is not None and (self.done or not self.own):
            name = self.hello.server_name
            return (name if self.done else name.lower()) or None
        sent = self.object.server_hostname
        return sent.encode() if sent else inside.asked_name(self.object)

    @property
    def resumed(self) -> bool:
        """Whether an earlier session was taken up again."""
        return bool(self.object.session_reused)

    @property
    def session_id(self) -> bytes | None:
        """The session's id."""
        session = self.object.session if self.done else None
        return session.id if session is not None else None

    @property
    def peer(self) -> bytes | None:
        """The peer's certificate (DER), None without one."""
        if self.done and self.error is None:
            return self.object.getpeercert(binary_form=True)
        if self.errors is not None and self.errors.certificate is not None:
            return self.errors.certificate
        if inside.reason(self.error) == "CERTIFICATE_VERIFY_FAILED":
            return None
        return inside.peer(self.object)

    @property
    def chain(self) -> bytes | None:
        """What the peer has sent of its chain (DER, one behind the other); a client's own certificate is left out."""
        sent = inside.chain(self.object) if self.done else []
        return b"".join(sent[1:] if self.object.server_side else sent) or None

    @property
    def root(self) -> bytes | None:
        """The authority (DER) that the peer's certificate was traced back to; None where it was not verified."""
        if not self.done or self.verify_error:
            return None
        traced = inside.chain(self.object, verified=True)
        return traced[-1] if traced else None

    @property
    def file(self) -> bytes | None:
        """The file that our certificate comes from."""
        name = files.get(self.object.context)
        return None if name is None else name.encode("utf-8", "surrogateescape")

    @property
    def curve(self) -> bytes | None:
        """The group of the key exchange."""
        return inside.curve(self.object)

    @property
    def client_random(self) -> bytes | None:
        """What the client threw in."""
        return inside.client_random(self.object)

    @property
    def server_random(self) -> bytes | None:
        """What the server threw in."""
        return inside.server_random(self.object)

    @property
    def session_key(self) -> bytes | None:
        """The master key."""
        return inside.session_key(self.object)

    @property
    def error_number(self) -> int:
        """OpenSSL's number of the last error, 0 for none."""
        return inside.error_number(self.error)

    @property
    def verify_error(self) -> int:
        """The last error that verification of the peer has found, 0 for none.

        A session that is taken up again is not verified again: what was found, and ignored, then still holds.
        """
        if self.object.session_reused:
            return inside.verify_result(self.object)
        return self.errors.last if self.errors is not None else 0


@functools.lru_cache(maxsize=256)
def parsed(der: bytes) -> Certificate:
    """A certificate, read. Peers come back: the last few hundred are kept."""
    from cryptography import x509

    return x509.load_der_x509_certificate(der)

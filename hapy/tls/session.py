"""What is known of one TLS connection, for fetches, logs and the PROXY header."""

from __future__ import annotations

import functools
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hapy.tls.hello import ClientHello
    from hapy.tls.openssl import VerifyErrors


class TlsSession:
    """A connection's TLS layer once its handshake is done.

    Attributes:
        object: the TLS library's view of it.
        hello: what the client asked for, None towards servers.
        own: our certificate (DER), empty for none.
        errors: what verification of the peer found.
    """

    __slots__ = ("errors", "hello", "object", "own")

    def __init__(self, tls: ssl.SSLObject, hello: ClientHello | None, own: bytes, errors: VerifyErrors | None) -> None:
        self.object = tls
        self.hello = hello
        self.own = own
        self.errors = errors

    @property
    def version(self) -> bytes:
        """`TLSv1.3` and so on."""
        return (self.object.version() or "").encode()

    @property
    def cipher(self) -> bytes:
        """The cipher suite."""
        cipher = self.object.cipher()
        return cipher[0].encode() if cipher else b""

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
        """The SNI, None without one."""
        return (self.hello.server_name or None) if self.hello is not None else None

    @property
    def resumed(self) -> bool:
        """Whether an earlier session was taken up again."""
        return bool(self.object.session_reused)

    @property
    def session_id(self) -> bytes | None:
        """The session's id."""
        session = self.object.session
        return session.id if session is not None else None

    @property
    def peer(self) -> bytes | None:
        """The peer's certificate (DER), None without one."""
        return self.object.getpeercert(binary_form=True)

    @property
    def verify_error(self) -> int:
        """The last error that verification of the peer has found, 0 for none."""
        return self.errors.last if self.errors is not None else 0


@functools.lru_cache(maxsize=256)
def parsed(der: bytes) -> Certificate:
    """A certificate, read. Peers come back: the last few hundred are kept."""
    from cryptography import x509

    return x509.load_der_x509_certificate(der)

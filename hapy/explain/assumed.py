"""A client's TLS layer as a walk assumes it: an up-to-date browser without a certificate."""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import Final


class _NoLibrary:
    """Stands for the TLS library's view of a connection that is not there."""

    def get_channel_binding(self, _kind: str) -> None:
        """TLS 1.3 has none."""


class AssumedTls:
    """What `hapy.tls.session.TlsSession` tells of a real connection.

    Attributes:
        server_name: the SNI, None without one.
    """

    version: Final = b"TLSv1.3"
    cipher: Final = b"TLS_AES_256_GCM_SHA384"
    key_size: Final = 256
    alpn: Final = b"http/1.1"
    resumed: Final = False
    session_id: Final = None
    peer: Final = None
    verify_error: Final = 0
    own: Final = b""
    errors: Final = None
    done: Final = True
    error_number: Final = 0
    chain: Final = None
    root: Final = None
    file: Final = None
    curve: Final = b"X25519"
    client_random: Final = None
    server_random: Final = None
    session_key: Final = None
    secrets: Final[dict[bytes, bytes]] = {}
    hello: Final = None
    object: Final = _NoLibrary()

    def __init__(self, server_name: bytes | None) -> None:
        self.server_name = server_name


def client_hello(name: str) -> bytes:
    """What the client sends first where TLS is not ended here; it asks for that name, for h2 and http/1.1."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.check_hostname = False
    out = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name or None)
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return out.read()

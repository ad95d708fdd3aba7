"""The PROXY protocol on both sides: `accept-proxy` on bind lines, `send-proxy…` on server lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from hapy.net import proxy_header
from hapy.net.clock import NEVER, now, unwatch
from hapy.net.stream import Stream
from hapy.proxy.greeting import Met
from hapy.proxy.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.net.tls import Upper
    from hapy.proxy.frontend import Frontend
    from hapy.proxy.listening import Listening
    from hapy.proxy.transaction import Client
    from hapy.tls.session import TlsSession
    from hapy_config.model.server import Server

    #: Makes what comes next on a connection: TLS, or what serves it.
    Next = Callable[[Met, Callable[[], None]], Upper]


class ProxiedGreeting(Stream):
    """A client's connection until its PROXY header has come; it then belongs to what comes next."""

    __slots__ = ("_early", "_next", "_over", "_release", "client", "frontend", "listening")

    client: Client

    def __init__(self, frontend: Frontend, listening: Listening, following: Next, release: Callable[[], None]) -> None:
        super().__init__()
        self.frontend = frontend
        self.listening = listening
        self._next = following
        self._release = release
        self._early = bytearray()
        self._over = False

    def on_open(self) -> None:
        """Accepted."""
        self.client = self.listening.meet(self.transport)
        if not self.frontend.screen(self.client):
            self._over = True
            self.abort()
        elif self.frontend.client_timeout is not NEVER:
            self.expire_after(self.frontend.client_timeout)

    def data_received(self, data: bytes) -> None:
        """Event loop: bytes."""
        if self._over:
            return
        self._early += data
        try:
            header = proxy_header.read_header(self._early)
        except proxy_header.BadHeader as error:
            self._fail(str(error))
            return
        if header is not None:
            self._hand_over(header, bytes(self._early[header.size :]))

    def _hand_over(self, header: proxy_header.Header, rest: bytes) -> None:
        client, transport = self.client, self.transport
        client.proxied = True
        if header.family is not None:
            client.family = header.family
            client.source, client.source_port = header.source, header.source_port
            client.destination, client.destination_port = header.destination, header.destination_port
        client.handshake = now() - client.accepted
        unwatch(self)
        following = self._next(Met(self.listening, client), self._release)
        transport.set_protocol(cast(Any, following))
        following.connection_made(transport)
        if rest and not transport.is_closing():
            following.data_received(rest)

    def on_eof(self) -> None:
        """The client left before."""
        self._fail(self._cut_short())

    def on_deadline(self) -> None:
        """The header took too long."""
        self._fail("Timeout while waiting for PROXY protocol header")

    def _fail(self, message: str) -> None:
        if not self._over:
            self._over = True
            if self._early or not self.frontend.dont_log_null:
                txn = Transaction(self.client, self.frontend, self.client.accepted)
                self.frontend.logger.log_error(txn, message)
            if self._early:
                self.abort()  # as a close over unread bytes would
            else:
                self.close()

    def on_lost(self, _error: Exception | None) -> None:
        """The connection is gone."""
        self._fail(self._cut_short())
        self._release()

    def _cut_short(self) -> str:
        if self._early:
            return "Truncated PROXY protocol header received"
        return "Connection closed while waiting for PROXY protocol header"


def sender(server: Server) -> Callable[[Transaction | None], bytes] | None:
    """What makes the header that a connection to this server begins with; None where it begins with none.

    Without a transaction (a connection opened ahead, a check) the header speaks of hapy's own connection.
    """
    if not server.send_proxy:
        return None
    if server.send_proxy == 1:
        return lambda txn: b"PROXY UNKNOWN\r\n" if txn is None else proxy_header.line(*_addresses(txn))
    wanted = frozenset(server.options.get("proxy-v2-options", ()))

    def header(txn: Transaction | None) -> bytes:
        if txn is None:
            return proxy_header.SIGNATURE + b"\x20\x00\x00\x00"
        return proxy_header.binary(*_addresses(txn), _values(txn, wanted))

    return header


def _addresses(txn: Transaction) -> tuple[bytes, int, bytes, int]:
    client = txn.client
    return (
        client.source if txn.source is None else txn.source,
        client.source_port if txn.source_port is None else txn.source_port,
        client.destination if txn.destination is None else txn.destination,
        client.destination_port if txn.destination_port is None else txn.destination_port,
    )


def _values(txn: Transaction, wanted: frozenset[str]) -> list[tuple[int, bytes]]:
    """The type-length-values, in HAProxy's order."""
    values: list[tuple[int, bytes]] = []
    tls: TlsSession | None = txn.client.tls
    if "crc32c" in wanted:
        values.append((proxy_header.CRC32C, b""))
    if tls is not None and tls.alpn is not None:
        values.append((proxy_header.ALPN, tls.alpn))
    if "authority" in wanted and tls is not None and tls.server_name is not None:
        values.append((proxy_header.AUTHORITY, tls.server_name))
    if "unique-id" in wanted and txn.frontend.unique_id is not None:
        if txn.unique_id is None:
            txn.unique_id = txn.frontend.unique_id(txn)
        values.append((proxy_header.UNIQUE_ID, txn.unique_id))
    if "ssl" in wanted:
        values.append((proxy_header.TLS, b"\0\0\0\0\0" if tls is None else _tls(tls, wanted)))
    return values


def _tls(tls: TlsSession, wanted: frozenset[str]) -> bytes:
    """The value that tells of TLS: whether, whether with a certificate, and what of it was asked for."""
    flags = 1
    parts = proxy_header.tlv(proxy_header.TLS_VERSION, tls.version)
    der = tls.peer
    if der is not None:
        flags |= 6 if not tls.resumed else 4
        parts += _certificate(der, wanted)
    if "ssl-cipher" in wanted:
        parts += proxy_header.tlv(proxy_header.TLS_CIPHER, tls.cipher)
    return bytes((flags,)) + tls.verify_error.to_bytes(4, "big") + parts


def _certificate(der: bytes, wanted: frozenset[str]) -> bytes:
    """What is told of a client's certificate."""
    from hapy.tls import facts
    from hapy.tls.session import parsed

    certificate = parsed(der)
    parts = b""
    if "cert-cn" in wanted and (names := facts.common_names(certificate)):
        parts += proxy_header.tlv(proxy_header.TLS_CN, names[0].encode())
    if "cert-key" in wanted:
        parts += proxy_header.tlv(proxy_header.TLS_KEY, facts.key_name(certificate).encode())
    if "cert-sig" in wanted:
        parts += proxy_header.tlv(proxy_header.TLS_SIGNATURE, facts.signature_name(certificate).encode())
    return parts

"""The PROXY protocol on both sides: what clients' connections begin with, what those to servers begin with."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, cast

from hapy.net import netscaler, proxy_header
from hapy.net.clock import NEVER, now, unwatch
from hapy.net.stream import Stream
from hapy.proxy.greeting import Met
from hapy.proxy.transaction import Transaction
from hapy.samples.formats.aliases import unique_id
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.net.tls import Upper
    from hapy.proxy.frontend import Frontend
    from hapy.proxy.listening import Listening
    from hapy.proxy.namespaces import Home
    from hapy.proxy.transaction import Client
    from hapy.samples.environment import CompileEnv
    from hapy.tls.session import TlsSession
    from hapy_config.model.server import Server

    #: Makes what comes next on a connection: TLS, or what serves it.
    Next = Callable[[Met, Callable[[], None]], Upper]


#: Seconds for the rest of a header whose first part has come: time for one retransmission (proxy-protocol.txt,
#: section 2). HAProxy gives up at once.
REST = 3.0

#: The log's words by kind of header: the client left before it, sent only a part, took too long (manual, `fc_err_str`).
_PROXY_WORDS = (
    "Connection closed while waiting for PROXY protocol header",
    proxy_header.TRUNCATED,
    "Timeout while waiting for PROXY protocol header",
)
_NETSCALER_WORDS = (
    "Connection closed while waiting for NetScaler Client IP header",
    "Truncated NetScaler Client IP header received",
    "Timeout while waiting for a NetScaler Client IP header",
)


class Preface:
    """What a client's connection begins with, other than its own protocol.

    Attributes:
        netscaler, proxy: which headers are expected; the former comes first where both are.
        tail: the type-length-values of the PROXY header that has come (`hapy.net.proxy_header.values`).
    """

    __slots__ = ("netscaler", "proxy", "tail")

    def __init__(self, *, netscaler: bool = False, proxy: bool = False) -> None:
        self.netscaler = netscaler
        self.proxy = proxy
        self.tail = b""


class ProxiedGreeting(Stream):
    """A client's connection until its headers have come; it then belongs to what comes next.

    Which ones are expected say the bind line (`accept-proxy`, `accept-netscaler-cip`) and `tcp-request connection`
    rules (`expect-proxy`, `expect-netscaler-cip`). A connection that begins without any is handed on at once.
    """

    __slots__ = ("_early", "_following", "_next", "_over", "_release", "client", "frontend", "listening")

    client: Client

    def __init__(self, frontend: Frontend, listening: Listening, following: Next, release: Callable[[], None]) -> None:
        super().__init__()
        self.frontend = frontend
        self.listening = listening
        self._next = following
        self._release = release
        self._early = bytearray()
        self._over = False
        self._following: Upper | None = None

    def on_open(self) -> None:
        """Accepted."""
        self.client = client = self.listening.meet(self.transport)
        bind = self.listening.bind
        client.preface = preface = Preface(netscaler=bind.netscaler is not None, proxy=bind.accept_proxy)
        if not self.frontend.screen(client, self.transport):
            self._over = True
            self.abort()
        elif not (preface.netscaler or preface.proxy):
            client.preface = None
            self._hand_over(waited=False)
        elif self.frontend.client_timeout != NEVER:
            self.expire_after(self.frontend.client_timeout)

    def data_received(self, data: bytes) -> None:
        """Event loop: bytes."""
        following = self._following
        if following is not None:
            following.data_received(data)
            return
        if self._over:
            return
        self._early += data
        preface = self.client.preface
        assert preface is not None
        try:
            if preface.netscaler and self._took(netscaler.read_header(self._early, self.listening.bind.netscaler or 0)):
                preface.netscaler = False
            if preface.proxy and not preface.netscaler and self._took(proxy_header.read_header(self._early)):
                preface.proxy = False
                self.client.proxied = True
        except proxy_header.BadHeader as error:
            if error.header is not None:
                self._speaks_for(error.header)
            self._fail(str(error))
            return
        self._go_on(preface)

    def _go_on(self, preface: Preface) -> None:
        """Hand the connection on, or wait for the rest."""
        if self._over:
            return
        client = self.client
        if not preface.netscaler and not preface.proxy:
            if not preface.tail:
                client.preface = None
            client.handshake = now() - client.accepted
            self._hand_over(waited=True)
        elif self._early:
            self.expire_after(min(REST, client.accepted + self.frontend.client_timeout - now()))

    def _took(self, header: proxy_header.Header | None) -> bool:
        """Heed a header if all of it has come; whether it has."""
        most = self.frontend.buffer_size
        if (len(self._early) if header is None else header.size) > most:
            self._fail(self._words()[1])
            return False
        if header is None:
            return False
        self._speaks_for(header)
        del self._early[: header.size]
        return True

    def _speaks_for(self, header: proxy_header.Header) -> None:
        """The connection is that of somebody else."""
        client = self.client
        if header.family is not None:
            client.family = header.family
            client.source, client.source_port = header.source, header.source_port
            client.set_destination(header.destination, header.destination_port)
            if header.tail and client.preface is not None:
                client.preface.tail = header.tail

    def _hand_over(self, *, waited: bool) -> None:
        transport = self.transport
        self._over = True
        unwatch(self)
        met = Met(self.listening, self.client, waited=waited, unread=bool(self._early))
        self._following = following = self._next(met, self._release)
        transport.set_protocol(cast(Any, following))
        following.connection_made(transport)
        rest, self._early = bytes(self._early), bytearray()
        if rest and not transport.is_closing():
            following.data_received(rest)

    def eof_received(self) -> bool:
        """Event loop: the client has closed its side."""
        if self._following is not None:
            return bool(self._following.eof_received())
        return super().eof_received()

    def on_eof(self) -> None:
        """The client left before."""
        self._fail(self._words()[1 if self._early else 0])

    def on_deadline(self) -> None:
        """The header took too long."""
        self._fail(self._words()[1 if self._early else 2])

    def _words(self) -> tuple[str, str, str]:
        preface = self.client.preface
        return _NETSCALER_WORDS if preface is not None and preface.netscaler else _PROXY_WORDS

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
        self._fail(self._words()[1 if self._early else 0])
        self._release()


def sender(server: Server, env: CompileEnv, home: Home | None) -> Callable[[Transaction | None], bytes] | None:
    """What makes the header that a connection to this server begins with; None where it begins with none.

    Without a transaction (a connection opened ahead) the header says that hapy speaks for itself.

    Args:
        server: the server line.
        env: what surrounds it.
        home: tells of clients' namespaces, None where there are none.
    """
    if not server.send_proxy:
        return None
    if server.send_proxy == 1:
        return lambda txn: b"PROXY UNKNOWN\r\n" if txn is None else proxy_header.line(*_addresses(txn))
    wanted = frozenset(server.options.get("proxy-v2-options", ()))
    own = _own_values(server, env)

    def header(txn: Transaction | None) -> bytes:
        if txn is None:
            return proxy_header.binary(b"", 0, b"", 0, _lasting_values(wanted))
        values = _values(txn, wanted, own)
        space = home(txn) if home is not None else None
        if space is not None:
            values.append((proxy_header.NETNS, to_bytes(space)))
        return proxy_header.binary(*_addresses(txn), values)

    return header


def check_header(
    server: Server, source: bytes, source_port: int, destination: bytes, destination_port: int, *, local: bool = True
) -> bytes:
    """The header that a health check's connection begins with.

    Version 1 tells the addresses of that connection itself, version 2 says `LOCAL`.

    Args:
        server: the server line; without `send-proxy` (then `check-send-proxy` asks) the header is of version 1.
        source: the address of hapy's end of the connection, as text.
        source_port: its port.
        destination: the address of the server's end.
        destination_port: its port.
        local: version 2 may say `LOCAL`; with the global `pp2-never-send-local` it tells addresses, too.
    """
    if server.send_proxy != 2:
        return proxy_header.line(source, source_port, destination, destination_port)
    if local:
        source = destination = b""
    wanted = frozenset(server.options.get("proxy-v2-options", ()))
    return proxy_header.binary(source, source_port, destination, destination_port, _lasting_values(wanted))


def _lasting_values(wanted: frozenset[str]) -> list[tuple[int, bytes]]:
    """The type-length-values of a connection that belongs to no client."""
    values = [(proxy_header.CRC32C, b"")] if "crc32c" in wanted else []
    if "ssl" in wanted:
        values.append((proxy_header.TLS, _NO_TLS))
    return values


def _own_values(server: Server, env: CompileEnv) -> tuple[tuple[int, Callable[[Transaction], bytes]], ...]:
    """What `set-proxy-v2-tlv-fmt` adds."""
    if not server.proxy_values:
        return ()
    from hapy.samples.raw_format import compile_raw_format

    return tuple((number, compile_raw_format(written, env)) for number, written in server.proxy_values)


def _addresses(txn: Transaction) -> tuple[bytes, int, bytes, int]:
    client = txn.client
    ports = (0, 0) if client.family == socket.AF_UNIX else (client.source_port, client.destination_port)
    return (
        client.source if txn.source is None else txn.source,
        ports[0] if txn.source_port is None else txn.source_port,
        client.destination if txn.destination is None else txn.destination,
        ports[1] if txn.destination_port is None else txn.destination_port,
    )


def _values(
    txn: Transaction, wanted: frozenset[str], own: tuple[tuple[int, Callable[[Transaction], bytes]], ...]
) -> list[tuple[int, bytes]]:
    """The type-length-values, in HAProxy's order."""
    values: list[tuple[int, bytes]] = []
    tls: TlsSession | None = txn.client.tls
    if "crc32c" in wanted:
        values.append((proxy_header.CRC32C, b""))
    if tls is not None and tls.alpn is not None:
        values.append((proxy_header.ALPN, tls.alpn))
    values.extend((number, render(txn)) for number, render in own)
    if "authority" in wanted:
        told = _told_authority(txn.client)
        name = tls.server_name if told is None and tls is not None else told
        if name is not None:
            values.append((proxy_header.AUTHORITY, name))
    if "unique-id" in wanted:  # an empty one where no format makes it
        values.append((proxy_header.UNIQUE_ID, (unique_id(txn) if txn.frontend.unique_id is not None else None) or b""))
    if "ssl" in wanted:
        values.append((proxy_header.TLS, _NO_TLS if tls is None else _tls(tls, wanted)))
    return values


def _told_authority(client: Client) -> bytes | None:
    """The host name that the client's own PROXY header has told of, the last of several."""
    preface = client.preface
    names = proxy_header.found(preface.tail, proxy_header.AUTHORITY) if preface is not None and preface.tail else ()
    return names[-1] if names else None


#: The value that tells of TLS where there is none.
_NO_TLS = bytes(5)


def _tls(tls: TlsSession, wanted: frozenset[str]) -> bytes:
    """The value that tells of TLS: whether, whether with a certificate, and what of it was asked for."""
    flags = 1
    parts = proxy_header.tlv(proxy_header.TLS_VERSION, tls.version)
    der = tls.peer
    if der is not None:
        flags |= 6 if not tls.resumed else 4
        if "cert-cn" in wanted:
            parts += _common_name(der)
    if "cert-key" in wanted or "cert-sig" in wanted:
        parts += _own_certificate(tls.own, wanted)
    if "ssl-cipher" in wanted:
        parts += proxy_header.tlv(proxy_header.TLS_CIPHER, tls.cipher)
    return bytes((flags,)) + tls.verify_error.to_bytes(4, "big") + parts


def _common_name(der: bytes) -> bytes:
    """What is told of a client's certificate."""
    from hapy.tls import facts
    from hapy.tls.session import parsed

    names = facts.common_names(parsed(der))
    return proxy_header.tlv(proxy_header.TLS_CN, names[0].encode()) if names else b""


def _own_certificate(der: bytes, wanted: frozenset[str]) -> bytes:
    """What is told of ours."""
    from hapy.tls import facts
    from hapy.tls.session import parsed

    certificate = parsed(der)
    parts = b""
    if "cert-key" in wanted:
        parts += proxy_header.tlv(proxy_header.TLS_KEY, facts.key_name(certificate).encode())
    if "cert-sig" in wanted:
        parts += proxy_header.tlv(proxy_header.TLS_SIGNATURE, facts.signature_name(certificate).encode())
    return parts

"""How connections to one server are made: address, source, key and limits, worked out once."""

from __future__ import annotations

import socket
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from hapy.http.codec import Limits, response_parser
from hapy.net.connect import OWN_FAULTS, ConnectFailed, Destination, abstract, connect
from hapy.net.sockets import ends, home_of
from hapy.pool import ConnectionKey
from hapy.proxy.server_connection import ServerConnection
from hapy.samples.fetches.heads import parse_forwarded
from hapy.samples.headers import nth, values
from hapy_config.grammar.addresses import parse_address
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hapy.http.codec import ResponseSink
    from hapy.http.response_parser import ResponseParser
    from hapy.net.sockets import Ends, Option
    from hapy.net.stream import Stream
    from hapy.observe.process import Process
    from hapy.proxy.namespaces import Home
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Transaction
    from hapy.tls.outgoing import Outgoing
    from hapy_config.model.server import Source

S = TypeVar("S", bound="Stream")
R = TypeVar("R")

#: How many ports of a range are tried for one connection.
_PORTS_TRIED = 100

_FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6, "unix": socket.AF_UNIX, "abns": socket.AF_UNIX}


class Connector:
    """Opens connections to a server.

    Attributes:
        tls: TLS towards the server, None for plain text. written: the same as the file has it.
        fixed: every connection has the server's own key; else `key` works it out from the request.
        named: connections differ by the name that is asked for, and by nothing else.
    """

    __slots__ = (
        "_base",
        "_generation",
        "_header",
        "_home",
        "_name",
        "_namespace",
        "_options",
        "_ports",
        "_process",
        "_source",
        "fixed",
        "limits",
        "named",
        "server",
        "tls",
        "written",
    )

    def __init__(
        self,
        server: Server,
        source: Source | None,
        limits: Limits,
        tls: Outgoing | None = None,
        header: Callable[[Transaction | None], bytes] | None = None,
        *,
        options: tuple[Option, ...],
        process: Process,
        home: Home | None = None,
    ) -> None:
        """All of it from the server's line, but `home`, which tells of clients' namespaces (`namespace *`)."""
        self.server = server
        self._process = process
        self.limits = limits
        self._source = source
        self._ports: deque[int] = deque()
        if source is not None and source.address.port and (source.address.port_end or 0) > source.address.port:
            self._ports.extend(range(source.address.port, (source.address.port_end or 0) + 1))
        self._options = options
        self._namespace = home_of(server.model)
        self._home = home if "*" in server.model.options.get("namespace", ()) else None
        self.tls = self.written = tls
        self._header = header
        self._generation = -1
        self._base: Destination | None = None
        self.refit()

    def refit(self) -> None:
        """Take over what the server's address and TLS say now."""
        server, tls = self.server, self.tls
        self._name = tls.name if tls is not None and not tls.fixed else None
        if tls is not None:
            tls.tallies = (server.counters, server.backend.counters)
        address = server.address
        alike = (
            self._header is None
            and self._home is None
            and not (address.port_offset or address.unspecified or (self._source is not None and self._source.usesrc))
        )
        self.fixed = alike and self._name is None
        self.named = alike and self._name is not None

    def parser(self, sink: ResponseSink) -> ResponseParser:
        """A parser for one connection's answers."""
        return response_parser(self.limits, sink)

    def key(self, txn: Transaction) -> ConnectionKey:
        """The identity of a connection for this request."""
        if self.fixed:
            return self.server.key
        destination = self._destination(txn)
        address = self.server.address
        return ConnectionKey(
            self.server.generation,
            name=self._name(txn) if self._name is not None else None,
            host=destination.host.encode() if address.unspecified else None,
            port=destination.port if address.port_offset or address.unspecified else 0,
            source=destination.source[0].encode() if destination.source is not None else None,
            source_port=destination.source[1] if destination.source is not None else 0,
            proxy_header=self._header(txn) if self._header is not None else b"",
            namespace=destination.namespace if self._home is not None else None,
        )

    async def dial(self, key: ConnectionKey, txn: Transaction | None = None) -> ServerConnection:
        """Open a connection for requests; without a transaction one for the pool.

        Raises:
            ConnectFailed: there is none.
        """
        server = self.server
        parser = self.parser
        tls = self.tls
        tell = self._note_ends(txn)
        if tls is None:
            connection = await self._leave(
                txn, lambda to: connect(to, lambda: ServerConnection(server, key, parser), tell)
            )
            if key.proxy_header:
                connection.transport.write(key.proxy_header)
        else:
            from hapy.net.tls_client import connect_tls

            name = tls.constant if tls.fixed else key.name
            asking, header = tls, key.proxy_header
            connection, session = await self._leave(
                txn,
                lambda to: connect_tls(to, asking, name, lambda: ServerConnection(server, key, parser), header, tell),
            )
            connection.tls = session
        if self._process.shows_ends:
            connection.ends = ends(connection.transport)
        return connection

    async def dial_raw(self, factory: Callable[[bytes], S], txn: Transaction) -> S:
        """Open a connection that carries bytes (`mode tcp`).

        Args:
            factory: makes the stream, which writes the bytes it is given as soon as it stands, before all others.
            txn: the session it is for.

        Raises:
            ConnectFailed: there is none.
        """
        tls = self.tls
        header = self._header(txn) if self._header is not None else b""
        tell = self._note_ends(txn)
        if tls is None:
            stream = await self._leave(txn, lambda to: connect(to, lambda: factory(header), tell))
        else:
            from hapy.net.tls_client import connect_tls

            asking, name = tls, tls.name(txn)
            stream, txn.server_tls = await self._leave(
                txn, lambda to: connect_tls(to, asking, name, lambda: factory(b""), header, tell)
            )
        if self._process.shows_ends:
            txn.server_ends = ends(stream.transport)
        return stream

    async def _leave(self, txn: Transaction | None, attempt: Callable[[Destination], Awaitable[R]]) -> R:
        """Connect; with a range of source ports from the next one that is free.

        Raises:
            ConnectFailed: there is no connection.
        """
        destination = self._destination(txn)
        ports = self._ports
        if not ports or destination.source is None:
            return await attempt(destination)
        host = destination.source[0]
        for _ in range(min(len(ports), _PORTS_TRIED)):
            port = ports[0]
            ports.rotate(-1)
            try:
                return await attempt(replace(destination, source=(host, port)))
            except ConnectFailed as failure:
                if failure.kind not in OWN_FAULTS:
                    raise
        raise ConnectFailed("source", "no port of the range is free")

    def _note_ends(self, txn: Transaction | None) -> Callable[[Ends], None] | None:
        """What keeps the ends of a connection that does not come about, where something asks for them."""
        if txn is None or not self._process.shows_ends:
            return None
        asked = txn

        def note(found: Ends) -> None:
            asked.server_ends = found

        return note

    def _destination(self, txn: Transaction | None) -> Destination:
        base = self._base
        if base is None or self._generation != self.server.generation:
            base = self._base = self._resolve()
            self._generation = self.server.generation
        if self.fixed:
            return base
        if txn is None:
            if self.server.address.unspecified:
                raise ConnectFailed("refused", "only a client's request says where to")
            return base
        return self._for_request(base, txn)

    def _resolve(self) -> Destination:
        address = self.server.address
        source = self._source
        bound: tuple[str, int] | None = None
        if source is not None and source.address.family in ("ipv4", "ipv6"):
            bound = (source.address.host, source.address.port or 0)
        interface = source.interface if source is not None else None
        special = (self._options, source is not None and source.usesrc is not None, self._namespace)
        if address.unspecified:
            return Destination(socket.AF_INET, "0.0.0.0", address.port or 0, bound, interface, *special)
        family = _FAMILIES.get(address.family)
        if family is None:
            raise ConnectFailed("refused", f"{address.host or address.family} has no address")
        host = address.host
        if address.family == "abns":
            host = abstract(host)
        return Destination(family, host, address.port or 0, bound, interface, *special)

    def _for_request(self, base: Destination, txn: Transaction) -> Destination:
        address = self.server.address
        client = txn.client
        host, port, family = base.host, base.port, base.family
        if address.unspecified:
            host = (txn.destination or client.destination).decode()
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            if not address.port_offset:
                port = base.port or txn.destination_port or client.destination_port
        if address.port_offset:
            port = ((txn.destination_port or client.destination_port) + (address.port or 0)) % 65536
        source = base.source
        usesrc = self._source.usesrc if self._source is not None else None
        if usesrc is not None:
            source = _foreign_source(usesrc, txn, family) or source
        space = self._home(txn) if self._home is not None else base.namespace
        return replace(base, family=family, host=host, port=port, source=source, namespace=space)


def _foreign_source(usesrc: str, txn: Transaction, family: int) -> tuple[str, int] | None:
    """The (address, port) that `usesrc` names for this request; None where no field has one of the server's family."""
    client = txn.client
    if usesrc in ("clientip", "client"):
        if client.family == socket.AF_UNIX:
            return None
        return (txn.source or client.source).decode(), client.source_port if usesrc == "client" else 0
    if not usesrc.startswith("hdr_ip("):
        address = parse_address(usesrc)
        return (address.host, address.port or 0) if address.family in ("ipv4", "ipv6") else None
    name, _, occurrence = usesrc.removeprefix("hdr_ip(").removesuffix(")").partition(",")
    if txn.request is None:
        return None
    found = nth(values(txn.request.headers, to_bytes(name.strip().lower())), int(occurrence or -1))
    ip = parse_forwarded(found) if found is not None else None
    if ip is None or (ip.version == 6) is not (family == socket.AF_INET6):
        return None
    return str(ip), 0

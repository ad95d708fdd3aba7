"""One name server: how it is asked, and what has come of it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from hapy.dns.stream import DnsStream, DnsStreams
from hapy.net.connect import Destination, abstract, connect
from hapy.net.datagram import Datagrams
from hapy_config.build.resolvconf import PATH, name_servers
from hapy_config.model.addresses import Address

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from hapy.tls.outgoing import Outgoing
    from hapy_config.model.resolvers import NameServer as NameServerModel

_TCP_MOST = 65535


@dataclass(slots=True)
class Counters:
    """What `show resolvers` prints of a name server, in its order."""

    sent: int = 0
    snd_error: int = 0
    valid: int = 0
    update: int = 0
    cname: int = 0
    cname_error: int = 0
    any_err: int = 0
    nx: int = 0
    timeout: int = 0
    refused: int = 0
    other: int = 0
    invalid: int = 0
    too_big: int = 0
    truncated: int = 0
    outdated: int = 0

    def clear(self) -> None:
        """Count anew."""
        for counter in fields(self):
            setattr(self, counter.name, 0)


class NameServer:
    """A name server of one section.

    Attributes:
        name: as logs and counters have it. counters: see `Counters`.
        stream: it is asked over TCP only.
    """

    def __init__(
        self,
        model: NameServerModel,
        payload: int,
        on_data: Callable[[NameServer, bytes, bool], None],
        tls: Outgoing | None,
    ) -> None:
        """Args:
        model: the line.
        payload: bytes that an answer over UDP may have.
        on_data: called with each message that comes, and whether it came over TCP.
        tls: towards a stream name server, None for plain text.
        """
        self.name = model.name
        self.counters = Counters()
        self.stream = model.stream
        self._payload = payload
        self._on_data = on_data
        self._tls = tls
        self._destination = destination = _destination(model.address)
        most = model.server.maxconn if model.server is not None else 0
        self._streams = DnsStreams(self._dial, lambda data: on_data(self, data, True), self._failed, most)
        self._datagrams: Datagrams | None = None
        if not model.stream:
            peer = (destination.host, destination.port)
            self._datagrams = Datagrams(destination.family, peer, self._datagram, payload)

    def __repr__(self) -> str:
        return f"<NameServer {self.name}>"

    def start(self, group: TaskGroup) -> None:
        """On the event loop."""
        self._streams.start(group)

    def ask(self, question: bytes) -> None:
        """Send a question."""
        if self._datagrams is None:
            self.counters.sent += 1
            self._streams.ask(question)
        elif self._datagrams.send(question):
            self.counters.sent += 1
        else:
            self.counters.snd_error += 1

    def ask_again(self, question: bytes) -> None:
        """Send the same question over TCP, since the answer over UDP was cut."""
        self._streams.ask(question)

    def close(self) -> None:
        """Give the sockets back."""
        self._streams.close()
        if self._datagrams is not None:
            self._datagrams.close()

    def _datagram(self, data: bytes) -> None:
        if len(data) > self._payload:
            self.counters.too_big += 1
        else:
            self._on_data(self, data, False)

    def _failed(self) -> None:
        self.counters.snd_error += 1

    async def _dial(self, factory: Callable[[], DnsStream]) -> DnsStream:
        if self._tls is None:
            return await connect(self._destination, factory)
        from hapy.net.tls_client import connect_tls

        stream, _session = await connect_tls(self._destination, self._tls, self._tls.constant, factory, b"")
        return stream


def _destination(address: Address) -> Destination:
    if address.family == "unix":
        return Destination(socket.AF_UNIX, address.host, 0)
    if address.family == "abns":
        return Destination(socket.AF_UNIX, abstract(address.host), 0)
    family = socket.AF_INET6 if address.family == "ipv6" else socket.AF_INET
    return Destination(family, address.host, address.port or 53)


def system_name_servers(path: str = PATH) -> list[tuple[str, Address]]:
    """The name servers of the system, with their names; none where the file can't be read."""
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    found: dict[str, Address] = {}
    for _, name, address in name_servers(text):
        if address is not None:
            found.setdefault(name, address)
    return list(found.items())

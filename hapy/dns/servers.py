"""Servers that live by a host name: which of its addresses each takes, and what happens when it has none.

Rules (configuration manual 5.2 and 5.3; HAProxy 2.6):
- Of a name's addresses a server takes the best: of the preferred family, in a preferred network, not taken by another
  server of its backend that lives by the same name, the one it has already; of equals the first.
- An address that another one has is not taken at all, unless `resolve-opts allow-dup-ip`. Servers that a service (SRV)
  has put on different ports of one host share its address; HAProxy 2.6 lets only one of them have it.
- A server that finds none goes out of service, and so does one whose name could not be resolved for as long as `hold`
  says. The next good answer puts it back at once.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import TYPE_CHECKING, Final

from hapy.dns import messages
from hapy.net.clock import now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hapy.dns.messages import Service
    from hapy.dns.section import Resolution, Section
    from hapy.dns.services import ServiceUser
    from hapy.proxy.server import Server

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_REASONS: Final = {
    "nx": "DNS NX status",
    "refused": "DNS refused status",
    "timeout": "DNS timeout status",
}
_OTHER_REASON: Final = "unspecified DNS error"
_NO_ADDRESS: Final = "No IP for server "
GONE: Final = "entry removed from SRV record"


def _family(host: str) -> str:
    return "ipv6" if ":" in host else "ipv4"


class Wishes:
    """What a server line says about its addresses.

    Attributes:
        family: `ipv4` or `ipv6`, preferred. networks: preferred.
        duplicates: an address that another server has will do.
        weights: the weights of SRV records count.
    """

    __slots__ = ("duplicates", "family", "networks", "weights")

    def __init__(self, server: Server) -> None:
        options = server.model.options
        self.family = options.get("resolve-prefer", ("ipv6",))[0]
        words = [word for text in options.get("resolve-opts", ()) for word in text.split(",")]
        last = [word for word in words if word in ("allow-dup-ip", "prevent-dup-ip")]
        self.duplicates = bool(last) and last[-1] == "allow-dup-ip"
        self.weights = "ignore-weight" not in words
        self.networks: tuple[_Network, ...] = tuple(
            ipaddress.ip_network(text.strip(), strict=False)
            for texts in options.get("resolve-net", ())
            for text in texts.split(",")
        )

    @property
    def kind(self) -> str:
        """The record type to ask for first."""
        return "A" if self.family == "ipv4" else "AAAA"


class ServerUser:
    """A server that lives by a host name; `Server.resolving`.

    Attributes:
        server: the server. wishes: what its line says.
        taken: the address that it has from its name, None without one.
        service: what it shares with the other servers of its service, None without one.
        renamed: it has had one of the service's records, or a name from a command. As in HAProxy that shows once it
            next gains or loses an address; until then it is renaming.
        resolution: of its name, None while it has none (a service has not given it one yet, or the name can't be).
    """

    __slots__ = ("renamed", "renaming", "resolution", "section", "server", "service", "taken", "wishes")

    def __init__(self, server: Server, section: Section) -> None:
        """Args:
        server: the server.
        section: where its name is looked up.
        """
        self.server = server
        self.section = section
        self.wishes = Wishes(server)
        self.taken: str | None = None
        self.resolution: Resolution | None = None
        self.service: ServiceUser | None = None
        self.renamed = False
        self.renaming = False

    # its name

    def live_by(self, name: str | None) -> None:
        """Look up another name from now on; None for none."""
        if self.resolution is not None:
            self.section.leave(self.resolution, self)
            self.resolution = None
        self.taken = None
        self.server.fqdn = name
        if name is not None:
            try:
                resolution = self.resolution = self.section.use(name, self.wishes.kind, self)
            except messages.BadName:
                if not self.server.unresolved:
                    self.lose(_REASONS["nx"])
                return
            if resolution.status == "valid" and not resolution.running:
                self.on_records(resolution, "DNS cache")

    def serve(self, host: str) -> None:
        """The service has this host for the server: look it up, and say so if it is another one."""
        if host != self.server.fqdn:
            self._tell_host(host)
        if host != self.server.fqdn or self.resolution is None:
            self.live_by(host)

    def _tell_host(self, host: str) -> None:
        server = self.server
        label = f"{server.backend.model.name}/{server.model.name}"
        server.say("notice", f"{label} changed its FQDN from {server.fqdn or '(null)'} to {host} by 'SRV record'")

    def rename(self, name: str) -> None:
        """An operator gives the server another name; it keeps its address until that is resolved.

        Raises:
            messages.BadName: there can be no such name.
        """
        messages.canonical(name)
        if name != self.server.fqdn:
            self.renaming = True
            self.live_by(name)

    def doubt(self) -> None:
        """A check has found nobody at the address: ask anew, unless the answer is younger than `hold valid`."""
        resolution = self.resolution
        if resolution is None:
            return
        if resolution.status != "valid" or now() - resolution.ended >= self.section.model.hold_valid / 1000:
            resolution.refresh()

    def remember(self, name: str, port: int, host: str | None) -> None:
        """Before the start: the service's record that an earlier process had given it, and the address if wanted."""
        if self.service is None or (name, port) in self.service.holders:
            return
        self.service.hold(self, (name, port))
        self.live_by(name)
        self.move_to_port(port)
        if host is not None:
            self.server.set_resolved(dataclasses.replace(self.server.address, family=_family(host), host=host))

    # what its name says

    def on_records(self, resolution: Resolution, source: str) -> bool:
        """A good answer has come."""
        found = self._choose(resolution.addresses)
        if found is None:
            self.taken = None
            if not self.server.unresolved:
                self.lose(_NO_ADDRESS)
            return False
        if found == self.taken and not self.server.unresolved:
            return False
        return self.take(found, source)

    def on_failure(self, resolution: Resolution, status: str) -> None:
        """The name has not been resolved for too long."""
        self.taken = None
        if not self.server.unresolved:
            self.lose(_REASONS.get(status, _OTHER_REASON))

    def _choose(self, addresses: Iterable[str]) -> str | None:
        best, best_score = None, 0
        assert self.resolution is not None
        taken = {
            other.taken
            for other in self.resolution.users
            if isinstance(other, ServerUser)
            and other is not self
            and other.server.backend is self.server.backend
            and (other.server.model.service is None or other.server.address.port == self.server.address.port)
        }
        for address in addresses:
            score = 1
            if (":" in address) == (self.wishes.family == "ipv6"):
                score += 8
            if self.wishes.networks and self._is_preferred(address):
                score += 4
            if address not in taken or address == self.taken:
                score += 2
            elif not self.wishes.duplicates:
                continue
            if not self.server.unresolved and address == self.server.address.host:
                score += 1
            if score > best_score:
                best, best_score = address, score
        return best

    def _is_preferred(self, address: str) -> bool:
        parsed = ipaddress.ip_address(address)
        return any(parsed.version == network.version and parsed in network for network in self.wishes.networks)

    # its state

    def take(self, host: str, source: str, service: Service | None = None) -> bool:
        """Move the server to an address, and back into service; whether that changed anything.

        Args:
            host: the address.
            source: where it comes from.
            service: the record that it came along with, whose host and port the server gets.
        """
        server = self.server
        self.taken = host
        old = server.address
        address = dataclasses.replace(old, family=_family(host), host=host)
        if service is not None:
            address = dataclasses.replace(address, port=service.port, port_end=service.port)
        moved = server.unresolved or old.host != host
        label = f"{server.backend.model.name}/{server.model.name}"
        if moved:
            came_from = "(none)" if server.unresolved else old.host
            server.say("notice", f"{label} changed its IP from {came_from} to {host} by {source}.")
        if service is not None and server.fqdn != service.target:
            self.live_by(None)
            self._tell_host(service.target)
            server.fqdn, self.taken = service.target, host
        back = server.unresolved
        self.renamed |= self.renaming and back
        server.set_resolved(address)
        if back and service is None:
            server.say("notice", f"Server {label} administratively READY thanks to valid DNS answer.")
        return moved

    def lose(self, reason: str) -> None:
        """Take the server out of service."""
        self.taken = None
        self.renamed |= self.renaming
        self.server.set_resolved(None, f" ({reason})")

    def move_to_port(self, port: int) -> None:
        """Have it on another port."""
        server = self.server
        if server.address.port != port:
            server.set_address(dataclasses.replace(server.address, port=port, port_end=port))

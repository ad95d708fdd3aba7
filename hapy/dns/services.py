"""Servers that live by a service: SRV records give each a host name, a port and a weight (RFC 2782).

Rules (HAProxy 2.6):
- A record is one (host, port). The server that has it keeps it; a new record goes to the first server without one.
  What is left when all have one is ignored, and so are priorities.
- A weight w of the record becomes w / 256 + 1 of the server, 0 stays 0; `resolve-opts ignore-weight` keeps its own.
- Addresses that come along with the records are taken as they are, else the hosts are looked up.
- A server whose record is gone (for `hold obsolete`) goes out of service and is free for another record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hapy.dns.servers import GONE, ServerUser

if TYPE_CHECKING:
    from hapy.dns.messages import Service
    from hapy.dns.section import Resolution

_ADDITIONAL: Final = "DNS additional record"


def weight_of(service: Service) -> int:
    """A record's weight as a server's."""
    return service.weight // 256 + 1 if service.weight else 0


class ServiceUser:
    """The servers of one backend that live by one service.

    Attributes:
        members: all of them, in the file's order.
        holders: who has which record.
    """

    __slots__ = ("holders", "members")

    def __init__(self) -> None:
        self.members: list[ServerUser] = []
        self.holders: dict[tuple[str, int], ServerUser] = {}

    def on_records(self, resolution: Resolution, source: str) -> bool:
        """A good answer has come."""
        changed = False
        for key in [key for key in self.holders if key not in resolution.services]:
            self._free(self.holders.pop(key))
            changed = True
        busy = set(map(id, self.holders.values()))
        free = [member for member in self.members if id(member) not in busy]
        for key, (service, _) in resolution.services.items():
            member = self.holders.get(key)
            if member is None:
                if not free:
                    continue
                member = self.holders[key] = free.pop(0)
                changed = True
            self._apply(member, service, resolution)
        return changed

    def on_failure(self, resolution: Resolution, status: str) -> None:
        """The service has not been resolved for too long."""
        for member in self.holders.values():
            self._free(member)
        self.holders.clear()

    def _apply(self, member: ServerUser, service: Service, resolution: Resolution) -> None:
        server = member.server
        if member.wishes.weights and server.weight != weight_of(service):
            server.set_weight(weight_of(service))
        addresses = resolution.extra.get(service.target, ())
        fitting = [one for one in addresses if (":" in one) == (member.wishes.family == "ipv6")] or list(addresses)
        if not fitting:
            member.move_to_port(service.port)
            member.serve(service.target)
            return
        if member.resolution is not None:
            member.live_by(None)  # the host was looked up; now its address comes along
            server.fqdn = service.target
        if member.taken != fitting[0] or server.unresolved or server.address.port != service.port:
            member.take(fitting[0], _ADDITIONAL, service)

    def _free(self, member: ServerUser) -> None:
        if not member.server.unresolved:
            member.lose(GONE)
        member.live_by(None)

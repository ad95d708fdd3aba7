"""Servers that live by a service: SRV records give each a host name, a port and a weight (RFC 2782).

Rules (HAProxy 2.6):
- A record is one (host, port). The server that has it keeps it; a new record goes to the server that has been without
  one for longest, at first the first. What is left when all have one is ignored, and so are priorities.
- Records that came and records that are gone are looked at in one order, that of their rank: a server that becomes free
  can take what is looked at after it, or what is left at the next answer.
- A weight w of the record becomes w / 256 of the server, rounded up; `resolve-opts ignore-weight` keeps its own.
- Addresses that come along with the records are taken as they are, else the hosts are looked up.
- A server whose record is gone (for `hold obsolete`) goes out of service and is free for another record.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from hapy.dns.messages import Service, rank
from hapy.dns.servers import GONE, ServerUser

if TYPE_CHECKING:
    from hapy.dns.section import Resolution

_ADDITIONAL: Final = "DNS additional record"


def _rank(key: tuple[str, int]) -> int:
    return rank(Service(*key, 0))


def weight_of(service: Service) -> int:
    """A record's weight as a server's."""
    return -(-service.weight // 256)


class ServiceUser:
    """The servers of one backend that live by one service.

    Attributes:
        free: those without a record, in the order in which they get one. holders: who has which record.
    """

    __slots__ = ("free", "holders")

    def __init__(self) -> None:
        self.free: deque[ServerUser] = deque()
        self.holders: dict[tuple[str, int], ServerUser] = {}

    def add(self, member: ServerUser) -> None:
        """One more server lives by the service."""
        self.free.append(member)

    def hold(self, member: ServerUser, key: tuple[str, int]) -> None:
        """That server has this record."""
        self.free.remove(member)
        self.holders[key] = member

    def on_records(self, resolution: Resolution, source: str) -> bool:
        """A good answer has come."""
        changed = False
        services = resolution.services
        for key in sorted({**services, **self.holders}, key=_rank):
            member = self.holders.get(key)
            known = services.get(key)
            if known is None:
                del self.holders[key]
                assert member is not None
                self._free(member)
                changed = True
                continue
            if member is None:
                if not self.free:
                    continue
                member = self.holders[key] = self.free.popleft()
                changed = True
            self._apply(member, known[0], resolution)
        return changed

    def on_failure(self, resolution: Resolution, status: str) -> None:
        """The service has not been resolved for too long."""
        for key in sorted(self.holders, key=_rank):
            self._free(self.holders[key])
        self.holders.clear()

    def _apply(self, member: ServerUser, service: Service, resolution: Resolution) -> None:
        member.renamed = True
        self._place(member, service, resolution)
        if member.wishes.weights:
            member.server.set_weight(weight_of(service))

    @staticmethod
    def _place(member: ServerUser, service: Service, resolution: Resolution) -> None:
        server = member.server
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
        member.move_to_port(0)
        self.free.append(member)

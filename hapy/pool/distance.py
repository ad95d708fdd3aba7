"""How far a server is, as opening connections to it shows."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hapy_config.model.addresses import Address

#: Connecting to a far server takes this many seconds or more.
FAR = 0.005


class Distance:
    """The time that connecting takes when nothing else delays it: the least of late, slowly forgotten.

    Attributes:
        seconds: that time, 0 while unknown.
        local: the server is on this machine: it's never far, however busy the machine.
    """

    __slots__ = ("local", "seconds")

    def __init__(self, *, local: bool = False) -> None:
        self.seconds = 0.0
        self.local = local

    def __repr__(self) -> str:
        return f"<Distance {self.seconds * 1000:.1f} ms{', local' if self.local else ''}>"

    def add(self, seconds: float) -> None:
        """Opening a connection took that long."""
        if not self.seconds or seconds < self.seconds:
            self.seconds = seconds
        else:
            self.seconds += (seconds - self.seconds) / 16

    @property
    def far(self) -> bool:
        """Whether a handshake costs enough to be made ahead of need."""
        return self.seconds >= FAR and not self.local


def is_local(address: Address) -> bool:
    """Whether the address is this machine's for sure: a UNIX socket or loopback."""
    if address.family in {"unix", "abns", "fd"}:
        return True
    return address.family in {"ipv4", "ipv6"} and ipaddress.ip_address(address.host).is_loopback

"""Addresses as the configuration writes them (section 11 of the 3.4 manual): parsed, not resolved."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """One address.

    Attributes:
        family: `ipv4`, `ipv6`, `unix`, `abns` (abstract), `fd`, `name` (to be resolved) or `any` (`*`, or empty).
        host: the address, host name or path without prefix; for `fd` the number.
        port: the port, or None where none was given. For a server, `port_offset` says that it is added to the
            client's.
        port_end: the last port of a range on a bind line, equal to `port` without one.
        port_offset: the port was written with a sign, or left out: it maps the client's destination port.
        datagram: a `dgram`/`udp@` prefix was written.
        protocol: `quic4`, `mptcp` … where a prefix asks for one, else empty.
    """

    family: str
    host: str = ""
    port: int | None = None
    port_end: int | None = None
    port_offset: bool = False
    datagram: bool = False
    protocol: str = ""

    @property
    def unspecified(self) -> bool:
        """It is no machine's (`*`, 0.0.0.0, ::): a bind listens on all, a server is where the client wanted to go."""
        if self.family in ("ipv4", "ipv6"):
            return not self.host.strip("0.:")
        return self.family == "any"

    @property
    def ports(self) -> range:
        """All ports of a range."""
        return range(self.port or 0, (self.port_end or self.port or 0) + 1)

"""Which server has which cookie value: those of the file, and those made from an address and the secret key."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from hapy.samples.hashes import xxh64

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hapy.proxy.server import Server


class CookieValues:
    """The values of a backend's servers.

    Attributes:
        dynamic: servers without a value of their own have one made.
        key: the secret for these, None without.
    """

    def __init__(self, servers: Sequence[Server], *, dynamic: bool = False, key: str | None = None) -> None:
        self._servers = tuple(servers)
        self.dynamic = dynamic
        self.key = key
        self._of: dict[Server, bytes | None] = {}
        self._by_value: dict[bytes, list[Server]] = {}
        self.refresh()

    def of(self, server: Server) -> bytes | None:
        """A server's value; None without one."""
        return self._of.get(server)

    def servers(self, value: bytes) -> Sequence[Server]:
        """Those that have it, in the file's order."""
        return self._by_value.get(value, ())

    @property
    def equal(self) -> int:
        """Servers whose made value another one before them has, too."""
        made = [server for server in self._servers if server.model.cookie is None]
        values = [value for server in made if (value := self._of[server]) is not None]
        return len(values) - len(set(values))

    def refresh(self) -> None:
        """An address, the key or `dynamic` has changed: make all values anew."""
        self._of = {server: self._make(server) for server in self._servers}
        self._by_value = {}
        for server, value in self._of.items():
            if value is not None:
                self._by_value.setdefault(value, []).append(server)

    def _make(self, server: Server) -> bytes | None:
        own = server.model.cookie
        if own is not None:
            return own.encode("utf-8", "surrogateescape")
        if not self.dynamic or self.key is None:
            return None
        return made(self.key, server)


def made(key: str, server: Server) -> bytes | None:
    """The value made from a server's address and the secret key; None for one that has no IP address."""
    address = server.address
    try:
        host = ipaddress.ip_address(address.host or "")
    except ValueError:
        return None
    data = key.encode("utf-8", "surrogateescape") + host.packed + (address.port or 0).to_bytes(4, "big")
    return b"%016x" % xxh64(data)

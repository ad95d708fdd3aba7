"""`balance source`, `uri`, `url_param`, `hdr`, `rdp-cookie`, `hash`: the server follows from a key of the request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hapy.balance.base import Balancer
from hapy.balance.keys import key_hash
from hapy.balance.ring import Ring
from hapy.balance.servermap import ServerMap

if TYPE_CHECKING:
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Transaction
    from hapy.samples import CompileEnv
    from hapy_config.model.proxy import Balance


class Hashed(Balancer):
    """Looks the hash of a key up in the map or on the ring; requests without a key go round.

    A full server is picked all the same: the request waits for it, unless `hash-preserve-affinity` says otherwise. With
    one server nobody asks for a key, but where it is a parameter or an RDP cookie: requests without one go round even
    then, which is to say that they wait with the backend when the server is full.
    """

    keyed = True

    def __init__(self, balance: Balance, env: CompileEnv | None, preserve: str = "always") -> None:
        self._key = key_hash(balance, env)
        self._lookup: Ring | ServerMap = (
            Ring(balance.hash_balance_factor) if balance.hash_type == "consistent" else ServerMap()
        )
        self.one_table = isinstance(self._lookup, ServerMap)
        self._preserve = preserve
        self._asks_always = balance.algorithm in ("url_param", "rdp-cookie")
        self._only: Server | None = None

    def update(self, servers: Sequence[Server]) -> None:
        """Servers came, went, or changed weight."""
        self._lookup.update(servers)
        self._only = servers[0] if len(servers) == 1 and not self._asks_always else None

    def pick(self, txn: Transaction | None, avoid: Server | None) -> Server | None:
        """The server for the request's key."""
        if self._only is not None:
            return self._only
        value = self._key(txn) if txn is not None else None
        if value is None:
            return self._lookup.next(avoid)
        server = self._lookup.find(value, avoid)
        if self._preserve == "always" or server is None or not self._skips(server):
            return server
        last = server
        for last in self._lookup.following(value):
            if last is not avoid and not self._skips(last):
                return last
        return last

    def _skips(self, server: Server) -> bool:
        if not server.maxconn:
            return False
        if self._preserve == "maxconn":
            return not server.has_room()
        return server.queue_is_full()

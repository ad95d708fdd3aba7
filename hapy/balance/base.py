"""What every algorithm offers to the backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Transaction


class Balancer:
    """Picks a server for a request. A backend has one for its servers and one for its backups.

    Attributes:
        tracks_load: `load_changed` must be called when a server's slots change.
        in_line: no server is picked for a request while others wait for any server, even if one has room (which comes
            about where limits grow with the load).
        keyed: the request decides, so that a client's last server has no say (`option prefer-last-server`).
        one_table: there is one for both, told of those that requests go to.
    """

    tracks_load = False
    one_table = False
    in_line = False
    keyed = False

    def update(self, servers: Sequence[Server]) -> None:
        """The servers in use, their weights or their order changed. Called once at start, then at each change.

        Args:
            servers: those that may be picked now, in the file's order: all usable ones that aren't backups, or else the
                backups in use.
        """
        raise NotImplementedError

    def pick(self, txn: Transaction | None, avoid: Server | None) -> Server | None:
        """Pick one, or None when all of them are full (the request then waits for any of them).

        Args:
            txn: the request; None where there is none to look at.
            avoid: the server that has just failed this request; taken only when no other will do.
        """
        raise NotImplementedError

    def load_changed(self, server: Server) -> None:
        """A slot of the server was taken or freed."""

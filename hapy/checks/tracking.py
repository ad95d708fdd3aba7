"""`track`: servers that take over the state of others (configuration manual, 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.proxy.state import Admin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hapy.proxy.backend import Backend


def link_trackers(backends: Iterable[Backend]) -> None:
    """Tie servers to those that they `track`."""
    by_name = {backend.model.name: backend for backend in backends}
    for backend in by_name.values():
        for server in backend.servers:
            wanted = server.model.track
            if wanted is None:
                continue
            proxy, slash, name = wanted.rpartition("/")
            target = by_name[proxy if slash else backend.model.name].by_name.get(name)
            if target is not None:
                server.tracked = target
                target.trackers.insert(0, server)  # the last of the file hears first
    for backend in by_name.values():  # who tracks a server that the file disables begins as it does
        for server in backend.servers:
            if server.maintenance and server.tracked is None:
                for tracker in server.trackers:
                    tracker.begin_in(Admin.IMAINT)

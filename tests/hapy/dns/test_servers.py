"""What a server's pool and queue do when its name has no address any more, another one, or one again."""

from __future__ import annotations

import dataclasses

from hapy_config.model.addresses import Address
from tests.hapy.pool.fakes import Connection
from tests.hapy.proxy.test_backend import backend


def test_without_an_address_nothing_is_kept_and_nobody_waits() -> None:
    be, mine = backend({"maxconn": 1}, {"maxconn": 1})
    server, other = be.by_name["s1"], be.by_name["s2"]
    idle = Connection(server.key)
    server.pool.reserve()
    server.pool.release(idle)
    assert (server.pool.idle, idle.closed) == (1, False)
    assert be.assign(mine.transaction(), server) is server
    txn = mine.transaction()
    assert be.assign(txn, server) is None
    asked: list[int] = []
    ticket = be.enqueue(txn, lambda: asked.append(1))

    server.set_resolved(None, " (DNS NX status)")
    assert idle.closed
    assert (server.unresolved, server.usable, server.in_service, server.pool.enabled) == (True, False, False, False)
    assert (server.queued, ticket.waiting, asked) == (0, False, [1])
    assert be.assign(txn) is other
    assert be.active == (other,)


def test_it_is_used_again_at_once() -> None:
    be, mine = backend({"weight": 100}, {"weight": 1})
    server = be.by_name["s1"]
    server.set_resolved(None)
    assert be.assign(mine.transaction()) is be.by_name["s2"]
    server.set_resolved(Address("ipv4", "192.0.2.77", 80))
    assert (server.usable, server.address.host) == (True, "192.0.2.77")
    assert server in [be.assign(mine.transaction()) for _ in range(3)]


def test_connections_to_an_old_address_are_not_used() -> None:
    be, _mine = backend({})
    server = be.by_name["s1"]
    idle, busy = Connection(server.key), Connection(server.key)
    for _ in range(2):
        server.pool.reserve()
    server.pool.release(idle)
    server.set_resolved(dataclasses.replace(server.address, host="192.0.2.78"))
    assert idle.closed
    server.pool.release(busy)
    assert (busy.closed, server.pool.idle) == (True, 0)


def test_an_operators_maintenance_outlasts_it() -> None:
    be, _mine = backend({}, {})
    server = be.by_name["s1"]
    server.set_admin_state(maintenance=True)
    server.set_resolved(None)
    server.set_resolved(Address("ipv4", "192.0.2.77", 80))
    assert not server.usable
    server.set_admin_state(maintenance=False)
    assert server.usable

"""Who is far."""

from __future__ import annotations

import pytest

from hapy.pool.distance import Distance, is_local
from hapy_config.model.addresses import Address


def test_a_busy_machine_makes_nobody_far() -> None:
    distance = Distance()
    distance.add(0.001)
    for _ in range(3):
        distance.add(0.02)
    assert not distance.far
    assert distance.seconds < 0.005


def test_moving_away_is_noticed_after_a_while() -> None:
    distance = Distance()
    distance.add(0.001)
    for _ in range(100):
        distance.add(0.1)
    assert distance.far
    distance.add(0.002)
    assert not distance.far


def test_local_servers_are_never_far() -> None:
    distance = Distance(local=True)
    distance.add(1.0)
    assert not distance.far


@pytest.mark.parametrize(
    ("address", "local"),
    [
        (Address("ipv4", "192.0.2.1", 80), False),
        (Address("ipv4", "127.0.0.2", 80), True),
        (Address("ipv6", "::1", 80), True),
        (Address("ipv6", "2001:db8::1", 80), False),
        (Address("unix", "/run/s"), True),
        (Address("abns", "s"), True),
        (Address("name", "example.test", 80), False),
    ],
)
def test_addresses(address: Address, local: bool) -> None:
    assert is_local(address) is local

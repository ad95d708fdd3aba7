"""Whose addresses x-forwarded-for leaves out."""

from __future__ import annotations

import pytest

from hapy.proxy.additions import _matcher


@pytest.mark.parametrize(
    ("networks", "inside", "outside"),
    [
        (("10.0.0.0/8",), b"10.255.0.1", b"11.0.0.1"),
        (("127.1",), b"127.0.0.1", b"127.0.0.2"),
        (("010.0.0.0/8",), b"8.1.1.1", b"10.1.1.1"),
        (("10.0.5.0/255.0.255.0",), b"10.77.5.9", b"10.77.6.9"),
        (("localhost",), b"127.0.0.1", b"127.0.0.2"),
        (("2001:db8::/32", "192.0.2.1"), b"2001:db8:1::1", b"2001:db9::1"),
        (("::/0",), b"::1", b"127.0.0.1"),
    ],
)
def test_networks(networks: tuple[str, ...], inside: bytes, outside: bytes) -> None:
    test = _matcher(networks)
    assert test is not None
    for _ in range(2):  # answers are remembered
        assert test(inside)
        assert not test(outside)
    assert not test(b"unix")


def test_no_network() -> None:
    assert _matcher(()) is None

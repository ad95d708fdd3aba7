"""IP networks as `except`, `src` and their kin write them."""

from __future__ import annotations

import socket


def is_ipv4(text: str) -> bool:
    """Whether it is a whole IPv4 address."""
    try:
        socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


def is_ipv6(text: str) -> bool:
    """Whether it is a whole IPv6 address."""
    try:
        socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        return False
    return True


def is_network(text: str) -> bool:
    """Whether it is an address, or one with a prefix length or an IPv4 mask."""
    address, slash, mask = text.partition("/")
    if is_ipv4(address):
        return not slash or (mask.isascii() and mask.isdecimal() and int(mask) <= 32) or is_ipv4(mask)
    if is_ipv6(address):
        return not slash or (mask.isascii() and mask.isdecimal() and int(mask) <= 128)
    return False

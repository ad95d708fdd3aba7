"""Who can reach an address."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hapy_config.model.addresses import Address
    from hapy_config.model.proxy import Proxy


def is_local(address: Address) -> bool:
    """Whether only this machine can connect to it."""
    if address.family in ("unix", "abns", "fd"):
        return True
    if address.family == "name":
        return address.host == "localhost"
    if address.family == "any":
        return False
    try:
        return ipaddress.ip_address(address.host).is_loopback
    except ValueError:
        return False


def is_everywhere(address: Address) -> bool:
    """Whether it may be reached from the Internet: every address of the machine, or a public one."""
    if address.family == "any":
        return True
    if address.family not in ("ipv4", "ipv6"):
        return False
    try:
        found = ipaddress.ip_address(address.host)
    except ValueError:
        return False
    return found.is_unspecified or found.is_global


def is_public(proxy: Proxy) -> bool:
    """Whether the Internet may reach a frontend."""
    return any(is_everywhere(bind.address) for bind in proxy.binds)

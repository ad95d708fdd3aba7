"""Networks as regular expressions for the text of an address."""

from __future__ import annotations

import ipaddress

from hapy_config.translate.parts import literal


def network_pattern(values: tuple[str, ...]) -> str:
    """Addresses and networks as a regular expression for the text of an address.

    Raises:
        ValueError: one is a network of IPv6, or none.
    """
    texts = []
    for value in values:
        try:
            net = ipaddress.ip_network(value, strict=False)
        except ValueError:
            raise ValueError(f"'{value}' is no network") from None
        if net.num_addresses == 1:
            texts.append(literal(str(net.network_address)))
        elif isinstance(net, ipaddress.IPv4Network):
            first, last = net.network_address.packed, net.broadcast_address.packed
            texts.append(r"\.".join(_octet(low, high) for low, high in zip(first, last, strict=True)))
        else:
            texts.append(_network6(net))
    return texts[0] if len(texts) == 1 else f"(?:{'|'.join(texts)})"


def _network6(net: ipaddress.IPv6Network) -> str:
    """A network of IPv6 as a pattern for addresses in their short form.

    Raises:
        ValueError: a group of its could be left out, or written with fewer digits.
    """
    digits = net.network_address.exploded.replace(":", "")[: -(-net.prefixlen // 4)]
    groups = [digits[at : at + 4] for at in range(0, len(digits), 4)]
    if "0000" in groups or not groups or (net.prefixlen % 16 and groups[-1].startswith("0")):
        raise ValueError("such a network of IPv6 can't be told by an expression")
    last = groups.pop().lstrip("0")
    spare = 4 * len(digits) - net.prefixlen
    if spare:  # the last digit is not given as a whole
        low = int(last[-1], 16)
        last = f"{last[:-1]}[{''.join(f'{value:x}' for value in range(low, low + 2**spare))}]"
    missing = -len(digits) % 4
    last += f"[0-9a-f]{{{missing}}}" if missing else ""
    return ":".join((*(group.lstrip("0") for group in groups), last)) + ":.*"


def _octet(low: int, high: int) -> str:
    """A part of an IPv4 address between two values."""
    if low == high:
        return str(low)
    if (low, high) == (0, 255):
        return r"\d+"
    return f"(?:{'|'.join(str(value) for value in range(low, high + 1))})"

"""The values that flow through sample expressions, and HAProxy's casts between them (configuration manual, 7.3).

bool is bool, sint is int (64 bits, signed), str is bytes, bin is `Binary`, ipv4 and ipv6 are `ipaddress` objects, meth
is bytes too. A fetch that has nothing to say gives None, and so does a cast that can't be done.
"""

from __future__ import annotations

import re
import socket
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

INT_MAX: Final = 2**63 - 1
INT_MIN: Final = -(2**63)


class Binary(bytes):
    """A data block: the same bytes as a string, but printed and matched as binary."""

    __slots__ = ()


Address = IPv4Address | IPv6Address
Value = bool | int | bytes | IPv4Address | IPv6Address
#: A compiled sample expression's answer.
Result = Value | None

_LEADING_ADDRESS: Final = re.compile(rb"(?P<a>\d+)\.(?P<b>\d+)\.(?P<c>\d+)\.(?P<d>\d+)(?![\d.])")
_LEADING_INT: Final = re.compile(rb"[+-]?[0-9]+")


def to_string(value: Value) -> bytes:
    """The text of any value: what a header or a `str` converter gets. Binary data stays as it is."""
    if isinstance(value, bytes):
        return value
    if value is True:
        return b"1"
    if value is False:
        return b"0"
    if isinstance(value, IPv6Address):
        return socket.inet_ntop(socket.AF_INET6, value.packed).encode("ascii")
    return str(value).encode("ascii")


def clamp(value: int) -> int:
    """The nearest 64-bit signed integer."""
    return INT_MAX if value > INT_MAX else max(value, INT_MIN)


def parse_int(text: bytes) -> int:
    """The integer a text begins with, 0 where there is none; too large ones saturate."""
    match = _LEADING_INT.match(text)
    return clamp(int(match[0])) if match else 0


def parse_field_int(text: bytes) -> int:
    """The integer of a header, cookie or parameter (`req.hdr_val` and its kin), as HAProxy's 32-bit reader has it.

    It stops at the first character above `9`; what sorts below `0` counts as a negative digit, large numbers wrap.
    """
    if len(text) < 10 and text.isdigit():
        return int(text)
    negative = text[:1] == b"-"
    value = 0
    for byte in text[1:] if negative else text:
        digit = byte - 48
        if digit > 9:
            break
        value = value * 10 + (-digit if negative else digit)
    return (value + 2**31) % 2**32 - 2**31


def to_int(value: Value) -> int | None:
    """The integer of a value: a text's leading digits, an IPv4 address as a number; None for IPv6."""
    if isinstance(value, bytes):
        return parse_int(value) if value else None
    if isinstance(value, int):
        return int(value)
    return int(value) if isinstance(value, IPv4Address) else None


def parse_address(text: bytes) -> Address | None:
    """An address in its usual text form, or None."""
    try:
        if b":" in text:
            return IPv6Address(text.decode("ascii"))
        return IPv4Address(text.decode("ascii"))
    except (AddressValueError, UnicodeDecodeError):
        return None


def four_numbers(match: re.Match[bytes] | None) -> IPv4Address | None:
    """The address in the four numbers that a pattern has found; None for one above 255, and where it has found none."""
    if match is None:
        return None
    numbers = [int(number) for number in match.group("a", "b", "c", "d")]
    return IPv4Address(bytes(numbers)) if max(numbers) < 256 else None


def to_address(value: Value) -> Address | None:
    """The address of a value: of a text, whatever follows an IPv4 one but a dot; an integer is an IPv4 address."""
    if isinstance(value, IPv4Address | IPv6Address):
        return value
    if isinstance(value, bytes):
        return four_numbers(_LEADING_ADDRESS.match(value)) or parse_address(value)
    return IPv4Address(value & 0xFFFFFFFF)

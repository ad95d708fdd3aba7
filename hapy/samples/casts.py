"""The casts that stand between a value and what uses it, chosen at compile time (configuration manual, 7.3)."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from hapy.samples.types import Binary, Result, Value, to_address, to_int, to_string

_ADDRESSES: Final = frozenset({"ipv4", "ipv6", "addr"})
_TEXTS: Final = frozenset({"str", "meth"})


def to_text(value: Value) -> Result:
    """To a string; binary data is cut at its first NUL, as HAProxy does."""
    if isinstance(value, Binary):
        end = value.find(b"\0")
        return bytes(value) if end < 0 else bytes(value[:end])
    return to_string(value)


def to_binary(value: Value) -> Result:
    """To binary: integers become eight bytes, addresses four or sixteen."""
    if isinstance(value, bytes):
        return value if isinstance(value, Binary) else Binary(value)
    if isinstance(value, IPv4Address | IPv6Address):
        return Binary(value.packed)
    return Binary((int(value) & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big"))


def to_bool(value: Value) -> Result:
    """To a boolean: any integer but 0."""
    number = to_int(value)
    return None if number is None else number != 0


_CASTS: Final[dict[str, Callable[[Value], Result]]] = {
    "str": to_text,
    "bin": to_binary,
    "sint": to_int,
    "bool": to_bool,
    "ipv4": to_address,
    "ipv6": to_address,
    "addr": to_address,
}


def cast(source: str, target: str) -> Callable[[Value], Result] | None:
    """The cast from a static type to the type that a converter takes, None where none is needed."""
    if target in ("any", source) or (source in _ADDRESSES and target in _ADDRESSES):
        return None
    if source in _TEXTS and target in _TEXTS:
        return None
    return _CASTS[target]

"""From a request's key to a number: `hash-type`'s function and modifier."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from hapy.samples import hashes

if TYPE_CHECKING:
    from hapy_config.model.proxy import Balance

_FUNCTIONS: dict[str, Callable[[bytes], int]] = {
    "sdbm": hashes.sdbm,
    "djb2": hashes.djb2,
    "wt6": hashes.wt6,
    "crc32": hashes.crc32,
}
_DIGITS = re.compile(rb"\d+")
_REMEMBERED = 4096  # keys whose hash is kept: hashing is a loop over bytes


def hash_function(balance: Balance) -> Callable[[bytes], int]:
    """The function over a string of bytes, its modifier applied."""
    if balance.hash_function == "none":
        return _number
    function = _FUNCTIONS[balance.hash_function]
    if balance.hash_modifier == "avalanche":
        return lru_cache(_REMEMBERED)(lambda data: hashes.avalanche(function(data)))
    return lru_cache(_REMEMBERED)(function)


def address_hash(balance: Balance) -> Callable[[bytes], int]:
    """The function over a packed address: its 32-bit words folded together, whatever the function; modifier applied."""
    if balance.hash_modifier == "avalanche":
        return lru_cache(_REMEMBERED)(lambda packed: hashes.avalanche(_fold(packed)))
    return _fold


def _fold(packed: bytes) -> int:
    value = 0
    for start in range(0, len(packed), 4):
        value ^= int.from_bytes(packed[start : start + 4], "big")
    return value


def _number(data: bytes) -> int:
    """Function `none`: the key is a number already, written in digits."""
    digits = _DIGITS.match(data)
    return int(digits[0]) & 0xFFFFFFFF if digits else 0

"""The hash functions of HAProxy's converters and load balancing. All but XXH3 and XXH64 give 32 bits."""

from __future__ import annotations

import zlib
from functools import cache
from typing import Final

_M32: Final = 0xFFFFFFFF
_M64: Final = 0xFFFFFFFFFFFFFFFF


def avalanche(value: int) -> int:
    """A 32-bit integer's bits spread over all positions (Jenkins' six-shift hash, times a prime)."""
    value = (value + 0x7ED55D16 + (value << 12)) & _M32
    value = (value ^ 0xC761C23C) ^ (value >> 19)
    value = (value + 0x165667B1 + (value << 5)) & _M32
    value = ((value + 0xD3A2646C) ^ (value << 9)) & _M32
    value = (value + 0xFD7046C5 + (value << 3)) & _M32
    value = (value ^ 0xB55A4F09) ^ (value >> 16)
    return value * 3221225473 & _M32


def sdbm(data: bytes) -> int:
    """SDBM."""
    value = 0
    for byte in data:
        value = (byte + value * 65599) & _M32
    return value


def djb2(data: bytes) -> int:
    """DJB2."""
    value = 5381
    for byte in data:
        value = (value * 33 + byte) & _M32
    return value


def wt6(data: bytes) -> int:
    """WT6: two words turned by amounts that depend on what came before."""
    first, second = 0xA53C965A, 0x5CA6953A
    left, right = 6, 18
    for byte in data:
        first = ~(first ^ byte) & _M32
        second = ~(second + byte) & _M32
        turned = (second << left | second >> (32 - left)) & _M32
        second = (first << right | first >> (32 - right)) & _M32
        first = turned
        mixed = (first >> 16 ^ second) & 0xFFFF
        left, right = mixed & 31, mixed >> 11
    return first ^ second


def crc32(data: bytes) -> int:
    """CRC-32 as in Ethernet, gzip and PNG."""
    return zlib.crc32(data)


@cache
def _castagnoli() -> tuple[int, ...]:
    table = []
    for number in range(256):
        value = number
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return tuple(table)


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli; RFC 4960, appendix B)."""
    value, table = _M32, _castagnoli()
    for byte in data:
        value = value >> 8 ^ table[(value ^ byte) & 0xFF]
    return value ^ _M32


_P32: Final = (2654435761, 2246822519, 3266489917, 668265263, 374761393)
_P64: Final = (
    11400714785074694791,
    14029467366897019727,
    1609587929392839161,
    9650029242287828579,
    2870177450012600261,
)


def _rotate32(value: int, count: int) -> int:
    return (value << count | value >> (32 - count)) & _M32


def _rotate64(value: int, count: int) -> int:
    return (value << count | value >> (64 - count)) & _M64


def xxh32(data: bytes, seed: int = 0) -> int:
    """XXH32."""
    p1, p2, p3, p4, p5 = _P32
    length, position = len(data), 0
    seed &= _M32
    if length >= 16:
        lanes = [seed + p1 + p2, seed + p2, seed, seed - p1]
        while position + 16 <= length:
            for lane in range(4):
                word = int.from_bytes(data[position : position + 4], "little")
                lanes[lane] = _rotate32((lanes[lane] + word * p2) & _M32, 13) * p1 & _M32
                position += 4
        value = sum(_rotate32(lane, count) for lane, count in zip(lanes, (1, 7, 12, 18), strict=True))
    else:
        value = seed + p5
    value = (value + length) & _M32
    while position + 4 <= length:
        word = int.from_bytes(data[position : position + 4], "little")
        value = _rotate32((value + word * p3) & _M32, 17) * p4 & _M32
        position += 4
    for byte in data[position:]:
        value = _rotate32((value + byte * p5) & _M32, 11) * p1 & _M32
    value = (value ^ value >> 15) * p2 & _M32
    value = (value ^ value >> 13) * p3 & _M32
    return value ^ value >> 16


def _round64(lane: int, word: int) -> int:
    return _rotate64((lane + word * _P64[1]) & _M64, 31) * _P64[0] & _M64


def xxh64(data: bytes, seed: int = 0) -> int:
    """XXH64, unsigned."""
    p1, p2, p3, p4, p5 = _P64
    length, position = len(data), 0
    seed &= _M64
    if length >= 32:
        lanes = [(seed + p1 + p2) & _M64, (seed + p2) & _M64, seed, (seed - p1) & _M64]
        while position + 32 <= length:
            for lane in range(4):
                lanes[lane] = _round64(lanes[lane], int.from_bytes(data[position : position + 8], "little"))
                position += 8
        value = sum(_rotate64(lane, count) for lane, count in zip(lanes, (1, 7, 12, 18), strict=True)) & _M64
        for accumulated in lanes:
            value = ((value ^ _round64(0, accumulated)) * p1 + p4) & _M64
    else:
        value = seed + p5
    value = (value + length) & _M64
    while position + 8 <= length:
        word = _round64(0, int.from_bytes(data[position : position + 8], "little"))
        value = (_rotate64(value ^ word, 27) * p1 + p4) & _M64
        position += 8
    if position + 4 <= length:
        word = int.from_bytes(data[position : position + 4], "little")
        value = (_rotate64(value ^ word * p1 & _M64, 23) * p2 + p3) & _M64
        position += 4
    for byte in data[position:]:
        value = _rotate64(value ^ byte * p5 & _M64, 11) * p1 & _M64
    value = (value ^ value >> 33) * p2 & _M64
    value = (value ^ value >> 29) * p3 & _M64
    return value ^ value >> 32

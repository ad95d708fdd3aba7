"""XXH3, 64 bits (the xxHash specification, version 0.8)."""

from __future__ import annotations

import struct
from typing import Final

_M32: Final = 0xFFFFFFFF
_M64: Final = 0xFFFFFFFFFFFFFFFF
_P32_1: Final = 2654435761
_P32_2: Final = 2246822519
_P32_3: Final = 3266489917
_P64_1: Final = 11400714785074694791
_P64_2: Final = 14029467366897019727
_P64_3: Final = 1609587929392839161
_P64_4: Final = 9650029242287828579
_P64_5: Final = 2870177450012600261
_MIX_1: Final = 0x165667919E3779F9
_MIX_2: Final = 0x9FB21C651E98DF25

_SECRET: Final = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
)
_STRIPE: Final = 64
_LANES: Final = struct.Struct("<8Q")


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _u64(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _swap64(value: int) -> int:
    return int.from_bytes(value.to_bytes(8, "little"), "big")


def _fold(left: int, right: int) -> int:
    product = left * right
    return (product & _M64) ^ product >> 64


def _avalanche(value: int) -> int:
    value = (value ^ value >> 37) * _MIX_1 & _M64
    return value ^ value >> 32


def _avalanche64(value: int) -> int:
    value = (value ^ value >> 33) * _P64_2 & _M64
    value = (value ^ value >> 29) * _P64_3 & _M64
    return value ^ value >> 32


def _short(data: bytes, seed: int) -> int:
    """Up to 16 bytes."""
    length = len(data)
    if length > 8:
        flip_low = ((_u64(_SECRET, 24) ^ _u64(_SECRET, 32)) + seed) & _M64
        flip_high = ((_u64(_SECRET, 40) ^ _u64(_SECRET, 48)) - seed) & _M64
        low, high = _u64(data, 0) ^ flip_low, _u64(data, length - 8) ^ flip_high
        return _avalanche((length + _swap64(low) + high + _fold(low, high)) & _M64)
    if length >= 4:
        turned = seed ^ int.from_bytes((seed & _M32).to_bytes(4, "little"), "big") << 32
        flip = ((_u64(_SECRET, 8) ^ _u64(_SECRET, 16)) - turned) & _M64
        value = (_u32(data, length - 4) + (_u32(data, 0) << 32)) ^ flip
        value ^= ((value << 49 | value >> 15) & _M64) ^ ((value << 24 | value >> 40) & _M64)
        value = value * _MIX_2 & _M64
        value ^= (value >> 35) + length
        value = value * _MIX_2 & _M64
        return value ^ value >> 28
    if length:
        combined = data[0] << 16 | data[length >> 1] << 24 | data[-1] | length << 8
        flip = ((_u32(_SECRET, 0) ^ _u32(_SECRET, 4)) + seed) & _M64
        return _avalanche64(combined ^ flip)
    return _avalanche64(seed ^ _u64(_SECRET, 56) ^ _u64(_SECRET, 64))


def _mix16(data: bytes, at: int, secret_at: int, seed: int) -> int:
    low = _u64(data, at) ^ (_u64(_SECRET, secret_at) + seed & _M64)
    high = _u64(data, at + 8) ^ (_u64(_SECRET, secret_at + 8) - seed & _M64)
    return _fold(low, high)


def _middle(data: bytes, seed: int) -> int:
    """17 to 240 bytes."""
    length = len(data)
    total = length * _P64_1 & _M64
    if length <= 128:
        for step in range((length - 1) // 32, -1, -1):
            total += _mix16(data, 16 * step, 32 * step, seed)
            total += _mix16(data, length - 16 * (step + 1), 32 * step + 16, seed)
        return _avalanche(total & _M64)
    for step in range(8):
        total += _mix16(data, 16 * step, 16 * step, seed)
    total = _avalanche(total & _M64)
    for step in range(8, length // 16):
        total += _mix16(data, 16 * step, 16 * (step - 8) + 3, seed)
    total += _mix16(data, length - 16, 136 - 17, seed)
    return _avalanche(total & _M64)


def _seeded(seed: int) -> bytes:
    if not seed:
        return _SECRET
    parts = []
    for at in range(0, len(_SECRET), 16):
        parts.append((_u64(_SECRET, at) + seed & _M64).to_bytes(8, "little"))
        parts.append((_u64(_SECRET, at + 8) - seed & _M64).to_bytes(8, "little"))
    return b"".join(parts)


def _accumulate(lanes: list[int], data: bytes, at: int, secret: bytes, secret_at: int) -> None:
    values = _LANES.unpack_from(data, at)
    keys = _LANES.unpack_from(secret, secret_at)
    for lane in range(8):
        value = values[lane]
        key = value ^ keys[lane]
        lanes[lane ^ 1] = lanes[lane ^ 1] + value & _M64
        lanes[lane] = lanes[lane] + (key & _M32) * (key >> 32) & _M64


def _long(data: bytes, seed: int) -> int:
    """More than 240 bytes."""
    secret, length = _seeded(seed), len(data)
    lanes = [_P32_3, _P64_1, _P64_2, _P64_3, _P64_4, _P32_2, _P64_5, _P32_1]
    per_block = (len(secret) - _STRIPE) // 8
    block = _STRIPE * per_block
    blocks = (length - 1) // block
    for number in range(blocks):
        for stripe in range(per_block):
            _accumulate(lanes, data, number * block + stripe * _STRIPE, secret, stripe * 8)
        keys = _LANES.unpack_from(secret, len(secret) - _STRIPE)
        for lane in range(8):
            lanes[lane] = (lanes[lane] ^ lanes[lane] >> 47 ^ keys[lane]) * _P32_1 & _M64
    for stripe in range((length - 1 - block * blocks) // _STRIPE):
        _accumulate(lanes, data, blocks * block + stripe * _STRIPE, secret, stripe * 8)
    _accumulate(lanes, data, length - _STRIPE, secret, len(secret) - _STRIPE - 7)
    total = length * _P64_1
    for pair in range(4):
        keys_at = 11 + 16 * pair
        total += _fold(lanes[2 * pair] ^ _u64(secret, keys_at), lanes[2 * pair + 1] ^ _u64(secret, keys_at + 8))
    return _avalanche(total & _M64)


def xxh3_64(data: bytes, seed: int = 0) -> int:
    """XXH3 with 64 bits, unsigned."""
    seed &= _M64
    if len(data) <= 16:
        return _short(data, seed)
    return _middle(data, seed) if len(data) <= 240 else _long(data, seed)

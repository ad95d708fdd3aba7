"""Binary data to text and back, hashes, address masks (configuration manual, 7.3.1)."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import struct
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from hapy.samples import hashes
from hapy.samples.environment import CompileEnv
from hapy.samples.registry import Args, Converter, converter
from hapy.samples.types import Binary, Result, Value


def _data(value: Value) -> bytes:
    """The bytes that the cast before has made."""
    assert isinstance(value, bytes)
    return value


@converter("hex", takes="bin", gives="str")
def _hex(args: Args, env: CompileEnv) -> Converter:
    return lambda value: _data(value).hex().upper().encode()


@converter("hex2i", takes="str", gives="sint")
def _hex2i(args: Args, env: CompileEnv) -> Converter:
    def convert(value: Value) -> Result:
        text = _data(value)
        if text.translate(None, b"0123456789abcdefABCDEF"):
            return None
        number = int(text or b"0", 16) & 0xFFFFFFFFFFFFFFFF
        return number - 2**64 if number >= 2**63 else number

    return convert


@converter("base64", takes="bin", gives="str")
def _base64(args: Args, env: CompileEnv) -> Converter:
    return lambda value: base64.b64encode(_data(value))


@converter("ub64enc", takes="bin", gives="str")
def _ub64enc(args: Args, env: CompileEnv) -> Converter:
    return lambda value: base64.urlsafe_b64encode(_data(value)).rstrip(b"=")


@converter("b64dec", takes="str", gives="bin")
def _b64dec(args: Args, env: CompileEnv) -> Converter:
    def convert(value: Value) -> Result:
        data = _data(value)
        if len(data) % 4:
            return None
        try:
            return Binary(base64.b64decode(data, validate=True))
        except binascii.Error:
            return None

    return convert


def decode_url64(text: bytes) -> bytes | None:
    """base64url without padding decoded (RFC 4648, section 5), None where it isn't that."""
    if (
        not text.translate(None, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        and len(text) % 4 != 1
    ):
        return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    return None


@converter("ub64dec", takes="str", gives="bin")
def _ub64dec(args: Args, env: CompileEnv) -> Converter:
    def convert(value: Value) -> Result:
        decoded = decode_url64(_data(value).rstrip(b"="))
        return None if decoded is None else Binary(decoded)

    return convert


def _chunks(args: Args, convert: Callable[[bytes], bytes], *, default: int) -> Converter:
    """Each chunk of the input converted, a separator between them."""
    separator = args.data(0, "")
    size = args.integer(1, default)
    truncate = args.integer(2, 0) != 0
    if size < 0:
        raise args.error("the chunk size must not be negative")

    def converted(value: Value) -> Result:
        data = _data(value)
        if not size:
            return convert(data)
        parts = [data[start : start + size] for start in range(0, len(data), size)]
        if truncate and parts and len(parts[-1]) < size:
            parts.pop()
        return separator.join(convert(part) for part in parts)

    return converted


@converter("be2dec", takes="bin", gives="str")
def _be2dec(args: Args, env: CompileEnv) -> Converter:
    if not 0 < args.integer(1, 0) <= 8:
        raise args.error("chunk_size must be between 1 and 8")
    return _chunks(args, lambda part: str(int.from_bytes(part, "big")).encode(), default=8)


@converter("be2hex", takes="bin", gives="str")
def _be2hex(args: Args, env: CompileEnv) -> Converter:
    if args.given(0) and args.integer(1, 0) <= 0:
        raise args.error("chunk_size needs to be positive with a separator")
    return _chunks(args, lambda part: part.hex().upper().encode(), default=0)


@converter("htonl", takes="sint", gives="bin")
def _htonl(args: Args, env: CompileEnv) -> Converter:
    return lambda value: Binary(struct.pack(">I", int(value) & 0xFFFFFFFF))


@converter("bytes", takes="bin", gives="bin")
def _bytes(args: Args, env: CompileEnv) -> Converter:
    offset, length = args.integer(0), args.integer(1, -1)
    if offset < 0:  # HAProxy takes it for one that lies beyond the end
        return lambda value: Binary(b"")

    def cut(value: Value) -> Result:
        data = _data(value)
        return Binary(data[offset:] if length < 0 else data[offset : offset + length])

    return cut


_HASHES: Final[dict[str, Callable[[bytes], int]]] = {
    "crc32": hashes.crc32,
    "crc32c": hashes.crc32c,
    "djb2": hashes.djb2,
    "sdbm": hashes.sdbm,
    "wt6": hashes.wt6,
}


@converter("crc32", "crc32c", "djb2", "sdbm", "wt6", takes="bin", gives="sint")
def _hash(args: Args, env: CompileEnv) -> Converter:
    function = _HASHES[args.name]
    if args.integer(0, 0):
        return lambda value: hashes.avalanche(function(_data(value)))
    return lambda value: function(_data(value))


def _signed(number: int) -> int:
    return number - 2**64 if number >= 2**63 else number


@converter("xxh32", takes="bin", gives="sint")
def _xxh32(args: Args, env: CompileEnv) -> Converter:
    seed = args.integer(0, 0)
    return lambda value: hashes.xxh32(_data(value), seed)


@converter("xxh64", takes="bin", gives="sint")
def _xxh64(args: Args, env: CompileEnv) -> Converter:
    seed = args.integer(0, 0)
    return lambda value: _signed(hashes.xxh64(_data(value), seed))


@converter("xxh3", takes="bin", gives="sint")
def _xxh3(args: Args, env: CompileEnv) -> Converter:
    from hapy.samples.xxh3 import xxh3_64

    seed = args.integer(0, 0)
    return lambda value: _signed(xxh3_64(_data(value), seed))


def _mask(text: str, bits: int) -> int:
    """A mask as a prefix length or in address form, as an integer."""
    if text.strip(" +").isdigit():
        length = int(text)
        if length > bits:
            raise ValueError(text)
        return ((1 << length) - 1) << (bits - length)
    return int(ipaddress.IPv4Address(text) if bits == 32 else ipaddress.IPv6Address(text))


@converter("ipmask", takes="addr", gives="addr")
def _ipmask(args: Args, env: CompileEnv) -> Converter:
    try:
        mask4 = _mask(args.string(0), 32)
        mask6 = _mask(args.string(1), 128) if args.given(1) else None
    except ValueError:
        raise args.error("expects an IPv4 mask, and perhaps an IPv6 mask") from None

    def masked(value: Value) -> Result:
        if isinstance(value, IPv6Address):
            mapped = value.ipv4_mapped
            if mapped is None:
                return None if mask6 is None else IPv6Address(int(value) & mask6)
            value = mapped
        return IPv4Address(int(value) & mask4) if isinstance(value, IPv4Address) else None

    return masked

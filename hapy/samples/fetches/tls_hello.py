"""Fetches on what a client offered in the hello of its handshake with us (configuration manual, 7.3.4): JA3 and kin.

They are kept as far as `tune.ssl.capture-buffer-size` says; without it these give nothing.
"""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from hapy.samples.environment import CompileEnv
from hapy.samples.registry import Args, Getter, fetch
from hapy.samples.types import Binary, Result

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction
    from hapy.tls.hello import ClientHello

_GROUPS: Final = 10
_POINT_FORMATS: Final = 11
_SIGNATURE_ALGORITHMS: Final = 13
_SUPPORTED_VERSIONS: Final = 43


def _without_grease(data: bytes) -> bytes:
    """16-bit numbers without those of RFC 8701; half a number at the end stays."""
    pairs = (data[place : place + 2] for place in range(0, len(data), 2))
    return b"".join(pair for pair in pairs if not (pair[0] == pair[-1] and len(pair) == 2 and pair[0] & 0x0F == 0x0A))


#: What is kept besides cipher suites and the numbers of extensions: the extension, and the bytes before its list.
_LISTS: Final = (
    ("eclist", _GROUPS, 2),
    ("ecformats", _POINT_FORMATS, 1),
    ("supported_versions", _SUPPORTED_VERSIONS, 1),
    ("sigalgs", _SIGNATURE_ALGORITHMS, 2),
)


def _captured(hello: ClientHello, size: int) -> dict[str, bytes]:
    """What there is room for, in HAProxy's order: cipher suites, numbers of extensions, what stands in those counted.

    A last extension that is empty is not counted: HAProxy does not see it, and fingerprints must be its own.
    """
    found = {"cipherlist": hello.suites[:size]}
    room = size - len(found["cipherlist"])
    kinds = list(hello.contents)
    if kinds and not hello.contents[kinds[-1]]:
        kinds.pop()
    kept = kinds[: room // 2]
    found["extlist"] = b"".join(kind.to_bytes(2, "big") for kind in kept)
    room -= 2 * len(kept)
    for name, kind, before in _LISTS:
        if kind in kept:
            found[name] = hello.contents[kind][before:][:room]
            room -= len(found[name])
    return found


def _buffer(env: CompileEnv) -> int:
    tune = env.config.global_.tune
    size = tune.get("ssl.capture-buffer-size", tune.get("ssl.capture-cipherlist-size", 0))
    return int(size) if str(size).isdigit() else 0


def _part(args: Args, env: CompileEnv) -> Callable[[Transaction], bytes | None]:
    """A part of the hello, cut to what is kept of it."""
    part = args.name.removeprefix("ssl_fc_").rpartition("_")[0]
    size = _buffer(env)
    filtered = args.integer(0, 0) == 1

    def get(txn: Transaction) -> bytes | None:
        tls = txn.client.tls
        if not size or tls is None or tls.hello is None:
            return None
        found = _captured(tls.hello, size).get(part, b"")
        return _without_grease(found) if filtered else found

    return get


@fetch("ssl_fc_cipherlist_bin", "ssl_fc_extlist_bin", "ssl_fc_eclist_bin", "ssl_fc_ecformats_bin", type="bin")
@fetch("ssl_fc_sigalgs_bin", "ssl_fc_supported_versions_bin", type="bin")
def _binary(args: Args, env: CompileEnv) -> Getter:
    part = _part(args, env)

    def get(txn: Transaction) -> Result:
        found = part(txn)
        return Binary(found) if found else None

    return get


@fetch("ssl_fc_cipherlist_hex", type="str")
def _hex(args: Args, env: CompileEnv) -> Getter:
    part = _part(args, env)

    def get(txn: Transaction) -> Result:
        found = part(txn)
        return found.hex().upper().encode() if found else None

    return get


@fetch("ssl_fc_cipherlist_str", type="str")
def _names(args: Args, env: CompileEnv) -> Getter:
    part = _part(args, env)

    def get(txn: Transaction) -> Result:
        found = part(txn)
        if not found:
            return None
        known = _suites()
        numbers = (int.from_bytes(found[place : place + 2], "big") for place in range(0, len(found) - 1, 2))
        return b",".join(known.get(number) or b"UNKNOWN(%04x)" % number for number in numbers)

    return get


@functools.cache
def _suites() -> dict[int, bytes]:
    """OpenSSL's names of cipher suites."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    known = {cipher["id"] & 0xFFFF: cipher["name"].encode() for cipher in context.get_ciphers()}
    return known | {0x00FF: b"TLS_EMPTY_RENEGOTIATION_INFO_SCSV", 0x5600: b"TLS_FALLBACK_SCSV"}


@fetch("ssl_fc_cipherlist_xxh", type="sint")
def _hash(args: Args, env: CompileEnv) -> Getter:
    from hapy.samples.hashes import xxh64

    size = _buffer(env)

    def get(txn: Transaction) -> Result:
        tls = txn.client.tls
        if not size or tls is None or tls.hello is None:
            return None
        number = xxh64(tls.hello.suites, 0)
        return number - (1 << 64) if number >> 63 else number

    return get


@fetch("ssl_fc_protocol_hello_id", type="sint")
def _version(args: Args, env: CompileEnv) -> Getter:
    size = _buffer(env)

    def get(txn: Transaction) -> Result:
        tls = txn.client.tls
        return tls.hello.legacy_version if size and tls is not None and tls.hello is not None else None

    return get

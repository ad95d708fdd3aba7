"""Fetches on the TLS hello that passes through as bytes (configuration manual, 7.3.5: `req.ssl_sni` and its kin).

A hello counts once it is complete. Nothing is decrypted: these see raw bytes only, never what comes on a `bind … ssl`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from hapy.samples.content import answered, sent, undecided
from hapy.samples.environment import CompileEnv
from hapy.samples.registry import Args, Getter, fetch
from hapy.samples.types import Binary, Result

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction
    from hapy.tls.hello import ClientHello

#: What a TLS record begins with: its type.
_RECORDS: Final = frozenset({0x14, 0x15, 0x16, 0x17})
#: A record's header, and the header of the message in it.
_HEADERS: Final = 9
_VERSION_2_HELLO: Final = 1

_ALPN: Final = 16
_GROUPS: Final = 10
_SIGNATURE_ALGORITHMS: Final = 13
_SESSION_TICKET: Final = 35
_KEY_SHARE: Final = 51


def _of_hello(read: Callable[[ClientHello], Result]) -> Getter:
    """A getter over the client's hello; no value while there is none."""

    def get(txn: Transaction) -> Result:
        data = sent(txn)
        if data is None:
            return None
        from hapy.tls.hello import NotTls, read_hello

        if len(data) < _HEADERS:
            if not data or data[0] in _RECORDS:
                undecided(txn)
            return None
        try:
            hello = read_hello(data)
        except NotTls:
            return None
        if hello is None:
            undecided(txn)
            return None
        return read(hello)

    return get


def _hello(name: str, kind: str, read: Callable[[ClientHello], Result]) -> None:
    """Register a fetch on the client's hello."""

    def build(args: Args, env: CompileEnv) -> Getter:
        return _of_hello(read)

    fetch(name, *([name.replace("req.", "req_")] if name in _OLD_NAMES else []), type=kind)(build)


_OLD_NAMES: Final = frozenset({"req.ssl_sni"})


def _alpn(hello: ClientHello) -> Result:
    """The first protocol offered, as HAProxy has it."""
    content = hello.contents.get(_ALPN)
    if not content or len(content) < 3:
        return None
    return content[3 : 3 + content[2]]


def _ticket(hello: ClientHello) -> Result:
    content = hello.contents.get(_SESSION_TICKET)
    return 0 if content is None else 2 if content else 1


def _listed(kind: int) -> Callable[[ClientHello], Result]:
    """An extension that is one list of two-byte numbers."""

    def read(hello: ClientHello) -> Result:
        content = hello.contents.get(kind)
        return Binary(content[2:]) if content else None

    return read


def _shares(hello: ClientHello) -> Result:
    """The groups of the key shares, without the keys."""
    content = hello.contents.get(_KEY_SHARE)
    if not content:
        return None
    groups = bytearray()
    place = 2
    while place + 4 <= len(content):
        groups += content[place : place + 2]
        place += 4 + int.from_bytes(content[place + 2 : place + 4], "big")
    return Binary(bytes(groups))


_hello("req.ssl_sni", "str", lambda hello: hello.server_name or None)
_hello("req.ssl_alpn", "str", _alpn)
_hello("req.ssl_ec_ext", "bool", lambda hello: True if _GROUPS in hello.contents else None)
_hello("req.ssl_st_ext", "sint", _ticket)
_hello("req.ssl_cipherlist", "bin", lambda hello: Binary(hello.suites))
_hello("req.ssl_supported_groups", "bin", _listed(_GROUPS))
_hello("req.ssl_sigalgs", "bin", _listed(_SIGNATURE_ALGORITHMS))
_hello("req.ssl_keyshare_groups", "bin", _shares)


def _type(data: bytes) -> int | None:
    """The type of the handshake message that a complete hello is; -1 while it is not complete, None for no hello."""
    if not data or (data[0] in _RECORDS and len(data) < _HEADERS):
        return -1
    if len(data) < _HEADERS or data[0] != 0x16 or data[1] != 3:
        return None
    size = int.from_bytes(data[6:9], "big")
    record = int.from_bytes(data[3:5], "big")
    if size + 4 > record:  # in several records: only a client's hello is put together
        from hapy.tls.hello import NotTls, read_hello

        try:
            return data[5] if read_hello(data) is not None else -1
        except NotTls:
            return None
    return data[5] if len(data) >= _HEADERS + size else -1


@fetch("req.ssl_hello_type", "req_ssl_hello_type", "res.ssl_hello_type", "rep_ssl_hello_type", type="sint")
def _hello_type(args: Args, env: CompileEnv) -> Getter:
    available = answered if args.name.startswith(("res.", "rep_")) else sent

    def hello_type(txn: Transaction) -> Result:
        data = available(txn)
        found = None if data is None else _type(data)
        if found == -1:
            undecided(txn)
            return None
        return found

    return hello_type


@fetch("req.ssl_ver", "req_ssl_ver", type="sint")
def _version(args: Args, env: CompileEnv) -> Getter:
    def version(txn: Transaction) -> Result:
        data = sent(txn)
        if data is None:
            return None
        if len(data) >= 5 and data[0] & 0x80 and data[2] == _VERSION_2_HELLO:
            return (data[3] << 16) + data[4] if data[3] > 2 else 2
        found = _type(data)
        if found == -1:
            undecided(txn)
        if found is None or found == -1:
            return None
        return (data[9] << 16) + data[10] if len(data) > 10 else None

    return version

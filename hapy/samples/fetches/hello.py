"""Fetches on the TLS hello that passes through as bytes (configuration manual, 7.3.5: `req.ssl_sni` and its kin).

A hello counts once it is complete, but for its last four bytes: HAProxy does not wait for these where what it is asked
for stands before them. Nothing is decrypted: these see raw bytes only, never what comes on a `bind … ssl`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
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
_HANDSHAKE: Final = 0x16
_CLIENT_HELLO: Final = 1
#: The major version of all of TLS, and of SSL 3.
_TLS: Final = 3
#: The version of TLS 1.0.
_FIRST_TLS: Final = b"\3\1"
#: How much of a hello's end HAProxy does not wait for.
_LAST: Final = 4

#: What HAProxy wants of a first record before it believes its version: bytes to be there, and lengths.
_VERSIONED: Final = 11
_RECORD_SIZES: Final = range(6, 18433)
#: The lengths of a challenge in a hello of SSL 2, and of the session's name there.
_CHALLENGES: Final = range(16, 33)
_SESSION_NAMES: Final = (0, 16)

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
        from hapy.tls.hello import ClientHello, NotTls, read_hello

        if (data and data[0] != _HANDSHAKE) or (len(data) > 2 and data[1] < _TLS):
            return None
        if len(data) < _HEADERS:
            undecided(txn)
            return None
        if len(data) >= _VERSIONED and data[_HEADERS:_VERSIONED] < _FIRST_TLS:
            return None  # SSL has no extensions
        record, size = _lengths(data)
        missing = 0
        try:
            if size + 4 > record:
                hello = read_hello(data)
                if hello is None:
                    undecided(txn)
                    return None
            elif data[5] != _CLIENT_HELLO:
                return None
            else:
                missing = max(0, _HEADERS + size - len(data))
                if missing > _LAST:
                    undecided(txn)
                    return None
                hello = ClientHello(bytes(data[_HEADERS : _HEADERS + size]) + bytes(missing))
            found = read(hello)
        except NotTls:
            found = None
        if not missing:
            return found
        try:  # does it hold whatever comes?
            other = read(ClientHello(bytes(data[_HEADERS:]) + b"\xff" * missing))
        except NotTls:
            other = None
        if found is not None and found == other:
            return found
        undecided(txn)
        return None

    return get


def _lengths(data: bytes) -> tuple[int, int]:
    """How long the first record is, and the message that begins in it, both without their headers."""
    return int.from_bytes(data[3:5], "big"), int.from_bytes(data[6:9], "big")


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
    if data and data[0] not in _RECORDS:
        return None
    if len(data) < _HEADERS:
        return -1
    record, size = _lengths(data)
    if data[1] < _TLS or record < 4:
        return None
    if size + 4 > record and data[0] == _HANDSHAKE:  # in several records: only a client's hello is put together
        from hapy.tls.hello import NotTls, read_hello

        with suppress(NotTls):
            return data[5] if read_hello(data) is not None else -1
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


def _version_2(data: bytes) -> int | None:
    """The version that a hello in the form of SSL 2 asks for; -1 while it is not complete, None for no such hello."""
    if data[2] != _CLIENT_HELLO:
        return None
    if len(data) < _VERSIONED:
        return -1
    size = int.from_bytes(data[:2], "big") & 0x7FFF
    ciphers, session, challenge = (int.from_bytes(data[place : place + 2], "big") for place in (5, 7, 9))
    if ciphers % 3 or session not in _SESSION_NAMES or challenge not in _CHALLENGES:
        return None
    if 9 + ciphers + session + challenge != size:
        return None
    return _number(data, 3) if len(data) >= 2 + size else -1


def _number(data: bytes, place: int) -> int:
    return (data[place] << 16) + data[place + 1]


@fetch("req.ssl_ver", "req_ssl_ver", type="sint")
def _version(args: Args, env: CompileEnv) -> Getter:
    def version(txn: Transaction) -> Result:
        data = sent(txn)
        if data is None:
            return None
        found: int | None = -1
        if len(data) >= 4 and data[0] & 0x80:
            found = _version_2(data)
        elif len(data) >= 4 and data[0] not in _RECORDS:
            return None
        elif len(data) >= _VERSIONED:
            record = _lengths(data)[0]
            if data[1] < _TLS or record not in _RECORD_SIZES:
                return None
            if len(data) >= 5 + record:
                found = _number(data, 9)
        if found == -1:
            undecided(txn)
            return None
        return found

    return version

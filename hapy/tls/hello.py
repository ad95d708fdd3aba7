"""The ClientHello, read before the TLS library sees it: the certificate, and all that goes with it, depends on it.

RFC 8446 section 4.1.2, RFC 6066 section 3 (server_name). Only the framing is judged here; the library judges the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: A ClientHello longer than this is not read (RFC 8446 allows 128 KB; OpenSSL's own limit is the same).
MAX_HELLO: Final = 131396

_HANDSHAKE: Final = 22
_CLIENT_HELLO: Final = 1
_SERVER_NAME: Final = 0
_SIGNATURE_ALGORITHMS: Final = 13
_SUPPORTED_VERSIONS: Final = 43

#: Signature schemes Ed25519 and Ed448. Those of ECDSA end with 3, in TLS 1.2 and in 1.3.
_EDDSA: Final = frozenset({0x0807, 0x0808})
#: Cipher suites that authenticate by ECDSA below TLS 1.3.
_ECDSA_SUITES: Final = frozenset(
    {*range(0xC006, 0xC00B), 0xC023, 0xC024, 0xC02B, 0xC02C, 0xC048, 0xC049, 0xC05C, 0xC05D, 0xC072, 0xC073}
    | {0xC086, 0xC087, *range(0xC0AC, 0xC0B0), 0xCCA9}
)


class NotTls(ValueError):  # noqa: N818 - says what it is
    """The bytes are no ClientHello."""


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What a client asks for.

    Attributes:
        server_name: the SNI as sent, empty without one.
        version: the highest version offered, as on the wire: 0x0304 for TLS 1.3.
        ecdsa: the client takes ECDSA certificates.
        rsa: the client takes RSA certificates.
        suites: the cipher suites offered, as on the wire.
        extensions: the types of its extensions, in order.
    """

    server_name: bytes = b""
    version: int = 0
    ecdsa: bool = False
    rsa: bool = True
    suites: bytes = b""
    extensions: tuple[int, ...] = ()


def read_hello(data: bytes | bytearray) -> ClientHello | None:
    """The ClientHello that the bytes begin with; None while more of it is to come.

    Raises:
        NotTls: they begin with something else.
    """
    message = bytearray()
    place = 0
    while True:
        if len(data) < place + 5:
            if data and data[0] != _HANDSHAKE:
                raise NotTls("no TLS record")
            return None
        if data[place] != _HANDSHAKE or data[place + 1] != 3:
            raise NotTls("no TLS record")
        size = int.from_bytes(data[place + 3 : place + 5], "big")
        if not size or size > 16384 + 256:
            raise NotTls("a record of impossible size")
        message += data[place + 5 : place + 5 + size]
        if message and message[0] != _CLIENT_HELLO:
            raise NotTls("no ClientHello")
        if len(message) >= 4:
            wanted = int.from_bytes(message[1:4], "big") + 4
            if wanted > MAX_HELLO:
                raise NotTls("a ClientHello of impossible size")
            if len(message) >= wanted:
                return _parse(bytes(message[4:wanted]))
        place += 5 + size


class _Reader:
    """Takes vectors off a message; raises NotTls where it is too short."""

    __slots__ = ("data", "place")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def take(self, count: int) -> bytes:
        end = self.place + count
        if end > len(self.data):
            raise NotTls("a truncated ClientHello")
        piece = self.data[self.place : end]
        self.place = end
        return piece

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def vector(self, count: int) -> bytes:
        return self.take(self.number(count))

    @property
    def left(self) -> int:
        return len(self.data) - self.place


def _numbers(data: bytes) -> list[int]:
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data) - 1, 2)]


def _parse(body: bytes) -> ClientHello:
    reader = _Reader(body)
    version = reader.number(2)
    reader.take(32)
    reader.vector(1)
    suites = reader.vector(2)
    reader.vector(1)
    found: dict[int, bytes] = {}
    if reader.left:
        extensions = _Reader(reader.vector(2))
        while extensions.left:
            kind = extensions.number(2)
            found.setdefault(kind, extensions.vector(2))
    if _SUPPORTED_VERSIONS in found:
        offered = [v for v in _numbers(found[_SUPPORTED_VERSIONS][1:]) if v & 0x0F0F != 0x0A0A]
        version = max(offered, default=version)
    ecdsa, rsa = _signatures(version, suites, found.get(_SIGNATURE_ALGORITHMS))
    name = _server_name(found[_SERVER_NAME]) if _SERVER_NAME in found else b""
    return ClientHello(name, version, ecdsa, rsa, suites, tuple(found))


def _server_name(data: bytes) -> bytes:
    names = _Reader(_Reader(data).vector(2))
    while names.left:
        kind = names.number(1)
        name = names.vector(2)
        if kind == 0:
            return name
    return b""


def _signatures(version: int, suites: bytes, algorithms: bytes | None) -> tuple[bool, bool]:
    """Whether the client takes ECDSA certificates, and RSA ones."""
    offered = set(_numbers(suites))
    by_suite = bool(offered & _ECDSA_SUITES)
    if algorithms is None:
        return by_suite, True
    schemes = _numbers(algorithms[2:])
    ecdsa = any(scheme & 0xFF == 3 or scheme in _EDDSA for scheme in schemes)
    rsa = any(scheme & 0xFF == 1 or 0x0804 <= scheme <= 0x0806 or 0x0809 <= scheme <= 0x080B for scheme in schemes)
    if version < 0x0304:
        ecdsa = ecdsa and by_suite
    return ecdsa, rsa

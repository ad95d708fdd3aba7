"""The ClientHello, read before the TLS library sees it: the certificate, and all that goes with it, depends on it.

RFC 8446 section 4.1.2, RFC 6066 section 3 (server_name). Only the framing is judged here; the library judges the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct, unpack_from
from struct import error as struct_error
from typing import Final

#: A ClientHello longer than this is not read (RFC 8446 allows 128 KB; OpenSSL's own limit is the same).
MAX_HELLO: Final = 131396

_MAX_RECORD: Final = 16384 + 256
#: What comes in more records than this (nine hold the longest) only wants to be read over and over.
_MOST_RECORDS: Final = 64

_HANDSHAKE: Final = 22
_CLIENT_HELLO: Final = 1
_SERVER_NAME: Final = 0
_SIGNATURE_ALGORITHMS: Final = 13
_SUPPORTED_VERSIONS: Final = 43
_TLS_13: Final = 0x0304

_NUMBER: Final = Struct(">H")
_HEAD: Final = Struct(">HH")

#: Signature schemes Ed25519 and Ed448. Those of ECDSA end with 3, in TLS 1.2 and in 1.3.
_EDDSA: Final = frozenset({0x0807, 0x0808})
#: Signature schemes RSA-PSS. Those of RSA with PKCS #1 end with 1.
_RSA_PSS: Final = frozenset({*range(0x0804, 0x0807), *range(0x0809, 0x080C)})
#: Cipher suites that authenticate by ECDSA below TLS 1.3.
_ECDSA_SUITES: Final = frozenset(
    {*range(0xC006, 0xC00B), 0xC023, 0xC024, 0xC02B, 0xC02C, 0xC048, 0xC049, 0xC05C, 0xC05D, 0xC072, 0xC073}
    | {0xC086, 0xC087, *range(0xC0AC, 0xC0B0), 0xCCA9}
)


class NotTls(ValueError):  # noqa: N818 - says what it is
    """The bytes are no ClientHello."""


class ClientHello:
    """What a client asks for. It is taken apart when something of it is first looked at.

    Attributes:
        body: the message, behind its type and length.
    """

    __slots__ = ("_contents", "_server_name", "_suites", "body")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self._contents: dict[int, bytes] | None = None
        self._suites = b""
        self._server_name: bytes | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClientHello) and self.body == other.body

    def __hash__(self) -> int:
        return hash(self.body)

    @property
    def server_name(self) -> bytes:
        """The SNI as sent, empty without one."""
        if self._server_name is None:
            name = self.contents.get(_SERVER_NAME)
            self._server_name = _server_name(name) if name is not None else b""
        return self._server_name

    @property
    def legacy_version(self) -> int:
        """The version field of old, 0x0303 in TLS 1.3 too."""
        return int.from_bytes(self.body[:2], "big")

    @property
    def suites(self) -> bytes:
        """The cipher suites offered, as on the wire."""
        if self._contents is None:
            self._suites, self._contents = _parse(self.body)
        return self._suites

    @property
    def contents(self) -> Mapping[int, bytes]:
        """What its extensions hold, by type, in their order."""
        if self._contents is None:
            self._suites, self._contents = _parse(self.body)
        return self._contents

    @property
    def extensions(self) -> tuple[int, ...]:
        """The types of its extensions, in order."""
        return tuple(self.contents)

    @property
    def version(self) -> int:
        """The highest version offered, as on the wire: 0x0304 for TLS 1.3."""
        offered = self.contents.get(_SUPPORTED_VERSIONS, b"")
        return max((v for v in numbers(offered[1:]) if v & 0x0F0F != 0x0A0A), default=self.legacy_version)

    @property
    def key_kinds(self) -> list[str]:
        """The kinds of keys that the client takes in certificates, in the order in which they are to be tried.

        As in HAProxy, ECDSA comes first only for clients with such a cipher suite, as those of TLS 1.2 have them.
        """
        by_suite = not _ECDSA_SUITES.isdisjoint(numbers(self.suites))
        algorithms = self.contents.get(_SIGNATURE_ALGORITHMS)
        if algorithms is None:
            return ["ecdsa", "rsa"] if by_suite else ["rsa"]
        schemes = numbers(algorithms[2:])
        ecdsa = any(scheme & 0xFF == 3 or scheme in _EDDSA for scheme in schemes)
        kinds = ["ecdsa"] if ecdsa and by_suite else []
        if any(scheme & 0xFF == 1 for scheme in schemes):
            kinds.append("rsa")
        if ecdsa and self.version >= _TLS_13:
            kinds.append("ecdsa")
        if not _RSA_PSS.isdisjoint(schemes):
            kinds.append("rsa")
        return kinds

    @property
    def sound(self) -> bool:
        """Whether all of it can be read."""
        try:
            _ = self.server_name
        except NotTls:
            return False
        return True


def read_hello(data: bytes | bytearray) -> ClientHello | None:
    """The ClientHello that the bytes begin with, found sound; None while more of it is to come.

    Raises:
        NotTls: they begin with something else.
    """
    hello = frame_hello(data)
    if hello is not None:
        _ = hello.server_name
    return hello


def frame_hello(data: bytes | bytearray) -> ClientHello | None:
    """The same, with only its frame looked at: what it holds may raise NotTls when it is looked at.

    Raises:
        NotTls: the bytes begin with something else.
    """
    size = len(data)
    if size > 9 and data[0] == _HANDSHAKE and data[1] == 3 and data[5] == _CLIENT_HELLO:
        length = int.from_bytes(data[6:9], "big")
        if size >= 9 + length and int.from_bytes(data[3:5], "big") == 4 + length <= _MAX_RECORD:
            return ClientHello(bytes(data[9 : 9 + length]))  # in one record, as nearly all are
    message = bytearray()
    place = 0
    for _ in range(_MOST_RECORDS):
        if len(data) < place + 5:
            if data and data[0] != _HANDSHAKE:
                raise NotTls("no TLS record")
            return None
        if data[place] != _HANDSHAKE or data[place + 1] != 3:
            raise NotTls("no TLS record")
        size = int.from_bytes(data[place + 3 : place + 5], "big")
        if size > _MAX_RECORD:
            raise NotTls("a record of impossible size")
        message += data[place + 5 : place + 5 + size]
        if message and message[0] != _CLIENT_HELLO:
            raise NotTls("no ClientHello")
        if len(message) >= 4:
            wanted = int.from_bytes(message[1:4], "big") + 4
            if wanted > MAX_HELLO:
                raise NotTls("a ClientHello of impossible size")
            if len(message) >= wanted:
                return ClientHello(bytes(message[4:wanted]))
        place += 5 + size
    raise NotTls("a ClientHello in too many pieces")


def numbers(data: bytes) -> tuple[int, ...]:
    """16-bit numbers; an odd byte at the end is dropped."""
    count = len(data) // 2
    return unpack_from(f">{count}H", data)


def _parse(body: bytes) -> tuple[bytes, dict[int, bytes]]:
    """The cipher suites, and the extensions."""
    number = _NUMBER.unpack_from
    head = _HEAD.unpack_from
    try:
        place = 35 + body[34]  # version, random, session id
        (count,) = number(body, place)
        place += 2
        suites = body[place : place + count]
        place += count
        place += 1 + body[place]  # compression methods
        found: dict[int, bytes] = {}
        if place < len(body):
            (count,) = number(body, place)
            place += 2
            end = place + count
            while place < end:
                kind, count = head(body, place)
                place += 4
                if kind not in found:
                    found[kind] = body[place : place + count]
                place += count
    except (struct_error, IndexError):
        raise NotTls("a truncated ClientHello") from None
    if place > len(body):
        raise NotTls("a truncated ClientHello")
    return suites, found


def _server_name(data: bytes) -> bytes:
    end = 2 + int.from_bytes(data[:2], "big")
    if end > len(data) or len(data) < 2:
        raise NotTls("a truncated ClientHello")
    place = 2
    while place < end:
        size = int.from_bytes(data[place + 1 : place + 3], "big")
        name = data[place + 3 : place + 3 + size]
        if len(name) < size:
            raise NotTls("a truncated ClientHello")
        if data[place] == 0:
            return name
        place += 3 + size
    return b""

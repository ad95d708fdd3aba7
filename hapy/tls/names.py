"""Distinguished names of certificates as OpenSSL writes them, on one line and as RFC 2253 has them.

They are read from their DER (X.690), since what HAProxy shows are the bytes that stand in it, whatever their encoding.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hapy.tls import inside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.x509 import Name

#: Short names of the usual parts, by object identifier; the library knows more.
_SHORT: Final = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "street",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "title",
    "2.5.4.17": "postalCode",
    "2.5.4.41": "name",
    "2.5.4.42": "GN",
    "2.5.4.43": "initials",
    "2.5.4.44": "generationQualifier",
    "2.5.4.46": "dnQualifier",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
}

#: Encodings of the kinds of strings, by their tags in DER; what isn't here is no text.
_TEXTS: Final = {
    12: "utf-8",
    18: "ascii",
    19: "latin-1",
    20: "latin-1",
    22: "latin-1",
    23: "latin-1",
    24: "latin-1",
    26: "latin-1",
    28: "utf-32-be",
    30: "utf-16-be",
}
_ESCAPED: Final = frozenset(b',+"\\<>;')


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a name.

    Attributes:
        short: its kind by OpenSSL's short name, else the object identifier. known: there is a short name.
        value: the bytes that stand in it.
        tag, der: the value's tag, and the value as it is in DER.
    """

    short: str
    known: bool
    value: bytes
    tag: int
    der: bytes


def parts(name: Name) -> list[list[Part]]:
    """The parts of a name, those that belong together in one list."""
    return _parts(name.public_bytes())


@functools.lru_cache(maxsize=256)
def _parts(der: bytes) -> list[list[Part]]:
    _, content, _ = next(_elements(der))
    found = []
    for _, together, _ in _elements(content):
        found.append([_part(pair) for _, pair, _ in _elements(together)])
    return found


def _part(pair: bytes) -> Part:
    (_, kind, _), (tag, value, der) = _elements(pair)
    dotted = _dotted(kind)
    short = _SHORT.get(dotted) or inside.short_name(dotted)
    return Part(short or dotted, short is not None, value, tag, der)


def _elements(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Tag, content and whole of the elements that follow one another."""
    place = 0
    while place < len(data):
        start, size = place + 2, data[place + 1]
        if size & 0x80:
            more = size & 0x7F
            size = int.from_bytes(data[start : start + more], "big")
            start += more
        yield data[place], data[start : start + size], data[place : start + size]
        place = start + size


def _dotted(content: bytes) -> str:
    """An object identifier as text."""
    numbers: list[int] = []
    number = 0
    for byte in content:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def one_line(name: Name) -> bytes:
    """`/C=FR/O=Example/CN=name`."""
    return b"".join(b"/%b=%b" % (part.short.encode(), part.value) for together in parts(name) for part in together)


def rfc2253(name: Name) -> bytes:
    """`CN=name,O=Example,C=FR`: the last part first, special and other than ASCII characters escaped."""
    return b",".join(
        b"+".join(b"%b=%b" % (part.short.encode(), _escaped(part)) for part in reversed(together))
        for together in reversed(parts(name))
    )


def _escaped(part: Part) -> bytes:
    encoding = _TEXTS.get(part.tag)
    if encoding is None or not part.known:
        return b"#" + part.der.hex().upper().encode()
    plain = part.value.decode(encoding, "replace").encode()
    shown = bytearray()
    for place, byte in enumerate(plain):
        edge = (byte == 0x20 and place in (0, len(plain) - 1)) or (byte == 0x23 and not place)
        if edge or byte in _ESCAPED:
            shown += b"\\%c" % byte
        elif byte < 0x20 or byte >= 0x7F:
            shown += b"\\%02X" % byte
        else:
            shown.append(byte)
    return bytes(shown)

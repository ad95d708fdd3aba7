"""Questions and answers on the wire, by dnspython (RFC 1035, 2782, 6891).

An answer is judged here: is it one to the question, what does it say, which records does it carry. Nothing that a name
server sends raises anything but `BadAnswer`.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field
from functools import lru_cache

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.IN.SRV
import dns.rrset

from hapy.samples.hashes import xxh32

#: Aliases that are followed before they are taken for a loop.
_MOST_ALIASES = 64

_ADDRESSES = {dns.rdatatype.A: "A", dns.rdatatype.AAAA: "AAAA"}


class BadAnswer(Exception):  # noqa: N818 - it is the answer that is bad
    """No DNS answer, or none to the question."""


class BadName(ValueError):  # noqa: N818 - it is the name that is bad
    """No name that can be asked for."""


@dataclass(frozen=True, slots=True)
class Service:
    """What an SRV record says.

    Attributes:
        target: a host name in lower case, without the last dot.
        port: where it listens.
        weight: 0 to 65535.
    """

    target: str
    port: int
    weight: int


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        status: `valid`, `nx` (no such name), `refused`, `other` (another error code), `empty` (the name has no records
            of the type), `truncated` or `cname` (its aliases lead nowhere).
        addresses: of A and AAAA records. services: of SRV records.
        extra: addresses that came along, by name: of the hosts that SRV records point to.
        aliased: aliases were followed.
        kind: the type that was asked for.
    """

    status: str
    addresses: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()
    extra: dict[str, tuple[str, ...]] = field(default_factory=dict)
    aliased: bool = False
    kind: str = "A"


def canonical(name: str | bytes) -> str:
    """A name as resolutions are kept by: lower case, without the last dot, odd bytes as zone files write them.

    Args:
        name: as files write it, or the bytes that a client has sent.

    Raises:
        BadName: it is none (empty, a label too long, …).
    """
    try:
        if isinstance(name, bytes):
            parsed = dns.name.Name([*name.lower().removesuffix(b".").split(b"."), b""])
        else:
            parsed = dns.name.from_text(name.lower())
    except (dns.exception.DNSException, UnicodeError, ValueError, IndexError) as error:
        raise BadName(f"{name!r} is no host name") from error
    text = parsed.to_text(omit_final_dot=True)
    if text in ("@", ".", ""):
        raise BadName("a host name must not be empty")
    return text


@lru_cache(4096)
def rank(record: str | Service) -> int:
    """Of several addresses, or services, the one with the lowest goes first, whatever the order of the answer.

    Servers get the same ones after a restart, and on every machine that asks. It is the order of HAProxy 2.6: XXH32 of
    the address or of the target's labels, the record's type for a seed.
    """
    if isinstance(record, Service):
        labels = dns.name.from_text(record.target).labels[:-1]
        return xxh32(b"".join(bytes([len(label)]) + label for label in labels), dns.rdatatype.SRV)
    if ":" in record:
        return xxh32(socket.inet_pton(socket.AF_INET6, record), dns.rdatatype.AAAA)
    return xxh32(socket.inet_pton(socket.AF_INET, record), dns.rdatatype.A)


def question(name: str, kind: str, number: int, payload: int) -> bytes:
    """A question.

    Args:
        name: a canonical name.
        kind: A, AAAA or SRV.
        number: its id.
        payload: bytes that an answer over UDP may have.
    """
    return struct.pack("!H", number) + _question(name, kind, payload)


@lru_cache(4096)
def _question(name: str, kind: str, payload: int) -> bytes:
    """A question without its id."""
    return dns.message.make_query(name, kind, use_edns=0, payload=payload).to_wire()[2:]


def number_of(data: bytes) -> int:
    """The id of a message.

    Raises:
        BadAnswer: it is too short for one.
    """
    if len(data) < 12:
        raise BadAnswer("shorter than a header")
    return int(struct.unpack_from("!H", data)[0])


def read(data: bytes, name: str, *kinds: str) -> Answer:
    """What an answer says to the question for `name` and one of these types.

    Raises:
        BadAnswer: it is broken, or an answer to something else.
    """
    return _read(data[2:], name, kinds)


@lru_cache(1024)  # most answers are the same as the one before
def _read(data: bytes, name: str, kinds: tuple[str, ...]) -> Answer:
    """What an answer without its id says."""
    try:
        message = dns.message.from_wire(
            b"\0\0" + data, ignore_trailing=True, one_rr_per_rrset=True, raise_on_truncation=False
        )
    except Exception as error:  # hostile bytes: dnspython does not say which exceptions they can cause
        raise BadAnswer(str(error)) from error
    if not message.flags & dns.flags.QR or message.opcode() != 0:
        raise BadAnswer("not an answer")
    if len(message.question) != 1:
        raise BadAnswer("not one question")
    asked = message.question[0]
    kind = dns.rdatatype.to_text(asked.rdtype)
    if asked.rdclass != dns.rdataclass.IN or kind not in kinds or _text(asked.name) != name:
        raise BadAnswer("an answer to another question")
    code = message.rcode()
    if code == dns.rcode.NXDOMAIN:
        return Answer("nx", kind=kind)
    if code == dns.rcode.REFUSED:
        return Answer("refused", kind=kind)
    if code != dns.rcode.NOERROR:
        return Answer("other", kind=kind)
    if message.flags & dns.flags.TC:
        return Answer("truncated", kind=kind)
    return _records(message, name, kind)


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _records(message: dns.message.Message, name: str, kind: str) -> Answer:
    aliases = {
        _text(rrset.name): _text(rrset[0].target)
        for rrset in message.answer
        if rrset.rdtype == dns.rdatatype.CNAME and rrset.rdclass == dns.rdataclass.IN
    }
    end = name
    for _ in range(_MOST_ALIASES):
        if end not in aliases:
            break
        end = aliases[end]
    else:
        return Answer("cname", kind=kind)
    mine = [
        rrset
        for rrset in message.answer
        if rrset.rdclass == dns.rdataclass.IN
        and _text(rrset.name) == end
        and dns.rdatatype.to_text(rrset.rdtype) == kind
    ]
    if not mine:
        return Answer("cname" if aliases else "empty", kind=kind)
    if kind == "SRV":
        services = dict.fromkeys(_service(rrset) for rrset in mine if rrset[0].target != dns.name.root)
        if not services:
            return Answer("empty", kind=kind)  # the service is not to be had here (RFC 2782)
        return Answer("valid", services=tuple(services), extra=_extra(message), aliased=bool(aliases), kind=kind)
    addresses = dict.fromkeys(str(rrset[0].address) for rrset in mine)
    return Answer("valid", addresses=tuple(addresses), aliased=bool(aliases), kind=kind)


def _service(rrset: dns.rrset.RRset) -> Service:
    record = rrset[0]
    return Service(_text(record.target), int(record.port), int(record.weight))


def _extra(message: dns.message.Message) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for rrset in message.additional:
        if rrset.rdtype in _ADDRESSES and rrset.rdclass == dns.rdataclass.IN:
            name = _text(rrset.name)
            found[name] = (*found.get(name, ()), str(rrset[0].address))
    return found

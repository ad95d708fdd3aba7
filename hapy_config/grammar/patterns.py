"""The values that ACLs and maps compare with: integers and ranges, addresses and networks, bytes (manual, section 7.1).

`check` is for reading a configuration; the others are what compiles patterns when hapy starts.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from hapy_config.grammar.checks import hexadecimal
from hapy_config.grammar.errors import GrammarError, raise_first
from hapy_config.grammar.regexes import compile_regex
from hapy_config.grammar.units import wrapped

#: Operators of integer matching. HAProxy takes `ne` and matches as with `eq`; its manual does not know the word.
OPERATORS: Final = ("eq", "ne", "gt", "ge", "lt", "le")
_EQUAL: Final = ("", "eq", "ne")

_NUMBER: Final = re.compile(r"(-?[0-9]+)\Z")
_TO_DOT: Final = re.compile(r"(-?[0-9]+)(?:\..*)?\Z", re.DOTALL)
_DOTTED: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?\Z")
# A `-` parts a range as a `:` does, also as the first character: `-5` is everything up to 5.
_RANGE: Final = re.compile(r"([0-9]*)[:-](-?[0-9]*)\Z")
_NUMBERS: Final = re.compile(r"([0-9]+)(?:\.([0-9]+))?")
_DOTTED_RANGE: Final = re.compile(r"((?:[0-9]+(?:\.[0-9]+)?)?)[:-]((?:[0-9]+(?:\.[0-9]+)?)?)\Z")
_PARTS: Final = re.compile(r"(?:0+[0-7]{0,11}|[1-9][0-9]{0,9})(?:\.(?:0+[0-7]{0,11}|[1-9][0-9]{0,9})){0,3}\Z")
#: A mask's length, read as C's `strtol` does.
_MASK_LENGTH: Final = re.compile(r"[ \t-\r]*(?:\+|-(?=0+\Z))?([0-9]+)")
_FULL: Final = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*)){3}\Z")
_HOST: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\Z")
# Addresses to a resolver, and refused by HAProxy.
_HEXADECIMAL: Final = re.compile(r"(?:[0-9.]+|0[xX].*|(?:[0-9]+\.)+0[xX][0-9a-fA-F]*(?:\..*)?)\Z")

#: Tells whether a host name resolves to an IPv4 address.
Resolver = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class IntegerRange:
    """Bounds of an integer, both included; None where there is none."""

    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Network:
    """An address and a mask, as integers. IPv4 masks may have holes (`255.0.255.0`).

    Attributes:
        version: 4 or 6.
        address: already masked.
        mask: all ones for a single address.
    """

    version: int
    address: int
    mask: int


def integer_ranges(patterns: Sequence[str], *, dotted: bool = False) -> tuple[IntegerRange, ...]:
    """The ranges that a list of integer patterns stands for.

    An operator counts for the numbers after it, until the next one: `gt 5 lt 3` is over 5 or below 3. Ranges mean the
    same after any operator.

    Args:
        patterns: numbers, ranges (`1:10`, `:10`, `1:`) and operators.
        dotted: numbers may be `major.minor` (of SSL versions), which stand for `major * 65536 + minor`.

    Raises:
        GrammarError: with `word` set to the index of the pattern at fault; for the first, with the others in it.
    """
    ranges: list[IntegerRange] = []
    faults: list[GrammarError] = []
    operator = ""
    for index, text in enumerate(patterns):
        if text in OPERATORS:
            operator = text
            continue
        try:
            if ":" in text or "-" in text[1:] or (text[:1] == "-" and operator in _EQUAL):
                ranges.append(_range(text, index, dotted=dotted))
            else:
                ranges.append(_compared(_number(text, operator, index, dotted=dotted), operator))
        except GrammarError as error:
            faults.append(error)
    raise_first(faults)
    return tuple(ranges)


def _compared(value: int, operator: str) -> IntegerRange:
    """The range that lies so to a number."""
    if operator in ("gt", "ge"):
        low = value + (operator == "gt")
        # HAProxy writes `low:` and reads it again, where a leading `-` makes it a range with an upper bound.
        return IntegerRange(low, None) if low >= 0 else IntegerRange(None, -low)
    if operator == "lt":
        return IntegerRange(None, value - 1)
    if operator == "le":
        return IntegerRange(None, value)
    return IntegerRange(value, value)


def _range(text: str, index: int, *, dotted: bool) -> IntegerRange:
    """`low:high`, of which one may be left out."""
    match = (_DOTTED_RANGE if dotted else _RANGE).match(text)
    if text == "--":
        return IntegerRange(None, 0)
    if match is not None and len(text) > 1 and not (dotted and _too_large(text)):
        low = _value(match[1], dotted=dotted) if match[1] else None
        high = _value(match[2], dotted=dotted) if match[2].strip("-") else None
        if low is None or high is None or low <= high:
            return IntegerRange(low, high)
    raise GrammarError(f"'{text}' is not a valid {'dotted ' if dotted else ''}number range", 0, index)


def _number(text: str, operator: str, index: int, *, dotted: bool) -> int:
    """One number. After an ordering operator HAProxy stops reading at a dot."""
    ordered = operator not in _EQUAL
    match = (_DOTTED if dotted else _TO_DOT if ordered else _NUMBER).match(text)
    large = _too_large(text) if dotted and match is not None else ""
    if large and ordered:
        raise GrammarError(f"'{text}' contains too large a {large} value", 0, index)
    if match is not None and not large:
        value = _value(match[0] if dotted else match[1], dotted=dotted)
        if -(2**63) <= value < 2**63:
            return value
    if ordered:
        raise GrammarError(f"'{text}' is neither a number nor a supported operator", 0, index)
    raise GrammarError(f"'{text}' is not a {'dotted ' if dotted else ''}number", 0, index)


def _too_large(text: str) -> str:
    """Which part of a dotted number, or of one in a range, does not fit into 16 bits: major, minor or none."""
    for number in _NUMBERS.finditer(text):
        for part, name in ((number[1], "major"), (number[2], "minor")):
            if part and int(part) >> 16:
                return name
    return ""


def _value(text: str, *, dotted: bool) -> int:
    if not dotted:
        return int(text)
    major, _, minor = text.partition(".")
    return (int(major) << 16) + int(minor or "0")


def network(text: str) -> Network | None:
    """An address pattern, with or without a mask; None when it isn't one (and may be a host name).

    IPv4 may leave octets out as `inet_aton` has it: `127.1` is 127.0.0.1 and `10.12` is 10.0.0.12; what begins with a 0
    is octal: `010.0.0.1` is 8.0.0.1.
    """
    host, slash, mask = text.partition("/")
    if ":" in host:
        return _network6(host, mask if slash else None)
    address = _ipv4(host)
    if address is None:
        return None
    bits: int | None = 0xFFFFFFFF
    if slash:
        bits = _mask4(mask)
    return None if bits is None else Network(4, address & bits, bits)


def _network6(host: str, mask: str | None) -> Network | None:
    try:
        address = int(ipaddress.IPv6Address(host))
    except ValueError:
        return None
    if "%" in host:
        return None
    length = 128
    if mask is not None:
        digits = _MASK_LENGTH.fullmatch(mask)
        if digits is None or not 0 <= wrapped(digits[1]) <= 128:
            return None
        length = wrapped(digits[1])
    bits = ((1 << length) - 1) << (128 - length)
    return Network(6, address & bits, bits)


def _ipv4(text: str) -> int | None:
    """An IPv4 address of one to four parts; the last part fills what is left."""
    if _PARTS.match(text) is None:
        return None
    parts = [int(part, 8 if part[0] == "0" else 10) for part in text.split(".")]
    last = parts.pop()
    if any(part > 255 for part in parts) or last >= 1 << (8 * (4 - len(parts))):
        return None
    value = 0
    for part in parts:
        value = value << 8 | part
    return value << (8 * (4 - len(parts))) | last


def _mask4(text: str) -> int | None:
    """A mask as a length or as an address."""
    digits = _MASK_LENGTH.fullmatch(text)
    if digits is not None:
        length = wrapped(digits[1])
        return None if not 0 <= length <= 32 else (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF
    return _ipv4(text) if _FULL.match(text) is not None else None


def check(
    match: str,
    patterns: Sequence[str],
    *,
    ignore_case: bool = False,
    numeric_only: bool = False,
    dotted: bool = False,
    resolve: Resolver | None = None,
) -> None:
    """Check values against the way of matching.

    Args:
        match: the way of matching.
        patterns: the values in order.
        ignore_case: -i was given.
        numeric_only: host names are no addresses (-n).
        dotted: see `integer_ranges`.
        resolve: looks host names up; without it, what looks like one is accepted.

    Raises:
        GrammarError: with `word` set to the index of the value at fault, in HAProxy's words; for the first, with the
            others in it.
    """
    faults: list[GrammarError] = []
    if match in ("int", "len"):
        integer_ranges(patterns, dotted=dotted)
    elif match == "ip":
        for index, text in enumerate(patterns):
            if _abbreviated(text) or network(text) is None if numeric_only else not is_address(text, resolve):
                faults.append(GrammarError(f"'{text}' is not a valid IPv4 or IPv6 address", 0, index))
    elif match == "reg":
        for index, text in enumerate(patterns):
            try:
                compile_regex(text, ignore_case, captures=False)
            except GrammarError as error:
                faults.append(error.at(index))
    elif match == "bin":
        for index, text in enumerate(patterns):
            fault = hexadecimal(text)
            if fault:
                faults.append(GrammarError(fault, 0, index))
    raise_first(faults)


def is_address(text: str, resolve: Resolver | None) -> bool:
    """Whether it is an address or a network, or may be the name of a host; see `check`."""
    return network(text) is not None or _host(text, resolve)


def _abbreviated(text: str) -> bool:
    """Whether an IPv4 address is not written in full, which -n does not let pass."""
    host = text.partition("/")[0]
    return ":" not in host and _FULL.match(host) is None


def _host(text: str, resolve: Resolver | None) -> bool:
    """Whether a name could be (or is) that of a host, with a mask perhaps."""
    host, slash, mask = text.partition("/")
    if slash and _mask4(mask) is None:
        return False
    if _HOST.match(host) is None or _HEXADECIMAL.match(host):
        return False
    return True if resolve is None else resolve(host)

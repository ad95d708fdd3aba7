"""Patterns compiled: what a value is compared with, by match method (configuration manual, 7.1).

`make_matcher` answers yes or no, for ACLs; `make_lookup` gives what belongs to the matching key, for maps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from hapy.acl.networks import AddressMap
from hapy.samples import regexes
from hapy.samples.environment import CompileError
from hapy.samples.types import Value
from hapy_config.grammar.errors import GrammarError
from hapy_config.grammar.patterns import integer_ranges
from hapy_config.words import to_bytes

T = TypeVar("T")
Matcher = Callable[[Value], bool]
Lookup = Callable[[Value], "T | None"]

#: The type that a value is cast to before it is compared; None takes any.
TAKES: Final = {
    "found": "any",
    "bool": "bool",
    "int": "sint",
    "ip": "addr",
    "bin": "bin",
    "len": "str",
    "str": "str",
    "sub": "str",
    "reg": "str",
    "beg": "str",
    "end": "str",
    "dir": "str",
    "dom": "str",
}

_DELIMITERS: Final = {"dir": b"/?", "dom": b"/?.:"}


def _in_ranges(patterns: Sequence[str], *, dotted: bool = False) -> Callable[[int], bool]:
    """The test of one integer against all ranges; single numbers are looked up in a set."""
    try:
        ranges = integer_ranges(patterns, dotted=dotted)
    except GrammarError as error:
        raise CompileError(error.message) from None
    exact = frozenset(one.low for one in ranges if one.low is not None and one.low == one.high)
    rest = tuple((one.low, one.high) for one in ranges if one.low is None or one.low != one.high)
    if not rest:
        return exact.__contains__
    if len(rest) == 1 and not exact:
        low, high = rest[0]
        if high is None:
            least = low if low is not None else -(2**63)
            return lambda value: value >= least
        if low is None:
            return lambda value: value <= high
        return lambda value: low <= value <= high

    def test(value: int) -> bool:
        if value in exact:
            return True
        return any((low is None or low <= value) and (high is None or value <= high) for low, high in rest)

    return test


def _word_pattern(match: str, pattern: bytes) -> bytes:
    """The regular expression of one `dir` or `dom` pattern: whole words between delimiters."""
    delimiters = _DELIMITERS[match]
    outside = b"[^" + re.escape(delimiters) + b"]"
    word = re.escape(pattern.strip(delimiters))
    return b"(?<!" + outside + b")" + word + b"(?!" + outside + b")"


def parse_hex(pattern: str) -> bytes:
    """A `bin` pattern's bytes.

    Raises:
        CompileError: when it isn't an even number of hexadecimal digits.
    """
    try:
        return bytes.fromhex(pattern)
    except ValueError:
        raise CompileError(f"'{pattern}' is not an even number of hexadecimal digits") from None


def _text_matcher(match: str, patterns: Sequence[bytes], *, ignore_case: bool) -> Matcher:
    """The test for str, beg, end, sub, dir, dom and bin."""
    if match in _DELIMITERS:
        # A pattern of nothing but delimiters matches nothing.
        patterns = [one for one in patterns if one.strip(_DELIMITERS[match])]
        if not patterns:
            return lambda _: False
    if match in _DELIMITERS or (match == "sub" and (ignore_case or len(patterns) > 4)):
        parts = [re.escape(one) if match == "sub" else _word_pattern(match, one) for one in patterns]
        search = re.compile(b"|".join(parts), re.IGNORECASE if ignore_case else 0).search
        return lambda value: search(value) is not None  # type: ignore[arg-type]
    if ignore_case:
        exact = _text_matcher(match, [one.lower() for one in patterns], ignore_case=False)
        return lambda value: exact(value.lower())  # type: ignore[union-attr]
    if match in ("beg", "end"):
        ends = tuple(patterns) if len(patterns) > 1 else patterns[0]
        if match == "beg":
            return lambda value: value.startswith(ends)  # type: ignore[union-attr]
        return lambda value: value.endswith(ends)  # type: ignore[union-attr]
    if match == "sub":
        if len(patterns) == 1:
            single = patterns[0]
            return lambda value: single in value  # type: ignore[operator]
        return lambda value: any(one in value for one in patterns)  # type: ignore[operator]
    if len(patterns) == 1:
        only = patterns[0]
        return lambda value: value == only
    return frozenset(patterns).__contains__


def make_matcher(
    match: str, patterns: Sequence[str], *, ignore_case: bool = False, resolve: bool = True, dotted: bool = False
) -> Matcher:
    """The test of one value, already cast to `TAKES[match]`, against all patterns.

    Args:
        match: the match method.
        patterns: as written, integer operators among them.
        ignore_case: -i.
        resolve: whether a host name may stand for an address.
        dotted: integers may be written as versions of TLS are, `3.1`.

    Raises:
        CompileError: for a pattern that the method can't take.
    """
    if match == "found":
        return lambda _: True
    if match == "bool":
        return bool
    if not patterns:
        return lambda _: False
    if match == "int":
        return _in_ranges(patterns, dotted=dotted)  # type: ignore[return-value]
    if match == "len":
        test = _in_ranges(patterns)
        return lambda value: test(len(value))  # type: ignore[arg-type]
    if match == "ip":
        addresses = AddressMap([(pattern, True) for pattern in patterns], resolve=resolve)
        return lambda value: addresses.find(value) is not None  # type: ignore[arg-type]
    if match == "reg":
        return _regex_matcher(patterns, ignore_case=ignore_case)
    if match == "bin":
        return _text_matcher("str", [parse_hex(one) for one in patterns], ignore_case=ignore_case)
    return _text_matcher(match, [to_bytes(one) for one in patterns], ignore_case=ignore_case)


def _regex_matcher(patterns: Sequence[str], *, ignore_case: bool) -> Matcher:
    searches = tuple(regexes.compile_regex(one, ignore_case=ignore_case).search for one in patterns)
    if len(searches) == 1:
        search = searches[0]
        return lambda value: search(value) is not None  # type: ignore[arg-type]
    return lambda value: any(search(value) is not None for search in searches)  # type: ignore[arg-type]


#: HTTP methods that HAProxy knows by number: a pattern of these is compared exactly, any other by its text.
_METHODS: Final = frozenset(
    {b"OPTIONS", b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"TRACE", b"CONNECT"},
)


def make_method_matcher(patterns: Sequence[str], *, ignore_case: bool) -> Matcher:
    """The test of a request method: known ones exactly, others as -i says."""
    texts = [to_bytes(one) for one in patterns]
    known = frozenset(one for one in texts if one in _METHODS)
    others = frozenset((one.lower() if ignore_case else one) for one in texts if one not in _METHODS)
    if not others:
        if len(known) == 1:
            only = next(iter(known))
            return lambda value: value == only
        return known.__contains__

    def test(value: Value) -> bool:
        assert isinstance(value, bytes)
        if value in known:
            return True
        if value in _METHODS:
            return False
        return (value.lower() if ignore_case else value) in others

    return test


def make_lookup(match: str, entries: Sequence[tuple[str, T]]) -> Lookup[T]:
    """For maps: what belongs to the key that matches a value, already cast to `TAKES[match]`.

    Exact strings and networks are found directly, the finest network first and of equal keys the first; with the other
    methods the first entry in the file's order wins (the longest for `beg`).

    Raises:
        CompileError: for a key that the method can't take.
    """
    if match == "ip":
        return AddressMap(entries, resolve=False).find  # type: ignore[return-value]
    if match in ("str", "bin"):
        table: dict[bytes, T] = {}
        for key, found in entries:
            table.setdefault(parse_hex(key) if match == "bin" else to_bytes(key), found)
        return table.get  # type: ignore[return-value]
    if match == "beg":
        return _longest_prefix(entries)
    tests = tuple((make_matcher(match, (key,)), found) for key, found in entries)

    def first(value: Value) -> T | None:
        for test, found in tests:
            if test(value):
                return found
        return None

    return first


def _longest_prefix(entries: Sequence[tuple[str, T]]) -> Lookup[T]:
    table: dict[bytes, T] = {}
    for key, found in entries:
        table.setdefault(to_bytes(key), found)
    lengths = sorted({len(key) for key in table}, reverse=True)

    def longest(value: Value) -> T | None:
        assert isinstance(value, bytes)
        for length in lengths:
            if length <= len(value):
                found = table.get(value[:length])
                if found is not None:
                    return found
        return None

    return longest

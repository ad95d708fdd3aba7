"""Patterns that leave nothing for others: `/api` for `/api/v2`, 10.0.0.0/8 for 10.1.2.3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hapy_config.grammar.errors import GrammarError
from hapy_config.grammar.patterns import IntegerRange, Network, integer_ranges, network

if TYPE_CHECKING:
    from hapy_config.model.expressions import AclExpression, Call, Term

#: What is compared: fetch, arguments and converters.
Subject = tuple["Call", tuple["Call", ...]]

#: Of ranges and of texts to look for anywhere, these many are kept.
_MANY: Final = 40
_TEXTS: Final = frozenset({"str", "beg", "end", "sub", "reg"})


def subject(test: AclExpression) -> Subject:
    """What the test looks at."""
    return test.criterion.fetch, test.criterion.converters


class _Texts:
    """Texts that match, by how they are compared."""

    def __init__(self) -> None:
        self._known: dict[str, set[str]] = {}

    def add(self, match: str, texts: tuple[str, ...]) -> None:
        self._known.setdefault(match, set()).update(texts)

    def cover(self, match: str, text: str) -> bool:
        """Whether everything that matches `text` matches one of these."""
        if text in self._known.get(match, ()):
            return True
        if match == "reg":
            return False
        begins, ends = self._known.get("beg"), self._known.get("end")
        if begins and match in ("str", "beg") and any(text[:count] in begins for count in range(len(text) + 1)):
            return True
        if ends and match in ("str", "end") and any(text[count:] in ends for count in range(len(text) + 1)):
            return True
        parts = self._known.get("sub")
        return parts is not None and len(parts) <= _MANY and any(part in text for part in parts)


class Covered:
    """All that tests of one subject let through, one or another of them holding."""

    def __init__(self) -> None:
        self._anything = False
        self._exact = _Texts()
        self._lower = _Texts()
        self._ranges: dict[str, list[IntegerRange]] = {}
        self._networks: dict[tuple[int, int], set[int]] = {}

    def add(self, test: AclExpression) -> None:
        """Note a test; one with patterns in files says no more than those on its line."""
        if test.match == "found":
            self._anything = True
        elif test.match in _TEXTS:
            if test.ignore_case:
                self._lower.add(test.match, tuple(text.lower() for text in test.patterns))
            else:
                self._exact.add(test.match, test.patterns)
        elif test.match in ("int", "len"):
            ranges = self._ranges.setdefault(test.match, [])
            if len(ranges) < _MANY:
                ranges += _ranges(test)
        elif test.match == "ip":
            for found in map(network, test.patterns):
                if found is not None:
                    self._networks.setdefault((found.version, found.mask), set()).add(found.address)

    def cover(self, test: AclExpression) -> bool:
        """Whether one of these holds wherever the test does."""
        if test.files or not test.patterns:
            return False
        if self._anything:
            return True
        if test.match in _TEXTS:
            return all(self._text(test, text) for text in test.patterns)
        if test.match in ("int", "len"):
            known, ranges = self._ranges.get(test.match), _ranges(test)
            return bool(known and ranges) and all(any(_within(one, other) for other in known or ()) for one in ranges)
        if test.match == "ip" and self._networks:
            return all(found is not None and self._network(found) for found in map(network, test.patterns))
        return False

    def _text(self, test: AclExpression, text: str) -> bool:
        if not test.ignore_case and self._exact.cover(test.match, text):
            return True
        return test.match != "reg" and self._lower.cover(test.match, text.lower())

    def _network(self, wanted: Network) -> bool:
        return any(
            version == wanted.version and mask & wanted.mask == mask and wanted.address & mask in addresses
            for (version, mask), addresses in self._networks.items()
        )


def _ranges(test: AclExpression) -> tuple[IntegerRange, ...]:
    try:
        return integer_ranges(test.patterns)
    except GrammarError:  # numbers with a dot
        return ()


def _within(one: IntegerRange, other: IntegerRange) -> bool:
    low = other.low is None or (one.low is not None and one.low >= other.low)
    return low and (other.high is None or (one.high is not None and one.high <= other.high))


class Coverage:
    """What single tests have let through, by subject; those on lines in `varying` are left out."""

    def __init__(self, varying: frozenset[tuple[str, int]]) -> None:
        self._varying = varying
        self._by_subject: dict[Subject, Covered] = {}

    def add(self, term: Term) -> None:
        """Note a test that is not negated."""
        for test in term.expressions:
            if self._varies(test):
                continue
            key = subject(test)
            found = self._by_subject.get(key)
            if found is None:
                found = self._by_subject[key] = Covered()
            found.add(test)

    def cover(self, term: Term) -> bool:
        """Whether a test that is not negated holds only where one of these does."""
        for test in term.expressions:
            found = self._by_subject.get(subject(test))
            if found is None or self._varies(test) or not found.cover(test):
                return False
        return True

    def _varies(self, test: AclExpression) -> bool:
        return bool(self._varying) and (test.span.file, test.span.line) in self._varying

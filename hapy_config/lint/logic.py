"""Conditions as logic: which of them always hold, never hold, or hold only where another one does."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Final

from hapy_config.grammar.errors import GrammarError
from hapy_config.grammar.patterns import integer_ranges
from hapy_config.lint.covering import Coverage

if TYPE_CHECKING:
    from hapy_config.model.expressions import AclExpression, Condition, Term

#: One test and whether it is negated. Two tests with one key are the same.
Literal = tuple[object, bool]
#: A condition as alternatives of tests that must all hold: none is never, an empty one is always.
Alternatives = tuple[frozenset[Literal], ...]

#: Patterns beyond this many are not compared with each other.
_MANY: Final = 40
#: Fetches of which a message has one value at most.
_SINGLE: Final = frozenset(
    {"path", "method", "url", "base", "src", "dst", "dst_port", "src_port", "ssl_fc_sni", "req.ssl_sni", "req.ver"}
)
#: Asked twice these may say different things.
_RESTLESS: Final = ("rand", "sc_inc", "sc_clr", "src_inc", "src_clr", "uuid")


def literal(term: Term) -> Literal:
    """What tells a test from another one."""
    key: object = (term.name, term.expressions[0].span) if term.name else term.expressions
    return key, term.negated


def constant(term: Term) -> bool | None:
    """The value of TRUE and FALSE, None for what depends on anything."""
    fetch = term.expressions[0].criterion.fetch.name
    if fetch not in ("always_true", "always_false") or term.expressions[0].match != "bool":
        return None
    return (fetch == "always_true") != term.negated


def alternatives(condition: Condition | None) -> Alternatives | None:
    """A condition's alternatives; None where `unless` makes them too many to write down."""
    if condition is None:
        return (frozenset(),)
    found: list[frozenset[Literal]] = []
    for terms in condition.alternatives:
        values = [constant(term) for term in terms]
        if False not in values:
            found.append(frozenset(literal(term) for term, value in zip(terms, values, strict=True) if value is None))
    if not condition.unless:
        return tuple(found)
    if frozenset() in found:
        return ()
    if all(len(one) == 1 for one in found):
        return (frozenset((key, not negated) for one in found for key, negated in one),)
    if len(found) == 1:
        return tuple(frozenset({(key, not negated)}) for key, negated in found[0])
    return None


def always(condition: Condition | None) -> bool:
    """Whether a condition holds whatever comes."""
    if condition is None:
        return True
    if not condition.unless and not any(constant(term) for terms in condition.alternatives for term in terms):
        return False
    return frozenset() in (alternatives(condition) or ())


def is_restless(condition: Condition | None) -> bool:
    """Whether the condition may change between two looks at it."""
    return condition is not None and any(
        test.criterion.fetch.name.startswith(_RESTLESS) or "_inc_" in test.criterion.fetch.name
        for terms in condition.alternatives
        for term in terms
        for test in term.expressions
    )


class Taken:
    """What earlier rules have taken for good; linear in the number of rules.

    Args:
        varying: the lines with variables, whose patterns are other ones elsewhere.
    """

    def __init__(self, varying: frozenset[tuple[str, int]] = frozenset()) -> None:
        self._varying = varying
        #: Whether no rule has taken anything yet.
        self.is_empty = True
        self._single: set[Literal] = set()
        self._several: set[frozenset[Literal]] = set()
        self._patterns = Coverage(varying)

    def add(self, condition: Condition | None, taken: Alternatives) -> None:
        """Note what a rule takes: its condition, and the same as alternatives."""
        if self._varies(condition):
            return
        self.is_empty = False
        for one in taken:
            if len(one) == 1:
                self._single |= one
            elif one:
                self._several.add(one)
        if condition is not None and not condition.unless:
            for terms in condition.alternatives:
                if len(terms) == 1 and not terms[0].negated:
                    self._patterns.add(terms[0])

    def has(self, condition: Condition | None, wanted: Alternatives) -> bool:
        """Whether nothing is left for a rule."""
        if not wanted or self._varies(condition):
            return False
        if all(not self._single.isdisjoint(one) or one in self._several for one in wanted):
            return True
        if condition is None or condition.unless:
            return False
        return all(
            any(literal(term) in self._single or (not term.negated and self._patterns.cover(term)) for term in terms)
            or frozenset(literal(term) for term in terms) in self._several
            for terms in condition.alternatives
        )

    def _varies(self, condition: Condition | None) -> bool:
        """Whether it has tests without a name on a line with variables; those with one are told apart by it."""
        return (
            bool(self._varying)
            and condition is not None
            and any(
                not term.name and any((test.span.file, test.span.line) in self._varying for test in term.expressions)
                for terms in condition.alternatives
                for term in terms
            )
        )


def exclusive(terms: Iterable[Term]) -> Iterator[tuple[Term, Term]]:
    """Pairs of tests, neither negated, that can't both hold."""
    plain = [term for term in terms if _is_simple(term)]
    for one, other in combinations(plain[:_MANY], 2):
        if all(_differ(left, right) for left in one.expressions for right in other.expressions):
            yield one, other


def _is_simple(term: Term) -> bool:
    if len(term.expressions) > _MANY:
        return False
    for test in term.expressions:
        call = test.criterion.fetch
        single = call.name in _SINGLE or (call.name == "req.hdr" and [arg.lower() for arg in call.args] == ["host"])
        if not single or test.files or not test.patterns or len(test.patterns) > _MANY:
            return False
    return True


def _differ(one: AclExpression, other: AclExpression) -> bool:
    """Whether no value can match both."""
    if _subject(one) != _subject(other):
        return False
    if {one.match, other.match} <= {"str", "beg", "end"}:
        return all(
            _texts_differ(one.match, left.lower(), other.match, right.lower())
            for left in one.patterns
            for right in other.patterns
        )
    if one.match == other.match == "ip":
        return _networks_differ(one.patterns, other.patterns)
    if one.match == other.match and one.match in ("int", "len"):
        return _ranges_differ(one.patterns, other.patterns)
    return False


def _ranges_differ(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    try:
        left, right = integer_ranges(one), integer_ranges(other)
    except GrammarError:  # numbers with a dot
        return False
    return not any(
        (first.low is None or second.high is None or first.low <= second.high)
        and (first.high is None or second.low is None or second.low <= first.high)
        for first in left
        for second in right
    )


def _subject(test: AclExpression) -> tuple[object, ...]:
    call = test.criterion.fetch
    return call.name, tuple(arg.lower() for arg in call.args), test.criterion.converters


def _texts_differ(match: str, text: str, other_match: str, other: str) -> bool:
    if match == "str" and other_match == "str":
        return text != other
    if match == "str":
        return not (text.startswith(other) if other_match == "beg" else text.endswith(other))
    if other_match == "str":
        return _texts_differ(other_match, other, match, text)
    if match != other_match:
        return False
    if match == "beg":
        return not text.startswith(other) and not other.startswith(text)
    return not text.endswith(other) and not other.endswith(text)


def _networks_differ(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    try:
        left = [ipaddress.ip_network(text, strict=False) for text in one]
        right = [ipaddress.ip_network(text, strict=False) for text in other]
    except ValueError:
        return False
    return not any(first.version == second.version and first.overlaps(second) for first in left for second in right)

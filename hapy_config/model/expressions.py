"""The languages inside arguments, parsed: sample expressions, log formats, ACLs and conditions.

All are frozen and hashable, so that what is compiled from them can be cached by value.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hapy_config.source import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Call:
    """A sample fetch or a converter with its arguments: `req.hdr(host,1)`.

    Attributes:
        name: as written.
        args: the raw arguments, quotes and escapes resolved; empty when there were no parentheses.
    """

    name: str
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SampleExpression:
    """A fetch followed by converters (configuration manual, section 7).

    Attributes:
        text: as written.
        fetch: where the value comes from.
        converters: what it goes through, in order.
        type: the output type by the tables: bool, sint, str, bin, ipv4, ipv6, addr, meth or any.
    """

    text: str
    fetch: Call
    converters: tuple[Call, ...] = ()
    type: str = "any"


@dataclass(frozen=True, slots=True)
class FormatText:
    """Literal text in a log format."""

    text: str


@dataclass(frozen=True, slots=True)
class FormatAlias:
    """`%ci`, `%{+Q}r`, `%[…]` without brackets: one of HAProxy's log variables.

    Attributes:
        name: without the percent sign.
        flags: the letters switched on for it: Q (quote), X (hexadecimal), E (escape) …
    """

    name: str
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FormatExpression:
    """`%[expr]` in a log format."""

    expression: SampleExpression
    flags: frozenset[str] = frozenset()


FormatItem = FormatText | FormatAlias | FormatExpression


@dataclass(frozen=True, slots=True)
class LogFormat:
    """A log format string (section 8.2.6 of the 3.4 manual, 8.2.4 of 2.6's).

    Attributes:
        text: as written.
        items: its parts in order.
    """

    text: str
    items: tuple[FormatItem, ...]

    @property
    def constant(self) -> str | None:
        """The string itself where it holds no variable, else None."""
        if all(isinstance(item, FormatText) for item in self.items):
            return "".join(item.text for item in self.items if isinstance(item, FormatText))
        return None


@dataclass(frozen=True, slots=True)
class AclExpression:
    """One `acl` line, or one anonymous `{ … }` (section 7.1).

    Attributes:
        criterion: the sample; `path_beg` has become `path` with `match` beg.
        match: found, bool, int, ip, bin, len, str, sub, reg, beg, end, dir or dom.
        patterns: the values given on the line, flags taken off.
        files: pattern files given by -f, in order.
        ignore_case: -i.
        numeric_only: -n (no DNS).
        as_map: -M.
        unique_id: -u, or None.
        span: the place.
    """

    criterion: SampleExpression
    match: str
    patterns: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    ignore_case: bool = False
    numeric_only: bool = False
    as_map: bool = False
    unique_id: int | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Term:
    """One test in a condition: a named ACL (all the lines of that name, any of which may match) or an anonymous one.

    Attributes:
        name: the ACL's name, or empty for an anonymous one.
        expressions: at least one; the term is true when any is.
        negated: preceded by `!`.
    """

    name: str
    expressions: tuple[AclExpression, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """What follows `if` or `unless`: alternatives joined by `or`, each a conjunction of terms (section 7.2)."""

    alternatives: tuple[tuple[Term, ...], ...]
    unless: bool = False

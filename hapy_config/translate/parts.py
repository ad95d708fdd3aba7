"""Tests of one value among several as tests of the text that they all stand in.

HAProxy looks at each value of a header that is a list, at each cookie and at each parameter of a name; other proxies
look at the first, or at all as one text. So such a test becomes a regular expression for that text: a header with its
commas, `Cookie`, or the query. The expressions use what PCRE and RE2 share.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_FLAGS: Final = re.compile(r"\(\?([ims]+)\)")
#: Escapes that stand for all but some characters.
_ALL_BUT: Final = {"S": r"\s", "W": r"\w", "D": r"\d"}
_LITERAL: Final = re.compile(r"([\\.^$*+?{}\[\]|()])")


@dataclass(frozen=True, slots=True)
class Frame:
    """How values stand in their text.

    Attributes:
        before: what comes before a value, from the beginning of the text.
        after: what comes behind one that ends, to the end of the text.
        stops: characters that no value holds.
        rest: what comes behind a part of one that does not end.
    """

    before: str
    after: str
    stops: str
    rest: str = ""


#: A header that is a list.
LIST: Final = Frame("^(.*,)? *", "( *,.*)?$", ",")


@dataclass(frozen=True, slots=True)
class Place:
    """Which value of a list is taken: how it stands there for tests, and the pattern whose group it is."""

    frame: Frame
    text: str


#: A value with commas in quotes or none.
_VALUE: Final = r'((?:[^",]|"[^"]*")*?)'
FIRST: Final = Place(Frame("^ *", "( *,.*)?$", ","), rf"^\s*{_VALUE}\s*(?:,.*)?$")
LAST: Final = Place(Frame("^(.*,)? *", " *$", ",", "[^,]*$"), rf"^(?:.*,)?\s*{_VALUE}\s*$")


def cookies(name: str) -> Frame:
    """Cookies of a name in the header `Cookie`; the case of the name counts."""
    return Frame(f"^(.*[;,])? *(?-i:{literal(name)}) *= *", "( *[;,].*)?$", ";,")


def parameters(name: str) -> Frame:
    """Parameters of a name in a query."""
    return Frame(f"^(.*[&;])?(?-i:{literal(name)})=", "([&;].*)?$", "&;")


def literal(text: str) -> str:
    """A regular expression that is equal to a text."""
    return _LITERAL.sub(r"\\\1", text)


def framed(frame: Frame, how: str, values: tuple[str, ...]) -> tuple[str, ...] | None:
    """Patterns of the whole text for a test of each value in it.

    Args:
        frame: how the values stand there.
        how: the test, as of `flow.Test`: exact, prefix, suffix, contains, regex or present.
        values: of the test.

    Returns:
        The patterns; None where an expression can't be taken apart.
    """
    inside = f"[^{frame.stops}]*"
    if how == "present":
        return (frame.before,)
    if how != "regex":
        bound = how in ("exact", "prefix")
        begin = frame.before if bound else "" if frame is LIST else f"{frame.before}{inside}"
        end = frame.after if how in ("exact", "suffix") else frame.rest
        return tuple(f"{begin}{literal(one)}{end}" for one in values)
    found: list[str] = []
    for value in values:
        flags = _FLAGS.match(value)
        prefix = flags[0] if flags else ""
        try:
            for begins, text, ends in _alternatives(value[len(prefix) :], frame.stops):
                head = frame.before if begins else f"{frame.before}{inside}" if frame is not LIST else ""
                found.append(f"{prefix}{head}{text}{frame.after if ends else frame.rest}")
        except ValueError:
            return None
    return tuple(found)


def _alternatives(pattern: str, stops: str) -> Iterator[tuple[bool, str, bool]]:
    """The alternatives of an expression, that match no character of `stops` by chance.

    Yields:
        Whether it is bound to the beginning, its text without that, and whether it is bound to the end.

    Raises:
        ValueError: a bound stands where it can't be taken off.
    """
    begins = ends = False
    text, depth, at = "", 0, 0
    while at < len(pattern):
        one = pattern[at]
        at += 1
        if one == "\\":
            following = pattern[at : at + 1]
            if not following or following in "AzZGQ":
                raise ValueError(pattern)
            at += 1
            text += f"[^{_ALL_BUT[following]}{stops}]" if following in _ALL_BUT else one + following
        elif one == "[":
            end = _class_end(pattern, at)
            inner = pattern[at:end]
            if re.search(r"\\[SWD]", inner):
                raise ValueError(pattern)
            text += f"[{inner}{stops if inner.startswith('^') else ''}]"
            at = end + 1
        elif one == "|" and not depth:
            yield begins, text, ends
            begins, ends, text = False, False, ""
        elif one == "^" and not depth and not text:
            begins = True
        elif one == "$" and not depth and pattern[at : at + 1] in ("", "|"):
            ends = True
        elif one in "^$":
            raise ValueError(pattern)
        elif one == ".":
            text += f"[^{stops}]"
        else:
            if one == "(" and pattern.startswith(("?=", "?!", "?<", "?>", "?|", "?R"), at):
                raise ValueError(pattern)
            depth += (one == "(") - (one == ")")
            text += one
    yield begins, text, ends


def _class_end(pattern: str, at: int) -> int:
    """Where a class of characters ends that begins before `at`.

    Raises:
        ValueError: it doesn't.
    """
    end = at + pattern.startswith("^", at)
    end += pattern.startswith("]", end)
    while end < len(pattern) and pattern[end] != "]":
        if pattern.startswith("[:", end):
            end = pattern.index(":]", end) + 2
        else:
            end += 2 if pattern[end] == "\\" else 1
    if end >= len(pattern):
        raise ValueError(pattern)
    return end


def number(least: int) -> str:
    """A regular expression for decimal numbers from `least` on, zeros in front or not, and what follows one."""
    return f"0*({_from(least)})(|[^0-9].*)"


def lower_number(most: int) -> str:
    """A regular expression for decimal numbers below `most`, and what follows one; what is no number counts as 0."""
    digits = str(most)
    cases = [f"[0-9]{{1,{len(digits) - 1}}}"] if len(digits) > 1 else []
    for place, digit in enumerate(digits):
        if digit != "0" and (place or len(digits) == 1 or digit != "1"):
            low = "0" if place or len(digits) == 1 else "1"
            cases.append(f"{digits[:place]}[{low}-{int(digit) - 1}][0-9]{{{len(digits) - place - 1}}}")
    return f"(0*({'|'.join(cases)})(|[^0-9].*)|[^0-9+].*)"


def _from(least: int) -> str:
    """Decimal numbers from `least` on, without zeros in front."""
    digits = str(least)
    cases = [rf"[1-9][0-9]{{{len(digits)},}}", digits]
    for place, digit in enumerate(digits):
        if digit != "9":
            cases.append(f"{digits[:place]}[{int(digit) + 1}-9][0-9]{{{len(digits) - place - 1}}}")
    return "|".join(cases)

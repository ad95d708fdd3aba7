r"""Regular expressions as patterns of Lua, which know no alternatives and repeat single characters only.

An expression becomes several patterns, one for each way through its alternatives, in the order in which they would be
tried: `^/(img|css)/.*\.gz$` is `^/img/.*%.gz$` and `^/css/.*%.gz$`. Each pattern tells which groups its captures are.
Where a group's text depends on which way is tried at which place, there is no telling: such are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hapy_config.translate.flow import Untranslatable

#: Ways through one expression.
_MOST: Final = 256
_MAGIC: Final = frozenset("^$()%.[]*+-?")
_CLASSES: Final = {"d": "%d", "D": "%D", "w": "%w_", "s": "%s", "S": "%S"}
_CONTROLS: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}
_POSIX: Final = {
    "alpha": "%a", "digit": "%d", "alnum": "%w", "upper": "%u", "lower": "%l", "space": "%s", "punct": "%p",
    "xdigit": "%x",
}  # fmt: skip
#: They stand for `^` and `$` until a whole way is known.
_BEGIN: Final = "\x02"
_END: Final = "\x03"
_REASON: Final = "its regular expression has no counterpart among Lua's patterns"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way through an expression: the pattern, and the numbers of the groups that its captures are."""

    text: str
    groups: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Way:
    """A way through a part: its text, its groups, and whether a repetition stands in it."""

    text: str = ""
    groups: tuple[int, ...] = ()
    repeats: bool = False

    def __add__(self, other: _Way) -> _Way:
        return _Way(self.text + other.text, self.groups + other.groups, self.repeats or other.repeats)


def patterns(regex: str, *, ignore_case: bool = False, captures: bool = False) -> tuple[Pattern, ...]:
    """The patterns that together match what an expression does.

    Args:
        regex: in the words of PCRE.
        ignore_case: letters fit in either case.
        captures: what groups hold counts, too.

    Raises:
        Untranslatable: there are none.
    """
    if regex.startswith("(?i)"):
        regex, ignore_case = regex[4:], True
    return _Reader(regex, ignore_case=ignore_case, captures=captures).read()


class _Reader:
    def __init__(self, regex: str, *, ignore_case: bool, captures: bool) -> None:
        self._regex = regex
        self._place = 0
        self._ignore_case = ignore_case
        self._captures = captures
        self._groups = 0

    def read(self) -> tuple[Pattern, ...]:
        ways = self._alternatives()
        if self._place < len(self._regex):
            raise Untranslatable(_REASON)
        return tuple(Pattern(text, way.groups) for way in ways if (text := _anchored(way)) is not None)

    def _next(self) -> str:
        """The character at hand, empty at the end."""
        return self._regex[self._place : self._place + 1]

    def _take(self) -> str:
        found = self._next()
        self._place += 1
        if not found:
            raise Untranslatable(_REASON)
        return found

    def _alternatives(self) -> list[_Way]:
        found = self._sequence()
        while self._next() == "|":
            self._place += 1
            found = found + self._sequence()
        if len(found) > _MOST:
            raise Untranslatable(_REASON)
        return found

    def _sequence(self) -> list[_Way]:
        ways = [_Way()]
        while self._next() and self._next() not in "|)":
            more = self._piece()
            if self._captures and len(more) > 1 and any(way.repeats for way in ways):
                raise Untranslatable(_REASON)  # the repetition, not the alternative, would be tried again first
            ways = [way + one for way in ways for one in more]
            if len(ways) > _MOST:
                raise Untranslatable(_REASON)
        return ways

    def _piece(self) -> list[_Way]:
        """One character, class or group with what repeats it."""
        sign = self._take()
        if sign == "(":
            return self._group()
        if sign in "^$":
            return [_Way(_BEGIN if sign == "^" else _END)]
        if sign == "\\" and self._next() in ("b", "B"):
            if self._take() == "B":
                raise Untranslatable(_REASON)
            return [_Way("%f[%w_]"), _Way("%f[^%w_]")]
        if sign in "*+?{" and not (sign == "{" and not self._next().isdecimal()):
            raise Untranslatable(_REASON)
        return self._repeated(self._single(sign))

    def _single(self, sign: str) -> str:
        """What fits one character."""
        if sign == ".":
            return "."
        if sign == "[":
            return self._set()
        if sign == "\\":
            kind = self._take()
            if kind in "dDsS":
                return _CLASSES[kind]
            if kind in "wW":
                return "[%w_]" if kind == "w" else "[^%w_]"
            sign = self._escaped(kind)
        return self._literal(sign)

    def _escaped(self, kind: str) -> str:
        """The character that stands behind a backslash."""
        if kind in _CONTROLS:
            return _CONTROLS[kind]
        if kind == "x":
            digits = self._regex[self._place : self._place + 2]
            self._place += 2
            try:
                return _plain(int(digits, 16))
            except ValueError:
                raise Untranslatable(_REASON) from None
        if kind.isalnum():
            raise Untranslatable(_REASON)
        return kind

    def _literal(self, sign: str) -> str:
        if not sign.isascii():
            raise Untranslatable(_REASON)
        if self._ignore_case and sign.isalpha():
            return f"[{sign.lower()}{sign.upper()}]"
        return f"%{sign}" if sign in _MAGIC else sign

    def _set(self) -> str:
        parts: list[str] = []
        negated = self._next() == "^"
        self._place += negated
        first = True
        while first or self._next() != "]":
            first = False
            sign = self._take()
            if sign == "[" and self._next() == ":":
                end = self._regex.find(":]", self._place)
                name = self._regex[self._place + 1 : end]
                if end < 0 or name not in _POSIX:
                    raise Untranslatable(_REASON)
                parts.append(_POSIX[name])
                self._place = end + 2
                continue
            if sign == "\\":
                kind = self._take()
                if kind in _CLASSES:
                    parts.append(_CLASSES[kind])
                    continue
                sign = self._escaped(kind)
            parts.append(self._range(sign))
        self._take()
        return f"[{'^' if negated else ''}{''.join(parts)}]"

    def _range(self, low: str) -> str:
        """A character of a set, or those from it to another one."""
        if self._next() != "-" or self._regex[self._place + 1 : self._place + 2] in ("]", ""):
            return self._of_set(low)
        self._place += 1
        high = self._take()
        if high == "\\":
            high = self._escaped(self._take())
        if not (low.isalnum() and high.isalnum() and low.isascii() and high.isascii() and low <= high):
            raise Untranslatable(_REASON)
        if not self._ignore_case or not (low + high).isalpha() or low.islower() != high.islower():
            if self._ignore_case and not (low + high).isdecimal():
                raise Untranslatable(_REASON)
            return f"{low}-{high}"
        return f"{low.lower()}-{high.lower()}{low.upper()}-{high.upper()}"

    def _of_set(self, sign: str) -> str:
        if not sign.isascii():
            raise Untranslatable(_REASON)
        if self._ignore_case and sign.isalpha():
            return sign.lower() + sign.upper()
        return sign if sign.isalnum() else f"%{sign}"

    def _repeated(self, single: str) -> list[_Way]:
        sign = self._next()
        if sign == "{" and self._regex[self._place + 1 : self._place + 2].isdecimal():
            return self._counted(single)
        if sign not in ("*", "+", "?"):
            return [_Way(single)]
        self._place += 1
        lazy = self._lazy()
        if sign == "?":
            return [_Way(), _Way(single)] if lazy else [_Way(f"{single}?", repeats=True)]
        if lazy:
            return [_Way(("" if sign == "*" else single) + f"{single}-", repeats=True)]
        return [_Way(single + sign, repeats=True)]

    def _lazy(self) -> bool:
        sign = self._next()
        if sign == "+":
            raise Untranslatable(_REASON)
        self._place += sign == "?"
        return sign == "?"

    def _counts(self) -> tuple[int, int | None]:
        """The least and the most of `{…}`."""
        end = self._regex.find("}", self._place)
        least, comma, most = self._regex[self._place + 1 : end].partition(",")
        if end < 0 or not least.isdecimal() or (most and not most.isdecimal()):
            raise Untranslatable(_REASON)
        self._place = end + 1
        return int(least), (int(most) if most else None) if comma else int(least)

    def _counted(self, single: str) -> list[_Way]:
        least, most = self._counts()
        if self._lazy() or least > 64 or (most or 0) > 64:
            raise Untranslatable(_REASON)
        fixed = single * least
        if most is None:
            return [_Way(f"{fixed}{single}*", repeats=True)]
        return [_Way(fixed + f"{single}?" * (most - least), repeats=most > least)]

    def _group(self) -> list[_Way]:
        number = 0
        if self._next() == "?":
            if self._regex[self._place : self._place + 2] != "?:":
                raise Untranslatable(_REASON)
            self._place += 2
        else:
            self._groups += 1
            number = self._groups
        inner = self._alternatives()
        if self._take() != ")":
            raise Untranslatable(_REASON)
        if number and self._captures:
            inner = [self._captured(way, number) for way in inner]
        return self._repeated_group(inner)

    @staticmethod
    def _captured(way: _Way, number: int) -> _Way:
        """A way as what a group holds; of nothing it takes no capture, which in Lua would be a place."""
        if not way.text.strip(_BEGIN + _END):
            return way
        return _Way(f"({way.text})", (number, *way.groups), way.repeats)

    def _repeated_group(self, inner: list[_Way]) -> list[_Way]:
        sign = self._next()
        if sign == "?":
            self._place += 1
            return [_Way(), *inner] if self._lazy() else [*inner, _Way()]
        if sign == "{" and self._regex[self._place + 1 : self._place + 2].isdecimal():
            least, most = self._counts()
            if self._lazy() or most is None or most > 4 or self._captures:
                raise Untranslatable(_REASON)
            return list(_times(inner, least, most))
        if sign not in ("*", "+"):
            return inner
        if self._captures or len(inner) > 1 or not _one_character(inner[0].text):
            raise Untranslatable(_REASON)
        self._place += 1
        self._lazy()
        return [_Way(inner[0].text + sign, repeats=True)]


def _anchored(way: _Way) -> str | None:
    """The text of a whole way with its anchors where Lua has them; None where it can't fit anything."""
    text = way.text
    begins = _BEGIN in text
    head, _, rest = text.rpartition(_BEGIN)
    opened = head.replace(_BEGIN, "")
    body, _, tail = rest.partition(_END)
    closed = tail.replace(_END, "")
    ends = _END in rest
    if _END in head or opened.strip("(") or closed.strip(")"):
        if way.repeats:  # what stands there may be nothing
            raise Untranslatable(_REASON)
        return None
    return f"{'^' if begins else ''}{opened}{body}{closed}{'$' if ends else ''}"


def _times(inner: list[_Way], least: int, most: int) -> Iterator[_Way]:
    """The ways through several of the same, the longest first."""
    for count in range(most, least - 1, -1):
        ways = [_Way()]
        for _ in range(count):
            ways = [way + one for way in ways for one in inner]
            if len(ways) > _MOST:
                raise Untranslatable(_REASON)
        yield from ways


def _one_character(text: str) -> bool:
    """Whether a pattern fits one character, so that it may be repeated."""
    if len(text) <= 2:
        return len(text) == 1 or text[:1] == "%"
    return text[0] == "[" and text.find("]", 2) == len(text) - 1


def _plain(code: int) -> str:
    if not 0 < code < 128:
        raise ValueError(code)
    return chr(code)

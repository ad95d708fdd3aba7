"""What is decided while reading: `.if` blocks, their conditions and `.notice` and its kin (manual, section 2.4).

Conditions are small, so a hand-written reader keeps `pyparsing` out of the start. A condition is read whole before it
is evaluated: a fault after `||` is found even where the first half decides.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from hapy_config.keywords.spec import Version
from hapy_config.words import WordError, split

#: The HAProxy version that conditions see.
VERSION: Final = "2.6.12"

MAX_NESTED_BLOCKS: Final = 100
_MAX_NESTED_PARENTHESES: Final = 200

_BLANK: Final = " \t"
_INTEGER: Final = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
#: What a backslash may stand before in an argument; before anything else it is itself.
_ESCAPED: Final = {"\\": "\\", " ": " ", '"': '"', "'": "'", "n": "\n", "r": "\r", "t": "\t"}
_WORD: Final = re.compile(r"[A-Za-z0-9_]*")


class ConditionError(ValueError):
    """A condition that can't be read; the message is in HAProxy's words.

    Attributes:
        others: what else is wrong with it.
    """

    others: tuple[ConditionError, ...] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What predicates ask about.

    Attributes:
        env: environment variables.
        features: the names listed after a `+` by `-vv`.
        version: the HAProxy version to compare with.
        ssl_library: name and version as OpenSSL tells them (`OpenSSL 3.0.17 …`), or empty without TLS.
        peer_given: whether `-L` names this process among peers, which `localpeer` does not change.
        enabled: run-time options that are on (`EPOLL`, `SPLICE`, …), for `enabled()` of HAProxy 3.x.
        target: the version whose verdict is asked for: predicates that came after it are unknown. None knows all.
    """

    env: Mapping[str, str]
    features: frozenset[str] = frozenset()
    version: str = VERSION
    ssl_library: str = ""
    enabled: frozenset[str] = frozenset()
    peer_given: bool = False
    target: Version | None = None


def evaluate_condition(text: str, surroundings: Surroundings) -> bool:
    """Evaluate a condition of `.if`, `.elif` or `-cc`.

    Args:
        text: the words after the directive, joined by single spaces.
        surroundings: what predicates ask about.

    Raises:
        ConditionError: for a condition that can't be read.
    """
    if not text:
        return False
    return _Reader(text, surroundings).whole()()


def evaluate_argument(text: str, surroundings: Surroundings) -> bool:
    """Evaluate the argument of `-cc`, in which quotes and `"$VARIABLES"` work as in a file and `#` is no comment.

    Raises:
        ConditionError: for a condition that can't be read.
    """
    try:
        words, _ = split(text, surroundings.env.get, comments=False)
    except WordError as error:
        raise ConditionError(error.message) from None
    return evaluate_condition(" ".join(words), surroundings)


_Thunk = Callable[[], bool]


class _Reader:
    """A recursive-descent reader; every rule gives a thunk, so that nothing is evaluated before all is read.

    `mark` is where the innermost construct began: what a message shows when the text ends too early.
    """

    def __init__(self, text: str, surroundings: Surroundings) -> None:
        self.text = text
        self.around = surroundings
        self.at = 0
        self.mark = 0
        self.depth = 0
        self.faults: list[ConditionError] = []

    def whole(self) -> _Thunk:
        if not self.text.strip(_BLANK):
            raise ConditionError("unparsable conditional sub-expression ' '")
        try:
            thunk = self._either()
            self._skip()
            if self.at < len(self.text):
                raise ConditionError(
                    f"unexpected character '{self.text[self.at]}' at the end of conditional expression '{self.text}'"
                )
        except ConditionError as error:
            self.faults.append(error)
        if self.faults:
            first = self.faults[0]
            first.others = tuple(self.faults[1:])
            raise first
        return thunk

    def _skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in _BLANK:
            self.at += 1

    def _operator(self, operator: str) -> bool:
        self._skip()
        if not self.text.startswith(operator, self.at):
            return False
        self.at += 2
        return True

    def _either(self) -> _Thunk:
        """`a || b || …`."""
        terms = [self._all()]
        while self._operator("||"):
            terms.append(self._all())
        return terms[0] if len(terms) == 1 else lambda: any(term() for term in terms)

    def _all(self) -> _Thunk:
        """`a && b && …`."""
        terms = [self._term()]
        while self._operator("&&"):
            self.mark = self.at - 2
            terms.append(self._term())
        return terms[0] if len(terms) == 1 else lambda: all(term() for term in terms)

    def _term(self) -> _Thunk:
        negate = False
        self._skip()
        start = self.at
        if self.text.startswith(("!", "("), self.at):
            self.mark = self.at
        while self.text.startswith("!", self.at):
            negate = not negate
            self.at += 1
            self._skip()
        thunk = self._parenthesis(start) if self.text.startswith("(", self.at) else self._atom(start)
        return (lambda: not thunk()) if negate else thunk

    def _parenthesis(self, start: int) -> _Thunk:
        """`(…)`; `start` is where the `!` before it begin."""
        self.depth += 1
        if self.depth > _MAX_NESTED_PARENTHESES:
            raise ConditionError(f"unparsable conditional sub-expression '{self.text[start:]}'")
        self.at += 1
        thunk = self._either()
        self._skip()
        if not self.text.startswith(")", self.at):
            raise ConditionError(f"expected ')' after conditional expression '{self.text[start:]}'")
        self.at += 1
        self.depth -= 1
        return thunk

    def _atom(self, start: int) -> _Thunk:
        """An integer or a predicate; `start` is where the `!` before it begin."""
        number = _INTEGER.match(self.text, self.at)
        if number is not None:
            self.at = number.end()
            true = number[0].lstrip("+-").lower().lstrip("0x") != ""
            return lambda: true
        name = _WORD.match(self.text, self.at)
        assert name is not None
        predicate = _PREDICATES.get(name[0])
        after = self.text[name.end() : name.end() + 1]
        target = self.around.target
        if predicate is not None and target is not None and target < predicate.since:
            predicate = None
        if predicate is None or (after and after not in "( \t"):
            rest = self.text[start:] or self.text[self.mark :]
            fault = ConditionError(f"unparsable conditional expression '{rest}'")
            if not name[0] or after != "(":
                raise fault
            self.at = name.end()
            try:
                self._arguments(name[0], 0)
            except ConditionError:
                raise fault from None
            self.faults.append(fault)
            return lambda: False
        self.at = name.end()
        arguments = self._arguments(name[0], predicate.arguments)
        around = self.around
        test = predicate.test
        return lambda: test(around, *arguments)

    def _arguments(self, name: str, wanted: int) -> list[str]:
        """`(a,b)`; blanks are part of the values, quotes and escapes are not. `wanted` is 0 for any number."""
        found = [""]
        closed = True
        where = f"in argument 1 of predicate '{name}' used in conditional expression"
        if self.text.startswith("(", self.at):
            closed = False
            self.at += 1
            parts: list[str] = []
            while self.at < len(self.text):
                character = self.text[self.at]
                if character == ")" or (character == "," and len(found) == wanted):
                    closed = character == ")"
                    break
                if character == ",":
                    found[-1] = "".join(parts)
                    found.append("")
                    parts = []
                    self.at += 1
                else:
                    parts.append(self._piece())
            found[-1] = "".join(parts)
        if len(found) < wanted:
            message = f"missing arguments (got {len(found)}/{wanted}), type 'string' expected {where}"
            self.faults.append(ConditionError(message))
        if self.text.startswith("(", self.at) or not closed:
            rest = self.text[self.at :]
            raise ConditionError(f"expected ')' before '{rest}' {where}" if rest else f"expected ')' {where}")
        if self.text.startswith(")", self.at):
            self.at += 1
        return found

    def _piece(self) -> str:
        """One character, or what stands between a pair of quotes."""
        character = self.text[self.at]
        if character == "\\" and self.text[self.at + 1 : self.at + 2] in _ESCAPED:
            self.at += 2
            return _ESCAPED[self.text[self.at - 1]]
        if character not in "\"'":
            self.at += 1
            return character
        end = self.at + 1
        parts: list[str] = []
        while end < len(self.text) and self.text[end] != character:
            if character == '"' and self.text[end] == "\\" and end + 1 < len(self.text):
                end += 1
                if self.text[end] not in '\\"$':
                    parts.append("\\")
            parts.append(self.text[end])
            end += 1
        self.at = end + 1
        return "".join(parts)


def _unsigned(text: str) -> tuple[int, str]:
    """C's `strtoul`: the number at the start and the rest; a negative number wraps to a huge one."""
    match = re.match(r"[ \t]*([+-]?)([0-9]+)", text)
    if match is None:
        return 0, text
    value = int(match[2])
    return ((2**64 - value) if match[1] == "-" and value else value), text[match.end() :]


_RELEASE: Final = 2**32  # ranks above every -dev, -pre and -rc


def split_version(text: str) -> tuple[int, int, int, int, int]:
    """A version as shown by `haproxy -v` to numbers that compare: major, minor, patch, pre-release, commits."""
    numbers = [0, 0, 0]
    numbers[0], rest = _unsigned(text)
    for index in (1, 2):
        if not rest.startswith("."):
            break
        numbers[index], rest = _unsigned(rest[1:])
    early = _RELEASE
    match = re.match(r"-(?:dev|pre|rc)([0-9]*)", rest)
    if match is not None:
        early = int(match[1] or 0)
        rest = rest[match.end() :]
    commits = 0
    match = re.fullmatch(r"[-.]([0-9]+)", rest)
    if match is not None:
        commits = int(match[1])
    return numbers[0], numbers[1], numbers[2], early, commits


def _version_atleast(around: Surroundings, wanted: str) -> bool:
    return split_version(around.version) >= split_version(wanted)


_SSL_VERSION: Final = re.compile(r"([0-9]+)\.([0-9]+)\.([0-9]+)([a-z]?)(?:-(?:alpha|beta|dev|pre)\.?[0-9]*)?")


def _ssl_version(text: str) -> tuple[int, int, int, str]:
    match = _SSL_VERSION.match(text)
    if match is None:
        raise ConditionError(f"'{text}' is no version of OpenSSL: three numbers are expected")
    return int(match[1]), int(match[2]), int(match[3]), match[4]


def _ssl_atleast(around: Surroundings, wanted: str) -> bool:
    limit = _ssl_version(wanted)
    if not around.ssl_library:
        return False
    _, _, version = around.ssl_library.partition(" ")
    return _ssl_version(version) >= limit


def _ssl_before(around: Surroundings, wanted: str) -> bool:
    at_least = _ssl_atleast(around, wanted)
    return bool(around.ssl_library) and not at_least


@dataclass(frozen=True, slots=True)
class _Predicate:
    """What a condition can ask.

    Attributes:
        arguments: how many it takes.
        test: tells the answer from the surroundings and the arguments.
        since: the HAProxy version that it came with, of those that know predicates at all.
    """

    arguments: int
    test: Callable[..., bool]
    since: Version = (2, 4)


_PREDICATES: Final[dict[str, _Predicate]] = {
    "defined": _Predicate(1, lambda around, name: name in around.env),
    "feature": _Predicate(1, lambda around, name: not name or name in around.features),
    "streq": _Predicate(2, lambda _, one, other: one == other),
    "strneq": _Predicate(2, lambda _, one, other: one != other),
    "strstr": _Predicate(2, lambda _, text, part: part in text, (2, 8)),
    "version_atleast": _Predicate(1, _version_atleast),
    "version_before": _Predicate(1, lambda around, wanted: not _version_atleast(around, wanted)),
    "openssl_version_atleast": _Predicate(1, _ssl_atleast),
    "openssl_version_before": _Predicate(1, _ssl_before),
    "ssllib_name_startswith": _Predicate(1, lambda around, name: around.ssl_library.startswith(name)),
    "enabled": _Predicate(1, lambda around, name: name in around.enabled, (2, 8)),
    "awslc_api_atleast": _Predicate(1, lambda _around, _wanted: False, (3, 4)),
    "awslc_api_before": _Predicate(1, lambda _around, _wanted: False, (3, 4)),
}


class _State(enum.Enum):
    """Where one `.if` stands."""

    TAKEN = enum.auto()  # the branch being read counts
    WAITING = enum.auto()  # no branch has been true yet
    DONE = enum.auto()  # a branch was true, or none may be: the rest does not count


class BlockError(ValueError):
    """A directive in a place where it may not stand; the message is in HAProxy's words."""


class Blocks:
    """The `.if` blocks open at a line.

    Attributes:
        active: whether the lines being read count.
    """

    __slots__ = ("_stack", "active")

    def __init__(self) -> None:
        self.active = True
        self._stack: list[tuple[_State, bool]] = []  # state, and whether `.else` was seen

    def __len__(self) -> int:
        return len(self._stack)

    @property
    def wants_condition(self) -> bool:
        """Whether the condition of an `.elif` at this place decides anything."""
        outside = all(state is _State.TAKEN for state, _ in self._stack[:-1])
        return outside and bool(self._stack) and self._stack[-1][0] is _State.WAITING

    def open(self, condition: bool | None) -> None:
        """`.if`; a condition of None is one that could not be read: its branch is read, for what is wrong in there.

        Raises:
            BlockError: for one level too many; it is opened all the same, so that its `.endif` finds it.
        """
        state = _State.WAITING if condition is False else _State.TAKEN
        if not self.active:
            state = _State.DONE
        self._stack.append((state, False))
        self._update()
        if len(self._stack) == MAX_NESTED_BLOCKS:
            raise BlockError(f"too many nested '.if', max is {MAX_NESTED_BLOCKS}")

    def check(self, directive: str) -> None:
        """Raise BlockError where `.elif`, `.else` or `.endif` may not stand."""
        if not self._stack:
            raise BlockError(f"lone '{directive}' with no matching '.if'")
        if self._stack[-1][1] and directive != ".endif":
            raise BlockError(f"'{directive}' after '.else' is not permitted")

    def switch(self, condition: bool | None, *, final: bool) -> None:
        """`.elif` with its condition (see `open`), or `.else`, which is `final` and true."""
        state, _ = self._stack[-1]
        if state is _State.WAITING and condition is not False:
            state = _State.TAKEN
        elif state is _State.TAKEN:
            state = _State.DONE
        self._stack[-1] = (state, final)
        self._update()

    def close(self) -> None:
        """`.endif`."""
        self._stack.pop()
        self._update()

    def _update(self) -> None:
        self.active = all(state is _State.TAKEN for state, _ in self._stack)

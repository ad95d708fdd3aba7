"""Where fetches and converters are registered, one decorator each, and how their arguments are read at start.

A builder gets the parsed arguments and the environment once, and returns the plain callable that runs per request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from hapy.samples.environment import CompileEnv, CompileError
from hapy.samples.types import Result, Value
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction

#: A compiled fetch: one value of a transaction.
Getter = Callable[["Transaction"], Result]
#: A compiled fetch that has several values, which an ACL tries one after another.
Lister = Callable[["Transaction"], Iterable[Value]]
#: A compiled converter; the transaction is for those that use variables or captures.
Converter = Callable[[Value], Result]
TxnConverter = Callable[[Value, "Transaction"], Result]


@dataclass(frozen=True, slots=True)
class Fetch:
    """A compiled fetch.

    Attributes:
        one: gives the value that an expression uses.
        many: gives all values for an ACL, or None where there is only ever one.
        constant: the value never changes.
        text: gives the value as text where that is cheaper than making the value first.
    """

    one: Getter
    many: Lister | None = None
    constant: bool = False
    text: Callable[[Transaction], bytes | None] | None = None


class Args:
    """The arguments of one fetch or converter, read by kind. Raises CompileError naming the keyword."""

    __slots__ = ("name", "words")

    def __init__(self, name: str, words: Sequence[str]) -> None:
        self.name = name
        self.words = tuple(words)

    def __len__(self) -> int:
        return len(self.words)

    def error(self, message: str) -> CompileError:
        """A CompileError about this keyword."""
        return CompileError(f"{self.name}: {message}")

    def given(self, index: int) -> bool:
        """Whether that argument is there and not empty."""
        return index < len(self.words) and self.words[index] != ""

    def string(self, index: int, default: str | None = None) -> str:
        """A string argument."""
        if index < len(self.words):
            return self.words[index]
        if default is None:
            raise self.error(f"missing argument {index + 1}")
        return default

    def data(self, index: int, default: str | None = None) -> bytes:
        """A string argument as it goes on the wire."""
        return to_bytes(self.string(index, default))

    def integer(self, index: int, default: int | None = None) -> int:
        """An integer argument."""
        if not self.given(index):
            if default is None:
                raise self.error(f"missing argument {index + 1}")
            return default
        try:
            return int(self.words[index])
        except ValueError:
            raise self.error(f"{self.words[index]!r} is not an integer") from None


FetchBuilder = Callable[[Args, CompileEnv], "Fetch | Getter"]
ConverterBuilder = Callable[[Args, CompileEnv], "Converter | TxnConverter"]


@dataclass(frozen=True, slots=True)
class FetchEntry:
    """A registered fetch: its output type by the manual, and its builder."""

    name: str
    type: str
    build: FetchBuilder


@dataclass(frozen=True, slots=True)
class ConverterEntry:
    """A registered converter: input and output type, and its builder."""

    name: str
    input: str
    output: str
    build: ConverterBuilder
    needs_transaction: bool


FETCHES: Final[dict[str, FetchEntry]] = {}
CONVERTERS: Final[dict[str, ConverterEntry]] = {}

_F = TypeVar("_F", bound=FetchBuilder)
_C = TypeVar("_C", bound=ConverterBuilder)


def fetch(*names: str, type: str) -> Callable[[_F], _F]:  # noqa: A002 - HAProxy's word for it
    """Register a fetch builder under its names."""

    def register(build: _F) -> _F:
        for name in names:
            FETCHES[name] = FetchEntry(name, type, build)
        return build

    return register


def converter(*names: str, takes: str, gives: str, transaction: bool = False) -> Callable[[_C], _C]:
    """Register a converter builder under its names; with `transaction` the callable gets the transaction too."""

    def register(build: _C) -> _C:
        for name in names:
            CONVERTERS[name] = ConverterEntry(name, takes, gives, build, transaction)
        return build

    return register

"""The lines of a crt-list (configuration manual, `crt-list` in section 5.1): a file, its options, its filters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hapy_config.keywords import table
from hapy_config.keywords.spec import TARGET
from hapy_config.tls.pem import Fault
from hapy_config.tls.protocols import protocols_fault
from hapy_config.tls.versions import VERSIONS, put

if TYPE_CHECKING:
    from collections.abc import Iterator

_METHODS: Final = ("none", "optional", "required")


@dataclass(frozen=True, slots=True)
class Line:
    """A line.

    Attributes:
        number: where it stands, from 1.
        name: the certificate's file, as written.
        options: its settings by name.
        filters: the names it is used for.
    """

    number: int
    name: str
    options: dict[str, tuple[str, ...]] = field(default_factory=dict)
    filters: tuple[str, ...] = ()


def lines(path: str, content: bytes) -> Iterator[Line]:
    """The lines that name certificates.

    Raises:
        Fault: one can't be read, in HAProxy's words.
    """
    texts = content.decode("utf-8", "surrogateescape").split("\n")
    for number, text in enumerate(texts, 1):
        if number == len(texts):
            if text:
                raise Fault(
                    f"parsing [{path}:{number}]: Missing LF on last line, file might have been truncated at position"
                    f" {len(text) + 1}."
                )
            return
        words = text.strip(" \t\r")
        if words and not words.startswith("#"):
            yield _line(path, number, words)


def _line(path: str, number: int, text: str) -> Line:
    where = f"parsing [{path}:{number}]: "
    if text.startswith("["):
        raise Fault(f"{where}file must start with a cert")
    before, opened, rest = text.partition("[")
    if (not opened and "]" in text) or "]" in before:
        raise Fault(f"{where}missing '['")
    inside, _, behind = rest.partition("]")
    if "[" in inside or "[" in behind:
        raise Fault(f"{where}too many '['")
    if "]" in behind:
        raise Fault(f"{where}too many ']'")
    name, *filters = before.split()
    return Line(number, name, _options(where, inside.split()), (*filters, *behind.split()))


def _options(where: str, words: list[str]) -> dict[str, tuple[str, ...]]:
    known = table("crt-list")
    options: dict[str, tuple[str, ...]] = {}
    place = 0
    while place < len(words):
        word = words[place]
        entry = known.get(word)
        if entry is None or not entry.known_in(TARGET):
            later = f" (HAProxy knows it since version {entry.since[0]}.{entry.since[1]})" if entry is not None else ""
            raise Fault(f"{where}unknown ssl keyword {word}{later}")
        count = len(entry.args)
        if place + count >= len(words):
            raise Fault(f"{where}ssl args out of '[]' for {word}")
        values = tuple(words[place + 1 : place + 1 + count])
        if word in ("ssl-min-ver", "ssl-max-ver") and values[0] not in VERSIONS:
            raise Fault(f"'{values[0]}' : unknown ssl/tls version")
        if word == "verify" and values[0] not in _METHODS:
            raise Fault(
                f"'verify' : unknown verify method '{values[0]}', only 'none', 'optional', and 'required' are supported"
            )
        if word in ("alpn", "npn") and (fault := protocols_fault(word, values[0])):
            raise Fault(fault)
        put(options, word, values)
        place += 1 + count
    return options

"""What an entry of the keyword tables says. The tables are data; this module gives the words they are written in."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

#: A HAProxy branch: (2, 6).
Version = tuple[int, int]

OLDEST: Final[Version] = (1, 5)
NEWEST: Final[Version] = (3, 4)
TARGET: Final[Version] = (2, 6)


#: Build options that the usual builds have from some version on; those of 2.6 are without them, and of others, too.
USUAL_BUILDS: Final[dict[str, Version]] = {"USE_QUIC": (2, 8)}
#: Those that they had up to some version.
FORMER_BUILDS: Final[dict[str, Version]] = {"USE_ZLIB": (2, 2)}


class Context(enum.Flag):
    """The sections a keyword may stand in."""

    GLOBAL = enum.auto()
    DEFAULTS = enum.auto()
    FRONTEND = enum.auto()
    LISTEN = enum.auto()
    BACKEND = enum.auto()
    RESOLVERS = enum.auto()
    USERLIST = enum.auto()
    PEERS = enum.auto()
    MAILERS = enum.auto()
    CACHE = enum.auto()
    HTTP_ERRORS = enum.auto()
    RING = enum.auto()
    LOG_FORWARD = enum.auto()
    LOG_PROFILE = enum.auto()
    PROGRAM = enum.auto()
    FCGI_APP = enum.auto()
    CRT_STORE = enum.auto()
    TRACES = enum.auto()
    ACME = enum.auto()
    HEALTHCHECK = enum.auto()

    FRONT = FRONTEND | LISTEN
    BACK = LISTEN | BACKEND
    PROXY = DEFAULTS | FRONTEND | LISTEN | BACKEND
    ANY_PROXY = FRONTEND | LISTEN | BACKEND  # all but defaults


#: No section at all.
NO_CONTEXT: Final = Context(0)


class Runs(enum.Enum):
    """What hapy does with a keyword it has read."""

    YES = "yes"
    #: Accepted with a notice: what it tunes has no counterpart here, and no client or server would see a difference.
    HARMLESS = "harmless"
    #: Known, and not run: `loss` says what will differ; it stops the start unless --lenient.
    NO = "no"


class Kind(enum.Enum):
    """What an argument must be."""

    STRING = "string"
    NAME = "name"  # a proxy, server, ACL … name: letters, digits, - _ . :
    INTEGER = "integer"
    TIME = "time"  # milliseconds unless a unit follows: us ms s m h d
    SECONDS = "seconds"  # the same, but in seconds without a unit
    SIZE = "size"  # bytes, with k m g
    CHOICE = "choice"
    FILE = "file"
    DIRECTORY = "directory"
    ADDRESS = "address"
    NETWORK = "network"  # an address and perhaps a mask
    EXPRESSION = "expression"  # a sample expression
    FORMAT = "format"  # a log format string
    REGEX = "regex"
    CONDITION = "condition"  # `if …` or `unless …`, to the end of the line
    REST = "rest"  # whatever follows, checked by the builder of that keyword


@dataclass(frozen=True, slots=True)
class Arg:
    """One argument.

    Attributes:
        kind: what it must be.
        name: what the manual calls it; a rule's parsed arguments are found under this name.
        choices: for CHOICE, the words allowed.
        minimum: for INTEGER, SIZE, TIME: the least value, or None.
        maximum: the greatest value, or None.
        optional: whether it may be missing (only after all that may not).
        repeat: whether any number of further ones may follow.
        lax: for INTEGER: HAProxy reads the leading digits and stops there without complaint, as C's `atol` does (`foo`
            is 0, `5k` is 5). A linter may speak of it; a builder must not refuse it.
        unsigned: for INTEGER: HAProxy compares it with its bounds as 32 bits without a sign, so -1 is a large number.
    """

    kind: Kind
    name: str
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    optional: bool = False
    repeat: bool = False
    lax: bool = False
    unsigned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyword:
    """One keyword of the language.

    Attributes:
        name: its words joined by single spaces (`timeout connect`, `option httplog`); for an action or a bind or server
            option just its own word. A trailing `*` stands for any rest (`track-sc*`).
        where: the sections (for actions: the proxy kinds) it may stand in.
        ignored: the sections in which HAProxy drops the line with a warning (a `balance` in a frontend). In a section
            that is neither in `where` nor here, the keyword is an error.
        named_defaults: in `defaults`, only a section with a name may hold it (where `where` has DEFAULTS); HAProxy 2.6
            refuses it in the others.
        negatable: `no NAME` and `default NAME` are allowed.
        args: its arguments in order.
        surplus: words after the last argument are dropped in silence; elsewhere HAProxy refuses them.
        repeatable: each statement adds to the ones before it; of other keywords the last one counts.
        experimental: only after `expose-experimental-directives`.
        needs: the build option (`USE_ZLIB`) without which HAProxy does not know it, where the usual builds are made
            without; such a keyword is unknown to the HAProxy 2.6 of Debian.
        since: the first version that knows it.
        deprecated: the first version that warns of it, or None.
        removed: the first version that refuses it, or None.
        instead: what to write today, when it is deprecated or removed.
        runs: what hapy does with it.
        loss: when it does not run: what a client, a server or an operator will see differ, as a sentence part.
        manual: the section of the configuration manual.
        ok: lines (or for inner words: whole statements) that HAProxy 2.6 accepts.
        bad: lines it refuses.
    """

    name: str
    where: Context = Context.PROXY
    ignored: Context = NO_CONTEXT
    named_defaults: bool = False
    negatable: bool = False
    args: tuple[Arg, ...] = ()
    surplus: bool = False
    repeatable: bool = False
    experimental: bool = False
    needs: str = ""
    since: Version = OLDEST
    deprecated: Version | None = None
    removed: Version | None = None
    instead: str = ""
    runs: Runs = Runs.YES
    loss: str = ""
    manual: str = ""
    ok: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()

    def known_in(self, version: Version) -> bool:
        """Whether that HAProxy version accepts the keyword at all."""
        return self.since <= version and (self.removed is None or version < self.removed)

    def built_in(self, version: Version) -> bool:
        """Whether the usual builds of that version have the build option that it needs."""
        if self.needs in FORMER_BUILDS:
            return version <= FORMER_BUILDS[self.needs]
        return not self.needs or (self.needs in USUAL_BUILDS and version >= USUAL_BUILDS[self.needs])

    @property
    def early(self) -> bool:
        """Whether hapy runs it though it is newer than the version that hapy follows."""
        return self.since > TARGET and self.removed is None and self.runs is Runs.YES


class Table:
    """One family of keywords, found by their words.

    `find` prefers the longest name, so `option httplog` is found before `option`.
    """

    def __init__(self, family: str, entries: Iterable[Keyword]) -> None:
        self.family = family
        self._entries: dict[str, Keyword] = {}
        self._prefixes: list[tuple[str, Keyword]] = []
        self._by_words: dict[tuple[str, ...], Keyword] = {}
        self._longest: dict[str, int] = {}  # by first word: the most words a name that begins so has
        for entry in entries:
            if entry.name in self._entries:
                raise ValueError(f"{family}: {entry.name!r} stands twice in the table")
            self._entries[entry.name] = entry
            self._by_words[tuple(entry.name.split(" "))] = entry
            if entry.name.endswith("*"):
                self._prefixes.append((entry.name[:-1], entry))
                self._prefixes.sort(key=lambda pair: -len(pair[0]))
            first, _, _ = entry.name.partition(" ")
            self._longest[first] = max(self._longest.get(first, 1), entry.name.count(" ") + 1)

    def __iter__(self) -> Iterator[Keyword]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def get(self, name: str) -> Keyword | None:
        """The entry of exactly that name (or whose `*` name covers it)."""
        return self._entries.get(name) or self._by_prefix(name)

    def _by_prefix(self, name: str) -> Keyword | None:
        return next((entry for prefix, entry in self._prefixes if name.startswith(prefix)), None)

    def find(self, words: Sequence[str]) -> tuple[Keyword, int] | None:
        """The entry that a statement's first words name, and how many words that took."""
        for count in range(min(self._longest.get(words[0], 1), len(words)), 0, -1):
            entry = self._by_words.get(tuple(words[:count]))
            if entry is None and self._prefixes:
                entry = self._by_prefix(" ".join(words[:count]))
            if entry is not None:
                return entry, count
        return None

"""Words inside lines that not every version takes, although it knows the line: `mode log`, `balance random`.

The other tables tell versions by keyword; here are those of its arguments. To judge a line by a newer version, what 2.6
doesn't know of it is replaced by something of the same shape that it knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from hapy_config.keywords.spec import Version


@dataclass(frozen=True, slots=True)
class Value:
    """An argument of some versions.

    Attributes:
        line: the words that the line begins with.
        word: the argument, or one of those between its commas, without parentheses; a trailing `*` stands for any rest.
        since: the first version that takes it.
        after: the word it stands right behind; empty when it may stand anywhere after `line`.
        takes: how many words after it belong to it.
        instead: what stands in for it, one word at most; empty: nothing.
        option: `after` needs it: where nothing is left, `after` goes, too.
    """

    line: tuple[str, ...]
    word: str
    since: Version
    after: str = ""
    takes: int = 0
    instead: str = ""
    option: bool = False

    def matches(self, piece: str) -> bool:
        """Whether an argument is this one."""
        name = piece.partition("(")[0]
        return name.startswith(self.word[:-1]) if self.word.endswith("*") else name == self.word


def _stored(since: Version, *names: str) -> Iterator[Value]:
    """Data types of stick tables."""
    for name in names:
        yield Value(("stick-table",), name, since, after="store", option=True)


#: Modes in which a backend's servers and algorithms are of another kind than in 2.6.
OTHER_MODES: Final = frozenset({"log", "spop"})

VALUES: Final[tuple[Value, ...]] = (
    Value(("balance",), "random", (1, 9), after="balance"),
    Value(("balance",), "hash", (2, 6), after="balance"),
    Value(("balance",), "sticky", (2, 9), after="balance", instead="roundrobin"),
    Value(("hash-type",), "none", (3, 0), instead="sdbm"),
    Value(("mode",), "log", (2, 9), after="mode", instead="tcp"),
    Value(("mode",), "spop", (3, 1), after="mode", instead="tcp"),
    Value(("log",), "sample", (2, 0), takes=1),
    *(Value(("format",), name, (2, 3), after="format") for name in ("local", "priority")),
    Value(("log",), "profile", (3, 1), takes=1),
    Value(("option", "tcplog"), "clf", (3, 2)),
    Value(("option", "mysql-check"), "post-80", (3, 4), instead="post-41"),
    *(
        Value(("http-request", "set-timeout"), name, since, after="set-timeout")
        for name, since in (("client", (2, 9)), ("connect", (3, 4)), ("queue", (3, 4)), ("tarpit", (3, 4)))
    ),
    *(
        Value((ruleset, *more, "silent-drop"), "rst-ttl", (2, 8), after="silent-drop", takes=1)
        for ruleset, *more in (
            ("http-request",),
            ("http-response",),
            ("tcp-request", "connection"),
            ("tcp-request", "session"),
            ("tcp-request", "content"),
            ("tcp-response", "content"),
        )
    ),
    *(Value((ruleset, "wait-for-body"), "use-large-buffer", (3, 4)) for ruleset in ("http-request", "http-response")),
    *_stored((2, 4), "http_fail_cnt", "http_fail_rate"),
    *_stored((2, 6), "gpc", "gpc_rate", "gpt"),
    *_stored((3, 0), "glitch_cnt", "glitch_rate"),
    Value(("stick-table",), "srvkey", (2, 4), takes=1),
    Value(("stick-table",), "write-to", (2, 9), takes=1),
    Value(("stick-table",), "recv-only", (3, 2)),
    Value(("stick-table",), "brates-factor", (3, 2), takes=1),
    Value(("bind",), "by-group", (2, 8), after="shards", instead="by-thread"),
    *(
        Value(("bind",), "X509_V_*", (2, 8), after=option, instead="10")
        for option in ("ca-ignore-err", "crt-ignore-err")
    ),
    *(Value(("set-dumpable",), word, (3, 2), after="set-dumpable") for word in ("on", "off")),
    Value(("set-dumpable",), "libs", (3, 4), after="set-dumpable"),
    Value(("tune.idle-pool.shared",), "full", (3, 4), after="tune.idle-pool.shared", instead="on"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """A value where it stands: the index of its word, and which of the word's pieces it is."""

    value: Value
    index: int
    piece: int


_BY_FIRST: Final[dict[str, tuple[Value, ...]]] = {
    first: tuple(value for value in VALUES if value.line[0] == first) for first in {value.line[0] for value in VALUES}
}


def values_in(words: Sequence[str]) -> Iterator[Found]:
    """The values of a line, in the order of their words."""
    own = [value for value in _BY_FIRST.get(words[0], ()) if tuple(words[: len(value.line)]) == value.line]
    if not own:
        return
    for index, word in enumerate(words):
        for number, piece in enumerate(word.split(",")):
            for value in own:
                fits = index >= len(value.line) and (not value.after or words[index - 1] == value.after)
                if fits and value.matches(piece):
                    yield Found(value, index, number)


def without(words: Sequence[str], found: Sequence[Found]) -> tuple[list[str], list[int]]:
    """A line with stand-ins for what was found in it, and the index that each of its words had."""
    kept: list[str] = []
    indices: list[int] = []
    at = {one.index: [other for other in found if other.index == one.index] for one in found}
    index = 0
    while index < len(words):
        here = at.get(index, ())
        pieces: list[str] = words[index].split(",") if here else [words[index]]
        for one in here:
            pieces[one.piece] = one.value.instead
        word = ",".join(piece for piece in pieces if piece) if here else words[index]
        if word or not here:
            kept.append(word)
            indices.append(index)
        elif any(one.value.option for one in here):
            kept.pop()
            indices.pop()
        index += 1 + max((one.value.takes for one in here), default=0)
    return kept, indices

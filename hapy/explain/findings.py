"""What a walk has found: plain data, for printing, for tests and for other programs."""

from __future__ import annotations

from dataclasses import dataclass, field

from hapy_config.source import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Test:
    """One test of a condition.

    Attributes:
        name: the ACL's name, or what stands in its braces; `!` before it where it is negated.
        seen: the samples it looks at, with their values as text.
        holds: whether it is met, negation included.
    """

    name: str
    seen: tuple[tuple[str, str], ...]
    holds: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One rule.

    Attributes:
        line: as it stands in the file.
        applied: whether its condition held; None for a rule that hapy does not run.
        tests: of its condition. effects: what it did, in words.
        span: its place, `NOWHERE` for what no line says.
    """

    line: str
    applied: bool | None
    tests: tuple[Test, ...] = ()
    effects: tuple[str, ...] = ()
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Stage:
    """Rules of one kind in one section."""

    title: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A server that takes requests now."""

    name: str
    address: str
    weight: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that hapy itself gives: its status, its head as it goes out, its body."""

    status: int
    head: bytes
    body: bytes


@dataclass(slots=True)
class Walk:
    """The whole of it.

    Attributes:
        frontend, listener: where the request comes in. mode: http or tcp.
        stages: what rules did, in order.
        outcome: `server`, `answer` or `closed`. reason: why, where no server gets it.
        backend, server: where it goes, None where it doesn't get that far. how: why that server.
        candidates: the servers that take requests.
        request: the head as the server gets it. answer: what hapy answers itself.
        key: what a server connection must match to be used, as (name, value).
        shares: it may go out on a connection that another client's request opened.
        sharing: the same in sentences.
        later: rules that will look at the server's answer.
        variables: set by rules, with their values as text.
    """

    frontend: str
    listener: str
    mode: str
    stages: list[Stage] = field(default_factory=list)
    outcome: str = "closed"
    reason: str = ""
    backend: str | None = None
    server: str | None = None
    how: str = ""
    candidates: tuple[Candidate, ...] = ()
    request: bytes = b""
    answer: Answer | None = None
    key: tuple[tuple[str, str], ...] = ()
    shares: bool = False
    sharing: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)

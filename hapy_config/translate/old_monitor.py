"""`monitor-net` and `mode health` in today's rules.

They answered connections as soon as these were there: behind `tcp-request connection` rules and before all others,
before `monitor-uri`, TLS and the PROXY protocol. Of several `monitor-net` the last one counted; one in a defaults
section was for all listeners without their own. Defaults sections without a name may hold no rules today, so that
each listener gets them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hapy_config.translate.conditions import asking_too
from hapy_config.translate.edits import Decide, Edit, Remove, Replace
from hapy_config.translate.lines import Line
from hapy_config.translate.report import Loss

_LISTENERS: Final = frozenset({"frontend", "listen"})
_AT_ONCE: Final = "clients had it before they sent a request or greeted in TLS; now they must do so"
_CLOSED: Final = "clients were let go before they greeted in TLS or sent a PROXY header; now they must do so"


@dataclass(frozen=True, slots=True)
class Guard:
    """Rules that run before all others of their kind in a section.

    Attributes:
        part: the number of the section. origin: the place of the line that they come from.
        ruleset: the words that such rules begin with. rules: whole lines.
        needed: whether they are written even where there are no others of their kind.
    """

    part: int
    origin: int
    ruleset: str
    rules: tuple[str, ...]
    needed: bool = True


#: The lines of each section, by its number.
Parts = Mapping[int, Sequence[Line]]


def guards(parts: Parts) -> Iterator[Guard]:
    """The rules that take the place of such lines."""
    if not any(is_old(line) for lines in parts.values() for line in lines):
        return
    for part in _listeners(parts):
        mode, net = _setting("mode", part, parts), _setting("monitor-net", part, parts)
        if mode is not None and mode.words[1:2] == ("health",):
            yield from _answering(part, mode, "")
        elif net is not None and _is_http(mode):
            yield from _answering(part, net, f" if {_clients(net)}")
        elif net is not None:
            ruleset = "tcp-request session"
            yield Guard(part, net.place, ruleset, (f"{ruleset} reject if {_clients(net)}",))


def is_old(line: Line) -> bool:
    """Whether a line is one that guards stand for."""
    return line.words[:2] == ("mode", "health") or (line.words[0] == "monitor-net" and len(line.words) > 1)


def _answering(part: int, origin: Line, condition: str) -> Iterator[Guard]:
    for ruleset in ("tcp-request session", "tcp-request content"):
        yield Guard(part, origin.place, ruleset, (f"{ruleset} accept{condition}",), needed=False)
    answer = (f"http-request {action}{condition}" for action in ("set-log-level silent", "return status 200"))
    yield Guard(part, origin.place, "http-request", tuple(answer))


def edits(line: Line, parts: Parts) -> Iterator[Edit]:
    """What becomes of the lines themselves, and of a `monitor fail` that such clients never met."""
    if line.words[:2] == ("monitor", "fail"):
        net = _setting("monitor-net", line.part, parts)
        if net is not None and _is_http(_setting("mode", line.part, parts)):
            condition = asking_too(f"!{_clients(net)}", line.words[2:], line.raw[2:])
            yield (
                Decide(f"clients of 'monitor-net{net.tail(1)}' must not meet it: say so in its condition")
                if condition is None
                else Replace(f"monitor fail{condition}", note="clients of 'monitor-net' still don't meet it")
            )
    elif line.words[0] == "mode":
        yield Replace("mode http", note=f"all get status 200 of an http-request rule; {_AT_ONCE}")
    else:
        users = [part for part in _listeners(parts) if _setting("monitor-net", part, parts) == line]
        yield _net(line, [_is_http(_setting("mode", part, parts)) for part in users])


def _net(line: Line, users: Sequence[bool]) -> Edit:
    """What is told of a `monitor-net`, by whether each listener that goes by it is in mode http."""
    if not users:
        return Remove("no listener goes by it")
    where = "" if line.section in _LISTENERS else " of each listener"
    http, tcp = f"'http-request return' before all other rules{where}", f"'tcp-request session reject'{where}"
    if all(users):
        return Remove(f"it is {http} now; {_AT_ONCE}", Loss.NEAR)
    if not any(users):
        return Remove(f"it is {tcp} now; {_CLOSED}", Loss.NEAR)
    return Remove(f"it is {http} now, or in mode tcp {tcp}; {_AT_ONCE}", Loss.NEAR)


def _clients(net: Line) -> str:
    return f"{{ src{net.tail(1)} }}"


def _is_http(mode: Line | None) -> bool:
    return mode is not None and mode.words[1:2] == ("http",)


def _listeners(parts: Parts) -> Iterator[int]:
    return (part for part, lines in parts.items() if lines[0].section in _LISTENERS)


def _setting(word: str, part: int, parts: Parts) -> Line | None:
    """The line with a first word that a section goes by: its own last one, or that of its defaults."""
    before = (other for other in range(part - 1, 0, -1) if other in parts and parts[other][0].section == "defaults")
    for number in (part, *itertools.islice(before, 1)):
        own = [line for line in parts[number] if line.words[0] == word and len(line.words) > 1]
        if own:
            return own[-1]
    return None

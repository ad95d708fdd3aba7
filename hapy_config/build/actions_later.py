"""The arguments of actions that are newer than HAProxy 2.6, for the verdicts of those versions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hapy_config.build.cursor import Words

    Reader = Callable[[Words], Mapping[str, object]]

_METHODS: Final = ("str", "beg", "end", "sub", "reg")


def _expression(words: Words) -> Mapping[str, object]:
    return {"expression": words.expression()}


def _nothing(words: Words) -> Mapping[str, object]:
    return {}


def _pause(words: Words) -> Mapping[str, object]:
    """A time or an expression."""
    if re.match(r"[0-9]", words.peek()):
        words.position += 1
        return {"time": words.time(words.position - 1, "rule 'pause'")}
    return _expression(words)


def _number(words: Words) -> Mapping[str, object]:
    """A number, also in hexadecimal, or an expression."""
    if re.fullmatch(r"[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+)", words.peek()):
        words.position += 1
        return {"number": int(words.words[words.position - 1], 0 if "x" in words.peek(-1).lower() else 10)}
    return _expression(words)


def _bandwidth(words: Words) -> Mapping[str, object]:
    """`<name> [limit {<expr> | <size>}] [period {<expr> | <time>}]`."""
    found: dict[str, object] = {"name": words.take("missing the filter's name")}
    while (kind := words.peek()) in ("limit", "period"):
        words.position += 1
        if not words.peek():
            raise words.refuse(f"missing the value of '{kind}'")
        if re.match(r"[0-9]", words.peek()):
            words.position += 1
            place = words.position - 1
            found[kind] = words.size(place) if kind == "limit" else words.time(place, f"'{kind}'")
        else:
            found[kind] = words.expression()
    return found


def _attach(words: Words) -> Mapping[str, object]:
    """`<srv> [name <expr>]`."""
    found: dict[str, object] = {"server": words.take("expects the name of a server")}
    if words.peek() == "name":
        words.position += 1
        found["expression"] = words.expression()
    return found


def _profile(words: Words) -> Mapping[str, object]:
    """`[profile <log_profile>]`."""
    if words.peek() != "profile":
        return {}
    words.position += 1
    return {"profile": words.take("expects the name of a log profile")}


def _headers(words: Words) -> Mapping[str, object]:
    """`<expr> [prefix <str>]`, and for deletions `<expr> [-m <method>]`."""
    found: dict[str, object] = {"expression": words.expression()}
    if words.peek() == "prefix":
        words.position += 1
        found["prefix"] = words.take("expects a prefix")
    elif words.peek() == "-m":
        words.position += 1
        method = words.take("-m flag expects exactly 1 argument")
        if method not in _METHODS:
            words.fault(f"-m with unsupported matching method '{method}'", words.position - 1)
        found["match"] = method
    return found


#: Readers by the action's table name.
LATER: Final[dict[str, Reader]] = {
    "add-headers-bin": _headers,
    "attach-srv": _attach,
    "del-headers-bin": _headers,
    "dgram-drop": _nothing,
    "do-log": _profile,
    "pause": _pause,
    "send-retry": _nothing,
    "set-bandwidth-limit": _bandwidth,
    "set-bc-mark": _number,
    "set-bc-tos": _number,
    "set-fc-mark": _number,
    "set-fc-tos": _number,
    "set-headers-bin": _headers,
    "set-retries": _number,
}

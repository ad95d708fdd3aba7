"""A server's weight by word, from agents and from the stats socket: absolute, or in percent of the file's.

Rules (management manual 9.3, `set weight`, and HAProxy 2.6 seen at work):
- A percentage counts down to whole weights, and goes no further than 256.
- An algorithm that lays its servers out once (`static-rr`, hashes without `hash-type consistent`) knows a server's own
  weight and none at all, and nothing else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hapy.proxy.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hapy.proxy.server import Server

_NUMBER: Final = re.compile(r"[ \t]*([+-]?[0-9]+)(.*)", re.DOTALL)
_MOST: Final = 256
_MAPPED: Final = frozenset({"source", "uri", "url_param", "hdr", "rdp-cookie", "hash"})


def change_weight(server: Server, text: str) -> str:
    """Give a server another weight; gives what is wrong with the word, in HAProxy's words, or nothing."""
    if not text:
        return "Require <weight> or <weight%>.\n"
    match = _NUMBER.match(text)
    if match is None:
        return "Empty weight string empty or preceded by garbage"
    number, behind = int(match[1]), match[2]
    if behind not in ("", "%"):
        return "Trailing garbage in weight string"
    weight = number
    if behind:
        if number < 0:
            return "Relative weight must be positive.\n"
        weight = min(server.model.weight * number // 100, _MOST)
    elif not 0 <= number <= _MOST:
        return "Absolute weight can only be between 0 and 256 inclusive.\n"
    if _is_static(server) and weight not in (0, server.model.weight):
        return "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.\n"
    server.set_weight(weight)
    return ""


def _is_static(server: Server) -> bool:
    balance = server.backend.model.balance
    return balance.algorithm == "static-rr" or (balance.algorithm in _MAPPED and balance.hash_type == "map-based")


#: A weight on its way up under `slowstart` is told in steps of this many.
_STEPS: Final = 16


def _step(server: Server) -> int:
    """How many of the sixteenths of its weight a server has; a map knows nothing less than all."""
    return _STEPS if server.state is not State.STARTING or _is_static(server) else server.ramp


def shown_weight(server: Server) -> int:
    """A server's weight as it counts now, in whole numbers upwards; in maintenance what it was before."""
    return -(-server.shown * _step(server) // _STEPS)


def shown_sum(servers: Iterable[Server]) -> int:
    """The weights of several servers together, as they count now, in whole numbers upwards."""
    return -(-sum(server.shown * _step(server) for server in servers) // _STEPS)


def shown_throttle(server: Server) -> int:
    """How much of its weight that is, in percent, as HAProxy rounds it."""
    whole = _STEPS * server.weight
    return (100 * server.weight * _step(server) + _STEPS - 1) // whole if whole else 100

"""A server's `maxconn` by word, from agents and from the stats socket."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hapy.proxy.server import Server

_SIGNED: Final = re.compile(r"[+-]?[0-9]+")


def change_maxconn(server: Server, text: str) -> str:
    """Give a server another limit; gives what is wrong with the word, in HAProxy's words, or nothing."""
    if not text:
        return "Require <maxconn>.\n"
    found = _SIGNED.match(text)
    if found is None:
        return "maxconn string empty or preceded by garbage"
    if found.end() < len(text):
        return "Trailing garbage in maxconn string"
    server.set_limits(maxconn=int(found[0]) & 0xFFFFFFFF)  # as C turns a number without a sign from one with it
    return ""

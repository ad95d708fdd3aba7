"""The parts of a request target (RFC 9112, section 3.2), as HAProxy's fetches cut them."""

from __future__ import annotations

import re
from typing import Final

_SCHEME: Final = re.compile(rb"[A-Za-z][A-Za-z0-9+.\-]*://")


def path_and_query(target: bytes) -> bytes | None:
    """What follows scheme and authority: `/path?query`; None for `*`, for an authority and for a URL without a path."""
    if target[:1] == b"/":
        return target
    scheme = _SCHEME.match(target)
    if scheme is None:
        return None
    slash = target.find(b"/", scheme.end())
    return target[slash:] if slash >= 0 else None


def path(target: bytes) -> bytes | None:
    """The path without the query string."""
    rest = target if target[:1] == b"/" else path_and_query(target)
    return None if rest is None else rest.partition(b"?")[0]


def query(target: bytes) -> bytes | None:
    """What follows the first `?`, None without one."""
    _, mark, text = target.partition(b"?")
    return text if mark else None


def origin(target: bytes) -> bytes:
    """What stands before the path, which is all that a new path leaves of a target; empty where there is no path."""
    rest = path_and_query(target)
    return b"" if rest is None else target[: len(target) - len(rest)]


#: Of a request line so many bytes are kept for logs where `tune.http.logurilen` says nothing.
LINE_LENGTH = 1023


def kept(target: bytes, method: bytes, length: int) -> bytes:
    """What is left of the target when of the request line only the first `length` bytes are kept."""
    room = length - len(method) - 1
    return target if len(target) <= room else target[: max(room, 0)]

"""The parts of a request target (RFC 9112, section 3.2), as HAProxy's fetches cut them."""

from __future__ import annotations


def path_and_query(target: bytes) -> bytes | None:
    """What follows scheme and authority: `/path?query`; None for `*`, for an authority and for a URL without a path."""
    if target[:1] == b"/":
        return target
    start = target.find(b"://")
    if start <= 0:
        return None
    slash = target.find(b"/", start + 3)
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
    """Scheme and authority, empty for an origin-form target."""
    rest = path_and_query(target)
    return target if rest is None else target[: len(target) - len(rest)]


def authority(target: bytes) -> bytes | None:
    """The authority of an absolute URL, without user information; None where there is none."""
    start = target.find(b"://")
    if start <= 0 or target[:1] == b"/":
        return None
    text = target[start + 3 :]
    for mark in (b"/", b"?"):
        text = text.partition(mark)[0]
    return text.rpartition(b"@")[2]


#: Of a request line so many bytes are kept for logs where `tune.http.logurilen` says nothing.
LINE_LENGTH = 1023


def kept(target: bytes, method: bytes, length: int) -> bytes:
    """What is left of the target when of the request line only the first `length` bytes are kept."""
    room = length - len(method) - 1
    return target if len(target) <= room else target[: max(room, 0)]

"""Whether an answer may be kept by a cache, as HAProxy judges it for `nocache` (RFC 9111 section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hapy.samples.headers import split_values

if TYPE_CHECKING:
    from hapy.http.message import Header

_METHODS: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE"})
_STATUSES: Final = frozenset({200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501})
_VALIDATORS: Final = frozenset({b"expires", b"last-modified", b"etag"})
_FORBIDDEN: Final = frozenset({b"no-cache", b"no-store", b"private", b"max-age=0", b"s-maxage=0"})


def is_cacheable(method: bytes, status: int, headers: list[Header]) -> bool:
    """Whether the answer says how long it is good for and nothing in it forbids keeping it; the last word counts."""
    allowed = method in _METHODS and status in _STATUSES
    lives = False
    for name, value in headers:
        if name in _VALIDATORS:
            lives = True
        elif name == b"pragma":
            if any(word.lower() == b"no-cache" for word in split_values(value)):
                allowed = False
        elif name == b"cache-control":
            for word in split_values(value):
                directive = word.lower()
                if directive in _FORBIDDEN:
                    allowed = False
                elif directive == b"public":
                    allowed = True
                elif directive.startswith((b"max-age=", b"s-maxage=")):
                    lives = True
    return allowed and lives

"""Credentials and challenges that belong to one connection (NTLM, Negotiate; RFC 4559), which is then not shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.samples.headers import split_values

if TYPE_CHECKING:
    from hapy.http.message import Response

_CHALLENGES = {401: b"www-authenticate", 407: b"proxy-authenticate"}


def is_bound(value: bytes) -> bool:
    """Whether credentials or a challenge are those of a connection."""
    return value[:4].lower() in (b"ntlm", b"nego")


def sees_challenge(response: Response) -> bool:
    """Whether a 401 or 407 asks for such credentials."""
    name = _CHALLENGES[response.status]
    return any(is_bound(part.strip()) for key, value in response.headers if key == name for part in split_values(value))

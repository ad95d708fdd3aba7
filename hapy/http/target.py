"""Request targets: which HAProxy 2.6 takes, how they must agree with Host, and what it makes of default ports.

What it does (seen on the wire):

- `/…` and `*…` name no authority; all else does: what stands behind `SCHEME://`, or the whole target without one, up to
  the first `/`, user information cut off
- with a Host field, a target's authority must equal it, case aside; either may have an empty port, for http and https
  the default one
- CONNECT's authority must have a numeric port; 80 and 443 count as default ports in Host
- `http://a:80/` goes on as `http://a/` with `host: a`; CONNECT keeps its target, and Host loses port 80 or 443
- `option accept-invalid-http-request` drops the checks, not the rewriting
"""

from __future__ import annotations

import re
from typing import Final

from hapy.http.interface import BadMessage

_ABSOLUTE: Final = re.compile(rb"([A-Za-z][A-Za-z0-9+.\-]*)://([^/]*)(.*)", re.DOTALL)
_NUMERIC_PORT: Final = re.compile(rb".*:[0-9]+", re.DOTALL)
_DEFAULT_PORTS: Final = {b"http": b"80", b"https": b"443"}
_CONNECT_PORTS: Final = (b"80", b"443")


def check_target(method: bytes, target: bytes, host: bytes | None, *, lenient: bool) -> tuple[bytes, bytes | None]:
    """The target and the Host value as they go on.

    Args:
        method: the request's.
        target: as received, not one that begins with `/` unless the method is CONNECT.
        host: the Host field's value, or None without one.
        lenient: `option accept-invalid-http-request` is on.

    Raises:
        BadMessage: with 400.
    """
    if method == b"CONNECT":
        return target, _check_connect(target, host, lenient=lenient)
    if target[:1] in (b"/", b"*"):
        return target, host
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        authority = named_authority(target)
        if host is not None and not lenient and authority.lower() != host.lower():
            raise BadMessage(400, "host differs from the target")
        return target, host
    scheme, full, rest = match.groups()
    users, at, authority = full.rpartition(b"@")
    ports = (_DEFAULT_PORTS[scheme.lower()],) if scheme.lower() in _DEFAULT_PORTS else ()
    bare = _without_port(authority, ports)
    if host is not None and authority and not lenient:
        same = authority.lower() == host.lower()
        if not same and bare.lower() != _without_port(host, ports).lower():
            raise BadMessage(400, "host differs from the target")
    if bare is not authority:
        target = scheme + b"://" + users + at + bare + rest
        host = bare if host is not None else None
    return target, host


def named_authority(target: bytes) -> bytes:
    """The authority that a target names, without user information, empty where it names none."""
    if target[:1] in (b"/", b"*"):
        return b""
    match = _ABSOLUTE.fullmatch(target)
    return (match[2] if match else target.partition(b"/")[0]).rpartition(b"@")[2]


def _check_connect(target: bytes, host: bytes | None, *, lenient: bool) -> bytes | None:
    match = _ABSOLUTE.fullmatch(target)
    authority = (match[2] if match else target.partition(b"/")[0]).rpartition(b"@")[2]
    if not lenient:
        if not _NUMERIC_PORT.fullmatch(authority):
            raise BadMessage(400, "CONNECT without a port")
        if host is not None and authority.lower() != host.lower():
            bare = _without_port(authority, _CONNECT_PORTS)
            if bare is authority or bare.lower() != host.lower():
                raise BadMessage(400, "host differs from the target")
    return None if host is None else _without_port(host, _CONNECT_PORTS)


def _without_port(authority: bytes, ports: tuple[bytes, ...]) -> bytes:
    """The authority without its port if that is empty or one of `ports`; the same object where nothing was cut."""
    name, colon, port = authority.rpartition(b":")
    if colon and (not port or port in ports):
        return name
    return authority

"""Dates as logs write them. What changes once a second is made once a second."""

from __future__ import annotations

import time
from typing import Final

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _broken(second: int, *, local: bool) -> str:
    parts = time.localtime(second) if local else time.gmtime(second)
    return (
        f"{parts.tm_mday:02d}/{_MONTHS[parts.tm_mon - 1]}/{parts.tm_year:04d}:"
        f"{parts.tm_hour:02d}:{parts.tm_min:02d}:{parts.tm_sec:02d}"
    )


def _offset(second: int, colon: str = "") -> str:
    minutes = time.localtime(second).tm_gmtoff // 60
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}{colon}{abs(minutes) % 60:02d}"


class _Second:
    """The text of the last second asked for."""

    __slots__ = ("second", "text")

    def __init__(self) -> None:
        self.second = -1
        self.text = b""


_stamp: Final = _Second()


def stamp(wall: float) -> bytes:
    """`20/Nov/2026:11:29:48.052`, local time: `%t` and `%tr`."""
    second = int(wall)
    if second != _stamp.second:
        _stamp.text = _broken(second, local=True).encode()
        _stamp.second = second
    return b"%b.%03d" % (_stamp.text, int((wall - second) * 1000))


_gmt: Final = _Second()


def gmt(wall: float) -> bytes:
    """`20/Nov/2026:11:29:48 +0000`: `%T` and `%trg`."""
    second = int(wall)
    if second != _gmt.second:
        _gmt.text = f"{_broken(second, local=False)} +0000".encode()
        _gmt.second = second
    return _gmt.text


_local: Final = _Second()


def local(wall: float) -> bytes:
    """`20/Nov/2026:12:29:48 +0100`: `%Tl` and `%trl`."""
    second = int(wall)
    if second != _local.second:
        _local.text = f"{_broken(second, local=True)} {_offset(second)}".encode()
        _local.second = second
    return _local.text


def rfc3164(second: int) -> bytes:
    """`Nov 20 11:29:48`: the date of a BSD syslog header, local time."""
    parts = time.localtime(second)
    return (
        f"{_MONTHS[parts.tm_mon - 1]} {parts.tm_mday:2d} {parts.tm_hour:02d}:{parts.tm_min:02d}:{parts.tm_sec:02d}"
    ).encode()


def iso(wall: float) -> bytes:
    """`2026-11-20T11:29:48.052417+00:00`: the date of RFC 5424 headers and of the `iso` format."""
    second = int(wall)
    return iso_second(second) + b".%06d" % int((wall - second) * 1_000_000) + iso_zone(second)


def iso_second(second: int) -> bytes:
    """`2026-11-20T11:29:48`, local time."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(second)).encode()


def iso_zone(second: int) -> bytes:
    """The local zone at that second: `+01:00`."""
    return _offset(second, ":").encode()

"""Integers that are dates to text (configuration manual, 7.3.1)."""

from __future__ import annotations

import time
from typing import Final

from hapy.samples.environment import CompileEnv
from hapy.samples.registry import Args, Converter, converter
from hapy.samples.types import Result, Value

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS: Final = {"": 1, "s": 1, "ms": 1000, "us": 1_000_000}


def http_date(seconds: int) -> bytes | None:
    """A date as HTTP writes it (RFC 9110, 5.6.7), whatever the locale; None when it is out of range."""
    try:
        parts = time.gmtime(seconds)
    except (OverflowError, OSError, ValueError):
        return None
    return (
        f"{_DAYS[parts.tm_wday]}, {parts.tm_mday:02d} {_MONTHS[parts.tm_mon - 1]} {parts.tm_year:04d} "
        f"{parts.tm_hour:02d}:{parts.tm_min:02d}:{parts.tm_sec:02d} GMT"
    ).encode()


@converter("http_date", takes="sint", gives="str")
def _http_date(args: Args, env: CompileEnv) -> Converter:
    offset, unit = args.integer(0, 0), args.string(1, "")
    if unit not in _UNITS:
        raise args.error(f"unknown unit {unit!r}; expects s, ms or us")
    divisor = _UNITS[unit]

    def formatted(value: Value) -> Result:
        moment = int(value) + offset
        seconds, fraction = divmod(moment, divisor)
        date = http_date(seconds)
        if date is None or divisor == 1:
            return date
        # The fraction stands without leading zeros, as HAProxy writes it.
        return b"%b.%d GMT" % (date.removesuffix(b" GMT"), fraction)

    return formatted


@converter("ltime", "utime", takes="sint", gives="str")
def _strftime(args: Args, env: CompileEnv) -> Converter:
    text, offset = args.string(0, ""), args.integer(1, 0)
    if not text:
        return lambda value: None
    broken_down = time.localtime if args.name == "ltime" else time.gmtime

    def formatted(value: Value) -> Result:
        try:
            parts = broken_down(int(value) + offset)
        except (OverflowError, OSError, ValueError):
            return None
        return time.strftime(text, parts).encode("utf-8", "surrogateescape")

    return formatted

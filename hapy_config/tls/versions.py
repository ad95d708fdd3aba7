"""Protocol versions: what `ssl-min-ver`, `ssl-max-ver`, `force-…` and `no-…` come to (configuration manual, 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Options = Mapping[str, tuple[str, ...]]
#: The lowest and the highest version; None for whatever the library knows.
Range = tuple[str | None, str | None]

VERSIONS: Final = ("SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_SHORT: Final = {"sslv3": "SSLv3", "tlsv10": "TLSv1.0", "tlsv11": "TLSv1.1", "tlsv12": "TLSv1.2", "tlsv13": "TLSv1.3"}

#: The options that force and forbid a version.
LIMITS: Final = frozenset(f"{what}-{short}" for what in ("force", "no") for short in _SHORT)

#: The lowest version that clients may speak where nothing else is said.
LEAST: Final = "TLSv1.2"


def version_range(own: Options, defaults: Options, least: str | None) -> Range:
    """The versions to speak.

    `ssl-min-ver` sets the lowest, `ssl-max-ver` the highest, `force-…` both; of several the last one counts. A line
    comes before the defaults, limits before `no-…`. Versions between two that are allowed are allowed, too.
    """
    own_low, own_high = _limits(own)
    low, high = _limits(defaults)
    low, high = own_low or low, own_high or high
    if low is None and high is None:
        refused = refused_versions(own, defaults)
        if refused:
            floor = VERSIONS.index(least) if least is not None else 0
            allowed = [version for version in VERSIONS[floor:] if version not in refused]
            return (allowed[0], allowed[-1]) if allowed else (VERSIONS[-1], VERSIONS[0])
    if low is None and least is not None:
        low = least if high is None or VERSIONS.index(high) >= VERSIONS.index(least) else high
    return low, high


def narrowed(line: Options, around: Range) -> Range:
    """The range of a line of a crt-list, within that of its bind line: what it sets comes before."""
    low, high = _limits(line)
    return low or around[0], high or around[1]


def between(versions: Range) -> tuple[str, ...]:
    """All versions of a range."""
    low, high = versions
    first = VERSIONS.index(low) if low is not None else 0
    last = VERSIONS.index(high) if high is not None else len(VERSIONS) - 1
    return VERSIONS[first : last + 1]


def refused_versions(*sources: Options) -> set[str]:
    """The versions that `no-…` names."""
    return {_SHORT[name[3:]] for options in sources for name in options if name[:3] == "no-" and name[3:] in _SHORT}


def limited(options: Options) -> bool:
    """Whether a line sets limits that make `no-…` void."""
    return _limits(options) != (None, None)


def nothing_left(versions: Range) -> bool:
    """Whether no version is left to speak; no library of today knows SSLv3."""
    low, high = versions
    return high == VERSIONS[0] or (low is not None and high is not None and VERSIONS.index(low) > VERSIONS.index(high))


def put(options: dict[str, tuple[str, ...]], name: str, value: tuple[str, ...] = ()) -> None:
    """Note a word where it was said last."""
    options.pop(name, None)
    options[name] = value


def _limits(options: Options) -> Range:
    """The lowest and highest version that words set, in their order."""
    low = high = None
    for name, values in options.items():
        if name.startswith("force-"):
            low = high = _SHORT[name[6:]]
        elif name == "ssl-min-ver" and values:
            low = values[0]
        elif name == "ssl-max-ver" and values:
            high = values[0]
    return low, high

"""Protocol versions: what `ssl-min-ver`, `ssl-max-ver`, `force-…` and `no-…` come to (configuration manual, 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Options = Mapping[str, tuple[str, ...]]

VERSIONS: Final = ("SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_SHORT: Final = {"sslv3": "SSLv3", "tlsv10": "TLSv1.0", "tlsv11": "TLSv1.1", "tlsv12": "TLSv1.2", "tlsv13": "TLSv1.3"}

#: The lowest version that clients may speak where nothing else is said.
LEAST: Final = "TLSv1.2"


def version_range(own: Options, defaults: Options, least: str | None) -> tuple[str | None, str | None]:
    """The lowest and the highest version to speak; None for whatever the library knows.

    `ssl-min-ver` and `ssl-max-ver` come before `force-…`, and these before `no-…`; a line before the defaults.
    """
    low = _one(own, "ssl-min-ver") or _forced(own) or _one(defaults, "ssl-min-ver") or _forced(defaults)
    high = _one(own, "ssl-max-ver") or _forced(own) or _one(defaults, "ssl-max-ver") or _forced(defaults)
    if low is None and high is None:
        refused = refused_versions(own, defaults)
        if refused:
            allowed = [version for version in VERSIONS if version not in refused]
            if not allowed:
                return VERSIONS[-1], VERSIONS[0]
            high = allowed[-1]
            place = VERSIONS.index(high)
            while place and VERSIONS[place - 1] not in refused:
                place -= 1
            low = VERSIONS[place]
            if least is not None and VERSIONS.index(low) < VERSIONS.index(least) and "no-" + least not in refused:
                low = least if VERSIONS.index(high) >= VERSIONS.index(least) else low
    if low is None and least is not None:
        low = least if high is None or VERSIONS.index(high) >= VERSIONS.index(least) else high
    return low, high


def refused_versions(*sources: Options) -> set[str]:
    """The versions that `no-…` names."""
    return {_SHORT[name[3:]] for options in sources for name in options if name[:3] == "no-" and name[3:] in _SHORT}


def limited(options: Options) -> bool:
    """Whether a line sets limits that make `no-…` void."""
    return bool(_one(options, "ssl-min-ver") or _one(options, "ssl-max-ver") or _forced(options))


def nothing_left(own: Options, defaults: Options, least: str | None) -> bool:
    """Whether no version is left to speak; no library of today knows SSLv3."""
    low, high = version_range(own, defaults, least)
    return high == VERSIONS[0] or (low is not None and high is not None and VERSIONS.index(low) > VERSIONS.index(high))


def _one(options: Options, name: str) -> str | None:
    values = options.get(name)
    return values[0] if values else None


def _forced(options: Options) -> str | None:
    forced = [_SHORT[name[6:]] for name in options if name.startswith("force-")]
    return forced[-1] if forced else None

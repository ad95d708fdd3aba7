"""Bytes, values and addresses as a person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hapy.samples.types import Binary

if TYPE_CHECKING:
    from hapy_config.model.addresses import Address

_LONGEST: Final = 60
_PREFIXES: Final = {"unix": "", "abns": "abns@", "fd": "fd@"}


def text(data: bytes) -> str:
    """Bytes as text; what is no text shows its codes."""
    return data.decode("utf-8", "backslashreplace")


def value(found: Any) -> str:
    """A sample's value, cut where it is long."""
    if found is None:
        return "nothing"
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, Binary):
        return f"0x{bytes(found).hex()}"[:_LONGEST]
    if isinstance(found, bytes):
        shown = text(found)
        return f'"{shown}"' if len(shown) <= _LONGEST else f'"{shown[:_LONGEST]}…"'
    return str(found)


def address(place: Address) -> str:
    """Where something listens or is."""
    if place.family in _PREFIXES:
        return f"{_PREFIXES[place.family]}{place.host}"
    host = f"[{place.host}]" if place.family == "ipv6" else place.host or "*"
    if place.port is None:
        return host
    if place.port_offset:
        return f"{host}:{place.port:+d}"
    if place.port_end not in (None, place.port):
        return f"{host}:{place.port}-{place.port_end}"
    return f"{host}:{place.port}"


def duration(milliseconds: int) -> str:
    """`90000` as `1.5 min`: in the largest unit that leaves a short number."""
    for size, unit in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")):
        if milliseconds >= size and (milliseconds % size == 0 or size == 1000):
            number = f"{milliseconds / size:.3f}".rstrip("0").rstrip(".")
            return f"{number} {unit}"
    return f"{milliseconds} ms"


def listed(words: list[str], joint: str = "and") -> str:
    """`a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"


def count(number: int, thing: str, several: str | None = None) -> str:
    """`1 server`, `2 servers`."""
    return f"{number:,} {thing if number == 1 else several or thing + 's'}"

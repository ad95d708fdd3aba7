"""What keeps the model frozen all the way down: the mappings in it can be read and not written."""

from __future__ import annotations

from types import MappingProxyType


def seal(part: object, *names: str) -> None:
    """Make mappings of a part of the model read-only; for the end of its `__init__`."""
    for name in names:
        found = getattr(part, name)
        if found is not None and type(found) is not MappingProxyType:
            object.__setattr__(part, name, MappingProxyType(found))

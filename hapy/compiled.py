"""Whether the compiled modules of the request path are used (see `setup.py`), or their sources.

Rules:
- `HAPY_COMPILE=no` in the environment: the sources.
- In a source tree compiled modules count only while they are newer than their sources; one that has been edited since
  puts all of them aside, for they know each other's insides.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec, PathFinder
from importlib.util import find_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from _typeshed.importlib import MetaPathFinderProtocol

#: The folder of the package, what compiled modules end with, and the library that all of them share.
_PACKAGE = Path(__file__).resolve().parent
_SUFFIX = EXTENSION_SUFFIXES[0]
_LIBRARY = _PACKAGE / f"request_path__mypyc{_SUFFIX}"


class _Sources:
    """Finds modules of this package by their sources only."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        """Called by the import machinery."""
        if path is None or not name.startswith("hapy."):
            return None
        found = PathFinder.find_spec(name, path)
        if found is None or found.origin is None or not found.origin.endswith(_SUFFIX):
            return found
        source = found.origin.removesuffix(_SUFFIX) + ".py"
        return spec_from_file_location(name, source) if Path(source).exists() else found  # the library has none


def _outdated() -> bool:
    """Whether a module of this source tree has been edited since it was compiled."""
    built = _LIBRARY.stat().st_mtime
    for compiled in _PACKAGE.rglob(f"*{_SUFFIX}"):
        source = compiled.with_name(compiled.name.removesuffix(_SUFFIX) + ".py")
        if source.exists() and source.stat().st_mtime > built:
            return True
    return False


def settle() -> None:
    """Decide, before any of them is imported."""
    wanted = os.environ.get("HAPY_COMPILE") != "no" and _LIBRARY.exists()
    in_source_tree = (_PACKAGE.parent / "setup.py").exists()
    if not wanted or (in_source_tree and _outdated()):
        sys.meta_path.insert(0, cast("MetaPathFinderProtocol", _Sources))


def is_used() -> bool:
    """Whether the path of a request is compiled."""
    found = find_spec("hapy.proxy.path")
    return found is not None and found.origin is not None and found.origin.endswith(_SUFFIX)

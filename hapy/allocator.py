"""The C library's allocator, told what a proxy does with memory.

Bodies pass in pieces of a few hundred kilobytes that live for an instant. By default glibc takes each of them from the
system and gives it back (`mmap`, `brk`): every page is cleared and faulted in anew, at more than the cost of moving the
bytes. So such pieces come from the heap, whose top is kept up to a few megabytes.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

#: glibc's <malloc.h>: parameters of `mallopt`.
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3

#: Free bytes at the heap's top that are kept, and the size of a piece that is taken from the system all the same.
_KEPT: Final = 4 * 1024 * 1024
_LARGE: Final = 1024 * 1024


def tune() -> None:
    """Set the thresholds, unless the environment does; nothing where the C library has no such thing."""
    if any(name.startswith(("MALLOC_TRIM_", "MALLOC_MMAP_", "GLIBC_TUNABLES")) for name in os.environ):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _KEPT)
        mallopt(_MMAP_THRESHOLD, _LARGE)

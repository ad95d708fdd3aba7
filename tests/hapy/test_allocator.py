"""Pieces of bodies come from the heap."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes
class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd rest1 rest2 rest3 rest4 rest5".split()]
mallinfo2 = getattr(ctypes.CDLL(None), "mallinfo2", None)
if mallinfo2 is None:
    print("none")
    raise SystemExit
mallinfo2.restype = Info
from hapy import allocator
allocator.tune()
before = mallinfo2().hblks
pieces = [bytes(300_000) for _ in range(4)]
print(mallinfo2().hblks - before)
"""


@pytest.mark.parametrize(("environment", "mapped"), [({}, "0"), ({"MALLOC_MMAP_THRESHOLD_": "65536"}, "4")], ids=str)
def test_pieces_are_not_mapped_one_by_one(environment: dict[str, str], mapped: str) -> None:
    """Unless the user has said so."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    if run.stdout.strip() == "none":
        pytest.skip("another C library")
    assert run.stdout.strip() == mapped

"""Runs one scenario against one program and writes down what clients, origins and the log saw.

`World` is what a scenario is handed. Everything in it records into a transcript made of plain lines, in which only what
must differ between two runs (ports, dates, process ids, durations) is masked.
"""

from compat.harness.client import Client
from compat.harness.origin import Connection, Origin
from compat.harness.world import PROGRAMS, World, compare

__all__ = ["PROGRAMS", "Client", "Connection", "Origin", "World", "compare"]

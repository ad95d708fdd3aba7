"""Ports for programs under test that open their listeners themselves.

A port that was free a moment ago may be anybody's by now: other tests run, and every client has a port, too. Those
given out here stay taken until the tests end. The system gives them to nobody who lets it choose, while who names one
can bind it: both sides say SO_REUSEADDR or SO_REUSEPORT, and what holds the port does not listen.
"""

from __future__ import annotations

import socket

_HELD: list[socket.socket] = []


def reserved_port() -> int:
    """A port of 127.0.0.1 for one program; connections to it are refused until that listens."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    # Not before: with these the system might choose a port that others hold in the same way.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    _HELD.append(holder)
    port: int = holder.getsockname()[1]
    return port

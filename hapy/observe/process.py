"""The facts and counters of the whole process, as logs and samples show them."""

from __future__ import annotations

import os
import socket
from typing import Any


class Process:
    """One worker process.

    Attributes:
        hostname: the machine's name. node: the `node` setting, else the host name.
        pid: this process's number. tag: the syslog tag, by default the program's own name.
        threads: `nbthread`.
        stopping: a soft stop has begun.
        connections: client connections now (`%ac`). requests: requests and sessions begun so far (`%rt`),
            stats sockets and agents included.
        checks: checks over a connection begun so far. checking: those under way.
        bytes_out: bytes that checks and stats sockets have sent.
        variables: the `proc.` variables by full name.
        bufsize: `tune.bufsize`; maxrewrite: `tune.maxrewrite`.
        shows_ends: something of the configuration asks for the addresses of server connections.
    """

    __slots__ = (
        "bufsize",
        "bytes_out",
        "checking",
        "checks",
        "connections",
        "hostname",
        "maxrewrite",
        "node",
        "pid",
        "requests",
        "shows_ends",
        "stopping",
        "tag",
        "threads",
        "variables",
    )

    def __init__(self, *, node: str | None = None, tag: str = "haproxy", threads: int = 1) -> None:
        self.hostname = socket.gethostname()
        self.node = node or self.hostname
        self.pid = os.getpid()
        self.tag = tag
        self.threads = threads
        self.stopping = False
        self.connections = 0
        self.requests = 0
        self.checks = 0
        self.checking = 0
        self.bytes_out = 0
        self.variables: dict[str, Any] = {}
        self.bufsize = 16384
        self.maxrewrite = 1024
        self.shows_ends = False

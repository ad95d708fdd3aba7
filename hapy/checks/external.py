"""`option external-check`: a program decides (configuration manual, 4.2, `external-check command`).

Rules:
- A program sees the environment that the manual names and nothing else, and of our files only the usual three.
- One that takes too long is told to end, and ended; whatever it has started goes with it.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from hapy.checks.result import Ended, Status
from hapy.net.routine import in_task

if TYPE_CHECKING:
    from hapy.checks.check import Check
    from hapy.proxy.backend import Backend
    from hapy.proxy.server import Server

_NOT_USED = "NOT_USED"
#: What a program that can't be started is reported with.
_NO_PROGRAM = 255
#: What one is reported with that a signal has ended.
_KILLED = -1
#: How long a program that took too long may take to end, in seconds.
_GRACE = 1.0


class External:
    """A program that is run for each check of a backend's servers."""

    __slots__ = ("_address", "_backend", "_command", "_path", "_port", "speaks_http")

    def __init__(self, backend: Backend) -> None:
        checks = backend.model.checks
        self._backend = backend
        self._command = checks.command or ""
        self._path = checks.path or ""
        self._address, self._port = "", ""
        self.speaks_http = False
        for bind in backend.model.binds:
            if bind.address.family in ("ipv4", "ipv6", "any", "unix"):
                self._address = bind.address.host or "0.0.0.0"
                self._port = str(bind.address.port or "")
                break

    async def run(self, check: Check) -> None:
        """Run it; its status is the check's."""
        check.step_status = Status.PROCTOUT
        server = check.server
        address = server.address
        unix = address.family in ("unix", "abns")
        port = _NOT_USED if unix else str(address.port or 0)
        host = "" if address.family == "abns" else address.host
        words = [self._command, self._address or _NOT_USED, self._port or _NOT_USED, host, port]
        code = await in_task(_execute, words, self._environment(server, host, "" if unix else port))
        raise Ended(Status.PROCERR if code else Status.PROCOK, "", code)

    def _environment(self, server: Server, host: str, port: str) -> dict[str, str]:
        model = self._backend.model
        return {
            "HAPROXY_PROXY_NAME": model.name,
            "HAPROXY_PROXY_ID": str(model.number),
            "HAPROXY_PROXY_ADDR": self._address,
            "HAPROXY_PROXY_PORT": self._port,
            "HAPROXY_SERVER_NAME": server.model.name,
            "HAPROXY_SERVER_ID": str(server.model.number),
            "HAPROXY_SERVER_ADDR": host,
            "HAPROXY_SERVER_PORT": port,
            "HAPROXY_SERVER_MAXCONN": str(server.maxconn),
            "HAPROXY_SERVER_CURCONN": str(server.current),
            "HAPROXY_SERVER_SSL": str(int(server.model.tls is not None)),
            "HAPROXY_SERVER_PROTO": "h1" if model.mode == "http" else "tcp",
            "PATH": self._path,
        }


def _keep_files() -> None:
    """Have no file of ours go to programs, inherited listeners among them, which would outlive us in their hands."""
    for number in [int(path.name) for path in Path("/dev/fd").iterdir()]:
        if number > 2:
            with suppress(OSError):  # the folder's own, closed by now
                os.set_inheritable(number, False)


async def _execute(words: list[str], environment: dict[str, str]) -> int:
    """Run a program; gives its exit status."""
    _keep_files()
    try:
        process = await anyio.open_process(
            words, stdin=subprocess.DEVNULL, stdout=None, stderr=None, env=environment, start_new_session=True
        )
    except (OSError, ValueError):
        return _NO_PROGRAM
    try:
        return max(await process.wait(), _KILLED)
    except BaseException:
        with anyio.CancelScope(shield=True), suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
            with anyio.move_on_after(_GRACE):
                await process.wait()
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        raise
    finally:
        with anyio.CancelScope(shield=True):
            await process.aclose()

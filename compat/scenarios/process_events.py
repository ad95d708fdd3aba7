"""What becomes of sections and of the process: the lines of their logs."""

from __future__ import annotations

import signal
from functools import partial

from compat.harness import World
from compat.harness.targets import wait_until
from compat.harness.world import mask_log


def process_events(world: World) -> None:
    """What becomes of sections and of the process stands in their logs, too."""
    world.origin("s1")
    world.start(
        """
frontend fe
    bind "fd@${fe}"
    http-request return
listen li
    bind "fd@${li}"
    server s {s1} disabled
backend be
    log {syslog} local3
    server s {s1}
"""
    )
    world.once("/")
    for number, told in (
        (signal.SIGTTOU, "Paused proxy li"),
        (signal.SIGTTIN, "Resumed proxy li"),
        (signal.SIGHUP, "Proxy be has"),
        (signal.SIGUSR1, "Proxy be stopped"),
    ):
        world.signal(number)
        wait_until(partial(_is_told, world, told))
    for line in world.syslog.lines:
        if "HTTPCLIENT" not in line and "Connect from" not in line:
            world.note(mask_log(line))


def _is_told(world: World, text: str) -> bool:
    return any(text in line for line in world.syslog.lines)

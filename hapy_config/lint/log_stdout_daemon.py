"""Logs to a terminal that a daemon does not have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each log line to stdout or stderr beside `daemon`."""
    if not view.config.global_.daemon:
        return
    targets = [*view.config.global_.log, *(target for proxy in view.proxies for target in proxy.log)]
    for target in targets:
        if target.stream in ("stdout", "stderr"):
            yield Finding(
                target.span,
                f"a daemon closes {target.stream}, so these logs are lost",
                "take 'daemon' out of the global section, or log to a syslog socket",
            )


RULE = Rule(
    "log-stdout-daemon",
    Severity.WARNING,
    """`daemon` sends the process to the background and closes its standard output and error; what is logged there is
    lost. In a container leave `daemon` out, elsewhere log to syslog.""",
    "global\n daemon\n log stdout format raw local0\nlisten l\n bind :80\n log global\n",
    "global\n log stdout format raw local0\nlisten l\n bind :80\n log global\n",
    check,
)

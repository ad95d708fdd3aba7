"""Requests that queue for as long as a connection may take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


_SHORT: Final = 1000


def check(view: View) -> Iterator[Finding]:
    """A finding for each backend with full servers whose queue has the time limit of a connection, a very short one."""
    for proxy in view.backends:
        timeouts = proxy.timeouts
        if timeouts.queue is not None or timeouts.connect is None or timeouts.connect > _SHORT:
            continue
        if any(server.maxconn for server in proxy.servers):
            yield Finding(
                proxy.span,
                f"requests wait in the queue of '{proxy.name}' for {timeouts.connect} ms at most",
                "add 'timeout queue', with the time that a request may wait for a free server",
            )


RULE = Rule(
    "missing-queue-timeout",
    Severity.NOTICE,
    """Servers have a `maxconn`, so requests queue for them, and without `timeout queue` they wait no longer than
    `timeout connect` says, here a second or less. A short burst then ends in 503 answers.""",
    "listen l\n bind :80\n timeout connect 500ms\n server s 10.0.0.1:80 maxconn 10\n",
    "listen l\n bind :80\n timeout connect 500ms\n timeout queue 30s\n server s 10.0.0.1:80 maxconn 10\n",
    check,
)

"""Checks that hang for longer than all those that mark a server down should take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each proxy with a server of which one check may wait longer than `fall` of them should take."""
    for proxy in view.backends:
        limit = proxy.timeouts.check
        if limit is None:
            continue
        for server in proxy.servers:
            given = server.options.get("inter", ("",))[0]
            fall = server.options.get("fall", ("3",))[0]
            if not (server.check and given.isdecimal() and fall.isdecimal()):
                continue
            promised = int(given) * int(fall)
            if limit > promised:
                yield Finding(
                    view.place(proxy, "timeout", "check"),
                    f"one check of '{server.name}' may take {limit} ms, longer than the {promised} ms in which"
                    f" {fall} of them should find it down",
                    "shorten the timeout, or make 'inter' longer",
                )
                break


RULE = Rule(
    "slow-check",
    Severity.NOTICE,
    """`timeout check` lets a single check wait for its answer longer than `fall` checks at `inter` take, and the next
    check begins only when the one before it has ended: a server that hangs is found out after `fall` times the timeout,
    much later than the server's line promises.""",
    "listen l\n bind :80\n timeout check 10s\n server s 10.0.0.1:80 check inter 1s\n",
    "listen l\n bind :80\n timeout check 1s\n server s 10.0.0.1:80 check inter 2s\n",
    check,
)

"""Checks that take longer than the time between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each server whose check may wait longer than until the next one is due."""
    for proxy in view.backends:
        limit = proxy.timeouts.check
        if limit is None:
            continue
        for server in proxy.servers:
            given = server.options.get("inter", ("",))[0]
            if server.check and given.isdecimal() and limit > int(given):
                yield Finding(
                    view.place(proxy, "timeout", "check"),
                    f"a check of '{server.name}' may take {limit} ms, and the next one is due after {given} ms",
                    "make 'inter' the longer of the two",
                )
                break


RULE = Rule(
    "slow-check",
    Severity.NOTICE,
    """`timeout check` lets a check wait for its answer longer than `inter` lets pass between two checks, so a server
    that hangs is found out later than the numbers promise: `fall` times the longer one.""",
    "listen l\n bind :80\n timeout check 10s\n server s 10.0.0.1:80 check inter 1s\n",
    "listen l\n bind :80\n timeout check 1s\n server s 10.0.0.1:80 check inter 2s\n",
    check,
)

"""Limits that the process's own never lets be reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each limit of a frontend or server above the global one."""
    limit = view.config.global_.maxconn
    if not limit:
        return
    for proxy in view.frontends:
        if proxy.maxconn is not None and proxy.maxconn > limit:
            yield Finding(
                view.place(proxy, "maxconn"),
                f"the process takes {limit} connections in all, so {proxy.maxconn} here are never reached",
                "raise 'maxconn' in the global section, or lower this one",
            )
        for bind in proxy.binds:
            if bind.maxconn > limit:
                yield Finding(
                    bind.span,
                    f"the process takes {limit} connections in all, so {bind.maxconn} here are never reached",
                    "raise 'maxconn' in the global section, or lower this one",
                )
    for proxy in view.backends:
        for server in proxy.servers:
            if server.maxconn > limit:
                yield Finding(
                    server.span,
                    f"the process takes {limit} connections in all, so {server.maxconn} to a server are never reached",
                    "raise 'maxconn' in the global section, or lower this one",
                )


RULE = Rule(
    "maxconn-over-global",
    Severity.NOTICE,
    """The global `maxconn` holds for all frontends together. A limit of a frontend or server above it is never reached:
    clients wait sooner than its line promises.""",
    "global\n maxconn 1000\nlisten l\n bind :80\n maxconn 5000\n",
    "global\n maxconn 10000\nlisten l\n bind :80\n maxconn 5000\n",
    check,
)

"""Connections from the client's own address, asked to be shared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each backend that asks for reuse and takes the client's address for its own."""
    for proxy in view.backends:
        if proxy.mode != "http" or proxy.reuse not in ("always", "aggressive"):
            continue
        for server in proxy.servers:
            source = server.source or proxy.source
            if source is not None and source.usesrc in ("client", "clientip"):
                yield Finding(
                    server.span if server.source is not None else view.place(proxy, "source"),
                    "connections are shared by requests of one client address only: they come from that address",
                    "send the address in a header ('option forwardfor') instead of 'usesrc'",
                )


RULE = Rule(
    "reuse-source",
    Severity.NOTICE,
    """With `source … usesrc clientip` a connection to the server comes from the client's address, so no other client's
    request can go over it, whatever `http-reuse` says.""",
    "listen l\n bind :80\n http-reuse always\n source 0.0.0.0 usesrc clientip\n server s 10.0.0.1:80\n",
    "listen l\n bind :80\n http-reuse always\n option forwardfor\n server s 10.0.0.1:80\n",
    check,
)

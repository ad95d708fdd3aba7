"""Connections that tell the client's address, asked to be shared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each backend that asks for reuse with servers that get a PROXY header."""
    for proxy in view.backends:
        if proxy.mode != "http" or proxy.reuse not in ("always", "aggressive"):
            continue
        for server in proxy.servers:
            if server.send_proxy:
                yield Finding(
                    server.span,
                    f"connections to '{server.name}' are not shared: each begins with its client's address",
                    "send the address in a header ('option forwardfor') instead of 'send-proxy', or leave reuse alone",
                )


RULE = Rule(
    "reuse-send-proxy",
    Severity.NOTICE,
    """The PROXY header at the beginning of a connection names one client, so requests of another one can't use it,
    whatever `http-reuse` says: each client has its own connection to the server. `option forwardfor` tells the address
    with each request.""",
    "listen l\n bind :80\n http-reuse always\n server s 10.0.0.1:80 send-proxy\n",
    "listen l\n bind :80\n http-reuse always\n option forwardfor\n server s 10.0.0.1:80\n",
    check,
)

"""Checks without TLS on a port for TLS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule
from hapy_config.model.checks import CheckConnect

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each TLS server whose own words take TLS from its check."""
    for proxy in view.backends:
        own = any(isinstance(step, CheckConnect) for step in proxy.checks.steps) or proxy.checks.kind == "ssl-hello-chk"
        for server in () if own else proxy.servers:
            port = server.options.get("port", ("",))[0]
            if not server.check or server.tls is None or "check-ssl" in server.options or not port:
                continue
            if port in (str(server.address.port), "443"):
                yield Finding(
                    server.span,
                    f"'port {port}' makes the check of '{server.name}' speak plain text on a port for TLS",
                    "add 'check-ssl', or take 'port' out",
                )


RULE = Rule(
    "check-in-clear",
    Severity.WARNING,
    """A check goes the way of the traffic, TLS included, unless `port` or `addr` says where else: then it is plain
    text, whatever the port is. `check-ssl` has it speak TLS.""",
    "listen l\n bind :80\n server s 10.0.0.1:443 ssl verify none check port 443\n",
    "listen l\n bind :80\n server s 10.0.0.1:443 ssl verify none check port 443 check-ssl\n",
    check,
)

"""Plain text on the port of HTTPS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each HTTP listener on port 443 without TLS, and each server there that is spoken to without."""
    for proxy in view.proxies:
        if proxy.mode != "http":
            continue
        for bind in proxy.binds:
            if bind.address.port == 443 and bind.tls is None and not bind.accept_proxy:
                yield Finding(bind.span, "port 443 is served without TLS", "add 'ssl crt FILE', or write 'mode tcp'")
        for server in proxy.servers:
            if server.address.port == 443 and server.tls is None and "proto" not in server.options:
                yield Finding(
                    server.span,
                    f"'{server.name}' is spoken to without TLS on port 443",
                    "add 'ssl verify required ca-file …', or write 'mode tcp' in the frontend and here",
                )


RULE = Rule(
    "plain-tls-port",
    Severity.WARNING,
    """On port 443 clients and servers expect TLS. In HTTP mode without `ssl` the proxy reads and writes plain text
    there: clients get no answer, and servers answer 400.""",
    "listen l\n bind :80\n server s 10.0.0.1:443\n",
    "listen l\n bind :80\n server s 10.0.0.1:443 ssl verify required ca-file @system-ca sni str(web.example)\n",
    check,
)

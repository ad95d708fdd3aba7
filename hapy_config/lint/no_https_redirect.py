"""TLS that nobody has to use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each frontend that serves the same on ports 80 and 443 without looking which it is."""
    for proxy in view.frontends:
        if proxy.mode != "http":
            continue
        tls = any(bind.tls is not None and bind.address.port == 443 for bind in proxy.binds)
        plain = next((bind for bind in proxy.binds if bind.tls is None and bind.address.port == 80), None)
        if not tls or plain is None:
            continue
        if any(use.fetch.startswith(("ssl_fc", "dst_port", "fc_dst_port", "src", "so_id")) for use in view.uses(proxy)):
            continue
        if any(use.header.startswith("x-forwarded") for use in view.uses(proxy)):
            continue
        yield Finding(
            plain.span,
            f"'{proxy.name}' serves the same without TLS",
            "add 'http-request redirect scheme https unless { ssl_fc }'",
        )


RULE = Rule(
    "no-https-redirect",
    Severity.NOTICE,
    """Ports 80 and 443 are served alike, so whoever types the name without https stays without TLS, passwords
    included. A redirect for requests that come in plain text takes them over.""",
    "frontend f\n bind :80\n bind :443 ssl crt /x.pem\n default_backend b\nbackend b\n server s 10.0.0.1:80\n",
    "frontend f\n bind :80\n bind :443 ssl crt /x.pem\n http-request redirect scheme https unless { ssl_fc }\n"
    " default_backend b\nbackend b\n server s 10.0.0.1:80\n",
    check,
)

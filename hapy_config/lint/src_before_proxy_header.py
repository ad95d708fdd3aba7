"""Rules that see the load balancer's address instead of the client's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each connection rule on the source address in front of which a PROXY header will come."""
    for proxy in view.frontends:
        if not proxy.binds or not all(bind.accept_proxy for bind in proxy.binds):
            continue
        for use in view.uses(proxy):
            if use.ruleset == "tcp-request connection" and use.fetch.startswith("src") and use.acl is None:
                yield Finding(
                    use.span,
                    "connection rules run before the PROXY header is read: 'src' is the load balancer's address",
                    "write 'tcp-request session' instead of 'tcp-request connection'",
                )


RULE = Rule(
    "src-before-proxy-header",
    Severity.WARNING,
    """`tcp-request connection` rules run as soon as a connection comes in. Where `accept-proxy` tells the client's
    address, they still see that of the machine in front, so all clients are counted as one. `tcp-request session`
    rules run behind the header.""",
    "frontend f\n bind :80 accept-proxy\n stick-table type ip size 1m expire 1m store conn_cur\n"
    " tcp-request connection track-sc0 src\n",
    "frontend f\n bind :80 accept-proxy\n stick-table type ip size 1m expire 1m store conn_cur\n"
    " tcp-request session track-sc0 src\n",
    check,
)

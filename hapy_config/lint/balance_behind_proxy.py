"""Balancing by an address that all clients share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each backend balanced by source whose frontends take the client's address from a header."""
    for proxy in view.backends:
        if proxy.balance.algorithm != "source" or len(proxy.servers) < 2:
            continue
        for front in view.front_of(proxy):
            if front.mode != "http" or any(bind.accept_proxy for bind in front.binds):
                continue
            if "set-src" in view.actions(front):
                continue
            use = view.header_use(front, "x-forwarded-for", "x-real-ip")
            if use is not None:
                yield Finding(
                    view.place(proxy, "balance"),
                    f"'{front.name}' is behind another proxy (line {use.span.line}), whose address 'source' is",
                    "write 'balance hdr(X-Forwarded-For)' with 'hash-type consistent'",
                )
                break


RULE = Rule(
    "balance-behind-proxy",
    Severity.NOTICE,
    """`balance source` sends each client address to one server. Behind another proxy there is one address, or a few,
    so one server gets nearly everything. The header that tells the client's address spreads the load.""",
    "listen l\n bind :80\n balance source\n http-request deny if { req.hdr_ip(x-forwarded-for) 192.0.2.0/24 }\n"
    " server s1 10.0.0.1:80\n server s2 10.0.0.2:80\n",
    "listen l\n bind :80\n balance hdr(x-forwarded-for)\n hash-type consistent\n"
    " http-request deny if { req.hdr_ip(x-forwarded-for) 192.0.2.0/24 }\n"
    " server s1 10.0.0.1:80\n server s2 10.0.0.2:80\n",
    check,
)

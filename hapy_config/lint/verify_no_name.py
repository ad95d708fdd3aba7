"""Servers' certificates that are verified whatever name they are for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each server whose certificate is verified by its authority alone, a public one."""
    for proxy in view.backends:
        for server in proxy.servers:
            tls = server.tls
            if tls is None or tls.verify == "none" or tls.sni is not None or "verifyhost" in tls.options:
                continue
            if tls.ca_file is not None and (tls.ca_file == "@system-ca" or "/etc/ssl/certs" in tls.ca_file):
                yield Finding(
                    server.span,
                    f"any certificate of a public authority passes for '{server.name}', whatever name it is for",
                    "add 'verifyhost NAME', or 'sni str(NAME)', which is verified too",
                )


RULE = Rule(
    "verify-no-name",
    Severity.WARNING,
    """The server's certificate is verified against the public authorities, and its name is not, since neither
    `verifyhost` nor `sni` says which is expected. A certificate that anybody got for a domain of his own passes.""",
    "listen l\n bind :80\n server s 10.0.0.1:443 ssl verify required ca-file @system-ca\n",
    "listen l\n bind :80\n server s 10.0.0.1:443 ssl verify required ca-file @system-ca verifyhost web.example\n",
    check,
)

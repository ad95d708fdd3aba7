"""TLS to servers that could be anybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.networks import is_local
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each server whose certificate nobody looks at."""
    statement = view.globals_("ssl-server-verify", "none")
    if statement is not None:
        yield Finding(
            statement.span(),
            "no server's certificate is verified unless its line says so",
            "take it out and write 'verify required ca-file @system-ca' on the server lines",
        )
    for proxy in view.backends:
        for server in proxy.servers:
            tls = server.tls
            if tls is None or "verify" not in tls.options or is_local(server.address):
                continue
            if tls.verify == "none":
                yield Finding(
                    server.span,
                    f"nobody looks at the certificate of '{server.name}': whoever answers in its place is believed",
                    "write 'verify required ca-file …' (with '@system-ca' for a public authority)",
                )


RULE = Rule(
    "verify-none",
    Severity.NOTICE,
    """`verify none` encrypts and trusts whoever answers: someone between this proxy and the server can read and change
    everything. `verify required` with the `ca-file` of the server's authority, and `verifyhost` or `sni`, makes sure
    of the server.""",
    "listen l\n bind :80\n server s 10.0.0.1:443 ssl verify none\n",
    "listen l\n bind :80\n server s 10.0.0.1:443 ssl verify required ca-file @system-ca verifyhost web.example\n",
    check,
)

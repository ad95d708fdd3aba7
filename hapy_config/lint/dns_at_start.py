"""Names that are looked up once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each backend with servers whose names are resolved at the start only."""
    for proxy in view.backends:
        names = [
            server
            for server in proxy.servers
            if server.fqdn is not None and server.resolvers is None and server.fqdn != "localhost"
        ]
        if names:
            yield Finding(
                names[0].span,
                f"'{names[0].fqdn}' is resolved once, at the start: when its address changes the server is lost",
                "add 'resolvers NAME' and a resolvers section, with 'init-addr last,libc,none'",
            )


RULE = Rule(
    "dns-at-start",
    Severity.NOTICE,
    """The name of a server is resolved when the proxy starts, and never again. Behind a name in a cloud, or of a
    container, the address changes; requests then go to nobody, or to somebody else. With `resolvers` the name is
    followed.""",
    "listen l\n bind :80\n server s web.example:80\n",
    "resolvers r\n nameserver n 10.0.0.53:53\nlisten l\n bind :80\n server s web.example:80 resolvers r\n",
    check,
)

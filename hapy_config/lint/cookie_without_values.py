"""A cookie that names no server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each backend with a `cookie` line and servers without values."""
    for proxy in view.backends:
        if proxy.cookie is None or not proxy.cookie.mode or proxy.cookie.dynamic or proxy.mode != "http":
            continue
        without = [server for server in proxy.servers if server.cookie is None and not server.backup]
        if len(proxy.servers) > 1 and len(without) == len([one for one in proxy.servers if not one.backup]):
            yield Finding(
                view.place(proxy, "cookie"),
                f"no server of '{proxy.name}' has a cookie value, so no client is kept at any",
                "add 'cookie VALUE' to the server lines, or 'dynamic' here with 'dynamic-cookie-key'",
            )
        elif without and len(proxy.servers) > 1:
            yield Finding(
                without[0].span,
                f"'{without[0].name}' has no cookie value, so its clients are not kept there as others are",
                "add 'cookie VALUE'",
            )


RULE = Rule(
    "cookie-without-values",
    Severity.WARNING,
    """The backend keeps clients at their servers by a cookie, whose value is what `cookie` on a server line says. A
    server without one gets each request of its clients balanced anew.""",
    "listen l\n bind :80\n cookie SRV insert indirect nocache\n server s1 10.0.0.1:80\n server s2 10.0.0.2:80\n",
    "listen l\n bind :80\n cookie SRV insert indirect nocache\n"
    " server s1 10.0.0.1:80 cookie s1\n server s2 10.0.0.2:80 cookie s2\n",
    check,
)

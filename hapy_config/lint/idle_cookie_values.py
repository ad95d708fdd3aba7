"""Cookie values that no cookie carries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each backend whose servers have values and that has no `cookie` line."""
    for proxy in view.backends:
        if proxy.cookie is not None and proxy.mode == "http":
            continue
        if proxy.mode == "tcp" and proxy.rdp_cookie is not None:
            continue
        named = next((server for server in proxy.servers if server.cookie is not None), None)
        if named is not None:
            missing = "works in TCP mode" if proxy.mode != "http" else "has no 'cookie' line"
            yield Finding(
                named.span,
                f"the cookie value of '{named.name}' has no effect: '{proxy.name}' {missing}",
                "add 'cookie NAME insert indirect nocache' to the backend, or take the values out",
            )


RULE = Rule(
    "idle-cookie-values",
    Severity.NOTICE,
    """`cookie` on a server line is the value that stands for this server in the cookie of the backend, and the backend
    has none, so clients are not kept at their servers.""",
    "listen l\n bind :80\n server s1 10.0.0.1:80 cookie s1\n server s2 10.0.0.2:80 cookie s2\n",
    "listen l\n bind :80\n cookie SRV insert indirect nocache\n"
    " server s1 10.0.0.1:80 cookie s1\n server s2 10.0.0.2:80 cookie s2\n",
    check,
)

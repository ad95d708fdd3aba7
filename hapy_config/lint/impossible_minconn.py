"""A lower limit above the upper one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each server whose `minconn` means nothing."""
    for proxy in view.backends:
        for server in proxy.servers:
            if server.minconn and server.minconn >= server.maxconn:
                given = f"'maxconn {server.maxconn}'" if server.maxconn else "no 'maxconn'"
                yield Finding(
                    server.span,
                    f"'minconn {server.minconn}' with {given} leaves nothing in between: the limit is fixed",
                    "set 'maxconn' to the limit at full load and 'minconn' below it, or write 'maxconn' only",
                )


RULE = Rule(
    "impossible-minconn",
    Severity.NOTICE,
    """A server's limit moves between `minconn` and `maxconn` with the load of its backend. Without a `maxconn` above
    `minconn` there is nothing to move in, and the limit is the same at all times.""",
    "listen l\n bind :80\n server s 10.0.0.1:80 minconn 100\n",
    "listen l\n bind :80\n server s 10.0.0.1:80 minconn 100 maxconn 500\n",
    check,
)

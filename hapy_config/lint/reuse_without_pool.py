"""A server that keeps no idle connections, asked to share them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each server whose own words leave nothing to reuse."""
    for proxy in view.backends:
        if proxy.mode != "http" or proxy.reuse == "never":
            continue
        for server in proxy.servers:
            word = ""
            if server.pool_max_conn == 0:
                word = "pool-max-conn 0"
            elif server.pool_purge_delay == 0:
                word = "pool-purge-delay 0"
            elif server.max_reuse == 0:
                word = "max-reuse 0"
            if word and view.statement(proxy, "http-reuse") is not None:
                yield Finding(
                    server.span,
                    f"'http-reuse {proxy.reuse}' finds nothing to reuse for '{server.name}': '{word}'",
                    f"take '{word}' out, or write 'http-reuse never' if it is meant so",
                )


RULE = Rule(
    "reuse-without-pool",
    Severity.NOTICE,
    """`pool-max-conn 0`, `pool-purge-delay 0` and `max-reuse 0` each keep a server's connections from being kept for a
    later request of another client, and `http-reuse` says that they are to be.""",
    "listen l\n bind :80\n http-reuse safe\n server s 10.0.0.1:80 pool-max-conn 0\n",
    "listen l\n bind :80\n http-reuse safe\n server s 10.0.0.1:80 pool-max-conn 100\n",
    check,
)

"""Connections to keep ready that nothing can keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.model.proxy import Proxy
    from hapy_config.model.server import Server


def check(view: View) -> Iterator[Finding]:
    """A finding for each server with a `pool-min-conn` that can't be reached."""
    for proxy in view.backends:
        for server in proxy.servers:
            wanted = server.pool.min_conn
            if not wanted:
                continue
            obstacle = _obstacle(proxy, server)
            if obstacle:
                yield Finding(
                    server.span,
                    f"'pool-min-conn {wanted}' has no effect on '{server.name}': {obstacle} keeps no idle connection",
                    "take 'pool-min-conn' out",
                )
                continue
            for word, limit in (("pool-max-conn", server.pool_max_conn), ("maxconn", server.maxconn or -1)):
                if 0 < limit < wanted:
                    yield Finding(
                        server.span,
                        f"'{word} {limit}' of '{server.name}' is less than its 'pool-min-conn {wanted}'",
                        f"write 'pool-min-conn {limit}'",
                    )
                    break


def _obstacle(proxy: Proxy, server: Server) -> str:
    """What lets no connection idle; empty for nothing."""
    if proxy.mode != "http":
        return f"mode {proxy.mode}"
    if proxy.reuse == "never":
        return "http-reuse never"
    if not server.pool_max_conn:
        return "pool-max-conn 0"
    if not server.pool_purge_delay:
        return "pool-purge-delay 0"
    return "" if server.max_reuse else "max-reuse 0"


RULE = Rule(
    "idle-min-conn",
    Severity.WARNING,
    """`pool-min-conn` keeps idle connections ready, as many as `pool-max-conn` and `maxconn` let the server have. Where
    no connection may idle (`http-reuse never`, `mode tcp`, a limit of 0) there is nothing to keep.""",
    "backend b\n mode http\n http-reuse never\n server s 10.0.0.1:80 # hapy: pool-min-conn 4\n",
    "backend b\n mode http\n http-reuse always\n server s 10.0.0.1:80 # hapy: pool-min-conn 4\n",
    check,
)

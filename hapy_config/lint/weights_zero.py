"""A backend whose servers all have the weight 0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each backend none of whose servers gets new clients."""
    for proxy in view.backends:
        if proxy.servers and all(server.weight == 0 for server in proxy.servers):
            yield Finding(
                proxy.servers[0].span,
                f"all servers of '{proxy.name}' have the weight 0, which keeps new clients from them",
                "give one of them a weight",
            )


RULE = Rule(
    "weights-zero",
    Severity.WARNING,
    """A server with `weight 0` takes no part in balancing. All of this backend have it, so clients without a cookie
    get 503 answers.""",
    "listen l\n bind :80\n server s 10.0.0.1:80 weight 0\n",
    "listen l\n bind :80\n server s 10.0.0.1:80 weight 10\n",
    check,
)

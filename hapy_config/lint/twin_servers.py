"""Two servers of a backend with one name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.model.server import Server


def check(view: View) -> Iterator[Finding]:
    """A finding for each server that has the name of one before it."""
    for proxy in view.backends:
        seen: dict[str, Server] = {}
        for server in proxy.servers:
            first = seen.setdefault(server.name, server)
            if first is not server:
                yield Finding(
                    server.span,
                    f"'{server.name}' is also the name of the server of line {first.span.line}",
                    "give it a name of its own",
                )


RULE = Rule(
    "twin-servers",
    Severity.WARNING,
    """Two servers of a backend have the same name. HAProxy takes that up to 3.2 where an `id` tells them apart; but
    commands of the Runtime API by name reach the first one only, rules and `track` can name neither, and saved states
    and statistics mix them up. From 3.3 on it is refused.""",
    "listen l\n bind :80\n server s 10.0.0.1:80 id 1\n server s 10.0.0.2:80\n",
    "listen l\n bind :80\n server s 10.0.0.1:80 id 1\n server t 10.0.0.2:80\n",
    check,
)

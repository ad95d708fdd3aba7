"""Servers that get requests whether they are alive or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.model.server import Server


def check(view: View) -> Iterator[Finding]:
    """A finding for each backend of several servers with one that nobody checks."""
    for proxy in view.backends:
        servers = [server for server in proxy.servers if not server.disabled and server.weight]
        if len(servers) < 2:
            continue
        blind = [server for server in servers if not _is_watched(server)]
        if len(blind) == len(servers):
            yield Finding(
                proxy.span,
                f"none of the {len(servers)} servers of '{proxy.name}' is checked: a dead one keeps getting its share",
                "add 'check' to the server lines, or to 'default-server'",
            )
            continue
        lone = next((server for server in blind if not server.backup), None)  # a backup may be a page to apologize
        if lone is not None:
            yield Finding(
                lone.span,
                f"'{lone.name}' is not checked, as other servers of '{proxy.name}' are",
                "add 'check'",
            )


def _is_watched(server: Server) -> bool:
    return server.check or server.track is not None or "agent-check" in server.options


RULE = Rule(
    "unchecked-servers",
    Severity.NOTICE,
    """There are several servers, so that one may fail, and nobody checks whether this one has. It keeps getting its
    share of requests, each of which waits for `timeout connect` a few times over and then fails. `check` on the server
    line takes it out in time.""",
    "listen l\n bind :80\n server s1 10.0.0.1:80\n server s2 10.0.0.2:80\n",
    "listen l\n bind :80\n default-server check\n server s1 10.0.0.1:80\n server s2 10.0.0.2:80\n",
    check,
)

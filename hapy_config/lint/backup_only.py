"""Backups of nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each backend with several servers that are all backups, of which one works."""
    for proxy in view.backends:
        servers = proxy.servers
        if len(servers) > 1 and all(server.backup for server in servers) and "allbackups" not in proxy.options:
            yield Finding(
                servers[0].span,
                f"all servers of '{proxy.name}' are backups, so only the first that is up gets requests",
                "take 'backup' out, or add 'option allbackups'",
            )


RULE = Rule(
    "backup-only",
    Severity.NOTICE,
    """Backup servers stand in when all others are down, one at a time. All servers of this backend are backups: one
    does the work, the others wait.""",
    "listen l\n bind :80\n server s1 10.0.0.1:80 backup\n server s2 10.0.0.2:80 backup\n",
    "listen l\n bind :80\n server s1 10.0.0.1:80\n server s2 10.0.0.2:80 backup\n",
    check,
)
